//! REST under `/api/v1`, and the health pages: what programs and the console use that speak no MCP.
//!
//! The routers know nothing of tokens. Whoever puts them into a server lets [`router`] be reached only by known callers
//! and adds the [`Caller`] to the extensions of each request. Bodies are JSON; refusals are [`Problem`]s.
//!
//! Tools may be listed and called by every caller, and the own accounts seen. To connect, test or end a connection, to
//! make agents and to answer questions takes a person, and they reach what is theirs; to add people takes an
//! administrator. An agent must neither widen its own reach nor say yes to itself.

mod agents;
mod approvals;
mod audit;
mod chronicle;
mod confirm;
mod consent;
mod health;
mod integrations;
mod metrics;
mod openapi;
mod panic;
mod problem;
mod read;
mod routes;
mod tools;
mod users;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::any,
};
pub use confirm::{Decision, Question};
pub use consent::{Departure, callback};
pub use health::health;
pub use metrics::metrics;
pub use problem::Problem;
use serde::Serialize;
use url::Url;

use crate::{
    agents::Agents,
    hub::{Accounts, Caller, Desk, Hub},
    id::SharedEntropy,
};

/// Where the resources are.
const BASE: &str = "/api/v1";
/// Where vendors send browsers back to, below the base.
const CALLBACK: &str = "/integrations/oauth/callback";

/// What the resources are made of. Clones share it.
#[derive(Clone, Debug)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hub: Hub,
    entropy: SharedEntropy,
    /// The scheme, host and port under which browsers know this server.
    origin: Url,
}

impl Api {
    /// The resources of `hub`. `origin` is where browsers find this server, such as `http://localhost:7411`.
    pub fn new(hub: Hub, origin: Url, entropy: SharedEntropy) -> Self {
        Api(Arc::new(Inner { hub, entropy, origin }))
    }

    /// Where vendors send browsers back to. It stands in their consoles, so nothing of a request decides about it.
    pub fn redirect_uri(&self) -> String {
        format!("{}{BASE}{CALLBACK}", self.0.origin.as_str().trim_end_matches('/'))
    }

    /// Where browsers find this server.
    pub fn origin(&self) -> &Url {
        &self.0.origin
    }

    /// The door to the tools.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    async fn desk(&self) -> Result<Arc<Desk>, Problem> {
        Ok(self.0.hub.desk().await?)
    }

    async fn agents(&self) -> Result<Agents, Problem> {
        Ok(self.0.hub.agents().await?)
    }

    async fn accounts(&self) -> Result<Accounts, Problem> {
        let desk = self.desk().await?;
        desk.accounts.clone().ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "this server has no integrations that could be connected")
        })
    }
}

/// The resources under `/api/v1`. Each request must bring the [`Caller`] among its extensions.
pub fn router(api: Api) -> Router {
    let resources = routes::router(routes::guarded())
        .fallback(nothing_there)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), chronicle::keep))
        .layer(middleware::from_fn_with_state(api.clone(), within_reach))
        .layer(middleware::from_fn_with_state(api.clone(), same_origin))
        .with_state(api);
    // What is nested takes the base with anything behind it, but not with a bare slash.
    Router::new().nest(BASE, resources).route(&format!("{BASE}/"), any(nothing_there))
}

/// What needs no token: the address that vendors send browsers back to, where the state of the answer is what counts;
/// the description of the rest; and where an invitation is taken.
pub fn open(api: Api) -> Router {
    let open = routes::router(routes::open())
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), same_origin))
        .with_state(api.clone());
    consent::callback(api).nest(BASE, open)
}

async fn nothing_there() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
        .next("docs/rest.md lists the addresses.")
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address does not take that method")
        .next("The header `Allow` lists those that it takes.")
}

/// Lets pages of this server write, and programs, which send no `Origin`; not pages of other programs on this machine.
async fn same_origin(State(api): State<Api>, request: Request, next: Next) -> Response {
    let is_own = is_own_page(&api.0.origin, request.uri(), request.headers());
    if !request.method().is_safe() && !is_own {
        return Problem::forbidden("pages of other origins may not change anything here").into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// While the store is out of reach, only the tools are there: their calls go on with what was read before.
async fn within_reach(State(api): State<Api>, request: Request, next: Next) -> Response {
    let is_tool = request.uri().path().starts_with("/tools");
    match api.desk().await {
        Ok(desk) if is_tool || !desk.is_away() => next.run(request).await,
        Ok(_) => Problem::unavailable("the store does not answer").into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Whether no page of another server made the request: `own` is where browsers find this one.
pub fn is_own_page(own: &Url, uri: &Uri, headers: &HeaderMap) -> bool {
    let own = own.origin().ascii_serialization();
    let called = host(uri, headers);
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().unwrap_or("null");
        let host = origin.split_once("://").map(|(_, host)| host);
        origin == own || host.is_some_and(|host| called.is_some_and(|called| called.eq_ignore_ascii_case(host)))
    })
}

/// The name and port under which the server was called.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
}

/// Whether `caller` is a person, who may change what is theirs.
fn person(caller: &Caller) -> Result<(), Problem> {
    if caller.principal.is_person() {
        return Ok(());
    }
    Err(Problem::forbidden("only a person may do this, not an agent")
        .next("Ask the person to do it, with a token of their own or on the command line."))
}

/// Whether `caller` may change people, and what is everybody's.
fn administrator(caller: &Caller) -> Result<(), Problem> {
    if caller.principal.is_administrator() {
        return Ok(());
    }
    Err(Problem::forbidden("only an administrator may do this").next("Ask the administrator to do it."))
}

/// A list as all resources give it: `{"<plural>": […]}`, and a cursor when there is more.
fn page(plural: &str, items: impl Serialize, cursor: Option<String>) -> Result<Json<serde_json::Value>, Problem> {
    let mut page = serde_json::json!({ plural: serde_json::to_value(items).map_err(Problem::internal)? });
    if let Some(cursor) = cursor {
        page["cursor"] = cursor.into();
    }
    Ok(Json(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, origin: Option<&str>, expected: bool) {
        let own = "https://tools.example.com".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(is_own_page(&own, &Uri::from_static("/"), &headers), expected, "{origin:?} at {host}");
    }

    #[test]
    fn only_pages_of_this_server_may_write() {
        check("localhost:7411", None, true);
        check("localhost:7411", Some("http://localhost:7411"), true);
        check("127.0.0.1:80", Some("https://tools.example.com"), true);
        check("localhost:7411", Some("http://localhost:3000"), false);
        check("localhost:7411", Some("http://127.0.0.1:7411"), false);
        check("localhost:7411", Some("http://evil.example.com"), false);
        check("localhost:7411", Some("null"), false);
    }
}
