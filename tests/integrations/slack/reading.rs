//! Channels, threads and search as a model reads them.

use serde_json::{Value, json};
use switchboard::tool::{Kind, LABEL};

use super::{VENDOR, history, open, ts};
use crate::desk::Desk;

#[tokio::test]
async fn messages_are_readable_and_fenced() {
    let desk = open().await;
    let sales = history(&desk, "sales").await;
    let lines: Vec<_> = sales.text.lines().collect();
    assert_eq!(lines[0], LABEL);
    let line = lines.iter().find(|line| line.contains("service plan in")).unwrap();
    assert!(line.starts_with("Fri 2026-11-20T10:12+01:00  ⟦Ana Ruiz: Contoso wants"), "{line}");
    assert!(line.contains("@Lena Hartmann, can you confirm") && line.contains("(3 replies)⟧ [ts "), "{line}");
    assert!(sales.text.contains("*Contoso: six picking cells* (Contoso Foods) is in negotiation: 480000 EUR."));
    let general = history(&desk, "general").await;
    assert!(general.text.contains("[on this page](https://northwind.example/expenses)"), "{}", general.text);
    assert!(
        general.text.contains("(thumbsup 3, eyes 1)⟧") || general.text.contains("(eyes 1, thumbsup 3)⟧"),
        "{}",
        general.text
    );
    assert!(history(&desk, "support").await.text.contains("cell 2 & will know"));
    let code = history(&desk, "engineering").await;
    assert!(code.text.contains("if pressure < 0.4"), "{}", code.text);
}

#[tokio::test]
async fn names_are_looked_up_once() {
    let desk = open().await;
    history(&desk, "sales").await;
    let asked = desk.count("users.info");
    history(&desk, "sales").await;
    assert_eq!(desk.count("users.info"), asked);
    assert_eq!((desk.count("auth.test"), desk.count("users.list")), (1, 0), "no directory is read for names");
}

#[tokio::test]
async fn a_channel_is_read_back_to_its_beginning() {
    let desk = open().await;
    let all = history(&desk, "support").await.data["messages"].as_array().unwrap().len();
    let (mut seen, mut cursor) = (vec![], Value::Null);
    loop {
        let mut window = json!({ "channel": "support", "limit": 2 });
        if cursor.is_string() {
            window["cursor"] = cursor;
        }
        let page = desk.ok("read_channel", window).await;
        let times = page.data["messages"].as_array().unwrap().iter().map(|one| one["ts"].as_str().unwrap().to_owned());
        let times: Vec<_> = times.collect();
        assert!(times.is_sorted(), "the latest comes last");
        seen.extend(times);
        cursor = page.data["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert!(
            page.text.ends_with(&format!("Earlier ones: More: call again with cursor `{}`.", cursor.as_str().unwrap()))
        );
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

#[tokio::test]
async fn a_window_is_read_in_local_time() {
    let desk = open().await;
    let day = json!({ "channel": "support", "oldest": "2026-11-20", "latest": "2026-11-20" });
    let texts = desk.ok("read_channel", day).await.text;
    assert!(texts.contains("late shift") && !texts.contains("Training dates"), "{texts}");
    let morning = json!({ "channel": "support", "oldest": "2026-11-20T08:00", "latest": "2026-11-20T09:00" });
    assert_eq!(desk.ok("read_channel", morning).await.data["messages"].as_array().unwrap().len(), 1);
    let none = json!({ "channel": "support", "oldest": "2026-11-22" });
    assert_eq!(desk.ok("read_channel", none).await.text, "No messages in #support.");
}

#[tokio::test]
async fn a_thread_is_read_in_pages() {
    let desk = open().await;
    let thread = ts(&desk, "sales", "wants the service plan").await;
    let first = desk.ok("read_thread", json!({ "channel": "sales", "thread_ts": thread, "limit": 3 })).await;
    assert_eq!(first.data["messages"].as_array().unwrap().len(), 3);
    let rest = json!({ "channel": "sales", "thread_ts": thread, "limit": 3, "cursor": first.data["next_cursor"] });
    let rest = desk.ok("read_thread", rest).await;
    assert_eq!(rest.data["messages"].as_array().unwrap().len(), 1);
    assert!(rest.text.contains("revised offer"), "{}", rest.text);
    let error = desk.refused("read_thread", json!({ "channel": "sales", "thread_ts": "1732345678.000100" })).await;
    assert_eq!(error.kind(), Kind::NotFound);
    let error = desk.refused("read_thread", json!({ "channel": "sales", "thread_ts": "1732345678" })).await;
    assert_eq!(error.kind(), Kind::Arguments);
}

#[tokio::test]
async fn messages_are_searched_with_slacks_own_words() {
    let desk = open().await;
    let found = desk.ok("search_messages", json!({ "query": "cartons in:#support" })).await;
    assert!(found.text.contains("2 found:") && found.text.contains("⟦#support⟧ [id C0"), "{}", found.text);
    assert!(
        found.data["hits"][0]["link"].as_str().unwrap().starts_with("https://northwind-robotics.slack.com/archives/C0")
    );
    let direct = desk.ok("search_messages", json!({ "query": "\"Contoso call\"", "sort": "newest" })).await;
    assert_eq!(direct.data["hits"][0]["channel"], "Ana Ruiz");
    assert_eq!(desk.ok("search_messages", json!({ "query": "xyzzy" })).await.text, "Nothing found.");
    assert_eq!(desk.refused("search_messages", json!({ "query": " " })).await.kind(), Kind::Arguments);
    let (mut seen, mut cursor) = (0, None::<String>);
    loop {
        let page = desk.ok("search_messages", json!({ "query": "the", "limit": 3, "cursor": cursor })).await;
        seen += page.data["hits"].as_array().unwrap().len();
        match page.data["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break assert_eq!(page.data["total"], seen),
        }
    }
}

#[tokio::test]
async fn without_the_right_to_names_ids_are_shown() {
    let desk = Desk::with_scopes(&VENDOR, &["channels:history", "channels:read"]).await;
    let sales = history(&desk, "sales").await;
    assert!(sales.text.contains("⟦U0") && sales.text.contains("+00:00"), "{}", sales.text);
    assert_eq!(desk.refused("search_messages", json!({ "query": "x" })).await.scopes(), ["search:read"]);
}
