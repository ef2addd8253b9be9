//! A legacy POST, GET or DELETE: what was agreed on stands in the session.

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use super::{
    Visit, accepted, crowded, failed, not_allowed,
    stream::{self, Answering, Talk},
};
use crate::{
    hub::Caller,
    mcp::{
        self, Answer, Outgoing,
        envelope::{self, Notification, Request, RequestId},
        era::{Meta, Terms, Version},
        exchange::{Exchange, Field, Outlet},
        flight::Grounded,
        message::{internal_error, invalid_request, notification_text},
        session::Session,
        wishes::Wishes,
    },
};

/// How many messages may wait for a client to read them.
pub(super) const OUTBOX: usize = 64;
/// The header of the session.
const SESSION: &str = "mcp-session-id";
/// The methods with which a client says what it wants to hear: every node has to know of it.
const STATES_WISHES: [&str; 3] = ["logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

impl Visit<'_> {
    /// Answers a legacy request. It goes on when the client leaves, because only a cancellation ends it
    /// (2025-11-25, basic/transports).
    pub(super) async fn legacy_request(&self, request: &Request<'_>, meta: &Meta<'_>) -> Response {
        if request.method == "initialize" {
            return self.initialize(request).await;
        }
        let session = match self.session(Some(&request.id)).await {
            Ok(session) => session,
            Err(refusal) => return *refusal,
        };
        let progress = match meta.progress_token() {
            Ok(progress) => progress,
            Err(error) => return failed(StatusCode::BAD_REQUEST, Some(&request.id), &error),
        };
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let questions = self.server.questions().scoped(&session.id);
        let outlet = self.takes_events.then(|| Outlet::new(outbox, Some(questions)));
        let wishes = self.server.sessions().wishes(&session);
        let trace = meta.trace();
        let exchange = self.exchange(session.terms.clone(), &request.id);
        let exchange = Exchange { progress, outlet, wishes, trace, ..exchange };
        match self.start(&session, request, exchange) {
            Ok(answer) => self.say(&session, Box::pin(async move { answer.await.ok() }), messages).await,
            Err((status, error)) => failed(status, Some(&request.id), &error),
        }
    }

    /// Says what comes of a request of `session`.
    pub(super) async fn say(
        &self,
        session: &Session,
        answering: Answering,
        messages: mpsc::Receiver<Outgoing>,
    ) -> Response {
        let keep_alive = self.options.keep_alive;
        let talk = self.talk(answering, messages);
        // Another status than 200 would tell this client something about its session.
        let status = |_| StatusCode::OK;
        // Clients before that revision take an event without data for a broken one.
        if session.terms.version < Version::November2025 {
            return talk.respond(status, Talk::stream).await;
        }
        let person = self.caller.principal.user.as_str();
        let record = |first, Talk { answering, messages, .. }| {
            self.tapes.record(person, &session.id, first, answering, messages).from_start(keep_alive)
        };
        talk.respond(status, record).await
    }

    /// Takes a legacy notification.
    pub(super) async fn legacy_notification(&self, notification: &Notification<'_>) -> Response {
        let session = match self.session(None).await {
            Ok(session) => session,
            Err(refusal) => return *refusal,
        };
        if notification.method == "notifications/cancelled"
            && let Some(id) = mcp::cancelled_id(notification.params)
        {
            self.server.session_flights().cancel(&(Arc::from(session.id), id));
        }
        accepted()
    }

    /// Takes an answer to a request of ours.
    pub(super) async fn legacy_response(&self, response: envelope::Response<'_>) -> Response {
        let session = match self.session(None).await {
            Ok(session) => session,
            Err(refusal) => return *refusal,
        };
        let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_default();
        let outcome = response.outcome.map(read).map_err(read);
        self.server.questions().scoped(&session.id).answered(response.id, outcome);
        accepted()
    }

    /// Opens the stream of a session, which tells when lists have changed; or goes on with one that was lost.
    pub(super) async fn get(&self) -> Response {
        if self.headers.session == Field::Absent {
            return not_allowed();
        }
        let session = match self.session(None).await {
            Ok(session) => session,
            Err(refusal) => return *refusal,
        };
        if !self.takes_events {
            return failed(StatusCode::NOT_ACCEPTABLE, None, &invalid_request("a stream is text/event-stream"));
        }
        match &self.last_event {
            Field::Absent => {}
            Field::Text(event) if let Some((tape, heard)) = self.tapes.find(&session.id, event) => {
                return tape.resume(heard, self.options.keep_alive);
            }
            _ => {
                let why = "nothing is known of the stream that Last-Event-ID names: make its request again";
                return failed(StatusCode::BAD_REQUEST, None, &invalid_request(why));
            }
        }
        let place = match self.server.quotas().streams.take(self.caller.principal.user.as_str(), 1) {
            Ok(place) => place,
            Err(why) => return crowded("too many streams are open", why),
        };
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let mut news = self.server.news();
        let server = self.server.clone();
        let (closing, held) = self.closing();
        let watching = async move {
            let (_place, _held) = (place, held);
            let sessions = server.sessions();
            while let Some(Some(change)) = closing.run_until_cancelled(news.next()).await {
                // The request that subscribes may have gone to another node.
                sessions.learn_wishes(&session).await;
                if let Some((method, params)) = sessions.wishes(&session).hint(&change) {
                    // A hint that finds no room is not missed: others are waiting there already.
                    let _ = outbox.try_send(notification_text(method, params.as_ref()).into());
                }
            }
            None
        };
        stream::open(messages, self.options.keep_alive, Box::pin(watching))
    }

    /// Ends a session and what runs in it.
    pub(super) async fn delete(&self) -> Response {
        if self.headers.session == Field::Absent {
            return not_allowed();
        }
        let session = match self.session(None).await {
            Ok(session) => session,
            Err(refusal) => return *refusal,
        };
        if !self.server.sessions().end(&session).await {
            let error = internal_error("the end of this session could not be written down: try again");
            return failed(StatusCode::SERVICE_UNAVAILABLE, None, &error);
        }
        self.server.session_flights().cancel_where(|(id, _)| **id == *session.id);
        self.tapes.forget(&session.id);
        StatusCode::NO_CONTENT.into_response()
    }

    async fn initialize(&self, request: &Request<'_>) -> Response {
        let terms = match mcp::negotiate(request.params) {
            Ok(terms) => terms,
            Err(error) => return failed(StatusCode::BAD_REQUEST, Some(&request.id), &error),
        };
        let session = self.server.sessions().start(terms, &self.caller.principal);
        let exchange = self.exchange(session.terms, &request.id);
        let answer = self.server.answer(&request.method, request.params.map(ToOwned::to_owned), exchange).await;
        let mut response = super::access::json(StatusCode::OK, answer.text);
        if let Ok(id) = HeaderValue::from_str(&session.id) {
            response.headers_mut().insert(SESSION, id);
        }
        response
    }

    /// The session that the request names, or the refusal.
    pub(super) async fn session(&self, id: Option<&RequestId>) -> Result<Session, Box<Response>> {
        let refused = |status, why| Err(Box::new(failed(status, id, &invalid_request(why))));
        let is_known = |version: &Field| match version {
            Field::Absent => true,
            Field::Spoilt => false,
            Field::Text(name) => Version::parse(name).is_some(),
        };
        if !is_known(&self.headers.version) {
            return refused(StatusCode::BAD_REQUEST, "the header MCP-Protocol-Version names no version that is served");
        }
        let Field::Text(named) = &self.headers.session else {
            let why = "the header Mcp-Session-Id is missing: send `initialize` first, or speak the 2026-07-28 revision";
            return refused(StatusCode::BAD_REQUEST, why);
        };
        match self.server.sessions().find(named, &self.caller.principal).await {
            Some(session) => Ok(session),
            None => refused(StatusCode::NOT_FOUND, "this session is not known, or has ended: send `initialize` again"),
        }
    }

    pub(super) fn exchange(&self, terms: Terms, id: &RequestId) -> Exchange {
        Exchange {
            caller: Caller { client: terms.client.clone(), ..self.caller.clone() },
            terms,
            id: id.clone(),
            progress: None,
            outlet: None,
            closing: self.server.connections(),
            headers: None,
            wishes: Arc::new(Wishes::of_session()),
            trace: None,
            permit: Some(Arc::clone(&self.permit)),
        }
    }

    /// Lets a request run on its own; the receiver ends without an answer when it is cancelled.
    pub(super) fn start(
        &self,
        session: &Session,
        request: &Request<'_>,
        exchange: Exchange,
    ) -> Result<oneshot::Receiver<Answer>, (StatusCode, ErrorObjectOwned)> {
        let key = (Arc::from(session.id.as_str()), request.id.clone());
        let flight = self.server.session_flights().start(key).map_err(|why| match why {
            Grounded::Duplicate => {
                (StatusCode::BAD_REQUEST, invalid_request("a request with this id is running already"))
            }
            Grounded::Full => (StatusCode::SERVICE_UNAVAILABLE, internal_error("too many requests are running")),
        })?;
        let (server, method, session) = (self.server.clone(), request.method.to_string(), session.clone());
        let params = request.params.map(ToOwned::to_owned);
        let (sender, answer) = oneshot::channel();
        // A request that was cancelled has nothing more to say.
        let gate = exchange.outlet.as_ref().map(Outlet::gate);
        tokio::spawn(async move {
            let _gate = gate;
            tokio::select! {
                biased;
                () = flight.token().cancelled() => {}
                answer = server.answer(&method, params, exchange) => {
                    if STATES_WISHES.contains(&&*method) && answer.error.is_none() {
                        server.sessions().keep_wishes(&session).await;
                    }
                    let _ = sender.send(answer);
                }
            }
        });
        Ok(answer)
    }
}
