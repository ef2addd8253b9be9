//! Size, time, redirects and what the logs may know.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::http::{
    Error, Options, Request, StatusCode, path,
    testing::{Reply, Server, client, client_with, options},
};

fn read() -> Request {
    Request::get(path!["things"])
}

fn small() -> Options {
    Options { response_limit: 1000, ..options() }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_cut() {
    let announced = Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1125899906842624\r\n\r\n".to_vec());
    let chunk = format!("100\r\n{}\r\n", "x".repeat(256));
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}", chunk.repeat(10));
    for reply in [announced, Reply::Raw(chunked.into_bytes())] {
        let server = Server::always(reply).await;
        let error = client_with(small()).send(&server.lane(), read()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 1000 }), "{error:?}");
        assert_eq!(server.count(), 1, "a repeat would be as large");
    }
}

#[tokio::test]
async fn an_answer_at_the_limit_is_whole() {
    let server = Server::always(Reply::Whole(200, Vec::new(), vec![b'x'; 1000])).await;
    let answer = client_with(small()).send(&server.lane(), read()).await.unwrap();
    assert_eq!(answer.body.len(), 1000);
}

/// 64 KiB of zeros, packed with `gzip -9` into 96 bytes.
fn bomb() -> Vec<u8> {
    let head = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80,
        0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a,
    ];
    let foot = [0x6a, 0xeb, 0x8e, 0x97, 0xd7, 0x00, 0x00, 0x01, 0x00];
    [&head[..], &[0; 63], &foot].concat()
}

#[tokio::test]
async fn packed_answers_are_unpacked_and_bounded() {
    let reply = Reply::Whole(200, vec![("content-encoding", "gzip".to_owned())], bomb());
    let server = Server::always(reply).await;
    let answer = client().send(&server.lane(), read()).await.unwrap();
    assert_eq!(answer.body, vec![0; 65_536]);
    let error = client_with(small()).send(&server.lane(), read()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1000 }), "{error:?}");
}

#[tokio::test]
async fn a_slow_vendor_meets_the_deadline() {
    let drip = Reply::Late(Duration::from_mins(1), Box::new(Reply::status(200)));
    let head = Reply::Raw(b"HTTP/1.1 200 OK\r\n".to_vec());
    let server = Server::turns(vec![drip, head]).await;
    let request = read().within(Duration::from_millis(100));
    let error = client().send(&server.lane(), request).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { after } if after <= Duration::from_millis(100)), "{error:?}");
}

#[tokio::test]
async fn a_body_that_never_ends_meets_the_deadline() {
    let server = Server::start(|_, _| Reply::Hang).await;
    let until = tokio::time::Instant::now() + Duration::from_millis(50);
    let error = client().send(&server.lane().until(until), read()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::start(|_, request| match request.target() {
        "/things" => Reply::status(302).with("location", "/elsewhere"),
        _ => Reply::status(200),
    })
    .await;
    let answer = client().send(&server.lane(), read()).await.unwrap();
    assert_eq!((answer.status, server.count()), (StatusCode::FOUND, 1));
    assert_eq!(answer.header("location"), Some("/elsewhere"));
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::always(Reply::json(200, "{}")).await;
    let client = client();
    for _ in 0..3 {
        client.send(&server.lane(), read()).await.unwrap();
    }
    assert!(server.arrived().iter().all(|one| one.connection == 0));
}

#[tokio::test]
async fn the_client_introduces_itself() {
    let server = Server::always(Reply::status(200)).await;
    client().send(&server.lane(), read()).await.unwrap();
    let expected = concat!("switchboard/", env!("CARGO_PKG_VERSION"));
    assert_eq!(server.arrived()[0].header("user-agent"), Some(expected));
    assert_eq!(server.arrived()[0].header("accept-encoding"), Some("gzip"));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_know_the_template_and_no_value() {
    let server = Server::turns(vec![Reply::json(200, "{\"canary-answer\":"), Reply::Reset]).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // A place that logs asks once who listens, on whichever thread gets there first: often one where nobody does.
    // So let it ask, then have it ask again here.
    drop(client().send(&Server::always(Reply::status(200)).await.lane(), read()).await);
    tracing::callsite::rebuild_interest_cache();
    let id = "canary-id";
    let request = Request::get(path!["things", id])
        .query("q", "canary-query")
        .header("x-key", "canary-header")
        .json("canary-body");
    let error = client().send(&server.lane(), request.clone()).await.unwrap_err();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/things/{}") && log.contains("attempt=2"), "{log}");
    assert!(!format!("{log} {error} {error:?} {request:?}").contains("canary"), "{log} {error:?}");
}
