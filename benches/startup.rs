//! How soon `switchboard stdio --sandbox` gives its first answer: `cargo bench --bench startup`.
//!
//! Each run starts the release build on a directory of its own, sends one request at once and stops the clock at the
//! answer. Beside it stands the bare start of the same program (`--version`), which is the share of the machine.
//! The bench fails when the median of either request is above the promised bound.

#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How many times each start is measured.
const RUNS: usize = 20;

/// What the median may take.
const BOUND: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, with a debug build whose speed says nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("startup: measured by `cargo bench --bench startup` only");
        return ExitCode::SUCCESS;
    }
    let spawn = Times::of(bare_start);
    println!("{:<16} median {:>7.1?}   p90 {:>7.1?}", "bare start", spawn.median(), spawn.p90());
    let requests = [("server/discover", discover()), ("initialize", initialize())];
    let holds = requests.map(|(method, request)| is_in_time(method, &request, &spawn));
    if holds.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn is_in_time(method: &str, request: &Value, spawn: &Times) -> bool {
    let times = Times::of(|| first_answer(request));
    let (median, ratio) = (times.median(), times.median().as_secs_f64() / spawn.median().as_secs_f64());
    let holds = median <= BOUND;
    let verdict = if holds { "within" } else { "ABOVE" };
    let p90 = times.p90();
    println!("{method:<16} median {median:>7.1?}   p90 {p90:>7.1?}   {ratio:.1} bare starts, {verdict} {BOUND:?}");
    holds
}

/// Measured times in rising order.
struct Times(Vec<Duration>);

impl Times {
    /// Measures once to warm the page cache, then [`RUNS`] times.
    fn of(mut measure: impl FnMut() -> Duration) -> Times {
        measure();
        let mut times: Vec<_> = (0..RUNS).map(|_| measure()).collect();
        times.sort_unstable();
        Times(times)
    }

    fn median(&self) -> Duration {
        (self.0[RUNS / 2 - 1] + self.0[RUNS / 2]) / 2
    }

    fn p90(&self) -> Duration {
        self.0[RUNS * 9 / 10 - 1]
    }
}

/// From the start of the process to its end, when it has nothing to do.
fn bare_start() -> Duration {
    let started = Instant::now();
    let status = program().arg("--version").stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    started.elapsed()
}

/// From the start of the process to its answer.
fn first_answer(request: &Value) -> Duration {
    let home = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let mut child = program()
        .args(["stdio", "--sandbox", "--data-dir"])
        .arg(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{request}").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let took = started.elapsed();
    let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    assert!(answer.get("result").is_some(), "{answer}");
    drop(stdin);
    assert!(child.wait().unwrap().success());
    took
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.stderr(Stdio::null()).env_remove("RUST_LOG");
    command
}

fn discover() -> Value {
    request(
        "server/discover",
        json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1.0.0"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }}),
    )
}

fn initialize() -> Value {
    request(
        "initialize",
        json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1.0.0"},
        }),
    )
}

fn request(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}
