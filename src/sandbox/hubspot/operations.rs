//! The operations on single records, and the settings.

use serde_json::{Map, Value, json};

use super::{
    HubSpot,
    errors::{invalid, not_found},
    model::{Kind, PIPELINES, kind},
    world::written,
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// When the account was set up.
const BEGINNING: &str = "2024-01-08T09:00:00.000Z";

/// The kind of record that an operation is about, which its name tells.
pub fn kind_of(call: &Call<'_>) -> Result<&'static Kind, Answer> {
    let mut parts = call.operation.split(['/', '_']);
    parts.find_map(kind).ok_or_else(not_found)
}

/// The id in the path, whatever the path calls it.
fn id_of<'c>(call: &'c Call<'_>) -> &'c str {
    call.path.values().next().map_or("", String::as_str)
}

/// `GET objects/{kind}/{id}`.
pub fn read(world: &HubSpot, call: &Call<'_>) -> Outcome {
    let of = kind_of(call)?;
    let place = world.place(of.name, id_of(call), call.query("idProperty")).ok_or_else(not_found)?;
    let record = &world.records[place];
    let wanted: Vec<_> = call.query_all("properties").flat_map(|names| names.split(',')).map(str::to_owned).collect();
    let mut shown = record.shown(&wanted);
    let mut associations = Map::new();
    for to in call.query_all("associations").flat_map(|names| names.split(',')) {
        let ids = record.links.iter().filter(|(kind, _)| kind == to).map(|(_, id)| id);
        let noun = kind(to).map_or(to, |kind| kind.noun);
        let ids: Vec<_> = ids.map(|id| json!({ "id": id, "type": format!("{}_to_{noun}", of.noun) })).collect();
        if !ids.is_empty() {
            associations.insert(to.to_owned(), json!({ "results": ids }));
        }
    }
    if !associations.is_empty() {
        shown["associations"] = associations.into();
    }
    Ok(Answer::ok(shown))
}

/// `POST objects/{kind}`.
pub fn create(world: &mut HubSpot, call: &Call<'_>) -> Outcome {
    let of = kind_of(call)?;
    let fields = call.fields();
    let properties = world.checked(of, &fields["properties"])?;
    let missing = of.required.iter().find(|name| properties.get(**name).is_none_or(String::is_empty));
    if let Some(name) = missing {
        return Err(invalid(&format!("Error creating {}. Some required properties were not set: {name}", of.noun)));
    }
    let links = world.links(of, fields.get("associations"))?;
    let wanted: Vec<_> = properties.keys().cloned().collect();
    let id = world.make(of, properties, links, call.now);
    let made = world.find(of.name, &id).ok_or_else(not_found)?;
    Ok(Answer::json(201, made.shown(&wanted)))
}

/// `PATCH objects/{kind}/{id}`.
pub fn update(world: &mut HubSpot, call: &Call<'_>) -> Outcome {
    let of = kind_of(call)?;
    let place = world.place(of.name, id_of(call), call.query("idProperty")).ok_or_else(not_found)?;
    let properties = world.checked(of, &call.fields()["properties"])?;
    let wanted: Vec<_> = properties.keys().cloned().collect();
    world.set(place, properties, call.now);
    Ok(Answer::ok(world.records[place].shown(&wanted)))
}

/// `POST objects/contacts/batch/upsert`.
pub fn upsert(world: &mut HubSpot, call: &Call<'_>) -> Outcome {
    let of = kind_of(call)?;
    let inputs = call.fields()["inputs"].as_array().cloned().unwrap_or_default();
    if inputs.len() > 100 {
        return Err(invalid("A batch has at most 100 inputs"));
    }
    let mut results = vec![];
    for input in &inputs {
        let by = input["idProperty"].as_str();
        let id = input["id"].as_str().unwrap_or_default();
        let mut properties = world.checked(of, &input["properties"])?;
        if let Some(by) = by.filter(|by| *by != "hs_object_id") {
            properties.entry(by.to_owned()).or_insert_with(|| id.to_owned());
        }
        let wanted: Vec<_> = properties.keys().cloned().collect();
        let place = world.place(of.name, id, by);
        let (id, is_new) = match place {
            Some(place) => {
                world.set(place, properties, call.now);
                (world.records[place].id.clone(), false)
            }
            None => (world.make(of, properties, vec![], call.now), true),
        };
        let mut shown = world.find(of.name, &id).ok_or_else(not_found)?.shown(&wanted);
        shown["new"] = is_new.into();
        results.push(shown);
    }
    let now = written(call.now);
    Ok(Answer::ok(json!({ "status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now })))
}

/// `GET owners`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the route table takes functions of one shape")]
pub fn owners(world: &HubSpot, call: &Call<'_>) -> Outcome {
    let email = call.query("email");
    let fits = |one: &&super::Owner| email.is_none_or(|email| one.email.eq_ignore_ascii_case(email));
    let skip: usize = call.query("after").and_then(|after| after.parse().ok()).unwrap_or_default();
    let limit = call.number("limit").unwrap_or(100);
    let all: Vec<_> = world.owners.iter().filter(fits).collect();
    let shown = all.iter().skip(skip).take(limit).map(|owner| {
        let (first, last) = owner.name.split_once(' ').unwrap_or((&owner.name, ""));
        json!({
            "id": owner.id, "email": owner.email, "firstName": first, "lastName": last, "type": "PERSON",
            "createdAt": BEGINNING, "updatedAt": BEGINNING, "archived": false,
        })
    });
    let mut answer = json!({ "results": shown.collect::<Vec<_>>() });
    if skip + limit < all.len() {
        answer["paging"] = json!({ "next": { "after": (skip + limit).to_string() } });
    }
    Ok(Answer::ok(answer))
}

/// `GET pipelines/{objectType}`.
pub fn pipelines(_: &HubSpot, call: &Call<'_>) -> Outcome {
    let of = call.segment("objectType");
    let own = PIPELINES.iter().filter(|(kind, ..)| *kind == of).enumerate();
    let shown: Vec<_> = own.map(|(order, (_, id, label, stages))| pipeline(order, id, label, stages)).collect();
    if shown.is_empty() { Err(not_found()) } else { Ok(Answer::ok(json!({ "results": shown }))) }
}

fn pipeline(order: usize, id: &str, label: &str, stages: &[(&str, &str)]) -> Value {
    let stages = stages.iter().enumerate().map(|(order, (id, label))| {
        json!({
            "id": id, "label": label, "displayOrder": order, "metadata": {}, "archived": false,
            "createdAt": BEGINNING, "updatedAt": BEGINNING,
        })
    });
    json!({
        "id": id, "label": label, "displayOrder": order, "archived": false, "createdAt": BEGINNING,
        "updatedAt": BEGINNING, "stages": stages.collect::<Vec<_>>(),
    })
}

/// `GET properties/{objectType}`.
pub fn properties(_: &HubSpot, call: &Call<'_>) -> Outcome {
    let of = kind(call.segment("objectType")).ok_or_else(not_found)?;
    let described: Vec<_> = of.properties.iter().map(super::model::Property::described).collect();
    Ok(Answer::ok(json!({ "results": described })))
}
