//! Lines over a pair of byte streams.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::{
    hub::Hub,
    mcp::Server,
    transport::stdio::{Options, serve_on},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::fixtures::{self, Seen, call, caller, initialize, modern, modern_with, notification, request};

/// A client on a pair of byte streams.
pub struct Client {
    writer: WriteHalf<DuplexStream>,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    served: JoinHandle<std::io::Result<()>>,
    hub: Hub,
    pub seen: Seen,
}

impl Client {
    fn start() -> Client {
        Client::start_with(Options { longest_line: 100_000 })
    }

    fn start_with(options: Options) -> Client {
        Client::start_on(fixtures::server(), options)
    }

    /// A client of this server.
    pub fn start_on((server, hub, seen): (Server, Hub, Seen), options: Options) -> Client {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (input, output) = tokio::io::split(theirs);
        let served = tokio::spawn(serve_on(server, caller(), input, output, options));
        let (reader, writer) = tokio::io::split(ours);
        Client { writer, lines: BufReader::new(reader).lines(), served, hub, seen }
    }

    pub async fn send(&mut self, message: impl AsRef<[u8]>) {
        self.writer.write_all(message.as_ref()).await.unwrap();
        self.writer.write_all(b"\n").await.unwrap();
    }

    pub async fn receive(&mut self) -> Value {
        let line = timeout(Duration::from_secs(5), self.lines.next_line()).await.expect("an answer in time");
        serde_json::from_str(&line.unwrap().expect("the connection is open")).unwrap()
    }

    pub async fn ask(&mut self, message: impl AsRef<[u8]>) -> Value {
        self.send(message).await;
        self.receive().await
    }

    /// Nothing is on its way: the next thing that comes is the answer to this ping.
    pub async fn is_quiet(&mut self) {
        let answer = self.ask(r#"{"jsonrpc":"2.0","id":"quiet?","method":"ping"}"#).await;
        assert_eq!(answer["id"], "quiet?", "{answer}");
        assert_eq!(answer["result"], json!({}));
    }

    async fn end(self) -> std::io::Result<()> {
        let Client { mut writer, served, .. } = self;
        writer.shutdown().await.unwrap();
        timeout(Duration::from_secs(2), served).await.expect("it ends in time").unwrap()
    }
}

#[tokio::test]
async fn a_modern_client_needs_no_handshake() {
    let mut client = Client::start();
    let found = client.ask(modern(1, "server/discover", json!({}))).await;
    let result = &found["result"];
    assert_eq!(result["supportedVersions"], json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]));
    assert_eq!(result["capabilities"], json!({"tools": {"listChanged": true}}));
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["instructions"], "Only for tests.");
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"], json!({"name": "fixtures", "version": "1.2.3"}));
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string());

    let list = client.ask(modern("list", "tools/list", json!({}))).await;
    assert_eq!(list["id"], "list");
    assert_eq!(list["result"]["tools"][0]["name"], "hello");
    assert_eq!(list["result"]["cacheScope"], "private");
    assert!(list["result"].get("nextCursor").is_none());

    let said = client.ask(modern(-1, "tools/call", call("echo", json!({"text": "grüß dich"})))).await;
    assert_eq!(said["id"], -1);
    assert_eq!(said["result"]["content"], json!([{"type": "text", "text": "grüß dich"}]));
    assert_eq!(said["result"]["structuredContent"], json!({"text": "grüß dich"}));
    assert_eq!(said["result"]["resultType"], "complete");
    client.end().await.unwrap();
}

#[tokio::test]
async fn a_legacy_client_shakes_hands() {
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::start();
        let hello = client.ask(initialize(0, version, json!({}))).await;
        assert_eq!(hello["result"]["protocolVersion"], version);
        assert_eq!(hello["result"]["capabilities"], json!({"tools": {"listChanged": true}}));
        assert_eq!(hello["result"]["serverInfo"]["name"], "fixtures");
        assert!(hello["result"].get("resultType").is_none());
        client.send(notification("notifications/initialized", json!({}))).await;
        let list = client.ask(request(1, "tools/list", json!({}))).await;
        let echo = &list["result"]["tools"][1];
        assert_eq!(echo.get("outputSchema").is_some(), version != "2025-03-26", "{version}");
        assert!(list["result"].get("resultType").is_none());
        let said = client.ask(request(2, "tools/call", call("echo", json!({"text": "a"})))).await;
        assert_eq!(said["result"].get("structuredContent").is_some(), version != "2025-03-26", "{version}");
        let parts = client.ask(request(3, "tools/call", json!({"name": "parts"}))).await;
        let link = if version == "2025-03-26" { "text" } else { "resource_link" };
        assert_eq!(parts["result"]["content"][3]["type"], link);
        client.end().await.unwrap();
    }
}

#[tokio::test]
async fn eras_are_told_apart_request_by_request() {
    let mut client = Client::start();
    let early = client.ask(request(1, "tools/list", json!({}))).await;
    assert_eq!(early["error"]["code"], -32602);
    let message = early["error"]["message"].as_str().unwrap();
    assert!(message.contains("protocolVersion") && message.contains("initialize"), "{message}");
    client.ask(initialize(2, "2026-07-28", json!({}))).await;
    let legacy = client.ask(request(3, "tools/list", json!({}))).await;
    assert!(legacy["result"].get("resultType").is_none());
    let modern_list = client.ask(modern(4, "tools/list", json!({}))).await;
    assert_eq!(modern_list["result"]["resultType"], "complete");
    let removed = client.ask(modern(5, "ping", json!({}))).await;
    assert_eq!(removed["error"]["code"], -32601);
    let not_yet = client.ask(request(6, "server/discover", json!({}))).await;
    assert_eq!(not_yet["error"]["code"], -32601);
    client.is_quiet().await;
}

#[tokio::test]
async fn a_version_that_is_not_served_is_refused_with_the_list() {
    let mut client = Client::start();
    let found = client.ask(modern(1, "server/discover", json!({}))).await;
    let wrong = modern(2, "tools/list", json!({})).replace("2026-07-28", "v999.0.0");
    let refused = client.ask(wrong).await;
    assert_eq!(refused["error"]["code"], -32022);
    assert_eq!(refused["error"]["data"]["requested"], "v999.0.0");
    assert_eq!(refused["error"]["data"]["supported"], found["result"]["supportedVersions"]);
}

#[tokio::test]
async fn faults_of_a_call_are_errors_and_faults_of_a_tool_are_results() {
    let mut client = Client::start();
    for (params, code) in [
        (json!({"name": "nothing"}), -32602),
        (json!({"name": 7}), -32602),
        (json!({}), -32602),
        (json!({"name": "hello", "arguments": []}), -32602),
        (json!({"name": "hello", "arguments": "x"}), -32602),
        (json!({"name": "hello", "_meta": {"progressToken": 1.5}}), -32602),
    ] {
        let answer = client.ask(modern(1, "tools/call", params.clone())).await;
        assert_eq!(answer["error"]["code"], code, "{params}");
        assert!(answer.get("result").is_none());
    }
    for name in ["fail", "echo"] {
        let answer = client.ask(modern(2, "tools/call", json!({"name": name}))).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(answer["result"].get("structuredContent").is_none());
        assert_eq!(answer["result"]["resultType"], "complete");
    }
    for params in [json!({"name": "hello"}), json!({"name": "hello", "arguments": null})] {
        let answer = client.ask(modern(3, "tools/call", params)).await;
        assert_eq!(answer["result"]["content"][0]["text"], "hello");
    }
    let broken = client.ask(modern(4, "tools/call", json!({"name": "panic"}))).await;
    assert_eq!(broken["error"]["code"], -32603);
    client.is_quiet().await;
}

#[tokio::test]
async fn malformed_messages_get_their_code_and_nothing_else() {
    let mut client = Client::start();
    for (message, code) in fixtures::malformed() {
        let shown = String::from_utf8_lossy(&message[..message.len().min(80)]).into_owned();
        let answer = client.ask(&message).await;
        assert_eq!(answer["error"]["code"], code, "{shown}: {answer}");
        assert!(answer.get("result").is_none(), "{shown}");
        assert_ne!(answer.get("id"), Some(&Value::Null), "{shown}");
    }
    client.is_quiet().await;
}

#[tokio::test]
async fn deep_and_wide_messages_are_refused_and_survived() {
    let mut client = Client::start_with(Options { longest_line: 10 << 20 });
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let call = modern(1, "tools/call", call("echo", json!({"text": "DEEP"}))).replace("\"DEEP\"", &deep);
    assert_eq!(client.ask(call).await["error"]["code"], -32602);
    let digits = "9".repeat(1 << 20);
    let answer = client.ask(format!(r#"{{"jsonrpc":"2.0","id":{digits},"method":"ping"}}"#)).await;
    assert_eq!(answer["error"]["code"], -32600);
    let name = "n".repeat(1 << 20);
    let answer = client.ask(modern(2, "tools/call", json!({"name": name}))).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert!(answer.to_string().len() < 1000);
    let answer = client.ask(modern(2, &name, json!({}))).await;
    assert_eq!(answer["error"]["code"], -32601);
    assert!(answer.to_string().len() < 1000);
    client.is_quiet().await;
}

#[tokio::test]
async fn a_line_that_is_too_long_is_left_out() {
    let mut client = Client::start();
    let long = modern(1, "tools/call", call("echo", json!({"text": "x".repeat(200_000)})));
    let answer = client.ask(long).await;
    assert_eq!(answer["error"]["code"], -32600);
    assert!(answer.get("id").is_none());
    client.is_quiet().await;
}

#[tokio::test]
async fn blank_lines_a_byte_order_mark_and_carriage_returns_are_passed_over() {
    let mut client = Client::start();
    client.send("\u{feff}\r").await;
    client.send("\n\n   \n").await;
    let answer = client.ask("  {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}\r").await;
    assert_eq!(answer, json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
}

#[tokio::test]
async fn requests_run_beside_each_other() {
    let mut client = Client::start();
    let started = Instant::now();
    for id in 0..20 {
        client.send(modern(id, "tools/call", call("slow", json!({"millis": 200})))).await;
    }
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(client.receive().await["id"].as_u64().unwrap());
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    ids.sort_unstable();
    assert_eq!(ids, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cancelled_call_is_given_up_and_says_nothing() {
    let mut client = Client::start();
    client.send(modern(1, "tools/call", call("slow", json!({"millis": 60_000})))).await;
    client.seen.begun(1).await;
    client.send(notification("notifications/cancelled", json!({"requestId": 1, "reason": "enough"}))).await;
    client.seen.dropped(1).await;
    client.is_quiet().await;
}

#[tokio::test]
async fn a_cancellation_may_come_first_or_too_late() {
    let mut client = Client::start();
    client.send(notification("notifications/cancelled", json!({"requestId": "a"}))).await;
    client.send(modern("a", "tools/call", call("slow", json!({"millis": 60_000})))).await;
    client.is_quiet().await;
    client.ask(modern("b", "tools/call", json!({"name": "hello"}))).await;
    client.send(notification("notifications/cancelled", json!({"requestId": "b"}))).await;
    client.send(notification("notifications/cancelled", json!({"requestId": "never"}))).await;
    client.send(notification("notifications/cancelled", json!({}))).await;
    let again = client.ask(modern("b", "tools/call", json!({"name": "hello"}))).await;
    assert_eq!(again["result"]["content"][0]["text"], "hello");
}

#[tokio::test]
async fn an_id_that_is_running_is_refused() {
    let mut client = Client::start();
    client.send(modern(1, "tools/call", call("slow", json!({"millis": 300})))).await;
    let refused = client.ask(modern(1, "tools/call", json!({"name": "hello"}))).await;
    assert_eq!(refused["error"]["code"], -32600);
    assert_eq!(client.receive().await["result"]["content"][0]["text"], "at last");
}

#[tokio::test]
async fn progress_comes_for_a_token_and_only_then() {
    let mut client = Client::start();
    let answer = client.ask(modern(1, "tools/call", call("count", json!({"to": 3})))).await;
    assert_eq!(answer["id"], 1);
    for token in [json!(7), json!("seven")] {
        let mut params = call("count", json!({"to": 300}));
        params["_meta"] = json!({"progressToken": token});
        client.send(modern(2, "tools/call", params)).await;
        let mut seen = Vec::new();
        let answer = loop {
            let message = client.receive().await;
            if message.get("id").is_some() {
                break message;
            }
            assert_eq!(message["method"], "notifications/progress");
            assert_eq!(message["params"]["progressToken"], token);
            seen.push(message["params"]["progress"].as_u64().unwrap());
        };
        assert_eq!(answer["result"]["content"][0]["text"], "counted to 300");
        assert_eq!((seen[0], seen[seen.len() - 1]), (1, 300));
        assert!(seen.is_sorted() && seen.len() < 20, "{seen:?}");
    }
    client.is_quiet().await;
}

#[tokio::test]
async fn the_end_of_input_ends_the_service() {
    let mut client = Client::start();
    client.send(modern(1, "tools/call", call("slow", json!({"millis": 50})))).await;
    client.seen.begun(1).await;
    let started = Instant::now();
    let seen = client.seen.clone();
    client.end().await.unwrap();
    assert_eq!(seen.dropped.load(std::sync::atomic::Ordering::SeqCst), 0, "a short call is finished");
    assert!(started.elapsed() < Duration::from_secs(1));

    let mut client = Client::start();
    client.send(modern(1, "tools/call", call("slow", json!({"millis": 60_000})))).await;
    client.seen.begun(1).await;
    let (started, seen) = (Instant::now(), client.seen.clone());
    client.end().await.unwrap();
    assert_eq!(seen.dropped.load(std::sync::atomic::Ordering::SeqCst), 1, "a long call is given up");
    assert!(started.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn a_last_line_without_an_end_is_a_message() {
    let mut client = Client::start();
    client.writer.write_all(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.unwrap();
    client.writer.shutdown().await.unwrap();
    assert_eq!(client.receive().await["result"], json!({}));
}

#[tokio::test]
async fn listeners_hear_of_changed_tools() {
    let mut client = Client::start();
    client.send(modern(77, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}))).await;
    let acknowledged = client.receive().await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({"toolsListChanged": true}));
    assert_eq!(acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 77);
    client.hub.changed();
    let hint = client.receive().await;
    assert_eq!(hint["method"], "notifications/tools/list_changed");
    assert_eq!(hint["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 77);
    client.send(notification("notifications/cancelled", json!({"requestId": 77}))).await;
    client.is_quiet().await;
    client.hub.changed();
    client.is_quiet().await;
}

#[tokio::test]
async fn listeners_hear_nothing_that_they_did_not_ask_for() {
    let mut client = Client::start();
    client.send(modern(78, "subscriptions/listen", json!({"notifications": {"promptsListChanged": true}}))).await;
    assert_eq!(client.receive().await["params"]["notifications"], json!({}));
    client.hub.changed();
    client.is_quiet().await;
    let refused = client.ask(modern(79, "subscriptions/listen", json!({}))).await;
    assert_eq!(refused["error"]["code"], -32602);
}

#[tokio::test]
async fn a_legacy_client_hears_of_changed_tools_after_the_handshake() {
    let mut client = Client::start();
    client.ask(initialize(1, "2025-11-25", json!({}))).await;
    client.hub.changed();
    client.is_quiet().await;
    client.send(notification("notifications/initialized", json!({}))).await;
    client.is_quiet().await;
    client.hub.changed();
    assert_eq!(client.receive().await, json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
}

#[tokio::test]
async fn answers_that_nobody_waits_for_are_passed_over() {
    let mut client = Client::start();
    client.send(r#"{"jsonrpc":"2.0","id":"q1","result":{}}"#).await;
    client.send(r#"{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":"no"}}"#).await;
    client.is_quiet().await;
}

#[tokio::test]
async fn unknown_capabilities_change_nothing() {
    let mut client = Client::start();
    let list = client.ask(modern_with(1, "tools/list", json!({}), r#"{"telepathy":{"range":9}}"#)).await;
    assert!(list["result"]["tools"].is_array());
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    for version in ["2025-03-26", "2025-11-25"] {
        let mut client = Client::start_on(fixtures::server_with(4), Options::default());
        client.ask(initialize(0, version, json!({}))).await;
        let mut names = Vec::new();
        let mut params = json!({});
        loop {
            let result = client.ask(request(1, "tools/list", params)).await["result"].clone();
            let tools = result["tools"].as_array().unwrap();
            assert!((1..=4).contains(&tools.len()));
            names.extend(tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
            match result.get("nextCursor") {
                Some(cursor) => params = json!({"cursor": cursor}),
                None => break,
            }
        }
        assert_eq!(names.len(), 9);
        assert_eq!(names[0], "hello");
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 9, "{names:?}");
        for cursor in [json!(""), json!("nonsense"), json!(7), json!({})] {
            let answer = client.ask(request(2, "tools/list", json!({"cursor": cursor}))).await;
            assert_eq!(answer["error"]["code"], -32602, "{cursor}");
        }
    }
}

#[tokio::test]
async fn a_question_is_taken_back_with_its_call() {
    let mut client = Client::start();
    client.ask(initialize(0, "2025-11-25", json!({"elicitation": {}}))).await;
    let question = client.ask(request(1, "tools/call", json!({"name": "erase"}))).await;
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["mode"], "form");
    let taken_back = client.ask(notification("notifications/cancelled", json!({"requestId": 1}))).await;
    assert_eq!(taken_back["method"], "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    client.is_quiet().await;
}

#[tokio::test]
async fn a_question_that_stays_open_fails_the_call_with_a_way_out() {
    let mut client = Client::start();
    client.ask(initialize(0, "2025-11-25", json!({"elicitation": {}}))).await;
    assert_eq!(client.ask(request(1, "tools/call", json!({"name": "erase"}))).await["method"], "elicitation/create");
    assert_eq!(client.receive().await["method"], "notifications/cancelled");
    let told = client.receive().await;
    assert_eq!(told["result"]["isError"], true);
    assert!(told["result"]["content"][0]["text"].as_str().unwrap().contains("switchboard approvals approve"), "{told}");
}
