//! A server with tools of its own: one declared as a type, one made at run time.
//!
//! `cargo run --example own_tools` serves it on stdin and stdout; with `-- --port 7500` it serves `/mcp` and `/ws`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use switchboard::{
    agents::Principal,
    clock,
    hub::{Caller, Hub},
    id,
    mcp::Server,
    tool::{Answer, Call, Effect, Outcome, Result, RuntimeTool, Scopes, Tool, ToolDef, Toolset},
    transport::{self, Access, Options},
};

/// Counts the words of a text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CountWords {
    /// The text, such as `to be or not to be`.
    text: String,
}

/// How many there are.
#[derive(Serialize, JsonSchema)]
struct Counted {
    /// In words.
    words: usize,
}

impl Answer for Counted {
    fn text(&self) -> String {
        format!("{} words", self.words)
    }
}

impl Tool for CountWords {
    const NAME: &'static str = "text_count_words";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Counted;

    async fn call(self, _cx: &Call) -> Result<Counted> {
        Ok(Counted { words: self.text.split_whitespace().count() })
    }
}

const TYPED: &[ToolDef] = &[ToolDef::of::<CountWords>()];

/// A tool whose schema is known only at run time; it finds what the server gave it by its type.
fn greeting() -> ToolDef {
    let input = json!({"type": "object", "required": ["name"], "additionalProperties": false, "properties": {
        "name": {"type": "string", "description": "Whom to greet, such as `Ana`.", "minLength": 1},
    }});
    let tool = RuntimeTool::new("Greets somebody by name.", input, |given, cx| Box::pin(greet(given, cx)));
    ToolDef::at_runtime("text_greet", Effect::Reads, tool.title("Greet"))
}

#[expect(clippy::unused_async, reason = "tools are async; most wait for somebody")]
async fn greet(given: Map<String, Value>, cx: &Call) -> Result<Outcome> {
    let Salutation(salutation) = cx.state()?;
    let name = given["name"].as_str().unwrap_or_default();
    Ok(Outcome::text(format!("{salutation}, {name}!")))
}

/// What the server gives its tools.
struct Salutation(&'static str);

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let toolset = Toolset { id: "text".into(), title: "Text".into() };
    let hub = Hub::builder(clock::system(), id::os())
        .constants(&toolset, TYPED)
        .tools(&toolset, [greeting()])?
        .state(Salutation("Hello"))
        .build();
    let server = Server::builder().name("own-tools").hub(hub).build();

    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("--port") {
        return Ok(transport::stdio::serve(server, Caller::local()).await?);
    }
    let port = arguments.next().unwrap_or_default();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    Ok(transport::serve(listener, server, Options::new(Access::Open(Principal::local()))).await?)
}
