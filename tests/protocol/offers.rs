//! What a server offers beside plain tools, over lines: questions to the client, resources, prompts, log, tasks.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::{Map, Value, json};
use switchboard::{
    clock,
    hub::Hub,
    id,
    mcp::Server,
    shelf::{About, Annotations, Change, Changes, Contents, Message, Prompt, Resource, Role, Shelf, Template},
    tool::{Ask, Call, Effect, Icon, Level, Outcome, Result, Running, RuntimeTool, ToolDef, Toolset},
    transport::stdio::Options,
};

use crate::{
    fixtures::{Seen, initialize, modern, modern_with, notification, request},
    stdio::Client,
};

/// A client that can show forms.
const FORMS: &str = r#"{"elicitation":{}}"#;
/// One that knows tasks too.
const TASKS: &str = r#"{"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;

fn client() -> (Client, Changes) {
    let changes = Changes::new();
    let toolset = Toolset { id: "test".into(), title: "Test".into() };
    let tools = [
        tool("two_steps", |_, cx| Box::pin(two_steps(cx))),
        tool("model", |_, cx| Box::pin(asks_model(cx))),
        tool("chatty", |_, cx| Box::pin(async { Ok(chatty(cx)) })),
        tool("job", |_, cx| {
            Box::pin(async move {
                cx.go_on_as_task()?;
                two_steps(cx).await
            })
        }),
        tool_of(Effect::Irreversible, "pay", |_, cx| Box::pin(async { pays(cx) })),
    ];
    let hub = Hub::builder(clock::system(), id::os()).tools(&toolset, tools).unwrap().build();
    let server = Server::builder().hub(hub.clone()).shelf(shelf()).changes(changes.clone()).logging().tasks();
    let server = server.pictured(icon());
    let server = server.page_size(2).answer_within(Duration::from_secs(2)).build();
    (Client::start_on((server, hub, Seen::default()), Options { longest_line: 100_000 }), changes)
}

type Body = for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>;

fn tool(name: &str, body: Body) -> ToolDef {
    tool_of(Effect::Reads, name, body)
}

fn tool_of(effect: Effect, name: &str, body: Body) -> ToolDef {
    let input = json!({"type": "object", "properties": {"n": {"type": "integer", "description": "A number."}}});
    ToolDef::at_runtime(name, effect, RuntimeTool::new(format!("The tool {name}."), input, body))
}

fn form(name: &str) -> Value {
    json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name]})
}

async fn two_steps(cx: &Call) -> Result<Outcome> {
    let first = cx.elicit("first", "Who?", form("name")).await?.fields();
    let second = cx.elicit("second", "Which color?", form("color")).await?.fields();
    Ok(Outcome::text(format!("{} likes {}", first["name"], second["color"])))
}

async fn asks_model(cx: &Call) -> Result<Outcome> {
    let answer = cx.ask_one(Ask::model("model", "Hi", 10)).await?;
    Ok(Outcome::text(answer["content"]["text"].to_string()))
}

/// Goes on as a task and asks for another amount each time.
fn pays(cx: &Call) -> Result<Outcome> {
    static AMOUNT: AtomicU32 = AtomicU32::new(1);
    cx.go_on_as_task()?;
    cx.confirm(format!("Pay {}?", AMOUNT.fetch_add(1, Ordering::SeqCst)))?;
    Ok(Outcome::text("paid"))
}

fn chatty(cx: &Call) -> Outcome {
    cx.log(Level::Debug, "quiet");
    cx.log(Level::Error, "loud");
    Outcome::text("said")
}

fn shelf() -> Shelf {
    let read = |uri: String| async move { Ok(vec![Contents::text(uri, "text/plain", "a note")]) };
    Shelf::builder()
        .resource(decorated(), move |uri, _| Box::pin(read(uri)))
        .resource(Resource::new("notes://b", "b"), move |uri, _| Box::pin(read(uri)))
        .resource(Resource::new("notes://c", "c"), move |uri, _| Box::pin(read(uri)))
        .template(Template::new("days://{day}", "day"), move |uri, _, _| Box::pin(read(uri)))
        .prompt(Prompt::new("about", "Says something.").needs("topic", "What about."), |given, _| {
            Box::pin(async move { Ok(vec![Message::user(format!("About {}", given["topic"]))]) })
        })
        .completes(About::Prompt("about".into()), "topic", |partial, _| {
            Box::pin(async move { Ok((0..150).map(|n| format!("{}{n}", partial.value)).collect()) })
        })
        .build()
        .unwrap()
}

fn icon() -> Icon {
    Icon::new("https://notes.example/icon.png").unwrap().typed("image/png").sized("48x48")
}

fn decorated() -> Resource {
    let changed = "2026-11-23T09:00:00Z".parse().ok();
    let annotations = Annotations { audience: vec![Role::Assistant], priority: Some(0.5), last_modified: changed };
    Resource::new("notes://a", "a").sized(6).annotated(annotations).pictured(icon())
}

fn accepts(name: &str, value: &str) -> Value {
    json!({"action": "accept", "content": {name: value}})
}

#[tokio::test]
async fn a_modern_call_asks_in_rounds_and_forgets_nothing() {
    let (mut client, _) = client();
    let first = client.ask(modern_with(1, "tools/call", json!({"name": "two_steps"}), FORMS)).await;
    assert_eq!(first["result"]["resultType"], "input_required");
    assert_eq!(first["result"]["inputRequests"]["first"]["method"], "elicitation/create");
    let repeat = |responses: Value, state: &Value| json!({"name": "two_steps", "inputResponses": responses, "requestState": state});
    let params = repeat(json!({"first": accepts("name", "Ana")}), &first["result"]["requestState"]);
    let second = client.ask(modern_with(2, "tools/call", params, FORMS)).await;
    let state = &second["result"]["requestState"];
    assert_eq!(second["result"]["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), ["second"]);
    let answer = json!({"second": accepts("color", "red"), "unknown": 1});
    let done = client.ask(modern_with(3, "tools/call", repeat(answer.clone(), state), FORMS)).await;
    assert_eq!(done["result"]["content"][0]["text"], r#""Ana" likes "red""#);

    let tampered = json!(format!("{}-TAMPERED", state.as_str().unwrap()));
    let mut of_another_call = repeat(answer.clone(), state);
    of_another_call["arguments"] = json!({"n": 1});
    let misfit = repeat(json!({"second": 12345}), state);
    for params in [repeat(answer, &tampered), of_another_call, misfit, repeat(Value::Null, state)] {
        let refused = client.ask(modern_with(4, "tools/call", params.clone(), FORMS)).await;
        assert_eq!(refused["error"]["code"], -32602, "{params}: {refused}");
    }
}

#[tokio::test]
async fn a_client_without_the_capability_is_told_which() {
    let (mut client, _) = client();
    let refused = client.ask(modern_with(1, "tools/call", json!({"name": "model"}), FORMS)).await;
    assert_eq!(refused["error"]["code"], -32021);
    assert_eq!(refused["error"]["data"], json!({"requiredCapabilities": {"sampling": {}}}));
    client.ask(initialize(2, "2025-11-25", json!({}))).await;
    let told = client.ask(request(3, "tools/call", json!({"name": "model"}))).await;
    assert_eq!(told["result"]["isError"], true, "{told}");
}

#[tokio::test]
async fn a_legacy_call_asks_while_it_waits() {
    let (mut client, _) = client();
    client.ask(initialize(0, "2025-06-18", json!({"elicitation": {}, "sampling": {}}))).await;
    client.send(request(1, "tools/call", json!({"name": "two_steps"}))).await;
    for (name, value) in [("name", "Ana"), ("color", "red")] {
        let asked = client.receive().await;
        assert_eq!(asked["method"], "elicitation/create");
        assert!(asked["params"].get("mode").is_none(), "modes came later: {asked}");
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": accepts(name, value)});
        client.send(answer.to_string()).await;
    }
    assert_eq!(client.receive().await["result"]["content"][0]["text"], r#""Ana" likes "red""#);
    let asked = client.ask(request(2, "tools/call", json!({"name": "model"}))).await;
    assert_eq!(asked["method"], "sampling/createMessage");
    let error = json!({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -1, "message": "no"}});
    assert_eq!(client.ask(error.to_string()).await["result"]["isError"], true);
}

#[tokio::test]
async fn lists_come_in_pages_and_unknown_cursors_are_refused() {
    let (mut client, _) = client();
    let first = client.ask(modern(1, "resources/list", json!({}))).await;
    let next = &first["result"]["nextCursor"];
    assert_eq!(first["result"]["resources"].as_array().unwrap().len(), 2);
    let second = client.ask(modern(2, "resources/list", json!({"cursor": next}))).await;
    assert_eq!(second["result"]["resources"][0]["uri"], "notes://c");
    assert!(second["result"].get("nextCursor").is_none() && second["result"]["ttlMs"].is_u64());
    for method in ["resources/list", "resources/templates/list", "prompts/list", "tools/list"] {
        let refused = client.ask(modern(3, method, json!({"cursor": "nonsense"}))).await;
        assert_eq!(refused["error"]["code"], -32602, "{method}: {refused}");
    }
}

#[tokio::test]
async fn what_is_not_there_has_the_code_of_its_era() {
    let (mut client, _) = client();
    let read = client.ask(modern(1, "resources/read", json!({"uri": "days://monday"}))).await;
    assert_eq!(read["result"]["contents"][0]["text"], "a note");
    let missing = json!({"uri": "days://a/b"});
    let refused = client.ask(modern(2, "resources/read", missing.clone())).await;
    assert_eq!((&refused["error"]["code"], &refused["error"]["data"]), (&json!(-32602), &missing));
    for params in [json!({"name": "unknown"}), json!({"name": "about"}), json!({"name": 7})] {
        let refused = client.ask(modern(3, "prompts/get", params.clone())).await;
        assert_eq!(refused["error"]["code"], -32602, "{params}");
    }
    client.ask(initialize(4, "2025-11-25", json!({}))).await;
    let refused = client.ask(request(5, "resources/read", missing)).await;
    assert_eq!(refused["error"]["code"], -32002);
}

#[tokio::test]
async fn a_prompt_takes_its_arguments_and_completes_them() {
    let (mut client, _) = client();
    let params = json!({"name": "about", "arguments": {"topic": "cats"}});
    let got = client.ask(modern(1, "prompts/get", params)).await;
    assert_eq!(got["result"]["messages"][0]["content"]["text"], "About cats");
    let about = json!({"type": "ref/prompt", "name": "about"});
    let wish = json!({"ref": about, "argument": {"name": "topic", "value": "x"}});
    let completed = client.ask(modern(2, "completion/complete", wish)).await;
    let completion = &completed["result"]["completion"];
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(150), &json!(true)));
}

#[tokio::test]
async fn a_listener_hears_what_it_asked_for_and_nothing_else() {
    let (mut client, changes) = client();
    let wish = json!({"notifications": {"promptsListChanged": true, "resourceSubscriptions": ["notes://a"]}});
    let acknowledged = client.ask(modern("l", "subscriptions/listen", wish.clone())).await;
    assert_eq!(acknowledged["params"]["notifications"], wish["notifications"]);
    for change in [Change::Tools, Change::Resources, Change::Resource("notes://b".into())] {
        changes.tell(change);
    }
    changes.tell(Change::Resource("notes://a".into()));
    let told = client.receive().await;
    assert_eq!(
        (&told["method"], &told["params"]["uri"]),
        (&json!("notifications/resources/updated"), &json!("notes://a"))
    );
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "l");
    changes.tell(Change::Prompts);
    assert_eq!(client.receive().await["method"], "notifications/prompts/list_changed");
}

#[tokio::test]
async fn a_legacy_client_watches_resources() {
    let (mut client, changes) = client();
    client.ask(initialize(0, "2025-11-25", json!({}))).await;
    client.send(notification("notifications/initialized", json!({}))).await;
    let uri = json!({"uri": "notes://a"});
    assert_eq!(client.ask(request(1, "resources/subscribe", uri.clone())).await["result"], json!({}));
    let missing = client.ask(request(2, "resources/subscribe", json!({"uri": "notes://z"}))).await;
    assert_eq!(missing["error"]["code"], -32002);
    changes.tell(Change::Resource("notes://a".into()));
    assert_eq!(client.receive().await["method"], "notifications/resources/updated");
    assert_eq!(client.ask(request(3, "resources/unsubscribe", uri)).await["result"], json!({}));
    changes.tell(Change::Resource("notes://a".into()));
    changes.tell(Change::Prompts);
    assert_eq!(client.receive().await["method"], "notifications/prompts/list_changed");
}

#[tokio::test]
async fn pictures_and_annotations_are_told_to_those_who_know_them() {
    let (mut client, _) = client();
    let listed = client.ask(modern(1, "resources/list", json!({}))).await["result"].clone();
    let picture = json!([{"src": "https://notes.example/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}]);
    assert_eq!(listed["_meta"]["io.modelcontextprotocol/serverInfo"]["icons"], picture, "{listed}");
    let first = &listed["resources"][0];
    assert_eq!((&first["icons"], &first["size"]), (&picture, &json!(6)), "{first}");
    let annotations = json!({"audience": ["assistant"], "priority": 0.5, "lastModified": "2026-11-23T09:00:00Z"});
    assert_eq!(first["annotations"], annotations);

    let hello = client.ask(initialize(2, "2025-03-26", json!({}))).await;
    assert!(hello["result"]["serverInfo"].get("icons").is_none(), "{hello}");
    let first = client.ask(request(3, "resources/list", json!({}))).await["result"]["resources"][0].clone();
    assert!(first.get("icons").is_none(), "icons came with 2025-11-25: {first}");
    assert_eq!(first["annotations"], json!({"audience": ["assistant"], "priority": 0.5}), "{first}");
}

#[tokio::test]
async fn log_is_heard_at_the_level_that_was_asked_for() {
    let (mut client, _) = client();
    let chatty = || json!({"name": "chatty"});
    assert!(client.ask(modern(1, "tools/call", chatty())).await["result"].is_object(), "no level, no log");
    let mut params = chatty();
    params["_meta"]["io.modelcontextprotocol/logLevel"] = "warning".into();
    let line = client.ask(modern(2, "tools/call", params.clone())).await;
    assert_eq!((&line["method"], &line["params"]["data"]), (&json!("notifications/message"), &json!("loud")));
    assert_eq!(client.receive().await["id"], 2);
    params["_meta"]["io.modelcontextprotocol/logLevel"] = "shouting".into();
    assert_eq!(client.ask(modern(3, "tools/call", params)).await["error"]["code"], -32602);
    client.ask(initialize(4, "2025-11-25", json!({}))).await;
    assert_eq!(client.ask(request(5, "logging/setLevel", json!({"level": "debug"}))).await["result"], json!({}));
    assert_eq!(client.ask(request(6, "tools/call", chatty())).await["params"]["data"], "quiet");
}

#[tokio::test]
async fn a_call_goes_on_as_a_task_and_asks_there() {
    let (mut client, _) = client();
    let begun = client.ask(modern_with(1, "tools/call", json!({"name": "job"}), TASKS)).await;
    assert_eq!(begun["result"]["resultType"], "task");
    let id = begun["result"]["taskId"].clone();
    for (key, answer) in [("first", accepts("name", "Ana")), ("second", accepts("color", "red"))] {
        let waiting = status(&mut client, &id, "input_required").await;
        assert_eq!(waiting["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), [key]);
        let params = json!({"taskId": id, "inputResponses": {key: answer}});
        client.ask(modern_with(2, "tasks/update", params, TASKS)).await;
    }
    let done = status(&mut client, &id, "completed").await;
    assert_eq!(done["result"]["content"][0]["text"], r#""Ana" likes "red""#);
    let params = json!({"taskId": id});
    let refused = client.ask(modern_with(3, "tasks/get", params, FORMS)).await;
    assert_eq!(refused["error"]["code"], -32021);
    let unknown = client.ask(modern_with(4, "tasks/get", json!({"taskId": "none"}), TASKS)).await;
    assert_eq!(unknown["error"]["code"], -32602);
}

#[tokio::test]
async fn a_yes_within_a_task_is_for_one_question() {
    let (mut client, _) = client();
    let begun = client.ask(modern_with(1, "tools/call", json!({"name": "pay"}), TASKS)).await;
    let id = begun["result"]["taskId"].clone();
    let yes = json!({"action": "accept", "content": {"approve": true}});
    let mut asked = Vec::new();
    for _ in 0..2 {
        let waiting = status(&mut client, &id, "input_required").await;
        let (key, question) = waiting["inputRequests"].as_object().unwrap().iter().next().unwrap();
        asked.push((key.clone(), question["params"]["message"].clone()));
        let params = json!({"taskId": id, "inputResponses": {key: yes}});
        client.ask(modern_with(2, "tasks/update", params, TASKS)).await;
        // The answered question is gone at once.
        let after = client.ask(modern_with(3, "tasks/get", json!({"taskId": id}), TASKS)).await["result"].clone();
        assert!(after["inputRequests"].get(key).is_none(), "{after}");
    }
    assert!(asked[0].0 != asked[1].0 && asked[0].1 != asked[1].1, "each amount was asked for: {asked:?}");
}

#[tokio::test]
async fn a_listener_hears_of_the_tasks_that_it_named() {
    let (mut client, _) = client();
    let begun = client.ask(modern_with(1, "tools/call", json!({"name": "job"}), TASKS)).await;
    let id = begun["result"]["taskId"].clone();
    status(&mut client, &id, "input_required").await;
    let wish = json!({"notifications": {"taskIds": [id, "unknown"]}});
    let deaf = client.ask(modern_with("deaf", "subscriptions/listen", wish.clone(), FORMS)).await;
    assert_eq!(deaf["params"]["notifications"], json!({}), "a client that does not know tasks hears of none");
    let acknowledged = client.ask(modern_with("l", "subscriptions/listen", wish, TASKS)).await;
    assert_eq!(acknowledged["params"]["notifications"], json!({"taskIds": [id]}));
    client.send(modern_with(2, "tasks/cancel", json!({"taskId": id}), TASKS)).await;
    let (mut told, mut is_acknowledged) = (Value::Null, false);
    while told["params"]["status"] != "cancelled" || !is_acknowledged {
        let message = client.receive().await;
        if message["id"] == 2 {
            is_acknowledged = true;
        } else {
            assert_eq!(message["method"], "notifications/tasks", "{message}");
            told = message;
        }
    }
    assert_eq!((&told["params"]["taskId"], told["params"]["createdAt"].is_string()), (&id, true));
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "l");
}

#[tokio::test]
async fn a_cancelled_task_stays_cancelled() {
    let (mut client, _) = client();
    let begun = client.ask(modern_with(1, "tools/call", json!({"name": "job"}), TASKS)).await;
    let id = begun["result"]["taskId"].clone();
    client.ask(modern_with(2, "tasks/cancel", json!({"taskId": id}), TASKS)).await;
    assert!(status(&mut client, &id, "cancelled").await.get("result").is_none());
}

/// Looks at a task until it has that status.
async fn status(client: &mut Client, id: &Value, wanted: &str) -> Value {
    for _ in 0..200 {
        let report = client.ask(modern_with(9, "tasks/get", json!({"taskId": id}), TASKS)).await["result"].clone();
        if report["status"] == wanted {
            return report;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the task never was {wanted}");
}
