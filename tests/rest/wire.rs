//! HTTP by hand: nothing follows redirects, keeps cookies or adds headers that a test does not name.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What comes back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One request on a connection of its own.
pub async fn send(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses a large body may close before it has read all of it.
    let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {method} {target}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

impl Reply {
    /// A header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// A refusal as all of REST says it; returns its code.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], status);
        for member in ["type", "title", "code", "detail"] {
            assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{member} is missing: {document}");
        }
        document["code"].as_str().unwrap().to_owned()
    }
}

/// Answers the page that asks whose account it becomes, as the browser that saw it.
pub async fn confirm(address: SocketAddr, host: &str, page: &Reply, decision: &str) -> Reply {
    let ticket = page.body.split_once("name=\"ticket\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    let ticket = ticket.unwrap_or_else(|| panic!("it does not ask: {page:?}")).0;
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap();
    let origin = format!("http://{host}");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("ticket", ticket)
        .append_pair("decision", decision)
        .finish();
    let headers = [
        ("Host", host),
        ("Origin", &origin),
        ("Cookie", cookie),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    send(address, "POST", "/api/v1/integrations/oauth/confirm", &headers, &form).await
}
