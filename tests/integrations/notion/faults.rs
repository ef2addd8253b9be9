//! When Notion fails: what is repeated, what is not, and what the caller is told.

use serde_json::{Value, json};

use super::{id_of, open, pair};
use crate::{
    desk::Desk,
    ill::{self, Story, is_told_of},
};

pub struct Ill;

impl Story for Ill {
    const TITLE: &'static str = "Notion";
    const READS: &'static [&'static str] =
        &["search", "query_database", "get_page", "get_database", "list_comments", "list_users"];
    const ONCE: &'static [&'static str] = &["create_page", "append_content", "add_comment"];
    const KEYED: &'static [&'static str] = &["update_page"];

    async fn ready(desk: &mut Desk, tool: &str) -> Value {
        desk.reset().await;
        let id = id_of(desk, "Tasks", "Correct invoice").await;
        let tasks = desk.ok("get_database", json!({ "database": "Tasks" })).await.data["id"].clone();
        desk.ok("get_database", json!({ "database": tasks })).await;
        match tool {
            "search" => json!({ "query": "risks" }),
            "query_database" => json!({ "database": "Tasks" }),
            // What is remembered would hide a failure.
            "get_database" => {
                *desk = open().await;
                json!({ "database": "Deals" })
            }
            "get_page" | "list_comments" => json!({ "page": id }),
            "list_users" => json!({}),
            "create_page" => json!({ "parent": tasks, "title": "New" }),
            "append_content" => json!({ "page": id, "content_markdown": "More" }),
            "add_comment" => json!({ "page": id, "text": "Hello" }),
            _ => json!({ "page": id, "properties": [pair("Status", "Done")] }),
        }
    }
}

is_told_of!(Ill);

#[tokio::test]
async fn a_limit_is_waited_out_or_passed_on() {
    ill::a_limit_is_waited_out_or_passed_on::<Ill>(open().await, "429").await;
}
