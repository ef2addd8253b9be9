//! `/tools`: what the caller may use, and calls.

use axum::{
    Extension, Json as Body,
    extract::{RawQuery, State},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Api, Problem, page, person, read};
use crate::{
    hub::{CallRequest, Caller, Question, Reply},
    tool::{Effect, Kind, Row},
};

/// One tool.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct View<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    integration: &'a str,
    effect: Effect,
    tokens: usize,
    input_schema: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a Value>,
}

impl<'a> From<&'a Row> for View<'a> {
    fn from(row: &'a Row) -> Self {
        View {
            name: row.name(),
            title: row.title(),
            description: row.description(),
            integration: &row.toolset.id,
            effect: row.effect(),
            tokens: row.tokens(),
            input_schema: row.input(),
            output_schema: row.definition().get("outputSchema"),
        }
    }
}

/// What the caller may use.
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    read::query(query.as_deref(), &[])?;
    let listing = api.0.hub.tools(&caller).await?;
    page("tools", listing.rows.iter().map(|row| View::from(&**row)).collect::<Vec<_>>(), None)
}

/// One tool that an agent can be given.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Choice<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    integration: &'a str,
    effect: Effect,
    /// What it costs a model to know it, in tokens of four bytes.
    tokens: usize,
    /// Whether an agent that has the integration has it without a choice of its own.
    core: bool,
}

impl<'a> Choice<'a> {
    fn of((row, core): (&'a Row, bool)) -> Self {
        Choice {
            name: row.name(),
            title: row.title(),
            description: row.description(),
            integration: &row.toolset.id,
            effect: row.effect(),
            tokens: row.tokens(),
            core,
        }
    }
}

/// Everything that an agent can be given here, whatever is connected.
pub(super) async fn catalog(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    person(&caller)?;
    read::query(query.as_deref(), &[])?;
    let choices: Vec<Choice<'_>> = api.0.hub.catalog(&caller.filters).map(Choice::of).collect();
    page("tools", choices, None)
}

/// What to call it with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    #[serde(default)]
    arguments: Map<String, Value>,
}

/// What a call gives back.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured: Option<Value>,
}

/// Calls a tool.
pub(super) async fn call(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(name): read::Id,
    read::Json(Arguments { arguments }): read::Json<Arguments>,
) -> Result<Body<Done>, Problem> {
    let caller = Caller { client: "REST".into(), ..caller };
    match api.0.hub.call(&caller, CallRequest::new(name, arguments)).await? {
        Reply::Done(outcome) => Ok(Body(Done { text: outcome.joined_text(), structured: outcome.structured })),
        Reply::Ask(question) => Err(unanswered(question)),
    }
}

/// The question without its ticket: with that, whoever calls could say yes alone.
fn unanswered(question: Question) -> Problem {
    let whole = if question.is_shortened {
        format!("The question is shortened; `GET /api/v1/approvals/{}` shows all of it. ", question.approval)
    } else {
        String::new()
    };
    let next = format!(
        "{whole}A person answers it with `POST /api/v1/approvals/{}` and {}, or with `switchboard approvals`. After a yes, make the same call again.",
        question.approval,
        json!({ "decision": "approve" }),
    );
    Problem::new(StatusCode::CONFLICT, Kind::Ask.code(), &question.text)
        .next(next)
        .with("approval", question.approval)
        .with("expires_at", question.expires_at.to_string())
}
