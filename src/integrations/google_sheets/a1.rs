//! Ranges in A1 notation, as people write them: `Sales!A1:D20`, `My sheet!A:C`, `Sales`.

use std::fmt;

/// A range whose parts are known. What is no A1 notation may still be the name of a range or of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The sheet, without quotes; the first one where there is none.
    pub(super) sheet: Option<String>,
    /// Which cells; all of them where there are none.
    pub(super) cells: Option<Cells>,
}

/// A block of cells. Columns and rows count from 1; an open end is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cells {
    pub(super) first: (Option<u32>, Option<u32>),
    pub(super) last: (Option<u32>, Option<u32>),
}

impl Range {
    /// Reads what a person wrote. A text without cells is a sheet, or the name of a range.
    pub(super) fn read(text: &str) -> Range {
        let text = text.trim();
        let (sheet, cells) = match text.rsplit_once('!') {
            Some((sheet, cells)) => (Some(sheet), cells),
            None => (None, text),
        };
        match (sheet, Cells::read(cells)) {
            (sheet, Some(cells)) => Range { sheet: sheet.map(unquoted), cells: Some(cells) },
            (None, None) => Range { sheet: Some(unquoted(text)), cells: None },
            // No cells after the sign: Google says so better than we could.
            (Some(_), None) => Range { sheet: Some(text.to_owned()), cells: None },
        }
    }

    /// The row in which it begins.
    pub(super) fn first_row(&self) -> u32 {
        self.cells.and_then(|cells| cells.first.1).unwrap_or(1)
    }

    /// The column in which it begins.
    pub(super) fn first_column(&self) -> u32 {
        self.cells.and_then(|cells| cells.first.0).unwrap_or(1)
    }

    /// Only some of its rows, both ends included.
    pub(super) fn rows(&self, first: u32, last: u32) -> Range {
        let cells = self.cells.unwrap_or_default();
        let last = cells.last.1.map_or(last, |end| end.min(last));
        let cells = Cells { first: (cells.first.0, Some(first)), last: (cells.last.0, Some(last)) };
        Range { sheet: self.sheet.clone(), cells: Some(cells) }
    }

    /// The row in which it ends, if it has an end.
    pub(super) fn last_row(&self) -> Option<u32> {
        self.cells.and_then(|cells| cells.last.1)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.sheet, self.cells) {
            (Some(sheet), Some(cells)) => write!(f, "{}!{cells}", quoted(sheet)),
            (Some(sheet), None) => f.write_str(sheet),
            (None, Some(cells)) => cells.fmt(f),
            (None, None) => Ok(()),
        }
    }
}

impl Cells {
    fn read(text: &str) -> Option<Cells> {
        let (first, last) = match text.split_once(':') {
            Some((first, last)) => (corner(first)?, corner(last)?),
            None => match corner(text)? {
                both @ (Some(_), Some(_)) => (both, both),
                // A column or a row alone is no range.
                _ => return None,
            },
        };
        Some(Cells { first, last })
    }
}

impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let corner = |(column, row): (Option<u32>, Option<u32>)| {
            let row = row.map(|row| row.to_string()).unwrap_or_default();
            format!("{}{row}", column.map(letters).unwrap_or_default())
        };
        let (first, last) = (corner(self.first), corner(self.last));
        if first == last && self.first.0.is_some() { f.write_str(&first) } else { write!(f, "{first}:{last}") }
    }
}

/// `B7`, `B` or `7`.
fn corner(text: &str) -> Option<(Option<u32>, Option<u32>)> {
    let text = text.trim().replace('$', "");
    let split = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (column, row) = text.split_at(split);
    let column = if column.is_empty() { None } else { Some(number(column)?) };
    let row = if row.is_empty() { None } else { Some(row.parse().ok().filter(|row| *row > 0)?) };
    (column.is_some() || row.is_some()).then_some((column, row))
}

/// The number of a column by its letters; Google has none beyond `ZZZ`.
pub(super) fn number(letters: &str) -> Option<u32> {
    let is_column = (1..=3).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_column.then(|| letters.bytes().fold(0, |sum, byte| sum * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1))
}

/// The letters of a column.
pub(super) fn letters(mut number: u32) -> String {
    let mut letters = Vec::new();
    while number > 0 {
        let digit = u8::try_from((number - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + digit));
        number = (number - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// A sheet's name as it stands before `!`.
pub(super) fn quoted(sheet: &str) -> String {
    let is_plain = sheet.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && Cells::read(sheet).is_none();
    if is_plain { sheet.to_owned() } else { format!("'{}'", sheet.replace('\'', "''")) }
}

fn unquoted(sheet: &str) -> String {
    let inner = sheet.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.map_or_else(|| sheet.to_owned(), |inner| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for (text, expected) in [
            ("Sales!A1:D20", "Sales!A1:D20"),
            ("My sheet!a1:d20", "'My sheet'!A1:D20"),
            ("'It''s'!B2", "'It''s'!B2"),
            ("A1:B2", "A1:B2"),
            ("Sales!A:C", "Sales!A:C"),
            ("Sales!2:5", "Sales!2:5"),
            ("Sales!A2:C", "Sales!A2:C"),
            ("Sales!$A$1:$B$2", "Sales!A1:B2"),
            ("My sheet", "My sheet"),
            ("'My sheet'", "My sheet"),
            ("Sales!nonsense", "Sales!nonsense"),
            ("AA10", "AA10"),
        ] {
            assert_eq!(Range::read(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn some_rows_of_a_range() {
        assert_eq!(Range::read("Sales!B2:D").rows(10, 19).to_string(), "Sales!B10:D19");
        assert_eq!(Range::read("Sales!B2:D12").rows(10, 19).to_string(), "Sales!B10:D12");
        assert_eq!(Range::read("My sheet").rows(1, 50).to_string(), "'My sheet'!1:50");
        assert_eq!(Range::read("A:B").rows(1, 3).to_string(), "A1:B3");
    }

    #[test]
    fn columns_have_letters_and_numbers() {
        for (letters_, number_) in [("A", 1), ("Z", 26), ("AA", 27), ("AZ", 52), ("ZZZ", 18278)] {
            assert_eq!((number(letters_), letters(number_)), (Some(number_), letters_.to_owned()));
        }
        assert_eq!(number("ABCD"), None);
    }
}
