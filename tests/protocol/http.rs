//! Streamable HTTP in both eras.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchboard::transport::{Options, listen};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

use crate::{
    fixtures::{self, call, initialize, modern, modern_with, notification, request},
    wire::{Host, Reply, open},
};

/// What is tried, the body, the headers, and the status and the code that must come of it.
type Row<'a> = (&'a str, String, Vec<(&'a str, &'a str)>, u16, i64);

/// Headers of a modern call of `name`.
fn headers<'a>(method: &'a str, name: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), ("Mcp-Name", name)]
}

async fn session(host: &Host, version: &str, capabilities: Value) -> String {
    let reply = host.post(initialize(0, version, capabilities), &[]).await;
    assert_eq!(reply.status, 200);
    let id = reply.header("mcp-session-id").unwrap().to_owned();
    let headers = [("Mcp-Session-Id", id.as_str())];
    assert_eq!(host.post(notification("notifications/initialized", json!({})), &headers).await.status, 202);
    id
}

async fn expect(reply: &mut Reply, status: u16, code: i64, what: &str) -> Value {
    let answer = reply.json().await;
    assert_eq!((reply.status, &answer["error"]["code"]), (status, &json!(code)), "{what}: {answer}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{what}");
    answer
}

#[tokio::test]
async fn a_modern_request_needs_no_session() {
    let host = Host::start().await;
    let mut found = host.modern(&modern(1, "server/discover", json!({}))).await;
    assert_eq!((found.status, found.header("content-type")), (200, Some("application/json")));
    assert!(found.header("mcp-session-id").is_none());
    assert_eq!(found.json().await["result"]["supportedVersions"][0], "2026-07-28");
    let mut said = host.modern(&modern(-7, "tools/call", call("echo", json!({"text": "hi"})))).await;
    let said = said.json().await;
    assert_eq!((&said["id"], &said["result"]["structuredContent"]["text"]), (&json!(-7), &json!("hi")));
}

#[tokio::test]
async fn a_modern_request_is_judged_in_the_order_of_the_specification() {
    let host = Host::start().await;
    let version = ("MCP-Protocol-Version", "2026-07-28");
    let unknown = ("MCP-Protocol-Version", "v999.0.0");
    let list = modern(3, "tools/list", json!({}));
    let hello = modern(3, "tools/call", json!({"name": "hello"}));
    let without = |key: &str| {
        let mut message: Value = serde_json::from_str(&list).unwrap();
        message["params"]["_meta"].as_object_mut().unwrap().shift_remove(key).unwrap();
        message.to_string()
    };
    let method = |name: &'static str| ("Mcp-Method", name);
    let rows: Vec<Row<'_>> = vec![
        ("no _meta", request(3, "server/discover", json!({})), vec![version, method("server/discover")], 400, -32602),
        ("no params", r#"{"jsonrpc":"2.0","id":3,"method":"server/discover"}"#.into(), vec![version], 400, -32602),
        ("no version in _meta", without("io.modelcontextprotocol/protocolVersion"), vec![version], 400, -32602),
        ("no capabilities in _meta", without("io.modelcontextprotocol/clientCapabilities"), vec![version], 400, -32602),
        ("missing _meta before an unknown version", request(3, "tools/list", json!({})), vec![unknown], 400, -32602),
        ("no version header", list.clone(), vec![method("tools/list")], 400, -32020),
        ("version header twice", list.clone(), vec![version, version, method("tools/list")], 400, -32020),
        (
            "header and _meta differ",
            list.replace("2026-07-28", "v999.0.0"),
            vec![version, method("tools/list")],
            400,
            -32020,
        ),
        ("the other way round", list.clone(), vec![unknown, method("tools/list")], 400, -32020),
        ("unknown version", list.replace("2026-07-28", "v999.0.0"), vec![unknown], 400, -32022),
        (
            "legacy version in _meta",
            list.replace("2026-07-28", "2025-11-25"),
            vec![("MCP-Protocol-Version", "2025-11-25")],
            400,
            -32022,
        ),
        ("no method header", list.clone(), vec![version], 400, -32020),
        ("wrong method header", list.clone(), vec![version, method("prompts/list")], 400, -32020),
        ("method in capitals", list.clone(), vec![version, method("TOOLS/LIST")], 400, -32020),
        ("no name header", hello.clone(), vec![version, method("tools/call")], 400, -32020),
        ("wrong name header", hello.clone(), headers("tools/call", "wrong_tool_name"), 400, -32020),
        ("spoilt name header", hello.clone(), headers("tools/call", "=?base64?aGVsbG8?="), 400, -32020),
        (
            "unknown method with a wrong header",
            modern(3, "unknown/method", json!({})),
            vec![version, method("ping")],
            400,
            -32020,
        ),
        (
            "unknown method",
            modern(3, "unknown/method", json!({})),
            vec![version, method("unknown/method")],
            404,
            -32601,
        ),
        ("initialize", modern(3, "initialize", json!({})), vec![version, method("initialize")], 404, -32601),
        ("ping", modern(3, "ping", json!({})), vec![version, method("ping")], 404, -32601),
        (
            "logging/setLevel",
            modern(3, "logging/setLevel", json!({})),
            vec![version, method("logging/setLevel")],
            404,
            -32601,
        ),
        (
            "resources/subscribe",
            modern(3, "resources/subscribe", json!({})),
            vec![version, method("resources/subscribe")],
            404,
            -32601,
        ),
        (
            "resources/unsubscribe",
            modern(3, "resources/unsubscribe", json!({})),
            vec![version, method("resources/unsubscribe")],
            404,
            -32601,
        ),
        (
            "prompts/list, which is not declared",
            modern(3, "prompts/list", json!({})),
            vec![version, method("prompts/list")],
            404,
            -32601,
        ),
        ("unknown tool", modern(3, "tools/call", json!({"name": "no"})), headers("tools/call", "no"), 200, -32602),
        (
            "spoilt progress token",
            modern(3, "tools/call", json!({"name": "hello", "_meta": {"progressToken": {}}})),
            headers("tools/call", "hello"),
            400,
            -32602,
        ),
    ];
    for (what, body, headers, status, code) in rows {
        let mut reply = host.post(body, &headers).await;
        let answer = expect(&mut reply, status, code, what).await;
        assert_eq!(answer["id"], 3, "{what}");
        if code == -32022 {
            assert_eq!(answer["error"]["data"]["supported"][0], "2026-07-28", "{what}");
        }
    }
}

#[tokio::test]
async fn headers_may_be_spelled_as_http_allows() {
    let host = Host::start().await;
    let body = modern(3, "tools/call", json!({"name": "hello"}));
    for headers in [
        vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "hello")],
        vec![("MCP-PROTOCOL-VERSION", "2026-07-28"), ("MCP-METHOD", "tools/call"), ("MCP-NAME", "hello")],
        vec![("MCP-Protocol-Version", "  2026-07-28  "), ("Mcp-Method", "tools/call"), ("Mcp-Name", "  hello  ")],
        vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?aGVsbG8=?=")],
        // Session ids mean nothing here, and are neither looked at nor answered.
        vec![
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "hello"),
            ("Mcp-Session-Id", "x"),
        ],
    ] {
        let mut reply = host.post(&body, &headers).await;
        assert_eq!(reply.json().await["result"]["content"][0]["text"], "hello", "{headers:?}");
        assert!(reply.header("mcp-session-id").is_none());
    }
}

#[tokio::test]
async fn an_argument_with_a_header_must_come_in_both() {
    let host = Host::start().await;
    for (value, header, is_taken) in [
        (json!("Hello"), Some("Hello"), true),
        (json!("Hello"), Some("=?base64?SGVsbG8=?="), true),
        (json!("Hello"), Some("=?base64?SGVsbG8?="), false),
        (json!("Hello"), Some("=?base64?SGVs!!!bG8=?="), false),
        (json!("SGVsbG8="), Some("SGVsbG8="), true),
        (json!("=?base64?SGVsbG8="), Some("=?base64?SGVsbG8="), true),
        (json!("Hello"), Some("hello"), false),
        (json!("Hello"), None, false),
        (json!(null), Some("Hello"), false),
        (json!(null), None, true),
    ] {
        let arguments = if value.is_null() { json!({}) } else { json!({"value": value}) };
        let mut headers = headers("tools/call", "headed");
        headers.extend(header.map(|header| ("Mcp-Param-Value", header)));
        headers.push(("Mcp-Param-Unknown", "is passed over"));
        let mut reply = host.post(modern(1, "tools/call", call("headed", arguments)), &headers).await;
        if is_taken {
            assert!(reply.json().await["result"]["content"].is_array(), "{value} {header:?}");
        } else {
            expect(&mut reply, 400, -32020, &format!("{value} {header:?}")).await;
        }
    }
}

#[tokio::test]
async fn malformed_messages_get_their_code_and_nothing_else() {
    let host = Host::start().await;
    for (message, code) in fixtures::malformed() {
        let shown = String::from_utf8_lossy(&message[..message.len().min(80)]).into_owned();
        for headers in [&[][..], &[("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "ping")]] {
            let mut reply = host.post(&message, headers).await;
            let answer = expect(&mut reply, 400, code.into(), &shown).await;
            assert!(answer.get("result").is_none() && answer.get("id") != Some(&Value::Null), "{shown}");
        }
    }
    assert_eq!(host.modern(&modern(1, "tools/list", json!({}))).await.status, 200);
}

#[tokio::test]
async fn strangers_are_turned_away_before_anything_runs() {
    let host = Host::start().await;
    let body = modern(1, "tools/call", call("slow", json!({"millis": 0})));
    let own = host.address.to_string();
    for (host_line, origin, is_taken) in [
        (Some(own.as_str()), None, true),
        (Some(own.as_str()), Some(format!("http://{own}")), true),
        (Some("localhost:1"), Some("http://localhost:3000".into()), true),
        (Some("[::1]:9"), None, true),
        (Some("evil.example.com"), None, false),
        (Some("evil.example.com"), Some("http://evil.example.com".into()), false),
        (Some("localhost.evil.example.com"), None, false),
        (Some(own.as_str()), Some("http://evil.example.com".into()), false),
        (Some(own.as_str()), Some("null".into()), false),
        (Some(own.as_str()), Some("http://localhost.evil.example.com".into()), false),
        (None, None, false),
    ] {
        for path in ["/mcp", "/mcp/readonly", "/mcp/x/test", "/ws"] {
            let method = if path == "/ws" { "GET" } else { "POST" };
            let mut head = format!(
                "{method} {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            );
            head += "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: slow\r\n";
            if path == "/ws" {
                head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            }
            head += &host_line.map(|host| format!("Host: {host}\r\n")).unwrap_or_default();
            head += &origin.as_ref().map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
            let before = host.seen.begun.load(std::sync::atomic::Ordering::SeqCst);
            let reply = host.raw(format!("{head}\r\n{body}")).await;
            let what = format!("{path} {host_line:?} {origin:?}");
            if is_taken {
                assert!([200, 101].contains(&reply.status), "{what}: {}", reply.status);
            } else {
                assert_eq!(reply.status, 403, "{what}");
                assert_eq!(host.seen.begun.load(std::sync::atomic::Ordering::SeqCst), before, "{what}");
            }
            assert!(reply.header("access-control-allow-origin").is_none());
        }
    }
    let two = format!("POST /mcp HTTP/1.1\r\nHost: {own}\r\nHost: evil.example.com\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(host.raw(two).await.status, 400);
    let absolute = format!("POST http://evil.example.com/mcp HTTP/1.1\r\nHost: {own}\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(host.raw(absolute).await.status, 403);
}

#[tokio::test]
async fn a_public_name_is_ours_when_it_was_said() {
    let hosts = switchboard::transport::Hosts::new(["tools.example.com".to_owned()]).into();
    let host = Host::start_with(Options { hosts, ..open() }).await;
    let body = request(1, "ping", json!({}));
    let head = "POST /mcp HTTP/1.1\r\nHost: tools.example.com\r\nOrigin: https://tools.example.com\r\nContent-Type: application/json";
    let reply = host.raw(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    assert_eq!(reply.status, 400, "taken, and then refused for want of a session");
}

#[tokio::test]
async fn only_json_that_is_not_encoded_is_read() {
    let host = Host::start().await;
    let body = modern(1, "tools/list", json!({}));
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""] {
        assert_eq!(host.send("POST", "/mcp", &[("Content-Type", kind)], body.as_bytes()).await.status, 415, "{kind}");
    }
    assert_eq!(host.send("POST", "/mcp", &[], body.as_bytes()).await.status, 415);
    assert_eq!(host.post(&body, &[("Content-Encoding", "gzip")]).await.status, 415);
    let mut headers = headers("tools/list", "");
    headers.pop();
    headers.push(("Content-Type", "application/json; charset=utf-8"));
    assert_eq!(host.send("POST", "/mcp", &headers, body.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn other_verbs_are_not_allowed() {
    let host = Host::start().await;
    for verb in ["GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"] {
        let reply = host.send(verb, "/mcp", &[("Accept", "text/event-stream")], b"").await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{verb}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    let host = Host::start_with(Options { largest_message: 10_000, ..open() }).await;
    let head = format!("POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", host.address);
    for length in ["10001", "1125899906842624"] {
        let reply = host.raw(format!("{head}Content-Length: {length}\r\n\r\n{{")).await;
        assert_eq!(reply.status, 413, "{length}");
    }
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).repeat(3);
    let reply = host.raw(format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}")).await;
    assert_eq!(reply.status, 413);
    let just = request(1, "ping", json!({"pad": "x".repeat(9_900)}));
    assert_eq!(host.post(just, &[]).await.status, 400, "read, and then refused for want of a session");
}

#[tokio::test]
async fn doubtful_framing_is_refused_or_the_last_word() {
    let host = Host::start().await;
    let ping = request(1, "ping", json!({}));
    let head = format!("POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", host.address);
    let chunked = format!("{:x}\r\n{ping}\r\n0\r\n\r\n", ping.len());
    let hidden = "GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (what, rest) in [
        ("two lengths", format!("Content-Length: {}\r\nContent-Length: 5\r\n\r\n{ping}", ping.len())),
        ("chunked twice", format!("Transfer-Encoding: chunked, chunked\r\n\r\n{chunked}")),
        ("chunked on two lines", format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}")),
        ("another coding", format!("Transfer-Encoding: gzip, chunked\r\n\r\n{chunked}")),
        ("not chunked at last", format!("Transfer-Encoding: chunked, identity\r\n\r\n{chunked}")),
        ("a signed length", "Content-Length: +5\r\n\r\n{}   ".into()),
        ("a folded header", "Content-Length:\r\n 5\r\n\r\n{}   ".into()),
        ("a blank before the colon", "Content-Length : 5\r\n\r\n{}   ".into()),
        ("a zero byte", "X-A: \0\r\nContent-Length: 0\r\n\r\n".into()),
    ] {
        let mut reply = host.raw(format!("{head}{rest}{hidden}")).await;
        assert!(reply.status == 400 || reply.status == 0, "{what}: {}", reply.status);
        reply.body().await;
        assert!(reply.is_closed().await, "{what}: a second answer came");
    }
    let both = format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n\r\n{chunked}{hidden}", chunked.len());
    let mut reply = host.raw(format!("{head}{both}")).await;
    assert_eq!(reply.status, 400);
    reply.body().await;
    assert!(reply.is_closed().await, "a length beside chunks ends the connection");
}

#[tokio::test]
async fn heads_are_bounded() {
    let host = Host::start().await;
    let head = format!("POST /mcp HTTP/1.1\r\nHost: {}\r\n", host.address);
    let many = "X-A: 1\r\n".repeat(20_000);
    assert!([431, 400, 0].contains(&host.raw(format!("{head}{many}\r\n")).await.status));
    let large = format!("X-A: {}\r\n", "x".repeat(100_000));
    assert!([431, 400, 0].contains(&host.raw(format!("{head}{large}\r\n")).await.status));
}

#[tokio::test]
async fn slow_heads_and_bodies_are_given_up() {
    let limits = listen::Limits { head_within: Duration::from_millis(200), ..listen::Limits::default() };
    let options = Options { body_within: Duration::from_millis(200), ..open() };
    let host = Host::start_limited(options, limits).await;
    let started = Instant::now();
    let mut half = host.raw(format!("POST /mcp HTTP/1.1\r\nHost: {}\r\n", host.address)).await;
    assert!(half.is_closed().await);
    let head = format!("POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", host.address);
    let reply = host.raw(format!("{head}Content-Length: 100\r\n\r\n{{")).await;
    assert_eq!(reply.status, 408);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn progress_turns_the_answer_into_a_stream() {
    let host = Host::start().await;
    let mut params = call("count", json!({"to": 3}));
    params["_meta"] = json!({"progressToken": "p"});
    let mut reply = host.modern(&modern(1, "tools/call", params.clone())).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(reply.header("x-accel-buffering"), Some("no"));
    for done in 1..=3 {
        let event = reply.event().await.unwrap();
        assert_eq!(event["params"], json!({"progressToken": "p", "progress": done, "total": 3, "message": "counting"}));
    }
    assert_eq!(reply.event().await.unwrap()["result"]["content"][0]["text"], "counted to 3");
    assert_eq!(reply.event().await, None);

    let mut headers = headers("tools/call", "count");
    headers.extend([("Content-Type", "application/json"), ("Accept", "application/json")]);
    let body = modern(1, "tools/call", params);
    let mut reply = host.send("POST", "/mcp", &headers, body.as_bytes()).await;
    assert_eq!(reply.header("content-type"), Some("application/json"), "a client without streams gets none");
    assert!(reply.json().await["result"].is_object());
}

#[tokio::test]
async fn a_modern_call_ends_with_its_connection() {
    let host = Host::start().await;
    let body = modern(1, "tools/call", call("slow", json!({"millis": 60_000})));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: slow\r\nContent-Length: {}\r\n\r\n",
        host.address,
        body.len()
    );
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    host.seen.begun(1).await;
    drop(stream);
    host.seen.dropped(1).await;
}

#[tokio::test]
async fn listeners_hear_of_changed_tools() {
    let host = Host::start().await;
    let listen = |wish: Value| modern(81, "subscriptions/listen", json!({"notifications": wish}));
    let mut wanted = host.modern(&listen(json!({"toolsListChanged": true}))).await;
    let mut unwanted = host.modern(&listen(json!({"promptsListChanged": true}))).await;
    for stream in [&mut wanted, &mut unwanted] {
        assert_eq!(stream.event().await.unwrap()["method"], "notifications/subscriptions/acknowledged");
    }
    host.hub.changed();
    let hint = wanted.event().await.unwrap();
    assert_eq!(hint["method"], "notifications/tools/list_changed");
    assert_eq!(hint["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 81);
    host.server.close();
    for stream in [&mut wanted, &mut unwanted] {
        assert_eq!(stream.event().await.unwrap()["method"], "notifications/cancelled");
        let end = stream.event().await.unwrap();
        assert_eq!(end["result"]["resultType"], "complete");
        assert_eq!(end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 81);
        assert_eq!(stream.event().await, None);
    }
}

#[tokio::test]
async fn a_quiet_stream_gives_signs_of_life() {
    let host = Host::start_with(Options { keep_alive: Duration::from_millis(20), ..open() }).await;
    let id = session(&host, "2025-11-25", json!({})).await;
    let mut reply = host.send("GET", "/mcp", &[("Accept", "text/event-stream"), ("Mcp-Session-Id", &id)], b"").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.server.close();
    assert!(reply.body().await.starts_with(": "));
}

#[tokio::test]
async fn a_legacy_client_keeps_a_session() {
    let host = Host::start().await;
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let id = session(&host, version, json!({})).await;
        assert!(id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
        let headers = [("Mcp-Session-Id", id.as_str()), ("MCP-Protocol-Version", version)];
        assert_eq!(host.post(request(1, "ping", json!({})), &headers).await.json().await["result"], json!({}));
        let mut list = host.post(request(2, "tools/list", json!({})), &headers[..1]).await;
        assert_eq!(list.json().await["result"]["tools"][0]["name"], "hello");
        let mut said = host.post(request(3, "tools/call", call("echo", json!({"text": "a"}))), &headers).await;
        let said = said.json().await;
        assert_eq!(said["result"]["content"][0]["text"], "a");
        assert!(said["result"].get("resultType").is_none());
        let mut unknown = host.post(request(4, "unknown/method", json!({})), &headers).await;
        expect(&mut unknown, 200, -32601, version).await;
        let headers = &headers[..1];
        assert_eq!(host.send("DELETE", "/mcp", headers, b"").await.status, 204);
        for (verb, body) in [("POST", request(5, "ping", json!({}))), ("DELETE", String::new()), ("GET", String::new())]
        {
            let usual = [("Content-Type", "application/json"), ("Accept", "text/event-stream"), headers[0]];
            assert_eq!(host.send(verb, "/mcp", &usual, body.as_bytes()).await.status, 404, "{verb}");
        }
    }
}

#[tokio::test]
async fn a_legacy_request_without_its_session_is_refused_by_id() {
    let host = Host::start().await;
    let mut missing = host.post(request("x", "tools/list", json!({})), &[]).await;
    assert_eq!(expect(&mut missing, 400, -32600, "missing").await["id"], "x");
    let mut unknown = host.post(request("x", "tools/list", json!({})), &[("Mcp-Session-Id", "nonsense")]).await;
    assert_eq!(expect(&mut unknown, 404, -32600, "unknown").await["id"], "x");
    for old in ["2024-11-05", "1999-01-01", "x"] {
        let id = session(&host, "2025-06-18", json!({})).await;
        let headers = [("Mcp-Session-Id", id.as_str()), ("MCP-Protocol-Version", old)];
        assert_eq!(host.post(request(1, "ping", json!({})), &headers).await.status, 400, "{old}");
    }
}

#[tokio::test]
async fn a_legacy_call_ends_by_cancellation_and_not_with_its_connection() {
    let host = Host::start().await;
    let id = session(&host, "2025-11-25", json!({})).await;
    let session = [("Mcp-Session-Id", id.as_str())];
    let body = request(1, "tools/call", call("slow", json!({"millis": 60_000})));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nMcp-Session-Id: {id}\r\nContent-Length: {}\r\n\r\n",
        host.address,
        body.len()
    );
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    host.seen.begun(1).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(host.seen.dropped.load(std::sync::atomic::Ordering::SeqCst), 0);
    let mut twice = host.post(request(1, "tools/call", json!({"name": "hello"})), &session).await;
    expect(&mut twice, 400, -32600, "a running id").await;
    let cancelled = notification("notifications/cancelled", json!({"requestId": 1}));
    assert_eq!(host.post(cancelled, &session).await.status, 202);
    host.seen.dropped(1).await;
}

#[tokio::test]
async fn sessions_do_not_see_each_other() {
    let host = Host::start().await;
    let (one, two) = (session(&host, "2025-11-25", json!({})).await, session(&host, "2025-11-25", json!({})).await);
    assert_ne!(one, two);
    let slow = request(1, "tools/call", call("slow", json!({"millis": 300})));
    let headers = [("Mcp-Session-Id", one.as_str())];
    let running = host.post(slow, &headers);
    let other = async {
        host.seen.begun(1).await;
        let headers = [("Mcp-Session-Id", two.as_str())];
        let mut same_id = host.post(request(1, "tools/call", json!({"name": "hello"})), &headers).await;
        assert_eq!(same_id.json().await["result"]["content"][0]["text"], "hello");
        let cancelled = notification("notifications/cancelled", json!({"requestId": 1}));
        assert_eq!(host.post(cancelled, &headers).await.status, 202);
    };
    let (mut running, ()) = tokio::join!(running, other);
    assert_eq!(running.answer().await["result"]["content"][0]["text"], "at last");
}

#[tokio::test]
async fn a_legacy_session_hears_of_changed_tools() {
    let host = Host::start().await;
    let id = session(&host, "2025-11-25", json!({})).await;
    let headers = [("Accept", "text/event-stream"), ("Mcp-Session-Id", id.as_str())];
    let mut stream = host.send("GET", "/mcp", &headers, b"").await;
    assert_eq!(stream.status, 200);
    host.hub.changed();
    assert_eq!(stream.event().await.unwrap()["method"], "notifications/tools/list_changed");
    assert_eq!(host.send("GET", "/mcp", &headers[1..], b"").await.status, 406);
}

#[tokio::test]
async fn notifications_and_answers_are_taken_without_a_word() {
    let host = Host::start().await;
    let version = ("MCP-Protocol-Version", "2026-07-28");
    let cancelled = notification("notifications/cancelled", json!({"requestId": 1}));
    let method = ("Mcp-Method", "notifications/cancelled");
    let mut reply = host.post(&cancelled, &[version, method]).await;
    assert_eq!((reply.status, reply.body().await.as_str()), (202, ""));
    assert_eq!(host.post(&cancelled, &[version]).await.status, 400);
    let answer = r#"{"jsonrpc":"2.0","id":"q1","result":{}}"#;
    let mut reply = host.post(answer, &[version]).await;
    expect(&mut reply, 400, -32600, "an answer in the modern era").await;
    let id = session(&host, "2025-06-18", json!({})).await;
    assert_eq!(host.post(answer, &[("Mcp-Session-Id", &id)]).await.status, 202);
    assert_eq!(host.post(answer, &[]).await.status, 400);
}

#[tokio::test]
async fn paths_and_headers_narrow_the_list() {
    let host = Host::start().await;
    let body = modern(1, "tools/list", json!({}));
    let list = async |path: &str, more: &[(&str, &str)]| {
        let usual = [
            ("Content-Type", "application/json"),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/list"),
        ];
        let mut reply = host.send("POST", path, &[&usual, more].concat(), body.as_bytes()).await;
        let answer = reply.json().await;
        let tools = answer["result"]["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = list("/mcp", &[]).await;
    assert!(all.contains(&"erase".to_owned()) && all.len() > 5);
    let reading = list("/mcp/readonly", &[]).await;
    assert_eq!(reading.len(), all.len() - 1);
    assert!(!reading.contains(&"erase".to_owned()));
    assert_eq!(list("/mcp", &[("X-MCP-Readonly", "true")]).await, reading);
    assert_eq!(list("/mcp/readonly", &[("X-MCP-Readonly", "false")]).await, reading, "a header never widens");
    assert_eq!(list("/mcp", &[("X-MCP-Tools", "echo, hello")]).await, ["hello", "echo"]);
    assert_eq!(list("/mcp/readonly", &[("X-MCP-Tools", "erase")]).await, [""; 0]);
    assert_eq!(list("/mcp", &[("X-MCP-Tools", "echo,hello"), ("X-MCP-Exclude-Tools", "echo")]).await, ["hello"]);
    assert_eq!(list("/mcp/x/test", &[]).await, all);
    assert_eq!(host.post(&body, &[("X-MCP-Readonly", "perhaps")]).await.status, 400);
}

#[tokio::test]
async fn many_clients_never_get_each_others_answers() {
    let host = Host::start().await;
    let calls = (0..200).map(|number| {
        let host = &host;
        async move {
            let text = format!("number {number}");
            // All use the same id: in the modern era it belongs to the request alone.
            let mut reply = host.modern(&modern(1, "tools/call", call("echo", json!({"text": text})))).await;
            assert_eq!(reply.json().await["result"]["structuredContent"]["text"], text);
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn a_question_ends_a_modern_call_and_its_repeat_goes_on() {
    let host = Host::start().await;
    let form = r#"{"elicitation":{}}"#;
    let erase = || json!({"name": "erase"});
    let mut asked = host.modern(&modern_with(1, "tools/call", erase(), form)).await;
    let asked = asked.json().await["result"].clone();
    assert_eq!(asked["resultType"], "input_required");
    let question = &asked["inputRequests"]["confirm"];
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Erase everything?");
    assert_eq!(question["params"]["requestedSchema"]["required"], json!(["approve"]));
    let state = asked["requestState"].as_str().unwrap();
    let repeat = async |responses: Value, state: &str| {
        let params = json!({"name": "erase", "inputResponses": responses, "requestState": state});
        host.modern(&modern_with(2, "tools/call", params, form)).await.json().await
    };
    let yes = json!({"confirm": {"action": "accept", "content": {"approve": true}}});
    let tampered = repeat(yes.clone(), &format!("{state}-TAMPERED")).await;
    assert_eq!(tampered["error"]["code"], -32602);
    for spoilt in [
        json!(null),
        json!(7),
        json!({"confirm": 7}),
        json!({"confirm": {"action": "accept"}}),
        json!({"confirm": {"action": "maybe"}}),
    ] {
        let answer = repeat(spoilt.clone(), state).await;
        assert_eq!(answer["error"]["code"], -32602, "{spoilt}: {answer}");
    }
    let again = repeat(json!({"wrong_key": {}}), state).await;
    assert_eq!(again["result"]["resultType"], "input_required", "{again}");
    let done = repeat(yes.clone(), state).await;
    assert_eq!(done["result"]["content"][0]["text"], "erased", "{done}");
    let replayed = repeat(yes, state).await;
    assert_ne!(replayed["result"]["content"][0]["text"], "erased", "{replayed}");
}

#[tokio::test]
async fn a_no_is_an_answer() {
    let host = Host::start().await;
    let form = r#"{"elicitation":{"form":{}}}"#;
    for no in [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"action": "accept", "content": {"approve": false}}),
    ] {
        let mut asked = host.modern(&modern_with(1, "tools/call", json!({"name": "erase"}), form)).await;
        let state = asked.json().await["result"]["requestState"].clone();
        let params = json!({"name": "erase", "inputResponses": {"confirm": no}, "requestState": state});
        let answer = host.modern(&modern_with(2, "tools/call", params, form)).await.json().await;
        assert_eq!(answer["result"]["isError"], true, "{no}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_cannot_ask_is_told_where_a_person_may_approve() {
    let host = Host::start().await;
    for capabilities in ["{}", r#"{"sampling":{}}"#, r#"{"elicitation":{"url":{}}}"#] {
        let mut reply = host.modern(&modern_with(1, "tools/call", json!({"name": "erase"}), capabilities)).await;
        let result = reply.json().await["result"].clone();
        assert_eq!(result["isError"], true);
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("Erase everything?") && text.contains("switchboard approvals approve "), "{text}");
    }
}

#[tokio::test]
async fn a_legacy_client_is_asked_on_the_stream_of_its_call() {
    let host = Host::start().await;
    let id = session(&host, "2025-11-25", json!({"elicitation": {}})).await;
    let stranger = session(&host, "2025-11-25", json!({"elicitation": {}})).await;
    let session = [("Mcp-Session-Id", id.as_str())];
    let mut reply = host.post(request(1, "tools/call", json!({"name": "erase"})), &session).await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let question = reply.event().await.unwrap();
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Erase everything?");
    let yes =
        json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"approve": true}}});
    let theirs = [("Mcp-Session-Id", stranger.as_str())];
    assert_eq!(host.post(yes.to_string(), &theirs).await.status, 202, "taken from a stranger, and nobody hears it");
    let mut waiting = host.post(request(2, "ping", json!({})), &session).await;
    assert_eq!(waiting.json().await["result"], json!({}));
    assert_eq!(host.post(yes.to_string(), &session).await.status, 202);
    assert_eq!(reply.event().await.unwrap()["result"]["content"][0]["text"], "erased");
    assert_eq!(reply.event().await, None);
}

#[tokio::test]
async fn a_client_that_never_reads_is_given_up() {
    let limits = listen::Limits { stall: Duration::from_millis(200), ..listen::Limits::default() };
    let host = Host::start_limited(open(), limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(host.address).await.unwrap();
    let body = modern(1, "tools/list", json!({}));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n\
         Mcp-Method: tools/list\r\nContent-Length: {}\r\n\r\n",
        host.address,
        body.len()
    );
    let many = format!("{head}{body}").repeat(100);
    let flood = async { while stream.write_all(many.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), flood).await.expect("the server ends the connection");
    assert_eq!(host.modern(&modern(1, "tools/list", json!({}))).await.status, 200);
}

#[tokio::test]
async fn open_requests_are_finished_at_the_end() {
    let (server, _, seen) = fixtures::server();
    let router = switchboard::transport::http::router(server, open());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(listen::serve(listener, router, listen::Limits::default(), async {
        let _ = ended.await;
    }));
    let body = modern(1, "tools/call", call("slow", json!({"millis": 200})));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n\
         Mcp-Method: tools/call\r\nMcp-Name: slow\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    seen.begun(1).await;
    end.send(()).unwrap();
    let mut reply = Reply::read(stream).await;
    assert_eq!(reply.json().await["result"]["content"][0]["text"], "at last");
    tokio::time::timeout(Duration::from_secs(5), served).await.expect("it ends in time").unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    let host = Host::start().await;
    let id = session(&host, "2025-11-25", json!({})).await;
    let places = host.server.listeners().available_permits();
    let _taken = host.server.listeners().try_acquire_many(u32::try_from(places).unwrap()).unwrap();
    let headers = [("Accept", "text/event-stream"), ("Mcp-Session-Id", id.as_str())];
    assert_eq!(host.send("GET", "/mcp", &headers, b"").await.status, 503);
    let listen = modern(9, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    assert_eq!(host.modern(&listen).await.json().await["error"]["code"], -32603);
}
