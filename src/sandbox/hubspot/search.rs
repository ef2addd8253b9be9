//! Searching records by words and filters. What was changed within the last seconds is not found yet.

use std::cmp::Ordering;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    HubSpot, Record,
    errors::{bad_property, invalid},
    model::{Holds, Kind},
    operations::kind_of,
    world::moment,
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How far the index lags behind.
const LAG: SignedDuration = SignedDuration::from_secs(5);

/// How deep a search goes.
const DEEPEST: usize = 10_000;

/// `POST objects/{kind}/search`.
pub fn search(world: &HubSpot, call: &Call<'_>) -> Outcome {
    let of = kind_of(call)?;
    let fields = call.fields();
    let mut found = vec![];
    for record in world.records.iter().filter(|record| record.kind == of.name) {
        let is_indexed = call.now.duration_since(record.updated) >= LAG;
        if is_indexed && has_words(of, record, fields.get("query")) && fits(of, record, fields.get("filterGroups"))? {
            found.push(record);
        }
    }
    sort(of, fields.get("sorts"), &mut found)?;
    let skip: usize = match fields.get("after").and_then(Value::as_str) {
        Some(after) => after.parse().map_err(|_| invalid("after must be a number"))?,
        None => 0,
    };
    let limit = fields.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10);
    if skip.saturating_add(limit) > DEEPEST {
        return Err(invalid("paging beyond 10000 results is not supported"));
    }
    let wanted: Vec<_> = texts(fields.get("properties")).map(str::to_owned).collect();
    let page: Vec<_> = found.iter().skip(skip).take(limit).map(|record| record.shown(&wanted)).collect();
    let mut answer = json!({ "total": found.len(), "results": page });
    if skip + limit < found.len() {
        answer["paging"] = json!({ "next": { "after": (skip + limit).to_string() } });
    }
    Ok(Answer::ok(answer))
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether every word begins one of the record's own.
fn has_words(of: &Kind, record: &Record, words: Option<&Value>) -> bool {
    let text = of.words.iter().filter_map(|name| record.properties.get(*name)).cloned().collect::<Vec<_>>().join(" ");
    let text = text.to_lowercase();
    let own: Vec<_> = text.split(|char: char| !char.is_alphanumeric()).collect();
    let wanted = words.and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let mut wanted = wanted.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    wanted.all(|word| own.iter().any(|own| own.starts_with(word)))
}

/// Whether all filters of one group hold.
fn fits(of: &Kind, record: &Record, groups: Option<&Value>) -> Result<bool, Answer> {
    let groups = groups.and_then(Value::as_array).cloned().unwrap_or_default();
    if groups.is_empty() {
        return Ok(true);
    }
    let mut any = false;
    for group in &groups {
        let mut all = true;
        for filter in group["filters"].as_array().into_iter().flatten() {
            all &= holds(of, record, filter)?;
        }
        any |= all;
    }
    Ok(any)
}

fn holds(of: &Kind, record: &Record, filter: &Value) -> Result<bool, Answer> {
    let text = |name: &str| filter[name].as_str().unwrap_or_default();
    let name = text("propertyName");
    if let Some(noun) = name.strip_prefix("associations.") {
        let belongs = |(kind, id): &(String, String)| kind.starts_with(&noun[..noun.len() - 1]) && id == text("value");
        return Ok(record.links.iter().any(belongs));
    }
    let property = of.property(name).ok_or_else(|| {
        bad_property(name, &format!("There was a problem with the property {name}: it does not exist"))
    })?;
    let own = record.properties.get(name).map(String::as_str);
    let order = |wanted: &str| own.map(|own| compare(property.holds, own, wanted));
    Ok(match text("operator") {
        "HAS_PROPERTY" => own.is_some(),
        "NOT_HAS_PROPERTY" => own.is_none(),
        "EQ" => order(text("value")) == Some(Ordering::Equal),
        "NEQ" => order(text("value")) != Some(Ordering::Equal),
        "LT" => order(text("value")) == Some(Ordering::Less),
        "LTE" => order(text("value")).is_some_and(Ordering::is_le),
        "GT" => order(text("value")) == Some(Ordering::Greater),
        "GTE" => order(text("value")).is_some_and(Ordering::is_ge),
        "BETWEEN" => {
            order(text("value")).is_some_and(Ordering::is_ge) && order(text("highValue")).is_some_and(Ordering::is_le)
        }
        "IN" => texts(filter.get("values")).any(|value| order(value) == Some(Ordering::Equal)),
        "NOT_IN" => own.is_some() && !texts(filter.get("values")).any(|value| order(value) == Some(Ordering::Equal)),
        "CONTAINS_TOKEN" => own.is_some_and(|own| has_token(own, text("value"))),
        _ => !own.is_some_and(|own| has_token(own, text("value"))),
    })
}

/// Whether a token fits a pattern, in which `*` stands for anything.
fn has_token(own: &str, pattern: &str) -> bool {
    let (own, pattern) = (own.to_lowercase(), pattern.to_lowercase());
    let mut tokens = own.split(|char: char| !char.is_alphanumeric());
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), Some(_)) => own.contains(rest.trim_end_matches('*')),
        (Some(end), None) => tokens.any(|token| token.ends_with(end)),
        (None, Some(beginning)) => tokens.any(|token| token.starts_with(beginning)),
        (None, None) => tokens.any(|token| token == pattern),
    }
}

fn compare(holds: Holds, own: &str, wanted: &str) -> Ordering {
    let numbers = own.parse::<f64>().ok().zip(wanted.parse::<f64>().ok());
    let moments = moment(own).zip(moment(wanted));
    match holds {
        Holds::Number if numbers.is_some() => numbers.map_or(Ordering::Equal, |(own, wanted)| own.total_cmp(&wanted)),
        Holds::Moment if moments.is_some() => moments.map_or(Ordering::Equal, |(own, wanted)| own.cmp(&wanted)),
        _ => own.to_lowercase().cmp(&wanted.to_lowercase()),
    }
}

fn sort(of: &Kind, sorts: Option<&Value>, found: &mut [&Record]) -> Result<(), Answer> {
    for name in texts(sorts) {
        let (name, is_down) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let property = of.property(name).ok_or_else(|| invalid(&format!("cannot sort by {name}")))?;
        found.sort_by(|one, other| {
            let value = |record: &Record| record.properties.get(name).cloned().unwrap_or_default();
            let order = compare(property.holds, &value(one), &value(other));
            if is_down { order.reverse() } else { order }
        });
    }
    Ok(())
}
