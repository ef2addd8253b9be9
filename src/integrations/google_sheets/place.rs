//! Which spreadsheet and which range are meant.

use std::time::Duration;

use super::{
    DRIVE, SPREADSHEET, a1::{Range, quoted}, errors::is_about_range,
    wire::{File, Files, Sheet, Spreadsheet}, wrong,
};
use crate::{
    http::Request,
    path,
    tool::{Call, Error, Kind, Named, Result, one_of},
};

/// How long a look-up is remembered.
const KEPT: Duration = Duration::from_mins(5);

/// The id of a spreadsheet, given as that, as its address, or by name.
pub(super) async fn spreadsheet(cx: &Call, given: &str) -> Result<String> {
    let given = given.trim();
    if given.is_empty() {
        return Err(wrong("`spreadsheet` must be a name, an id or an address"));
    }
    let in_address = given.split_once("/spreadsheets/d/").map(|(_, rest)| rest.split(['/', '?', '#']).next());
    if let Some(id) = in_address.flatten().filter(|id| !id.is_empty()) {
        return Ok(id.to_owned());
    }
    if is_id(given) {
        return Ok(given.to_owned());
    }
    cx.recall(&format!("spreadsheet {given}"), KEPT, by_name(cx, given)).await
}

/// Google's ids are long and have no blanks: 44 letters, digits, `-` and `_` at present.
fn is_id(text: &str) -> bool {
    text.len() >= 25 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

async fn by_name(cx: &Call, name: &str) -> Result<String> {
    let request = Request::get(path!["files"])
        .query("q", query(name))
        .query("orderBy", "modifiedTime desc")
        .query("pageSize", 50)
        .query("fields", "files(id,name,modifiedTime,owners(emailAddress))");
    let found: Files = cx.fetch_from(&DRIVE, request).await?;
    let found = one_of("spreadsheet", name, found.files.iter()).map_err(|error| match error.next_step() {
        None => error.next("`google_sheets_find_spreadsheet` shows what there is."),
        Some(_) => error,
    })?;
    Ok(found.id.clone())
}

/// The search for spreadsheets with these words in their names.
pub(super) fn query(words: &str) -> String {
    let words = words.trim();
    let kind = format!("mimeType = '{SPREADSHEET}' and trashed = false");
    if words.is_empty() { kind } else { format!("name contains {} and {kind}", text(words)) }
}

/// A text as Drive's queries write it.
fn text(words: &str) -> String {
    format!("'{}'", words.replace('\\', "\\\\").replace('\'', "\\'"))
}

impl Named for &File {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn detail(&self) -> Option<&str> {
        self.owners.first().map(|owner| owner.email_address.as_str())
    }
}

impl Named for &Sheet {
    fn id(&self) -> &str {
        &self.properties.title
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.properties.title]
    }
}

/// A range that was given; one that says nothing is refused.
pub(super) fn range(given: &str) -> Result<Range> {
    if given.trim().is_empty() {
        return Err(wrong("`range` must say which cells, such as `Sales!A1:D20`, or which sheet, such as `Sales`"));
    }
    Ok(Range::read(given))
}

/// Says which sheets there are, where Google could not make sense of the range.
pub(super) async fn range_is_unknown(cx: &Call, error: Error, spreadsheet_id: &str, range: &Range) -> Error {
    let Some(wanted) = range.sheet.as_deref().filter(|_| is_about_range(&error)) else { return error };
    let Ok(there) = sheets(cx, spreadsheet_id).await else { return error };
    let Err(missing) = one_of("sheet", wanted, there.sheets.iter()) else { return error };
    if missing.next_step().is_some() {
        return missing.because(error);
    }
    let names: Vec<_> = there.sheets.iter().map(|sheet| quoted(&sheet.properties.title)).collect();
    Error::new(Kind::NotFound, missing.what()).next(format!("It has {}.", names.join(", "))).because(error)
}

/// A spreadsheet's title and sheets.
pub(super) async fn sheets(cx: &Call, spreadsheet_id: &str) -> Result<Spreadsheet> {
    let request = Request::get(path!["spreadsheets", spreadsheet_id]).query(
        "fields",
        "spreadsheetId,spreadsheetUrl,properties(title,timeZone),namedRanges(name),\
         sheets(properties(sheetId,title,hidden,gridProperties(rowCount,columnCount)))",
    );
    cx.fetch(request).await
}
