//! When people are busy and free.

use serde_json::json;
use switchboard::tool::Kind;

use super::{open, with_scopes};
use crate::desk::with;

fn tuesday() -> serde_json::Value {
    json!({ "start": "2026-11-24T09:00", "end": "2026-11-24T18:00" })
}

#[tokio::test]
async fn busy_and_free_time_fill_the_window() {
    let desk = open().await;
    let answer = desk.ok("check_availability", tuesday()).await;
    assert_eq!(
        answer.text,
        "Busy:\n\
         - Tue 2026-11-24T09:15+01:00 – 09:30\n\
         - Tue 2026-11-24T11:00+01:00 – 11:30\n\
         - Tue 2026-11-24T15:00+01:00 – 16:00\n\
         - Tue 2026-11-24T16:30+01:00 – 17:30\n\
         Free:\n\
         - Tue 2026-11-24T09:00+01:00 – 09:15\n\
         - Tue 2026-11-24T09:30+01:00 – 11:00\n\
         - Tue 2026-11-24T11:30+01:00 – 15:00\n\
         - Tue 2026-11-24T16:00+01:00 – 16:30\n\
         - Tue 2026-11-24T17:30+01:00 – 18:00\n\
         Times in Europe/Berlin."
    );
}

#[tokio::test]
async fn free_time_is_as_long_as_wished_and_within_working_hours() {
    let desk = open().await;
    let wish = json!({ "start": "2026-11-27T16:00", "end": "2026-11-30T10:00", "duration_minutes": 45,
        "working_hours_start": "09:00", "working_hours_end": "17:00" });
    let answer = desk.ok("check_availability", wish).await;
    let free = answer.data["free"].as_array().unwrap();
    assert_eq!(free.len(), 1, "{}", answer.text);
    assert_eq!(free[0]["start"], "Fri 2026-11-27T16:00+01:00");
}

#[tokio::test]
async fn what_has_gone_by_is_not_offered() {
    let mut desk = open().await;
    desk.wait(27).await;
    let answer = desk.ok("check_availability", tuesday()).await;
    assert_eq!(answer.data["free"][0]["start"], "Tue 2026-11-24T11:30+01:00", "{}", answer.text);
    desk.wait(240).await;
    let answer = desk.ok("check_availability", tuesday()).await;
    assert!(answer.text.contains("Free: none\nAll of the window is in the past."), "{}", answer.text);
}

#[tokio::test]
async fn colleagues_busy_time_counts_too() {
    let desk = open().await;
    let both = json!({ "calendars": ["primary", "priya.nair@northwind.example", "primary"] });
    let answer = desk.ok("check_availability", with(&tuesday(), both)).await;
    assert_eq!(answer.data["busy"][0]["end"], "Tue 2026-11-24T11:30+01:00", "{}", answer.text);
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_is_never_free() {
    let desk = open().await;
    let some = json!({ "calendars": ["primary", "stranger@elsewhere.example"] });
    let answer = desk.ok("check_availability", with(&tuesday(), some)).await;
    assert!(answer.text.starts_with("Unknown: stranger@elsewhere.example cannot be read"), "{}", answer.text);
    assert!(answer.text.contains("Free for primary:"), "{}", answer.text);
    let none = json!({ "calendars": ["stranger@elsewhere.example"] });
    let error = desk.refused("check_availability", with(&tuesday(), none)).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("stranger@elsewhere.example cannot be read"), "{error}");
}

#[tokio::test]
async fn another_zone_is_another_day() {
    let desk = open().await;
    let tokyo = json!({ "start": "2026-11-24", "end": "2026-11-24", "time_zone": "Asia/Tokyo" });
    desk.ok("check_availability", tokyo).await;
    let asked = desk.last("freebusy.query").body.unwrap();
    assert_eq!(
        (&asked["timeMin"], &asked["timeMax"]),
        (&json!("2026-11-23T15:00:00Z"), &json!("2026-11-24T15:00:00Z"))
    );
    assert_eq!(desk.count("events.list"), 0, "a zone that is given is not looked up");
}

#[tokio::test]
async fn the_zone_is_looked_up_once_under_the_smallest_scope() {
    let desk = with_scopes(&["calendar.events.freebusy"]).await;
    desk.ok("check_availability", tuesday()).await;
    desk.ok("check_availability", tuesday()).await;
    assert_eq!((desk.count("events.list"), desk.count("freebusy.query")), (1, 2));
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let desk = with_scopes(&["calendar.events"]).await;
    let error = desk.refused("check_availability", tuesday()).await;
    assert_eq!(error.kind(), Kind::MissingScope);
    assert!(error.scopes().iter().any(|scope| scope.ends_with("/calendar.events.freebusy")), "{:?}", error.scopes());
}

#[tokio::test]
async fn windows_that_make_no_sense_are_refused_before_google_is_asked() {
    let desk = open().await;
    let error = desk.refused("check_availability", with(&tuesday(), json!({ "end": "2026-11-24T08:00" }))).await;
    assert_eq!(error.kind(), Kind::Arguments);
    assert!(error.to_string().contains("`end` (Tue 2026-11-24T08:00+01:00) is not after `start`"), "{error}");
    let error = desk.refused("check_availability", with(&tuesday(), json!({ "end": "2027-03-01" }))).await;
    assert!(error.to_string().contains("longer than 60 days"), "{error}");
    let error = desk.refused("check_availability", with(&tuesday(), json!({ "start": "tomorrow" }))).await;
    assert!(error.to_string().contains("`start`: `tomorrow` is no time"), "{error}");
    let error = desk.refused("check_availability", with(&tuesday(), json!({ "time_zone": "Europe/Berlni" }))).await;
    assert!(error.to_string().contains("did you mean `Europe/Berlin`?"), "{error}");
    let error = desk.refused("check_availability", with(&tuesday(), json!({ "duration": 30 }))).await;
    assert!(error.to_string().contains("did you mean `duration_minutes`?"), "{error}");
    assert_eq!(desk.count("freebusy.query"), 0);
}

#[tokio::test]
async fn an_end_in_the_gap_of_a_clock_change_is_told() {
    let desk = open().await;
    let night = json!({ "start": "2027-03-28T01:00", "end": "2027-03-28T02:30" });
    let answer = desk.ok("check_availability", night).await;
    assert!(answer.text.contains("2027-03-28T02:30:00 does not exist in Europe/Berlin"), "{}", answer.text);
    let free = &answer.data["free"][0];
    assert_eq!(
        (&free["start"], &free["end"]),
        (&json!("Sun 2027-03-28T01:00+01:00"), &json!("Sun 2027-03-28T03:30+02:00"))
    );
}
