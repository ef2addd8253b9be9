//! The values of properties: as they are sent, kept and shown.

use serde_json::{Map, Value, json};

use super::{Notion, errors, pages::Page, rich, sources::Property, time};
use crate::sandbox::twin::Answer;

/// Checks a value that was sent for a property and brings it in the form of answers. A new option of a select field is
/// made, as the vendor does.
pub fn accept(world: &mut Notion, source: &str, property: &Property, sent: &Value) -> Result<Value, Answer> {
    let kind = property.kind.as_str();
    let bad = || errors::invalid(&format!("{} is expected to be {kind}.", property.name));
    let value = sent.get(kind).ok_or_else(bad)?;
    let optional = |fits: bool| if fits || value.is_null() { Ok(value.clone()) } else { Err(bad()) };
    match kind {
        "title" | "rich_text" => rich::accept(value, &format!("body.properties.{}.{kind}", property.name)),
        "number" => optional(value.is_number()),
        "checkbox" => {
            if value.is_boolean() {
                Ok(value.clone())
            } else {
                Err(bad())
            }
        }
        "url" | "email" | "phone_number" => optional(value.is_string()),
        "select" | "status" if value.is_null() => Ok(Value::Null),
        "select" | "status" => choose(world, source, property, value),
        "multi_select" => {
            let all = value.as_array().ok_or_else(bad)?.clone();
            all.iter().map(|one| choose(world, source, property, one)).collect()
        }
        "date" if value.is_null() => Ok(Value::Null),
        "date" => date(value).ok_or_else(bad),
        "people" => {
            let person = |one: &Value| world.person(one["id"].as_str().unwrap_or_default()).ok_or_else(bad);
            value.as_array().ok_or_else(bad)?.iter().map(person).collect()
        }
        "relation" => {
            let page = |one: &Value| {
                let id = one["id"].as_str().unwrap_or_default();
                let found = world.pages.iter().find(|page| page.id == id);
                found.map(|page| json!({ "id": page.id })).ok_or_else(|| errors::not_found("page", id))
            };
            value.as_array().ok_or_else(bad)?.iter().map(page).collect()
        }
        "files" => {
            let file = |one: &Value| {
                let external = one["external"]["url"].as_str().ok_or_else(bad)?;
                Ok(json!({ "type": "external", "name": one["name"], "external": { "url": external } }))
            };
            value.as_array().ok_or_else(bad)?.iter().map(file).collect()
        }
        _ => Err(errors::invalid(&format!("{} cannot be written: it is computed.", property.name))),
    }
}

fn choose(world: &mut Notion, source: &str, property: &Property, sent: &Value) -> Result<Value, Answer> {
    let name = sent["name"].as_str().unwrap_or_default();
    if let Some(known) = property.option(name) {
        return Ok(known);
    }
    if property.kind == "status" || name.is_empty() {
        return Err(errors::invalid(&format!("Status option \"{name}\" does not exist")));
    }
    let id = world.new_id();
    let new = json!({ "id": id, "name": name, "color": "default", "description": null });
    let found =
        world.source_mut(source).and_then(|source| source.properties.iter_mut().find(|one| one.id == property.id));
    if let Some(Value::Array(options)) = found.map(|property| &mut property.config["options"]) {
        options.push(new);
    }
    Ok(json!({ "id": id, "name": name, "color": "default" }))
}

fn date(value: &Value) -> Option<Value> {
    let is_moment = |text: &str| text.parse::<jiff::civil::Date>().is_ok() || text.parse::<jiff::Timestamp>().is_ok();
    let start = value["start"].as_str().filter(|text| is_moment(text))?;
    let end = value["end"].as_str();
    if end.is_some_and(|end| !is_moment(end)) {
        return None;
    }
    Some(json!({ "start": start, "end": end, "time_zone": null }))
}

/// The value of a property that nobody has set.
fn empty(kind: &str) -> Value {
    match kind {
        "title" | "rich_text" | "multi_select" | "people" | "relation" | "files" => json!([]),
        "checkbox" => json!(false),
        _ => Value::Null,
    }
}

impl Notion {
    /// The properties of a page as answers show them.
    pub fn shown_properties(&self, page: &Page) -> Value {
        let source = page.source.as_deref().and_then(|id| self.source(id));
        let Some((_, source)) = source else {
            let title = json!({ "id": "title", "type": "title", "title": page.values.get("title") });
            return json!({ "title": title });
        };
        let shown = |property: &Property| {
            let kind = property.kind.as_str();
            let value = self.value(page, property);
            (property.name.clone(), json!({ "id": property.id, "type": kind, kind: value }))
        };
        source.properties.iter().map(shown).collect::<Map<_, _>>().into()
    }

    /// What a page holds in a property.
    pub fn value(&self, page: &Page, property: &Property) -> Value {
        match property.kind.as_str() {
            "created_time" => json!(time(page.created)),
            "last_edited_time" => json!(time(page.edited)),
            "created_by" => self.by_bot(),
            "unique_id" => json!({ "prefix": property.config["prefix"], "number": page.number }),
            kind => page.values.get(&property.id).cloned().unwrap_or_else(|| empty(kind)),
        }
    }
}

/// A value as a text, to compare by.
pub fn words(kind: &str, value: &Value) -> String {
    match kind {
        "title" | "rich_text" => rich::words(value),
        "select" | "status" => value["name"].as_str().unwrap_or_default().to_owned(),
        "date" => value["start"].as_str().unwrap_or_default().to_owned(),
        "multi_select" | "people" | "files" | "relation" => {
            let name = |one: &Value| one["name"].as_str().or(one["id"].as_str()).unwrap_or_default().to_owned();
            value.as_array().into_iter().flatten().map(name).collect::<Vec<_>>().join(", ")
        }
        _ => match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    }
}
