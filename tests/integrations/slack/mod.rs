//! Slack.

pub mod faults;
mod places;
mod reading;
mod sending;

use serde_json::{Value, json};

use crate::desk::{Answered, Desk, Vendor};

const VENDOR: Vendor = Vendor { id: "slack", operations: "", scopes: "" };

/// A fresh workspace, opened with every scope.
pub async fn open() -> Desk {
    Desk::open(&VENDOR).await
}

/// The latest messages of a channel.
async fn history(desk: &Desk, channel: &str) -> Answered {
    desk.ok("read_channel", json!({ "channel": channel, "limit": 100 })).await
}

/// The message with this piece of text.
async fn message(desk: &Desk, channel: &str, piece: &str) -> Value {
    let history = history(desk, channel).await;
    let messages = history.data["messages"].as_array().unwrap().clone();
    let found = messages.into_iter().find(|message| message["text"].as_str().unwrap().contains(piece));
    found.unwrap_or_else(|| panic!("no message with {piece}: {}", history.text))
}

/// Its `ts`.
async fn ts(desk: &Desk, channel: &str, piece: &str) -> String {
    message(desk, channel, piece).await["ts"].as_str().unwrap().to_owned()
}
