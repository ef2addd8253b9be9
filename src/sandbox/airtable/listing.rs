//! Lists of records: which ones, in which order, and page by page.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::{
    Airtable, errors,
    formula::{self, Formula},
    records::texts,
    schema::{Base, Field, Record, Table, View, words},
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How many records stand on a page where the request does not say.
const PAGE: u64 = 100;

/// `listRecords`, asked with a body.
pub fn list(world: &Airtable, call: &Call<'_>) -> Outcome {
    let base = world.base(call.segment("baseId"))?;
    let table = world.table(call)?;
    let body = &call.body;
    let mut records = viewed(base, table, call)?;
    if let Some(text) = body["filterByFormula"].as_str().filter(|text| !text.trim().is_empty()) {
        let filter = parse(table, text)?;
        records = keep(base, table, records, &filter, call)?;
    }
    for order in body["sort"].as_array().into_iter().flatten().rev() {
        let field = table.field(order["field"].as_str().unwrap_or_default())?;
        records.sort_by(|one, other| compare(field, one, other, order["direction"] == "desc"));
    }
    records.truncate(body["maxRecords"].as_u64().map_or(usize::MAX, size));
    let only = body.get("fields").map(texts);
    only.iter().flatten().try_for_each(|name| table.field(name).map(drop))?;
    page(table, call, &records, only.as_deref())
}

fn page(table: &Table, call: &Call<'_>, records: &[&Record], only: Option<&[String]>) -> Outcome {
    let from = match call.body["offset"].as_str() {
        None => 0,
        Some(offset) => position(records, offset)?,
    };
    let length = size(call.body["pageSize"].as_u64().unwrap_or(PAGE));
    let by_id = call.body["returnFieldsByFieldId"] == true;
    let shown: Vec<_> = records.iter().skip(from).take(length).map(|record| table.shown(record, by_id, only)).collect();
    let mut answer = json!({ "records": shown });
    if let Some(next) = records.get(from + length) {
        answer["offset"] = json!(format!("itr{}/{}", &table.id[3..], next.id));
    }
    Ok(Answer::ok(answer))
}

/// Where a page begins: with the record that the offset names, if it is still in the list.
fn position(records: &[&Record], offset: &str) -> Result<usize, Answer> {
    let id = offset.split_once('/').map(|(_, id)| id).unwrap_or_default();
    records.iter().position(|record| record.id == id).ok_or_else(|| {
        let message = "The previous page of this list is no longer available. Start again from the beginning.";
        errors::invalid("LIST_RECORDS_ITERATOR_NOT_AVAILABLE", message)
    })
}

/// What a view shows; all records without one.
fn viewed<'a>(base: &Base, table: &'a Table, call: &Call<'_>) -> Result<Vec<&'a Record>, Answer> {
    let all = table.records.iter().collect();
    let Some(name) = call.body["view"].as_str() else { return Ok(all) };
    let fits = |view: &&View| view.id == name || view.name == name;
    let missing = || errors::invalid("VIEW_NAME_NOT_FOUND", &format!("View {name} not found"));
    let view = table.views.iter().find(fits).ok_or_else(missing)?;
    if view.filter.is_empty() {
        return Ok(all);
    }
    keep(base, table, all, &parse(table, &view.filter)?, call)
}

fn parse(table: &Table, text: &str) -> Result<Formula, Answer> {
    let formula = formula::parse(text).map_err(|why| errors::bad_formula(&why))?;
    match formula.fields().into_iter().find(|name| table.field(name).is_err()) {
        Some(name) => Err(errors::bad_formula(&format!("Unknown field names: {}", name.to_lowercase()))),
        None => Ok(formula),
    }
}

fn keep<'a>(
    base: &Base,
    table: &Table,
    records: Vec<&'a Record>,
    filter: &Formula,
    call: &Call<'_>,
) -> Result<Vec<&'a Record>, Answer> {
    let mut kept = vec![];
    for record in records {
        let row = |name: &str| table.field(name).map_or(Value::Null, |field| in_formula(base, record, field));
        let value = filter.value(&row, &record.id, call.now).map_err(|why| errors::bad_formula(&why))?;
        if formula::is_true(&value) {
            kept.push(record);
        }
    }
    Ok(kept)
}

/// A value as formulas see it: linked records by their names.
fn in_formula(base: &Base, record: &Record, field: &Field) -> Value {
    let value = Table::value(record, field).unwrap_or(Value::Null);
    let linked = field.options.get("linkedTableId").and_then(Value::as_str);
    let (Some(linked), Value::Array(ids)) = (linked.and_then(|id| base.table(id).ok()), &value) else { return value };
    let name = |id: &Value| linked.record(id.as_str()?).ok().map(|record| json!(linked.title(record)));
    ids.iter().filter_map(name).collect()
}

/// Empty values come first; choices in the order of the field.
fn compare(field: &Field, one: &Record, other: &Record, is_descending: bool) -> Ordering {
    let value = |record: &Record| Table::value(record, field).unwrap_or(Value::Null);
    let (one, other) = (value(one), value(other));
    let rank = |value: &Value| field.choices().iter().position(|choice| value == *choice);
    let order = match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ if one.is_null() || other.is_null() => other.is_null().cmp(&one.is_null()),
        _ => match (rank(&one), rank(&other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => words(&one).to_lowercase().cmp(&words(&other).to_lowercase()),
        },
    };
    if is_descending { order.reverse() } else { order }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
