//! When HubSpot fails: what is repeated, what is not, and what the caller is told.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{CREATE_CALL, CREATE_DEAL, CREATE_NOTE, CREATE_TICKET, contact, deal, open};
use crate::desk::Desk;

const READS: [&str; 5] = ["get_contact", "search_contacts", "get_company", "search_deals", "list_owners"];
const CREATES: [(&str, &str); 4] = [
    ("create_ticket", CREATE_TICKET),
    ("log_call", CREATE_CALL),
    ("create_deal", CREATE_DEAL),
    ("add_note", CREATE_NOTE),
];
const CHANGES: [&str; 4] = ["create_contact", "update_contact", "update_deal", "update_ticket"];

fn all() -> impl Iterator<Item = &'static str> {
    READS.into_iter().chain(CREATES.map(|(tool, _)| tool)).chain(CHANGES)
}

/// Begins anew with everything remembered that a call of `tool` looks up first, and returns its arguments.
pub async fn ready(desk: &mut Desk, tool: &str) -> Value {
    desk.reset().await;
    let person = contact(desk, "ben.adler@contoso.example").await;
    let deal = deal(desk, "Tailspin").await;
    desk.ok("list_pipelines", json!({ "object": "tickets" })).await;
    let city = json!([{ "name": "city", "value": "Bonn" }]);
    desk.ok("search_contacts", json!({ "filters": [{ "property": "city", "operator": "HAS_PROPERTY" }] })).await;
    match tool {
        "get_contact" => json!({ "contact_id": person }),
        "get_company" => json!({ "domain": "contoso.example" }),
        "search_contacts" | "search_deals" | "list_owners" => json!({}),
        "create_ticket" => json!({ "subject": "Belt squeaks" }),
        "log_call" => json!({ "contact_id": person, "title": "Offer", "body": "Discussed." }),
        "create_deal" => json!({ "name": "Contoso: spare parts" }),
        "add_note" => json!({ "body": "Called.", "contact_id": person }),
        "create_contact" => json!({ "email": "kenji@proseware.example" }),
        "update_contact" => json!({ "contact_id": person, "properties": city }),
        "update_deal" => json!({ "deal_id": deal, "amount": 97_000 }),
        _ => {
            let made = json!({ "properties": { "subject": "Old", "hs_pipeline_stage": "1" }, "associations": [] });
            let path = switchboard::path!["crm", "v3", "objects", "tickets"];
            let made = desk.send(switchboard::http::Request::post(path).json(&made)).await;
            json!({ "ticket_id": made["id"], "priority": "LOW" })
        }
    }
}

/// What a call of `tool` leaves behind: the ticket to be changed is new itself.
fn left_behind(tool: &str) -> usize {
    usize::from(!READS.contains(&tool))
}

#[tokio::test]
async fn every_tool_works_before_anything_fails() {
    let mut desk = open().await;
    for tool in all() {
        let arguments = ready(&mut desk, tool).await;
        desk.ok(tool, arguments).await;
        assert_eq!(desk.changes(), left_behind(tool), "{tool}");
    }
}

#[tokio::test]
async fn a_limit_is_waited_out_and_one_that_stays_is_passed_on() {
    let mut desk = open().await;
    for tool in all() {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("429-silent:1");
        desk.ok(tool, arguments.clone()).await;
        assert_eq!(desk.changes(), left_behind(tool), "{tool}");
        let arguments = ready(&mut desk, tool).await;
        desk.fault("429-silent");
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::Busy, "{tool}: {error}");
    }
}

#[tokio::test]
async fn one_failure_is_not_noticed_where_a_repeat_is_safe() {
    let mut desk = open().await;
    for tool in all() {
        let arguments = ready(&mut desk, tool).await;
        desk.fault("500:1");
        let outcome = desk.call(tool, arguments).await;
        match CREATES.iter().find(|(create, _)| *create == tool) {
            Some((_, operation)) => {
                let error = outcome.unwrap_err();
                assert_eq!((error.kind(), desk.count(operation)), (Kind::Vendor, 1), "{tool}: {error}");
            }
            None => assert!(outcome.is_ok(), "{tool}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_never_makes_a_second_record() {
    let mut desk = open().await;
    for fault in ["reset:1", "malformed:1"] {
        for (tool, operation) in CREATES {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(fault);
            let error = desk.refused(tool, arguments).await;
            assert_eq!((desk.count(operation), desk.changes()), (1, 1), "{tool} {fault}: {error}");
            assert!(error.to_string().contains("look before you repeat it"), "{tool} {fault}: {error}");
        }
        for tool in READS.into_iter().chain(CHANGES) {
            let arguments = ready(&mut desk, tool).await;
            desk.fault(fault);
            desk.ok(tool, arguments).await;
            assert_eq!(desk.changes(), left_behind(tool), "{tool} {fault}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_ended_and_a_vendor_that_is_down_are_told_apart() {
    let mut desk = open().await;
    for tool in all() {
        for (fault, kind) in [("401", Kind::Expired), ("500", Kind::Vendor)] {
            let arguments = ready(&mut desk, tool).await;
            let before = desk.changes();
            desk.fault(fault);
            let error = desk.refused(tool, arguments).await;
            assert_eq!((error.kind(), desk.changes()), (kind, before), "{tool}: {error}");
        }
    }
}
