//! When something fails, and when nothing happens: never silence for ever.

use super::*;

const NOT_UNDERSTOOD: &str = "I am sorry, I did not catch that. Could you say it again?";

fn away(service: &'static str) -> Trouble {
    Trouble::Away(service)
}

#[test]
fn a_model_that_fails_is_excused() {
    let mut talk = Talk::new();
    talk.says("When?");
    talk.written(Written::Failed(away("language")));
    talk.silence(6_000);
    assert!(talk.spoken()[0].starts_with("I am sorry, I cannot think"), "{:?}", talk.spoken());
    talk.says("When?");
    talk.writes("At ten.");
    talk.silence(2_000);
    assert_eq!(talk.spoken().last().unwrap(), "At ten.", "and the conversation goes on");
}

#[test]
fn a_model_that_breaks_off_is_excused_after_its_words() {
    let mut talk = Talk::new();
    talk.says("When?");
    talk.written(Written::Text("It is at ten. And".into()));
    talk.written(Written::Call { id: "1".into(), tool: "book".into(), arguments: "{".into() });
    talk.written(Written::Failed(away("language")));
    talk.silence(9_000);
    let spoken = talk.spoken();
    assert_eq!(spoken[..2], ["It is at ten.", "And"]);
    assert!(spoken[2].contains("lost my thread"), "{spoken:?}");
    assert_eq!(talk.called().len(), 0, "half an answer calls nothing");
}

#[test]
fn a_model_that_hangs_is_given_up() {
    let mut talk = Talk::new();
    talk.says("When?");
    talk.silence(3_000);
    assert_eq!(talk.spoken(), ["One moment, please."], "somebody says that it takes long");
    talk.silence(30_000);
    assert!(talk.spoken()[1].starts_with("I am sorry"), "{:?}", talk.spoken());
}

#[test]
fn a_model_that_says_nothing_is_excused() {
    let mut talk = Talk::new();
    talk.says("When?");
    talk.written(Written::Done);
    talk.silence(1_000);
    assert!(talk.spoken()[0].starts_with("I am sorry"), "{:?}", talk.spoken());
}

#[test]
fn a_draft_that_fails_costs_nothing() {
    let mut talk = Talk::new();
    talk.voice(600);
    talk.silence(100);
    talk.understood(Understood::Final("When?".into()));
    talk.written(Written::Failed(away("language")));
    talk.silence(300);
    talk.writes("At ten.");
    talk.silence(2_000);
    assert_eq!((talk.spoken(), talk.asked().len()), (vec!["At ten.".to_owned()], 2));
}

#[test]
fn what_cannot_be_spoken_is_read() {
    let mut talk = Talk::new();
    talk.has_voice = false;
    talk.says("When?");
    talk.writes("At ten. With Ana.");
    for _ in 0..8 {
        let pieces = talk.all(|output| if let Output::Speak { piece, .. } = output { Some(*piece) } else { None });
        for piece in pieces {
            talk.tell(Input::Spoken { piece, what: Spoken::Failed(away("voice")) });
        }
    }
    talk.silence(100);
    assert_eq!(talk.entries().last(), Some(&agent("At ten. With Ana.")));
    assert!(talk.last(|output| matches!(output, Output::Tell(Tell::Trouble { .. })).then_some(())).is_some());
}

#[test]
fn a_voice_that_fails_is_excused_once_with_what_was_made_before() {
    let mut talk = Talk::new();
    talk.has_voice = false;
    talk.says("When?");
    talk.writes("At ten. With Ana.");
    talk.silence(100);
    let pieces = talk.all(|output| if let Output::Speak { piece, .. } = output { Some(*piece) } else { None });
    assert_eq!(pieces.len(), 2);
    for piece in pieces {
        let what = Spoken::Failed(Trouble::Refuses { service: "voice", reason: "402".into() });
        talk.tell(Input::Spoken { piece, what });
    }
    talk.silence(100);
    let apology = "I am sorry, my voice is failing me. Please ask me again in a moment.";
    let made = talk.all(|output| if let Output::Speak { text, .. } = output { Some(text.clone()) } else { None });
    assert_eq!(made, ["At ten.", "With Ana.", apology]);
    let is_usual = |output: &Output| matches!(output, Output::Speak { is_usual: true, .. }).then_some(());
    assert_eq!(talk.all(is_usual).len(), 1, "the apology is a usual sentence");
}

#[test]
fn a_draft_without_a_voice_costs_nothing() {
    let mut talk = Talk::new();
    talk.voice(600);
    talk.silence(100);
    talk.understood(Understood::Final("When?".into()));
    talk.has_voice = false;
    talk.written(Written::Text("At ten. ".into()));
    let piece = talk.last(|output| if let Output::Speak { piece, .. } = output { Some(*piece) } else { None }).unwrap();
    talk.tell(Input::Spoken { piece, what: Spoken::Failed(Trouble::Rubbish("voice")) });
    talk.has_voice = true;
    talk.silence(300);
    talk.writes("At ten.");
    talk.silence(2_000);
    assert_eq!(talk.asked().len(), 2, "the model is asked again when the caller has finished");
    assert_eq!(talk.entries().last(), Some(&agent("At ten.")), "and is heard");
}

#[test]
fn a_voice_that_hangs_is_given_up() {
    let mut talk = Talk::new();
    talk.has_voice = false;
    talk.says("When?");
    talk.writes("At ten.");
    // The apology is not made either.
    talk.silence(25_000);
    assert_eq!(talk.entries().last(), Some(&agent("At ten.")));
}

#[test]
fn speech_that_is_not_understood_is_asked_for_again() {
    let mut talk = Talk::new();
    talk.voice(1_000);
    talk.understood(Understood::Failed(away("speech recognition")));
    talk.silence(600);
    assert_eq!(talk.spoken(), [NOT_UNDERSTOOD]);
    talk.silence(6_000);
    let mut talk = Talk::new();
    talk.voice(1_000);
    talk.silence(4_000);
    assert_eq!(talk.spoken(), [NOT_UNDERSTOOD], "a recogniser that says nothing");
    let mut talk = Talk::new();
    talk.voice(1_000);
    talk.silence(100);
    talk.understood(Understood::Final(String::new()));
    talk.silence(2_000);
    assert_eq!(talk.spoken(), Vec::<String>::new(), "a cough needs no word");
}

#[test]
fn a_silent_caller_is_asked_and_then_hung_up_on() {
    let mut talk = Talk::new();
    talk.silence(17_000);
    assert_eq!(talk.spoken(), Vec::<String>::new());
    talk.silence(2_000);
    assert_eq!(talk.spoken(), ["Are you still there?"]);
    talk.silence(24_000);
    assert_eq!(talk.spoken().last().unwrap(), "Goodbye!");
    assert_eq!(talk.ended(), Some("it was over"));
}

#[test]
fn a_caller_who_answers_is_not_hung_up_on() {
    let mut talk = Talk::new();
    talk.silence(23_000);
    talk.says("Yes, I am thinking.");
    talk.writes("Take your time.");
    talk.silence(19_000);
    assert_eq!(talk.ended(), None);
    talk.silence(4_000);
    assert_eq!(talk.spoken().last().unwrap(), "Are you still there?");
}

#[test]
fn who_types_may_take_longer() {
    let mut talk = Talk::new();
    talk.types("When?");
    talk.writes("At ten.");
    talk.silence(100_000);
    assert_eq!(talk.spoken(), ["At ten."]);
    talk.silence(25_000);
    assert_eq!(talk.spoken().last().unwrap(), "Are you still there?");
}

#[test]
fn a_lost_network_is_waited_for_and_nothing_is_said_into_it() {
    let mut talk = Talk::new();
    talk.says("When?");
    talk.writes("It is at ten o'clock in the big room.");
    talk.silence(500);
    talk.tell(Input::Lost);
    talk.silence(3_000);
    assert!(talk.player.mouth().has_more());
    talk.tell(Input::Back);
    talk.silence(4_000);
    assert_eq!(talk.entries().last(), Some(&agent("It is at ten o'clock in the big room.")));
}

#[test]
fn a_conversation_ends_after_its_longest_time() {
    let mut talk = Talk::with(Voice::default()).greeted();
    talk.now = Duration::from_hours(1);
    talk.silence(6_000);
    assert!(talk.spoken()[0].starts_with("We have talked"), "{:?}", talk.spoken());
    assert_eq!(talk.ended(), Some("it was over"));
}

#[test]
fn tools_that_are_away_do_not_keep_anybody_waiting() {
    let agent = Agent::implicit(UserId::new("ana"));
    let settings = Settings::of(&agent, &"2026-11-23T09:05:00[Europe/Berlin]".parse().unwrap());
    let core = Core::new(settings, Player::default(), "2026-11-23T08:05:00Z".parse().unwrap());
    let player = core.player.clone();
    let mut talk = Talk { core, player, now: At::ZERO, outputs: vec![], has_voice: true, was_silent: true };
    talk.types("Hello?");
    assert_eq!(talk.asked().len(), 0, "the tools are waited for");
    talk.tell(Input::ToolsAway);
    assert_eq!(talk.asked().len(), 1);
    let offered = talk.prompt().tools;
    assert!(!offered.is_empty() && offered.iter().all(|tool| tool.name.starts_with("call_control_")));
    talk.tell(Input::Tools(vec![tool("look", true)]));
    talk.types("Look!");
    assert_eq!(talk.prompt().tools[0].name, "look");
    let before = talk.prompt().tools;
    talk.tell(Input::Tools(vec![tool("look", true)]));
    talk.types("Again!");
    assert!(std::sync::Arc::ptr_eq(&before, &talk.prompt().tools), "the same list stays the same");
}

#[test]
fn a_caller_who_hangs_up_ends_it() {
    let mut talk = Talk::new();
    talk.tell(Input::Said(Said::HangUp));
    assert_eq!(talk.ended(), Some("the caller hung up"));
}

#[test]
fn silence_is_frames_of_20_milliseconds() {
    // What the stage plays is what a carrier plays.
    assert_eq!(STEP.as_millis() * RATE as u128 / 1000, FRAME as u128);
}
