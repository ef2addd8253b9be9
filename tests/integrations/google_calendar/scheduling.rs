//! Booking, moving, changing and cancelling.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{id_of, open, patch};
use crate::desk::with;

fn review() -> Value {
    json!({ "title": "Tool review", "start": "2026-11-24T10:00", "duration_minutes": 60,
        "attendees": ["ana.ruiz@northwind.example", "Ben@Contoso.example"] })
}

#[tokio::test]
async fn a_meeting_is_booked_and_its_guests_are_told() {
    let desk = open().await;
    let answer = desk.ok("schedule_meeting", with(&review(), json!({ "location": "Room Ada" }))).await;
    let id = answer.data["meeting"]["id"].as_str().unwrap();
    let expected = format!(
        "Booked: Tue 2026-11-24T10:00+01:00 – 11:00  Tool review  at Room Ada  \
         (ana.ruiz@northwind.example, ben@contoso.example) [id {id}]"
    );
    assert_eq!(answer.text, expected);
    assert_eq!(desk.sent("events.insert", "sendUpdates").as_deref(), Some("all"));
    assert_eq!(desk.mails().len(), 2, "{:?}", desk.mails());
    let start = desk.last("events.insert").body.unwrap()["start"].clone();
    assert_eq!(start, json!({ "dateTime": "2026-11-24T09:00:00Z", "timeZone": "Europe/Berlin" }));
}

#[tokio::test]
async fn asking_twice_books_once() {
    let desk = open().await;
    let first = desk.ok("schedule_meeting", review()).await;
    let same = json!({ "end": "2026-11-24T10:00Z", "start": "2026-11-24T09:00Z", "duration_minutes": null });
    let again = desk.ok("schedule_meeting", with(&review(), same)).await;
    assert_eq!(again.data["done"], "already_booked");
    assert_eq!(first.data["meeting"]["id"], again.data["meeting"]["id"]);
    assert_eq!(desk.mails().len(), 2, "{:?}", desk.mails());
}

#[tokio::test]
async fn what_was_cancelled_or_moved_can_be_booked_again() {
    let mut desk = open().await;
    let first = desk.ok("schedule_meeting", review()).await;
    let id = first.data["meeting"]["id"].clone();
    desk.ok("reschedule_meeting", json!({ "event_id": id, "start": "2026-11-25T10:00" })).await;
    let second = desk.ok("schedule_meeting", review()).await;
    assert_eq!(second.data["done"], "booked");
    let id = second.data["meeting"]["id"].clone();
    let question = desk.refused("cancel_meeting", json!({ "event_id": id })).await;
    desk.say_yes(question.what());
    desk.ok("cancel_meeting", json!({ "event_id": id })).await;
    let third = desk.ok("schedule_meeting", review()).await;
    assert_eq!(third.data["done"], "booked");
    assert_ne!(third.data["meeting"]["id"], second.data["meeting"]["id"]);
}

#[tokio::test]
async fn a_request_id_never_books_twice() {
    let mut desk = open().await;
    let asked = with(&review(), json!({ "request_id": "r-1" }));
    let first = desk.ok("schedule_meeting", asked.clone()).await;
    let again = desk.ok("schedule_meeting", with(&asked, json!({ "title": "Other words" }))).await;
    assert_eq!(again.data["done"], "already_booked");
    assert!(again.text.contains("Tool review"), "the answer shows what is booked: {}", again.text);
    let id = first.data["meeting"]["id"].clone();
    let question = desk.refused("cancel_meeting", json!({ "event_id": id })).await;
    desk.say_yes(question.what());
    desk.ok("cancel_meeting", json!({ "event_id": id })).await;
    let error = desk.refused("schedule_meeting", asked).await;
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.to_string().contains("Give another `request_id`"), "{error}");
}

#[tokio::test]
async fn whole_days_stay_whole_days() {
    let desk = open().await;
    // The clocks change within the three days.
    let fair = json!({ "title": "Fair", "start": "2027-03-27", "end": "2027-03-29" });
    let answer = desk.ok("schedule_meeting", fair).await;
    assert!(answer.text.contains("Sat 2027-03-27 – Mon 2027-03-29  Fair"), "{}", answer.text);
    let sent = desk.last("events.insert").body.unwrap();
    assert_eq!((&sent["start"], &sent["end"]), (&json!({ "date": "2027-03-27" }), &json!({ "date": "2027-03-30" })));
    let day = json!({ "title": "Day off", "start": "2026-12-04" });
    let answer = desk.ok("schedule_meeting", day).await;
    assert!(answer.text.contains("Booked: Fri 2026-12-04  Day off"), "{}", answer.text);
    assert!(answer.text.ends_with("It takes the whole day."), "{}", answer.text);
}

#[tokio::test]
async fn a_video_link_comes_with_the_booking() {
    let desk = open().await;
    let answer = desk.ok("schedule_meeting", with(&review(), json!({ "video_link": true }))).await;
    assert!(answer.text.contains("Video: https://meet.google.com/"), "{}", answer.text);
    assert_eq!(desk.sent("events.insert", "conferenceDataVersion").as_deref(), Some("1"));
}

#[tokio::test]
async fn who_is_told_is_the_callers_choice() {
    let desk = open().await;
    desk.ok("schedule_meeting", with(&review(), json!({ "notify": "externalOnly" }))).await;
    assert_eq!(desk.mails().len(), 1, "{:?}", desk.mails());
    desk.ok("schedule_meeting", with(&review(), json!({ "title": "Quiet", "notify": "none" }))).await;
    assert_eq!(desk.mails().len(), 1, "{:?}", desk.mails());
    desk.ok("schedule_meeting", with(&review(), json!({ "title": "Alone", "attendees": null }))).await;
    assert_eq!(desk.sent("events.insert", "sendUpdates").as_deref(), Some("none"));
}

#[tokio::test]
async fn a_booking_that_makes_no_sense_is_refused_before_google_is_asked() {
    let desk = open().await;
    let cases = [
        (
            json!({ "start": "2025-11-24T10:00" }),
            "`start` is in the past: Mon 2025-11-24T10:00+01:00; it is now Mon 2026",
        ),
        (json!({ "end": "2026-11-24T11:00" }), "`end` and `duration_minutes` are both given"),
        (json!({ "duration_minutes": null }), "`end` or `duration_minutes` is missing"),
        (json!({ "duration_minutes": null, "end": "2026-11-24T09:00" }), "is not after `start`"),
        (json!({ "duration_minutes": 0 }), "`duration_minutes` must be from 1"),
        (json!({ "duration_minutes": -30 }), "`duration_minutes` must be from 1"),
        (json!({ "attendees": ["Ana"] }), "`attendees[0]` is no e-mail address: `ana`"),
        (json!({ "title": " " }), "`title` must not be empty"),
        (json!({ "title": null }), "`title` is missing"),
        (json!({ "start": "2026-11-24" }), "does not go with a whole day"),
        (json!({ "time_zone": "Berlin" }), "did you mean `Europe/Berlin`?"),
        (json!({ "attendes": [] }), "did you mean `attendees`?"),
        (json!({ "notify": "some" }), "`notify` must be one of"),
    ];
    for (change, phrase) in cases {
        let error = desk.refused("schedule_meeting", with(&review(), change)).await;
        assert_eq!(error.kind(), Kind::Arguments, "{error}");
        assert!(error.to_string().contains(phrase), "{phrase}: {error}");
    }
    assert_eq!(desk.count("events.insert"), 0);
}

#[tokio::test]
async fn a_time_that_clocks_skip_or_repeat_is_told() {
    let desk = open().await;
    let gap = json!({ "title": "Night shift", "start": "2027-03-28T02:30", "duration_minutes": 60 });
    let answer = desk.ok("schedule_meeting", gap).await;
    assert!(answer.text.contains("Sun 2027-03-28T03:30+02:00 – 04:30"), "{}", answer.text);
    assert!(answer.text.contains("does not exist in Europe/Berlin"), "{}", answer.text);
    let fold = json!({ "title": "Night shift", "start": "2027-10-31T02:30", "duration_minutes": 60 });
    let answer = desk.ok("schedule_meeting", fold).await;
    let both = "Sun 2027-10-31T02:30+02:00 – Sun 2027-10-31T02:30+01:00";
    assert!(answer.text.contains(both), "{}", answer.text);
    assert!(answer.text.contains("happens twice"), "{}", answer.text);
}

#[tokio::test]
async fn a_calendar_that_is_not_there_or_not_ours_is_named() {
    let desk = open().await;
    let error = desk.refused("schedule_meeting", with(&review(), json!({ "calendar_id": "no@such.example" }))).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("no calendar `no@such.example`"), "{error}");
    let holidays = json!({ "calendar_id": "holidays@group.v.calendar.google.com" });
    let error = desk.refused("schedule_meeting", with(&review(), holidays)).await;
    assert_eq!(error.kind(), Kind::NotAllowed);
    assert!(error.to_string().contains("google_calendar_list_calendars"), "{error}");
}

#[tokio::test]
async fn a_moved_meeting_keeps_its_length() {
    let desk = open().await;
    let id = id_of(&desk, "Design review: gripper control panel").await;
    let answer = desk.ok("reschedule_meeting", json!({ "event_id": id, "start": "2026-11-26T16:00" })).await;
    assert!(answer.text.starts_with("Moved: Thu 2026-11-26T16:00+01:00 – 17:00  Design review"), "{}", answer.text);
    assert_eq!(desk.mails().len(), 2, "{:?}", desk.mails());
    let again = desk.ok("reschedule_meeting", json!({ "event_id": id, "start": "2026-11-26T16:00" })).await;
    assert_eq!(again.data["done"], "unchanged");
    assert_eq!(desk.count("events.patch"), 1);
}

#[tokio::test]
async fn a_meeting_can_become_a_whole_day_and_back() {
    let desk = open().await;
    let id = id_of(&desk, "Focus: quarterly support report").await;
    let answer = desk.ok("reschedule_meeting", json!({ "event_id": id, "start": "2026-11-26" })).await;
    assert!(answer.text.starts_with("Moved: Thu 2026-11-26  Focus"), "{}", answer.text);
    let error = desk.refused("reschedule_meeting", json!({ "event_id": id, "start": "2026-11-27T09:00" })).await;
    assert!(error.to_string().contains("`end` or `duration_minutes` is missing"), "{error}");
    let back = json!({ "event_id": id, "start": "2026-11-27T09:00", "duration_minutes": 30 });
    let answer = desk.ok("reschedule_meeting", back).await;
    assert!(answer.text.starts_with("Moved: Fri 2026-11-27T09:00+01:00 – 09:30  Focus"), "{}", answer.text);
}

#[tokio::test]
async fn several_days_stay_several_days() {
    let desk = open().await;
    let id = id_of(&desk, "Team offsite at the lake").await;
    let answer = desk.ok("reschedule_meeting", json!({ "event_id": id, "start": "2026-12-10" })).await;
    assert!(answer.text.starts_with("Moved: Thu 2026-12-10 – Fri 2026-12-11  Team offsite"), "{}", answer.text);
}

#[tokio::test]
async fn one_occurrence_moves_alone_and_the_answer_says_so() {
    let desk = open().await;
    let id = id_of(&desk, "Daily stand-up").await;
    let list =
        desk.ok("list_meetings", json!({ "start": "2026-11-25", "end": "2026-11-25", "query": "stand-up" })).await;
    let occurrence = list.data["meetings"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(occurrence, id);
    let answer = desk.ok("reschedule_meeting", json!({ "event_id": occurrence, "start": "2026-11-25T10:00" })).await;
    assert!(answer.text.contains("Only this occurrence is concerned"), "{}", answer.text);
    let series = answer.data["meeting"]["series"]["id"].clone();
    let answer = desk.ok("update_meeting", json!({ "event_id": series, "title": "Stand-up" })).await;
    assert!(answer.text.contains("This is the whole series"), "{}", answer.text);
}

#[tokio::test]
async fn a_meeting_cannot_move_into_the_past_or_end_before_it_begins() {
    let desk = open().await;
    let id = id_of(&desk, "Design review: gripper control panel").await;
    let error = desk.refused("reschedule_meeting", json!({ "event_id": id, "start": "2025-11-26T16:00" })).await;
    assert!(error.to_string().contains("`start` is in the past"), "{error}");
    let backwards = json!({ "event_id": id, "start": "2026-11-26T16:00", "end": "2026-11-26T15:00" });
    let error = desk.refused("reschedule_meeting", backwards).await;
    assert!(error.to_string().contains("is not after `start`"), "{error}");
    assert_eq!(desk.count("events.patch"), 0);
}

#[tokio::test]
async fn an_unknown_meeting_is_named() {
    let desk = open().await;
    let unknown = json!({ "event_id": "nosuchevent" });
    let start = json!({ "event_id": "nosuchevent", "start": "2026-11-26T16:00" });
    let title = json!({ "event_id": "nosuchevent", "title": "x" });
    let answer = json!({ "event_id": "nosuchevent", "response": "accepted" });
    let error = desk.refused("get_meeting", json!({ "event_id": " " })).await;
    assert!(error.to_string().contains("`event_id` must not be empty"), "{error}");
    let calls = [
        ("get_meeting", &unknown),
        ("cancel_meeting", &unknown),
        ("reschedule_meeting", &start),
        ("update_meeting", &title),
        ("respond_to_invitation", &answer),
    ];
    for (tool, arguments) in calls {
        let error = desk.refused(tool, arguments.clone()).await;
        assert_eq!(error.kind(), Kind::NotFound, "{tool}");
        assert!(error.to_string().contains("There is no event `nosuchevent` in the calendar `primary`"), "{error}");
        assert!(error.to_string().contains("google_calendar_list_meetings"), "{error}");
    }
}

#[tokio::test]
async fn guests_come_and_go_and_those_who_stay_keep_their_answers() {
    let desk = open().await;
    let id = id_of(&desk, "Design review: gripper control panel").await;
    let change = json!({ "event_id": id, "title": "Gripper review", "location": "",
        "add_attendees": ["samuel.okafor@northwind.example"],
        "remove_attendees": ["priya.nair@northwind.example", "nobody@northwind.example"] });
    let answer = desk.ok("update_meeting", change.clone()).await;
    assert!(
        answer.text.starts_with("Updated: Mon 2026-11-23T14:00+01:00 – 15:00  Gripper review  ("),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("nobody@northwind.example was not invited."), "{}", answer.text);
    let guests = answer.data["meeting"]["guests"].as_array().unwrap();
    let of = |email: &str| guests.iter().find(|guest| guest["email"] == email).map(|guest| guest["response"].clone());
    assert_eq!(of("mei.tanaka@northwind.example"), Some(json!("accepted")));
    assert_eq!(of("samuel.okafor@northwind.example"), Some(json!("needs_action")));
    assert_eq!(of("priya.nair@northwind.example"), None);
    let again = desk.ok("update_meeting", change).await;
    assert_eq!(again.data["done"], "unchanged");
    assert_eq!(desk.count("events.patch"), 1);
}

#[tokio::test]
async fn two_changes_at_once_are_both_kept() {
    let desk = open().await;
    let id = id_of(&desk, "Design review: gripper control panel").await;
    let guest = |email: &str| json!({ "event_id": id, "add_attendees": [email] });
    tokio::join!(
        desk.ok("update_meeting", guest("samuel.okafor@northwind.example")),
        desk.ok("update_meeting", guest("ana.ruiz@northwind.example")),
    );
    let answer = desk.ok("get_meeting", json!({ "event_id": id })).await;
    for email in ["samuel.okafor@northwind.example", "ana.ruiz@northwind.example", "mei.tanaka@northwind.example"] {
        assert!(answer.text.contains(email), "{email}: {}", answer.text);
    }
    let refused = desk.sandbox.exchanges("google-calendar").unwrap();
    let refused = refused.iter().filter(|exchange| exchange.status == 412).count();
    assert_eq!(desk.count("events.patch"), 2 + refused as u64, "only a change that came too late is sent again");
}

#[tokio::test]
async fn an_update_must_say_something() {
    let desk = open().await;
    let error = desk.refused("update_meeting", json!({ "event_id": "x" })).await;
    assert!(error.to_string().contains("nothing to change; give `title`"), "{error}");
    let both = ["ana.ruiz@northwind.example"];
    let error =
        desk.refused("update_meeting", json!({ "event_id": "x", "add_attendees": both, "remove_attendees": both }));
    let error = error.await;
    assert!(error.to_string().contains("is in `add_attendees` and in `remove_attendees`"), "{error}");
}

#[tokio::test]
async fn only_the_organizer_changes_a_meeting() {
    let desk = open().await;
    let id = id_of(&desk, "Budget planning").await;
    let error = desk.refused("reschedule_meeting", json!({ "event_id": id, "start": "2026-11-26T16:00" })).await;
    assert_eq!(error.kind(), Kind::NotAllowed);
    assert!(error.to_string().contains("organizer"), "{error}");
}

#[tokio::test]
async fn a_meeting_is_cancelled_only_after_a_yes_to_this_very_question() {
    let mut desk = open().await;
    let id = id_of(&desk, "Design review: gripper control panel").await;
    let asked = desk.refused("cancel_meeting", json!({ "event_id": id })).await;
    assert_eq!(asked.kind(), Kind::Ask);
    let question = "Cancel \"Design review: gripper control panel\" on Mon 2026-11-23T14:00+01:00 with \
        priya.nair@northwind.example, mei.tanaka@northwind.example (guests will be told)?";
    assert_eq!(asked.what(), question);
    desk.say_yes(question);
    patch(&desk, &id, json!({ "summary": "Something else" })).await;
    let asked_again = desk.refused("cancel_meeting", json!({ "event_id": id })).await;
    assert_eq!(asked_again.kind(), Kind::Ask, "another meeting is another question");
    assert_eq!(desk.count("events.delete"), 0);
    desk.say_yes(asked_again.what());
    let answer = desk.ok("cancel_meeting", json!({ "event_id": id })).await;
    assert!(answer.text.starts_with("Cancelled: Something else on Mon 2026-11-23T14:00+01:00"), "{}", answer.text);
    let gone = desk.refused("cancel_meeting", json!({ "event_id": id })).await;
    assert_eq!(gone.kind(), Kind::NotFound);
    assert!(gone.to_string().contains("has already been cancelled"), "{gone}");
    let gone = desk.refused("get_meeting", json!({ "event_id": id })).await;
    assert!(gone.to_string().contains("has already been cancelled"), "{gone}");
}

#[tokio::test]
async fn the_question_tells_a_series_from_an_occurrence_and_a_guest_from_the_organizer() {
    let desk = open().await;
    let id = id_of(&desk, "Daily stand-up").await;
    let asked = desk.refused("cancel_meeting", json!({ "event_id": id })).await;
    assert!(asked.what().starts_with("Cancel one occurrence of \"Daily stand-up\""), "{asked}");
    let (series, _) = id.rsplit_once('_').unwrap();
    let asked = desk.refused("cancel_meeting", json!({ "event_id": series })).await;
    assert!(asked.what().starts_with("Cancel all occurrences of \"Daily stand-up\""), "{asked}");
    let id = id_of(&desk, "Budget planning").await;
    let asked = desk.refused("cancel_meeting", json!({ "event_id": id })).await;
    assert!(asked.what().contains("from the calendar, organized by claire.dubois@northwind.example?"), "{asked}");
}

#[tokio::test]
async fn one_sentence_is_a_meeting() {
    let desk = open().await;
    let answer = desk.ok("quick_add", json!({ "text": "Lunch with Ana on 2026-11-26 at noon" })).await;
    assert!(answer.text.starts_with("Booked: Thu 2026-11-26T12:00+01:00 – 13:00  Lunch with Ana"), "{}", answer.text);
    assert!(answer.text.ends_with("check it."), "{}", answer.text);
    let error = desk.refused("quick_add", json!({ "text": " " })).await;
    assert!(error.to_string().contains("`text` must not be empty"), "{error}");
    let error = desk.refused("quick_add", json!({ "text": "Lunch", "calendar_id": "no@such.example" })).await;
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn who_has_read_others_asks_before_guests_are_told() {
    let mut desk = open().await;
    let id = desk.ok("schedule_meeting", review()).await.data["meeting"]["id"].clone();
    let alone = with(&review(), json!({ "title": "Alone", "attendees": null }));
    let alone = desk.ok("schedule_meeting", alone).await.data["meeting"]["id"].clone();
    let sentence = json!({ "text": "Lunch with Eve@Contoso.example on 2026-11-26 at 12:00" });
    desk.has_read_others(&["ana.ruiz@northwind.example"]);
    let later = json!({ "event_id": id, "start": "2026-11-25T10:00" });
    let error = desk.refused("reschedule_meeting", later.clone()).await;
    assert_eq!(error.kind(), Kind::Ask);
    let question = "Move \"Tool review\" to Wed 2026-11-25T10:00+01:00, \
                    and tell ana.ruiz@northwind.example, ben@contoso.example?";
    assert_eq!(error.what(), question);
    let error = desk.refused("quick_add", sentence.clone()).await;
    let invited = format!("Book \"{}\", and invite eve@contoso.example?", sentence["text"].as_str().unwrap());
    assert_eq!((error.kind(), error.what()), (Kind::Ask, &*invited));
    assert_eq!((desk.count("events.patch"), desk.count("events.quickAdd")), (0, 0));
    desk.ok("reschedule_meeting", json!({ "event_id": alone, "start": "2026-11-25T10:00" })).await;
    desk.ok("quick_add", json!({ "text": "Lunch with Ana on 2026-11-26 at 12:00" })).await;
    desk.ok("reschedule_meeting", with(&later, json!({ "start": "2026-11-24T15:00", "notify": "none" }))).await;
    desk.has_read_others(&["ana.ruiz@northwind.example", "ben@contoso.example", "eve@contoso.example"]);
    desk.ok("reschedule_meeting", later).await;
    desk.ok("quick_add", sentence).await;
}
