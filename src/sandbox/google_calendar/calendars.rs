//! Calendars, the calendar list, colours and settings.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    GoogleCalendar, errors,
    event::zone,
    listing::{self, PageSize},
    tables::ACCESS_ROLES,
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// The pages of calendars and settings.
const SHORT: PageSize = PageSize { usual: 100, most: 250 };

/// A calendar that the account can see, in full or only as busy times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    /// The vendor's id; a person's own calendar has their address.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its IANA zone.
    pub time_zone: String,
    /// What the account may do with it, one of the vendor's roles.
    pub access: String,
    /// Whether the account has it on its list.
    pub listed: bool,
    /// The number of its last change.
    #[serde(default)]
    pub version: u64,
}

impl Calendar {
    /// Its zone; UTC if the seed's has gone missing from the database.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Whether the account has at least this role.
    pub fn allows(&self, role: &str) -> bool {
        let rank = |role: &str| ACCESS_ROLES.iter().position(|known| *known == role);
        rank(&self.access) >= rank(role)
    }

    /// Its tag.
    pub fn etag(&self) -> String {
        format!("\"c{}\"", self.version)
    }
}

impl GoogleCalendar {
    /// A calendar by its id or as `primary`, if the account may see anything of it.
    pub fn calendar(&self, id: &str) -> Result<&Calendar, Answer> {
        let id = if id == "primary" { &self.account } else { id };
        let found = self.calendars.iter().find(|calendar| calendar.id == id);
        found.ok_or_else(errors::not_found)
    }

    /// The same for a write.
    pub fn writable(&self, id: &str) -> Result<&Calendar, Answer> {
        let calendar = self.calendar(id)?;
        if calendar.allows("writer") { Ok(calendar) } else { Err(errors::needs_writer()) }
    }

    fn entry(&self, calendar: &Calendar) -> Value {
        let reminders =
            if calendar.allows("owner") { json!([{ "method": "popup", "minutes": 10 }]) } else { json!([]) };
        let mut entry = json!({
            "kind": "calendar#calendarListEntry", "etag": calendar.etag(), "id": calendar.id,
            "summary": calendar.name, "timeZone": calendar.time_zone, "colorId": "14",
            "backgroundColor": "#9fe1e7", "foregroundColor": "#000000", "selected": true,
            "accessRole": calendar.access, "defaultReminders": reminders,
            "conferenceProperties": { "allowedConferenceSolutionTypes": ["hangoutsMeet"] },
        });
        if !calendar.description.is_empty() {
            entry["description"] = json!(calendar.description);
        }
        if calendar.id == self.account {
            entry["primary"] = json!(true);
        }
        entry
    }
}

/// `calendarList.list`
pub fn list(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let least = call.query("minAccessRole").unwrap_or("freeBusyReader");
    let listed = world.calendars.iter().filter(|calendar| calendar.listed && calendar.allows(least));
    let listed: Vec<_> = listed.collect();
    let sync = listing::sync_token(world);
    let frame = json!({ "kind": "calendar#calendarList", "etag": world.etag(), "nextSyncToken": sync });
    listing::page(call, &listed, frame, SHORT, |calendar| Ok(world.entry(calendar)))
}

/// `calendarList.get`
pub fn get_listed(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let calendar = world.calendar(call.segment("calendarId"))?;
    if !calendar.listed {
        return Err(errors::not_found());
    }
    Ok(Answer::ok(world.entry(calendar)))
}

/// `calendars.get`
pub fn get(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let calendar = world.calendar(call.segment("calendarId"))?;
    if !calendar.allows("reader") {
        return Err(errors::not_found());
    }
    Ok(Answer::ok(resource(calendar)))
}

/// `calendars.insert`
pub fn insert(world: &mut GoogleCalendar, call: &Call<'_>) -> Outcome {
    let fields = call.fields();
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let time_zone = text("timeZone").unwrap_or_else(|| "UTC".into());
    zone(&time_zone)?;
    let calendar = Calendar {
        id: format!("c_{}@group.calendar.google.com", world.mint.id(26)),
        name: text("summary").unwrap_or_default(),
        description: text("description").unwrap_or_default(),
        time_zone,
        access: "owner".into(),
        listed: true,
        version: world.mint.count_on(),
    };
    let answer = Answer::ok(resource(&calendar));
    world.calendars.push(calendar);
    Ok(answer)
}

/// `colors.get`
#[expect(clippy::unnecessary_wraps, reason = "a row of the route table takes functions of one shape")]
pub fn colors(_: &GoogleCalendar, _: &Call<'_>) -> Outcome {
    let palette = |colors: &[(&str, &str)]| -> Map<String, Value> {
        let color = |(id, background): &(&str, &str)| {
            ((*id).to_owned(), json!({ "background": background, "foreground": "#1d1d1d" }))
        };
        colors.iter().map(color).collect()
    };
    Ok(Answer::ok(json!({
        "kind": "calendar#colors", "updated": "2012-02-14T00:00:00.000Z",
        "calendar": palette(&[("14", "#9fe1e7"), ("16", "#4986e7")]),
        "event": palette(&[("1", "#a4bdfc"), ("2", "#7ae7bf"), ("4", "#ff887c"), ("5", "#fbd75b"), ("11", "#dc2127")]),
    })))
}

/// `settings.list`
pub fn settings(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let settings: Vec<_> = world.settings.iter().collect();
    let sync = listing::sync_token(world);
    let frame = json!({ "kind": "calendar#settings", "etag": "\"s1\"", "nextSyncToken": sync });
    listing::page(call, &settings, frame, SHORT, |(id, value)| Ok(setting_resource(id, value)))
}

/// `settings.get`
pub fn setting(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let id = call.segment("setting");
    let value = world.settings.get(id).ok_or_else(errors::not_found)?;
    Ok(Answer::ok(setting_resource(id, value)))
}

fn setting_resource(id: &str, value: &str) -> Value {
    json!({ "kind": "calendar#setting", "etag": "\"s1\"", "id": id, "value": value })
}

fn resource(calendar: &Calendar) -> Value {
    let mut resource = json!({
        "kind": "calendar#calendar", "etag": calendar.etag(), "id": calendar.id, "summary": calendar.name,
        "timeZone": calendar.time_zone,
        "conferenceProperties": { "allowedConferenceSolutionTypes": ["hangoutsMeet"] },
    });
    if !calendar.description.is_empty() {
        resource["description"] = json!(calendar.description);
    }
    resource
}
