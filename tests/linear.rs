//! Whatever is made of a text from outside takes work in proportion to the text: twice the text, not much more than
//! twice the work.
//!
//! The work is the processor time of the thread, so that a busy machine changes little; a pair that looks wrong is
//! measured again, several times, before it counts. What is done in no time at all is not looked at closer:
//! work that grows with the square is seconds at this size.

use std::{fs, hint::black_box, time::Duration};

use serde_json::json;
use switchboard::{
    integrations,
    moment::{Moment, Zone},
    sandbox, schema,
    text::{self, Transformation},
    tool,
};

/// The shorter text, in bytes. The longer one is still below every bound on length.
const SIZE: usize = 20_000;

/// By how much the work may grow when the text doubles.
const MOST: f64 = 2.5;

/// Work below this is none.
const NOTHING: Duration = Duration::from_millis(15);

/// How much work is measured at once: the system tells it in steps of some milliseconds.
const ENOUGH: Duration = Duration::from_millis(120);

/// How often a pair is measured before it counts as wrong.
const ATTEMPTS: usize = 6;

/// What is repeated: the signs that some transformation gives a meaning, alone, open without an end, and nested.
const PIECES: &[&str] = &[
    "a",
    " ",
    "\n",
    "\n\n",
    "a b ",
    "ä",
    "<",
    "<a",
    "<@U1",
    "<https://a",
    "<@U1|a>",
    ">",
    "> ",
    ">a\n",
    "[",
    "]",
    "[a",
    "[a](",
    "[a](https://a",
    "[a](https://a)",
    "![a](",
    "*",
    "**",
    "**a",
    "**a ",
    "**a**",
    "*a*",
    "_",
    "_a_",
    "~~",
    "~~a",
    "~~a~~ ",
    "`",
    "``",
    "`a",
    "```",
    "```\n",
    "&",
    "&amp;",
    "&amp",
    "# a\n",
    "- a\n",
    "-a ",
    "1. a\n",
    "|",
    "|a",
    "a|b\n",
    "|-|-|\n",
    "| a | b |\n|---|---|\n",
    "(",
    ")",
    "((",
    "{",
    "}",
    "{a}",
    "'",
    "''",
    "\"",
    "\\",
    "\\'",
    "-",
    "--",
    "1",
    "1+",
    "1&",
    "1,",
    "1.",
    ",",
    ";",
    ":",
    "=",
    "!",
    "A:B",
    "$",
    "A1:",
    "a!",
    "%",
    "%a",
    "%_",
    "_%a%",
    "OR ",
    "AND ",
    "NOT ",
    "A = 1 AND ",
    "A = 'a' OR ",
    "SELECT Id, ",
    "a, ",
    "LEN(\"a\")&",
    "from:a ",
    "in:a ",
    "-from:a ",
    "{a b} ",
    "name contains 'a' and ",
    "trashed = false and ",
    "tomorrow ",
    "at 3pm ",
    "a@b.example, ",
    "@",
    "a@",
    "/",
    "-0",
    "EXDATE:20261125\n",
];

#[test]
fn work_grows_no_faster_than_the_text() {
    let all = integrations::transformations().chain(sandbox::transformations()).chain(OWN);
    let mut wrong = Vec::new();
    let mut count = 0;
    for transformation in all {
        for piece in PIECES {
            count += 1;
            wrong.extend(grows_faster(transformation, piece));
        }
    }
    assert!(count > 1_000, "only {count} pairs were looked at");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What it comes to when the work grows too fast.
fn grows_faster(transformation: &Transformation, piece: &str) -> Option<String> {
    let text = |size: usize| piece.repeat(size / piece.len());
    let (short, long) = (text(SIZE), text(2 * SIZE));
    let mut seen = Vec::new();
    for _ in 0..ATTEMPTS {
        let first = work(transformation, &long, 1);
        if first < NOTHING {
            return None;
        }
        let runs = u32::try_from(ENOUGH.as_millis() / first.as_millis()).unwrap_or(1).max(1);
        let (once, twice) = (work(transformation, &short, 2 * runs) / 2, work(transformation, &long, runs));
        if twice.as_secs_f64() <= MOST * once.as_secs_f64() {
            return None;
        }
        seen.push((once / runs, twice / runs));
    }
    Some(format!("{} of {piece:?} without end: {seen:?}", transformation.name))
}

/// The processor time of `runs` runs.
fn work(transformation: &Transformation, text: &str, runs: u32) -> Duration {
    let began = processor_time();
    for _ in 0..runs {
        black_box((transformation.run)(black_box(text)));
    }
    processor_time().saturating_sub(began)
}

/// What this thread has had of the processor; where the system does not tell, the time that has passed.
fn processor_time() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = told.and_then(|text| text.split(' ').next()?.parse().ok());
    ran.map_or_else(passed, Duration::from_nanos)
}

fn passed() -> Duration {
    static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGAN.elapsed()
}

/// What belongs to no vendor.
const OWN: &[Transformation] = &[
    Transformation {
        name: "text: the nearest name",
        run: |text| text::nearest(text, ["calendar", "channel"]).unwrap_or_default().into(),
    },
    Transformation { name: "text: an error", run: |text| text::bounded(text.to_owned()) },
    Transformation { name: "text: a list", run: |text| text::listed(text.split(' '), 20) },
    Transformation { name: "moment: a time", run: |text| format!("{:?}", text.parse::<Moment>()) },
    Transformation { name: "moment: a zone", run: |text| format!("{:?}", text.parse::<Zone>()) },
    Transformation {
        name: "schema: unknown arguments",
        run: |text| {
            let arguments = text.split(' ').enumerate().map(|(at, word)| (format!("{at}{word}"), json!(at)));
            schema::check(&json!({"type": "object", "properties": {"title": {"type": "string"}}}), &arguments.collect())
                .join(" ")
        },
    },
    Transformation {
        name: "schema: arguments that lost their types",
        run: |text| {
            let list = json!({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}});
            let schema = json!({"type": "object", "properties": {"rows": list}});
            let mut arguments = json!({"rows": text});
            schema::repair(&schema, &mut arguments);
            schema::check(&schema, &arguments).join(" ")
        },
    },
    Transformation { name: "tool: addresses in a text", run: |text| tool::addresses_in(text).join(" ") },
    Transformation { name: "tool: a fence", run: tool::visible },
];
