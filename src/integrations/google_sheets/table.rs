//! Rows as callers see them: with the numbers that they have in the sheet, and under their headers.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::a1::letters;
use crate::tool::{Answer, Left, Written};

/// The longest cell that is shown.
const LONGEST: usize = 300;

/// Some rows of a range.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Rows {
    /// Where they stand.
    pub(super) range: String,
    /// What the columns are called: by the header row, else by their letters.
    pub(super) columns: Vec<Written>,
    /// From top to bottom.
    pub(super) rows: Vec<Row>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// A row.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    /// Its number in the sheet.
    pub(super) row: u32,
    /// Its cells, in the order of `columns`; empty ones at the end are left out.
    pub(super) values: Vec<Written>,
}

impl Row {
    pub(super) fn of(row: u32, values: &[Value]) -> Row {
        Row { row, values: values.iter().map(cell).collect() }
    }
}

/// The columns of a range that begins with column `first`: under their headers where these are known.
pub(super) fn columns(header: Option<&[Value]>, first: u32, width: usize) -> Vec<Written> {
    let header = header.unwrap_or_default();
    let width = u32::try_from(width.max(header.len())).unwrap_or(u32::MAX);
    let named = |at: u32| {
        let header = header.get(at as usize).map(cell).and_then(Written::non_empty);
        header.unwrap_or_else(|| Written::by_account(letters(first + at)))
    };
    (0..width).map(named).collect()
}

/// A cell in words. Numbers and marks are only what they are; texts may be anybody's.
fn cell(value: &Value) -> Written {
    match value {
        Value::String(text) => Written::by_others(text).line(LONGEST),
        Value::Null => Written::by_account(""),
        other => Written::by_account(other.to_string()),
    }
}

impl Rows {
    /// A Markdown table: the header once is cheaper than a name at each cell.
    fn table(&self) -> String {
        let line = |first: &str, cells: &[Written]| {
            let cells = cells.iter().map(|cell| cell.as_str().replace('|', "\\|"));
            format!("| {first} | {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule = format!("|{}", "---|".repeat(self.columns.len() + 1));
        let rows = self.rows.iter().map(|row| line(&row.row.to_string(), &row.values));
        [line("row", &self.columns), rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    }
}

impl Answer for Rows {
    fn text(&self) -> String {
        let more = Left::line(self.next_cursor.as_deref());
        if self.rows.is_empty() {
            return format!("{}: no rows.", self.range);
        }
        // One fence around the whole: a fence around each cell would cost more than the cells.
        let table = Written::by_others(self.table());
        [format!("{}\n{table}", self.range)].into_iter().chain(more).collect::<Vec<_>>().join("\n")
    }
}
