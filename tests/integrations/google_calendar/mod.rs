//! Google Calendar.

mod availability;
pub mod faults;
mod meetings;
mod scheduling;

use serde_json::{Value, json};
use switchboard::{http::Request, path};

use crate::desk::{Desk, Vendor};

pub const VENDOR: Vendor =
    Vendor { id: "google-calendar", operations: "calendar.", scopes: "https://www.googleapis.com/auth/" };

/// A fresh calendar, opened with every scope.
pub async fn open() -> Desk {
    Desk::open(&VENDOR).await
}

/// A fresh calendar, opened with these scopes, without the address in front of them.
async fn with_scopes(scopes: &[&str]) -> Desk {
    Desk::with_scopes(&VENDOR, scopes).await
}

/// The id of the first meeting with this title in the four weeks around now.
pub async fn id_of(desk: &Desk, title: &str) -> String {
    let window = json!({ "start": "2026-11-16", "end": "2026-12-14", "query": title, "limit": 250 });
    let list = desk.ok("list_meetings", window).await;
    let meetings = list.data["meetings"].as_array().unwrap();
    let found = meetings.iter().find(|meeting| meeting["title"] == title);
    found.unwrap_or_else(|| panic!("no meeting {title}: {}", list.text))["id"].as_str().unwrap().to_owned()
}

/// Changes an event behind the tool's back, as another person would.
async fn patch(desk: &Desk, event_id: &str, patch: Value) {
    let path = path!["calendars", "primary", "events", event_id];
    desk.send(Request::patch(path).json(&patch)).await;
}

/// Makes an event behind the tool's back.
async fn insert(desk: &Desk, event: Value) -> String {
    let made = desk.send(Request::post(path!["calendars", "primary", "events"]).json(&event)).await;
    made["id"].as_str().unwrap().to_owned()
}
