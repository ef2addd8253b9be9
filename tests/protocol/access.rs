//! Who may come in over HTTP.

use std::sync::Arc;

use serde_json::json;
use subtle::ConstantTimeEq;
use switchboard::{
    secret::Secret,
    transport::{Access, Authenticate, Denied, Options, access::Authenticating},
};

use crate::{
    fixtures::{caller, initialize, modern, request},
    wire::Host,
};

pub const TOKEN: &str = "t0ken-of-ann";
const NARROW: &str = "t0ken-without-scope";
const BROKEN: &str = "t0ken-when-the-store-is-gone";

struct OneToken;

impl Authenticate for OneToken {
    fn authenticate<'a>(&'a self, token: &'a Secret) -> Authenticating<'a> {
        let is = |known: &str| bool::from(token.expose().as_bytes().ct_eq(known.as_bytes()));
        Box::pin(std::future::ready(match () {
            () if is(TOKEN) => Ok(caller().principal),
            () if is(NARROW) => Err(Denied::Scope("tools:write".into())),
            () if is(BROKEN) => Err(Denied::Unavailable),
            () => Err(Denied::Invalid),
        }))
    }
}

/// A server that wants a token.
pub async fn host() -> Host {
    let metadata = "https://tools.example.com/.well-known/oauth-protected-resource/mcp".to_owned();
    let options = Options { resource_metadata: Some(metadata), ..Options::new(Access::Bearer(Arc::new(OneToken))) };
    Host::start_with(options).await
}

const METADATA: &str =
    "Bearer resource_metadata=\"https://tools.example.com/.well-known/oauth-protected-resource/mcp\"";
const SCOPE: &str = "scope=\"tools:read tools:write\"";

#[tokio::test]
async fn only_the_right_token_opens_the_door() {
    let host = host().await;
    let body = modern(1, "tools/list", json!({}));
    let longer = format!("Bearer {TOKEN}x");
    let shorter = format!("Bearer {}", &TOKEN[..TOKEN.len() - 1]);
    let right = format!("Bearer {TOKEN}");
    for (header, status, challenge) in [
        (None, 401, format!("{METADATA}, {SCOPE}")),
        (Some("Bearer"), 401, format!("{METADATA}, {SCOPE}")),
        (Some("Bearer "), 401, format!("{METADATA}, {SCOPE}")),
        (Some("Basic dDp0"), 401, format!("{METADATA}, {SCOPE}")),
        (Some(TOKEN), 401, format!("{METADATA}, {SCOPE}")),
        (Some("Bearer eyJhbGciOiJub25lIn0.e30."), 401, format!("{METADATA}, error=\"invalid_token\", {SCOPE}")),
        (Some(&longer), 401, format!("{METADATA}, error=\"invalid_token\", {SCOPE}")),
        (Some(&shorter), 401, format!("{METADATA}, error=\"invalid_token\", {SCOPE}")),
        (Some(&right), 200, String::new()),
        (Some(&right.replace("Bearer", "bearer")), 200, String::new()),
        (
            Some(&format!("Bearer {NARROW}")),
            403,
            format!("{METADATA}, error=\"insufficient_scope\", scope=\"tools:write\""),
        ),
        (Some(&format!("Bearer {BROKEN}")), 503, String::new()),
    ] {
        let mut headers = vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")];
        headers.extend(header.map(|header| ("Authorization", header)));
        let mut reply = host.post(&body, &headers).await;
        assert_eq!(reply.status, status, "{header:?}");
        assert_eq!(reply.header("www-authenticate").unwrap_or_default(), challenge, "{header:?}");
        assert!(!reply.body().await.contains("t0ken"));
    }
    let twice = [("Authorization", right.as_str()), ("Authorization", right.as_str())];
    assert_eq!(host.post(&body, &twice).await.status, 401, "two tokens are none");
    let query = format!("/mcp?access_token={TOKEN}&token={TOKEN}");
    assert_eq!(host.send("POST", &query, &[("Content-Type", "application/json")], b"{}").await.status, 401);
}

#[tokio::test]
async fn every_way_in_wants_a_token() {
    let host = host().await;
    for (verb, path) in [
        ("POST", "/mcp"),
        ("GET", "/mcp"),
        ("DELETE", "/mcp"),
        ("POST", "/mcp/readonly"),
        ("POST", "/mcp/x/test"),
        ("GET", "/ws"),
    ] {
        assert_eq!(host.send(verb, path, &[], b"").await.status, 401, "{verb} {path}");
    }
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        host.address
    );
    assert_eq!(host.raw(format!("{upgrade}\r\n")).await.status, 401);
    assert_eq!(host.raw(format!("{upgrade}Authorization: Bearer {TOKEN}\r\n\r\n")).await.status, 101);
}

#[tokio::test]
async fn a_session_is_no_credential() {
    let host = host().await;
    let right = format!("Bearer {TOKEN}");
    let started = host.post(initialize(0, "2025-11-25", json!({})), &[("Authorization", &right)]).await;
    let id = started.header("mcp-session-id").unwrap();
    let ping = request(1, "ping", json!({}));
    assert_eq!(host.post(&ping, &[("Mcp-Session-Id", id)]).await.status, 401);
    assert_eq!(host.post(&ping, &[("Mcp-Session-Id", id), ("Authorization", &right)]).await.status, 200);
}
