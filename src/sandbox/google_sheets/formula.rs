//! The few formulas that the twin works out: a function over a range. Everything else is an error, as in a sheet that
//! does not know a function.

use serde_json::{Value, json};

use super::{a1::Block, cells::tidy, spreadsheets::Spreadsheet};

/// How many cells the formulas of a spreadsheet may read together. Many formulas over large ranges are more work than a
/// sandbox does for one change; those beyond it show an error.
const MOST_CELLS: usize = 1_000_000;

/// Works out every formula, in order; one that needs a later one sees its former value.
pub fn work_out(spreadsheet: &mut Spreadsheet) {
    let before = spreadsheet.clone();
    let mut left = MOST_CELLS;
    for (at, sheet) in spreadsheet.sheets.iter_mut().enumerate() {
        for cell in sheet.rows.iter_mut().flatten() {
            if let Some(formula) = &cell.formula {
                cell.value = value(&before, at, formula, &mut left).unwrap_or_else(|| json!("#NAME?"));
            }
        }
    }
}

fn value(spreadsheet: &Spreadsheet, sheet: usize, formula: &str, left: &mut usize) -> Option<Value> {
    let (name, rest) = formula.strip_prefix('=')?.split_once('(')?;
    let range = rest.strip_suffix(')')?;
    let title = &spreadsheet.sheets[sheet].title;
    let range = if range.contains('!') { range.to_owned() } else { format!("{title}!{range}") };
    let block = Block::find(spreadsheet, &range).ok()?;
    let rows = spreadsheet.sheets[block.sheet].block(&block);
    let cells = rows.len() + rows.iter().map(|row| row.len()).sum::<usize>();
    let Some(rest) = left.checked_sub(cells) else { return Some(json!("#ERROR!")) };
    *left = rest;
    let numbers: Vec<f64> = rows.into_iter().flatten().filter_map(|cell| cell.value.as_f64()).collect();
    let sum: f64 = numbers.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "sheets are small")]
    let count = numbers.len() as f64;
    Some(match name.to_uppercase().as_str() {
        "SUM" => tidy(sum),
        "COUNT" => tidy(count),
        "AVERAGE" if count > 0.0 => tidy(sum / count),
        "MAX" => tidy(numbers.iter().copied().fold(f64::MIN, f64::max)),
        "MIN" => tidy(numbers.iter().copied().fold(f64::MAX, f64::min)),
        _ => return None,
    })
}
