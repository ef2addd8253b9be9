//! Whoever has one good token takes a share of the places, and never all of them.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest, http::HeaderValue};

use crate::{client::http, target::Target};

/// A server that asks for tokens and takes few connections, the administrator's token, and another person's.
async fn office() -> (Target, String, String) {
    let target = Target::with(&["--connections", "64", "--trust-proxy", "192.0.2.0/24"]);
    let log = target.server.log();
    let administrator = log.lines().map(str::trim).find(|line| line.starts_with("swb_")).unwrap().to_owned();
    let users = http().post(target.server.url("/api/v1/users")).bearer_auth(&administrator);
    let added: Value = users.json(&json!({"name": "Ana"})).send().await.unwrap().json().await.unwrap();
    let accept = http().post(target.server.url("/api/v1/invitations/accept"));
    let invitation = json!({"invitation": added["invitation"]["token"]});
    let taken: Value = accept.json(&invitation).send().await.unwrap().json().await.unwrap();
    let other = taken["token"].as_str().unwrap_or_else(|| panic!("{taken}")).to_owned();
    (target, administrator, other)
}

pub type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A WebSocket, or the answer that refuses it.
pub async fn socket(target: &Target, token: &str) -> Result<Socket, tungstenite::http::Response<Option<Vec<u8>>>> {
    let mut request = target.server.websocket().into_client_request().unwrap();
    request.headers_mut().insert("Authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => Err(*answer),
        Err(error) => panic!("{error}"),
    }
}

async fn subscription(target: &Target, token: &str) -> reqwest::Response {
    let params = json!({
        "notifications": {"toolsListChanged": true},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    http()
        .post(target.server.url("/mcp"))
        .bearer_auth(token)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", "subscriptions/listen")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}))
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_takes_only_its_share_of_sockets() {
    let (target, greedy, other) = office().await;
    let mut sockets = Vec::new();
    let refusal = loop {
        match socket(&target, &greedy).await {
            Ok(socket) => sockets.push(socket),
            Err(refusal) => break refusal,
        }
        assert!(sockets.len() < 64, "one token has every place");
    };
    assert_eq!(refusal.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refusal.headers()["retry-after"], "1");
    assert_eq!(sockets.len(), 16, "a quarter of the connections");
    let theirs = socket(&target, &other).await.expect("others have their own share");
    drop(sockets);
    for attempt in 0.. {
        if socket(&target, &greedy).await.is_ok() {
            break;
        }
        assert!(attempt < 100, "the places do not come back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    drop(theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_takes_only_its_share_of_streams() {
    let (target, greedy, other) = office().await;
    let mut streams = Vec::new();
    let refusal = loop {
        let answer = subscription(&target, &greedy).await;
        let is_stream = answer.headers()["content-type"] == "text/event-stream";
        if !is_stream {
            break answer;
        }
        streams.push(answer);
        assert!(streams.len() < 64, "one token has every place");
    };
    let refusal: Value = refusal.json().await.unwrap();
    assert_eq!(refusal["error"]["code"], -32603, "{refusal}");
    assert!(refusal["error"]["message"].as_str().unwrap().contains("wait until something has ended"), "{refusal}");
    assert_eq!(streams.len(), 8);
    let theirs = subscription(&target, &other).await;
    assert_eq!(theirs.headers()["content-type"], "text/event-stream", "others have their own share");
}
