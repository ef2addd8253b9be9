//! The operations on records: query, describe, create, read, update.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Salesforce,
    errors::{bad, error, not_found, unknown_field, unknown_object},
    grammar::parse,
    model::{Access, FieldDef, Kind, OBJECTS, ObjectDef, object},
    query::{Runner, attributes},
    world::{Fields, same_id},
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// Rows of a page where nothing else is asked for.
const BATCH: usize = 2000;

/// `GET query`.
pub fn query(world: &Salesforce, call: &Call<'_>) -> Outcome {
    page(world, call, call.query("q").unwrap_or_default(), 0)
}

/// `GET query/{queryLocator}`. Here a locator carries its query, so that nothing needs to be kept.
pub fn query_more(world: &Salesforce, call: &Call<'_>) -> Outcome {
    let invalid = || bad("INVALID_QUERY_LOCATOR", "invalid query locator");
    let locator = call.segment("queryLocator").strip_prefix("01g").ok_or_else(invalid)?;
    let (encoded, start) = locator.rsplit_once('-').ok_or_else(invalid)?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| invalid())?;
    let soql = String::from_utf8(bytes).map_err(|_| invalid())?;
    page(world, call, &soql, start.parse().map_err(|_| invalid())?)
}

fn page(world: &Salesforce, call: &Call<'_>, soql: &str, start: usize) -> Outcome {
    let query =
        parse(soql).map_err(|why| bad("MALFORMED_QUERY", &format!("\n{soql}\n^\nERROR at Row:1:Column:1\n{why}")))?;
    let found = Runner { world, now: call.now }.run(&query)?;
    let end = start + batch(call)?;
    let mut answer = json!({
        "totalSize": found.total,
        "done": end >= found.records.len(),
        "records": found.records.iter().skip(start).take(end - start).collect::<Vec<_>>(),
    });
    if end < found.records.len() {
        let encoded = URL_SAFE_NO_PAD.encode(soql);
        answer["nextRecordsUrl"] = format!("/services/data/v66.0/query/01g{encoded}-{end}").into();
    }
    Ok(Answer::ok(answer).with("sforce-limit-info", "api-usage=18/15000"))
}

/// The size of a page, from 200 to 2000.
fn batch(call: &Call<'_>) -> Result<usize, Answer> {
    let Some(options) = call.header("sforce-query-options") else { return Ok(BATCH) };
    let size = options.trim().strip_prefix("batchSize=").and_then(|size| size.parse().ok());
    let refuse = || bad("INVALID_BATCH_SIZE", "batchSize must be between 200 and 2000");
    size.filter(|size| (200..=BATCH).contains(size)).ok_or_else(refuse)
}

/// `GET sobjects`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the route table takes functions of one shape")]
pub fn describe_global(_: &Salesforce, _: &Call<'_>) -> Outcome {
    let objects = OBJECTS.iter().map(|of| {
        json!({
            "name": of.name, "label": of.label, "labelPlural": of.plural, "keyPrefix": of.prefix,
            "queryable": true, "createable": !is_fixed(of), "updateable": !is_fixed(of), "custom": false,
        })
    });
    Ok(Answer::ok(json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects.collect::<Vec<_>>() })))
}

/// `GET sobjects/{sobject}/describe`.
pub fn describe(_: &Salesforce, call: &Call<'_>) -> Outcome {
    let of = known(call)?;
    let fields: Vec<_> = of.fields.iter().map(describe_field).collect();
    Ok(Answer::ok(json!({
        "name": of.name, "label": of.label, "labelPlural": of.plural, "keyPrefix": of.prefix,
        "queryable": true, "createable": !is_fixed(of), "updateable": !is_fixed(of), "fields": fields,
    })))
}

fn describe_field(field: &FieldDef) -> Value {
    let is_open = field.access != Access::System;
    let choices = field.kind.choices().iter().map(
        |choice| json!({ "value": choice, "label": choice, "active": true, "defaultValue": false, "validFor": null }),
    );
    let (refers, relationship) = match field.kind {
        Kind::Ref(objects) => (json!(objects), json!(field.name.trim_end_matches("Id"))),
        _ => (json!([]), Value::Null),
    };
    let length = match field.kind {
        Kind::Text(most) | Kind::Long(most) => most,
        _ => 0,
    };
    json!({
        "name": field.name, "label": field.label, "type": field.kind.name(), "length": length,
        "nillable": field.access == Access::Open, "createable": is_open, "updateable": is_open,
        "defaultedOnCreate": matches!(field.access, Access::Defaulted | Access::System),
        "custom": field.name.ends_with("__c"), "restrictedPicklist": matches!(field.kind, Kind::Only(_)),
        "picklistValues": choices.collect::<Vec<_>>(), "referenceTo": refers, "relationshipName": relationship,
    })
}

/// `POST sobjects/{sobject}`.
pub fn create(world: &mut Salesforce, call: &Call<'_>) -> Outcome {
    let of = changeable(call)?;
    let id = world.make(of, &call.fields(), call.now)?;
    Ok(Answer::json(201, json!({ "id": id, "success": true, "errors": [] })))
}

/// `GET sobjects/{sobject}/{id}`.
pub fn get(world: &Salesforce, call: &Call<'_>) -> Outcome {
    let of = known(call)?;
    let record = find(world, of, call.segment("id"))?;
    let mut shown = attributes(of.name, record);
    match call.query("fields") {
        Some(names) => {
            for name in names.split(',') {
                let field = of.field(name.trim()).ok_or_else(|| unknown_field(of.name, name))?;
                shown.insert(field.name.to_owned(), record.get(field.name).cloned().unwrap_or_default());
            }
        }
        None => shown.extend(record.clone()),
    }
    Ok(Answer::ok(shown.into()))
}

/// `PATCH sobjects/{sobject}/{id}`.
pub fn update(world: &mut Salesforce, call: &Call<'_>) -> Outcome {
    let of = changeable(call)?;
    let id = call.segment("id");
    find(world, of, id)?;
    let sent = call.fields();
    if sent.is_empty() {
        return Err(bad("JSON_PARSER_ERROR", "The HTTP entity body is required"));
    }
    world.alter(of, id, &sent, call.now)?;
    Ok(Answer::empty(204))
}

fn known(call: &Call<'_>) -> Result<&'static ObjectDef, Answer> {
    object(call.segment("sobject")).ok_or_else(not_found)
}

fn changeable(call: &Call<'_>) -> Result<&'static ObjectDef, Answer> {
    let of = object(call.segment("sobject")).ok_or_else(|| unknown_object(call.segment("sobject")))?;
    if is_fixed(of) {
        let why = format!("entity type cannot be inserted: {}", of.label);
        return Err(error(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", &why, &[]));
    }
    Ok(of)
}

/// Users and the organisation are made elsewhere.
fn is_fixed(of: &ObjectDef) -> bool {
    matches!(of.name, "User" | "Organization")
}

fn find<'w>(world: &'w Salesforce, of: &'static ObjectDef, id: &str) -> Result<&'w Fields, Answer> {
    if let Some(found) = world.find(of.name, id) {
        return Ok(found);
    }
    let elsewhere = OBJECTS
        .iter()
        .any(|other| world.all(other.name).any(|fields| fields["Id"].as_str().is_some_and(|own| same_id(own, id))));
    if !elsewhere && (matches!(id.len(), 15 | 18) && id.starts_with(of.prefix)) {
        return Err(not_found());
    }
    Err(error(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Id", &[]))
}
