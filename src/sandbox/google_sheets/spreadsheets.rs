//! Spreadsheets and their sheets.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{GoogleSheets, a1::Block, cells::Cell, errors, formula};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How large a new sheet is.
const SIZE: (usize, usize) = (1000, 26);

/// A spreadsheet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spreadsheet {
    /// 44 characters.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its IANA zone.
    pub time_zone: String,
    /// Whose it is: an address.
    pub owner: String,
    /// Whether the account may write.
    pub writable: bool,
    /// When it was changed last.
    pub changed: Timestamp,
    /// Its sheets.
    pub sheets: Vec<Sheet>,
    /// Ranges with names.
    pub names: BTreeMap<String, String>,
}

/// A sheet. Rows and cells behind the last filled one are not there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sheet {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub title: String,
    /// How many rows it has.
    pub row_count: usize,
    /// How many columns.
    pub column_count: usize,
    /// What is in it.
    pub rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// An empty one.
    pub fn new(id: i64, title: &str) -> Sheet {
        Sheet { id, title: title.to_owned(), row_count: SIZE.0, column_count: SIZE.1, rows: vec![] }
    }

    /// The cells of a block, as far as there are any.
    pub fn block(&self, block: &Block) -> Vec<&[Cell]> {
        let rows = self.rows.iter().skip(block.rows.0).take(block.rows.1 - block.rows.0);
        rows.map(|row| {
            let end = block.columns.1.min(row.len());
            &row[block.columns.0.min(end)..end]
        })
        .collect()
    }

    /// Puts a cell in its place; the sheet grows where it must.
    pub fn put(&mut self, row: usize, column: usize, cell: Cell) {
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Vec::new);
        }
        let cells = &mut self.rows[row];
        if cells.len() <= column {
            cells.resize_with(column + 1, Cell::default);
        }
        cells[column] = cell;
        self.row_count = self.row_count.max(row + 1);
        self.column_count = self.column_count.max(column + 1);
    }

    fn shown(&self, index: usize) -> Value {
        json!({ "properties": {
            "sheetId": self.id, "title": self.title, "index": index, "sheetType": "GRID",
            "gridProperties": { "rowCount": self.row_count, "columnCount": self.column_count },
        } })
    }
}

impl Spreadsheet {
    fn shown(&self) -> Value {
        let sheets: Vec<_> = self.sheets.iter().enumerate().map(|(index, sheet)| sheet.shown(index)).collect();
        let mut shown = json!({
            "spreadsheetId": self.id, "sheets": sheets,
            "spreadsheetUrl": format!("https://docs.google.com/spreadsheets/d/{}/edit", self.id),
            "properties": { "title": self.title, "locale": "en_GB", "autoRecalc": "ON_CHANGE", "timeZone": self.time_zone },
        });
        let range = |(at, (name, range)): (usize, (&String, &String))| {
            let block = Block::find(self, range).ok()?;
            Some(json!({ "namedRangeId": format!("{at}"), "name": name, "range": {
                "sheetId": self.sheets[block.sheet].id, "startRowIndex": block.rows.0, "endRowIndex": block.rows.1,
                "startColumnIndex": block.columns.0, "endColumnIndex": block.columns.1 } }))
        };
        let names: Vec<_> = self.names.iter().enumerate().filter_map(range).collect();
        if !names.is_empty() {
            shown["namedRanges"] = names.into();
        }
        shown
    }
}

impl GoogleSheets {
    /// The spreadsheet of a request.
    pub fn spreadsheet(&self, call: &Call<'_>) -> Result<&Spreadsheet, Answer> {
        let id = call.segment("spreadsheetId");
        self.spreadsheets.iter().find(|one| one.id == id).ok_or_else(errors::not_found)
    }

    /// The spreadsheet of a request that writes.
    pub fn writable(&mut self, call: &Call<'_>) -> Result<&mut Spreadsheet, Answer> {
        let id = call.segment("spreadsheetId");
        let found = self.spreadsheets.iter_mut().find(|one| one.id == id).ok_or_else(errors::not_found)?;
        if !found.writable {
            return Err(errors::not_allowed());
        }
        found.changed = call.now;
        Ok(found)
    }
}

/// `spreadsheets.get`
pub fn get(world: &GoogleSheets, call: &Call<'_>) -> Outcome {
    let spreadsheet = world.spreadsheet(call)?;
    call.query_all("ranges").try_for_each(|range| Block::find(spreadsheet, range).map(drop))?;
    Ok(Answer::ok(spreadsheet.shown()))
}

/// `spreadsheets.create`
pub fn create(world: &mut GoogleSheets, call: &Call<'_>) -> Outcome {
    let properties = &call.body["properties"];
    let text = |name: &str| properties[name].as_str().map(str::to_owned);
    let mut spreadsheet = Spreadsheet {
        id: world.mint.id(44),
        title: text("title").unwrap_or_else(|| "Untitled spreadsheet".into()),
        time_zone: text("timeZone").unwrap_or_else(|| "Europe/Berlin".into()),
        owner: world.account.clone(),
        writable: true,
        changed: call.now,
        sheets: vec![],
        names: BTreeMap::new(),
    };
    for sheet in call.body["sheets"].as_array().into_iter().flatten() {
        let title = sheet["properties"]["title"].as_str().unwrap_or("Sheet1");
        if spreadsheet.sheets.iter().any(|known| known.title == title) {
            let message = format!(
                "Invalid requests[0].addSheet: A sheet with the name \"{title}\" already exists. Please enter another name."
            );
            return Err(errors::invalid(&message));
        }
        let id = i64::try_from(spreadsheet.sheets.len()).unwrap_or_default();
        let mut new = Sheet::new(id, title);
        sheet["data"].as_array().into_iter().flatten().for_each(|grid| fill(&mut new, grid));
        spreadsheet.sheets.push(new);
    }
    if spreadsheet.sheets.is_empty() {
        spreadsheet.sheets.push(Sheet::new(0, "Sheet1"));
    }
    formula::work_out(&mut spreadsheet);
    let shown = spreadsheet.shown();
    world.spreadsheets.push(spreadsheet);
    Ok(Answer::ok(shown))
}

fn fill(sheet: &mut Sheet, grid: &Value) {
    let start = |name: &str| grid[name].as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
    let (first_row, first_column) = (start("startRow"), start("startColumn"));
    for (row, data) in grid["rowData"].as_array().into_iter().flatten().enumerate() {
        for (column, cell) in data["values"].as_array().into_iter().flatten().enumerate() {
            let entered = &cell["userEnteredValue"];
            let formula = entered["formulaValue"].as_str().map(str::to_owned);
            let value = ["stringValue", "numberValue", "boolValue"].into_iter().find_map(|name| entered.get(name));
            let cell = Cell { value: value.cloned().unwrap_or_default(), formula, ..Cell::default() };
            sheet.put(first_row + row, first_column + column, cell);
        }
    }
}
