//! Looking at records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    READ_RECORDS,
    formula,
    place::{Place, record_is_missing},
    record::{BRIEF, Entry, WHOLE},
    wire::{Record, Records, Sort, Wanted},
};
use crate::{
    http::Request,
    path,
    tool::{Answer, Call, Condition, Cursor, Effect, Left, Readable, Result, Scopes, Tool, Written},
};

/// Shows records of a table, filtered and sorted, with the ids that other tools take. Names of fields come from
/// `airtable_list_tables`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetRecords {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// All have to hold.
    filter: Option<Vec<Condition>>,
    /// For what `filter` cannot say: Airtable's formula, such as `{Amount}>2*{Paid}`.
    formula: Option<String>,
    /// Only these fields, such as `Stage`.
    fields: Option<Vec<String>>,
    /// Fields, such as `Amount desc`.
    sort: Option<Vec<String>>,
    /// A view's name, such as `Open deals`.
    view: Option<String>,
    /// How many; else 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer, beside the same arguments.
    cursor: Option<String>,
}

/// Some records.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page {
    /// The table's name.
    table: Written,
    /// In the order that was asked for.
    records: Vec<Entry>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for Page {
    fn text(&self) -> String {
        let none = self.records.is_empty().then(|| "No records.".to_owned());
        let lines = self.records.iter().map(Entry::line);
        let more = Left::line(self.next_cursor.as_deref());
        none.into_iter().chain(lines).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for GetRecords {
    const NAME: &'static str = "airtable_get_records";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ_RECORDS;
    type Output = Page;

    async fn call(self, cx: &Call) -> Result<Page> {
        let offset = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let place = Place::find(cx, &self.base, &self.table).await?;
        let wanted = self.wanted(&place, offset)?;
        // The form with a body: conditions on many fields would not fit into the 16,000 characters of a URL.
        let path = path![&place.base, &place.table().id, "listRecords"];
        let page: Records = cx.fetch(Request::post(path).json(&wanted).reads()).await?;
        let records = Entry::all(cx, &place, page.records, BRIEF).await;
        let next_cursor = page.offset.map(|offset| Cursor::wrap(Self::NAME, &offset));
        Ok(Page { table: place.name(), records, next_cursor })
    }
}

impl GetRecords {
    fn wanted(&self, place: &Place, offset: Option<String>) -> Result<Wanted> {
        let conditions = self.filter.as_deref().unwrap_or_default();
        let view = self.view.as_deref().map(str::trim).filter(|view| !view.is_empty());
        Ok(Wanted {
            fields: self.only(place)?,
            filter_by_formula: formula::filter(place, conditions, self.formula.as_deref())?,
            sort: self.sort.iter().flatten().map(|order| sort(place, order)).collect::<Result<_>>()?,
            view: view.map(|view| place.view(view).map(|view| view.id.clone())).transpose()?,
            page_size: self.limit.unwrap_or(20),
            offset,
        })
    }

    /// The fields that are asked for, and the first one, by which a record is known.
    fn only(&self, place: &Place) -> Result<Option<Vec<String>>> {
        let Some(wanted) = self.fields.as_deref().filter(|wanted| !wanted.is_empty()) else { return Ok(None) };
        let mut names: Vec<String> = place.table().primary().map(|field| field.name.clone()).into_iter().collect();
        for name in wanted {
            let name = &place.field(name)?.name;
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Ok(Some(names))
    }
}

/// `Amount desc`; the last word is a direction unless it belongs to the name.
fn sort(place: &Place, order: &str) -> Result<Sort> {
    let order = order.trim();
    let (name, direction) = match order.rsplit_once(' ') {
        Some((name, word)) if place.field(order).is_err() && is_word(word, &["desc", "descending"]) => (name, "desc"),
        Some((name, word)) if place.field(order).is_err() && is_word(word, &["asc", "ascending"]) => (name, "asc"),
        _ => (order, "asc"),
    };
    Ok(Sort { field: place.field(name)?.name.clone(), direction })
}

fn is_word(word: &str, words: &[&str]) -> bool {
    words.contains(&word.to_lowercase().as_str())
}

/// Shows one record with all its fields in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetRecord {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// The `id` of a record, such as `recA1b2C3d4E5f6G7`.
    record_id: String,
}

/// One record.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct One {
    /// The table's name.
    table: Written,
    /// All of it.
    record: Entry,
}

impl Answer for One {
    fn text(&self) -> String {
        self.record.lines()
    }
}

impl Tool for GetRecord {
    const NAME: &'static str = "airtable_get_record";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] =
        &[Readable::record("airtable://record/{base}/{table}/{record_id}", "Record")];
    const SCOPES: Scopes = READ_RECORDS;
    type Output = One;

    async fn call(self, cx: &Call) -> Result<One> {
        let place = Place::find(cx, &self.base, &self.table).await?;
        let record = read(cx, &place, &self.record_id).await?;
        let titles = super::links::titles(cx, &place, std::slice::from_ref(&record)).await;
        let record = Entry::of(record, &place, &titles, WHOLE);
        Ok(One { table: place.name(), record })
    }
}

/// Reads a record.
pub(super) async fn read(cx: &Call, place: &Place, record_id: &str) -> Result<Record> {
    let request = Request::get(place.record_path(record_id)?);
    cx.fetch(request).await.map_err(|error| record_is_missing(error, place, record_id))
}
