//! The calls that are under way, and the sessions that wait for one: a bounded number of both.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use serde_json::Value;
use tokio::{sync::oneshot, time::Instant};

use super::{Answering, LARGEST_DATA, StartRequest, lines::Lines, unknown};
use crate::{
    agents::Principal,
    api::Problem,
    hub::Caller,
    id::{self, SharedEntropy},
    voice::{
        line::line,
        peer::{Call, Peer, Reach, Refused, Settings},
    },
};

/// So many sessions may wait; the oldest gives way.
const MOST_SESSIONS: usize = 1_000;

/// So many of one person's; their oldest gives way.
const MOST_SESSIONS_EACH: usize = 50;

/// How long a session counts. A client that lost its call comes back to it.
const SESSION: Duration = Duration::from_hours(2);

/// The exchange.
#[derive(Debug)]
pub struct Calls {
    answering: Arc<dyn Answering>,
    pub settings: Arc<Settings>,
    entropy: SharedEntropy,
    lines: Lines,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<String, Entry>,
    sessions: HashMap<String, Session>,
}

#[derive(Debug)]
struct Entry {
    owner: Principal,
    call: Arc<Call>,
}

/// What `/start` prepared.
#[derive(Debug)]
struct Session {
    owner: Principal,
    data: Value,
    until: Instant,
}

/// An answered offer.
#[derive(Debug)]
pub struct Answered {
    /// The name of the call.
    pub id: String,
    /// The answer.
    pub sdp: String,
}

impl Calls {
    pub fn new(answering: Arc<dyn Answering>, settings: Settings, entropy: SharedEntropy) -> Self {
        let settings = Arc::new(settings);
        Calls { answering, lines: Lines::new(Arc::clone(&settings)), settings, entropy, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> String {
        id::token(&*self.entropy).expose().to_owned()
    }

    pub fn count(&self) -> usize {
        self.state().calls.len()
    }

    /// Prepares a session for `owner`.
    pub async fn prepare(&self, owner: Principal, request: StartRequest) -> Result<String, Problem> {
        is_small(&request)?;
        self.answering.admits(&owner, &request).await?;
        Ok(self.keep(owner, request.data))
    }

    fn keep(&self, owner: Principal, data: Value) -> String {
        let name = self.name();
        let now = Instant::now();
        let mut state = self.state();
        state.sessions.retain(|_, session| session.until > now);
        let own = |session: &Session| session.owner.user == owner.user;
        if state.sessions.values().filter(|session| own(session)).count() >= MOST_SESSIONS_EACH {
            state.drop_oldest(own);
        } else if state.sessions.len() >= MOST_SESSIONS {
            state.drop_oldest(|_| true);
        }
        state.sessions.insert(name.clone(), Session { owner, data, until: now + SESSION });
        name
    }

    /// What a session of `owner` was prepared with.
    pub fn session(&self, owner: &Principal, name: &str) -> Result<Value, Problem> {
        let state = self.state();
        let session = state.sessions.get(name).filter(|session| session.owner == *owner);
        let session = session.filter(|session| session.until > Instant::now()).ok_or_else(|| unknown("session"))?;
        Ok(session.data.clone())
    }

    /// The call of `owner` with this name.
    pub fn call(&self, owner: &Principal, name: &str) -> Result<Arc<Call>, Problem> {
        let state = self.state();
        let entry = state.calls.get(name).filter(|entry| entry.owner == *owner).ok_or_else(|| unknown("call"))?;
        Ok(Arc::clone(&entry.call))
    }

    /// Begins a call from an offer. `can_return` says whether the client knows how to come back to it.
    pub async fn begin(
        self: &Arc<Self>,
        caller: Caller,
        offer: String,
        request: StartRequest,
        can_return: bool,
    ) -> Result<Answered, Problem> {
        is_small(&request)?;
        let reach = Reach::of(caller.address);
        let owner = caller.principal;
        self.answering.admits(&owner, &request).await?;
        let place = self.lines.take(&owner.user)?;
        let (peer, sdp) = self.answer(offer, reach).await?;
        let (line, carrier) = line();
        let (connected, is_connected) = oneshot::channel();
        let (call, course) = Call::begin(peer, carrier, can_return, connected);
        let id = self.name();
        self.state().calls.insert(id.clone(), Entry { owner: owner.clone(), call: Arc::new(call) });
        let (calls, name) = (Arc::clone(self), id.clone());
        tokio::spawn(async move {
            course.await;
            calls.state().calls.remove(&name);
            drop(place);
            tracing::info!(calls = calls.count(), "a call has ended");
        });
        let answering = Arc::clone(&self.answering);
        tokio::spawn(async move {
            if is_connected.await.is_ok() {
                answering.begin(owner, request, line);
            }
        });
        tracing::info!(calls = self.count(), "a call has begun");
        Ok(Answered { id, sdp })
    }

    /// Lets a call go on over a new connection.
    pub async fn replace(&self, call: &Call, offer: String, caller: &Caller) -> Result<String, Problem> {
        self.lines.start(&caller.principal.user)?;
        let (peer, sdp) = self.answer(offer, Reach::of(caller.address)).await?;
        call.replace(peer).await;
        Ok(sdp)
    }

    /// Negotiates a call's connection anew.
    pub async fn renegotiate(&self, call: &Call, offer: &str, caller: &Caller) -> Result<String, Problem> {
        self.lines.start(&caller.principal.user)?;
        Ok(call.renegotiate(offer, Reach::of(caller.address)).await?)
    }

    /// Answers an offer in a task of its own: what a stranger sent must not take more down than itself.
    async fn answer(&self, offer: String, reach: Reach) -> Result<(Peer, String), Refused> {
        let settings = Arc::clone(&self.settings);
        let answering = tokio::spawn(async move { Box::pin(Peer::answer(&settings, &offer, reach)).await });
        answering.await.unwrap_or_else(|_| Err(Refused::Offer("the offer cannot be understood".into())))
    }

    pub async fn hang_up(&self) {
        let calls = self.state().calls.values().map(|entry| Arc::clone(&entry.call)).collect::<Vec<_>>();
        for call in calls {
            call.hang_up().await;
        }
    }
}

impl State {
    /// Forgets the oldest of the sessions of which this is true.
    fn drop_oldest(&mut self, is_one: impl Fn(&Session) -> bool) {
        let those = self.sessions.iter().filter(|(_, session)| is_one(session));
        let oldest = those.min_by_key(|(_, session)| session.until).map(|(name, _)| name.clone());
        oldest.and_then(|name| self.sessions.remove(&name));
    }
}

/// What a page gives along is kept; it may not be large.
fn is_small(request: &StartRequest) -> Result<(), Problem> {
    if request.data.to_string().len() <= LARGEST_DATA {
        return Ok(());
    }
    let large = format!("what the page gives along is larger than {} KiB", LARGEST_DATA / 1024);
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", large).next("Send less in `body` or `requestData`."))
}
