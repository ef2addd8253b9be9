//! The tables in which a twin declares what it accepts, and the strict check against them.

use jiff::{Timestamp, civil};
use serde_json::{Map, Value};

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any string.
    Text,
    /// A string that is a calendar date, `2026-11-23`.
    Date,
    /// A string that is an RFC 3339 moment with an offset.
    Moment,
    /// A whole number within bounds, both included.
    Integer(i64, i64),
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// An object with these fields and no others.
    Object(&'static [Field]),
    /// An array; in a query a parameter that may be repeated.
    List(&'static Kind),
    /// An object with free names.
    Map(&'static Kind),
    /// Anything at all.
    Anything,
}

/// A named value: a query parameter or a field of a body.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, as it goes over the wire.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether a request without it is refused.
    pub required: bool,
}

impl Field {
    /// A field that may be left out.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        let required = false;
        Field { name, kind, required }
    }

    /// A field that must be there.
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        let required = true;
        Field { name, kind, required }
    }
}

/// What is wrong with a value, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The way to the value: `attendees[0].email`.
    pub at: String,
    /// What is wrong with it.
    pub fault: Misfitting,
}

/// The ways in which a value does not fit its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfitting {
    /// The table has no such name.
    Unknown,
    /// It has to be there and is not.
    Missing,
    /// It is of another type or out of range.
    Wrong {
        /// What was sent, shortened.
        got: String,
        /// What would have been right.
        wants: String,
    },
}

/// Checks a JSON object against a table, to every depth. `nulls` says whether `null` counts as "not there".
pub fn check_object(object: &Map<String, Value>, fields: &[Field], nulls: bool) -> Result<(), Misfit> {
    check_fields(object, fields, nulls, "")
}

/// Checks the pairs of a query, or of a form, against a table.
pub fn check_pairs(pairs: &[(String, String)], fields: &[Field]) -> Result<(), Misfit> {
    for (position, (name, text)) in pairs.iter().enumerate() {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Err(misfit(name, Misfitting::Unknown));
        };
        let repeated = pairs[..position].iter().any(|(earlier, _)| earlier == name);
        let kind = match field.kind {
            Kind::List(item) => *item,
            _ if repeated => return Err(wrong(name, text, "it only once")),
            kind => kind,
        };
        check_text(text, kind).map_err(|wants| wrong(name, text, &wants))?;
    }
    match missing(fields, |name| pairs.iter().any(|(sent, _)| sent == name)) {
        Some(name) => Err(misfit(name, Misfitting::Missing)),
        None => Ok(()),
    }
}

fn missing(fields: &[Field], is_there: impl Fn(&str) -> bool) -> Option<&'static str> {
    let mut required = fields.iter().filter(|field| field.required).map(|field| field.name);
    required.find(|name| !is_there(name))
}

fn check_fields(object: &Map<String, Value>, fields: &[Field], nulls: bool, at: &str) -> Result<(), Misfit> {
    for (name, value) in object {
        let here = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Err(misfit(&here, Misfitting::Unknown));
        };
        if !(nulls && value.is_null() && !field.required) {
            check_value(value, field.kind, nulls, &here)?;
        }
    }
    match missing(fields, |name| object.contains_key(name)) {
        Some(name) if at.is_empty() => Err(misfit(name, Misfitting::Missing)),
        Some(name) => Err(misfit(&format!("{at}.{name}"), Misfitting::Missing)),
        None => Ok(()),
    }
}

fn check_value(value: &Value, kind: Kind, nulls: bool, at: &str) -> Result<(), Misfit> {
    match (kind, value) {
        (Kind::Anything, _) | (Kind::Boolean, Value::Bool(_)) | (Kind::Number, Value::Number(_)) => Ok(()),
        (Kind::Integer(least, most), Value::Number(number)) => match number.as_i64() {
            Some(number) if (least..=most).contains(&number) => Ok(()),
            _ => Err(wrong(at, &number.to_string(), &wanted(kind))),
        },
        (Kind::Text | Kind::Date | Kind::Moment | Kind::Choice(_), Value::String(text)) => {
            check_text(text, kind).map_err(|wants| wrong(at, text, &wants))
        }
        (Kind::Object(fields), Value::Object(object)) => check_fields(object, fields, nulls, at),
        (Kind::Map(item), Value::Object(object)) => {
            let mut there = object.iter().filter(|(_, value)| !(nulls && value.is_null()));
            there.try_for_each(|(name, value)| check_value(value, *item, nulls, &format!("{at}.{name}")))
        }
        (Kind::List(item), Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| check_value(value, *item, nulls, &format!("{at}[{index}]"))),
        _ => Err(wrong(at, &value.to_string(), &wanted(kind))),
    }
}

/// Checks a text, as it stands in a query or in a JSON string. The error is what would have been right.
fn check_text(text: &str, kind: Kind) -> Result<(), String> {
    let fits = match kind {
        Kind::Text | Kind::Anything => true,
        Kind::Date => text.parse::<civil::Date>().is_ok() && text.len() == 10,
        Kind::Moment => text.parse::<Timestamp>().is_ok(),
        Kind::Integer(least, most) => text.parse().is_ok_and(|number| (least..=most).contains(&number)),
        Kind::Number => text.parse::<f64>().is_ok(),
        Kind::Boolean => matches!(text, "true" | "false"),
        Kind::Choice(choices) => choices.contains(&text),
        Kind::Object(_) | Kind::List(_) | Kind::Map(_) => false,
    };
    if fits { Ok(()) } else { Err(wanted(kind)) }
}

fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Text => "a string".into(),
        Kind::Date => "a date such as 2026-11-23".into(),
        Kind::Moment => "a moment with an offset such as 2026-11-23T09:00:00+01:00".into(),
        Kind::Integer(least, most) => format!("a whole number from {least} to {most}"),
        Kind::Number => "a number".into(),
        Kind::Boolean => "true or false".into(),
        Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
        Kind::Object(_) | Kind::Map(_) => "an object".into(),
        Kind::List(_) => "an array".into(),
        Kind::Anything => "a value".into(),
    }
}

fn misfit(at: &str, fault: Misfitting) -> Misfit {
    let at = at.to_owned();
    Misfit { at, fault }
}

fn wrong(at: &str, got: &str, wants: &str) -> Misfit {
    let got = got.chars().take(80).collect();
    let wants = wants.to_owned();
    misfit(at, Misfitting::Wrong { got, wants })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GUEST: &[Field] = &[Field::required("email", Kind::Text), Field::optional("optional", Kind::Boolean)];
    const EVENT: &[Field] = &[
        Field::optional("summary", Kind::Text),
        Field::optional("guests", Kind::List(&Kind::Object(GUEST))),
        Field::optional("labels", Kind::Map(&Kind::Text)),
        Field::optional("height", Kind::Integer(0, 9)),
    ];

    #[track_caller]
    fn check(body: &Value, wrong_at: Option<&str>) {
        let found = check_object(body.as_object().unwrap(), EVENT, true);
        assert_eq!(found.err().map(|misfit| misfit.at).as_deref(), wrong_at, "{body}");
    }

    #[test]
    fn a_body_is_checked_to_every_depth() {
        check(&json!({"summary": "a", "guests": [{"email": "b"}], "labels": {"c": "d"}}), None);
        check(&json!({"summary": null, "labels": {"c": null}}), None);
        check(&json!({"sumary": "a"}), Some("sumary"));
        check(&json!({"summary": 1}), Some("summary"));
        check(&json!({"guests": {"email": "b"}}), Some("guests"));
        check(&json!({"guests": [{"email": "b"}, {"email": "b", "x": 1}]}), Some("guests[1].x"));
        check(&json!({"guests": [{}]}), Some("guests[0].email"));
        check(&json!({"labels": {"c": 1}}), Some("labels.c"));
        check(&json!({"height": 10}), Some("height"));
        check(&json!({"height": "5"}), Some("height"));
    }

    #[test]
    fn a_query_is_checked_by_name_type_and_number() {
        const QUERY: &[Field] = &[
            Field::required("from", Kind::Moment),
            Field::optional("kind", Kind::List(&Kind::Choice(&["a", "b"]))),
            Field::optional("limit", Kind::Integer(1, 50)),
        ];
        let check = |query: &[(&str, &str)]| {
            let pairs: Vec<_> = query.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            check_pairs(&pairs, QUERY).map_err(|misfit| misfit.at)
        };
        let from = ("from", "2026-11-23T09:00:00+01:00");
        assert_eq!(check(&[from, ("kind", "a"), ("kind", "b"), ("limit", "50")]), Ok(()));
        assert_eq!(check(&[]), Err("from".into()));
        assert_eq!(check(&[("from", "2026-11-23T09:00:00")]), Err("from".into()));
        assert_eq!(check(&[from, ("limit", "51")]), Err("limit".into()));
        assert_eq!(check(&[from, ("limit", "1"), ("limit", "1")]), Err("limit".into()));
        assert_eq!(check(&[from, ("kind", "c")]), Err("kind".into()));
        assert_eq!(check(&[from, ("form", "x")]), Err("form".into()));
    }
}
