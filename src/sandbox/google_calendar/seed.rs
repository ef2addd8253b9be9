//! The calendar at the beginning, and how its things look to a person.
//!
//! The part `google-calendar` of a seed is an object with any of `settings`, `calendars` and `events`; what is left
//! out stays as built in. Days are counted in working days from today, or are dates. An address may be `{me}` or
//! `{2}`, the third person of the company.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, Time},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    GoogleCalendar,
    calendars::Calendar,
    event::{Event, Point, millis},
};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Mint, Scene, SeedFile},
};

const PART: &str = "google-calendar";
/// How many days of a week are worked.
const WORKING_DAYS: i64 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    settings: BTreeMap<String, String>,
    calendars: Vec<Value>,
    events: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedCalendar {
    id: String,
    name: String,
    #[serde(default)]
    description: String,
    time_zone: Option<String>,
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Access {
    FreeBusyReader,
    Reader,
    Writer,
    Owner,
}

/// An event of a seed. With `start` and `end` it is a meeting, with `days` it takes whole days.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedEvent {
    id: Option<String>,
    #[serde(default = "primary")]
    calendar: String,
    title: String,
    day: Day,
    start: Option<Time>,
    end: Option<Time>,
    #[serde(default)]
    days: i64,
    repeat: Option<String>,
    organizer: Option<String>,
    #[serde(default)]
    guests: BTreeMap<String, Response>,
    location: Option<String>,
    description: Option<String>,
    /// Whether it has a video link.
    #[serde(default)]
    video: bool,
    /// Whether its time counts as free.
    #[serde(default)]
    free: bool,
    #[serde(default)]
    private: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Working(i64),
    Date(Date),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Response {
    NeedsAction,
    Declined,
    Tentative,
    Accepted,
}

/// Makes the world of a seed.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<GoogleCalendar, Error> {
    let part: Part = file.part(PART, include_str!("seed.json"))?;
    let mut world = GoogleCalendar {
        account: scene.company.me.clone(),
        people: scene.company.people.clone(),
        settings: part.settings,
        calendars: calendars(scene, file, part.calendars)?,
        events: BTreeMap::new(),
        outbox: vec![],
        mint: Mint::new(scene.number, PART),
    };
    let events: Vec<SeedEvent> = file.check_list(&format!("{PART}.events"), part.events)?;
    for (index, event) in events.into_iter().enumerate() {
        let bad = |field: &str, why: &str| file.error(&format!("{PART}.events[{index}].{field}"), why);
        world.plant_event(scene, &event).map_err(|(field, why)| bad(field, &why))?;
    }
    Ok(world)
}

/// The account's own calendar, those of the seed, and those of the colleagues, of which only busy times are seen.
fn calendars(scene: &Scene, file: &SeedFile, items: Vec<Value>) -> Result<Vec<Calendar>, Error> {
    let own = |id: &str, name: &str, access: &str, listed| Calendar {
        id: id.to_owned(),
        name: name.to_owned(),
        description: String::new(),
        time_zone: scene.company.time_zone.clone(),
        access: access.to_owned(),
        listed,
        version: 0,
    };
    let me = &scene.company.me;
    let mut calendars = vec![own(me, scene.name_of(me).unwrap_or(me), "owner", true)];
    let field = format!("{PART}.calendars");
    for (index, seed) in file.check_list::<SeedCalendar>(&field, items)?.into_iter().enumerate() {
        let mut calendar = own(&seed.id, &seed.name, seed.access.name(), true);
        calendar.description = seed.description;
        calendar.time_zone = seed.time_zone.unwrap_or(calendar.time_zone);
        if super::event::zone(&calendar.time_zone).is_err() {
            return Err(file.error(&format!("{field}[{index}].time_zone"), "is not an IANA zone"));
        }
        calendars.push(calendar);
    }
    let colleagues = scene.company.people.iter().filter(|person| person.email != *me);
    calendars.extend(colleagues.map(|person| own(&person.email, &person.name, "freeBusyReader", false)));
    Ok(calendars)
}

impl GoogleCalendar {
    fn plant_event(&mut self, scene: &Scene, seed: &SeedEvent) -> Result<(), (&'static str, String)> {
        let id = scene.address(&seed.calendar);
        let calendar = self.calendar(&id).map_err(|_| ("calendar", format!("there is no calendar {id}")))?.clone();
        let mut event = Event(Map::new());
        seed.times(scene, &calendar, &mut event)?;
        seed.words(&mut event);
        let id = seed.id.clone().unwrap_or_else(|| self.mint.id(26));
        self.plant_identity(scene, seed, &calendar, &mut event, id);
        let unfit = |_| ("start", "start, end and repeat do not go together".to_owned());
        event.settle_times(&calendar.zone()).map_err(unfit)?;
        self.settle_guests(&mut event).map_err(|_| ("guests", "must be e-mail addresses".to_owned()))?;
        let events = self.events.entry(calendar.id).or_default();
        events.insert(event.id().to_owned(), event);
        Ok(())
    }

    fn plant_identity(&mut self, scene: &Scene, seed: &SeedEvent, calendar: &Calendar, event: &mut Event, id: String) {
        let organizer = seed.organizer.as_ref().map_or_else(|| calendar.id.clone(), |who| scene.address(who));
        let who = match scene.name_of(&organizer) {
            Some(name) if organizer != self.account => json!({ "email": organizer, "displayName": name }),
            _ => json!({ "email": organizer }),
        };
        let written = millis(scene.now);
        event.set("kind", "calendar#event");
        event.tag(self.mint.count_on());
        event.set("iCalUID", format!("{id}@google.com"));
        event.set("htmlLink", format!("https://www.google.com/calendar/event?eid={id}"));
        event.set("id", id);
        event.set("status", "confirmed");
        event.set("eventType", "default");
        event.set("sequence", 0);
        event.set("created", written.as_str());
        event.set("updated", written);
        event.set("creator", who.clone());
        event.set("organizer", who);
        event.set("reminders", json!({ "useDefault": true }));
        if !seed.guests.is_empty() {
            let guest = |(who, response): (&String, &Response)| json!({ "email": scene.address(who), "responseStatus": response.name() });
            event.set("attendees", seed.guests.iter().map(guest).collect::<Vec<_>>());
        }
        if seed.video {
            self.open_meet(event, "seed");
        }
    }
}

impl SeedEvent {
    fn times(&self, scene: &Scene, calendar: &Calendar, event: &mut Event) -> Result<(), (&'static str, String)> {
        let date = match self.day {
            Day::Working(days @ -366..=366) => self.within_a_week(scene.working_day(days)),
            Day::Working(_) => return Err(("day", "must be between -366 and 366".into())),
            Day::Date(date) => date,
        };
        let (start, end) = match (self.start, self.end, self.days) {
            (Some(start), Some(end), 0) => (date.to_datetime(start), date.to_datetime(end)),
            (None, None, days @ 1..=366) => {
                event.set("start", Point::Day(date).write(None));
                event.set("end", Point::Day(date.saturating_add(days.days())).write(None));
                return Ok(());
            }
            _ => return Err(("day", "needs start and end (09:00), or days (1 to 366)".into())),
        };
        let point = |local: jiff::civil::DateTime| {
            let zoned = local.to_zoned(calendar.zone()).map_err(|error| ("day", error.to_string()))?;
            Ok(Point::Moment(zoned).write(None))
        };
        event.set("start", point(start)?);
        event.set("end", point(end)?);
        Ok(())
    }

    /// A few whole days that are counted from today begin early enough to end before the weekend: otherwise it would
    /// depend on the day of the first start whether Saturday is free.
    fn within_a_week(&self, date: Date) -> Date {
        let weekday = i64::from(date.weekday().to_monday_zero_offset());
        let over = (weekday + self.days - WORKING_DAYS).clamp(0, weekday);
        if self.days <= WORKING_DAYS { date.saturating_sub(over.days()) } else { date }
    }

    fn words(&self, event: &mut Event) {
        event.set("summary", self.title.as_str());
        for (name, value) in [("location", &self.location), ("description", &self.description)] {
            if let Some(value) = value {
                event.set(name, value.as_str());
            }
        }
        if let Some(rule) = &self.repeat {
            event.set("recurrence", vec![rule.as_str()]);
        }
        if self.free {
            event.set("transparency", "transparent");
        }
        if self.private {
            event.set("visibility", "private");
        }
    }
}

impl Access {
    fn name(&self) -> &'static str {
        match self {
            Access::FreeBusyReader => "freeBusyReader",
            Access::Reader => "reader",
            Access::Writer => "writer",
            Access::Owner => "owner",
        }
    }
}

impl Response {
    fn name(&self) -> &'static str {
        match self {
            Response::NeedsAction => "needsAction",
            Response::Declined => "declined",
            Response::Tentative => "tentative",
            Response::Accepted => "accepted",
        }
    }
}

/// Calendars and events as a person sees them.
pub fn objects(world: &GoogleCalendar) -> Vec<Object> {
    let calendars = world.calendars.iter().map(|calendar| Object {
        kind: "calendar",
        id: calendar.id.clone(),
        title: calendar.name.clone(),
        facts: vec![("zone", calendar.time_zone.clone())],
    });
    let events = world.calendars.iter().flat_map(|calendar| {
        // A deleted event is gone for a person; a cancelled occurrence is a change to its series.
        let events = world.events_of(&calendar.id).values();
        let there = events.filter(|event| !event.is_cancelled() || event.series().is_some());
        there.map(move |event| object(calendar, event))
    });
    calendars.chain(events).collect()
}

fn object(calendar: &Calendar, event: &Event) -> Object {
    let guest = |guest: &Value| {
        let text = |name: &str| guest[name].as_str().unwrap_or_default().to_owned();
        format!("{} ({})", text("email"), text("responseStatus"))
    };
    let repeats = event.0.get("recurrence").map(|lines| lines[0].as_str().unwrap_or_default().to_owned());
    let facts = vec![
        ("when", event.in_words(&calendar.zone())),
        ("repeats", repeats.unwrap_or_default()),
        ("status", Some(event.text("status")).filter(|status| *status != "confirmed").unwrap_or_default().to_owned()),
        ("guests", event.guests().iter().map(guest).collect::<Vec<_>>().join(", ")),
        ("place", event.text("location").to_owned()),
        ("text", event.text("description").to_owned()),
        ("video", event.text("hangoutLink").to_owned()),
        ("calendar", calendar.name.clone()),
    ];
    // The same id in two calendars is two events.
    let id = format!("{}/{}", calendar.id, event.id());
    let kind = if event.series().is_some() { "occurrence" } else { "event" };
    Object { kind, id, title: event.title().to_owned(), facts }
}

fn primary() -> String {
    "primary".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(days: i64) -> SeedEvent {
        serde_json::from_value(json!({"title": "Offsite", "day": 8, "days": days})).unwrap()
    }

    #[test]
    fn whole_days_end_before_the_weekend() {
        // 4 December 2026 is a Friday.
        for (days, from, expected) in [
            (1, "2026-12-04", "2026-12-04"),
            (2, "2026-12-04", "2026-12-03"),
            (2, "2026-12-03", "2026-12-03"),
            (5, "2026-12-04", "2026-11-30"),
            (5, "2026-11-30", "2026-11-30"),
            (6, "2026-12-04", "2026-12-04"),
        ] {
            let begin = event(days).within_a_week(from.parse().unwrap());
            assert_eq!(begin.to_string(), expected, "{days} days from {from}");
        }
    }
}
