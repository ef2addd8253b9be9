//! A vendor that repeats our own credential, in an error, in a page or in a header, does not carry it to anybody.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Stdio,
    thread,
};

use serde_json::json;

use crate::{
    client::Client,
    support::{Home, Server},
};

const KEY: &str = "sk-canary/4f1c+9e77=Zq";

/// A vendor that answers everything with what it was sent, in this status and kind.
fn parrot() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || repeat(stream));
        }
    });
    address
}

fn repeat(mut stream: TcpStream) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&seen).into_owned();
    let key = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default().to_owned();
    // The profile is whose account it is, so that the key can be connected at all.
    let (status, body) = if head.contains("/profile") {
        (200, json!({ "emailAddress": "lena@northwind.example", "messagesTotal": 1, "echo": key }))
    } else if head.contains("maxResults") {
        (
            400,
            json!({ "error": { "code": 400, "message": format!("Invalid value for {key}"),
            "errors": [{ "reason": "invalidArgument", "message": key }] } }),
        )
    } else {
        let part = json!({ "mimeType": "text/plain", "headers": [{ "name": "Subject", "value": format!("your key is {key}") }] });
        (200, json!({ "id": "18c2f0a1b3d4e5f6", "threadId": "1", "snippet": key, "payload": part }))
    };
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-echo: {key}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes());
}

/// Nothing that is told has the key in it, in any of the forms in which it may be repeated.
#[track_caller]
fn is_clean(what: &str, told: &str) {
    for piece in ["4f1c", "9e77", "sk-canary"] {
        assert!(!told.contains(piece), "{what} repeats the key: {told}");
    }
}

#[tokio::test]
async fn what_a_vendor_repeats_of_our_credential_is_told_to_nobody() {
    let vendor = parrot();
    let home = Home::new();
    let with = |mut command: std::process::Command| {
        command.env("SWITCHBOARD_GMAIL_BASE_URL", format!("http://{vendor}/gmail/v1")).env("RUST_LOG", "debug");
        command
    };
    let mut connect = with(home.command(&["connect", "gmail", "--api-key-stdin"]));
    let mut connecting = connect.stdin(Stdio::piped()).spawn().unwrap();
    connecting.stdin.take().unwrap().write_all(KEY.as_bytes()).unwrap();
    let connected = connecting.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&connected.stdout), String::from_utf8_lossy(&connected.stderr));
    assert!(connected.status.success(), "{said}");
    is_clean("`connect`", &said);

    let server = Server::start(with(home.command(&["serve", "--allow-unauthenticated", "--listen", "127.0.0.1:0"])));
    let client = Client::of(&server);
    let refused = client.call("gmail_search_emails", json!({ "query": "x" })).await.to_string();
    assert!(refused.contains("Gmail refused") && refused.contains("[redacted]"), "{refused}");
    is_clean("an error", &refused);
    let read = client.call("gmail_get_email", json!({ "message_id": "18c2f0a1b3d4e5f6" })).await.to_string();
    assert!(read.contains("your key is"), "{read}");
    is_clean("an answer", &read);

    let rest = reqwest::Client::new();
    let url = server.url("/api/v1/tools/gmail_search_emails/call");
    let told =
        rest.post(url).json(&json!({ "arguments": { "query": "x" } })).send().await.unwrap().text().await.unwrap();
    is_clean("REST", &told);
    let list = rest.get(server.url("/api/v1/integrations")).send().await.unwrap().text().await.unwrap();
    is_clean("the list of accounts", &list);
    is_clean("the log", &server.log());
}
