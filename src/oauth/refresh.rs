//! Refreshing: once per generation, however many ask, on however many nodes.
//!
//! In a process, all who need the same refresh wait for one task; a caller that goes away does not stop it. Between
//! nodes a lease lets one go first, and compare-and-swap on the generation decides when the lease fails. The new
//! pair is on disk before anyone uses it.

use std::{
    collections::HashMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    App, Broker, Endpoints, Error, Fresh, Result,
    broker::{is_due, refresh_token},
    place,
    token::{self, Refusal, Tokens},
    wire,
};
use crate::{
    http,
    secret::Secret,
    store::Lease,
    vault::{Connection, ConnectionKey, Credential, Opened, Reason, Status, When},
};

/// How long a lease lasts: longer than two attempts with their pauses, so that it ends early only with its node.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// How long a node waits for another one's refresh beyond the lease, so that the lease of a dead node is free again.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a waiting node looks.
const LOOK: Duration = Duration::from_millis(50);

/// How long a connection is left alone after a refresh that failed for a reason that may pass.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// The longest rest that a vendor may ask for.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// How often a refresh is sent at most.
const TRIES: u32 = 2;

/// The pause between the two.
const PAUSE: Duration = Duration::from_millis(250);

/// How often a write is tried, against other writers or a failing disk.
const WRITES: u32 = 5;

type Outcome = Result<Fresh>;

/// Refreshes under way, by connection and the generation that they replace.
pub(super) type Flights = HashMap<(ConnectionKey, u64), watch::Receiver<Option<Outcome>>>;

/// A connection that is left alone for a while.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    generation: u64,
    until: Timestamp,
    error: Error,
}

impl Broker {
    /// A token of a later generation than `tried`.
    pub(super) async fn refreshed(&self, key: &ConnectionKey, tried: u64, endpoints: &Endpoints, app: &App) -> Outcome {
        if let Some(error) = self.rest(key, tried) {
            return Err(error);
        }
        let mut flight = self.join(key, tried, endpoints, app);
        let landed = flight.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        landed.unwrap_or_else(|| Err(unavailable(endpoints, "was not asked to the end", COOL_DOWN)))
    }

    /// Waits for the refreshes that are under way: before the process stops.
    pub async fn settle(&self) {
        let flights: Vec<_> = self.flights().values().cloned().collect();
        for mut flight in flights {
            // A flight that crashed has ended, too.
            drop(flight.wait_for(Option::is_some).await);
        }
    }

    pub(super) fn flights(&self) -> MutexGuard<'_, Flights> {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The refresh that is under way, or a new one. It runs on its own: its answer must be stored even when all who
    /// asked have gone.
    fn join(
        &self,
        key: &ConnectionKey,
        tried: u64,
        endpoints: &Endpoints,
        app: &App,
    ) -> watch::Receiver<Option<Outcome>> {
        let id = (key.clone(), tried);
        let mut flights = self.flights();
        if let Some(flight) = flights.get(&id) {
            return flight.clone();
        }
        let (land, flight) = watch::channel(None);
        flights.insert(id.clone(), flight.clone());
        let (broker, endpoints, app) = (self.clone(), endpoints.clone(), app.clone());
        tokio::spawn(async move {
            let _landing = Landing(&broker, id.clone());
            let outcome = broker.fly(&id.0, tried, &endpoints, &app).await;
            land.send_replace(Some(outcome));
        });
        flight
    }

    async fn fly(&self, key: &ConnectionKey, tried: u64, endpoints: &Endpoints, app: &App) -> Outcome {
        let _permit = self.0.permits.acquire().await;
        if let Some(connection) = self.unsaved(key, tried) {
            return self.store(connection, tried, endpoints).await;
        }
        let Some(lease) = self.lease(key, tried, endpoints).await? else {
            return Fresh::of(&self.active(key).await?);
        };
        let outcome = self.fly_alone(key, tried, endpoints, app).await;
        if let Err(error) = self.0.vault.store().release_lease(lease).await {
            tracing::warn!(connection = %key, "a lease stays taken until it ends: {error}");
        }
        outcome
    }

    /// The lease to refresh, or `None` when another node has done it.
    async fn lease(&self, key: &ConnectionKey, tried: u64, endpoints: &Endpoints) -> Result<Option<Lease>> {
        let name = format!("refresh|{}", key.record()?.label());
        let end = Instant::now() + self.0.lease + PATIENCE;
        loop {
            let taken = self.0.vault.store().acquire_lease(&name, &self.0.holder, self.0.lease).await;
            if let Some(lease) = taken.map_err(crate::vault::Error::from)? {
                return Ok(Some(lease));
            }
            if self.active(key).await?.generation != tried {
                return Ok(None);
            }
            if Instant::now() >= end {
                return Err(unavailable(endpoints, "is being asked by another node for too long", COOL_DOWN));
            }
            sleep(LOOK).await;
        }
    }

    /// The refresh itself, by the one who has the lease.
    async fn fly_alone(&self, key: &ConnectionKey, tried: u64, endpoints: &Endpoints, app: &App) -> Outcome {
        // Whoever asks while another refresh is just failing finds out here.
        if let Some(error) = self.rest(key, tried) {
            return Err(error);
        }
        let connection = self.active(key).await?;
        if connection.generation != tried {
            return Fresh::of(&connection);
        }
        if connection.client_id.as_ref().is_some_and(|id| *id != app.client_id) {
            return Err(Error::OtherClient(key.clone()));
        }
        let Some(refresh) = refresh_token(&connection) else {
            return self.bury(key, tried, Reason::Expired).await;
        };
        let endpoints = &endpoints.at(&place::names_of(&connection))?;
        let asked_at = self.0.clock.now();
        let asked = self.ask(endpoints, app, refresh).await;
        self.count(asked.as_ref().err().map(|(refusal, _)| refusal));
        match asked {
            Ok(mut tokens) => {
                if !place::cleaned(endpoints, &mut tokens) {
                    tracing::error!(connection = %key, "the vendor named a foreign address for the account; the old one stays");
                }
                self.0.resting.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
                let renewed = renewed(&connection, tokens, asked_at);
                self.store(renewed, tried, endpoints).await
            }
            Err((Refusal::Dead(code), _)) => {
                let reason = reason(&code, &connection, endpoints, asked_at);
                self.bury(key, tried, reason).await
            }
            Err((Refusal::Client(code), pause)) => {
                let family = endpoints.family.clone();
                Err(self.cool_down(key, tried, pause, Error::ClientRefused { family, code }))
            }
            Err((Refusal::Passing(why), pause)) => {
                let error = unavailable(endpoints, &why, pause);
                Err(self.cool_down(key, tried, pause, error))
            }
        }
    }

    fn count(&self, refusal: Option<&Refusal>) {
        let mut refreshes = self.0.refreshes.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = match refusal {
            None => &mut refreshes.renewed,
            Some(Refusal::Dead(_)) => &mut refreshes.ended,
            Some(_) => &mut refreshes.failed,
        };
        *counter += 1;
    }

    /// Asks the vendor, twice at most. Asking again with the same refresh token loses nothing: if the first answer
    /// was lost on the way and the vendor rotates, the grant is lost already, unless the vendor forgives a repeat.
    async fn ask(&self, endpoints: &Endpoints, app: &App, refresh: &Secret) -> Result<Tokens, (Refusal, Duration)> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let (refusal, wish) = match self.ask_once(endpoints, app, refresh).await {
                Ok(tokens) => return Ok(tokens),
                Err(refused) => refused,
            };
            let may_pass = matches!(refusal, Refusal::Passing(_));
            if !may_pass || attempt == TRIES || wish.is_some_and(|wish| wish > Duration::from_secs(2)) {
                let rest = wish.unwrap_or(COOL_DOWN).clamp(COOL_DOWN, LONGEST_REST);
                return Err((refusal, rest));
            }
            pause = wish.unwrap_or(pause).max(pause);
            sleep(pause).await;
        }
        unreachable!("the loop ends by returning")
    }

    async fn ask_once(
        &self,
        endpoints: &Endpoints,
        app: &App,
        refresh: &Secret,
    ) -> Result<Tokens, (Refusal, Option<Duration>)> {
        let passing = |error: &dyn std::fmt::Display| (Refusal::Passing(format!("is out of reach: {error}")), None);
        let (lane, request) = wire::refresh(endpoints, app, refresh).map_err(|error| passing(&error))?;
        let answer = match self.0.client.send(&lane, request.attempts(1)).await {
            Ok(answer) => answer,
            Err(error) => return Err((passing(&error).0, error.retry_after())),
        };
        let wish = http::retry_after(&answer, self.0.clock.now());
        token::read_hiding(&answer, endpoints, refresh).map_err(|refusal| (refusal, wish))
    }

    /// Puts a renewed connection in the place of generation `tried`. Whoever changed anything else about it
    /// meanwhile is not undone; whoever replaced the credential, wins.
    async fn store(&self, mut renewed: Connection, tried: u64, endpoints: &Endpoints) -> Outcome {
        let key = renewed.key.clone();
        let identity = std::mem::take(&mut renewed.metadata);
        let mut last = None;
        for attempt in 0..WRITES {
            let stored = match self.stored(&key).await {
                Ok(Some(stored)) => stored,
                Ok(None) => return Err(Error::NotConnected(key)),
                Err(error) => {
                    last = Some(error);
                    sleep(PAUSE * attempt).await;
                    continue;
                }
            };
            if stored.value.generation != tried {
                self.forget_unsaved(&key);
                return Fresh::of(&self.active(&key).await?);
            }
            renewed.metadata = stored.value.metadata;
            renewed.metadata.extend(identity.clone());
            match self.0.vault.save_connection(&renewed, When::Version(stored.version)).await {
                Ok(_) => {
                    tracing::debug!(connection = %key, generation = renewed.generation, "a renewed credential is stored");
                    self.forget_unsaved(&key);
                    return Fresh::of(&renewed);
                }
                Err(error) if error.is_conflict() => last = Some(error.into()),
                Err(error) => {
                    last = Some(error.into());
                    sleep(PAUSE * attempt).await;
                }
            }
        }
        let error = last.expect("each round ends with success or an error");
        self.keep_unsaved(renewed, tried, endpoints, error)
    }

    /// The disk does not take the new credential. It is kept in memory until it does. With a vendor that rotates it
    /// is not used before: a crash would leave nothing but a spent refresh token either way, but nobody would have
    /// been told that all is well.
    fn keep_unsaved(&self, renewed: Connection, tried: u64, endpoints: &Endpoints, error: Error) -> Outcome {
        tracing::error!(connection = %renewed.key, "a renewed credential cannot be stored and is kept in memory: {error}");
        let usable = !endpoints.rotates && !is_due(&renewed, self.0.clock.now());
        let outcome = if usable { Fresh::of(&renewed) } else { Err(error) };
        let mut unsaved = self.0.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        unsaved.insert(renewed.key.clone(), (tried, renewed));
        outcome
    }

    fn unsaved(&self, key: &ConnectionKey, tried: u64) -> Option<Connection> {
        let unsaved = self.0.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        let (replaces, connection) = unsaved.get(key)?;
        (*replaces == tried).then(|| connection.clone())
    }

    pub(super) fn forget_unsaved(&self, key: &ConnectionKey) {
        self.0.unsaved.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Notes that generation `tried` is dead. If it is no longer the present one, the present one is the answer.
    pub(super) async fn bury(&self, key: &ConnectionKey, tried: u64, reason: Reason) -> Outcome {
        for _ in 0..WRITES {
            let Some(stored) = self.stored(key).await? else {
                return Err(Error::NotConnected(key.clone()));
            };
            if stored.value.generation != tried {
                return Fresh::of(&self.active(key).await?);
            }
            let buried = Connection { status: Status::NeedsReconnect { reason }, ..stored.value };
            match self.0.vault.save_connection(&buried, When::Version(stored.version)).await {
                Err(error) if error.is_conflict() => {}
                outcome => {
                    outcome?;
                    tracing::warn!(connection = %key, "has to be connected again: {reason}");
                    break;
                }
            }
        }
        let key = key.clone();
        Err(Error::NeedsReconnect { key, reason })
    }

    async fn stored(&self, key: &ConnectionKey) -> Result<Option<Opened<Connection>>> {
        Ok(self.0.vault.opened_connection(key).await?)
    }

    /// Leaves the connection alone for a while.
    fn cool_down(&self, key: &ConnectionKey, generation: u64, pause: Duration, error: Error) -> Error {
        let now = self.0.clock.now();
        let until = now.checked_add(pause).unwrap_or(now);
        let rest = Rest { generation, until, error: error.clone() };
        let mut resting = self.0.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, rest| is_ahead(rest.until, now));
        resting.insert(key.clone(), rest);
        error
    }

    /// What keeps the connection from being renewed at the moment, for people to see.
    pub fn trouble(&self, key: &ConnectionKey) -> Option<String> {
        if self.0.unsaved.lock().unwrap_or_else(PoisonError::into_inner).contains_key(key) {
            return Some("its new credential cannot be stored".to_owned());
        }
        let resting = self.0.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = resting.get(key).filter(|rest| is_ahead(rest.until, self.0.clock.now()))?;
        Some(rest.error.to_string())
    }

    /// Why the connection is left alone at the moment, if it is.
    fn rest(&self, key: &ConnectionKey, generation: u64) -> Option<Error> {
        let now = self.0.clock.now();
        let resting = self.0.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = resting.get(key)?;
        if rest.generation != generation || !is_ahead(rest.until, now) {
            return None;
        }
        let left = Duration::try_from(rest.until.duration_since(now)).unwrap_or_default();
        Some(match rest.error.clone() {
            Error::Unavailable { why, .. } => Error::Unavailable { why, retry_after: left },
            error => error,
        })
    }
}

/// Takes the flight off the board, also when it crashes.
struct Landing<'a>(&'a Broker, (ConnectionKey, u64));

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.0.flights().remove(&self.1);
    }
}

/// Whether a rest goes on. One that lies further ahead than any rest does is the doing of a clock that was set back.
fn is_ahead(until: Timestamp, now: Timestamp) -> bool {
    let left = until.duration_since(now);
    left > SignedDuration::ZERO && left.unsigned_abs() <= LONGEST_REST
}

/// The connection with its new tokens. What the vendor does not send again stays as it was.
pub(super) fn renewed(old: &Connection, tokens: Tokens, asked_at: Timestamp) -> Connection {
    let (old_refresh, mut extra) = match &old.credential {
        Credential::OAuth { refresh, extra, .. } => (refresh.clone(), extra.clone()),
        Credential::Fields(_) => (None, std::collections::BTreeMap::new()),
    };
    extra.extend(tokens.extra);
    Connection {
        credential: Credential::OAuth {
            access: tokens.access,
            refresh: tokens.refresh.or(old_refresh),
            // Counted from the asking, so that the way back is on the safe side.
            expires_at: tokens.expires_in.and_then(|life| asked_at.checked_add(life).ok()),
            extra,
        },
        generation: old.generation + 1,
        status: Status::Active,
        scopes: tokens.scopes.unwrap_or_else(|| old.scopes.clone()),
        metadata: tokens.identity,
        updated_at: asked_at,
        ..old.clone()
    }
}

fn reason(code: &str, connection: &Connection, endpoints: &Endpoints, now: Timestamp) -> Reason {
    if endpoints.in_testing.is_some_and(|life| died_of_age(connection, life, now)) {
        return Reason::InTesting;
    }
    match code.to_ascii_lowercase() {
        code if code.contains("revoked") => Reason::Revoked,
        code if code.contains("expired") => Reason::Expired,
        _ => Reason::RefreshRefused,
    }
}

/// Whether a grant was good before that age and is no longer good after it.
fn died_of_age(connection: &Connection, age: Duration, now: Timestamp) -> bool {
    let Ok(end) = connection.connected_at.checked_add(age) else { return false };
    connection.updated_at < end && end <= now
}

pub(super) fn unavailable(endpoints: &Endpoints, why: &str, retry_after: Duration) -> Error {
    Error::Unavailable { why: format!("the sign-in server of {} {why}", endpoints.family), retry_after }
}
