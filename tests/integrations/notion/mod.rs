//! Notion.

pub mod faults;
mod reading;
mod writing;

use serde_json::{Value, json};

use crate::desk::{Desk, Vendor};

const VENDOR: Vendor = Vendor { id: "notion", operations: "", scopes: "" };

/// A fresh workspace.
pub async fn open() -> Desk {
    Desk::open(&VENDOR).await
}

/// The id of the page with this title in a database.
async fn id_of(desk: &Desk, database: &str, title: &str) -> String {
    let list = desk.ok("query_database", json!({ "database": database, "limit": 100 })).await;
    let pages = list.data["pages"].as_array().unwrap();
    let found = pages.iter().find(|page| page["title"].as_str().unwrap().contains(title));
    found.unwrap_or_else(|| panic!("no page {title}: {}", list.text))["id"].as_str().unwrap().to_owned()
}

/// A property and its value.
fn pair(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}
