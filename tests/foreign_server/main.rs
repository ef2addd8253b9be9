//! The whole way with an authorization server that is not ours: npm `oidc-provider`, which requires PKCE, rotates
//! refresh tokens and ends a grant when one comes back, lets access tokens live for five seconds, and says in every
//! answer who gives it. It stands in for Google through the settings that operators have.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use reqwest::{Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use support::{Home, Server};
use url::Url;

const CALLBACK: &str = "/api/v1/integrations/oauth/callback";
const CALL: &str = "/api/v1/tools/google_calendar_list_calendars/call";

/// The foreign server; it ends when it is dropped.
struct Foreign {
    process: Child,
    issuer: String,
}

impl Foreign {
    fn start(redirect: &str) -> Option<Foreign> {
        let Some(modules) = support::test_tool("oidc") else {
            support::lacks("oidc-provider", "scripts/setup-tests.sh oidc-provider");
            return None;
        };
        let node = support::test_tool("node/node_modules/node/bin/node").unwrap_or_else(|| "node".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign_server/server.mjs");
        let mut process = Command::new(node)
            .args([script, redirect])
            .env("MODULES", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.trim().parse::<u16>().ok()).expect("the server says its port");
        Some(Foreign { process, issuer: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Our server, the foreign one, and a browser.
struct Scene {
    foreign: Foreign,
    server: Server,
    browser: Browser,
    _home: Home,
}

impl Scene {
    async fn new() -> Option<Scene> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let redirect = format!("http://localhost:{port}{CALLBACK}");
        let foreign = tokio::task::spawn_blocking(move || Foreign::start(&redirect)).await.unwrap()?;
        let home = Home::new();
        let mut command = home.command(&[
            "serve",
            "--allow-unauthenticated",
            "--toolsets",
            "google-calendar",
            "--listen",
            &format!("127.0.0.1:{port}"),
        ]);
        let issuer = &foreign.issuer;
        for (name, value) in [
            ("BASE_URL", format!("{issuer}/calendar/v3")),
            ("AUTHORIZE_URL", format!("{issuer}/auth")),
            ("TOKEN_URL", format!("{issuer}/token")),
            ("REVOKE_URL", format!("{issuer}/token/revocation")),
            ("ISSUER", issuer.clone()),
            ("CLIENT_ID", "switchboard".to_owned()),
            ("CLIENT_SECRET", "a-secret-of-the-test".to_owned()),
        ] {
            command.env(format!("SWITCHBOARD_GOOGLE_CALENDAR_{name}"), value);
        }
        let server = tokio::task::spawn_blocking(move || Server::start(command)).await.unwrap();
        Some(Scene { foreign, server, browser: Browser::new(), _home: home })
    }

    fn ours(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.server.address().port())
    }

    async fn start(&self) -> Url {
        let body = json!({ "integration": "google-calendar" });
        let answer = self.browser.post(&self.ours("/api/v1/integrations/oauth/start"), &body).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.unwrap()["authorize_url"].as_str().unwrap().parse().unwrap()
    }

    /// Goes through the foreign consent page; the answer is where the browser is sent back to.
    async fn consent(&self, page: Url) -> Url {
        let mut next = page;
        for _ in 0..10 {
            let answer = self.browser.get(next.as_str()).await;
            let place = answer.headers().get("location").and_then(|place| place.to_str().ok()).map(str::to_owned);
            let Some(place) = place else {
                panic!("{next} sends nobody on: {}", answer.text().await.unwrap());
            };
            next = next.join(&place).unwrap();
            if next.path() == CALLBACK {
                return next;
            }
        }
        panic!("no end of redirects at {next}");
    }

    async fn connect(&self) {
        let back = self.consent(self.start().await).await;
        let answer = self.browser.get(back.as_str()).await;
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// How often the foreign server did something.
    async fn count(&self, what: &str) -> u64 {
        let counts: Value = self.browser.get(&format!("{}/counts", self.foreign.issuer)).await.json().await.unwrap();
        counts[what].as_u64().unwrap()
    }

    async fn call(&self) -> (StatusCode, String) {
        let answer = self.browser.post(&self.ours(CALL), &json!({})).await;
        (answer.status(), answer.text().await.unwrap())
    }

    async fn status(&self) -> Value {
        self.browser.get(&self.ours("/api/v1/integrations/google-calendar")).await.json().await.unwrap()
    }

    /// A callback that has to be refused, and may show nothing of what it brought.
    async fn is_refused(&self, query: &str) {
        let exchanges = self.count("exchanges").await;
        let answer = self.browser.get(&self.ours(&format!("{CALLBACK}?{query}"))).await;
        assert!(answer.status().is_client_error(), "{query}: {}", answer.status());
        assert!(answer.headers().get("location").is_none(), "{query} sends the browser on");
        let page = answer.text().await.unwrap();
        for (_, value) in url::form_urlencoded::parse(query.as_bytes()) {
            assert!(value.len() < 4 || !page.contains(&*value), "{query} is reflected: {page}");
        }
        assert_eq!(self.count("exchanges").await, exchanges, "{query} was traded");
    }
}

/// A browser: it keeps cookies, and follows nothing by itself.
struct Browser {
    client: reqwest::Client,
    cookies: Mutex<BTreeMap<(String, String), String>>,
}

impl Browser {
    fn new() -> Browser {
        // Whoever was first has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(Policy::none()).timeout(Duration::from_mins(1)).build();
        Browser { client: client.unwrap(), cookies: Mutex::default() }
    }

    async fn get(&self, url: &str) -> Response {
        self.send(self.client.get(url), url).await
    }

    async fn post(&self, url: &str, body: &Value) -> Response {
        let origin = Url::parse(url).unwrap().origin().ascii_serialization();
        self.send(self.client.post(url).json(body).header("origin", origin), url).await
    }

    fn cookies_for(&self, host: &str) -> String {
        let kept = self.cookies.lock().unwrap();
        let own = kept.iter().filter(|((of, _), _)| of == host).map(|((_, name), value)| format!("{name}={value}"));
        own.collect::<Vec<_>>().join("; ")
    }

    async fn send(&self, request: reqwest::RequestBuilder, url: &str) -> Response {
        let host = Url::parse(url).unwrap().host_str().unwrap().to_owned();
        let header = self.cookies_for(&host);
        let answer = request.header("cookie", header).send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.lock().unwrap().insert((host.clone(), name.to_owned()), value.to_owned());
        }
        answer
    }
}

fn with(back: &Url, change: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in back.query_pairs() {
        if let Some(value) = change(&name, &value) {
            query.append_pair(&name, &value);
        }
    }
    query.finish()
}

#[expect(clippy::unnecessary_wraps, reason = "one of several changes of a parameter, others take it away")]
fn keep(_: &str, value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_calls_at_the_moment_of_expiry_are_one_refresh_five_times_over() {
    let Some(scene) = Scene::new().await else { return };
    scene.connect().await;
    let (status, body) = scene.call().await;
    assert!(status.is_success(), "{body}");
    for round in 1..=5 {
        tokio::time::sleep(Duration::from_millis(5100)).await;
        let before = scene.count("refreshes").await;
        let calls = futures_util::future::join_all((0..50).map(|_| scene.call())).await;
        let failed: Vec<_> = calls.iter().filter(|(status, _)| !status.is_success()).collect();
        assert!(failed.is_empty(), "round {round}: {failed:?}");
        assert_eq!(scene.count("refreshes").await - before, 1, "round {round}");
    }
    assert_eq!(scene.count("refused").await, 0, "no spent token came back");
    assert_eq!(scene.status().await["status"], "connected");
    let gone = scene.browser.client.delete(scene.ours("/api/v1/integrations/google-calendar/disconnect"));
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_is_not_the_answer_to_our_question_is_refused() {
    let Some(scene) = Scene::new().await else { return };
    let back = scene.consent(scene.start().await).await;
    let state = with(&back, |name, value| (name == "state").then(|| value.to_owned()));

    scene.is_refused("").await;
    scene.is_refused(&with(&back, |name, value| (name != "state").then(|| value.to_owned()))).await;
    scene.is_refused(&with(&back, |name, value| keep(name, if name == "state" { "" } else { value }))).await;
    let forged = |name: &str, value: &str| keep(name, if name == "state" { "forged-state-forged" } else { value });
    scene.is_refused(&with(&back, forged)).await;
    scene.is_refused(&format!("{}&{state}", with(&back, keep))).await;
    scene.is_refused(&format!("{}&state=another-state-another", with(&back, keep))).await;
    scene
        .is_refused("error=%3Cscript%3Ealert(1)%3C%2Fscript%3E&error_description=%3Cb%3Ehello&state=unknown-state")
        .await;

    // A stranger's browser does not finish what this one began.
    let stranger = Browser::new();
    let answer = stranger.get(back.as_str()).await;
    assert!(answer.status().is_client_error(), "{}", answer.status());

    // Whose answer it is not: it costs the question, too.
    let evil = |name: &str, value: &str| keep(name, if name == "iss" { "https://evil.example" } else { value });
    scene.is_refused(&with(&back, evil)).await;
    scene.is_refused(&with(&back, keep)).await;

    // A code belongs to the question that it answers.
    let (one, two) = (scene.consent(scene.start().await).await, scene.consent(scene.start().await).await);
    let foreign = two.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let swapped = |name: &str, value: &str| keep(name, if name == "code" { &foreign } else { value });
    scene.is_refused(&with(&one, swapped)).await;
    assert_eq!(scene.status().await["status"], "disconnected", "nothing was connected by all that");

    // A good one is good once.
    let good = scene.consent(scene.start().await).await;
    assert!(scene.browser.get(good.as_str()).await.status().is_success());
    scene.is_refused(&with(&good, keep)).await;
    assert_eq!(scene.status().await["status"], "connected");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_changes_where_the_vendor_sends_people() {
    let Some(scene) = Scene::new().await else { return };
    let start = scene.ours("/api/v1/integrations/oauth/start");
    let expected = scene.ours(CALLBACK);
    for (header, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-original-host", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
    ] {
        let request = scene.browser.client.post(&start).json(&json!({ "integration": "google-calendar" }));
        let answer = request.header(header, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "nobody is asked for a token here, so no proxy may come");
        let text = answer.text().await.unwrap();
        assert!(!text.contains("evil"), "{header} is reflected: {text}");
    }
    let page = scene.start().await;
    let redirect = page.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    assert_eq!(redirect, expected);
    let foreign = scene.browser.client.post(&start).json(&json!({ "integration": "google-calendar" }));
    let answer = foreign.header("host", "evil.example").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!answer.text().await.unwrap().contains("evil"));

    for place in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", "evil"]
    {
        let wish = json!({ "integration": "google-calendar", "return_to": place });
        let answer = scene.browser.post(&start, &wish).await;
        assert!(answer.status().is_client_error(), "{place}: {}", answer.status());
    }
}
