//! Free-form fields: `{name, value}` pairs of text that become what a vendor's own fields hold.
//!
//! Schemas of free objects are not portable between models, so a tool that sets any field of a record takes a list of
//! [`Pair`]s. The vendor tells which fields there are and what they hold (describe calls, table metas, properties); an
//! integration turns that into [`Slot`]s, remembers them with [`Call::recall`](super::Call::recall), and lets [`typed`]
//! convert.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::{Error, Kind, Named, Result, one_of};
use crate::moment::{Moment, Zone};

/// How many allowed values an error names.
const MOST_CHOICES: usize = 20;

/// How many choices one field may hold. Each is looked up among all that there are.
const MOST_PARTS: usize = 500;

/// A field.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Pair {
    /// Name or label.
    pub name: String,
    /// Text; empty clears it.
    pub value: String,
}

/// A field of a record, as its vendor describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What requests call it, such as `CloseDate`.
    pub name: String,
    /// What people call it, such as `Close date`.
    pub label: String,
    /// What it holds.
    pub holds: Holds,
    /// Whether it can be set.
    pub is_writable: bool,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Any text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A calendar day.
    Day,
    /// A moment.
    Moment,
    /// One of these; anything else as well when it is not closed.
    One(Vec<Choice>, Closed),
    /// Some of these, which `;` separates in a pair.
    Many(Vec<Choice>, Closed),
}

/// Whether a list of choices is all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The vendor refuses anything else.
    Yes,
    /// The vendor takes anything else, too.
    No,
}

/// A value that a field allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What requests call it.
    pub value: String,
    /// What people call it.
    pub label: String,
}

impl Named for &Slot {
    fn id(&self) -> &str {
        &self.name
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.label, &self.name]
    }
}

impl Named for &Choice {
    fn id(&self) -> &str {
        &self.value
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.label, &self.value]
    }
}

impl Slot {
    /// The choices, where there are any.
    pub fn choices(&self) -> &[Choice] {
        match &self.holds {
            Holds::One(choices, _) | Holds::Many(choices, _) => choices,
            _ => &[],
        }
    }

    /// What it holds, in a word for people.
    pub fn kind(&self) -> &'static str {
        match &self.holds {
            Holds::Text => "text",
            Holds::Whole => "whole number",
            Holds::Number => "number",
            Holds::Flag => "true or false",
            Holds::Day => "day",
            Holds::Moment => "time",
            Holds::One(..) => "choice",
            Holds::Many(..) => "choices",
        }
    }

    /// `text` as JSON: a number, a flag, an RFC 3339 moment in UTC, the value of a choice. Empty text is `null`, which
    /// clears a field. `zone` is that of a time without an offset.
    ///
    /// # Errors
    /// [`Kind::Arguments`] with what the field wants.
    pub fn convert(&self, text: &str, zone: &Zone) -> Result<Value> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        match &self.holds {
            Holds::Text => Ok(text.into()),
            Holds::Whole => whole(text).ok_or_else(|| self.wants(text, "a whole number such as 12")),
            Holds::Number => number(text).ok_or_else(|| self.wants(text, "a number such as 1200.50")),
            Holds::Flag => flag(text).ok_or_else(|| self.wants(text, "true or false")),
            Holds::Day => day(text, zone).ok_or_else(|| self.wants(text, "a day such as 2026-11-23")),
            Holds::Moment => {
                let moment: Moment = text.parse().map_err(|_| self.wants(text, "a time such as 2026-11-23T09:00"))?;
                Ok(moment.at(zone).to_string().into())
            }
            Holds::One(choices, closed) => self.choose(text, choices, *closed).map(Value::from),
            Holds::Many(choices, closed) => {
                let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
                if parts.clone().nth(MOST_PARTS).is_some() {
                    return Err(self.wants(text, &format!("at most {MOST_PARTS} choices")));
                }
                parts.map(|part| self.choose(part, choices, *closed).map(Value::from)).collect()
            }
        }
    }

    fn choose(&self, text: &str, choices: &[Choice], closed: Closed) -> Result<String> {
        match one_of("value", text, choices) {
            Ok(choice) => Ok(choice.value.clone()),
            Err(error) if error.kind() == Kind::Ambiguous => Err(error),
            Err(_) if closed == Closed::No => Ok(text.to_owned()),
            Err(_) => {
                let labels = choices.iter().take(MOST_CHOICES).map(|choice| choice.label.as_str());
                let more = if choices.len() > MOST_CHOICES { ", …" } else { "" };
                Err(self.wants(text, &format!("one of {}{more}", labels.collect::<Vec<_>>().join(", "))))
            }
        }
    }

    fn wants(&self, text: &str, what: &str) -> Error {
        let text: String = text.chars().take(80).collect();
        Error::arguments([format!("`{}` cannot be `{text}`: it is {what}", self.label)])
    }
}

/// The fields that `pairs` set, by what requests call them. `noun` is what the record is, such as `contact`.
///
/// ```
/// use switchboard::{moment::Zone, tool::{Holds, Pair, Slot, typed}};
///
/// let amount = Slot { name: "Amount".into(), label: "Amount".into(), holds: Holds::Number, is_writable: true };
/// let pairs = [Pair { name: "amount".into(), value: "1200.50".into() }];
/// let fields = typed("deal", &pairs, &[amount], &Zone::utc()).unwrap();
/// assert_eq!(fields["Amount"], 1200.5);
/// ```
///
/// # Errors
/// A field that is not there, with the nearest; one that cannot be set or is there twice; a value that does not fit.
pub fn typed(noun: &str, pairs: &[Pair], slots: &[Slot], zone: &Zone) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    for pair in pairs {
        let slot = one_of(&format!("{noun} field"), &pair.name, slots)?;
        if !slot.is_writable {
            return Err(Error::arguments([format!("`{}` of a {noun} cannot be set", slot.label)]));
        }
        if fields.insert(slot.name.clone(), slot.convert(&pair.value, zone)?).is_some() {
            return Err(Error::arguments([format!("`{}` is given twice", slot.label)]));
        }
    }
    Ok(fields)
}

/// A whole number as JSON; the largest that every vendor's JSON carries exactly is 2⁵³.
fn whole(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().map(Value::from)
}

fn number(text: &str) -> Option<Value> {
    whole(text).or_else(|| Number::from_f64(text.parse().ok()?).map(Value::from))
}

fn flag(text: &str) -> Option<Value> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true.into()),
        "false" | "no" | "0" => Some(false.into()),
        _ => None,
    }
}

/// A day as it is, or the day on which a moment falls.
fn day(text: &str, zone: &Zone) -> Option<Value> {
    let moment: Moment = text.parse().ok()?;
    Some(moment.day().unwrap_or_else(|| zone.day_of(moment.at(zone))).to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slot(name: &str, label: &str, holds: Holds) -> Slot {
        Slot { name: name.into(), label: label.into(), holds, is_writable: true }
    }

    fn choices() -> Vec<Choice> {
        let choice = |value: &str, label: &str| Choice { value: value.into(), label: label.into() };
        vec![choice("won", "Closed won"), choice("lost", "Closed lost")]
    }

    fn slots() -> Vec<Slot> {
        vec![
            slot("Name", "Name", Holds::Text),
            slot("Employees__c", "Employees", Holds::Whole),
            slot("Amount", "Deal amount", Holds::Number),
            slot("IsHot", "Hot", Holds::Flag),
            slot("CloseDate", "Close date", Holds::Day),
            slot("CallAt", "Call at", Holds::Moment),
            slot("Stage", "Stage", Holds::One(choices(), Closed::Yes)),
            slot("Source", "Source", Holds::One(choices(), Closed::No)),
            slot("Tags", "Tags", Holds::Many(choices(), Closed::Yes)),
            Slot { is_writable: false, ..slot("Id", "Record id", Holds::Text) },
        ]
    }

    fn given(pairs: &[(&str, &str)]) -> Result<Map<String, Value>> {
        let pair = |(name, value): &(&str, &str)| Pair { name: (*name).into(), value: (*value).into() };
        let pairs: Vec<_> = pairs.iter().map(pair).collect();
        typed("deal", &pairs, &slots(), &"Europe/Berlin".parse().unwrap())
    }

    #[track_caller]
    fn check(name: &str, value: &str, expected: Result<(&str, Value), &str>) {
        match (given(&[(name, value)]), expected) {
            (Ok(fields), Ok((field, expected))) => assert_eq!(fields[field], expected, "{name} {value}"),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (outcome, _) => panic!("{name} {value}: {outcome:?}"),
        }
    }

    #[test]
    fn text_becomes_what_the_field_holds() {
        check("Name", " Ana ", Ok(("Name", json!("Ana"))));
        check("employees", "12", Ok(("Employees__c", json!(12))));
        check("Deal Amount", "1200.5", Ok(("Amount", json!(1200.5))));
        check("Amount", "480000", Ok(("Amount", json!(480_000))));
        check("hot", "yes", Ok(("IsHot", json!(true))));
        check("close date", "2026-11-23", Ok(("CloseDate", json!("2026-11-23"))));
        check("CloseDate", "2026-11-23T23:30Z", Ok(("CloseDate", json!("2026-11-24"))));
        check("CallAt", "2026-11-23T09:00", Ok(("CallAt", json!("2026-11-23T08:00:00Z"))));
        check("stage", "closed WON", Ok(("Stage", json!("won"))));
        check("source", "A fair", Ok(("Source", json!("A fair"))));
        check("tags", "Closed won; lost", Ok(("Tags", json!(["won", "lost"]))));
        check("name", "", Ok(("Name", Value::Null)));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        check("employees", "many", Err("`Employees` cannot be `many`: it is a whole number such as 12."));
        check("amount", "12 EUR", Err("a number such as 1200.50"));
        check("amount", "NaN", Err("a number such as 1200.50"));
        check("hot", "maybe", Err("true or false"));
        check("close date", "soon", Err("a day such as 2026-11-23"));
        check("call at", "soon", Err("a time such as"));
        check("stage", "signed", Err("one of Closed won, Closed lost"));
        check("tags", "won;new", Err("one of Closed won, Closed lost"));
        check("record id", "7", Err("cannot be set"));
        check("closedate_", "2026-11-23", Err("There is no deal field `closedate_`. Did you mean ⟦Close date⟧"));
    }

    #[test]
    fn a_field_is_set_once() {
        let error = given(&[("stage", "won"), ("Stage", "lost")]).unwrap_err();
        assert!(error.to_string().contains("`Stage` is given twice"), "{error}");
    }
}
