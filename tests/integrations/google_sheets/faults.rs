//! When Google fails: what is repeated, what is not, and what the caller is told.

use serde_json::{Value, json};

use super::{budget, open};
use crate::{
    desk::Desk,
    ill::{self, Story, is_told_of},
};

pub struct Ill;

impl Story for Ill {
    const TITLE: &'static str = "Google Sheets";
    const READS: &'static [&'static str] =
        &["read_data", "find_rows", "read_ranges", "get_spreadsheet", "find_spreadsheet"];
    const ONCE: &'static [&'static str] = &["append_row", "create_spreadsheet"];
    const KEYED: &'static [&'static str] = &["update_cells", "clear_range"];

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
}

is_told_of!(Ill);

#[tokio::test]
async fn a_limit_is_waited_out_or_passed_on() {
    ill::a_limit_is_waited_out_or_passed_on::<Ill>(open().await, "quota").await;
}
