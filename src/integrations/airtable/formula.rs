//! Conditions as Airtable's formulas, with names and texts escaped.

use super::{
    cells::{read_flag, read_number},
    place::Place,
    wire::Field,
    wrong,
};
use crate::{
    moment::Moment,
    tool::{Condition, Error, Result, Test},
};

/// What the values of a field are to a formula.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Text,
    Number,
    Flag,
    Day,
    Moment,
    List,
}

/// The formula of all conditions and of one that is given as a formula.
pub(super) fn filter(place: &Place, conditions: &[Condition], formula: Option<&str>) -> Result<Option<String>> {
    let mut all = Vec::new();
    for condition in conditions {
        all.push(formula_of(condition, place.field(&condition.name)?)?);
    }
    all.extend(formula.map(str::trim).filter(|formula| !formula.is_empty()).map(str::to_owned));
    Ok(match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(format!("AND({})", all.join(", "))),
    })
}

/// Any of these formulas.
pub(super) fn any(tests: &[String]) -> String {
    format!("OR({})", tests.join(", "))
}

/// Whether a field has a text in it, without regard to case.
pub(super) fn has(field: &Field, wanted: &str) -> String {
    format!("FIND(LOWER({}), LOWER({}&\"\"))>0", text(wanted), name(field))
}

/// A text as a formula writes it.
pub(super) fn text(value: &str) -> String {
    let mut quoted = String::from('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A field's name as a formula writes it.
fn name(field: &Field) -> String {
    format!("{{{}}}", field.name.replace('\\', "\\\\").replace('}', "\\}"))
}

fn formula_of(condition: &Condition, field: &Field) -> Result<String> {
    let name = name(field);
    let value = condition.wanted(&field.name)?;
    match condition.is {
        Test::Empty => Ok(format!("LEN({name}&\"\")=0")),
        Test::NotEmpty => Ok(format!("LEN({name}&\"\")>0")),
        Test::Contains => Ok(has(field, value)),
        Test::Equals => equals(field, &name, value),
        Test::NotEquals => Ok(format!("NOT({})", equals(field, &name, value)?)),
        Test::Greater => compares(field, &name, value, true),
        Test::Less => compares(field, &name, value, false),
    }
}

fn equals(field: &Field, name: &str, value: &str) -> Result<String> {
    Ok(match class(field) {
        Class::Text => format!("LOWER({name}&\"\")=LOWER({})", text(value)),
        Class::Number => format!("{name}={}", number(field, value)?),
        Class::Flag => if read_flag(value).ok_or_else(|| unfit(field, value, "true or false"))? { name.to_owned() } else { format!("NOT({name})") },
        Class::Day | Class::Moment => format!("IS_SAME({name}, {}, \"{}\")", moment(field, value)?, unit(value)),
        Class::List => {
            let one = text(&format!(", {value}, "));
            format!("FIND(LOWER({one}), LOWER(\", \"&ARRAYJOIN({name}, \", \")&\", \"))>0")
        }
    })
}

fn compares(field: &Field, name: &str, value: &str, is_greater: bool) -> Result<String> {
    match class(field) {
        Class::Number => Ok(format!("{name}{}{}", if is_greater { '>' } else { '<' }, number(field, value)?)),
        Class::Day | Class::Moment => {
            let function = if is_greater { "IS_AFTER" } else { "IS_BEFORE" };
            Ok(format!("{function}({name}, {})", moment(field, value)?))
        }
        _ => Err(wrong(format!("`{}` has no order; use `equals` or `contains`", field.name))),
    }
}

/// Days are the same as days, moments as moments.
fn unit(value: &str) -> &'static str {
    if matches!(value.parse(), Ok(Moment::Day(_))) { "day" } else { "minute" }
}

fn number(field: &Field, value: &str) -> Result<String> {
    let bare = value.trim_start_matches(field.options.symbol.as_deref().unwrap_or_default()).trim();
    let percent = bare.strip_suffix('%').filter(|_| field.kind == "percent");
    let read = read_number(percent.unwrap_or(bare)).ok_or_else(|| unfit(field, value, "a number"))?;
    match (percent, read.as_f64()) {
        (Some(_), Some(hundredths)) => Ok((hundredths / 100.0).to_string()),
        _ => Ok(read.to_string()),
    }
}

fn moment(field: &Field, value: &str) -> Result<String> {
    let given: Moment = value.parse().map_err(|_| unfit(field, value, "a day such as 2026-11-23"))?;
    Ok(match given {
        Moment::Day(day) => text(&day.to_string()),
        Moment::Fixed(instant) => text(&format!("{instant:.3}")),
        Moment::Local(_) => {
            let zone = super::shown::zone(&field.options)
                .ok_or_else(|| unfit(field, value, "a day, or a time with an offset such as 2026-11-23T09:00+01:00"))?;
            text(&format!("{:.3}", given.at(&zone)))
        }
    })
}

fn unfit(field: &Field, value: &str, wants: &str) -> Error {
    wrong(format!("a condition on `{}` takes {wants}, not `{value}`", field.name))
}

fn class(field: &Field) -> Class {
    let result = field.options.result.as_ref().map(|result| result.kind.as_str());
    match field.kind.as_str() {
        "multipleRecordLinks" | "multipleSelects" | "multipleLookupValues" | "multipleCollaborators" => Class::List,
        kind => of_kind(result.unwrap_or(kind)),
    }
}

fn of_kind(kind: &str) -> Class {
    match kind {
        "number" | "currency" | "percent" | "duration" | "rating" | "count" | "autoNumber" => Class::Number,
        "checkbox" => Class::Flag,
        "date" => Class::Day,
        "dateTime" | "createdTime" | "lastModifiedTime" => Class::Moment,
        _ => Class::Text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(kind: &str, condition: Value, expected: Option<&str>) {
        let field: Field = serde_json::from_value(json!({ "id": "fld", "name": "F", "type": kind })).unwrap();
        let mut condition = condition;
        condition["name"] = json!("F");
        let condition: Condition = serde_json::from_value(condition).unwrap();
        assert_eq!(formula_of(&condition, &field).ok().as_deref(), expected, "{kind} {condition:?}");
    }

    #[test]
    fn conditions_become_formulas() {
        check("singleLineText", json!({ "is": "equals", "value": "a\"b" }), Some(r#"LOWER({F}&"")=LOWER("a\"b")"#));
        check("singleLineText", json!({ "is": "contains", "value": "x" }), Some(r#"FIND(LOWER("x"), LOWER({F}&""))>0"#));
        check("singleLineText", json!({ "is": "greater", "value": "x" }), None);
        check("singleLineText", json!({ "is": "equals" }), None);
        check("singleLineText", json!({ "is": "empty" }), Some(r#"LEN({F}&"")=0"#));
        check("number", json!({ "is": "greater", "value": "1,000" }), Some("{F}>1000"));
        check("number", json!({ "is": "not_equals", "value": "5" }), Some("NOT({F}=5)"));
        check("percent", json!({ "is": "less", "value": "50%" }), Some("{F}<0.5"));
        check("checkbox", json!({ "is": "equals", "value": "no" }), Some("NOT({F})"));
        check("date", json!({ "is": "equals", "value": "2026-11-23" }), Some(r#"IS_SAME({F}, "2026-11-23", "day")"#));
        check("date", json!({ "is": "less", "value": "2026-11-23" }), Some(r#"IS_BEFORE({F}, "2026-11-23")"#));
        check("dateTime", json!({ "is": "greater", "value": "2026-11-23T09:00" }), None);
        check("multipleSelects", json!({ "is": "equals", "value": "A" }),
            Some(r#"FIND(LOWER(", A, "), LOWER(", "&ARRAYJOIN({F}, ", ")&", "))>0"#));
    }

    #[test]
    fn no_name_and_no_text_ends_early() {
        let field: Field = serde_json::from_value(json!({ "id": "f", "name": "a}b\\", "type": "number" })).unwrap();
        assert_eq!(name(&field), "{a\\}b\\\\}");
        assert_eq!(text("a\\\" \n\t"), r#""a\\\" \n\t""#);
    }
}
