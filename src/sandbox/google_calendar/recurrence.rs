//! Recurring events: the subset of RFC 5545 rules that the twin knows, and the starts that follow from them.

use jiff::{
    Span, Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

/// How far a series without an end is followed.
const LONGEST: usize = 730;

/// How often something comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    step: Step,
    interval: i64,
    count: Option<usize>,
    until: Option<End>,
    days: Vec<Weekday>,
    /// Starts that are left out.
    left_out: Vec<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Day,
    Week,
    Month,
    Year,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Day(Date),
    Moment(Timestamp),
}

/// The last start of a series, for the tests that hold it to its bounds.
pub fn last(rule: &str) -> String {
    let lines: Vec<_> = rule.lines().collect();
    let starts = Recurrence::read(&lines, &TimeZone::UTC)
        .map(|series| series.starts(DateTime::constant(2026, 11, 24, 9, 15, 0, 0), &TimeZone::UTC));
    format!("{:?}", starts.map(|starts| starts.last().copied()))
}

impl Recurrence {
    /// Reads the lines of an event's `recurrence`. `zone` is the one for times that name none.
    pub fn read(lines: &[&str], zone: &TimeZone) -> Result<Self, String> {
        let (mut rule, mut left_out) = (None, vec![]);
        for line in lines {
            let (head, values) = line.split_once(':').ok_or_else(|| format!("{line} is no rule"))?;
            match head.split(';').next() {
                Some("RRULE") if rule.is_none() => rule = Some(read_rule(values, zone)?),
                Some("EXDATE") => left_out.extend(read_dates(head, values, zone)?),
                _ => return Err(format!("{line} is not one RRULE or an EXDATE, which are all the sandbox knows")),
            }
        }
        let rule = rule.ok_or("there is no RRULE")?;
        Ok(Recurrence { left_out, ..rule })
    }

    /// The local starts of a series, soonest first, at most 730 of them.
    pub fn starts(&self, first: DateTime, zone: &TimeZone) -> Vec<DateTime> {
        let moment = |start: DateTime| zone.to_ambiguous_zoned(start).compatible().ok().map(|zoned| zoned.timestamp());
        let is = |end: &End, start: DateTime| match *end {
            End::Day(day) => start.date() == day,
            End::Moment(instant) => moment(start) == Some(instant),
        };
        let within = |start: &DateTime| match self.until {
            None => true,
            Some(End::Day(day)) => start.date() <= day,
            Some(End::Moment(end)) => moment(*start).is_some_and(|instant| instant <= end),
        };
        // COUNT counts the starts that are left out, too (RFC 5545 §3.3.10).
        let all = self.candidates(first).take_while(within).take(self.count.unwrap_or(LONGEST).min(LONGEST));
        all.filter(|start| !self.left_out.iter().any(|end| is(end, *start))).collect()
    }

    fn candidates(&self, first: DateTime) -> Box<dyn Iterator<Item = DateTime> + '_> {
        let steps = (0_i64..100_000).map_while(move |step| step.checked_mul(self.interval));
        let wanted = move |start: &DateTime| self.days.is_empty() || self.days.contains(&start.weekday());
        match self.step {
            Step::Day => Box::new(
                steps.map_while(move |days| first.checked_add(Span::new().try_days(days).ok()?).ok()).filter(wanted),
            ),
            Step::Week => Box::new(steps.flat_map(move |weeks| self.week(first, weeks))),
            Step::Month => Box::new(steps.filter_map(move |months| same_day(first, months))),
            Step::Year => Box::new(steps.filter_map(move |years| same_day(first, years.checked_mul(12)?))),
        }
    }

    /// The starts in the week that is `weeks` after the first one's; weeks begin on Monday.
    fn week(&self, first: DateTime, weeks: i64) -> Vec<DateTime> {
        let back = i64::from(first.weekday().to_monday_zero_offset());
        let day = |offset: i64| {
            let days = weeks.checked_mul(7)?.checked_add(offset - back)?;
            first.checked_add(Span::new().try_days(days).ok()?).ok()
        };
        let on = |start: &DateTime| match self.days.as_slice() {
            [] => start.weekday() == first.weekday(),
            days => days.contains(&start.weekday()),
        };
        let week = (0..7).filter_map(day).filter(on);
        week.filter(|start| *start >= first).collect()
    }
}

/// The same day `months` later, if that month has one.
fn same_day(first: DateTime, months: i64) -> Option<DateTime> {
    let later = first.checked_add(Span::new().try_months(months).ok()?).ok()?;
    (later.day() == first.day()).then_some(later)
}

fn read_rule(values: &str, zone: &TimeZone) -> Result<Recurrence, String> {
    let (mut step, mut interval, mut count, mut until, mut days) = (None, 1, None, None, vec![]);
    for part in values.split(';') {
        let bad = || format!("{part} is not understood by the sandbox");
        let (name, value) = part.split_once('=').ok_or_else(bad)?;
        match name {
            "FREQ" => step = Some(read_step(value).ok_or_else(bad)?),
            "INTERVAL" => interval = value.parse().ok().filter(|number| *number > 0).ok_or_else(bad)?,
            "COUNT" => count = Some(value.parse().ok().filter(|number| *number > 0).ok_or_else(bad)?),
            "UNTIL" => until = Some(read_end(value, zone).ok_or_else(bad)?),
            "BYDAY" => days = value.split(',').map(read_day).collect::<Option<_>>().ok_or_else(bad)?,
            "WKST" if value == "MO" => {}
            _ => return Err(bad()),
        }
    }
    let step = step.ok_or("the rule has no FREQ")?;
    if !days.is_empty() && matches!(step, Step::Month | Step::Year) {
        return Err("BYDAY goes with DAILY and WEEKLY only, as far as the sandbox knows".into());
    }
    let left_out = vec![];
    Ok(Recurrence { step, interval, count, until, days, left_out })
}

fn read_step(text: &str) -> Option<Step> {
    match text {
        "DAILY" => Some(Step::Day),
        "WEEKLY" => Some(Step::Week),
        "MONTHLY" => Some(Step::Month),
        "YEARLY" => Some(Step::Year),
        _ => None,
    }
}

fn read_day(text: &str) -> Option<Weekday> {
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let offset = names.iter().position(|name| *name == text)?;
    Weekday::from_monday_zero_offset(i8::try_from(offset).ok()?).ok()
}

fn read_dates(head: &str, values: &str, zone: &TimeZone) -> Result<Vec<End>, String> {
    let named = head.split(';').find_map(|part| part.strip_prefix("TZID="));
    let zone = match named {
        Some(name) => TimeZone::get(name).map_err(|_| format!("{name} is no time zone"))?,
        None => zone.clone(),
    };
    let read = |value| read_end(value, &zone).ok_or_else(|| format!("{value} is no date"));
    values.split(',').map(read).collect()
}

/// `20261123`, `20261123T090000Z` or, in the zone, `20261123T090000`.
fn read_end(text: &str, zone: &TimeZone) -> Option<End> {
    if text.len() == 8 {
        return Date::strptime("%Y%m%d", text).ok().map(End::Day);
    }
    let (local, zone) = match text.strip_suffix('Z') {
        Some(local) => (local, &TimeZone::UTC),
        None => (text, zone),
    };
    let local = DateTime::strptime("%Y%m%dT%H%M%S", local).ok()?;
    let zoned = zone.to_ambiguous_zoned(local).compatible().ok()?;
    Some(End::Moment(zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(rule: &str, expected: &[&str]) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let lines: Vec<_> = rule.split('\n').collect();
        let recurrence = Recurrence::read(&lines, &zone).unwrap();
        // A Tuesday.
        let first = "2026-11-24T09:15:00".parse().unwrap();
        let starts = recurrence.starts(first, &zone);
        let starts: Vec<_> = starts.iter().take(5).map(|start| start.date().to_string()).collect();
        assert_eq!(starts, expected, "{rule}");
    }

    #[test]
    fn rules_lead_to_starts() {
        check("RRULE:FREQ=DAILY;COUNT=3", &["2026-11-24", "2026-11-25", "2026-11-26"]);
        check("RRULE:FREQ=DAILY;INTERVAL=3;COUNT=2", &["2026-11-24", "2026-11-27"]);
        check("RRULE:FREQ=WEEKLY;COUNT=2", &["2026-11-24", "2026-12-01"]);
        check("RRULE:FREQ=WEEKLY;BYDAY=MO,TU,TH;COUNT=4", &["2026-11-24", "2026-11-26", "2026-11-30", "2026-12-01"]);
        check("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=2", &["2026-12-07", "2026-12-21"]);
        check("RRULE:FREQ=DAILY;BYDAY=FR;COUNT=2", &["2026-11-27", "2026-12-04"]);
        check("RRULE:FREQ=MONTHLY;COUNT=2", &["2026-11-24", "2026-12-24"]);
        check("RRULE:FREQ=YEARLY;UNTIL=20281231", &["2026-11-24", "2027-11-24", "2028-11-24"]);
    }

    #[test]
    fn an_end_is_the_last_start_it_includes() {
        check("RRULE:FREQ=DAILY;UNTIL=20261125T081500Z", &["2026-11-24", "2026-11-25"]);
        check("RRULE:FREQ=DAILY;UNTIL=20261125T081459Z", &["2026-11-24"]);
        check("RRULE:FREQ=DAILY;UNTIL=20261125", &["2026-11-24", "2026-11-25"]);
    }

    #[test]
    fn days_can_be_left_out_and_still_count() {
        check("RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20261125T091500", &["2026-11-24", "2026-11-26"]);
    }

    proptest! {
        #[test]
        fn starts_only_go_forward_and_never_past_their_number(
            step in prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
            interval in 1_u32..60, count in 1_usize..40, day in 1_i8..=28, month in 1_i8..=12, hour in 0_i8..24,
        ) {
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let rule = format!("RRULE:FREQ={step};INTERVAL={interval};COUNT={count}");
            let first = jiff::civil::date(2026, month, day).at(hour, 30, 0, 0);
            let starts = Recurrence::read(&[&rule], &zone).unwrap().starts(first, &zone);
            prop_assert_eq!(starts.len(), count);
            prop_assert_eq!(starts[0], first);
            prop_assert!(starts.is_sorted_by(|one, next| one < next));
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for rule in [
            "",
            "RRULE:FREQ=HOURLY",
            "RRULE:COUNT=1",
            "RRULE:FREQ=MONTHLY;BYDAY=1MO",
            "RDATE:20261125",
            "RRULE:FREQ=DAILY;INTERVAL=0",
        ] {
            assert!(Recurrence::read(&[rule], &TimeZone::UTC).is_err(), "{rule}");
        }
    }
}
