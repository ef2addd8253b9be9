//! Who may do what, from where.

use serde_json::{Value, json};

use crate::{
    scene::{CALENDAR, Scene},
    wire,
};

/// Every resource, with a body that would be right.
fn resources() -> Vec<(&'static str, String, Value)> {
    vec![
        ("GET", "/api/v1/integrations".into(), Value::Null),
        ("GET", CALENDAR.into(), Value::Null),
        ("POST", "/api/v1/integrations/oauth/start".into(), json!({ "integration": "google-calendar" })),
        ("POST", format!("{CALENDAR}/connect"), json!({ "credentials": { "token": "x" } })),
        ("POST", format!("{CALENDAR}/test"), Value::Null),
        ("DELETE", format!("{CALENDAR}/disconnect"), Value::Null),
        ("GET", "/api/v1/tools".into(), Value::Null),
        ("GET", "/api/v1/catalog".into(), Value::Null),
        ("POST", "/api/v1/agents/local/preview".into(), json!({})),
        ("POST", "/api/v1/tools/switchboard_now/call".into(), json!({})),
        ("GET", "/api/v1/approvals".into(), Value::Null),
        ("POST", "/api/v1/approvals/a-0000000000".into(), json!({ "decision": "approve" })),
        ("GET", "/api/v1/audit".into(), Value::Null),
        ("POST", "/api/v1/panic".into(), json!({ "confirm": "panic" })),
        ("GET", "/api/v1/nothing".into(), Value::Null),
        ("GET", "/api/v1".into(), Value::Null),
        ("PATCH", "/api/v1/tools".into(), Value::Null),
    ]
}

#[tokio::test]
async fn without_a_good_token_there_is_nothing() {
    let scene = Scene::open().await;
    let longer = format!("{}x", scene.administrator);
    let shorter = &scene.administrator[..scene.administrator.len() - 1];
    for (method, target, body) in resources() {
        let reply = scene.send(method, &target, &[("Content-Type", "application/json")], &body.to_string()).await;
        assert_eq!(reply.problem(401), "unauthorized", "{method} {target}");
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"), "{reply:?}");
        for token in [&*longer, shorter, "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(scene.of(token, method, &target, &body).await.problem(401), "unauthorized", "{method} {target}");
        }
        let query = format!("{target}?access_token={}", scene.administrator);
        assert_eq!(scene.send(method, &query, &[], "").await.problem(401), "unauthorized", "{method} {target}");
    }
    assert_eq!(scene.calendar().await["status"], "connected");
}

#[tokio::test]
async fn an_agent_sees_and_calls_and_changes_no_connection() {
    let scene = Scene::open().await;
    for (method, target, body) in resources() {
        let reply = scene.of(&scene.agent, method, &target, &body).await;
        let is_for_people = ["start", "connect", "test", "disconnect", "catalog", "preview", "panic"]
            .iter()
            .any(|word| target.ends_with(word));
        if is_for_people || target.contains("approvals/") {
            assert_eq!(reply.problem(403), "not_allowed", "{method} {target}");
        } else if target.ends_with("nothing") || target.ends_with("v1") {
            assert_eq!(reply.problem(404), "not_found", "{method} {target}");
        } else if method == "PATCH" {
            assert_eq!(reply.problem(405), "method_not_allowed", "{method} {target}");
        } else {
            reply.ok(200);
        }
    }
    assert_eq!(scene.calendar().await["status"], "connected");
}

#[tokio::test]
async fn an_administrator_ends_everything_and_gets_the_only_token_that_is_good() {
    let scene = Scene::open().await;
    let end = async |word: &str| {
        let body = json!({ "confirm": word });
        scene.of(&scene.administrator, "POST", "/api/v1/panic", &body).await
    };
    assert_eq!(end("yes").await.problem(400), "bad_input");
    assert_eq!(scene.calendar().await["status"], "connected");
    let ended = end("panic").await.ok(200);
    let grants = ended["list"]["ended"].as_array().unwrap();
    assert!(grants.iter().any(|grant| grant["integration"] == "google-calendar"), "{ended}");
    for token in [&scene.administrator, &scene.agent] {
        assert_eq!(scene.of(token, "GET", "/api/v1/me", &Value::Null).await.problem(401), "unauthorized");
    }
    let token = ended["token"].as_str().unwrap();
    let calendar = scene.of(token, "GET", CALENDAR, &Value::Null).await.ok(200);
    assert_eq!(calendar["status"], "disconnected");
}

#[tokio::test]
async fn a_tool_that_the_agent_does_not_have_is_not_there() {
    let scene = Scene::open().await;
    let tools = scene.of(&scene.agent, "GET", "/api/v1/tools", &Value::Null).await.ok(200);
    let has = |name: &str| tools["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == name);
    assert!(has("google_calendar_schedule_meeting") && !has("google_calendar_quick_add"), "{tools}");
    let arguments = json!({ "arguments": { "text": "Lunch tomorrow at noon" } });
    let call = "/api/v1/tools/google_calendar_quick_add/call";
    assert_eq!(scene.of(&scene.agent, "POST", call, &arguments).await.problem(404), "unknown_tool");
}

#[tokio::test]
async fn foreign_names_and_pages_are_turned_away() {
    let scene = Scene::open().await;
    let token = format!("Bearer {}", scene.administrator);
    let own = scene.host();
    let port = scene.address.port();
    let callback = "/api/v1/integrations/oauth/callback?state=x&code=y";
    for target in ["/api/v1/integrations", callback] {
        for host in ["evil.example.com", "localhost.evil.example.com", &format!("evil.example.com:{port}")] {
            let reply =
                wire::send(scene.address, "GET", target, &[("Host", host), ("Authorization", &token)], "").await;
            assert_eq!(reply.problem(403), "not_allowed", "{host} {target}");
        }
        let twice = [("Host", &*own), ("Host", "evil.example.com"), ("Authorization", &token)];
        assert_eq!(wire::send(scene.address, "GET", target, &twice, "").await.status, 400);
        for origin in ["http://evil.example.com", "null", "http://localhost.evil.example.com"] {
            let reply = scene.send("GET", target, &[("Origin", origin), ("Authorization", &token)], "").await;
            assert_eq!(reply.problem(403), "not_allowed", "{origin} {target}");
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }
    }
}

#[tokio::test]
async fn pages_of_other_programs_on_this_machine_change_nothing() {
    let scene = Scene::open().await;
    let token = format!("Bearer {}", scene.administrator);
    for (method, target, body) in resources().into_iter().filter(|(method, ..)| *method != "GET") {
        let headers =
            [("Origin", "http://localhost:3000"), ("Authorization", &*token), ("Content-Type", "application/json")];
        let reply = scene.send(method, &target, &headers, &body.to_string()).await;
        assert_eq!(reply.problem(403), "not_allowed", "{method} {target}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    let preflight = [("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "DELETE")];
    let reply = scene.send("OPTIONS", &format!("{CALENDAR}/disconnect"), &preflight, "").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (401, None), "{reply:?}");
    assert_eq!(scene.calendar().await["status"], "connected");
}
