//! `/approvals`: questions that wait for a person.

use axum::{
    Extension, Json as Body,
    extract::{RawQuery, State},
    http::{HeaderMap, header},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Api, Problem, page, person, read};
use crate::{
    approvals::{Approval, Decision},
    audit::Entry,
    hub::Caller,
};

/// One question.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct View {
    id: String,
    /// For a glance.
    question: String,
    /// Whether there is more to read: `GET /approvals/{id}` has it as `whole`.
    is_shortened: bool,
    tool: String,
    agent: String,
    user: String,
    asked_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
}

impl From<Approval> for View {
    fn from(approval: Approval) -> Self {
        View {
            id: approval.id,
            question: approval.question,
            is_shortened: approval.whole.is_some(),
            tool: approval.tool,
            agent: approval.agent.to_string(),
            user: approval.user.to_string(),
            asked_at: approval.asked_at,
            expires_at: approval.expires_at,
            decision: approval.decision,
        }
    }
}

/// What waits: for an administrator everything, for a person what is theirs, for an agent what it asked itself.
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    read::query(query.as_deref(), &[])?;
    let approvals = &api.desk().await?.approvals;
    let waiting = if caller.principal.is_administrator() {
        approvals.pending_of_all().await?
    } else {
        let mut own = approvals.pending(&caller.principal.user).await?;
        own.retain(|approval| caller.principal.is_person() || approval.agent == caller.principal.agent);
        own
    };
    page("approvals", waiting.into_iter().map(View::from).collect::<Vec<_>>(), None)
}

/// One question with everything that would leave after a yes.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WholeView {
    #[serde(flatten)]
    view: View,
    /// Everything that would leave; the question itself where that says all.
    whole: String,
}

/// One question, whole: for those to whom [`list`] shows it, until it has run out.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
) -> Result<Body<WholeView>, Problem> {
    let approvals = &api.desk().await?.approvals;
    let principal = &caller.principal;
    let whose = Some(&principal.user).filter(|_| !principal.is_administrator());
    let approval = approvals.find(&id, whose).await?;
    if !principal.is_person() && !principal.is_administrator() && approval.agent != principal.agent {
        return Err(crate::approvals::Error::Unknown.into());
    }
    let whole = approvals.whole(&approval).await?;
    Ok(Body(WholeView { view: approval.into(), whole }))
}

/// A person's answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    decision: Verdict,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Approve,
    Refuse,
}

/// Answers a question. An agent must not say yes to itself.
pub(super) async fn decide(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    read::Id(id): read::Id,
    read::Json(answer): read::Json<Answer>,
) -> Result<Body<View>, Problem> {
    person(&caller)?;
    let decision = match answer.decision {
        Verdict::Approve => Decision::Approved,
        Verdict::Refuse => Decision::Refused,
    };
    let desk = api.desk().await?;
    let approvals = &desk.approvals;
    let by = &caller.principal.user;
    let decided = if caller.principal.is_administrator() {
        approvals.decide_for_anyone(&id, decision, by).await?
    } else {
        approvals.decide(&id, decision, by).await?
    };
    let via = if headers.contains_key(header::AUTHORIZATION) { "rest" } else { "console" };
    let entry = desk.answered(&decided, via);
    desk.note(Entry { address: caller.address, agent: caller.principal.agent, ..entry }).await;
    Ok(Body(decided.into()))
}
