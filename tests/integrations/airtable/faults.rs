//! When Airtable fails: what is repeated, what is not, and what the caller is told.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{crm, id_of, open, pair};
use crate::desk::Desk;

const READS: [&str; 4] = ["get_records", "get_record", "list_bases", "list_tables"];

/// What Airtable would do twice if it were asked twice.
const ONCE: [&str; 3] = ["create_record", "create_records", "add_comment"];

/// What may be asked for twice.
const KEYED: [&str; 3] = ["update_record", "upsert_records", "delete_record"];

fn writes() -> impl Iterator<Item = &'static str> {
    ONCE.into_iter().chain(KEYED)
}

/// Begins anew, with the structure remembered and the yes there. Returns the arguments.
async fn ready(desk: &mut Desk, tool: &str) -> Value {
    desk.reset().await;
    let id = id_of(desk, "Deals", "Contoso: pilot cell").await;
    let fields = json!([pair("Deal", "New name")]);
    let arguments = match tool {
        "list_bases" => return json!({}),
        // What is remembered would hide a failure.
        "list_tables" => {
            *desk = open().await;
            return json!({ "base": "Trade fair" });
        }
        "get_records" => crm("Deals", json!({ "limit": 2 })),
        "create_record" => crm("Deals", json!({ "fields": fields })),
        "create_records" => crm("Deals", json!({ "columns": ["Deal"], "rows": [["New name"]] })),
        "update_record" => crm("Deals", json!({ "record_id": id, "fields": fields })),
        "upsert_records" => crm("Deals", json!({ "columns": ["Deal"], "rows": [["New name"]], "merge_on": ["Deal"] })),
        "add_comment" => crm("Deals", json!({ "record_id": id, "text": "Hello" })),
        _ => crm("Deals", json!({ "record_id": id })),
    };
    if tool == "delete_record" {
        let asked = desk.refused(tool, arguments.clone()).await;
        desk.say_yes(asked.what());
    }
    arguments
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
async fn a_limit_is_passed_on_with_the_pause_that_airtable_does_not_tell() {
    let mut desk = open().await;
    for tool in ["list_bases", "create_record"] {
        let arguments = ready(&mut desk, tool).await;
        for fault in ["429:1", "quota:1"] {
            desk.fault(fault);
            let error = desk.refused(tool, arguments.clone()).await;
            assert_eq!((error.kind(), error.retry_after()), (Kind::Busy, Some(Duration::from_secs(30))), "{error}");
        }
        assert_eq!(changes(&desk), 0);
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
        assert!(error.to_string().contains("Airtable failed."), "{tool}: {error}");
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
            // A deletion reads first; that the first answer of that is lost as well does not matter.
            desk.fault(&format!("{fault}:{}", if tool == "delete_record" { 3 } else { 1 }));
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
