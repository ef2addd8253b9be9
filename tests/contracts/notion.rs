//! Notion.

use reqwest::Method;
use serde_json::{Value, json};

use super::Script;

/// A session that touches every operation and every type of property and block.
pub async fn session(script: &Script) {
    script.get("/v1/users/me").await;
    let users = script.get("/v1/users?page_size=2").await;
    let person = users["results"][0]["id"].as_str().unwrap();
    let source = find(script, "Deals", "data_source").await;
    let database = source["parent"]["database_id"].as_str().unwrap();
    script.get(&format!("/v1/databases/{database}")).await;
    let id = source["id"].as_str().unwrap();
    script.get(&format!("/v1/data_sources/{id}")).await;
    let filter = json!({ "and": [{ "property": "Stage", "status": { "equals": "Proposal" } },
        { "property": "Amount", "number": { "greater_than": 1000 } },
        { "property": "Close date", "date": { "after": "2026-01-01" } },
        { "property": "Owner", "people": { "is_not_empty": true } }] });
    let sorts = json!([{ "property": "Amount", "direction": "descending" }]);
    let query = json!({ "filter": filter, "sorts": sorts, "page_size": 10 });
    let found = script.post(&format!("/v1/data_sources/{id}/query"), query).await;
    let deal = found["results"][0]["id"].as_str().unwrap();
    let customer = found["results"][0]["properties"]["Customer"]["relation"][0]["id"].as_str().unwrap();

    let properties = json!({
        "Deal": { "title": text("New deal") }, "Customer": { "relation": [{ "id": customer }] },
        "Stage": { "status": { "name": "Won" } }, "Amount": { "number": 5 },
        "Close date": { "date": { "start": "2026-12-01", "end": "2026-12-02" } }, "Owner": { "people": [{ "id": person }] },
        "Next step": { "rich_text": text("Call") },
    });
    let parent = json!({ "type": "data_source_id", "data_source_id": id });
    let page = json!({ "parent": parent, "properties": properties, "children": every_block(), "icon": { "type": "emoji", "emoji": "🚀" } });
    let page = script.post("/v1/pages", page).await;
    let page = page["id"].as_str().unwrap();
    script.get(&format!("/v1/pages/{page}")).await;
    let change = json!({ "properties": { "Amount": { "number": null } }, "in_trash": false });
    script.send(Method::PATCH, &format!("/v1/pages/{page}"), Some(change)).await;
    script.get(&format!("/v1/blocks/{page}/children?page_size=5")).await;
    let more =
        json!({ "children": [{ "object": "block", "type": "paragraph", "paragraph": { "rich_text": text("More") } }] });
    script.send(Method::PATCH, &format!("/v1/blocks/{page}/children"), Some(more)).await;
    let below = json!({ "parent": { "type": "page_id", "page_id": page }, "properties": { "title": { "title": text("Below") } } });
    script.post("/v1/pages", below).await;
    script.get(&format!("/v1/blocks/{page}/children")).await;
    let comment = json!({ "parent": { "type": "page_id", "page_id": deal }, "rich_text": text("Well done") });
    let comment = script.post("/v1/comments", comment).await;
    let answer = json!({ "discussion_id": comment["discussion_id"], "rich_text": text("Thanks") });
    script.post("/v1/comments", answer).await;
    script.get(&format!("/v1/comments?block_id={deal}&page_size=10")).await;
}

async fn find(script: &Script, title: &str, kind: &str) -> Value {
    let filter = json!({ "property": "object", "value": kind });
    let sort = json!({ "timestamp": "last_edited_time", "direction": "descending" });
    let found =
        script.post("/v1/search", json!({ "query": title, "filter": filter, "sort": sort, "page_size": 5 })).await;
    found["results"][0].clone()
}

fn text(words: &str) -> Value {
    json!([{ "type": "text", "text": { "content": words } }])
}

fn every_block() -> Value {
    let block = |kind: &str, content: Value| json!({ "object": "block", "type": kind, kind: content });
    let rich = |words: &str| json!({ "rich_text": text(words) });
    let row = block("table_row", json!({ "cells": [text("a"), text("b")] }));
    json!([
        block("heading_1", rich("One")),
        block("heading_2", rich("Two")),
        block("heading_3", rich("Three")),
        block(
            "paragraph",
            json!({ "rich_text": [{ "type": "text", "text": { "content": "x", "link": { "url": "https://a.example" } }, "annotations": { "bold": true } }] })
        ),
        block(
            "bulleted_list_item",
            json!({ "rich_text": text("b"), "children": [block("paragraph", rich("inside"))] })
        ),
        block("numbered_list_item", rich("n")),
        block("quote", rich("q")),
        block("to_do", json!({ "rich_text": text("t"), "checked": true })),
        block("code", json!({ "rich_text": text("let a;"), "language": "rust" })),
        block("divider", json!({})),
        block(
            "table",
            json!({ "table_width": 2, "has_column_header": true, "has_row_header": false, "children": [row] })
        ),
        block("image", json!({ "type": "external", "external": { "url": "https://a.example/a.png" } })),
    ])
}
