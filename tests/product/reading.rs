//! Resources, prompts and completions of the product itself.

use serde_json::{Value, json};

use crate::{client::Client, support::Home};

const EVENT: &str = "google-calendar://event/{event_id}";

fn prompt(name: &str) -> Value {
    json!({"type": "ref/prompt", "name": name})
}

fn template(uri: &str) -> Value {
    json!({"type": "ref/resource", "uri": uri})
}

#[tokio::test]
async fn a_person_finds_connections_agenda_records_and_prompts() {
    let home = Home::new();
    let server = home.serve();
    let client = Client::of(&server);

    let resources = client.list("resources/list", "resources", "uri").await;
    assert_eq!(resources, ["switchboard://connections", "switchboard://agenda/today"]);
    let connections = client.read("switchboard://connections").await;
    assert!(connections.contains("google-calendar (default"), "{connections}");
    let templates = client.list("resources/templates/list", "resourceTemplates", "uriTemplate").await;
    assert!(templates.contains(&EVENT.to_owned()) && templates.contains(&"switchboard://agenda/{day}".to_owned()));
    let prompts = client.list("prompts/list", "prompts", "name").await;
    assert!(prompts.contains(&"plan_day".to_owned()) && prompts.contains(&"prepare_meeting".to_owned()));

    let start = "2031-03-05T10:00";
    let booked = json!({"title": "Zebra crossing review", "start": start, "duration_minutes": 30});
    let booked = client.call("google_calendar_schedule_meeting", booked).await;
    let id = booked["structuredContent"]["meeting"]["id"].as_str().unwrap_or_else(|| panic!("{booked}")).to_owned();

    let meeting = client.read(&format!("google-calendar://event/{id}")).await;
    assert!(meeting.contains("Zebra crossing review"), "{meeting}");
    let agenda = client.read("switchboard://agenda/2031-03-05").await;
    assert!(agenda.starts_with("# Agenda of Wed 2031-03-05") && agenda.contains("Zebra"), "{agenda}");
    assert!(client.read("switchboard://agenda/2031-03-06").await.contains("No meetings."));
    assert!(client.read("switchboard://agenda/today").await.starts_with("# Agenda of "));

    assert_eq!(client.complete(template(EVENT), "event_id", "zebra").await, [id.as_str()]);
    assert_eq!(client.complete(prompt("prepare_meeting"), "meeting", "zebra").await, ["Zebra crossing review"]);
    assert_eq!(client.complete(prompt("plan_day"), "day", "to").await, ["today", "tomorrow"]);
    assert_eq!(client.complete(template("switchboard://agenda/{day}"), "day", "tom").await, ["tomorrow"]);

    let wish = json!({"name": "prepare_meeting", "arguments": {"meeting": "zebra"}});
    let begun = client.result("prompts/get", wish).await;
    let shown = &begun["messages"][0]["content"]["resource"];
    assert_eq!(shown["uri"], format!("google-calendar://event/{id}"), "{begun}");
    assert!(shown["text"].as_str().unwrap().contains("Zebra crossing review"));
    assert!(begun["messages"][1]["content"]["text"].as_str().unwrap().contains("never an instruction"));

    let audit = home.command(&["audit", "--sandbox", "--json"]).output().unwrap();
    let audit = String::from_utf8(audit.stdout).unwrap();
    assert!(audit.contains(&format!("google-calendar://event/{id}")), "{audit}");
}

#[tokio::test]
async fn what_nobody_declared_is_not_found() {
    let home = Home::new();
    let server = home.serve();
    let client = Client::of(&server);
    for uri in [
        "switchboard://agenda/someday",
        "switchboard://nothing",
        "google-calendar://event/nosuchevent",
        "file:///etc/passwd",
    ] {
        let error = client.error("resources/read", json!({"uri": uri})).await;
        assert_eq!(error["code"], -32602, "{uri}: {error}");
    }
    let error =
        client.error("prompts/get", json!({"name": "prepare_meeting", "arguments": {"meeting": "xyzzy"}})).await;
    assert!(error["message"].as_str().unwrap().contains("xyzzy"), "{error}");
}

#[tokio::test]
async fn with_the_tools_their_resources_and_prompts_go() {
    let home = Home::new();
    let command = home.command(&[
        "serve",
        "--sandbox",
        "--listen",
        "127.0.0.1:0",
        "--exclude-tools",
        "google_calendar_get_meeting",
    ]);
    let server = crate::support::Server::start(command);
    let client = Client::of(&server);
    let templates = client.list("resources/templates/list", "resourceTemplates", "uriTemplate").await;
    assert!(!templates.contains(&EVENT.to_owned()), "{templates:?}");
    let prompts = client.list("prompts/list", "prompts", "name").await;
    assert!(
        !prompts.contains(&"prepare_meeting".to_owned()) && prompts.contains(&"plan_day".to_owned()),
        "{prompts:?}"
    );
    let error = client.error("resources/read", json!({"uri": "google-calendar://event/abc"})).await;
    assert_eq!(error["code"], -32602);
    let about = json!({"ref": template(EVENT), "argument": {"name": "event_id", "value": "a"}});
    assert_eq!(client.error("completion/complete", about).await["code"], -32602);

    let gone = home.command(&["disconnect", "google-calendar", "--sandbox"]).output().unwrap();
    assert!(gone.status.success());
    assert_eq!(client.list("resources/list", "resources", "uri").await, ["switchboard://connections"]);
    assert!(!client.list("prompts/list", "prompts", "name").await.contains(&"plan_day".to_owned()));
}
