//! Days and times as people say them, there and back.

use jiff::{
    ToSpan,
    civil::{Date, Time},
};

use crate::sandbox::days;

const UNITS: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

const ORDINALS: &[&str] = &[
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
];

/// A number in digits or in a word.
pub(super) fn number(word: &str) -> Option<i8> {
    let tens = [("thirty", 30), ("forty", 40), ("fifty", 50)];
    let unit = UNITS.iter().position(|unit| *unit == word).and_then(|at| i8::try_from(at).ok());
    let ten = tens.iter().find(|(name, _)| *name == word).map(|(_, ten)| *ten);
    unit.or(ten).or_else(|| word.parse().ok()).filter(|number| *number >= 0)
}

/// A day that is named. A weekday is the next one after today.
pub(super) fn day(words: &[&str], today: Date) -> Option<Date> {
    let has = |word: &str| words.contains(&word);
    let says = |phrase: &[&str]| words.windows(phrase.len()).any(|window| window == phrase);
    if says(&["day", "after", "tomorrow"]) {
        return Some(today.saturating_add(2.days()));
    }
    if has("tomorrow") {
        return Some(today.saturating_add(1.day()));
    }
    if has("today") || has("tonight") || says(&["this", "morning"]) || says(&["this", "afternoon"]) {
        return Some(today);
    }
    let written = words.iter().find_map(|word| word.parse::<Date>().ok());
    written.or_else(|| of_month(words, today)).or_else(|| weekday(words, today))
}

fn weekday(words: &[&str], today: Date) -> Option<Date> {
    let wanted = days::weekday(|name| words.contains(&name))?;
    today.nth_weekday(1, wanted).ok()
}

/// `December 14`, `the 14th of December`: this year's, or next year's when it is over.
fn of_month(words: &[&str], today: Date) -> Option<Date> {
    let (at, month) = words.iter().enumerate().find_map(|(at, word)| Some((at, days::month(|name| name == *word)?)))?;
    let near = [at.checked_sub(1), at.checked_sub(2), Some(at + 1), Some(at + 2)];
    let day = near.into_iter().flatten().filter_map(|at| words.get(at)).find_map(|word| ordinal(word))?;
    let this_year = Date::new(today.year(), month, day).ok()?;
    if this_year < today { Date::new(today.year() + 1, month, day).ok() } else { Some(this_year) }
}

fn ordinal(word: &str) -> Option<i8> {
    let plain = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).and_then(number);
    let named = ORDINALS.iter().position(|name| *name == word).and_then(|at| i8::try_from(at + 1).ok());
    named.or(plain).or_else(|| number(word))
}

/// The days that are meant, first and last.
pub(super) fn days(words: &[&str], today: Date) -> Option<(Date, Date)> {
    let says = |phrase: &[&str]| words.windows(phrase.len()).any(|window| window == phrase);
    let to_sunday = i64::from(7 - today.weekday().to_monday_one_offset());
    let sunday = today.saturating_add(to_sunday.days());
    if says(&["next", "week"]) {
        return Some((sunday.saturating_add(1.day()), sunday.saturating_add(7.days())));
    }
    if says(&["this", "week"]) {
        return Some((today, sunday));
    }
    if words.contains(&"weekend") {
        return Some((sunday.saturating_sub(1.day()), sunday));
    }
    day(words, today).map(|day| (day, day))
}

/// A time of day that is named.
pub(super) fn time(words: &[&str]) -> Option<Time> {
    (0..words.len()).find_map(|at| time_at(words, at))
}

fn time_at(words: &[&str], at: usize) -> Option<Time> {
    let word = words[at];
    let next = |ahead: usize| words.get(at + ahead).copied().unwrap_or_default();
    match word {
        "noon" | "midday" => return Time::new(12, 0, 0, 0).ok(),
        "midnight" => return Time::new(0, 0, 0, 0).ok(),
        "half" if next(1) == "past" => return of(number(next(2))?, 30, words),
        "quarter" if next(1) == "past" => return of(number(next(2))?, 15, words),
        "quarter" if next(1) == "to" => return of(number(next(2))? - 1, 45, words),
        _ => {}
    }
    if let Some((hour, minute)) = word.split_once(':') {
        let minute = minute.trim_end_matches(['a', 'p', 'm']);
        return of(hour.parse().ok()?, minute.parse().ok()?, words);
    }
    if let Some(hour) = word.strip_suffix("pm").or_else(|| word.strip_suffix("am")).and_then(number) {
        return of(hour, 0, words);
    }
    let hour = number(word).filter(|hour| *hour < 24)?;
    if ["minute", "minutes", "hour", "hours", "days", "weeks"].contains(&next(1)) {
        return None;
    }
    let is_marked = ["am", "pm", "oclock"].contains(&next(1)) || next(1) == "in" && next(2) == "the";
    let before = at.checked_sub(1).map(|at| words[at]).unwrap_or_default();
    let is_led = ["at", "around", "by", "from", "until", "till", "to", "for"].contains(&before);
    let minute = number(next(1)).filter(|minute| [10, 15, 20, 30, 40, 45, 50].contains(minute));
    let is_alone = words.len() <= 2;
    if is_marked || is_led || is_alone || minute.is_some() {
        return of(hour, minute.unwrap_or(0), words);
    }
    None
}

/// The time, with the half of the day that is said or else the one in which people work.
fn of(hour: i8, minute: i8, words: &[&str]) -> Option<Time> {
    let has = |any: &[&str]| words.iter().any(|word| any.contains(word));
    let ends =
        |end: &str| words.iter().any(|word| word.ends_with(end) && word.starts_with(|c: char| c.is_ascii_digit()));
    let is_late = has(&["pm", "afternoon", "evening", "tonight"]) || ends("pm");
    // "Am I free" is no time of day.
    let is_am = |pair: &[&str]| pair[1] == "am" && (pair[0].contains(':') || number(pair[0]).is_some());
    let is_early = has(&["morning"]) || words.windows(2).any(is_am) || ends("am");
    let hour = match hour {
        12 if is_early => 0,
        1..=11 if is_late => hour + 12,
        1..=6 if !is_early => hour + 12,
        _ => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

/// How long something is to last, in minutes.
pub(super) fn minutes(words: &[&str]) -> Option<i64> {
    let at = words.iter().position(|word| ["minute", "minutes", "hour", "hours"].contains(word))?;
    let unit = if words[at].starts_with("hour") { 60 } else { 1 };
    match at.checked_sub(1).map(|at| words[at])? {
        "an" | "a" if at >= 2 && words[at - 2] == "half" => Some(30),
        "an" | "a" => Some(unit),
        count => number(count).map(|count| i64::from(count) * unit),
    }
}

/// A time as it is said: `9:15`, `2 pm`.
pub(super) fn clock(time: Time) -> String {
    let (hour, half) = match time.hour() {
        0 => (12, "am"),
        hour @ 1..=11 => (hour, "am"),
        12 => (12, "pm"),
        hour => (hour - 12, "pm"),
    };
    match time.minute() {
        0 => format!("{hour} {half}"),
        minute => format!("{hour}:{minute:02} {half}"),
    }
}

/// A day as it is said: `today`, `tomorrow`, `on Monday`, `on Monday, December 14`.
pub(super) fn day_name(day: Date, today: Date) -> String {
    match (day - today).get_days() {
        -1 => "yesterday".into(),
        0 => "today".into(),
        1 => "tomorrow".into(),
        2..=6 => day.strftime("on %A").to_string(),
        _ => day.strftime("on %A, %B %-d").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time as at};

    use super::{super::english::Said, *};

    /// A Saturday.
    const TODAY: Date = date(2026, 11, 28);

    fn day_of(text: &str) -> Option<Date> {
        day(&Said::new(text).lows(), TODAY)
    }

    fn time_of(text: &str) -> Option<Time> {
        time(&Said::new(text).lows())
    }

    #[test]
    fn days_are_understood() {
        for (text, expected) in [
            ("what is today", date(2026, 11, 28)),
            ("tomorrow at 3", date(2026, 11, 29)),
            ("the day after tomorrow", date(2026, 11, 30)),
            ("on Monday", date(2026, 11, 30)),
            ("next Saturday", date(2026, 12, 5)),
            ("on December 14", date(2026, 12, 14)),
            ("the 14th of December", date(2026, 12, 14)),
            ("on the first of March", date(2027, 3, 1)),
            ("2027-01-02", date(2027, 1, 2)),
        ] {
            assert_eq!(day_of(text), Some(expected), "{text}");
        }
        assert_eq!(day_of("at 3"), None);
        assert_eq!(days(&["next", "week"], TODAY), Some((date(2026, 11, 30), date(2026, 12, 6))));
    }

    #[test]
    fn times_are_understood() {
        for (text, expected) in [
            ("tomorrow at 10", at(10, 0, 0, 0)),
            ("tomorrow at ten", at(10, 0, 0, 0)),
            ("at 3", at(15, 0, 0, 0)),
            ("at three in the afternoon", at(15, 0, 0, 0)),
            ("3 p.m.", at(15, 0, 0, 0)),
            ("3pm", at(15, 0, 0, 0)),
            ("at 8 pm", at(20, 0, 0, 0)),
            ("at six in the morning", at(6, 0, 0, 0)),
            ("half past nine", at(9, 30, 0, 0)),
            ("quarter to four", at(15, 45, 0, 0)),
            ("at ten thirty", at(10, 30, 0, 0)),
            ("at 14:15", at(14, 15, 0, 0)),
            ("four o'clock", at(16, 0, 0, 0)),
            ("am I free tomorrow at 3", at(15, 0, 0, 0)),
            ("at 3 am", at(3, 0, 0, 0)),
            ("at noon for 30 minutes", at(12, 0, 0, 0)),
            ("Ten.", at(10, 0, 0, 0)),
        ] {
            assert_eq!(time_of(text), Some(expected), "{text}");
        }
        for text in ["for 45 minutes", "with two people from Contoso", "tomorrow", "in 3 days"] {
            assert_eq!(time_of(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_are_understood() {
        let of = |text: &str| minutes(&Said::new(text).lows());
        assert_eq!(of("for 45 minutes"), Some(45));
        assert_eq!(of("for an hour"), Some(60));
        assert_eq!(of("for half an hour"), Some(30));
        assert_eq!(of("two hours"), Some(120));
        assert_eq!(of("at ten"), None);
    }

    #[test]
    fn days_and_times_are_said() {
        assert_eq!(clock(at(9, 15, 0, 0)), "9:15 am");
        assert_eq!(clock(at(14, 0, 0, 0)), "2 pm");
        assert_eq!(clock(at(12, 0, 0, 0)), "12 pm");
        assert_eq!(day_name(date(2026, 11, 29), TODAY), "tomorrow");
        assert_eq!(day_name(date(2026, 12, 2), TODAY), "on Wednesday");
        assert_eq!(day_name(date(2026, 12, 14), TODAY), "on Monday, December 14");
    }
}
