//! Clients that are not ours work with the real program, over the real transports.
//!
//! Every client lives through the same [`story`]; what differs is who speaks, which protocol, and over what.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod driven;
mod inspector;
mod rust_sdk;
mod story;
mod websocket;

use serde_json::{Map, Value};

use self::{
    driven::{Driven, Script},
    rust_sdk::RustSdk,
    support::Home,
    websocket::WebSocket,
};

/// The protocol revisions that the clients agree on.
const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";

/// Whether a client has somebody to ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Company {
    /// A person who answers.
    Person,
    /// Nobody: the client cannot elicit.
    Nobody,
}

#[tokio::test]
async fn the_rust_sdk_books_over_stdio() {
    let home = Home::new();
    for version in [MODERN, LEGACY] {
        story::is_lived(version, async |company| RustSdk::stdio(&home, version, company).await).await;
    }
}

#[tokio::test]
async fn the_rust_sdk_books_over_http() {
    let home = Home::new();
    let server = home.serve();
    for version in [MODERN, LEGACY] {
        story::is_lived(version, async |company| RustSdk::http(&server, version, company).await).await;
    }
}

#[tokio::test]
async fn the_modern_python_client_books() {
    books(Script::MODERN, MODERN).await;
}

#[tokio::test]
async fn the_legacy_python_client_books() {
    books(Script::LEGACY, LEGACY).await;
}

#[tokio::test]
async fn the_modern_typescript_client_books() {
    books(Script::TYPESCRIPT_MODERN, MODERN).await;
}

#[tokio::test]
async fn the_legacy_typescript_client_books() {
    books(Script::TYPESCRIPT_LEGACY, LEGACY).await;
}

#[tokio::test]
async fn fastmcp_books() {
    books(Script::FAST_MCP, MODERN).await;
}

#[tokio::test]
async fn openai_agents_look_around() {
    looks_around(Script::OPENAI_AGENTS, MODERN).await;
}

#[tokio::test]
async fn langchain_looks_around() {
    looks_around(Script::LANGCHAIN, LEGACY).await;
}

#[tokio::test]
async fn pipecat_looks_around() {
    looks_around(Script::PIPECAT, LEGACY).await;
}

#[tokio::test]
async fn the_inspector_looks_around() {
    let Some(inspector) = inspector::Inspector::find() else { return };
    let home = Home::new();
    let server = home.serve();
    for version in [MODERN, LEGACY] {
        story::is_glimpsed(version, inspector.on(version, home.stdio())).await;
        story::is_glimpsed(version, inspector.at(version, &server)).await;
    }
}

#[tokio::test]
async fn the_jsonrpsee_client_books_over_a_websocket() {
    let home = Home::new();
    let server = home.serve();
    story::is_lived(MODERN, async |company| WebSocket::connect(&server, company).await).await;
}

/// The whole story, over stdio and over HTTP.
async fn books(script: Script, version: &str) {
    let Some(interpreter) = script.interpreter() else { return };
    let home = Home::new();
    story::is_lived(version, async |company| Driven::stdio(&interpreter, script, &home, company).await).await;
    let home = Home::new();
    let server = home.serve();
    story::is_lived(version, async |company| Driven::http(&interpreter, script, &home, &server, company).await).await;
}

/// The part of the story for clients that nobody can be asked through.
async fn looks_around(script: Script, version: &str) {
    let Some(interpreter) = script.interpreter() else { return };
    let home = Home::new();
    story::is_glimpsed(version, Driven::stdio(&interpreter, script, &home, Company::Nobody).await).await;
    let home = Home::new();
    let server = home.serve();
    story::is_glimpsed(version, Driven::http(&interpreter, script, &home, &server, Company::Nobody).await).await;
}

/// The content of a form in which every yes-or-no field says yes.
fn yes_to(schema: &Value) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let asked = fields.filter(|(_, field)| field["type"] == "boolean");
    Value::Object(asked.map(|(name, _)| (name.clone(), Value::Bool(true))).collect::<Map<_, _>>())
}
