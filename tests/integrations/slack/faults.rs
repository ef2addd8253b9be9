//! What goes wrong at Slack, and what a caller is told.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{open, ts};
use crate::desk::Desk;

/// One good call of every tool, what it reads first being remembered, and the operation that matters.
pub async fn calls(desk: &Desk) -> Vec<(&'static str, Value, &'static str)> {
    let mine = ts(desk, "ana.ruiz@northwind.example", "I am in").await;
    let thread = ts(desk, "sales", "wants the service plan").await;
    desk.ok("find_user", json!({ "name": "Jonas" })).await;
    vec![
        ("send_message", json!({ "channel": "sales", "text": "x" }), "chat.postMessage"),
        (
            "schedule_message",
            json!({ "channel": "sales", "text": "x", "post_at": "2026-11-24T09:00" }),
            "chat.scheduleMessage",
        ),
        ("create_channel", json!({ "name": "new-one" }), "conversations.create"),
        ("update_message", json!({ "channel": "ana.ruiz@northwind.example", "ts": mine, "text": "y" }), "chat.update"),
        ("add_reaction", json!({ "channel": "sales", "ts": thread, "emoji": "tada" }), "reactions.add"),
        ("invite_to_channel", json!({ "channel": "sales", "users": ["@Jonas Weber"] }), "conversations.invite"),
        (
            "upload_text_file",
            json!({ "channel": "sales", "filename": "a.txt", "content": "x" }),
            "files.getUploadURLExternal",
        ),
        ("read_channel", json!({ "channel": "sales" }), "conversations.history"),
        ("read_thread", json!({ "channel": "sales", "thread_ts": thread }), "conversations.replies"),
        ("search_messages", json!({ "query": "offer" }), "search.messages"),
        ("list_channels", json!({}), "conversations.list"),
        ("find_user", json!({ "email": "priya.nair@northwind.example" }), "users.lookupByEmail"),
    ]
}

/// What may be sent again after a breakdown.
fn is_repeatable(operation: &str) -> bool {
    !matches!(operation, "chat.postMessage" | "chat.scheduleMessage" | "conversations.create")
}

#[tokio::test]
async fn every_tool_outlives_a_pause_that_slack_asks_for() {
    let desk = open().await;
    for (tool, arguments, operation) in calls(&desk).await {
        let before = desk.count(operation);
        desk.fault("quota:1");
        desk.ok(tool, arguments).await;
        assert_eq!(desk.count(operation), before + 2, "{tool}: refused once, then taken");
    }
}

#[tokio::test]
async fn no_write_is_sent_twice() {
    let desk = open().await;
    for (tool, arguments, operation) in calls(&desk).await {
        let before = desk.count(operation);
        desk.fault("500:1");
        let said = desk.call(tool, arguments).await;
        let times = desk.count(operation) - before;
        if is_repeatable(operation) {
            assert!(said.is_ok() && times == 2, "{tool}: {times} {said:?}");
        } else {
            let error = said.unwrap_err();
            assert_eq!((error.kind(), times), (Kind::Vendor, 1), "{tool}: {error}");
            assert!(error.to_string().contains("look before you repeat it"), "{tool}: {error}");
        }
        desk.fault("off");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_told_as_such() {
    for fault in ["malformed:1", "reset:1"] {
        let desk = open().await;
        for (tool, arguments, operation) in calls(&desk).await.into_iter().take(3) {
            let before = desk.count(operation);
            desk.fault(fault);
            let error = desk.refused(tool, arguments).await;
            assert!(error.to_string().contains("It may have been done all the same"), "{tool}: {error}");
            assert_eq!(desk.count(operation), before + 1, "{tool}");
            desk.fault("off");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_repeatable_write_changes_nothing_twice() {
    let desk = open().await;
    let thread = ts(&desk, "sales", "wants the service plan").await;
    desk.fault("reset:1");
    let done = desk.ok("add_reaction", json!({ "channel": "sales", "ts": thread, "emoji": "tada" })).await;
    assert!(done.text.contains("It was there before."), "{}", done.text);
    desk.ok("find_user", json!({ "name": "Jonas" })).await;
    desk.fault("reset:1");
    desk.ok("invite_to_channel", json!({ "channel": "sales", "users": ["@Jonas Weber"] })).await;
    assert_eq!(desk.mails(), ["jonas.weber@northwind.example Added to #sales"]);
}

#[tokio::test]
async fn a_refused_credential_is_told_with_what_to_do() {
    let desk = open().await;
    for (tool, arguments, _) in calls(&desk).await {
        desk.fault("401:2");
        let error = desk.refused(tool, arguments).await;
        assert_eq!((error.kind(), error.next_step()), (Kind::Expired, Some("Connect Slack again.")), "{tool}");
        desk.fault("off");
    }
}

#[tokio::test]
async fn a_limit_that_stays_says_when_to_come_back() {
    let desk = open().await;
    desk.fault("429");
    let error = desk.refused("list_channels", json!({})).await;
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.to_string().contains("Try again in"), "{error}");
}
