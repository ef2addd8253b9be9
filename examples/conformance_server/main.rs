//! The server that the official conformance suite of the protocol wants to see: its tools, resources and prompts.
//!
//! `cargo run --example conformance_server -- --port 7600`, and in another terminal
//! `npx @modelcontextprotocol/conformance server --url http://127.0.0.1:7600/mcp --requirements 2026-07-28`.

mod asking;
mod content;
mod rounds;
mod shelf;
mod tasks;

use serde_json::{Map, Value, json};
use switchboard::{
    agents::Principal,
    clock,
    hub::Hub,
    id,
    mcp::Server,
    shelf::Changes,
    tool::{Call, Effect, Running, RuntimeTool, ToolDef, Toolset},
    transport::{self, Access, Options},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--port").skip(1);
    let port: u16 = arguments.next().unwrap_or_default().parse().map_err(|_| "say --port and a number")?;
    let changes = Changes::new();
    let toolset = Toolset { id: "test".into(), title: "Test".into() };
    let tools = content::tools().into_iter().chain(asking::tools()).chain(rounds::tools()).chain(tasks::tools());
    let hub = Hub::builder(clock::system(), id::os()).tools(&toolset, tools)?.state(changes.clone()).build();
    let server = Server::builder()
        .name("conformance-server")
        .hub(hub)
        .shelf(shelf::shelf()?)
        .changes(changes)
        .logging()
        .tasks()
        .build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    Ok(transport::serve(listener, server, Options::new(Access::Open(Principal::local()))).await?)
}

/// A tool that takes nothing.
fn plain(name: &str, description: &str, body: for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>) -> ToolDef {
    tool(name, description, json!({"type": "object", "properties": {}}), body)
}

/// A tool that takes what `input`, a JSON schema, says.
fn tool(
    name: &str,
    description: &str,
    input: Value,
    body: for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>,
) -> ToolDef {
    ToolDef::at_runtime(name, Effect::Reads, RuntimeTool::new(description, input, body))
}
