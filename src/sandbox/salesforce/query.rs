//! Running SOQL over the world: conditions, parents, children, groups and order.

use std::cmp::Ordering;

use jiff::{Timestamp, ToSpan, civil::Date};
use serde_json::{Map, Value, json};

use super::{
    Salesforce,
    errors::{bad, unknown_field},
    grammar::{Condition, Item, Operand, Query},
    model::{FieldDef, Kind, ObjectDef, object},
    world::{Fields, same_id},
};
use crate::sandbox::twin::Answer;

/// What a query comes to.
pub struct Found {
    /// The records, with what was asked for.
    pub records: Vec<Value>,
    /// How many there are; with `COUNT()` there are no records.
    pub total: usize,
}

/// A query on its way through the world.
pub struct Runner<'a> {
    /// The world.
    pub world: &'a Salesforce,
    /// The present moment.
    pub now: Timestamp,
}

impl Runner<'_> {
    /// Runs a whole query.
    pub fn run(&self, query: &Query) -> Result<Found, Answer> {
        let of = object(&query.from).ok_or_else(|| super::errors::unknown_object(&query.from))?;
        let all: Vec<&Fields> = self.world.all(of.name).collect();
        self.select(of, query, all)
    }

    fn select<'r>(&'r self, of: &'static ObjectDef, query: &Query, all: Vec<&'r Fields>) -> Result<Found, Answer> {
        let mut kept = vec![];
        for record in all {
            let is_mine = !query.is_mine || record.get("OwnerId").and_then(Value::as_str) == Some(&self.world.user);
            let fits = match &query.condition {
                Some(condition) => self.holds(of, record, condition)?,
                None => true,
            };
            if is_mine && fits {
                kept.push(record);
            }
        }
        if let [Item::Count] = query.select[..] {
            return Ok(Found { records: vec![], total: kept.len() });
        }
        if query.select.iter().any(|item| matches!(item, Item::Aggregate(..))) {
            return self.grouped(of, query, &kept);
        }
        self.sort(of, &query.order, &mut kept)?;
        let bounded = kept.into_iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX));
        let records: Result<Vec<_>, _> = bounded.map(|record| self.project(of, query, record)).collect();
        let records = records?;
        Ok(Found { total: records.len(), records })
    }

    /// The record with what was asked for.
    fn project(&self, of: &'static ObjectDef, query: &Query, record: &Fields) -> Result<Value, Answer> {
        let mut shown = attributes(of.name, record);
        for item in &query.select {
            match item {
                Item::Field(path) => self.put(of, record, path, &mut shown)?,
                Item::Children(children) => {
                    let (name, value) = self.children(of, children, record)?;
                    shown.insert(name.to_owned(), value);
                }
                Item::Count | Item::Aggregate(..) => {
                    return Err(bad("MALFORMED_QUERY", "Grouped query cannot use child relationships or COUNT()"));
                }
            }
        }
        Ok(Value::Object(shown))
    }

    /// Puts a field, or a field of a parent inside an object of its own.
    fn put(&self, of: &'static ObjectDef, record: &Fields, path: &str, shown: &mut Fields) -> Result<(), Answer> {
        let Some((relationship, rest)) = path.split_once('.') else {
            let field = of.field(path).ok_or_else(|| unknown_field(of.name, path))?;
            shown.insert(field.name.to_owned(), record.get(field.name).cloned().unwrap_or_default());
            return Ok(());
        };
        if relationship.eq_ignore_ascii_case(of.name) {
            return self.put(of, record, rest, shown);
        }
        let pointer = of.parent(relationship).ok_or_else(|| unknown_relationship(relationship))?;
        let name = pointer.name.trim_end_matches("Id").to_owned();
        if let Some((parent_of, parent)) = self.parent(pointer, record) {
            let inside = shown.entry(name).or_insert_with(|| attributes(parent_of.name, parent).into());
            let Value::Object(inside) = inside else { return Ok(()) };
            self.put(parent_of, parent, rest, inside)
        } else {
            self.value_of(of, &Fields::new(), path)?;
            shown.entry(name).or_insert(Value::Null);
            Ok(())
        }
    }

    fn children(
        &self,
        of: &'static ObjectDef,
        query: &Query,
        record: &Fields,
    ) -> Result<(&'static str, Value), Answer> {
        let (name, child, pointer) = of.child(&query.from).ok_or_else(|| {
            bad("INVALID_TYPE", &format!("Didn't understand relationship '{}' in FROM part of query call.", query.from))
        })?;
        let id = record.get("Id").and_then(Value::as_str).unwrap_or_default();
        let own = self.world.all(child.name).filter(|one| one.get(pointer).and_then(Value::as_str) == Some(id));
        let found = self.select(child, query, own.collect())?;
        if found.records.is_empty() {
            return Ok((name, Value::Null));
        }
        Ok((name, json!({ "totalSize": found.total, "done": true, "records": found.records })))
    }

    /// The parent that a reference points to.
    fn parent(&self, pointer: &FieldDef, record: &Fields) -> Option<(&'static ObjectDef, &Fields)> {
        let Kind::Ref(objects) = pointer.kind else { return None };
        let id = record.get(pointer.name)?.as_str()?;
        objects.iter().find_map(|name| Some((object(name)?, self.world.find(name, id)?)))
    }

    /// A field by its path, with what it holds; the path has to be right also where there is no parent.
    fn value_of<'r>(
        &'r self,
        of: &'static ObjectDef,
        record: &'r Fields,
        path: &str,
    ) -> Result<(&'static FieldDef, &'r Value), Answer> {
        static NOTHING: Value = Value::Null;
        let Some((relationship, rest)) = path.split_once('.') else {
            let field = of.field(path).ok_or_else(|| unknown_field(of.name, path))?;
            return Ok((field, record.get(field.name).unwrap_or(&NOTHING)));
        };
        let pointer = of.parent(relationship).ok_or_else(|| unknown_relationship(relationship))?;
        if let Some((parent_of, parent)) = self.parent(pointer, record) {
            self.value_of(parent_of, parent, rest)
        } else {
            let Kind::Ref(objects) = pointer.kind else { return Err(unknown_relationship(relationship)) };
            let known = objects.iter().filter_map(|name| object(name)).find_map(|of| of.field(rest));
            Ok((known.ok_or_else(|| unknown_field(objects[0], rest))?, &NOTHING))
        }
    }

    /// Whether a condition holds.
    pub fn holds(&self, of: &'static ObjectDef, record: &Fields, condition: &Condition) -> Result<bool, Answer> {
        match condition {
            Condition::And(parts) => parts.iter().try_fold(true, |all, part| Ok(self.holds(of, record, part)? && all)),
            Condition::Or(parts) => parts.iter().try_fold(false, |any, part| Ok(self.holds(of, record, part)? || any)),
            Condition::Not(part) => Ok(!self.holds(of, record, part)?),
            Condition::Compare(path, mark, operand) => {
                let (field, value) = self.value_of(of, record, path)?;
                self.compare(field, value, mark, operand)
            }
            Condition::Among(path, operands, is_in) => {
                let (field, value) = self.value_of(of, record, path)?;
                let among = operands
                    .iter()
                    .try_fold(false, |any, operand| Ok::<_, Answer>(self.compare(field, value, "=", operand)? || any));
                Ok(among? == *is_in)
            }
        }
    }

    fn compare(&self, field: &FieldDef, value: &Value, mark: &str, operand: &Operand) -> Result<bool, Answer> {
        if let Operand::Word(word) = operand
            && word.eq_ignore_ascii_case("null")
        {
            return Ok(value.is_null() == (mark == "="));
        }
        if mark == "LIKE" {
            let Operand::Text(pattern) = operand else { return Err(must_be_text(field)) };
            let text = value.as_str().unwrap_or_default().to_lowercase();
            return Ok(like(&text, &pattern.to_lowercase()));
        }
        if let Operand::Word(word) = operand
            && let Some((from, until)) = days(word, self.today())
        {
            let day = day_of(field, value, &self.world.zone());
            return Ok(day.is_some_and(|day| match mark {
                "=" => day >= from && day < until,
                "!=" => day < from || day >= until,
                "<" => day < from,
                "<=" => day < until,
                ">" => day >= until,
                _ => day >= from,
            }));
        }
        let order = order(field, value, operand)?;
        Ok(match (mark, order) {
            ("!=", None) => true,
            (_, None) => false,
            ("=", Some(order)) => order == Ordering::Equal,
            ("!=", Some(order)) => order != Ordering::Equal,
            ("<", Some(order)) => order == Ordering::Less,
            ("<=", Some(order)) => order != Ordering::Greater,
            (">", Some(order)) => order == Ordering::Greater,
            (_, Some(order)) => order != Ordering::Less,
        })
    }

    fn today(&self) -> Date {
        self.now.to_zoned(self.world.zone()).date()
    }

    fn sort(&self, of: &'static ObjectDef, by: &[(String, bool)], records: &mut [&Fields]) -> Result<(), Answer> {
        for (path, _) in by {
            self.value_of(of, &Fields::new(), path)?;
        }
        records.sort_by(|one, other| {
            let orders = by.iter().map(|(path, is_down)| {
                let value =
                    |record| self.value_of(of, record, path).map(|(_, value)| value.clone()).unwrap_or_default();
                let order = rank(&value(one), &value(other));
                if *is_down { order.reverse() } else { order }
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
        Ok(())
    }

    /// Sums and counts, by group or over all.
    fn grouped(&self, of: &'static ObjectDef, query: &Query, records: &[&Fields]) -> Result<Found, Answer> {
        let mut groups: Vec<(Value, Vec<&Fields>)> = vec![];
        for record in records {
            let key = match &query.group {
                Some(path) => self.value_of(of, record, path)?.1.clone(),
                None => Value::Null,
            };
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, members)) => members.push(record),
                None => groups.push((key, vec![record])),
            }
        }
        let rows: Result<Vec<_>, _> = groups.iter().map(|(key, members)| self.row(of, query, key, members)).collect();
        let records: Vec<_> = rows?.into_iter().take(query.limit.unwrap_or(usize::MAX)).collect();
        Ok(Found { total: records.len(), records })
    }

    fn row(&self, of: &'static ObjectDef, query: &Query, key: &Value, members: &[&Fields]) -> Result<Value, Answer> {
        let mut row = json!({ "attributes": { "type": "AggregateResult" } });
        let mut unnamed = 0;
        for item in &query.select {
            match item {
                Item::Field(path) if query.group.as_ref() == Some(path) => row[path.as_str()] = key.clone(),
                Item::Aggregate(function, path, alias) => {
                    let name = alias.clone().unwrap_or_else(|| {
                        unnamed += 1;
                        format!("expr{}", unnamed - 1)
                    });
                    let values = members.iter().map(|member| Ok(self.value_of(of, member, path)?.1));
                    let values: Result<Vec<_>, Answer> = values.collect();
                    let there: Vec<_> = values?.into_iter().filter(|value| !value.is_null()).collect();
                    row[name] = aggregate(function, &there)?;
                }
                _ => return Err(bad("MALFORMED_QUERY", "Field must be grouped or aggregated")),
            }
        }
        Ok(row)
    }
}

fn aggregate(function: &str, values: &[&Value]) -> Result<Value, Answer> {
    let numbers = values.iter().filter_map(|value| value.as_f64());
    match function {
        "COUNT" => Ok(json!(values.len())),
        "SUM" => Ok(json!(numbers.sum::<f64>())),
        "MAX" => Ok(json!(numbers.fold(f64::MIN, f64::max))),
        "MIN" => Ok(json!(numbers.fold(f64::MAX, f64::min))),
        _ => Err(bad("MALFORMED_QUERY", &format!("unexpected token: '{function}'"))),
    }
}

/// What every record begins with.
pub fn attributes(object: &str, record: &Fields) -> Fields {
    let id = record.get("Id").and_then(Value::as_str).unwrap_or_default();
    let url = format!("/services/data/v66.0/sobjects/{object}/{id}");
    Map::from_iter([("attributes".to_owned(), json!({ "type": object, "url": url }))])
}

fn unknown_relationship(name: &str) -> Answer {
    bad("INVALID_FIELD", &format!("Didn't understand relationship '{name}' in field path."))
}

fn must_be_text(field: &FieldDef) -> Answer {
    let why = "value of filter criterion for field";
    bad("INVALID_FIELD", &format!("{why} '{}' must be of type string and should be enclosed in quotes", field.name))
}

/// How a value stands to an operand; `None` where there is no value.
fn order(field: &FieldDef, value: &Value, operand: &Operand) -> Result<Option<Ordering>, Answer> {
    let is_figure = matches!(field.kind, Kind::Whole | Kind::Number | Kind::Day | Kind::Moment);
    Ok(match (operand, value) {
        (Operand::Text(_), _) if is_figure || matches!(field.kind, Kind::Flag) => {
            let why = format!("value of filter criterion for field '{}' must be of type", field.name);
            return Err(bad(
                "INVALID_FIELD",
                &format!("{why} {} and should not be enclosed in quotes", field.kind.name()),
            ));
        }
        (Operand::Bare(_), _) if !is_figure => return Err(must_be_text(field)),
        (_, Value::Null) => None,
        (Operand::Text(text), Value::String(value)) if matches!(field.kind, Kind::Id | Kind::Ref(_)) => {
            Some(if same_id(value, text) { Ordering::Equal } else { value.as_str().cmp(text.as_str()) })
        }
        (Operand::Text(text), Value::String(value)) => Some(value.to_lowercase().cmp(&text.to_lowercase())),
        (Operand::Word(word), Value::Bool(value)) if matches!(&*word.to_lowercase(), "true" | "false") => {
            Some(value.cmp(&word.eq_ignore_ascii_case("true")))
        }
        (Operand::Bare(bare), Value::Number(value)) => {
            let number: f64 =
                bare.parse().map_err(|_| bad("MALFORMED_QUERY", &format!("unexpected token: '{bare}'")))?;
            value.as_f64().map(|value| value.total_cmp(&number))
        }
        (Operand::Bare(bare), Value::String(value)) => Some(value.as_str().cmp(bare.as_str())),
        (Operand::Word(word), _) => return Err(bad("MALFORMED_QUERY", &format!("unexpected token: '{word}'"))),
        _ => None,
    })
}

/// Values in the order in which lists show them: nothing first, text without regard to case.
fn rank(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default())
        }
        (Value::String(one), Value::String(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (one, other) => other.is_null().cmp(&one.is_null()),
    }
}

/// Whether a text that is nearly one fits the pattern, for the tests that hold it to its bounds.
pub fn matches(pattern: &str) -> String {
    let text = "ab".repeat(100);
    like(&text, pattern).to_string()
}

/// Whether `text` fits a pattern with `%` and `_`; a backslash before one makes it plain.
///
/// The part between two `%` goes to the first place where it fits: if it fits anywhere, nothing is lost by that. So it
/// never tries all ways, of which there are more than can be counted.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let parts = parts(pattern);
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    let Some((last, between)) = rest.split_last() else { return fits(&text, first) };
    if text.len() < first.len() + last.len() {
        return false;
    }
    let (begin, text) = text.split_at(first.len());
    let (mut middle, end) = text.split_at(text.len() - last.len());
    let found = between.iter().filter(|part| !part.is_empty()).all(|part| {
        let at = middle.windows(part.len()).position(|window| fits(window, part));
        middle = at.map_or(&[], |at| &middle[at + part.len()..]);
        at.is_some()
    });
    found && fits(begin, first) && fits(end, last)
}

/// What stands between the `%` of a pattern: characters, and `None` for any one.
fn parts(pattern: &str) -> Vec<Vec<Option<char>>> {
    let mut parts = vec![vec![]];
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        let one = match char {
            '%' => {
                parts.push(vec![]);
                continue;
            }
            '_' => None,
            '\\' => chars.next_if(|next| matches!(next, '%' | '_')).or(Some(char)),
            plain => Some(plain),
        };
        parts.last_mut().expect("there is one from the beginning").push(one);
    }
    parts
}

fn fits(text: &[char], part: &[Option<char>]) -> bool {
    text.len() == part.len() && text.iter().zip(part).all(|(char, wanted)| wanted.is_none_or(|wanted| wanted == *char))
}

/// More days than any two dates are apart, and not more than a span takes.
const MOST_DAYS: i64 = 7_000_000;

/// The days of a date literal, the last one excluded.
fn days(word: &str, today: Date) -> Option<(Date, Date)> {
    let upper = word.to_uppercase();
    let (name, count) = upper.split_once(':').unwrap_or((&upper, ""));
    let count = count.parse::<i64>().ok();
    // More days than there are between the first and the last date are as many as these.
    let days = |count: i64| count.clamp(-MOST_DAYS, MOST_DAYS).days();
    let month = |date: Date, months: i64| date.first_of_month().saturating_add(months.months());
    let quarter = month(today, -i64::from((today.month() - 1) % 3));
    let tomorrow = today.saturating_add(1.day());
    Some(match (name, count) {
        ("TODAY", None) => (today, tomorrow),
        ("THIS_MONTH", None) => (month(today, 0), month(today, 1)),
        ("NEXT_MONTH", None) => (month(today, 1), month(today, 2)),
        ("THIS_QUARTER", None) => (quarter, month(quarter, 3)),
        ("THIS_YEAR", None) => (today.first_of_year(), today.first_of_year().saturating_add(1.year())),
        ("LAST_N_DAYS", Some(count)) => (today.saturating_sub(days(count)), tomorrow),
        ("NEXT_N_DAYS", Some(count)) => (tomorrow, tomorrow.saturating_add(days(count))),
        _ => return None,
    })
}

fn day_of(field: &FieldDef, value: &Value, zone: &jiff::tz::TimeZone) -> Option<Date> {
    let text = value.as_str()?;
    match field.kind {
        Kind::Moment => Some(super::world::instant(text)?.to_zoned(zone.clone()).date()),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_know_their_wildcards() {
        for (text, pattern, fits) in [
            ("contoso foods", "%foods", true),
            ("contoso foods", "contoso", false),
            ("abc", "a_c", true),
            ("50%", r"50\%", true),
            ("500", r"50\%", false),
            ("ünder", "%nd%", true),
            ("", "%%", true),
            ("", "", true),
            ("a", "", false),
            ("ab", "a%b%", true),
            ("ab", "ab%ab", false),
            ("abcabd", "a%abd", true),
            ("aab", "%ab%b", false),
            ("mississippi", "m%iss%p_i", true),
        ] {
            assert_eq!(like(text, pattern), fits, "{text} {pattern}");
        }
    }

    #[test]
    fn date_literals_are_days() {
        let today: Date = "2026-11-23".parse().unwrap();
        let check = |word: &str, from: &str, until: &str| {
            let days = days(word, today).unwrap();
            assert_eq!((days.0.to_string(), days.1.to_string()), (from.to_owned(), until.to_owned()), "{word}");
        };
        check("today", "2026-11-23", "2026-11-24");
        check("THIS_QUARTER", "2026-10-01", "2027-01-01");
        check("LAST_N_DAYS:7", "2026-11-16", "2026-11-24");
        check("NEXT_N_DAYS:7", "2026-11-24", "2026-12-01");
        assert_eq!(days("YESTERDAYISH", today), None);
        check("NEXT_N_DAYS:9223372036854775807", "2026-11-24", "9999-12-31");
    }
}
