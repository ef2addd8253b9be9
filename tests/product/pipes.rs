//! The same over a pipe, where no server is there for browsers until somebody is sent to one.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    browser::Browser,
    connecting::{connected_to_read, disconnect},
    support::{Home, in_days},
};

const LIST: &str = "google_calendar_list_meetings";

/// `switchboard stdio` as a client runs it.
struct Pipe {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Pipe {
    fn start(home: &Home) -> Pipe {
        let mut command = Command::from(home.stdio());
        let mut child = command.stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Pipe { input, output: BufReader::new(output).lines(), _child: child }
    }

    async fn send(&mut self, message: Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// The next message that fits; those before it are passed over.
    async fn next(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.output.next_line().await.unwrap().expect("the server goes on");
            let message: Value = serde_json::from_str(&line).unwrap();
            if fits(&message) {
                return message;
            }
        }
    }

    /// Begins in the protocol of 2025-11-25.
    async fn begin(home: &Home, abilities: Value) -> Pipe {
        let mut pipe = Pipe::start(home);
        let about = json!({"protocolVersion": "2025-11-25", "capabilities": abilities, "clientInfo": {"name": "t", "version": "1"}});
        pipe.send(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about})).await;
        assert_eq!(pipe.answer(1).await["result"]["protocolVersion"], "2025-11-25");
        pipe.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        pipe
    }

    async fn answer(&mut self, id: u32) -> Value {
        self.next(|message| message["id"] == id && message["method"].is_null()).await
    }

    /// Shakes hands as a client of 2025-11-25 that can open pages.
    async fn legacy(home: &Home) -> Pipe {
        Pipe::begin(home, json!({"elicitation": {"form": {}, "url": {}}})).await
    }

    async fn call(&mut self, id: u32, tool: &str, arguments: Value) {
        let params = json!({"name": tool, "arguments": arguments});
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})).await;
    }

    /// Says yes to the page that the server asks for next, and returns its address.
    async fn visit(&mut self) -> String {
        // An answer instead of the question would leave this waiting for ever.
        let asked =
            self.next(|message| message["method"] == "elicitation/create" || !message["result"].is_null()).await;
        assert_eq!(asked["params"]["mode"], "url", "{asked}");
        self.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}})).await;
        asked["params"]["url"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_client_of_2025_11_25_is_asked_for_a_permission_that_is_missing() {
    let home = Home::new();
    disconnect(&home);
    let mut pipe = Pipe::legacy(&home).await;
    pipe.call(2, "switchboard_connect", json!({"integration": "google-calendar"})).await;
    let url = pipe.visit().await;
    connected_to_read(&home, &url).await;
    assert!(pipe.answer(2).await["result"]["isError"] != true);

    let lunch = json!({"title": "Lunch", "start": in_days(90, "12:00"), "duration_minutes": 30});
    pipe.call(3, "google_calendar_schedule_meeting", lunch).await;
    let url = pipe.visit().await;
    Browser::new().connect(&url).await;
    let done = pipe.answer(3).await;
    assert!(done["result"]["isError"] != true && done["error"].is_null(), "{done}");
}

#[tokio::test]
async fn a_client_of_2025_11_25_is_asked_while_its_call_waits() {
    let home = Home::new();
    disconnect(&home);
    let mut pipe = Pipe::legacy(&home).await;
    let call = json!({"name": LIST, "arguments": {}});
    pipe.send(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call})).await;
    let asked = pipe.next(|message| message["method"] == "elicitation/create").await;
    assert_eq!(asked["params"]["mode"], "url", "{asked}");
    let (url, name) = (asked["params"]["url"].as_str().unwrap().to_owned(), asked["params"]["elicitationId"].clone());
    pipe.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}})).await;
    let done = Browser::new().connect(&url).await;
    assert!(done.text.contains("Google Calendar is connected"), "{}", done.text);

    let (mut told, mut answer) = (Value::Null, Value::Null);
    while told.is_null() || answer.is_null() {
        let heard = |message: &Value| message["id"] == 2 || message["method"] == "notifications/elicitation/complete";
        let message = pipe.next(heard).await;
        if message["id"] == 2 { answer = message } else { told = message }
    }
    assert_eq!(told["params"]["elicitationId"], name);
    assert!(answer["result"]["structuredContent"]["meetings"].is_array(), "{answer}");
}

#[tokio::test]
async fn a_client_of_2026_07_28_repeats_its_call() {
    let home = Home::new();
    disconnect(&home);
    let mut pipe = Pipe::start(&home);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    });
    let mut params = json!({"name": LIST, "arguments": {}, "_meta": meta});
    pipe.send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})).await;
    let asked = pipe.answer(1).await["result"].clone();
    let url = asked["inputRequests"]["connect"]["params"]["url"].as_str().unwrap_or_else(|| panic!("{asked}"));
    Browser::new().connect(url).await;
    params["requestState"] = asked["requestState"].clone();
    params["inputResponses"] = json!({"connect": {"action": "accept"}});
    pipe.send(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})).await;
    let answer = pipe.answer(2).await;
    assert!(answer["result"]["structuredContent"]["meetings"].is_array(), "{answer}");
}

#[tokio::test]
async fn what_the_client_of_one_process_connects_the_clients_of_others_hear() {
    let home = Home::new();
    disconnect(&home);
    let (mut first, mut second) = (Pipe::begin(&home, json!({})).await, Pipe::begin(&home, json!({})).await);
    let mut third = Pipe::start(&home);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    });
    let listen = json!({"notifications": {"toolsListChanged": true}, "_meta": meta});
    third.send(json!({"jsonrpc": "2.0", "id": "ear", "method": "subscriptions/listen", "params": listen})).await;
    third.next(|message| message["method"] == "notifications/subscriptions/acknowledged").await;

    let connect = json!({"name": "switchboard_connect", "arguments": {"integration": "google-calendar"}});
    second.send(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": connect})).await;
    let told = second.answer(2).await;
    let text = told["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{told}"));
    let url = text.split(' ').find(|word| word.contains("/connect/")).unwrap_or_else(|| panic!("{text}"));
    Browser::new().connect(url).await;
    for pipe in [&mut first, &mut second, &mut third] {
        pipe.next(|message| message["method"] == "notifications/tools/list_changed").await;
    }
    first.send(json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list"})).await;
    let tools = first.answer(3).await["result"]["tools"].to_string();
    assert!(tools.contains(LIST), "{tools}");
}
