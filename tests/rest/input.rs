//! What does not fit is refused, by name where it has one.

use serde_json::{Value, json};

use crate::scene::{CALENDAR, Scene};

const START: &str = "/api/v1/integrations/oauth/start";
const CALL: &str = "/api/v1/tools/switchboard_now/call";
const ANSWER: &str = "/api/v1/approvals/a-0000000000";

#[tokio::test]
async fn bodies_that_do_not_fit_are_refused() {
    let scene = Scene::open().await;
    let connect = format!("{CALENDAR}/connect");
    for (target, body, names) in [
        (START, json!({}), "integration"),
        (START, json!({ "integration": "google-calendar", "acount": "a" }), "acount"),
        (START, json!({ "integration": 5 }), "kind"),
        (START, json!({ "integration": "google-calendar", "account": "" }), "name"),
        (START, json!({ "integration": "google-calendar", "account": "../../x" }), "name"),
        (&connect, json!({}), "credentials"),
        (&connect, json!({ "credentials": {} }), "token"),
        (&connect, json!({ "credentials": { "token": "x", "tokn": "y" } }), "tokn"),
        (&connect, json!({ "credentials": { "token": 5 } }), "kind"),
        (&connect, json!({ "credentials": { "token": "x" }, "acount": "a" }), "acount"),
        (&connect, json!({ "credentials": { "token": "x" }, "account": "a b" }), "name"),
        (CALL, json!({ "arguments": [] }), "kind"),
        (CALL, json!({ "args": {} }), "args"),
        (CALL, json!([1]), "kind"),
        (ANSWER, json!({}), "decision"),
        (ANSWER, json!({ "decision": "maybe" }), "kind"),
        (ANSWER, json!({ "decision": "approve", "for": "ever" }), "for"),
    ] {
        let reply = scene.post(target, body.clone()).await;
        assert_eq!(reply.problem(400), "bad_input", "{target} {body}");
        assert!(reply.body.contains(names), "{names} in {reply:?}");
    }
    assert_eq!(scene.post(START, json!({ "integration": "google-calender" })).await.problem(404), "not_found");
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let scene = Scene::open().await;
    let token = format!("Bearer {}", scene.administrator);
    let deep = "[".repeat(100_000);
    for target in [START, CALL, ANSWER, &format!("{CALENDAR}/connect")] {
        for body in ["{", "nonsense", "{}{}", "{\"a\":\u{1}}", "\u{feff}{}", &deep] {
            let headers = [("Authorization", &*token), ("Content-Type", "application/json")];
            assert_eq!(scene.send("POST", target, &headers, body).await.problem(400), "bad_input", "{target}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
            let headers = [("Authorization", &*token), ("Content-Type", kind)];
            assert_eq!(
                scene.send("POST", target, &headers, "{}").await.problem(415),
                "unsupported_media_type",
                "{kind}"
            );
        }
    }
}

#[tokio::test]
async fn too_much_is_cut_off_before_it_is_read() {
    let scene = Scene::open().await;
    let token = format!("Bearer {}", scene.administrator);
    let body = format!("{{\"arguments\":{{\"x\":\"{}\"}}}}", "x".repeat(11 << 20));
    let headers = [("Authorization", &*token), ("Content-Type", "application/json")];
    assert_eq!(scene.send("POST", CALL, &headers, &body).await.problem(413), "too_large");
}

#[tokio::test]
async fn queries_that_do_not_fit_are_refused() {
    let scene = Scene::open().await;
    for target in [
        "/api/v1/audit?limit=0",
        "/api/v1/audit?limit=201",
        "/api/v1/audit?limit=many",
        "/api/v1/audit?cursor=x",
        "/api/v1/audit?curser=x",
        "/api/v1/audit?limit=1&limit=2",
        "/api/v1/tools?limit=1",
        "/api/v1/approvals?all",
        "/api/v1/integrations?category=crm",
        "/api/v1/integrations/%FF",
    ] {
        assert_eq!(scene.get(target).await.problem(400), "bad_input", "{target}");
    }
    assert_eq!(scene.delete(&format!("{CALENDAR}/disconnect?acount=x")).await.problem(400), "bad_input");
    assert_eq!(scene.post(&format!("{CALENDAR}/test?acount=x"), Value::Null).await.problem(400), "bad_input");
    assert_eq!(scene.calendar().await["status"], "connected");
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems_too() {
    let scene = Scene::open().await;
    for target in ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/integrations/", "/api/v1/integrations/a/b/c"] {
        assert_eq!(scene.get(target).await.problem(404), "not_found", "{target}");
    }
    for (method, target, allowed) in [
        ("DELETE", "/api/v1/integrations", "GET"),
        ("GET", "/api/v1/integrations/google-calendar/connect", "POST"),
        ("POST", "/api/v1/integrations/google-calendar/disconnect", "DELETE"),
        ("PUT", CALL, "POST"),
        ("POST", "/api/v1/audit", "GET"),
    ] {
        let reply = scene.of(&scene.administrator, method, target, &Value::Null).await;
        assert_eq!(reply.problem(405), "method_not_allowed", "{method} {target}");
        assert!(reply.header("allow").is_some_and(|allow| allow.contains(allowed)), "{reply:?}");
    }
    assert_eq!(scene.get("/api/v1/integrations/oauth").await.problem(404), "not_found");
}
