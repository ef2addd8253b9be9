//! What Google Calendar sends and takes, as far as we use it. Nothing here leaves the integration.
//!
//! Fields after the reference at <https://developers.google.com/calendar/api/v3/reference>.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::tool::Written;

/// An event. A cancelled one may have an id and a status only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) etag: String,
    pub(super) status: String,
    pub(super) visibility: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) location: String,
    pub(super) html_link: String,
    pub(super) hangout_link: String,
    pub(super) start: When,
    pub(super) end: When,
    pub(super) organizer: Person,
    /// Whether guests may change it too.
    pub(super) guests_can_modify: bool,
    pub(super) attendees: Vec<Attendee>,
    /// Google left some guests out of the list.
    pub(super) attendees_omitted: bool,
    /// The rules of a series; empty for its occurrences.
    pub(super) recurrence: Vec<String>,
    /// The series that this is an occurrence of.
    pub(super) recurring_event_id: Option<String>,
}

impl Event {
    pub(super) fn is_cancelled(&self) -> bool {
        self.status == "cancelled"
    }

    /// A text of the event. It is the account's own when nobody else can have put it there.
    pub(super) fn written(&self, text: &str) -> Written {
        Written::by(self.organizer.is_self && !self.guests_can_modify, text)
    }

    /// The addresses of everybody beside the account who sees it, in order.
    pub(super) fn others(&self) -> Vec<String> {
        let guests = self.attendees.iter().filter(|guest| !guest.is_self).map(|guest| guest.email.to_lowercase());
        let organizer = (!self.organizer.is_self).then(|| self.organizer.email.to_lowercase());
        let mut all: Vec<String> = guests.chain(organizer).filter(|address| !address.is_empty()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Whether somebody beside the account is invited.
    pub(super) fn has_guests(&self) -> bool {
        self.attendees.iter().any(|attendee| !attendee.is_self)
    }
}

/// A whole day, or an instant with the zone in which the event recurs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct When {
    pub(super) date: Option<Date>,
    pub(super) date_time: Option<Timestamp>,
    pub(super) time_zone: Option<String>,
}

/// Somebody who is named.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Person {
    pub(super) email: String,
    pub(super) display_name: Option<String>,
    #[serde(rename = "self")]
    pub(super) is_self: bool,
}

/// A guest. A list of guests is always written as a whole, so whatever else Google says of them is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Attendee {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_status: Option<String>,
    #[serde(rename = "self", skip_serializing)]
    pub(super) is_self: bool,
    #[serde(skip_serializing)]
    pub(super) organizer: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) optional: bool,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A page of events, with facts about their calendar.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Events {
    pub(super) summary: String,
    pub(super) time_zone: Option<String>,
    pub(super) items: Vec<Event>,
    pub(super) next_page_token: Option<String>,
}

/// One calendar.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Calendar {
    pub(super) id: String,
    pub(super) time_zone: Option<String>,
}

/// A page of the account's list of calendars.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CalendarList {
    pub(super) items: Vec<CalendarListEntry>,
    pub(super) next_page_token: Option<String>,
}

/// A calendar as it stands in the account's list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CalendarListEntry {
    pub(super) id: String,
    pub(super) summary: String,
    pub(super) summary_override: Option<String>,
    pub(super) access_role: String,
    pub(super) time_zone: Option<String>,
    pub(super) primary: bool,
}

impl CalendarListEntry {
    /// What it is called: by the account itself, or by whoever owns it.
    pub(super) fn title(&self) -> Written {
        match &self.summary_override {
            Some(own) => Written::by_account(own),
            None => Written::by(self.access_role == "owner", &self.summary),
        }
    }
}

/// The answer to a query for busy times.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FreeBusy {
    pub(super) calendars: BTreeMap<String, FreeBusyCalendar>,
}

/// The busy times of one calendar, or why they could not be found out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FreeBusyCalendar {
    pub(super) busy: Vec<Period>,
    pub(super) errors: Vec<Reason>,
}

/// A stretch of time; the end is exclusive.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Period {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

/// One reason in Google's own word.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reason {
    pub(super) reason: String,
}
