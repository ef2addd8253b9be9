//! A whole connection: lines in, lines out.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use serde_json::{Map, Value, json};
use switchboard::{
    clock,
    hub::{Caller, Hub},
    id::SeededEntropy,
    mcp::{
        Pipe, Server,
        envelope::{self, Envelope},
    },
    shelf::{About, Contents, Message, Prompt, Resource, Shelf, Template},
    tool::{Ask, Call, Effect, Level, Outcome, Result, Running, RuntimeTool, ToolDef, Toolset},
    transport::stdio::{Lines, Next},
};
use tokio::sync::mpsc;

/// How long a line may be here.
const LONGEST: usize = 64 << 10;

/// Whatever comes in: what goes out is JSON-RPC, no request is answered twice or without having been made, nothing
/// breaks on our side, and the connection can be closed.
pub fn pipe(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let said = runtime.expect("a runtime starts").block_on(talk(data));
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    for message in data.split(|byte| *byte == b'\n').flat_map(members) {
        let id = match envelope::decode(message) {
            Ok(Envelope::Request(request)) => Some(request.id),
            Ok(_) => None,
            Err(refusal) => refusal.id,
        };
        if let Some(id) = id {
            *asked.entry(id.as_json().to_owned()).or_default() += 1;
        }
    }
    for line in said {
        assert!(!line.contains('\n'), "{line}");
        for message in members(line.as_bytes()) {
            check(message, &mut asked);
        }
    }
}

/// The messages of a line: several when it is a batch.
fn members(line: &[u8]) -> Vec<&[u8]> {
    match envelope::batch(line) {
        Ok(members) if envelope::is_batch(line) => members.iter().map(|member| member.get().as_bytes()).collect(),
        _ => vec![line],
    }
}

/// One message of ours; an answer takes one from what was asked.
fn check(message: &[u8], asked: &mut BTreeMap<String, usize>) {
    let text = String::from_utf8_lossy(message);
    let said: Value = serde_json::from_slice(message).unwrap_or_else(|_| panic!("not JSON: {text}"));
    assert_eq!(said["jsonrpc"], "2.0", "{text}");
    assert_ne!(said["error"]["code"], -32603, "{text}");
    if said.get("method").is_none()
        && let Ok(Envelope::Response(answer)) = envelope::decode(message)
    {
        let left = asked.get_mut(answer.id.as_json()).filter(|left| **left > 0);
        *left.unwrap_or_else(|| panic!("nobody asked: {text}")) -= 1;
    }
}

async fn talk(data: &[u8]) -> Vec<String> {
    let (outbox, mut messages) = mpsc::channel(1 << 16);
    let pipe = Pipe::new(server(), Caller::local(), outbox);
    let mut lines = Lines::new(data);
    loop {
        match lines.next(LONGEST).await.expect("bytes can be read") {
            Next::Line => pipe.receive(lines.content()).await,
            Next::TooLong => pipe.too_long(LONGEST).await,
            Next::End => break,
        }
        tokio::task::yield_now().await;
    }
    pipe.close(Duration::from_secs(1)).await;
    let mut said = Vec::new();
    while let Some(message) = messages.recv().await {
        said.push(message.text);
    }
    said
}

fn server() -> Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(make).clone()
}

fn make() -> Server {
    let toolset = Toolset { id: "test".into(), title: "Test".into() };
    let tools = [
        tool("echo", |given, _| Box::pin(async { Ok(Outcome::text(Value::Object(given).to_string())) })),
        tool("ask", |_, cx| Box::pin(asks(cx))),
    ];
    let hub = Hub::builder(clock::system(), SeededEntropy::new(1)).tools(&toolset, tools).expect("they are tools");
    let server = Server::builder().hub(hub.build()).shelf(shelf()).logging().page_size(1);
    server.entropy(SeededEntropy::new(2)).build()
}

fn tool(name: &str, body: for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>) -> ToolDef {
    let input = json!({"type": "object", "properties": {"n": {"type": "integer", "description": "A number."}}});
    ToolDef::at_runtime(name, Effect::Reads, RuntimeTool::new(format!("The tool {name}."), input, body))
}

async fn asks(cx: &Call) -> Result<Outcome> {
    cx.log(Level::Error, "asking");
    cx.progress(1.0, None, "asking");
    let form = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let answers = cx.ask([Ask::form("who", "Who?", form), Ask::roots("roots")]).await?;
    Ok(Outcome::text(Value::from(answers).to_string()))
}

fn shelf() -> Shelf {
    let read = |uri: String| async move { Ok(vec![Contents::text(uri, "text/plain", "a note")]) };
    let shelf = Shelf::builder()
        .resource(Resource::new("a://1", "one"), move |uri, _| Box::pin(read(uri)))
        .template(Template::new("a://{b}/{c}", "two"), move |uri, _, _| Box::pin(read(uri)))
        .prompt(Prompt::new("p", "Says something.").needs("t", "What about."), |given, _| {
            Box::pin(async move { Ok(vec![Message::user(given["t"].clone())]) })
        })
        .completes(About::Prompt("p".into()), "t", |partial, _| Box::pin(async { Ok(vec![partial.value]) }));
    shelf.build().expect("it is a shelf")
}
