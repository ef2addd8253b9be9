//! `stdio` as one of the agents: in the process that owns the data directory, and through another one's socket.

use serde_json::{Value, json};

use crate::{client::Client, run, support::Home};

/// `stdio --agent desk`, in a home with an agent that only lists meetings.
fn as_desk(home: &Home) -> Client {
    let mut command = home.stdio();
    command.args(["--agent", "desk"]);
    Client::with(command, home)
}

fn home_with_desk() -> Home {
    let home = Home::new();
    run(&home, &["agents", "add", "desk", "--tools", "google_calendar_list_meetings", "--level", "read-only"]).good();
    home
}

fn offered(client: &mut Client) -> Vec<String> {
    let list = client.ask("tools/list", json!({}));
    let tools = list["result"]["tools"].as_array().unwrap_or_else(|| panic!("{list}"));
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
    names.filter(|name| !name.starts_with("switchboard_")).collect()
}

/// It has its own tools and nothing else, and the audit knows it.
fn check(client: &mut Client, home: &Home) {
    assert_eq!(offered(client), ["google_calendar_list_meetings"]);
    client.call("list_meetings", json!({})).good();
    let refused = client.call("cancel_meeting", json!({ "event_id": "x" })).0;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let desk = run(home, &["agents", "show", "desk", "--json"]).json()["id"].as_str().unwrap().to_owned();
    let lines = run(home, &["audit", "--agent", &desk, "--json"]).json();
    let outcomes: Vec<&Value> =
        lines["entries"].as_array().unwrap().iter().map(|line| &line["outcome"]["outcome"]).collect();
    assert!(outcomes.contains(&&json!("ok")) && outcomes.contains(&&json!("refused")), "{lines}");
}

#[test]
fn an_agent_is_served_by_the_owner() {
    let home = home_with_desk();
    let mut desk = as_desk(&home);
    check(&mut desk, &home);
    desk.leave();
}

#[test]
fn an_agent_is_served_through_the_owner_and_by_the_next_one() {
    let home = home_with_desk();
    let mut owner = Client::start(&home);
    assert!(offered(&mut owner).len() > 1, "the owner itself is not the agent");
    let mut desk = as_desk(&home);
    check(&mut desk, &home);
    owner.kill();
    assert_eq!(offered(&mut desk), ["google_calendar_list_meetings"], "it stays the agent");
    desk.leave();
}

#[test]
fn an_agent_that_there_is_not_is_refused_with_the_nearest() {
    let home = home_with_desk();
    for owner in [None, Some(())] {
        let owner = owner.map(|()| Client::start(&home));
        let refused = run(&home, &["stdio", "--agent", "desc"]).bad();
        assert!(refused.contains("There is no agent `desc`") && refused.contains("Did you mean `desk`?"), "{refused}");
        if let Some(owner) = owner {
            owner.leave();
        }
    }
}
