//! The values of ranges: reading, overwriting, appending, clearing.

use serde_json::{Value, json};

use super::{GoogleSheets, a1::Block, cells::Cell, errors, formula, spreadsheets::Spreadsheet};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// `values.get`
pub fn get(world: &GoogleSheets, call: &Call<'_>) -> Outcome {
    let spreadsheet = world.spreadsheet(call)?;
    Ok(Answer::ok(show(spreadsheet, call, call.segment("range"))?))
}

/// `values.batchGet`
pub fn batch_get(world: &GoogleSheets, call: &Call<'_>) -> Outcome {
    let spreadsheet = world.spreadsheet(call)?;
    let ranges: Vec<_> =
        call.query_all("ranges").map(|range| show(spreadsheet, call, range)).collect::<Result<_, _>>()?;
    Ok(Answer::ok(json!({ "spreadsheetId": spreadsheet.id, "valueRanges": ranges })))
}

fn show(spreadsheet: &Spreadsheet, call: &Call<'_>, range: &str) -> Result<Value, Answer> {
    let block = Block::find(spreadsheet, range)?;
    let sheet = &spreadsheet.sheets[block.sheet];
    let as_texts = call.query("dateTimeRenderOption") == Some("FORMATTED_STRING");
    let shown = |cell: &Cell| match call.query("valueRenderOption") {
        Some("UNFORMATTED_VALUE") => cell.unformatted(as_texts),
        Some("FORMULA") => cell.formula.as_ref().map_or_else(|| cell.unformatted(as_texts), |formula| json!(formula)),
        _ => json!(cell.formatted()),
    };
    let mut rows: Vec<Vec<Value>> = sheet
        .block(&block)
        .into_iter()
        .map(|row| {
            let filled = row.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            row[..filled].iter().map(shown).collect()
        })
        .collect();
    while rows.last().is_some_and(Vec::is_empty) {
        rows.pop();
    }
    let by_columns = call.query("majorDimension") == Some("COLUMNS");
    let dimension = if by_columns { "COLUMNS" } else { "ROWS" };
    let mut answer = json!({ "range": block.shown(sheet), "majorDimension": dimension });
    if !rows.is_empty() {
        answer["values"] = if by_columns { turned(&rows) } else { json!(rows) };
    }
    Ok(answer)
}

/// Columns for rows.
fn turned(rows: &[Vec<Value>]) -> Value {
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    let column =
        |at: usize| rows.iter().map(|row| row.get(at).cloned().unwrap_or_else(|| json!(""))).collect::<Vec<_>>();
    (0..width).map(column).collect()
}

/// `values.update`
pub fn update(world: &mut GoogleSheets, call: &Call<'_>) -> Outcome {
    let enter = entering(call)?;
    let range = call.segment("range").to_owned();
    if call.body["range"].as_str().is_some_and(|named| named != range) {
        return Err(errors::invalid("Requested writing within range, but the body names another one"));
    }
    let spreadsheet = world.writable(call)?;
    let block = Block::find(spreadsheet, &range)?;
    let values = rows(call)?;
    let is_one = block.rows.1 - block.rows.0 == 1 && block.columns.1 - block.columns.0 == 1;
    let (height, width) = size(&values);
    let fits = height <= block.rows.1 - block.rows.0 && width <= block.columns.1 - block.columns.0;
    if !is_one && !fits {
        let shown = block.shown(&spreadsheet.sheets[block.sheet]);
        return Err(errors::invalid(&format!("Requested writing within range [{shown}], but tried writing beyond it")));
    }
    let updated = write(spreadsheet, block.sheet, (block.rows.0, block.columns.0), &values, enter);
    Ok(Answer::ok(updated))
}

/// `values.append`: below the last filled row of the table in the range.
pub fn append(world: &mut GoogleSheets, call: &Call<'_>) -> Outcome {
    let enter = entering(call)?;
    let range = call.segment("range").to_owned();
    let values = rows(call)?;
    let spreadsheet = world.writable(call)?;
    let block = Block::find(spreadsheet, &range)?;
    let sheet = &mut spreadsheet.sheets[block.sheet];
    let is_filled = |row: &Vec<Cell>| row.iter().any(|cell| !cell.is_empty());
    let last = sheet.rows.iter().rposition(is_filled).map_or(block.rows.0, |last| last + 1).max(block.rows.0);
    let first_filled = sheet.rows.get(block.rows.0).and_then(|row| row.iter().position(|cell| !cell.is_empty()));
    let column = first_filled.unwrap_or(block.columns.0).max(block.columns.0);
    let table = (last > block.rows.0).then(|| {
        let width = sheet.rows[block.rows.0..last].iter().map(Vec::len).max().unwrap_or(1).max(column + 1);
        Block { sheet: block.sheet, rows: (block.rows.0, last), columns: (column, width) }.shown(sheet)
    });
    if call.query("insertDataOption") == Some("INSERT_ROWS") {
        sheet.row_count += values.len();
    }
    let updates = write(spreadsheet, block.sheet, (last, column), &values, enter);
    let mut answer = json!({ "spreadsheetId": spreadsheet.id, "updates": updates });
    if let Some(table) = table {
        answer["tableRange"] = json!(table);
    }
    Ok(Answer::ok(answer))
}

/// `values.clear`
pub fn clear(world: &mut GoogleSheets, call: &Call<'_>) -> Outcome {
    let range = call.segment("range").to_owned();
    let spreadsheet = world.writable(call)?;
    let block = Block::find(spreadsheet, &range)?;
    let sheet = &mut spreadsheet.sheets[block.sheet];
    for row in sheet.rows.iter_mut().skip(block.rows.0).take(block.rows.1 - block.rows.0) {
        let end = block.columns.1.min(row.len());
        row[block.columns.0.min(end)..end].fill(Cell::default());
    }
    let shown = block.shown(sheet);
    formula::work_out(spreadsheet);
    Ok(Answer::ok(json!({ "spreadsheetId": spreadsheet.id, "clearedRange": shown })))
}

/// How the values of a request become cells. The vendor wants to be told.
fn entering(call: &Call<'_>) -> Result<fn(&Value) -> Cell, Answer> {
    match call.query("valueInputOption") {
        Some("RAW") => Ok(Cell::raw),
        Some("USER_ENTERED") => Ok(Cell::typed),
        _ => Err(errors::invalid("'valueInputOption' is required but not specified")),
    }
}

fn rows(call: &Call<'_>) -> Result<Vec<Vec<Value>>, Answer> {
    let rows: Vec<Vec<Value>> = serde_json::from_value(call.body["values"].clone()).unwrap_or_default();
    if rows.iter().flatten().any(|value| value.is_array() || value.is_object()) {
        return Err(errors::invalid("Invalid values[0][0]: list_value {}"));
    }
    Ok(rows)
}

fn size(rows: &[Vec<Value>]) -> (usize, usize) {
    (rows.len(), rows.iter().map(Vec::len).max().unwrap_or_default())
}

/// Puts values in; `null` leaves a cell as it is.
fn write(
    spreadsheet: &mut Spreadsheet,
    at: usize,
    (row, column): (usize, usize),
    values: &[Vec<Value>],
    enter: fn(&Value) -> Cell,
) -> Value {
    let sheet = &mut spreadsheet.sheets[at];
    let mut cells = 0;
    for (down, line) in values.iter().enumerate() {
        for (right, value) in line.iter().enumerate().filter(|(_, value)| !value.is_null()) {
            sheet.put(row + down, column + right, enter(value));
            cells += 1;
        }
    }
    let (height, width) = size(values);
    let block = Block { sheet: at, rows: (row, row + height.max(1)), columns: (column, column + width.max(1)) };
    let range = block.shown(sheet);
    formula::work_out(spreadsheet);
    json!({ "spreadsheetId": spreadsheet.id, "updatedRange": range, "updatedRows": height, "updatedColumns": width,
        "updatedCells": cells })
}
