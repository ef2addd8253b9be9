//! Both sides of the wire keep to the vendors' descriptions: the twins' tables, and what is asked and answered.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod airtable;
#[path = "../support/contract.rs"]
mod contract;
mod gmail;
mod google_calendar;
mod google_sheets;
mod hubspot;
mod notion;
mod salesforce;
mod slack;

use std::{collections::BTreeSet, pin::Pin};

use contract::{Description, check_exchange, check_table, description};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use switchboard::{
    clock::ManualClock,
    sandbox::{Options, Sandbox, record::Exchange},
};

/// Sends the requests of a script and keeps what came back.
struct Script {
    sandbox: Sandbox,
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Script {
    async fn open(vendor: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let now: Timestamp = "2026-11-23T07:00:00Z".parse().unwrap();
        let sandbox = Sandbox::start(Options { limits: false, ..Options::new(ManualClock::at(now)) }).await.unwrap();
        let base = sandbox.endpoint(vendor).unwrap().base_url;
        let token = sandbox.grant(vendor, &[]).await.unwrap().access.expose().to_owned();
        // What one vendor wants on every request, and the others do not mind.
        let headers =
            [("notion-version", "2025-09-03")].map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let client = reqwest::Client::builder().no_proxy().default_headers(headers.into_iter().collect());
        let client = client.build().unwrap();
        Script { sandbox, client, base, token }
    }

    /// Sends one request and expects it to be understood.
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Asks a second host of the vendor: a path from the root.
    async fn host(&self, path: &str) -> Value {
        let origin = self.base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let response = self.client.get(format!("{origin}{path}")).bearer_auth(&self.token).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None).await
    }

    /// Sends a form, as some vendors want what only looks.
    async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Value {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let response = request.form(pairs).send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
        response.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, Some(body)).await
    }
}

/// Every operation of a vendor's twin in one go.
type Session = for<'a> fn(&'a Script) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A session for each vendor, by the id of its integration.
const SESSIONS: &[(&str, Session)] = &[
    ("gmail", |script| Box::pin(gmail::session(script))),
    ("google-calendar", |script| Box::pin(google_calendar::session(script))),
    ("salesforce", |script| Box::pin(salesforce::session(script))),
    ("hubspot", |script| Box::pin(hubspot::session(script))),
    ("slack", |script| Box::pin(slack::session(script))),
    ("airtable", |script| Box::pin(airtable::session(script))),
    ("google-sheets", |script| Box::pin(google_sheets::session(script))),
    ("notion", |script| Box::pin(notion::session(script))),
];

#[tokio::test]
async fn a_session_keeps_to_the_description() {
    for (vendor, session) in SESSIONS {
        let Some(description) = description(vendor) else { return };
        let script = Script::open(vendor).await;
        session(&script).await;
        let exchanges = script.sandbox.exchanges(vendor).unwrap();
        let wrong: Vec<_> = exchanges.iter().flat_map(|exchange| check_exchange(&description, exchange)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn a_session_leaves_no_operation_out() {
    for (vendor, session) in SESSIONS {
        let script = Script::open(vendor).await;
        session(&script).await;
        let exchanges = script.sandbox.exchanges(vendor).unwrap();
        let good = exchanges.iter().filter(|exchange| exchange.status < 300);
        let tried: BTreeSet<_> = good.filter_map(|exchange| exchange.operation).collect();
        let known: BTreeSet<_> = script.sandbox.tables(vendor).unwrap().iter().map(|spec| spec.operation).collect();
        assert_eq!(tried, known, "{vendor}");
    }
}

#[tokio::test]
async fn every_twin_has_a_session() {
    let sandbox = Sandbox::start(Options::new(ManualClock::at(Timestamp::UNIX_EPOCH))).await.unwrap();
    let twins: BTreeSet<_> = sandbox.endpoints().iter().map(|endpoint| endpoint.vendor).collect();
    let sessions: BTreeSet<_> = SESSIONS.iter().map(|(vendor, _)| *vendor).collect();
    assert_eq!(sessions, twins);
}

#[tokio::test]
async fn the_twins_tables_are_those_of_the_descriptions() {
    let sandbox = Sandbox::start(Options::new(ManualClock::at(Timestamp::UNIX_EPOCH))).await.unwrap();
    for endpoint in sandbox.endpoints() {
        let Some(description) = description(endpoint.vendor) else { continue };
        let tables = sandbox.tables(endpoint.vendor).unwrap();
        let wrong: Vec<_> = tables.iter().flat_map(|spec| check_table(&description, spec)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// A description with everything that the checker looks at.
fn small() -> Description {
    Description::new(json!({
        "openapi": "3.1.0",
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {
            "/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "post": {
                    "parameters": [
                        {"name": "at", "in": "query", "required": true, "schema": {"type": "string", "format": "date-time"}},
                        {"name": "size", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                        {"name": "kind", "in": "query", "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
                    ],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Owned"}}}}},
                },
            },
        },
        "components": {"schemas": {
            "Thing": {"type": "object", "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}}},
            "Part": {"type": "object", "properties": {"weight": {"type": "number"}, "free": {"type": "object"}}},
            "Owned": {"allOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "object", "required": ["owner"], "properties": {"owner": {"type": "string"}}}]},
        }},
    }))
}

fn fine() -> Exchange {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Exchange {
        vendor: "small",
        operation: None,
        method: "POST".into(),
        path: "/v1/things/a%2Fb".into(),
        query: vec![pair("at", "2026-11-23T09:00:00Z"), pair("kind", "a"), pair("kind", "b"), pair("size", "2")],
        headers: vec![pair("content-type", "application/json; charset=utf-8")],
        body: Some(json!({"name": "n", "parts": [{"weight": 1.5, "free": {"any": 1}}]})),
        status: 200,
        answer: Some(json!({"name": "n", "owner": "o"})),
    }
}

#[test]
fn a_right_exchange_is_found_right() {
    assert_eq!(check_exchange(&small(), &fine()), Vec::<String>::new());
}

#[test]
fn every_kind_of_wrong_exchange_is_found_wrong() {
    let description = small();
    let check = |what: &str, spoil: fn(&mut Exchange)| {
        let mut exchange = fine();
        spoil(&mut exchange);
        let wrong = check_exchange(&description, &exchange);
        assert!(!wrong.is_empty(), "{what} went unnoticed");
    };
    check("an unknown path", |exchange| exchange.path = "/v1/thing/a".into());
    check("another method", |exchange| exchange.method = "PUT".into());
    check("an unknown parameter", |exchange| exchange.query.push(("sise".into(), "2".into())));
    check("a missing parameter", |exchange| drop(exchange.query.remove(0)));
    check("a parameter of another type", |exchange| exchange.query[3].1 = "two".into());
    check("a parameter out of range", |exchange| exchange.query[3].1 = "0".into());
    check("a repeated parameter", |exchange| exchange.query.push(("size".into(), "3".into())));
    check("a parameter of another format", |exchange| exchange.query[0].1 = "2026-11-23T09:00:00".into());
    check("a choice that is none", |exchange| exchange.query[1].1 = "c".into());
    check("a missing body", |exchange| exchange.body = None);
    check("another content type", |exchange| exchange.headers[0].1 = "text/plain".into());
    check("an unknown field", |exchange| exchange.body = Some(json!({"nmae": "n"})));
    check("an unknown field deep down", |exchange| exchange.body = Some(json!({"parts": [{"wieght": 1}]})));
    check("a field of another type", |exchange| exchange.body = Some(json!({"name": 1})));
    check("another status", |exchange| exchange.status = 201);
    check("an answer without its body", |exchange| exchange.answer = None);
    check("an answer with an unknown field", |exchange| exchange.answer = Some(json!({"owner": "o", "x": 1})));
    check("an answer without a required field", |exchange| exchange.answer = Some(json!({"name": "n"})));
    check("an answer that is wrong deep down", |exchange| {
        exchange.answer = Some(json!({"owner": "o", "parts": [{"x": 1}]}));
    });
}
