//! A call of a vendor that is not connected: the person connects it, and the call goes on.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    client::Client,
    legacy::Session,
    support::{Home, Server, in_days},
};

const LIST: &str = "google_calendar_list_meetings";

/// The sandbox, and its calendar disconnected.
fn disconnected() -> (Home, Server) {
    let home = Home::new();
    let server = home.serve();
    disconnect(&home);
    (home, server)
}

pub fn disconnect(home: &Home) {
    let gone = home.command(&["disconnect", "google-calendar", "--sandbox"]).output().unwrap();
    assert!(gone.status.success(), "{}", String::from_utf8_lossy(&gone.stderr));
}

fn can_visit(server: &Server) -> Client {
    Client::of(server).able_to(json!({"elicitation": {"url": {}}}))
}

/// The page that a result asks for.
fn page_of(result: &Value) -> String {
    assert_eq!(result["resultType"], "input_required", "{result}");
    let asked = &result["inputRequests"]["connect"];
    assert_eq!((&asked["method"], &asked["params"]["mode"]), (&json!("elicitation/create"), &json!("url")), "{result}");
    asked["params"]["url"].as_str().unwrap().to_owned()
}

fn again(result: &Value, action: &str) -> Value {
    let state = result["requestState"].clone();
    json!({"name": LIST, "arguments": {}, "requestState": state, "inputResponses": {"connect": {"action": action}}})
}

#[tokio::test]
async fn the_call_goes_on_after_the_person_has_connected() {
    let (_home, server) = disconnected();
    let client = can_visit(&server);
    let asked = client.call(LIST, json!({})).await;
    let url = page_of(&asked);
    assert!(url.starts_with("http://localhost:") && !url.contains("local."), "{url}");

    let mut browser = Browser::new();
    let question = browser.open(&url).await;
    assert!(question.text.contains("Connect Google Calendar"), "{}", question.text);
    let asks_for = "will ask you for these rights, for `google_calendar_list_meetings` too";
    assert!(question.text.contains(asks_for) && question.text.contains("<li><code>"), "{}", question.text);
    assert!(question.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let done = browser.connect(&url).await;
    assert!(done.text.contains("Google Calendar is connected"), "{}", done.text);

    let result = client.result("tools/call", again(&asked, "accept")).await;
    assert!(result["structuredContent"]["meetings"].is_array(), "{result}");
    let second = browser.open(&url).await;
    assert_eq!(second.status, 410, "the link is single use");
}

#[tokio::test]
async fn a_call_waits_while_the_person_consents() {
    let (_home, server) = disconnected();
    let client = can_visit(&server);
    let asked = client.call(LIST, json!({})).await;
    let url = page_of(&asked);
    let person = async {
        let mut browser = Browser::new();
        browser.connect(&url).await
    };
    let (result, done) = tokio::join!(client.result("tools/call", again(&asked, "accept")), person);
    assert!(done.text.contains("connected"), "{}", done.text);
    assert!(result["structuredContent"]["meetings"].is_array(), "{result}");
}

#[tokio::test]
async fn who_says_no_is_not_asked_again() {
    let (_home, server) = disconnected();
    let client = can_visit(&server);
    let asked = client.call(LIST, json!({})).await;
    page_of(&asked);
    let result = client.result("tools/call", again(&asked, "decline")).await;
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(result["isError"] == true && text.contains("did not want to connect"), "{result}");
}

#[tokio::test]
async fn a_client_that_cannot_open_pages_reads_the_address() {
    let (_home, server) = disconnected();
    let client = Client::of(&server);
    let result = client.call(LIST, json!({})).await;
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    let url = text.split(' ').find(|word| word.contains("/connect/")).unwrap_or_else(|| panic!("{text}"));
    assert!(result["isError"] == true && text.contains("Google Calendar is not connected."), "{result}");
    Browser::new().connect(url).await;
    assert!(client.call(LIST, json!({})).await["structuredContent"]["meetings"].is_array());

    let told = client.call("switchboard_connect", json!({"integration": "google-calendar", "account": "work"})).await;
    let text = told["content"][0]["text"].as_str().unwrap().to_owned();
    let url = text.split(' ').find(|word| word.contains("/connect/")).unwrap_or_else(|| panic!("{text}"));
    let question = Browser::new().open(url).await;
    assert!(question.text.contains("as `work`"), "{}", question.text);
}

#[tokio::test]
async fn a_link_that_was_tampered_with_opens_nothing() {
    let (_home, server) = disconnected();
    let url = page_of(&can_visit(&server).call(LIST, json!({})).await);
    let mut browser = Browser::new();
    let (start, tag) = url.rsplit_once('.').unwrap();
    for wrong in [format!("{start}.x{tag}"), format!("{start}x.{tag}"), start.to_owned(), format!("{start}.")] {
        let page = browser.open(&wrong).await;
        assert_eq!(page.status, 403, "{wrong}");
        assert!(
            !page.text.contains("Google") && !page.text.contains(start.rsplit_once('/').unwrap().1),
            "{}",
            page.text
        );
    }
}

const ADD: &str = "google_calendar_schedule_meeting";

fn lunch() -> Value {
    json!({"title": "Lunch", "start": in_days(90, "12:00"), "duration_minutes": 30})
}

/// Connects the calendar for nothing but what one agent needs, which only reads.
pub async fn connected_to_read(home: &Home, url: &str) {
    let made = home.command(&["agents", "add", "reader", "--tools", LIST, "--sandbox"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let done = Browser::new().connect(url).await;
    assert!(done.text.contains("Google Calendar is connected"), "{}", done.text);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_given_on_a_page_and_the_call_goes_on() {
    let (home, server) = disconnected();
    let client = can_visit(&server);
    let first = client.call("switchboard_connect", json!({"integration": "google-calendar"})).await;
    connected_to_read(&home, &page_of(&first)).await;
    assert!(client.call(LIST, json!({})).await["structuredContent"]["meetings"].is_array());

    let asked = client.call(ADD, lunch()).await;
    let url = page_of(&asked);
    let message = asked["inputRequests"]["connect"]["params"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("Let `{ADD}` use Google Calendar")), "{message}");
    let mut browser = Browser::new();
    let question = browser.open(&url).await;
    assert!(question.text.contains(ADD), "the page says what it is for: {}", question.text);
    browser.connect(&url).await;
    let again = json!({
        "name": ADD,
        "arguments": lunch(),
        "requestState": asked["requestState"],
        "inputResponses": {"connect": {"action": "accept"}},
    });
    let result = client.result("tools/call", again).await;
    assert!(result["isError"] != true && result["structuredContent"].is_object(), "{result}");
    assert!(client.call(LIST, json!({})).await["structuredContent"]["meetings"].is_array(), "it may still read");
}

#[tokio::test]
async fn a_client_that_cannot_open_pages_reads_where_the_permission_is_given() {
    let (home, server) = disconnected();
    let first = can_visit(&server).call("switchboard_connect", json!({"integration": "google-calendar"})).await;
    connected_to_read(&home, &page_of(&first)).await;
    let client = Client::of(&server);
    let result = client.call(ADD, lunch()).await;
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("lacks a permission") && !text.contains("switchboard connect"), "{text}");
    let url = text.split(' ').find(|word| word.contains("/connect/")).unwrap_or_else(|| panic!("{text}"));
    Browser::new().connect(url).await;
    let done = client.call(ADD, lunch()).await;
    assert!(done["isError"] != true, "{done}");
}

#[tokio::test]
async fn a_session_of_2025_11_25_is_asked_while_its_call_waits() {
    let (_home, server) = disconnected();
    let session = Session::begin(&server, json!({"elicitation": {"form": {}, "url": {}}})).await;
    let mut call = session.request(2, "tools/call", json!({"name": LIST, "arguments": {}})).await;
    let asked = call.next().await;
    assert_eq!((&asked["method"], &asked["params"]["mode"]), (&json!("elicitation/create"), &json!("url")), "{asked}");
    let url = asked["params"]["url"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    session.answer(&asked["id"], json!({"action": "accept"})).await;
    let done = Browser::new().connect(&url).await;
    assert!(done.text.contains("Google Calendar is connected"), "{}", done.text);
    let answer = call.next().await;
    assert!(answer["id"] == 2 && answer["result"]["structuredContent"]["meetings"].is_array(), "{answer}");
}

#[tokio::test]
async fn a_session_that_takes_no_requests_is_sent_to_the_page_by_an_error() {
    let (_home, server) = disconnected();
    let session = Session::begin(&server, json!({"elicitation": {"url": {}}})).await.without_events();
    let wish = json!({"name": LIST, "arguments": {}});
    let refused = session.request(2, "tools/call", wish.clone()).await.next().await;
    assert_eq!(refused["error"]["code"], -32042, "{refused}");
    let page = &refused["error"]["data"]["elicitations"][0];
    assert!(page["mode"] == "url" && page["elicitationId"].is_string(), "{refused}");
    Browser::new().connect(page["url"].as_str().unwrap()).await;
    let answer = session.request(3, "tools/call", wish).await.next().await;
    assert!(answer["result"]["structuredContent"]["meetings"].is_array(), "{answer}");
}
