//! What nodes have to know of a session beyond its id: whether it has ended, when it was last used, and what its
//! client wants to hear.
//!
//! Most sessions leave no record: one is written when a session ends, when its client states a wish, and once an
//! hour while it is used. A store that does not answer ends no session: the signature in the id still counts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    clock::SharedClock,
    mcp::wishes::Kept,
    store::{self, Change, Durability, Expect, Key, SharedStore, Table},
};

/// How exactly nodes know of each other when a session was last used.
const COARSE: SignedDuration = SignedDuration::from_hours(1);
/// How often a write is tried that another node's write overtakes.
const ATTEMPTS: usize = 4;
/// What the ids of our records begin with.
const PREFIX: &str = "mcp";

/// What is known of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Whether its client ended it.
    #[serde(rename = "e", default)]
    pub(super) ended: bool,
    /// When it was last used, to [`COARSE`]: seconds since 1970, 0 before the first record.
    #[serde(rename = "u", default)]
    pub(super) used: i64,
    /// What its client wants to hear; none until it says so.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(super) wishes: Option<Kept>,
    /// The record's version; 0 where there is none.
    #[serde(skip)]
    pub(super) version: u64,
}

/// The records of all nodes.
pub(super) struct Shared {
    store: SharedStore,
    clock: SharedClock,
}

impl Shared {
    pub(super) fn new(store: SharedStore, clock: SharedClock) -> Self {
        Shared { store, clock }
    }

    /// What is known of a session.
    pub(super) async fn facts(&self, id: &str) -> Facts {
        self.read(id).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a session goes on without what other nodes know of it");
            Facts::default()
        })
    }

    /// Notes that a session is used, unless that was noted within the hour.
    pub(super) async fn touch(&self, id: &str, facts: &Facts, issued: Timestamp) {
        let now = self.clock.now();
        let known = Timestamp::from_second(facts.used).unwrap_or_default().max(issued);
        if now.duration_since(known) >= COARSE {
            // The write itself notes the time.
            self.change(id, |_| {}).await;
        }
    }

    /// Changes what is known of a session, and notes that it is used; `false` when that could not be written down.
    pub(super) async fn change(&self, id: &str, edit: impl Fn(&mut Facts)) -> bool {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.try_change(id, &edit).await {
                Ok(()) => return true,
                Err(error) if error.is_conflict() && attempts < ATTEMPTS => {}
                Err(error) => {
                    tracing::warn!(%error, "what happened to a session could not be written down");
                    return false;
                }
            }
        }
    }

    /// Forgets the sessions that were last used before `past`; their ids are too old to count.
    pub(super) async fn forget(&self, past: Timestamp) -> store::Result<()> {
        let prefix = store::prefix(Table::Sessions, &[PREFIX])?;
        let is_old = |value: &[u8]| parse(value).is_none_or(|facts| facts.used < past.as_second());
        for (id, found) in store::scan_all(&*self.store, Table::Sessions, &prefix).await? {
            if is_old(&found.value) {
                let key = Key::raw(Table::Sessions, id);
                let change = Change::Delete { key, expect: Expect::Version(found.version) };
                match self.store.commit(vec![change], Durability::SurvivesCrash).await {
                    // Somebody uses it after all.
                    Err(error) if error.is_conflict() => {}
                    other => drop(other?),
                }
            }
        }
        Ok(())
    }

    async fn try_change(&self, id: &str, edit: impl Fn(&mut Facts)) -> store::Result<()> {
        let mut facts = self.read(id).await?;
        let expect = if facts.version == 0 { Expect::Absent } else { Expect::Version(facts.version) };
        facts.used = facts.used.max(self.clock.now().as_second());
        edit(&mut facts);
        let value = serde_json::to_vec(&facts).expect("facts are made of JSON");
        let change = Change::Put { key: key(id)?, value, expect };
        self.store.commit(vec![change], Durability::SurvivesCrash).await.map(drop)
    }

    async fn read(&self, id: &str) -> store::Result<Facts> {
        let found = self.store.get(&key(id)?).await?;
        Ok(found.map_or_else(Facts::default, |found| {
            // A record that cannot be read tells nothing; the next write puts it right.
            let facts = parse(&found.value).unwrap_or_default();
            Facts { version: found.version, ..facts }
        }))
    }
}

fn parse(value: &[u8]) -> Option<Facts> {
    serde_json::from_slice(value).ok()
}

/// The store does not learn ids that a client could use.
fn key(id: &str) -> store::Result<Key> {
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(id));
    Key::of(Table::Sessions, &[PREFIX, &hash])
}
