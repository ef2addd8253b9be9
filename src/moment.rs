//! Moments as people and models write them: local time in a zone, a time with an offset, or a bare date.
//!
//! A time without an offset is never taken for UTC: it is local to the zone of the call, which is the
//! `time_zone` argument or else the calendar's own. One rule covers the hours that a clock change skips or
//! repeats: **a skipped time moves forward by the length of the gap, a repeated time is the first of the two**
//! (RFC 5545 §3.3.5 says the same), and [`Resolved::note`] tells the caller whenever the rule was needed.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::text::likeness;

/// The longest text of a time or of a zone, in bytes. The longest zone of the IANA database has 32.
const LONGEST: usize = 64;

/// A point in time as given: `2026-11-23T09:00`, `2026-11-23T09:00+01:00` or, for a whole day, `2026-11-23`.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(with = "String")]
pub enum Moment {
    /// A local time, in the zone of the call.
    Local(DateTime),
    /// A time with an offset: the same instant everywhere.
    Fixed(Timestamp),
    /// A whole day.
    Day(Date),
}

/// What a [`Moment`] means in a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The instant.
    pub instant: Timestamp,
    /// What had to be decided because of a clock change; for the caller to read.
    pub note: Option<String>,
}

impl Moment {
    /// The instant in `zone`; a whole day is its first moment.
    pub fn resolve(&self, zone: &Zone) -> Resolved {
        match self {
            Moment::Fixed(instant) => Resolved { instant: *instant, note: None },
            Moment::Local(local) => resolve_local(*local, zone),
            Moment::Day(day) => resolve_local(day.to_datetime(Time::midnight()), zone),
        }
    }

    /// The instant in `zone`, where the note is of no use.
    pub fn at(&self, zone: &Zone) -> Timestamp {
        self.resolve(zone).instant
    }

    /// The day, when the moment is a whole day.
    pub fn day(&self) -> Option<Date> {
        match self {
            Moment::Day(day) => Some(*day),
            _ => None,
        }
    }
}

/// Applies the rule for skipped and repeated times.
fn resolve_local(local: DateTime, zone: &Zone) -> Resolved {
    let ambiguous = zone.0.to_ambiguous_zoned(local);
    let offset = ambiguous.offset();
    let Ok(zoned) = ambiguous.compatible() else {
        // Only the last day of the year 9999 has no instant.
        return Resolved { instant: Timestamp::MAX, note: None };
    };
    let shown = Shown::new(zoned.timestamp(), zone);
    let note = match offset {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => {
            Some(format!("{local:.0} does not exist in {zone} (clocks go forward); taken as {shown}."))
        }
        AmbiguousOffset::Fold { .. } => Some(format!(
            "{local:.0} happens twice in {zone} (clocks go back); taken as the first, {shown}. Write an offset to mean the other."
        )),
    };
    Resolved { instant: zoned.timestamp(), note }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(format!("a time takes at most {LONGEST} bytes; write 2026-11-23T09:00"));
        }
        let has_time = text.contains(['T', 't', ' ']);
        let parsed = if has_time {
            text.parse().map(Moment::Fixed).or_else(|_| text.parse().map(Moment::Local))
        } else {
            text.parse().map(Moment::Day)
        };
        parsed.map_err(|_| {
            format!("`{text}` is no time; write 2026-11-23T09:00, with an offset 2026-11-23T09:00+01:00, or a day 2026-11-23")
        })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(D::Error::custom)
    }
}

/// A time zone of the IANA database, such as `Europe/Berlin`.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(with = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated Universal Time.
    pub fn utc() -> Self {
        Zone(TimeZone::UTC)
    }

    /// The zone this machine is set to; UTC where it says nothing.
    pub fn of_this_machine() -> Self {
        let zone = TimeZone::system();
        Zone(if zone.iana_name().is_some() { zone } else { TimeZone::UTC })
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The calendar day on which `instant` falls here.
    pub fn day_of(&self, instant: Timestamp) -> Date {
        instant.to_zoned(self.0.clone()).date()
    }

    /// The local time that clocks show here at `instant`.
    pub fn local(&self, instant: Timestamp) -> DateTime {
        instant.to_zoned(self.0.clone()).datetime()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name.len() > LONGEST {
            return Err(format!("a time zone takes at most {LONGEST} bytes; write an IANA name such as Europe/Berlin"));
        }
        TimeZone::get(name.trim()).map(Zone).map_err(|_| {
            let hint = nearest_zone(name).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("`{name}` is no time zone; write an IANA name such as Europe/Berlin{hint}")
        })
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(D::Error::custom)
    }
}

/// The known zone whose name, or whose last part (`Berlin`), is closest to what was written.
fn nearest_zone(name: &str) -> Option<String> {
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    let closeness = |known: &str| {
        let known = known.to_lowercase();
        let city = known.rsplit('/').next().unwrap_or(&known);
        likeness(&wanted, &known).max(likeness(&wanted, city))
    };
    jiff::tz::db()
        .available()
        .map(|zone| (closeness(zone.as_str()), zone.as_str().to_owned()))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, zone)| zone)
}

/// A time for people and models: local, with offset and weekday, such as `Mon 2026-11-23T09:00+01:00`;
/// a whole day is `Mon 2026-11-23`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Shown(String);

impl Shown {
    /// An instant as clocks in `zone` show it.
    pub fn new(instant: Timestamp, zone: &Zone) -> Self {
        let zoned = instant.to_zoned(zone.0.clone());
        let format = if zoned.second() == 0 { "%a %Y-%m-%dT%H:%M%:z" } else { "%a %Y-%m-%dT%H:%M:%S%:z" };
        Shown(zoned.strftime(format).to_string())
    }

    /// A whole day.
    pub fn day(day: Date) -> Self {
        Shown(day.strftime("%a %Y-%m-%d").to_string())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The day after `day`; the end of a whole-day event is exclusive in every calendar we know.
pub fn day_after(day: Date) -> Date {
    day.checked_add(1.day()).unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn moment(text: &str) -> Moment {
        text.parse().unwrap()
    }

    #[test]
    fn a_local_time_is_never_silently_utc() {
        let nine = moment("2026-11-23T09:00");
        assert_eq!(nine.at(&zone("Europe/Berlin")), "2026-11-23T08:00:00Z".parse().unwrap());
        assert_eq!(nine.at(&zone("America/New_York")), "2026-11-23T14:00:00Z".parse().unwrap());
    }

    #[test]
    fn an_offset_means_the_same_instant_everywhere() {
        let nine = moment("2026-11-23T09:00+01:00");
        assert_eq!(nine.at(&zone("Asia/Tokyo")), "2026-11-23T08:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_bare_date_is_a_whole_day() {
        assert_eq!(moment("2026-11-23").day(), Some("2026-11-23".parse().unwrap()));
        assert_eq!(Shown::day("2026-11-23".parse().unwrap()).as_str(), "Mon 2026-11-23");
    }

    #[test]
    fn a_skipped_time_moves_forward_and_says_so() {
        let berlin = zone("Europe/Berlin");
        let gap = moment("2026-03-29T02:30").resolve(&berlin);
        assert_eq!(Shown::new(gap.instant, &berlin).as_str(), "Sun 2026-03-29T03:30+02:00");
        assert!(gap.note.as_deref().unwrap().contains("does not exist in Europe/Berlin"), "{gap:?}");
    }

    #[test]
    fn a_repeated_time_is_the_first_and_says_so() {
        let berlin = zone("Europe/Berlin");
        let fold = moment("2026-10-25T02:30").resolve(&berlin);
        assert_eq!(Shown::new(fold.instant, &berlin).as_str(), "Sun 2026-10-25T02:30+02:00");
        assert!(fold.note.as_deref().unwrap().contains("happens twice"), "{fold:?}");
    }

    #[test]
    fn nonsense_is_answered_with_an_example() {
        let error = "tomorrow".parse::<Moment>().unwrap_err();
        assert!(error.contains("`tomorrow` is no time; write 2026-11-23T09:00"), "{error}");
        let error = "2026-02-30".parse::<Moment>().unwrap_err();
        assert!(error.contains("`2026-02-30`"), "{error}");
    }

    #[test]
    fn what_is_longer_than_any_time_or_zone_is_not_even_looked_up() {
        let long = "Europe/Berlin ".repeat(80_000);
        let error = long.parse::<Zone>().unwrap_err();
        assert!(error.contains("at most 64 bytes") && error.len() < 200, "{error}");
        let error = long.parse::<Moment>().unwrap_err();
        assert!(error.contains("at most 64 bytes") && error.len() < 200, "{error}");
        assert!(jiff::tz::db().available().all(|zone| zone.as_str().len() <= 40));
    }

    #[test]
    fn an_unknown_zone_gets_the_nearest_one() {
        let error = "Europe/Berlni".parse::<Zone>().unwrap_err();
        assert!(error.contains("did you mean `Europe/Berlin`"), "{error}");
        let error = "new york".parse::<Zone>().unwrap_err();
        assert!(error.contains("`America/New_York`"), "{error}");
    }

    /// Zones with whole-hour, half-hour and midnight changes, in both hemispheres.
    const ZONES: [&str; 6] =
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut", "Asia/Kolkata"];

    fn any_local() -> impl Strategy<Value = DateTime> {
        (2020_i16..2035, 1_i8..=12, 1_i8..=28, 0_i8..24, 0_i8..60)
            .prop_map(|(year, month, day, hour, minute)| jiff::civil::date(year, month, day).at(hour, minute, 0, 0))
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_meant_unless_a_note_says_otherwise(local in any_local(), pick in 0..ZONES.len()) {
            let zone = zone(ZONES[pick]);
            let resolved = Moment::Local(local).resolve(&zone);
            let back = zone.local(resolved.instant);
            match resolved.note {
                None => prop_assert_eq!(back, local),
                Some(note) if note.contains("does not exist") => prop_assert!(back > local),
                Some(_) => prop_assert_eq!(back, local),
            }
        }

        #[test]
        fn a_skipped_time_moves_by_the_length_of_the_gap(minute in 0_i8..60, year in 2020_i16..2035) {
            // The last Sunday of March, 02:00 to 03:00, does not exist in Berlin.
            let zone = zone("Europe/Berlin");
            let last = jiff::civil::date(year, 3, 31);
            let sunday = last.checked_sub(i64::from(last.weekday().to_sunday_zero_offset()).days()).unwrap();
            let resolved = Moment::Local(sunday.at(2, minute, 0, 0)).resolve(&zone);
            prop_assert_eq!(zone.local(resolved.instant), sunday.at(3, minute, 0, 0));
            prop_assert!(resolved.note.is_some());
        }

        #[test]
        fn a_later_local_time_is_never_an_earlier_instant(a in any_local(), b in any_local(), pick in 0..ZONES.len()) {
            let zone = zone(ZONES[pick]);
            let (first, second) = if a <= b { (a, b) } else { (b, a) };
            // Inside a gap, times move behind later ones; outside, order is kept.
            let (first, second) = (Moment::Local(first).resolve(&zone), Moment::Local(second).resolve(&zone));
            if first.note.is_none() && second.note.is_none() {
                prop_assert!(first.instant <= second.instant);
            }
        }

        #[test]
        fn any_text_is_a_moment_or_an_explanation(text in ".{0,40}") {
            if let Err(error) = text.parse::<Moment>() {
                prop_assert!(error.contains("is no time") || error.contains("takes at most"));
            }
        }
    }
}
