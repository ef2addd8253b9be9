//! The command line as its users meet it: the real program in a data directory of its own.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod bad_input;
mod canary;
mod carry;
mod client;
mod keys;
mod output;
mod people;
mod processes;
mod story;

use std::process::Output;

use jiff::{SignedDuration, ToSpan, civil::Weekday, tz::TimeZone};
use serde_json::{Value, json};

use self::support::Home;

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Run {
    /// Its exit code; 0 is success.
    pub code: i32,
    /// What it wrote to stdout.
    pub out: String,
    /// What it wrote to stderr.
    pub err: String,
}

impl Run {
    fn of(output: Output) -> Run {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("it was killed: {output:?}"));
        Run { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// What a command that went well wrote to stdout.
    #[track_caller]
    pub fn good(self) -> String {
        assert_eq!(self.code, 0, "it failed: {self:?}");
        self.out
    }

    /// The same, read as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.good();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// What a command that failed wrote to stderr. A failure writes nothing else.
    #[track_caller]
    pub fn bad(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (1, ""), "{self:?}");
        assert!(self.err.starts_with("error: ") && !self.err.contains("panicked"), "{self:?}");
        self.err
    }
}

/// Runs a command on the sandbox in `home`.
pub fn run(home: &Home, arguments: &[&str]) -> Run {
    Run::of(home.command(arguments).arg("--sandbox").output().unwrap())
}

/// Calls a tool of the calendar and returns what programs read.
#[track_caller]
pub fn call(home: &Home, tool: &str, arguments: &Value) -> Value {
    try_call(home, tool, arguments).json()
}

/// Calls a tool of the calendar.
pub fn try_call(home: &Home, tool: &str, arguments: &Value) -> Run {
    run(home, &["call", &format!("google_calendar_{tool}"), "--args", &arguments.to_string(), "--json"])
}

/// A free hour, `number` hours into an afternoon on which the seed has nothing.
pub fn hour(number: i64) -> Value {
    let today = support::today().to_zoned(TimeZone::UTC).date();
    let saturday = (today + 8.days()).nth_weekday(1, Weekday::Saturday).unwrap();
    let start = saturday.at(13, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let start = start + SignedDuration::from_hours(number);
    json!({"start": start, "end": start + SignedDuration::from_hours(1)})
}

/// A meeting in that hour.
pub fn meeting(title: &str, number: i64) -> Value {
    let mut meeting = hour(number);
    meeting["title"] = json!(title);
    meeting
}

/// Whether the calendar has something in that hour.
pub fn is_busy(answer: &Value) -> bool {
    !answer["busy"].as_array().unwrap_or_else(|| panic!("nothing is said of busy time: {answer}")).is_empty()
}
