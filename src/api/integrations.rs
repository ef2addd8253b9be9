//! `/integrations`: what can be connected, what is, and how to change that.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Extension, Json as Body,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::{Api, Problem, page, person, read};
use crate::{
    hub::{Accounts, Caller, NEEDS_RECONNECT, Standing, expiry},
    oauth::Ask,
    secret::Secret,
    tool::{Category, Error, Field, Integration, Kind},
    vault::Connection,
};

/// What an account is called when nobody names it.
pub(super) const USUAL_ACCOUNT: &str = "default";

/// One integration.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct View {
    id: &'static str,
    name: &'static str,
    category: Category,
    auth: Vec<&'static str>,
    status: &'static str,
    connections: Vec<ConnectionView>,
    tools: usize,
    docs: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'static [Field]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<&'static [Ask]>,
}

/// One connection. What it is opened with is not in it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ConnectionView {
    integration: String,
    account: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    scopes: Vec<String>,
    connected_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl View {
    fn of(accounts: &Accounts, integration: &'static Integration, connections: &[Connection]) -> Self {
        let own = connections.iter().filter(|connection| connection.key.integration == integration.id);
        let connections: Vec<ConnectionView> = own.map(|connection| ConnectionView::of(accounts, connection)).collect();
        let ways = [integration.oauth.as_ref().map(|_| "oauth"), (!integration.fields.is_empty()).then_some("token")];
        View {
            id: integration.id,
            name: integration.title,
            category: integration.category,
            auth: ways.into_iter().flatten().collect(),
            status: status(&connections),
            connections,
            tools: integration.tools.len(),
            docs: integration.docs,
            fields: None,
            asks: None,
        }
    }
}

impl ConnectionView {
    fn of(accounts: &Accounts, connection: &Connection) -> Self {
        let Standing { status, reason } = accounts.standing(connection);
        ConnectionView {
            integration: connection.key.integration.clone(),
            account: connection.key.account.clone(),
            status,
            reason,
            name: connection.metadata.get("name").or_else(|| connection.metadata.get("email")).cloned(),
            scopes: connection.scopes.clone(),
            connected_at: connection.connected_at,
            expires_at: expiry(connection),
        }
    }
}

/// The integration as a whole: one account that needs the person is enough to say so.
fn status(connections: &[ConnectionView]) -> &'static str {
    if connections.is_empty() {
        "disconnected"
    } else if connections.iter().any(|connection| connection.status == NEEDS_RECONNECT) {
        NEEDS_RECONNECT
    } else {
        "connected"
    }
}

/// Everything that can be connected, with the caller's own connections.
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    read::query(query.as_deref(), &[])?;
    let accounts = api.accounts().await?;
    let connections = accounts.connections(&caller.principal.user).await?;
    let views: Vec<View> =
        accounts.integrations().map(|integration| View::of(&accounts, integration, &connections)).collect();
    page("integrations", views, None)
}

/// One integration, with the fields that a person fills in to connect it without OAuth.
pub(super) async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
) -> Result<Body<View>, Problem> {
    let accounts = api.accounts().await?;
    let integration = accounts.integration(&id)?;
    let connections = accounts.connections(&caller.principal.user).await?;
    let asks = integration.oauth.as_ref().map(|provider| provider.asks);
    Ok(Body(View { fields: Some(integration.fields), asks, ..View::of(&accounts, integration, &connections) }))
}

/// What an account is connected with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    account: Option<String>,
    #[schemars(with = "BTreeMap<String, String>")]
    credentials: BTreeMap<String, Secret>,
}

/// Connects an account with a key or token, which is tried at the vendor first.
pub(super) async fn connect(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    read::Json(given): read::Json<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    person(&caller)?;
    let accounts = api.accounts().await?;
    let integration = accounts.integration(&id)?;
    let account = given.account.as_deref().unwrap_or(USUAL_ACCOUNT);
    let connected = accounts.connect_with_fields(&caller.principal.user, &id, account, given.credentials).await;
    let connection = connected.map_err(|error| not_accepted(integration, error))?;
    let place = format!("/api/v1/integrations/{}", integration.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Body(ConnectionView::of(&accounts, &connection))))
}

/// What a vendor says to a key that has ended is told otherwise when the key was only just entered.
fn not_accepted(integration: &Integration, error: Error) -> Problem {
    if error.kind() != Kind::Expired {
        return error.into();
    }
    let detail = format!("{} did not accept these credentials", integration.title);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_credentials", detail)
        .next("Make new ones at the vendor, or check that they were copied as a whole. Nothing was stored.")
}

/// What a test found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Tested {
    ok: bool,
    account: String,
    latency_ms: u64,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Asks the vendor whether a connection works. That it does not is a finding, no problem of the request.
pub(super) async fn test(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
) -> Result<Body<Tested>, Problem> {
    person(&caller)?;
    let query = read::query(query.as_deref(), &["account"])?;
    let user = &caller.principal.user;
    let accounts = api.accounts().await?;
    let account = accounts.connection(user, &id, query.get("account").map(String::as_str)).await?.key.account;
    let began = Instant::now();
    let tested = match accounts.test(user, &id, Some(&account)).await {
        Ok(tested) => {
            let parts = [tested.identity.name, tested.identity.detail];
            let detail = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
            Tested { ok: true, account, latency_ms: millis(tested.latency), detail, next: None }
        }
        Err(error) if error.kind() == Kind::Internal => return Err(error.into()),
        Err(error) => Tested {
            ok: false,
            account,
            latency_ms: millis(began.elapsed()),
            detail: error.what().to_owned(),
            next: advice(accounts.integration(&id)?, &error),
        },
    };
    Ok(Body(tested))
}

/// What to do about a connection that does not work, where the error itself does not say it.
fn advice(integration: &Integration, error: &Error) -> Option<String> {
    let own = error.next_step().map(str::to_owned);
    let pause = error.retry_after().map(|pause| format!("Try again in {} s.", pause.as_secs().max(1)));
    let again = matches!(error.kind(), Kind::Expired | Kind::MissingScope);
    own.or(pause).or_else(|| again.then(|| format!("Connect {} again.", integration.title)))
}

/// Ends a connection, at the vendor too where that is possible.
pub(super) async fn disconnect(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    person(&caller)?;
    let query = read::query(query.as_deref(), &["account"])?;
    let account = query.get("account").map(String::as_str);
    api.accounts().await?.disconnect(&caller.principal.user, &id, account).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
