//! Google Sheets.

pub mod faults;
mod reading;
mod writing;

use serde_json::{Value, json};

use crate::desk::{Desk, Vendor};

const VENDOR: Vendor =
    Vendor { id: "google-sheets", operations: "sheets.spreadsheets.", scopes: "https://www.googleapis.com/auth/" };

/// A fresh account, opened with every scope.
pub async fn open() -> Desk {
    Desk::open(&VENDOR).await
}

/// A fresh account, opened with these scopes, without the address in front of them.
async fn with_scopes(scopes: &[&str]) -> Desk {
    Desk::with_scopes(&VENDOR, scopes).await
}

/// Arguments about the budget of the fair.
fn budget(more: Value) -> Value {
    crate::desk::with(&json!({ "spreadsheet": "Trade fair budget" }), more)
}

/// How often Drive was asked.
fn searches(desk: &Desk) -> u64 {
    desk.sandbox.count("google-sheets", "drive.files.list").unwrap()
}
