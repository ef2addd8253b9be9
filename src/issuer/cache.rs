//! Keeps an issuer's keys, and asks for them again when they are old or a token names one that is not among them.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::{
    Refusal,
    discovery::Discovery,
    jws::Algorithm,
    keys::{Key, KeySet},
};
use crate::clock::SharedClock;

/// For how long keys are used without asking again.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// For how long keys are used while the issuer cannot be asked. A key that it took back counts no longer than this.
const USABLE: SignedDuration = SignedDuration::from_hours(24);
/// How often the issuer is asked at most, whatever strangers send.
const COOL_DOWN: SignedDuration = SignedDuration::from_secs(30);

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    discovery: Discovery,
    clock: SharedClock,
    kept: RwLock<Option<Arc<Kept>>>,
    /// When the issuer was last asked. Whoever holds it is asking.
    asked_at: Mutex<Option<Timestamp>>,
}

#[derive(Debug)]
struct Kept {
    set: KeySet,
    since: Timestamp,
}

impl Keys {
    /// No keys yet.
    pub(super) fn new(discovery: Discovery, clock: SharedClock) -> Self {
        Keys { discovery, clock, kept: RwLock::new(None), asked_at: Mutex::new(None) }
    }

    /// The key of that name for that algorithm.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Key, Refusal> {
        if let Some(key) = self.kept_within(FRESH).and_then(|kept| kept.set.find(id, algorithm).cloned()) {
            return Ok(key);
        }
        self.ask_again(id, algorithm).await;
        let kept = self.kept_within(USABLE).ok_or(Refusal::Unavailable)?;
        kept.set.find(id, algorithm).cloned().ok_or(Refusal::Invalid("no key of the issuer has that name"))
    }

    /// Asks the issuer, unless somebody did so a moment ago.
    async fn ask_again(&self, id: Option<&str>, algorithm: Algorithm) {
        let mut asked_at = self.asked_at.lock().await;
        let is_there = |kept: Arc<Kept>| kept.set.find(id, algorithm).is_some();
        if self.kept_within(FRESH).is_some_and(is_there) || asked_at.is_some_and(|at| self.is_within(at, COOL_DOWN)) {
            return;
        }
        // Set before the asking, so that a caller who leaves half-way does not end the pause.
        *asked_at = Some(self.clock.now());
        match self.discovery.keys().await {
            Ok(set) => self.keep(set),
            Err(why) => tracing::warn!(why, "the keys of the issuer cannot be had; its tokens may be refused"),
        }
    }

    fn keep(&self, set: KeySet) {
        let kept = Arc::new(Kept { set, since: self.clock.now() });
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }

    fn kept_within(&self, age: SignedDuration) -> Option<Arc<Kept>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        kept.filter(|kept| self.is_within(kept.since, age))
    }

    fn is_within(&self, since: Timestamp, age: SignedDuration) -> bool {
        self.clock.now().duration_since(since) < age
    }
}
