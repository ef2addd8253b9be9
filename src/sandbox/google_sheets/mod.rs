//! Google Sheets, offline, with the part of Google Drive that finds spreadsheets: API versions 4 and 3.

mod a1;
mod cells;
mod errors;
mod files;
mod formula;
mod seed;
mod spreadsheets;
mod tables;
mod values;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use self::{spreadsheets::Spreadsheet, tables as t};
use super::{
    Error,
    google_calendar::{self, GOOGLE},
    pace::Limit,
    twin::{Answer, Body, Call, Mail, Object, Outcome, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Scene, SeedFile},
};
use crate::text::Transformation;

/// One account's spreadsheets and everything in them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GoogleSheets {
    account: String,
    spreadsheets: Vec<Spreadsheet>,
    mint: Mint,
}

/// Sixty reads and sixty writes a minute of one person (<https://developers.google.com/workspace/sheets/api/limits>).
const LIMITS: &[Limit] = &[
    Limit::of(60, SignedDuration::from_mins(1), |call| is_read(call.operation).then(String::new)),
    Limit {
        refuse: Some(errors::too_many_writes),
        ..Limit::of(60, SignedDuration::from_mins(1), |call| {
            (call.operation.starts_with("sheets.") && !is_read(call.operation)).then(String::new)
        })
    },
];

fn is_read(operation: &str) -> bool {
    let name = operation.strip_prefix("sheets.").and_then(|name| name.rsplit('.').next());
    matches!(name, Some("get" | "batchGet"))
}

impl Twin for GoogleSheets {
    const PROFILE: Profile = Profile { id: "google-sheets", base_path: "/v4", oauth: &GOOGLE, accepts_null: true };

    const LIMITS: &'static [Limit] = LIMITS;

    const ROUTES: &'static [Route<Self>] = &[
        Route {
            spec: Spec {
                operation: "sheets.spreadsheets.create",
                method: "POST",
                path: "/v4/spreadsheets",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON],
                body: Body::Json(t::SPREADSHEET),
            },
            run: Run::Write(spreadsheets::create),
        },
        Route {
            spec: Spec {
                operation: "sheets.spreadsheets.get",
                method: "GET",
                path: "/v4/spreadsheets/{spreadsheetId}",
                scopes: t::READ_SCOPES,
                query: &[t::COMMON, t::GET],
                body: Body::None,
            },
            run: Run::Read(spreadsheets::get),
        },
        Route {
            spec: Spec {
                operation: "sheets.spreadsheets.values.get",
                method: "GET",
                path: "/v4/spreadsheets/{spreadsheetId}/values/{range}",
                scopes: t::READ_SCOPES,
                query: &[t::COMMON, t::SHOWN],
                body: Body::None,
            },
            run: Run::Read(values::get),
        },
        Route {
            spec: Spec {
                operation: "sheets.spreadsheets.values.batchGet",
                method: "GET",
                path: "/v4/spreadsheets/{spreadsheetId}/values:batchGet",
                scopes: t::READ_SCOPES,
                query: &[t::COMMON, t::SHOWN, t::RANGES],
                body: Body::None,
            },
            run: Run::Read(values::batch_get),
        },
        Route {
            spec: Spec {
                operation: "sheets.spreadsheets.values.update",
                method: "PUT",
                path: "/v4/spreadsheets/{spreadsheetId}/values/{range}",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON, t::ENTERED],
                body: Body::Json(t::VALUES),
            },
            run: Run::Write(values::update),
        },
        Route {
            spec: Spec {
                operation: "sheets.spreadsheets.values.append",
                method: "POST",
                path: "/v4/spreadsheets/{spreadsheetId}/values/{range}:append",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON, t::ENTERED, t::INSERTED],
                body: Body::Json(t::VALUES),
            },
            run: Run::Write(values::append),
        },
        Route {
            spec: Spec {
                operation: "sheets.spreadsheets.values.clear",
                method: "POST",
                path: "/v4/spreadsheets/{spreadsheetId}/values/{range}:clear",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON],
                body: Body::Json(&[]),
            },
            run: Run::Write(values::clear),
        },
        Route {
            spec: Spec {
                operation: "drive.files.list",
                method: "GET",
                path: "/drive/v3/files",
                scopes: t::DRIVE_SCOPES,
                query: &[t::COMMON, t::FILES],
                body: Body::None,
            },
            run: Run::Read(files::list),
        },
    ];

    fn seed(scene: &Scene, file: &SeedFile) -> Result<Self, Error> {
        seed::plant(scene, file)
    }

    fn refuse(trouble: &Trouble) -> Answer {
        errors::refuse(trouble)
    }

    fn finish(answer: Answer, call: &Call<'_>) -> Outcome {
        google_calendar::fields::select(answer, call)
    }

    fn objects(&self) -> Vec<Object> {
        seed::objects(self)
    }

    fn mails(&self) -> &[Mail] {
        &[]
    }
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "sandbox: a cell", run: |text| cells::Cell::typed(&serde_json::json!(text)).formatted() },
    Transformation { name: "sandbox: file query", run: files::read },
];
