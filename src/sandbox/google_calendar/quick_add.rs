//! Events from one sentence: "Lunch with Ana tomorrow at noon", "Review on 2026-11-25 3pm-4pm".

use jiff::{
    SignedDuration, ToSpan, Zoned,
    civil::{Date, DateTime, Time, Weekday},
};
use serde_json::json;

use super::{
    GoogleCalendar, errors,
    event::{Event, Point},
};
use crate::sandbox::{
    days,
    twin::{Call, Outcome},
};

/// What a sentence says.
#[derive(Debug, Default, PartialEq)]
struct Sentence {
    title: Vec<String>,
    date: Option<Date>,
    start: Option<Time>,
    end: Option<Time>,
    minutes: Option<i64>,
}

/// `events.quickAdd`
pub fn quick_add(world: &mut GoogleCalendar, call: &Call<'_>) -> Outcome {
    let calendar = world.writable(call.segment("calendarId"))?.clone();
    let text = call.query("text").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(errors::required("Missing text."));
    }
    let now = call.now.to_zoned(calendar.zone());
    let event = read(text, now.date()).event(&now);
    world.add(&calendar, event, call)
}

/// The title that a sentence gives, for the tests that hold it to its bounds.
pub fn title(text: &str) -> String {
    read(text, Date::constant(2026, 11, 23)).title.join(" ")
}

impl Sentence {
    /// The event it describes: an hour long, or the whole day when it names no time.
    fn event(&self, now: &Zoned) -> Event {
        let date = self.date.unwrap_or_else(|| now.date());
        let (start, end) = match self.start {
            None => (Point::Day(date), Point::Day(date.saturating_add(1.day()))),
            Some(time) => self.moments(date, time, now),
        };
        let mut event = Event(serde_json::Map::new());
        event.set("summary", self.title.join(" "));
        event.set("start", start.write(None));
        event.set("end", end.write(None));
        event.set("reminders", json!({ "useDefault": true }));
        event
    }

    fn moments(&self, date: Date, time: Time, now: &Zoned) -> (Point, Point) {
        let zone = now.time_zone();
        let at = |local: DateTime| local.to_zoned(zone.clone()).unwrap_or_else(|_| now.clone());
        let start = at(date.to_datetime(time));
        let end = match self.end {
            Some(end) if end > time => at(date.to_datetime(end)),
            // An end that is not after the start is on the next day.
            Some(end) => at(date.saturating_add(1.day()).to_datetime(end)),
            None => start.saturating_add(SignedDuration::from_mins(self.minutes.unwrap_or(60))),
        };
        (Point::Moment(start), Point::Moment(end))
    }
}

/// Takes dates and times out of a sentence; what is left is the title.
fn read(text: &str, today: Date) -> Sentence {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut sentence = Sentence::default();
    let mut at = 0;
    while at < words.len() {
        let rest = &words[at..];
        // A preposition goes with the date or time that follows it and stays in the title otherwise.
        let skipped = usize::from(is_joint(rest[0]));
        match sentence.take(&rest[skipped..], today) {
            0 => {
                sentence.title.push(rest[0].to_owned());
                at += 1;
            }
            taken => at += skipped + taken,
        }
    }
    sentence
}

impl Sentence {
    /// Takes a date, a time or a length from the front. Returns how many words it was.
    fn take(&mut self, words: &[&str], today: Date) -> usize {
        let dated = date(words, today).filter(|_| self.date.is_none());
        if let Some((date, taken)) = dated {
            self.date = Some(date);
            return taken;
        }
        let lasting = length(words).filter(|_| self.minutes.is_none());
        if let Some((minutes, taken)) = lasting {
            self.minutes = Some(minutes);
            return taken;
        }
        match (span(words), self.start) {
            (Some((start, end, taken)), None) => {
                (self.start, self.end) = (Some(start), end);
                taken
            }
            (Some((end, None, taken)), Some(_)) if self.end.is_none() => {
                self.end = Some(end);
                taken
            }
            _ => 0,
        }
    }
}

fn is_joint(word: &str) -> bool {
    let word = word.to_lowercase();
    matches!(word.as_str(), "on" | "at" | "from" | "to" | "until" | "next" | "this" | "for" | "-" | "–")
}

fn date(words: &[&str], today: Date) -> Option<(Date, usize)> {
    let word = plain(words.first()?);
    match word.as_str() {
        "today" | "tonight" => return Some((today, 1)),
        "tomorrow" => return Some((today.saturating_add(1.day()), 1)),
        _ => {}
    }
    if word.len() == 10 && word.contains('-') {
        return Some((word.parse().ok()?, 1));
    }
    if let Some(weekday) = weekday(&word) {
        return Some((today.nth_weekday(1, weekday).ok()?, 1));
    }
    let other = plain(words.get(1)?);
    let number = |text: &str| text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).parse::<i8>().ok();
    let (month, day) = match (month(&word), month(&other)) {
        (Some(month), _) => (month, number(&other)?),
        (None, Some(month)) => (month, number(&word)?),
        (None, None) => return None,
    };
    let this_year = Date::new(today.year(), month, day).ok()?;
    let next_year = || Date::new(today.year() + 1, month, day).ok();
    let date = if this_year < today { next_year()? } else { this_year };
    Some((date, 2))
}

fn weekday(word: &str) -> Option<Weekday> {
    days::weekday(|name| name == word || name[..3] == *word)
}

fn month(word: &str) -> Option<i8> {
    days::month(|name| name == word || name[..3] == *word)
}

/// `30 minutes`, `2 hours`, `1h`, `45min`.
fn length(words: &[&str]) -> Option<(i64, usize)> {
    let word = plain(words.first()?);
    let digits = word.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.len());
    let number: i64 = word[..digits].parse().ok()?;
    let (unit, taken) = if digits < word.len() { (word[digits..].to_owned(), 1) } else { (plain(words.get(1)?), 2) };
    let minutes = match unit.as_str() {
        "m" | "min" | "mins" | "minute" | "minutes" => number,
        "h" | "hour" | "hours" => number.checked_mul(60)?,
        _ => return None,
    };
    (1..=1440).contains(&minutes).then_some((minutes, taken))
}

/// A time, or two with a dash between them: `3pm-4pm`, `3-4pm`, `15:00–16:30`, `noon`.
fn span(words: &[&str]) -> Option<(Time, Option<Time>, usize)> {
    let word = plain(words.first()?);
    if let Some((start, end)) = word.split_once(['-', '–']) {
        let end_time = time(end)?;
        let half = if end.ends_with("pm") { "pm" } else { "am" };
        let start = time(start).or_else(|| time(&format!("{start}{half}")))?;
        return Some((start, Some(end_time), 1));
    }
    if let Some(half) = words.get(1).map(|half| plain(half)).filter(|half| half == "am" || half == "pm")
        && let Some(time) = time(&format!("{word}{half}"))
    {
        return Some((time, None, 2));
    }
    Some((time(&word)?, None, 1))
}

fn time(word: &str) -> Option<Time> {
    match word {
        "noon" => return Time::new(12, 0, 0, 0).ok(),
        "midnight" => return Some(Time::midnight()),
        _ => {}
    }
    let (clock, half) = match word.strip_suffix("pm") {
        Some(clock) => (clock, Some(12)),
        None => word.strip_suffix("am").map_or((word, None), |clock| (clock, Some(0))),
    };
    let (hour, minute) = match (clock.split_once(':'), half) {
        (Some((hour, minute)), _) => (hour, minute),
        (None, Some(_)) => (clock, "0"),
        // A bare number is no time: "Sync 4 teams".
        (None, None) => return None,
    };
    let (hour, minute) = (hour.parse::<i8>().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

fn plain(word: &str) -> String {
    word.trim_matches(|letter: char| matches!(letter, ',' | '.' | ';')).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, title: &str, start: &str, end: &str) {
        // A Monday morning.
        let now: Zoned = "2026-11-23T08:00:00[Europe/Berlin]".parse().unwrap();
        let event = read(text, now.date()).event(&now);
        let point = |name: &str| {
            let point = &event.0[name];
            let text = point["dateTime"].as_str().or(point["date"].as_str());
            text.unwrap().trim_end_matches(":00+01:00").to_owned()
        };
        assert_eq!((event.title(), &*point("start"), &*point("end")), (title, start, end), "{text}");
    }

    #[test]
    fn sentences_become_events() {
        check("Lunch with Ana tomorrow at noon", "Lunch with Ana", "2026-11-24T12:00", "2026-11-24T13:00");
        check("Review on 2026-11-25 3pm-4pm", "Review", "2026-11-25T15:00", "2026-11-25T16:00");
        check("Call Jonas at 3:30pm for 45 minutes", "Call Jonas", "2026-11-23T15:30", "2026-11-23T16:15");
        check("Demo Friday 3-4:30pm", "Demo", "2026-11-27T15:00", "2026-11-27T16:30");
        check("Demo next Monday from 10:00 to 11:30", "Demo", "2026-11-30T10:00", "2026-11-30T11:30");
        check("Visit on November 26 at 9 am", "Visit", "2026-11-26T09:00", "2026-11-26T10:00");
        check("Visit 3 March", "Visit", "2027-03-03", "2027-03-04");
        check("Night shift today 23:00-01:00", "Night shift", "2026-11-23T23:00", "2026-11-24T01:00");
    }

    #[test]
    fn words_that_are_no_time_stay_in_the_title() {
        check("Talk to 4 teams on strategy", "Talk to 4 teams on strategy", "2026-11-23", "2026-11-24");
        check("Dinner at Luigi tomorrow 19:00", "Dinner at Luigi", "2026-11-24T19:00", "2026-11-24T20:00");
    }
}
