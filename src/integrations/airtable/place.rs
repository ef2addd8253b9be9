//! Where a call works: a base and a table, by name or id, with the types of the fields.

use std::{sync::Arc, time::Duration};

use super::wire::{Base, Bases, Field, Table, Tables, View};
use crate::{
    http::{Path, Request},
    path,
    tool::{Call, Error, Kind, Named, Result, Written, one_of},
};

/// How long a look-up is remembered: over the calls of one task, and no longer, because people change their tables.
const KEPT: Duration = Duration::from_mins(2);

/// More pages of bases than an account has; a page holds 1,000.
const PAGES: usize = 10;

/// A table in its base.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The id of the base.
    pub(super) base: String,
    /// All tables of the base, for links between them.
    pub(super) tables: Arc<Vec<Table>>,
    /// Which of them is meant.
    at: usize,
}

impl Place {
    /// Finds a table by the names or ids of it and of its base.
    pub(super) async fn find(cx: &Call, base: &str, table: &str) -> Result<Place> {
        let base = base_id(cx, base).await?;
        let tables = tables(cx, &base).await?;
        let found = one_of("table", table, tables.iter()).map_err(|error| see(error, "airtable_list_tables"))?;
        let at = tables.iter().position(|one| one.id == found.id).unwrap_or_default();
        Ok(Place { base, tables, at })
    }

    /// The table.
    pub(super) fn table(&self) -> &Table {
        &self.tables[self.at]
    }

    /// What the table is called.
    pub(super) fn name(&self) -> Written {
        Written::by_others(&self.table().name).line(100)
    }

    /// One of its fields, by name or id.
    pub(super) fn field(&self, name: &str) -> Result<&Field> {
        let table = self.table();
        one_of("field", name, &table.fields).map_err(|error| {
            let names: Vec<_> = table.fields.iter().take(40).map(|field| field.name.as_str()).collect();
            match (error.kind(), error.next_step()) {
                (Kind::NotFound, None) => error.next(format!("`{}` has {}.", table.name, names.join(", "))),
                _ => error,
            }
        })
    }

    /// One of its views, by name or id.
    pub(super) fn view(&self, name: &str) -> Result<&View> {
        one_of("view", name, &self.table().views).map_err(|error| see(error, "airtable_list_tables"))
    }

    /// The table that a field links to, if the account sees it.
    pub(super) fn linked(&self, field: &Field) -> Option<&Table> {
        let id = field.options.linked_table_id.as_deref()?;
        self.tables.iter().find(|table| table.id == id)
    }

    /// The path of the table.
    pub(super) fn path(&self) -> Path {
        path![&self.base, &self.table().id]
    }

    /// The path of one of its records.
    pub(super) fn record_path(&self, record_id: &str) -> Result<Path> {
        Ok(path![&self.base, &self.table().id, record(record_id)?])
    }
}

impl Named for &Table {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Named for &Field {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Named for &View {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Named for Base {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn detail(&self) -> Option<&str> {
        Some(self.permission_level.as_str()).filter(|level| !level.is_empty())
    }
}

/// The id of a base; an id is taken as it is, without a request.
pub(super) async fn base_id(cx: &Call, given: &str) -> Result<String> {
    let given = given.trim();
    if is_id(given, "app") {
        return Ok(given.to_owned());
    }
    let bases = cx.recall("bases", KEPT, all_bases(cx)).await?;
    let found = one_of("base", given, bases).map_err(|error| see(error, "airtable_list_bases"))?;
    Ok(found.id)
}

async fn all_bases(cx: &Call) -> Result<Vec<Base>> {
    let mut all = Vec::new();
    let mut offset = None;
    for _ in 0..PAGES {
        let page = bases(cx, offset.as_deref()).await?;
        all.extend(page.bases);
        offset = page.offset;
        if offset.is_none() {
            break;
        }
    }
    Ok(all)
}

/// One page of the account's bases.
pub(super) async fn bases(cx: &Call, offset: Option<&str>) -> Result<Bases> {
    cx.fetch(Request::get(path!["meta", "bases"]).query_opt("offset", offset)).await
}

/// The tables of a base.
pub(super) async fn tables(cx: &Call, base_id: &str) -> Result<Arc<Vec<Table>>> {
    let look_up = async {
        let request = Request::get(path!["meta", "bases", base_id, "tables"]);
        let tables: Tables = cx.fetch(request).await.map_err(|error| base_is_missing(error, base_id))?;
        Ok(Arc::new(tables.tables))
    };
    cx.recall(&format!("tables of {base_id}"), KEPT, look_up).await
}

/// The id of a record, checked: a name would be sent as an id otherwise.
pub(super) fn record(given: &str) -> Result<&str> {
    let given = given.trim();
    if is_id(given, "rec") {
        return Ok(given);
    }
    Err(super::wrong(format!("`record_id` is `rec` and 14 letters or digits, not `{given}`"))
        .next("`airtable_get_records` shows the ids of records."))
}

/// Whether a text is an id of this kind: three letters and 14 letters or digits.
pub(super) fn is_id(text: &str, kind: &str) -> bool {
    let rest = text.strip_prefix(kind);
    rest.is_some_and(|rest| rest.len() == 14 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Says which record is not there. Airtable does not tell it from one that the account may not see.
pub(super) fn record_is_missing(error: Error, place: &Place, record_id: &str) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("record `{}` in the table `{}`", record_id.trim(), place.table().name))
        .next("`airtable_get_records` shows the ids of records.")
        .because(error)
}

fn base_is_missing(error: Error, base_id: &str) -> Error {
    if !matches!(error.kind(), Kind::NotFound | Kind::NotAllowed) {
        return error;
    }
    Error::not_found(format!("base `{base_id}` that the connection may look into"))
        .next("`airtable_list_bases` shows the bases; a token may lack the scope schema.bases:read.")
        .because(error)
}

/// Adds the tool that shows what there is, unless the error already says what to do.
fn see(error: Error, tool: &str) -> Error {
    match (error.kind(), error.next_step()) {
        (Kind::NotFound, None) => error.next(format!("`{tool}` shows what there is.")),
        _ => error,
    }
}
