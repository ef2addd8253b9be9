//! Single records and batches: reading, making, changing, merging, deleting.

use serde_json::{Map, Value, json};

use super::{
    Airtable, cells, errors,
    schema::{Record, Table, words},
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How many records a request may write.
const BATCH: usize = 10;

/// How many fields an upsert may compare.
const KEYS: usize = 3;

/// `getRecord`
pub fn get(world: &Airtable, call: &Call<'_>) -> Outcome {
    let table = world.table(call)?;
    let record = table.record(call.segment("recordId"))?;
    Ok(Answer::ok(table.shown(record, call.flag("returnFieldsByFieldId"), None)))
}

/// `createRecords`
pub fn create(world: &mut Airtable, call: &Call<'_>) -> Outcome {
    let one = call.body.get("fields").and_then(Value::as_object);
    let many = call.body.get("records").and_then(Value::as_array);
    match (one, many) {
        (Some(fields), None) => {
            let id = insert(world, call, fields)?;
            show(world, call, &id).map(Answer::ok)
        }
        (None, Some(records)) => {
            check_size(records)?;
            let ids: Vec<_> =
                records.iter().map(|record| insert(world, call, fields_of(record))).collect::<Result<_, _>>()?;
            let shown: Vec<_> = ids.iter().map(|id| show(world, call, id)).collect::<Result<_, _>>()?;
            Ok(Answer::ok(json!({ "records": shown })))
        }
        _ => Err(errors::invalid(
            "INVALID_REQUEST_MISSING_FIELDS",
            "Could not find field \"fields\" in the request body",
        )),
    }
}

/// `updateRecord`
pub fn update(world: &mut Airtable, call: &Call<'_>) -> Outcome {
    let id = call.segment("recordId").to_owned();
    world.table(call)?.record(&id)?;
    alter(world, call, &id, fields_of(&call.body))?;
    show(world, call, &id).map(Answer::ok)
}

/// `updateMultiple`, with and without `performUpsert`.
pub fn update_many(world: &mut Airtable, call: &Call<'_>) -> Outcome {
    let records = call.body["records"].as_array().cloned().unwrap_or_default();
    check_size(&records)?;
    let keys = call.body.get("performUpsert").map(|upsert| texts(&upsert["fieldsToMergeOn"]));
    let (mut all, mut created, mut updated) = (vec![], vec![], vec![]);
    for record in &records {
        let found = match (record["id"].as_str(), &keys) {
            (Some(id), _) => Some(world.table(call)?.record(id).map_err(|_| errors::no_row(id))?.id.clone()),
            (None, Some(keys)) => merge_target(world.table(call)?, fields_of(record), keys)?,
            (None, None) => return Err(errors::invalid("INVALID_RECORDS", "Every record needs an id")),
        };
        let id = if let Some(id) = found {
            alter(world, call, &id, fields_of(record))?;
            updated.push(id.clone());
            id
        } else {
            let id = insert(world, call, fields_of(record))?;
            created.push(id.clone());
            id
        };
        all.push(show(world, call, &id)?);
    }
    let mut answer = json!({ "records": all });
    if keys.is_some() {
        answer["createdRecords"] = json!(created);
        answer["updatedRecords"] = json!(updated);
    }
    Ok(Answer::ok(answer))
}

/// `deleteRecord`
pub fn delete(world: &mut Airtable, call: &Call<'_>) -> Outcome {
    let id = call.segment("recordId").to_owned();
    let table = world.writable(call)?;
    table.record(&id)?;
    table.records.retain(|record| record.id != id);
    unlink(world, call.segment("baseId"), &id);
    world.comments.retain(|comment| comment.record != id);
    Ok(Answer::ok(json!({ "id": id, "deleted": true })))
}

/// Takes a record out of every link to it.
fn unlink(world: &mut Airtable, base: &str, id: &str) {
    let tables = world.bases.iter_mut().filter(|one| one.id == base).flat_map(|base| &mut base.tables);
    for record in tables.flat_map(|table| &mut table.records) {
        for cell in record.cells.values_mut().filter_map(Value::as_array_mut) {
            cell.retain(|value| value != id);
        }
        record.cells.retain(|_, cell| cell.as_array().is_none_or(|items| !items.is_empty()));
    }
}

/// The record that a merge changes, if there is one.
fn merge_target(table: &Table, fields: &Map<String, Value>, keys: &[String]) -> Result<Option<String>, Answer> {
    if keys.is_empty() || keys.len() > KEYS {
        return Err(errors::invalid("INVALID_REQUEST_UNKNOWN", "fieldsToMergeOn must have one to three fields"));
    }
    let mut tests = vec![];
    for key in keys {
        let field = table.field(key)?;
        let value = fields.get(&field.name).or_else(|| fields.get(&field.id));
        let value =
            value.ok_or_else(|| errors::invalid("INVALID_REQUEST_UNKNOWN", &format!("\"{key}\" is missing")))?;
        tests.push((&field.id, words(value)));
    }
    let fits =
        |record: &&Record| tests.iter().all(|(id, value)| record.cells.get(*id).map(words).as_ref() == Some(value));
    let found: Vec<_> = table.records.iter().filter(fits).collect();
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.id.clone())),
        _ => Err(errors::invalid("INVALID_REQUEST_UNKNOWN", "More than one record matches the merge fields")),
    }
}

fn insert(world: &mut Airtable, call: &Call<'_>, fields: &Map<String, Value>) -> Result<String, Answer> {
    world.writable(call)?;
    let cells = cells::accept(world, call, fields)?;
    let id = format!("rec{}", world.mint.id(14));
    let now = call.now;
    let table = world.writable(call)?;
    table.add(Record { id: id.clone(), created: now, cells });
    Ok(id)
}

fn alter(world: &mut Airtable, call: &Call<'_>, id: &str, fields: &Map<String, Value>) -> Result<(), Answer> {
    world.writable(call)?;
    let cells = cells::accept(world, call, fields)?;
    let cleared = cells::cleared(world.table(call)?, fields);
    let table = world.writable(call)?;
    if let Some(record) = table.records.iter_mut().find(|record| record.id == id) {
        record.cells.extend(cells);
        record.cells.retain(|field, _| !cleared.contains(field));
    }
    Ok(())
}

impl Table {
    /// Puts a record in, with its number where the table counts.
    pub fn add(&mut self, mut record: Record) {
        self.numbered += 1;
        for field in self.fields.iter().filter(|field| field.kind == "autoNumber") {
            record.cells.insert(field.id.clone(), json!(self.numbered));
        }
        self.records.push(record);
    }
}

fn show(world: &Airtable, call: &Call<'_>, id: &str) -> Result<Value, Answer> {
    let table = world.table(call)?;
    Ok(table.shown(table.record(id)?, call.body["returnFieldsByFieldId"] == true, None))
}

fn check_size(records: &[Value]) -> Result<(), Answer> {
    if records.is_empty() || records.len() > BATCH {
        return Err(errors::invalid("INVALID_RECORDS", "You must provide between 1 and 10 records"));
    }
    Ok(())
}

fn fields_of(record: &Value) -> &Map<String, Value> {
    record["fields"].as_object().expect("the table of the route asks for an object")
}

/// The texts of an array.
pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
