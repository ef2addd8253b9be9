//! A token is worth what it says and no more: it can be seen, renewed, ended and given an end, the first one too; and
//! what is done to people and tokens on the command line is done to those who are meant.

use std::{process::Output, time::Duration};

use futures_util::{SinkExt, StreamExt};
use reqwest::{RequestBuilder, header};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::http,
    office::{Answer, Office},
    shares,
    support::Home,
    target::Target,
};

fn run(home: &Home, arguments: &[&str]) -> Output {
    home.command(&[arguments, &["--sandbox"]].concat()).output().unwrap()
}

#[track_caller]
fn good(home: &Home, arguments: &[&str]) -> String {
    let done = run(home, arguments);
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[track_caller]
fn bad(home: &Home, arguments: &[&str]) -> String {
    let done = run(home, arguments);
    assert!(!done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stdout));
    String::from_utf8(done.stderr).unwrap()
}

const OWN: &str = "/api/v1/users/me/tokens";

#[tokio::test]
async fn the_first_token_is_listed_renewed_and_revoked() {
    let office = Office::open();
    let home = &office.target.home;
    let first = &office.administrator;
    let listed = office.get(first, OWN).await.json(200);
    let id = listed["tokens"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&listed["tokens"][0]["name"], &listed["tokens"][0]["role"]),
        (&json!("first start"), &json!("administrator"))
    );
    assert!(good(home, &["users", "tokens"]).contains(&id), "the command line shows it too");

    let renewed = office.post(first, &format!("{OWN}/{id}/renewal"), json!({})).await.json(201);
    let (second, id) = (renewed["token"].as_str().unwrap(), renewed["id"].as_str().unwrap());
    assert_eq!(office.get(first, OWN).await.status, 401, "the old one is worth nothing");
    assert_eq!(office.get(second, OWN).await.json(200)["tokens"].as_array().unwrap().len(), 1);

    let third = good(home, &["users", "renew", id, "--days", "30"]).trim().to_owned();
    assert_eq!(office.get(second, OWN).await.status, 401);
    let listed = office.get(&third, OWN).await.json(200);
    assert!(listed["tokens"][0]["expires_at"].is_string(), "it has an end: {listed}");
    let id = listed["tokens"][0]["id"].as_str().unwrap();
    assert!(bad(home, &["users", "revoke", id]).contains("--yes"), "it asks");
    assert_eq!(office.get(&third, OWN).await.status, 200);
    good(home, &["users", "revoke", id, "--yes"]);
    assert_eq!(office.get(&third, OWN).await.status, 401);
    assert!(bad(home, &["users", "revoke", id, "--yes"]).contains("switchboard users tokens"));

    // Whoever has the data directory is not locked out.
    let fourth = good(home, &["users", "token", "--name", "again"]).trim().to_owned();
    assert_eq!(office.get(&fourth, OWN).await.status, 200);
    let over =
        office.post(&fourth, OWN, json!({ "name": "short", "expires_at": "2020-01-01T00:00:00Z" })).await.json(201);
    assert_eq!(office.get(over["token"].as_str().unwrap(), OWN).await.status, 401, "its end has come");
}

#[tokio::test]
async fn nobody_renews_or_revokes_the_token_of_another() {
    let office = Office::open();
    let (id, ana) = office.person("Ana", false).await;
    let (_, bob) = office.person("Bob", true).await;
    let anas = office.get(&ana, OWN).await.json(200)["tokens"][0]["id"].as_str().unwrap().to_owned();
    let place = format!("/api/v1/users/{id}/tokens/{anas}");
    assert_eq!(office.post(&bob, &format!("{place}/renewal"), json!({})).await.status, 403, "it speaks for her");
    assert_eq!(office.post(&bob, &format!("{OWN}/{anas}/renewal"), json!({})).await.status, 404);
    let first = office.get(&office.administrator, OWN).await.json(200)["tokens"][0]["id"].as_str().unwrap().to_owned();
    let firsts = format!("/api/v1/users/local/tokens/{first}");
    for (token, method, path, status) in [
        (&ana, "DELETE", firsts.clone(), 403),
        (&ana, "POST", format!("{firsts}/renewal"), 403),
        (&bob, "POST", format!("{firsts}/renewal"), 403),
        (&ana, "DELETE", format!("{OWN}/{first}"), 404),
    ] {
        let refused = office.ask(token, method, &path, &json!({})).await;
        assert_eq!(refused.status, status, "{method} {path}: {refused:?}");
    }
    assert_eq!(office.get(&ana, "/api/v1/users/local/tokens").await.status, 403);
    let seen = office.get(&bob, "/api/v1/users/local/tokens").await.json(200);
    assert_eq!(seen["tokens"][0]["id"], first.as_str(), "an administrator sees it, and may end it");
    assert_eq!(office.ask(&bob, "DELETE", &firsts, &Value::Null).await.status, 204);
    assert_eq!(office.get(&office.administrator, OWN).await.status, 401);
}

#[tokio::test]
async fn where_no_token_is_needed_a_bad_one_is_refused_all_the_same() {
    let target = Target::sandbox();
    let agent = good(&target.home, &["agents", "token", "local"]).trim().to_owned();
    let revoked = good(&target.home, &["agents", "token", "local", "--name", "old"]).trim().to_owned();
    let listed = good(&target.home, &["agents", "tokens", "local", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let old = listed.as_array().unwrap().iter().find(|one| one["name"] == "old").unwrap()["id"].as_str().unwrap();
    good(&target.home, &["agents", "revoke", "local", old, "--yes"]);

    let requests = || {
        let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")];
        let socket =
            upgrade.iter().fold(http().get(target.server.url("/ws")), |all, (name, value)| all.header(*name, *value));
        [
            http().get(target.server.url("/api/v1/me")),
            http().post(target.server.url("/api/v1/users")).json(&json!({ "name": "Eve", "admin": true })),
            http().post(target.server.url("/mcp")).json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })),
            socket.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
    };
    let wrong: [&dyn Fn(RequestBuilder) -> RequestBuilder; 7] = [
        &|request| request.bearer_auth(&revoked),
        &|request| request.bearer_auth(format!("{agent}x")),
        &|request| request.bearer_auth("swb_"),
        &|request| request.bearer_auth(""),
        &|request| request.basic_auth("admin", Some("admin")),
        &|request| request.header(header::AUTHORIZATION, "nonsense"),
        &|request| request.bearer_auth(&agent).header(header::AUTHORIZATION, format!("Bearer {agent}")),
    ];
    for (number, change) in wrong.iter().enumerate() {
        for request in requests() {
            let answer = Answer::of(change(request)).await;
            assert_eq!(answer.status, 401, "token {number}: {answer:?}");
        }
    }
    let role = async |request: RequestBuilder| Answer::of(request).await.json(200)["role"].clone();
    assert_eq!(role(http().get(target.server.url("/api/v1/me"))).await, "administrator", "who brings none is let in");
    assert_eq!(role(http().get(target.server.url("/api/v1/me")).bearer_auth(&agent)).await, "agent");
    let users = Answer::of(http().get(target.server.url("/api/v1/users"))).await.json(200);
    assert_eq!(users["users"], json!([]), "nobody was added");
}

#[test]
fn people_of_one_name_are_never_confused_and_removal_asks() {
    let home = Home::new();
    for _ in 0..3 {
        good(&home, &["users", "add", "Ana"]);
    }
    let all: Value = serde_json::from_str(&good(&home, &["users", "--json"])).unwrap();
    let ids: Vec<&str> = all.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
    for command in ["promote", "demote", "invite", "remove", "tokens"] {
        let refused = bad(&home, &["users", command, "Ana"]);
        assert!(ids.iter().all(|id| refused.contains(id)), "{command} says which there are: {refused}");
    }
    assert!(bad(&home, &["agents", "--user", "Ana"]).contains(ids[0]));
    good(&home, &["users", "promote", ids[1]]);
    let now: Value = serde_json::from_str(&good(&home, &["users", "--json"])).unwrap();
    let administrators = now.as_array().unwrap().iter().filter(|user| user["admin"] == true);
    assert_eq!(administrators.map(|user| &user["id"]).collect::<Vec<_>>(), [ids[1]]);

    assert!(bad(&home, &["users", "remove", ids[0]]).contains("--yes"));
    good(&home, &["agents", "add", "desk"]);
    assert!(bad(&home, &["agents", "remove", "desk"]).contains("--yes"));
    good(&home, &["agents", "token", "desk"]);
    let tokens: Value = serde_json::from_str(&good(&home, &["agents", "tokens", "desk", "--json"])).unwrap();
    assert!(bad(&home, &["agents", "revoke", "desk", tokens[0]["id"].as_str().unwrap()]).contains("--yes"));
    let all: Value = serde_json::from_str(&good(&home, &["users", "--json"])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 3, "nobody was removed");
    good(&home, &["users", "remove", ids[0], "--yes"]);
    good(&home, &["agents", "remove", "desk", "-y"]);
    let two: Value = serde_json::from_str(&good(&home, &["users", "--json"])).unwrap();
    assert_eq!(two.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_open_socket_does_not_outlive_its_token() {
    let office = Office::open();
    let (_, ana) = office.person("Ana", false).await;
    let mut socket = shares::socket(&office.target, &ana).await.unwrap();
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    socket.send(Message::text(ping.clone())).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_text(), "it is open");

    let id = office.get(&ana, OWN).await.json(200)["tokens"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(office.ask(&ana, "DELETE", &format!("{OWN}/{id}"), &Value::Null).await.status, 204);
    // A look at the token counts for a second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    socket.send(Message::text(ping)).await.unwrap();
    let Some(Ok(Message::Close(Some(goodbye)))) = socket.next().await else { panic!("it goes on") };
    assert_eq!((u16::from(goodbye.code), &*goodbye.reason), (1008, "the token is not good any more"));
}
