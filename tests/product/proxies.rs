//! Behind a proxy: its word counts when it was named, and nobody else's ever does.

use reqwest::{RequestBuilder, Response, header};
use serde_json::{Value, json};

use crate::{
    client::http,
    support::{Home, Server},
};

const EVIL: &str = "evil.example.com";
const PUBLIC: &str = "tools.example.com";

/// What an attacker writes into a request to be taken for somebody else.
const LIES: [(&str, &str); 8] = [
    ("X-Forwarded-Host", EVIL),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "192.0.2.66"),
    ("X-Forwarded-Port", "666"),
    ("X-Forwarded-Prefix", "/evil.example.com"),
    ("X-Forwarded-Server", EVIL),
    ("X-Real-IP", "192.0.2.66"),
    ("Forwarded", "for=192.0.2.66;host=evil.example.com;proto=https"),
];

/// The sandbox with `arguments`, and its administrator's token.
fn serve(home: &Home, arguments: &[&str]) -> (Server, String) {
    let usual = ["serve", "--sandbox", "--listen", "127.0.0.1:0", "--public-url", "https://tools.example.com"];
    let server = Server::start(home.command(&[&usual[..], arguments].concat()));
    let token =
        server.log().lines().map(str::trim).find(|line| line.starts_with("swb_")).unwrap_or_default().to_owned();
    (server, token)
}

fn with_lies(request: RequestBuilder) -> RequestBuilder {
    LIES.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

fn sign_in(server: &Server, token: &str) -> RequestBuilder {
    http()
        .post(server.url("/login"))
        .header(header::ORIGIN, "https://tools.example.com")
        .form(&[("token", token), ("next", "/")])
}

async fn call_now(server: &Server, token: &str, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Response {
    let call = http().post(server.url("/api/v1/tools/switchboard_now/call")).bearer_auth(token).json(&json!({}));
    change(call).send().await.unwrap()
}

/// From where the newest call came, as the audit has it.
async fn newest_address(server: &Server, token: &str) -> Value {
    let page = http().get(server.url("/api/v1/audit?limit=1")).bearer_auth(token).send().await.unwrap();
    page.json::<Value>().await.unwrap()["entries"][0]["address"].clone()
}

/// Everything of an answer that a browser could be led astray with.
async fn whole(response: Response) -> String {
    let head = format!("{} {:?}", response.status(), response.headers());
    head + &response.text().await.unwrap()
}

#[tokio::test]
async fn nobodys_word_counts_unless_a_proxy_was_named() {
    let home = Home::new();
    let (server, _) = serve(&home, &["--auth-issuer", "https://id.example.com"]);
    for path in ["/", "/login", "/connect/x", "/mcp", "/api/v1/me", "/.well-known/oauth-protected-resource", "/healthz"]
    {
        let request = || http().get(server.url(path));
        let lied = whole(with_lies(request()).send().await.unwrap()).await;
        assert!(!lied.contains("evil") && !lied.contains("666") && !lied.contains("192.0.2.66"), "{path}: {lied}");
        let plain = request().send().await.unwrap();
        assert!(lied.starts_with(&plain.status().to_string()), "{path}: {lied}");
        let named = request().header(header::HOST, EVIL).send().await.unwrap();
        assert!(path == "/healthz" || named.status() == 403, "{path}: {}", named.status());
    }
    let log = server.log();
    assert!(!log.contains("evil") && !log.contains("192.0.2.66"), "{log}");
}

#[tokio::test]
async fn a_named_proxy_says_who_the_client_is_and_how_it_came() {
    let home = Home::new();
    let (server, token) = serve(&home, &["--trust-proxy", "127.0.0.1,10.0.0.0/8"]);
    assert!(!token.is_empty(), "strangers come through a proxy, so the sandbox wants a token: {}", server.log());

    let through = |request: RequestBuilder| {
        request.header("X-Forwarded-For", "192.0.2.66, 203.0.113.7, 10.0.0.2").header("X-Forwarded-Host", PUBLIC)
    };
    assert_eq!(call_now(&server, &token, through).await.status(), 200);
    assert_eq!(newest_address(&server, &token).await, "203.0.113.7", "what stands before it, it may have made up");
    assert_eq!(call_now(&server, &token, |request| request).await.status(), 200);
    assert_eq!(newest_address(&server, &token).await, "127.0.0.1", "the proxy itself called");

    let astray = call_now(&server, &token, |request| request.header("X-Forwarded-Host", EVIL)).await;
    assert_eq!(astray.status(), 403);
    assert!(!whole(astray).await.contains("evil"));
}

#[tokio::test]
async fn a_cookie_that_came_over_tls_stays_there() {
    let home = Home::new();
    // Without a public address, only the proxy knows that browsers come over TLS.
    let usual = ["serve", "--sandbox", "--listen", "127.0.0.1:0", "--trust-proxy", "127.0.0.1"];
    let server = Server::start(home.command(&usual));
    let log = server.log();
    let token = log.lines().map(str::trim).find(|line| line.starts_with("swb_")).unwrap();
    let own = server.url("").trim_end_matches('/').to_owned();
    for (proto, is_secure) in [("https", true), ("http", false)] {
        let request = sign_in(&server, token).header(header::ORIGIN, &own).header("X-Forwarded-Proto", proto);
        let mut request = request.build().unwrap();
        request.headers_mut().insert(header::ORIGIN, own.parse().unwrap());
        let signed_in = http().execute(request).await.unwrap();
        let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert_eq!(cookie.ends_with("; Secure"), is_secure, "{proto}: {cookie}");
    }
}

#[test]
fn what_is_no_proxy_is_refused() {
    let home = Home::new();
    let refused = home.command(&["serve", "--trust-proxy", "proxy.example.com"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("a network such as 10.0.0.0/8"), "{said}");
    std::fs::write(home.path().join("switchboard.toml"), "trust_proxy = [\"10.0.0.0/99\"]").unwrap();
    let refused = home.command(&["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("`trust_proxy` in the settings file"), "{said}");
    let both = ["serve", "--trust-proxy", "127.0.0.1", "--allow-unauthenticated"];
    assert!(!home.command(&both).output().unwrap().status.success(), "everybody would come in");
}
