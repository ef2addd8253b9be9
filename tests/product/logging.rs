//! What a client that wants to hear the log is told of its calls.

use serde_json::{Value, json};

use crate::{
    client::Client,
    legacy::Session,
    support::{Home, Server},
};

const LIST: &str = "google_calendar_list_meetings";

fn wish() -> Value {
    json!({"name": LIST, "arguments": {"limit": 1}})
}

/// The sandbox, whose calendar meets its next requests so.
fn broken(home: &Home, fault: &str) -> Server {
    let server = home.serve();
    break_it(home, fault);
    server
}

pub fn break_it(home: &Home, fault: &str) {
    let told = home.command(&["sandbox", "fault", "google-calendar", fault, "--sandbox"]).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

/// The lines of log among what was said.
fn lines(said: &[Value]) -> Vec<(String, String)> {
    let logged = said.iter().filter(|message| message["method"] == "notifications/message");
    let read = |message: &Value| {
        assert_eq!(message["params"]["logger"], LIST, "{message}");
        let member = |name: &str| message["params"][name].as_str().unwrap_or_default().to_owned();
        (member("level"), member("data"))
    };
    logged.map(read).collect()
}

#[tokio::test]
async fn a_retry_is_told_to_those_who_name_a_level() {
    let home = Home::new();
    let server = broken(&home, "500:1");
    let said = Client::of(&server).hears("info").heard("tools/call", wish()).await;
    let lines_heard = lines(&said);
    let [(level, text)] = &lines_heard[..] else { panic!("{said:?}") };
    assert!(level == "warning" && text.contains("answered 50") && text.contains("attempt 2 follows"), "{text}");
    assert!(said.last().unwrap()["result"]["structuredContent"]["meetings"].is_array(), "{said:?}");

    break_it(&home, "500:1");
    assert!(lines(&Client::of(&server).heard("tools/call", wish()).await).is_empty(), "no level was named");
    break_it(&home, "500:1");
    let deaf = Client::of(&server).hears("error").heard("tools/call", wish()).await;
    assert!(lines(&deaf).is_empty(), "{deaf:?}");
}

#[tokio::test]
async fn a_renewed_credential_is_told_and_never_shown() {
    let home = Home::new();
    let server = broken(&home, "401:1");
    let said = Client::of(&server).hears("debug").heard("tools/call", wish()).await;
    let lines = lines(&said);
    assert!(lines.iter().any(|(level, text)| level == "info" && text.contains("it was renewed")), "{lines:?}");
    assert!(lines.iter().any(|(level, text)| level == "debug" && text.contains("answered 200")), "{lines:?}");
    let all = format!("{lines:?}").to_lowercase();
    assert!(!all.contains("bearer") && !all.contains("access_token") && !all.contains("ya29"), "{all}");
}

#[tokio::test]
async fn a_session_hears_what_it_set() {
    let home = Home::new();
    let server = broken(&home, "500:1");
    let session = Session::begin(&server, json!({})).await;
    let heard = session.request(2, "tools/call", wish()).await.next().await;
    assert_eq!(heard["params"]["level"], "warning", "a session hears warnings unless it says otherwise: {heard}");

    let set = session.request(3, "logging/setLevel", json!({"level": "error"})).await.next().await;
    assert_eq!(set["result"], json!({}), "{set}");
    break_it(&home, "500:1");
    let answer = session.request(4, "tools/call", wish()).await.next().await;
    assert!(answer["result"]["structuredContent"]["meetings"].is_array(), "{answer}");
    let wrong = session.request(5, "logging/setLevel", json!({"level": "loud"})).await.next().await;
    assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
}

#[tokio::test]
async fn a_failed_call_names_its_number_in_the_servers_log() {
    let home = Home::new();
    let server = broken(&home, "500");
    let said = Client::of(&server).hears("debug").heard("tools/call", wish()).await;
    let lines = lines(&said);
    let (level, text) = lines.last().unwrap_or_else(|| panic!("{said:?}"));
    let number = text.split(' ').nth(1).unwrap();
    assert!(level == "debug" && text.ends_with("failed: vendor") && number.len() > 8, "{text}");
    let audit = home.command(&["audit", "--sandbox", "--json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&audit.stdout).contains(number), "{text}");
}
