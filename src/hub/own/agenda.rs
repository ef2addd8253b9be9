//! A day's meetings in every calendar of the caller.

use std::str::FromStr;

use jiff::{Timestamp, ToSpan, civil::Date};
use serde_json::{Map, Value, json};

use super::shelf::Tool;
use crate::{
    moment::{Shown, Zone},
    tool::{Call, Error, Outcome, Result},
};

/// How many meetings of a day are shown.
const MOST: u32 = 50;
/// How many days are suggested.
const DAYS: i64 = 14;

/// Which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    Today,
    Tomorrow,
    That(Date),
}

impl Day {
    /// The date in `zone`.
    fn date(self, now: Timestamp, zone: &Zone) -> Date {
        let today = zone.day_of(now);
        match self {
            Day::Today => today,
            Day::Tomorrow => crate::moment::day_after(today),
            Day::That(date) => date,
        }
    }
}

impl FromStr for Day {
    type Err = Error;

    fn from_str(text: &str) -> Result<Day> {
        match text.trim().to_lowercase().as_str() {
            "" | "today" => Ok(Day::Today),
            "tomorrow" => Ok(Day::Tomorrow),
            other => other.parse().map(Day::That).map_err(|_| {
                Error::arguments(["a day is `today`, `tomorrow`, or a date such as 2026-11-23".to_owned()])
            }),
        }
    }
}

/// Days that begin with what is typed.
pub(super) fn days(now: Timestamp, typed: &str) -> Vec<String> {
    let today = Zone::of_this_machine().day_of(now);
    let dates = (0..DAYS).filter_map(|ahead| Some(today.checked_add(ahead.days()).ok()?.to_string()));
    let all = ["today".to_owned(), "tomorrow".to_owned()].into_iter().chain(dates);
    all.filter(|day| day.starts_with(typed.trim())).collect()
}

/// The agenda as text. One calendar that does not answer does not hide the others; when there is only one, its failure
/// is the answer.
pub(super) async fn read(cx: &Call, calendars: &[Tool], day: Day) -> Result<String> {
    let offered = cx.offered().await?;
    let calendars: Vec<&Tool> = calendars.iter().filter(|calendar| offered.contains(&calendar.name)).collect();
    let mut parts = Vec::new();
    for calendar in &calendars {
        match meetings(cx, &calendar.name, day).await {
            Ok((date, outcome)) => parts.push((calendar.vendor, Some(date), outcome.joined_text())),
            Err(error) if calendars.len() == 1 => return Err(error),
            Err(error) => parts.push((calendar.vendor, None, format!("It did not answer. {error}"))),
        }
    }
    Ok(written(&parts))
}

fn written(parts: &[(&str, Option<Date>, String)]) -> String {
    let date = parts.iter().find_map(|(_, date, _)| *date);
    let title = date.map_or_else(|| "# Agenda".to_owned(), |date| format!("# Agenda of {}", Shown::day(date)));
    let sections = parts.iter().map(|(vendor, _, text)| match parts.len() {
        1 => text.clone(),
        _ => format!("## {vendor}\n\n{text}"),
    });
    std::iter::once(title).chain(sections).collect::<Vec<_>>().join("\n\n")
}

/// What is on that day in one calendar. Which day it is there, only the calendar's own zone tells: where this machine
/// is in another one, it may have to be asked a second time.
async fn meetings(cx: &Call, tool: &str, day: Day) -> Result<(Date, Outcome)> {
    let date = day.date(cx.now(), &Zone::of_this_machine());
    let outcome = cx.look(tool, window(date)).await?;
    let zone = outcome.structured.as_ref().and_then(|answer| answer["time_zone"].as_str()?.parse::<Zone>().ok());
    match zone.map(|zone| day.date(cx.now(), &zone)).filter(|there| *there != date) {
        Some(there) => Ok((there, cx.look(tool, window(there)).await?)),
        None => Ok((date, outcome)),
    }
}

fn window(date: Date) -> Map<String, Value> {
    let Value::Object(window) = json!({"start": date.to_string(), "end": date.to_string(), "limit": MOST}) else {
        unreachable!("it is an object");
    };
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_words_or_dates() {
        assert_eq!("Today".parse::<Day>().unwrap(), Day::Today);
        assert_eq!(" tomorrow ".parse::<Day>().unwrap(), Day::Tomorrow);
        assert_eq!("2026-11-23".parse::<Day>().unwrap(), Day::That("2026-11-23".parse().unwrap()));
        for wrong in ["yesterday-ish", "2026-13-01", "23.11.2026"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_typed_narrows_the_days() {
        let now = "2026-11-23T07:00:00Z".parse().unwrap();
        assert_eq!(days(now, "to"), ["today", "tomorrow"]);
        assert_eq!(days(now, "2026-11-2").len(), 7);
        assert!(days(now, "x").is_empty());
    }

    #[test]
    fn several_calendars_have_a_heading_each() {
        let date = "2026-11-23".parse().ok();
        let one = written(&[("One", date, "10:00 Review".into())]);
        assert_eq!(one, "# Agenda of Mon 2026-11-23\n\n10:00 Review");
        let two = written(&[("One", None, "It did not answer.".into()), ("Two", date, "No meetings.".into())]);
        assert_eq!(two, "# Agenda of Mon 2026-11-23\n\n## One\n\nIt did not answer.\n\n## Two\n\nNo meetings.");
    }
}
