//! A server that asks nobody for a token is for this machine only: for programs on it and for its own pages, and never
//! for strangers whom a proxy lets come from loopback.

use std::os::unix::fs::PermissionsExt;

use reqwest::{Method, RequestBuilder, header};
use serde_json::json;

use crate::{client::http, office::Answer, support::Home, target::Target};

/// One request for each way in.
fn ways_in(target: &Target) -> [(&'static str, RequestBuilder); 5] {
    let url = |path: &str| target.server.url(path);
    let socket = http().get(url("/ws")).header("Connection", "Upgrade").header("Upgrade", "websocket");
    let socket = socket.header("Sec-WebSocket-Version", "13").header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    [
        ("/ws", socket),
        ("/mcp", http().post(url("/mcp")).json(&ping)),
        ("REST, reading", http().get(url("/api/v1/connections-are-not-here"))),
        ("REST, calling", http().post(url("/api/v1/tools/switchboard_now/call")).json(&json!({}))),
        ("the console", http().get(url("/"))),
    ]
}

#[tokio::test]
async fn only_its_own_pages_call_it() {
    let target = Target::sandbox();
    let address = target.server.address();
    let port = address.port();
    let foreign = [
        "http://localhost:3000".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        "http://127.0.0.1".to_owned(),
        format!("https://{address}"),
        format!("http://[::1]:{port}"),
        "http://evil.example.com".to_owned(),
        "null".to_owned(),
    ];
    for origin in &foreign {
        for (way, request) in ways_in(&target) {
            let answer = Answer::of(request.header(header::ORIGIN, origin)).await;
            assert_eq!(answer.status, 403, "{way} from {origin}: {answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), "", "{way} from {origin}");
        }
    }
    for own in [format!("http://{address}"), format!("http://localhost:{port}")] {
        for (way, request) in ways_in(&target).into_iter().take(3) {
            let answer = request.header(header::ORIGIN, &own).send().await.unwrap();
            assert_ne!(answer.status().as_u16(), 403, "{way} from {own}");
        }
    }
}

#[tokio::test]
async fn pages_that_were_named_may_call_and_read_the_protocol() {
    let named = "http://localhost:6274";
    let target = Target::with(&["--allow-origin", named]);
    for (way, request) in ways_in(&target).into_iter().take(2) {
        let answer = request.header(header::ORIGIN, named).send().await.unwrap();
        assert_ne!(answer.status().as_u16(), 403, "{way}");
        if way == "/mcp" {
            assert_eq!(answer.headers()["access-control-allow-origin"], named);
        }
    }
    let question = http().request(Method::OPTIONS, target.server.url("/mcp")).header(header::ORIGIN, named);
    let question = question.header("Access-Control-Request-Method", "POST");
    let answer = Answer::of(question.header("Access-Control-Request-Headers", "content-type,mcp-method")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-headers")), (204, "content-type,mcp-method"));
    // To manage what belongs to a person is for the console's own pages.
    let write = http().post(target.server.url("/api/v1/agents")).json(&json!({ "name": "x" }));
    assert_eq!(Answer::of(write.header(header::ORIGIN, named)).await.status, 403);
    let other = http().post(target.server.url("/mcp")).json(&json!({})).header(header::ORIGIN, "http://localhost:6275");
    assert_eq!(Answer::of(other).await.status, 403);
}

#[tokio::test]
async fn what_a_proxy_passed_on_is_refused_with_a_sentence() {
    let target = Target::sandbox();
    for (name, value) in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "tools.example.com"),
        ("Forwarded", "for=203.0.113.7"),
        ("Via", "1.1 proxy"),
        ("X-Real-IP", "203.0.113.7"),
        ("CF-Connecting-IP", "203.0.113.7"),
        ("True-Client-IP", "203.0.113.7"),
    ] {
        for (way, request) in ways_in(&target) {
            let answer = Answer::of(request.header(name, value)).await;
            assert_eq!(answer.status, 403, "{way} with {name}: {answer:?}");
            assert!(answer.text.contains("--trust-proxy"), "{way} with {name} says what to do: {answer:?}");
        }
    }
    let log = target.server.log();
    assert_eq!(log.matches("through a proxy was refused").count(), 1, "one warning is enough: {log}");
    assert!(!log.contains("203.0.113.7"), "{log}");
    let direct = http().get(target.server.url("/api/v1/me"));
    assert_eq!(Answer::of(direct).await.json(200)["role"], "administrator");
}

#[tokio::test]
async fn a_public_address_and_no_token_do_not_go_together() {
    let home = Home::new();
    let open =
        ["serve", "--listen", "127.0.0.1:0", "--allow-unauthenticated", "--public-url", "https://tools.example.com"];
    for arguments in [&open[..], &[&open[..], &["--sandbox"]].concat()] {
        let refused = home.command(arguments).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && said.contains("this machine only"), "{said}");
    }
    std::fs::write(home.path().join("switchboard.toml"), "public_url = \"https://tools.example.com\"").unwrap();
    let refused = home.command(&open[..4]).output().unwrap();
    assert!(!refused.status.success(), "the settings file counts as well");

    let target = Target::with(&["--public-url", "https://tools.example.com"]);
    for path in ["/api/v1/me", "/mcp"] {
        assert_eq!(Answer::of(http().post(target.server.url(path)).json(&json!({}))).await.status, 401, "{path}");
    }
    let login = Answer::of(http().get(target.server.url("/"))).await;
    assert!(login.header("location").starts_with("/login"), "{login:?}");
    assert!(target.server.log().contains("swb_"), "and says the first one");
}

#[test]
fn a_data_directory_that_others_can_read_is_closed_or_refused() {
    let home = Home::new();
    let mode = |mode| std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    let is = || std::fs::metadata(home.path()).unwrap().permissions().mode() & 0o777;
    assert!(home.command(&["connections"]).output().unwrap().status.success());
    mode(0o755);
    let closed = home.command(&["connections"]).output().unwrap();
    let said = String::from_utf8(closed.stderr).unwrap();
    assert!(closed.status.success() && said.contains("for you alone now"), "{said}");
    assert_eq!(is(), 0o700);

    std::fs::write(home.path().join("letter.txt"), "").unwrap();
    mode(0o755);
    let refused = home.command(&["connections"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("chmod 700"), "{said}");
    assert_eq!(is(), 0o755, "what is not ours alone is left as it is");
}
