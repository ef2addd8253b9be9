//! Messages that are made to hurt, and clients that come to leave, over every transport.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    fixtures::{call, modern, until},
    pipes::Client,
    wire::Host,
};

/// A modern call of `echo` with these arguments, which need not be JSON that a serializer writes.
fn echo(arguments: &str) -> String {
    modern(1, "tools/call", call("echo", json!("ARGUMENTS"))).replace("\"ARGUMENTS\"", arguments)
}

/// What is tried, and the code that must come of it; `None` for an answer of any kind.
fn attacks() -> Vec<(&'static str, String, Option<i64>)> {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let members: Vec<String> = (0..20_000).map(|number| format!("\"k{number}\":0")).collect();
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    vec![
        ("a depth of 100,000", echo(&format!(r#"{{"text":{deep}}}"#)), Some(-32602)),
        ("a surrogate alone", echo(r#"{"text":"\ud800"}"#), Some(-32602)),
        ("arguments that name a member twice", echo(r#"{"text":"a","text":"b"}"#), Some(-32602)),
        ("the same, deeper", echo(r#"{"text":"a","more":[{"x":1,"\u0078":2}]}"#), Some(-32602)),
        ("a message that names a member twice", ping.replace("\"id\":1", r#""id":1,"id":2"#), Some(-32600)),
        ("a number of a megabyte", ping.replace("\"id\":1", &format!("\"id\":{}", "9".repeat(1 << 20))), Some(-32600)),
        ("a name of a megabyte", modern(1, "tools/call", json!({"name": "n".repeat(1 << 20)})), Some(-32602)),
        ("a method of a megabyte", modern(1, &"m".repeat(1 << 20), json!({})), Some(-32601)),
        ("a batch of 10,000", format!("[{}]", vec![ping; 10_000].join(",")), Some(-32600)),
        ("20,000 members", echo(&format!("{{{}}}", members.join(","))), None),
        ("a NUL in a text", echo(r#"{"text":"a\u0000b"}"#), None),
    ]
}

#[tokio::test]
async fn messages_that_are_made_to_hurt_are_answered_and_survived_on_a_pipe() {
    for mut client in Client::each().await {
        for (what, message, code) in attacks() {
            let answer = client.ask(message).await;
            if let Some(code) = code {
                assert_eq!(answer["error"]["code"], code, "{what}");
                assert!(answer.to_string().len() < 2000, "{what}: nothing large comes back");
            }
            client.is_quiet().await;
        }
    }
}

#[tokio::test]
async fn messages_that_are_made_to_hurt_are_answered_and_survived_over_http() {
    let host = Host::start().await;
    for (what, message, code) in attacks() {
        let method = if message.contains("tools/call") { "tools/call" } else { "ping" };
        let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), ("Mcp-Name", "echo")];
        let mut reply = host.post(&message, &headers).await;
        let answer: Value = reply.json().await;
        // A name or a method that no header can repeat is refused for that.
        if let Some(code) = code.filter(|_| !what.ends_with("of a megabyte") || what.starts_with("a number")) {
            assert_eq!(answer["error"]["code"], code, "{what}");
        }
        assert!(reply.status < 500, "{what}: {}", reply.status);
        assert_eq!(host.modern(&modern(1, "tools/list", json!({}))).await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_leave_nothing_behind() {
    let host = Host::start().await;
    let body = modern(1, "tools/call", call("slow", json!({"millis": 60_000})));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, \
         text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: slow\r\n\
         Content-Length: {}\r\n\r\n",
        host.address,
        body.len()
    );
    let places = host.server.quotas().streams.left();
    for round in 1..=10 {
        let mut streams = Vec::new();
        for _ in 0..20 {
            let mut stream = TcpStream::connect(host.address).await.unwrap();
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            streams.push(stream);
        }
        host.seen.begun(round * 20).await;
        drop(streams);
        until(|| host.seen.dropped.load(Ordering::SeqCst) == round * 20).await;
    }
    let wish = json!({"notifications": {"toolsListChanged": true}});
    for _ in 0..20 {
        let mut stream = host.modern(&modern(1, "subscriptions/listen", wish.clone())).await;
        assert!(stream.event().await.is_some());
    }
    until(|| {
        host.hub.changed();
        host.server.quotas().streams.left() == places
    })
    .await;
}
