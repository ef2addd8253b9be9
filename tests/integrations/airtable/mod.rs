//! Airtable.

pub mod faults;
mod reading;
mod writing;

use serde_json::{Value, json};

use crate::desk::{Desk, Vendor};

const VENDOR: Vendor = Vendor { id: "airtable", operations: "", scopes: "" };

const CRM: &str = "Northwind Robotics CRM";

/// A fresh workspace, opened with every scope.
pub async fn open() -> Desk {
    Desk::open(&VENDOR).await
}

/// A fresh workspace, opened with these scopes.
async fn with_scopes(scopes: &[&str]) -> Desk {
    Desk::with_scopes(&VENDOR, scopes).await
}

/// Arguments about a table of the company's own base.
fn crm(table: &str, more: Value) -> Value {
    crate::desk::with(&json!({ "base": CRM, "table": table }), more)
}

/// The id of the record with this title.
async fn id_of(desk: &Desk, table: &str, title: &str) -> String {
    let list = desk.ok("get_records", crm(table, json!({ "limit": 100 }))).await;
    let records = list.data["records"].as_array().unwrap();
    let found = records.iter().find(|record| record["title"] == title);
    found.unwrap_or_else(|| panic!("no record {title}: {}", list.plain()))["id"].as_str().unwrap().to_owned()
}

/// A field and its value.
fn pair(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}
