//! Finds in a written text what people say in another way: moments, amounts, numbers, addresses, ids.

use jiff::civil::{Date, Time};

use super::money::{Amount, Number};

/// Longer runs of letters and digits are no id that anybody would spell.
const LONGEST_RUN: usize = 128;

/// A day, a time of day, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The day.
    pub day: Option<Date>,
    /// The time.
    pub time: Option<Time>,
}

/// A text that is read from its beginning to its end. What is tried and is not there leaves it where it was.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Reader { text, at: 0 }
    }

    /// Whether everything was read.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Whether a word, a number or a sign of one can begin here.
    pub fn is_at_word(&self) -> bool {
        !self.text[..self.at].ends_with(|letter: char| letter.is_alphanumeric())
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next letter.
    pub fn next(&mut self) -> Option<char> {
        let letter = self.rest().chars().next()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    /// Reads so many bytes if nothing that belongs to them follows.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = &self.rest()[..length];
        self.at += length;
        taken
    }

    /// The bytes up to the first letter that does not fit, at most so many.
    fn run(&self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.char_indices().find(|(at, letter)| *at >= LONGEST_RUN || !fits(*letter));
        &rest[..end.map_or(rest.len(), |(at, _)| at)]
    }

    /// Passes over an id in brackets: `[recA1b2]`, `[id abc]`.
    pub fn id_in_brackets(&mut self) -> bool {
        let Some(inner) = self.rest().strip_prefix('[') else { return false };
        let Some(end) = inner.char_indices().take(LONGEST_RUN).find(|(_, letter)| *letter == ']').map(|(at, _)| at)
        else {
            return false;
        };
        let id = &inner[..end];
        let bare = id.strip_prefix("id ").or_else(|| id.strip_prefix("id: "));
        let has_digit = id.contains(|letter: char| letter.is_ascii_digit());
        let is_id = bare.is_some() || has_digit && !id.contains(char::is_whitespace);
        if is_id {
            self.take(end + 2);
        }
        is_id
    }

    /// A day with or without its weekday and a time, or a time.
    pub fn moment(&mut self) -> Option<Moment> {
        let begin = self.at;
        self.skip_weekday();
        let day = self.date();
        if day.is_none() {
            self.at = begin;
        }
        let time = self.time(day.is_some());
        if day.is_none() && time.is_none() {
            return None;
        }
        if self.rest().starts_with(|letter: char| letter.is_alphanumeric()) {
            self.at = begin;
            return None;
        }
        Some(Moment { day, time })
    }

    /// The end of a time that begins at `from`: `/`, `-`, `–` or "to" and another moment.
    pub fn end_of(&mut self, from: &Moment) -> Option<Moment> {
        let begin = self.at;
        let joints = [" to ", " until ", " - ", " – ", "–", "-", "/", "..", " / "];
        let joint = joints.into_iter().find(|joint| self.rest().starts_with(joint))?;
        self.take(joint.len());
        let end = self.moment().filter(|end| end.time.is_some() == from.time.is_some());
        if end.is_none() {
            self.at = begin;
        }
        end
    }

    /// A short name of a weekday counts only in front of a date.
    fn skip_weekday(&mut self) {
        let word = self.run(char::is_alphabetic);
        let is_weekday = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            .iter()
            .any(|name| word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        if is_weekday && word.len() <= 9 {
            self.take(word.len());
            let gap = self.run(|letter| matches!(letter, ' ' | ',')).len().min(2);
            self.take(gap);
        }
    }

    fn date(&mut self) -> Option<Date> {
        let text = self.rest().get(..10)?;
        let is_date = text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        let date = if is_date { text.parse().ok()? } else { return None };
        self.take(10);
        Some(date)
    }

    /// `T08:00:00.5+01:00[Europe/Berlin]`, or only `08:00`. The zone is the one that everybody there has in mind.
    fn time(&mut self, is_after_date: bool) -> Option<Time> {
        let begin = self.at;
        let is_iso = is_after_date && self.skip(&["T", "t"]);
        if is_after_date && !is_iso && !self.skip(&[" at ", ", ", " "]) {
            return None;
        }
        let Some(time) = self.clock() else {
            self.at = begin;
            return None;
        };
        // Elsewhere `-10:30` behind a time is the end of it.
        if is_iso {
            self.skip_zone();
        }
        Some(time)
    }

    fn clock(&mut self) -> Option<Time> {
        let text = self.rest().get(..5)?;
        let (hour, minute) = text.split_once(':')?;
        let is_clock = hour.len() == 2 && text.bytes().all(|byte| byte == b':' || byte.is_ascii_digit());
        let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok().filter(|_| is_clock)?;
        self.take(5);
        let seconds = self.run(|letter| matches!(letter, ':' | '.' | '0'..='9'));
        if seconds.len() >= 3 && seconds.starts_with(':') && !seconds.ends_with(['.', ':']) {
            self.take(seconds.len());
        }
        Some(time)
    }

    fn skip(&mut self, beginnings: &[&str]) -> bool {
        let found = beginnings.iter().find(|beginning| self.rest().starts_with(**beginning));
        if let Some(found) = found {
            self.take(found.len());
        }
        found.is_some()
    }

    fn skip_zone(&mut self) {
        if self.rest().starts_with(['Z', 'z']) {
            self.take(1);
        } else if self.rest().starts_with(['+', '-', '−']) {
            let sign = self.rest().chars().next().map_or(0, char::len_utf8);
            let offset = self.rest().get(sign..sign + 5).unwrap_or_default();
            let is_offset = offset.len() == 5
                && offset
                    .bytes()
                    .enumerate()
                    .all(|(at, byte)| if at == 2 { byte == b':' } else { byte.is_ascii_digit() });
            if is_offset && !self.rest()[sign + 5..].starts_with(|letter: char| letter.is_ascii_digit()) {
                self.take(sign + 5);
            }
        }
        if self.rest().starts_with('[') {
            let name = self.rest().char_indices().take(64).find(|(_, letter)| *letter == ']');
            if let Some((end, _)) = name {
                self.take(end + 1);
            }
        }
    }

    /// A link.
    pub fn url(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '<' | '>' | ')' | ']' | '|');
        let whole = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let whole = whole.trim_end_matches(['.', ',', ';', ':', '?', '!']);
        if whole.len() <= scheme.len() { None } else { Some(self.take(whole.len())) }
    }

    /// An e-mail address.
    pub fn email(&mut self) -> Option<&'a str> {
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+');
        let whole = self.run(|letter| is_part(letter) || letter == '@');
        let whole = whole.trim_end_matches(['.', '-', '_', '+']);
        let (local, domain) = whole.split_once('@')?;
        let is_domain = domain.contains('.') && !domain.contains('@') && !domain.starts_with('.');
        if local.is_empty() || !is_domain { None } else { Some(self.take(whole.len())) }
    }

    /// A number with its currency in front or behind.
    pub fn amount(&mut self) -> Option<Amount> {
        let begin = self.at;
        let amount = self.amount_after_currency().or_else(|| {
            self.at = begin;
            self.amount_before_currency()
        });
        if amount.is_none() {
            self.at = begin;
        }
        amount
    }

    fn amount_after_currency(&mut self) -> Option<Amount> {
        let is_negative = self.skip(&["-", "−"]);
        let currency = self.currency()?;
        self.skip(&[" ", "\u{a0}"]);
        let mut number = self.number().filter(|number| !number.is_percent)?;
        number.is_negative |= is_negative;
        Some(Amount { number, currency })
    }

    fn amount_before_currency(&mut self) -> Option<Amount> {
        let number = self.number().filter(|number| !number.is_percent)?;
        self.skip(&[" ", "\u{a0}", "\u{202f}"]);
        let currency = self.currency()?;
        let is_whole = !self.rest().starts_with(|letter: char| letter.is_alphanumeric());
        is_whole.then_some(Amount { number, currency })
    }

    /// A sign, or a code of three capital letters that is known for one.
    fn currency(&mut self) -> Option<String> {
        const CODES: [&str; 14] =
            ["USD", "EUR", "GBP", "CHF", "JPY", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "BRL", "MXN"];
        let found = ["US$", "$", "€", "£", "¥"].into_iter().chain(CODES).find(|one| self.rest().starts_with(one))?;
        Some(self.take(found.len()).to_owned())
    }

    /// A telephone number: with a plus, or in groups, of seven digits and more.
    pub fn telephone(&mut self) -> Option<&'a str> {
        let whole = self.run(|letter| letter.is_ascii_digit() || matches!(letter, '+' | ' ' | '(' | ')' | '-' | '/'));
        let whole = whole.trim_end_matches([' ', '(', '-', '/']);
        let digits = whole.bytes().filter(u8::is_ascii_digit).count();
        let has_plus = whole.starts_with('+');
        let has_groups = whole.starts_with(['(', '0']) && whole.contains([' ', '-', '/', ')']);
        let begins = whole.starts_with(|letter: char| letter.is_ascii_digit() || letter == '+' || letter == '(');
        let is_one = begins && (7..=15).contains(&digits) && (has_plus || has_groups) && !whole[1..].contains('+');
        let ends = !self.rest()[whole.len()..].starts_with(|letter: char| letter.is_alphanumeric());
        if is_one && ends { Some(self.take(whole.len())) } else { None }
    }

    /// A number that stands by itself.
    pub fn number(&mut self) -> Option<Number> {
        let begin = self.at;
        let is_negative = self.skip(&["-", "−"]);
        let whole = self.run(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','));
        let whole = whole.trim_end_matches(['.', ',']);
        let parts = whole.starts_with(|letter: char| letter.is_ascii_digit()).then(|| parts(whole)).flatten();
        let Some((digits, fraction)) = parts else {
            self.at = begin;
            return None;
        };
        self.take(whole.len());
        let is_percent = self.skip(&["%", " %", "\u{a0}%"]);
        let next = self.rest().chars().next();
        // "3rd", "v2" and "10x" are words.
        if next.is_some_and(|letter| letter.is_alphanumeric() && !is_percent) || next == Some('_') {
            self.at = begin;
            return None;
        }
        Some(Number { is_negative, whole: digits, fraction, is_percent })
    }

    /// A run of letters and digits that nobody reads as a word.
    pub fn id(&mut self) -> Option<&'a str> {
        let run = self.run(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'));
        let run = run.trim_end_matches(['-', '_']);
        let has = |is: fn(&u8) -> bool| run.bytes().any(|byte| is(&byte));
        let changes =
            run.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        let is_id = is_mixed && (run.contains('_') || run.len() >= 6 && (changes >= 2 || run.len() >= 8));
        let ends = !self.rest()[run.len()..].starts_with(|letter: char| letter.is_alphanumeric());
        if is_id && ends { Some(self.take(run.len())) } else { None }
    }

    /// A word, which is said as it is written.
    pub fn word(&mut self) -> Option<&'a str> {
        let word = self.run(char::is_alphanumeric);
        if word.is_empty() { None } else { Some(self.take(word.len())) }
    }
}

/// The digits of the whole part and of the fraction. `,` and `.` are told apart by where they stand, because both ways
/// of writing are in use: groups have three digits, and the last sign of two kinds parts the fraction.
fn parts(text: &str) -> Option<(String, String)> {
    let only = |text: &str| text.bytes().filter(u8::is_ascii_digit).map(char::from).collect::<String>();
    let Some(last) = text.rfind(['.', ',']) else { return Some((text.to_owned(), String::new())) };
    let (head, tail) = (&text[..last], &text[last + 1..]);
    let sign = text.as_bytes()[last];
    let has_other = head.bytes().any(|byte| matches!(byte, b'.' | b',') && byte != sign);
    let has_same = head.as_bytes().contains(&sign);
    let is_grouped = |part: &str| {
        let mut groups = part.split(['.', ',']);
        let first = groups.next().unwrap_or_default();
        !first.is_empty() && first.len() <= 3 && groups.all(|group| group.len() == 3)
    };
    match () {
        // 1,234,567 and 1.234.567
        () if has_same && !has_other => is_grouped(text).then(|| (only(text), String::new())),
        // 1,234.50 and 1.234,50
        () if has_other => (!has_same && is_grouped(head)).then(|| (only(head), only(tail))),
        // 1,234
        () if sign == b',' && tail.len() == 3 && is_grouped(text) && head != "0" => Some((only(text), String::new())),
        // 12.5, 12,5 and 1.234, which tools write for a fraction
        () => Some((head.to_owned(), only(tail))),
    }
}
