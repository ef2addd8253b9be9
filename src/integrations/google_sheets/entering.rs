//! What a caller writes into cells, in the form that Google reads.

use schemars::JsonSchema;
use serde::Deserialize;

use super::wrong;
use crate::tool::Result;

/// More rows in one call are slips.
const MOST_ROWS: usize = 1_000;

// How texts become values. The fields say what a model must know, so the schema stays short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Enter {
    #[default]
    Values,
    Formulas,
    Text,
}

impl Enter {
    /// The value of `valueInputOption`, without which Google refuses.
    pub(super) fn option(self) -> &'static str {
        match self {
            Enter::Values | Enter::Formulas => "USER_ENTERED",
            Enter::Text => "RAW",
        }
    }

    /// The rows as they are sent. A text that begins like a formula stays a text unless formulas are meant: it may come
    /// out of a mail, and formulas can send what is in a sheet elsewhere.
    pub(super) fn rows(self, rows: &[Vec<String>]) -> Vec<Vec<String>> {
        let cell = |text: &String| match self {
            Enter::Values if text.trim_start().starts_with(['=', '+', '@']) && text.parse::<f64>().is_err() => {
                format!("'{text}")
            }
            _ => text.clone(),
        };
        rows.iter().map(|row| row.iter().map(cell).collect()).collect()
    }
}

/// Checks how many rows there are.
pub(super) fn check(rows: &[Vec<String>]) -> Result<()> {
    match rows.len() {
        0 => Err(wrong("`rows` must have at least one row, such as [[\"Ana\", \"12\"]]")),
        count if count > MOST_ROWS => Err(wrong(format!("`rows` has {count} rows; write at most {MOST_ROWS} at once"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_means_formulas_writes_them() {
        let rows = [["=IMPORTDATA(\"x\")", "+49 40", "+5", "-3", "@home", "a=b"].map(str::to_owned).to_vec()];
        assert_eq!(Enter::Values.rows(&rows)[0], ["'=IMPORTDATA(\"x\")", "'+49 40", "+5", "-3", "'@home", "a=b"]);
        assert_eq!(Enter::Formulas.rows(&rows), rows);
        assert_eq!(Enter::Text.rows(&rows), rows);
    }
}
