//! `tools/list` and `tools/call`.

use std::{pin::pin, sync::Arc, time::Duration};

use jsonrpsee::{
    Extensions,
    types::{ErrorObjectOwned, Params},
};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{Answered, Raw, cacheable, common, exchange, tasks};
use crate::{
    hub::{self, CallRequest, Reply},
    mcp::{
        catalog::{HeaderParam, Pages},
        confirm::{self, Next},
        era::Version,
        exchange::{Exchange, Field},
        headers,
        message::{header_mismatch, internal_error, invalid_params},
        progress::Reporter,
        round::{Brought, Round},
        server::Core,
        strict,
        tasks::Slot,
    },
    schema::limits,
    text::LONGEST_NAME,
    tool::{Client, Content, Outcome, Progress},
};

/// How long a client may keep a list of tools, in milliseconds. Listeners hear of a change at once.
const LIST_TTL: u64 = 60_000;
/// What a model reads after a no.
const REFUSED: &str =
    "The person who was asked said no. Nothing has been done. Do not repeat the call unless they ask for it.";
/// The longest JSON of arguments, in bytes: what arguments may hold, with all their letters escaped.
const LONGEST_ARGUMENTS: usize = 3 * limits::ARGUMENTS;
/// How many questions one call may ask, one after the other.
const ROUNDS: usize = 4;

/// `tools/list` for the method table.
pub(super) async fn listed(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let params = params.as_str().and_then(|text| serde_json::from_str(text).ok());
    list(&core, params, &exchange(&extensions)).await.map(Raw)
}

/// One page of tools, as bytes.
///
/// Fails with -32602 for a cursor that is not ours.
pub(in crate::mcp) async fn list(
    core: &Core,
    params: Option<&RawValue>,
    exchange: &Exchange,
) -> Result<Arc<RawValue>, ErrorObjectOwned> {
    #[derive(Default, Deserialize)]
    struct Position {
        cursor: Option<String>,
    }
    let position: Position = match params {
        None => Position::default(),
        Some(params) => serde_json::from_str(params.get()).map_err(|_| invalid_params("`cursor` is a string"))?,
    };
    let pages = pages(core, exchange).await?;
    pages
        .page(position.cursor.as_deref())
        .ok_or_else(|| invalid_params("this cursor is not known: start again without one"))
}

async fn pages(core: &Core, exchange: &Exchange) -> Result<Arc<Pages>, ErrorObjectOwned> {
    let version = exchange.terms.version;
    let listing = core.hub.tools(&exchange.caller).await.map_err(refused)?;
    Ok(core.catalog.pages(&listing, version, || {
        Pages::make(&listing.rows, version, core.page_size, &cacheable(core, version, LIST_TTL, "private"))
    }))
}

/// `tools/call`.
pub(super) async fn call(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    match core.tasks.as_ref().filter(|_| tasks::are_known(&exchange)) {
        None => answer(params, core, exchange, None).await.map(|result| Raw::of(&result)),
        Some(known) => {
            let (slot, mut beginning) = known.slot(&exchange.caller.principal);
            let work = go_on(params, Arc::clone(&core), Arc::clone(&exchange), Arc::clone(&slot));
            let mut work = AbortOnDropHandle::new(tokio::spawn(work.in_current_span()));
            tokio::select! {
                // A task may be over as soon as it has begun.
                biased;
                Ok(described) = &mut beginning => {
                    drop(work.detach());
                    Ok(tasks::created(&core, &exchange, described))
                }
                result = &mut work => match result {
                    // It was over before its beginning was written down, which says it all the same.
                    Ok(_) if slot.task().is_some() && let Ok(described) = beginning.await => {
                        Ok(tasks::created(&core, &exchange, described))
                    }
                    Ok(result) => result.map(|result| Raw::of(&result)),
                    Err(_panic) => Err(internal_error("something broke on our side; the log says what")),
                },
            }
        }
    }
}

/// Answers a call that may become a task, and keeps the answer there when it has.
async fn go_on(
    params: Params<'static>,
    core: Arc<Core>,
    exchange: Arc<Exchange>,
    slot: Arc<Slot>,
) -> Result<Value, ErrorObjectOwned> {
    let (ending, patience) = (slot.ending.clone(), core.tasks_after);
    let work = Box::pin(answer(params, core, exchange, Some(Arc::clone(&slot))));
    let work = in_time(patience, &slot, work);
    let outcome = ending.run_until_cancelled(work).await;
    let failure = || slot.task().and_then(|task| task.failure());
    let outcome = outcome.unwrap_or_else(|| Err(failure().unwrap_or_else(|| internal_error("the task was cancelled"))));
    if let Some(task) = slot.settle() {
        task.finish(outcome.clone());
    }
    outcome
}

/// Does the work. One that takes longer than `patience` goes on as a task, unless too many do.
async fn in_time<T>(patience: Option<Duration>, slot: &Slot, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Some(patience) = patience {
        if let Ok(done) = timeout(patience, &mut work).await {
            return done;
        }
        slot.begin();
    }
    work.await
}

async fn answer(
    params: Params<'static>,
    core: Arc<Core>,
    exchange: Arc<Exchange>,
    slot: Option<Arc<Slot>>,
) -> Result<Value, ErrorObjectOwned> {
    let call = ToolCall::read(params.as_str())?;
    if let Some(headers) = &exchange.headers {
        let pages = pages(&core, &exchange).await?;
        check_headers(pages.header_params(&call.name), &call.arguments, headers)?;
    }
    let reporter = match (&exchange.progress, &exchange.outlet) {
        (Some(token), Some(outlet)) => Some(Arc::new(Reporter::new(token, outlet.clone()))),
        _ => None,
    };
    let arguments = Value::Object(call.arguments.clone());
    let round = Round::open(&core, &exchange, ("tools/call", &call.name), arguments, &call.brought, slot)?;
    let result = rounds(&core, &exchange, &call, round, reporter.clone()).await;
    if let Some(reporter) = reporter {
        reporter.finish();
    }
    result
}

/// Runs the tool, and asks a person where the hub wants a yes first.
async fn rounds(
    core: &Core,
    exchange: &Exchange,
    call: &ToolCall<'_>,
    mut round: Round<'_>,
    reporter: Option<Arc<Reporter>>,
) -> Result<Value, ErrorObjectOwned> {
    let mut answered = round.answered.take();
    for _ in 0..ROUNDS {
        let was_refused = answered.as_ref().is_some_and(|answered| !answered.approved);
        let request = CallRequest {
            tool: call.name.clone(),
            arguments: call.arguments.clone(),
            progress: reporter.clone().map(|reporter| reporter as Arc<dyn Progress>),
            answered: answered.take(),
            client: Some(Arc::clone(&round.asker) as Arc<dyn Client>),
            reading: None,
        };
        match core.hub.call(&exchange.caller, request).await {
            Ok(Reply::Done(outcome)) => return Ok(finished(core, exchange.terms.version, outcome)),
            // Who said no is not asked a second time.
            Ok(Reply::Ask(_)) if was_refused => return Ok(failed(core, exchange.terms.version, REFUSED)),
            Ok(Reply::Ask(question)) => match confirm::ask(core, exchange, &round, question).await {
                Next::Again(given) => answered = Some(given),
                Next::Return(result) => return Ok(result),
            },
            Err(hub::Error::Tool { error, .. }) => {
                let told = round.wanted(&error);
                return told.unwrap_or_else(|| Ok(failed(core, exchange.terms.version, &error.text())));
            }
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(failed(core, exchange.terms.version, "The tool asked too many questions in one call."))
}

/// What a client asked for.
struct ToolCall<'a> {
    name: String,
    arguments: Map<String, Value>,
    brought: Brought<'a>,
}

impl<'a> ToolCall<'a> {
    fn read(params: Option<&'a str>) -> Result<Self, ErrorObjectOwned> {
        #[derive(Deserialize)]
        struct Members<'a> {
            name: String,
            #[serde(borrow)]
            arguments: Option<&'a RawValue>,
        }
        let text = params.unwrap_or("{}");
        let members: Members<'_> = serde_json::from_str(text)
            .map_err(|_| invalid_params("tools/call needs `name`, a string, and may have `arguments`, an object"))?;
        let arguments = match members.arguments {
            None => Map::new(),
            Some(raw) if raw.get().len() > LONGEST_ARGUMENTS => {
                let most = LONGEST_ARGUMENTS >> 20;
                return Err(invalid_params(&format!("`arguments` takes at most {most} MiB of JSON")));
            }
            Some(raw) if raw.get().starts_with('{') => strict::object(raw.get())
                .map_err(|fault| invalid_params(&format!("`arguments` cannot be read: {fault}")))?,
            Some(_) => return Err(invalid_params("`arguments` is an object")),
        };
        // Before they are copied for the questions that the call may ask.
        if let Some(problem) = limits::too_large(&arguments) {
            return Err(invalid_params(&problem));
        }
        Ok(ToolCall { name: members.name, arguments, brought: brought(text)? })
    }
}

/// What a repeated request brings.
pub(super) fn brought(params: &str) -> Result<Brought<'_>, ErrorObjectOwned> {
    serde_json::from_str(params)
        .map_err(|_| invalid_params("`inputResponses` is an object, `requestState` a string, and each occurs once"))
}

/// Holds the arguments against their headers (2026-07-28, basic/transports/streamable-http, `Mcp-Param-*`).
fn check_headers(
    params: &[HeaderParam],
    arguments: &Map<String, Value>,
    headers: &[(String, Field)],
) -> Result<(), ErrorObjectOwned> {
    for param in params {
        let mut value = param.path.first().and_then(|first| arguments.get(first));
        for step in param.path.iter().skip(1) {
            value = value.and_then(|value| value.get(step));
        }
        let field = headers.iter().find(|(name, _)| *name == param.header).map(|(_, field)| field);
        let fits = match (value.filter(|value| !value.is_null()), field) {
            (None, None | Some(Field::Absent)) => true,
            (Some(value), Some(Field::Text(text))) => headers::decoded(text).is_some_and(|text| is_same(value, &text)),
            _ => false,
        };
        if !fits {
            let why = format!("the header {} and the argument `{}` differ", param.header, param.path.join("."));
            return Err(header_mismatch(&why));
        }
    }
    Ok(())
}

fn is_same(value: &Value, header: &str) -> bool {
    match value {
        Value::String(text) => text == header,
        Value::Bool(truth) => header == if *truth { "true" } else { "false" },
        Value::Number(number) => {
            header.parse::<serde_json::Number>().is_ok_and(|read| read == *number || read.as_f64() == number.as_f64())
        }
        _ => false,
    }
}

/// The result of a call that worked.
fn finished(core: &Core, version: Version, outcome: Outcome) -> Value {
    let content: Vec<Value> = outcome.content.into_iter().map(|part| written(part, version)).collect();
    let mut result = Map::new();
    result.insert("content".into(), content.into());
    let structured =
        outcome.structured.filter(|value| version.is_modern() || (version >= Version::June2025 && value.is_object()));
    if let Some(structured) = structured {
        result.insert("structuredContent".into(), structured);
    }
    result.extend(common(core, version));
    Value::Object(result)
}

/// The result of a call that failed, in words for the model.
pub(in crate::mcp) fn failed(core: &Core, version: Version, text: &str) -> Value {
    let mut result = Map::new();
    result.insert("content".into(), json!([{"type": "text", "text": text}]));
    result.insert("isError".into(), true.into());
    result.extend(common(core, version));
    Value::Object(result)
}

/// Links are plain text to a client that does not know them yet.
pub(super) fn written(part: Content, version: Version) -> Value {
    match part {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::Image { data, mime_type } => json!({"type": "image", "data": data, "mimeType": mime_type}),
        Content::Audio { data, mime_type } => json!({"type": "audio", "data": data, "mimeType": mime_type}),
        Content::Link { uri, name, .. } if version < Version::June2025 => {
            json!({"type": "text", "text": format!("{name}: {uri}")})
        }
        Content::Link { uri, name, mime_type } => {
            let mut link = json!({"type": "resource_link", "uri": uri, "name": name});
            if let Some(mime_type) = mime_type {
                link["mimeType"] = mime_type.into();
            }
            link
        }
        Content::Blob { uri, mime_type, data } => {
            json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "blob": data}})
        }
        Content::Resource { uri, mime_type, text } => {
            json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}})
        }
    }
}

/// What the hub refuses as a fault of the request, not of the tool.
fn refused(error: hub::Error) -> ErrorObjectOwned {
    match &error {
        hub::Error::UnknownTool { name, .. } if name.len() > LONGEST_NAME => {
            invalid_params("There is no tool of that name here.")
        }
        hub::Error::UnknownTool { .. } | hub::Error::BadTicket => invalid_params(&error.to_string()),
        hub::Error::Closed(why) => internal_error(why),
        hub::Error::Tool { error, .. } => internal_error(&error.text()),
    }
}
