//! What a cell holds: what was typed in, what that means, and how it looks.

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// A number, a text, a mark or nothing; of a formula what it came to.
    pub value: Value,
    /// The formula, with its sign.
    pub formula: Option<String>,
    /// How a number looks.
    pub look: Look,
}

/// How a number looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Look {
    /// As it is.
    #[default]
    Plain,
    /// In hundredths.
    Percent,
    /// With the sign of a currency before it.
    Money(String),
    /// As a day.
    Day,
}

/// The day that Google counts from.
const ZERO: Date = Date::constant(1899, 12, 30);

impl Cell {
    /// A value as a program sends it, taken for what it is.
    pub fn raw(value: &Value) -> Cell {
        Cell { value: value.clone(), ..Cell::default() }
    }

    /// A value as if a person had typed it.
    pub fn typed(value: &Value) -> Cell {
        let Value::String(text) = value else { return Cell::raw(value) };
        if let Some(text) = text.strip_prefix('\'') {
            return Cell::raw(&json!(text));
        }
        if text.starts_with('=') {
            return Cell { formula: Some(text.clone()), ..Cell::default() };
        }
        let trimmed = text.trim();
        let of = |value: Value, look: Look| Cell { value, formula: None, look };
        if let Some(flag) = ["TRUE", "FALSE"].iter().position(|word| trimmed.eq_ignore_ascii_case(word)) {
            return of(json!(flag == 0), Look::Plain);
        }
        if let Ok(day) = trimmed.parse::<Date>() {
            return of(json!((day - ZERO).get_days()), Look::Day);
        }
        let money =
            trimmed.strip_prefix(['€', '$', '£']).map(|rest| (rest, trimmed.chars().next().unwrap_or_default()));
        match (trimmed.strip_suffix('%'), money) {
            (Some(rest), _) => number(rest).map(|number| of(json!(number / 100.0), Look::Percent)),
            (None, Some((rest, sign))) => number(rest).map(|number| of(json!(number), Look::Money(sign.into()))),
            (None, None) => number(trimmed).map(|number| of(json!(number), Look::Plain)),
        }
        .unwrap_or_else(|| Cell::raw(value))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.formula.is_none() && (self.value.is_null() || self.value == "")
    }

    /// As a person sees it.
    pub fn formatted(&self) -> String {
        let number = self.value.as_f64();
        match (&self.value, &self.look, number) {
            (Value::Null, _, _) => String::new(),
            (Value::Bool(flag), _, _) => if *flag { "TRUE" } else { "FALSE" }.into(),
            (Value::String(text), _, _) => text.clone(),
            (_, Look::Percent, Some(number)) => format!("{}%", plain(number * 100.0)),
            (_, Look::Money(sign), Some(number)) => format!("{sign}{}", grouped(number)),
            (_, Look::Day, Some(number)) => day(number),
            (_, _, Some(number)) => plain(number),
            (other, ..) => other.to_string(),
        }
    }

    /// As a program gets it; days are numbers unless they are wanted as texts.
    pub fn unformatted(&self, days_as_texts: bool) -> Value {
        match (self.value.as_f64(), &self.look) {
            (Some(number), Look::Day) if days_as_texts => json!(day(number)),
            (Some(number), _) => tidy(number),
            _ if self.value.is_null() => json!(""),
            _ => self.value.clone(),
        }
    }
}

/// A whole number without its point.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
pub fn tidy(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

fn plain(number: f64) -> String {
    tidy((number * 1e9).round() / 1e9).to_string()
}

/// With commas between thousands and two decimals where there are any.
fn grouped(number: f64) -> String {
    let text = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") };
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 && digit != '-' {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &rest
}

#[expect(clippy::cast_possible_truncation, reason = "days fit")]
fn day(number: f64) -> String {
    ZERO.checked_add((number as i64).days()).map_or_else(|_| String::new(), |day| day.to_string())
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let fits =
        text.chars().all(|c| c.is_ascii_digit() || "+-.,".contains(c)) && text.chars().any(|c| c.is_ascii_digit());
    if fits { text.replace(',', "").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_a_value() {
        for (typed, value, looks) in [
            ("12", json!(12), "12"),
            ("1,250.5", json!(1250.5), "1250.5"),
            ("€480,000", json!(480_000), "€480,000"),
            ("45%", json!(0.45), "45%"),
            ("true", json!(true), "TRUE"),
            ("2026-11-23", json!(46349), "2026-11-23"),
            ("'=1+1", json!("=1+1"), "=1+1"),
            ("Ana", json!("Ana"), "Ana"),
        ] {
            let cell = Cell::typed(&json!(typed));
            assert_eq!((cell.unformatted(false), cell.formatted().as_str()), (value, looks), "{typed}");
        }
        assert_eq!(Cell::raw(&json!("12")).unformatted(false), json!("12"));
    }
}
