//! Pages, databases, comments and people, as a caller sees them.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{id_of, open};

#[tokio::test]
async fn pages_of_a_database_come_with_their_properties() {
    let desk = open().await;
    let found = desk.ok("query_database", json!({ "database": "tasks", "sort": ["Due desc"] })).await;
    let text = found.plain();
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("Prepare the site visit in Rotterdam ["), "{first}");
    for words in
        ["Status: Not started", "Due: 2026-12-03", "Assignee: Priya Nair <priya.nair@northwind.example>", "Tags: sales"]
    {
        assert!(first.contains(words), "{words}: {first}");
    }
    assert_eq!(
        desk.last("queryDataSource").headers.iter().find(|(name, _)| name == "notion-version").unwrap().1,
        "2025-09-03"
    );
    assert_eq!((desk.count("search"), desk.count("getDatabase")), (1, 0), "a search shows the properties as well");
}

#[tokio::test]
async fn conditions_find_pages() {
    let desk = open().await;
    let titles = async |database: &str, filter: Value| {
        let found = desk.ok("query_database", json!({ "database": database, "filter": filter })).await;
        found.data["pages"].as_array().unwrap().len()
    };
    let is = |name: &str, is: &str, value: &str| json!({ "name": name, "is": is, "value": value });
    assert_eq!(titles("Deals", json!([is("Stage", "equals", "won")])).await, 1);
    assert_eq!(
        titles("Deals", json!([is("Amount", "greater", "200,000"), is("Stage", "not_equals", "Lost")])).await,
        2
    );
    assert_eq!(titles("Deals", json!([is("Deal", "contains", "contoso")])).await, 2);
    assert_eq!(titles("Deals", json!([is("Close date", "less", "2026-11-23")])).await, 2);
    assert_eq!(titles("Deals", json!([is("Owner", "contains", "Ana Ruiz")])).await, 4);
    assert_eq!(titles("Deals", json!([is("Number", "equals", "DEAL-1")])).await, 1);
    assert_eq!(titles("Deals", json!([{ "name": "Next step", "is": "empty" }])).await, 2);
    assert_eq!(titles("Tasks", json!([is("Urgent", "equals", "yes")])).await, 1);
    assert_eq!(titles("Tasks", json!([is("Tags", "contains", "Sales")])).await, 2);
    for (filter, phrase) in [
        (json!([is("Stage", "equals", "Signed")]), "It has Qualified, Proposal"),
        (json!([is("Deal", "greater", "x")]), "cannot be compared"),
        (json!([is("Stge", "equals", "Won")]), "Did you mean ⟦Stage⟧"),
        (json!([{ "name": "Stage", "is": "equals" }]), "needs a `value`"),
    ] {
        let error = desk.refused("query_database", json!({ "database": "Deals", "filter": filter })).await;
        assert!(error.to_string().contains(phrase), "{phrase}: {error}");
    }
}

#[tokio::test]
async fn pages_of_a_list_lead_to_the_end() {
    let desk = open().await;
    let mut cursor = Value::Null;
    let mut seen = vec![];
    loop {
        let mut arguments = json!({ "database": "Deals", "limit": 2 });
        if !cursor.is_null() {
            arguments["cursor"] = cursor;
        }
        let page = desk.ok("query_database", arguments).await;
        seen.extend(page.data["pages"].as_array().unwrap().iter().map(|page| page["id"].clone()));
        cursor = page.data["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert!(page.text.contains("More: call again with cursor"), "{}", page.text);
    }
    let count = seen.len();
    seen.dedup();
    assert_eq!((count, seen.len()), (5, 5));
    let error = desk.refused("query_database", json!({ "database": "Deals", "cursor": "abc" })).await;
    assert_eq!(error.kind(), Kind::Arguments, "{error}");
}

#[tokio::test]
async fn a_database_may_be_a_name_an_id_or_an_address() {
    let desk = open().await;
    let known = desk.ok("get_database", json!({ "database": "Deals" })).await;
    let id = known.data["id"].as_str().unwrap().to_owned();
    let database = desk.sandbox.world("notion").unwrap()["databases"][1]["id"].as_str().unwrap().to_owned();
    for given in [id.clone(), database.clone(), format!("https://www.notion.so/acme/{}?v=1", database.replace('-', ""))]
    {
        let found = desk.ok("get_database", json!({ "database": given })).await;
        assert_eq!(found.data["id"], id.as_str(), "{given}");
    }
    for line in
        ["- Stage (status: Qualified | Proposal | Negotiation | Won | Lost)", "- Deal (title)", "- Customer (relation)"]
    {
        assert!(known.plain().contains(line), "{line}: {}", known.plain());
    }
}

#[tokio::test]
async fn what_is_meant_by_several_or_by_none_is_told() {
    let desk = open().await;
    let world = desk.sandbox.world("notion").unwrap();
    let several =
        world["databases"].as_array().unwrap().iter().find(|one| one["title"] == "Knowledge").unwrap()["id"].clone();
    let error = desk.refused("query_database", json!({ "database": several })).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    assert!(error.to_string().contains("⟦Articles⟧ [") && error.to_string().contains("⟦Drafts⟧ ["), "{error}");
    let error = desk.refused("get_page", json!({ "page": "Meeting notes" })).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    assert!(error.to_string().contains("2 pages"), "{error}");
    let error = desk.refused("query_database", json!({ "database": "Zebra" })).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("notion_search"), "{error}");
    let error = desk.refused("query_database", json!({ "database": "00000000-0000-4000-8000-000000000000" })).await;
    assert!(error.to_string().contains("under Connections"), "{error}");
    let error = desk.refused("get_page", json!({ "page": "00000000-0000-4000-8000-000000000000" })).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

#[tokio::test]
async fn a_page_reads_as_markdown() {
    let desk = open().await;
    let page = desk.ok("get_page", json!({ "page": "Launch plan: gripper G3" })).await;
    let text = page.plain();
    for words in [
        "## Goals\n\n- Wet cartons hold at full speed\n  Measured at Contoso, cell 2\n- Spare parts in every country",
        "- [x] Pilot at Contoso\n- [ ] Price list\n\n---\n\nQuestions go to Priya.",
        "Page: Risks [",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(page.text.contains("⟦## Goals"), "{}", page.text);
}

#[tokio::test]
async fn a_long_page_goes_on() {
    let desk = open().await;
    let items: Vec<_> = (0..150).map(|n| format!("- Item {n}")).collect();
    desk.ok("append_content", json!({ "page": "Risks", "content_markdown": items.join("\n") })).await;
    assert_eq!(desk.count("appendBlockChildren"), 2);
    let first = desk.ok("get_page", json!({ "page": "Risks" })).await;
    assert!(first.plain().contains("- Item 98\n") && !first.plain().contains("- Item 99\n"), "{}", first.text);
    let rest = desk.ok("get_page", json!({ "page": "Risks", "cursor": first.data["next_cursor"] })).await;
    assert!(rest.plain().contains("- Item 99\n") && rest.plain().contains("- Item 149"), "{}", rest.text);
}

#[tokio::test]
async fn pages_and_databases_are_found() {
    let desk = open().await;
    let both = desk.ok("search", json!({ "query": "risks" })).await;
    assert!(both.plain().starts_with("Risks [") && both.plain().ends_with("]  page"), "{}", both.text);
    let databases = desk.ok("search", json!({ "query": "", "type": "database" })).await;
    assert_eq!(databases.data["found"].as_array().unwrap().len(), 5, "{}", databases.text);
    let none = desk.ok("search", json!({ "query": "zebra" })).await;
    assert_eq!(none.text, "Nothing found.");
}

#[tokio::test]
async fn people_come_with_their_addresses() {
    let desk = open().await;
    let first = desk.ok("list_users", json!({ "limit": 5 })).await;
    assert!(
        first.plain().contains("Ana Ruiz [") && first.plain().contains("ana.ruiz@northwind.example"),
        "{}",
        first.text
    );
    let rest = desk.ok("list_users", json!({ "limit": 5, "cursor": first.data["next_cursor"] })).await;
    assert!(rest.plain().contains("Switchboard [") && rest.plain().contains("  bot"), "{}", rest.text);
}

#[tokio::test]
async fn comments_name_who_wrote_them() {
    let desk = open().await;
    let comments = desk.ok("list_comments", json!({ "page": "Launch plan: gripper G3" })).await;
    assert!(comments.plain().contains("Priya Nair: The price list waits for purchasing."), "{}", comments.text);
    let id = id_of(&desk, "Tasks", "Correct invoice").await;
    let none = desk.ok("list_comments", json!({ "page": id })).await;
    assert_eq!(none.text, "No comments.");
}

#[tokio::test]
async fn related_pages_are_called_by_their_titles() {
    let desk = open().await;
    let deals = desk.ok("query_database", json!({ "database": "Deals", "limit": 1 })).await;
    let (title, deal) =
        (deals.data["pages"][0]["title"].as_str().unwrap(), deals.data["pages"][0]["id"].as_str().unwrap());
    let task = id_of(&desk, "Tasks", "Correct invoice").await;
    let related = json!([{ "name": "Deal", "value": deal }]);
    desk.ok("update_page", json!({ "page": task, "properties": related })).await;
    let shown = format!("Deal: ⟦{title} [{deal}]⟧");
    let before = desk.count("getPage");
    for _ in 0..2 {
        let tasks = desk.ok("query_database", json!({ "database": "Tasks" })).await;
        assert!(tasks.text.contains(&shown), "{shown}: {}", tasks.text);
    }
    assert_eq!(desk.count("getPage"), before + 1, "a title is looked up once");
    let page = desk.ok("get_page", json!({ "page": task })).await;
    assert!(page.text.contains(&shown), "{shown}: {}", page.text);
}
