//! Cells that are written, appended and cleared, and new spreadsheets.

use serde_json::json;
use switchboard::tool::Kind;

use super::{budget, open, searches};

#[tokio::test]
async fn rows_go_below_the_table() {
    let desk = open().await;
    let arguments = budget(json!({ "range": "Guest list", "rows": [["Aisha Rahman", "Fabrikam Logistics", "yes"]] }));
    let done = desk.ok("append_row", arguments).await;
    assert_eq!(done.plain(), "Appended 'Guest list'!A4:C4: 1 rows, 3 cells.");
    assert_eq!(desk.sent("values.append", "valueInputOption").as_deref(), Some("USER_ENTERED"));
    let read = desk.ok("read_data", budget(json!({ "range": "Guest list" }))).await;
    assert!(read.plain().contains("| 4 | Aisha Rahman | Fabrikam Logistics | yes |"), "{}", read.plain());
}

#[tokio::test]
async fn a_row_may_be_given_by_headers() {
    let desk = open().await;
    let pairs = json!([{ "name": "coming", "value": "no" }, { "name": "Name", "value": "Lukas Steiner" }]);
    desk.ok("append_row", budget(json!({ "range": "Guest list", "by_header": pairs }))).await;
    let sent = desk.last("values.append").body.unwrap();
    assert_eq!(sent["values"], json!([["Lukas Steiner", "", "no"]]));
    let wrong = json!([{ "name": "Comming", "value": "no" }]);
    let error = desk.refused("append_row", budget(json!({ "range": "Guest list", "by_header": wrong }))).await;
    assert!(error.to_string().contains("Did you mean ⟦Coming⟧"), "{error}");
    let error = desk.refused("append_row", budget(json!({ "range": "Guest list" }))).await;
    assert!(error.to_string().contains("either `rows` or `by_header`"), "{error}");
    assert_eq!(desk.count("values.append"), 1);
}

#[tokio::test]
async fn only_who_means_formulas_writes_them() {
    let desk = open().await;
    let rows = json!([["=SUM(C2:C5)", "12", "2026-12-01"]]);
    desk.ok("update_cells", budget(json!({ "range": "Budget!F2:H2", "rows": rows }))).await;
    let read = json!({ "range": "Budget!F2:H2", "header_row": false, "as": "unformatted" });
    let bare = desk.ok("read_data", budget(read.clone())).await;
    assert!(bare.plain().contains("| 2 | =SUM(C2:C5) | 12 | 2026-12-01 |"), "{}", bare.plain());
    desk.ok("update_cells", budget(json!({ "range": "Budget!F2:H2", "rows": rows, "enter": "formulas" }))).await;
    let worked = desk.ok("read_data", budget(read.clone())).await;
    assert!(worked.plain().contains("| 2 | 28000 | 12 |"), "{}", worked.plain());
    desk.ok("update_cells", budget(json!({ "range": "Budget!F2:H2", "rows": [["007"]], "enter": "text" }))).await;
    let text = desk.ok("read_data", budget(read)).await;
    assert!(text.plain().contains("| 2 | 007 | 12 |"), "{}", text.plain());
}

#[tokio::test]
async fn what_does_not_fit_the_range_is_refused() {
    let desk = open().await;
    let error =
        desk.refused("update_cells", budget(json!({ "range": "Budget!A2:B2", "rows": [["a", "b", "c"]] }))).await;
    assert_eq!(error.kind(), Kind::Arguments);
    assert!(error.to_string().contains("tried writing beyond it"), "{error}");
    let error = desk.refused("update_cells", budget(json!({ "range": "Budget!A2", "rows": [] }))).await;
    assert!(error.to_string().contains("at least one row"), "{error}");
}

#[tokio::test]
async fn a_spreadsheet_that_is_for_reading_refuses_writes() {
    let desk = open().await;
    let arguments = json!({ "spreadsheet": "Headcount plan", "range": "Plan!B2", "rows": [["99"]] });
    let error = desk.refused("update_cells", arguments).await;
    assert_eq!(error.kind(), Kind::NotAllowed);
    assert!(error.to_string().contains("owner can share"), "{error}");
}

#[tokio::test]
async fn a_range_is_cleared_after_a_yes() {
    let mut desk = open().await;
    let arguments = budget(json!({ "range": "Guest list!A2:C3" }));
    let asked = desk.refused("clear_range", arguments.clone()).await;
    assert_eq!(asked.kind(), Kind::Ask);
    assert!(asked.what().starts_with("Clear 6 filled cells in 'Guest list'!A2:C3 of the spreadsheet "), "{asked}");
    assert_eq!(desk.count("values.clear"), 0);
    desk.say_yes(asked.what());
    let done = desk.ok("clear_range", arguments).await;
    assert_eq!(done.plain(), "Cleared 'Guest list'!A2:C3: 6 filled cells.");
}

#[tokio::test]
async fn a_new_spreadsheet_has_its_header_and_is_found() {
    let desk = open().await;
    let arguments = json!({ "title": "Leads 2027", "sheets": ["Inbound", "Outbound"], "header": ["Email", "Source"] });
    let made = desk.ok("create_spreadsheet", arguments).await;
    assert!(made.plain().contains("Inbound") && made.plain().contains("Outbound"), "{}", made.plain());
    let read = desk
        .ok("read_data", json!({ "spreadsheet": "Leads 2027", "range": "Inbound!A1:B1", "header_row": false }))
        .await;
    assert!(read.plain().contains("| 1 | Email | Source |"), "{}", read.plain());
    assert_eq!(searches(&desk), 1);
    let error = desk.refused("create_spreadsheet", json!({ "title": " " })).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
    let twice = json!({ "title": "X", "sheets": ["A", "A"] });
    let error = desk.refused("create_spreadsheet", twice).await;
    assert!(error.to_string().contains("already exists"), "{error}");
}
