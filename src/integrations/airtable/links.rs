//! Links between records: names to ids on the way in, ids to names on the way out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    cells::list,
    formula::{self, text},
    place::{Place, is_id},
    shown::Titles,
    wire::{Field, Record, Records, Table, Wanted},
    wrong,
};
use crate::{
    http::Request,
    path,
    tool::{Call, Kind, Named, Result, Written, one_of},
};

/// How many linked records are named in one answer, and the most that one request of Airtable returns.
const MOST: usize = 100;

/// The longest title of a linked record.
const LONGEST: usize = 80;

/// What the records that `records` link to are called, one request a linked table. Where that cannot be found out, the
/// ids have to do.
pub(super) async fn titles(cx: &Call, place: &Place, records: &[Record]) -> Titles {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for field in place.table().fields.iter().filter(|field| field.kind == "multipleRecordLinks") {
        let Some(table) = place.linked(field) else { continue };
        let ids = records.iter().filter_map(|record| record.fields.get(&field.name)?.as_array()).flatten();
        wanted.entry(&table.id).or_default().extend(ids.filter_map(Value::as_str));
    }
    let mut titles = Titles::new();
    for (table_id, ids) in wanted {
        let Some(table) = place.tables.iter().find(|table| table.id == table_id) else { continue };
        let tests: Vec<_> = ids.iter().take(MOST).map(|id| format!("RECORD_ID()={}", text(id))).collect();
        if !tests.is_empty() {
            let found = named(cx, place, table, formula::any(&tests)).await.unwrap_or_default();
            titles.extend(found.into_iter().map(|record| (record.id, Written::by_others(&record.title).line(LONGEST).as_str().to_owned())));
        }
    }
    titles
}

/// The ids of the records that a caller means, given as ids or names of records of the linked table.
pub(super) async fn ids(cx: &Call, place: &Place, field: &Field, given: &str, typecast: bool) -> Result<Value> {
    let parts = list(given);
    let known: Vec<Option<String>> = parts.iter().map(|part| id_in(part)).collect();
    let names: Vec<&String> = parts.iter().zip(&known).filter(|(_, id)| id.is_none()).map(|(part, _)| part).collect();
    if parts.is_empty() || names.is_empty() {
        return Ok(known.into_iter().flatten().map(Value::from).collect());
    }
    let Some(table) = place.linked(field) else {
        return Err(wrong(format!("`{}` takes ids of records, such as recA1b2C3d4E5f6G7", field.name)));
    };
    let candidates = candidates(cx, place, table, &names).await?;
    let noun = format!("`{}` record", table.name);
    let id_of = |(part, id): (&String, Option<String>)| match id {
        Some(id) => Ok(id.into()),
        None => match one_of(&noun, part, candidates.iter()) {
            Ok(found) => Ok(Value::from(found.id.clone())),
            // Airtable then links the record of that name, or makes it.
            Err(error) if typecast && error.kind() == Kind::NotFound => Ok(part.as_str().into()),
            Err(error) => Err(error),
        },
    };
    parts.iter().zip(known).map(id_of).collect()
}

/// The records of a table whose names have one of these names in them.
async fn candidates(cx: &Call, place: &Place, table: &Table, names: &[&String]) -> Result<Vec<Linked>> {
    let Some(primary) = table.primary() else { return Ok(Vec::new()) };
    let tests: Vec<_> = names.iter().map(|name| formula::has(primary, name)).collect();
    named(cx, place, table, formula::any(&tests)).await
}

async fn named(cx: &Call, place: &Place, table: &Table, filter: String) -> Result<Vec<Linked>> {
    let Some(primary) = table.primary() else { return Ok(Vec::new()) };
    let wanted = Wanted {
        fields: Some(vec![primary.name.clone()]),
        filter_by_formula: Some(filter),
        page_size: u32::try_from(MOST).unwrap_or(100),
        ..Wanted::default()
    };
    let request = Request::post(path![&place.base, &table.id, "listRecords"]).json(&wanted).reads();
    let found: Records = cx.fetch(request).await?;
    let linked = |record: Record| {
        let title = record.fields.get(&primary.name);
        let title = title.map_or_else(String::new, |value| super::shown::shown(value, primary, &Titles::new()));
        Linked { id: record.id, title }
    };
    Ok(found.records.into_iter().map(linked).collect())
}

/// A record with its name.
#[derive(Clone, Debug)]
struct Linked {
    id: String,
    title: String,
}

impl Named for &Linked {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.title]
    }
}

/// The id in `recA1b2C3d4E5f6G7` or in `Contoso [recA1b2C3d4E5f6G7]`, as records are shown.
fn id_in(part: &str) -> Option<String> {
    let bare = part.rsplit_once('[').map_or(part, |(_, rest)| rest.trim_end_matches(']')).trim();
    is_id(bare, "rec").then(|| bare.to_owned())
}
