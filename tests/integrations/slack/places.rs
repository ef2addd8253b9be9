//! Names of channels and people.

use serde_json::json;
use switchboard::tool::Kind;

use super::open;

#[tokio::test]
async fn a_channel_is_found_by_name_and_by_id() {
    let desk = open().await;
    for name in ["#sales", "sales", "Sales", " #SALES "] {
        desk.ok("read_channel", json!({ "channel": name })).await;
    }
    assert_eq!(desk.count("conversations.list"), 1, "a name is looked up once");
    let found = desk.ok("list_channels", json!({ "query": "leader" })).await;
    let id = &found.data["channels"][0]["id"];
    assert!(desk.ok("read_channel", json!({ "channel": id })).await.text.contains("#leadership⟧ [id C0"));
    assert_eq!(desk.count("conversations.info"), 1);
}

#[tokio::test]
async fn an_unknown_channel_gets_the_nearest() {
    let desk = open().await;
    let error = desk.refused("send_message", json!({ "channel": "#salse", "text": "x" })).await;
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().starts_with("There is no channel `salse`. Did you mean ⟦sales⟧ [C0"), "{error}");
    let error = desk.refused("read_channel", json!({ "channel": "zzzzzz" })).await;
    assert!(error.to_string().contains("slack_list_channels"), "{error}");
    let board = desk.refused("read_channel", json!({ "channel": "board" })).await;
    assert_eq!(board.kind(), Kind::NotFound, "a private channel of others is not there");
}

#[tokio::test]
async fn an_ambiguous_person_returns_the_choices() {
    let desk = open().await;
    let error = desk.refused("send_message", json!({ "channel": "@ana", "text": "x" })).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    let text = error.to_string();
    assert!(text.contains("⟦Ana Ruiz⟧ (⟦ana.ruiz@northwind.example⟧) [U0") && text.contains("⟦Ana Rossi⟧"), "{text}");
    assert_eq!(desk.count("chat.postMessage"), 0);
    for name in ["@Ana Ruiz", "@ana.ruiz", "@mei"] {
        desk.ok("send_message", json!({ "channel": name, "text": "x" })).await;
    }
    assert_eq!(desk.count("users.list"), 1, "the directory is read once");
}

#[tokio::test]
async fn people_are_found_by_address_and_by_a_piece_of_the_name() {
    let desk = open().await;
    let one = desk.ok("find_user", json!({ "email": "Samuel.Okafor@northwind.example" })).await;
    assert!(
        one.text.contains("⟦Samuel Okafor⟧  samuel.okafor@northwind.example, ⟦Support lead⟧, Europe/Berlin"),
        "{}",
        one.text
    );
    assert_eq!(desk.count("users.list"), 0);
    let two = desk.ok("find_user", json!({ "name": "ana" })).await;
    assert!(two.text.contains("Ana Ruiz") && two.text.contains("Ana Rossi"), "{}", two.text);
    let bot = desk.ok("find_user", json!({ "name": "build" })).await;
    assert!(bot.text.contains(", app"), "{}", bot.text);
    let closed = desk.ok("find_user", json!({ "name": "Victor" })).await;
    assert!(closed.text.contains(", closed"), "{}", closed.text);
    assert_eq!(desk.ok("find_user", json!({ "name": "xyz" })).await.text, "Nobody of that name.");
    let few = desk.ok("find_user", json!({ "name": "n", "limit": 2 })).await;
    assert!(few.text.contains("more: give a longer piece"), "{}", few.text);
    assert_eq!(desk.refused("find_user", json!({})).await.kind(), Kind::Arguments);
    assert_eq!(desk.refused("find_user", json!({ "email": "ana" })).await.kind(), Kind::Arguments);
    assert_eq!(desk.refused("find_user", json!({ "email": "x@y.example" })).await.kind(), Kind::NotFound);
}

#[tokio::test]
async fn channels_are_listed_in_pages_to_the_end() {
    let desk = open().await;
    for query in [None, Some("e")] {
        let (mut seen, mut cursor) = (vec![], None::<String>);
        loop {
            let page = desk
                .ok("list_channels", json!({ "limit": 2, "query": query.unwrap_or_default(), "cursor": cursor }))
                .await;
            let channels = page.data["channels"].as_array().unwrap();
            seen.extend(channels.iter().map(|channel| channel["name"].as_str().unwrap().to_owned()));
            match page.data["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert!(count == seen.len() && count >= 5, "{seen:?}");
        assert!(!seen.contains(&"#trade-fair-2025".to_owned()) && !seen.contains(&"#board".to_owned()), "{seen:?}");
    }
    let direct = desk.ok("list_channels", json!({ "which": "direct" })).await;
    assert!(direct.text.contains("Ana Ruiz"), "{}", direct.text);
    let error = desk.refused("list_channels", json!({ "cursor": "rubbish" })).await;
    assert!(error.to_string().contains("leave it out"), "{error}");
}
