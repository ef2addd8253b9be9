//! When Google fails: what is repeated, what is not, and what the caller is told.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{id_of, open};
use crate::desk::Desk;

const READS: [&str; 4] = ["check_availability", "list_meetings", "get_meeting", "list_calendars"];
const WRITES: [&str; 6] = [
    "schedule_meeting",
    "reschedule_meeting",
    "update_meeting",
    "respond_to_invitation",
    "cancel_meeting",
    "quick_add",
];

/// Begins anew and makes everything ready for a call of `tool`: the zone is remembered and the yes is there. Returns
/// the arguments.
pub async fn ready(desk: &mut Desk, tool: &str) -> Value {
    desk.reset().await;
    let id = id_of(desk, "Design review: gripper control panel").await;
    let invitation = id_of(desk, "Budget planning").await;
    let arguments = match tool {
        "check_availability" => json!({ "start": "2026-11-24", "end": "2026-11-24" }),
        "list_meetings" | "list_calendars" => json!({}),
        "schedule_meeting" => json!({ "title": "A", "start": "2026-11-24T20:00", "duration_minutes": 5 }),
        "reschedule_meeting" => json!({ "event_id": id, "start": "2026-11-24T20:00" }),
        "update_meeting" => json!({ "event_id": id, "title": "B" }),
        "respond_to_invitation" => json!({ "event_id": invitation, "response": "accepted" }),
        "quick_add" => json!({ "text": "Lunch tomorrow at noon" }),
        _ => json!({ "event_id": id }),
    };
    if tool == "cancel_meeting" {
        let asked = desk.refused(tool, arguments.clone()).await;
        desk.say_yes(asked.what());
    }
    arguments
}

#[tokio::test]
async fn every_tool_works_before_anything_fails() {
    let mut desk = open().await;
    for tool in READS.iter().chain(&WRITES) {
        let arguments = ready(&mut desk, tool).await;
        desk.ok(tool, arguments).await;
        assert_eq!(desk.changes(), usize::from(WRITES.contains(tool)), "{tool}");
    }
}

#[tokio::test]
async fn a_limit_is_waited_out() {
    let mut desk = open().await;
    let arguments = ready(&mut desk, "schedule_meeting").await;
    desk.fault("429:1");
    desk.ok("schedule_meeting", arguments).await;
    assert_eq!((desk.count("events.insert"), desk.changes()), (2, 1));
    desk.fault("429:1");
    desk.ok("quick_add", json!({ "text": "Lunch tomorrow at noon" })).await;
    assert_eq!((desk.count("events.quickAdd"), desk.changes()), (2, 2), "what was refused was not done");
}

#[tokio::test]
async fn a_limit_that_stays_is_passed_on_with_its_pause() {
    let mut desk = open().await;
    let arguments = ready(&mut desk, "list_calendars").await;
    desk.fault("429");
    let error = desk.refused("list_calendars", arguments).await;
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.to_string().ends_with("Try again in 1 s."), "{error}");
}

#[tokio::test]
async fn googles_other_way_of_saying_slow_down_is_understood() {
    let mut desk = open().await;
    for tool in READS.iter().chain(&WRITES) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("quota:1");
        desk.ok(tool, arguments.clone()).await;
        ready(&mut desk, tool).await;
        desk.fault("quota");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Busy, "{tool}: {error}");
        assert!(error.retry_after().is_some(), "{tool}: {error}");
    }
}

#[tokio::test]
async fn one_failure_is_not_noticed_where_a_repeat_is_safe() {
    let mut desk = open().await;
    for tool in READS.iter().chain(&WRITES) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500:1");
        let outcome = desk.call(tool, arguments).await;
        if *tool == "quick_add" {
            assert_eq!(desk.count("events.quickAdd"), 1);
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), Kind::Vendor, "{error}");
        } else {
            assert!(outcome.is_ok(), "{tool}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_vendor_that_stays_down_is_told_from_a_wrong_call() {
    let mut desk = open().await;
    for tool in READS.iter().chain(&WRITES) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Vendor, "{tool}: {error}");
        assert!(error.to_string().contains("Google Calendar failed."), "{tool}: {error}");
        assert_eq!(desk.changes(), 0, "{tool}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_never_does_the_work_twice() {
    let mut desk = open().await;
    for fault in ["reset", "malformed"] {
        for tool in WRITES {
            let arguments = ready(&mut desk, tool).await;
            lose_the_answer_to_the_write(&desk, tool, fault);
            let outcome = desk.call(tool, arguments).await;
            assert_eq!(desk.changes(), 1, "{tool} {fault}: {outcome:?}");
            if tool == "quick_add" {
                assert_eq!(desk.count("events.quickAdd"), 1, "{fault}");
                let error = outcome.unwrap_err();
                assert!(error.to_string().contains("look before you repeat it"), "{fault}: {error}");
            } else {
                assert!(outcome.is_ok(), "{tool} {fault}: {outcome:?}");
            }
        }
    }
}

/// The first request of most writes reads; losing that answer as well does not matter.
fn lose_the_answer_to_the_write(desk: &Desk, tool: &str, fault: &str) {
    let requests = match tool {
        "schedule_meeting" | "quick_add" => 1,
        // A read that is repeated once, and then the write.
        _ => 3,
    };
    desk.fault(&format!("{fault}:{requests}"));
}

#[tokio::test]
async fn a_lost_answer_is_answered_by_what_stands_in_the_calendar() {
    let mut desk = open().await;
    let arguments = ready(&mut desk, "schedule_meeting").await;
    desk.fault("reset:1");
    let answer = desk.ok("schedule_meeting", arguments).await;
    assert!(answer.text.starts_with("Already booked, no second one was made: Tue 2026-11-24T20:00"), "{}", answer.text);
}

#[tokio::test]
async fn answers_to_questions_survive_a_torn_line() {
    let mut desk = open().await;
    for fault in ["reset", "malformed"] {
        for tool in READS {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(&format!("{fault}:1"));
            desk.ok(tool, arguments.clone()).await;
            desk.fault(fault);
            let error = desk.refused(tool, arguments).await;
            assert_eq!(error.kind(), Kind::Vendor, "{tool} {fault}: {error}");
        }
    }
}

#[tokio::test]
async fn a_refused_sign_in_asks_for_a_new_one() {
    let mut desk = open().await;
    for tool in READS.iter().chain(&WRITES) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("401");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Expired, "{tool}: {error}");
        assert_eq!(desk.changes(), 0, "{tool}");
    }
}
