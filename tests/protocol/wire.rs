//! HTTP by hand, so that nothing between test and server tidies up what a test wants to be untidy.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use serde_json::{Value, json};
use switchboard::{
    hub::Hub,
    mcp::Server,
    transport::{Access, Options, http, listen, ws},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::fixtures::{self, Seen, caller, initialize, notification};

/// A server on a port of its own.
pub struct Host {
    pub address: SocketAddr,
    pub server: Server,
    pub hub: Hub,
    pub seen: Seen,
}

impl Host {
    /// A server that lets everybody in.
    pub async fn start() -> Host {
        Host::start_with(open()).await
    }

    /// A server with these options.
    pub async fn start_with(options: Options) -> Host {
        Host::start_limited(options, listen::Limits::default()).await
    }

    /// A server with these options and limits.
    pub async fn start_limited(options: Options, limits: listen::Limits) -> Host {
        Host::start_beside(options, limits, Router::new()).await
    }

    /// This server, which lets everybody in.
    pub async fn start_of(made: (Server, Hub, Seen)) -> Host {
        Host::serve(made, open(), listen::Limits::default(), Router::new()).await
    }

    /// A server with these options and limits, and further routes.
    pub async fn start_beside(options: Options, limits: listen::Limits, further: Router) -> Host {
        Host::serve(fixtures::server(), options, limits, further).await
    }

    async fn serve(made: (Server, Hub, Seen), options: Options, limits: listen::Limits, further: Router) -> Host {
        let (server, hub, seen) = made;
        let router =
            http::router(server.clone(), options.clone()).merge(ws::router(server.clone(), options)).merge(further);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(listen::serve(listener, router, limits, std::future::pending()));
        Host { address, server, hub, seen }
    }

    /// Sends bytes and reads the head of what comes back.
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        Reply::read(stream).await
    }

    /// A request with a body and further header lines.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", self.address, body.len());
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        self.raw([head.as_bytes(), b"\r\n", body].concat()).await
    }

    /// A POST of a message to `/mcp` as a client sends it, with further headers.
    pub async fn post(&self, body: impl AsRef<[u8]>, headers: &[(&str, &str)]) -> Reply {
        let usual = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
        self.send("POST", "/mcp", &[&usual, headers].concat(), body.as_ref()).await
    }

    /// A modern request with the headers that belong to it.
    pub async fn modern(&self, body: &str) -> Reply {
        let message: Value = serde_json::from_str(body).unwrap();
        let mut headers =
            vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", message["method"].as_str().unwrap())];
        headers.extend(message["params"]["name"].as_str().map(|name| ("Mcp-Name", name)));
        self.post(body, &headers).await
    }
}

/// Options that let everybody in.
pub fn open() -> Options {
    Options::new(Access::Open(caller().principal))
}

/// An answer whose head was read.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    stream: TcpStream,
    /// What was read and not yet taken.
    pending: Vec<u8>,
    /// The part of a chunked body that was unpacked and not yet taken.
    text: String,
}

impl Reply {
    /// Reads the head of an answer.
    pub async fn read(stream: TcpStream) -> Reply {
        let mut reply = Reply { status: 0, headers: Vec::new(), stream, pending: Vec::new(), text: String::new() };
        let Some(head) = reply.until(b"\r\n\r\n").await else {
            return reply;
        };
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        reply.status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        reply.headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        reply
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The whole body as text.
    pub async fn body(&mut self) -> String {
        if self.header("transfer-encoding") == Some("chunked") {
            while self.chunk().await {}
            return std::mem::take(&mut self.text);
        }
        let length: usize = self.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.pending.len() < length && self.more().await {}
        String::from_utf8(self.pending.drain(..length.min(self.pending.len())).collect()).unwrap()
    }

    /// The whole body as JSON.
    pub async fn json(&mut self) -> Value {
        let body = self.body().await;
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("not JSON: {body:?}"))
    }

    /// The next piece of a stream as it was sent, comments included; `None` at its end.
    pub async fn piece(&mut self) -> Option<String> {
        loop {
            if let Some((piece, rest)) = self.text.split_once("\n\n") {
                let piece = piece.to_owned();
                self.text = String::from(rest);
                return Some(piece);
            }
            if !self.chunk().await {
                return None;
            }
        }
    }

    /// The next event of a stream; `None` at its end. Comments are passed over.
    pub async fn event(&mut self) -> Option<Value> {
        loop {
            let piece = self.piece().await?;
            if let Some(data) = piece.lines().find_map(|line| line.strip_prefix("data: ")) {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }

    /// The final answer of a POST, whether it came as JSON or as the last event.
    pub async fn answer(&mut self) -> Value {
        if self.header("content-type") != Some("text/event-stream") {
            return self.json().await;
        }
        let mut last = None;
        while let Some(event) = self.event().await {
            last = Some(event);
        }
        last.expect("an answer before the end of the stream")
    }

    /// Whether the server ends the connection without a further byte.
    pub async fn is_closed(&mut self) -> bool {
        self.pending.is_empty() && !self.more().await
    }

    async fn chunk(&mut self) -> bool {
        let Some(size) = self.until(b"\r\n").await else {
            return false;
        };
        let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
        while self.pending.len() < size + 2 {
            assert!(self.more().await, "the stream broke off inside a chunk");
        }
        let data: Vec<u8> = self.pending.drain(..size + 2).take(size).collect();
        self.text += std::str::from_utf8(&data).unwrap();
        size > 0
    }

    async fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.pending.windows(mark.len()).position(|window| window == mark) {
                return Some(self.pending.drain(..at + mark.len()).collect());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = timeout(Duration::from_secs(5), self.stream.read(&mut buffer)).await.expect("an answer in time");
        let read = read.unwrap_or(0);
        self.pending.extend_from_slice(&buffer[..read]);
        read > 0
    }
}

/// A session of `version` whose handshake is over.
pub async fn session(host: &Host, version: &str, capabilities: Value) -> String {
    let reply = host.post(initialize(0, version, capabilities), &[]).await;
    assert_eq!(reply.status, 200);
    let id = reply.header("mcp-session-id").unwrap().to_owned();
    let headers = [("Mcp-Session-Id", id.as_str())];
    assert_eq!(host.post(notification("notifications/initialized", json!({})), &headers).await.status, 202);
    id
}

/// The answer, which must have this status and this code.
pub async fn expect(reply: &mut Reply, status: u16, code: i64, what: &str) -> Value {
    let answer = reply.json().await;
    assert_eq!((reply.status, &answer["error"]["code"]), (status, &json!(code)), "{what}: {answer}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{what}");
    answer
}
