//! Changes of records.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    WRITE_RECORDS,
    batches::{AllWritten, Batches, read_all},
    cells::{Cells, confirm},
    creating::{Deed, Done, body},
    place::{Place, record_is_missing},
    wrong,
};
use crate::{
    http::Request,
    tool::{Call, Effect, Error, Pair, Result, Scopes, Tool},
};

/// Changes fields of one record; the others stay as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateRecord {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// The `id` of a record, such as `recA1b2C3d4E5f6G7`.
    record_id: String,
    /// The new values; links take names or ids of records, people take addresses.
    fields: Vec<Pair>,
    /// Whether new select options and linked records may be made; else false.
    typecast: Option<bool>,
}

impl Tool for UpdateRecord {
    const NAME: &'static str = "airtable_update_record";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = WRITE_RECORDS;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let typecast = self.typecast.unwrap_or(false);
        let place = Place::find(cx, &self.base, &self.table).await?;
        let path = place.record_path(&self.record_id)?;
        let cells = Cells::read(cx, &place, &self.fields, typecast).await?;
        confirm(cx, &place, [&cells])?;
        // The same values twice are the same values.
        let request = Request::patch(path).json(&body(&cells, typecast)).keyed();
        let explained = |error: Error| cells.explain(record_is_missing(error, &place, &self.record_id));
        let record = cx.fetch(request).await.map_err(explained)?;
        Ok(Done::of(Deed::Updated, record, &place))
    }
}

/// Makes or changes up to 100 records: one whose key fields have the same values as an existing record changes that,
/// else it is made. Safe to repeat.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpsertRecords {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// The fields that the rows set, the key fields among them, such as `Name`.
    columns: Vec<String>,
    /// One row a record, such as `[["Ana", "Won"]]`; an empty cell sets nothing.
    #[schemars(length(min = 1, max = 100))]
    rows: Vec<Vec<String>>,
    /// The key fields, such as `Email`.
    #[schemars(length(min = 1, max = 3))]
    merge_on: Vec<String>,
    /// Whether new select options and linked records may be made; else false.
    typecast: Option<bool>,
}

impl Tool for UpsertRecords {
    const NAME: &'static str = "airtable_upsert_records";
    const EFFECT: Effect = Effect::Adds;
    const IDEMPOTENT: bool = true;
    const SCOPES: Scopes = WRITE_RECORDS;
    type Output = AllWritten;

    async fn call(self, cx: &Call) -> Result<AllWritten> {
        let typecast = self.typecast.unwrap_or(false);
        let place = Place::find(cx, &self.base, &self.table).await?;
        let keys: Vec<String> =
            self.merge_on.iter().map(|name| place.field(name).map(|field| field.name.clone())).collect::<Result<_>>()?;
        let all = read_all(cx, &place, &self.columns, &self.rows, typecast).await?;
        check_keys(&all, &keys)?;
        Batches { place: &place, all: &all, keys: Some(&keys), typecast }.write(cx).await
    }
}

/// Every record needs its keys, and no two the same: the second would change what the first has just made.
fn check_keys(all: &[Cells], keys: &[String]) -> Result<()> {
    let mut seen = Vec::new();
    for (at, cells) in all.iter().enumerate() {
        let values: Vec<_> = keys.iter().map(|key| cells.fields.get(key)).collect();
        if let Some(missing) = keys.iter().zip(&values).find(|(_, value)| value.is_none_or(serde_json::Value::is_null)) {
            return Err(wrong(format!("`rows[{at}]` has no value for the key field `{}`", missing.0)));
        }
        if let Some(earlier) = seen.iter().position(|other| *other == values) {
            return Err(wrong(format!("`rows[{at}]` has the same key as `rows[{earlier}]`; join them")));
        }
        seen.push(values);
    }
    Ok(())
}
