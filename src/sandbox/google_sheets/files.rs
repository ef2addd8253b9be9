//! Google Drive's list of files, which has only spreadsheets here.

use serde_json::{Value, json};

use super::{GoogleSheets, errors, spreadsheets::Spreadsheet};
use crate::sandbox::twin::{Answer, Call, Outcome};

const KIND: &str = "application/vnd.google-apps.spreadsheet";

/// `files.list`
pub fn list(world: &GoogleSheets, call: &Call<'_>) -> Outcome {
    let tests = terms(call.query("q").unwrap_or_default())?;
    let fits = |one: &&Spreadsheet| tests.iter().all(|test| test.fits(one, &world.account));
    let mut found: Vec<_> = world.spreadsheets.iter().filter(fits).collect();
    match call.query("orderBy") {
        None => {}
        Some("modifiedTime desc") => found.sort_by_key(|one| std::cmp::Reverse(one.changed)),
        Some("name") => found.sort_by(|one, other| one.title.cmp(&other.title)),
        Some(other) => return Err(errors::invalid(&format!("Sorting by {other} is not supported."))),
    }
    let from = match call.query("pageToken") {
        None => 0,
        Some(token) => {
            let place = token.strip_prefix('~').and_then(|place| place.parse().ok());
            place.filter(|place| *place <= found.len()).ok_or_else(|| errors::invalid("Invalid Value"))?
        }
    };
    let size = call.number("pageSize").unwrap_or(100);
    let page: Vec<_> = found.iter().skip(from).take(size).map(|one| shown(one, &world.account)).collect();
    let mut answer = json!({ "kind": "drive#fileList", "incompleteSearch": false, "files": page });
    if found.len() > from.saturating_add(size) {
        answer["nextPageToken"] = json!(format!("~{}", from + size));
    }
    if call.query("fields").is_none() {
        for file in answer["files"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            file.retain(|name, _| matches!(name.as_str(), "kind" | "id" | "name" | "mimeType"));
        }
    }
    Ok(Answer::ok(answer))
}

fn shown(one: &Spreadsheet, account: &str) -> Value {
    json!({
        "kind": "drive#file", "id": one.id, "name": one.title, "mimeType": KIND,
        "modifiedTime": format!("{:.3}", one.changed), "trashed": false, "ownedByMe": one.owner == account,
        "owners": [{ "kind": "drive#user", "emailAddress": one.owner, "displayName": one.owner, "me": one.owner == account }],
        "webViewLink": format!("https://docs.google.com/spreadsheets/d/{}/edit", one.id),
    })
}

/// One condition of a search.
enum Term {
    Contains(String),
    Named(String),
    OfKind(String),
    Mine,
    Trashed(bool),
}

impl Term {
    fn fits(&self, one: &Spreadsheet, account: &str) -> bool {
        match self {
            // Drive compares with the beginnings of words.
            Term::Contains(wanted) => {
                let title = one.title.to_lowercase();
                let begins = |at: usize| at == 0 || !title[..at].ends_with(char::is_alphanumeric);
                title.match_indices(&wanted.to_lowercase()).any(|(at, _)| begins(at))
            }
            Term::Named(wanted) => one.title == *wanted,
            Term::OfKind(kind) => kind == KIND,
            Term::Mine => one.owner == account,
            Term::Trashed(wanted) => !wanted,
        }
    }
}

/// How many conditions a query has, for the tests that hold it to its bounds.
pub fn read(text: &str) -> String {
    terms(text).map(|terms| terms.len()).unwrap_or_default().to_string()
}

/// Reads conditions that are joined with `and`.
fn terms(text: &str) -> Result<Vec<Term>, Answer> {
    let mut rest = text.trim();
    let mut terms = vec![];
    while !rest.is_empty() {
        let (term, after) = term(rest).ok_or_else(|| errors::invalid("Invalid Value"))?;
        terms.push(term);
        rest = after.trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix("and ").ok_or_else(|| errors::invalid("Invalid Value"))?.trim_start();
        }
    }
    Ok(terms)
}

fn term(text: &str) -> Option<(Term, &str)> {
    for (begin, make) in [
        ("name contains ", Term::Contains as fn(String) -> Term),
        ("name = ", Term::Named),
        ("mimeType = ", Term::OfKind),
    ] {
        if let Some(rest) = text.strip_prefix(begin) {
            let (value, rest) = quoted(rest)?;
            return Some((make(value), rest));
        }
    }
    for (begin, term) in [
        ("'me' in owners", Term::Mine),
        ("trashed = false", Term::Trashed(false)),
        ("trashed = true", Term::Trashed(true)),
    ] {
        if let Some(rest) = text.strip_prefix(begin) {
            return Some((term, rest));
        }
    }
    None
}

/// A text between single quotes; a backslash takes the meaning from the sign behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('\'')?;
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in inner.char_indices() {
        match c {
            c if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' => return Some((value, &inner[at + 1..])),
            c => value.push(c),
        }
    }
    None
}
