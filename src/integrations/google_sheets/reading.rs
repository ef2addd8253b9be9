//! Looking at cells.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    READ,
    a1::{Range, number},
    place::{range, range_is_unknown, spreadsheet},
    table::{Row, Rows, columns},
    wire::{ValueRange, ValueRanges},
    wrong,
};
use crate::{
    http::Request,
    path,
    tool::{Answer, Call, Cursor, Effect, Error, Kind, Named, Result, Scopes, Tool, one_of},
};

// How values are shown. The fields say what a model must know, so the schema stays short.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum As {
    #[default]
    Formatted,
    Unformatted,
    Formula,
}

impl As {
    fn option(self) -> &'static str {
        match self {
            As::Formatted => "FORMATTED_VALUE",
            As::Unformatted => "UNFORMATTED_VALUE",
            As::Formula => "FORMULA",
        }
    }
}

/// Shows the rows of a range with their numbers. For rows with a certain value use `google_sheets_find_rows`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadData {
    /// Name, id or address, such as `Budget 2027`.
    spreadsheet: String,
    /// Such as `Sales!A1:D20`, or `Sales` for a whole sheet.
    range: String,
    /// `formatted` as people see it (the default), `unformatted` for bare numbers, or `formula`.
    #[serde(rename = "as")]
    shown: Option<As>,
    /// Whether the first row names the columns; else true.
    header_row: Option<bool>,
    /// How many rows; else 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// To go on: from the last answer, beside the same arguments.
    cursor: Option<String>,
}

impl Tool for ReadData {
    const NAME: &'static str = "google_sheets_read_data";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    const HOSTS: &'static [crate::tool::Host] = &[super::DRIVE];
    type Output = Rows;

    async fn call(self, cx: &Call) -> Result<Rows> {
        let from = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let (range, limit) = (range(&self.range)?, self.limit.unwrap_or(50));
        let has_header = self.header_row.unwrap_or(true);
        let begins = range.first_row() + u32::from(has_header);
        let first = match from {
            Some(row) => row.parse().ok().filter(|row| *row >= begins).ok_or_else(|| wrong("`cursor` is damaged"))?,
            None => begins,
        };
        let id = spreadsheet(cx, &self.spreadsheet).await?;
        let shown = self.shown.unwrap_or_default();
        // One row more than is shown tells whether there are more.
        let wanted = Wanted { has_header, first, count: limit + 1, shown };
        let mut page = match Page::read(cx, &id, &range, wanted).await {
            // What is no sheet may be the name of a range, which cannot be asked for in part.
            Err(error) if error.kind() == Kind::NotFound && range.cells.is_none() => {
                Page::named(cx, &id, &range, wanted).await.map_err(|_| error)?
            }
            page => page?,
        };
        let more = page.rows.len() > limit as usize;
        page.rows.truncate(limit as usize);
        let next_cursor = more.then(|| Cursor::wrap(Self::NAME, &(first + limit).to_string()));
        Ok(page.shown(next_cursor))
    }
}

/// Which rows are wanted.
#[derive(Clone, Copy)]
struct Wanted {
    has_header: bool,
    first: u32,
    count: u32,
    shown: As,
}

/// Rows of a range, and its header.
struct Page {
    range: String,
    header: Option<Vec<Value>>,
    first: u32,
    first_column: u32,
    rows: Vec<Vec<Value>>,
}

impl Page {
    /// Reads `count` rows from `first` on, and the header above them, in one request.
    async fn read(cx: &Call, id: &str, range: &Range, wanted: Wanted) -> Result<Page> {
        let Wanted { has_header, first, count, shown } = wanted;
        let (begins, last) = (range.first_row(), first.saturating_add(count - 1));
        if range.last_row().is_some_and(|end| first > end) {
            let header = if has_header { read_one(cx, id, &range.rows(begins, begins), shown).await?.values } else { vec![] };
            let (header, first_column) = (header.into_iter().next(), range.first_column());
            return Ok(Page { range: range.to_string(), header, first, first_column, rows: vec![] });
        }
        // The page that follows the header directly is one range with it.
        let joins = has_header && first == begins + 1;
        let wanted = range.rows(if joins { begins } else { first }, last);
        let mut ranges = vec![wanted];
        if has_header && !joins {
            ranges.push(range.rows(begins, begins));
        }
        let mut read = read_many(cx, id, &ranges, range, shown).await?.into_iter();
        let page = read.next().unwrap_or_default();
        let mut rows = page.values;
        let header = match (joins, read.next()) {
            (true, _) if rows.is_empty() => Some(vec![]),
            (true, _) => Some(rows.remove(0)),
            (false, header) => header.map(|header| header.values.into_iter().next().unwrap_or_default()),
        };
        Ok(Page { first_column: Range::read(&page.range).first_column(), range: page.range, header, first, rows })
    }

    /// Rows of a range with a name, which is read as a whole.
    async fn named(cx: &Call, id: &str, range: &Range, wanted: Wanted) -> Result<Page> {
        let found = read_one(cx, id, range, wanted.shown).await?;
        let place = Range::read(&found.range);
        let header = found.values.first().filter(|_| wanted.has_header).cloned();
        let rows = found.values.into_iter().skip(wanted.first as usize - 1).take(wanted.count as usize).collect();
        let (first, first_column) = (place.first_row() + wanted.first - 1, place.first_column());
        Ok(Page { range: found.range, header, first, first_column, rows })
    }

    fn shown(self, next_cursor: Option<String>) -> Rows {
        let width = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let columns = columns(self.header.as_deref(), self.first_column, width);
        let rows = (self.first..).zip(&self.rows).filter(|(_, values)| !values.is_empty());
        Rows { range: self.range, columns, rows: rows.map(|(row, values)| Row::of(row, values)).collect(), next_cursor }
    }
}

/// The values of one range.
pub(super) async fn read_one(cx: &Call, id: &str, range: &Range, shown: As) -> Result<ValueRange> {
    let request = Request::get(path!["spreadsheets", id, "values", range])
        .query("valueRenderOption", shown.option())
        .query("dateTimeRenderOption", "FORMATTED_STRING");
    match cx.fetch(request).await {
        Ok(values) => Ok(values),
        Err(error) => Err(range_is_unknown(cx, error, id, range).await),
    }
}

/// The values of a range as people see them.
pub(super) async fn read_formatted(cx: &Call, id: &str, range: &Range) -> Result<ValueRange> {
    read_one(cx, id, range, As::Formatted).await
}

async fn read_many(cx: &Call, id: &str, ranges: &[Range], about: &Range, shown: As) -> Result<Vec<ValueRange>> {
    if let [one] = ranges {
        return Ok(vec![read_one(cx, id, one, shown).await?]);
    }
    let request = Request::get(path!["spreadsheets", id].and("values").verb("batchGet"))
        .query("valueRenderOption", shown.option())
        .query("dateTimeRenderOption", "FORMATTED_STRING");
    let request = ranges.iter().fold(request, |request, range| request.query("ranges", range));
    match cx.fetch::<ValueRanges>(request).await {
        Ok(found) => Ok(found.value_ranges),
        Err(error) => Err(range_is_unknown(cx, error, id, about).await),
    }
}

/// Shows several ranges of a spreadsheet at once, as people see them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadRanges {
    /// Name, id or address, such as `Budget 2027`.
    spreadsheet: String,
    /// Such as `Sales!A1:D20`.
    #[schemars(length(min = 1, max = 20))]
    ranges: Vec<String>,
}

/// Several ranges.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Ranges {
    /// In the order in which they were asked for.
    ranges: Vec<Rows>,
}

impl Answer for Ranges {
    fn text(&self) -> String {
        self.ranges.iter().map(Answer::text).collect::<Vec<_>>().join("\n\n")
    }
}

impl Tool for ReadRanges {
    const NAME: &'static str = "google_sheets_read_ranges";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    const HOSTS: &'static [crate::tool::Host] = &[super::DRIVE];
    type Output = Ranges;

    async fn call(self, cx: &Call) -> Result<Ranges> {
        let ranges: Vec<Range> = self.ranges.iter().map(|given| range(given)).collect::<Result<_>>()?;
        let Some(first) = ranges.first() else { return Err(wrong("`ranges` must name at least one range")) };
        let id = spreadsheet(cx, &self.spreadsheet).await?;
        let found = read_many(cx, &id, &ranges, first, As::Formatted).await?;
        Ok(Ranges { ranges: found.into_iter().map(bare).collect() })
    }
}

/// A range without a header.
fn bare(found: ValueRange) -> Rows {
    let place = Range::read(&found.range);
    let (first, first_column) = (place.first_row(), place.first_column());
    Page { range: found.range, header: None, first, first_column, rows: found.values }.shown(None)
}

// How a value is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Match {
    #[default]
    Exact,
    Contains,
}

/// Finds the rows of a table in which a column has a value, as people see it; case does not matter.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindRows {
    /// Name, id or address, such as `Budget 2027`.
    spreadsheet: String,
    /// The table with its header row, such as `Sales` or `Sales!A1:F`.
    range: String,
    /// Its header, such as `Email`, or its letter.
    column: String,
    /// Such as `ana@example.com`.
    value: String,
    /// `exact` (the default) or `contains`.
    #[serde(rename = "match")]
    how: Option<Match>,
    /// How many rows; else 20.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// To go on: from the last answer, beside the same arguments.
    cursor: Option<String>,
}

impl Tool for FindRows {
    const NAME: &'static str = "google_sheets_find_rows";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    const HOSTS: &'static [crate::tool::Host] = &[super::DRIVE];
    type Output = Rows;

    async fn call(self, cx: &Call) -> Result<Rows> {
        let from = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let from: u32 = from.and_then(|row| row.parse().ok()).unwrap_or_default();
        let (range, limit) = (range(&self.range)?, self.limit.unwrap_or(20) as usize);
        let id = spreadsheet(cx, &self.spreadsheet).await?;
        let found = read_one(cx, &id, &range, As::Formatted).await?;
        let place = Range::read(&found.range);
        let (begins, first_column) = (place.first_row(), place.first_column());
        let mut values = found.values.into_iter();
        let header = values.next().unwrap_or_default();
        let at = column(&header, first_column, &self.column)?;
        let numbered = (begins + 1..).zip(values).filter(|(row, _)| *row >= from);
        let mut hits = numbered.filter(|(_, values)| self.fits(values.get(at)));
        let rows: Vec<_> = hits.by_ref().take(limit).collect();
        let next_cursor = hits.next().map(|(row, _)| Cursor::wrap(Self::NAME, &row.to_string()));
        let columns = columns(Some(&header), first_column, header.len());
        let rows = rows.iter().map(|(row, values)| Row::of(*row, values)).collect();
        Ok(Rows { range: found.range, columns, rows, next_cursor })
    }
}

impl FindRows {
    fn fits(&self, value: Option<&Value>) -> bool {
        let text = match value {
            Some(Value::String(text)) => text.trim().to_lowercase(),
            Some(other) => other.to_string().to_lowercase(),
            None => String::new(),
        };
        let wanted = self.value.trim().to_lowercase();
        match self.how.unwrap_or_default() {
            Match::Exact => text == wanted,
            Match::Contains => text.contains(&wanted),
        }
    }
}

/// A column with its header.
#[derive(Clone, Debug)]
pub(super) struct Column {
    id: String,
    name: String,
    /// Its place in the range, from 0.
    pub(super) at: usize,
}

impl Named for &Column {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// The named columns of a header row.
pub(super) fn headers(header: &[Value], first_column: u32) -> Vec<Column> {
    let named = (first_column..).zip(header).enumerate().filter_map(|(at, (number, value))| {
        let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (!name.trim().is_empty()).then(|| Column { id: super::a1::letters(number), name, at })
    });
    named.collect()
}

/// The place of a column by its header or its letter.
fn column(header: &[Value], first_column: u32, wanted: &str) -> Result<usize> {
    let all = headers(header, first_column);
    let by_letter = || number(wanted.trim()).and_then(|number| number.checked_sub(first_column));
    match one_of("column", wanted, &all) {
        Ok(column) => Ok(column.at),
        Err(error) => by_letter().map(|at| at as usize).ok_or_else(|| column_is_unknown(error, &all)),
    }
}

/// Says which columns there are.
pub(super) fn column_is_unknown(error: Error, all: &[Column]) -> Error {
    if error.next_step().is_some() {
        return error;
    }
    let names: Vec<_> = all.iter().take(40).map(|column| column.name.as_str()).collect();
    error.next(format!("The header row has {}.", names.join(", ")))
}
