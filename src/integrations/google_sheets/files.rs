//! Spreadsheets as a whole: finding them, looking at what is in them, making new ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    DRIVE, FIND, READ, WRITE,
    place::{query, sheets, spreadsheet},
    wire::{File, Files, Sheet, Spreadsheet},
    wrong,
};
use crate::{
    http::Request,
    moment::{Shown, Zone},
    path,
    tool::{Answer, Call, Cursor, Effect, Finder, Host, Left, Readable, Result, Scopes, Tool, Written},
};

/// Finds spreadsheets by words in their names, the latest first. Other tools take the names themselves, too.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindSpreadsheet {
    /// Such as `budget`; empty for all.
    query: String,
    /// How many; else 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some spreadsheets.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Found {
    /// The one that was changed last comes first.
    spreadsheets: Vec<Entry>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One spreadsheet.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// Its id; other tools take it as `spreadsheet`.
    id: String,
    /// What it is called.
    name: Written,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Shown>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

impl Entry {
    fn of(file: File) -> Entry {
        Entry {
            id: file.id,
            name: Written::by_others(&file.name).line(200),
            changed: file.modified_time.map(|instant| Shown::new(instant, &Zone::utc())),
            owner: file.owners.into_iter().next().map(|owner| owner.email_address),
        }
    }

    fn line(&self) -> String {
        let changed = self.changed.as_ref().map(|changed| format!("  changed {changed}")).unwrap_or_default();
        let owner = self.owner.as_ref().map(|owner| format!("  of {owner}")).unwrap_or_default();
        format!("{} [{}]{changed}{owner}", self.name, self.id)
    }
}

impl Answer for Found {
    fn text(&self) -> String {
        let none = self.spreadsheets.is_empty().then(|| "No spreadsheets.".to_owned());
        let lines = self.spreadsheets.iter().map(Entry::line);
        none.into_iter().chain(lines).chain(Left::line(self.next_cursor.as_deref())).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for FindSpreadsheet {
    const NAME: &'static str = "google_sheets_find_spreadsheet";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = FIND;
    const HOSTS: &'static [Host] = &[DRIVE];
    type Output = Found;

    async fn call(self, cx: &Call) -> Result<Found> {
        let token = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let request = Request::get(path!["files"])
            .query("q", query(&self.query))
            .query("orderBy", "modifiedTime desc")
            .query("pageSize", self.limit.unwrap_or(20))
            .query("fields", "nextPageToken,files(id,name,modifiedTime,owners(emailAddress))")
            .query_opt("pageToken", token);
        let found: Files = cx.fetch_from(&DRIVE, request).await?;
        let next_cursor = found.next_page_token.map(|token| Cursor::wrap(Self::NAME, &token));
        Ok(Found { spreadsheets: found.files.into_iter().map(Entry::of).collect(), next_cursor })
    }
}

/// How a spreadsheet is found by words.
const BY_NAME: Finder =
    Finder { tool: FindSpreadsheet::NAME, words: "query", beside: &[("query", "")], list: "spreadsheets", id: "id", name: "name" };

/// Shows the sheets of a spreadsheet with their sizes, and the named ranges.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetSpreadsheet {
    /// Name, id or address, such as `Budget 2027`.
    spreadsheet: String,
}

/// A spreadsheet without its cells.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Overview {
    /// Its id.
    id: String,
    /// What it is called.
    title: Written,
    /// Where people open it.
    #[serde(skip_serializing_if = "String::is_empty")]
    link: String,
    /// The zone of its times.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// Its sheets.
    sheets: Vec<SheetEntry>,
    /// The names of its ranges.
    named_ranges: Vec<Written>,
}

/// A sheet.
#[derive(Debug, Serialize, JsonSchema)]
struct SheetEntry {
    /// What it is called; ranges begin with it.
    title: Written,
    /// How many rows it has, empty ones included.
    rows: u32,
    /// How many columns.
    columns: u32,
    /// Whether people do not see it.
    is_hidden: bool,
}

impl Overview {
    fn of(found: Spreadsheet) -> Overview {
        let names = found.named_ranges.iter().map(|range| Written::by_others(&range.name).line(100));
        Overview {
            id: found.spreadsheet_id,
            title: Written::by_others(&found.properties.title).line(200),
            link: found.spreadsheet_url,
            time_zone: found.properties.time_zone,
            named_ranges: names.collect(),
            sheets: found.sheets.into_iter().map(SheetEntry::of).collect(),
        }
    }
}

impl SheetEntry {
    fn of(sheet: Sheet) -> SheetEntry {
        let grid = sheet.properties.grid_properties;
        SheetEntry {
            title: Written::by_others(&sheet.properties.title).line(100),
            rows: grid.row_count,
            columns: grid.column_count,
            is_hidden: sheet.properties.hidden,
        }
    }

    fn line(&self) -> String {
        let hidden = if self.is_hidden { ", hidden" } else { "" };
        format!("- {} ({} rows, {} columns{hidden})", self.title, self.rows, self.columns)
    }
}

impl Answer for Overview {
    fn text(&self) -> String {
        let head = format!("{} [{}]", self.title, self.id);
        let names: Vec<_> = self.named_ranges.iter().map(ToString::to_string).collect();
        let names = (!names.is_empty()).then(|| format!("Named ranges: {}", names.join(", ")));
        std::iter::once(head).chain(self.sheets.iter().map(SheetEntry::line)).chain(names).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for GetSpreadsheet {
    const NAME: &'static str = "google_sheets_get_spreadsheet";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] =
        &[Readable::record("google-sheets://spreadsheet/{spreadsheet}", "Spreadsheet").found_by(BY_NAME)];
    const SCOPES: Scopes = READ;
    const HOSTS: &'static [Host] = &[DRIVE];
    type Output = Overview;

    async fn call(self, cx: &Call) -> Result<Overview> {
        let id = spreadsheet(cx, &self.spreadsheet).await?;
        Ok(Overview::of(sheets(cx, &id).await?))
    }
}

/// Makes a new spreadsheet, if wished with a header row in its first sheet.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateSpreadsheet {
    /// Such as `Budget 2027`.
    title: String,
    /// The names of its sheets, such as `Sales`; else one sheet.
    sheets: Option<Vec<String>>,
    /// The names of the columns, such as `Email`.
    header: Option<Vec<String>>,
}

impl Tool for CreateSpreadsheet {
    const NAME: &'static str = "google_sheets_create_spreadsheet";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE;
    type Output = Overview;

    async fn call(self, cx: &Call) -> Result<Overview> {
        if self.title.trim().is_empty() {
            return Err(wrong("`title` must not be empty"));
        }
        let request = Request::post(path!["spreadsheets"]).json(&self.body());
        Ok(Overview::of(cx.fetch(request).await?))
    }
}

impl CreateSpreadsheet {
    fn body(&self) -> Value {
        let header = self.header.as_deref().filter(|header| !header.is_empty());
        let names = self.sheets.as_deref().filter(|names| !names.is_empty());
        let mut sheets: Vec<Value> =
            names.unwrap_or_default().iter().map(|name| json!({ "properties": { "title": name } })).collect();
        if let Some(header) = header {
            if sheets.is_empty() {
                sheets.push(json!({ "properties": { "title": "Sheet1" } }));
            }
            let cells: Vec<_> =
                header.iter().map(|name| json!({ "userEnteredValue": { "stringValue": name } })).collect();
            sheets[0]["properties"]["gridProperties"] = json!({ "frozenRowCount": 1 });
            sheets[0]["data"] = json!([{ "startRow": 0, "startColumn": 0, "rowData": [{ "values": cells }] }]);
        }
        let mut body = json!({ "properties": { "title": self.title.trim() } });
        if !sheets.is_empty() {
            body["sheets"] = sheets.into();
        }
        body
    }
}
