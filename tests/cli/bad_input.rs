//! What is wrong is named, and so is the next step: at the shell and to a model alike.

use serde_json::{Value, json};

use crate::{client::Client, hour, run, support::Home};

/// One mistake and the words that the error has to say, whoever reads it.
struct Case {
    tool: &'static str,
    arguments: Value,
    words: &'static [&'static str],
}

fn case(tool: &'static str, arguments: Value, words: &'static [&'static str]) -> Case {
    Case { tool, arguments, words }
}

fn mistakes() -> Vec<Case> {
    let later = hour(0)["start"].clone();
    let earlier = hour(-2)["start"].clone();
    vec![
        case(
            "google_calendar_list_meeting",
            json!({}),
            &["`google_calendar_list_meeting`", "did you mean", "meetings`"],
        ),
        case("google_calendar_get_meeting", json!({}), &["`event_id` is missing"]),
        case("google_calendar_get_meeting", json!({"evnt_id": "x"}), &["`evnt_id`", "did you mean `event_id`?"]),
        case(
            "google_calendar_schedule_meeting",
            json!({"title": "x", "start": later, "duration_minutes": "soon"}),
            &["`duration_minutes`", "whole number", "soon"],
        ),
        case(
            "google_calendar_schedule_meeting",
            json!({"title": "x", "start": "2020-01-01T10:00", "duration_minutes": 30}),
            &["`start`", "in the past", "it is now"],
        ),
        case(
            "google_calendar_schedule_meeting",
            json!({"title": "x", "start": later, "end": earlier}),
            &["`end`", "is not after `start`"],
        ),
        case("google_calendar_list_meetings", json!({"time_zone": "Mars/Base"}), &["`Mars/Base`", "Europe/Berlin"]),
        case("google_calendar_get_meeting", json!({"event_id": "nope"}), &["`nope`", "google_calendar_list_meetings"]),
    ]
}

/// What a person at the shell reads.
fn at_the_shell(home: &Home, case: &Case) -> String {
    run(home, &["call", case.tool, "--args", &case.arguments.to_string()]).bad()
}

/// What a model reads.
fn as_a_model(client: &mut Client, case: &Case) -> String {
    let answer = client.ask("tools/call", json!({"name": case.tool, "arguments": case.arguments}));
    let is_unknown = answer["error"]["code"] == -32602;
    assert!(is_unknown || answer["result"]["isError"] == true, "it went well: {answer}");
    let text = if is_unknown { &answer["error"]["message"] } else { &answer["result"]["content"][0]["text"] };
    text.as_str().unwrap_or_else(|| panic!("nothing to read: {answer}")).to_owned()
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not said: {text}");
    }
    for slip in ["..", "?.", "  .", "Error(", "panicked"] {
        assert!(!text.contains(slip), "`{slip}` in: {text}");
    }
}

#[test]
fn every_mistake_is_named_at_the_shell_and_to_a_model() {
    let home = Home::new();
    for case in mistakes() {
        let text = at_the_shell(&home, &case);
        says(&text, case.words);
        assert!(text.lines().count() > 1 || text.contains("it is now"), "there is no next step: {text}");
    }
    let mut client = Client::start(&home);
    for case in mistakes() {
        says(&as_a_model(&mut client, &case), case.words);
    }
    client.leave();
}

#[test]
fn a_withdrawn_grant_and_a_missing_connection_say_how_to_connect() {
    let home = Home::new();
    let mut client = Client::start(&home);
    let lists = |words| case("google_calendar_list_meetings", json!({}), words);
    // A person at the shell has the command, a model gives its person the page that the client's process serves.
    let mut both = |what: &'static str| {
        says(&at_the_shell(&home, &lists(&[])), &[what, "switchboard connect google-calendar"]);
        says(&as_a_model(&mut client, &lists(&[])), &[what, "Open http://localhost:"]);
    };
    run(&home, &["sandbox", "revoke", "google-calendar"]).good();
    // The first one to notice reads of the refusal, all others of what is known since.
    let first = &["refused to renew access", "switchboard connect google-calendar"];
    says(&at_the_shell(&home, &lists(first)), first);
    both("Google Calendar has to be connected again");
    run(&home, &["disconnect", "google-calendar"]).good();
    both("Google Calendar is not connected");
    client.leave();
}

#[test]
fn other_commands_name_what_is_wrong_as_well() {
    let home = Home::new();
    let cases: [(&[&str], &[&str]); 10] = [
        (&["call", "switchboard_now", "oops"], &["`oops`", "NAME=VALUE"]),
        (&["call", "switchboard_now", "--args", "[1]"], &["--args", "JSON object"]),
        (&["tools", "google_calendar_get_meetin"], &["Did you mean `google_calendar_get_meeting`?"]),
        (&["tools", "--integration", "gogle"], &["`gogle`", "switchboard tools"]),
        (&["search", "xylophone"], &["`xylophone`", "switchboard tools"]),
        (&["connect", "google-calendr", "--api-key-stdin"], &["no key on stdin"]),
        (&["test", "google-calendr"], &["`google-calendr`", "Did you mean `google-calendar`?"]),
        (&["approvals", "approve", "nope"], &["no such question"]),
        (&["sandbox", "fault", "google-calendar", "418"], &["\"418\"", "429"]),
        (&["sandbox", "expire", "nobody"], &["`nobody`", "google-calendar"]),
    ];
    for (arguments, words) in cases {
        says(&run(&home, arguments).bad(), words);
    }
}
