//! Queries of a data source: filters and sorts.

use std::cmp::Ordering;

use jiff::{Timestamp, civil::Date};
use serde_json::Value;

use super::{Notion, errors, page as list, pages::Page, properties::words, sources::Source};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// `data_sources/…/query`
pub fn query(world: &Notion, call: &Call<'_>) -> Outcome {
    let id = call.segment("data_source_id");
    let (_, source) = world.source(id).ok_or_else(|| errors::not_found("data source", id))?;
    let mut pages: Vec<&Page> = vec![];
    let is_here = |page: &&Page| page.source.as_deref() == Some(id) && !page.in_trash;
    for page in world.pages.iter().filter(is_here) {
        if call.body.get("filter").is_none_or(Value::is_null) || fits(world, source, page, &call.body["filter"])? {
            pages.push(page);
        }
    }
    for order in call.body["sorts"].as_array().into_iter().flatten().rev() {
        sort(world, source, &mut pages, order)?;
    }
    let shown = pages.into_iter().map(|page| world.shown_page(page)).collect();
    let size = call.body["page_size"].as_u64().and_then(|size| usize::try_from(size).ok());
    if size.is_some_and(|size| !(1..=100).contains(&size)) {
        return Err(errors::invalid("body failed validation: body.page_size should be ≤ `100`."));
    }
    list(shown, "page_or_data_source", call.body["start_cursor"].as_str(), size)
}

fn sort(world: &Notion, source: &Source, pages: &mut [&Page], order: &Value) -> Result<(), Answer> {
    let property = source.property(order["property"].as_str().unwrap_or_default())?;
    let options: Vec<_> =
        property.config["options"].as_array().into_iter().flatten().map(|option| &option["name"]).collect();
    let key = |page: &Page| {
        let value = world.value(page, property);
        let rank = options.iter().position(|name| **name == value["name"]);
        (value.as_f64().unwrap_or(f64::MAX), rank, words(&property.kind, &value).to_lowercase())
    };
    let compare = |one: &&Page, other: &&Page| {
        let (one, other) = (key(one), key(other));
        one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)).then(one.2.cmp(&other.2))
    };
    pages.sort_by(|one, other| match order["direction"].as_str() {
        Some("descending") => compare(other, one),
        _ => compare(one, other),
    });
    Ok(())
}

fn fits(world: &Notion, source: &Source, page: &Page, filter: &Value) -> Result<bool, Answer> {
    if let Some(all) = filter["and"].as_array() {
        return all.iter().try_fold(true, |found, one| Ok(found && fits(world, source, page, one)?));
    }
    if let Some(any) = filter["or"].as_array() {
        return any.iter().try_fold(false, |found, one| Ok(found || fits(world, source, page, one)?));
    }
    let name = filter["property"].as_str().unwrap_or_default();
    let known = source.property(name);
    let property = known.map_err(|_| errors::invalid(&format!("Could not find property with name or id: {name}")))?;
    let kind = property.kind.as_str();
    let Some(test) = filter[kind].as_object().and_then(|test| test.iter().next()) else {
        return Err(errors::invalid(&format!("database property {kind} does not match filter")));
    };
    let value = world.value(page, property);
    let text = words(kind, &value);
    let (how, wanted) = test;
    Ok(match (how.as_str(), kind) {
        ("is_empty", _) => text.is_empty(),
        ("is_not_empty", _) => !text.is_empty(),
        ("equals", "date" | "created_time" | "last_edited_time") => compare(&text, wanted) == Some(Ordering::Equal),
        ("after", _) => compare(&text, wanted) == Some(Ordering::Greater),
        ("before", _) => compare(&text, wanted) == Some(Ordering::Less),
        ("equals", "unique_id") => value["number"] == *wanted,
        ("equals", "number") => value.as_f64() == wanted.as_f64(),
        ("equals", "checkbox") => value == *wanted,
        ("equals", _) => wanted.as_str().is_some_and(|wanted| text == wanted),
        ("does_not_equal", "number") => value.as_f64() != wanted.as_f64(),
        ("does_not_equal", _) => wanted.as_str().is_some_and(|wanted| text != wanted),
        ("greater_than", _) => value.as_f64() > wanted.as_f64(),
        ("less_than", _) => value.as_f64().is_some_and(|value| Some(value) < wanted.as_f64()),
        ("contains", "people" | "relation") => has(&value, "id", wanted),
        ("does_not_contain", "people" | "relation") => !has(&value, "id", wanted),
        ("contains", "multi_select") => has(&value, "name", wanted),
        ("does_not_contain", "multi_select") => !has(&value, "name", wanted),
        ("contains", _) => text.to_lowercase().contains(&wanted.as_str().unwrap_or_default().to_lowercase()),
        _ => return Err(errors::invalid(&format!("{kind} filters have no {how}"))),
    })
}

fn has(list: &Value, name: &str, wanted: &Value) -> bool {
    list.as_array().into_iter().flatten().any(|one| one[name] == *wanted)
}

/// Days compare as days, and a moment with a day as the day that it falls on.
fn compare(text: &str, wanted: &Value) -> Option<Ordering> {
    let wanted = wanted.as_str()?;
    let day = |text: &str| text.get(..10)?.parse::<Date>().ok();
    match (text.parse::<Timestamp>(), wanted.parse::<Timestamp>()) {
        (Ok(one), Ok(other)) => Some(one.cmp(&other)),
        _ => Some(day(text)?.cmp(&day(wanted)?)),
    }
}
