//! Sessions of the legacy era on several nodes that share a key and a store, and after a restart.

use std::sync::Arc;

use serde_json::json;
use switchboard::store::MemoryStore;

use crate::{
    fixtures::{self, call, initialize, notification, request},
    wire::Host,
};

/// A company with two nodes, of which each can be started anew.
struct Nodes(Arc<MemoryStore>);

impl Nodes {
    async fn start(&self) -> Host {
        Host::start_of(fixtures::server_of(|server| server.store(self.0.clone()))).await
    }
}

/// Opens a session and says that it is ready.
async fn open(host: &Host) -> String {
    let reply = host.post(initialize(1, "2025-11-25", json!({})), &[]).await;
    assert_eq!(reply.status, 200);
    let id = reply.header("mcp-session-id").unwrap().to_owned();
    host.post(notification("notifications/initialized", json!({})), &[("Mcp-Session-Id", &id)]).await;
    id
}

/// The HTTP status of a call in that session.
async fn status(host: &Host, session: &str) -> u16 {
    let body = request(2, "tools/call", call("hello", json!({})));
    host.post(body, &[("Mcp-Session-Id", session)]).await.status
}

#[tokio::test]
async fn a_session_goes_on_everywhere_and_ends_everywhere() {
    let nodes = Nodes(MemoryStore::new());
    let (one, two) = (nodes.start().await, nodes.start().await);
    let session = open(&one).await;
    assert_eq!((status(&one, &session).await, status(&two, &session).await), (200, 200));

    let ended = two.send("DELETE", "/mcp", &[("Mcp-Session-Id", &session)], b"").await;
    assert_eq!(ended.status, 204);
    assert_eq!((status(&one, &session).await, status(&two, &session).await), (404, 404));

    let again = nodes.start().await;
    assert_eq!(status(&again, &session).await, 404, "a restart does not wake a session that has ended");
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let nodes = Nodes(MemoryStore::new());
    let session = open(&nodes.start().await).await;
    assert_eq!(status(&nodes.start().await, &session).await, 200);
}

#[tokio::test]
async fn an_unknown_toolset_in_the_address_is_named() {
    let host = Nodes(MemoryStore::new()).start().await;
    let body = fixtures::modern(1, "tools/list", json!({}));
    let headers =
        [("Content-Type", "application/json"), ("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")];
    let mut reply = host.send("POST", "/mcp/x/tset", &headers, body.as_bytes()).await;
    assert_eq!(reply.status, 404);
    let why = reply.json().await["error"]["message"].as_str().unwrap().to_owned();
    assert!(why.contains("\"tset\"") && why.contains("there are: test"), "{why}");
}

/// A client's trace reaches the call that it belongs to, and one that is malformed is passed over.
#[tokio::test]
async fn a_trace_never_decides_over_a_request() {
    let host = Nodes(MemoryStore::new()).start().await;
    for trace in [json!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), json!("rubbish"), json!(7)] {
        let mut params = call("hello", json!({}));
        params["_meta"]["traceparent"] = trace.clone();
        let mut reply = host.modern(&fixtures::modern(1, "tools/call", params)).await;
        assert_eq!(reply.json().await["result"]["content"][0]["text"], "hello", "{trace}");
    }
}

/// Clients would drop such a tool without a word.
#[test]
fn a_tool_with_a_wrong_header_is_refused_when_it_is_registered() {
    let input = json!({"type": "object", "properties": {"size": {"type": "number", "x-mcp-header": "Size"}}});
    let refused = fixtures::registered("weigh", input).unwrap_err();
    assert!(refused.contains("`weigh`") && refused.contains("`size`"), "{refused}");
    let input = json!({"type": "object", "properties": {"size": {"type": "integer", "x-mcp-header": "Size"}}});
    assert_eq!(fixtures::registered("weigh", input), Ok(()));
}
