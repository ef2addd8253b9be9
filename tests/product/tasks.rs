//! Calls that take long, for clients that know tasks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    client::Client,
    connecting::disconnect,
    logging::break_it,
    support::{Home, Server},
};

const LIST: &str = "google_calendar_list_meetings";
/// Longer than a call may take before it becomes a task, and shorter than a vendor may take for an answer.
const SLOW: &str = "slow:8s:1";

fn knows_tasks(server: &Server) -> Client {
    let elicitation = json!({"form": {}, "url": {}});
    Client::of(server).able_to(json!({"elicitation": elicitation, "extensions": {"io.modelcontextprotocol/tasks": {}}}))
}

/// The id of the task that a call became.
fn task_of(result: &Value) -> String {
    assert_eq!((&result["resultType"], &result["status"]), (&json!("task"), &json!("working")), "{result}");
    result["taskId"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
}

/// What is told of a task as soon as it is in that state.
async fn when(client: &Client, id: &str, status: &str) -> Value {
    for _ in 0..450 {
        let task = client.result("tasks/get", json!({"taskId": id})).await;
        if task["status"] == status {
            return task;
        }
        assert!(task["status"] == "working" || task["status"] == "input_required", "{task}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the task was not {status} in time")
}

#[tokio::test]
async fn a_long_call_goes_on_as_a_task_and_outlives_the_server() {
    let home = Home::new();
    let server = home.serve();
    let client = knows_tasks(&server);
    let served = client.result("server/discover", json!({})).await;
    assert!(served["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"].is_object(), "{served}");

    let short = client.call(LIST, json!({})).await;
    assert!(short["structuredContent"]["meetings"].is_array(), "what is quick is answered at once: {short}");
    break_it(&home, SLOW);
    let id = task_of(&client.call(LIST, json!({})).await);
    let done = when(&client, &id, "completed").await;
    assert_eq!(done["result"]["structuredContent"]["meetings"], short["structuredContent"]["meetings"], "{done}");
    let stranger = Client::of(&server).error("tasks/get", json!({"taskId": id})).await;
    assert_eq!(stranger["code"], -32021, "a client that knows no tasks is told so: {stranger}");

    break_it(&home, SLOW);
    let unfinished = task_of(&client.call(LIST, json!({})).await);
    server.end();
    let server = home.serve();
    let client = knows_tasks(&server);
    let kept = client.result("tasks/get", json!({"taskId": id})).await;
    assert_eq!(kept["result"], done["result"], "{kept}");
    // At the latest when the promise of its process has run out, a minute later.
    let lost = when(&client, &unfinished, "failed").await;
    assert_eq!(lost["error"]["code"], -32603, "{lost}");
}

#[tokio::test]
async fn who_knows_no_tasks_waits() {
    let home = Home::new();
    let server = home.serve();
    break_it(&home, SLOW);
    let result = Client::of(&server).call(LIST, json!({})).await;
    assert!(result["structuredContent"]["meetings"].is_array(), "{result}");
}

#[tokio::test]
async fn within_a_task_a_person_is_asked_before_something_is_cancelled() {
    let home = Home::new();
    let server = home.serve();
    let client = knows_tasks(&server);
    let meeting = json!({"title": "Zebra", "start": "2031-03-05T10:00", "duration_minutes": 30});
    let booked = client.call("google_calendar_schedule_meeting", meeting).await;
    let event = json!({"event_id": booked["structuredContent"]["meeting"]["id"]});
    let is_there = async || client.call("google_calendar_get_meeting", event.clone()).await["isError"].is_null();

    for (answer, is_left) in [(json!({"action": "decline"}), true), (yes(), false)] {
        break_it(&home, SLOW);
        let id = task_of(&client.call("google_calendar_cancel_meeting", event.clone()).await);
        let asked = when(&client, &id, "input_required").await;
        let question = &asked["inputRequests"]["confirm"];
        assert_eq!(question["method"], "elicitation/create", "{asked}");
        assert!(question["params"]["message"].as_str().unwrap().contains("Zebra"), "{asked}");
        assert!(is_there().await, "nobody has answered yet");
        client.result("tasks/update", json!({"taskId": id, "inputResponses": {"confirm": answer}})).await;
        let done = when(&client, &id, "completed").await;
        assert_eq!(done["result"]["isError"].is_null(), !is_left, "{done}");
        assert_eq!(is_there().await, is_left, "{done}");
    }
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"approve": true}})
}

#[tokio::test]
async fn a_call_waits_as_a_task_while_the_person_consents() {
    let home = Home::new();
    let server = home.serve();
    disconnect(&home);
    let client = knows_tasks(&server);
    let asked = client.call(LIST, json!({})).await;
    let url = asked["inputRequests"]["connect"]["params"]["url"].as_str().unwrap_or_else(|| panic!("{asked}"));
    let accepted = json!({"connect": {"action": "accept"}});
    let again =
        json!({"name": LIST, "arguments": {}, "requestState": asked["requestState"], "inputResponses": accepted});
    let id = task_of(&client.result("tools/call", again).await);
    Browser::new().connect(url).await;
    let done = when(&client, &id, "completed").await;
    assert!(done["result"]["structuredContent"]["meetings"].is_array(), "{done}");
}

#[tokio::test]
async fn a_cancelled_task_does_nothing_more() {
    let home = Home::new();
    let server = home.serve();
    let client = knows_tasks(&server);
    break_it(&home, SLOW);
    let id = task_of(&client.call(LIST, json!({})).await);
    client.result("tasks/cancel", json!({"taskId": id})).await;
    let gone = client.result("tasks/get", json!({"taskId": id})).await;
    assert!(gone["status"] == "cancelled" && gone["result"].is_null(), "{gone}");
    let unknown = client.error("tasks/get", json!({"taskId": "nosuchtask"})).await;
    assert_eq!(unknown["code"], -32602, "{unknown}");
}
