//! SOQL: values escaped, statements that only look, and pages to the end.

use sha2::{Digest, Sha256};

use super::{
    wire::{Page, Raw},
    wrong,
};
use crate::{
    http::Request,
    path,
    tool::{Call, Cursor, Error, Kind, Result},
};

/// The longest statement that Salesforce takes.
const LONGEST: usize = 100_000;

/// The smallest page that Salesforce makes.
const BATCH: &str = "batchSize=200";

/// What may follow `FOR` or `UPDATE` and does more than look: it locks records, or notes that they were seen.
const MARKS: [[&str; 2]; 5] =
    [["for", "update"], ["for", "view"], ["for", "reference"], ["update", "tracking"], ["update", "viewstat"]];

/// Text as a literal, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::from("'");
    for char in text.chars() {
        match char {
            '\\' | '\'' => literal.extend(['\\', char]),
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            control if control.is_control() => literal.push(' '),
            plain => literal.push(plain),
        }
    }
    literal + "'"
}

/// A literal for `LIKE` that finds text with `part` in it.
pub(super) fn containing(part: &str) -> String {
    // A literal's backslash is doubled before the wildcards get theirs.
    let literal = quoted(part).replace('%', "\\%").replace('_', "\\_");
    format!("'%{}%'", &literal[1..literal.len() - 1])
}

/// Whether it looks like the id of a record: 15 or 18 letters and digits, of which the first three say what it is and
/// hold a digit.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().take(3).any(|byte| byte.is_ascii_digit())
}

/// Some rows of a query.
pub(super) struct Rows {
    pub(super) records: Vec<Raw>,
    pub(super) total: u64,
    pub(super) next_cursor: Option<String>,
}

/// The rows of a query from `cursor` on, at most `limit`. A page of Salesforce's has 200 of them or more, so a cursor
/// tells the page and how many of its rows were shown.
pub(super) async fn rows(cx: &Call, tool: &str, soql: &str, limit: u32, cursor: Option<&str>) -> Result<Rows> {
    let place = cursor.map(|cursor| Place::unwrap(tool, cursor, soql)).transpose()?.unwrap_or_default();
    let page = page(cx, soql, place.locator.as_deref()).await?;
    let shown = place.skip + limit as usize;
    let next = match (shown < page.records.len(), page.next_records_url.filter(|_| !page.done)) {
        (true, _) => Some(Place { skip: shown, ..place }),
        (false, Some(url)) => Some(Place { skip: 0, locator: url.rsplit('/').next().map(str::to_owned) }),
        (false, None) => None,
    };
    let skip = shown - limit as usize;
    let records = page.records.into_iter().skip(skip).take(limit as usize).collect();
    Ok(Rows { records, total: page.total_size, next_cursor: next.map(|next| next.wrap(tool, soql)) })
}

/// The first rows of a query that bounds itself.
pub(super) async fn all(cx: &Call, soql: &str) -> Result<Vec<Raw>> {
    Ok(page(cx, soql, None).await?.records)
}

/// The first row of a query.
pub(super) async fn first(cx: &Call, soql: &str) -> Result<Option<Raw>> {
    Ok(all(cx, soql).await?.into_iter().next())
}

async fn page(cx: &Call, soql: &str, locator: Option<&str>) -> Result<Page> {
    let request = match locator {
        Some(locator) => Request::get(path!["query", locator]),
        None => Request::get(path!["query"]).query("q", soql),
    };
    cx.fetch(request.header("sforce-query-options", BATCH)).await
}

/// Where a list goes on.
#[derive(Default)]
struct Place {
    skip: usize,
    locator: Option<String>,
}

impl Place {
    fn wrap(&self, tool: &str, soql: &str) -> String {
        let locator = self.locator.as_deref().unwrap_or("-");
        Cursor::wrap(tool, &format!("{} {} {locator}", digest(soql), self.skip))
    }

    fn unwrap(tool: &str, cursor: &str, soql: &str) -> Result<Place> {
        let text = Cursor::unwrap(tool, cursor)?;
        let mut parts = text.split(' ');
        let (of, skip, locator) = (parts.next(), parts.next().and_then(|skip| skip.parse().ok()), parts.next());
        let (Some(of), Some(skip), Some(locator)) = (of, skip, locator) else {
            return Err(wrong("`cursor` is damaged; leave it out to begin at the first page"));
        };
        if of != digest(soql) {
            return Err(wrong("`cursor` belongs to another list; repeat the arguments that it came with"));
        }
        Ok(Place { skip, locator: Some(locator.to_owned()).filter(|locator| locator != "-") })
    }
}

/// Tells queries apart.
fn digest(soql: &str) -> String {
    let digest = Sha256::digest(soql.as_bytes());
    crate::id::encode_base32hex(&digest[..10])
}

/// Refuses a statement that is no query, or that does more than look.
pub(super) fn must_only_look(soql: &str) -> Result<()> {
    if soql.len() > LONGEST {
        return Err(wrong(&format!("`soql` takes at most the {LONGEST} characters that Salesforce takes")));
    }
    let words = words(soql);
    let begins = words.first().is_some_and(|word| word == "select");
    if !begins || !words.iter().any(|word| word == "from") {
        return Err(Error::new(Kind::Arguments, "`soql` is no query.")
            .next("Write `SELECT Id, Name FROM Account WHERE Industry = 'Healthcare' LIMIT 10`."));
    }
    let mark = MARKS.iter().find(|mark| words.windows(2).any(|pair| pair == *mark));
    match mark {
        Some(mark) => {
            let mark = mark.join(" ").to_uppercase();
            Err(wrong(&format!("`soql` may only look, and `{mark}` does more; leave it out")))
        }
        None => Ok(()),
    }
}

/// The words of a statement in lower case, without its literals.
fn words(soql: &str) -> Vec<String> {
    let mut bare = String::new();
    let (mut is_literal, mut is_escaped) = (false, false);
    for char in soql.chars() {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' if is_literal => is_escaped = true,
            '\'' => {
                is_literal = !is_literal;
                bare.push(' ');
            }
            _ if is_literal => {}
            char => bare.push(char),
        }
    }
    let split = bare.split(|char: char| !char.is_alphanumeric() && char != '_').filter(|word| !word.is_empty());
    split.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_hold_whatever_is_in_them() {
        assert_eq!(quoted("O'Hara \\ Sons\n"), r"'O\'Hara \\ Sons\n'");
        assert_eq!(containing("50%_a'"), r"'%50\%\_a\'%'");
    }

    proptest! {
        /// However it is written, a value ends where we end it.
        #[test]
        fn nothing_inside_ends_a_literal(text in any::<String>()) {
            for literal in [quoted(&text), containing(&text)] {
                let inside = &literal[1..literal.len() - 1];
                let mut chars = inside.chars();
                while let Some(char) = chars.next() {
                    prop_assert!(char != '\'' && !char.is_control(), "{literal}");
                    if char == '\\' {
                        prop_assert!(chars.next().is_some(), "{literal}");
                    }
                }
            }
        }
    }

    #[test]
    fn ids_are_told_from_names() {
        for id in ["001D000000IRFma", "001D000000IRFmaIAH", "a0BD000000ExAmPLE1"] {
            assert!(is_id(id), "{id}");
        }
        for name in ["Contoso Foods", "Internationales", "001", "001D000000IRFma-AH"] {
            assert!(!is_id(name), "{name}");
        }
    }

    #[test]
    fn statements_only_look() {
        for fine in [
            "SELECT Id FROM Account",
            " select count() from Lead where Name = 'for update'",
            r"SELECT Id FROM Account WHERE Name = 'it\'s for view'",
        ] {
            must_only_look(fine).unwrap();
        }
        for (bad, why) in [
            ("DELETE FROM Account", "no query"),
            ("FIND {Ana}", "no query"),
            ("SELECT 1", "no query"),
            ("SELECT Id FROM Account FOR UPDATE", "`FOR UPDATE` does more"),
            ("SELECT Id FROM Account\nFor  View", "`FOR VIEW` does more"),
            ("SELECT Id FROM Article WHERE Name = 'a' UPDATE VIEWSTAT", "`UPDATE VIEWSTAT` does more"),
        ] {
            let error = must_only_look(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_query() {
        let place = Place { skip: 40, locator: Some("01g-200".into()) };
        let cursor = place.wrap("salesforce_run_soql", "SELECT Id FROM Account");
        let back = Place::unwrap("salesforce_run_soql", &cursor, "SELECT Id FROM Account").unwrap();
        assert_eq!((back.skip, back.locator.as_deref()), (40, Some("01g-200")));
        let error = Place::unwrap("salesforce_run_soql", &cursor, "SELECT Id FROM Lead").err().unwrap();
        assert!(error.to_string().contains("another list"), "{error}");
    }
}
