//! New records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    WRITE_RECORDS,
    batches::{AllWritten, Batches, read_all},
    cells::{Cells, confirm},
    place::Place,
    record::{BRIEF, Entry},
    shown::Titles,
    wire::Record,
};
use crate::{
    http::Request,
    tool::{Answer, Call, Effect, Pair, Result, Scopes, Tool},
};

/// Makes one record in a table. For several at once use `airtable_create_records`; to avoid doubles, `airtable_upsert_records`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateRecord {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// Its values; links take names or ids of records, people take addresses.
    fields: Vec<Pair>,
    /// Whether new select options and linked records may be made; else false.
    typecast: Option<bool>,
}

/// A record that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// What happened.
    #[serde(rename = "done")]
    deed: Deed,
    /// The record as it is now.
    record: Entry,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Deed {
    /// It is new.
    Created,
    /// It was there and has other values.
    Updated,
}

impl Deed {
    fn word(self) -> &'static str {
        match self {
            Deed::Created => "Created",
            Deed::Updated => "Updated",
        }
    }
}

impl Done {
    pub(super) fn of(deed: Deed, record: Record, place: &Place) -> Done {
        Done { deed, record: Entry::of(record, place, &Titles::new(), BRIEF) }
    }

    fn line(&self) -> String {
        format!("{}: {}", self.deed.word(), self.record.line())
    }

    pub(super) fn is_created(&self) -> bool {
        matches!(self.deed, Deed::Created)
    }

    /// What happened to which record.
    pub(super) fn brief(&self) -> String {
        format!("{}: {}", self.deed.word(), self.record.head())
    }
}

impl Answer for Done {
    fn text(&self) -> String {
        self.line()
    }
}

impl Tool for CreateRecord {
    const NAME: &'static str = "airtable_create_record";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE_RECORDS;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let typecast = self.typecast.unwrap_or(false);
        let place = Place::find(cx, &self.base, &self.table).await?;
        let cells = Cells::read(cx, &place, &self.fields, typecast).await?;
        confirm(cx, &place, [&cells])?;
        let request = Request::post(place.path()).json(&body(&cells, typecast));
        let record = cx.fetch(request).await.map_err(|error| cells.explain(error))?;
        Ok(Done::of(Deed::Created, record, &place))
    }
}

/// The body of a write of one record.
pub(super) fn body(cells: &Cells, typecast: bool) -> Value {
    with_typecast(json!({ "fields": cells.fields }), typecast)
}

/// `typecast` stands in a body only where it is wanted.
pub(super) fn with_typecast(mut body: Value, typecast: bool) -> Value {
    if typecast {
        body["typecast"] = json!(true);
    }
    body
}

/// Makes up to 100 records in a table, ten a request. When one request fails, the records before it stay, and the
/// error says how many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateRecords {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// The fields that the rows set, such as `Name`.
    columns: Vec<String>,
    /// One row a record, such as `[["Ana", "Won"]]`; an empty cell sets nothing.
    #[schemars(length(min = 1, max = 100))]
    rows: Vec<Vec<String>>,
    /// Whether new select options and linked records may be made; else false.
    typecast: Option<bool>,
}

impl Tool for CreateRecords {
    const NAME: &'static str = "airtable_create_records";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE_RECORDS;
    type Output = AllWritten;

    async fn call(self, cx: &Call) -> Result<AllWritten> {
        let typecast = self.typecast.unwrap_or(false);
        let place = Place::find(cx, &self.base, &self.table).await?;
        let all = read_all(cx, &place, &self.columns, &self.rows, typecast).await?;
        Batches { place: &place, all: &all, keys: None, typecast }.write(cx).await
    }
}
