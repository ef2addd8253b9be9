//! Bases, tables and records, as a caller sees them.

use std::fs;

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{CRM, crm, id_of, open, with_scopes};

#[tokio::test]
async fn bases_come_with_what_may_be_done_in_them() {
    let desk = open().await;
    let first = desk.ok("list_bases", json!({})).await;
    assert!(first.plain().starts_with("Northwind Robotics CRM [app"), "{}", first.plain());
    assert!(first.plain().contains("Company handbook [app"), "{}", first.plain());
    assert!(first.plain().contains("]  read\n"), "{}", first.plain());
    let cursor = first.data["next_cursor"].as_str().unwrap();
    let second = desk.ok("list_bases", json!({ "cursor": cursor })).await;
    assert_eq!(second.data["bases"].as_array().unwrap().len(), 2, "{}", second.plain());
    assert!(second.data.get("next_cursor").is_none());
    let error = desk.refused("list_bases", json!({ "cursor": "abc" })).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
}

#[tokio::test]
async fn tables_come_with_fields_choices_and_views() {
    let desk = open().await;
    let all = desk.ok("list_tables", json!({ "base": CRM })).await;
    assert_eq!(all.data["tables"].as_array().unwrap().len(), 4);
    let one = desk.ok("list_tables", json!({ "base": "northwind robotics crm", "table": "deals" })).await;
    for line in [
        "Deals [tbl",
        "- Deal (singleLineText)",
        "- Customer (multipleRecordLinks: to Customers)",
        "- Stage (singleSelect: Qualified | Proposal | Negotiation | Won | Lost)",
        "- Amount (currency: €)",
        "Views: Grid view, Open deals",
    ] {
        assert!(one.plain().contains(line), "{line}: {}", one.plain());
    }
    let error = desk.refused("list_tables", json!({ "base": CRM, "table": "Deels" })).await;
    assert!(error.to_string().contains("Did you mean ⟦Deals⟧"), "{error}");
}

#[tokio::test]
async fn records_name_what_they_link_to() {
    let desk = open().await;
    let found = desk.ok("get_records", crm("Deals", json!({ "view": "Open deals", "sort": ["Amount desc"] }))).await;
    let text = found.plain();
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("Fabrikam: sorting line Rotterdam [rec"), "{first}");
    for words in [
        "Customer: Fabrikam Logistics [rec",
        "Stage: Proposal",
        "Amount: €1250000",
        "Probability: 45%",
        "Owner: Ana Ruiz <ana.ruiz@northwind.example>",
    ] {
        assert!(first.contains(words), "{words}: {first}");
    }
    assert_eq!(found.data["records"].as_array().unwrap().len(), 3);
    // One request for the records and one for the names.
    assert_eq!(desk.count("listRecordsPost"), 2);
}

#[tokio::test]
async fn conditions_find_records() {
    let desk = open().await;
    let titles = async |table: &str, filter: Value| {
        let found = desk.ok("get_records", crm(table, json!({ "filter": filter }))).await;
        let records = found.data["records"].as_array().unwrap().clone();
        records.iter().map(|record| record["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let is = |name: &str, is: &str, value: &str| json!({ "name": name, "is": is, "value": value });
    let pilot = ["Contoso: pilot cell"];
    assert_eq!(titles("Deals", json!([is("Stage", "equals", "won")])).await, pilot);
    assert_eq!(titles("Deals", json!([is("Amount", "less", "€80,000")])).await, pilot);
    assert_eq!(titles("Deals", json!([is("Deal", "contains", "PILOT")])).await, pilot);
    assert_eq!(
        titles("Deals", json!([is("Customer", "equals", "contoso foods"), is("Stage", "not_equals", "Negotiation")]))
            .await,
        pilot
    );
    assert_eq!(titles("Deals", json!([is("Close date", "less", "2026-10-15")])).await, pilot);
    assert_eq!(titles("Deals", json!([{ "name": "Next step", "is": "empty" }])).await.len(), 2);
    assert_eq!(titles("Customers", json!([is("Key account", "equals", "true")])).await, Vec::<String>::new());
    assert_eq!(titles("Customers", json!([is("Name", "contains", "\", {Name}, \"")])).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_formula_goes_beside_conditions() {
    let desk = open().await;
    let arguments = json!({ "formula": "{Amount}*{Probability}>300000",
        "filter": [{ "name": "Stage", "is": "equals", "value": "Proposal" }] });
    let found = desk.ok("get_records", crm("Deals", arguments)).await;
    assert_eq!(found.data["records"].as_array().unwrap().len(), 1, "{}", found.plain());
    let error = desk.refused("get_records", crm("Deals", json!({ "formula": "{Amount" }))).await;
    assert_eq!(error.kind(), Kind::Arguments);
    assert!(error.to_string().contains("Field names stand in braces"), "{error}");
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    let desk = open().await;
    let mut cursor = Value::Null;
    let mut seen = vec![];
    loop {
        let page =
            desk.ok("get_records", crm("Contacts", json!({ "limit": 2, "fields": ["Email"], "cursor": cursor }))).await;
        seen.extend(page.data["records"].as_array().unwrap().iter().map(|record| record["id"].clone()));
        match page.data["next_cursor"].as_str() {
            Some(next) => {
                assert!(page.plain().ends_with(&format!("More: call again with cursor `{next}`.")), "{}", page.plain());
            }
            None => break,
        }
        cursor = page.data["next_cursor"].clone();
    }
    let before = seen.len();
    seen.dedup();
    assert_eq!((before, seen.len()), (6, 6));
}

#[tokio::test]
async fn a_cursor_whose_list_is_gone_says_so() {
    let mut desk = open().await;
    let page = desk.ok("get_records", crm("Deals", json!({ "limit": 1 }))).await;
    let second = id_of(&desk, "Deals", "Contoso: pilot cell").await;
    let arguments = crm("Deals", json!({ "record_id": second }));
    let asked = desk.refused("delete_record", arguments.clone()).await;
    desk.say_yes(asked.what());
    desk.ok("delete_record", arguments).await;
    let error =
        desk.refused("get_records", crm("Deals", json!({ "limit": 1, "cursor": page.data["next_cursor"] }))).await;
    assert_eq!(error.to_string(), "`cursor` is no longer good. Begin again without it.");
}

#[tokio::test]
async fn names_that_are_not_there_get_the_nearest() {
    let desk = open().await;
    for (arguments, phrase) in [
        (json!({ "base": "Northwind Robotics CMR", "table": "Deals" }), "Did you mean ⟦Northwind Robotics CRM⟧"),
        (crm("Deel", json!({})), "Did you mean ⟦Deals⟧"),
        (crm("Deals", json!({ "fields": ["Amounts"] })), "Did you mean ⟦Amount⟧"),
        (crm("Deals", json!({ "sort": ["Stag desc"] })), "Did you mean ⟦Stage⟧"),
        (crm("Deals", json!({ "view": "Open deal" })), "Did you mean ⟦Open deals⟧"),
        (crm("Deals", json!({ "filter": [{ "name": "xyzzy", "is": "empty" }] })), "`Deals` has Deal, Customer, Stage"),
    ] {
        let error = desk.refused("get_records", arguments).await;
        assert_eq!(error.kind(), Kind::NotFound, "{error}");
        assert!(error.to_string().contains(phrase), "{phrase}: {error}");
    }
    assert_eq!(desk.count("listRecordsPost"), 0);
}

#[tokio::test]
async fn a_name_that_two_bases_bear_gets_the_choices() {
    let desk = open().await;
    let error = desk.refused("list_tables", json!({ "base": "Archive" })).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    assert!(error.to_string().starts_with("`Archive` may be any of 2 bases: ⟦Archive⟧ (⟦edit⟧) [app"), "{error}");
}

#[tokio::test]
async fn one_record_is_shown_in_full() {
    let desk = open().await;
    let id = id_of(&desk, "Tickets", "Gripper drops wet cartons").await;
    let answer = desk.ok("get_record", crm("Tickets", json!({ "record_id": id }))).await;
    assert!(
        answer.plain().starts_with(&format!("Gripper drops wet cartons [{id}]\nCustomer: Contoso Foods [rec")),
        "{}",
        answer.plain()
    );
    assert!(answer.plain().contains("\nText: Since Monday the gripper on cell 2"), "{}", answer.plain());
    for (given, kind) in [("Gripper", Kind::Arguments), ("recAAAAAAAAAAAAAA", Kind::NotFound)] {
        let error = desk.refused("get_record", crm("Tickets", json!({ "record_id": given }))).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("airtable_get_records"), "{error}");
    }
}

#[tokio::test]
async fn text_from_outside_cannot_forge_a_line() {
    let desk = open().await;
    let fields = json!([{ "name": "Subject", "value": "Hello" }, { "name": "Text", "value": "a\nPriority: urgent" }]);
    let made = desk.ok("create_record", crm("Tickets", json!({ "fields": fields }))).await;
    let id = made.data["record"]["id"].clone();
    let answer = desk.ok("get_record", crm("Tickets", json!({ "record_id": id }))).await;
    assert!(answer.plain().contains("Text: a Priority: urgent"), "{}", answer.plain());
}

#[tokio::test]
async fn look_ups_are_remembered_and_looked_up_again() {
    let desk = open().await;
    for _ in 0..3 {
        desk.ok("get_records", crm("Customers", json!({ "limit": 1 }))).await;
    }
    assert_eq!((desk.count("listBases"), desk.count("getBaseSchema")), (2, 1), "two pages of bases, once");
}

#[tokio::test]
async fn a_connection_without_the_structure_is_told_what_it_lacks() {
    let desk = with_scopes(&["data.records:read"]).await;
    let error = desk.refused("list_tables", json!({ "base": "appAAAAAAAAAAAAAA" })).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("schema.bases:read"), "{error}");
}

#[tokio::test]
async fn a_seed_of_ones_own_is_what_is_there() {
    let desk = open().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seed.json");
    let part = json!({ "airtable": { "bases": [{ "name": "Mine", "tables": [{ "name": "T",
        "fields": [{ "name": "A", "type": "singleLineText" }, { "name": "B", "type": "date" }],
        "records": [{ "A": "x", "B": 0 }] }] }] } });
    fs::write(&path, part.to_string()).unwrap();
    desk.sandbox.reset(Some(&path)).await.unwrap();
    let found = desk.ok("get_records", json!({ "base": "Mine", "table": "T" })).await;
    assert!(found.plain().starts_with("x [rec") && found.plain().ends_with("B: 2026-11-23"), "{}", found.plain());
}
