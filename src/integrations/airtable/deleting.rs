//! Deleting records, after a person said yes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    WRITE_RECORDS,
    place::{Place, record_is_missing},
    reading::read,
    record::{BRIEF, Entry},
    shown::Titles,
};
use crate::{
    http::Request,
    tool::{Answer, Call, Effect, Error, Kind, Result, Scopes, Tool, Written},
};

/// Deletes one record, after a person said yes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteRecord {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// The `id` of a record, such as `recA1b2C3d4E5f6G7`.
    record_id: String,
}

/// What was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Deleted {
    /// Its id.
    id: String,
    /// What it was called.
    title: Written,
    /// From which table.
    table: Written,
}

impl Answer for Deleted {
    fn text(&self) -> String {
        format!("Deleted from {}: {} [{}]", self.table, self.title, self.id)
    }
}

impl Tool for DeleteRecord {
    const NAME: &'static str = "airtable_delete_record";
    const EFFECT: Effect = Effect::Irreversible;
    const SCOPES: Scopes = WRITE_RECORDS;
    type Output = Deleted;

    async fn call(self, cx: &Call) -> Result<Deleted> {
        let place = Place::find(cx, &self.base, &self.table).await?;
        let known = title(cx, &place, &self.record_id).await?;
        let title = known.clone().unwrap_or_else(|| Written::by_account("a record"));
        let table = place.name();
        let id = self.record_id.trim().to_owned();
        cx.confirm(format!("Delete \"{title}\" [{id}] from the table {table}?"))?;
        let request = Request::delete(place.record_path(&id)?).keyed();
        if let Err(error) = cx.send(request).await {
            is_gone(cx, &place, &id, known.is_some(), error).await?;
        }
        Ok(Deleted { id, title, table })
    }
}

/// What people call the record. The scope to delete does not open it; then its id has to do.
async fn title(cx: &Call, place: &Place, record_id: &str) -> Result<Option<Written>> {
    match read(cx, place, record_id).await {
        Ok(record) => Ok(Some(Entry::of(record, place, &Titles::new(), BRIEF).title)),
        Err(error) if error.kind() == Kind::NotAllowed => Ok(None),
        Err(error) => Err(error),
    }
}

/// It was there a moment ago: when it no longer is, the first attempt did it and its answer was lost. Airtable may say
/// that as 403, which only means that to somebody who has just seen the record.
async fn is_gone(cx: &Call, place: &Place, record_id: &str, was_seen: bool, error: Error) -> Result<()> {
    if !matches!(error.kind(), Kind::NotFound | Kind::NotAllowed) {
        return Err(error);
    }
    match read(cx, place, record_id).await {
        Err(missing) if missing.kind() == Kind::NotFound => Ok(()),
        Err(missing) if missing.kind() == Kind::NotAllowed && was_seen => Ok(()),
        _ => Err(record_is_missing(error, place, record_id)),
    }
}
