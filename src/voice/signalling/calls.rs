//! The calls that are under way, and the sessions that wait for one: a bounded number of both.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use serde_json::Value;
use tokio::time::Instant;

use super::{Answering, StartRequest, unknown};
use crate::{
    agents::Principal,
    api::Problem,
    id::{self, SharedEntropy},
    voice::{
        line::line,
        peer::{Call, Peer, Refused, Settings},
    },
};

/// So many sessions may wait; the oldest gives way.
const MOST_SESSIONS: usize = 1_000;

/// How long a session counts. A client that lost its call comes back to it.
const SESSION: Duration = Duration::from_hours(2);

/// The exchange.
#[derive(Debug)]
pub struct Calls {
    answering: Arc<dyn Answering>,
    pub settings: Arc<Settings>,
    entropy: SharedEntropy,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<String, Entry>,
    sessions: HashMap<String, Session>,
    /// Calls whose offer is being answered.
    coming: usize,
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
        Calls { answering, settings: Arc::new(settings), entropy, state: Mutex::default() }
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
        self.answering.admits(&owner, &request).await?;
        Ok(self.keep(owner, request.data))
    }

    fn keep(&self, owner: Principal, data: Value) -> String {
        let name = self.name();
        let now = Instant::now();
        let mut state = self.state();
        state.sessions.retain(|_, session| session.until > now);
        if state.sessions.len() >= MOST_SESSIONS {
            let oldest = state.sessions.iter().min_by_key(|(_, session)| session.until).map(|(name, _)| name.clone());
            oldest.and_then(|name| state.sessions.remove(&name));
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
        owner: Principal,
        offer: String,
        request: StartRequest,
        can_return: bool,
    ) -> Result<Answered, Problem> {
        self.answering.admits(&owner, &request).await?;
        let place = self.place()?;
        let (peer, sdp) = self.answer(offer).await?;
        let (line, carrier) = line();
        let (call, course) = Call::begin(peer, carrier, can_return);
        let id = self.name();
        self.state().calls.insert(id.clone(), Entry { owner: owner.clone(), call: Arc::new(call) });
        drop(place);
        let (calls, name) = (Arc::clone(self), id.clone());
        tokio::spawn(async move {
            course.await;
            calls.state().calls.remove(&name);
            tracing::info!(calls = calls.count(), "a call has ended");
        });
        tracing::info!(calls = self.count(), "a call has begun");
        self.answering.begin(owner, request, line);
        Ok(Answered { id, sdp })
    }

    /// Lets a call go on over a new connection.
    pub async fn replace(&self, call: &Call, offer: String) -> Result<String, Problem> {
        let (peer, sdp) = self.answer(offer).await?;
        call.replace(peer).await;
        Ok(sdp)
    }

    /// Answers an offer in a task of its own: what a stranger sent must not take more down than itself.
    async fn answer(&self, offer: String) -> Result<(Peer, String), Refused> {
        let settings = Arc::clone(&self.settings);
        let answering = tokio::spawn(async move { Box::pin(Peer::answer(&settings, &offer)).await });
        answering.await.unwrap_or_else(|_| Err(Refused::Offer("the offer cannot be understood".into())))
    }

    pub async fn hang_up(&self) {
        let calls = self.state().calls.values().map(|entry| Arc::clone(&entry.call)).collect::<Vec<_>>();
        for call in calls {
            call.hang_up().await;
        }
    }

    /// Takes a place among the calls, until it is dropped.
    fn place(self: &Arc<Self>) -> Result<Place, Problem> {
        let mut state = self.state();
        if state.calls.len() + state.coming >= self.settings.most_calls {
            tracing::warn!(calls = state.calls.len(), "a call was turned away: there are as many as there may be");
            let busy = format!("all lines are busy: there are {} calls already", self.settings.most_calls);
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", busy);
            return Err(problem.next("Call again in a minute."));
        }
        state.coming += 1;
        Ok(Place(Arc::clone(self)))
    }
}

struct Place(Arc<Calls>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state().coming -= 1;
    }
}
