//! `/users`, `/me` and `/invitations`: people, and how they come in for the first time.

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

use super::{
    Api, BASE, Problem, administrator,
    agents::{NewToken, TokenView, TokenWish, no_such_token},
    page, person, read,
};
use crate::{
    agents::{Acquaintance, Identity, LOCAL, Role, TokenId, User},
    hub::Caller,
    id::UserId,
    secret::Secret,
};

/// Stands for the caller in an address.
const ME: &str = "me";

/// A person.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct UserView {
    /// The person's id.
    id: String,
    /// What people say.
    name: String,
    /// Whether this person administers the server.
    admin: bool,
    /// When the person was added.
    created_at: Timestamp,
}

impl From<User> for UserView {
    fn from(User { id, name, admin, created_at }: User) -> Self {
        UserView { id: id.to_string(), name, admin, created_at }
    }
}

/// Who calls.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Me {
    /// The person.
    user: String,
    /// The person's name; left out for the one of a machine where nobody was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The agent through which the call comes.
    agent: String,
    /// What may be done beside calling tools.
    role: Role,
}

/// Who calls.
pub(super) async fn me(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Result<Body<Me>, Problem> {
    let principal = caller.principal;
    let name = api.agents().await?.user(&principal.user).await?.map(|user| user.name);
    Ok(Body(Me { user: principal.user.to_string(), name, agent: principal.agent.to_string(), role: principal.role }))
}

/// Everybody who was added, by name.
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Body<Value>, Problem> {
    administrator(&caller)?;
    read::query(query.as_deref(), &[])?;
    let users = api.agents().await?.users().await?;
    page("users", users.into_iter().map(UserView::from).collect::<Vec<_>>(), None)
}

/// A person who is to be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// What people say.
    name: String,
    /// Whether this person administers the server.
    #[serde(default)]
    admin: bool,
    /// As whom the person signs in elsewhere. Without it the person is invited.
    #[serde(default)]
    identity: Option<IdentityView>,
}

/// Somebody as an issuer names them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityView {
    /// The `iss` of the person's access tokens, letter by letter.
    issuer: String,
    /// Their `sub`.
    subject: String,
}

/// A person who was added.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Added {
    #[serde(flatten)]
    user: UserView,
    /// How the person comes in; left out for somebody who signs in elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<InvitationView>,
}

/// An invitation as it is shown the one time that it can be seen.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InvitationView {
    /// Good for one use; it is kept as a hash only.
    token: String,
    /// The page that takes it. The part behind `#` is not sent to anybody by a browser.
    link: String,
    /// From when on it is worth nothing.
    expires_at: Timestamp,
}

/// Adds a person, and invites them unless they sign in elsewhere.
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Json(new): read::Json<NewUser>,
) -> Result<impl IntoResponse, Problem> {
    administrator(&caller)?;
    if new.name.chars().count() > 100 || new.name.contains(char::is_control) {
        return Err(Problem::input("`name` is one line from 1 to 100 characters long"));
    }
    let added = if let Some(identity) = new.identity {
        Added { user: api.acquainted(identity, &new.name, new.admin).await?.into(), invitation: None }
    } else {
        let user = api.agents().await?.create_user(&new.name, new.admin).await?;
        let invitation = Some(api.invitation(&user.id).await?);
        Added { user: user.into(), invitation }
    };
    let place = format!("{BASE}/users/{}", added.user.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Body(added)))
}

impl Api {
    /// Adds a person who signs in elsewhere.
    async fn acquainted(&self, identity: IdentityView, name: &str, admin: bool) -> Result<User, Problem> {
        let identity = Identity { issuer: identity.issuer, subject: identity.subject };
        let agents = self.agents().await?;
        if agents.acquaintance(&identity).await? != Acquaintance::Stranger {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "conflict",
                "somebody who signs in as this was added before",
            ));
        }
        match agents.create_user_for(&identity, name, admin).await? {
            Acquaintance::Person(user) => Ok(user),
            Acquaintance::Removed | Acquaintance::Stranger => Err(Problem::new(
                StatusCode::CONFLICT,
                "conflict",
                "somebody else added this person in the same moment",
            )),
        }
    }

    async fn invitation(&self, user: &UserId) -> Result<InvitationView, Problem> {
        let (token, expires_at) = self.agents().await?.invite(user).await?;
        let origin = self.0.origin.as_str().trim_end_matches('/');
        let link = format!("{origin}/login#{}", token.expose());
        Ok(InvitationView { token: token.expose().to_owned(), link, expires_at })
    }
}

/// The person of that id.
pub(super) async fn known(api: &Api, id: &str) -> Result<User, Problem> {
    let user = api.agents().await?.user(&UserId::new(id)).await?;
    user.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such user")
            .next("`GET /api/v1/users` lists who there is.")
    })
}

/// The person in an address: for an administrator anybody, for others themselves.
async fn meant(api: &Api, caller: &Caller, id: &str) -> Result<User, Problem> {
    person(caller)?;
    let own = caller.principal.user.as_str();
    let id = if id == ME { own } else { id };
    if id != own {
        administrator(caller)?;
    }
    known(api, id).await
}

/// Whose tokens are meant. `local` is nobody who was added, and has tokens all the same: the one of the first start.
async fn whose(api: &Api, caller: &Caller, id: &str) -> Result<UserId, Problem> {
    let own = &caller.principal.user;
    if own.as_str() == LOCAL || caller.principal.is_administrator() {
        person(caller)?;
        let id = if id == ME { own.as_str() } else { id };
        if id == LOCAL {
            return Ok(UserId::new(LOCAL));
        }
    }
    meant(api, caller, id).await.map(|user| user.id)
}

/// One person.
pub(super) async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
) -> Result<Body<UserView>, Problem> {
    Ok(Body(meant(&api, &caller, &id).await?.into()))
}

/// What is to be different about a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// What people say.
    #[serde(default)]
    name: Option<String>,
    /// Whether this person administers the server.
    #[serde(default)]
    admin: Option<bool>,
}

/// Changes a person.
pub(super) async fn change(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    read::Json(change): read::Json<UserChange>,
) -> Result<Body<UserView>, Problem> {
    administrator(&caller)?;
    let user = known(&api, &id).await?;
    let agents = api.agents().await?;
    let changed = agents.update_user(&user.id, |user| {
        if let Some(name) = &change.name {
            name.trim().clone_into(&mut user.name);
        }
        user.admin = change.admin.unwrap_or(user.admin);
    });
    Ok(Body(changed.await?.into()))
}

/// Removes a person: ends the connections, also at the vendors where that is possible, and then everything else.
pub(super) async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
) -> Result<StatusCode, Problem> {
    administrator(&caller)?;
    let user = known(&api, &id).await?;
    api.0.hub.remove_user(&user.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invites a person again. The invitation before is worthless from now on.
pub(super) async fn invite(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
) -> Result<impl IntoResponse, Problem> {
    administrator(&caller)?;
    let user = known(&api, &id).await?;
    Ok((StatusCode::CREATED, Body(api.invitation(&user.id).await?)))
}

/// The tokens with which a person speaks for themselves.
pub(super) async fn tokens(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
) -> Result<Body<Value>, Problem> {
    let user = whose(&api, &caller, &id).await?;
    let own = api.agents().await?.tokens(&user).await?.into_iter().filter(|info| info.role > Role::Agent);
    page("tokens", own.map(TokenView::from).collect::<Vec<_>>(), None)
}

/// Makes a token for the caller: nobody makes one that speaks for somebody else.
pub(super) async fn create_token(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Id(id): read::Id,
    read::Json(wish): read::Json<TokenWish>,
) -> Result<impl IntoResponse, Problem> {
    let user = whose(&api, &caller, &id).await?;
    own_only(&caller, &user)?;
    Ok(NewToken::of(api.agents().await?.create_person_token(&user, wish.called()?, wish.expires_at).await?))
}

/// When a new token ends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Renewal {
    /// From when on it is worth nothing; unless it is said, it lasts as long as the one before.
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

/// Puts a new token in the place of one of the caller's own, which is worth nothing from then on.
pub(super) async fn renew_token(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Ids(id, token): read::Ids,
    read::Json(Renewal { expires_at }): read::Json<Renewal>,
) -> Result<impl IntoResponse, Problem> {
    let user = whose(&api, &caller, &id).await?;
    own_only(&caller, &user)?;
    let token = TokenId::parse(&token).ok_or_else(no_such_token)?;
    let renewed = api.agents().await?.renew_person_token(&user, &token, expires_at).await?;
    Ok(NewToken::of(renewed.ok_or_else(no_such_token)?))
}

fn own_only(caller: &Caller, user: &UserId) -> Result<(), Problem> {
    if *user == caller.principal.user {
        return Ok(());
    }
    Err(Problem::forbidden("a token speaks for its person, so nobody else makes it")
        .next("Invite the person: the invitation gives them a token of their own."))
}

/// Makes a person's token worthless.
pub(super) async fn revoke_token(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Ids(id, token): read::Ids,
) -> Result<StatusCode, Problem> {
    let user = whose(&api, &caller, &id).await?;
    let token = TokenId::parse(&token).ok_or_else(no_such_token)?;
    let was_there = api.agents().await?.revoke_token_of(&user, None, &token).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_token()) }
}

/// An invitation as a person brings it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Brought {
    /// The invitation, such as `swi_…`.
    #[schemars(with = "String")]
    invitation: Secret,
}

/// Takes an invitation, once, and gives the person a token for it. It needs no other token: the invitation is one.
pub(super) async fn accept(
    State(api): State<Api>,
    read::Json(Brought { invitation }): read::Json<Brought>,
) -> Result<impl IntoResponse, Problem> {
    let agents = api.agents().await?;
    let user = agents.accept(&invitation).await?.ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "this invitation is not known, was used, or is too old")
            .next("Ask the administrator for a new one.")
    })?;
    Ok(NewToken::of(agents.create_person_token(&user.id, "invitation", None).await?))
}
