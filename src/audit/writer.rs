//! The writer: takes lines from the queue and commits them in groups.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};

use super::{Entry, EntryId, Recorded, Retention};
use crate::{
    clock::SharedClock,
    store::{self, Change, Durability, Expect, Key, Store, Table},
};

/// The most lines in one commit.
const GROUP: usize = 256;

/// How long the first line of a group waits for others: what a crash may lose.
const GATHER: Duration = Duration::from_millis(250);

/// After so many lines the writer looks whether old ones must go.
const SWEEP_EVERY: usize = 1_000;

/// How many lines wait for a store that is out of reach.
const BACKLOG: usize = 20_000;

/// How often they are tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The most lines that one commit takes away.
const SWEEP_GROUP: usize = 500;

/// Tells whether a line was written.
pub(super) type Done = oneshot::Sender<Result<(), Arc<store::Error>>>;

/// What comes through the queue.
#[derive(Debug)]
pub(super) enum Message {
    /// Something to write.
    Line { id: EntryId, entry: Box<Entry>, done: Option<Done> },
    /// Somebody waits for everything before.
    Flush(oneshot::Sender<()>),
}

/// What is to be committed next.
#[derive(Default)]
struct Group {
    changes: Vec<Change>,
    waiting: Vec<Done>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Group {
    /// Takes a message in. Breaks when the group should be committed now.
    fn take(&mut self, message: Message) -> ControlFlow<()> {
        match message {
            Message::Flush(done) => self.flushes.push(done),
            Message::Line { id, entry, done } => {
                // An entry is made of texts and numbers: it always has a JSON form.
                let value = serde_json::to_vec(&entry).unwrap_or_default();
                self.changes.push(Change::Put {
                    key: Key::raw(Table::Audit, id.bytes()),
                    value,
                    // Nobody else has this id; a write whose answer was lost is written once more.
                    expect: Expect::Anything,
                });
                self.waiting.extend(done);
            }
        }
        let is_due = !self.flushes.is_empty() || !self.waiting.is_empty() || self.changes.len() >= GROUP;
        if is_due { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

pub(super) struct Writer {
    store: Arc<dyn Store>,
    clock: SharedClock,
    retention: Retention,
    lost: Arc<AtomicU64>,
}

impl Writer {
    pub(super) fn new(store: Arc<dyn Store>, clock: SharedClock, retention: Retention) -> Self {
        Writer { store, clock, retention, lost: Arc::default() }
    }

    /// Counts the lines that could not be written.
    pub(super) fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lost)
    }

    /// Runs until every sender is gone and the queue is empty.
    pub(super) async fn run(self, mut messages: mpsc::Receiver<Message>) {
        let mut since_sweep = SWEEP_EVERY;
        let mut backlog = Vec::new();
        loop {
            let first = match timeout(AGAIN, messages.recv()).await {
                Ok(Some(first)) => first,
                Ok(None) => break,
                Err(_) => {
                    self.catch_up(&mut backlog).await;
                    continue;
                }
            };
            if since_sweep >= SWEEP_EVERY {
                self.sweep().await;
                since_sweep = 0;
            }
            let group = gather(first, &mut messages).await;
            since_sweep += group.changes.len();
            self.catch_up(&mut backlog).await;
            self.write(group, &mut backlog).await;
        }
        self.catch_up(&mut backlog).await;
        self.lose(backlog.len(), "the store is still out of reach");
    }

    /// Writes what waits for a store that was out of reach.
    async fn catch_up(&self, backlog: &mut Vec<Change>) {
        while !backlog.is_empty() && !self.store.is_away() {
            let group = backlog[..backlog.len().min(GROUP)].to_vec();
            let lines = group.len();
            match self.store.commit(group, Durability::SurvivesCrash).await {
                Err(error) if error.is_away() => return,
                Err(error) => self.lose(lines, &error),
                Ok(_) => {}
            }
            backlog.drain(..lines);
        }
    }

    fn lose(&self, lines: usize, why: impl std::fmt::Display) {
        if lines > 0 {
            self.lost.fetch_add(lines as u64, Ordering::Relaxed);
            tracing::error!(lines, "the audit lost lines: {why}");
        }
    }

    async fn write(&self, group: Group, backlog: &mut Vec<Change>) {
        let result = match group.changes.len() {
            0 => Ok(0),
            _ => self.store.commit(group.changes.clone(), Durability::SurvivesCrash).await,
        };
        let result = result.map(drop).map_err(Arc::new);
        match &result {
            Ok(()) => {}
            Err(error) if error.is_away() => {
                backlog.extend(group.changes);
                let excess = backlog.len().saturating_sub(BACKLOG);
                backlog.drain(..excess);
                self.lose(excess, error);
            }
            Err(error) => self.lose(group.changes.len(), error),
        }
        // Whoever stopped waiting does not want to know.
        for done in group.waiting {
            let _ = done.send(result.clone());
        }
        for done in group.flushes {
            let _ = done.send(());
        }
    }

    async fn sweep(&self) {
        if let Err(error) = self.try_sweep().await {
            tracing::warn!("old lines of the audit could not be removed: {error}");
        }
    }

    /// Removes what is too much or too old, from the oldest on, in ranges.
    async fn try_sweep(&self) -> store::Result<()> {
        let rows = self.store.report().await?.records_of(Table::Audit);
        let mut excess = usize::try_from(rows.saturating_sub(self.retention.rows)).unwrap_or(usize::MAX);
        let oldest = self.clock.now().checked_sub(self.retention.age).ok();
        loop {
            let page = self.store.scan(Table::Audit, b"", None, SWEEP_GROUP).await?;
            let is_old = |id: &[u8], value: &[u8]| {
                oldest.zip(Recorded::decode(id, value)).is_some_and(|(oldest, line)| line.entry.at < oldest)
            };
            let doomed: Vec<Change> = page
                .into_iter()
                .enumerate()
                .take_while(|(nth, (id, stored))| *nth < excess || is_old(id, &stored.value))
                .map(|(_, (id, _))| Change::Delete { key: Key::raw(Table::Audit, id), expect: Expect::Anything })
                .collect();
            let count = doomed.len();
            if count > 0 {
                self.store.commit(doomed, Durability::SurvivesCrash).await?;
            }
            if count < SWEEP_GROUP {
                return Ok(());
            }
            excess = excess.saturating_sub(count);
        }
    }
}

/// The group that starts with `first`: more lines come in until it is full, somebody waits, or time is up.
async fn gather(first: Message, messages: &mut mpsc::Receiver<Message>) -> Group {
    let mut group = Group::default();
    let mut next = group.take(first);
    let until = Instant::now() + GATHER;
    while next.is_continue() {
        let Ok(Some(message)) = timeout_at(until, messages.recv()).await else { return group };
        next = group.take(message);
    }
    // What is there already comes along for free.
    while group.changes.len() < GROUP
        && let Ok(message) = messages.try_recv()
    {
        let _ = group.take(message);
    }
    group
}
