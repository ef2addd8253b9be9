//! A client's token and a vendor's: the one stops where the other begins.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/issuer.rs"]
mod issuer;
mod support;

use std::{
    collections::BTreeMap,
    fmt::Write,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::request::Parts};
use serde_json::{Value, json};
use switchboard::{
    agents::{Acquaintance, Identity},
    cli::{
        door::Tokens,
        house::{self, House},
        owner::{self, Claim},
    },
    clock,
    config::{Environment, Settings},
    http::{Client, Lane, Request, path},
    hub::{Deferred, Filters},
    id,
    issuer::{Issuer, Options},
    secret::Secret,
    transport::{self, Access, listen},
    vault::{Connection, ConnectionKey, Credential, Status, When},
};
use tokio::net::TcpListener;

use self::{
    issuer::{MockIssuer, TestKey},
    support::{Home, Server},
};

const VENDOR_TOKEN: &str = "ya29.the-vendors-own";
const AUDIENCE: &str = "https://tools.example.com/mcp";

/// Everything that a vendor was sent, as text.
type Sent = Arc<Mutex<String>>;

/// A vendor that writes down all that it is sent, and has nothing to tell.
async fn vendor() -> (SocketAddr, Sent) {
    async fn answer(State(sent): State<Sent>, parts: Parts, body: Bytes) -> &'static str {
        let mut sent = sent.lock().unwrap();
        writeln!(sent, "{} {}", parts.method, parts.uri).unwrap();
        for (name, value) in &parts.headers {
            writeln!(sent, "{name}: {}", String::from_utf8_lossy(value.as_bytes())).unwrap();
        }
        writeln!(sent, "{}", String::from_utf8_lossy(&body)).unwrap();
        "{}"
    }
    let sent = Sent::default();
    let router = Router::new().fallback(answer).with_state(Arc::clone(&sent));
    (start(router).await, sent)
}

async fn start(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen::serve(listener, router, listen::Limits::default(), std::future::pending()));
    address
}

/// The whole server on a data directory of its own, with the vendor at `address`.
async fn house(dir: &tempfile::TempDir, address: SocketAddr) -> House {
    let home = house::Home { dir: dir.path().into(), is_sandbox: false, clock: clock::system() };
    let set = [
        ("SWITCHBOARD_GOOGLE_CALENDAR_BASE_URL", format!("http://{address}")),
        ("SWITCHBOARD_GOOGLE_CLIENT_ID", "our-app".to_owned()),
        ("SWITCHBOARD_GOOGLE_CLIENT_SECRET", "our-secret".to_owned()),
    ];
    let environment = Environment::from_pairs(set.map(|(name, value)| (name.to_owned(), value)));
    let settings = Settings::load(dir.path(), environment).unwrap();
    let Claim::Mine(ownership) = owner::claim(dir.path()).await.unwrap() else { panic!("nobody else is here") };
    House::open(&home, &settings, Arc::new(ownership)).await.unwrap_or_else(|_| panic!("the house opens"))
}

/// Connects the calendar of somebody whom the issuer calls `ann`.
async fn connect(house: &House, issuer: &MockIssuer) {
    let identity = Identity { issuer: issuer.name.clone(), subject: "ann".into() };
    let made = house.agents.create_user_for(&identity, "Ann", false).await.unwrap();
    let Acquaintance::Person(user) = made else { panic!("she was just made") };
    let now = clock::system().now();
    let connection = Connection {
        key: ConnectionKey::new(user.id, "google-calendar", "default"),
        credential: Credential::OAuth {
            access: Secret::new(VENDOR_TOKEN),
            refresh: None,
            expires_at: None,
            extra: BTreeMap::new(),
        },
        generation: 1,
        status: Status::Active,
        scopes: vec!["https://www.googleapis.com/auth/calendar.calendarlist.readonly".into()],
        metadata: BTreeMap::new(),
        client_id: Some("our-app".into()),
        connected_at: now,
        updated_at: now,
    };
    house.vault.save_connection(&connection, When::Absent).await.unwrap();
}

#[tokio::test]
async fn a_vendor_sees_its_own_token_and_nothing_of_the_clients() {
    let (address, sent) = vendor().await;
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir, address).await;
    let (issuer, key) = (MockIssuer::start("").await, TestKey::p256("first"));
    issuer.publish(&[&key]);
    connect(&house, &issuer).await;

    let options = Options { issuer: issuer.name.clone(), audiences: vec![AUDIENCE.into()], provision: false };
    let trusted = Issuer::new(options, house.agents.clone(), clock::system(), id::os()).unwrap();
    let access = Access::Bearer(Arc::new(Tokens::new(house.agents.clone(), Some(trusted))));
    let options = transport::Options { filters: Filters::everything(), ..transport::Options::new(access) };
    let hub = house::hub(Deferred::ready(house).map(|house| house.desk.clone()), clock::system());
    let server = start(transport::http::router(house::server(&hub), options)).await;

    let exp = clock::system().now().as_second() + 300;
    let claims = json!({"iss": issuer.name, "sub": "ann", "aud": AUDIENCE, "exp": exp, "scope": "tools:read"});
    let token = key.sign(&claims);
    let answer = call(server, &token, "google_calendar_list_calendars").await;

    let sent = sent.lock().unwrap().clone();
    assert!(sent.contains(&format!("authorization: Bearer {VENDOR_TOKEN}\n")), "{sent}\n{answer}");
    for part in token.split('.') {
        assert!(!sent.contains(part) && !answer.to_string().contains(part), "{sent}\n{answer}");
    }
}

#[tokio::test]
async fn serve_trusts_the_issuer_that_is_named() {
    let (issuer, key) = (MockIssuer::start("/tenant").await, TestKey::ed25519("first"));
    issuer.publish(&[&key]);
    let home = Home::new();
    let serve = ["serve", "--sandbox", "--listen", "127.0.0.1:0", "--public-url", "https://tools.example.com"];
    let trust = ["--auth-issuer", &issuer.name, "--auth-provision"];
    let server = Server::start(home.command(&[&serve[..], &trust].concat()));

    let client = Client::new(switchboard::http::Options::default(), clock::system(), id::os()).unwrap();
    let lane = Lane::new("switchboard", format!("http://{}", server.address()).parse().unwrap());
    let answer = client.send(&lane, Request::post(path!["mcp"])).await.unwrap();
    let challenge = "Bearer resource_metadata=\"https://tools.example.com/.well-known/oauth-protected-resource/mcp\", \
                     scope=\"tools:read tools:write\"";
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, Some(challenge)));
    let description = Request::get(path![".well-known", "oauth-protected-resource", "mcp"]);
    let description: Value = client.send(&lane, description).await.unwrap().json().unwrap();
    assert_eq!(description["authorization_servers"], json!([issuer.name]));

    let exp = clock::system().now().as_second() + 300;
    let claims = json!({"iss": issuer.name, "sub": "ann", "aud": AUDIENCE, "exp": exp, "scope": "tools:read"});
    let reader = key.sign(&claims);
    let now = call(server.address(), &reader, "switchboard_now").await;
    assert!(now["result"]["content"][0]["text"].is_string(), "{now}");

    let mut claims = claims;
    claims["scope"] = "tools:write".into();
    for (token, status) in [(reader, 403), (key.sign(&claims), 200)] {
        let tools = Request::get(path!["api", "v1", "tools"]).header("authorization", format!("Bearer {token}"));
        let answer = client.send(&lane, tools).await.unwrap();
        let asks_for_more = answer.header("www-authenticate").is_some_and(|value| value.contains("insufficient_scope"));
        assert_eq!((answer.status.as_u16(), asks_for_more), (status, status == 403), "{}", answer.text());
    }
}

#[test]
fn an_issuer_that_cannot_be_one_is_refused_at_the_start() {
    for (flags, word) in [
        (vec!["--auth-issuer", "http://id.example.com"], "https"),
        (vec!["--auth-issuer", "id.example.com"], "https"),
        (vec!["--auth-issuer", "https://id.example.com/?tenant=1"], "query"),
        (vec!["--auth-issuer", "https://id.example.com", "--allow-unauthenticated"], "--allow-unauthenticated"),
    ] {
        let home = Home::new();
        let arguments = [&["serve", "--sandbox", "--listen", "127.0.0.1:0"][..], &flags].concat();
        let output = home.command(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(word) && !said.contains("panicked"), "{flags:?}: {said}");
    }
}

/// Calls a tool over `/mcp`.
async fn call(server: SocketAddr, token: &str, tool: &str) -> Value {
    let client = Client::new(switchboard::http::Options::default(), clock::system(), id::os()).unwrap();
    let lane = Lane::new("switchboard", format!("http://{server}").parse().unwrap());
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": tool, "arguments": {}, "_meta": meta});
    let request = Request::post(path!["mcp"])
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    let answer = client.send(&lane, request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(&answer.text()).unwrap_or_else(|_| Value::String(answer.text()))
}
