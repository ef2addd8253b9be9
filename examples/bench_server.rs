//! A server to measure: three tools that do next to nothing, among as many others as a company has.
//!
//! `cargo run --release --example bench_server -- --port 7700` serves `/mcp` and `/ws`; `-- stdio` serves stdin and
//! stdout.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use switchboard::{
    agents::Principal,
    clock,
    hub::{Caller, Hub},
    id,
    mcp::Server,
    tool::{Answer, Call, Effect, Outcome, Result, Running, RuntimeTool, Scopes, Tool, ToolDef, Toolset},
    transport::{self, Access, Options},
};

/// Adds two integers.
#[derive(Deserialize, JsonSchema)]
struct Add {
    /// First addend.
    a: i64,
    /// Second addend.
    b: i64,
}

/// What they come to.
#[derive(Serialize, JsonSchema)]
struct Sum {
    /// The sum.
    sum: i64,
}

impl Answer for Sum {
    fn text(&self) -> String {
        self.sum.to_string()
    }
}

impl Tool for Add {
    const NAME: &'static str = "add";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Sum;

    async fn call(self, _cx: &Call) -> Result<Sum> {
        Ok(Sum { sum: self.a.wrapping_add(self.b) })
    }
}

fn echo(given: Map<String, Value>, _cx: &Call) -> Running<'_> {
    Box::pin(async move { Ok(Outcome::text(given["text"].as_str().unwrap_or_default())) })
}

fn slow(given: Map<String, Value>, _cx: &Call) -> Running<'_> {
    Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Outcome::text(given["text"].as_str().unwrap_or_default()))
    })
}

/// What the other tools are called: an app, and what is done in it.
const FILLERS: &[(&str, &[&str])] = &[
    ("google_calendar", &["list_events", "create_event", "update_event", "find_free_slots"]),
    ("salesforce", &["query_records", "create_lead", "update_opportunity", "get_account"]),
    ("hubspot", &["search_contacts", "create_contact", "update_deal", "log_call"]),
    ("slack", &["post_message", "list_channels", "search_messages", "add_reaction"]),
    ("gmail", &["send_email", "search_threads", "create_draft", "label_thread"]),
    ("notion", &["query_database", "create_page", "update_page", "append_block"]),
    ("google_sheets", &["read_range", "append_rows", "update_range", "create_sheet"]),
    ("airtable", &["list_records", "create_record", "update_record"]),
    ("stripe", &["list_customers", "create_payment_link", "refund_payment", "get_invoice"]),
    ("zendesk", &["create_ticket", "update_ticket", "search_tickets", "add_comment"]),
    ("jira", &["create_issue", "transition_issue", "search_issues", "add_worklog"]),
    ("github", &["create_issue", "list_pull_requests", "merge_pull_request", "search_code"]),
    ("ms365_calendar", &["list_events", "create_event", "cancel_event"]),
    ("sendgrid", &["send_template", "list_suppressions", "get_stats"]),
    ("intercom", &["reply_conversation", "create_contact", "tag_conversation"]),
    ("call", &["transfer", "hang_up"]),
];

/// The fields that they choose from: name, type and meaning.
const FIELDS: &[(&str, &str, &str)] = &[
    ("record_id", "string", "Identifier of the object to act on, as a list or a search gave it"),
    ("cursor", "string", "Where the previous page ended; left out for the first one"),
    ("start_time", "string", "When it begins, with an offset, such as 2026-11-22T09:00:00+01:00"),
    ("end_time", "string", "When it ends, with an offset, such as 2026-11-22T10:00:00+01:00"),
    ("body", "string", "The main text; Markdown where the app knows it"),
    ("notify", "boolean", "Whether the app tells others of this change"),
    ("amount", "number", "The amount in the major unit of the currency, such as 12.50"),
    ("limit", "integer", "How many results one page has at most, from 1 to 100"),
    ("owner_id", "string", "Identifier of the user to whom the object belongs"),
    ("query", "string", "What is searched for, in the words of the app"),
    ("title", "string", "The short text that people see in lists"),
];

fn tools() -> Vec<ToolDef> {
    let fillers = FILLERS.iter().flat_map(|(app, actions)| actions.iter().map(move |action| (*app, *action)));
    let fillers = fillers.enumerate().map(|(number, (app, action))| {
        let description =
            format!("Does `{}` in {} for the connected account.", action.replace('_', " "), app.replace('_', " "));
        tool(&format!("{app}_{action}"), description, fields(number), echo_name)
    });
    let text = json!({
        "type": "object",
        "properties": {"text": {"type": "string", "description": "Text to return"}},
        "required": ["text"],
    });
    let first = [
        tool("echo", "Returns the text it was given".into(), text.clone(), echo),
        ToolDef::of::<Add>(),
        tool("slow", "Waits 50 ms, then returns".into(), text, slow),
    ];
    first.into_iter().chain(fillers).collect()
}

/// Three to six fields, others for every tool; the first one is required.
fn fields(number: usize) -> Value {
    let chosen = (0..3 + number % 4).map(|step| FIELDS[(number * 3 + step * 2) % FIELDS.len()]);
    let properties: Map<String, Value> =
        chosen.map(|(name, kind, text)| (name.to_owned(), json!({"type": kind, "description": text}))).collect();
    let required: Vec<String> = properties.keys().take(1).cloned().collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn echo_name(given: Map<String, Value>, _cx: &Call) -> Running<'_> {
    Box::pin(async move { Ok(Outcome::text(Value::Object(given).to_string())) })
}

fn tool(
    name: &str,
    description: String,
    input: Value,
    body: for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>,
) -> ToolDef {
    ToolDef::at_runtime(name, Effect::Reads, RuntimeTool::new(description, input, body))
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let toolset = Toolset { id: "bench".into(), title: "Bench".into() };
    let hub = Hub::builder(clock::system(), id::os()).tools(&toolset, tools())?.build();
    let server = Server::builder().name("bench-server").hub(hub).build();

    let mut arguments = std::env::args().skip(1);
    let port = match (arguments.next().as_deref(), arguments.next()) {
        (Some("stdio"), _) => return Ok(transport::stdio::serve(server, Caller::local()).await?),
        (Some("--port"), Some(port)) => port,
        _ => return Err("say `--port` and a number, or `stdio`".into()),
    };
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    Ok(transport::serve(listener, server, Options::new(Access::Open(Principal::local()))).await?)
}
