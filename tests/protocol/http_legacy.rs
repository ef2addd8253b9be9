//! Streamable HTTP before 2026-07-28: sessions.

use std::time::Duration;

use serde_json::json;
use switchboard::transport::Options;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    fixtures::{call, notification, request},
    wire::{Host, expect, open, session},
};

#[tokio::test]
async fn a_quiet_stream_gives_signs_of_life() {
    let host = Host::start_with(Options { keep_alive: Duration::from_millis(20), ..open() }).await;
    let id = session(&host, "2025-11-25", json!({})).await;
    let mut reply = host.send("GET", "/mcp", &[("Accept", "text/event-stream"), ("Mcp-Session-Id", &id)], b"").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.server.close();
    assert!(reply.body().await.starts_with(": "));
}

#[tokio::test]
async fn a_legacy_client_keeps_a_session() {
    let host = Host::start().await;
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let id = session(&host, version, json!({})).await;
        assert!(id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
        let headers = [("Mcp-Session-Id", id.as_str()), ("MCP-Protocol-Version", version)];
        assert_eq!(host.post(request(1, "ping", json!({})), &headers).await.json().await["result"], json!({}));
        let mut list = host.post(request(2, "tools/list", json!({})), &headers[..1]).await;
        assert_eq!(list.json().await["result"]["tools"][0]["name"], "hello");
        let mut said = host.post(request(3, "tools/call", call("echo", json!({"text": "a"}))), &headers).await;
        let said = said.json().await;
        assert_eq!(said["result"]["content"][0]["text"], "a");
        assert!(said["result"].get("resultType").is_none());
        let mut unknown = host.post(request(4, "unknown/method", json!({})), &headers).await;
        expect(&mut unknown, 200, -32601, version).await;
        let headers = &headers[..1];
        assert_eq!(host.send("DELETE", "/mcp", headers, b"").await.status, 204);
        for (verb, body) in [("POST", request(5, "ping", json!({}))), ("DELETE", String::new()), ("GET", String::new())]
        {
            let usual = [("Content-Type", "application/json"), ("Accept", "text/event-stream"), headers[0]];
            assert_eq!(host.send(verb, "/mcp", &usual, body.as_bytes()).await.status, 404, "{verb}");
        }
    }
}

#[tokio::test]
async fn a_legacy_request_without_its_session_is_refused_by_id() {
    let host = Host::start().await;
    let mut missing = host.post(request("x", "tools/list", json!({})), &[]).await;
    assert_eq!(expect(&mut missing, 400, -32600, "missing").await["id"], "x");
    let mut unknown = host.post(request("x", "tools/list", json!({})), &[("Mcp-Session-Id", "nonsense")]).await;
    assert_eq!(expect(&mut unknown, 404, -32600, "unknown").await["id"], "x");
    for old in ["2024-11-05", "1999-01-01", "x"] {
        let id = session(&host, "2025-06-18", json!({})).await;
        let headers = [("Mcp-Session-Id", id.as_str()), ("MCP-Protocol-Version", old)];
        assert_eq!(host.post(request(1, "ping", json!({})), &headers).await.status, 400, "{old}");
    }
}

#[tokio::test]
async fn a_legacy_call_ends_by_cancellation_and_not_with_its_connection() {
    let host = Host::start().await;
    let id = session(&host, "2025-11-25", json!({})).await;
    let session = [("Mcp-Session-Id", id.as_str())];
    let body = request(1, "tools/call", call("slow", json!({"millis": 60_000})));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nMcp-Session-Id: {id}\r\nContent-Length: {}\r\n\r\n",
        host.address,
        body.len()
    );
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    host.seen.begun(1).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(host.seen.dropped.load(std::sync::atomic::Ordering::SeqCst), 0);
    let mut twice = host.post(request(1, "tools/call", json!({"name": "hello"})), &session).await;
    expect(&mut twice, 400, -32600, "a running id").await;
    let cancelled = notification("notifications/cancelled", json!({"requestId": 1}));
    assert_eq!(host.post(cancelled, &session).await.status, 202);
    host.seen.dropped(1).await;
}

#[tokio::test]
async fn sessions_do_not_see_each_other() {
    let host = Host::start().await;
    let (one, two) = (session(&host, "2025-11-25", json!({})).await, session(&host, "2025-11-25", json!({})).await);
    assert_ne!(one, two);
    let slow = request(1, "tools/call", call("slow", json!({"millis": 300})));
    let headers = [("Mcp-Session-Id", one.as_str())];
    let running = host.post(slow, &headers);
    let other = async {
        host.seen.begun(1).await;
        let headers = [("Mcp-Session-Id", two.as_str())];
        let mut same_id = host.post(request(1, "tools/call", json!({"name": "hello"})), &headers).await;
        assert_eq!(same_id.json().await["result"]["content"][0]["text"], "hello");
        let cancelled = notification("notifications/cancelled", json!({"requestId": 1}));
        assert_eq!(host.post(cancelled, &headers).await.status, 202);
    };
    let (mut running, ()) = tokio::join!(running, other);
    assert_eq!(running.answer().await["result"]["content"][0]["text"], "at last");
}

#[tokio::test]
async fn a_legacy_session_hears_of_changed_tools() {
    let host = Host::start().await;
    let id = session(&host, "2025-11-25", json!({})).await;
    let headers = [("Accept", "text/event-stream"), ("Mcp-Session-Id", id.as_str())];
    let mut stream = host.send("GET", "/mcp", &headers, b"").await;
    assert_eq!(stream.status, 200);
    host.hub.changed();
    assert_eq!(stream.event().await.unwrap()["method"], "notifications/tools/list_changed");
    assert_eq!(host.send("GET", "/mcp", &headers[1..], b"").await.status, 406);
}

#[tokio::test]
async fn notifications_and_answers_are_taken_without_a_word() {
    let host = Host::start().await;
    let version = ("MCP-Protocol-Version", "2026-07-28");
    let cancelled = notification("notifications/cancelled", json!({"requestId": 1}));
    let method = ("Mcp-Method", "notifications/cancelled");
    let mut reply = host.post(&cancelled, &[version, method]).await;
    assert_eq!((reply.status, reply.body().await.as_str()), (202, ""));
    assert_eq!(host.post(&cancelled, &[version]).await.status, 400);
    let answer = r#"{"jsonrpc":"2.0","id":"q1","result":{}}"#;
    let mut reply = host.post(answer, &[version]).await;
    expect(&mut reply, 400, -32600, "an answer in the modern era").await;
    let id = session(&host, "2025-06-18", json!({})).await;
    assert_eq!(host.post(answer, &[("Mcp-Session-Id", &id)]).await.status, 202);
    assert_eq!(host.post(answer, &[]).await.status, 400);
}

#[tokio::test]
async fn a_legacy_client_is_asked_on_the_stream_of_its_call() {
    let host = Host::start().await;
    let id = session(&host, "2025-11-25", json!({"elicitation": {}})).await;
    let stranger = session(&host, "2025-11-25", json!({"elicitation": {}})).await;
    let session = [("Mcp-Session-Id", id.as_str())];
    let mut reply = host.post(request(1, "tools/call", json!({"name": "erase"})), &session).await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let question = reply.event().await.unwrap();
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Erase everything?");
    let yes =
        json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"approve": true}}});
    let theirs = [("Mcp-Session-Id", stranger.as_str())];
    assert_eq!(host.post(yes.to_string(), &theirs).await.status, 202, "taken from a stranger, and nobody hears it");
    let mut waiting = host.post(request(2, "ping", json!({})), &session).await;
    assert_eq!(waiting.json().await["result"], json!({}));
    assert_eq!(host.post(yes.to_string(), &session).await.status, 202);
    assert_eq!(reply.event().await.unwrap()["result"]["content"][0]["text"], "erased");
    assert_eq!(reply.event().await, None);
}
