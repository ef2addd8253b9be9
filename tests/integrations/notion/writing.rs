//! Pages that are made and changed, content that is added, and comments.

use serde_json::json;
use switchboard::tool::Kind;

use super::{id_of, open, pair};

#[tokio::test]
async fn a_page_in_a_database_is_made_of_texts() {
    let desk = open().await;
    let properties = json!([
        pair("status", "in PROGRESS"),
        pair("Due", "2026-12-01"),
        pair("Assignee", "ana.ruiz@northwind.example"),
        pair("Tags", "fair, sales"),
        pair("Urgent", "yes"),
        pair("Deal", "Contoso: pilot cell")
    ]);
    let arguments = json!({ "parent": "Tasks", "title": "Call Contoso", "properties": properties,
        "content_markdown": "## Agenda\n\n1. Prices\n2. **Dates**", "icon": "📞" });
    let made = desk.ok("create_page", arguments).await;
    let text = made.plain();
    assert!(text.starts_with("Created (3 blocks): Call Contoso ["), "{text}");
    for words in ["Status: In progress", "Due: 2026-12-01", "Assignee: Ana Ruiz", "Tags: fair, sales", "Urgent: yes"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let sent = desk.last("createPage").body.unwrap();
    assert_eq!(sent["parent"]["type"], "data_source_id");
    assert_eq!(sent["properties"]["Deal"]["relation"].as_array().unwrap().len(), 1);
    let page = desk.ok("get_page", json!({ "page": made.data["page"]["id"] })).await;
    assert!(page.plain().contains("## Agenda\n\n1. Prices\n2. **Dates**"), "{}", page.plain());
}

#[tokio::test]
async fn a_page_goes_below_a_page() {
    let desk = open().await;
    let made = desk.ok("create_page", json!({ "parent": "Risks", "title": "Vacuum pump" })).await;
    assert!(made.plain().starts_with("Created: Vacuum pump ["), "{}", made.text);
    let parent = desk.ok("get_page", json!({ "page": "Risks" })).await;
    assert!(parent.plain().contains("Page: Vacuum pump ["), "{}", parent.text);
    let wrong = json!({ "parent": "Risks", "title": "X", "properties": [pair("Status", "Done")] });
    let error = desk.refused("create_page", wrong).await;
    assert!(error.to_string().contains("only those in a database"), "{error}");
}

#[tokio::test]
async fn values_that_do_not_fit_are_told_before_anything_is_sent() {
    let desk = open().await;
    for (name, value, phrase) in [
        ("Status", "Waiting", "It has Not started, In progress, Done; new ones are made in Notion."),
        ("Due", "soon", "`Due` takes a day such as 2026-11-23"),
        ("Due", "2026-11-23T09:00", "a time with an offset"),
        ("Assignee", "Anna Ruis", "Did you mean ⟦Ana Ruiz⟧"),
        ("Urgent", "maybe", "`Urgent` takes true or false"),
        ("Deal", "Contoso: six", "Did you mean ⟦Contoso: six picking cells⟧"),
        ("Statsu", "Done", "Did you mean ⟦Status⟧"),
    ] {
        let arguments = json!({ "parent": "Tasks", "title": "X", "properties": [pair(name, value)] });
        let error = desk.refused("create_page", arguments).await;
        assert!(error.to_string().contains(phrase), "{phrase}: {error}");
    }
    let error = desk.refused("create_page", json!({ "parent": "Tasks", "title": " " })).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
    assert_eq!(desk.count("createPage"), 0);
}

#[tokio::test]
async fn long_content_goes_a_hundred_blocks_at_a_time() {
    let desk = open().await;
    let content: Vec<_> = (0..230).map(|n| format!("- Item {n}")).collect();
    let made = desk
        .ok("create_page", json!({ "parent": "Risks", "title": "Long", "content_markdown": content.join("\n") }))
        .await;
    assert!(made.plain().starts_with("Created (230 blocks): Long"), "{}", made.text);
    assert_eq!((desk.count("createPage"), desk.count("appendBlockChildren")), (1, 2));
}

#[tokio::test]
async fn long_texts_come_in_pieces_that_notion_takes() {
    let desk = open().await;
    let done = desk.ok("append_content", json!({ "page": "Risks", "content_markdown": "word ".repeat(900) })).await;
    assert!(done.text.starts_with("Added 1 blocks to the page "), "{}", done.text);
    let sent = desk.last("appendBlockChildren").body.unwrap();
    assert_eq!(sent["children"][0]["paragraph"]["rich_text"].as_array().unwrap().len(), 3);
    let error = desk.refused("append_content", json!({ "page": "Risks", "content_markdown": "" })).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
}

#[tokio::test]
async fn properties_title_icon_and_trash_change() {
    let desk = open().await;
    let id = id_of(&desk, "Tasks", "Correct invoice").await;
    let arguments = json!({ "page": id, "title": "Correct invoice 2292", "properties": [pair("Status", "Done"), pair("Due", "")], "icon": "✅" });
    let done = desk.ok("update_page", arguments).await;
    let text = done.plain();
    assert!(
        text.starts_with("Updated: Correct invoice 2292 [") && text.contains("Status: Done") && !text.contains("Due:"),
        "{text}"
    );
    let trashed = desk.ok("update_page", json!({ "page": id, "in_trash": true })).await;
    assert!(trashed.plain().contains("in the trash"), "{}", trashed.text);
    let back = desk.ok("update_page", json!({ "page": id, "in_trash": false })).await;
    assert!(!back.plain().contains("in the trash"), "{}", back.text);
    let error = desk.refused("update_page", json!({ "page": id })).await;
    assert!(error.to_string().contains("at least one of"), "{error}");
    let error = desk.refused("update_page", json!({ "page": "Risks", "properties": [pair("Status", "Done")] })).await;
    assert!(error.to_string().contains("stands in no database"), "{error}");
}

#[tokio::test]
async fn a_comment_begins_a_discussion_and_another_goes_on_with_it() {
    let desk = open().await;
    let first = desk.ok("add_comment", json!({ "page": "Risks", "text": "Two suppliers?" })).await;
    assert!(first.plain().contains("Two suppliers? [discussion "), "{}", first.text);
    let answer = json!({ "discussion_id": first.data["discussion_id"], "text": "Asked for quotes" });
    let second = desk.ok("add_comment", answer).await;
    assert_eq!(second.data["discussion_id"], first.data["discussion_id"]);
    for arguments in [json!({ "text": "x" }), json!({ "page": "Risks", "text": " " })] {
        let error = desk.refused("add_comment", arguments).await;
        assert_eq!(error.kind(), Kind::Arguments, "{error}");
    }
}
