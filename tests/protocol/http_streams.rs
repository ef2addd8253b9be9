//! Streams of events that a legacy client loses and takes up again.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::transport::Options;

use crate::{
    fixtures::{call, request},
    wire::{Host, Reply, expect, open, session},
};

/// Goes on with a stream from the event of that id.
async fn resume(host: &Host, session: &str, event: &str) -> Reply {
    let headers = [("Accept", "text/event-stream"), ("Mcp-Session-Id", session), ("Last-Event-ID", event)];
    host.send("GET", "/mcp", &headers, b"").await
}

/// The id of an event, and its message.
fn read(piece: &str) -> (String, Value) {
    let line = |name: &str| piece.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    (line("id: "), serde_json::from_str(&line("data: ")).unwrap())
}

#[tokio::test]
async fn a_lost_stream_goes_on_where_it_was_left() {
    let host = Host::start().await;
    let (own, other) =
        (session(&host, "2025-11-25", json!({"elicitation": {}})).await, session(&host, "2025-11-25", json!({})).await);
    let headers = [("Mcp-Session-Id", own.as_str())];
    let mut lost = host.post(request(1, "tools/call", json!({"name": "erase"})), &headers).await;
    assert_eq!(lost.header("content-type"), Some("text/event-stream"));
    let priming = lost.piece().await.unwrap();
    let lines: Vec<&str> = priming.lines().collect();
    assert_eq!(lines[1..], ["retry: 1000", "data:"], "an id, when to come back, and no data");
    let start = lines[0].strip_prefix("id: ").unwrap().to_owned();
    let (asked_at, asked) = read(&lost.piece().await.unwrap());
    assert_eq!(asked["method"], "elicitation/create");
    drop(lost);

    let mut again = resume(&host, &own, &start).await;
    assert_eq!((again.status, again.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(read(&again.piece().await.unwrap()), (asked_at.clone(), asked.clone()), "it is said again, as it was");
    let yes = json!({"action": "accept", "content": {"approve": true}});
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes}).to_string();
    assert_eq!(host.post(answer, &headers).await.status, 202);
    let (done_at, done) = read(&again.piece().await.unwrap());
    assert_eq!((&done["id"], &done["result"]["content"][0]["text"]), (&json!(1), &json!("erased")));
    assert_eq!(again.piece().await, None, "the answer is the end");

    // Who missed only the end gets only the end, also after it.
    let mut late = resume(&host, &own, &asked_at).await;
    assert_eq!(read(&late.piece().await.unwrap()).1, done);
    assert_eq!(late.piece().await, None);
    assert_eq!(resume(&host, &own, &done_at).await.piece().await, None);

    for (session, event) in
        [(&other, &*start), (&own, "nobody-1.0"), (&own, ""), (&own, "x"), (&own, &format!("{done_at}9"))]
    {
        expect(&mut resume(&host, session, event).await, 400, -32600, event).await;
    }
    assert_eq!(host.send("DELETE", "/mcp", &headers, b"").await.status, 204);
    expect(&mut resume(&host, &own, &start).await, 404, -32600, "an ended session").await;
}

#[tokio::test]
async fn a_long_silence_before_an_answer_becomes_a_stream_that_can_be_taken_up() {
    let host = Host::start_with(Options { keep_alive: Duration::from_millis(20), ..open() }).await;
    let own = session(&host, "2025-11-25", json!({})).await;
    let slow = |millis: u64| request(1, "tools/call", call("slow", json!({"millis": millis})));
    let mut lost = host.post(slow(300), &[("Mcp-Session-Id", &own)]).await;
    let priming = lost.piece().await.unwrap();
    let start = priming.lines().next().unwrap().strip_prefix("id: ").unwrap().to_owned();
    assert_eq!(lost.piece().await.as_deref(), Some(": still here"));
    drop(lost);
    let answer = resume(&host, &own, &start).await.event().await.unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "at last");
    let old = session(&host, "2025-06-18", json!({})).await;
    let mut plain = host.post(slow(100), &[("Mcp-Session-Id", &old)]).await;
    let mut pieces = Vec::new();
    while let Some(piece) = plain.piece().await {
        pieces.push(piece);
    }
    assert!(pieces.iter().all(|piece| !piece.contains("id: ")), "older clients get no ids: {pieces:?}");
    assert!(pieces.last().unwrap().contains("at last"), "{pieces:?}");
}
