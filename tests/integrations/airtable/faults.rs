//! When Airtable fails: what is repeated, what is not, and what the caller is told.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{crm, id_of, open, pair};
use crate::{
    desk::Desk,
    ill::{Story, is_told_of},
};

pub struct Ill;

impl Story for Ill {
    const TITLE: &'static str = "Airtable";
    const READS: &'static [&'static str] = &["get_records", "get_record", "list_bases", "list_tables"];
    const ONCE: &'static [&'static str] = &["create_record", "create_records", "add_comment"];
    const KEYED: &'static [&'static str] = &["update_record", "upsert_records", "delete_record"];

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
            "upsert_records" => {
                crm("Deals", json!({ "columns": ["Deal"], "rows": [["New name"]], "merge_on": ["Deal"] }))
            }
            "add_comment" => crm("Deals", json!({ "record_id": id, "text": "Hello" })),
            _ => crm("Deals", json!({ "record_id": id })),
        };
        if tool == "delete_record" {
            let asked = desk.refused(tool, arguments.clone()).await;
            desk.say_yes(asked.what());
        }
        arguments
    }

    // A deletion reads first; that the first answer of that is lost as well does not matter.
    fn answers(tool: &str) -> u32 {
        if tool == "delete_record" { 3 } else { 1 }
    }
}

is_told_of!(Ill);

#[tokio::test]
async fn a_limit_is_passed_on_with_the_pause_that_airtable_does_not_tell() {
    let mut desk = open().await;
    for tool in ["list_bases", "create_record"] {
        let arguments = Ill::ready(&mut desk, tool).await;
        for fault in ["429:1", "quota:1"] {
            desk.fault(fault);
            let error = desk.refused(tool, arguments.clone()).await;
            assert_eq!((error.kind(), error.retry_after()), (Kind::Busy, Some(Duration::from_secs(30))), "{error}");
        }
        assert_eq!(desk.changes(), 0);
    }
}
