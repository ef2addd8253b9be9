//! Tools in a conversation: at once, while somebody speaks, and never left open.

use super::*;

#[test]
fn several_calls_run_at_once_and_are_answered_together() {
    let mut talk = Talk::new();
    talk.says("What is on, and who is Ana?");
    talk.wants("Let me see.", &["look", "look_twice"]);
    talk.silence(100);
    assert_eq!(talk.called().len(), 2);
    talk.came("look_twice", "Ana is in sales.");
    assert_eq!(talk.asked().len(), 1);
    talk.came("look", "Nothing is on.");
    assert_eq!(talk.asked().len(), 2);
    assert_eq!(talk.results(), ["Nothing is on.", "Ana is in sales."]);
    let ids = talk.called().into_iter().map(|(_, id)| id).collect::<Vec<_>>();
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 9), "{ids:?}");
    let prompt = talk.prompt().entries;
    assert_eq!(prompt[2], agent("Let me see."), "the model sees what it said before: {prompt:?}");
    talk.writes("Nothing is on, and Ana is in sales.");
    talk.silence(5_000);
    let said = talk.spoken().join(" ");
    assert_eq!(said, "Let me see. Nothing is on, and Ana is in sales.");
}

#[test]
fn a_caller_who_interrupts_calls_back_what_only_looks() {
    let mut talk = Talk::new();
    talk.says("Book a room and find Ana.");
    talk.wants("", &["look", "book"]);
    talk.silence(100);
    talk.types("Never mind Ana.");
    let forgotten = talk.all(|output| if let Output::Forget(id) = output { Some(id.clone()) } else { None });
    assert_eq!(forgotten, [talk.call_of("look")]);
    let results = talk.results();
    assert!(results[0].contains("Cancelled") && results[1].contains("Still under way"), "{results:?}");
    talk.writes("All right.");
    talk.silence(3_000);
    assert_eq!(talk.asked().len(), 2);
    talk.came("book", "Booked: room 5.");
    talk.silence(100);
    assert_eq!(talk.asked().len(), 3, "its end is told without being asked for");
    let Some(Entry::Note(note)) = talk.prompt().entries.last().cloned() else { panic!("{:?}", talk.entries()) };
    assert!(note.contains("Booked: room 5."), "{note}");
    talk.writes("By the way, room 5 is booked.");
    talk.silence(3_000);
    assert_eq!(talk.spoken().last().unwrap(), "By the way, room 5 is booked.");
}

#[test]
fn news_waits_until_nobody_speaks() {
    let mut talk = Talk::new();
    talk.says("Book a room.");
    talk.wants("", &["book"]);
    talk.types("And what is the time?");
    talk.writes("It is nine o'clock.");
    talk.came("book", "Booked.");
    assert_eq!(talk.asked().len(), 2, "the agent is speaking");
    talk.silence(500);
    talk.voice(200);
    talk.understood(Understood::Partial("and how".into()));
    talk.voice(2_000);
    assert_eq!(talk.asked().len(), 2, "the caller is speaking");
    talk.silence(100);
    talk.understood(Understood::Final("And how is the weather?".into()));
    talk.silence(300);
    assert_eq!(talk.asked().len(), 3);
}

#[test]
fn a_silence_of_tools_is_filled_once() {
    let mut talk = Talk::new();
    talk.says("What is on?");
    talk.wants("", &["look"]);
    talk.silence(600);
    assert_eq!(talk.spoken(), Vec::<String>::new());
    talk.silence(200);
    assert_eq!(talk.spoken(), ["One moment, please."]);
    talk.silence(20_000);
    assert_eq!(talk.spoken().len(), 1);
    talk.came("look", "Nothing.");
    talk.writes("Nothing is on.");
    talk.silence(3_000);
    assert_eq!(talk.entries().last(), Some(&agent("Nothing is on.")), "a filler is no answer");
}

#[test]
fn an_agents_own_fillers_take_turns() {
    let fillers = vec!["Hold on.".to_owned(), "Let me check.".to_owned()];
    let mut talk = Talk::with(Voice { fillers, ..Voice::default() }).greeted();
    for expected in ["Hold on.", "Let me check.", "Hold on."] {
        talk.says("What is on?");
        talk.wants("", &["look"]);
        talk.silence(2_000);
        assert_eq!(talk.spoken().last().unwrap(), expected);
        talk.came("look", "Nothing.");
        talk.writes("Nothing.");
        talk.silence(2_000);
    }
}

#[test]
fn a_call_that_takes_too_long_is_given_up_and_closed() {
    let mut talk = Talk::new();
    talk.says("Look and book.");
    talk.wants("", &["look", "book"]);
    talk.silence(31_000);
    assert_eq!(talk.asked().len(), 2);
    let results = talk.results();
    assert!(results[0].contains("No answer within 30 seconds."), "{results:?}");
    assert!(results[1].contains("It may still be done"), "{results:?}");
    talk.writes("It takes too long.");
    talk.silence(3_000);
    talk.came("book", "Booked after all.");
    talk.silence(100);
    let Some(Entry::Note(note)) = talk.prompt().entries.last().cloned() else { panic!("{:?}", talk.entries()) };
    assert!(note.contains("Booked after all."), "{note}");
    talk.came("look", "Too late.");
    assert_eq!(talk.asked().len(), 3, "what only looked is forgotten");
}

#[test]
fn nobody_is_asked_whether_they_are_there_while_a_tool_runs() {
    let mut talk = Talk::of(Settings { call: Duration::from_mins(5), ..patient() }).greeted();
    talk.says("Look.");
    talk.wants("", &["look"]);
    talk.silence(120_000);
    assert_eq!(talk.spoken(), ["One moment, please."]);
    talk.came("look", "Nothing.");
    talk.writes("Nothing.");
    talk.silence(21_000);
    assert_eq!(talk.spoken().last().unwrap(), "Are you still there?");
}

fn patient() -> Settings {
    let agent = Agent::implicit(UserId::new("ana"));
    Settings::of(&agent, &"2026-11-23T09:05:00[Europe/Berlin]".parse().unwrap())
}

#[test]
fn wrong_calls_are_told_to_the_model() {
    let mut talk = Talk::new();
    talk.says("Look.");
    talk.written(Written::Call { id: "1".into(), tool: "lok".into(), arguments: "{}".into() });
    talk.written(Written::Call { id: "2".into(), tool: "look".into(), arguments: "{".into() });
    talk.written(Written::Done);
    assert_eq!(talk.called().len(), 0);
    assert_eq!(talk.results()[0], "There is no tool lok. Did you mean look?");
    assert!(talk.results()[1].contains("no JSON object"));
    assert_eq!(talk.asked().len(), 2, "and it may do better");
}

#[test]
fn the_same_change_is_not_made_twice_at_once() {
    let mut talk = Talk::new();
    talk.says("Book a room.");
    talk.wants("", &["book"]);
    talk.types("Did you book it?");
    talk.wants("", &["book"]);
    talk.silence(100);
    assert_eq!(talk.called().len(), 1);
    assert!(talk.results()[1].contains("under way already"), "{:?}", talk.results());
}

#[test]
fn a_model_that_goes_round_in_circles_is_stopped() {
    let mut talk = Talk::new();
    talk.says("Look.");
    for _ in 0..30 {
        if talk.ended().is_none() && talk.core.reply.as_ref().is_some_and(|reply| reply.answer().is_some()) {
            talk.wants("", &["look"]);
            talk.came("look", "Nothing.");
        }
    }
    talk.silence(8_000);
    assert!(talk.asked().len() <= 12, "{}", talk.asked().len());
    assert!(talk.spoken().last().unwrap().starts_with("I am sorry"), "{:?}", talk.spoken());
}

#[test]
fn the_agent_hangs_up_when_it_has_said_goodbye() {
    let mut talk = Talk::new();
    talk.says("That was all, goodbye.");
    talk.wants("Goodbye, and thank you!", &["call_control_hang_up"]);
    talk.silence(200);
    assert_eq!(talk.ended(), None, "it is still speaking");
    talk.silence(3_000);
    assert_eq!(talk.ended(), Some("it was over"));
    assert_eq!(talk.asked().len(), 1);
    assert!(talk.core.on(talk.now, Input::Voice(true)).is_empty(), "and nothing follows");
}

#[test]
fn a_caller_on_hold_is_not_heard_until_they_come_back() {
    let mut talk = Talk::new();
    talk.says("Wait a moment.");
    talk.wants("", &["call_control_hold"]);
    talk.writes("I wait.");
    talk.silence(1_000);
    talk.voice(5_000);
    talk.silence(60_000);
    assert_eq!(talk.spoken(), ["I wait."]);
    let back = Said::Message { id: "1".into(), topic: "hold".into(), data: json!({ "on": false }) };
    talk.tell(Input::Said(back));
    talk.says("I am back.");
    assert_eq!(talk.prompt().entries.last(), Some(&caller("I am back.")));
}

#[test]
fn a_caller_is_put_through_when_everything_is_said() {
    let settings = Settings { others: vec!["sales".into()], ..patient() };
    let mut talk = Talk::of(settings).greeted();
    talk.says("Connect me with sales.");
    talk.controls("call_control_transfer", r#"{"to":"legal"}"#);
    assert!(talk.results()[0].contains("There are: sales"), "{:?}", talk.results());
    talk.controls("call_control_transfer", r#"{"to":"Sales"}"#);
    talk.silence(200);
    assert_eq!((talk.ended(), talk.core.goes_to()), (None, None), "it is still speaking");
    assert_eq!(talk.spoken(), ["I am putting you through."]);
    talk.silence(4_000);
    assert_eq!((talk.ended(), talk.core.goes_to()), (Some("another agent goes on"), Some("sales")));
}

#[test]
fn keys_are_heard_at_the_other_side() {
    let mut talk = Talk::new();
    talk.says("Press one and hash.");
    talk.controls("call_control_send_dtmf", r#"{"digits":"twelve"}"#);
    assert!(talk.results()[0].starts_with("Not done"), "{:?}", talk.results());
    assert!(!talk.player.mouth().has_more());
    talk.controls("call_control_send_dtmf", r#"{"digits":"1#"}"#);
    assert!(talk.player.mouth().has_more(), "the tones are played");
    talk.writes("Done.");
    talk.silence(3_000);
    assert_eq!(talk.spoken(), ["Done."], "tones are no words");
    assert_eq!(talk.entries().last(), Some(&agent("Done.")));
}
