//! Google Calendar: free time, meetings, invitations.

use std::{num::NonZeroU32, time::Duration};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    availability::CheckAvailability,
    booking::{QuickAdd, ScheduleMeeting},
    cancelling::CancelMeeting,
    meetings::{GetMeeting, ListCalendars, ListMeetings, RespondToInvitation},
    moving::RescheduleMeeting,
    updating::UpdateMeeting,
    span::wrong,
    wire::{Calendar, Event, Events},
};
use super::google;
use crate::{
    http::{Path, Rate, Request},
    moment::Zone,
    path,
    tool::{self, Call, Category, Error, Field, Identity, Integration, Kind, Result, Scopes, ToolDef},
};

mod availability;
mod booking;
mod cancelling;
mod change;
mod errors;
mod event;
mod meetings;
mod moving;
mod span;
mod updating;
mod wire;

/// Google Calendar, API version 3.
pub const INTEGRATION: Integration = Integration {
    id: "google-calendar",
    title: "Google Calendar",
    category: Category::Calendar,
    docs: "https://developers.google.com/calendar/api/v3/reference",
    console: Some("https://console.cloud.google.com/apis/credentials"),
    base_url: "https://www.googleapis.com/calendar/v3",
    oauth: Some(google::SIGN_IN),
    fields: &[Field {
        name: "token",
        label: "Access token",
        secret: true,
        required: true,
        help: "An OAuth access token, for a short try: it ends after an hour.",
    }],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: Some(google::is_limit),
    status: None,
    probe: |cx| Box::pin(probe(cx)),
    base_scopes: &["https://www.googleapis.com/auth/calendar.calendars.readonly"],
    tools: &[
        ToolDef::of::<CheckAvailability>(),
        ToolDef::of::<ScheduleMeeting>(),
        ToolDef::of::<RescheduleMeeting>(),
        ToolDef::of::<CancelMeeting>(),
        ToolDef::of::<ListMeetings>(),
        ToolDef::of::<GetMeeting>(),
        ToolDef::of::<UpdateMeeting>(),
        ToolDef::of::<RespondToInvitation>(),
        ToolDef::of::<ListCalendars>(),
        ToolDef::of::<QuickAdd>(),
    ],
    core: &[
        "google_calendar_check_availability",
        "google_calendar_schedule_meeting",
        "google_calendar_reschedule_meeting",
        "google_calendar_cancel_meeting",
        "google_calendar_list_meetings",
        "google_calendar_get_meeting",
    ],
};

/// Google's usual quota is 600 requests a minute for one user; more is answered with 403.
const RATE: Rate = Rate::per(NonZeroU32::new(10).expect("ten is not zero"), Duration::from_secs(1));

/// Any of these shows events, and with them the zone of their calendar.
const READ_EVENTS: Scopes = Scopes(&[
    "https://www.googleapis.com/auth/calendar.events.readonly",
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.readonly",
    "https://www.googleapis.com/auth/calendar",
]);

/// Any of these changes events. The narrower `calendar.events.owned` is not enough: meetings may stand in a calendar
/// that somebody shares.
const WRITE_EVENTS: Scopes =
    Scopes(&["https://www.googleapis.com/auth/calendar.events", "https://www.googleapis.com/auth/calendar"]);

/// What Google calls the account's main calendar.
const PRIMARY: &str = "primary";

// Who is told by mail about a change. The fields say what a model must know, so the schema stays short.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
enum Notify {
    #[serde(rename = "all")]
    All,
    #[serde(rename = "externalOnly")]
    ExternalOnly,
    #[serde(rename = "none")]
    Nobody,
}

impl Notify {
    /// What was asked for; else everybody, where there are guests.
    fn or_guests(wish: Option<Notify>, has_guests: bool) -> Notify {
        wish.unwrap_or(if has_guests { Notify::All } else { Notify::Nobody })
    }

    /// The value of `sendUpdates`.
    fn send_updates(self) -> &'static str {
        match self {
            Notify::All => "all",
            Notify::ExternalOnly => "externalOnly",
            Notify::Nobody => "none",
        }
    }

    /// What follows from it, for a person.
    fn told(self) -> &'static str {
        match self {
            Notify::All => "guests will be told",
            Notify::ExternalOnly => "only guests without Google Calendar will be told",
            Notify::Nobody => "guests will not be told",
        }
    }
}

/// The calendar that is meant; models leave a field empty where they mean nothing by it.
fn calendar(given: Option<&str>) -> &str {
    given.map(str::trim).filter(|given| !given.is_empty()).unwrap_or(PRIMARY)
}

fn event_path(calendar_id: &str, event_id: &str) -> Path {
    path!["calendars", calendar_id, "events", event_id.trim()]
}

/// The zone that was given, else the calendar's own, which is looked up once and remembered for an hour.
///
/// The list of events tells it, because every scope of our tools opens that list; the calendar itself and the
/// settings would need a scope of their own. It is right as the settings are not: a calendar may have another
/// zone than its owner.
async fn zone(cx: &Call, calendar_id: &str, given: Option<&Zone>) -> Result<Zone> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    let look_up = async {
        let events = head(cx, calendar_id).await?;
        events.time_zone.as_deref().and_then(|name| name.parse().ok()).ok_or_else(|| {
            Error::new(Kind::Vendor, format!("Google Calendar does not tell the time zone of `{calendar_id}`."))
                .next("Give `time_zone`, such as Europe/Berlin.")
        })
    };
    cx.recall(&format!("zone of {calendar_id}"), Duration::from_hours(1), look_up).await
}

/// The facts about a calendar that come with its list of events, and as little else as possible.
async fn head(cx: &Call, calendar_id: &str) -> Result<Events> {
    let request = Request::get(path!["calendars", calendar_id, "events"])
        .query("maxResults", 1)
        .query("fields", "summary,timeZone");
    cx.fetch(request).await.map_err(|error| calendar_is_missing(error, calendar_id))
}

/// Reads an event, cancelled or not.
async fn read_any(cx: &Call, calendar_id: &str, event_id: &str) -> Result<Event> {
    if event_id.trim().is_empty() {
        return Err(wrong("`event_id` must not be empty; `google_calendar_list_meetings` shows the ids of meetings"));
    }
    let request = Request::get(event_path(calendar_id, event_id));
    cx.fetch(request).await.map_err(|error| event_is_missing(error, calendar_id, event_id))
}

/// Reads an event that takes place.
async fn read(cx: &Call, calendar_id: &str, event_id: &str) -> Result<Event> {
    let event = read_any(cx, calendar_id, event_id).await?;
    if event.is_cancelled() { Err(already_cancelled(event_id)) } else { Ok(event) }
}

fn already_cancelled(event_id: &str) -> Error {
    Error::new(Kind::NotFound, format!("The event `{event_id}` has already been cancelled."))
        .next("Nothing is left to do; `google_calendar_list_meetings` shows what takes place.")
}

/// Says which event is not there.
fn event_is_missing(error: Error, calendar_id: &str, event_id: &str) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("event `{event_id}` in the calendar `{calendar_id}`"))
        .next("`google_calendar_list_meetings` shows the ids of meetings.")
        .because(error)
}

/// Says which calendar is not there.
fn calendar_is_missing(error: Error, calendar_id: &str) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("calendar `{calendar_id}` that the account may see"))
        .next("`google_calendar_list_calendars` shows the ids of calendars.")
        .because(error)
}

/// Whose account it is. A token that was pasted may lack the scope for the calendar itself; its events tell the
/// calendar's title then, which is the address unless the owner renamed it.
async fn probe(cx: &Call) -> Result<Identity> {
    let calendar: Result<Calendar> = cx.fetch(Request::get(path!["calendars", "primary"])).await;
    let (name, zone) = match calendar {
        Ok(calendar) => (calendar.id, calendar.time_zone),
        Err(error) if error.kind() == Kind::MissingScope => {
            let events = head(cx, PRIMARY).await?;
            (events.summary, events.time_zone)
        }
        Err(error) => return Err(error),
    };
    Ok(Identity { name, detail: zone.unwrap_or_default() })
}

/// The moment that Google takes in queries: whole seconds.
fn seconds(instant: Timestamp) -> String {
    format!("{instant:.0}")
}
