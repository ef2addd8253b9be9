//! Records that are made, changed, merged and deleted, and comments on them.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{CRM, crm, id_of, open, pair, with_scopes};

fn fair(more: Value) -> Value {
    crate::desk::with(&json!({ "base": "Trade fair", "table": "Tasks" }), more)
}

#[tokio::test]
async fn a_record_is_made_of_texts() {
    let desk = open().await;
    let fields = json!([
        pair("Deal", "Contoso: spare parts"),
        pair("Customer", "contoso foods"),
        pair("Stage", "proposal"),
        pair("Amount", "€12,500"),
        pair("Probability", "60%"),
        pair("Close date", "2026-12-18"),
        pair("Owner", "ana.ruiz@northwind.example")
    ]);
    let made = desk.ok("create_record", crm("Deals", json!({ "fields": fields }))).await;
    assert!(made.plain().starts_with("Created: Contoso: spare parts [rec"), "{}", made.plain());
    let sent = desk.last("createRecords").body.unwrap();
    assert_eq!(sent["fields"]["Stage"], "Proposal");
    assert_eq!((&sent["fields"]["Amount"], &sent["fields"]["Probability"]), (&json!(12_500), &json!(0.6)));
    assert_eq!(sent["fields"]["Owner"], json!({ "email": "ana.ruiz@northwind.example" }));
    assert!(sent["fields"]["Customer"][0].as_str().unwrap().starts_with("rec"), "{sent}");
    assert!(sent.get("typecast").is_none());
}

#[tokio::test]
async fn values_that_do_not_fit_are_told_before_anything_is_sent() {
    let desk = open().await;
    for (field, value, phrase) in [
        ("Amount", "a lot", "`Amount` takes a number such as 1250.5, not `a lot`"),
        ("Close date", "soon", "`Close date` takes a day such as 2026-11-23"),
        ("Created", "2026-11-23", "worked out by Airtable"),
        ("Amout", "5", "Did you mean ⟦Amount⟧"),
        ("Customer", "Contoso Fods", "There is no `Customers` record `Contoso Fods`"),
    ] {
        let error = desk.refused("create_record", crm("Deals", json!({ "fields": [pair(field, value)] }))).await;
        assert!(error.to_string().contains(phrase), "{phrase}: {error}");
    }
    let error = desk.refused("create_record", crm("Deals", json!({ "fields": [] }))).await;
    assert!(error.to_string().contains("at least one field"), "{error}");
    assert_eq!(desk.count("createRecords"), 0);
}

#[tokio::test]
async fn a_linked_name_that_two_records_bear_gets_the_choices() {
    let desk = open().await;
    desk.ok("create_record", crm("Customers", json!({ "fields": [pair("Name", "Contoso Foods")] }))).await;
    let error =
        desk.refused("create_record", crm("Deals", json!({ "fields": [pair("Customer", "Contoso Foods")] }))).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    assert!(error.to_string().contains("2 `Customers` records"), "{error}");
    let id = id_of(&desk, "Customers", "Tailspin Toys").await;
    let fields = json!([pair("Deal", "X"), pair("Customer", &format!("Tailspin Toys [{id}]"))]);
    let made = desk.ok("create_record", crm("Deals", json!({ "fields": fields }))).await;
    assert!(made.plain().contains(&format!("Customer: {id}")), "{}", made.plain());
}

#[tokio::test]
async fn a_new_choice_needs_a_word_for_it() {
    let desk = open().await;
    let fields = json!([pair("Task", "Order flowers"), pair("Status", "Waiting")]);
    let error = desk.refused("create_record", fair(json!({ "fields": fields }))).await;
    assert_eq!(error.kind(), Kind::Arguments);
    assert!(
        error.to_string().contains("`Status` has To do, Doing, Done; `typecast: true` makes a new choice."),
        "{error}"
    );
    let made = desk.ok("create_record", fair(json!({ "fields": fields, "typecast": true }))).await;
    assert!(made.plain().contains("Status: Waiting"), "{}", made.plain());
}

#[tokio::test]
async fn times_are_those_of_the_field() {
    let desk = open().await;
    let fields = json!([pair("Task", "Truck"), pair("Handed over", "2026-11-27T09:00"), pair("Effort", "1:30")]);
    let made = desk.ok("create_record", fair(json!({ "fields": fields }))).await;
    assert_eq!(desk.last("createRecords").body.unwrap()["fields"]["Handed over"], "2026-11-27T08:00:00.000Z");
    assert!(made.plain().contains("Handed over: Fri 2026-11-27T09:00+01:00"), "{}", made.plain());
    assert!(made.plain().contains("Effort: 1:30"), "{}", made.plain());
}

#[tokio::test]
async fn many_records_go_ten_at_a_time() {
    let desk = open().await;
    let rows: Vec<_> = (0..23).map(|n| json!([format!("Task {n}")])).collect();
    let made = desk.ok("create_records", fair(json!({ "columns": ["Task"], "rows": rows }))).await;
    assert!(made.plain().starts_with("23 created, 0 updated.\nCreated: Task 0 [rec"), "{}", made.plain());
    assert_eq!(desk.count("createRecords"), 3);
    assert_eq!(made.data["records"].as_array().unwrap().len(), 23);
}

#[tokio::test]
async fn a_slip_in_the_last_record_stops_all() {
    let desk = open().await;
    let mut rows: Vec<_> = (0..11).map(|n| json!([format!("Task {n}"), "5"])).collect();
    rows.push(json!(["Task", "much"]));
    let error = desk.refused("create_records", fair(json!({ "columns": ["Task", "Budget"], "rows": rows }))).await;
    assert!(error.to_string().starts_with("In `rows[11]`: "), "{error}");
    let error = desk.refused("create_records", fair(json!({ "columns": ["Task"], "rows": [["a", "b"]] }))).await;
    assert!(error.to_string().contains("`rows[0]` has 2 cells for 1 columns"), "{error}");
    assert_eq!(desk.count("createRecords"), 0);
}

#[tokio::test]
async fn what_was_written_before_a_failure_is_told() {
    let desk = open().await;
    let mut rows: Vec<_> = (0..10).map(|n| json!([format!("Task {n}"), ""])).collect();
    rows.push(json!(["Task", "Never heard of"]));
    let error = desk.refused("create_records", fair(json!({ "columns": ["Task", "Status"], "rows": rows }))).await;
    assert!(error.to_string().starts_with("10 of 11 records were written and stay. Then: "), "{error}");
    assert!(error.to_string().ends_with("Go on with `rows[10]`."), "{error}");
}

#[tokio::test]
async fn an_update_leaves_the_rest_alone() {
    let desk = open().await;
    let id = id_of(&desk, "Deals", "Tailspin: returns station").await;
    let fields = json!([pair("Stage", "Proposal"), pair("Next step", "")]);
    let done = desk.ok("update_record", crm("Deals", json!({ "record_id": id, "fields": fields }))).await;
    assert!(done.plain().contains("Stage: Proposal") && done.plain().contains("Amount: €96000"), "{}", done.plain());
    assert!(!done.plain().contains("Next step"), "{}", done.plain());
    let missing = json!({ "record_id": "recAAAAAAAAAAAAAA", "fields": fields });
    let error = desk.refused("update_record", crm("Deals", missing)).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

#[tokio::test]
async fn an_upsert_can_be_repeated() {
    let desk = open().await;
    let arguments = fair(json!({ "merge_on": ["Task"], "columns": ["Task", "Budget"],
        "rows": [["Book the booth", "20000"], ["Hire a photographer", "800"]] }));
    let first = desk.ok("upsert_records", arguments.clone()).await;
    assert!(first.plain().starts_with("1 created, 1 updated."), "{}", first.plain());
    let second = desk.ok("upsert_records", arguments).await;
    assert!(second.plain().starts_with("0 created, 2 updated."), "{}", second.plain());
}

#[tokio::test]
async fn an_upsert_needs_its_keys() {
    let desk = open().await;
    let with_rows = |rows: Value| fair(json!({ "merge_on": ["Task"], "columns": ["Task", "Budget"], "rows": rows }));
    for (rows, phrase) in [
        (json!([["", "5"]]), "`rows[0]` has no value for the key field `Task`"),
        (json!([["A"], ["A"]]), "`rows[1]` has the same key as `rows[0]`"),
    ] {
        let error = desk.refused("upsert_records", with_rows(rows)).await;
        assert!(error.to_string().contains(phrase), "{error}");
    }
    assert_eq!(desk.count("updateMultiple"), 0);
}

#[tokio::test]
async fn a_record_is_deleted_after_a_yes() {
    let mut desk = open().await;
    let id = id_of(&desk, "Deals", "Woodgrove: dispensing robot").await;
    let arguments = crm("Deals", json!({ "record_id": id }));
    let asked = desk.refused("delete_record", arguments.clone()).await;
    assert_eq!(asked.kind(), Kind::Ask);
    assert_eq!(asked.what(), format!("Delete \"⟦Woodgrove: dispensing robot⟧\" [{id}] from the table ⟦Deals⟧?"));
    assert_eq!(desk.count("deleteRecord"), 0);
    desk.say_yes(asked.what());
    let gone = desk.ok("delete_record", arguments.clone()).await;
    assert_eq!(gone.plain(), format!("Deleted from Deals: Woodgrove: dispensing robot [{id}]"));
    let error = desk.refused("delete_record", arguments).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

#[tokio::test]
async fn a_comment_stands_on_its_record() {
    let desk = open().await;
    let id = id_of(&desk, "Tickets", "Login to the portal fails").await;
    let arguments = crm("Tickets", json!({ "record_id": id, "text": "Called them today" }));
    let done = desk.ok("add_comment", arguments).await;
    assert!(done.plain().starts_with(&format!("Commented on {id}: Called them today [com")), "{}", done.plain());
    let error = desk.refused("add_comment", crm("Tickets", json!({ "record_id": id, "text": " " }))).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
}

#[tokio::test]
async fn a_base_that_is_for_reading_refuses_writes() {
    let desk = open().await;
    let arguments =
        json!({ "base": "Company handbook", "table": "Policies", "fields": [pair("Policy", "Sick leave")] });
    let error = desk.refused("create_record", arguments).await;
    assert_eq!(error.kind(), Kind::NotAllowed);
    assert!(error.to_string().contains("airtable_list_bases"), "{error}");
}

#[tokio::test]
async fn a_connection_without_the_permission_is_told() {
    let desk = with_scopes(&["data.records:read", "schema.bases:read"]).await;
    for (tool, more) in [
        ("create_record", json!({ "fields": [pair("Name", "X")] })),
        ("add_comment", json!({ "record_id": "recAAAAAAAAAAAAAA", "text": "x" })),
    ] {
        let arguments = crate::desk::with(&json!({ "base": CRM, "table": "Customers" }), more);
        let error = desk.refused(tool, arguments).await;
        assert_eq!(error.kind(), Kind::NotAllowed, "{tool}: {error}");
        assert!(error.to_string().contains("connect Airtable again"), "{tool}: {error}");
    }
}
