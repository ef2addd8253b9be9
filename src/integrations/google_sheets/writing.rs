//! Writing cells.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    WRITE,
    a1::Range,
    entering::{Enter, check, confirm},
    place::{range, range_is_unknown, sheets, spreadsheet},
    reading::{column_is_unknown, headers, read_formatted},
    wire::{Appended, Cleared, Updated, Written},
    wrong,
};
use crate::{
    http::Request,
    path,
    tool::{self, Answer, Call, Effect, Host, Pair, Result, Scopes, Tool, one_of},
};

/// Adds rows below a table. Give either `rows`, or `by_header` for one row.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AppendRow {
    /// Name, id or address, such as `Budget 2027`.
    spreadsheet: String,
    /// The table, such as `Sales` or `Sales!A1:F`.
    range: String,
    /// Rows of cells in the order of the columns, such as `[["Ana", "12"]]`.
    rows: Option<Vec<Vec<String>>>,
    /// Cells by the header of their column.
    by_header: Option<Vec<Pair>>,
    /// `values` reads numbers and dates (the default), `formulas` also what begins with `=`, `text` nothing.
    enter: Option<Enter>,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// Where it stands now.
    range: String,
    /// How many rows.
    rows: u32,
    /// How many cells.
    cells: u32,
    /// What happened.
    done: Deed,
}

/// What happened to cells.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Deed {
    /// They are new.
    Appended,
    /// They have other values.
    Updated,
}

impl Done {
    fn of(done: Deed, updated: Updated) -> Done {
        Done { range: updated.updated_range, rows: updated.updated_rows, cells: updated.updated_cells, done }
    }
}

impl Answer for Done {
    fn text(&self) -> String {
        let deed = match self.done {
            Deed::Appended => "Appended",
            Deed::Updated => "Updated",
        };
        format!("{deed} {}: {} rows, {} cells.", self.range, self.rows, self.cells)
    }
}

impl Tool for AppendRow {
    const NAME: &'static str = "google_sheets_append_row";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE;
    const HOSTS: &'static [Host] = &[super::DRIVE];
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let range = range(&self.range)?;
        let id = spreadsheet(cx, &self.spreadsheet).await?;
        let enter = self.enter.unwrap_or_default();
        let rows = match (self.rows, self.by_header) {
            (Some(rows), None) => rows,
            (None, Some(pairs)) => vec![by_header(cx, &id, &range, &pairs).await?],
            _ => return Err(wrong("give either `rows` or `by_header`")),
        };
        check(&rows)?;
        confirm(cx, enter, &rows, &self.range)?;
        let request = Request::post(path!["spreadsheets", &id, "values", &range].verb("append"))
            .query("valueInputOption", enter.option())
            .query("insertDataOption", "INSERT_ROWS")
            .json(&Written { values: &enter.rows(&rows) });
        match cx.fetch::<Appended>(request).await {
            Ok(appended) => Ok(Done::of(Deed::Appended, appended.updates)),
            Err(error) => Err(range_is_unknown(cx, error, &id, &range).await),
        }
    }
}

/// A row whose cells stand under their headers.
async fn by_header(cx: &Call, id: &str, range: &Range, pairs: &[Pair]) -> Result<Vec<String>> {
    let begins = range.first_row();
    let found = read_formatted(cx, id, &range.rows(begins, begins)).await?;
    let header = found.values.into_iter().next().unwrap_or_default();
    let all = headers(&header, Range::read(&found.range).first_column());
    let mut row = vec![String::new(); all.last().map_or(0, |column| column.at + 1)];
    for pair in pairs {
        let column = one_of("column", &pair.name, &all).map_err(|error| column_is_unknown(error, &all))?;
        row[column.at].clone_from(&pair.value);
    }
    if pairs.is_empty() { Err(wrong("`by_header` must name at least one column")) } else { Ok(row) }
}

/// Overwrites cells of a range, row by row from its first cell on. Others stay as they are; to add rows use
/// `google_sheets_append_row`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateCells {
    /// Name, id or address, such as `Budget 2027`.
    spreadsheet: String,
    /// Such as `Sales!B7` or `Sales!A2:C4`.
    range: String,
    /// Rows of cells, such as `[["Ana", "12"]]`.
    rows: Vec<Vec<String>>,
    /// `values` reads numbers and dates (the default), `formulas` also what begins with `=`, `text` nothing.
    enter: Option<Enter>,
}

impl Tool for UpdateCells {
    const NAME: &'static str = "google_sheets_update_cells";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = WRITE;
    const HOSTS: &'static [Host] = &[super::DRIVE];
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let range = range(&self.range)?;
        check(&self.rows)?;
        let id = spreadsheet(cx, &self.spreadsheet).await?;
        let enter = self.enter.unwrap_or_default();
        confirm(cx, enter, &self.rows, &self.range)?;
        let request = Request::put(path!["spreadsheets", &id, "values", &range])
            .query("valueInputOption", enter.option())
            .json(&Written { values: &enter.rows(&self.rows) })
            // The same values in the same cells twice are the same.
            .keyed();
        match cx.fetch(request).await {
            Ok(updated) => Ok(Done::of(Deed::Updated, updated)),
            Err(error) => Err(range_is_unknown(cx, error, &id, &range).await),
        }
    }
}

/// Empties a range, after a person said yes. Formats stay.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearRange {
    /// Name, id or address, such as `Budget 2027`.
    spreadsheet: String,
    /// Such as `Sales!A2:D20`.
    range: String,
}

/// What was emptied.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Emptied {
    /// Which cells.
    range: String,
    /// How many of them had a value.
    cells: usize,
}

impl Answer for Emptied {
    fn text(&self) -> String {
        format!("Cleared {}: {} filled cells.", self.range, self.cells)
    }
}

impl Tool for ClearRange {
    const NAME: &'static str = "google_sheets_clear_range";
    const EFFECT: Effect = Effect::Irreversible;
    const SCOPES: Scopes = WRITE;
    const HOSTS: &'static [Host] = &[super::DRIVE];
    type Output = Emptied;

    async fn call(self, cx: &Call) -> Result<Emptied> {
        let range = range(&self.range)?;
        let id = spreadsheet(cx, &self.spreadsheet).await?;
        let found = read_formatted(cx, &id, &range).await?;
        let cells = found.values.iter().flatten().filter(|value| value.as_str() != Some("")).count();
        let title = tool::Written::by_others(sheets(cx, &id).await?.properties.title).line(100);
        cx.confirm(format!("Clear {cells} filled cells in {} of the spreadsheet {title}?", found.range))?;
        let request =
            Request::post(path!["spreadsheets", &id, "values", &range].verb("clear")).json(&json!({})).keyed();
        let cleared: Cleared = cx.fetch(request).await?;
        Ok(Emptied { range: cleared.cleared_range, cells })
    }
}
