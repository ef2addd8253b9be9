//! Pages for people: the console, the way in, and the pages behind links out of conversations.
//!
//! Nothing is fetched from elsewhere, no page can be framed, and what stands in a page was escaped on its way. The
//! router knows nothing of hosts: whoever puts it into a server puts a guard before it.

mod assets;
mod connect;
mod page;
mod signing;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
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

#[derive(Clone, Debug)]
struct Inner {
    api: Api,
    visitors: Visitors,
    calls: Option<Calls>,
}

/// What this server brings along for calls from a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Whether it understands speech; else the page listens with what its browser brings, or people type.
    pub hears: bool,
    /// Whether it has a voice; else the page speaks with that of its browser.
    pub speaks: bool,
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
    /// The pages over the resources of `api`, without the one to call an agent.
    pub fn new(api: Api, visitors: Visitors) -> Self {
        Console(Arc::new(Inner { api, visitors, calls: None }))
    }

    /// The same, with the page to call an agent.
    #[must_use]
    pub fn with_calls(self, calls: Calls) -> Self {
        Console(Arc::new(Inner { calls: Some(calls), ..Arc::unwrap_or_clone(self.0) }))
    }

    /// The frame of all pages, with what its scripts must know before they ask for anything.
    fn frame(&self) -> String {
        let mut known = String::new();
        if matches!(self.0.visitors, Visitors::SignedIn(_)) {
            known.push_str("<meta name=\"signed-in\">");
        }
        if let Some(Calls { hears, speaks }) = self.0.calls {
            let has = |is_there: bool, word: &'static str| if is_there { word } else { "" };
            let content = [has(hears, "hears"), has(speaks, "speaks")].join(" ");
            known += "<meta name=\"calls\" content=\"";
            known += &content;
            known += "\">";
        }
        assets::INDEX.replace("<meta name=\"known\">", &known)
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

/// How large the form may be that anybody can send, and how large those are of who has signed in, in bytes.
const LARGEST_ENTRY: usize = 4 << 10;
const LARGEST_FORM: usize = 16 << 10;

/// All pages.
pub fn router(console: Console) -> Router {
    let mut pages = Router::new()
        .route("/login", get(signing::page).post(signing::sign_in).layer(DefaultBodyLimit::max(LARGEST_ENTRY)))
        .route("/logout", post(signing::sign_out));
    for path in PAGES {
        pages = pages.route(path, get(shown));
    }
    if console.0.calls.is_some() {
        pages = pages.route("/call", get(shown));
    }
    finished(pages.merge(linked()), console)
}

/// Where the console is: its scripts show what belongs to each address.
const PAGES: &[&str] = &["/", "/agents", "/agents/{id}", "/approvals", "/audit", "/people", "/welcome"];

/// Only the pages behind links out of conversations: for a process that serves nothing else to browsers.
pub fn links(console: Console) -> Router {
    finished(linked(), console)
}

fn linked() -> Router<Console> {
    Router::new()
        .route("/connect/{link}", get(connect::page).post(connect::go))
        .route("/icon.svg", get(assets::icon))
        .route("/console/{name}", get(assets::file))
}

fn finished(router: Router<Console>, console: Console) -> Router {
    let router = router.layer(DefaultBodyLimit::max(LARGEST_FORM));
    router.layer(middleware::from_fn_with_state(console.clone(), own_pages)).with_state(console)
}

/// A page of the console, for those who are known.
async fn shown(State(console): State<Console>, uri: Uri, headers: HeaderMap) -> Response {
    match console.visitor(&headers).await {
        Some(_) => page::guarded(StatusCode::OK, console.frame()),
        None => signing::first(&uri, &headers),
    }
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
