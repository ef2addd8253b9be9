//! The calendar twin over the wire, one behaviour of the vendor at a time. It is Monday, 23 November 2026, 8:00 in Berlin.

use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::tests::{Fixture, answer, meeting, reason};

const EVENTS: &str = "/calendars/primary/events";
const ANA: &str = "ana.ruiz@northwind.example";

async fn send(fixture: &Fixture, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = fixture.request(method, path);
    let request = if body.is_null() { request } else { request.json(&body) };
    let (status, body) = answer(request).await;
    (status.as_u16(), body)
}

async fn insert(fixture: &Fixture, event: Value) -> Value {
    let (status, event) = fixture.post(EVENTS, event).await;
    assert_eq!(status, 200, "{event}");
    event
}

async fn titles(fixture: &Fixture, query: &str) -> Vec<String> {
    let (status, list) = fixture.get(&format!("{EVENTS}?{query}")).await;
    assert_eq!(status, 200, "{list}");
    let items = list["items"].as_array().unwrap().iter();
    items.map(|event| event["summary"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The path of the seeded event with this title.
async fn seeded(fixture: &Fixture, title: &str) -> String {
    let (_, list) = fixture.get(EVENTS).await;
    let event = list["items"].as_array().unwrap().iter().find(|event| event["summary"] == title).unwrap();
    format!("{EVENTS}/{}", event["id"].as_str().unwrap())
}

fn path_of(event: &Value) -> String {
    format!("{EVENTS}/{}", event["id"].as_str().unwrap())
}

/// A meeting with other fields.
fn with(fields: Value) -> Value {
    let mut event = meeting();
    if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
        event.extend(fields);
    }
    event
}

fn weekly() -> Value {
    with(json!({
        "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"],
        "start": {"dateTime": "2026-11-24T17:00:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-11-24T17:30:00+01:00", "timeZone": "Europe/Berlin"},
    }))
}

#[tokio::test]
async fn a_day_lists_its_events_soonest_first_in_local_time() {
    let fixture = Fixture::new().await;
    let day = "timeMin=2026-11-23T00:00:00%2B01:00&timeMax=2026-11-24T00:00:00%2B01:00";
    let found = titles(&fixture, &format!("{day}&singleEvents=true&orderBy=startTime")).await;
    assert_eq!(found, ["Daily stand-up", "Focus: quarterly support report", "Design review: gripper control panel"]);
    let (_, list) = fixture.get(&format!("{EVENTS}?{day}&singleEvents=true&orderBy=startTime")).await;
    assert_eq!(list["timeZone"], "Europe/Berlin");
    assert_eq!(list["items"][0]["start"]["dateTime"], "2026-11-23T09:15:00+01:00");
    assert!(list["items"][0]["id"].as_str().unwrap().ends_with("_20261123T081500Z"), "{list}");
    let (_, list) = fixture.get(&format!("{EVENTS}?{day}&singleEvents=true&orderBy=startTime&timeZone=UTC")).await;
    assert_eq!(list["items"][0]["start"]["dateTime"], "2026-11-23T08:15:00Z");
}

#[tokio::test]
async fn order_by_start_needs_single_events() {
    let fixture = Fixture::new().await;
    let (status, body) = fixture.get(&format!("{EVENTS}?orderBy=startTime")).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "invalid"));
}

#[tokio::test]
async fn pages_join_to_the_whole_list() {
    let fixture = Fixture::new().await;
    let query = "singleEvents=true&orderBy=startTime&timeMin=2026-11-23T00:00:00Z&timeMax=2026-11-28T00:00:00Z";
    let whole = titles(&fixture, query).await;
    let (mut joined, mut token) = (vec![], String::new());
    loop {
        let (_, page) = fixture.get(&format!("{EVENTS}?{query}&maxResults=4{token}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 4);
        joined.extend(items.iter().map(|event| event["summary"].as_str().unwrap().to_owned()));
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => break,
        }
    }
    assert!(whole.len() > 8, "{whole:?}");
    assert_eq!(joined, whole);

    let (_, page) = fixture.get(&format!("{EVENTS}?{query}&maxResults=4")).await;
    let next = page["nextPageToken"].as_str().unwrap();
    for bad in [format!("{query}&pageToken=made-up"), format!("q=other&pageToken={next}")] {
        let (status, body) = fixture.get(&format!("{EVENTS}?{bad}")).await;
        assert_eq!((status.as_u16(), reason(&body)), (400, "invalid"), "{bad}");
    }
}

#[tokio::test]
async fn a_search_looks_at_words_and_people() {
    let fixture = Fixture::new().await;
    assert_eq!(titles(&fixture, "q=gripper%20REVIEW").await, ["Design review: gripper control panel"]);
    assert_eq!(titles(&fixture, "q=contoso.example").await, ["Contoso onboarding call"]);
    assert_eq!(titles(&fixture, "q=noether%20dentist").await, Vec::<String>::new());
}

#[tokio::test]
async fn all_day_events_end_on_the_day_after() {
    let fixture = Fixture::new().await;
    let event = json!({"summary": "Fair", "start": {"date": "2026-11-25"}, "end": {"date": "2026-11-26"}});
    insert(&fixture, event).await;
    let days = |from: &str, to: &str| format!("q=Fair&timeMin={from}T00:00:00%2B01:00&timeMax={to}T00:00:00%2B01:00");
    assert_eq!(titles(&fixture, &days("2026-11-24", "2026-11-25")).await.len(), 0);
    assert_eq!(titles(&fixture, &days("2026-11-25", "2026-11-26")).await.len(), 1);
    assert_eq!(titles(&fixture, &days("2026-11-26", "2026-11-27")).await.len(), 0);
    let same = json!({"start": {"date": "2026-11-25"}, "end": {"date": "2026-11-25"}});
    let (status, body) = fixture.post(EVENTS, same).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "timeRangeEmpty"));
}

#[tokio::test]
async fn an_id_of_the_clients_own_makes_an_insert_repeatable() {
    let fixture = Fixture::new().await;
    let event = with(json!({"id": "0123456789abcdefv"}));
    let first = insert(&fixture, event.clone()).await;
    assert_eq!(first["id"], "0123456789abcdefv");
    let (status, body) = fixture.post(EVENTS, event.clone()).await;
    assert_eq!((status.as_u16(), reason(&body)), (409, "duplicate"));
    send(&fixture, Method::DELETE, &path_of(&first), Value::Null).await;
    let (status, _) = fixture.post(EVENTS, event).await;
    assert_eq!(status, 409, "a deleted event keeps its id");
    for bad in ["abcd", "UPPER", "with-dash", "wxyz0"] {
        let (status, body) = fixture.post(EVENTS, with(json!({"id": bad}))).await;
        assert_eq!((status.as_u16(), reason(&body)), (400, "invalid"), "{bad}");
    }
}

#[tokio::test]
async fn a_patch_merges_objects_replaces_arrays_and_removes_with_null() {
    let fixture = Fixture::new().await;
    let guests = json!([{"email": ANA}, {"email": "mei.tanaka@northwind.example"}]);
    let labels = json!({"private": {"a": "1", "b": "2"}});
    let event = with(json!({"location": "Here", "attendees": guests, "extendedProperties": labels}));
    let path = path_of(&insert(&fixture, event).await);
    let changes = json!({
        "summary": "Dinner", "location": null, "attendees": [{"email": ANA}],
        "extendedProperties": {"private": {"b": null, "c": "3"}},
    });
    let (_, patched) = send(&fixture, Method::PATCH, &path, changes).await;
    assert_eq!((&patched["summary"], patched.get("location")), (&json!("Dinner"), None));
    assert_eq!(patched["attendees"].as_array().unwrap().len(), 1);
    assert_eq!(patched["extendedProperties"]["private"], json!({"a": "1", "c": "3"}));
    assert_eq!(patched["start"]["dateTime"], "2026-11-23T12:30:00+01:00");
    assert_eq!(fixture.get(&path).await.1, patched);
}

#[tokio::test]
async fn a_timed_event_becomes_all_day_only_when_its_time_is_removed() {
    let fixture = Fixture::new().await;
    let path = path_of(&insert(&fixture, meeting()).await);
    let day = |start: Value, end: Value| json!({"start": start, "end": end});
    let both = day(json!({"date": "2026-11-25"}), json!({"date": "2026-11-26"}));
    let (status, body) = send(&fixture, Method::PATCH, &path, both).await;
    assert_eq!((status, reason(&body)), (400, "invalid"));
    let none = json!({"dateTime": null, "timeZone": null});
    let cleared = |date: &str| json!({"date": date, "dateTime": none["dateTime"], "timeZone": none["timeZone"]});
    let (status, body) = send(&fixture, Method::PATCH, &path, day(cleared("2026-11-25"), cleared("2026-11-26"))).await;
    assert_eq!((status, &body["start"]), (200, &json!({"date": "2026-11-25"})));
}

#[tokio::test]
async fn an_update_replaces_everything_but_what_makes_the_event_itself() {
    let fixture = Fixture::new().await;
    let before = insert(&fixture, with(json!({"location": "Here", "attendees": [{"email": ANA}]}))).await;
    let (status, after) = send(&fixture, Method::PUT, &path_of(&before), meeting()).await;
    assert_eq!(status, 200, "{after}");
    assert_eq!((after.get("location"), after.get("attendees")), (None, None));
    for kept in ["id", "iCalUID", "created", "creator", "organizer", "htmlLink", "status"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    let (status, body) = send(&fixture, Method::PUT, &path_of(&before), json!({"summary": "No time"})).await;
    assert_eq!((status, reason(&body)), (400, "required"));
}

#[tokio::test]
async fn a_stale_tag_stops_a_write() {
    let fixture = Fixture::new().await;
    let event = insert(&fixture, meeting()).await;
    let patch = async |tag: &str| {
        let request = fixture.request(Method::PATCH, &path_of(&event)).header("if-match", tag);
        let (status, body) = answer(request.json(&json!({"summary": "Changed"}))).await;
        (status.as_u16(), body)
    };
    let tag = event["etag"].as_str().unwrap();
    let (status, changed) = patch(tag).await;
    assert_eq!(status, 200);
    assert_ne!(changed["etag"], event["etag"]);
    let (status, body) = patch(tag).await;
    assert_eq!((status, reason(&body)), (412, "conditionNotMet"));
    let unchanged =
        fixture.request(Method::GET, &path_of(&event)).header("if-none-match", changed["etag"].as_str().unwrap());
    assert_eq!(unchanged.send().await.unwrap().status(), 304);
}

#[tokio::test]
async fn a_deleted_event_is_cancelled_then_gone() {
    let fixture = Fixture::new().await;
    let path = path_of(&insert(&fixture, meeting()).await);
    assert_eq!(send(&fixture, Method::DELETE, &path, Value::Null).await, (204, Value::Null));
    assert_eq!(fixture.get(&path).await.1["status"], "cancelled");
    let (status, body) = send(&fixture, Method::DELETE, &path, Value::Null).await;
    assert_eq!((status, reason(&body)), (410, "deleted"));
    assert_eq!(titles(&fixture, "q=Lunch").await, ["Lunch on your own"]);
    assert_eq!(titles(&fixture, "q=Lunch&showDeleted=true").await.len(), 2);
    let (status, body) = send(&fixture, Method::DELETE, &format!("{EVENTS}/neverwas"), Value::Null).await;
    assert_eq!((status, reason(&body)), (404, "notFound"));
}

#[tokio::test]
async fn one_occurrence_can_be_moved_and_another_cancelled() {
    let fixture = Fixture::new().await;
    let series = insert(&fixture, weekly()).await;
    let (_, list) = fixture.get(&format!("{}/instances", path_of(&series))).await;
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(path_of).collect();
    assert_eq!(ids.len(), 3);
    let times = json!({
        "start": {"dateTime": "2026-12-02T10:00:00+01:00"}, "end": {"dateTime": "2026-12-02T10:30:00+01:00"},
    });
    let (status, moved) = send(&fixture, Method::PATCH, &ids[1], times).await;
    assert_eq!(status, 200, "{moved}");
    assert_eq!(moved["originalStartTime"]["dateTime"], "2026-12-01T17:00:00+01:00");
    assert_eq!(moved["recurringEventId"], series["id"]);
    assert_eq!(send(&fixture, Method::DELETE, &ids[2], Value::Null).await.0, 204);

    let (_, list) = fixture.get(&format!("{}/instances", path_of(&series))).await;
    let starts: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| one["start"]["dateTime"].clone()).collect();
    assert_eq!(starts, ["2026-11-24T17:00:00+01:00", "2026-12-02T10:00:00+01:00"]);
    let original = format!("{}/instances?originalStart=2026-12-01T16:00:00Z", path_of(&series));
    assert_eq!(fixture.get(&original).await.1["items"].as_array().unwrap().len(), 1);
    let (_, whole) = fixture.get(&format!("{EVENTS}?timeMin=2026-11-24T00:00:00Z&q=Lunch")).await;
    let cancelled = whole["items"].as_array().unwrap().iter().filter(|event| event["status"] == "cancelled");
    assert_eq!(cancelled.count(), 1, "a list of whole series says which occurrences are cancelled");

    assert_eq!(send(&fixture, Method::DELETE, &path_of(&series), Value::Null).await.0, 204);
    assert_eq!(titles(&fixture, "singleEvents=true&q=Lunch").await, ["Lunch on your own"]);
}

#[tokio::test]
async fn a_series_needs_a_zone_and_a_rule_that_makes_sense() {
    let fixture = Fixture::new().await;
    let mut event = weekly();
    event["recurrence"] = json!(["RRULE:FREQ=SOMETIMES"]);
    let (status, body) = fixture.post(EVENTS, event).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "invalid"));
    let mut event = weekly();
    event["start"] = json!({"dateTime": "2026-11-24T17:00:00+01:00"});
    let (status, body) = fixture.post(EVENTS, event).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "required"));
}

#[tokio::test]
async fn guests_hear_of_what_the_request_says() {
    let fixture = Fixture::new().await;
    let guests = json!([{"email": ANA}, {"email": "Olivia.Grant@contoso.example"}]);
    let event = with(json!({"attendees": guests}));
    let mails = || {
        let diff = fixture.sandbox.diff();
        let mails = diff.vendors.into_iter().flat_map(|vendor| vendor.mails);
        mails.map(|mail| (mail.to, mail.subject)).collect::<Vec<_>>()
    };
    insert(&fixture, event.clone()).await;
    assert_eq!(mails(), []);
    let (_, event) = fixture.post(&format!("{EVENTS}?sendUpdates=all"), event).await;
    let when = "Lunch @ Mon 23 Nov 2026 12:30–13:30";
    let mail = |to: &str, what: &str| (to.to_owned(), format!("{what}: {when}"));
    let olivia = "olivia.grant@contoso.example";
    assert_eq!(mails(), [mail(ANA, "Invitation"), mail(olivia, "Invitation")]);
    let path = format!("{}?sendUpdates=externalOnly", path_of(&event));
    send(&fixture, Method::PATCH, &path, json!({"location": "Luigi"})).await;
    assert_eq!(mails()[2..], [mail(olivia, "Updated invitation")]);
    send(&fixture, Method::PATCH, &path, json!({"colorId": "5"})).await;
    assert_eq!(mails().len(), 3, "a colour is nobody else's business");
    send(&fixture, Method::DELETE, &path.replace("externalOnly", "all"), Value::Null).await;
    assert_eq!(mails()[3..], [mail(ANA, "Canceled event"), mail(olivia, "Canceled event")]);
}

#[tokio::test]
async fn another_time_asks_the_guests_again() {
    let fixture = Fixture::new().await;
    let path = seeded(&fixture, "1:1 with the support lead").await;
    assert_eq!(fixture.get(&path).await.1["attendees"][0]["responseStatus"], "accepted");
    let times = json!({
        "start": {"dateTime": "2026-11-25T10:00:00+01:00"}, "end": {"dateTime": "2026-11-25T10:30:00+01:00"},
    });
    let (_, moved) = send(&fixture, Method::PATCH, &path, times).await;
    assert_eq!(moved["attendees"][0]["responseStatus"], "needsAction");
    assert_eq!(moved["sequence"], 1);
}

#[tokio::test]
async fn a_guest_may_answer_and_nothing_else() {
    let fixture = Fixture::new().await;
    let path = seeded(&fixture, "Budget planning").await;
    let (_, event) = fixture.get(&path).await;
    let me = fixture.sandbox.endpoint("google-calendar").unwrap().account;
    let mut guests = event["attendees"].clone();
    let own = guests.as_array_mut().unwrap().iter_mut().find(|guest| guest["self"] == true).unwrap();
    assert_eq!((&own["email"], &own["responseStatus"]), (&json!(me), &json!("needsAction")));
    own["responseStatus"] = json!("accepted");
    let answered = json!({"attendees": guests});
    let (status, event) = send(&fixture, Method::PATCH, &format!("{path}?sendUpdates=all"), answered).await;
    assert_eq!(status, 200, "{event}");
    let mails = fixture.sandbox.diff().vendors.remove(0).mails;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].subject.starts_with("Accepted: Budget planning"), "{mails:?}");
    assert_eq!(mails[0].to, event["organizer"]["email"]);

    let times = json!({
        "start": {"dateTime": "2026-11-25T10:00:00+01:00"}, "end": {"dateTime": "2026-11-25T10:30:00+01:00"},
    });
    for change in [json!({"summary": "Mine now"}), times, json!({"attendees": [{"email": me}]})] {
        let (status, body) = send(&fixture, Method::PATCH, &path, change).await;
        assert_eq!((status, reason(&body)), (403, "forbiddenForNonOrganizer"));
    }
    let only_own = json!({"attendeesOmitted": true, "attendees": [{"email": me, "responseStatus": "declined"}]});
    let (status, event) = send(&fixture, Method::PATCH, &path, only_own).await;
    assert_eq!((status, event["attendees"].as_array().unwrap().len()), (200, 3));
}

#[tokio::test]
async fn calendars_that_are_not_yours_stay_as_they_are() {
    let fixture = Fixture::new().await;
    let holidays = "/calendars/holidays%40group.v.calendar.google.com/events";
    let (status, body) = fixture.post(holidays, meeting()).await;
    assert_eq!((status.as_u16(), reason(&body)), (403, "requiredAccessLevel"));
    let (status, body) = fixture.get("/calendars/nobody%40example.org/events").await;
    assert_eq!((status.as_u16(), reason(&body)), (404, "notFound"));
    let (_, list) = fixture.get("/calendars/ana.ruiz%40northwind.example/events").await;
    let seen = &list["items"][0];
    assert!(seen["start"].is_object() && seen.get("summary").is_none(), "only busy times are seen: {seen}");
    let (_, list) = fixture.get("/users/me/calendarList").await;
    let roles: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| one["accessRole"].clone()).collect();
    assert_eq!(roles, ["owner", "writer", "reader"]);
}

async fn busy(fixture: &Fixture, id: &str, day: &str) -> Value {
    let question = json!({
        "timeMin": format!("{day}T00:00:00+01:00"), "timeMax": format!("{day}T23:59:00+01:00"),
        "timeZone": "Europe/Berlin", "items": [{"id": id}],
    });
    let (status, body) = fixture.post("/freeBusy", question).await;
    assert_eq!(status, 200, "{body}");
    let blocks = body["calendars"][id]["busy"].as_array().unwrap().iter();
    let time = |value: &Value| value.as_str().unwrap()[11..16].to_owned();
    blocks.map(|block| format!("{}-{}", time(&block["start"]), time(&block["end"]))).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn busy_is_what_takes_time() {
    let fixture = Fixture::new().await;
    // On Wednesday the lunch is free time and the vendor demo was declined.
    assert_eq!(busy(&fixture, "primary", "2026-11-25").await, json!(["08:00-09:00", "09:15-09:30"]));
    // Ana has a meeting of her own and, on Tuesday, is a guest of one of ours.
    assert_eq!(busy(&fixture, ANA, "2026-11-23").await, json!(["13:00-14:30"]));
    assert_eq!(busy(&fixture, ANA, "2026-11-24").await, json!(["15:00-16:00"]));
    let times = json!({
        "start": {"dateTime": "2026-11-24T15:30:00+01:00"}, "end": {"dateTime": "2026-11-24T16:45:00+01:00"},
    });
    insert(&fixture, with(times)).await;
    let tuesday = busy(&fixture, "primary", "2026-11-24").await;
    assert_eq!(tuesday, json!(["09:15-09:30", "11:00-11:30", "15:00-17:30"]), "overlaps are one block");
}

#[tokio::test]
async fn free_busy_answers_calendar_by_calendar() {
    let fixture = Fixture::new().await;
    let items = json!([{"id": "primary"}, {"id": "nobody@example.org"}]);
    let mut question = json!({"timeMin": "2026-11-23T07:00:00Z", "timeMax": "2026-11-23T09:30:00Z", "items": items});
    let (_, body) = fixture.post("/freeBusy", question.clone()).await;
    assert_eq!(body["calendars"]["nobody@example.org"]["errors"][0]["reason"], "notFound");
    let cut = json!({"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T09:30:00Z"});
    assert_eq!(body["calendars"]["primary"]["busy"][1], cut, "blocks end with the window");
    question["timeMax"] = json!("2026-11-23T07:00:00Z");
    let (status, body) = fixture.post("/freeBusy", question.clone()).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "timeRangeEmpty"));
    question["timeMax"] = json!("2027-02-21T07:00:01Z");
    let (status, body) = fixture.post("/freeBusy", question).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "timeRangeTooLong"));
    let (status, _) = fixture.post("/freeBusy", json!({"timeMin": "2026-11-23T07:00:00Z"})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_video_link_takes_a_client_that_knows_conferences() {
    let fixture = Fixture::new().await;
    let request = json!({"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}});
    let event = with(json!({"conferenceData": request}));
    let without = insert(&fixture, event.clone()).await;
    assert_eq!((without.get("conferenceData"), without.get("hangoutLink")), (None, None));
    let (_, event) = fixture.post(&format!("{EVENTS}?conferenceDataVersion=1"), event).await;
    let link = event["hangoutLink"].as_str().unwrap();
    assert!(link.starts_with("https://meet.google.com/") && link.len() == 36, "{link}");
    assert_eq!(event["conferenceData"]["entryPoints"][0]["uri"], link);
    let (_, renamed) = send(&fixture, Method::PATCH, &path_of(&event), json!({"summary": "x"})).await;
    assert_eq!(renamed["hangoutLink"], link);
}

#[tokio::test]
async fn a_sentence_becomes_an_event() {
    let fixture = Fixture::new().await;
    let path = format!("{EVENTS}/quickAdd?text=Lunch%20with%20Ana%20tomorrow%20at%20noon");
    let (status, event) = send(&fixture, Method::POST, &path, Value::Null).await;
    assert_eq!((status, &event["summary"]), (200, &json!("Lunch with Ana")));
    assert_eq!(event["start"]["dateTime"], "2026-11-24T12:00:00+01:00");
    assert_eq!(event["end"]["dateTime"], "2026-11-24T13:00:00+01:00");
}

#[tokio::test]
async fn a_series_without_rules_is_a_single_event() {
    let fixture = Fixture::new().await;
    let series = insert(&fixture, weekly()).await;
    let (status, single) = send(&fixture, Method::PATCH, &path_of(&series), json!({"recurrence": []})).await;
    assert_eq!((status, single.get("recurrence")), (200, None));
    assert_eq!(titles(&fixture, "singleEvents=true&q=Lunch&timeMin=2026-11-24T00:00:00Z").await.len(), 2);
}

#[tokio::test]
async fn a_cancelled_event_comes_back_when_it_is_confirmed() {
    let fixture = Fixture::new().await;
    let path = path_of(&insert(&fixture, meeting()).await);
    send(&fixture, Method::DELETE, &path, Value::Null).await;
    let (status, event) = send(&fixture, Method::PATCH, &path, json!({"status": "confirmed"})).await;
    assert_eq!((status, &event["status"]), (200, &json!("confirmed")));
    assert_eq!(busy(&fixture, "primary", "2026-11-23").await[2], "12:30-13:30");
}

#[tokio::test]
async fn a_moved_event_is_in_the_other_calendar_only() {
    let fixture = Fixture::new().await;
    let event = insert(&fixture, meeting()).await;
    let team = "team-customer-operations%40group.calendar.google.com";
    let path = format!("{}/move?destination={team}", path_of(&event));
    let (status, moved) = send(&fixture, Method::POST, &path, Value::Null).await;
    assert_eq!((status, &moved["organizer"]["displayName"]), (200, &json!("Customer Operations")));
    assert_eq!(fixture.get(&path_of(&event)).await.0, 404);
    let id = event["id"].as_str().unwrap();
    assert_eq!(fixture.get(&format!("/calendars/{team}/events/{id}")).await.0, 200);
    let foreign = seeded(&fixture, "Budget planning").await;
    let path = format!("{foreign}/move?destination={team}");
    assert_eq!(send(&fixture, Method::POST, &path, Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_sync_token_brings_what_changed_since() {
    let fixture = Fixture::new().await;
    let (_, list) = fixture.get(EVENTS).await;
    let token = list["nextSyncToken"].as_str().unwrap().to_owned();
    fixture.clock.advance(jiff::SignedDuration::from_secs(10));
    let event = insert(&fixture, meeting()).await;
    send(&fixture, Method::DELETE, &path_of(&event), Value::Null).await;
    let (_, changed) = fixture.get(&format!("{EVENTS}?syncToken={token}")).await;
    let items = changed["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["status"]), (1, &json!("cancelled")));
    let (status, body) = fixture.get(&format!("{EVENTS}?syncToken=old")).await;
    assert_eq!((status.as_u16(), reason(&body)), (410, "fullSyncRequired"));
    assert_eq!(fixture.get(&format!("{EVENTS}?syncToken={token}&q=x")).await.0, 400);
}

#[tokio::test]
async fn guests_have_addresses() {
    let fixture = Fixture::new().await;
    for (guest, why) in [(json!({"email": "ana"}), "invalid"), (json!({"displayName": "Ana"}), "required")] {
        let (status, body) = fixture.post(EVENTS, with(json!({"attendees": [guest]}))).await;
        assert_eq!((status.as_u16(), reason(&body)), (400, why));
    }
}

#[tokio::test]
async fn the_diff_tells_what_happened_in_a_persons_words() {
    let fixture = Fixture::new().await;
    let path = seeded(&fixture, "Design review: gripper control panel").await;
    let times = json!({
        "start": {"dateTime": "2026-11-25T10:00:00+01:00"}, "end": {"dateTime": "2026-11-25T11:00:00+01:00"},
    });
    send(&fixture, Method::PATCH, &format!("{path}?sendUpdates=all"), times).await;
    let diff = fixture.sandbox.diff().to_string();
    assert!(diff.contains("~ event Design review: gripper control panel"), "{diff}");
    assert!(diff.contains("when: Mon 23 Nov 2026 14:00–15:00 → Wed 25 Nov 2026 10:00–11:00"), "{diff}");
    assert!(diff.contains("to mei.tanaka@northwind.example: Updated invitation"), "{diff}");

    let dentist = seeded(&fixture, "Dentist").await;
    send(&fixture, Method::DELETE, &dentist, Value::Null).await;
    let (_, standup) =
        fixture.get(&format!("{}/instances?maxResults=1", seeded(&fixture, "Daily stand-up").await)).await;
    send(&fixture, Method::DELETE, &path_of(&standup["items"][0]), Value::Null).await;
    let diff = fixture.sandbox.diff().to_string();
    assert!(diff.contains("- event Dentist (when Wed 25 Nov 2026 08:00–09:00"), "{diff}");
    assert!(diff.contains("+ occurrence Daily stand-up") && diff.contains("status cancelled"), "{diff}");
}
