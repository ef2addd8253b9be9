//! Salesforce.

pub mod faults;
mod looking;
mod searching;
mod writing;

use serde_json::{Value, json};

use crate::desk::{Desk, Vendor};

pub const VENDOR: Vendor = Vendor { id: "salesforce", operations: "", scopes: "" };

/// A fresh organisation, opened with every scope.
pub async fn open() -> Desk {
    Desk::open(&VENDOR).await
}

/// The id of the record that is called so.
async fn id_of(desk: &Desk, object: &str, name: &str) -> String {
    let field = if matches!(object, "Case" | "Task") { "Subject" } else { "Name" };
    let soql = format!("SELECT Id FROM {object} WHERE {field} = '{name}'");
    let found = desk.ok("run_soql", json!({ "soql": soql })).await;
    found.data["records"][0]["id"].as_str().unwrap_or_else(|| panic!("no {object} {name}")).to_owned()
}

/// What a field of a record holds now.
async fn field(desk: &Desk, object: &str, id: &str, name: &str) -> Value {
    let found = desk.ok("get_record", json!({ "object": object, "id": id, "fields": [name] })).await;
    found.data["fields"][0]["value"].clone()
}
