//! `/agents`: named sets of tools, and the tokens with which models use them.

use std::collections::BTreeSet;

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

use super::{Api, Problem, administrator, page, person, read};
use crate::{
    agents::{Role, TokenId, TokenInfo},
    hub::{Caller, Described, Wish},
    id::UserId,
    secret::Secret,
};

/// Whose agents are meant: the caller's own, or for an administrator those of whom `user` names.
async fn whose(api: &Api, caller: &Caller, query: Option<&str>) -> Result<UserId, Problem> {
    let query = read::query(query, &["user"])?;
    let Some(user) = query.get("user").filter(|user| **user != *caller.principal.user.as_str()) else {
        return Ok(caller.principal.user.clone());
    };
    administrator(caller)?;
    super::users::known(api, user).await.map(|user| user.id)
}

/// The agents of a person, by name. The one that is always there is among them.
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    page("agents", api.0.hub.agents_of(&user, &caller.filters).await?, None)
}

/// Makes an agent.
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    read::Json(wish): read::Json<Wish>,
) -> Result<impl IntoResponse, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    let made = api.0.hub.create_agent(&user, wish, &caller.filters).await?;
    let place = format!("{}/agents/{}", super::BASE, made.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Body(made)))
}

/// One agent, by id or name.
pub(super) async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
) -> Result<Body<Described>, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    Ok(Body(api.0.hub.agent_of(&user, &id, &caller.filters).await?))
}

/// Changes what is named, and leaves the rest.
pub(super) async fn change(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
    read::Json(wish): read::Json<Wish>,
) -> Result<Body<Described>, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    Ok(Body(api.0.hub.change_agent(&user, &id, wish, &caller.filters).await?))
}

/// Says what an agent would be like after a change, and what its tools would cost. Nothing is changed.
pub(super) async fn preview(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
    read::Json(wish): read::Json<Wish>,
) -> Result<Body<Described>, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    Ok(Body(api.0.hub.preview_agent(&user, &id, wish, &caller.filters).await?))
}

/// Exactly the tools that an agent is to have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tools {
    /// Their names; those of Switchboard itself are always there.
    tools: BTreeSet<String>,
}

/// Gives an agent exactly these tools.
pub(super) async fn choose(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
    read::Json(Tools { tools }): read::Json<Tools>,
) -> Result<Body<Described>, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    let wish = Wish { tools: Some(tools), ..Wish::default() };
    Ok(Body(api.0.hub.change_agent(&user, &id, wish, &caller.filters).await?))
}

/// Removes an agent and its tokens.
pub(super) async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    api.0.hub.remove_agent(&user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token without the token.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TokenView {
    /// Names it.
    id: String,
    /// Who made it for what.
    name: String,
    /// Whether a model speaks with it, or a person.
    role: Role,
    /// When it was made.
    created_at: Timestamp,
    /// From when on it is worth nothing; left out for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl From<TokenInfo> for TokenView {
    fn from(info: TokenInfo) -> Self {
        let TokenInfo { id, name, role, created_at, expires_at, .. } = info;
        TokenView { id: id.to_string(), name, role, created_at, expires_at }
    }
}

/// A token as it is shown the one time that it can be seen.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct NewToken {
    /// The token itself; it is kept as a hash only.
    token: String,
    #[serde(flatten)]
    about: TokenView,
}

impl NewToken {
    pub(super) fn of((info, token): (TokenInfo, Secret)) -> impl IntoResponse {
        let made = NewToken { token: token.expose().to_owned(), about: info.into() };
        (StatusCode::CREATED, Body(made))
    }
}

/// What a token is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenWish {
    /// What it is for, such as `laptop`.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// From when on it is worth nothing; never unless it is said.
    #[serde(default)]
    pub(super) expires_at: Option<Timestamp>,
}

impl TokenWish {
    /// The name, or what stands for none.
    pub(super) fn called(&self) -> Result<&str, Problem> {
        let name = self.name.as_deref().map_or("token", str::trim);
        if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
            return Err(Problem::input("`name` is one line from 1 to 100 characters long"));
        }
        Ok(name)
    }
}

/// The tokens of an agent.
pub(super) async fn tokens(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    let agent = api.0.hub.agent_called(&user, &id).await?;
    let all = api.agents().await?.tokens(&user).await?;
    let own = all.into_iter().filter(|info| info.role == Role::Agent && info.agent == agent.id);
    page("tokens", own.map(TokenView::from).collect::<Vec<_>>(), None)
}

/// Makes a token for one of the caller's own agents: nobody makes one that speaks for somebody else.
pub(super) async fn create_token(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    read::Json(wish): read::Json<TokenWish>,
) -> Result<impl IntoResponse, Problem> {
    person(&caller)?;
    let user = &caller.principal.user;
    let agent = api.0.hub.agent_called(user, &id).await?;
    let made = api.agents().await?.create_token(user, &agent.id, wish.called()?, wish.expires_at).await?;
    Ok(NewToken::of(made))
}

/// Makes a token of an agent worthless.
pub(super) async fn revoke_token(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Ids(id, token): read::Ids,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    person(&caller)?;
    let user = whose(&api, &caller, query.as_deref()).await?;
    let agent = api.0.hub.agent_called(&user, &id).await?;
    let token = TokenId::parse(&token).ok_or_else(no_such_token)?;
    let was_there = api.agents().await?.revoke_token_of(&user, Some(&agent.id), &token).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_token()) }
}

pub(super) fn no_such_token() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such token here")
        .next("It may have been revoked already: list the tokens to see those that count.")
}
