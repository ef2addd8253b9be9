//! Who did what: one line for every call and every refusal, in the order of time, never changed afterwards.
//!
//! A line says who, with which account, which tool, on what, and how it ended; arguments and answers are not in it.
//! Lines are written in groups, so that a call does not wait for the disk. [`Audit::record`] queues a line: a crash
//! may lose what was queued in the last quarter of a second. [`Audit::record_durably`] waits for the group to be
//! flushed and is for calls that change something; such lines are not lost. Floods of equal lines are counted
//! (`fold`), each person has an own share of what is kept (`retention`), and what stands there can be checked
//! (`chain`).

mod chain;
mod entry;
mod fold;
mod retention;
mod sweep;
#[cfg(test)]
mod tampering;
mod writer;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

pub use self::{
    chain::{Head, Link, Verdict},
    entry::{Class, Cursor, DEEDS, Entry, HOUSE, Outcome, Recorded},
    retention::Retention,
};
use self::{
    entry::{EntryId, Stored},
    writer::{Line, Message, Writer},
};
use crate::{
    clock::SharedClock,
    id::{CallId, SharedEntropy, UserId},
    store::{self, Store, Table},
};

/// What the operations return.
pub type Result<T> = std::result::Result<T, Error>;

/// How many lines may wait to be written before callers wait too.
const QUEUE: usize = 4096;

/// How many records a page asks the store for.
const PAGE: usize = 256;

/// How many lines a filtered listing looks at before it hands out what it has.
const LOOKED_AT: usize = 20 * PAGE;

/// How far behind a begun deed its end is looked for.
const LOOKED_AHEAD: usize = PAGE;

/// The record of calls. Clones share the queue; the last one that goes lets the writer finish.
#[derive(Clone, Debug)]
pub struct Audit {
    store: Arc<dyn Store>,
    queue: mpsc::Sender<Message>,
    ids: Arc<Ids>,
    lost: Arc<AtomicU64>,
}

/// Gives out ids that grow.
#[derive(Debug)]
struct Ids {
    last: AtomicU64,
    node: [u8; 4],
}

/// A page of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The newest first.
    pub entries: Vec<Recorded>,
    /// Where the next page starts; `None` when there is none.
    pub cursor: Option<Cursor>,
}

/// Which lines are wanted: those that fit everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// For whom.
    pub user: Option<String>,
    /// Through which agent.
    pub agent: Option<String>,
    /// At which vendor.
    pub integration: Option<String>,
    /// Which tool.
    pub tool: Option<String>,
    /// `ok`, `error`, `refused` or `begun`.
    pub outcome: Option<String>,
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        let outcome = entry.outcome.name();
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        fits(&self.user, entry.user.as_str())
            && fits(&self.agent, entry.agent.as_str())
            && fits(&self.integration, &entry.integration)
            && fits(&self.tool, &entry.tool)
            && fits(&self.outcome, outcome)
    }
}

impl Audit {
    /// The audit in `store`. Starts the writer on the present runtime.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: SharedClock,
        entropy: &SharedEntropy,
        retention: Retention,
    ) -> Result<Self> {
        let newest = store.scan_back(Table::Audit, b"", None, 1).await?;
        let last = newest.first().and_then(|(id, _)| EntryId::parse(id)).map_or(0, EntryId::micros);
        let mut node = [0; 4];
        entropy.fill(&mut node);
        let (queue, messages) = mpsc::channel(QUEUE);
        let ids = Arc::new(Ids { last: AtomicU64::new(last), node });
        let writer = Writer::new(Arc::clone(&store), clock, retention, Arc::clone(&ids));
        let unwritten = writer.lost();
        tokio::spawn(writer.run(messages));
        Ok(Audit { store, queue, ids, lost: unwritten })
    }

    /// Puts the lines that an earlier program wrote into the chain, where they stay marked as such. Only for a store of
    /// which something else says that it is from before, and before it is opened.
    pub async fn take_over(store: &dyn Store) -> Result<u64> {
        Ok(sweep::take_over(store).await?)
    }

    /// Adds lines of another store, each under its id; those that are here already are passed over.
    pub async fn add_from_elsewhere(&self, lines: Vec<(Vec<u8>, Vec<u8>)>) -> Result<()> {
        let lines = lines.into_iter().filter_map(|(id, value)| {
            EntryId::parse(&id)?;
            Some(Line { id, entry: Stored::decode(&value)?.entry.tidied(), old: true })
        });
        let (done, written) = oneshot::channel();
        let message = Message::TakeOver { lines: lines.collect(), done };
        self.queue.send(message).await.map_err(|_| Error::Closed)?;
        written.await.map_err(|_| Error::Closed)?.map_err(Error::NotWritten)
    }

    /// Checks every line and the chain that they make; with a head that was kept elsewhere, also whether it lies on it.
    pub async fn verify(&self, kept: Option<Head>) -> Result<Verdict> {
        self.flush().await;
        Ok(sweep::verify(&*self.store, kept).await?)
    }

    /// Whether any line that fits `filter` is there at all.
    pub async fn has_any(&self, filter: &Filter) -> Result<bool> {
        let mut cursor = None;
        loop {
            let page = self.newest_that(filter, cursor.as_ref(), 1).await?;
            if !page.entries.is_empty() {
                return Ok(true);
            }
            let Some(next) = page.cursor else { return Ok(false) };
            cursor = Some(next);
        }
    }

    /// Queues a line. Waits only when the disk is far behind.
    pub async fn record(&self, entry: Entry) {
        if self.queue.send(self.line(entry, None)).await.is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes a line and returns when no crash can lose it any more. An error means that it is not written.
    pub async fn record_durably(&self, entry: Entry) -> Result<()> {
        let (done, written) = oneshot::channel();
        self.queue.send(self.line(entry, Some(done))).await.map_err(|_| Error::Closed)?;
        written.await.map_err(|_| Error::Closed)?.map_err(Error::NotWritten)
    }

    /// Returns when everything that was recorded before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }

    /// How many lines could not be written since the start: for health pages.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Up to `limit` lines, the newest first, from the first one before `cursor`.
    pub async fn newest(&self, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        self.page(cursor, limit, |_| true).await
    }

    /// [`Audit::newest`] with only the lines that `filter` lets through. A page may be short and still have a next one.
    pub async fn newest_that(&self, filter: &Filter, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        self.page(cursor, limit, |entry| filter.takes(entry)).await
    }

    /// [`Audit::newest`] with only the lines of `user`. A page may be short and still have a next one.
    pub async fn newest_of(&self, user: &UserId, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        self.page(cursor, limit, |entry| entry.user == *user).await
    }

    async fn page(&self, cursor: Option<&Cursor>, limit: usize, wanted: impl Fn(&Entry) -> bool) -> Result<Page> {
        self.flush().await;
        let mut before = cursor.map(|cursor| cursor.id().bytes().to_vec());
        let mut entries = Vec::new();
        let mut ended = BTreeSet::new();
        for _ in 0..LOOKED_AT / PAGE {
            let found = self.store.scan_back(Table::Audit, b"", before.as_deref(), PAGE).await?;
            let last = found.len() < PAGE;
            for (id, stored) in found {
                if entries.len() == limit {
                    return Ok(Page { entries, cursor: before.as_deref().and_then(Cursor::at) });
                }
                before = Some(id.clone());
                let Some(recorded) = Recorded::decode(&id, &stored.value) else {
                    tracing::error!("a line of the audit cannot be read: `switchboard audit verify` names it");
                    continue;
                };
                if self.is_ended(&recorded, &id, &mut ended).await? || !wanted(&recorded.entry) {
                    continue;
                }
                entries.push(recorded);
            }
            if last {
                return Ok(Page { entries, cursor: None });
            }
        }
        Ok(Page { entries, cursor: before.as_deref().and_then(Cursor::at) })
    }

    /// Whether a line only says that something was begun whose end stands in another one.
    async fn is_ended(&self, line: &Recorded, id: &[u8], ended: &mut BTreeSet<CallId>) -> Result<bool> {
        let call = &line.entry.call;
        if line.entry.outcome != Outcome::Begun {
            if line.entry.class == Class::Change {
                ended.insert(call.clone());
            }
            return Ok(false);
        }
        if ended.contains(call) {
            return Ok(true);
        }
        // The end may stand on the page before this one.
        let behind = self.store.scan(Table::Audit, b"", Some(id), LOOKED_AHEAD).await?;
        Ok(behind.iter().filter_map(|(_, stored)| Stored::decode(&stored.value)).any(|other| other.entry.call == *call))
    }

    fn line(&self, entry: Entry, done: Option<writer::Done>) -> Message {
        let id = self.ids.next(&entry);
        Message::Line { id, entry: Box::new(entry.tidied()), done }
    }
}

impl Ids {
    /// The entry's time in microseconds, or one more than the last: also when the clock was set back.
    fn next(&self, entry: &Entry) -> EntryId {
        let at = u64::try_from(entry.at.as_microsecond()).unwrap_or(0);
        let step = |last: u64| Some(at.max(last + 1));
        let last = self.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).unwrap_or(at);
        EntryId::new(at.max(last + 1), self.node)
    }
}

/// Why the audit failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The writer is gone: the process is stopping.
    #[error("the audit is closed, because switchboard is stopping")]
    Closed,
    /// The store did not take the line.
    #[error("the audit could not be written: {0}")]
    NotWritten(Arc<store::Error>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::{
        clock::ManualClock,
        id::{AgentId, CallId, SeededEntropy},
        store::MemoryStore,
    };

    pub(in crate::audit) fn start() -> Timestamp {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }

    pub(in crate::audit) fn entry(call: &str) -> Entry {
        Entry {
            at: start(),
            call: CallId::new(call),
            user: UserId::new("ann"),
            agent: AgentId::new("desk"),
            address: None,
            integration: "gmail".into(),
            connection: Some("work".into()),
            tool: "gmail_send_message".into(),
            target: Some("bob@example.com".into()),
            outcome: Outcome::Ok,
            millis: 120,
            class: Class::Look,
            via: None,
            times: 1,
            until: None,
        }
    }

    pub(in crate::audit) async fn over(store: Arc<MemoryStore>, retention: Retention) -> Audit {
        let entropy: SharedEntropy = SeededEntropy::new(1);
        Audit::open(store, ManualClock::at(start()), &entropy, retention).await.unwrap()
    }

    async fn audit() -> Audit {
        over(MemoryStore::new(), Retention::default()).await
    }

    fn calls(page: &Page) -> Vec<&str> {
        page.entries.iter().map(|recorded| recorded.entry.call.as_str()).collect()
    }

    #[tokio::test]
    async fn lines_come_back_newest_first_and_in_pages() {
        let audit = audit().await;
        for call in ["c-1", "c-2", "c-3"] {
            audit.record(entry(call)).await;
        }
        let first = audit.newest(None, 2).await.unwrap();
        assert_eq!(calls(&first), ["c-3", "c-2"]);
        assert_eq!(first.entries[0].entry, entry("c-3"));
        let cursor = Cursor::parse(&first.cursor.unwrap().to_string()).unwrap();
        let second = audit.newest(Some(&cursor), 2).await.unwrap();
        assert_eq!(calls(&second), ["c-1"]);
        assert_eq!(second.cursor, None);
    }

    #[tokio::test]
    async fn a_page_that_takes_all_has_no_next() {
        let audit = audit().await;
        for number in 0..PAGE {
            audit.record(Entry { tool: format!("t{number}"), ..entry(&format!("c-{number}")) }).await;
        }
        let page = audit.newest(None, PAGE).await.unwrap();
        assert_eq!(page.entries.len(), PAGE);
        assert_eq!(page.cursor, None);
        let page = audit.newest(None, PAGE - 1).await.unwrap();
        let rest = audit.newest(page.cursor.as_ref(), PAGE).await.unwrap();
        assert_eq!(calls(&rest), ["c-0"]);
    }

    #[tokio::test]
    async fn a_person_sees_only_the_own_lines() {
        let audit = audit().await;
        for number in 0..PAGE + 10 {
            let user = UserId::new(if number % 100 == 0 { "bob" } else { "ann" });
            audit.record(Entry { user, tool: format!("t{number}"), ..entry(&format!("c-{number}")) }).await;
        }
        let page = audit.newest_of(&UserId::new("bob"), None, 2).await.unwrap();
        assert_eq!(calls(&page), ["c-200", "c-100"]);
        let rest = audit.newest_of(&UserId::new("bob"), page.cursor.as_ref(), 2).await.unwrap();
        assert_eq!(calls(&rest), ["c-0"]);
        assert_eq!(rest.cursor, None);
    }

    #[tokio::test]
    async fn a_durable_line_is_in_the_store_when_the_call_returns() {
        let store = MemoryStore::new();
        let audit = over(store.clone(), Retention::default()).await;
        audit.record(entry("c-1")).await;
        audit.record_durably(entry("c-2")).await.unwrap();
        assert_eq!(store.report().await.unwrap().records_of(Table::Audit), 2, "earlier lines are not overtaken");
        assert_eq!(audit.lost(), 0);
    }

    #[tokio::test]
    async fn when_the_last_handle_goes_the_queue_is_written() {
        let store = MemoryStore::new();
        let audit = over(store.clone(), Retention::default()).await;
        let mut written = store.watch(Table::Audit);
        audit.record(entry("c-1")).await;
        drop(audit);
        assert!(written.next().await.is_some());
        assert_eq!(store.report().await.unwrap().records_of(Table::Audit), 1);
    }

    #[tokio::test]
    async fn the_order_holds_over_a_restart_with_an_earlier_clock() {
        let store = MemoryStore::new();
        let late = Entry { at: start() + SignedDuration::from_hours(1), ..entry("c-1") };
        over(store.clone(), Retention::default()).await.record_durably(late).await.unwrap();
        let again = over(store, Retention::default()).await;
        again.record(entry("c-2")).await;
        assert_eq!(calls(&again.newest(None, 9).await.unwrap()), ["c-2", "c-1"]);
    }

    #[tokio::test]
    async fn the_oldest_lines_give_way() {
        let store = MemoryStore::new();
        let retention = Retention { rows: 10, ..Retention::default() };
        let audit = over(store.clone(), retention).await;
        for number in 0..1_500 {
            audit.record(Entry { tool: format!("t{number}"), ..entry(&format!("c-{number}")) }).await;
        }
        audit.flush().await;
        drop(audit);
        let audit = over(store.clone(), retention).await;
        audit.record_durably(entry("c-last")).await.unwrap();
        let page = audit.newest(None, 99).await.unwrap();
        assert_eq!(calls(&page)[..2], ["c-last", "c-1499"]);
        assert!(page.entries.len() <= 11, "{}", page.entries.len());
    }

    #[tokio::test]
    async fn old_lines_give_way() {
        let store = MemoryStore::new();
        let retention = Retention { age: SignedDuration::from_hours(24), ..Retention::default() };
        let old = Entry { at: start() - SignedDuration::from_hours(25), ..entry("c-old") };
        over(store.clone(), Retention::default()).await.record_durably(old).await.unwrap();
        let audit = over(store, retention).await;
        audit.record_durably(entry("c-new")).await.unwrap();
        assert_eq!(calls(&audit.newest(None, 9).await.unwrap()), ["c-new"]);
    }

    #[tokio::test]
    async fn a_line_always_fits() {
        let audit = audit().await;
        let huge = Entry { target: Some("x".repeat(store::MAX_VALUE)), ..entry("c-1") };
        audit.record_durably(huge).await.unwrap();
        let stored = audit.newest(None, 1).await.unwrap();
        assert_eq!(stored.entries[0].entry.target.as_ref().unwrap().len(), 200);
    }
}
