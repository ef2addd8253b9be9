//! Salesforce.

mod faults;
mod looking;
mod searching;
mod writing;

use serde_json::{Value, json};

use crate::desk::{Desk, Vendor};

pub const VENDOR: Vendor = Vendor { id: "salesforce", operations: "", scopes: "" };

/// A fresh organisation, opened with every scope.
async fn open() -> Desk {
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

/// Everything that was done to the world, as a count of changed, new and gone things.
fn changes(desk: &Desk) -> usize {
    let diff = serde_json::to_value(desk.sandbox.diff()).unwrap();
    let vendors = diff["vendors"].as_array().cloned().unwrap_or_default();
    let count = |vendor: &Value, kind: &str| vendor[kind].as_array().map_or(0, Vec::len);
    let kinds = ["added", "changed", "removed"];
    vendors.iter().map(|vendor| kinds.map(|kind| count(vendor, kind)).iter().sum::<usize>()).sum()
}
