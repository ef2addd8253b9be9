//! A bad day at a vendor: many calls at once while one request in ten goes wrong. The vendor's own world is the judge.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use switchboard::tool::Error;

use crate::desk::Desk;

/// What a tool says after a write whose outcome nobody knows.
const UNCERTAIN: &str = "may have been done";

/// How many calls are under way at once.
const AT_ONCE: usize = 8;

/// What came of it all.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls that ended in a result.
    pub results: usize,
    /// Calls that ended in an error, by its word for programs.
    pub errors: BTreeMap<&'static str, usize>,
    /// Reads in all.
    pub reads: usize,
    /// Reads that ended in an error.
    pub lost_reads: usize,
    /// What must never happen, in sentences.
    pub wrong: Vec<String>,
}

/// One call of the storm; a write makes an event with a title that no other call uses.
struct Wave {
    tool: &'static str,
    arguments: Value,
    title: Option<String>,
}

impl Wave {
    fn number(number: usize, event_id: &str) -> Wave {
        let read = |tool, arguments| Wave { tool, arguments, title: None };
        match number % 10 {
            0..=2 => read("list_meetings", json!({ "limit": 5 })),
            3 | 4 => read("get_meeting", json!({ "event_id": event_id })),
            5 | 6 => read("check_availability", json!({ "start": "2026-11-24", "end": "2026-11-25" })),
            7 | 8 => {
                let title = format!("Walk{number}");
                let arguments = json!({ "text": format!("{title} on 2027-03-0{} 10:00", 1 + number % 9) });
                Wave { tool: "quick_add", arguments, title: Some(title) }
            }
            _ => {
                let title = format!("Plan{number}");
                let arguments = json!({ "title": title, "start": "2027-02-01T10:00", "duration_minutes": 30 });
                Wave { tool: "schedule_meeting", arguments, title: Some(title) }
            }
        }
    }
}

/// Makes `calls` calls in the calendar while the day is bad, and looks at what became of each.
pub async fn storm(desk: &Desk, event_id: &str, calls: usize) -> Tally {
    desk.fault("mixed:10");
    let ride = |number| async move {
        let wave = Wave::number(number, event_id);
        let said = desk.call(wave.tool, wave.arguments.clone()).await;
        (wave, said.err())
    };
    let ends = stream::iter(0..calls).map(ride).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
    desk.fault("off");
    let made = made(desk);
    ends.iter().fold(Tally::default(), |tally, (wave, error)| tally.with(wave, error.as_ref(), &made))
}

impl Tally {
    fn with(mut self, wave: &Wave, error: Option<&Error>, made: &BTreeMap<String, usize>) -> Tally {
        match error {
            None => self.results += 1,
            Some(error) => *self.errors.entry(error.code()).or_default() += 1,
        }
        match &wave.title {
            None => {
                self.reads += 1;
                self.lost_reads += usize::from(error.is_some());
            }
            Some(title) => self.wrong.extend(judge(title, error, made.get(title).copied().unwrap_or_default())),
        }
        self.wrong.extend(error.filter(|error| !is_honest(error)).map(|error| format!("{}: {error:?}", wave.tool)));
        self
    }
}

/// What is wrong with a write that left `made` events behind.
fn judge(title: &str, error: Option<&Error>, made: usize) -> Option<String> {
    match (error, made) {
        (_, 2..) => Some(format!("{title} was made {made} times")),
        (None, 0) => Some(format!("{title} was reported and not made")),
        (Some(error), 1) if !error.to_string().contains(UNCERTAIN) => {
            Some(format!("{title} was made, and its caller was told that it failed: {error}"))
        }
        _ => None,
    }
}

/// Whether an error says whose fault it was and what to do.
fn is_honest(error: &Error) -> bool {
    let says_what_to_do = error.next_step().is_some() || error.retry_after().is_some();
    matches!(error.code(), "rate_limited" | "vendor") && says_what_to_do
}

/// How many events of each title there are beside those of the seed.
fn made(desk: &Desk) -> BTreeMap<String, usize> {
    let diff = serde_json::to_value(desk.sandbox.diff()).unwrap();
    let vendors = diff["vendors"].as_array().cloned().unwrap_or_default();
    let added = vendors.iter().flat_map(|vendor| vendor["added"].as_array().cloned().unwrap_or_default());
    let mut made = BTreeMap::new();
    for object in added {
        *made.entry(object["title"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    made
}
