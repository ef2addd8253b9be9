//! Gmail.

pub mod faults;
mod reading;
mod sending;

use serde_json::{Value, json};
use switchboard::tool::Asking;

use crate::desk::{Desk, Vendor};

const VENDOR: Vendor =
    Vendor { id: "gmail", operations: "gmail.users.", scopes: "https://www.googleapis.com/auth/gmail." };

/// A fresh mailbox, opened with every scope, of somebody who is not asked before mails leave.
pub async fn open() -> Desk {
    let mut desk = Desk::open(&VENDOR).await;
    desk.asking = Asking::Never;
    desk
}

/// The first mail that a search finds.
async fn find(desk: &Desk, query: &str) -> Value {
    let found = desk.ok("search_emails", json!({ "query": query })).await;
    let emails = found.data["emails"].as_array().unwrap().clone();
    emails.into_iter().next().unwrap_or_else(|| panic!("nothing found by {query}"))
}

/// Its id.
async fn id(desk: &Desk, query: &str) -> Value {
    find(desk, query).await["id"].clone()
}
