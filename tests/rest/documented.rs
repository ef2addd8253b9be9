//! Every example in docs/rest.md, run against the real program. What comes back has to have the same status and the
//! same members; values differ from day to day.

use serde_json::{Value, json};

use crate::{
    support::{Home, Server},
    wire::{self, Reply},
};

const DOCUMENT: &str = include_str!("../../docs/rest.md");

/// A command of the document, and the answer below it.
#[derive(Debug)]
struct Example {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    answer: Value,
}

/// The examples, in their order.
fn examples() -> Vec<Example> {
    let joined = DOCUMENT.replace("\\\n", " ");
    let mut lines = joined.lines();
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("    $ curl ") else { continue };
        let answer = lines.next().unwrap_or_default().trim();
        let answer = serde_json::from_str(answer).unwrap_or_else(|error| panic!("below `{command}`: {error}"));
        all.push(Example::read(command, answer));
    }
    all
}

impl Example {
    fn read(command: &str, answer: Value) -> Example {
        let mut words = words(command).into_iter();
        let (mut method, mut target, mut headers, mut body) = (None, String::new(), Vec::new(), String::new());
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("`{word}` has no value in `{command}`"));
            match word.as_str() {
                "-X" => method = Some(value()),
                "-d" => body = value(),
                "-H" => {
                    let header = value();
                    let (name, value) = header.split_once(": ").unwrap();
                    headers.push((name.to_owned(), value.to_owned()));
                }
                url => url.strip_prefix("localhost:7411").unwrap().clone_into(&mut target),
            }
        }
        // As curl does it.
        let usual = if body.is_empty() { "GET" } else { "POST" };
        Example { method: method.unwrap_or_else(|| usual.to_owned()), target, headers, body, answer }
    }

    async fn run(&self, server: &Server) -> Reply {
        let host = server.address().to_string();
        let own = self.headers.iter().map(|(name, value)| (&**name, &**value));
        let headers: Vec<(&str, &str)> = [("Host", &*host)].into_iter().chain(own).collect();
        wire::send(server.address(), &self.method, &self.target, &headers, &self.body).await
    }

    /// What stands for something that is another one in each run.
    fn with(mut self, old: &str, new: &str) -> Example {
        self.target = self.target.replace(old, new);
        self.body = self.body.replace(old, new);
        self
    }
}

/// The words of a shell, with single quotes.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .map(str::to_owned)
        .collect()
}

/// The members of a value, without what they hold.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), shape(member))).collect(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        other => other.clone(),
    }
}

async fn next_stand_up(server: &Server) -> String {
    let list = "/api/v1/tools/google_calendar_list_meetings/call";
    let body = json!({"arguments": {"query": "Daily stand-up"}}).to_string();
    let host = server.address().to_string();
    let headers = [("Host", &*host), ("Content-Type", "application/json")];
    let found = wire::send(server.address(), "POST", list, &headers, &body).await.ok(200);
    found["structured"]["meetings"][0]["id"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
}

#[tokio::test]
async fn every_example_is_answered_as_documented() {
    let home = Home::new();
    let server = home.serve();
    let stand_up = next_stand_up(&server).await;
    let mut approval: Option<(String, String)> = None;
    let examples = examples();
    assert!(examples.len() >= 6, "{examples:?}");
    for example in examples {
        let documented = example.answer.clone();
        let mut example = example;
        if example.target.contains("cancel_meeting") {
            let old = serde_json::from_str::<Value>(&example.body).unwrap()["arguments"]["event_id"].clone();
            example = example.with(old.as_str().unwrap(), &stand_up);
        }
        if let Some((old, new)) = &approval {
            example = example.with(old, new);
        }
        let reply = example.run(&server).await;
        let status = documented["status"].as_u64().unwrap_or(200);
        assert_eq!(u64::from(reply.status), status, "{example:?}: {reply:?}");
        let answer: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(shape(&answer), shape(&documented), "{example:?}: {answer}");
        if let (Some(old), Some(new)) = (documented["approval"].as_str(), answer["approval"].as_str()) {
            approval = Some((old.to_owned(), new.to_owned()));
        }
    }
}
