//! What goes wrong at Gmail, and what a caller is told.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{find, open};
use crate::desk::{Desk, Said};

fn mail() -> Value {
    json!({ "to": ["claire.dubois@northwind.example"], "subject": "Numbers", "body": "Here they are." })
}

/// One good call of every tool and the operation that matters.
pub async fn calls(desk: &Desk) -> Vec<(&'static str, Value, &'static str)> {
    let budget = find(desk, "subject:budget").await;
    let draft = desk.ok("create_draft", mail()).await;
    desk.ok("modify_labels", json!({ "message_id": budget["id"], "add": ["STARRED"] })).await;
    vec![
        ("send_email", mail(), "messages.send"),
        ("create_draft", mail(), "drafts.create"),
        ("send_draft", json!({ "draft_id": draft.data["draft_id"] }), "drafts.send"),
        ("modify_labels", json!({ "message_id": budget["id"], "remove": ["UNREAD"] }), "messages.modify"),
        ("get_email", json!({ "message_id": budget["id"] }), "messages.get"),
        ("get_thread", json!({ "thread_id": budget["thread_id"] }), "threads.get"),
        ("list_labels", json!({}), "labels.list"),
        ("trash_email", json!({ "message_id": budget["id"] }), "messages.trash"),
        ("search_emails", json!({ "query": "in:sent", "limit": 1 }), "messages.list"),
    ]
}

#[tokio::test]
async fn every_tool_outlives_a_quota_and_a_limit() {
    for fault in ["quota:1", "429:1"] {
        let desk = open().await;
        for (tool, arguments, _) in calls(&desk).await {
            desk.fault(fault);
            desk.ok(tool, arguments).await;
        }
    }
}

#[tokio::test]
async fn a_lost_answer_sends_no_second_mail() {
    for fault in ["reset:1", "malformed:1"] {
        let desk = open().await;
        desk.ok("search_emails", json!({ "query": "claire" })).await;
        desk.ok("send_email", crate::desk::with(&mail(), json!({ "subject": "First" }))).await;
        desk.fault(fault);
        let sent = desk.ok("send_email", mail()).await;
        assert!(sent.text.contains("a search shows that it is done"), "{}", sent.text);
        assert_eq!((desk.count("messages.send"), desk.mails().len()), (2, 2));
        assert!(desk.sent("messages.list", "q").unwrap().starts_with("rfc822msgid:"));
        desk.fault(fault);
        let draft = desk.ok("create_draft", mail()).await;
        assert!(draft.text.starts_with("Draft: Numbers") && draft.text.contains("a search shows"), "{}", draft.text);
        assert_eq!(desk.count("drafts.create"), 1);
    }
}

#[tokio::test]
async fn a_mail_without_a_certain_outcome_is_looked_for_before_it_is_sent_again() {
    let desk = open().await;
    desk.ok("send_email", crate::desk::with(&mail(), json!({ "subject": "First" }))).await;
    desk.fault("500:1");
    let error = desk.refused("send_email", mail()).await;
    assert_eq!(desk.count("messages.send"), 2, "no write is sent twice by itself");
    assert!(error.to_string().contains("a search does not show the mail. Call again"), "{error}");
    let searches = desk.count("messages.list");
    desk.ok("send_email", mail()).await;
    assert_eq!((desk.count("messages.send"), desk.count("messages.list")), (3, searches + 1));
    assert_eq!(desk.mails().len(), 2);
}

/// Sends a draft. It is read twice first, to ask about it and to send what was read, and the fault is put in force while
/// the second is under way: so it meets the sending.
async fn send_into(desk: &Desk, fault: &str, draft_id: &Value) -> Said {
    desk.fault("slow:100ms:2");
    let meanwhile = async {
        while desk.sandbox.status().iter().any(|twin| twin.vendor == "gmail" && twin.fault.is_some()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        desk.fault(fault);
    };
    tokio::join!(desk.call("send_draft", json!({ "draft_id": draft_id })), meanwhile).0
}

#[tokio::test]
async fn a_draft_whose_sending_is_uncertain_is_looked_for() {
    for fault in ["reset:1", "malformed:1"] {
        let desk = open().await;
        let draft = desk.ok("create_draft", mail()).await;
        let sent = send_into(&desk, fault, &draft.data["draft_id"]).await.unwrap();
        assert!(sent.text.contains("the draft is gone, so it is sent"), "{}", sent.text);
        assert_eq!((desk.count("drafts.send"), desk.count("drafts.get"), desk.mails().len()), (1, 3, 1));
        let read = desk.ok("get_email", json!({ "message_id": sent.data["message_id"] })).await;
        assert_eq!(read.data["labels"], json!(["SENT"]), "what was sent is another mail than the draft");
    }
}

#[tokio::test]
async fn a_draft_that_was_not_sent_is_still_there_and_can_be_sent_once() {
    let desk = open().await;
    let draft = desk.ok("create_draft", mail()).await;
    let error = send_into(&desk, "500:1", &draft.data["draft_id"]).await.unwrap_err();
    assert!(error.to_string().contains("the draft is still there. Call again"), "{error}");
    assert_eq!((desk.count("drafts.send"), desk.mails().len()), (1, 0));
    let send = json!({ "draft_id": draft.data["draft_id"] });
    desk.ok("send_draft", send.clone()).await;
    assert_eq!(desk.mails().len(), 1);
    assert_eq!(desk.refused("send_draft", send).await.kind(), Kind::NotFound);
}

#[tokio::test]
async fn reads_and_keyed_writes_outlive_a_breakdown() {
    let desk = open().await;
    for (tool, arguments, operation) in calls(&desk).await.into_iter().skip(3) {
        desk.fault("500:1");
        let said = desk.call(tool, arguments).await;
        assert!(said.is_ok(), "{tool} {operation}: {said:?}");
    }
}

#[tokio::test]
async fn a_refused_credential_is_told_with_what_to_do() {
    let desk = open().await;
    for (tool, arguments, _) in calls(&desk).await {
        desk.fault("401");
        let error = desk.refused(tool, arguments).await;
        assert_eq!((error.kind(), error.next_step()), (Kind::Expired, Some("Connect Gmail again.")), "{tool}");
        desk.fault("off");
    }
}
