//! What Google Sheets and Drive accept: parameters, fields and scopes, as their discovery documents declare them.

use crate::sandbox::shape::{Field, Kind};

const fn text(name: &'static str) -> Field {
    Field::optional(name, Kind::Text)
}

const fn flag(name: &'static str) -> Field {
    Field::optional(name, Kind::Boolean)
}

const fn choice(name: &'static str, choices: &'static [&'static str]) -> Field {
    Field::optional(name, Kind::Choice(choices))
}

const fn number(name: &'static str) -> Field {
    Field::optional(name, Kind::Integer(0, i32::MAX as i64))
}

const VALUE: &[&str] = &["FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"];
const TIME: &[&str] = &["SERIAL_NUMBER", "FORMATTED_STRING"];
const DIMENSION: &[&str] = &["DIMENSION_UNSPECIFIED", "ROWS", "COLUMNS"];

/// Parameters that every method has.
pub const COMMON: &[Field] = &[text("fields"), choice("alt", &["json"]), flag("prettyPrint"), text("quotaUser")];

/// `spreadsheets.get`.
pub const GET: &[Field] = &[
    choice(
        "commentsViewMode",
        &[
            "COMMENTS_VIEW_MODE_UNSPECIFIED",
            "COMMENTS_VIEW_MODE_DEFAULT_FOR_CURRENT_ACCESS",
            "COMMENTS_VIEW_MODE_OMITTED",
            "COMMENTS_VIEW_MODE_INCLUDED",
        ],
    ),
    flag("excludeTablesInBandedRanges"),
    flag("includeGridData"),
    Field::optional("ranges", Kind::List(&Kind::Text)),
];

/// How values are shown.
pub const SHOWN: &[Field] =
    &[choice("dateTimeRenderOption", TIME), choice("majorDimension", DIMENSION), choice("valueRenderOption", VALUE)];

/// `values.batchGet`.
pub const RANGES: &[Field] = &[Field::optional("ranges", Kind::List(&Kind::Text))];

/// How values are read.
pub const ENTERED: &[Field] = &[
    flag("includeValuesInResponse"),
    choice("responseDateTimeRenderOption", TIME),
    choice("responseValueRenderOption", VALUE),
    choice("valueInputOption", &["INPUT_VALUE_OPTION_UNSPECIFIED", "RAW", "USER_ENTERED"]),
];

/// `values.append`.
pub const INSERTED: &[Field] = &[choice("insertDataOption", &["OVERWRITE", "INSERT_ROWS"])];

/// A range with its values.
pub const VALUES: &[Field] = &[
    choice("majorDimension", DIMENSION),
    text("range"),
    Field::optional("values", Kind::List(&Kind::List(&Kind::Anything))),
];

const ENTERED_VALUE: Kind = Kind::Object(&[
    text("stringValue"),
    Field::optional("numberValue", Kind::Number),
    flag("boolValue"),
    text("formulaValue"),
]);

const ROW: Kind = Kind::Object(&[Field::optional(
    "values",
    Kind::List(&Kind::Object(&[Field::optional("userEnteredValue", ENTERED_VALUE)])),
)]);

const GRID: Kind =
    Kind::Object(&[number("rowCount"), number("columnCount"), number("frozenRowCount"), number("frozenColumnCount")]);

const SHEET: Kind = Kind::Object(&[
    Field::optional(
        "properties",
        Kind::Object(&[text("title"), number("sheetId"), number("index"), Field::optional("gridProperties", GRID)]),
    ),
    Field::optional(
        "data",
        Kind::List(&Kind::Object(&[
            number("startRow"),
            number("startColumn"),
            Field::optional("rowData", Kind::List(&ROW)),
        ])),
    ),
]);

/// A spreadsheet.
pub const SPREADSHEET: &[Field] = &[
    Field::optional("properties", Kind::Object(&[text("title"), text("locale"), text("timeZone")])),
    Field::optional("sheets", Kind::List(&SHEET)),
];

/// `files.list` of Drive.
pub const FILES: &[Field] = &[
    text("corpora"),
    choice("corpus", &["domain", "user"]),
    text("driveId"),
    flag("includeItemsFromAllDrives"),
    text("includeLabels"),
    text("includePermissionsForView"),
    flag("includeTeamDriveItems"),
    text("orderBy"),
    Field::optional("pageSize", Kind::Integer(1, 1000)),
    text("pageToken"),
    text("q"),
    text("spaces"),
    flag("supportsAllDrives"),
    flag("supportsTeamDrives"),
    text("teamDriveId"),
];

/// What opens spreadsheets for reading.
pub const READ_SCOPES: &[&str] = &[
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive",
];

/// What opens them for writing.
pub const WRITE_SCOPES: &[&str] = &[
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive",
];

/// What opens the list of files.
pub const DRIVE_SCOPES: &[&str] = &[
    "https://www.googleapis.com/auth/drive.metadata.readonly",
    "https://www.googleapis.com/auth/drive.metadata",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.appdata",
    "https://www.googleapis.com/auth/drive.meet.readonly",
    "https://www.googleapis.com/auth/drive.photos.readonly",
    "https://www.googleapis.com/auth/drive",
];
