//! `--discovery`: four tools in place of all, held to the same rules.

use serde_json::{Value, json};

use crate::{
    client::Client,
    support::{Home, Server},
};

fn serve(home: &Home, flags: &[&str]) -> Server {
    let arguments = [&["serve", "--sandbox", "--listen", "127.0.0.1:0", "--discovery"], flags].concat();
    Server::start(home.command(&arguments))
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"))
}

#[tokio::test]
async fn a_model_finds_looks_at_and_calls_every_tool_through_four() {
    let home = Home::new();
    let server = serve(&home, &[]);
    let client = Client::of(&server).able_to(json!({"elicitation": {}}));
    let tools = client.list("tools/list", "tools", "name").await;
    let four =
        ["switchboard_search_tools", "switchboard_describe_tool", "switchboard_call_read", "switchboard_call_write"];
    assert_eq!(tools, four);

    let found = client.call(four[0], json!({"query": "book a meeting"})).await;
    assert!(text(&found).contains("google_calendar_schedule_meeting (writes)"), "{found}");
    let all = client.call(four[0], json!({"query": ""})).await;
    assert!(text(&all).contains("switchboard_now") && text(&all).contains("google_calendar_quick_add"), "{all}");
    let shown = client.call(four[1], json!({"tool": "google_calendar_list_meetings"})).await;
    assert!(text(&shown).contains("\"limit\"") && text(&shown).contains("switchboard_call_read"), "{shown}");
    let near = client.call(four[1], json!({"tool": "google_calendar_list_meting"})).await;
    assert!(near["isError"] == true && text(&near).contains("google_calendar_list_meetings"), "{near}");

    let listed =
        client.call(four[2], json!({"tool": "google_calendar_list_meetings", "arguments": "{\"limit\": 1}"})).await;
    assert_eq!(listed["structuredContent"]["meetings"].as_array().map(Vec::len), Some(1), "{listed}");
    let refused = client.call(four[2], json!({"tool": "google_calendar_schedule_meeting", "arguments": "{}"})).await;
    assert!(refused["isError"] == true && text(&refused).contains("switchboard_call_write"), "{refused}");
    let wrong =
        client.call(four[2], json!({"tool": "google_calendar_list_meetings", "arguments": "{\"limt\": 1}"})).await;
    assert!(wrong["isError"] == true && text(&wrong).contains("limt"), "{wrong}");

    let arguments = json!({"title": "Zebra", "start": "2031-03-05T10:00", "duration_minutes": 30}).to_string();
    let booked =
        client.call(four[3], json!({"tool": "google_calendar_schedule_meeting", "arguments": arguments})).await;
    let id = booked["structuredContent"]["meeting"]["id"].as_str().unwrap_or_else(|| panic!("{booked}"));
    let cancel = json!({"tool": "google_calendar_cancel_meeting", "arguments": json!({"event_id": id}).to_string()});
    let asked = client.call(four[3], cancel.clone()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let yes = json!({"confirm": {"action": "accept", "content": {"approve": true}}});
    let again =
        json!({"name": four[3], "arguments": cancel, "requestState": asked["requestState"], "inputResponses": yes});
    let cancelled = client.result("tools/call", again).await;
    assert!(cancelled["isError"].is_null() && text(&cancelled).contains("Zebra"), "{cancelled}");

    let audit = home.command(&["audit", "--sandbox", "--json"]).output().unwrap();
    let audit = String::from_utf8(audit.stdout).unwrap();
    assert!(audit.contains("google_calendar_cancel_meeting") && !audit.contains("switchboard_call_write"), "{audit}");
}

#[tokio::test]
async fn the_operators_bound_holds_behind_the_four() {
    let home = Home::new();
    let server = serve(&home, &["--read-only", "--exclude-tools", "google_calendar_list_calendars"]);
    let client = Client::of(&server);
    assert_eq!(client.list("tools/list", "tools", "name").await.len(), 3);
    let write = json!({"name": "switchboard_call_write", "arguments": {"tool": "google_calendar_quick_add"}});
    assert_eq!(client.error("tools/call", write).await["code"], -32602);
    for tool in ["google_calendar_quick_add", "google_calendar_list_calendars", "no_such_tool"] {
        let call = json!({"name": "switchboard_call_read", "arguments": {"tool": tool}});
        let answer = client.result("tools/call", call).await;
        assert!(answer["isError"] == true && text(&answer).contains("There is no tool"), "{tool}: {answer}");
    }
}

#[tokio::test]
async fn without_the_flag_there_are_no_such_tools() {
    let home = Home::new();
    let server = home.serve();
    let client = Client::of(&server);
    let call = json!({"name": "switchboard_call_read", "arguments": {"tool": "switchboard_now"}});
    assert_eq!(client.error("tools/call", call).await["code"], -32602);
}
