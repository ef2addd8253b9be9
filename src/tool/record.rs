//! Records of any shape as models read them: what it is, its name and id, and the fields that say something.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Answer, Left, Written};

/// How much of a field a line shows, in characters.
const LONGEST_IN_A_LINE: usize = 160;

/// How much of a field is shown at all, in characters.
const LONGEST: usize = 4000;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A record: a contact, a deal, a row.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Record {
    /// What it is, such as `Contact`.
    pub kind: String,
    /// Its id; other tools take it.
    pub id: String,
    /// What people call it.
    pub title: Written,
    /// Its fields that hold something.
    pub fields: Vec<Fact>,
}

/// A field and what it holds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Fact {
    /// The field's label.
    pub name: String,
    /// What it holds, as text.
    pub value: Written,
}

impl Fact {
    /// A field that holds something; `None` where it holds nothing.
    pub fn of(name: &str, value: Written) -> Option<Fact> {
        Some(Fact { name: name.to_owned(), value: value.non_empty()? })
    }

    /// `Stage: Won`.
    pub fn words(&self) -> String {
        format!("{}: {}", self.name, self.value)
    }

    /// All of a record on one line, behind what it is known by.
    pub fn line(head: &str, facts: &[Fact]) -> String {
        let facts: Vec<_> = facts.iter().map(Fact::words).collect();
        if facts.is_empty() { head.to_owned() } else { format!("{head}  {}", facts.join("; ")) }
    }

    /// The same with a line for each field.
    pub fn lines(head: &str, facts: &[Fact]) -> String {
        std::iter::once(head.to_owned()).chain(facts.iter().map(Fact::words)).collect::<Vec<_>>().join("\n")
    }
}

impl Record {
    /// A record without fields.
    pub fn new(kind: impl Into<String>, id: impl Into<String>, title: impl AsRef<str>) -> Self {
        let title = Written::by_others(title).line(200);
        Record { kind: kind.into(), id: id.into(), title, fields: Vec::new() }
    }

    /// The same with one field more, unless it holds nothing.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: &Value) -> Self {
        if let Some(value) = told(value) {
            self.fields.push(Fact { name: name.into(), value });
        }
        self
    }

    /// What a field holds.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
    }

    /// `Contact Ana Ruiz [id 7]: Title: Buyer; Email: ana@example.com`.
    pub fn line(&self) -> String {
        let facts = self.fields.iter().map(|fact| {
            let value = fact.value.clone().line(LONGEST_IN_A_LINE);
            format!("{}: {value}", fact.name)
        });
        let facts = facts.collect::<Vec<_>>().join("; ");
        if facts.is_empty() { self.head() } else { format!("{}: {facts}", self.head()) }
    }

    /// The same with a line for each field.
    pub fn block(&self) -> String {
        Fact::lines(&self.head(), &self.fields)
    }

    fn head(&self) -> String {
        let title = if self.title.as_str().is_empty() { String::new() } else { format!(" {}", self.title) };
        format!("{}{title} [id {}]", self.kind, self.id)
    }
}

impl Answer for Record {
    fn text(&self) -> String {
        self.block()
    }
}

/// A value as text; nothing for `null`, empty text and empty lists. Words may be anybody's; numbers, moments,
/// addresses and flags are only what they are.
pub fn told(value: &Value) -> Option<Written> {
    match value {
        Value::Null => None,
        Value::String(text) if is_datum(text) => Written::by_account(text).cut(LONGEST).non_empty(),
        Value::String(text) => Written::by_others(text).cut(LONGEST).non_empty(),
        Value::Number(number) => {
            // Some vendors write whole numbers as 12.0.
            let text = number.to_string();
            Some(Written::by_account(text.strip_suffix(".0").unwrap_or(&text)))
        }
        Value::Bool(flag) => Some(Written::by_account(flag.to_string())),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(told).map(|item| item.as_str().to_owned()).collect();
            told(&items.join("; ").into())
        }
        Value::Object(_) => Some(Written::by_others(value.to_string()).cut(LONGEST)),
    }
}

/// Whether a text is a number, a date, a phone number or an e-mail address: nothing that could be read as words.
fn is_datum(text: &str) -> bool {
    // Our own times begin with the weekday.
    let text = text.split_once(' ').filter(|(day, _)| WEEKDAYS.contains(day)).map_or(text, |(_, rest)| rest);
    let is_figure = |char: char| char.is_ascii_digit() || " .,:+-/()%TZ".contains(char);
    let is_address = |(user, host): (&str, &str)| {
        let is_part = |char: char| char.is_ascii_alphanumeric() || ".-_+".contains(char);
        !user.is_empty() && host.contains('.') && user.chars().chain(host.chars()).all(is_part)
    };
    text.len() <= 64 && (text.chars().all(is_figure) || text.split_once('@').is_some_and(is_address))
}

/// Some records of a list.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Records {
    /// In the order of the list.
    pub records: Vec<Record>,
    /// How many the whole list has, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What the caller should know.
    pub notes: Vec<String>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Answer for Records {
    fn text(&self) -> String {
        let shown = self.records.len();
        let total = self.total.filter(|total| *total > shown as u64).map(|total| format!("{shown} of {total}:"));
        let none = self.records.is_empty().then(|| "Nothing found.".to_owned());
        let lines = self.records.iter().map(Record::line);
        let more = Left::line(self.next_cursor.as_deref());
        total
            .into_iter()
            .chain(none)
            .chain(lines)
            .chain(self.notes.iter().cloned())
            .chain(more)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// What became of a record.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Saved {
    /// What happened.
    pub done: Saving,
    /// The record as it is now, with the fields that this is about.
    pub record: Record,
    /// What the caller should know.
    pub notes: Vec<String>,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Saving {
    /// It is new.
    Created,
    /// Something about it is different.
    Updated,
    /// It was as wished.
    Unchanged,
}

impl Saved {
    /// What happened to it.
    pub fn new(done: Saving, record: Record) -> Self {
        Saved { done, record, notes: Vec::new() }
    }

    /// The same with something that the caller should know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl Answer for Saved {
    fn text(&self) -> String {
        let done = match self.done {
            Saving::Created => "Created",
            Saving::Updated => "Updated",
            Saving::Unchanged => "Nothing to change",
        };
        let first = format!("{done}: {}", self.record.line());
        std::iter::once(first).chain(self.notes.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tool::fenced;

    fn record() -> Record {
        Record::new("Contact", "7", "Ana Ruiz")
            .with("Title", &json!("Buyer"))
            .with("E-mail", &json!("ana@example.com"))
            .with("Phone", &json!("+49 40 5550 1210"))
            .with("Fax", &Value::Null)
            .with("Note", &json!("  "))
            .with("Amount", &json!(480_000.0))
    }

    #[test]
    fn words_are_fenced_and_figures_are_not() {
        assert_eq!(
            fenced(&record().line()),
            "Contact ⟦Ana Ruiz⟧ [id 7]: Title: ⟦Buyer⟧; E-mail: ana@example.com; Phone: +49 40 5550 1210; \
             Amount: 480000"
        );
        assert!(is_datum("Mon 2026-11-23T09:00+01:00"));
        for words in ["Ignore all this", "ana@example.com now", "a@b", "12 robots", &"1".repeat(65)] {
            assert!(!is_datum(words), "{words}");
        }
    }

    #[test]
    fn what_holds_nothing_is_left_out() {
        assert_eq!(record().fields.len(), 4);
        assert_eq!(record().get("Amount"), Some("480000"));
        assert_eq!(record().block().lines().count(), 5);
    }

    #[test]
    fn a_list_says_how_much_there_is_and_how_it_goes_on() {
        let page = Records {
            records: vec![record()],
            total: Some(3),
            notes: vec!["Sorted by name.".into()],
            next_cursor: Some("abc".into()),
        };
        let text = page.text();
        assert!(text.starts_with("1 of 3:\nContact "), "{text}");
        assert!(text.ends_with("Sorted by name.\nMore: call again with cursor `abc`."), "{text}");
        assert_eq!(Records::default().text(), "Nothing found.");
    }
}
