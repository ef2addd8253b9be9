//! Who comes in over HTTP: a bearer token in the header of every request, or everybody on loopback.
//!
//! Where everybody may come in, a token that is sent has to be good all the same: whoever sends one means to be the one
//! for whom it speaks, and must not become somebody who may do more because it was revoked.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use axum::{
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{Options, guard::TurnedAway, proxy};
use crate::{
    agents::{Principal, Scope, session_cookie},
    hub::{Caller, Filters},
    mcp::{
        envelope::RequestId,
        message::{error_text, internal_error, invalid_request},
    },
    secret::Secret,
};

/// Who may come in.
#[derive(Clone)]
pub enum Access {
    /// Everybody, as this principal: for loopback only.
    Open(Principal),
    /// The same for who brings no token; whoever brings one comes as the one for whom it speaks, or not at all.
    Welcoming(Principal, Arc<dyn Authenticate>),
    /// Whoever has a token that this accepts.
    Bearer(Arc<dyn Authenticate>),
}

/// Tells whose a bearer token is.
pub trait Authenticate: Send + Sync {
    /// The principal behind `token`. Compares in constant time.
    fn authenticate<'a>(&'a self, token: &'a Secret) -> Authenticating<'a>;

    /// The same, and how far the token reaches: as far as its principal, unless it is overridden.
    fn admit<'a>(&'a self, token: &'a Secret) -> Admitting<'a> {
        Box::pin(async { self.authenticate(token).await.map(Admission::whole) })
    }
}

/// Tells who is behind the cookie of a browser that signed in. REST takes it where no token comes; the protocol does
/// not, because its clients are no browsers.
#[derive(Clone)]
pub struct Browsers(pub Arc<dyn Authenticate>);

impl fmt::Debug for Browsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browsers")
    }
}

/// Who sits at the browser that sent a request without a token, when it has signed in.
pub(super) async fn browser(options: &Options, headers: &HeaderMap, extensions: &Extensions) -> Option<Caller> {
    let browsers = options.browsers.as_ref().filter(|_| !headers.contains_key(header::AUTHORIZATION))?;
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let admission = browsers.0.admit(&session_cookie(values)?).await.ok()?;
    Some(Visitor::new(options, admission, extensions).caller)
}

/// A running look at whose a token is.
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Principal, Denied>> + Send + 'a>>;

/// A running look at a token.
pub type Admitting<'a> = Pin<Box<dyn Future<Output = Result<Admission, Denied>> + Send + 'a>>;

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whose it is.
    pub principal: Principal,
    /// How far it reaches.
    pub scope: Scope,
    /// For how long it goes on to count; `None` when nobody knows.
    pub counts_for: Option<Duration>,
}

impl Admission {
    /// All that the principal may do, without an end.
    pub fn whole(principal: Principal) -> Self {
        Admission { principal, scope: Scope::Admin, counts_for: None }
    }
}

/// Why a token does not open the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is unknown, ended, or meant for somebody else.
    Invalid,
    /// It is good, and does not allow this; names the scopes that would.
    Scope(String),
    /// It is good, and nobody here is the person whom it names.
    Stranger,
    /// It could not be looked at now.
    Unavailable,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Open(principal) => f.debug_tuple("Open").field(principal).finish(),
            Access::Welcoming(principal, _) => f.debug_tuple("Welcoming").field(principal).finish_non_exhaustive(),
            Access::Bearer(_) => f.write_str("Bearer"),
        }
    }
}

/// Whose request this is, or the refusal. A token that may only look is refused: this is for what has no filters.
pub async fn caller(options: &Options, headers: &HeaderMap, extensions: &Extensions) -> Result<Caller, Box<Response>> {
    let visitor = visitor(options, headers, extensions).await?;
    if visitor.beyond.is_some() {
        return Err(Box::new(refusal(options, &Denied::Scope(Scope::Write.needed().to_owned()))));
    }
    Ok(visitor.caller)
}

/// Somebody who was let in.
pub(super) struct Visitor {
    /// Who it is, with what the operator and the token allow.
    pub(super) caller: Caller,
    /// Who it would be with a token that may also write, when this one may not.
    pub(super) beyond: Option<Caller>,
    /// For how long the token goes on to count.
    pub(super) counts_for: Option<Duration>,
}

impl Visitor {
    fn new(options: &Options, admission: Admission, extensions: &Extensions) -> Self {
        let caller = Caller::new(admission.principal);
        let caller = Caller { filters: options.filters.clone(), address: proxy::client(extensions), ..caller };
        let counts_for = admission.counts_for;
        if admission.scope >= Scope::Write {
            return Visitor { caller, beyond: None, counts_for };
        }
        let filters = Filters { read_only: true, ..caller.filters.clone() };
        Visitor { caller: Caller { filters, ..caller.clone() }, beyond: Some(caller), counts_for }
    }
}

/// Who comes, and how far the token reaches, or the refusal.
pub(super) async fn visitor(
    options: &Options,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Visitor, Box<Response>> {
    let admission = match &options.access {
        Access::Open(principal) => Admission::whole(principal.clone()),
        Access::Welcoming(principal, _) if !headers.contains_key(header::AUTHORIZATION) => {
            Admission::whole(principal.clone())
        }
        Access::Welcoming(_, authenticate) | Access::Bearer(authenticate) => {
            let Some(token) = bearer(headers) else {
                return Err(Box::new(unauthorized(options, None)));
            };
            authenticate.admit(&token).await.map_err(|denied| Box::new(refusal(options, &denied)))?
        }
    };
    Ok(Visitor::new(options, admission, extensions))
}

/// For how long a look at the token of an open connection counts.
const LOOK: Duration = Duration::from_secs(1);

/// The token with which a connection was opened: it is looked at again for as long as the connection lasts, because a
/// token that was revoked, or whose person was removed, must not go on through a socket that is open already.
pub(super) struct Pass {
    authenticate: Arc<dyn Authenticate>,
    token: Secret,
    looked: Instant,
}

impl Pass {
    /// The token that was just let in; `None` where none was shown.
    pub(super) fn of(options: &Options, headers: &HeaderMap) -> Option<Pass> {
        let (Access::Welcoming(_, authenticate) | Access::Bearer(authenticate)) = &options.access else { return None };
        Some(Pass { authenticate: Arc::clone(authenticate), token: bearer(headers)?, looked: Instant::now() })
    }

    /// Whether it still opens the door. A store that is away for a while takes nobody's right.
    pub(super) async fn is_good(&mut self) -> bool {
        if self.looked.elapsed() < LOOK {
            return true;
        }
        self.looked = Instant::now();
        !matches!(
            self.authenticate.admit(&self.token).await,
            Err(Denied::Invalid | Denied::Stranger | Denied::Scope(_))
        )
    }
}

/// Tells a client to come back with a token that may write.
pub(super) fn step_up(options: &Options, id: &RequestId) -> Response {
    let mut response = refusal(options, &Denied::Scope(Scope::Write.needed().to_owned()));
    *response.body_mut() = error_text(Some(id), &invalid_request("the token does not allow this")).into();
    response
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
        Denied::Stranger => {
            let why = "the token is good, and nobody here is the person whom it names: ask the administrator";
            challenge(options, StatusCode::FORBIDDEN, None, why)
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
    // What a client should ask its authorization server for, to be able to do what is offered here.
    let scope = if options.filters.read_only { Scope::Read } else { Scope::Write };
    let scope = options.resource_metadata.as_ref().map(|_| format!("scope=\"{}\"", scope.needed()));
    let parts: Vec<&str> = [detail, scope.as_deref()].into_iter().flatten().collect();
    let detail = parts.join(", ");
    challenge(options, StatusCode::UNAUTHORIZED, Some(detail.as_str()).filter(|detail| !detail.is_empty()), why)
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
