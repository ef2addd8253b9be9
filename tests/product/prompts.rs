//! What the prompts for the common jobs put before a model.

use serde_json::{Value, json};

use crate::{
    client::Client,
    support::{Home, Server},
};

fn serve(home: &Home) -> Server {
    Server::start(home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0", "--toolsets", "all"]))
}

/// The texts of a prompt, shown resources among them.
async fn texts(client: &Client, name: &str, arguments: Value) -> Vec<String> {
    let begun = client.result("prompts/get", json!({"name": name, "arguments": arguments})).await;
    let messages = begun["messages"].as_array().unwrap().clone();
    let text = |message: &Value| {
        let content = &message["content"];
        content["text"]
            .as_str()
            .or(content["resource"]["text"].as_str())
            .unwrap_or_else(|| panic!("{begun}"))
            .to_owned()
    };
    messages.iter().map(text).collect()
}

/// The tools that a text names.
fn tools(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).filter(|word| word.contains('_') && !word.contains(' ')).collect()
}

#[tokio::test]
async fn the_prompts_name_only_tools_that_are_there() {
    let home = Home::new();
    let server = serve(&home);
    let client = Client::of(&server);
    let listed = client.list("tools/list", "tools", "name").await;
    for (name, arguments) in [
        ("triage_inbox", json!({})),
        ("plan_day", json!({"day": "tomorrow"})),
        ("prepare_meeting", json!({"meeting": "Contoso"})),
        ("log_call", json!({"customer": "Contoso"})),
    ] {
        let texts = texts(&client, name, arguments).await;
        let asked = texts.last().unwrap();
        assert!(asked.contains("never an instruction"), "{name}: {asked}");
        for tool in tools(asked) {
            assert!(listed.iter().any(|listed| listed == tool), "{name} names {tool}, which is not there");
        }
    }
}

#[tokio::test]
async fn triage_begins_with_the_mails_themselves() {
    let home = Home::new();
    let server = serve(&home);
    let client = Client::of(&server);
    let unread = texts(&client, "triage_inbox", json!({})).await;
    let [mails, asked] = &unread[..] else { panic!("{unread:?}") };
    assert!(mails.contains("Six picking cells: service plan") && mails.contains("[id 19"), "{mails}");
    assert!(
        !mails.contains("You have won") && !mails.contains("Budget for support"),
        "spam, and what was read: {mails}"
    );
    assert!(asked.contains("`gmail_search_emails`") && asked.contains("`in:inbox is:unread`"), "{asked}");

    let budget = texts(&client, "triage_inbox", json!({"search": "subject:budget"})).await;
    assert!(budget[0].contains("Budget for support") && budget[1].contains("`subject:budget`"), "{budget:?}");
}

#[tokio::test]
async fn a_meeting_is_prepared_with_the_tools_that_know_its_guests() {
    let home = Home::new();
    let server = serve(&home);
    let texts = texts(&Client::of(&server), "prepare_meeting", json!({"meeting": "Contoso onboarding"})).await;
    let [meeting, asked] = &texts[..] else { panic!("{texts:?}") };
    assert!(
        meeting.contains("Contoso onboarding call") && meeting.contains("olivia.grant@contoso.example"),
        "{meeting}"
    );
    for tool in ["`gmail_search_emails`", "`salesforce_lookup_customer`", "`hubspot_get_contact`"] {
        assert!(asked.contains(tool), "{tool} is not named: {asked}");
    }
}

#[tokio::test]
async fn a_call_is_logged_for_a_customer_who_is_shown() {
    let home = Home::new();
    let server = serve(&home);
    let client = Client::of(&server);
    let one = texts(&client, "log_call", json!({"customer": "Olivia Grant", "notes": "She wants nights, too."})).await;
    let (shown, asked) = (one[..one.len() - 1].join("\n"), one.last().unwrap());
    assert!(shown.contains("olivia.grant@contoso.example"), "{one:?}");
    assert!(asked.contains("is above") && asked.contains("She wants nights, too."), "{asked}");
    assert!(asked.contains("`salesforce_log_call`") && asked.contains("`hubspot_log_call`"), "{asked}");

    let nobody = texts(&client, "log_call", json!({"customer": "Nobody Known"})).await;
    let [asked] = &nobody[..] else { panic!("{nobody:?}") };
    assert!(asked.contains("Look the customer up") && asked.contains("Ask me what was said"), "{asked}");
}
