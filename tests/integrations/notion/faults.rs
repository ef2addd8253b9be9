//! When Notion fails: what is repeated, what is not, and what the caller is told.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{id_of, open, pair};
use crate::desk::Desk;

const READS: [&str; 6] = ["search", "query_database", "get_page", "get_database", "list_comments", "list_users"];

/// What Notion would do twice if it were asked twice.
const ONCE: [&str; 3] = ["create_page", "append_content", "add_comment"];

/// What may be asked for twice.
const KEYED: [&str; 1] = ["update_page"];

fn writes() -> impl Iterator<Item = &'static str> {
    ONCE.into_iter().chain(KEYED)
}

/// Begins anew, with the database remembered. Returns the arguments.
async fn ready(desk: &mut Desk, tool: &str) -> Value {
    desk.reset().await;
    let id = id_of(desk, "Tasks", "Correct invoice").await;
    let tasks = desk.ok("get_database", json!({ "database": "Tasks" })).await.data["id"].clone();
    desk.ok("get_database", json!({ "database": tasks })).await;
    match tool {
        "search" => json!({ "query": "risks" }),
        "query_database" => json!({ "database": "Tasks" }),
        // What is remembered would hide a failure.
        "get_database" => {
            *desk = open().await;
            json!({ "database": "Deals" })
        }
        "get_page" | "list_comments" => json!({ "page": id }),
        "list_users" => json!({}),
        "create_page" => json!({ "parent": tasks, "title": "New" }),
        "append_content" => json!({ "page": id, "content_markdown": "More" }),
        "add_comment" => json!({ "page": id, "text": "Hello" }),
        _ => json!({ "page": id, "properties": [pair("Status", "Done")] }),
    }
}

/// How many things are new, different or gone.
fn changes(desk: &Desk) -> usize {
    let diff = serde_json::to_value(desk.sandbox.diff()).unwrap();
    let vendors = diff["vendors"].as_array().cloned().unwrap_or_default();
    let count = |vendor: &Value, kind: &str| vendor[kind].as_array().map_or(0, Vec::len);
    vendors.iter().flat_map(|vendor| ["added", "changed", "removed"].map(|kind| count(vendor, kind))).sum()
}

#[tokio::test]
async fn every_tool_works_before_anything_fails() {
    let mut desk = open().await;
    for tool in READS.into_iter().chain(writes()) {
        let arguments = ready(&mut desk, tool).await;
        desk.ok(tool, arguments).await;
        assert_eq!(changes(&desk), usize::from(!READS.contains(&tool)), "{tool}");
    }
}

#[tokio::test]
async fn a_limit_is_waited_out_or_passed_on() {
    let mut desk = open().await;
    let arguments = ready(&mut desk, "query_database").await;
    desk.fault("429:1");
    desk.ok("query_database", arguments).await;
    for tool in ["query_database", "add_comment"] {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("429");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Busy, "{error}");
        assert!(error.to_string().contains("Try again in 1 s."), "{error}");
    }
}

#[tokio::test]
async fn one_failure_is_not_noticed_where_a_repeat_is_safe() {
    let mut desk = open().await;
    for tool in READS.into_iter().chain(KEYED) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500:1");
        desk.ok(tool, arguments).await;
    }
    for tool in ONCE {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500:1");
        let error = desk.refused(tool, arguments).await;
        assert!(error.to_string().contains("look before you repeat it"), "{tool}: {error}");
        assert_eq!(changes(&desk), 0, "{tool}");
    }
}

#[tokio::test]
async fn a_vendor_that_stays_down_is_told_from_a_wrong_call() {
    let mut desk = open().await;
    for tool in READS.into_iter().chain(writes()) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Vendor, "{tool}: {error}");
        assert!(error.to_string().contains("Notion failed."), "{tool}: {error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_never_does_the_work_twice() {
    let mut desk = open().await;
    for fault in ["reset", "malformed"] {
        for tool in ONCE {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(&format!("{fault}:1"));
            let error = desk.refused(tool, arguments).await;
            assert!(error.to_string().contains("look before you repeat it"), "{tool} {fault}: {error}");
            assert_eq!(changes(&desk), 1, "{tool} {fault}");
        }
        for tool in KEYED {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(&format!("{fault}:1"));
            desk.ok(tool, arguments).await;
            assert_eq!(changes(&desk), 1, "{tool} {fault}");
        }
    }
}

#[tokio::test]
async fn answers_to_questions_survive_a_torn_line() {
    let mut desk = open().await;
    for fault in ["reset", "malformed"] {
        for tool in READS {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(&format!("{fault}:1"));
            desk.ok(tool, arguments).await;
        }
    }
}

#[tokio::test]
async fn a_refused_sign_in_asks_for_a_new_one() {
    let mut desk = open().await;
    for tool in READS.into_iter().chain(writes()) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("401");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Expired, "{tool}: {error}");
        assert_eq!(changes(&desk), 0, "{tool}");
    }
}
