//! Calls that cannot go on before a person has been to a page, and how each era's client is sent there.

use serde_json::{Map, Value, json};
use switchboard::{
    clock,
    hub::Hub,
    id,
    mcp::Server,
    shelf::{Change, Changes},
    tool::{Call, Effect, Error, Kind, Outcome, Page, Result, Running, RuntimeTool, ToolDef, Toolset},
    transport::stdio::Options,
};

use crate::{
    fixtures::{Seen, initialize, modern, modern_with, notification, request},
    stdio::Client,
};

/// A client that can send a person to a page.
const PAGES: &str = r#"{"elicitation":{"url":{}}}"#;
const URL: &str = "https://switchboard.example/connect/1";

fn page() -> Page {
    Page::new("connect", "Connect the account", URL).known_as("page-1")
}

fn client() -> (Client, Changes) {
    let changes = Changes::new();
    let toolset = Toolset { id: "test".into(), title: "Test".into() };
    let tools = [
        tool("stops", |_, _| {
            Box::pin(async { Err(Error::new(Kind::NotConnected, "It is not connected.").at_page(page())) })
        }),
        tool("visits", |_, cx| Box::pin(visits(cx))),
    ];
    let hub = Hub::builder(clock::system(), id::os()).tools(&toolset, tools).unwrap().build();
    let server = Server::builder().hub(hub.clone()).changes(changes.clone()).build();
    (Client::start_on((server, hub, Seen::default()), Options::default()), changes)
}

async fn visits(cx: &Call) -> Result<Outcome> {
    Ok(Outcome::text(cx.visit(page()).await?.action()))
}

fn tool(name: &str, body: for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>) -> ToolDef {
    let input = json!({"type": "object", "properties": {}});
    ToolDef::at_runtime(name, Effect::Reads, RuntimeTool::new(format!("The tool {name}."), input, body))
}

fn call(tool: &str) -> Value {
    json!({"name": tool})
}

#[tokio::test]
async fn a_modern_client_is_sent_to_the_page_once() {
    let (mut client, _) = client();
    for tool in ["stops", "visits"] {
        let asked = client.ask(modern_with(1, "tools/call", call(tool), PAGES)).await;
        let sent = json!({"mode": "url", "message": "Connect the account", "url": URL});
        assert_eq!(
            asked["result"]["inputRequests"],
            json!({"connect": {"method": "elicitation/create", "params": sent}}),
            "the name of a page is not for this revision"
        );
        let repeat = |answer: Value| json!({"name": tool, "inputResponses": {"connect": answer}, "requestState": asked["result"]["requestState"]});
        let done = client.ask(modern_with(2, "tools/call", repeat(json!({"action": "accept"})), PAGES)).await;
        assert_eq!(done["result"]["resultType"], "complete", "{done}");
        assert_eq!(done["result"]["isError"] == true, tool == "stops", "{done}");
        let refused = client.ask(modern_with(3, "tools/call", repeat(json!(7)), PAGES)).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
}

#[tokio::test]
async fn a_client_of_november_2025_gets_the_error_of_its_revision() {
    let (mut client, changes) = client();
    client.ask(initialize(0, "2025-11-25", json!({"elicitation": {"url": {}}}))).await;
    client.send(notification("notifications/initialized", json!({}))).await;
    let refused = client.ask(request(1, "tools/call", call("stops"))).await;
    assert_eq!(refused["error"]["code"], -32042);
    let page = json!({"mode": "url", "message": "Connect the account", "url": URL, "elicitationId": "page-1"});
    assert_eq!(refused["error"]["data"], json!({"elicitations": [page]}));

    changes.tell(Change::PageDone("of somebody else".into()));
    changes.tell(Change::PageDone("page-1".into()));
    let told = client.receive().await;
    assert_eq!(told["method"], "notifications/elicitation/complete");
    assert_eq!(told["params"], json!({"elicitationId": "page-1"}));
    client.is_quiet().await;
}

#[tokio::test]
async fn a_client_of_november_2025_is_asked_while_the_call_waits() {
    let (mut client, _) = client();
    client.ask(initialize(0, "2025-11-25", json!({"elicitation": {"url": {}}}))).await;
    let asked = client.ask(request(1, "tools/call", call("visits"))).await;
    assert_eq!((&asked["method"], &asked["params"]["mode"]), (&json!("elicitation/create"), &json!("url")));
    assert_eq!(asked["params"]["elicitationId"], "page-1");
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}});
    assert_eq!(client.ask(answer.to_string()).await["result"]["content"][0]["text"], "decline");
}

#[tokio::test]
async fn everybody_else_reads_the_address() {
    let (mut client, _) = client();
    let expect = |answer: Value| {
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(URL), "{text}");
    };
    for tool in ["stops", "visits"] {
        expect(client.ask(modern(1, "tools/call", call(tool))).await);
        for (version, capabilities) in
            [("2025-11-25", json!({"elicitation": {}})), ("2025-06-18", json!({"elicitation": {"url": {}}}))]
        {
            client.ask(initialize(2, version, capabilities)).await;
            expect(client.ask(request(3, "tools/call", call(tool))).await);
        }
    }
}
