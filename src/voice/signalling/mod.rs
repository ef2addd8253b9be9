//! How calls begin: offers and answers over HTTP, as Pipecat's clients (`SmallWebRTC`) and WHIP clients (RFC 9725) speak
//! them.
//!
//! The router knows nothing of tokens. Whoever puts it into a server lets it be reached only by known callers and adds
//! the [`Caller`](crate::hub::Caller) to the extensions of each request. A call, and a session that was prepared for
//! one, belong to the person and agent that made them; for others they do not exist.

mod calls;
mod lines;
mod small;
mod whip;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::StatusCode,
    routing::{delete, post},
};
use calls::Calls;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{line::Line, peer};
use crate::{agents::Principal, api::Problem, id::SharedEntropy};

/// A larger body is none: the largest offer, as a string in JSON, with what a page gives along.
const LARGEST: usize = 128 * 1024;

/// What a page gives along is kept for hours; this is enough for a name and some words.
const LARGEST_DATA: usize = 16 * 1024;

/// More candidates at once than a client has.
const MOST_CANDIDATES: usize = 50;

/// Answers calls: holds a conversation on the line of each.
pub trait Answering: fmt::Debug + Send + Sync {
    /// Refuses what no conversation can begin with, such as an agent that is not the caller's.
    fn admits<'a>(&'a self, caller: &'a Principal, request: &'a StartRequest) -> BoxFuture<'a, Result<(), Problem>>;

    /// Begins a conversation, and does not wait for it. The caller is there: for who never connects, nothing begins
    /// that costs anything. The conversation ends with the line, and the line with it.
    fn begin(&self, caller: Principal, request: StartRequest, line: Line);
}

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartRequest {
    /// What the page gave along: `requestData` of the offer, or `body` of `/start`, or the query of a WHIP client; else
    /// null.
    pub data: Value,
}

/// The telephone exchange. Clones share it.
#[derive(Clone, Debug)]
pub struct Signalling(Arc<Calls>);

impl Signalling {
    /// An exchange whose calls are answered by `answering`.
    pub fn new(answering: Arc<dyn Answering>, settings: peer::Settings, entropy: SharedEntropy) -> Self {
        Signalling(Arc::new(Calls::new(answering, settings, entropy)))
    }

    /// How many calls are under way.
    pub fn calls(&self) -> usize {
        self.0.count()
    }

    /// Ends all calls, for instance because the server ends.
    pub async fn hang_up(&self) {
        self.0.hang_up().await;
    }
}

/// The routes: `/start`, `/api/offer`, `/sessions/{session}/api/offer`, `/api/whip` and `/api/whip/{call}`.
pub fn router(signalling: Signalling) -> Router {
    Router::new()
        .route("/start", post(small::start))
        .route("/api/offer", post(small::offer).patch(small::candidates))
        .route("/sessions/{session}/api/offer", post(small::offer_in).patch(small::candidates))
        .route("/api/whip", post(whip::offer))
        .route("/api/whip/{call}", delete(whip::hang_up).patch(whip::candidates))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(signalling)
}

impl From<peer::Refused> for Problem {
    fn from(refused: peer::Refused) -> Self {
        match &refused {
            peer::Refused::Offer(why) => Problem::new(StatusCode::BAD_REQUEST, "bad_offer", why),
            peer::Refused::TooMany => Problem::new(StatusCode::BAD_REQUEST, "too_many_candidates", refused.to_string())
                .next("Send those that are most likely to work first."),
            peer::Refused::NoPort(_) => {
                tracing::error!("{refused}: give SWITCHBOARD_UDP_PORTS a wider range");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_port", refused.to_string()).next("Call again later.")
            }
        }
    }
}

/// A body, whole and not too large.
struct Body(Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = Bytes::from_request(request, state).await;
        read.map(Body).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "this is larger than any offer")
            }
            status => Problem::new(status, "bad_request", "the body broke off"),
        })
    }
}

/// Reads a body of JSON. Its values are not repeated in a refusal.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place = error.path().to_string();
        let kind = match error.inner().classify() {
            serde_json::error::Category::Data => "does not fit",
            _ => "is no JSON",
        };
        let place = if place == "." { String::new() } else { format!(" at `{place}`") };
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", format!("the body {kind}{place}"))
    })
}

fn too_many() -> Problem {
    let many = format!("these are more than {MOST_CANDIDATES} candidates at once");
    Problem::new(StatusCode::BAD_REQUEST, "too_many_candidates", many)
}

fn unknown(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
        .next("It may have ended: begin a new one.")
}
