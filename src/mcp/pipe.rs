//! One connection that carries messages both ways: stdio, a WebSocket, a Unix socket.
//!
//! Whoever reads the connection hands every message to [`Pipe::receive`] in order; what goes out is in the
//! channel that the pipe was made with. Requests run beside each other, registered in the order they came, so
//! that a cancellation finds its request.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    envelope::{self, Envelope, Notification, Request, RequestId},
    era::{Meta, Terms, Version},
    exchange::{Exchange, Outlet, Questions},
    flight::{Flight, Flights, Grounded},
    message::{error_text, internal_error, invalid_params, invalid_request, refusal_text, too_long},
    methods::lifecycle::negotiate,
    outgoing::Outgoing,
    server::{Answer, Server},
    wishes::Wishes,
};
use crate::{
    hub::Caller,
    quota::{self, Exceeded, Permit},
};

/// How many requests of one connection run at once.
const AT_ONCE: usize = 64;
/// How many more may wait for their turn.
const AT_MOST: usize = 1024;
/// What a request that waits counts beside its text.
const WAITING: u64 = 1 << 10;
/// What a request that runs counts at least: its work, and its answer until that is written.
pub const RUNNING: u64 = 32 << 10;

/// One connection.
#[derive(Debug)]
pub struct Pipe {
    server: Server,
    caller: Caller,
    outbox: mpsc::Sender<Outgoing>,
    questions: Questions,
    flights: Arc<Flights<RequestId>>,
    turns: Arc<Semaphore>,
    tasks: TaskTracker,
    closing: CancellationToken,
    /// What `initialize` agreed on.
    session: Mutex<Option<Terms>>,
    is_watching: AtomicBool,
    /// What the client of that handshake wants to hear.
    wishes: Arc<Wishes>,
}

impl Pipe {
    /// A connection of `caller`; whatever is to be sent goes into `outbox`.
    pub fn new(server: Server, caller: Caller, outbox: mpsc::Sender<Outgoing>) -> Self {
        let wishes = Wishes::of_session().within(server.quotas(), caller.principal.user.as_str());
        let closing = server.connections().child_token();
        Pipe {
            questions: Questions::until(closing.clone()),
            closing,
            server,
            caller,
            outbox,
            flights: Flights::new(AT_MOST),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: TaskTracker::new(),
            session: Mutex::new(None),
            is_watching: AtomicBool::new(false),
            wishes: Arc::new(wishes),
        }
    }

    /// Takes one message. Waits while the way out is full, so that a client that does not read cannot pile up
    /// answers.
    pub async fn receive(&self, message: &[u8]) {
        if envelope::is_batch(message) && self.takes_batches() {
            return self.batch(message).await;
        }
        self.one(message, &self.outbox).await;
    }

    /// Whether the client speaks 2025-03-26, the one revision with batches.
    fn takes_batches(&self) -> bool {
        self.session().as_ref().is_some_and(|terms| terms.version == Version::March2025)
    }

    /// Takes the messages of a batch; their answers come as one list.
    async fn batch(&self, message: &[u8]) {
        let messages = match envelope::batch(message) {
            Ok(messages) => messages,
            Err(refusal) => return self.send(refusal_text(&refusal)).await,
        };
        let (answers, mut answered) = mpsc::channel(messages.len());
        for message in messages {
            match envelope::decode(message.get().as_bytes()) {
                Ok(Envelope::Request(request)) if request.method == "initialize" => {
                    let error = invalid_request("`initialize` stands alone");
                    let _ = answers.send(error_text(Some(&request.id), &error).into()).await;
                }
                _ => self.one(message.get().as_bytes(), &answers).await,
            }
        }
        drop(answers);
        let outbox = self.outbox.clone();
        self.tasks.spawn(async move {
            let (mut all, mut permits) = (Vec::new(), Vec::new());
            while let Some(answer) = answered.recv().await {
                let Outgoing { text, permit } = answer;
                all.push(text);
                permits.extend(permit);
            }
            if let Some(text) = envelope::batch_text(all.into_iter()) {
                let _ = outbox.send(text.into()).await;
            }
            // What they held is the list's until it is on its way.
            drop(permits);
        });
    }

    /// Takes one message; what answers it goes to `answers`.
    async fn one(&self, message: &[u8], answers: &mpsc::Sender<Outgoing>) {
        match envelope::decode(message) {
            Ok(Envelope::Request(request)) => {
                let taken = self.permit(message).and_then(|permit| self.take(&request, permit, answers));
                if let Err(error) = taken {
                    let _ = answers.send(error_text(Some(&request.id), &error).into()).await;
                }
            }
            Ok(Envelope::Notification(notification)) => self.notification(&notification),
            Ok(Envelope::Response(response)) => {
                let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_default();
                self.questions.answered(response.id, response.outcome.map(read).map_err(read));
            }
            Err(refusal) => drop(answers.send(refusal_text(&refusal).into()).await),
        }
    }

    /// Says that a message was too long to be taken.
    pub async fn too_long(&self, limit: usize) {
        self.send(error_text(None, &too_long(limit))).await;
    }

    /// Waits until the server ends its connections, or nothing more can be written to this one.
    pub async fn closed(&self) {
        tokio::select! {
            () = self.closing.cancelled() => {}
            () = self.outbox.closed() => {}
        }
    }

    /// Whether nothing can be written to the client any more, so that nobody would hear how a call ends.
    pub fn is_deaf(&self) -> bool {
        self.outbox.is_closed()
    }

    /// Ends the connection: streams and questions at once, calls when they are done or `grace` is over.
    pub async fn close(self, grace: Duration) {
        self.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            self.flights.cancel_all();
            // Cancelled requests end at their next breath; a second one is more than enough.
            let _ = tokio::time::timeout(Duration::from_millis(100), self.tasks.wait()).await;
        }
    }

    /// What a message counts against while it waits and is worked on.
    fn permit(&self, message: &[u8]) -> Result<Arc<Permit>, ErrorObjectOwned> {
        let bytes = &self.server.quotas().bytes;
        let permit = bytes.take(self.caller.principal.user.as_str(), quota::weight(message) + WAITING);
        permit.map(Arc::new).map_err(|why| too_much(why))
    }

    /// Registers a request and lets it run.
    fn take(
        &self,
        request: &Request<'_>,
        permit: Arc<Permit>,
        answers: &mpsc::Sender<Outgoing>,
    ) -> Result<(), ErrorObjectOwned> {
        let meta = Meta::of(request.params)?;
        let progress = meta.progress_token()?;
        let terms = self.terms(request, &meta)?;
        let wishes = if terms.version.is_modern() {
            Arc::new(Wishes::from_level(meta.log_level()?))
        } else {
            Arc::clone(&self.wishes)
        };
        let flight = self.flights.start(request.id.clone()).map_err(|why| match why {
            Grounded::Duplicate => invalid_request("a request with this id is running already"),
            Grounded::Full => internal_error("too many requests are running on this connection: wait for answers"),
        })?;
        let exchange = Exchange {
            caller: Caller { client: terms.client.clone(), ..self.caller.clone() },
            terms,
            id: request.id.clone(),
            progress,
            outlet: Some(Outlet::new(self.outbox.clone(), Some(self.questions.clone()))),
            closing: self.closing.clone(),
            headers: None,
            wishes,
            trace: meta.trace(),
            permit: Some(permit),
        };
        self.run(flight, request, exchange, answers.clone());
        Ok(())
    }

    fn run(
        &self,
        flight: Flight<RequestId>,
        request: &Request<'_>,
        exchange: Exchange,
        answers: mpsc::Sender<Outgoing>,
    ) {
        let (server, turns) = (self.server.clone(), Arc::clone(&self.turns));
        let (id, permit) = (exchange.id.clone(), exchange.permit.clone());
        // Whatever goes on afterwards, such as a write that is carried to its end, has nothing more to say.
        let gate = exchange.outlet.as_ref().map(Outlet::gate);
        let (method, params) = (request.method.to_string(), request.params.map(ToOwned::to_owned));
        self.tasks.spawn(async move {
            let work = async {
                // A stream that stays open takes no turn from calls; the server bounds those itself.
                let turn = if method == "subscriptions/listen" { None } else { turns.acquire_owned().await.ok() };
                // Before anything is done: what comes of it will need room.
                let room = exchange.permit.as_ref().map_or(Ok(()), |permit| permit.grow(RUNNING));
                let answer = match room {
                    Ok(()) => server.answer(&method, params, exchange).await,
                    Err(why) => Answer::error(Some(&id), &too_much(why)),
                };
                (answer, turn)
            };
            let (answer, turn) = tokio::select! {
                biased;
                () = flight.token().cancelled() => return,
                done = work => done,
            };
            drop((flight, gate));
            let _ = answers.send(Outgoing::counted(answer.text, permit)).await;
            // Others wait until there is room for what this one had to say.
            drop(turn);
        });
    }

    /// On which terms a request is answered: its own, or those of the handshake.
    fn terms(&self, request: &Request<'_>, meta: &Meta<'_>) -> Result<Terms, ErrorObjectOwned> {
        if meta.claims_modern() {
            return meta.terms();
        }
        if request.method == "initialize" {
            let terms = negotiate(request.params)?;
            *self.session() = Some(terms.clone());
            return Ok(terms);
        }
        if let Some(terms) = self.session().clone() {
            return Ok(terms);
        }
        if request.method == "ping" {
            return Ok(Terms {
                version: Version::November2025,
                capabilities: super::era::Capabilities::default(),
                client: String::new(),
            });
        }
        // The error names what is missing; a client of the legacy era has to begin with `initialize`.
        meta.terms().map_err(|error| {
            let why = error.message();
            invalid_params(&format!("{why}; a client of the revisions before 2026-07-28 sends `initialize` first"))
        })
    }

    fn notification(&self, notification: &Notification<'_>) {
        match &*notification.method {
            "notifications/cancelled" => {
                if let Some(id) = cancelled_id(notification.params) {
                    self.flights.cancel(&id);
                }
            }
            "notifications/initialized" if self.session().is_some() => self.watch(),
            // Nobody here waits for another one.
            _ => {}
        }
    }

    /// Tells a legacy client what has changed.
    fn watch(&self) {
        if self.is_watching.swap(true, Ordering::Relaxed) {
            return;
        }
        let outlet = Outlet::new(self.outbox.clone(), None);
        let closing = self.closing.clone();
        let mut news = self.server.news();
        let wishes = Arc::clone(&self.wishes);
        self.tasks.spawn(async move {
            while let Some(Some(change)) = closing.run_until_cancelled(news.next()).await {
                if let Some((method, params)) = wishes.hint(&change) {
                    outlet.deliver(method, params.as_ref()).await;
                }
            }
        });
    }

    fn session(&self) -> std::sync::MutexGuard<'_, Option<Terms>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, message: String) {
        let _ = self.outbox.send(message.into()).await;
    }
}

/// The refusal of a request for which there is no room.
fn too_much(why: Exceeded) -> ErrorObjectOwned {
    match why {
        Exceeded::Never => invalid_request(&format!("the message is too much to be worked on: {why}")),
        _ => internal_error(&format!("the request was not begun: {why}")),
    }
}

/// Which request a cancellation means.
pub fn cancelled_id(params: Option<&RawValue>) -> Option<RequestId> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Cancelled {
        request_id: RequestId,
    }
    serde_json::from_str::<Cancelled>(params?.get()).ok().map(|cancelled| cancelled.request_id)
}
