//! Texts of callers and vendors: Markdown, Slack's markup, queries, formulas, ranges, times, and arguments.

use serde_json::{Value, json};
use switchboard::{
    integrations,
    moment::{Moment, Zone},
    sandbox, schema,
};

/// The longest error that may come of anything, in bytes.
const LONGEST_ERROR: usize = 4_100;

/// What the transformation of this name makes of the text.
fn made(name: &str, text: &str) -> String {
    let mut all = integrations::transformations().chain(sandbox::transformations());
    let found = all.find(|one| one.name == name);
    (found.unwrap_or_else(|| panic!("there is no transformation called {name}")).run)(text)
}

/// Whatever is written rings the bell for nobody, and what Slack says back can be read.
pub fn mrkdwn(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let slack = made("slack: Markdown to mrkdwn", &text);
    assert!(!slack.contains("<!"), "it rings for everybody: {slack}");
    made("slack: mrkdwn to Markdown", &slack);
    made("slack: mrkdwn to Markdown", &text);
    made("slack: who is mentioned", &text);
}

/// Markdown becomes blocks of the sizes that Notion takes, or is refused in a few words.
pub fn markdown(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let blocks = made("notion: Markdown to blocks", &text);
    assert!(blocks.starts_with("Ok(") || blocks.len() < LONGEST_ERROR, "{blocks}");
    made("notion: text to rich text", &text);
    made("notion: an id in an address", &text);
}

/// A statement is looked at and read, or refused; a literal ends where it ends.
pub fn soql(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let looked = made("salesforce: SOQL that only looks", &text);
    assert!(looked == "Ok(())" || looked.len() < LONGEST_ERROR, "{looked}");
    made("salesforce: text to a literal", &text);
    made("sandbox: SOQL", &text);
    made("sandbox: SOQL condition", &text);
    made("sandbox: LIKE", &text);
}

/// A formula has a value, or is refused in a few words.
pub fn formula(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    made("sandbox: formula", &text);
    let quoted = made("airtable: text to a formula", &text);
    let value = made("sandbox: formula", &format!("LEN({quoted})"));
    assert!(value.starts_with("Ok(") || quoted.len() > 90_000, "a text is none to a formula: {value}");
    made("airtable: text to a list", &text);
    made("airtable: text to a number", &text);
}

/// A range is read and written, and what a person types into a cell has a look.
pub fn range(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let written = made("google-sheets: a range", &text);
    assert!(written.len() <= 2 * text.len() + 64, "{written}");
    made("google-sheets: a sheet's name", &text);
    made("sandbox: a cell", &text);
    made("sandbox: file query", &text);
}

/// Times and zones are understood or explained, sentences become events, rules become series.
pub fn moment(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for zone in ["Europe/Berlin", "Australia/Lord_Howe"] {
        let zone: Zone = zone.parse().expect("the zone is there");
        match text.parse::<Moment>() {
            Ok(moment) => drop(moment.resolve(&zone)),
            Err(why) => assert!(why.len() < 400, "{why}"),
        }
    }
    if let Err(why) = text.parse::<Zone>() {
        assert!(why.len() < 400, "{why}");
    }
    made("sandbox: an event in a sentence", &text);
    made("sandbox: a rule of a series", &text);
    made("sandbox: mail query", &text);
    made("sandbox: message query", &text);
}

/// Arguments are repaired and judged: repairing twice changes nothing more, and what is wrong is told in a few lines.
pub fn arguments(data: &[u8]) {
    let schema = json!({ "type": "object", "required": ["title"], "properties": {
        "title": { "type": "string", "minLength": 1 }, "minutes": { "type": "integer", "minimum": 5 },
        "notify": { "type": "string", "enum": ["all", "none"] }, "open": { "type": "boolean" },
        "rows": { "type": "array", "items": { "type": "array", "items": { "type": "string" } } },
        "place": { "type": "object", "properties": { "floor": { "type": "integer" } } } } });
    let Ok(mut value) = serde_json::from_slice::<Value>(data) else { return };
    schema::repair(&schema, &mut value);
    let mut again = value.clone();
    schema::repair(&schema, &mut again);
    assert_eq!(again, value);
    let problems = schema::check(&schema, &value);
    assert!(problems.len() <= 11, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.len() < LONGEST_ERROR), "{problems:#?}");
    if problems.is_empty() {
        assert!(value["title"].is_string(), "{value}");
    }
}
