//! Connecting through the vendor's consent page, and everything that must not pass for an answer of the vendor.

use serde_json::{Value, json};

use crate::{
    scene::{CALENDAR, Scene},
    wire::Reply,
};

const START: &str = "/api/v1/integrations/oauth/start";
const CALLBACK: &str = "/api/v1/integrations/oauth/callback";

impl Scene {
    /// Starts as a program does, and consents. Returns where the browser is sent.
    async fn answered(&self, account: &str) -> String {
        let wish = json!({ "integration": "google-calendar", "account": account });
        let started = self.post(START, wish).await;
        assert_eq!(started.header("set-cookie"), None, "a program is not a browser");
        self.consent(started.ok(200)["authorize_url"].as_str().unwrap(), "approve").await
    }

    /// Goes where the vendor sends the browser, without a token.
    async fn follow(&self, target: &str) -> Reply {
        self.send("GET", target, &[], "").await
    }

    async fn accounts(&self) -> Vec<String> {
        let calendar = self.calendar().await;
        let connections = calendar["connections"].as_array().unwrap().iter();
        connections.map(|connection| connection["account"].as_str().unwrap().to_owned()).collect()
    }
}

/// A page in words of ours that is neither kept, framed nor scripted.
#[track_caller]
fn page(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(reply.body.contains(words), "{reply:?}");
}

#[tokio::test]
async fn from_the_start_to_a_connected_account() {
    let scene = Scene::open().await;
    let mut changes = scene.hub.changes();
    assert_eq!(scene.delete(&format!("{CALENDAR}/disconnect")).await.status, 204);
    assert!(changes.has_changed().unwrap(), "clients hear of tools that went");
    changes.mark_unchanged();
    assert_eq!(scene.calendar().await["status"], "disconnected");

    let target = scene.answered("work").await;
    let asked = scene.follow(&target).await;
    assert!(asked.body.contains("the person who runs this Switchboard (local)"), "{asked:?}");
    assert_eq!(scene.calendar().await["status"], "disconnected", "nobody has said yes yet");
    page(&scene.confirm(&asked, "connect").await, 200, "Google Calendar is connected");
    assert!(changes.has_changed().unwrap(), "clients hear of tools that came");
    let calendar = scene.calendar().await;
    assert_eq!((&calendar["status"], &calendar["connections"][0]["account"]), (&json!("connected"), &json!("work")));
    let call = json!({ "arguments": {} });
    let called = scene.post("/api/v1/tools/google_calendar_list_meetings/call", call).await.ok(200);
    assert!(called["text"].is_string() && called["structured"].is_object(), "{called}");
}

#[tokio::test]
async fn only_the_browser_that_started_can_finish() {
    let scene = Scene::open().await;
    let origin = format!("http://{}", scene.host());
    let token = format!("Bearer {}", scene.administrator);
    let headers = [("Authorization", &*token), ("Origin", &origin), ("Content-Type", "application/json")];
    let wish = json!({ "integration": "google-calendar", "account": "own", "return_to": "/integrations?done" });
    let started = scene.send("POST", START, &headers, &wish.to_string()).await;
    let cookie = started.header("set-cookie").unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/api/v1/integrations/oauth"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let target = scene.consent(started.ok(200)["authorize_url"].as_str().unwrap(), "approve").await;

    page(&scene.follow(&target).await, 400, "another browser");
    let stranger = [("Cookie", "switchboard_browser=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstu")];
    page(&scene.send("GET", &target, &stranger, "").await, 400, "another browser");
    assert_eq!(scene.accounts().await, ["default"]);

    let finished = scene.send("GET", &target, &[("Cookie", cookie)], "").await;
    assert_eq!((finished.status, finished.header("location")), (303, Some("/integrations?done")), "{finished:?}");
    assert_eq!(scene.accounts().await, ["default", "own"]);

    let again = scene.send("POST", START, &[&headers[..], &[("Cookie", cookie)]].concat(), &wish.to_string()).await;
    let kept = again.header("set-cookie").unwrap().split(';').next();
    assert_eq!(kept, Some(cookie), "a second start in the same browser does not end the first");
}

#[tokio::test]
async fn what_is_no_answer_connects_nothing_and_is_not_reflected() {
    let scene = Scene::open().await;
    let good = scene.answered("other").await;
    let (state, code) = (parameter(&good, "state"), parameter(&good, "code"));
    let html = "%3Cscript%3Ealert(1)%3C/script%3E";
    for query in [
        String::new(),
        "code=marker".into(),
        "state=&code=marker".into(),
        "state=marker&code=marker".into(),
        format!("state={state}x&code={code}"),
        format!("state={state}&state={state}&code={code}"),
        format!("state={state}&code={code}&code={code}"),
        format!("state=marker&error={html}&error_description={html}"),
        format!("error={html}"),
        format!("state={html}&code={html}&iss={html}"),
        "state=%00&code=%FF%FE".into(),
    ] {
        let refused = scene.follow(&format!("{CALLBACK}?{query}")).await;
        page(&refused, 400, "It did not work");
        for marker in ["marker", "<script", "alert", &code, &state] {
            assert!(
                !refused.body.contains(marker) && !refused.head.contains(marker),
                "{marker} of {query}: {refused:?}"
            );
        }
    }
    assert_eq!(scene.accounts().await, ["default"]);
    let asked = scene.follow(&good).await;
    page(&scene.confirm(&asked, "connect").await, 200, "is connected");
    page(&scene.follow(&good).await, 400, "was used already");
    assert_eq!(scene.accounts().await, ["default", "other"]);
}

#[tokio::test]
async fn an_answer_from_another_server_or_with_a_no_ends_the_sign_in() {
    let scene = Scene::open().await;
    let good = scene.answered("one").await;
    let query = good.replace(&format!("iss={}", parameter(&good, "iss")), "");
    page(&scene.follow(&format!("{query}&iss=https://evil.example.com")).await, 400, "server that was asked");
    page(&scene.follow(&good).await, 400, "was used already");
    let started = scene.post(START, json!({ "integration": "google-calendar", "account": "two" })).await.ok(200);
    let denied = scene.consent(started["authorize_url"].as_str().unwrap(), "deny").await;
    page(&scene.follow(&denied).await, 400, "Access was not granted");
    assert!(!scene.accounts().await.contains(&"two".to_owned()));
}

#[tokio::test]
async fn a_foreign_page_to_return_to_is_refused_at_the_start() {
    let scene = Scene::open().await;
    for foreign in
        ["https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "integrations", "/a\r\nX: y"]
    {
        let wish = json!({ "integration": "google-calendar", "return_to": foreign });
        assert_eq!(scene.post(START, wish).await.problem(400), "bad_input", "{foreign}");
    }
}

#[tokio::test]
async fn the_redirect_is_the_registered_one_whatever_the_request_says() {
    let scene = Scene::open().await;
    let token = format!("Bearer {}", scene.administrator);
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
        ("X-Forwarded-Host", "evil.example.com"),
        ("Forwarded", "host=evil.example.com"),
    ];
    let started = scene.send("POST", START, &headers, r#"{"integration":"google-calendar"}"#).await.ok(200);
    let url: url::Url = started["authorize_url"].as_str().unwrap().parse().unwrap();
    let redirect = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    assert_eq!(redirect, format!("http://{}{CALLBACK}", scene.host()));
}

fn parameter(target: &str, name: &str) -> String {
    let query = target.split_once('?').unwrap().1;
    let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    pair.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_callback_takes_nothing_but_a_visit() {
    let scene = Scene::open().await;
    let reply = scene.send("POST", CALLBACK, &[], "").await;
    assert_eq!(reply.problem(405), "method_not_allowed");
    assert!(reply.header("allow").unwrap().contains("GET"), "{reply:?}");
    assert_eq!(scene.of("", "GET", CALLBACK, &Value::Null).await.status, 400, "also with a token that is none");
}
