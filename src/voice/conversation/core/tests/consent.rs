//! What cannot be undone is done after a yes to that very question, and never otherwise.

use super::*;

const QUESTION: &str = "Cancel the meeting with Ana?";

/// A call that asks, at the moment when its question has been read.
fn asking() -> Talk {
    let mut talk = reading();
    talk.silence(2_500);
    talk
}

/// The same while it is being read.
fn reading() -> Talk {
    let mut talk = Talk::new();
    talk.says("Cancel my meeting with Ana.");
    talk.wants("", &["cancel"]);
    talk.asks("cancel", QUESTION);
    talk.silence(200);
    assert_eq!(talk.spoken(), [QUESTION], "it is read word for word");
    talk
}

#[test]
fn a_yes_to_the_question_lets_it_be_done() {
    let mut talk = asking();
    assert_eq!(talk.decided(), Vec::<bool>::new());
    talk.says("Yes, please.");
    assert_eq!(talk.decided(), [true]);
    assert_eq!(talk.asked().len(), 1, "a yes is no question to the model");
    talk.came("cancel", "Cancelled.");
    assert!(talk.results()[0].starts_with("Cancelled."), "{:?}", talk.results());
    talk.writes("It is cancelled.");
    talk.silence(2_000);
    assert_eq!(talk.entries().last(), Some(&agent("It is cancelled.")));
}

#[test]
fn a_no_and_other_talk_refuse() {
    for said in ["No.", "No, the second one.", "What time is it?", "Make it Ben's instead.", "Not now, please."] {
        let mut talk = asking();
        talk.says(said);
        assert_eq!(talk.decided(), [false], "{said}");
        assert_eq!(talk.asked().len(), 2, "the model goes on: {said}");
        assert!(talk.results()[0].contains("not done"), "{:?}", talk.results());
    }
}

#[test]
fn what_is_neither_yes_nor_no_is_asked_again_whole_and_once() {
    let again = format!("Please say yes or no. {QUESTION}");
    for unclear in ["Okay?", "Right.", "is that right", "Yes, but only the second one.", "yes for Ben", "Pardon?"] {
        for (second, approved) in [("Yes.", true), ("No.", false), ("hm okay", false), ("is that right", false)] {
            let mut talk = asking();
            talk.says(unclear);
            assert_eq!(talk.decided(), Vec::<bool>::new(), "{unclear}");
            talk.silence(5_000);
            assert_eq!(talk.spoken(), [QUESTION, &*again], "{unclear}");
            talk.says(second);
            assert_eq!(talk.decided(), [approved], "{unclear}, then {second}");
            if !approved {
                assert!(
                    talk.results()[0].contains(unclear) && talk.results()[0].contains(second),
                    "{:?}",
                    talk.results()
                );
            }
        }
    }
}

#[test]
fn silence_after_an_unclear_answer_refuses() {
    let mut talk = asking();
    talk.says("Okay.");
    talk.silence(30_000);
    assert_eq!(talk.decided(), [false]);
}

#[test]
fn a_yes_counts_in_the_language_of_the_agent() {
    for (language, yes, unclear) in
        [("de-DE", "Ja, bitte.", "Bitte?"), ("fr", "Oui.", "C'est ça ?"), ("it", "Sì.", "Prego?")]
    {
        let mut talk = Talk::with(Voice { language: Some(language.into()), ..Voice::default() });
        talk.silence(6_000);
        talk.outputs.clear();
        talk.says("Cancel my meeting.");
        talk.wants("", &["cancel"]);
        talk.asks("cancel", QUESTION);
        talk.silence(3_000);
        talk.says(unclear);
        assert_eq!(talk.decided(), Vec::<bool>::new(), "{unclear}");
        talk.silence(6_000);
        talk.says(yes);
        assert_eq!(talk.decided(), [true], "{yes}");
    }
}

#[test]
fn a_question_is_read_as_people_say_it_and_shown_as_it_was_written() {
    let written = "Cancel \"Review\" on Thu 2026-12-03T08:00+01:00 [id abc1]?";
    let mut talk = Talk::new();
    talk.says("Cancel my review.");
    talk.wants("", &["cancel"]);
    talk.asks("cancel", written);
    talk.silence(200);
    assert_eq!(talk.spoken(), ["Cancel \"Review\" on Thursday the third of December at eight in the morning?"]);
    let shown = talk.last(|output| match output {
        Output::Tell(Tell::Own(own)) => own["question"].as_str().map(str::to_owned),
        _ => None,
    });
    assert_eq!(shown.as_deref(), Some(written));
}

/// Listens to the end of what is being said.
fn hear_out(talk: &mut Talk) {
    talk.silence(1_000);
    while talk.player.mouth().has_more() {
        talk.silence(1_000);
    }
}

#[test]
fn a_yes_to_a_question_that_was_not_read_out_whole_is_given_where_it_can_be_read() {
    let long = format!("Send the mail to {}?", "ana@northwind.example, ".repeat(200));
    let ask = || {
        let mut talk = Talk::new();
        talk.says("Send it.");
        talk.wants("", &["cancel"]);
        talk.asks("cancel", &long);
        hear_out(&mut talk);
        assert!(talk.spoken()[0].ends_with("Please read it on the page and answer there."), "{:?}", talk.spoken());
        talk
    };
    let mut talk = ask();
    talk.says("Yes.");
    assert_eq!(talk.decided(), Vec::<bool>::new(), "nobody has heard all of it");
    hear_out(&mut talk);
    talk.types("yes");
    assert_eq!(talk.decided(), [true], "who types has it before them");
    let mut talk = ask();
    let data = json!({ "call": talk.call_of("cancel"), "approve": true });
    talk.tell(press(data));
    assert_eq!(talk.decided(), [true]);
}

#[test]
fn other_talk_is_answered() {
    let mut talk = asking();
    talk.says("What time is it?");
    assert_eq!(talk.prompt().entries.last(), Some(&caller("What time is it?")));
    talk.writes("It is nine.");
    talk.silence(2_000);
    assert_eq!(talk.entries().last(), Some(&agent("It is nine.")));
}

#[test]
fn silence_refuses() {
    let mut talk = asking();
    talk.silence(16_000);
    assert_eq!(talk.decided(), Vec::<bool>::new());
    talk.silence(5_000);
    assert_eq!(talk.decided(), [false]);
}

#[test]
fn a_yes_before_the_end_of_the_question_is_none() {
    let mut talk = reading();
    talk.voice(200);
    talk.understood(Understood::Partial("yes yes go ahead with it".into()));
    talk.voice(400);
    talk.silence(100);
    talk.understood(Understood::Final("Yes yes go ahead, do it.".into()));
    talk.silence(300);
    assert_eq!(talk.decided(), Vec::<bool>::new());
    talk.silence(3_000);
    assert_eq!(talk.spoken(), [QUESTION, QUESTION], "it is read again");
    talk.says("Yes.");
    assert_eq!(talk.decided(), [true]);
}

#[test]
fn a_no_in_the_middle_of_the_question_refuses() {
    let mut talk = reading();
    talk.voice(200);
    talk.understood(Understood::Partial("no wait".into()));
    talk.voice(200);
    talk.silence(100);
    talk.understood(Understood::Final("No, wait.".into()));
    talk.silence(300);
    assert_eq!(talk.decided(), [false]);
    talk.silence(200);
    assert_eq!(talk.asked().len(), 2, "and the agent goes on");
}

#[test]
fn each_call_has_a_question_of_its_own() {
    let mut talk = Talk::new();
    talk.says("Cancel both.");
    talk.written(Written::Call { id: "1".into(), tool: "cancel".into(), arguments: r#"{"id":1}"#.into() });
    talk.written(Written::Call { id: "2".into(), tool: "cancel".into(), arguments: r#"{"id":2}"#.into() });
    talk.written(Written::Done);
    let calls = talk.called();
    for (number, (_, call)) in (1..).zip(&calls) {
        talk.tell(Input::Came { call: call.clone(), what: Came::Asks(format!("Cancel number {number}?")) });
    }
    talk.silence(3_000);
    assert_eq!(talk.spoken(), ["Cancel number one?"], "one at a time");
    talk.says("Yes.");
    talk.silence(3_000);
    assert_eq!(talk.spoken(), ["Cancel number one?", "Cancel number two?"]);
    assert_eq!(talk.decided(), [true], "the first yes does not count for the second");
    talk.says("No.");
    assert_eq!(talk.decided(), [true, false]);
}

#[test]
fn a_call_that_asks_again_needs_another_yes() {
    let mut talk = asking();
    talk.says("Yes.");
    talk.asks("cancel", "Cancel the meeting with Ana, now with five guests?");
    talk.silence(4_000);
    assert_eq!(talk.spoken().len(), 2);
    assert_eq!(talk.decided(), [true]);
    talk.says("No.");
    assert_eq!(talk.decided(), [true, false]);
}

/// A button on the page is pressed.
fn press(data: serde_json::Value) -> Input {
    Input::Said(Said::Message { id: "7".into(), topic: "approval".into(), data })
}

#[test]
fn a_button_answers_too() {
    for approve in [true, false] {
        let mut talk = reading();
        let data = json!({ "call": talk.call_of("cancel"), "approve": approve });
        talk.tell(press(json!({ "call": "another", "approve": true })));
        assert_eq!(talk.decided(), Vec::<bool>::new());
        talk.tell(press(data));
        assert_eq!(talk.decided(), [approve]);
        assert!(!talk.player.mouth().has_more(), "the rest need not be heard");
    }
}

#[test]
fn a_typed_yes_counts_because_the_question_is_on_the_page() {
    let mut talk = reading();
    talk.types("yes");
    assert_eq!(talk.decided(), [true]);
}

#[test]
fn a_question_that_cannot_be_read_out_waits_for_who_reads_it() {
    let mut talk = unread();
    talk.types("yes");
    assert_eq!(talk.decided(), [true], "it stands on the page");
    let mut talk = unread();
    let call = talk.call_of("cancel");
    talk.tell(press(json!({ "call": call, "approve": true })));
    assert_eq!(talk.decided(), [true], "with its buttons");
    let mut talk = unread();
    talk.says("Yes.");
    assert_eq!(talk.decided(), Vec::<bool>::new(), "nobody heard it, so a spoken yes is none");
    let mut talk = unread();
    talk.silence(19_500);
    assert_eq!(talk.decided(), Vec::<bool>::new());
    talk.silence(1_000);
    assert_eq!(talk.decided(), [false], "nobody read it");
}

/// A question whose voice fails.
fn unread() -> Talk {
    let mut talk = Talk::new();
    talk.says("Cancel my meeting.");
    talk.wants("", &["cancel"]);
    talk.has_voice = false;
    talk.asks("cancel", QUESTION);
    talk.silence(100);
    let piece = talk.last(|output| if let Output::Speak { piece, .. } = output { Some(*piece) } else { None }).unwrap();
    let refuses = Trouble::Refuses { service: "voice", reason: "402".into() };
    talk.tell(Input::Spoken { piece, what: Spoken::Failed(refuses) });
    talk.silence(100);
    talk
}

#[test]
fn a_yes_without_a_question_is_just_talk() {
    let mut talk = Talk::new();
    talk.says("Yes.");
    assert_eq!(talk.decided(), Vec::<bool>::new());
    assert_eq!(talk.prompt().entries.last(), Some(&caller("Yes.")));
}

#[test]
fn a_prepared_answer_never_takes_the_place_of_a_yes() {
    let mut talk = asking();
    talk.voice(300);
    talk.silence(100);
    talk.understood(Understood::Final("Yes.".into()));
    assert_eq!((talk.asked().len(), talk.decided().len()), (1, 0), "the turn is not over yet");
    talk.voice(300);
    talk.silence(100);
    talk.understood(Understood::Final("But not this one.".into()));
    talk.silence(300);
    assert_eq!(talk.decided(), [false], "what was said as a whole counts");
}
