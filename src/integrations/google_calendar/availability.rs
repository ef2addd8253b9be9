//! When calendars are busy, and when all of them are free.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    PRIMARY, event, meetings, seconds,
    span::wrong,
    wire::{FreeBusy, FreeBusyCalendar, Period},
    zone,
};
use crate::{
    http::Request,
    moment::{Moment, Shown, Zone},
    path,
    tool::{Answer, Call, Effect, Error, Kind, Result, Scopes, Tool},
};

/// Google refuses windows somewhere between two and three months without saying where (`timeRangeTooLong`); this is
/// on the safe side.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(60 * 24);

/// How many calendars Google looks at in one query.
const MOST_CALENDARS: usize = 50;

/// How many stretches of each kind an answer holds.
const MOST_STRETCHES: usize = 100;

/// Tells when calendars are busy and when all of them are free. Call this before offering or booking a time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckAvailability {
    /// From when: `2026-11-23T09:00` local time, `2026-11-23T09:00+01:00` or a day `2026-11-23`.
    start: Moment,
    /// Until when, like `start`; a day is included. At most 60 days later.
    end: Moment,
    /// Shows only free time of this length, such as 30.
    #[schemars(range(min = 1, max = 10080))]
    duration_minutes: Option<u32>,
    /// Ids or e-mail addresses, such as `ana@example.com`; else the main calendar.
    calendars: Option<Vec<String>>,
    /// Such as `Europe/Berlin`; else the main calendar's.
    time_zone: Option<Zone>,
    /// Free time only from this hour on, Monday to Friday, such as `09:00`.
    working_hours_start: Option<String>,
    /// Until this hour, such as `17:00`.
    working_hours_end: Option<String>,
}

/// Busy and free time.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Availability {
    /// When at least one of the calendars is taken, in order.
    busy: Vec<Stretch>,
    /// When all calendars that could be read are free, in order, within the working hours if they were given.
    free: Vec<Stretch>,
    /// The calendars that could be read; what is said holds for these.
    calendars: Vec<String>,
    /// The calendars that could not be read: nothing is known of them.
    unread: Vec<Unread>,
    /// The zone of the times.
    time_zone: String,
    /// What the caller should know.
    notes: Vec<String>,
}

/// A stretch of time.
#[derive(Debug, Serialize, JsonSchema)]
struct Stretch {
    /// When it begins: local time with offset and weekday.
    start: Shown,
    /// When it ends.
    end: Shown,
}

/// A calendar that could not be read.
#[derive(Debug, Serialize, JsonSchema)]
struct Unread {
    /// Its id.
    calendar: String,
    /// Why, in Google's word.
    reason: String,
}

impl Answer for Availability {
    fn text(&self) -> String {
        let unread = self.unread.iter().map(Unread::line);
        let whose = if self.unread.is_empty() { String::new() } else { format!(" for {}", self.calendars.join(", ")) };
        let busy = block(&format!("Busy{whose}"), &self.busy);
        let free = block(&format!("Free{whose}"), &self.free);
        let zone = [format!("Times in {}.", self.time_zone)];
        unread.chain(busy).chain(free).chain(self.notes.iter().cloned()).chain(zone).collect::<Vec<_>>().join("\n")
    }
}

impl Unread {
    fn line(&self) -> String {
        format!("Unknown: {} cannot be read ({}); it may be busy at any time.", self.calendar, self.reason)
    }
}

fn block(title: &str, stretches: &[Stretch]) -> Vec<String> {
    if stretches.is_empty() {
        return vec![format!("{title}: none")];
    }
    let lines = stretches.iter().map(|stretch| format!("- {}", event::stretch(&stretch.start, &stretch.end)));
    std::iter::once(format!("{title}:")).chain(lines).collect()
}

impl Tool for CheckAvailability {
    const NAME: &'static str = "google_calendar_check_availability";
    const EFFECT: Effect = Effect::Reads;
    /// The narrower `calendar.freebusy` opens the query but nothing that tells the zone of the calendar; and
    /// `calendar.events` does not open the query.
    const SCOPES: Scopes = Scopes(&[
        "https://www.googleapis.com/auth/calendar.events.freebusy",
        "https://www.googleapis.com/auth/calendar.readonly",
        "https://www.googleapis.com/auth/calendar",
    ]);
    type Output = Availability;

    async fn call(self, cx: &Call) -> Result<Availability> {
        let hours = self.working_hours()?;
        let calendars = self.calendars()?;
        let zone = zone(cx, PRIMARY, self.time_zone.as_ref()).await?;
        let (window, mut notes) = self.window(&zone)?;
        let (known, unread) = query(cx, &calendars, window).await?;
        let busy = merged(known.iter().flat_map(|(_, busy)| busy.iter().copied()), window);
        let ahead = Period { start: window.start.max(cx.now()), end: window.end };
        let mut free = gaps(&busy, ahead);
        if let Some(hours) = hours {
            free = hours.within(&free, &zone);
        }
        let least = SignedDuration::from_mins(self.duration_minutes.unwrap_or(1).into());
        free.retain(|gap| gap.end.duration_since(gap.start) >= least);
        if ahead.start >= ahead.end {
            notes.push("All of the window is in the past.".into());
        }
        let busy = shown("busy", &busy, &zone, &mut notes);
        let free = shown("free", &free, &zone, &mut notes);
        let calendars = known.into_iter().map(|(calendar, _)| calendar).collect();
        Ok(Availability { busy, free, calendars, unread, time_zone: zone.to_string(), notes })
    }
}

impl CheckAvailability {
    /// The calendars to look at, each once.
    fn calendars(&self) -> Result<Vec<String>> {
        let mut calendars = Vec::new();
        for calendar in self.calendars.iter().flatten().map(|calendar| calendar.trim()) {
            if !calendar.is_empty() && !calendars.iter().any(|known: &String| known.eq_ignore_ascii_case(calendar)) {
                calendars.push(calendar.to_owned());
            }
        }
        if calendars.is_empty() {
            calendars.push(PRIMARY.to_owned());
        }
        if calendars.len() > MOST_CALENDARS {
            return Err(wrong(&format!("`calendars` takes at most {MOST_CALENDARS} entries; ask in several calls")));
        }
        Ok(calendars)
    }

    fn window(&self, zone: &Zone) -> Result<(Period, Vec<String>)> {
        let (start, end) = (self.start.resolve(zone), meetings::through(&self.end).resolve(zone));
        let window = Period { start: start.instant, end: end.instant };
        let length = window.end.duration_since(window.start);
        if !length.is_positive() {
            let (start, end) = (Shown::new(window.start, zone), Shown::new(window.end, zone));
            return Err(wrong(&format!("`end` ({end}) is not after `start` ({start})")));
        }
        // An hour more for a clock change on the way.
        if length > LONGEST_WINDOW + SignedDuration::from_hours(1) {
            return Err(wrong("the window is longer than 60 days, which Google does not answer; ask in several calls"));
        }
        Ok((window, start.note.into_iter().chain(end.note).collect()))
    }

    fn working_hours(&self) -> Result<Option<WorkingHours>> {
        let (start, end) = match (&self.working_hours_start, &self.working_hours_end) {
            (None, None) => return Ok(None),
            (Some(start), Some(end)) => (time("working_hours_start", start)?, time("working_hours_end", end)?),
            (Some(_), None) => return Err(half_of_hours("working_hours_end")),
            (None, Some(_)) => return Err(half_of_hours("working_hours_start")),
        };
        if end <= start {
            return Err(wrong("`working_hours_end` is not after `working_hours_start`"));
        }
        Ok(Some(WorkingHours { start, end }))
    }
}

fn half_of_hours(missing: &str) -> Error {
    wrong(&format!("`{missing}` is missing; write both, such as 09:00 and 17:00"))
}

fn time(name: &str, text: &str) -> Result<Time> {
    text.trim().parse().map_err(|_| wrong(&format!("`{name}`: `{text}` is no time of day; write one such as 09:00")))
}

/// From Monday to Friday.
#[derive(Clone, Copy)]
struct WorkingHours {
    start: Time,
    end: Time,
}

impl WorkingHours {
    /// The parts of `gaps` that fall into the hours, day by day as clocks in `zone` show them.
    fn within(self, gaps: &[Period], zone: &Zone) -> Vec<Period> {
        let mut found = Vec::new();
        for gap in gaps {
            let last = zone.day_of(gap.end);
            for day in zone.day_of(gap.start).series(1.day()).take_while(|day| *day <= last) {
                found.extend(self.on(day, zone).and_then(|hours| overlap(hours, *gap)));
            }
        }
        found
    }

    fn on(self, day: Date, zone: &Zone) -> Option<Period> {
        let at = |time: Time| Moment::Local(day.to_datetime(time)).at(zone);
        let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        (!is_weekend).then(|| Period { start: at(self.start), end: at(self.end) })
    }
}

type Known = Vec<(String, Vec<Period>)>;

/// Asks Google; what it does not answer for is unread, never free.
async fn query(cx: &Call, calendars: &[String], window: Period) -> Result<(Known, Vec<Unread>)> {
    let items = calendars.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>();
    let body = json!({ "timeMin": seconds(window.start), "timeMax": seconds(window.end), "items": items });
    let request = Request::post(path!["freeBusy"]).json(&body).reads();
    let mut reply: FreeBusy = cx.fetch(request).await?;
    let (mut known, mut unread) = (Vec::new(), Vec::new());
    for calendar in calendars {
        match take(&mut reply, calendar) {
            Some(FreeBusyCalendar { busy, errors }) if errors.is_empty() => known.push((calendar.clone(), busy)),
            failed => unread.push(Unread { calendar: calendar.clone(), reason: reason(failed) }),
        }
    }
    if known.is_empty() { Err(nothing_known(&unread)) } else { Ok((known, unread)) }
}

/// What was answered for a calendar. Google may write an address in lower case.
fn take(reply: &mut FreeBusy, calendar: &str) -> Option<FreeBusyCalendar> {
    let key = reply.calendars.keys().find(|key| key.eq_ignore_ascii_case(calendar)).cloned()?;
    reply.calendars.remove(&key)
}

fn reason(failed: Option<FreeBusyCalendar>) -> String {
    let reason = failed.and_then(|calendar| calendar.errors.into_iter().next()).map(|error| error.reason);
    match reason.as_deref() {
        Some("notFound") => "there is none, or the account may not see it".into(),
        Some(reason) if !reason.is_empty() => event::line(reason, 200).unwrap_or_default(),
        _ => "Google gives no answer for it".into(),
    }
}

fn nothing_known(unread: &[Unread]) -> Error {
    let lines = unread.iter().map(|unread| format!("{} cannot be read: {}", unread.calendar, unread.reason));
    Error::new(Kind::NotFound, format!("{}.", lines.collect::<Vec<_>>().join("; "))).next(
        "Check the addresses; `google_calendar_list_calendars` shows the ids of the account's own calendars. \
         Their owners may have to share them.",
    )
}

/// Busy stretches in order, those that touch made one, cut to the window.
fn merged(busy: impl Iterator<Item = Period>, window: Period) -> Vec<Period> {
    let mut sorted = busy.filter_map(|stretch| overlap(stretch, window)).collect::<Vec<_>>();
    sorted.sort_by_key(|stretch| stretch.start);
    let mut merged: Vec<Period> = Vec::new();
    for stretch in sorted {
        match merged.last_mut() {
            Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
            _ => merged.push(stretch),
        }
    }
    merged
}

/// What lies between the merged busy stretches of a window.
fn gaps(busy: &[Period], window: Period) -> Vec<Period> {
    let starts = std::iter::once(window.start).chain(busy.iter().map(|stretch| stretch.end));
    let ends = busy.iter().map(|stretch| stretch.start).chain(std::iter::once(window.end));
    starts.zip(ends).filter_map(|(start, end)| overlap(Period { start, end }, window)).collect()
}

/// The time that both have, if there is any.
fn overlap(one: Period, other: Period) -> Option<Period> {
    let both = Period { start: one.start.max(other.start), end: one.end.min(other.end) };
    (both.start < both.end).then_some(both)
}

/// The first stretches, and a note about the others.
fn shown(kind: &str, stretches: &[Period], zone: &Zone, notes: &mut Vec<String>) -> Vec<Stretch> {
    if stretches.len() > MOST_STRETCHES {
        let (left, last) = (stretches.len() - MOST_STRETCHES, Shown::new(stretches[MOST_STRETCHES - 1].end, zone));
        notes.push(format!("{left} more {kind} stretches are left out; ask again with a `start` after {last}."));
    }
    let show = |at: Timestamp| Shown::new(at, zone);
    stretches.iter().take(MOST_STRETCHES).map(|at| Stretch { start: show(at.start), end: show(at.end) }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn berlin() -> Zone {
        "Europe/Berlin".parse().unwrap()
    }

    fn period(start: &str, end: &str) -> Period {
        let at = |text: &str| text.parse::<Moment>().unwrap().at(&berlin());
        Period { start: at(start), end: at(end) }
    }

    fn lines(stretches: &[Period]) -> Vec<String> {
        let show = |at: Timestamp| Shown::new(at, &berlin());
        stretches.iter().map(|at| event::stretch(&show(at.start), &show(at.end))).collect()
    }

    fn check(arguments: serde_json::Value) -> CheckAvailability {
        serde_json::from_value(arguments).unwrap()
    }

    #[test]
    fn blocks_of_several_calendars_become_one() {
        let window = period("2026-11-23T08:00", "2026-11-23T18:00");
        let busy = [
            period("2026-11-23T10:00", "2026-11-23T11:00"),
            period("2026-11-23T07:00", "2026-11-23T08:30"),
            period("2026-11-23T10:30", "2026-11-23T12:00"),
            period("2026-11-23T12:00", "2026-11-23T12:15"),
        ];
        let busy = merged(busy.into_iter(), window);
        assert_eq!(
            lines(&busy),
            ["Mon 2026-11-23T08:00+01:00 – 08:30", "Mon 2026-11-23T10:00+01:00 – 12:15"]
        );
        assert_eq!(
            lines(&gaps(&busy, window)),
            ["Mon 2026-11-23T08:30+01:00 – 10:00", "Mon 2026-11-23T12:15+01:00 – 18:00"]
        );
    }

    #[test]
    fn working_hours_leave_nights_and_weekends_out() {
        let hours = check(json!({ "start": "2026-11-20", "end": "2026-11-23",
            "working_hours_start": "09:00", "working_hours_end": "17:00" }));
        let hours = hours.working_hours().unwrap().unwrap();
        let free = hours.within(&[period("2026-11-20T12:00", "2026-11-23T12:00")], &berlin());
        assert_eq!(lines(&free), ["Fri 2026-11-20T12:00+01:00 – 17:00", "Mon 2026-11-23T09:00+01:00 – 12:00"]);
    }

    #[test]
    fn working_hours_are_local_on_both_sides_of_a_clock_change() {
        let hours = WorkingHours { start: "09:00".parse().unwrap(), end: "17:00".parse().unwrap() };
        let free = hours.within(&[period("2026-03-27T00:00", "2026-03-31T00:00")], &berlin());
        assert_eq!(lines(&free), ["Fri 2026-03-27T09:00+01:00 – 17:00", "Mon 2026-03-30T09:00+02:00 – 17:00"]);
    }

    #[track_caller]
    fn refused(arguments: serde_json::Value, phrase: &str) {
        let check = check(arguments);
        let error = check.working_hours().err().or_else(|| check.window(&berlin()).err()).unwrap();
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn windows_and_hours_that_make_no_sense_are_refused() {
        let with = |extra: serde_json::Value| {
            let mut arguments = json!({ "start": "2026-11-23T09:00", "end": "2026-11-23T18:00" });
            arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            arguments
        };
        refused(with(json!({ "end": "2026-11-23T09:00" })), "is not after `start`");
        refused(with(json!({ "end": "2027-01-23" })), "longer than 60 days");
        refused(with(json!({ "working_hours_start": "09:00" })), "`working_hours_end` is missing");
        refused(with(json!({ "working_hours_end": "09:00" })), "`working_hours_start` is missing");
        refused(with(json!({ "working_hours_start": "nine", "working_hours_end": "17:00" })), "`nine` is no time of day");
        refused(with(json!({ "working_hours_start": "17:00", "working_hours_end": "09:00" })), "is not after");
    }

    #[test]
    fn one_day_is_a_whole_window() {
        let (window, _) = check(json!({ "start": "2026-03-29", "end": "2026-03-29" })).window(&berlin()).unwrap();
        assert_eq!(window.end.duration_since(window.start), SignedDuration::from_hours(23));
    }

    #[test]
    fn a_calendar_that_cannot_be_read_is_never_called_free() {
        let answer = Availability {
            busy: Vec::new(),
            free: vec![Stretch {
                start: Shown::new("2026-11-23T08:00:00Z".parse().unwrap(), &berlin()),
                end: Shown::new("2026-11-23T09:00:00Z".parse().unwrap(), &berlin()),
            }],
            calendars: vec!["primary".into()],
            unread: vec![Unread { calendar: "ana@example.com".into(), reason: "hidden".into() }],
            time_zone: "Europe/Berlin".into(),
            notes: Vec::new(),
        };
        assert!(answer.text().starts_with("Unknown: ana@example.com cannot be read"), "{}", answer.text());
        assert!(answer.text().contains("Free for primary:\n- Mon"), "{}", answer.text());
    }

    proptest! {
        #[test]
        fn every_minute_is_either_busy_or_free(blocks in prop::collection::vec((0_i64..600, 1_i64..120), 0..12)) {
            let window = period("2026-10-24T20:00", "2026-10-25T06:00");
            let at = |minute: i64| window.start + SignedDuration::from_mins(minute);
            let given: Vec<_> = blocks.iter().map(|(from, length)| Period { start: at(*from), end: at(from + length) }).collect();
            let busy = merged(given.iter().copied(), window);
            let free = gaps(&busy, window);
            let holds = |stretches: &[Period], minute: Timestamp| {
                stretches.iter().any(|stretch| stretch.start <= minute && minute < stretch.end)
            };
            let minutes = window.end.duration_since(window.start).as_mins();
            for minute in (0..minutes).map(at) {
                prop_assert_eq!(holds(&busy, minute), holds(&given, minute));
                prop_assert_ne!(holds(&busy, minute), holds(&free, minute));
            }
        }
    }
}
