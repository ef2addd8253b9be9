//! When a meeting takes place: from what people write to what Google takes, and back.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use serde_json::{Value, json};

use super::wire::{Event, When};
use crate::{
    moment::{Moment, Shown, Zone, day_after},
    tool::{Error, Result},
};

/// How long ago a meeting may have begun that is put into the calendar now.
const GRACE: SignedDuration = SignedDuration::from_mins(15);

/// When a meeting takes place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Span {
    /// Whole days; `after` is the first day that is free again, as Google counts.
    Days { first: Date, after: Date },
    /// From one instant to another, shown in a zone.
    Times { start: Timestamp, end: Timestamp, zone: Zone },
}

/// What was asked for.
pub(super) struct Wish<'a> {
    pub(super) start: &'a Moment,
    pub(super) end: Option<&'a Moment>,
    pub(super) minutes: Option<u32>,
}

impl Span {
    /// What a wish means in `zone`, with what had to be decided on the way. `usual` is how long the meeting is when
    /// the wish does not say.
    pub(super) fn wished(wish: &Wish<'_>, zone: &Zone, usual: Option<SignedDuration>) -> Result<(Span, Vec<String>)> {
        if wish.end.is_some() && wish.minutes.is_some() {
            return Err(wrong("`end` and `duration_minutes` are both given; leave one of them out"));
        }
        match (wish.start.day(), wish.end.map(Moment::day)) {
            (Some(first), None | Some(Some(_))) => days(first, wish).map(|span| (span, Vec::new())),
            (None, None | Some(None)) => times(wish, zone, usual),
            _ => Err(wrong(
                "`start` and `end` must both be days, such as 2026-11-23, or both be times, such as 2026-11-23T09:00",
            )),
        }
    }

    /// When an event takes place; a cancelled one may say nothing of it.
    pub(super) fn of(event: &Event, zone: &Zone) -> Option<Span> {
        match (&event.start, &event.end) {
            (When { date: Some(first), .. }, end) => {
                let after = end.date.unwrap_or_else(|| day_after(*first));
                Some(Span::Days { first: *first, after })
            }
            (When { date_time: Some(start), .. }, When { date_time, .. }) => {
                Some(Span::Times { start: *start, end: date_time.unwrap_or(*start), zone: zone.clone() })
            }
            _ => None,
        }
    }

    /// Start and end for people; whole days end with their last day.
    pub(super) fn shown(&self) -> (Shown, Shown) {
        match self {
            Span::Days { first, after } => (Shown::day(*first), Shown::day(last_day(*first, *after))),
            Span::Times { start, end, zone } => (Shown::new(*start, zone), Shown::new(*end, zone)),
        }
    }

    /// Start and end for Google, in the zone of the event where it has one: a series recurs in that zone.
    pub(super) fn fields(&self, zone: Option<&str>) -> (Value, Value) {
        match self {
            Span::Days { first, after } => (json!({ "date": first }), json!({ "date": after })),
            Span::Times { start, end, zone: shown } => {
                let zone = zone.unwrap_or(shown.name());
                let field = |at: &Timestamp| json!({ "dateTime": at, "timeZone": zone });
                (field(start), field(end))
            }
        }
    }

    /// [`fields`](Self::fields) for an event of the other form: a patch would leave that form in place.
    pub(super) fn fields_over_other_form(&self, zone: Option<&str>) -> (Value, Value) {
        let (mut start, mut end) = self.fields(zone);
        for field in [&mut start, &mut end] {
            for name in ["date", "dateTime", "timeZone"] {
                if field.get(name).is_none() {
                    field[name] = Value::Null;
                }
            }
        }
        (start, end)
    }

    /// Whether it takes whole days.
    pub(super) fn is_days(&self) -> bool {
        matches!(self, Span::Days { .. })
    }

    /// Whether both are the same time.
    pub(super) fn is_same(&self, other: &Span) -> bool {
        match (self, other) {
            (Span::Times { start, end, .. }, Span::Times { start: from, end: to, .. }) => (start, end) == (from, to),
            _ => self == other,
        }
    }

    /// How long a meeting with times is.
    pub(super) fn length(&self) -> Option<SignedDuration> {
        match self {
            Span::Days { .. } => None,
            Span::Times { start, end, .. } => Some(end.duration_since(*start)),
        }
    }

    /// The same number of whole days from another day on.
    pub(super) fn moved_to_day(&self, day: Date) -> Option<Span> {
        let Span::Days { first, after } = self else {
            return None;
        };
        let length = after.duration_since(*first);
        Some(Span::Days { first: day, after: day.checked_add(length).ok()? })
    }

    /// Refuses what is over: mostly a year or a month that was guessed.
    pub(super) fn must_not_be_past(&self, now: Timestamp, zone: &Zone) -> Result<()> {
        let is_past = match self {
            Span::Days { first, after } => last_day(*first, *after) < zone.day_of(now),
            Span::Times { start, .. } => now.duration_since(*start) > GRACE,
        };
        if !is_past {
            return Ok(());
        }
        let (start, now) = (self.shown().0, Shown::new(now, zone));
        Err(wrong(&format!("`start` is in the past: {start}; it is now {now}")))
    }
}

fn days(first: Date, wish: &Wish<'_>) -> Result<Span> {
    if wish.minutes.is_some() {
        return Err(wrong(
            "`duration_minutes` does not go with a whole day; write `start` with a time, such as 2026-11-23T09:00",
        ));
    }
    let last = wish.end.and_then(Moment::day).unwrap_or(first);
    if last < first {
        return Err(wrong(&format!("`end` ({last}) is before `start` ({first}); it is the last day of the meeting")));
    }
    Ok(Span::Days { first, after: day_after(last) })
}

fn times(wish: &Wish<'_>, zone: &Zone, usual: Option<SignedDuration>) -> Result<(Span, Vec<String>)> {
    let start = wish.start.resolve(zone);
    let length = wish.minutes.map(|minutes| SignedDuration::from_mins(minutes.into())).or(usual);
    let (end, note) = match (wish.end, length) {
        (Some(end), _) => {
            let end = end.resolve(zone);
            (end.instant, end.note)
        }
        (None, Some(length)) => (start.instant.checked_add(length).unwrap_or(Timestamp::MAX), None),
        (None, None) => return Err(wrong("`end` or `duration_minutes` is missing; give one of them")),
    };
    if end <= start.instant {
        let (start, end) = (Shown::new(start.instant, zone), Shown::new(end, zone));
        return Err(wrong(&format!("`end` ({end}) is not after `start` ({start})")));
    }
    let notes = start.note.into_iter().chain(note).collect();
    Ok((Span::Times { start: start.instant, end, zone: zone.clone() }, notes))
}

/// The last of some whole days.
fn last_day(first: Date, after: Date) -> Date {
    after.checked_sub(1.day()).unwrap_or(after).max(first)
}

/// An error of the arguments in one line.
pub(super) fn wrong(problem: &str) -> Error {
    Error::arguments([problem.to_owned()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn berlin() -> Zone {
        "Europe/Berlin".parse().unwrap()
    }

    fn wished(start: &str, end: Option<&str>, minutes: Option<u32>) -> Result<(Span, Vec<String>)> {
        let (start, end) = (start.parse().unwrap(), end.map(|end| end.parse().unwrap()));
        Span::wished(&Wish { start: &start, end: end.as_ref(), minutes }, &berlin(), None)
    }

    #[track_caller]
    fn shown(start: &str, end: Option<&str>, minutes: Option<u32>, expected: (&str, &str)) {
        let (start, end) = wished(start, end, minutes).unwrap().0.shown();
        assert_eq!((start.as_str(), end.as_str()), expected);
    }

    #[track_caller]
    fn refused(start: &str, end: Option<&str>, minutes: Option<u32>, phrase: &str) {
        let error = wished(start, end, minutes).unwrap_err();
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn a_wish_becomes_a_stretch_of_time() {
        let ten_to_eleven = ("Mon 2026-11-23T10:00+01:00", "Mon 2026-11-23T11:00+01:00");
        shown("2026-11-23T10:00", Some("2026-11-23T11:00"), None, ten_to_eleven);
        shown("2026-11-23T10:00", None, Some(60), ten_to_eleven);
        shown("2026-11-23T09:00Z", None, Some(60), ten_to_eleven);
        shown("2026-11-23", None, None, ("Mon 2026-11-23", "Mon 2026-11-23"));
        shown("2026-11-23", Some("2026-11-25"), None, ("Mon 2026-11-23", "Wed 2026-11-25"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        refused("2026-11-23T10:00", None, None, "`end` or `duration_minutes` is missing");
        refused("2026-11-23T10:00", Some("2026-11-23T11:00"), Some(60), "both given");
        refused("2026-11-23T10:00", Some("2026-11-23T10:00"), None, "is not after `start`");
        refused("2026-11-23T10:00", Some("2026-11-23T09:00"), None, "is not after `start`");
        refused("2026-11-23", Some("2026-11-22"), None, "`end` (2026-11-22) is before `start`");
        refused("2026-11-23", Some("2026-11-23T11:00"), None, "must both be days");
        refused("2026-11-23T10:00", Some("2026-11-23"), None, "must both be days");
        refused("2026-11-23", None, Some(60), "does not go with a whole day");
    }

    #[test]
    fn a_clock_change_is_told_and_the_length_is_kept() {
        let (span, notes) = wished("2026-03-29T02:30", None, Some(60)).unwrap();
        assert_eq!(span.shown().0.as_str(), "Sun 2026-03-29T03:30+02:00");
        assert_eq!(span.length(), Some(SignedDuration::from_hours(1)));
        assert!(notes[0].contains("does not exist"), "{notes:?}");
        let (span, notes) = wished("2026-10-25T02:30", None, Some(60)).unwrap();
        assert_eq!(span.shown().1.as_str(), "Sun 2026-10-25T02:30+01:00");
        assert!(notes[0].contains("happens twice"), "{notes:?}");
    }

    #[test]
    fn days_end_the_day_after_for_google() {
        let (span, _) = wished("2026-03-28", Some("2026-03-29"), None).unwrap();
        assert_eq!(span.fields(None), (json!({ "date": "2026-03-28" }), json!({ "date": "2026-03-30" })));
        let (start, _) = span.fields_over_other_form(None);
        assert_eq!(start, json!({ "date": "2026-03-28", "dateTime": null, "timeZone": null }));
    }

    #[test]
    fn what_is_over_cannot_be_booked() {
        let now = "2026-11-23T09:00:00Z".parse().unwrap();
        let past = |start: &str, minutes| {
            let (span, _) = wished(start, None, minutes).unwrap();
            span.must_not_be_past(now, &berlin()).map_err(|error| error.to_string())
        };
        assert_eq!(past("2026-11-23T10:00", Some(30)), Ok(()));
        assert_eq!(past("2026-11-23T09:50", Some(30)), Ok(()));
        assert_eq!(past("2026-11-23", None), Ok(()));
        let error = past("2025-11-23T10:00", Some(30)).unwrap_err();
        assert!(error.contains("`start` is in the past: Sun 2025-11-23T10:00+01:00; it is now Mon"), "{error}");
        assert!(past("2026-11-22", None).is_err());
    }

    proptest! {
        #[test]
        fn whole_days_come_back_as_they_were(start in 0_i64..4000, length in 0_i64..60, pick in 0..3_usize) {
            let zone: Zone = ["Europe/Berlin", "America/Santiago", "Asia/Beirut"][pick].parse().unwrap();
            let first = jiff::civil::date(2024, 1, 1).checked_add(start.days()).unwrap();
            let last = first.checked_add(length.days()).unwrap();
            let (from, to) = (Moment::Day(first), Moment::Day(last));
            let (span, _) = Span::wished(&Wish { start: &from, end: Some(&to), minutes: None }, &zone, None).unwrap();
            let (start, end) = span.fields(None);
            let event: Event = serde_json::from_value(json!({ "start": start, "end": end })).unwrap();
            let back = Span::of(&event, &zone).unwrap();
            prop_assert!(back.is_same(&span));
            prop_assert_eq!(back.shown(), (Shown::day(first), Shown::day(last)));
        }

        #[test]
        fn a_length_is_real_time_even_across_a_clock_change(hour in 0_i8..24, minutes in 1_u32..600, day in 24_i8..27) {
            let start = Moment::Local(jiff::civil::date(2026, 10, day).at(hour, 30, 0, 0));
            let wish = Wish { start: &start, end: None, minutes: Some(minutes) };
            let (span, _) = Span::wished(&wish, &berlin(), None).unwrap();
            prop_assert_eq!(span.length(), Some(SignedDuration::from_mins(minutes.into())));
        }
    }
}
