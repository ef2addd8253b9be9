//! What the resources answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::scene::{CALENDAR, Scene};

const CANCEL: &str = "/api/v1/tools/google_calendar_cancel_meeting/call";

#[tokio::test]
async fn an_integration_says_how_it_is_and_what_it_takes() {
    let scene = Scene::open().await;
    let all = scene.get("/api/v1/integrations").await.ok(200);
    let listed = all["integrations"].as_array().unwrap().iter().find(|one| one["id"] == "google-calendar").unwrap();
    assert_eq!(
        (&listed["name"], &listed["category"], &listed["auth"], &listed["status"]),
        (&json!("Google Calendar"), &json!("calendar"), &json!(["oauth", "token"]), &json!("connected"))
    );
    assert!(listed["tools"].as_u64().unwrap() > 0 && listed["docs"].as_str().unwrap().starts_with("https://"));
    let connection = &listed["connections"][0];
    assert_eq!((&connection["account"], &connection["status"]), (&json!("default"), &json!("active")));
    assert!(connection["scopes"].is_array() && connection["connected_at"].is_string(), "{connection}");
    let one = scene.calendar().await;
    assert_eq!(one["fields"][0]["name"], "token");
    assert_eq!(scene.get("/api/v1/integrations/google-calender").await.problem(404), "not_found");
}

#[tokio::test]
async fn a_test_tells_whether_the_vendor_answers() {
    let scene = Scene::open().await;
    let test = format!("{CALENDAR}/test");
    let well = scene.post(&test, Value::Null).await.ok(200);
    assert_eq!((&well["ok"], &well["account"]), (&json!(true), &json!("default")), "{well}");
    assert!(well["latency_ms"].is_u64() && !well["detail"].as_str().unwrap().is_empty(), "{well}");

    scene.sandbox().revoke("google-calendar").await.unwrap();
    let ill = scene.post(&test, Value::Null).await.ok(200);
    assert_eq!((&ill["ok"], &ill["account"]), (&json!(false), &json!("default")), "{ill}");
    assert!(ill["next"].is_string(), "{ill}");
    assert_eq!(scene.calendar().await["status"], "needs_reconnect");

    assert_eq!(scene.post(&format!("{test}?account=nobody"), Value::Null).await.problem(409), "not_connected");
}

#[tokio::test]
async fn a_key_is_tried_before_it_is_kept_and_never_shown() {
    let scene = Scene::open().await;
    let connect = format!("{CALENDAR}/connect");
    let wrong = json!({ "account": "typed", "credentials": { "token": "canary-3c5b1d9a7e" } });
    assert_eq!(scene.post(&connect, wrong).await.problem(422), "bad_credentials");
    assert_eq!(scene.calendar().await["connections"].as_array().unwrap().len(), 1);

    let grant = scene.sandbox().grant("google-calendar", &[]).await.unwrap();
    let token = grant.access.expose();
    let right = json!({ "account": "typed", "credentials": { "token": token } });
    let made = scene.post(&connect, right).await;
    assert_eq!(made.header("location"), Some(CALENDAR));
    let made = made.ok(201);
    assert_eq!((&made["account"], &made["status"]), (&json!("typed"), &json!("active")), "{made}");

    let test = format!("{CALENDAR}/test");
    assert_eq!(scene.post(&test, Value::Null).await.problem(409), "ambiguous");
    assert_eq!(scene.post(&format!("{test}?account=typed"), Value::Null).await.ok(200)["ok"], true);
    for page in ["integrations", "tools", "approvals", "audit", "integrations/google-calendar"] {
        scene.get(&format!("/api/v1/{page}")).await.ok(200);
    }
    for swapped in [json!({ "credentials": token }), json!({ "credentials": { "token": { token: 1 } } }), json!(token)]
    {
        assert_eq!(scene.post(&connect, swapped).await.problem(400), "bad_input");
    }
    assert_eq!(scene.delete(&format!("{CALENDAR}/disconnect?account=typed")).await.status, 204);
    assert_eq!(scene.delete(&format!("{CALENDAR}/disconnect?account=typed")).await.problem(409), "not_connected");
    scene.never_said(token);
    scene.never_said("canary-3c5b1d9a7e");
    scene.never_said(&scene.administrator);
}

#[tokio::test]
async fn tools_are_listed_and_called() {
    let scene = Scene::open().await;
    let all = scene.get("/api/v1/tools").await.ok(200);
    let tools = all["tools"].as_array().unwrap();
    let now = tools.iter().find(|tool| tool["name"] == "switchboard_now").unwrap();
    assert_eq!((&now["effect"], &now["input_schema"]["type"]), (&json!("reads"), &json!("object")), "{now}");
    let called = scene.post("/api/v1/tools/switchboard_now/call", json!({ "arguments": { "time_zone": "UTC" } })).await;
    assert_eq!(called.ok(200)["structured"]["time_zone"], "UTC");
    scene.post("/api/v1/tools/switchboard_now/call", Value::Null).await.ok(200);

    let unknown = scene.post("/api/v1/tools/switchboard_nwo/call", json!({})).await;
    assert_eq!(unknown.problem(404), "unknown_tool");
    assert!(unknown.body.contains("switchboard_now"), "{unknown:?}");
    let wrong = scene.post("/api/v1/tools/switchboard_now/call", json!({ "arguments": { "zone": "UTC" } })).await;
    assert_eq!(wrong.problem(400), "bad_input");
    assert!(wrong.body.contains("zone") && wrong.json()["call"].is_string(), "{wrong:?}");
}

/// A meeting that can be cancelled.
async fn meeting(scene: &Scene) -> String {
    let list = "/api/v1/tools/google_calendar_list_meetings/call";
    let listed = scene.of(&scene.agent, "POST", list, &json!({})).await.ok(200);
    listed["structured"]["meetings"][0]["id"].as_str().unwrap_or_else(|| panic!("{listed}")).to_owned()
}

#[tokio::test]
async fn a_question_waits_for_a_person_and_an_agent_cannot_answer_it() {
    let scene = Scene::open().await;
    let arguments = json!({ "arguments": { "event_id": meeting(&scene).await } });
    let asked = scene.of(&scene.agent, "POST", CANCEL, &arguments).await;
    assert_eq!(asked.problem(409), "confirmation_required");
    let asked = asked.json();
    let approval = format!("/api/v1/approvals/{}", asked["approval"].as_str().unwrap());
    assert!(asked["next"].as_str().unwrap().contains(&approval) && asked["expires_at"].is_string(), "{asked}");
    assert!(!asked.to_string().contains("ticket"), "{asked}");

    let yes = json!({ "decision": "approve" });
    for agent in [&scene.agent, &scene.other_agent] {
        assert_eq!(scene.of(agent, "POST", &approval, &yes).await.problem(403), "not_allowed");
    }
    assert_eq!(scene.of(&scene.agent, "POST", CANCEL, &arguments).await.problem(409), "confirmation_required");
    let waiting = async |token: &str| {
        let list = scene.of(token, "GET", "/api/v1/approvals", &Value::Null).await.ok(200);
        list["approvals"].as_array().unwrap().len()
    };
    assert_eq!([waiting(&scene.agent).await, waiting(&scene.other_agent).await], [1, 0]);
    assert_eq!(waiting(&scene.administrator).await, 1);

    assert_eq!(scene.post(&approval, yes.clone()).await.ok(200)["decision"], "approved");
    assert_eq!(scene.post(&approval, yes).await.problem(409), "conflict");
    assert_eq!(scene.of(&scene.other_agent, "POST", CANCEL, &arguments).await.problem(409), "confirmation_required");
    scene.of(&scene.agent, "POST", CANCEL, &arguments).await.ok(200);
}

#[tokio::test]
async fn a_no_stays_a_no() {
    let scene = Scene::open().await;
    let arguments = json!({ "arguments": { "event_id": meeting(&scene).await } });
    let asked = scene.of(&scene.agent, "POST", CANCEL, &arguments).await.json();
    let approval = format!("/api/v1/approvals/{}", asked["approval"].as_str().unwrap());
    assert_eq!(scene.post(&approval, json!({ "decision": "refuse" })).await.ok(200)["decision"], "refused");
    assert_eq!(scene.of(&scene.agent, "POST", CANCEL, &arguments).await.problem(409), "confirmation_required");
    assert_eq!(
        scene.post("/api/v1/approvals/a-0000000000", json!({ "decision": "refuse" })).await.problem(404),
        "not_found"
    );
}

#[tokio::test]
async fn the_audit_comes_in_pages_the_newest_first() {
    let scene = Scene::open().await;
    for _ in 0..5 {
        scene.post("/api/v1/tools/switchboard_now/call", json!({})).await.ok(200);
    }
    let mut calls = BTreeSet::new();
    let mut pages = 0;
    let mut cursor = String::new();
    loop {
        let page = scene.get(&format!("/api/v1/audit?limit=2{cursor}")).await.ok(200);
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.iter().all(|entry| entry["outcome"] == "ok" && entry["tool"] == "switchboard_now"), "{page}");
        calls.extend(entries.iter().map(|entry| entry["call"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((calls.len(), pages), (5, 3));
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let scene = Scene::open().await;
    for (page, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let reply = scene.send("GET", page, &[], "").await;
        assert_eq!((reply.status, &*reply.body), (200, text));
    }
}
