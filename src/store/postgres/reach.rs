//! Whether the server is within reach, and what happens meanwhile.
//!
//! The first request that finds it away says so; from then on nobody waits for it. Reading goes on from what this
//! node read last, writing is refused, and one task asks twice a second whether the server is back.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::PgPool;
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    super::{Change, Error, Record, Result, Seen, watch::Changes},
    recall::{Question, Recall},
};

/// How long one request may take before the server counts as away.
const PATIENCE: Duration = Duration::from_secs(5);

/// What each change of a large commit may take beyond that.
const PER_CHANGE: Duration = Duration::from_millis(5);

/// How often an absent server is asked whether it is back.
const PROBE: Duration = Duration::from_millis(500);

/// How long what was read last counts. Beyond it, somebody may have been shut out elsewhere too long ago.
const MEMORY: Duration = Duration::from_mins(10);

/// What the store knows of its server.
#[derive(Debug)]
pub(super) struct Reach {
    is_away: AtomicBool,
    lost: Notify,
    last_contact: Mutex<Instant>,
    recall: Recall,
    changes: Arc<Changes>,
}

impl Reach {
    pub(super) fn new(changes: Arc<Changes>) -> Arc<Self> {
        let last_contact = Mutex::new(Instant::now());
        Arc::new(Reach {
            is_away: AtomicBool::new(false),
            lost: Notify::new(),
            last_contact,
            recall: Recall::default(),
            changes,
        })
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::SeqCst)
    }

    /// Puts a question to the server, or remembers the last answer to it.
    pub(super) async fn read(
        &self,
        question: Question,
        query: impl Future<Output = Result<Vec<Record>>>,
    ) -> Result<Vec<Record>> {
        let epoch = self.recall.epoch();
        match self.ask(0, query).await {
            Ok(found) => {
                self.recall.keep(epoch, question, &found);
                Ok(found)
            }
            Err(error @ Error::Away(_)) if self.remembers() => self.recall.find(&question).ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Has the server do something with so many records. Nobody waits for one that is known to be away.
    pub(super) async fn ask<T>(&self, changes: usize, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.is_away() {
            return Err(Error::Away("it did not answer before".to_owned()));
        }
        let limit = PATIENCE + PER_CHANGE * u32::try_from(changes).unwrap_or(u32::MAX);
        let done = timeout(limit, work).await;
        let done = done.unwrap_or_else(|_| Err(Error::Away(format!("it did not answer within {limit:?}"))));
        match &done {
            Err(Error::Away(why)) => self.lose(why),
            _ => *self.last_contact.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now(),
        }
        done
    }

    /// The server is away.
    pub(super) fn lose(&self, why: &str) {
        if !self.is_away.swap(true, Ordering::SeqCst) {
            tracing::error!("PostgreSQL is out of reach: {why}; calls go on with what was read before");
            self.lost.notify_one();
        }
    }

    /// This node has changed something.
    pub(super) fn forget(&self, changes: &[Change]) {
        for change in changes {
            self.recall.forget(change.key());
        }
    }

    /// Another node, or this one, changed something.
    pub(super) fn hear(&self, seen: Seen) {
        match &seen {
            Seen::Changed(key) => self.recall.forget(key),
            Seen::Missed => self.recall.clear(),
        }
        self.changes.tell(seen);
    }

    /// Asks an absent server again and again whether it is back.
    pub(super) fn watch_over(self: &Arc<Self>, pool: PgPool) -> Prober {
        let reach = Arc::clone(self);
        Prober(tokio::spawn(async move { reach.probe(&pool).await }).abort_handle())
    }

    async fn probe(&self, pool: &PgPool) {
        loop {
            self.lost.notified().await;
            while timeout(PATIENCE, sqlx::query("SELECT 1").execute(pool)).await.is_ok_and(|asked| asked.is_err()) {
                sleep(PROBE).await;
            }
            // What other nodes did meanwhile was not heard.
            self.hear(Seen::Missed);
            self.is_away.store(false, Ordering::SeqCst);
            tracing::warn!("PostgreSQL is back");
        }
    }

    /// Whether what was read last still counts.
    fn remembers(&self) -> bool {
        self.last_contact.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < MEMORY
    }
}

/// The task that probes. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Prober(AbortHandle);

impl Drop for Prober {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Key, Table, Versioned};

    fn record() -> Record {
        (b"a".to_vec(), Versioned { value: b"x".to_vec(), version: 1 })
    }

    fn question() -> Question {
        Question::Record(Key::raw(Table::Users, "a"))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_goes_on_being_read_for_a_while_and_nobody_waits() {
        let reach = Reach::new(Arc::new(Changes::new()));
        reach.read(question(), async { Ok(vec![record()]) }).await.unwrap();
        let hung = reach.read(question(), std::future::pending()).await.unwrap();
        assert_eq!(hung, [record()], "one that hangs is away after a while");
        assert!(reach.is_away());
        let before = Instant::now();
        assert_eq!(reach.read(question(), std::future::pending()).await.unwrap(), [record()]);
        let write = reach.ask::<()>(1, std::future::pending()).await.unwrap_err();
        assert!(matches!(write, Error::Away(_)), "{write}");
        assert_eq!(before.elapsed(), Duration::ZERO, "an absent server is not waited for");
        tokio::time::advance(MEMORY).await;
        assert!(reach.read(question(), std::future::pending()).await.is_err(), "memory does not last for ever");
    }

    #[tokio::test]
    async fn what_was_never_read_is_away() {
        let reach = Reach::new(Arc::new(Changes::new()));
        let refused = reach.read(question(), async { Err(Error::Away("gone".into())) }).await.unwrap_err();
        assert!(refused.to_string().contains("gone"), "{refused}");
    }

    #[tokio::test]
    async fn other_failures_are_not_papered_over() {
        let reach = Reach::new(Arc::new(Changes::new()));
        reach.read(question(), async { Ok(vec![record()]) }).await.unwrap();
        let refused = reach.read(question(), async { Err(Error::BadKey(Table::Users)) }).await.unwrap_err();
        assert!(matches!(refused, Error::BadKey(_)) && !reach.is_away());
    }
}
