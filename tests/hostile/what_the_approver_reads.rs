//! What the approver reads is what is sent: all of it, and nothing else after the yes.

use serde_json::{Value, json};

use crate::{client::Client, target::Target};

const TOOL: &str = "gmail_send_email";

fn mail(end: &str) -> Value {
    let body = (0..1_000).map(|at| format!("word{at}")).collect::<Vec<_>>().join(" ");
    json!({ "to": ["stranger@elsewhere.example"], "subject": "Figures", "body": format!("{body} {end}") })
}

/// The id of the question that a refusal names.
fn asked(result: &Value) -> String {
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"));
    let (_, rest) = text.split_once("switchboard approvals approve ").unwrap_or_else(|| panic!("{text}"));
    rest.split('`').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_long_mail_can_be_read_whole_and_a_yes_is_for_that_mail_only() {
    let target = Target::sandbox();
    let client = Client::of(&target.server);
    let refused = client.call(TOOL, mail("the end")).await;
    let id = asked(&refused);
    let short = refused["content"][0]["text"].as_str().unwrap();
    assert!(short.contains("This is shortened.") && !short.contains("the end") && short.len() < 2_000, "{short}");

    let http = reqwest::Client::new();
    let get =
        async |path: &str| -> Value { http.get(target.server.url(path)).send().await.unwrap().json().await.unwrap() };
    let listed = get("/api/v1/approvals").await;
    assert_eq!((&listed["approvals"][0]["id"], &listed["approvals"][0]["is_shortened"]), (&json!(id), &json!(true)));
    let whole = get(&format!("/api/v1/approvals/{id}")).await;
    let whole = whole["whole"].as_str().unwrap_or_else(|| panic!("{whole}"));
    assert!(
        whole.contains("stranger@elsewhere.example")
            && whole.contains("word0 ")
            && whole.ends_with("word999 the end\"?"),
        "{whole}"
    );
    let shown = target.home.command(&["approvals", "show", &id, "--sandbox"]).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("word999 the end"), "{shown:?}");

    let decide = json!({ "decision": "approve" });
    let url = target.server.url(&format!("/api/v1/approvals/{id}"));
    assert!(http.post(url).json(&decide).send().await.unwrap().status().is_success());
    let other = client.call(TOOL, mail("another end")).await;
    assert_ne!(asked(&other), id, "what is beyond the short form counts as well");
    let sent = client.call(TOOL, mail("the end")).await;
    assert!(sent["isError"] != true, "{sent}");
}

#[tokio::test]
async fn a_question_is_bounded_wherever_it_is_shown() {
    let target = Target::sandbox();
    let form = Client::of(&target.server).able_to(json!({ "elicitation": { "form": {} } }));
    let many = json!({ "to": (0..90).map(|at| format!("p{at}@{}.example", "x".repeat(60))).collect::<Vec<_>>(),
        "subject": "s".repeat(900), "body": "b".repeat(200_000) });
    let answer = form.call(TOOL, many).await;
    let message =
        answer["inputRequests"]["confirm"]["params"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert!(message.chars().count() < 3_000, "{}", message.len());
    assert!(message.contains("90 people") && message.contains("This is shortened."), "{message}");
}
