//! Streamable HTTP at `/mcp`, in both eras.
//!
//! The order of judgement: host and origin, token, size, JSON, then what the era wants. A modern request speaks
//! for itself; a legacy one belongs to the session that `initialize` opened.

mod batch;
mod legacy;
mod modern;
mod narrow;
mod post;
mod scope;
mod stream;
mod tape;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use jsonrpsee::types::ErrorObjectOwned;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::{
    stream::{Answering, Talk},
    tape::Tapes,
};
use super::{Options, access, cors, guard, held};
use crate::{
    hub::{Caller, Filters},
    mcp::{
        Outgoing, Server,
        envelope::RequestId,
        exchange::Field,
        headers::Headers,
        message::{error_text, internal_error, invalid_request, shortened},
    },
    quota::{Exceeded, Permit},
};

/// The routes `/mcp`, `/mcp/readonly` and `/mcp/x/{toolset}`, behind the guard.
pub fn router(server: Server, options: Options) -> Router {
    let hosts = Arc::clone(&options.hosts);
    let tapes = server.quotas().replay.clone();
    let endpoint = Endpoint { server, options: Arc::new(options), tapes: Tapes::new(tapes) };
    let router = Router::new()
        .route("/mcp", any(plain))
        .route("/mcp/readonly", any(readonly))
        .route("/mcp/x/{toolset}", any(toolset))
        .with_state(endpoint);
    guard::protect(cors::answer(router, Arc::clone(&hosts)), hosts)
}

/// What the routes share.
#[derive(Clone)]
struct Endpoint {
    server: Server,
    options: Arc<Options>,
    tapes: Arc<Tapes>,
}

async fn plain(State(endpoint): State<Endpoint>, request: Request) -> Response {
    endpoint.serve(Filters::default(), request).await
}

async fn readonly(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let filters = Filters { read_only: true, ..Filters::default() };
    endpoint.serve(filters, request).await
}

async fn toolset(State(endpoint): State<Endpoint>, Path(toolset): Path<String>, request: Request) -> Response {
    let filters = Filters { toolsets: Some([toolset].into()), ..Filters::default() };
    endpoint.serve(filters, request).await
}

impl Endpoint {
    /// Answers one HTTP request; `route` is what its path narrows.
    async fn serve(&self, route: Filters, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let visitor = match access::visitor(&self.options, &parts.headers, &parts.extensions).await {
            Ok(visitor) => visitor,
            Err(refusal) => return *refusal,
        };
        let asked = match narrow::asked(&parts.headers) {
            Ok(asked) => asked,
            Err(why) => return failed(StatusCode::BAD_REQUEST, None, &invalid_request(&why)),
        };
        if let Some(unknown) = route.unknown_names(self.server.hub().rows()).first() {
            return self.no_such_toolset(unknown);
        }
        let narrowed = |caller: Caller| {
            let filters = caller.filters.narrowed_by(&route).narrowed_by(&asked);
            Caller { filters, ..caller }
        };
        let person = visitor.caller.principal.user.as_str().to_owned();
        let quotas = self.server.quotas();
        let (place, permit) = match (quotas.requests.take(&person, 1), quotas.bytes.take(&person, 0)) {
            (Ok(place), Ok(permit)) => (place, Arc::new(permit)),
            (Err(why), _) | (_, Err(why)) => return crowded("too many requests are under way", why),
        };
        let visit = Visit {
            permit: Arc::clone(&permit),
            server: &self.server,
            options: &self.options,
            tapes: &self.tapes,
            counts_for: visitor.counts_for,
            caller: narrowed(visitor.caller),
            beyond: visitor.beyond.map(narrowed),
            headers: protocol_headers(&parts.headers),
            last_event: field(&parts.headers, "last-event-id"),
            takes_events: takes_events(&parts.headers),
        };
        let response = match parts.method.as_str() {
            "POST" => visit.post(&parts.headers, body).await,
            "GET" => visit.get().await,
            "DELETE" => visit.delete().await,
            _ => not_allowed(),
        };
        held::hold(response, (place, permit))
    }

    /// An empty list would hide that the address has a slip in it.
    fn no_such_toolset(&self, unknown: &str) -> Response {
        let known: BTreeSet<&str> = self.server.hub().rows().iter().map(|row| &*row.toolset.id).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        let why = format!("there is no toolset {:?}; there are: {known}", shortened(unknown));
        failed(StatusCode::NOT_FOUND, None, &invalid_request(&why))
    }
}

/// One HTTP request whose caller is known.
struct Visit<'a> {
    server: &'a Server,
    options: &'a Options,
    tapes: &'a Tapes,
    /// For how long the token goes on to count.
    counts_for: Option<Duration>,
    caller: Caller,
    /// The same caller with a token that may also write, when this one may not.
    beyond: Option<Caller>,
    headers: Headers,
    /// `Last-Event-ID`.
    last_event: Field,
    takes_events: bool,
    /// What the request counts against until it is answered.
    permit: Arc<Permit>,
}

impl Visit<'_> {
    /// What is said to this client, still to be begun.
    fn talk(&self, answering: Answering, messages: mpsc::Receiver<Outgoing>) -> Talk {
        Talk { answering, messages, takes_events: self.takes_events, keep_alive: self.options.keep_alive }
    }

    /// Is cancelled when the server ends, or the token runs out: a stream does not outlive it. The guard goes with
    /// the work.
    fn closing(&self) -> (CancellationToken, Option<DropGuard>) {
        let closing = self.server.connections().child_token();
        let Some(left) = self.counts_for else {
            return (closing, None);
        };
        let (ending, guard) = (closing.clone(), closing.clone().drop_guard());
        tokio::spawn(async move {
            ending.run_until_cancelled(tokio::time::sleep(left)).await;
            ending.cancel();
        });
        (closing, Some(guard))
    }
}

/// The answer with an error and an HTTP status.
fn failed(status: StatusCode, id: Option<&RequestId>, error: &ErrorObjectOwned) -> Response {
    access::json(status, error_text(id, error))
}

/// The refusal of what is too much at once.
fn crowded(what: &str, why: Exceeded) -> Response {
    let error = internal_error(&format!("{what}: {why}"));
    held::retried(why, failed(held::status(why), None, &error))
}

fn not_allowed() -> Response {
    let mut response =
        failed(StatusCode::METHOD_NOT_ALLOWED, None, &invalid_request("send messages with POST to this address"));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    response
}

/// Taken, and nothing to say about it.
fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}

fn protocol_headers(headers: &HeaderMap) -> Headers {
    let params = headers.keys().filter(|name| name.as_str().starts_with("mcp-param-"));
    Headers {
        version: field(headers, "mcp-protocol-version"),
        method: field(headers, "mcp-method"),
        name: field(headers, "mcp-name"),
        session: field(headers, "mcp-session-id"),
        params: params.map(|name| (name.as_str().to_owned(), field(headers, name.as_str()))).collect(),
    }
}

fn field(headers: &HeaderMap, name: &str) -> Field {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Field::Absent,
        (Some(only), None) => only.to_str().map_or(Field::Spoilt, |text| Field::Text(text.trim().to_owned())),
        _ => Field::Spoilt,
    }
}

fn takes_events(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or("").trim();
        kind.eq_ignore_ascii_case("text/event-stream")
    })
}
