//! How the program starts and stops, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Child, Command},
    time::Duration,
};

use serde_json::{Value, json};

use self::support::{Home, end_of};

/// More than any start or stop may take, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_port_in_use_is_named_together_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = Home::new();
    let output = output_of(home.command(&["serve", "--sandbox", "--listen", &address]));
    assert!(!output.succeeded, "it claims success\n{}", output.stderr);
    for word in [address.as_str(), "in use", "--listen"] {
        assert!(output.stderr.contains(word), "`{word}` is not said:\n{}", output.stderr);
    }
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
}

#[test]
fn serve_names_the_free_port_that_it_took() {
    let home = Home::new();
    let server = home.serve();
    assert_ne!(server.address().port(), 0, "{}", server.log());
    std::net::TcpStream::connect(server.address()).unwrap();
}

#[test]
fn stdio_ends_with_its_input_and_writes_nothing_but_messages() {
    let home = Home::new();
    let mut child = home.stdio().stderr(home.ear()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", initialize()).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap_or_else(|| panic!("it ended without an answer\n{}", home.told())).unwrap();
    assert_eq!(message(&first)["result"]["serverInfo"]["name"], "switchboard", "{first}");
    drop(stdin);
    for line in lines {
        message(&line.unwrap());
    }
    assert!(end_of(&mut child, LIMIT).success(), "{}", home.told());
}

/// The output of a program that ended.
struct Output {
    succeeded: bool,
    stderr: String,
}

fn output_of(mut command: Command) -> Output {
    let mut child: Child = command.spawn().unwrap();
    let succeeded = end_of(&mut child, LIMIT).success();
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    Output { succeeded, stderr }
}

fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "tests", "version": "1.0.0"},
    }})
}

fn message(line: &str) -> Value {
    let message: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in a line on stdout: {line}"));
    assert_eq!(message["jsonrpc"], "2.0", "{line}");
    message
}
