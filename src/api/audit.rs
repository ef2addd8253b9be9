//! `/audit`: calls and refusals, the newest first.

use std::collections::BTreeMap;

use axum::{
    Extension, Json as Body,
    extract::{RawQuery, State},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Api, Problem, administrator, page, read};
use crate::{
    audit::{Cursor, Entry, Filter, Head, Outcome, Recorded, Verdict},
    hub::Caller,
};

/// How many lines a page has when nobody says otherwise, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;

/// One line.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct View {
    at: Timestamp,
    call: String,
    user: String,
    agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    integration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    tool: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    millis: u64,
    /// `look`, `change` at a vendor, or `house`: who may come in and do what.
    class: &'static str,
    /// By which way it came, such as `rest`, `console`, `cli` or `client`.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    /// How often, when one line stands for many that are alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// When it happened last, of several times.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// Whether the line was written before lines were chained, or came out of an export.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    taken_over: bool,
}

impl From<Recorded> for View {
    fn from(recorded: Recorded) -> Self {
        let taken_over = recorded.is_taken_over;
        let entry = recorded.entry;
        let Entry { at, call, user, agent, address, integration, connection, tool, target, millis, .. } = entry;
        let Entry { outcome, class, via, times, until, .. } = entry;
        let (outcome, code) = match outcome {
            Outcome::Error { code } => ("error", Some(code)),
            Outcome::Refused { why } => ("refused", Some(why)),
            other @ (Outcome::Ok | Outcome::Begun) => (other.name(), None),
        };
        View {
            at,
            call: call.to_string(),
            user: user.to_string(),
            agent: agent.to_string(),
            address: address.map(|address| address.to_string()),
            integration,
            account: connection,
            tool,
            target,
            outcome,
            code,
            millis,
            class: class.name(),
            via,
            times: (times > 1).then_some(times),
            until,
            taken_over,
        }
    }
}

/// A page of lines: for an administrator everybody's, for others their own.
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    let query = read::query(query.as_deref(), &["cursor", "limit", "user", "agent", "integration", "tool", "outcome"])?;
    let cursor = query.get("cursor").map(|text| {
        Cursor::parse(text).ok_or_else(|| Problem::input("`cursor` is none that this server gave").next(FROM_THE_START))
    });
    let cursor = cursor.transpose()?;
    let limit = query.get("limit").map_or(Ok(USUAL), |text| limit(text))?;
    let desk = api.desk().await?;
    let Some(audit) = &desk.audit else { return page("entries", Vec::<View>::new(), None) };
    let filter = filter(&query, &caller)?;
    // Whoever is no administrator names agents of their own.
    let whose = (!caller.principal.is_administrator()).then_some(&caller.principal.user);
    let filter = api.hub().audit_filter(audit, filter, whose).await?;
    let found = audit.newest_that(&filter, cursor.as_ref(), limit).await?;
    let entries: Vec<View> = found.entries.into_iter().map(View::from).collect();
    page("entries", entries, found.cursor.map(|cursor| cursor.to_string()))
}

/// Checks every line and the chain that they make, and with `head` whether one that was kept lies on it.
pub(super) async fn verify(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Verdict>, Problem> {
    administrator(&caller)?;
    let query = read::query(query.as_deref(), &["head"])?;
    let kept = query.get("head").map(|text| {
        Head::parse(text).ok_or_else(|| Problem::input("`head` is one that an earlier check gave, such as `12:abc…`"))
    });
    let desk = api.desk().await?;
    let Some(audit) = &desk.audit else { return Ok(Body(Verdict::default())) };
    Ok(Body(audit.verify(kept.transpose()?).await?))
}

/// Which lines are wanted. Whoever is no administrator sees the own person's, whatever is asked for.
fn filter(query: &BTreeMap<String, String>, caller: &Caller) -> Result<Filter, Problem> {
    let text = |name: &str| query.get(name).cloned();
    let own = caller.principal.user.to_string();
    let user = match text("user") {
        Some(user) if caller.principal.is_administrator() || user == own => Some(user),
        Some(_) => return Err(Problem::forbidden("only an administrator sees the lines of others")),
        None => (!caller.principal.is_administrator()).then_some(own),
    };
    let outcome = text("outcome");
    if outcome.as_deref().is_some_and(|outcome| !["ok", "error", "refused", "begun"].contains(&outcome)) {
        return Err(Problem::input("`outcome` is `ok`, `error`, `refused` or `begun`"));
    }
    Ok(Filter { user, agent: text("agent"), integration: text("integration"), tool: text("tool"), outcome })
}

const FROM_THE_START: &str = "Leave it out to begin with the newest line.";

fn limit(text: &str) -> Result<usize, Problem> {
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| Problem::input(format!("`limit` is a number from 1 to {MOST}")))
}
