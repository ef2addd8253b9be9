//! Tools that do little, and a server that offers them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value, json};
use switchboard::{
    agents::Principal,
    clock,
    hub::{Caller, Hub},
    id::{self, AgentId, UserId},
    mcp::{self, Server},
    secret::Secret,
    tool::{Call, Content, Effect, Error, Kind, Outcome, Running, RuntimeTool, ToolDef, Toolset},
};

/// The capabilities of a client without any.
pub const NO_CAPABILITIES: &str = "{}";

/// What the tools did, for a test to look at.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How often `slow` began.
    pub begun: Arc<AtomicUsize>,
    /// How often `slow` was given up.
    pub dropped: Arc<AtomicUsize>,
}

impl Seen {
    /// Waits until `slow` has begun `times` times.
    pub async fn begun(&self, times: usize) {
        until(|| self.begun.load(Ordering::SeqCst) >= times).await;
    }

    /// Waits until `slow` was given up `times` times.
    pub async fn dropped(&self, times: usize) {
        until(|| self.dropped.load(Ordering::SeqCst) >= times).await;
    }
}

/// Waits at most five seconds for something to become true.
pub async fn until(is_true: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not become true within five seconds");
}

/// A server with a few tools on one page.
pub fn server() -> (Server, Hub, Seen) {
    server_with(1000)
}

/// A server with `page_size` tools on a page.
pub fn server_with(page_size: usize) -> (Server, Hub, Seen) {
    server_of(|server| server.page_size(page_size))
}

/// A server that is built a little otherwise.
pub fn server_of(otherwise: impl FnOnce(mcp::Builder) -> mcp::Builder) -> (Server, Hub, Seen) {
    let seen = Seen::default();
    let toolset = Toolset { id: "test".into(), title: "Test".into() };
    let hub = Hub::builder(clock::system(), id::os()).tools(&toolset, tools()).unwrap().state(seen.clone()).build();
    let server = Server::builder()
        .name("fixtures")
        .version("1.2.3")
        .instructions("Only for tests.")
        .hub(hub.clone())
        .answer_within(Duration::from_secs(1))
        .session_key(Secret::new("the key of the tests"));
    (otherwise(server).build(), hub, seen)
}

/// Registers a tool with this input and tells what was wrong with it.
pub fn registered(name: &str, input: Value) -> Result<(), String> {
    let toolset = Toolset { id: "test".into(), title: "Test".into() };
    let made = tool(name, Effect::Reads, input, None, |_, _| Box::pin(async { Ok(Outcome::text("")) }));
    Hub::builder(clock::system(), id::os()).tools(&toolset, [made]).map(drop)
}

/// The one who calls in these tests.
pub fn caller() -> Caller {
    let principal = Principal { user: UserId::new("ann"), agent: AgentId::new("local"), ..Principal::local() };
    Caller::new(principal)
}

/// A modern request as one message.
pub fn modern(id: impl Into<Value>, method: &str, params: Value) -> String {
    modern_with(id, method, params, NO_CAPABILITIES)
}

/// A modern request of a client with `capabilities`.
pub fn modern_with(id: impl Into<Value>, method: &str, mut params: Value, capabilities: &str) -> String {
    let capabilities: Value = serde_json::from_str(capabilities).unwrap();
    let meta = &mut params["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
    request(id, method, params)
}

/// A request as one message.
pub fn request(id: impl Into<Value>, method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}).to_string()
}

/// A notification as one message.
pub fn notification(method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// `initialize` for `version`.
pub fn initialize(id: impl Into<Value>, version: &str, capabilities: Value) -> String {
    let client = json!({"name": "test", "version": "1"});
    request(id, "initialize", json!({"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}))
}

/// `tools/call` without `_meta`.
pub fn call(tool: &str, arguments: Value) -> Value {
    json!({"name": tool, "arguments": arguments})
}

/// More than a hundred messages that are none, each with the code it deserves.
pub fn malformed() -> Vec<(Vec<u8>, i32)> {
    let mut all: Vec<(Vec<u8>, i32)> = Vec::new();
    for text in [
        "{",
        "}",
        "nonsense",
        "{]",
        "[1,",
        "\"",
        "'a'",
        "{'a':1}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{,}",
        "tru",
        "nul",
        "+1",
        "01",
        "1.",
        ".5",
        "NaN",
        "Infinity",
        "-",
        "1e",
        "0x10",
        "\u{feff}\u{feff}{}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\u{1}ng\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\x\"}",
        "// {}",
        "{}{}",
        "<xml/>",
        "undefined",
        "{\"id\":1 \"method\":2}",
        "{\"\\u12\":1}",
    ] {
        all.push((text.into(), -32700));
    }
    for bytes in [
        &b"\xff\xfe{\0}\0"[..],
        b"\x80",
        b"{\"a\":\"\xc3\x28\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"\xf8\x88\x80\x80\x80",
        b"{\"\0\":1}",
    ] {
        all.push((bytes.into(), -32700));
    }
    all.push(("[".repeat(5000).into(), -32700));
    all.push(("{\"a\":".repeat(5000).into(), -32700));
    for text in
        ["[]", "[[]]", "[{}]", "{}", "1", "-1", "1.5", "\"ping\"", "true", "null", "[\"2.0\",1,\"ping\"]", "{\"a\":1}"]
    {
        all.push((text.into(), -32600));
    }
    all.push((format!("[{}]", vec![r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#; 1000].join(",")).into(), -32600));
    all.push((format!("{}{}", "[".repeat(5000), "]".repeat(5000)).into(), -32600));
    for version in ["1.0", "2", "", "2.0 ", "3.0"] {
        all.push((json!({"jsonrpc": version, "id": 1, "method": "ping"}).to_string().into(), -32600));
    }
    for version in [json!(2.0), json!(2), json!(null), json!(["2.0"]), json!({"v": "2.0"}), json!(true)] {
        all.push((json!({"jsonrpc": version, "id": 1, "method": "ping"}).to_string().into(), -32600));
    }
    for id in ["null", "1.5", "1e2", "-1.0", "true", "false", "{}", "[]", "[1]", "{\"a\":1}", "\"\\ud800\"", "0.0"] {
        all.push((format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#).into(), -32600));
    }
    for method in ["null", "1", "true", "[]", "{}", "\"\\udfff\""] {
        all.push((format!(r#"{{"jsonrpc":"2.0","id":1,"method":{method}}}"#).into(), -32600));
    }
    for params in ["1", "\"a\"", "true", "false", "1.5"] {
        all.push((format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#).into(), -32600));
    }
    for params in ["[]", "[1]", "[{}]", "[[]]"] {
        all.push((format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#).into(), -32602));
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","result":1}"#,
        r#"{"jsonrpc":"2.0","error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}"#,
        r#"{"Jsonrpc":"2.0","Id":1,"Method":"ping"}"#,
        r#"{"JSONRPC":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","ID":1,"METHOD":"ping"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"method":"ping"}"#,
    ] {
        all.push((text.into(), -32600));
    }
    assert!(all.len() > 100, "only {} messages", all.len());
    all
}

fn tools() -> Vec<ToolDef> {
    let text = json!({"type": "object", "properties": {"text": {"type": "string", "description": "A text."}}, "required": ["text"]});
    let none = json!({"type": "object", "properties": {}});
    let number = |name: &str| json!({"type": "object", "properties": {name: {"type": "integer", "description": "A number."}}, "required": [name]});
    let headed = json!({
        "type": "object",
        "properties": {"value": {"type": "string", "description": "A text.", "x-mcp-header": "Value"}},
    });
    vec![
        tool("hello", Effect::Reads, none.clone(), None, |_, _| Box::pin(async { Ok(Outcome::text("hello")) })),
        tool("echo", Effect::Reads, text.clone(), Some(text), |arguments, _| {
            Box::pin(async move { Ok(echo(arguments)) })
        }),
        tool("slow", Effect::Reads, number("millis"), None, |arguments, cx| Box::pin(slow(arguments, cx))),
        tool("count", Effect::Reads, number("to"), None, |arguments, cx| Box::pin(count(arguments, cx))),
        tool("fail", Effect::Reads, none.clone(), None, |_, _| {
            Box::pin(async { Err(Error::new(Kind::NotFound, "There is nothing here.").next("Look elsewhere.")) })
        }),
        tool("panic", Effect::Reads, none.clone(), None, |_, _| Box::pin(async { panic!("as asked") })),
        tool("headed", Effect::Reads, headed, None, |arguments, _| {
            Box::pin(
                async move { Ok(Outcome::text(arguments.get("value").map_or("none".into(), ToString::to_string))) },
            )
        }),
        tool("parts", Effect::Reads, none.clone(), None, |_, _| Box::pin(async { Ok(parts()) })),
        tool("erase", Effect::Irreversible, none, None, |_, cx| {
            Box::pin(async move {
                cx.confirm("Erase everything?")?;
                Ok(Outcome::text("erased"))
            })
        }),
    ]
}

fn tool(
    name: &str,
    effect: Effect,
    input: Value,
    output: Option<Value>,
    handler: for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>,
) -> ToolDef {
    let tool = RuntimeTool::new(format!("The tool {name} of the tests."), input, handler);
    ToolDef::at_runtime(name, effect, RuntimeTool { output, ..tool })
}

fn echo(arguments: Map<String, Value>) -> Outcome {
    let text = arguments["text"].as_str().unwrap_or_default().to_owned();
    Outcome { structured: Some(Value::Object(arguments)), ..Outcome::text(text) }
}

async fn slow(arguments: Map<String, Value>, cx: &Call) -> Result<Outcome, Error> {
    struct Given<'a>(&'a AtomicUsize, bool);
    impl Drop for Given<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(usize::from(!self.1), Ordering::SeqCst);
        }
    }
    let seen: &Seen = cx.state()?;
    seen.begun.fetch_add(1, Ordering::SeqCst);
    let mut given = Given(&seen.dropped, false);
    tokio::time::sleep(Duration::from_millis(arguments["millis"].as_u64().unwrap_or(0))).await;
    given.1 = true;
    Ok(Outcome::text("at last"))
}

async fn count(arguments: Map<String, Value>, cx: &Call) -> Result<Outcome, Error> {
    let to = u32::try_from(arguments["to"].as_u64().unwrap_or(0)).unwrap_or(0);
    for done in 1..=to {
        cx.progress(f64::from(done), Some(f64::from(to)), "counting");
        tokio::task::yield_now().await;
    }
    Ok(Outcome::text(format!("counted to {to}")))
}

fn parts() -> Outcome {
    let content = vec![
        Content::Text("text".into()),
        Content::Image { data: "AAAA".into(), mime_type: "image/png".into() },
        Content::Audio { data: "AAAA".into(), mime_type: "audio/wav".into() },
        Content::Link { uri: "test://link".into(), name: "link".into(), mime_type: None },
        Content::Resource { uri: "test://resource".into(), mime_type: "text/plain".into(), text: "inside".into() },
    ];
    Outcome { content, ..Outcome::default() }
}
