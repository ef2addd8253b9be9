//! A call does nothing for a client that has gone: one that waits for a person ends, one that looks goes no further,
//! and only a write that has begun is carried to its end. The same in both eras of the protocol and over every way in.

use std::{process::Stdio, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout},
    time::{sleep, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{browser::Browser, client, legacy::Session, target::Target};

const TICKET: &str = "hubspot_create_ticket";
const LUNCH: &str = "google_calendar_schedule_meeting";

/// How long the vendor takes for one answer, in seconds: nobody's call is beyond its first read when its client goes.
const SLOW: u64 = 4;

/// A client that speaks in messages: over a socket, or over the pipes of a process of its own.
#[expect(clippy::large_enum_variant, reason = "a test has a handful of them")]
enum Wire {
    Socket(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
    Pipe { _child: Child, input: ChildStdin, lines: Lines<BufReader<ChildStdout>> },
}

impl Wire {
    async fn socket(target: &Target) -> Wire {
        Wire::Socket(Box::new(connect_async(target.server.websocket()).await.unwrap().0))
    }

    fn pipe(target: &Target) -> Wire {
        let mut command = tokio::process::Command::from(target.home.stdio());
        let mut child = command.stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Wire::Pipe { _child: child, input, lines: BufReader::new(output).lines() }
    }

    async fn send(&mut self, message: Value) {
        match self {
            Wire::Socket(socket) => socket.send(Message::text(message.to_string())).await.unwrap(),
            Wire::Pipe { input, .. } => input.write_all(format!("{message}\n").as_bytes()).await.unwrap(),
        }
    }

    async fn receive(&mut self) -> Value {
        let text = timeout(Duration::from_mins(1), async {
            match self {
                Wire::Socket(socket) => loop {
                    if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
                        return text.to_string();
                    }
                },
                Wire::Pipe { lines, .. } => lines.next_line().await.unwrap().unwrap(),
            }
        });
        serde_json::from_str(&text.await.expect("a message in time")).unwrap()
    }

    /// The next message for which `is_meant` holds.
    async fn await_one(&mut self, is_meant: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.receive().await;
            if is_meant(&message) {
                return message;
            }
        }
    }

    /// Begins the conversation of a client of 2025-11-25 that can send a person to a page.
    async fn greet(mut self) -> Wire {
        let client = json!({"name": "test", "version": "1"});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {"url": {}, "form": {}}},
            "clientInfo": client});
        self.send(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})).await;
        self.await_one(|message| message["id"] == 1).await;
        self.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        self
    }

    async fn call(&mut self, tool: &str, arguments: Value) {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": "p"}});
        self.send(json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})).await;
    }

    /// Calls a tool whose account is missing, goes to the page, and waits until the call waits for it.
    async fn wait_for_account(&mut self, tool: &str, arguments: Value) {
        self.call(tool, arguments).await;
        let asked = self.await_one(|message| message["method"] == "elicitation/create").await;
        assert_eq!(asked["params"]["mode"], "url", "{asked}");
        self.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}})).await;
        self.await_one(|message| message["method"] == "notifications/progress").await;
    }

    async fn cancel(&mut self) {
        self.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})).await;
    }
}

/// A modern request with its headers, as it leaves.
fn modern(target: &Target, id: u32, params: &Value) -> reqwest::RequestBuilder {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    });
    let http = client::http().post(target.server.url("/mcp")).header("Accept", "application/json, text/event-stream");
    let http = http.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tools/call");
    let http = http.header("Mcp-Name", params["name"].as_str().unwrap());
    http.json(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}))
}

fn run(target: &Target, arguments: &[&str]) -> Value {
    let done = target.home.command(&[arguments, &["--sandbox"]].concat()).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

/// What is different in the twins' books.
fn changes(target: &Target) -> Vec<Value> {
    let diff = run(target, &["sandbox", "diff", "--json"]);
    let vendors = diff["vendors"].as_array().cloned().unwrap_or_default();
    let lists = ["added", "changed", "removed", "mails"];
    let all = vendors.iter().flat_map(|vendor| lists.map(|list| vendor[list].as_array().cloned().unwrap_or_default()));
    all.flatten().collect()
}

/// How the calls of a tool ended, as the audit has it: `ok`, or why not.
fn endings(target: &Target, tool: &str) -> Vec<String> {
    let page = run(target, &["audit", "--json", "--tool", tool]);
    let told = |entry: &Value| ["code", "why", "outcome"].iter().find_map(|key| entry[key].as_str().map(str::to_owned));
    let told = page["entries"].as_array().unwrap().iter().map(|entry| told(&entry["outcome"]).unwrap());
    // What has begun and is not known to have ended.
    told.filter(|ending| ending != "begun").collect()
}

/// Waits until so many calls of a tool have ended.
async fn ended(target: &Target, tool: &str, count: usize) -> Vec<String> {
    for _ in 0..200 {
        let endings = endings(target, tool);
        if endings.len() >= count {
            return endings;
        }
        sleep(Duration::from_millis(300)).await;
    }
    panic!("{:?} of {count} calls of {tool} ended", endings(target, tool))
}

/// Gives a call time to come to the vendor; if it is slower than that, its client goes before it has begun.
async fn meanwhile() {
    sleep(Duration::from_millis(600)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_only_looked_so_far_ends_with_its_client() {
    let target = Target::sandbox();
    run(&target, &["sandbox", "fault", "hubspot", &format!("slow:{SLOW}s")]);
    let ticket = || json!({"subject": "Belt squeaks"});
    let over_http = async {
        let call = modern(&target, 1, &json!({"name": TICKET, "arguments": ticket()}));
        assert!(timeout(Duration::from_millis(600), call.send()).await.is_err(), "it answers too soon");
    };
    let cancelled_in_session = async {
        let session = Session::begin(&target.server, json!({})).await;
        let call = session.request(7, "tools/call", json!({"name": TICKET, "arguments": ticket()}));
        let cancelling = async {
            meanwhile().await;
            session.notify("notifications/cancelled", json!({"requestId": 7})).await;
        };
        tokio::join!(call, cancelling);
    };
    let cancelled = async |wire: Wire| {
        let mut wire = wire.greet().await;
        wire.call(TICKET, ticket()).await;
        meanwhile().await;
        wire.cancel().await;
        sleep(Duration::from_secs(SLOW)).await;
    };
    let closed = async |wire: Wire| {
        let mut wire = wire.greet().await;
        wire.call(TICKET, ticket()).await;
        meanwhile().await;
        drop(wire);
    };
    let over_rest = async {
        let url = target.server.url(&format!("/api/v1/tools/{TICKET}/call"));
        let call = client::http().post(url).json(&json!({"arguments": ticket()})).send();
        assert!(timeout(Duration::from_millis(600), call).await.is_err(), "it answers too soon");
    };
    let by_command = async {
        let command = target.home.command(&["call", TICKET, "subject=Belt squeaks", "--sandbox"]);
        let child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        // It has to start first, and is gone before the vendor has answered.
        sleep(Duration::from_secs(3)).await;
        drop(child);
    };
    let (socket, closing) = (Wire::socket(&target).await, Wire::socket(&target).await);
    tokio::join!(
        over_http,
        cancelled_in_session,
        cancelled(socket),
        cancelled(Wire::pipe(&target)),
        closed(closing),
        closed(Wire::pipe(&target)),
        over_rest,
        by_command,
    );
    let endings = ended(&target, TICKET, 8).await;
    assert!(endings.iter().all(|ending| ending == "cancelled"), "{endings:?}");
    sleep(Duration::from_secs(SLOW)).await;
    assert_eq!(changes(&target), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_its_account_does_nothing_for_who_has_gone() {
    let target = Target::sandbox();
    run(&target, &["disconnect", "google-calendar"]);
    let lunch = |who: &str| json!({"title": who, "start": "2099-03-02T12:00", "duration_minutes": 30});
    let waiting = async |who: &str, wire: Wire| {
        let mut wire = wire.greet().await;
        wire.wait_for_account(LUNCH, lunch(who)).await;
        wire
    };
    let (cancelling, closing, staying) =
        (Wire::socket(&target).await, Wire::socket(&target).await, Wire::socket(&target).await);
    let (mut cancelling, closing, mut staying, mut pipe, ending) = tokio::join!(
        waiting("cancelling", cancelling),
        waiting("closing", closing),
        waiting("staying", staying),
        waiting("cancelling in a pipe", Wire::pipe(&target)),
        waiting("ending a pipe", Wire::pipe(&target)),
    );
    let call = json!({"name": LUNCH, "arguments": lunch("leaving")});
    let asked: Value = modern(&target, 1, &call).send().await.unwrap().json().await.unwrap();
    let asked = &asked["result"];
    let page = asked["inputRequests"]["connect"]["params"]["url"].as_str().unwrap_or_else(|| panic!("{asked}"));
    let again = json!({"name": LUNCH, "arguments": lunch("leaving"), "requestState": asked["requestState"],
        "inputResponses": {"connect": {"action": "accept"}}});
    assert!(timeout(Duration::from_millis(600), modern(&target, 2, &again).send()).await.is_err(), "it does not wait");

    cancelling.cancel().await;
    pipe.cancel().await;
    drop((closing, ending));
    // Five are cancelled, and the one before them was told of the page.
    ended(&target, LUNCH, 6).await;
    let done = Browser::new().connect(page).await;
    assert!(done.text.contains("Google Calendar is connected"), "{}", done.text);
    let answer = staying.await_one(|message| message["id"] == 7).await;
    assert!(answer["result"]["isError"].is_null(), "who stays gets it: {answer}");
    let endings = ended(&target, LUNCH, 7).await;
    let count = |why: &str| endings.iter().filter(|ending| *ending == why).count();
    assert_eq!((count("cancelled"), count("ok")), (5, 1), "{endings:?}");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(changes(&target).len(), 1, "{:?}", changes(&target));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_has_begun_is_carried_to_its_end_and_written_down() {
    let target = Target::sandbox();
    // What it looks up first is known afterwards, so that the write is its first request.
    let ticket = |subject: &str| json!({"name": TICKET, "arguments": {"subject": subject}});
    modern(&target, 1, &ticket("Belt squeaks")).send().await.unwrap();
    run(&target, &["sandbox", "fault", "hubspot", "slow:3s"]);
    let call = modern(&target, 2, &ticket("Belt tears"));
    assert!(timeout(Duration::from_millis(1500), call.send()).await.is_err(), "it answers too soon");
    let endings = ended(&target, TICKET, 2).await;
    assert_eq!(endings, ["ok", "ok"], "the call was carried to its end");
    assert_eq!(changes(&target).len(), 2);
}
