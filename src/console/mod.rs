//! Pages for people: the console, the way in, and the pages behind links out of conversations.
//!
//! Nothing is fetched from elsewhere, no page can be framed, and what stands in a page was escaped on its way. The
//! router knows nothing of hosts: whoever puts it into a server puts a guard before it.

mod connect;
mod page;
mod signing;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    agents::{Agents, Principal, session_cookie},
    api::{Api, is_own_page},
};

/// The pages. Clones share everything.
#[derive(Clone, Debug)]
pub struct Console(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    visitors: Visitors,
}

/// Who comes with a browser.
#[derive(Clone, Debug)]
pub enum Visitors {
    /// Everybody is this person: on loopback, where nobody set up others.
    Everybody(Principal),
    /// Those who signed in with a token.
    SignedIn(Agents),
}

impl Console {
    /// The pages over the resources of `api`.
    pub fn new(api: Api, visitors: Visitors) -> Self {
        Console(Arc::new(Inner { api, visitors }))
    }

    /// Who sent a request, when that is known.
    async fn visitor(&self, headers: &HeaderMap) -> Option<Principal> {
        match &self.0.visitors {
            Visitors::Everybody(principal) => Some(principal.clone()),
            Visitors::SignedIn(agents) => {
                let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
                let cookie = session_cookie(values)?;
                agents.principal_in_session(&cookie).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "a session could not be looked at");
                    None
                })
            }
        }
    }
}

/// All pages.
pub fn router(console: Console) -> Router {
    let pages = Router::new()
        .route("/", get(home))
        .route("/console.js", get(|| async { asset("text/javascript; charset=utf-8", page::SCRIPT) }))
        .route("/login", get(signing::page).post(signing::sign_in))
        .route("/logout", post(signing::sign_out));
    finished(pages.merge(linked()), console)
}

/// Only the pages behind links out of conversations: for a process that serves nothing else to browsers.
pub fn links(console: Console) -> Router {
    finished(linked(), console)
}

fn linked() -> Router<Console> {
    Router::new()
        .route("/connect/{link}", get(connect::page).post(connect::go))
        .route("/icon.svg", get(|| async { asset("image/svg+xml", page::ICON) }))
        .route("/console.css", get(|| async { asset("text/css; charset=utf-8", page::STYLE) }))
}

fn finished(router: Router<Console>, console: Console) -> Router {
    router.layer(middleware::from_fn_with_state(console.clone(), own_pages)).with_state(console)
}

/// The console itself, for those who are known.
async fn home(State(console): State<Console>, uri: Uri, headers: HeaderMap) -> Response {
    match console.visitor(&headers).await {
        Some(_) => page::guarded(StatusCode::OK, page::INDEX),
        None => signing::first(&uri, &headers),
    }
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

/// Takes forms of our own pages only, and sends browsers to the one name of this server that its cookies belong to.
async fn own_pages(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    if !request.method().is_safe() {
        let is_own = headers.contains_key(header::ORIGIN) && is_own_page(console.0.api.origin(), uri, headers);
        if !is_own {
            return page::told(StatusCode::FORBIDDEN, "This was not done", "Only pages of Switchboard may do this.");
        }
    }
    if request.method() == Method::GET
        && let Some(place) = proper_name(&console, uri, headers)
    {
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response();
    }
    next.run(request).await
}

/// The same page under the name that vendors send browsers back to, where a browser came by another name of this
/// machine: cookies that are set under one name are not sent to the other.
fn proper_name(console: &Console, uri: &Uri, headers: &HeaderMap) -> Option<HeaderValue> {
    const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
    let own = console.0.api.origin().host_str().filter(|host| LOOPBACK.contains(host))?;
    let called = headers.get(header::HOST)?.to_str().ok()?;
    let (name, port) = match called.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, format!(":{port}")),
        _ => (called, String::new()),
    };
    let is_other = name != own && LOOPBACK.contains(&name);
    let target = uri.path_and_query().filter(|_| is_other)?;
    HeaderValue::try_from(format!("http://{own}{port}{target}")).ok()
}
