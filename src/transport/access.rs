//! Who comes in over HTTP: a bearer token in the header of every request, or everybody on loopback.

use std::{fmt, pin::Pin, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Options, guard::TurnedAway};
use crate::{
    agents::Principal,
    hub::Caller,
    mcp::message::{error_text, internal_error, invalid_request},
    secret::Secret,
};

/// Who may come in.
#[derive(Clone)]
pub enum Access {
    /// Everybody, as this principal: for loopback only.
    Open(Principal),
    /// Whoever has a token that this accepts.
    Bearer(Arc<dyn Authenticate>),
}

/// Tells whose a bearer token is.
pub trait Authenticate: Send + Sync {
    /// The principal behind `token`. Compares in constant time.
    fn authenticate<'a>(&'a self, token: &'a Secret) -> Authenticating<'a>;
}

/// A running look at a token.
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Principal, Denied>> + Send + 'a>>;

/// Why a token does not open the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is unknown, ended, or meant for somebody else.
    Invalid,
    /// It is good, and does not allow this; names the scopes that would.
    Scope(String),
    /// It could not be looked at now.
    Unavailable,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Open(principal) => f.debug_tuple("Open").field(principal).finish(),
            Access::Bearer(_) => f.write_str("Bearer"),
        }
    }
}

/// Whose request this is, or the refusal.
pub(super) async fn caller(options: &Options, headers: &HeaderMap) -> Result<Caller, Box<Response>> {
    let principal = match &options.access {
        Access::Open(principal) => principal.clone(),
        Access::Bearer(authenticate) => {
            let Some(token) = bearer(headers) else {
                return Err(Box::new(unauthorized(options, None)));
            };
            match authenticate.authenticate(&token).await {
                Ok(principal) => principal,
                Err(denied) => return Err(Box::new(refusal(options, &denied))),
            }
        }
    };
    Ok(Caller { principal, filters: options.filters.clone(), client: String::new() })
}

/// The token of `Authorization: Bearer …`, when there is exactly one.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let only = all.next().filter(|_| all.next().is_none())?.to_str().ok()?;
    let (scheme, token) = only.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| Secret::new(token))
}

fn refusal(options: &Options, denied: &Denied) -> Response {
    match denied {
        Denied::Invalid => unauthorized(options, Some("error=\"invalid_token\"")),
        Denied::Scope(scope) => {
            let scope: String =
                scope.chars().filter(|c| c.is_ascii_graphic() && !"\"\\".contains(*c) || *c == ' ').collect();
            let detail = format!("error=\"insufficient_scope\", scope=\"{scope}\"");
            challenge(options, StatusCode::FORBIDDEN, Some(&detail), "the token does not allow this")
        }
        Denied::Unavailable => {
            let why = "tokens cannot be checked now: try again later";
            let mut response = json(StatusCode::SERVICE_UNAVAILABLE, error_text(None, &internal_error(why)));
            response.extensions_mut().insert(TurnedAway(why));
            response
        }
    }
}

fn unauthorized(options: &Options, detail: Option<&str>) -> Response {
    let why = "a valid token is needed: send it as `Authorization: Bearer …`";
    challenge(options, StatusCode::UNAUTHORIZED, detail, why)
}

fn challenge(options: &Options, status: StatusCode, detail: Option<&str>, why: &'static str) -> Response {
    let metadata = options.resource_metadata.as_ref().map(|url| format!("resource_metadata=\"{url}\""));
    let parts: Vec<&str> = [metadata.as_deref(), detail].into_iter().flatten().collect();
    let value = if parts.is_empty() {
        "Bearer realm=\"switchboard\"".to_owned()
    } else {
        format!("Bearer {}", parts.join(", "))
    };
    let mut response = json(status, error_text(None, &invalid_request(why)));
    response.extensions_mut().insert(TurnedAway(why));
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// A JSON body.
pub(super) fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}
