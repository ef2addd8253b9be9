//! Turns: whose it is, what was heard, and what is prepared.

use super::*;

const ANSWER: &str = "You have two meetings today. The first is at ten with Ana, and the second is at two with Ben.";

#[test]
fn a_question_is_answered_and_both_are_kept() {
    let mut talk = Talk::new();
    talk.says("When is my next meeting?");
    talk.writes("It is at ten.");
    talk.silence(2_000);
    assert_eq!(talk.spoken(), ["It is at ten."]);
    let greeting = agent("Hello! How can I help you?");
    assert_eq!(talk.entries(), [greeting, caller("When is my next meeting?"), agent("It is at ten.")]);
    let expected = [
        Line::Caller { text: "When is my next meeting?".into() },
        Line::Agent { text: "It is at ten.".into(), missed: String::new() },
    ];
    assert_eq!(talk.lines(), expected);
}

#[test]
fn an_answer_is_prepared_behind_the_gate() {
    let mut talk = Talk::new();
    talk.voice(600);
    talk.silence(100);
    talk.understood(Understood::Final("When is my next meeting?".into()));
    talk.written(Written::Text("It is at ten. And".into()));
    assert_eq!(talk.asked().len(), 1, "it is asked before the turn is over");
    assert!(talk.last(|output| matches!(output, Output::Speak { .. }).then_some(())).is_some(), "and made sound of");
    assert_eq!((talk.spoken(), talk.player.mouth().has_more()), (vec![], false), "nothing is heard yet");
    assert!(talk.all(|output| matches!(output, Output::Tell(Tell::Written(_))).then_some(())).is_empty());
    talk.silence(300);
    assert_eq!(talk.spoken(), ["It is at ten."]);
    assert_eq!(talk.asked().len(), 1, "the draft is the answer");
}

#[test]
fn a_caller_who_goes_on_gets_another_answer() {
    let mut talk = Talk::new();
    talk.voice(600);
    talk.silence(100);
    talk.understood(Understood::Final("Book a room".into()));
    talk.writes("For how many?");
    let draft = talk.asked()[0];
    talk.voice(400);
    talk.silence(100);
    talk.understood(Understood::Final("for ten.".into()));
    talk.writes("It is booked.");
    talk.silence(2_000);
    assert_eq!(talk.prompt().entries.last(), Some(&caller("Book a room for ten.")));
    assert_eq!(talk.spoken(), ["It is booked."]);
    talk.tell(Input::Written { answer: draft, what: Written::Text("Too late.".into()) });
    talk.silence(500);
    assert_eq!(talk.spoken(), ["It is booked."]);
    assert_eq!(talk.entries()[1..], [caller("Book a room for ten."), agent("It is booked.")]);
}

#[test]
fn a_draft_calls_no_tool_before_the_turn_is_over() {
    let mut talk = Talk::new();
    talk.voice(600);
    talk.silence(100);
    talk.understood(Understood::Final("Book a room".into()));
    talk.wants("", &["book"]);
    assert_eq!(talk.called().len(), 0);
    talk.voice(400);
    assert_eq!(talk.called().len(), 0, "the caller goes on, and nothing was booked");
    talk.silence(100);
    talk.understood(Understood::Final("for ten.".into()));
    talk.wants("", &["book"]);
    assert_eq!(talk.called().len(), 0);
    talk.silence(400);
    assert_eq!(talk.called().len(), 1);
}

#[test]
fn only_what_was_played_is_in_the_context() {
    let mut talk = Talk::new();
    talk.says("What is on today?");
    talk.writes(ANSWER);
    talk.silence(2_000);
    talk.voice(300);
    talk.understood(Understood::Partial("stop please".into()));
    talk.silence(100);
    let Some(Entry::Agent(heard)) = talk.entries().iter().rfind(|entry| matches!(entry, Entry::Agent(_))) else {
        panic!("{:?}", talk.entries())
    };
    assert!(heard.starts_with("You have two meetings today.") && !heard.contains("Ben"), "{heard}");
    assert!(matches!(talk.entries().last(), Some(Entry::Note(note)) if note.contains("Ben")), "{:?}", talk.entries());
    assert!(talk.last(|output| matches!(output, Output::Tell(Tell::Interrupted)).then_some(())).is_some());
    assert!(!talk.player.mouth().has_more());
}

#[test]
fn what_comes_late_is_never_heard() {
    let mut talk = Talk::new();
    talk.says("What is on today?");
    let stale = talk.asked()[0];
    talk.written(Written::Text("You have two meetings. The".into()));
    talk.silence(200);
    talk.types("No, tomorrow");
    let spoken = talk.spoken().len();
    talk.tell(Input::Written { answer: stale, what: Written::Text("first is at ten. And so on.".into()) });
    talk.tell(Input::Written { answer: stale, what: Written::Done });
    talk.silence(2_000);
    assert_eq!(talk.spoken().len(), spoken);
    talk.writes("Tomorrow is free.");
    talk.silence(2_000);
    assert_eq!(talk.spoken().last().unwrap(), "Tomorrow is free.");
}

#[test]
fn a_sign_of_listening_does_not_stop_the_agent() {
    let mut talk = Talk::new();
    talk.says("What is on today?");
    talk.writes(ANSWER);
    talk.silence(1_000);
    talk.voice(300);
    assert!(matches!(talk.player.mouth().frame(false), Frame::Silence), "it is silent while somebody speaks");
    talk.silence(100);
    talk.understood(Understood::Final("Mm-hmm.".into()));
    talk.silence(12_000);
    assert_eq!(talk.entries().last(), Some(&agent(ANSWER)), "and says everything all the same");
    assert_eq!(talk.asked().len(), 1);
}

#[test]
fn a_caller_may_speak_on_while_the_agent_thinks() {
    let mut talk = Talk::new();
    talk.says("Book a room.");
    let first = talk.asked()[0];
    talk.voice(200);
    talk.understood(Understood::Partial("for ten people".into()));
    assert_eq!(talk.last(|output| if let Output::Unask(id) = output { Some(*id) } else { None }), Some(first));
    talk.voice(400);
    talk.silence(100);
    talk.understood(Understood::Final("For ten people.".into()));
    talk.silence(300);
    assert_eq!(talk.prompt().entries[1..], [caller("Book a room."), caller("For ten people.")]);
}

#[test]
fn an_agent_that_may_not_be_interrupted_says_everything() {
    let mut talk = Talk::with(Voice { can_be_interrupted: Some(false), ..Voice::default() }).greeted();
    talk.says("What is on today?");
    talk.writes(ANSWER);
    talk.silence(1_000);
    talk.voice(2_000);
    talk.silence(12_000);
    assert_eq!(talk.entries().last(), Some(&agent(ANSWER)));
}

#[test]
fn a_voice_hushes_the_agent_within_80_milliseconds() {
    let mut talk = Talk::new();
    talk.says("What is on today?");
    talk.writes(ANSWER);
    talk.silence(1_000);
    let began = talk.now;
    while talk.player.mouth().frame(false) != Frame::Silence {
        talk.voice(20);
        let lasted = talk.now.saturating_sub(began);
        assert!(lasted <= Duration::from_millis(100), "{lasted:?}");
    }
}

#[test]
fn what_is_typed_may_be_answered_in_silence() {
    let mut talk = Talk::new();
    let said = Said::Text { content: "When?".into(), run_immediately: true, audio_response: false };
    talk.tell(Input::Said(said));
    talk.writes("At ten.");
    talk.silence(100);
    assert_eq!(talk.spoken(), Vec::<String>::new());
    assert_eq!(talk.entries()[1..], [caller("When?"), agent("At ten.")]);
    let said = Said::Text { content: "My name is Ana.".into(), run_immediately: false, audio_response: false };
    talk.tell(Input::Said(said));
    talk.silence(100);
    assert_eq!(talk.asked().len(), 1, "it is only kept in mind");
    assert_eq!(talk.entries().last(), Some(&caller("My name is Ana.")));
}

#[test]
fn keys_reach_the_model_together() {
    let mut talk = Talk::new();
    for keys in ["1", "2x", "3"] {
        talk.tell(Input::Said(Said::Keys(keys.into())));
        talk.silence(500);
    }
    assert_eq!(talk.asked().len(), 0);
    talk.silence(1_500);
    assert_eq!(talk.prompt().entries.last(), Some(&caller("(pressed the keys 123)")));
}

#[test]
fn a_microphone_that_is_closed_ends_the_turn() {
    let mut talk = Talk::new();
    talk.voice(600);
    talk.tell(Input::Said(Said::Microphone { is_open: false }));
    talk.voice(200);
    talk.understood(Understood::Final("Book a room.".into()));
    talk.silence(300);
    assert_eq!(talk.prompt().entries.last(), Some(&caller("Book a room.")));
}

#[test]
fn sound_that_stops_coming_ends_the_turn() {
    let mut talk = Talk::new();
    talk.voice(600);
    for _ in 0..20 {
        talk.now += STEP;
        talk.tell(Input::Tick);
    }
    talk.understood(Understood::Final("Book a room.".into()));
    assert_eq!(talk.prompt().entries.last(), Some(&caller("Book a room.")));
}

#[test]
fn the_time_to_the_first_sound_is_told() {
    let mut talk = Talk::new();
    talk.says("When?");
    talk.writes("At ten.");
    talk.silence(100);
    let stages =
        talk.last(|output| if let Output::Tell(Tell::Metrics(stages)) = output { Some(stages.clone()) } else { None });
    let names = stages.unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["stt", "llm", "tts", "voice_to_voice"]);
}
