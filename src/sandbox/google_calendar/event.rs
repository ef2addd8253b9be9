//! An event as the vendor's resource, and the questions that are asked of it.

use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{errors, recurrence::Recurrence};
use crate::sandbox::twin::Answer;

/// An event: the vendor's resource without what depends on who looks at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Event(pub Map<String, Value>);

/// One end of an event: a day, or a moment in a zone.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// An all-day event begins on this day; or it ends on the day before.
    Day(Date),
    /// A moment.
    Moment(Zoned),
}

impl Point {
    /// Reads what the vendor calls an `EventDateTime`. A local time without an offset needs a zone of its own.
    pub fn read(value: &Value, default: &TimeZone, which: &str) -> Result<Self, Answer> {
        let invalid = || errors::invalid(&format!("Invalid {which} time."));
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let named = text("timeZone").map(zone).transpose()?;
        match (text("date"), text("dateTime")) {
            (Some(date), None) => date.parse().map(Point::Day).map_err(|_| invalid()),
            (None, Some(moment)) => match moment.parse::<Timestamp>() {
                Ok(moment) => Ok(Point::Moment(moment.to_zoned(named.unwrap_or_else(|| default.clone())))),
                Err(_) => local(moment, named, which),
            },
            (None, None) => Err(errors::required(&format!("Missing {which} time."))),
            (Some(_), Some(_)) => Err(invalid()),
        }
    }

    /// Writes it in its own zone, or as another one shows it.
    pub fn write(&self, shown_in: Option<&TimeZone>) -> Value {
        match self {
            Point::Day(date) => json!({ "date": date.to_string() }),
            Point::Moment(zoned) => {
                let shown = shown_in.map_or_else(|| zoned.clone(), |zone| zoned.with_time_zone(zone.clone()));
                let name = zoned.time_zone().iana_name().unwrap_or("UTC");
                json!({ "dateTime": rfc3339(&shown), "timeZone": name })
            }
        }
    }

    /// The moment it stands for; a day begins at midnight in the calendar's zone.
    pub fn instant(&self, zone: &TimeZone) -> Timestamp {
        match self {
            Point::Day(date) => zone
                .to_ambiguous_zoned(date.to_datetime(jiff::civil::Time::midnight()))
                .compatible()
                .map_or(Timestamp::MAX, |zoned| zoned.timestamp()),
            Point::Moment(zoned) => zoned.timestamp(),
        }
    }

    /// The wall clock's reading in its own zone.
    fn local(&self) -> DateTime {
        match self {
            Point::Day(date) => date.to_datetime(jiff::civil::Time::midnight()),
            Point::Moment(zoned) => zoned.datetime(),
        }
    }

    /// The same kind of point, at another reading of the wall clock.
    fn at(&self, local: DateTime) -> Option<Self> {
        match self {
            Point::Day(_) => Some(Point::Day(local.date())),
            Point::Moment(zoned) => local.to_zoned(zoned.time_zone().clone()).ok().map(Point::Moment),
        }
    }
}

impl Event {
    /// A text of the resource, empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// What a person calls it.
    pub fn title(&self) -> &str {
        match self.text("summary") {
            "" => "(no title)",
            summary => summary,
        }
    }

    /// Tags it with the number of its latest change.
    pub fn tag(&mut self, change: u64) {
        self.set("etag", format!("\"e{change}\""));
    }

    /// The number of its latest change.
    pub fn change(&self) -> u64 {
        let number = self.text("etag").trim_matches(|letter| matches!(letter, '"' | 'e')).parse();
        number.unwrap_or_default()
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Whether it was cancelled or deleted.
    pub fn is_cancelled(&self) -> bool {
        self.text("status") == "cancelled"
    }

    /// Whether it is a series.
    pub fn is_series(&self) -> bool {
        self.0.contains_key("recurrence")
    }

    /// The series that it is an exception of.
    pub fn series(&self) -> Option<&str> {
        self.0.get("recurringEventId")?.as_str()
    }

    /// How often it has changed in a way that its guests should know of.
    pub fn sequence(&self) -> i64 {
        self.0.get("sequence").and_then(Value::as_i64).unwrap_or_default()
    }

    /// Its guests.
    pub fn guests(&self) -> &[Value] {
        self.0.get("attendees").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The guest with this address.
    pub fn guest(&self, email: &str) -> Option<&Value> {
        self.guests().iter().find(|guest| guest["email"] == email)
    }

    /// The organizer's address.
    pub fn organizer(&self) -> &str {
        self.0.get("organizer").and_then(|who| who["email"].as_str()).unwrap_or_default()
    }

    /// Start and end, if it has both.
    pub fn span(&self, zone: &TimeZone) -> Option<(Point, Point)> {
        let start = Point::read(self.0.get("start")?, zone, "start").ok()?;
        let end = Point::read(self.0.get("end")?, zone, "end").ok()?;
        Some((start, end))
    }

    /// Start and end as moments.
    pub fn instants(&self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let (start, end) = self.span(zone)?;
        Some((start.instant(zone), end.instant(zone)))
    }

    /// Its time as it stands in a mail or a diff: `Tue 24 Nov 2026 12:00–13:00`.
    pub fn in_words(&self, own_zone: &TimeZone) -> String {
        match self.span(own_zone) {
            Some((Point::Day(start), Point::Day(end))) => {
                let (first, last) = (start.strftime("%a %-d %b %Y"), end.yesterday().unwrap_or(end));
                if last == start { first.to_string() } else { format!("{first}–{}", last.strftime("%a %-d %b %Y")) }
            }
            Some((Point::Moment(start), Point::Moment(end))) => {
                let (start, end) = (start.with_time_zone(own_zone.clone()), end.with_time_zone(own_zone.clone()));
                let until = if start.date() == end.date() { "%H:%M" } else { "%a %-d %b %Y %H:%M" };
                format!("{}–{}", start.strftime("%a %-d %b %Y %H:%M"), end.strftime(until))
            }
            _ => String::new(),
        }
    }

    /// Whether it overlaps a window whose ends may be open.
    pub fn is_within(&self, from: Option<Timestamp>, to: Option<Timestamp>, zone: &TimeZone) -> bool {
        self.instants(zone).is_none_or(|span| overlaps(span, from, to))
    }

    /// Checks start, end and recurrence and writes them the way the vendor does.
    pub fn settle_times(&mut self, zone: &TimeZone) -> Result<(), Answer> {
        let point = |which: &str| {
            let value = self.0.get(which).ok_or_else(|| errors::required(&format!("Missing {which} time.")))?;
            Point::read(value, zone, which)
        };
        let (start, end) = (point("start")?, point("end")?);
        if self.0.get("recurrence").is_some_and(|lines| lines.as_array().is_none_or(Vec::is_empty)) {
            self.0.remove("recurrence");
        }
        match (&start, &end) {
            (Point::Day(start), Point::Day(end)) if end <= start => return Err(errors::empty_range()),
            (Point::Moment(start), Point::Moment(end)) if end < start => return Err(errors::empty_range()),
            (Point::Day(_), Point::Moment(_)) => return Err(errors::invalid("Invalid end time.")),
            (Point::Moment(_), Point::Day(_)) => return Err(errors::invalid("Invalid start time.")),
            _ => {}
        }
        if self.is_series() {
            self.recurrence(zone)?;
            let named = self.0["start"].get("timeZone").is_some();
            if matches!(start, Point::Moment(_)) && !named {
                return Err(errors::required("Missing time zone definition for start time."));
            }
        }
        self.set("start", start.write(None));
        self.set("end", end.write(None));
        Ok(())
    }

    /// The single events of a series within a window, soonest first; none for a single event.
    pub fn occurrences(&self, from: Option<Timestamp>, to: Option<Timestamp>, zone: &TimeZone) -> Vec<Event> {
        let (Ok(recurrence), Some((start, end))) = (self.recurrence(zone), self.span(zone)) else {
            return vec![];
        };
        let own_zone = match &start {
            Point::Day(_) => zone,
            Point::Moment(zoned) => zoned.time_zone(),
        };
        let length = start.local().until(end.local()).unwrap_or_default();
        let starts = recurrence.starts(start.local(), own_zone).into_iter();
        let points = starts.filter_map(|local| {
            let ends = local.checked_add(length).ok()?;
            Some((start.at(local)?, end.at(ends)?))
        });
        let wanted = points.filter(|(start, end)| overlaps((start.instant(zone), end.instant(zone)), from, to));
        wanted.map(|(start, end)| self.occurrence(&start, &end)).collect()
    }

    fn occurrence(&self, start: &Point, end: &Point) -> Event {
        let mut one = self.clone();
        one.0.remove("recurrence");
        one.set("id", format!("{}_{}", self.id(), stamp(start)));
        one.set("recurringEventId", self.id());
        one.set("originalStartTime", start.write(None));
        one.set("start", start.write(None));
        one.set("end", end.write(None));
        one
    }

    fn recurrence(&self, zone: &TimeZone) -> Result<Recurrence, Answer> {
        let lines = self.0.get("recurrence").and_then(Value::as_array);
        let lines: Vec<&str> = lines.into_iter().flatten().filter_map(Value::as_str).collect();
        Recurrence::read(&lines, zone).map_err(|why| errors::invalid(&format!("Invalid recurrence rule: {why}.")))
    }
}

/// Whether a span ends after `from` and starts before `to`. A span without length counts at its moment.
fn overlaps((start, end): (Timestamp, Timestamp), from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    let after = from.is_none_or(|from| end > from || (start == end && start >= from));
    after && to.is_none_or(|to| start < to)
}

/// A zone by its IANA name.
pub fn zone(name: &str) -> Result<TimeZone, Answer> {
    TimeZone::get(name).map_err(|_| errors::invalid(&format!("Invalid time zone: {name}.")))
}

/// A moment the way the vendor writes it: `Z` for UTC, an offset for everything else.
pub fn rfc3339(zoned: &Zoned) -> String {
    if zoned.offset().is_zero() {
        return zoned.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    }
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// A moment with milliseconds in UTC, as `created` and `updated` have it.
pub fn millis(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// How an occurrence is told apart in its id: its start in UTC, or its day.
fn stamp(start: &Point) -> String {
    match start {
        Point::Day(date) => date.strftime("%Y%m%d").to_string(),
        Point::Moment(zoned) => zoned.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string(),
    }
}

fn local(text: &str, named: Option<TimeZone>, which: &str) -> Result<Point, Answer> {
    let local: DateTime = text.parse().map_err(|_| errors::invalid(&format!("Invalid {which} time.")))?;
    let missing = || errors::required(&format!("Missing time zone definition for {which} time."));
    let zoned = local.to_zoned(named.ok_or_else(missing)?);
    zoned.map(Point::Moment).map_err(|_| errors::invalid(&format!("Invalid {which} time.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn settled(event: Value) -> Result<Event, String> {
        let Value::Object(fields) = event else { panic!("not an object") };
        let mut event = Event(fields);
        match event.settle_times(&berlin()) {
            Ok(()) => Ok(event),
            Err(Answer { content, .. }) => Err(format!("{content:?}")),
        }
    }

    #[test]
    fn times_are_kept_in_their_own_zone_or_the_calendars() {
        let event = settled(json!({
            "start": {"dateTime": "2026-11-24T08:00:00Z"},
            "end": {"dateTime": "2026-11-24T09:00:00", "timeZone": "Europe/London"},
        }))
        .unwrap();
        assert_eq!(event.0["start"], json!({"dateTime": "2026-11-24T09:00:00+01:00", "timeZone": "Europe/Berlin"}));
        assert_eq!(event.0["end"], json!({"dateTime": "2026-11-24T09:00:00Z", "timeZone": "Europe/London"}));
    }

    #[test]
    fn times_that_make_no_sense_are_refused() {
        let refused = |start: Value, end: Value, why: &str| {
            let error = settled(json!({"start": start, "end": end})).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        let nine = json!({"dateTime": "2026-11-24T09:00:00+01:00"});
        refused(json!({"dateTime": "2026-11-24T09:00:00"}), nine.clone(), "Missing time zone definition");
        refused(json!({"dateTime": "tomorrow", "timeZone": "UTC"}), nine.clone(), "Invalid start time");
        refused(json!({"dateTime": "2026-11-24T10:00:00+01:00"}), nine.clone(), "timeRangeEmpty");
        refused(json!({"date": "2026-11-24"}), nine.clone(), "Invalid end time");
        refused(json!({"date": "2026-11-24"}), json!({"date": "2026-11-24"}), "timeRangeEmpty");
        refused(json!({}), nine.clone(), "Missing start time");
        refused(json!({"date": "2026-11-24", "dateTime": "2026-11-24T09:00:00Z"}), nine, "Invalid start time");
    }

    #[test]
    fn a_series_keeps_its_local_time_over_the_change_of_clocks() {
        let event = settled(json!({
            "id": "abc", "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"],
            "start": {"dateTime": "2026-10-20T09:00:00+02:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-10-20T09:30:00+02:00", "timeZone": "Europe/Berlin"},
        }))
        .unwrap();
        let starts: Vec<_> = event.occurrences(None, None, &berlin()).into_iter().map(|one| one.0).collect();
        assert_eq!(starts[0]["id"], "abc_20261020T070000Z");
        assert_eq!(starts[1]["id"], "abc_20261027T080000Z");
        assert_eq!(starts[1]["start"]["dateTime"], "2026-10-27T09:00:00+01:00");
        assert_eq!(starts[1]["recurringEventId"], "abc");
    }
}
