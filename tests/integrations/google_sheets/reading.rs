//! Spreadsheets, ranges and rows, as a caller sees them.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{budget, open, searches, with_scopes};

#[tokio::test]
async fn rows_come_under_their_headers_with_their_numbers() {
    let desk = open().await;
    let read = desk.ok("read_data", budget(json!({ "range": "Budget" }))).await;
    for line in [
        "| row | Item | Owner | Cost | Paid | Due |",
        "| 2 | Booth | lena.hartmann@northwind.example | €18,500 | TRUE | 2026-11-12 |",
        "| 7 | Total |  | 28000 |",
    ] {
        assert!(read.plain().contains(line), "{line}: {}", read.plain());
    }
    assert_eq!(read.data["rows"].as_array().unwrap().len(), 5, "the empty row is left out");
    assert_eq!(desk.count("values.get"), 1);
}

#[tokio::test]
async fn values_come_bare_or_as_formulas_on_demand() {
    let desk = open().await;
    let bare = json!({ "range": "Budget!C2:D7", "as": "unformatted", "header_row": false });
    let bare = desk.ok("read_data", budget(bare)).await;
    assert!(
        bare.plain().contains("| row | C | D |") && bare.plain().contains("| 2 | 18500 | true |"),
        "{}",
        bare.plain()
    );
    let formula =
        desk.ok("read_data", budget(json!({ "range": "Totals", "as": "formula", "header_row": false }))).await;
    assert!(formula.plain().contains("=SUM(C2:C5)"), "{}", formula.plain());
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    let desk = open().await;
    let mut cursor = Value::Null;
    let mut seen = vec![];
    loop {
        let arguments = budget(json!({ "range": "Budget!A1:B5", "limit": 2, "cursor": cursor }));
        let page = desk.ok("read_data", arguments).await;
        assert_eq!(page.data["columns"][0].as_str().unwrap().trim_matches(['⟦', '⟧']), "Item", "{}", page.plain());
        seen.extend(page.data["rows"].as_array().unwrap().iter().map(|row| row["row"].as_u64().unwrap()));
        cursor = page.data["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert!(page.plain().contains("More: call again with cursor"), "{}", page.plain());
    }
    assert_eq!(seen, [2, 3, 4, 5]);
    let error = desk.refused("read_data", budget(json!({ "range": "Budget", "cursor": "abc" }))).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
}

#[tokio::test]
async fn a_spreadsheet_may_be_an_id_or_an_address() {
    let desk = open().await;
    let found = desk.ok("find_spreadsheet", json!({ "query": "fair" })).await;
    let id = found.data["spreadsheets"][0]["id"].as_str().unwrap().to_owned();
    let before = searches(&desk);
    for given in [id.clone(), format!("https://docs.google.com/spreadsheets/d/{id}/edit#gid=0")] {
        let arguments = json!({ "spreadsheet": given, "range": "Budget!A2" , "header_row": false });
        let read = desk.ok("read_data", arguments).await;
        assert!(read.plain().contains("Booth"), "{}", read.plain());
    }
    assert_eq!(searches(&desk), before, "nothing had to be looked up");
}

#[tokio::test]
async fn names_are_looked_up_once() {
    let desk = open().await;
    for _ in 0..3 {
        desk.ok("read_data", budget(json!({ "range": "Guest list" }))).await;
    }
    assert_eq!(searches(&desk), 1);
}

#[tokio::test]
async fn a_name_that_two_spreadsheets_bear_gets_the_choices() {
    let desk = open().await;
    let error = desk.refused("get_spreadsheet", json!({ "spreadsheet": "lead list" })).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    let text = error.to_string();
    assert!(text.contains("2 spreadsheets") && text.contains("ana.ruiz@northwind.example"), "{text}");
    let error = desk.refused("get_spreadsheet", json!({ "spreadsheet": "Nothing like it" })).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("google_sheets_find_spreadsheet"), "{error}");
}

#[tokio::test]
async fn a_sheet_that_is_not_there_gets_the_nearest() {
    let desk = open().await;
    let error = desk.refused("read_data", budget(json!({ "range": "Budgets!A1:B2" }))).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("Did you mean ⟦Budget⟧"), "{error}");
    let error = desk.refused("read_data", budget(json!({ "range": "Zzz" }))).await;
    assert!(error.to_string().contains("It has Budget, 'Guest list'."), "{error}");
    let error = desk.refused("read_data", budget(json!({ "range": " " }))).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
}

#[tokio::test]
async fn rows_are_found_by_a_column() {
    let desk = open().await;
    let exact = budget(json!({ "range": "Budget", "column": "item", "value": "BROCHURES" }));
    let found = desk.ok("find_rows", exact).await;
    assert_eq!(found.data["rows"][0]["row"], 5, "{}", found.plain());
    let contains = json!({ "range": "Budget", "column": "B", "value": "northwind", "match": "contains", "limit": 3 });
    let first = desk.ok("find_rows", budget(contains.clone())).await;
    assert_eq!(first.data["rows"].as_array().unwrap().len(), 3);
    let more = crate::desk::with(&contains, json!({ "cursor": first.data["next_cursor"] }));
    let rest = desk.ok("find_rows", budget(more)).await;
    assert_eq!(rest.data["rows"].as_array().unwrap().len(), 1, "{}", rest.plain());
    let error = desk.refused("find_rows", budget(json!({ "range": "Budget", "column": "Itme", "value": "x" }))).await;
    assert!(error.to_string().contains("Did you mean ⟦Item⟧"), "{error}");
    let none = desk.ok("find_rows", budget(json!({ "range": "Budget", "column": "Item", "value": "x" }))).await;
    assert!(none.plain().ends_with("no rows."), "{}", none.plain());
}

#[tokio::test]
async fn an_overview_names_sheets_and_ranges() {
    let desk = open().await;
    let answer = desk.ok("get_spreadsheet", json!({ "spreadsheet": "Sales pipeline" })).await;
    for words in ["Deals", "Summary 2026", "1000 rows, 26 columns", "Named ranges: "] {
        assert!(answer.plain().contains(words), "{words}: {}", answer.plain());
    }
}

#[tokio::test]
async fn several_ranges_come_at_once() {
    let desk = open().await;
    let ranges = json!({ "ranges": ["Budget!A2:A3", "Guest list!A1:C2"] });
    let read = desk.ok("read_ranges", budget(ranges)).await;
    assert_eq!(read.data["ranges"].as_array().unwrap().len(), 2);
    assert!(
        read.plain().contains("Transport of the demo cell") && read.plain().contains("Olivia Grant"),
        "{}",
        read.plain()
    );
    assert_eq!(desk.count("values.batchGet"), 1);
    let error = desk.refused("read_ranges", budget(json!({ "ranges": ["Budgte!A1", "Budget!A2"] }))).await;
    assert!(error.to_string().contains("Did you mean ⟦Budget⟧"), "{error}");
}

#[tokio::test]
async fn spreadsheets_are_found_page_by_page() {
    let desk = open().await;
    let first = desk.ok("find_spreadsheet", json!({ "query": "", "limit": 3 })).await;
    let rest =
        desk.ok("find_spreadsheet", json!({ "query": "", "limit": 3, "cursor": first.data["next_cursor"] })).await;
    assert_eq!(
        (first.data["spreadsheets"].as_array().unwrap().len(), rest.data["spreadsheets"].as_array().unwrap().len()),
        (3, 2)
    );
    let tricky = desk.ok("find_spreadsheet", json!({ "query": "it's \\ nothing" })).await;
    assert_eq!(tricky.plain(), "No spreadsheets.");
}

#[tokio::test]
async fn a_connection_without_the_permission_is_told_which_one() {
    let desk = with_scopes(&["spreadsheets.readonly"]).await;
    let error = desk.refused("find_spreadsheet", json!({ "query": "x" })).await;
    assert_eq!(error.kind(), Kind::MissingScope);
    assert!(error.scopes().iter().any(|scope| scope.ends_with("drive.metadata.readonly")), "{:?}", error.scopes());
}
