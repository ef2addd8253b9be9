//! What HTTP is held to before a message is read: names, framing, sizes and patience.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchboard::transport::{Options, listen};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

use crate::{
    fixtures::{self, call, modern, request},
    wire::{Host, Reply, expect, open, session},
};

/// Headers of a modern call of `name`.
fn headers<'a>(method: &'a str, name: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), ("Mcp-Name", name)]
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
    let streams = &host.server.quotas().streams;
    let taken: Vec<_> = (0..).map_while(|person| streams.take(&format!("p{person}"), 256).ok()).collect();
    assert!(!taken.is_empty() && streams.left() == 0);
    let headers = [("Accept", "text/event-stream"), ("Mcp-Session-Id", id.as_str())];
    assert_eq!(host.send("GET", "/mcp", &headers, b"").await.status, 503);
    let listen = modern(9, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    assert_eq!(host.modern(&listen).await.json().await["error"]["code"], -32603);
}
