//! What belongs to a person is changed by persons: an agent's token reads, calls tools, and nothing else, whichever way
//! it comes in.

use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::{
    client::http,
    office::{Answer, Office},
};

/// All that an agent may do over REST. What is not in it takes a person.
const FOR_AGENTS: [(&str, &str); 8] = [
    ("GET", "/me"),
    ("GET", "/integrations"),
    ("GET", "/integrations/{id}"),
    ("GET", "/tools"),
    ("POST", "/tools/{name}/call"),
    ("GET", "/approvals"),
    ("GET", "/approvals/{id}"),
    ("GET", "/audit"),
];

/// What needs no token at all.
const FOR_EVERYBODY: [(&str, &str); 2] = [("GET", "/openapi.json"), ("POST", "/invitations/accept")];

/// A body that would be right, so that nothing but the caller is wrong.
fn body(method: &str, path: &str) -> Value {
    match (method, path) {
        ("GET" | "DELETE", _) => Value::Null,
        (_, "/integrations/oauth/start") => json!({ "integration": "google-calendar" }),
        (_, "/integrations/{id}/connect") => json!({ "credentials": { "token": "x" } }),
        (_, "/approvals/{id}") => json!({ "decision": "approve" }),
        (_, "/agents/{id}/tools") => json!({ "tools": [] }),
        ("POST", "/agents" | "/users") => json!({ "name": "new" }),
        // Not the word that would end everything.
        (_, "/panic") => json!({ "confirm": "no" }),
        _ => json!({}),
    }
}

/// Every operation of the description, with the role that it names.
async fn operations(office: &Office) -> Vec<(String, String, String)> {
    let document = office.get(&office.administrator, "/api/v1/openapi.json").await.json(200);
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let role = operation["x-needs-role"].as_str().unwrap_or("nobody").to_owned();
            let path = path.strip_prefix("/api/v1").unwrap_or(path).to_owned();
            all.push((method.to_uppercase(), path, role));
        }
    }
    all
}

#[tokio::test]
async fn every_route_that_changes_something_of_a_person_takes_a_person() {
    let office = Office::open();
    let agent = office.agent_of(&office.administrator).await;
    let (_, person) = office.person("Ana", false).await;
    let all = operations(&office).await;
    assert!(all.len() > 25, "the description is not read: {all:?}");
    for (method, path, role) in &all {
        let one = (&**method, &**path);
        let is_for_persons = !FOR_EVERYBODY.contains(&one) && !FOR_AGENTS.contains(&one);
        let is_as_expected = match &**role {
            "nobody" => FOR_EVERYBODY.contains(&one),
            "agent" => FOR_AGENTS.contains(&one),
            _ => is_for_persons,
        };
        assert!(is_as_expected, "{method} {path} takes {role}");
        let target = format!("/api/v1{}", path.replace("{id}", "google-calendar").replace("{tid}", "0123456789abcdef"));
        let body = body(method, path);
        if role == "person" || role == "administrator" {
            let refused = office.ask(&agent, method, &target, &body).await;
            assert_eq!(refused.json(403)["code"], "not_allowed", "{method} {path}");
        }
        if role == "administrator" {
            let refused = office.ask(&person, method, &target, &body).await;
            assert_eq!(refused.json(403)["code"], "not_allowed", "{method} {path}");
        }
    }
    assert_eq!(office.accounts(&office.administrator).await, ["default"], "nothing was disconnected");
}

#[tokio::test]
async fn an_agents_token_does_not_sign_in() {
    let office = Office::open();
    let agent = office.agent_of(&office.administrator).await;
    let sign_in = async |token: &str, next: &str| {
        let form = [("token", token), ("next", next)];
        Answer::of(http().post(office.url("/login")).form(&form).header(header::ORIGIN, office.origin())).await
    };
    let refused = sign_in(&agent, "/").await;
    refused.says(StatusCode::FORBIDDEN, "This is the token of an agent");
    assert!(refused.header("set-cookie").is_empty() && !refused.text.contains(&agent), "{refused:?}");
    let with_link = sign_in(&agent, "/connect/abc.def").await;
    with_link.says(StatusCode::FORBIDDEN, &office.url("/connect/abc.def"));
    assert!(with_link.text.contains("Hand this address on"), "{with_link:?}");
    assert!(with_link.header("set-cookie").is_empty());

    let person = sign_in(&office.administrator, "/").await;
    assert!(person.status == 303 && person.cookie().starts_with("switchboard_session="), "{person:?}");
}

#[tokio::test]
async fn a_link_to_connect_opens_for_a_person_only() {
    let office = Office::open();
    let agent = office.agent_of(&office.administrator).await;
    let wish = json!({ "arguments": { "integration": "google-calendar", "account": "work" } });
    let told = office.post(&agent, "/api/v1/tools/switchboard_connect/call", wish).await;
    let link = told.text.split(['"', ' ', '\\']).find(|word| word.contains("/connect/"));
    let link = link.unwrap_or_else(|| panic!("{told:?}")).trim_end_matches('.').to_owned();
    let form = http().post(&link).header(header::ORIGIN, office.origin()).form(&[("x", "y")]);
    for request in [http().get(&link), form] {
        let answer = Answer::of(request.bearer_auth(&agent)).await;
        assert!(answer.status == 303 && answer.header("location").starts_with("/login"), "{answer:?}");
    }
    assert_eq!(office.accounts(&office.administrator).await, ["default"]);
}

#[tokio::test]
async fn what_has_a_nul_in_its_id_is_not_there() {
    let office = Office::open();
    for (method, path, role) in operations(&office).await {
        if !path.contains('{') || path.starts_with("/tools") {
            continue;
        }
        for id in ["a%00b", "%00", "a%0Ab", &"x".repeat(2000)] {
            let target = format!("/api/v1{}", path.replace("{id}", id).replace("{tid}", id));
            let answer = office.ask(&office.administrator, &method, &target, &body(&method, &path)).await;
            assert_eq!(answer.status, 404, "{method} {path} ({role}) {id}: {answer:?}");
        }
    }
    for target in
        ["/agents?user=a%00b", "/agents?user=%00", "/agents/local?user=a%00b", "/agents/local/tokens?user=a%00b"]
    {
        let answer = office.get(&office.administrator, &format!("/api/v1{target}")).await;
        assert_eq!(answer.status, 404, "{target}: {answer:?}");
    }
    for (method, target) in [("POST", "/integrations/gmail/test"), ("DELETE", "/integrations/gmail/disconnect")] {
        let target = format!("/api/v1{target}?account=a%00b");
        let answer = office.ask(&office.administrator, method, &target, &Value::Null).await;
        assert!((400..500).contains(&answer.status), "{target}: {answer:?}");
    }
}
