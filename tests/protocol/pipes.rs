//! What holds for every connection that carries messages both ways: the same tests over lines and over a WebSocket.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::{
    hub::Hub,
    mcp::Server,
    tool::{Effect, Level, Outcome, RuntimeTool, ToolDef, Toolset},
    transport::stdio::Options,
};
use tokio::sync::Semaphore;

use crate::{
    fixtures::{self, Seen, call, initialize, modern, notification, request, until},
    stdio, wire, ws,
};

/// A client over one of the transports, and what its server saw.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Client {
    Lines(stdio::Client),
    Socket(ws::Client, Box<wire::Host>),
}

impl Client {
    /// One over each transport, each with a server of its own.
    pub async fn each() -> [Client; 2] {
        Client::each_of(fixtures::server).await
    }

    async fn each_of(server: impl Fn() -> (Server, Hub, Seen)) -> [Client; 2] {
        let host = wire::Host::start_of(server()).await;
        let lines = stdio::Client::start_on(server(), Options::default());
        [Client::Lines(lines), Client::Socket(ws::Client::connect(&host).await, Box::new(host))]
    }

    fn seen(&self) -> Seen {
        match self {
            Client::Lines(client) => client.seen.clone(),
            Client::Socket(_, host) => host.seen.clone(),
        }
    }

    async fn send(&mut self, message: impl Into<String>) {
        match self {
            Client::Lines(client) => client.send(message.into()).await,
            Client::Socket(client, _) => client.send(message).await,
        }
    }

    async fn receive(&mut self) -> Value {
        match self {
            Client::Lines(client) => client.receive().await,
            Client::Socket(client, _) => client.receive().await,
        }
    }

    pub async fn ask(&mut self, message: impl Into<String>) -> Value {
        self.send(message).await;
        self.receive().await
    }

    /// Nothing is on its way: the next thing that comes is the answer to this request.
    pub async fn is_quiet(&mut self) {
        let answer = self.ask(modern("quiet?", "server/discover", json!({}))).await;
        assert_eq!(answer["id"], "quiet?", "{answer}");
    }
}

#[tokio::test]
async fn eras_are_mixed_on_one_pipe() {
    for mut client in Client::each().await {
        let list = client.ask(modern(1, "tools/list", json!({}))).await;
        assert_eq!(list["result"]["resultType"], "complete");
        let before = client.ask(request(2, "tools/list", json!({}))).await;
        assert_eq!(before["error"]["code"], -32602, "neither era: {before}");
        assert_eq!(client.ask(initialize(3, "2025-06-18", json!({}))).await["result"]["protocolVersion"], "2025-06-18");
        let old = client.ask(request(4, "tools/list", json!({}))).await;
        assert!(old["result"].get("resultType").is_none() && old["result"]["tools"].is_array(), "{old}");
        let new = client.ask(modern(5, "tools/call", json!({"name": "hello"}))).await;
        assert_eq!(new["result"]["resultType"], "complete");
        for (method, of_old, of_new) in [("ping", true, false), ("server/discover", false, true)] {
            let old = client.ask(request(6, method, json!({}))).await;
            let new = client.ask(modern(7, method, json!({}))).await;
            assert_eq!((old.get("result").is_some(), new.get("result").is_some()), (of_old, of_new), "{method}");
        }
    }
}

#[tokio::test]
async fn calls_are_cancelled_in_any_order() {
    for mut client in Client::each().await {
        let seen = client.seen();
        for id in 0..8 {
            client.send(modern(id, "tools/call", call("slow", json!({"millis": 60_000})))).await;
        }
        seen.begun(8).await;
        for (cancelled, id) in [5, 0, 7, 2, 6, 1, 4].into_iter().enumerate() {
            client.send(notification("notifications/cancelled", json!({"requestId": id}))).await;
            seen.dropped(cancelled + 1).await;
        }
        client.is_quiet().await;
        let hello = client.ask(modern(5, "tools/call", json!({"name": "hello"}))).await;
        assert_eq!(hello["id"], 5, "an id is free again");
        client.send(notification("notifications/cancelled", json!({"requestId": "3"}))).await;
        client.is_quiet().await;
        assert_eq!(seen.dropped.load(std::sync::atomic::Ordering::SeqCst), 7, "a string is another id than a number");
    }
}

#[tokio::test]
async fn sixty_four_calls_are_under_way_at_once() {
    for mut client in Client::each().await {
        let seen = client.seen();
        for id in 0..64 {
            client.send(modern(id, "tools/call", call("slow", json!({"millis": 500})))).await;
        }
        seen.begun(64).await;
        assert_eq!(seen.dropped.load(std::sync::atomic::Ordering::SeqCst), 0);
        let mut ids = Vec::new();
        for _ in 0..64 {
            let answer = client.receive().await;
            assert_eq!(answer["result"]["content"][0]["text"], "at last");
            ids.push(answer["id"].as_u64().unwrap());
        }
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..64), "every call has its answer");
    }
}

#[tokio::test]
async fn ids_come_back_as_they_were_sent_or_not_at_all() {
    for mut client in Client::each().await {
        for id in ["-1", "0", "9007199254740993", "18446744073709551616", r#""""#, r#""1""#] {
            let answer = client.ask(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).await;
            let sent: Value = serde_json::from_str(id).unwrap();
            assert_eq!((&answer["id"], &answer["result"]), (&sent, &json!({})), "{id}");
        }
        for id in ["1.5", "null", "true", "{}", "[1]", "1e2"] {
            let answer = client.ask(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).await;
            assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32600), None), "{id}");
        }
        client.send(modern("twice", "tools/call", call("slow", json!({"millis": 60_000})))).await;
        let twice = client.ask(modern("twice", "tools/list", json!({}))).await;
        assert_eq!((&twice["id"], &twice["error"]["code"]), (&json!("twice"), &json!(-32600)));
        client.send(notification("notifications/cancelled", json!({"requestId": "twice"}))).await;
        client.is_quiet().await;
    }
}

#[tokio::test]
async fn a_client_that_reads_late_misses_no_answer() {
    for mut client in Client::each().await {
        let text = "x".repeat(16 << 10);
        // More than what may wait to be written, and more than a pipe or a socket holds by itself.
        for id in 0..400 {
            client.send(modern(id, "tools/call", call("echo", json!({"text": text})))).await;
            if id % 100 == 99 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let mut ids = Vec::new();
        for _ in 0..400 {
            let answer = client.receive().await;
            assert_eq!(answer["result"]["structuredContent"]["text"], text);
            ids.push(answer["id"].as_u64().unwrap());
        }
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..400));
    }
}

#[tokio::test]
async fn a_line_of_thirteen_megabytes_is_refused_and_the_next_one_answered() {
    let mut client = stdio::Client::start_on(fixtures::server(), Options::default());
    let answer = client.ask(modern(1, "tools/call", call("echo", json!({"text": "x".repeat(13 << 20)})))).await;
    assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32600), None));
    assert!(answer["error"]["message"].as_str().unwrap().contains("10485760 bytes"), "{answer}");
    client.is_quiet().await;
}

/// A tool that writes is carried to its end; what it says afterwards is for nobody.
#[tokio::test]
async fn nothing_is_said_for_a_request_that_is_over() {
    static GOES_ON: Semaphore = Semaphore::const_new(0);
    fn server() -> (Server, Hub, Seen) {
        let input = json!({"type": "object", "properties": {}});
        let write = RuntimeTool::new("Writes on.", input, |_, cx| {
            Box::pin(async move {
                let seen: &Seen = cx.state()?;
                cx.progress(1.0, None, "begun");
                seen.begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                GOES_ON.acquire().await.unwrap().forget();
                cx.progress(2.0, None, "still going");
                cx.log(Level::Emergency, "still going");
                seen.dropped.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                Ok(Outcome::text("written"))
            })
        });
        let seen = Seen::default();
        let toolset = Toolset { id: "test".into(), title: "Test".into() };
        let hub = Hub::builder(switchboard::clock::system(), switchboard::id::os()).state(seen.clone());
        let hub = hub.tools(&toolset, [ToolDef::at_runtime("write", Effect::Adds, write)]).unwrap().build();
        (Server::builder().hub(hub.clone()).logging().build(), hub, seen)
    }
    for mut client in Client::each_of(server).await {
        let seen = client.seen();
        let meta = json!({"progressToken": 1, "io.modelcontextprotocol/logLevel": "debug"});
        let told = client.ask(modern(1, "tools/call", json!({"name": "write", "_meta": meta}))).await;
        assert_eq!(told["params"]["progress"], 1);
        client.send(notification("notifications/cancelled", json!({"requestId": 1}))).await;
        client.is_quiet().await;
        GOES_ON.add_permits(1);
        until(|| seen.dropped.load(std::sync::atomic::Ordering::SeqCst) == 1).await;
        client.is_quiet().await;
    }
}
