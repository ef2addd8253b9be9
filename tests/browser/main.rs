//! The console in a real browser: what a person sees, clicks and types.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

#[path = "../support/mod.rs"]
mod support;

mod agents;
#[cfg(feature = "voice")]
mod calls;
mod driver;
#[cfg(feature = "voice")]
#[path = "../voice/fakes.rs"]
#[allow(dead_code, reason = "the tests of the voice use all of it")]
mod fakes;
mod integrations;
mod keyboard;
mod people;
mod sizes;

use serde_json::{Value, json};
use support::{Home, Server};

use crate::driver::Browser;

/// A server that asks everybody for a token, on an empty directory, and its administrator's.
fn guarded(home: &Home) -> (Server, String) {
    let server = Server::start(home.command(&["serve", "--listen", "127.0.0.1:0"]));
    let log = server.log();
    let at = log.find("swb_").unwrap_or_else(|| panic!("no token in {log}"));
    let token = log[at..].split_whitespace().next().unwrap().to_owned();
    (server, token)
}

/// Signs in with a token, and waits for the console.
async fn sign_in(browser: &Browser, server: &Server, token: &str) {
    browser.open(&server.url("/")).await;
    browser.write("//input[@name='token']", token).await;
    browser.click("//button[text()='Sign in']").await;
    browser.find("//h1[text()='Integrations']").await;
}

/// The names of the tools that a client with this token sees at `/mcp`.
async fn tools_over_mcp(server: &Server, token: &str) -> Vec<String> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |body: Value| {
        let request = http.post(server.url("/mcp")).bearer_auth(token).json(&body);
        request.header("Accept", "application/json, text/event-stream")
    };
    let about = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "snippet", "version": "1" } });
    let begun = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about });
    let begun = post(begun).send().await.unwrap();
    assert_eq!(begun.status(), 200, "{}", begun.text().await.unwrap());
    let session = begun.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let listed = post(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }))
        .header("Mcp-Session-Id", session)
        .header("MCP-Protocol-Version", "2025-06-18");
    let listed: Value = listed.send().await.unwrap().json().await.unwrap();
    let names = listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("{listed}")).iter();
    names.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}
