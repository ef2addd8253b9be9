//! Google Sheets: spreadsheets, ranges, rows.

use std::{borrow::Cow, num::NonZeroU32, time::Duration};

use self::{
    files::{CreateSpreadsheet, FindSpreadsheet, GetSpreadsheet},
    reading::{FindRows, ReadData, ReadRanges},
    wire::Files,
    writing::{AppendRow, ClearRange, UpdateCells},
};
use super::google;
use crate::{
    http::{Method, Rate, Request},
    path,
    text::Transformation,
    tool::{self, Call, Category, Error, Field, Host, Identity, Integration, Result, Scopes, ToolDef},
};

mod a1;
mod entering;
mod errors;
mod files;
mod place;
mod reading;
mod table;
mod wire;
mod writing;

/// Google Sheets, API version 4.
pub const INTEGRATION: Integration = Integration {
    id: "google-sheets",
    title: "Google Sheets",
    category: Category::Database,
    docs: "https://developers.google.com/workspace/sheets/api/reference/rest",
    console: Some("https://console.cloud.google.com/apis/credentials"),
    base_url: "https://sheets.googleapis.com/v4",
    oauth: Some(google::SIGN_IN),
    fields: &[Field {
        name: "token",
        label: "Access token",
        secret: true,
        required: true,
        help: "An OAuth access token with the scopes spreadsheets and drive.metadata.readonly, for a short try: it \
               ends after an hour.",
    }],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: Some(google::is_limit),
    status: None,
    probe: |cx| Box::pin(probe(cx)),
    // Every tool takes the name of a spreadsheet, which only Drive knows.
    base_scopes: &["https://www.googleapis.com/auth/drive.metadata.readonly"],
    tools: &[
        ToolDef::of::<ReadData>(),
        ToolDef::of::<AppendRow>(),
        ToolDef::of::<UpdateCells>(),
        ToolDef::of::<FindRows>(),
        ToolDef::of::<GetSpreadsheet>(),
        ToolDef::of::<FindSpreadsheet>(),
        ToolDef::of::<CreateSpreadsheet>(),
        ToolDef::of::<ReadRanges>(),
        ToolDef::of::<ClearRange>(),
    ],
    core: &[
        "google_sheets_read_data",
        "google_sheets_append_row",
        "google_sheets_update_cells",
        "google_sheets_find_rows",
        "google_sheets_get_spreadsheet",
        "google_sheets_find_spreadsheet",
    ],
};

/// Google allows one user 60 reads and 60 writes a minute (<https://developers.google.com/workspace/sheets/api/limits>),
/// and looks into Drive are counted elsewhere. A minute of these are sixty of a kind.
const RATE: Rate = Rate::bursts(NonZeroU32::new(40).expect("forty is not zero"), Duration::from_millis(500)).and(by_kind);

const OF_A_KIND: Rate = Rate::bursts(NonZeroU32::new(20).expect("twenty is not zero"), Duration::from_millis(1_500));

fn by_kind(request: &Request) -> Option<(Cow<'static, str>, Rate)> {
    let is_of_sheets = request.path.segments().next() == Some("spreadsheets");
    let kind = if request.method == Method::GET { "reads" } else { "writes" };
    is_of_sheets.then_some((kind.into(), OF_A_KIND))
}

/// Google Drive, which knows spreadsheets by name.
const DRIVE: Host = Host { id: "google-drive", base_url: "https://www.googleapis.com/drive/v3" };

const READ: Scopes = Scopes(&[
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive",
]);

const WRITE: Scopes =
    Scopes(&["https://www.googleapis.com/auth/spreadsheets", "https://www.googleapis.com/auth/drive"]);

const FIND: Scopes = Scopes(&[
    "https://www.googleapis.com/auth/drive.metadata.readonly",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive",
]);

/// What Drive calls a spreadsheet.
const SPREADSHEET: &str = "application/vnd.google-apps.spreadsheet";

/// Whose account it is. Neither host says so without a scope for that alone; the owner of one's own newest file is
/// oneself.
async fn probe(cx: &Call) -> Result<Identity> {
    let request = Request::get(path!["files"])
        .query("q", "'me' in owners")
        .query("pageSize", 1)
        .query("fields", "files(owners(emailAddress,me))");
    let found: Files = cx.fetch_from(&DRIVE, request).await?;
    let owner = found.files.into_iter().flat_map(|file| file.owners).find(|owner| owner.me);
    let name = owner.map_or_else(|| "Google account".to_owned(), |owner| owner.email_address);
    Ok(Identity { name, detail: String::new() })
}

/// An argument that does not fit.
fn wrong(what: impl Into<String>) -> Error {
    Error::arguments([what.into()])
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "google-sheets: a range", run: |text| a1::Range::read(text).to_string() },
    Transformation { name: "google-sheets: a sheet's name", run: a1::quoted },
];
