//! However much somebody sends or asks for at once, the program takes no more than its share of memory.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::http,
    target::{MOST_GROWTH, OTHERS_WAIT, Target},
};

const MIB: usize = 1 << 20;

fn request(id: usize, method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

async fn post(target: &Target, message: &Value) -> reqwest::Response {
    let method = message["method"].as_str().unwrap();
    let mut post = http()
        .post(target.server.url("/mcp"))
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", method);
    if let Some(name) = message["params"]["name"].as_str() {
        post = post.header("Mcp-Name", name);
    }
    post.json(message).send().await.unwrap()
}

/// Measures what `attack` makes the program take, and how long somebody else waits meanwhile.
async fn under(what: &str, attack: impl AsyncFnOnce(&Target)) {
    let target = Target::sandbox();
    // What is made once is not what an attack takes.
    assert!(post(&target, &request(1, "tools/list", json!({}))).await.status().is_success());
    let (memory, handles) = (target.memory(), target.handles());
    let pulse = target.pulse();
    attack(&target).await;
    let worst = pulse.worst().await;
    let growth = target.peak_memory().saturating_sub(memory);
    println!("{what}: worst wait of another {worst:?}, peak growth {} KiB", growth >> 10);
    assert!(worst < OTHERS_WAIT, "{what}: somebody else waited {worst:?}");
    assert!(growth < MOST_GROWTH, "{what}: {growth}");
    target.handles_come_back(handles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_keeps_little_of_what_it_was_asked_with() {
    under("16 subscriptions of 2 MiB", async |target| {
        let uris: Vec<_> = (0..128).map(|number| format!("a://{number}/{}", "x".repeat(16 << 10))).collect();
        let wish = json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": uris}});
        let wish = request(1, "subscriptions/listen", wish);
        let mut open = Vec::new();
        for _ in 0..16 {
            let mut stream = post(target, &wish).await;
            assert!(stream.status().is_success(), "{}", stream.status());
            let first = stream.chunk().await.unwrap().unwrap();
            assert!(String::from_utf8_lossy(&first).contains("acknowledged"), "{} bytes", first.len());
            open.push(stream);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_their_turn_are_bounded_by_their_bytes() {
    under("200 requests of 1 MiB on one socket", async |target| {
        let (socket, _) = tokio_tungstenite::connect_async(target.server.websocket()).await.unwrap();
        let (mut out, mut back) = socket.split();
        let answers = tokio::spawn(async move {
            let (mut answered, mut refused) = (0, 0);
            while answered < 200 {
                let Some(Ok(Message::Text(text))) = back.next().await else { break };
                refused += usize::from(text.contains("was not begun"));
                answered += 1;
            }
            (answered, refused)
        });
        for id in 0..200 {
            let arguments = json!({"x": "y".repeat(MIB)});
            let call = request(id, "tools/call", json!({"name": "switchboard_now", "arguments": arguments}));
            out.send(Message::text(call.to_string())).await.unwrap();
        }
        let (answered, _) = tokio::time::timeout(Duration::from_mins(1), answers).await.unwrap().unwrap();
        assert_eq!(answered, 200, "each request is answered, and be it with a refusal");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_bounded() {
    under("20 sockets that ask and do not read", async |target| {
        let mut sockets = Vec::new();
        for _ in 0..20 {
            let (mut socket, _) = tokio_tungstenite::connect_async(target.server.websocket()).await.unwrap();
            for id in 0..200 {
                let list = request(id, "tools/list", json!({})).to_string();
                // A server that reads no more, because nobody reads its answers, is what is wanted.
                if tokio::time::timeout(Duration::from_millis(200), socket.send(Message::text(list))).await.is_err() {
                    break;
                }
            }
            sockets.push(socket);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_never_whole_are_bounded() {
    under("24 sockets with 7 of 8 MiB of a message", async |target| {
        let mut streams = Vec::new();
        for _ in 0..24 {
            let mut stream = upgraded(target.server.address()).await;
            let length = (8 * MIB as u64).to_be_bytes();
            let frame = [&[0x81, 0x80 | 127][..], &length, &[0; 4], &vec![b'x'; 7 * MIB]].concat();
            // The connection may break before all of it is written.
            let _ = tokio::time::timeout(Duration::from_secs(5), stream.write_all(&frame)).await;
            streams.push(stream);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_very_many_small_values_is_refused_before_it_is_read() {
    under("8 messages of a million values", async |target| {
        let numbers = vec![0; 1_000_000];
        for _ in 0..8 {
            let call = request(1, "tools/call", json!({"name": "switchboard_now", "arguments": {"x": numbers}}));
            let answer = post(target, &call).await;
            assert_eq!(answer.status(), 413);
            let text = answer.text().await.unwrap();
            assert!(text.contains("send less in one message"), "{text}");
        }
        // Larger, but one text: that is a message like any.
        let call =
            request(1, "tools/call", json!({"name": "switchboard_now", "arguments": {"x": "y".repeat(5 * MIB)}}));
        let answer = post(target, &call).await;
        assert!(answer.status().is_success(), "{}", answer.status());
    })
    .await;
}

/// A WebSocket below the library, which sends whole frames only.
async fn upgraded(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let read = stream.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer[..read]));
    stream
}
