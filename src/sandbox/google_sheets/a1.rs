//! Ranges in A1 notation.

use super::{
    errors,
    spreadsheets::{Sheet, Spreadsheet},
};
use crate::sandbox::twin::Answer;

/// A block of cells in a sheet. Everything counts from 0; the ends are not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which sheet, by its place.
    pub sheet: usize,
    /// Its rows.
    pub rows: (usize, usize),
    /// Its columns.
    pub columns: (usize, usize),
}

impl Block {
    /// The block of a range: cells, a sheet, or a range with a name.
    pub fn find(spreadsheet: &Spreadsheet, text: &str) -> Result<Block, Answer> {
        let bad = || errors::bad_range(text);
        if let Some(range) = spreadsheet.names.get(text) {
            return Block::find(spreadsheet, range);
        }
        let by_title = |title: &str| spreadsheet.sheets.iter().position(|sheet| sheet.title == unquoted(title));
        let (sheet, cells) = match text.rsplit_once('!') {
            Some((title, cells)) => (by_title(title).ok_or_else(bad)?, Some(cells)),
            None => match by_title(text) {
                Some(sheet) => (sheet, None),
                None => (0, Some(text)),
            },
        };
        let Some(found) = spreadsheet.sheets.get(sheet) else { return Err(bad()) };
        let (mut first, mut last) = ((None, None), (None, None));
        if let Some(cells) = cells {
            let (begin, end) = cells.split_once(':').unwrap_or((cells, cells));
            (first, last) = (corner(begin).ok_or_else(bad)?, corner(end).ok_or_else(bad)?);
            let is_alone = !cells.contains(':') && (first.0.is_none() || first.1.is_none());
            if is_alone {
                return Err(bad());
            }
        }
        let rows = (first.1.unwrap_or(1) - 1, last.1.unwrap_or(found.row_count));
        let columns = (first.0.unwrap_or(1) - 1, last.0.unwrap_or(found.column_count));
        if rows.0 >= rows.1 || columns.0 >= columns.1 || rows.0 >= found.row_count || columns.0 >= found.column_count {
            let size = format!("Max rows: {}, max columns: {}", found.row_count, found.column_count);
            return Err(errors::invalid(&format!("Range ({text}) exceeds grid limits. {size}")));
        }
        Ok(Block { sheet, rows, columns })
    }

    /// As the vendor writes it, within the bounds of its sheet.
    pub fn shown(&self, sheet: &Sheet) -> String {
        let (rows, columns) =
            ((self.rows.0, self.rows.1.min(sheet.row_count)), (self.columns.0, self.columns.1.min(sheet.column_count)));
        let (first, last) = (cell(columns.0, rows.0), cell(columns.1 - 1, rows.1 - 1));
        let cells = if first == last { first } else { format!("{first}:{last}") };
        format!("{}!{cells}", quoted(&sheet.title))
    }
}

fn cell(column: usize, row: usize) -> String {
    format!("{}{}", letters(column + 1), row + 1)
}

fn letters(mut number: usize) -> String {
    let mut letters = String::new();
    while number > 0 {
        letters.insert(0, char::from(b'A' + u8::try_from((number - 1) % 26).unwrap_or_default()));
        number = (number - 1) / 26;
    }
    letters
}

/// Column and row of `B7`, `B` or `7`, from 1.
fn corner(text: &str) -> Option<(Option<usize>, Option<usize>)> {
    let text = text.replace('$', "");
    let split = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (column, row) = text.split_at(split);
    if column.len() > 3 || !column.bytes().all(|byte| byte.is_ascii_alphabetic()) || text.is_empty() {
        return None;
    }
    let number = column.bytes().fold(0, |sum, byte| sum * 26 + usize::from(byte.to_ascii_uppercase() - b'A') + 1);
    let row = if row.is_empty() { None } else { Some(row.parse().ok().filter(|row| *row > 0)?) };
    Some(((!column.is_empty()).then_some(number), row))
}

fn quoted(title: &str) -> String {
    let is_plain = title.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_plain { title.to_owned() } else { format!("'{}'", title.replace('\'', "''")) }
}

fn unquoted(title: &str) -> String {
    let inner = title.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.map_or_else(|| title.to_owned(), |inner| inner.replace("''", "'"))
}
