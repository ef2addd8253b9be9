//! Whole conversations with the program as it is started by a user: the sandbox, its scripted model, and a caller.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::{
    caller::{Caller, LIMIT, Phone, http, sent},
    support::{Home, Server},
};

/// A caller who reads what the agent says.
pub struct Talk {
    pub caller: Caller,
    pub server: Server,
    pub home: Home,
    /// All messages, without the pings.
    pub messages: Vec<Value>,
}

impl Talk {
    /// In the sandbox, with the agent that everybody has.
    async fn new() -> Talk {
        let home = Home::new();
        let server = home.serve();
        Talk::with(home, server, json!({})).await
    }

    /// With what a page gives along, such as the agent.
    pub async fn with(home: Home, server: Server, body: Value) -> Talk {
        let caller = Caller::call_with(&server.url(""), &body).await;
        let mut talk = Talk { caller, server, home, messages: vec![] };
        talk.send(json!({ "type": "client-ready", "id": "r", "data": { "version": "2.2.0" } })).await;
        talk.until("bot-ready").await;
        talk
    }

    pub async fn send(&mut self, mut message: Value) {
        message["label"] = "rtvi-ai".into();
        self.caller.text(&message.to_string()).await;
    }

    pub async fn types(&mut self, text: &str) {
        let options = json!({ "run_immediately": true, "audio_response": true });
        self.send(json!({ "type": "send-text", "id": "t", "data": { "content": text, "options": options } })).await;
    }

    /// The next message.
    async fn next(&mut self) -> Value {
        let text = self.caller.next_text().await;
        let message: Value = serde_json::from_str(&text).unwrap();
        self.messages.push(message.clone());
        message
    }

    /// The data of the next message of a kind.
    pub async fn until(&mut self, kind: &str) -> Value {
        self.until_data(kind, |_| true).await
    }

    pub async fn until_data(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let message = self.next().await;
                if message["type"] == kind && fits(&message["data"]) {
                    return message["data"].clone();
                }
            }
        };
        let found = timeout(LIMIT, found).await;
        found.unwrap_or_else(|_| panic!("no {kind} came\n{:#?}\n{}", self.messages, self.server.log()))
    }

    /// The words of the model until some of them are there.
    pub async fn reads(&mut self, words: &str) -> String {
        let mut read = String::new();
        let found = async {
            while !read.contains(words) {
                let message = self.next().await;
                if message["type"] == "bot-llm-text" {
                    read.push_str(message["data"]["text"].as_str().unwrap());
                }
            }
        };
        let found = timeout(LIMIT, found).await;
        assert!(found.is_ok(), "{words:?} was not said but {read:?}\n{:#?}\n{}", self.messages, self.server.log());
        read
    }

    /// The agent's answer to what was typed last, heard to its end. An earlier answer that it cut off may fall silent
    /// after it was typed.
    pub async fn hears_out(&mut self) {
        let asked = self.messages.iter().rposition(|message| message["type"] == "user-llm-text").unwrap_or(0);
        let begins = |message: &Value| message["type"] == "bot-started-speaking";
        if !self.messages[asked..].iter().any(begins) {
            self.until("bot-started-speaking").await;
        }
        self.until("bot-stopped-speaking").await;
    }

    /// A question for a yes.
    pub async fn is_asked(&mut self) -> Value {
        self.until_data("server-message", |data| data["kind"] == "approval").await
    }

    pub async fn is_settled(&mut self) -> bool {
        let settled = self.until_data("server-message", |data| data["kind"] == "approval-settled").await;
        settled["approved"] == true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_question_is_answered_by_way_of_a_tool() {
    let mut talk = Talk::new().await;
    talk.types("When is my next meeting?").await;
    let called = talk.until("llm-function-call-in-progress").await;
    assert_eq!(called["function_name"], "google_calendar_list_meetings");
    assert_eq!(called.get("arguments"), None, "the agent is not set to show them");
    let ended = talk.until("llm-function-call-stopped").await;
    assert_eq!((&ended["tool_call_id"], &ended["cancelled"]), (&called["tool_call_id"], &json!(false)));
    talk.reads("Your next meeting is").await;
    let log = talk.server.log();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_undone_is_done_after_a_yes_and_not_after_a_no() {
    let mut talk = Talk::new().await;
    for (answer, approved, words) in [("No, leave it.", false, "left it"), ("yes", true, "is cancelled")] {
        talk.types("Cancel the dentist").await;
        let question = talk.is_asked().await;
        assert_eq!(question["tool"], "google_calendar_cancel_meeting");
        assert!(question["question"].as_str().unwrap().contains("Dentist"), "{question}");
        talk.types(answer).await;
        assert_eq!(talk.is_settled().await, approved);
        talk.reads(words).await;
    }
    talk.types("Cancel the dentist").await;
    talk.reads("no such meeting").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_says_yes_as_well() {
    let mut talk = Talk::new().await;
    talk.types("Cancel the dentist").await;
    let question = talk.is_asked().await;
    let press = json!({ "t": "approval", "d": { "call": question["call"], "approve": true } });
    talk.send(json!({ "type": "client-message", "id": "b", "data": press })).await;
    assert!(talk.is_settled().await);
    talk.reads("is cancelled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_has_its_own_tools_and_leaves_a_transcript() {
    let home = Home::new();
    let server = home.serve();
    let agent = json!({
        "name": "desk", "level": "read-only", "integrations": ["google-calendar"],
        "voice": { "transcript": true, "shows_calls": true, "greeting": "Northwind, good morning." },
    });
    let (status, made) = sent(http().post(server.url("/api/v1/agents")).json(&agent)).await;
    assert_eq!(status, 201, "{made}");
    let mut talk = Talk::with(home, server, json!({ "agent": made["id"] })).await;
    talk.types("Cancel the dentist").await;
    let read = talk.reads("cancel").await;
    assert!(!read.contains("is cancelled"), "an agent that only looks cancels nothing: {read}");
    talk.hears_out().await;
    talk.types("When is my next meeting?").await;
    let called = talk.until("llm-function-call-in-progress").await;
    assert!(called["arguments"].is_object(), "{called}");
    talk.reads("Your next meeting is").await;

    let (_, audit) = sent(http().get(talk.server.url("/api/v1/audit"))).await;
    let entry = audit["entries"].as_array().and_then(|entries| entries.first()).cloned().unwrap_or_default();
    assert_eq!(entry["agent"], made["id"], "the call stands in the audit under its agent: {audit}");

    talk.send(json!({ "type": "disconnect-bot", "id": "x", "data": {} })).await;
    talk.caller.is_left().await;
    let lines = transcript(&talk.home).await;
    assert_eq!(lines[0]["agent_name"], "desk");
    let tool = lines.iter().find(|line| line["who"] == "tool").unwrap_or_else(|| panic!("{lines:#?}"));
    assert_eq!(tool["tool"], "google_calendar_list_meetings");
    assert!(lines.iter().any(|line| line["who"] == "caller" && line["text"] == "When is my next meeting?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_put_through_to_another_agent() {
    let home = Home::new();
    let server = home.serve();
    let make = async |agent: Value| {
        let (status, made) = sent(http().post(server.url("/api/v1/agents")).json(&agent)).await;
        assert_eq!(status, 201, "{made}");
        made
    };
    make(json!({ "name": "desk", "level": "read-only", "integrations": [], "voice": { "greeting": "Front desk." } }))
        .await;
    let voice = json!({ "greeting": "Sales, good morning.", "transcript": true });
    let sales = json!({ "name": "sales", "level": "full", "integrations": ["google-calendar"], "voice": voice });
    let sales = make(sales).await;
    let mut talk = Talk::with(home, server, json!({ "agent": "desk" })).await;
    talk.types("What is on my calendar?").await;
    talk.reads("I have no tool for").await;
    talk.hears_out().await;
    talk.types("Transfer me to sales").await;
    let told = talk.until_data("server-message", |data| data["kind"] == "transferred").await;
    assert_eq!(told["to"], "sales");
    talk.reads("Sales, good morning.").await;
    talk.types("When is my next meeting?").await;
    talk.until("llm-function-call-stopped").await;
    talk.reads("Your next meeting is").await;
    let (_, audit) = sent(http().get(talk.server.url("/api/v1/audit"))).await;
    assert_eq!(audit["entries"][0]["agent"], sales["id"], "the tools are those of the other agent: {audit}");
    talk.send(json!({ "type": "disconnect-bot", "id": "x", "data": {} })).await;
    talk.caller.is_left().await;
    let lines = transcript(&talk.home).await;
    assert_eq!(lines[0]["agent_name"], "sales");
    assert!(lines.iter().all(|line| line["text"] != "What is on my calendar?"), "it begins with its own caller");
}

/// The lines of the one transcript, when it is whole.
async fn transcript(home: &Home) -> Vec<Value> {
    let folder = home.path().join("sandbox").join("conversations");
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let Some(file) = fs::read_dir(&folder).ok().and_then(|mut files| files.next()) else { continue };
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if text.contains(r#""who":"tool""#) && text.ends_with('\n') {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        }
    }
    panic!("no transcript in {}", folder.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_not_there_is_said_to_be_missing() {
    let home = Home::new();
    let server = home.serve();
    let phone = Phone::new().await;
    let small = |data: Value| json!({ "sdp": phone.offer, "type": "offer", "requestData": data });
    let whip = http().post(server.url("/api/whip?agent=nobody")).header("content-type", "application/sdp");
    for asked in [
        http().post(server.url("/start")).json(&json!({ "body": { "agent": "nobody" } })),
        http().post(server.url("/api/offer")).json(&small(json!({ "agent": "nobody" }))),
        whip.body(phone.offer.clone()),
    ] {
        let (status, problem) = sent(asked).await;
        assert_eq!((status, &problem["code"]), (404, &json!("not_found")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("`nobody`"), "{problem}");
    }
    let (status, answer) = sent(http().post(server.url("/api/offer")).json(&small(json!({ "agent": "" })))).await;
    assert_eq!(status, 200, "who names none talks with their own: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_hangs_up_when_it_is_told_to() {
    let mut talk = Talk::new().await;
    talk.types("Please hang up").await;
    talk.caller.is_left().await;
    let figures = http().get(talk.server.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(figures.contains(r#"switchboard_conversation_stage_seconds_count{stage="llm"}"#), "{figures}");
    assert!(figures.contains("switchboard_conversations 0"), "{figures}");
}
