//! HTTP sessions of the legacy era: what was agreed on stands signed in the id itself, so that any node that has
//! the key can go on. What changes later, such as its end, stands in the store that the nodes share.
//!
//! An id is no credential: it counts only together with the principal that it was made for.

mod shared;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use self::shared::{Facts, Shared};
use super::{
    era::{Capabilities, Terms, Version},
    wishes::Wishes,
};
use crate::{
    agents::Principal,
    clock::SharedClock,
    id::SharedEntropy,
    quota::{Permit, Quotas},
    secret::Secret,
    store::SharedStore,
};

/// How long a session lasts at most.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a session lasts without being used; nodes tell each other to the hour.
const IDLE: SignedDuration = SignedDuration::from_hours(24);
/// How often memory and store are searched for what can go.
const SWEEP: SignedDuration = SignedDuration::from_hours(1);
/// The longest id that is looked at, in bytes.
const LONGEST: usize = 1024;

/// Makes, reads and ends session ids.
pub struct Sessions {
    key: Hmac<Sha256>,
    clock: SharedClock,
    entropy: SharedEntropy,
    shared: Shared,
    memory: Mutex<Memory>,
    /// Sessions that began until then have ended, in seconds.
    ended_until: AtomicI64,
    quotas: Quotas,
}

/// What this node saw itself.
#[derive(Default)]
struct Memory {
    known: HashMap<String, Known>,
    /// When what is old was thrown away.
    swept: Timestamp,
}

/// One session as this node saw it.
struct Known {
    last_use: Timestamp,
    wishes: Arc<Wishes>,
    /// The record that the wishes were taken from.
    version: u64,
    /// Its place among those of its person.
    _place: Permit,
}

/// A session that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, as the client sends it.
    pub id: String,
    /// What was agreed on.
    pub terms: Terms,
}

/// What stands in an id.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(rename = "v")]
    version: Version,
    #[serde(rename = "c")]
    capabilities: u8,
    #[serde(rename = "n")]
    client: String,
    #[serde(rename = "p")]
    principal: String,
    #[serde(rename = "t")]
    issued: i64,
    #[serde(rename = "r")]
    random: String,
}

impl Sessions {
    /// Sessions that are signed with `key`; what happens to them is kept in `store`.
    pub fn new(key: &Secret, clock: SharedClock, entropy: SharedEntropy, store: SharedStore) -> Self {
        let shared = Shared::new(store, clock.clone());
        let (ended_until, quotas) = (AtomicI64::new(i64::MIN), Quotas::default());
        Sessions { key: signer(key), clock, entropy, shared, memory: Mutex::default(), ended_until, quotas }
    }

    /// The same within these quotas.
    #[must_use]
    pub fn within(self, quotas: &Quotas) -> Self {
        Sessions { quotas: quotas.clone(), ..self }
    }

    /// Starts a session of `principal`.
    pub fn start(&self, terms: Terms, principal: &Principal) -> Session {
        let record = Record {
            version: terms.version,
            capabilities: packed(&terms.capabilities),
            client: terms.client.clone(),
            principal: fingerprint(principal),
            issued: self.clock.now().as_second(),
            random: crate::id::base32hex(&*self.entropy, 16),
        };
        let body = URL_SAFE_NO_PAD.encode(json!(record).to_string());
        let id = format!("{body}.{}", URL_SAFE_NO_PAD.encode(self.sign(&body)));
        Session { id, terms }
    }

    /// The session of that id, when it is ours, alive, and `principal`'s own. That counts as a use.
    pub async fn find(&self, id: &str, principal: &Principal) -> Option<Session> {
        let record = self.open(id)?;
        let issued = Timestamp::from_second(record.issued).ok()?;
        let age = self.clock.now().duration_since(issued);
        let is_young = age <= LIFETIME && age >= SignedDuration::from_mins(-5);
        let has_ended = record.issued <= self.ended_until.load(Ordering::Relaxed);
        if !is_young || has_ended || record.principal != fingerprint(principal) {
            return None;
        }
        let facts = self.shared.facts(id).await;
        let now = self.clock.now();
        if facts.ended || !self.memory().is_in_use(id, issued, &facts, now) {
            return None;
        }
        let known = || Known::new(now, &self.quotas, principal.user.as_str());
        self.memory().learn(id, &facts, now, known);
        self.shared.touch(id, &facts, issued).await;
        self.sweep().await;
        let terms =
            Terms { version: record.version, capabilities: unpacked(record.capabilities), client: record.client };
        Some(Session { id: id.to_owned(), terms })
    }

    /// What the client of a session wants to hear.
    pub fn wishes(&self, session: &Session) -> Arc<Wishes> {
        self.memory().wishes(&session.id)
    }

    /// Tells the other nodes what the client of a session wants to hear from now on.
    pub async fn keep_wishes(&self, session: &Session) {
        let kept = self.wishes(session).kept();
        self.shared.change(&session.id, |facts| facts.wishes = Some(kept.clone())).await;
    }

    /// Learns what the client of a session has said to other nodes since.
    pub async fn learn_wishes(&self, session: &Session) {
        let facts = self.shared.facts(&session.id).await;
        self.memory().learn(&session.id, &facts, self.clock.now(), || None);
    }

    /// Ends a session for good; `false` when its end could not be written down, and it goes on.
    pub async fn end(&self, session: &Session) -> bool {
        let is_written = self.shared.change(&session.id, |facts| facts.ended = true).await;
        if is_written {
            self.memory().known.remove(&session.id);
        }
        is_written
    }

    /// Ends every session that has begun until now, for this process. Other nodes end theirs themselves.
    pub fn end_all(&self) {
        self.ended_until.store(self.clock.now().as_second(), Ordering::Relaxed);
    }

    /// Forgets, once an hour, what cannot count any more.
    async fn sweep(&self) {
        let now = self.clock.now();
        if self.memory().sweep(now)
            && let Ok(past) = now.checked_sub(LIFETIME)
            && let Err(error) = self.shared.forget(past).await
        {
            tracing::warn!(%error, "records of old sessions could not be removed");
        }
    }

    fn open(&self, id: &str) -> Option<Record> {
        let (body, signature) = id.split_once('.').filter(|_| id.len() <= LONGEST)?;
        let mut mac = self.key.clone();
        mac.update(body.as_bytes());
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }

    fn sign(&self, body: &str) -> impl AsRef<[u8]> + use<> {
        let mut mac = self.key.clone();
        mac.update(body.as_bytes());
        mac.finalize().into_bytes()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl Memory {
    /// Whether the session has not been forgotten by its client; a use counts.
    fn is_in_use(&self, id: &str, issued: Timestamp, facts: &Facts, now: Timestamp) -> bool {
        let here = self.known.get(id).map_or(issued, |known| known.last_use);
        let elsewhere = Timestamp::from_second(facts.used).unwrap_or_default();
        now.duration_since(here.max(elsewhere)) <= IDLE
    }

    /// Takes over what other nodes wrote. Beyond what is remembered, a session keeps the defaults.
    fn learn(&mut self, id: &str, facts: &Facts, now: Timestamp, fresh: impl FnOnce() -> Option<Known>) {
        if !self.known.contains_key(id) {
            let Some(fresh) = fresh() else { return };
            self.known.insert(id.to_owned(), fresh);
        }
        let Some(known) = self.known.get_mut(id) else { return };
        known.last_use = now;
        if facts.version > known.version
            && let Some(kept) = &facts.wishes
        {
            known.wishes.restore(kept);
        }
        known.version = known.version.max(facts.version);
    }

    fn wishes(&self, id: &str) -> Arc<Wishes> {
        self.known.get(id).map_or_else(|| Arc::new(Wishes::of_session()), |known| Arc::clone(&known.wishes))
    }

    /// Throws away what is old; `true` when it was time to.
    fn sweep(&mut self, now: Timestamp) -> bool {
        if now.duration_since(self.swept) < SWEEP {
            return false;
        }
        self.swept = now;
        self.known.retain(|_, known| now.duration_since(known.last_use) <= IDLE);
        true
    }
}

impl Known {
    /// A session of `person`; `None` when enough of theirs are remembered.
    fn new(now: Timestamp, quotas: &Quotas, person: &str) -> Option<Self> {
        let place = quotas.sessions.take(person, 1).ok()?;
        let wishes = Arc::new(Wishes::of_session().within(quotas, person));
        Some(Known { last_use: now, wishes, version: 0, _place: place })
    }
}

fn signer(key: &Secret) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.expose().as_bytes()).expect("HMAC takes keys of any length")
}

/// Whose session it is, without saying so to who reads the id.
fn fingerprint(principal: &Principal) -> String {
    let mut hash = Sha256::new();
    for part in [principal.user.as_str(), principal.agent.as_str()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
}

/// The legacy era knows no extensions, so four bits hold its capabilities.
fn packed(capabilities: &Capabilities) -> u8 {
    u8::from(capabilities.form)
        | u8::from(capabilities.url) << 1
        | u8::from(capabilities.sampling) << 2
        | u8::from(capabilities.roots) << 3
}

fn unpacked(bits: u8) -> Capabilities {
    Capabilities {
        form: bits & 1 != 0,
        url: bits & 2 != 0,
        sampling: bits & 4 != 0,
        roots: bits & 8 != 0,
        extensions: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
