//! What Google Sheets and Drive send and take, as far as we use it. Nothing here leaves the integration.
//!
//! Fields after <https://developers.google.com/workspace/sheets/api/reference/rest> and
//! <https://developers.google.com/workspace/drive/api/reference/rest/v3>.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The values of a range; empty ones at the ends are left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ValueRange {
    pub(super) range: String,
    pub(super) values: Vec<Vec<Value>>,
}

/// The values of several ranges.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ValueRanges {
    pub(super) value_ranges: Vec<ValueRange>,
}

/// Values to write.
#[derive(Debug, Serialize)]
pub(super) struct Written<'a> {
    pub(super) values: &'a [Vec<String>],
}

/// What a write came to.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Updated {
    pub(super) updated_range: String,
    pub(super) updated_rows: u32,
    pub(super) updated_cells: u32,
}

/// What an append came to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Appended {
    pub(super) updates: Updated,
}

/// What a clearing came to.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Cleared {
    pub(super) cleared_range: String,
}

/// A spreadsheet without its cells.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spreadsheet {
    pub(super) spreadsheet_id: String,
    pub(super) spreadsheet_url: String,
    pub(super) properties: Properties,
    pub(super) sheets: Vec<Sheet>,
    pub(super) named_ranges: Vec<NamedRange>,
}

/// What a spreadsheet is called, and where its times are.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Properties {
    pub(super) title: String,
    pub(super) time_zone: Option<String>,
}

/// A sheet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sheet {
    pub(super) properties: SheetProperties,
}

/// What a sheet is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SheetProperties {
    pub(super) sheet_id: i64,
    pub(super) title: String,
    pub(super) hidden: bool,
    pub(super) grid_properties: Grid,
}

/// How large a sheet is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Grid {
    pub(super) row_count: u32,
    pub(super) column_count: u32,
}

/// A range with a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NamedRange {
    pub(super) name: String,
}

/// A page of files.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Files {
    pub(super) files: Vec<File>,
    pub(super) next_page_token: Option<String>,
}

/// A file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) modified_time: Option<jiff::Timestamp>,
    pub(super) owners: Vec<Owner>,
}

/// Whose file it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Owner {
    pub(super) email_address: String,
    pub(super) me: bool,
}
