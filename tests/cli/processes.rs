//! Several processes on one data directory: who owns it, who takes over, and how each one ends.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    call,
    client::Client,
    hour, is_busy, meeting, run,
    support::{Home, Server, end_of},
};

/// How soon a process without input is gone.
const SOON: Duration = Duration::from_secs(1);
/// More than any end may take, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn when_the_owner_is_killed_the_others_go_on() {
    let home = Home::new();
    let mut owner = Client::start(&home);
    owner.call("schedule_meeting", meeting("Before", 0)).good();
    let mut others = [Client::start(&home), Client::start(&home)];
    for other in &mut others {
        assert!(is_busy(&other.call("check_availability", hour(0)).good()));
    }
    owner.kill();
    for other in &mut others {
        assert!(is_busy(&other.call("check_availability", hour(0)).good()), "what was booked before is lost");
    }
    let [mut second, mut third] = others;
    second.call("schedule_meeting", meeting("After", 1)).good();
    assert!(is_busy(&third.call("check_availability", hour(1)).good()), "they do not share one world");

    second.kill();
    assert!(is_busy(&third.call("check_availability", hour(1)).good()), "the last one goes on alone");
    assert!(is_busy(&call(&home, "check_availability", &hour(1))), "and lets commands in");
    third.leave();
}

#[test]
fn a_request_that_dies_with_the_owner_is_answered_and_not_repeated() {
    let home = Home::new();
    let owner = Client::start(&home);
    let mut visitor = Client::start(&home);
    visitor.call("list_meetings", json!({})).good();
    run(&home, &["sandbox", "fault", "google-calendar", "slow:600s:1"]).good();
    let mut booking = meeting("In flight", 0);
    booking["calendar_id"] = json!("primary");
    let id = visitor.request("tools/call", json!({"name": "google_calendar_schedule_meeting", "arguments": booking}));
    // The fault is used up as soon as the request has reached the twin.
    while run(&home, &["sandbox", "status"]).good().contains("broken on purpose") {}
    owner.kill();

    let answer = visitor.answer();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(id), &json!(-32603)), "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("look before you repeat"), "{answer}");
    assert!(!is_busy(&visitor.call("check_availability", hour(0)).good()), "the request was repeated");
    visitor.leave();
}

#[test]
fn a_process_ends_soon_after_its_input() {
    let home = Home::new();
    let mut owner = Client::start(&home);
    owner.call("list_meetings", json!({})).good();
    let mut visitor = Client::start(&home);
    visitor.call("list_meetings", json!({})).good();
    assert!(visitor.leave_within(SOON).success());
    assert!(owner.leave_within(SOON).success());
}

#[test]
fn an_owner_that_leaves_hands_its_visitors_on() {
    let home = Home::new();
    let owner = Client::start(&home);
    let mut visitor = Client::start(&home);
    visitor.call("list_meetings", json!({})).good();
    owner.leave();
    visitor.call("schedule_meeting", meeting("Alone now", 0)).good();
    visitor.leave();
}

#[test]
fn serve_ends_cleanly_when_it_is_told_to() {
    let home = Home::new();
    let server = home.serve();
    let mut visitor = Client::start(&home);
    visitor.call("schedule_meeting", meeting("Through serve", 0)).good();
    let log = server.end();
    assert!(!log.contains("panicked") && !log.contains("error"), "{log}");
    assert!(is_busy(&visitor.call("check_availability", hour(0)).good()), "its visitor is lost");
    visitor.leave();
}

#[test]
fn a_second_serve_says_that_there_is_a_first() {
    let home = Home::new();
    let first = home.serve();
    let refused = run(&home, &["serve", "--listen", "127.0.0.1:0"]).bad();
    let dir = home.path().join("sandbox");
    for word in ["already uses", dir.to_str().unwrap(), "Stop it first", "--data-dir"] {
        assert!(refused.contains(word), "`{word}` is not said: {refused}");
    }
    Server::end(first);
}

#[test]
fn stdout_of_stdio_is_protocol_however_loud_the_log() {
    let home = Home::new();
    let mut command = home.stdio();
    command.arg("-vv").env("RUST_LOG", "trace");
    let mut child = command.stderr(home.ear()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let list = json!({"name": "google_calendar_list_meetings", "arguments": {}});
    for (id, method, params) in [(1, "initialize", hello), (2, "tools/call", list), (3, "nothing", json!({}))] {
        writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).unwrap();
    }
    writeln!(stdin, "no JSON").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut message = || -> Option<Value> { lines.next().map(|line| serde_json::from_str(&line.unwrap()).unwrap()) };
    let answers: Vec<Value> = (0..4).map_while(|_| message()).collect();
    drop(stdin);
    let rest = std::iter::from_fn(message).collect::<Vec<_>>();
    assert!(
        answers.len() == 4 && answers.iter().chain(&rest).all(|one| one["jsonrpc"] == "2.0"),
        "{answers:?} {rest:?}"
    );
    assert!(end_of(&mut child, LIMIT).success());
    assert!(home.told().contains("TRACE"), "nothing was logged");
}

#[test]
fn a_command_that_waits_for_a_person_lets_others_in() {
    let home = Home::new();
    let connect = ["connect", "google-calendar", "--account", "second", "--print-url", "--sandbox"];
    let mut waiting = home.command(&connect).stdin(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(waiting.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("Paste its whole address")), "it waits for nobody");

    let mut client = Client::start(&home);
    client.call("list_meetings", json!({})).good();
    assert!(run(&home, &["connections"]).good().contains("active"));
    drop(waiting.stdin.take());
    assert_eq!(end_of(&mut waiting, LIMIT).code(), Some(1), "nothing was pasted");
    client.call("list_meetings", json!({})).good();
    client.leave();
}

#[test]
fn a_command_waits_for_a_command_and_both_are_done() {
    let home = Home::new();
    let started: Vec<_> = (0..3)
        .map(|number| {
            let arguments = meeting("At once", number).to_string();
            let mut command: Command =
                home.command(&["call", "google_calendar_schedule_meeting", "--args", &arguments, "--sandbox"]);
            command.spawn().unwrap()
        })
        .collect();
    for mut child in started {
        assert!(end_of(&mut child, LIMIT).success());
    }
    for number in 0..3 {
        assert!(is_busy(&call(&home, "check_availability", &hour(number))), "hour {number}");
    }
}

#[test]
fn serve_takes_over_from_a_client_that_does_not_notice() {
    let home = Home::new();
    let mut owner = Client::start(&home);
    owner.call("schedule_meeting", meeting("Before", 0)).good();
    let mut visitor = Client::start(&home);
    // A call of each is under way when the server comes.
    run(&home, &["sandbox", "fault", "google-calendar", "slow:2s:2"]).good();
    let busy = |client: &mut Client| {
        let arguments = hour(0);
        client.request("tools/call", json!({"name": "google_calendar_check_availability", "arguments": arguments}))
    };
    let (first, second) = (busy(&mut owner), busy(&mut visitor));
    let server = home.serve();
    for (client, id) in [(&mut owner, first), (&mut visitor, second)] {
        let answer = client.answer();
        assert_eq!((&answer["id"], &answer["error"]), (&json!(id), &Value::Null), "{answer}\n{}", home.told());
        assert!(is_busy(&client.call("check_availability", hour(0)).good()));
    }
    owner.call("schedule_meeting", meeting("After", 1)).good();
    let log = server.end();
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    assert!(is_busy(&visitor.call("check_availability", hour(1)).good()), "a client owns it again");
    owner.leave();
    visitor.leave();
}

#[test]
fn twenty_clients_that_start_at_once_share_one_world() {
    let home = Home::new();
    let clients: Vec<Client> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..20).map(|_| scope.spawn(|| Client::start(&home))).collect();
        started.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let mut clients = clients.into_iter();
    let mut first = clients.next().unwrap();
    first.call("schedule_meeting", meeting("For all", 0)).good();
    let mut rest: Vec<Client> = clients.collect();
    // One after the other is killed; whoever owns the directory then is among them again and again.
    while let Some(mut client) = rest.pop() {
        assert!(is_busy(&client.call("check_availability", hour(0)).good()), "{} are left", rest.len());
        client.kill();
    }
    assert!(is_busy(&first.call("check_availability", hour(0)).good()));
    first.leave();
}
