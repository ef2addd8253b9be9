//! What an agent has read of others, and whom it has reached: what decides whether a write needs a person's yes.
//!
//! A session is the run of calls of one agent of one person without a pause of [`SESSION`]: the protocol knows no other
//! over all its ways in. Within a session in which text of others was read, whoever the agent has not reached before
//! is new. An address counts as reached when a call to it was carried out although nothing foreign had been read, or
//! because a person said yes to it; it is remembered for [`REMEMBERED`]. That a model has read an address makes it no
//! less new: whoever wrote the text could have put it there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Approvals, Error, Result, TRIES};
use crate::{
    id::{AgentId, UserId},
    store::{Change, Durability, Expect, Key, Table},
};

/// After so long without reading anything of others a session is over.
pub const SESSION: SignedDuration = SignedDuration::from_hours(1);
/// How long an address that was reached is known.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How large the memory of addresses gets at most, in bytes of the record; the longest unused gives way. The store takes
/// records of 32 KiB, and that is some six hundred addresses.
const LARGEST: usize = 24 * 1024;
/// What an address takes beside its own bytes: its moment and the marks of JSON.
const BESIDE: usize = 40;
/// How exactly it is written down when something was read: a write for every call would be too many.
const COARSE: SignedDuration = SignedDuration::from_mins(5);
/// How many agents this process remembers by itself.
const MOST_READERS: usize = 10_000;

/// What is known of an agent when it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether it has read text of others in this session.
    pub has_read_others: bool,
    /// Whom it has reached before, in lower case.
    pub known: BTreeSet<String>,
}

impl Seen {
    /// What must be taken for true when nothing can be looked up: that it has read, and knows nobody.
    fn worst() -> Self {
        Seen { has_read_others: true, known: BTreeSet::new() }
    }

    /// Whether `address` was never reached before.
    pub fn is_new(&self, address: &str) -> bool {
        !self.known.contains(&address.trim().to_lowercase())
    }
}

/// When agents last read text of others, as this process knows it: so that a store that is away for a while makes
/// nobody forget, and not every read is a write.
#[derive(Clone, Debug, Default)]
pub(super) struct Readers(Arc<Mutex<HashMap<(UserId, AgentId), Reading>>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Timestamp,
    is_stored: bool,
}

/// The record of one agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Record {
    #[serde(default)]
    read_at: Option<Timestamp>,
    #[serde(default)]
    reached: BTreeMap<String, Timestamp>,
}

impl Record {
    /// How large it is about to be, a little more rather than less.
    fn size(&self) -> usize {
        self.reached.keys().map(|address| address.len() + BESIDE).sum()
    }
}

impl Approvals {
    /// What is known of an agent now. When the store does not answer, the worst is taken for true.
    pub async fn seen(&self, user: &UserId, agent: &AgentId) -> Seen {
        let now = self.clock.now();
        let record = match self.record(user, agent).await {
            Ok((record, _)) => record,
            Err(error) => {
                tracing::warn!(%error, "what the agent has read is not known; it is asked as if it had");
                return Seen::worst();
            }
        };
        let read_at = self.readers.last(user, agent).max(record.read_at);
        let is_known = |at: &Timestamp| now.duration_since(*at) < REMEMBERED;
        Seen {
            has_read_others: read_at.is_some_and(|at| now.duration_since(at) < SESSION),
            known: record.reached.into_iter().filter(|(_, at)| is_known(at)).map(|(address, _)| address).collect(),
        }
    }

    /// Writes down that an agent has read text of others.
    pub async fn has_read_others(&self, user: &UserId, agent: &AgentId) {
        let now = self.clock.now();
        if !self.readers.note(user, agent, now) {
            return;
        }
        let written = self.change(user, agent, |record| record.read_at = record.read_at.max(Some(now))).await;
        match written {
            Ok(()) => self.readers.stored(user, agent),
            // This process remembers it all the same, and writes it with the next read.
            Err(error) => tracing::warn!(%error, "that an agent has read text of others is known to this process only"),
        }
    }

    /// Writes down whom an agent has reached.
    pub async fn has_reached(&self, user: &UserId, agent: &AgentId, addresses: &BTreeSet<String>) -> Result<()> {
        let now = self.clock.now();
        self.change(user, agent, |record| {
            record.reached.retain(|_, at| now.duration_since(*at) < REMEMBERED);
            record.reached.extend(addresses.iter().map(|address| (address.trim().to_lowercase(), now)));
            while record.size() > LARGEST {
                let oldest = record.reached.iter().min_by_key(|(_, at)| **at).map(|(address, _)| address.clone());
                oldest.map(|oldest| record.reached.remove(&oldest));
            }
        })
        .await
    }

    /// Forgets everything about the agents of a person who was removed.
    pub async fn forget(&self, user: &UserId) -> Result<()> {
        let prefix = crate::store::prefix(Table::Sessions, &[PREFIX, user.as_str()])?;
        let mut changes = Vec::new();
        for (id, _) in crate::store::scan_all(&*self.store, Table::Sessions, &prefix).await? {
            changes.push(Change::Delete { key: Key::raw(Table::Sessions, id), expect: Expect::Anything });
        }
        let asked = crate::store::prefix(Table::Approvals, &[user.as_str()])?;
        for (id, _) in crate::store::scan_all(&*self.store, Table::Approvals, &asked).await? {
            changes.push(Change::Delete { key: Key::raw(Table::Approvals, id), expect: Expect::Anything });
        }
        for (id, _) in
            crate::store::scan_all(&*self.store, Table::Sessions, &super::whole::prefix(user.as_str())?).await?
        {
            changes.push(Change::Delete { key: Key::raw(Table::Sessions, id), expect: Expect::Anything });
        }
        self.store.commit(changes, Durability::SurvivesCrash).await?;
        Ok(())
    }

    async fn record(&self, user: &UserId, agent: &AgentId) -> Result<(Record, Expect)> {
        let key = record_key(user, agent)?;
        let Some(stored) = self.store.get(&key).await? else { return Ok((Record::default(), Expect::Absent)) };
        let record = serde_json::from_slice(&stored.value).map_err(|_| Error::Unfitting(key))?;
        Ok((record, Expect::Version(stored.version)))
    }

    async fn change(&self, user: &UserId, agent: &AgentId, change: impl Fn(&mut Record)) -> Result<()> {
        let key = record_key(user, agent)?;
        for _ in 0..TRIES {
            let (mut record, expect) = match self.record(user, agent).await {
                // What the agent has read and reached is not known any more: the worst is taken for true.
                Err(error) if error.is_of_one_record() => {
                    tracing::error!("{error}; the agent counts as one that has read text of others and knows nobody");
                    (Record { read_at: Some(self.clock.now()), ..Record::default() }, Expect::Anything)
                }
                other => other?,
            };
            change(&mut record);
            let value = serde_json::to_vec(&record).map_err(|_| Error::Unfitting(key.clone()))?;
            let put = Change::Put { key: key.clone(), value, expect };
            match self.store.commit(vec![put], Durability::SurvivesCrash).await {
                Err(error) if error.is_conflict() => {}
                other => return Ok(other.map(drop)?),
            }
        }
        Err(Error::Contended)
    }
}

impl Readers {
    fn last(&self, user: &UserId, agent: &AgentId) -> Option<Timestamp> {
        self.lock().get(&(user.clone(), agent.clone())).map(|reading| reading.at)
    }

    /// Notes a read at `now`; the answer is whether it has to be stored.
    fn note(&self, user: &UserId, agent: &AgentId, now: Timestamp) -> bool {
        let mut known = self.lock();
        if known.len() >= MOST_READERS {
            known.retain(|_, reading| now.duration_since(reading.at) < SESSION);
        }
        let key = (user.clone(), agent.clone());
        let is_fresh = known.get(&key).is_some_and(|last| last.is_stored && now.duration_since(last.at) < COARSE);
        if !is_fresh {
            known.insert(key, Reading { at: now, is_stored: false });
        }
        !is_fresh
    }

    fn stored(&self, user: &UserId, agent: &AgentId) {
        if let Some(reading) = self.lock().get_mut(&(user.clone(), agent.clone())) {
            reading.is_stored = true;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(UserId, AgentId), Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PREFIX: &str = "seen";

fn record_key(user: &UserId, agent: &AgentId) -> Result<Key> {
    Ok(Key::of(Table::Sessions, &[PREFIX, user.as_str(), agent.as_str()])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ManualClock, id::SeededEntropy, store::MemoryStore};

    struct Desk {
        one: Approvals,
        other: Approvals,
        clock: Arc<ManualClock>,
    }

    /// Two nodes of one store.
    fn desk() -> Desk {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let store = MemoryStore::new();
        let node = || Approvals::new(store.clone(), clock.clone(), SeededEntropy::new(1));
        Desk { one: node(), other: node(), clock }
    }

    fn ann() -> (UserId, AgentId) {
        (UserId::new("ann"), AgentId::new("desk"))
    }

    #[tokio::test]
    async fn what_one_node_has_read_the_other_knows() {
        let desk = desk();
        let (user, agent) = ann();
        assert_eq!(desk.other.seen(&user, &agent).await, Seen::default());
        desk.one.has_read_others(&user, &agent).await;
        assert!(desk.other.seen(&user, &agent).await.has_read_others);
        assert!(!desk.other.seen(&user, &AgentId::new("night")).await.has_read_others, "another agent has not");
        assert!(!desk.other.seen(&UserId::new("bob"), &agent).await.has_read_others, "another person's has not");
    }

    #[tokio::test]
    async fn a_session_ends_an_hour_after_the_last_read() {
        let desk = desk();
        let (user, agent) = ann();
        desk.one.has_read_others(&user, &agent).await;
        desk.clock.advance(SignedDuration::from_mins(50));
        desk.one.has_read_others(&user, &agent).await;
        desk.clock.advance(SignedDuration::from_mins(50));
        assert!(desk.other.seen(&user, &agent).await.has_read_others);
        desk.clock.advance(SignedDuration::from_mins(11));
        assert!(!desk.other.seen(&user, &agent).await.has_read_others);
    }

    #[tokio::test]
    async fn whoever_was_reached_is_known_and_forgotten_with_time() {
        let desk = desk();
        let (user, agent) = ann();
        desk.one.has_reached(&user, &agent, &["Ana@Example.com ".to_owned()].into()).await.unwrap();
        let seen = desk.other.seen(&user, &agent).await;
        assert!(!seen.is_new("ana@example.com") && !seen.is_new("ANA@example.com") && seen.is_new("eve@example.com"));
        assert!(desk.other.seen(&UserId::new("bob"), &agent).await.is_new("ana@example.com"));
        desk.clock.advance(REMEMBERED);
        assert!(desk.other.seen(&user, &agent).await.is_new("ana@example.com"));
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let desk = desk();
        let (user, agent) = ann();
        let many = |domain: &str| (0..1_000).map(|number| format!("a{number}@{domain}")).collect::<BTreeSet<_>>();
        desk.one.has_reached(&user, &agent, &many("example.com")).await.unwrap();
        desk.clock.advance(SignedDuration::from_mins(1));
        let long = "long.".repeat(48) + "example.com";
        desk.one.has_reached(&user, &agent, &BTreeSet::from([format!("ana@{long}")])).await.unwrap();
        let seen = desk.one.seen(&user, &agent).await;
        assert!((300..700).contains(&seen.known.len()), "{}", seen.known.len());
        assert!(!seen.is_new(&format!("ana@{long}")), "the newest stays");
    }

    #[tokio::test]
    async fn with_a_person_everything_goes() {
        let desk = desk();
        let (user, agent) = ann();
        desk.one.has_reached(&user, &agent, &["ana@example.com".to_owned()].into()).await.unwrap();
        desk.one.forget(&user).await.unwrap();
        assert!(desk.one.seen(&user, &agent).await.is_new("ana@example.com"));
    }
}
