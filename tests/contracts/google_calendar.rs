//! Google Calendar.

use reqwest::Method;
use serde_json::{Value, json};

use super::Script;

/// A session that touches every operation of the calendar and every kind of event.
pub async fn session(script: &Script) {
    let events = "/calendars/primary/events";
    script.get("/users/me/calendarList?maxResults=1&minAccessRole=reader").await;
    script.get("/users/me/calendarList/primary").await;
    script.get("/calendars/primary").await;
    script.post("/calendars", json!({"summary": "Project", "timeZone": "Europe/Paris", "description": "x"})).await;
    script.get("/colors").await;
    script.get("/users/me/settings").await;
    script.get("/users/me/settings/timezone").await;
    script
        .get(&format!("{events}?singleEvents=true&orderBy=startTime&timeMin=2026-11-20T00:00:00Z&maxResults=3"))
        .await;
    script.get(&format!("{events}?showDeleted=true&q=review&timeZone=Asia/Tokyo&maxAttendees=1")).await;
    script.get("/calendars/holidays%40group.v.calendar.google.com/events").await;
    script.get("/calendars/ana.ruiz%40northwind.example/events").await;
    script.get(&format!("{events}?fields=items(id,start/dateTime),nextPageToken&eventTypes=default")).await;

    let meeting = script.post(&format!("{events}?sendUpdates=all&conferenceDataVersion=1"), full_event()).await;
    let id = meeting["id"].as_str().unwrap();
    script.get(&format!("{events}/{id}?timeZone=UTC")).await;
    let patch = json!({"location": "Room Noether", "attendees": [{"email": "mei.tanaka@northwind.example"}]});
    script.send(Method::PATCH, &format!("{events}/{id}?sendUpdates=externalOnly"), Some(patch)).await;
    script.send(Method::PUT, &format!("{events}/{id}"), Some(all_day())).await;
    let destination = "team-customer-operations%40group.calendar.google.com";
    script.send(Method::POST, &format!("{events}/{id}/move?destination={destination}"), None).await;
    script.send(Method::DELETE, &format!("/calendars/{destination}/events/{id}"), None).await;
    script.get(&format!("/calendars/{destination}/events/{id}")).await;

    script.send(Method::POST, &format!("{events}/quickAdd?text=Lunch%20tomorrow%20at%20noon"), None).await;
    let series = script.post(events, series()).await;
    let series = series["id"].as_str().unwrap();
    let list = script.get(&format!("{events}/{series}/instances?maxResults=2")).await;
    let one = list["items"][1]["id"].as_str().unwrap();
    script.send(Method::PATCH, &format!("{events}/{one}"), Some(json!({"summary": "Moved"}))).await;
    script.send(Method::DELETE, &format!("{events}/{one}"), None).await;
    script.get(events).await;
    let items = json!([{"id": "primary"}, {"id": "ana.ruiz@northwind.example"}, {"id": "nobody@example.org"}]);
    let window = ("2026-11-23T00:00:00+01:00", "2026-11-28T00:00:00+01:00");
    script.post("/freeBusy", json!({"timeMin": window.0, "timeMax": window.1, "items": items})).await;
}

fn full_event() -> Value {
    json!({
        "summary": "Kick-off", "description": "First meeting", "location": "Room Ada", "colorId": "5",
        "start": {"dateTime": "2026-11-26T10:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-11-26T11:00:00", "timeZone": "Europe/Berlin"},
        "attendees": [
            {"email": "ana.ruiz@northwind.example", "optional": true, "comment": "c", "additionalGuests": 1},
            {"email": "olivia.grant@contoso.example"},
        ],
        "reminders": {"useDefault": false, "overrides": [{"method": "popup", "minutes": 5}]},
        "extendedProperties": {"private": {"a": "b"}, "shared": {"c": "d"}},
        "source": {"title": "Order", "url": "https://example.com/"},
        "conferenceData": {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}},
        "guestsCanModify": false, "transparency": "opaque", "visibility": "private",
    })
}

fn all_day() -> Value {
    json!({"summary": "Kick-off day", "start": {"date": "2026-11-26"}, "end": {"date": "2026-11-27"}})
}

fn series() -> Value {
    json!({
        "summary": "Sync", "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"],
        "start": {"dateTime": "2026-11-24T17:00:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-11-24T17:30:00+01:00", "timeZone": "Europe/Berlin"},
    })
}
