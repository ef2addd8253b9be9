//! HTTP sessions of the legacy era: what was agreed on stands signed in the id itself, so that any node that has
//! the key can go on, and none has to remember.
//!
//! An id is no credential: it counts only together with the principal that it was made for.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    era::{Capabilities, Terms, Version},
    wishes::Wishes,
};
use crate::{agents::Principal, clock::SharedClock, id::SharedEntropy, secret::Secret};

/// How long a session lasts at most.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a session lasts without being used. A node judges by what it saw itself.
const IDLE: SignedDuration = SignedDuration::from_hours(24);
/// How many ended sessions, and how many times of last use, a node remembers.
const REMEMBERED: usize = 16_384;
/// How often a full memory is searched for what can go.
const SWEEP: SignedDuration = SignedDuration::from_mins(1);
/// The longest id that is looked at, in bytes.
const LONGEST: usize = 1024;

/// Makes, reads and ends session ids.
pub struct Sessions {
    key: Hmac<Sha256>,
    clock: SharedClock,
    entropy: SharedEntropy,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    ended: HashSet<String>,
    ended_order: VecDeque<String>,
    last_use: HashMap<String, Timestamp>,
    wishes: HashMap<String, Arc<Wishes>>,
    /// When old times of last use were thrown away.
    swept: Timestamp,
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
    /// Sessions that are signed with `key`.
    pub fn new(key: &Secret, clock: SharedClock, entropy: SharedEntropy) -> Self {
        Sessions { key: signer(key), clock, entropy, memory: Mutex::default() }
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

    /// The session of that id, when it is ours, alive, and `principal`'s own.
    pub fn find(&self, id: &str, principal: &Principal) -> Option<Session> {
        let record = self.open(id)?;
        let now = self.clock.now();
        let age = now.duration_since(Timestamp::from_second(record.issued).ok()?);
        let is_young = age <= LIFETIME && age >= SignedDuration::from_mins(-5);
        if !is_young || record.principal != fingerprint(principal) || !self.memory().is_in_use(id, now) {
            return None;
        }
        let terms =
            Terms { version: record.version, capabilities: unpacked(record.capabilities), client: record.client };
        Some(Session { id: id.to_owned(), terms })
    }

    /// What the client of a session wants to hear, as this node knows it.
    pub fn wishes(&self, session: &Session) -> Arc<Wishes> {
        self.memory().wishes(&session.id)
    }

    /// Ends a session for good on this node.
    pub fn end(&self, session: &Session) {
        self.memory().end(&session.id);
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
    /// Whether the session has neither ended nor been forgotten by its client; a use counts.
    fn is_in_use(&mut self, id: &str, now: Timestamp) -> bool {
        if self.ended.contains(id) {
            return false;
        }
        if self.last_use.get(id).is_some_and(|last| now.duration_since(*last) > IDLE) {
            return false;
        }
        if self.last_use.len() >= REMEMBERED && now.duration_since(self.swept) > SWEEP {
            self.swept = now;
            self.last_use.retain(|_, last| now.duration_since(*last) <= IDLE);
            self.wishes.retain(|id, _| self.last_use.contains_key(id));
        }
        if self.last_use.len() < REMEMBERED || self.last_use.contains_key(id) {
            self.last_use.insert(id.to_owned(), now);
        }
        true
    }

    fn wishes(&mut self, id: &str) -> Arc<Wishes> {
        let fresh = || Arc::new(Wishes::of_session());
        // Beyond what is remembered, a session keeps the defaults.
        if self.wishes.len() >= REMEMBERED && !self.wishes.contains_key(id) {
            return fresh();
        }
        Arc::clone(self.wishes.entry(id.to_owned()).or_insert_with(fresh))
    }

    fn end(&mut self, id: &str) {
        self.wishes.remove(id);
        self.last_use.remove(id);
        if self.ended.insert(id.to_owned()) {
            self.ended_order.push_back(id.to_owned());
        }
        if self.ended_order.len() > REMEMBERED
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
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
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::ManualClock,
        id::{AgentId, OsEntropy, UserId},
    };

    fn principal(user: &str) -> Principal {
        Principal { user: UserId::new(user), agent: AgentId::new("local"), admin: false }
    }

    fn sessions(key: &str) -> (Sessions, Arc<ManualClock>) {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        (Sessions::new(&Secret::new(key), clock.clone(), Arc::new(OsEntropy)), clock)
    }

    fn terms() -> Terms {
        let capabilities = Capabilities { form: true, sampling: true, ..Capabilities::default() };
        Terms { version: Version::June2025, capabilities, client: "test \"client\"".into() }
    }

    #[test]
    fn another_node_with_the_key_goes_on() {
        let (one, _) = sessions("k");
        let (two, _) = sessions("k");
        let session = one.start(terms(), &principal("ann"));
        assert_eq!(two.find(&session.id, &principal("ann")), Some(session.clone()));
        assert_eq!(sessions("other").0.find(&session.id, &principal("ann")), None);
        assert!(session.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{}", session.id);
    }

    #[test]
    fn a_session_is_its_owners_alone() {
        let (sessions, _) = sessions("k");
        let session = sessions.start(terms(), &principal("ann"));
        assert_eq!(sessions.find(&session.id, &principal("bob")), None);
    }

    #[test]
    fn a_changed_id_is_none() {
        let (sessions, _) = sessions("k");
        let id = sessions.start(terms(), &principal("ann")).id;
        for at in 0..id.len() {
            let mut changed = id.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(sessions.find(&changed, &principal("ann")), None, "byte {at}");
        }
        for id in ["", ".", "a.b", &"x".repeat(5000)] {
            assert_eq!(sessions.find(id, &principal("ann")), None);
        }
    }

    #[test]
    fn sessions_end_by_hand_by_age_and_by_neglect() {
        let (sessions, clock) = sessions("k");
        let (ended, idle, old) = (
            sessions.start(terms(), &principal("ann")),
            sessions.start(terms(), &principal("ann")),
            sessions.start(terms(), &principal("ann")),
        );
        let is_alive = |session: &Session| sessions.find(&session.id, &principal("ann")).is_some();
        assert!(is_alive(&ended) && is_alive(&idle) && is_alive(&old));
        sessions.end(&ended);
        assert!(!is_alive(&ended));
        for _ in 0..7 {
            clock.advance(SignedDuration::from_hours(23));
            assert!(is_alive(&old));
        }
        assert!(!is_alive(&idle));
        clock.advance(SignedDuration::from_hours(23));
        assert!(!is_alive(&old));
    }

    #[test]
    fn memory_of_sessions_is_bounded() {
        let mut memory = Memory::default();
        let now = Timestamp::UNIX_EPOCH;
        for number in 0..REMEMBERED + 100 {
            memory.end(&number.to_string());
            memory.is_in_use(&format!("s{number}"), now);
        }
        assert!(memory.ended.len() <= REMEMBERED && memory.ended_order.len() <= REMEMBERED);
        assert!(memory.last_use.len() <= REMEMBERED);
    }
}
