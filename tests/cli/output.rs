//! How answers look: plain where nobody sees colours, JSON where a program reads, and help that helps.

use std::process::Command;

use serde_json::json;

use crate::{
    Run, call, meeting, run,
    support::{Home, SWITCHBOARD},
    try_call,
};

/// Commands that write an answer, and whether they write JSON on request.
const ANSWERS: [(&[&str], bool); 12] = [
    (&["call", "google_calendar_list_meetings"], true),
    (&["connections"], true),
    (&["tools"], true),
    (&["tools", "switchboard_now"], true),
    (&["doctor"], true),
    (&["sandbox", "diff"], true),
    (&["sandbox", "status"], false),
    (&["test", "google-calendar"], false),
    (&["approvals"], false),
    (&["audit"], true),
    (&["agents"], true),
    (&["users"], true),
];

#[test]
fn answers_are_plain_text_or_json_and_nothing_is_said_beside_them_in_colour() {
    let home = Home::new();
    for (arguments, has_json) in ANSWERS {
        let plain = run(&home, arguments);
        assert!(!plain.out.contains('\u{1b}') && !plain.err.contains('\u{1b}'), "{arguments:?} is coloured: {plain:?}");
        assert!(!plain.good().trim().is_empty(), "{arguments:?} says nothing");
        if has_json {
            run(&home, &[arguments, &["--json"]].concat()).json();
        }
    }
    let error = run(&home, &["call", "nothing"]);
    assert!(!error.err.contains('\u{1b}'), "{error:?}");
}

#[test]
fn the_sandbox_needs_no_flag_to_be_spoken_to() {
    let home = Home::new();
    let plain = Run::of(home.command(&["sandbox", "status"]).output().unwrap()).good();
    assert!(plain.contains("10 calendars, 20 events"), "{plain}");
}

#[test]
fn help_says_what_a_command_is_for_and_shows_how() {
    let home = Home::new();
    let cases: [(&[&str], &str, &str); 16] = [
        (&[], "Your company's tools", "switchboard call google_calendar_list_meetings --sandbox"),
        (&["serve"], "Serve clients over HTTP", "switchboard serve --sandbox"),
        (&["stdio"], "Serve one client over stdin and stdout", "\"mcpServers\""),
        (&["connect"], "Connect an account", "switchboard connect google-calendar"),
        (&["connections"], "Show the connected accounts", "--json"),
        (&["test"], "Ask a vendor", "google-calendar"),
        (&["disconnect"], "End a connection", "google-calendar"),
        (&["tools"], "Show the tools", "switchboard tools google_calendar_schedule_meeting"),
        (&["call"], "Call a tool", "switchboard call google_calendar_schedule_meeting"),
        (&["search"], "Find tools", "switchboard search free time"),
        (&["approvals"], "Show what waits for a person's yes", "approve"),
        (&["app", "set"], "Keep an OAuth client", "--client-secret-stdin"),
        (&["sandbox"], "Look at the sandbox", "switchboard sandbox fault google-calendar 429:3"),
        (&["sandbox", "fault"], "Break a twin on purpose", "slow:2s"),
        (&["sandbox", "revoke"], "End all grants", "google-calendar"),
        (&["doctor"], "Check this installation", "--json"),
    ];
    for (command, first, example) in cases {
        let help = run(&home, &[command, &["--help"]].concat()).good();
        assert!(help.starts_with(first), "{command:?} begins otherwise: {help}");
        assert!(help.contains(example), "`{example}` is not in the help of {command:?}: {help}");
        assert!(!help.contains(home.path().to_str().unwrap()), "settings of this run are in the help: {help}");
    }
}

#[test]
fn every_command_has_help() {
    let help = Run::of(Command::new(SWITCHBOARD).arg("--help").output().unwrap()).good();
    let listed = help.split("Commands:\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 12, "{names:?}");
    for name in names {
        let help = Run::of(Command::new(SWITCHBOARD).args(["help", name]).output().unwrap());
        assert!(help.good().contains("Usage: "), "{name}");
    }
}

#[test]
fn what_is_no_command_is_refused_with_what_was_probably_meant() {
    for (arguments, words) in [
        (&["conections"][..], ["unrecognized subcommand 'conections'", "'connections'"]),
        (&["tools", "--jsn"], ["unexpected argument '--jsn'", "'--json'"]),
        (&["sandbox", "shake"], ["unrecognized subcommand 'shake'", "--help"]),
        (&["call"], ["<TOOL>", "--help"]),
        (&[], ["Usage: switchboard", "First steps"]),
    ] {
        let refused = Run::of(Command::new(SWITCHBOARD).args(arguments).output().unwrap());
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
        for word in words {
            assert!(refused.err.contains(word), "`{word}` is not said: {}", refused.err);
        }
    }
}

#[test]
fn the_audit_tells_what_was_called_and_what_was_refused() {
    let home = Home::new();
    assert_eq!(run(&home, &["audit"]).good().trim(), "Nothing was called yet.");
    call(&home, "schedule_meeting", &meeting("Design review", 0));
    try_call(&home, "get_meeting", &json!({"event_id": "nothing"})).bad();

    let told = run(&home, &["audit"]).good();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].contains("google_calendar_get_meeting") && lines[0].contains("failed: not_found"), "{told}");
    assert!(lines[1].contains("google_calendar_schedule_meeting") && lines[1].contains("ok"), "{told}");
    assert!(!told.contains("Design review"), "the audit keeps no arguments: {told}");

    let page = run(&home, &["audit", "--limit", "1", "--json"]).json();
    let next = run(&home, &["audit", "--cursor", page["cursor"].as_str().unwrap(), "--json"]).json();
    assert_eq!(page["entries"][0]["tool"], "google_calendar_get_meeting");
    assert_eq!(next["entries"][0]["tool"], "google_calendar_schedule_meeting");
    assert!(run(&home, &["audit", "--cursor", "x"]).bad().contains("no cursor"));
}

#[test]
fn a_store_that_has_no_say_is_told() {
    let home = Home::new();
    let told = run(&home, &["sandbox", "status", "--store", "postgres://nobody:canary@127.0.0.1:1/none"]);
    assert!(
        told.err.starts_with("warning: --store has no say in the sandbox") && !told.err.contains("canary"),
        "{told:?}"
    );
    told.good();
}

#[test]
fn the_doctor_compares_the_clock_with_a_vendors() {
    let home = Home::new();
    let clock = |time: &str| {
        let findings = run(&home, &["doctor", "--json", "--sandbox-time", time]).json();
        let found = findings.as_array().unwrap().iter().find(|finding| finding["what"] == "Clock").unwrap().clone();
        found["found"].as_str().unwrap().to_owned()
    };
    let (set, own) = (clock("2028-02-29T12:00:00Z"), clock("now"));
    assert!(set.starts_with("2028-02-29 12:00") && set.contains("--sandbox-time"), "{set}");
    assert!(own.contains("'s"), "{own}");
    let empty = Run::of(home.command(&["doctor", "--json"]).output().unwrap()).out;
    assert!(empty.contains("not checked"), "{empty}");
}
