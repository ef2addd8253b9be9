//! People and agents on the command line.

use serde_json::json;

use crate::{run, support::Home, try_call};

#[test]
fn an_agent_is_made_shown_given_a_token_and_removed() {
    let home = Home::new();
    let add = ["agents", "add", "desk", "--integrations", "google-calendar", "--level", "read-only", "--json"];
    let made = run(&home, &add).json();
    assert_eq!((&made["name"], &made["level"]), (&json!("desk"), &json!("read-only")));
    let shown = run(&home, &["agents", "show", "desk"]).good();
    assert!(shown.contains("look only") && shown.contains("google_calendar_list_meetings"), "{shown}");
    let chosen = ["agents", "change", "desk", "--tools", "google_calendar_get_meeting", "--asking", "always", "--json"];
    let chosen = run(&home, &chosen).json();
    assert_eq!(chosen["asking"], "always");
    assert!(!chosen["tools"].as_array().unwrap().contains(&json!("google_calendar_list_meetings")), "{chosen}");

    let token = run(&home, &["agents", "token", "desk", "--name", "laptop"]).good();
    assert!(token.trim().starts_with("swb_") && token.trim().lines().count() == 1, "{token}");
    let tokens = run(&home, &["agents", "tokens", "desk"]).good();
    assert!(tokens.contains("laptop") && !tokens.contains(token.trim()), "{tokens}");
    let id = tokens.split_whitespace().next().unwrap().to_owned();
    run(&home, &["agents", "revoke", "desk", &id, "--yes"]).good();
    let gone = run(&home, &["agents", "revoke", "desk", &id, "--yes"]).bad();
    assert!(gone.contains("switchboard agents tokens desk"), "{gone}");

    let list = run(&home, &["agents"]).good();
    assert!(list.contains("desk") && list.contains("local") && list.contains("tokens"), "{list}");
    run(&home, &["agents", "remove", "desk", "--yes"]).good();
    let gone = run(&home, &["agents", "show", "desk"]).bad();
    assert!(gone.contains("There is no agent `desk`"), "{gone}");
}

#[test]
fn a_mistake_is_named_with_what_was_probably_meant() {
    let home = Home::new();
    let near = run(&home, &["agents", "add", "desk", "--integrations", "google-calender"]).bad();
    assert!(near.contains("did you mean `google-calendar`?"), "{near}");
    let nobody = run(&home, &["agents", "--user", "Ana"]).bad();
    assert!(nobody.contains("There is no user `Ana`") && nobody.contains("switchboard users"), "{nobody}");
}

#[test]
fn a_person_is_added_promoted_and_removed() {
    let home = Home::new();
    let nobody = run(&home, &["users"]).good();
    assert!(nobody.contains("Nobody was added"), "{nobody}");
    let added = run(&home, &["users", "add", "Ana"]);
    assert!(added.err.contains("good once"), "{added:?}");
    assert!(added.good().trim().starts_with("swi_"));
    run(&home, &["users", "promote", "Ana"]).good();
    let list = run(&home, &["users"]).good();
    assert!(list.contains("Ana") && list.contains("administrator"), "{list}");
    run(&home, &["agents", "add", "desk", "--user", "Ana"]).good();
    assert!(!run(&home, &["agents"]).good().contains("desk"), "it is Ana's");
    run(&home, &["users", "remove", "Ana", "--yes"]).good();
    assert!(run(&home, &["users"]).good().contains("Nobody was added"));
}

#[test]
fn refusals_are_found_in_the_audit() {
    let home = Home::new();
    run(&home, &["agents", "change", "local", "--level", "read-only"]).good();
    try_call(&home, "cancel_meeting", &json!({ "event_id": "abc" })).bad();
    let refused = run(&home, &["audit", "--outcome", "refused"]).good();
    assert!(refused.contains("google_calendar_cancel_meeting") && refused.contains("not_enabled"), "{refused}");
    let house = run(&home, &["audit", "--outcome", "ok"]).good();
    assert!(house.contains("agent_changed") && house.contains("by cli"), "{house}");
    assert!(run(&home, &["audit", "--outcome", "error"]).good().contains("No line fits"));
    let unknown = run(&home, &["audit", "--tool", "google_calendar_cancel_meting"]).bad();
    assert!(unknown.contains("Did you mean `google_calendar_cancel_meeting`?"), "{unknown}");
}
