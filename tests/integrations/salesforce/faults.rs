//! When Salesforce fails: what is repeated, what is not, and what the caller is told.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{id_of, open};
use crate::desk::Desk;

const READS: [&str; 7] = [
    "lookup_contact",
    "lookup_customer",
    "search_records",
    "run_soql",
    "get_record",
    "describe_object",
    "list_opportunities",
];
const CREATES: [&str; 5] = ["create_lead", "create_contact", "create_case", "log_call", "create_task"];
const CHANGES: [&str; 2] = ["update_opportunity", "update_case"];

fn all() -> impl Iterator<Item = &'static str> {
    READS.into_iter().chain(CREATES).chain(CHANGES)
}

/// Begins anew with everything remembered that a call of `tool` looks up first, and returns its arguments.
pub async fn ready(desk: &mut Desk, tool: &str) -> Value {
    desk.reset().await;
    let opportunity = id_of(desk, "Opportunity", "Tailspin: returns station").await;
    let case = id_of(desk, "Case", "Gripper drops wet cartons").await;
    for object in ["Opportunity", "Case", "Task"] {
        desk.ok("describe_object", json!({ "object": object })).await;
    }
    desk.ok("lookup_customer", json!({ "name": "Contoso Foods" })).await;
    match tool {
        "lookup_contact" => json!({ "email": "ben.adler@contoso.example" }),
        "lookup_customer" => json!({ "name": "Contoso Foods" }),
        "search_records" => json!({ "query": "gripper" }),
        "run_soql" => json!({ "soql": "SELECT Id FROM Account" }),
        "get_record" => json!({ "object": "Opportunity", "id": opportunity }),
        // Nothing of this one is remembered.
        "describe_object" => json!({ "object": "Account", "query": desk.count("describe").to_string() }),
        "list_opportunities" => json!({}),
        "create_lead" => json!({ "last_name": "Sato", "company": "Proseware" }),
        "create_contact" => json!({ "last_name": "Petit" }),
        "create_case" => json!({ "subject": "Belt squeaks" }),
        "log_call" => json!({ "subject": "Offer", "notes": "Discussed." }),
        "create_task" => json!({ "subject": "Call back" }),
        "update_opportunity" => json!({ "opportunity_id": opportunity, "next_step": "Send the offer" }),
        _ => json!({ "case_id": case, "priority": "Low" }),
    }
}

#[tokio::test]
async fn every_tool_works_before_anything_fails() {
    let mut desk = open().await;
    for tool in all() {
        let arguments = ready(&mut desk, tool).await;
        desk.ok(tool, arguments).await;
        assert_eq!(desk.changes(), usize::from(!READS.contains(&tool)), "{tool}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_out() {
    let mut desk = open().await;
    for tool in ["create_lead", "list_opportunities", "update_case"] {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("429:1");
        desk.ok(tool, arguments).await;
        assert_eq!(desk.changes(), usize::from(!READS.contains(&tool)), "{tool}");
    }
    assert_eq!(desk.count("createRecord"), 0, "the last reset forgot it");
}

#[tokio::test]
async fn the_quota_of_the_day_is_told_at_once() {
    let mut desk = open().await;
    for tool in all().filter(|tool| *tool != "describe_object") {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("quota");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Busy, "{tool}: {error}");
        assert!(error.to_string().contains("hour by hour"), "{tool}: {error}");
    }
}

#[tokio::test]
async fn one_failure_is_not_noticed_where_a_repeat_is_safe() {
    let mut desk = open().await;
    for tool in all() {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500:1");
        let outcome = desk.call(tool, arguments).await;
        if CREATES.contains(&tool) {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), desk.count("createRecord")), (Kind::Vendor, 1), "{tool}: {error}");
        } else {
            assert!(outcome.is_ok(), "{tool}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_vendor_that_stays_down_is_told_from_a_wrong_call() {
    let mut desk = open().await;
    for tool in all().filter(|tool| *tool != "describe_object") {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500");
        let error = desk.refused(tool, arguments).await;
        assert!(error.kind() == Kind::Vendor && error.to_string().contains("Salesforce failed."), "{tool}: {error}");
        assert_eq!(desk.changes(), 0, "{tool}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_never_makes_a_second_record() {
    let mut desk = open().await;
    for fault in ["reset:1", "malformed:1"] {
        for tool in CREATES {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(fault);
            let error = desk.refused(tool, arguments).await;
            assert_eq!((desk.count("createRecord"), desk.changes()), (1, 1), "{tool} {fault}: {error}");
            assert!(error.to_string().contains("look before you repeat it"), "{tool} {fault}: {error}");
        }
        for tool in READS.into_iter().chain(CHANGES) {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(fault);
            desk.ok(tool, arguments).await;
        }
    }
}

#[tokio::test]
async fn a_session_that_ended_asks_for_a_new_one() {
    let mut desk = open().await;
    for tool in all().filter(|tool| *tool != "describe_object") {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("401");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Expired, "{tool}: {error}");
        assert_eq!(desk.changes(), 0, "{tool}");
    }
}
