//! What a field accepts as a value, with and without `typecast`.

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value, json};

use super::{
    Airtable, errors,
    schema::{Field, Table},
};
use crate::sandbox::twin::{Answer, Call};

/// The values of a request by the ids of their fields, checked and in the form in which they are kept. With
/// `typecast`, select fields get new choices.
pub fn accept(world: &mut Airtable, call: &Call<'_>, sent: &Map<String, Value>) -> Result<Map<String, Value>, Answer> {
    let typecast = call.body["typecast"] == true;
    let mut cells = Map::new();
    for (name, value) in sent {
        let field = world.table(call)?.field(name)?.clone();
        if field.is_computed() {
            return Err(errors::computed(&field.name));
        }
        let accepted = accept_one(world, call, &field, value, typecast)?;
        if !is_empty(&accepted) {
            cells.insert(field.id.clone(), accepted);
        }
    }
    Ok(cells)
}

/// The fields that a request empties.
pub fn cleared(table: &Table, sent: &Map<String, Value>) -> Vec<String> {
    let empty = sent.iter().filter(|(_, value)| is_empty(value));
    empty.filter_map(|(name, _)| table.field(name).ok().map(|field| field.id.clone())).collect()
}

/// What the vendor does not keep: no value, no text, no mark, no items.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn accept_one(
    world: &mut Airtable,
    call: &Call<'_>,
    field: &Field,
    value: &Value,
    typecast: bool,
) -> Result<Value, Answer> {
    let bad = || errors::bad_value(&field.name);
    if value.is_null() {
        return Ok(Value::Null);
    }
    match field.kind.as_str() {
        "number" | "currency" | "percent" | "duration" | "rating" => number(value, typecast).ok_or_else(bad),
        "checkbox" if value.is_boolean() => Ok(value.clone()),
        "singleSelect" => choice(world, call, field, value.as_str().ok_or_else(bad)?, typecast),
        "multipleSelects" => {
            let names = value.as_array().ok_or_else(bad)?.clone();
            names.iter().map(|name| choice(world, call, field, name.as_str().ok_or_else(bad)?, typecast)).collect()
        }
        "multipleRecordLinks" => {
            let ids = value.as_array().ok_or_else(bad)?;
            ids.iter().map(|id| link(world, call, field, id.as_str().ok_or_else(bad)?, typecast)).collect()
        }
        "singleCollaborator" => person(world, value).ok_or_else(bad),
        "multipleCollaborators" => {
            value.as_array().ok_or_else(bad)?.iter().map(|one| person(world, one).ok_or_else(bad)).collect()
        }
        "multipleAttachments" => {
            let files = value.as_array().ok_or_else(bad)?.clone();
            files.iter().map(|file| attachment(world, file).ok_or_else(bad)).collect()
        }
        "date" => value.as_str().filter(|text| text.parse::<Date>().is_ok()).map(Value::from).ok_or_else(bad),
        "dateTime" => {
            let instant: Option<Timestamp> = value.as_str().and_then(|text| text.parse().ok());
            instant.map(|instant| json!(format!("{instant:.3}"))).ok_or_else(bad)
        }
        "barcode" if value["text"].is_string() => Ok(value.clone()),
        "checkbox" | "barcode" => Err(bad()),
        _ if value.is_string() => Ok(value.clone()),
        _ if typecast && value.is_number() => Ok(json!(value.to_string())),
        _ => Err(bad()),
    }
}

fn number(value: &Value, typecast: bool) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) if typecast => text.parse::<f64>().ok().map(Value::from),
        _ => None,
    }
}

/// One of the choices, or with `typecast` a new one.
fn choice(world: &mut Airtable, call: &Call<'_>, field: &Field, name: &str, typecast: bool) -> Result<Value, Answer> {
    let current = world.table(call)?.field(&field.id)?;
    if current.choices().contains(&name) {
        return Ok(name.into());
    }
    if !typecast || name.is_empty() {
        return Err(errors::new_choice(name));
    }
    let new = json!({ "id": format!("sel{}", world.mint.id(14)), "name": name, "color": "blueLight2" });
    let table = world.writable(call)?;
    let known = table.fields.iter_mut().find(|one| one.id == field.id);
    if let Some(Value::Array(choices)) = known.and_then(|field| field.options.get_mut("choices")) {
        choices.push(new);
    }
    Ok(name.into())
}

/// The id of a linked record; with `typecast` its name will do.
fn link(world: &Airtable, call: &Call<'_>, field: &Field, id: &str, typecast: bool) -> Result<Value, Answer> {
    let linked = field.options.get("linkedTableId").and_then(Value::as_str).unwrap_or_default();
    let table = world.base(call.segment("baseId"))?.table(linked)?;
    let by_name = || table.records.iter().find(|record| table.title(record) == id).filter(|_| typecast);
    let found = table.records.iter().find(|record| record.id == id).or_else(by_name);
    found.map(|record| json!(record.id)).ok_or_else(|| errors::no_row(id))
}

/// Somebody of the workspace, by id or address.
fn person(world: &Airtable, value: &Value) -> Option<Value> {
    world.collaborator(value["id"].as_str().or(value["email"].as_str())?)
}

/// A file that the vendor would fetch.
fn attachment(world: &mut Airtable, value: &Value) -> Option<Value> {
    let url = value["url"].as_str().filter(|url| url.starts_with("http"))?;
    let name = value["filename"].as_str().or(url.rsplit('/').next()).filter(|name| !name.is_empty()).unwrap_or("file");
    Some(json!({ "id": format!("att{}", world.mint.id(14)), "url": url, "filename": name }))
}
