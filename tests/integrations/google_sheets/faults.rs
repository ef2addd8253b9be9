//! When Google fails: what is repeated, what is not, and what the caller is told.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{budget, open};
use crate::desk::Desk;

const READS: [&str; 5] = ["read_data", "find_rows", "read_ranges", "get_spreadsheet", "find_spreadsheet"];

/// What Google would do twice if it were asked twice.
const ONCE: [&str; 2] = ["append_row", "create_spreadsheet"];

/// What may be asked for twice.
const KEYED: [&str; 2] = ["update_cells", "clear_range"];

fn writes() -> impl Iterator<Item = &'static str> {
    ONCE.into_iter().chain(KEYED)
}

/// Begins anew, with the name remembered and the yes there. Returns the arguments.
async fn ready(desk: &mut Desk, tool: &str) -> Value {
    desk.reset().await;
    desk.ok("get_spreadsheet", budget(json!({}))).await;
    let arguments = match tool {
        "read_data" => budget(json!({ "range": "Budget" })),
        "find_rows" => budget(json!({ "range": "Budget", "column": "Item", "value": "Booth" })),
        "read_ranges" => budget(json!({ "ranges": ["Budget!A1", "Budget!A2"] })),
        "find_spreadsheet" => json!({ "query": "fair" }),
        "append_row" => budget(json!({ "range": "Guest list", "rows": [["A"]] })),
        "create_spreadsheet" => json!({ "title": "New" }),
        "update_cells" => budget(json!({ "range": "Budget!A2", "rows": [["Stand"]] })),
        "clear_range" => budget(json!({ "range": "Budget!A2" })),
        _ => budget(json!({})),
    };
    if tool == "clear_range" {
        let asked = desk.refused(tool, arguments.clone()).await;
        desk.say_yes(asked.what());
    }
    arguments
}

/// How many sheets are new, different or gone.
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
    for tool in READS.into_iter().chain(writes()) {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("quota:1");
        desk.ok(tool, arguments).await;
        let arguments = ready(&mut desk, tool).await;
        desk.fault("quota");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Busy, "{tool}: {error}");
        assert_eq!(changes(&desk), 0, "{tool}");
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
        assert!(error.to_string().contains("Google Sheets failed."), "{tool}: {error}");
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
        let arguments = ready(&mut desk, "update_cells").await;
        desk.fault(&format!("{fault}:1"));
        desk.ok("update_cells", arguments).await;
        assert_eq!(changes(&desk), 1, "{fault}");
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
