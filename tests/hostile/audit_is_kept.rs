//! The audit cannot be washed away, and what others write into the store is not believed: no token, no administrator, no
//! line.

use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchboard::store::{Change, Durability, Expect, Key, SledStore, Store, Table};

use crate::{
    client::{self, Client},
    support::{Home, Server},
};

/// How many lines the program keeps here.
const ROWS: usize = 120;

fn json_of(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn failure_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An agent of the one person here, and its token.
async fn agent(server: &Server, name: &str) -> (String, String) {
    let http = client::http();
    let post = async |path: &str, body: Value| -> Value {
        let answer = http.post(server.url(path)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    };
    let made = post("/api/v1/agents", json!({ "name": name })).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let token = post(&format!("/api/v1/agents/{id}/tokens"), json!({ "name": "test" })).await;
    (id, token["token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_flood_of_one_token_leaves_the_lines_of_the_others() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
    command.env("SWITCHBOARD_AUDIT_ROWS", ROWS.to_string());
    let server = Server::start(command);
    let (_, quiet) = agent(&server, "quiet desk").await;
    let (_, loud) = agent(&server, "loud desk").await;
    Client::of(&server).with_token(&quiet).call("switchboard_now", json!({})).await;
    let loud = Client::of(&server).with_token(&loud);
    for number in 0..1_500 {
        // Some are equal, and some bear names that were made up.
        let name = if number % 2 == 0 { "switchboard_now".to_owned() } else { format!("made_up_{number}") };
        let _ = loud.answer("tools/call", json!({ "name": name, "arguments": {} })).await;
    }
    let lines = |agent: &str| {
        let page = json_of(&mut home.command(&["audit", "--sandbox", "--agent", agent, "--limit", "200", "--json"]));
        page["entries"].as_array().unwrap().clone()
    };
    let (quiet, loud) = (lines("quiet desk"), lines("loud desk"));
    assert!(quiet.iter().any(|line| line["tool"] == "switchboard_now"), "{quiet:?}");
    assert!(loud.len() < ROWS, "{} lines", loud.len());
    let happened: u64 = loud.iter().map(|line| line["times"].as_u64().unwrap_or(1)).sum();
    assert!(happened >= 1_500, "every call is counted: {happened}");

    // What made the two agents and their tokens stands there, too, and all of it is whole.
    let house = json_of(&mut home.command(&["audit", "--sandbox", "--tool", "token_made", "--json"]));
    assert_eq!(house["entries"].as_array().unwrap().len(), 2, "{house}");
    let verdict = json_of(&mut home.command(&["audit", "verify", "--json", "--sandbox"]));
    assert_eq!(verdict["findings"], json!([]));
    let unknown = failure_of(&mut home.command(&["audit", "--sandbox", "--agent", "quiet desc"]));
    assert!(unknown.contains("Did you mean `quiet desk`?"), "{unknown}");
}

/// `serve` with tokens, on a store that the test also writes to by itself.
fn guarded(home: &Home) -> Server {
    Server::start(home.command(&["serve", "--listen", "127.0.0.1:0"]))
}

async fn status(server: &Server, token: &str) -> u16 {
    client::http().get(server.url("/api/v1/me")).bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn who_writes_to_the_files_makes_no_administrator_and_no_line() {
    let home = Home::new();
    let server = guarded(&home);
    let own = server.log().lines().find_map(|line| line.trim().strip_prefix("swb_").map(str::to_owned)).unwrap();
    let own = format!("swb_{own}");
    assert_eq!(status(&server, &own).await, 200);
    assert_eq!(status(&server, "swb_wrong").await, 401);
    let made = json!({ "name": "Ann" });
    let made = client::http().post(server.url("/api/v1/users")).bearer_auth(&own).json(&made).send().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    server.end();

    let forged = format!("swb_{}", "A".repeat(43));
    let hash = format!("{:x}", Sha256::digest(&forged));
    let token = json!({ "hash": hash, "info": { "id": hash[..16], "name": "forged", "user": "local", "agent": "local",
        "role": "administrator", "created_at": "2026-11-23T09:00:00Z", "expires_at": null } });
    let eve = json!({ "id": "u-eve", "name": "Eve", "admin": true, "created_at": "2026-11-23T09:00:00Z" });
    let line = json!({ "at": "2026-11-23T09:00:00Z", "call": "c-forged", "user": "local", "agent": "local",
        "integration": "gmail", "tool": "gmail_send_message", "outcome": { "outcome": "ok" }, "millis": 1 });
    {
        let store = SledStore::open(home.path().join("store")).await.unwrap();
        let put = |table, id: &[u8], value: &Value| Change::Put {
            key: Key::raw(table, id),
            value: value.to_string().into(),
            expect: Expect::Anything,
        };
        let changes = vec![
            put(Table::Tokens, hash.as_bytes(), &token),
            put(Table::Users, b"u-eve", &eve),
            put(Table::Audit, &[0; 12], &line),
        ];
        store.commit(changes, Durability::MustSurvivePowerLoss).await.unwrap();
    }

    let server = guarded(&home);
    assert_eq!(status(&server, &forged).await, 401, "a token that somebody wrote into the files");
    assert_eq!(status(&server, &own).await, 200, "the others go on");
    let users = client::http().get(server.url("/api/v1/users")).bearer_auth(&own).send().await.unwrap();
    let users: Value = users.json().await.unwrap();
    let names: Vec<&str> = users["users"].as_array().unwrap().iter().filter_map(|user| user["name"].as_str()).collect();
    assert_eq!(names, ["Ann"]);
    let verdict = failure_of(&mut home.command(&["audit", "verify"]));
    assert!(verdict.contains("c-forged") && verdict.contains("it was put there"), "{verdict}");
    let doctor = failure_of(&mut home.command(&["doctor"]));
    assert!(doctor.contains("users|u-eve") && doctor.contains("put a backup of it back"), "{doctor}");

    // Who came and who was turned away stands there.
    let refused = json_of(&mut home.command(&["audit", "--tool", "token_refused", "--json"]));
    assert!(refused["entries"].as_array().unwrap().len() >= 2, "{refused}");
    let added = json_of(&mut home.command(&["audit", "--tool", "user_added", "--json"]));
    assert_eq!(added["entries"][0]["via"], "rest", "{added}");

    // A rotation goes past what is damaged, and says so.
    let rotated = failure_of(&mut home.command(&["key", "rotate"]));
    assert!(rotated.contains("Left as it is") && rotated.contains("2 records"), "{rotated}");
    assert_eq!(status(&server, &own).await, 200, "rows have new codes");
}
