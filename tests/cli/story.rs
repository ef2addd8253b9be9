//! The first minutes of a newcomer, and what stays of them.

use serde_json::{Value, json};

use crate::{
    call,
    client::Client,
    hour, is_busy, meeting, run,
    support::{Home, Server},
    try_call,
};

#[test]
fn a_newcomer_books_a_meeting_and_puts_everything_back() {
    let home = Home::new();
    let seeded = run(&home, &["call", "google_calendar_list_meetings"]).good();
    assert!(seeded.contains("Daily stand-up"), "{seeded}");
    assert!(!is_busy(&call(&home, "check_availability", &hour(0))));
    let start = format!("start={}", hour(0)["start"].as_str().unwrap());
    let guests = r#"attendees=["priya.nair@northwind.example"]"#;
    let book =
        ["call", "google_calendar_schedule_meeting", "title=Launch party", &start, "duration_minutes=60", guests];
    // What others wrote was read, and Priya was not written to before: so a person decides.
    let asked = run(&home, &book).bad();
    let id = asked.split("approvals approve ").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    assert!(asked.contains("Invite priya.nair@northwind.example"), "{asked}");
    run(&home, &["approvals", "approve", id]).good();
    assert!(run(&home, &book).good().contains("Launch party"));

    let window = json!({"start": hour(0)["start"], "end": hour(0)["end"]});
    let listed = || run(&home, &["call", "google_calendar_list_meetings", "--args", &window.to_string()]).good();
    assert!(listed().contains("Launch party"), "{}", listed());
    let diff = run(&home, &["sandbox", "diff"]).good();
    assert!(diff.contains("Launch party"), "{diff}");
    run(&home, &["sandbox", "reset"]).good();
    assert!(run(&home, &["sandbox", "diff"]).good().contains("Nothing has changed"));
    assert!(!listed().contains("Launch party"), "{}", listed());
}

#[test]
fn what_one_process_books_is_busy_for_all_others() {
    let home = Home::new();
    call(&home, "schedule_meeting", &meeting("By a command", 0));
    assert!(is_busy(&call(&home, "check_availability", &hour(0))), "in the next command");

    let mut stdio = Client::start(&home);
    assert!(is_busy(&stdio.call("check_availability", hour(0)).good()), "in stdio, which opened the store afterwards");
    call(&home, "schedule_meeting", &meeting("Through the owner", 1));
    assert!(is_busy(&stdio.call("check_availability", hour(1)).good()), "in stdio, which owns the store");
    stdio.call("schedule_meeting", meeting("By stdio", 2)).good();
    assert!(is_busy(&call(&home, "check_availability", &hour(2))), "in a command while stdio owns the store");
    stdio.leave();

    let server = home.serve();
    for number in 0..3 {
        assert!(is_busy(&call(&home, "check_availability", &hour(number))), "hour {number}, through serve");
    }
    call(&home, "schedule_meeting", &meeting("Through serve", 3));
    let mut visitor = Client::start(&home);
    assert!(is_busy(&visitor.call("check_availability", hour(3)).good()), "in stdio through serve");
    visitor.leave();
    Server::end(server);
    assert!(is_busy(&call(&home, "check_availability", &hour(3))), "after serve");
}

#[test]
fn a_meeting_is_cancelled_only_after_a_persons_yes_and_a_yes_counts_once() {
    let home = Home::new();
    let first = book(&home, "First", 0);
    let id = approval_asked_for(&home, &first);
    let waiting = run(&home, &["approvals"]).good();
    assert!(waiting.contains(&id) && waiting.contains("First"), "{waiting}");
    assert!(is_busy(&call(&home, "check_availability", &hour(0))), "nothing is done before the yes");

    assert!(run(&home, &["approvals", "approve", &id]).good().starts_with("Approved: "));
    call(&home, "cancel_meeting", &json!({"event_id": first}));
    assert!(!is_busy(&call(&home, "check_availability", &hour(0))));
    let again = run(&home, &["approvals", "approve", &id]).bad();
    assert!(again.contains("question"), "{again}");

    let second = book(&home, "Second", 1);
    let other = approval_asked_for(&home, &second);
    assert_ne!(other, id);
    assert!(run(&home, &["approvals", "refuse", &other]).good().starts_with("Refused: "));
    assert!(run(&home, &["approvals"]).good().contains("Nothing waits"));
    approval_asked_for(&home, &second);
    assert!(is_busy(&call(&home, "check_availability", &hour(1))), "a no is no yes");
}

#[test]
fn a_yes_is_used_up_by_its_call() {
    let home = Home::new();
    let event = book(&home, "Twin", 0);
    let id = approval_asked_for(&home, &event);
    run(&home, &["approvals", "approve", &id]).good();
    call(&home, "cancel_meeting", &json!({"event_id": event}));
    // In a new world the same meeting gets the same id, so that the second call is the first one word for word.
    run(&home, &["sandbox", "reset"]).good();
    assert_eq!(book(&home, "Twin", 0), event);
    assert_ne!(approval_asked_for(&home, &event), id);
}

#[test]
fn a_fault_outlives_the_command_that_ordered_it() {
    let home = Home::new();
    run(&home, &["sandbox", "fault", "google-calendar", "401:20"]).good();
    assert!(run(&home, &["sandbox", "status"]).good().contains("broken on purpose: 401:20"));
    try_call(&home, "list_calendars", &json!({})).bad();
    let left = run(&home, &["sandbox", "status"]).good();
    assert!(left.contains("401:1") && !left.contains("401:20"), "what has struck is counted: {left}");
    run(&home, &["sandbox", "reset"]).good();
    assert!(run(&home, &["sandbox", "status"]).good().contains("works"));
}

#[test]
fn expired_tokens_are_renewed_and_nobody_notices() {
    let home = Home::new();
    run(&home, &["sandbox", "expire", "google-calendar"]).good();
    assert!(call(&home, "list_calendars", &json!({}))["calendars"].is_array());
}

fn book(home: &Home, title: &str, number: i64) -> Value {
    let booked = call(home, "schedule_meeting", &meeting(title, number));
    assert!(booked["meeting"]["id"].is_string(), "the meeting has no id: {booked}");
    booked["meeting"]["id"].clone()
}

/// Tries to cancel, and returns the id of the approval that is needed first.
#[track_caller]
fn approval_asked_for(home: &Home, event: &Value) -> String {
    let refused = try_call(home, "cancel_meeting", &json!({"event_id": event})).bad();
    assert!(refused.contains("A person has to say yes first"), "{refused}");
    let (_, rest) = refused.split_once("switchboard approvals approve ").unwrap_or_else(|| panic!("{refused}"));
    rest.split(['`', ' ']).next().unwrap().to_owned()
}
