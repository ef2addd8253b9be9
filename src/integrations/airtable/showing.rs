//! What there is: bases, tables, fields.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    READ_SCHEMA,
    place::{base_id, bases, tables},
    wire::{Base, Field, Options, Table},
};
use crate::tool::{Answer, Call, Cursor, Effect, Left, Named, Result, Scopes, Tool, Written, one_of};

/// Shows the bases that the account may use. Call it when nobody says which base is meant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListBases {
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some bases.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BaseList {
    /// In Airtable's order.
    bases: Vec<BaseEntry>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One base.
#[derive(Debug, Serialize, JsonSchema)]
struct BaseEntry {
    /// Its id; other tools take it as `base`.
    id: String,
    /// What it is called.
    name: Written,
    /// What the account may do: `read`, `comment`, `edit` or `create`.
    access: String,
}

impl BaseEntry {
    fn of(base: Base) -> BaseEntry {
        BaseEntry { id: base.id, name: name(&base.name), access: base.permission_level }
    }

    fn line(&self) -> String {
        format!("{} [{}]  {}", self.name, self.id, self.access)
    }
}

impl Answer for BaseList {
    fn text(&self) -> String {
        let none = self.bases.is_empty().then(|| "No bases.".to_owned());
        let lines = self.bases.iter().map(BaseEntry::line);
        none.into_iter().chain(lines).chain(Left::line(self.next_cursor.as_deref())).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListBases {
    const NAME: &'static str = "airtable_list_bases";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ_SCHEMA;
    type Output = BaseList;

    async fn call(self, cx: &Call) -> Result<BaseList> {
        let offset = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let page = bases(cx, offset.as_deref()).await?;
        let next_cursor = page.offset.map(|offset| Cursor::wrap(Self::NAME, &offset));
        Ok(BaseList { bases: page.bases.into_iter().map(BaseEntry::of).collect(), next_cursor })
    }
}

/// Shows the tables of a base with their fields, the types and choices of these, and views. Call it before writing to a
/// table that is not known yet.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListTables {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// Only this table, such as `Deals`.
    table: Option<String>,
}

/// The tables of a base.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TableList {
    /// In Airtable's order.
    tables: Vec<TableEntry>,
}

/// One table.
#[derive(Debug, Serialize, JsonSchema)]
struct TableEntry {
    /// Its id.
    id: String,
    /// What it is called.
    name: Written,
    /// What it is for, if somebody wrote that down.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Written>,
    /// Its fields; the first one names a record.
    fields: Vec<FieldEntry>,
    /// Its views by name.
    views: Vec<Written>,
}

/// One field.
#[derive(Debug, Serialize, JsonSchema)]
struct FieldEntry {
    /// What it is called.
    name: Written,
    /// Airtable's type, such as `singleSelect`.
    #[serde(rename = "type")]
    kind: String,
    /// What it may hold: choices, a linked table, a currency, a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Written>,
}

impl Answer for TableList {
    fn text(&self) -> String {
        // One fence around the whole: names are everywhere in it, and a fence around each would cost more than they do.
        let tables = self.tables.iter().map(TableEntry::lines).collect::<Vec<_>>();
        Written::by_others(tables.join("\n\n")).to_string()
    }
}

impl Tool for ListTables {
    const NAME: &'static str = "airtable_list_tables";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ_SCHEMA;
    type Output = TableList;

    async fn call(self, cx: &Call) -> Result<TableList> {
        let all = tables(cx, &base_id(cx, &self.base).await?).await?;
        let only = self.table.as_deref().map(str::trim).filter(|table| !table.is_empty());
        let only = only.map(|table| one_of("table", table, all.iter())).transpose()?;
        let shown = all.iter().filter(|table| only.is_none_or(|only| only.id() == table.id));
        Ok(TableList { tables: shown.map(|table| TableEntry::of(table, &all)).collect() })
    }
}

impl TableEntry {
    fn of(table: &Table, all: &[Table]) -> TableEntry {
        let mut fields: Vec<&Field> = table.fields.iter().collect();
        fields.sort_by_key(|field| field.id != table.primary_field_id);
        TableEntry {
            id: table.id.clone(),
            name: name(&table.name),
            description: Written::by_others(&table.description).line(300).non_empty(),
            fields: fields.into_iter().map(|field| FieldEntry::of(field, all)).collect(),
            views: table.views.iter().map(|view| name(&view.name)).collect(),
        }
    }

    fn lines(&self) -> String {
        let about = self.description.as_ref().map(|about| format!("  {}", about.as_str())).unwrap_or_default();
        let head = format!("{} [{}]{about}", self.name.as_str(), self.id);
        let views: Vec<_> = self.views.iter().map(Written::as_str).collect();
        let views = (!views.is_empty()).then(|| format!("Views: {}", views.join(", ")));
        let lines = std::iter::once(head).chain(self.fields.iter().map(FieldEntry::line)).chain(views);
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl FieldEntry {
    /// More choices are not read by anybody.
    const CHOICES: usize = 30;

    fn of(field: &Field, all: &[Table]) -> FieldEntry {
        FieldEntry { name: name(&field.name), kind: field.kind.clone(), detail: Self::detail(&field.options, all) }
    }

    fn detail(options: &Options, all: &[Table]) -> Option<Written> {
        let linked = options.linked_table_id.as_deref();
        let linked = linked.map(|id| all.iter().find(|table| table.id == id).map_or(id, |table| table.name.as_str()));
        let result = options.result.as_ref().map(|result| format!("results in {}", result.kind));
        let zone = options.time_zone.as_ref().filter(|zone| *zone != "client").map(|zone| format!("in {zone}"));
        let parts = [Self::choices(options), linked.map(|name| format!("to {name}")), options.symbol.clone(), zone, result];
        Written::by_others(parts.into_iter().flatten().collect::<Vec<_>>().join(", ")).line(1_000).non_empty()
    }

    fn choices(options: &Options) -> Option<String> {
        let (all, shown) = (options.choices.len(), options.choices.iter().take(Self::CHOICES));
        let names: Vec<_> = shown.map(|choice| choice.name.as_str()).collect();
        let more = all.saturating_sub(Self::CHOICES);
        let more = if more > 0 { format!(" | {more} more") } else { String::new() };
        (all > 0).then(|| format!("{}{more}", names.join(" | ")))
    }

    fn line(&self) -> String {
        let detail = self.detail.as_ref().map(|detail| format!(": {}", detail.as_str())).unwrap_or_default();
        format!("- {} ({}{detail})", self.name.as_str(), self.kind)
    }
}

/// What somebody called a thing.
fn name(name: &str) -> Written {
    Written::by_others(name).line(100)
}
