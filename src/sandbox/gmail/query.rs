//! Gmail's query language, as far as people use it most.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{Gmail, mail::Mail};

/// A query, taken apart: all of these must fit.
pub struct Query(Vec<Term>);

enum Term {
    Not(Box<Term>),
    /// Any of these.
    Any(Vec<Term>),
    /// A modifier and its value; without a name a word.
    Is(String, String),
}

/// What is made of a query, for the tests that hold it to its bounds.
pub fn read(text: &str) -> String {
    Query::read(text).0.len().to_string()
}

impl Query {
    pub fn read(text: &str) -> Query {
        let mut words = words(text).into_iter();
        let mut terms: Vec<Term> = vec![];
        while let Some(word) = words.next() {
            match word.as_str() {
                "OR" => {
                    let (Some(first), Some(second)) = (terms.pop(), words.next()) else { continue };
                    terms.push(Term::Any(vec![first, term(&second)]));
                }
                "{" => {
                    let inside = words.by_ref().take_while(|word| word != "}").map(|word| term(&word));
                    terms.push(Term::Any(inside.collect()));
                }
                "(" | ")" | "}" | "AND" => {}
                word => terms.push(term(word)),
            }
        }
        Query(terms)
    }

    /// Whether the query itself looks into spam and trash.
    pub fn looks_everywhere(&self) -> bool {
        let is_such = |term: &Term| matches!(term, Term::Is(name, value) if name == "in" && ["anywhere", "trash", "spam"].contains(&value.as_str()));
        self.0.iter().any(is_such)
    }

    pub fn fits(&self, gmail: &Gmail, mail: &Mail, now: Timestamp) -> bool {
        self.0.iter().all(|term| term.fits(gmail, mail, now))
    }
}

fn term(word: &str) -> Term {
    // A second minus takes the first one back; a minus alone is a word.
    let bare = word.trim_start_matches('-');
    let minuses = word.len() - bare.len();
    let (word, is_not) = if bare.is_empty() { ("-", minuses.is_multiple_of(2)) } else { (bare, minuses % 2 == 1) };
    let term = plain_term(word);
    if is_not { Term::Not(Box::new(term)) } else { term }
}

fn plain_term(word: &str) -> Term {
    let known = [
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "in",
        "is",
        "label",
        "has",
        "rfc822msgid",
        "after",
        "before",
        "newer_than",
        "older_than",
        "filename",
    ];
    match word.split_once(':').filter(|(name, _)| known.contains(name)) {
        Some((name, value)) => Term::Is(name.to_owned(), value.trim_matches('"').to_lowercase()),
        None => Term::Is(String::new(), word.trim_matches('"').to_lowercase()),
    }
}

impl Term {
    fn fits(&self, gmail: &Gmail, mail: &Mail, now: Timestamp) -> bool {
        match self {
            Term::Not(term) => !term.fits(gmail, mail, now),
            Term::Any(terms) => terms.iter().any(|term| term.fits(gmail, mail, now)),
            Term::Is(name, value) => is(name, value, gmail, mail, now),
        }
    }
}

fn is(name: &str, value: &str, gmail: &Gmail, mail: &Mail, now: Timestamp) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(value);
    let at = Timestamp::from_millisecond(mail.at).unwrap_or_default();
    match name {
        "from" | "cc" | "bcc" | "subject" => holds(mail.header(name)),
        "to" => ["to", "cc", "bcc"].iter().any(|name| holds(mail.header(name))),
        "rfc822msgid" => {
            mail.header("message-id").trim_matches(['<', '>']).eq_ignore_ascii_case(value.trim_matches(['<', '>']))
        }
        "is" => match value {
            "read" => !mail.has_label("UNREAD"),
            state => mail.has_label(&state.to_uppercase()),
        },
        "in" if value == "anywhere" => true,
        "in" if value == "drafts" => mail.has_label("DRAFT"),
        "in" | "label" => gmail.labels.iter().any(|label| label.is_called(value) && mail.has_label(&label.id)),
        "has" => value == "attachment" && !mail.attachments.is_empty(),
        "filename" => mail.attachments.iter().any(|file| holds(&file.name)),
        "after" => day(value).is_none_or(|day| at >= day),
        "before" => day(value).is_none_or(|day| at < day),
        "newer_than" => age(value).is_none_or(|age| at >= now - age),
        "older_than" => age(value).is_none_or(|age| at < now - age),
        _ => ["from", "to", "subject"].iter().any(|name| holds(mail.header(name))) || holds(&mail.text()),
    }
}

/// Words and brackets; what stands in quotation marks stays together.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = String::new();
    let mut quoted = false;
    for sign in text.chars() {
        match sign {
            '"' => {
                quoted = !quoted;
                word.push(sign);
            }
            _ if quoted => word.push(sign),
            '{' | '}' | '(' | ')' => {
                words.push(std::mem::take(&mut word));
                words.push(sign.to_string());
            }
            _ if sign.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(sign),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn day(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    let date: Date = text.replace('/', "-").parse().ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp())
}

fn age(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let days = match unit {
        "d" => 1,
        "m" => 30,
        "y" => 365,
        _ => return None,
    };
    let number = number.parse::<i64>().ok().filter(|number| (0..=1000).contains(number))?;
    Some(SignedDuration::from_hours(24 * days * number))
}
