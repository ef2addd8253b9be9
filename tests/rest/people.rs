//! People and their agents: who comes in, what each may do, and that nobody reaches what belongs to somebody else.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    scene::{CALENDAR, Scene},
    support::{day_in, in_days, lacks, test_tool},
};

const AGENTS: &str = "/api/v1/agents";
const USERS: &str = "/api/v1/users";
const CANCEL: &str = "/api/v1/tools/google_calendar_cancel_meeting/call";
const LIST: &str = "/api/v1/tools/google_calendar_list_meetings/call";

#[tokio::test]
async fn an_invitation_lets_a_person_in_once() {
    let scene = Scene::open().await;
    let added = scene.post(USERS, json!({ "name": "Ana" })).await.ok(201);
    let invitation = added["invitation"]["token"].as_str().unwrap();
    assert!(added["invitation"]["link"].as_str().unwrap().ends_with(&format!("/login#{invitation}")), "{added}");
    let body = json!({ "invitation": invitation }).to_string();
    let accept =
        async || scene.send("POST", "/api/v1/invitations/accept", &[("Content-Type", "application/json")], &body).await;
    let token = accept().await.ok(201)["token"].as_str().unwrap().to_owned();
    assert_eq!(accept().await.problem(401), "unauthorized", "it is used up");
    let me = scene.of(&token, "GET", "/api/v1/me", &Value::Null).await.ok(200);
    assert_eq!((&me["name"], &me["role"]), (&json!("Ana"), &json!("person")), "{me}");
    assert_eq!(scene.get(USERS).await.ok(200)["users"][0]["name"], "Ana");
    let again = format!("{USERS}/{}/invitation", added["id"].as_str().unwrap());
    scene.post(&again, Value::Null).await.ok(201);
    scene.post("/api/v1/invitations/accept", json!({ "invitation": "swi_x" })).await.problem(401);
}

#[tokio::test]
async fn only_an_administrator_manages_people() {
    let scene = Scene::open().await;
    let (ana, token) = scene.person("Ana", false).await;
    let (bob, _) = scene.person("Bob", false).await;
    for (method, target, body) in [
        ("GET", USERS.to_owned(), Value::Null),
        ("POST", USERS.to_owned(), json!({ "name": "Eve", "admin": true })),
        ("GET", format!("{USERS}/{bob}"), Value::Null),
        ("PATCH", format!("{USERS}/{ana}"), json!({ "admin": true })),
        ("DELETE", format!("{USERS}/{bob}"), Value::Null),
        ("POST", format!("{USERS}/{bob}/invitation"), Value::Null),
        ("GET", format!("{USERS}/{bob}/tokens"), Value::Null),
        ("POST", format!("{USERS}/{bob}/tokens"), json!({})),
        ("GET", format!("{AGENTS}?user={bob}"), Value::Null),
        ("GET", format!("/api/v1/audit?user={bob}"), Value::Null),
    ] {
        assert_eq!(scene.of(&token, method, &target, &body).await.problem(403), "not_allowed", "{method} {target}");
    }
    let own = scene.of(&token, "GET", &format!("{USERS}/me"), &Value::Null).await.ok(200);
    assert_eq!((&own["id"], &own["admin"]), (&json!(ana), &json!(false)));
    // Not even an administrator makes a token that speaks for somebody else.
    assert_eq!(scene.post(&format!("{USERS}/{bob}/tokens"), json!({})).await.problem(403), "not_allowed");
    scene.of(&scene.administrator, "PATCH", &format!("{USERS}/{ana}"), &json!({ "admin": true })).await.ok(200);
    scene.of(&token, "GET", USERS, &Value::Null).await.ok(200);
}

#[tokio::test]
async fn a_person_makes_tokens_and_ends_them() {
    let scene = Scene::open().await;
    let (_, token) = scene.person("Ana", false).await;
    let tokens = format!("{USERS}/me/tokens");
    let second = scene.of(&token, "POST", &tokens, &json!({ "name": "laptop" })).await.ok(201);
    let list = scene.of(&token, "GET", &tokens, &Value::Null).await.ok(200);
    assert_eq!(list["tokens"].as_array().unwrap().len(), 2, "{list}");
    assert!(!list.to_string().contains(second["token"].as_str().unwrap()), "a token is shown once");
    let one = format!("{tokens}/{}", second["id"].as_str().unwrap());
    assert_eq!(scene.of(&token, "DELETE", &one, &Value::Null).await.status, 204);
    assert_eq!(scene.of(&token, "DELETE", &one, &Value::Null).await.problem(404), "not_found");
    let second = second["token"].as_str().unwrap();
    assert_eq!(scene.of(second, "GET", "/api/v1/me", &Value::Null).await.problem(401), "unauthorized");
}

#[tokio::test]
async fn an_agent_is_made_changed_and_removed() {
    let scene = Scene::open().await;
    let wish = json!({ "name": "reader", "integrations": ["google-calendar"], "level": "read-only",
        "asking": "always", "instructions": "Be brief.", "accounts": { "google-calendar": "default" },
        "voice": { "greeting": "Good morning.", "language": "en-GB", "speed": 110 } });
    let made = scene.post(AGENTS, wish).await.ok(201);
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["level"], &made["asking"]), (&json!("read-only"), &json!("always")), "{made}");
    assert!(made["tokens"].as_u64().unwrap() > 100 && made["warnings"] == json!([]), "{made}");
    let tools = made["tools"].as_array().unwrap();
    assert!(tools.contains(&json!("google_calendar_list_meetings")), "{made}");
    assert!(!tools.contains(&json!("google_calendar_schedule_meeting")), "it only looks: {made}");

    let one = format!("{AGENTS}/{id}");
    let change = json!({ "level": "full", "instructions": null });
    let changed = scene.of(&scene.administrator, "PATCH", &one, &change).await.ok(200);
    assert_eq!((&changed["level"], changed.get("instructions")), (&json!("full"), None), "{changed}");
    assert_eq!(changed["voice"]["speed"], 110, "what is not named stays: {changed}");
    let chosen = json!({ "tools": ["google_calendar_quick_add"] });
    let chosen = scene.of(&scene.administrator, "PUT", &format!("{one}/tools"), &chosen).await.ok(200);
    let own = |tool: &&Value| tool.as_str().unwrap().starts_with("google");
    let vendor: Vec<_> = chosen["tools"].as_array().unwrap().iter().filter(own).collect();
    assert_eq!(vendor, [&json!("google_calendar_quick_add")], "{chosen}");
    assert_eq!(scene.get(&format!("{AGENTS}/reader")).await.ok(200)["id"], id, "it is found by its name too");

    assert_eq!(scene.delete(&one).await.status, 204);
    assert_eq!(scene.get(&one).await.problem(404), "not_found");
}

#[tokio::test]
async fn an_agent_that_makes_no_sense_is_refused_by_what_is_wrong() {
    let scene = Scene::open().await;
    for (wish, said) in [
        (json!({}), "`name` is missing"),
        (json!({ "name": " " }), "`name` is from 1 to 100"),
        (json!({ "name": "a", "integrations": ["google-calender"] }), "did you mean `google-calendar`?"),
        (
            json!({ "name": "a", "tools": ["google_calendar_list_meeting"] }),
            "did you mean `google_calendar_list_meetings`?",
        ),
        (json!({ "name": "a", "accounts": { "google-calendar": "home" } }), "there is default"),
        (json!({ "name": "a", "voice": { "speed": 900 } }), "from 50 to 200"),
        (json!({ "name": "a", "level": "root" }), "not of the kind that is wanted"),
        (json!({ "name": "a", "tool": [] }), "unknown field `tool`"),
    ] {
        let reply = scene.post(AGENTS, wish.clone()).await;
        assert_eq!(reply.problem(400), "bad_input", "{wish}");
        assert!(reply.body.contains(said), "{wish}: {}", reply.body);
    }
    scene.post(AGENTS, json!({ "name": "twice" })).await.ok(201);
    assert_eq!(scene.post(AGENTS, json!({ "name": "twice" })).await.problem(409), "conflict");
}

#[tokio::test]
async fn what_an_agent_may_not_use_is_not_there_and_the_attempt_is_written_down() {
    let scene = Scene::open().await;
    let wish = json!({ "name": "reader", "integrations": ["google-calendar"], "level": "read-only" });
    let (id, token) = scene.agent_of(&scene.administrator, wish).await;
    let arguments = json!({ "arguments": { "event_id": "x" } });
    assert_eq!(scene.of(&token, "POST", CANCEL, &arguments).await.problem(404), "unknown_tool");
    assert_eq!(scene.of(&token, "POST", AGENTS, &json!({ "name": "mine" })).await.problem(403), "not_allowed");
    let refused = scene.get(&format!("/api/v1/audit?outcome=refused&agent={id}")).await.ok(200);
    let line = &refused["entries"][0];
    assert_eq!(
        (&line["tool"], &line["code"], &line["integration"]),
        (&json!("google_calendar_cancel_meeting"), &json!("not_enabled"), &json!("google-calendar")),
        "{refused}"
    );
}

/// Bob tries every way to what belongs to Ana.
#[tokio::test]
async fn nobody_reaches_the_connection_of_somebody_else() {
    let scene = Scene::open().await;
    let (ana, ana_token) = scene.person("Ana", false).await;
    let (_, bob_token) = scene.person("Bob", false).await;
    scene.connect(&ana_token, "private").await;
    let wish = json!({ "name": "desk", "integrations": ["google-calendar"] });
    let (ana_agent, ana_model) = scene.agent_of(&ana_token, wish.clone()).await;
    let (_, bob_model) = scene.agent_of(&bob_token, wish).await;
    let meetings = scene.of(&ana_model, "POST", LIST, &json!({})).await.ok(200);
    let event = meetings["structured"]["meetings"][0]["id"].clone();
    let asked = scene.of(&ana_model, "POST", CANCEL, &json!({ "arguments": { "event_id": event } })).await;
    assert_eq!(asked.problem(409), "confirmation_required");
    let approval = asked.json()["approval"].as_str().unwrap().to_owned();

    for token in [&bob_token, &bob_model] {
        // Seeing: nothing is connected, no account is named, no line of the audit is hers.
        let calendar = scene.of(token, "GET", CALENDAR, &Value::Null).await.ok(200);
        assert_eq!((&calendar["status"], &calendar["connections"]), (&json!("disconnected"), &json!([])));
        let connections =
            scene.of(token, "POST", "/api/v1/tools/switchboard_connections/call", &json!({})).await.ok(200);
        assert!(!connections.to_string().contains("private"), "{connections}");
        let audit = scene.of(token, "GET", "/api/v1/audit", &Value::Null).await.ok(200);
        assert!(!audit.to_string().contains(&ana), "{audit}");
        let approvals = scene.of(token, "GET", "/api/v1/approvals", &Value::Null).await.ok(200);
        assert_eq!(approvals["approvals"], json!([]));
        // Calling: with and without her account's name.
        for arguments in [json!({}), json!({ "account": "private" })] {
            let called = scene.of(token, "POST", LIST, &json!({ "arguments": arguments })).await;
            assert_eq!(called.problem(409), "not_connected", "{arguments}: {called:?}");
        }
        let cancelled = scene.of(token, "POST", CANCEL, &json!({ "arguments": { "event_id": event } })).await;
        assert_eq!(cancelled.problem(409), "not_connected", "{cancelled:?}");
    }
    // Changing: with the right of a person over what is his own.
    for (method, target, body) in [
        ("POST", format!("{CALENDAR}/test?account=private"), Value::Null),
        ("DELETE", format!("{CALENDAR}/disconnect?account=private"), Value::Null),
    ] {
        assert_eq!(scene.of(&bob_token, method, &target, &body).await.problem(409), "not_connected", "{target}");
    }
    for (method, target, body) in [
        ("GET", format!("{AGENTS}/{ana_agent}"), Value::Null),
        ("PATCH", format!("{AGENTS}/{ana_agent}"), json!({ "level": "read-only" })),
        ("PUT", format!("{AGENTS}/{ana_agent}/tools"), json!({ "tools": [] })),
        ("DELETE", format!("{AGENTS}/{ana_agent}"), Value::Null),
        ("GET", format!("{AGENTS}/{ana_agent}/tokens"), Value::Null),
        ("POST", format!("{AGENTS}/{ana_agent}/tokens"), json!({})),
        ("POST", format!("/api/v1/approvals/{approval}"), json!({ "decision": "approve" })),
    ] {
        assert_eq!(scene.of(&bob_token, method, &target, &body).await.problem(404), "not_found", "{method} {target}");
        let by_model = scene.of(&bob_model, method, &target, &body).await;
        assert_eq!(by_model.problem(403), "not_allowed", "{method} {target}");
    }
    // Her own model cannot say yes for her; she can.
    let yes = json!({ "decision": "approve" });
    let target = format!("/api/v1/approvals/{approval}");
    assert_eq!(scene.of(&ana_model, "POST", &target, &yes).await.problem(403), "not_allowed");
    scene.of(&ana_token, "POST", &target, &yes).await.ok(200);
    scene.of(&ana_model, "POST", CANCEL, &json!({ "arguments": { "event_id": event } })).await.ok(200);
}

#[tokio::test]
async fn with_a_person_everything_of_theirs_goes() {
    let scene = Scene::open().await;
    let (ana, token) = scene.person("Ana", false).await;
    scene.connect(&token, "default").await;
    let (_, model) = scene.agent_of(&token, json!({ "name": "desk" })).await;
    scene.of(&model, "POST", LIST, &json!({})).await.ok(200);
    assert_eq!(scene.delete(&format!("{USERS}/{ana}")).await.status, 204);
    for gone in [&token, &model] {
        assert_eq!(scene.of(gone, "GET", "/api/v1/me", &Value::Null).await.problem(401), "unauthorized");
    }
    assert_eq!(scene.delete(&format!("{USERS}/{ana}")).await.problem(404), "not_found");
    assert_eq!(scene.calendar().await["status"], "connected", "the administrator's own stays");
}

#[tokio::test]
async fn somebody_who_signs_in_elsewhere_is_added_by_name_of_issuer_and_subject() {
    let scene = Scene::open().await;
    let identity = json!({ "issuer": "https://id.example.com", "subject": "ana" });
    let new = json!({ "name": "Ana", "identity": identity });
    let added = scene.post(USERS, new.clone()).await.ok(201);
    assert!(added.get("invitation").is_none(), "{added}");
    assert_eq!(scene.post(USERS, new).await.problem(409), "conflict");
}

#[tokio::test]
async fn several_accounts_are_named_and_never_guessed() {
    let scene = Scene::open().await;
    let list = async |token: &str| scene.of(token, "GET", "/api/v1/tools", &Value::Null).await.ok(200);
    let argument = |tools: &Value| {
        let tools = tools["tools"].as_array().unwrap();
        let tool = tools.iter().find(|tool| tool["name"] == "google_calendar_list_meetings").unwrap();
        (tool["input_schema"]["properties"].get("account").cloned(), tool["input_schema"]["required"].clone())
    };
    assert_eq!(argument(&list(&scene.agent).await).0, None, "one account needs no argument");
    scene.connect(&scene.administrator, "work").await;
    let (property, required) = argument(&list(&scene.agent).await);
    let property = property.expect("two accounts need one");
    assert_eq!(property["enum"], json!(["default", "work"]));
    assert!(property["description"].as_str().unwrap().contains("`work` (lena.hartmann@"), "{property}");
    assert_eq!(required, json!(["account"]));

    for tool in ["list_meetings", "schedule_meeting"] {
        let call = format!("/api/v1/tools/google_calendar_{tool}/call");
        let arguments =
            if tool == "list_meetings" { json!({}) } else { json!({ "title": "Lunch", "start": day_in(90) }) };
        let with = |account: Value| {
            let mut arguments = arguments.clone();
            arguments["account"] = account;
            json!({ "arguments": arguments })
        };
        let guess = scene.post(&call, json!({ "arguments": arguments })).await;
        assert_eq!(guess.problem(409), "ambiguous", "{tool}");
        assert!(guess.body.contains("`default`") && guess.body.contains("`work`"), "{}", guess.body);
        let unknown = scene.post(&call, with("home".into())).await;
        assert_eq!(unknown.problem(404), "not_found");
        assert!(unknown.body.contains("`work`"), "{}", unknown.body);
        scene.post(&call, with("work".into())).await.ok(200);
    }
    let lines = scene.get("/api/v1/audit?outcome=ok&limit=1").await.ok(200);
    assert_eq!(lines["entries"][0]["account"], "work", "{lines}");

    let wish =
        json!({ "name": "clerk", "integrations": ["google-calendar"], "accounts": { "google-calendar": "work" } });
    let (_, clerk) = scene.agent_of(&scene.administrator, wish).await;
    let (property, required) = argument(&list(&clerk).await);
    assert!(property.unwrap()["description"].as_str().unwrap().ends_with("else `work`."));
    assert_ne!(required, json!(["account"]));
    scene.of(&clerk, "POST", LIST, &json!({})).await.ok(200);
}

#[tokio::test]
async fn a_yes_for_one_account_is_none_for_another() {
    let scene = Scene::open().await;
    scene.connect(&scene.administrator, "work").await;
    let with = |account: &str, event: &Value| json!({ "arguments": { "event_id": event, "account": account } });
    let meetings = scene.post(LIST, json!({ "arguments": { "account": "work" } })).await.ok(200);
    let event = &meetings["structured"]["meetings"][0]["id"];
    let asked = scene.post(CANCEL, with("work", event)).await;
    let approval = asked.json()["approval"].as_str().unwrap().to_owned();
    scene.post(&format!("/api/v1/approvals/{approval}"), json!({ "decision": "approve" })).await.ok(200);
    assert_eq!(scene.post(CANCEL, with("default", event)).await.problem(409), "confirmation_required");
    scene.post(CANCEL, with("work", event)).await.ok(200);
    let lines = scene.get("/api/v1/audit?tool=google_calendar_cancel_meeting&outcome=ok").await.ok(200);
    assert_eq!(lines["entries"][0]["target"], *event, "{lines}");
}

#[tokio::test]
async fn after_reading_what_others_wrote_inviting_somebody_new_needs_a_yes() {
    let scene = Scene::open().await;
    let book = async |hour: u8, who: &str| {
        let start = in_days(90, &format!("{hour:02}:00"));
        let arguments = json!({ "title": "Talk", "start": start, "duration_minutes": 30, "attendees": [who] });
        let call = "/api/v1/tools/google_calendar_schedule_meeting/call";
        scene.of(&scene.agent, "POST", call, &json!({ "arguments": arguments })).await
    };
    book(9, "ana@example.com").await.ok(200);
    let week = json!({ "arguments": { "limit": 50 } });
    let read = scene.of(&scene.agent, "POST", LIST, &week).await.ok(200);
    assert!(read["text"].as_str().unwrap().starts_with("Text in ⟦ ⟧ was written by others"), "{read}");
    book(10, "ana@example.com").await.ok(200);
    let asked = book(11, "eve@example.com").await;
    assert_eq!(asked.problem(409), "confirmation_required");
    assert!(asked.body.contains("Invite eve@example.com to"), "{}", asked.body);
    let approval = asked.json()["approval"].as_str().unwrap().to_owned();
    scene.post(&format!("/api/v1/approvals/{approval}"), json!({ "decision": "approve" })).await.ok(200);
    book(11, "eve@example.com").await.ok(200);
    book(12, "eve@example.com").await.ok(200);
}

#[tokio::test]
async fn the_description_is_valid_for_a_validator_that_is_not_ours() {
    let Some(python) = test_tool("python/openapi/bin/python") else {
        return lacks("the OpenAPI validator", "scripts/setup-tests.sh openapi");
    };
    let scene = Scene::open().await;
    let document = scene.send("GET", "/api/v1/openapi.json", &[], "").await.ok(200);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let judged = Command::new(python).args(["-m", "openapi_spec_validator"]).arg(&file).output().unwrap();
    assert!(
        judged.status.success(),
        "{}{}",
        String::from_utf8_lossy(&judged.stdout),
        String::from_utf8_lossy(&judged.stderr)
    );
}

#[tokio::test]
async fn the_description_says_what_the_server_does() {
    let scene = Scene::open().await;
    let document = scene.send("GET", "/api/v1/openapi.json", &[], "").await.ok(200);
    for (path, operations) in document["paths"].as_object().unwrap() {
        let target = format!("/api/v1{}", path.replace("{name}", "x").replace("{id}", "x").replace("{tid}", "x"));
        for (method, operation) in operations.as_object().unwrap() {
            let reply = scene.send(&method.to_uppercase(), &target, &[], "").await;
            match operation.get("security") {
                Some(_) => assert!(![401, 404, 405].contains(&reply.status) || target.ends_with("accept"), "{target}"),
                None => assert_eq!(reply.problem(401), "unauthorized", "{method} {target}"),
            }
            if let Some(role) = operation.get("x-needs-role").filter(|role| **role != "agent") {
                let reply = scene.of(&scene.agent, &method.to_uppercase(), &target, &json!({})).await;
                let is_refused = [400, 403].contains(&reply.status);
                assert!(is_refused, "{role} {method} {target}: {reply:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_preview_says_what_a_change_would_come_to_and_changes_nothing() {
    let scene = Scene::open().await;
    let agent = format!("{AGENTS}/local");
    let before = scene.get(&agent).await.ok(200);
    let catalog = scene.get("/api/v1/catalog").await.ok(200);
    let tools = catalog["tools"].as_array().unwrap();
    let beyond = tools.iter().find(|tool| tool["core"] == false).unwrap_or_else(|| panic!("{catalog}"));
    assert!(beyond["tokens"].as_u64().unwrap() > 0 && beyond["effect"].is_string(), "{beyond}");

    let wish = json!({ "tools": [beyond["name"]], "level": "full" });
    let seen = scene.post(&format!("{agent}/preview"), wish.clone()).await.ok(200);
    assert!(seen["tools"].as_array().unwrap().contains(&beyond["name"]), "{seen}");
    assert_ne!(seen["tokens"], before["tokens"]);
    assert_eq!(scene.get(&agent).await.ok(200), before);
    let unknown = scene.post(&format!("{agent}/preview"), json!({ "tools": ["gogle_calendar"] })).await;
    assert_eq!(unknown.problem(400), "bad_input");

    let changed = scene.of(&scene.administrator, "PATCH", &agent, &wish).await.ok(200);
    assert_eq!((&changed["tools"], &changed["tokens"]), (&seen["tools"], &seen["tokens"]));
}
