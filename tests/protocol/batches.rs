//! Several messages at once: only 2025-03-26 has that.

use serde_json::{Value, json};
use switchboard::transport::stdio::Options;

use crate::{
    fixtures::{call, initialize, modern, notification, request, server},
    stdio::Client,
    wire::{Host, expect, session},
};

/// A batch of these messages.
fn batch(messages: &[String]) -> String {
    format!("[{}]", messages.join(","))
}

/// A batch of each kind of message, and the answers to it by id.
fn mixed() -> String {
    batch(&[
        request(1, "tools/call", call("slow", json!({"millis": 20}))),
        notification("notifications/cancelled", json!({"requestId": "never"})),
        request("two", "ping", json!({})),
        initialize(3, "2025-03-26", json!({})),
        "7".to_owned(),
        request(4, "unknown/method", json!({})),
    ])
}

fn check(answers: &Value) {
    let answers = answers.as_array().unwrap_or_else(|| panic!("a list: {answers}"));
    let by_id =
        |id: Value| answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{id}: {answers:?}"));
    assert_eq!(by_id(json!(1))["result"]["content"][0]["text"], "at last");
    assert_eq!(by_id(json!("two"))["result"], json!({}));
    assert_eq!(by_id(json!(3))["error"]["code"], -32600, "`initialize` stands alone");
    assert_eq!(by_id(json!(4))["error"]["code"], -32601);
    let without_id: Vec<&Value> = answers.iter().filter(|answer| answer.get("id").is_none()).collect();
    assert_eq!((answers.len(), &without_id[0]["error"]["code"]), (5, &json!(-32600)));
}

#[tokio::test]
async fn a_batch_over_a_pipe_is_answered_as_a_list() {
    let mut client = Client::start_on(server(), Options::default());
    client.ask(initialize(0, "2025-03-26", json!({}))).await;
    let answers = client.ask(mixed()).await;
    check(&answers);
    client.send(batch(&[notification("notifications/initialized", json!({}))])).await;
    client.is_quiet().await;
    for refused in ["[]".to_owned(), batch(&vec![request(1, "ping", json!({})); 101])] {
        assert_eq!(client.ask(refused).await["error"]["code"], -32600);
    }
    // A request that speaks for itself may stand on the same pipe.
    assert!(client.ask(modern(9, "tools/list", json!({}))).await["result"]["tools"].is_array());
}

#[tokio::test]
async fn a_batch_over_http_is_answered_as_a_list() {
    let host = Host::start().await;
    let own = session(&host, "2025-03-26", json!({})).await;
    let headers = [("Mcp-Session-Id", own.as_str())];
    check(&host.post(mixed(), &headers).await.json().await);
    let silent = batch(&[notification("notifications/cancelled", json!({"requestId": 1}))]);
    assert_eq!(host.post(&silent, &headers).await.status, 202);
    expect(&mut host.post("[]", &headers).await, 400, -32600, "an empty one").await;
    expect(&mut host.post("[1,", &headers).await, 400, -32700, "no JSON").await;
    expect(&mut host.post(&silent, &[("Mcp-Session-Id", "unknown")]).await, 404, -32600, "no session").await;
    expect(&mut host.post(&silent, &[]).await, 400, -32600, "without a session").await;
}

#[tokio::test]
async fn a_batch_of_any_other_revision_is_refused() {
    let host = Host::start().await;
    for version in ["2025-06-18", "2025-11-25"] {
        let own = session(&host, version, json!({})).await;
        let mut refused = host.post(mixed(), &[("Mcp-Session-Id", &own)]).await;
        assert!(expect(&mut refused, 400, -32600, version).await.get("id").is_none());
        let mut client = Client::start_on(server(), Options::default());
        client.ask(initialize(0, version, json!({}))).await;
        assert_eq!(client.ask(mixed()).await["error"]["code"], -32600, "{version}");
    }
    let mut refused = host.post(mixed(), &[("MCP-Protocol-Version", "2026-07-28")]).await;
    expect(&mut refused, 400, -32600, "2026-07-28").await;
}
