//! HubSpot.

pub mod faults;
mod reading;
mod writing;

use serde_json::Value;

use crate::desk::{Desk, Vendor};

pub const VENDOR: Vendor = Vendor { id: "hubspot", operations: "", scopes: "" };

const CREATE_TICKET: &str = "post-/crm/v3/objects/tickets_create";
const CREATE_CALL: &str = "post-/crm/v3/objects/calls_create";
const CREATE_NOTE: &str = "post-/crm/v3/objects/notes_create";
const CREATE_DEAL: &str = "post-/crm/v3/objects/deals_create";
const UPSERT: &str = "post-/crm/v3/objects/contacts/batch/upsert_upsert";

/// A fresh account, opened with every scope.
pub async fn open() -> Desk {
    Desk::open(&VENDOR).await
}

/// The id of the contact with this address.
async fn contact(desk: &Desk, email: &str) -> String {
    let found = desk.ok("get_contact", serde_json::json!({ "email": email })).await;
    found.data["contact"]["id"].as_str().unwrap().to_owned()
}

/// The id of the deal whose name begins so.
async fn deal(desk: &Desk, words: &str) -> String {
    let found = desk.ok("search_deals", serde_json::json!({ "query": words })).await;
    found.data["records"][0]["id"].as_str().unwrap().to_owned()
}

/// The body of the last request for an operation.
fn body(desk: &Desk, operation: &str) -> Value {
    desk.last(operation).body.unwrap()
}
