//! The writer: takes lines from the queue, folds those that are alike, and commits them in groups, each group together
//! with the new head of the chain.

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

use super::{
    Entry, EntryId, Ids, Retention,
    chain::{Break, Head, Link, Place, break_key, head_key},
    entry::Stored,
    fold::Folds,
    sweep,
};
use crate::{
    clock::SharedClock,
    store::{self, Change, Durability, Expect, Key, Store, Table},
};

/// The most lines in one commit.
const GROUP: usize = 256;

/// How long the first line of a group waits for others: what a crash may lose.
const GATHER: Duration = Duration::from_millis(250);

/// After so many lines at least the writer looks whether old ones must go, and after this part of what is kept.
const SWEEP_EVERY: u64 = 1_000;
const SWEEP_PART: u64 = 20;

/// How many lines wait for a store that is out of reach.
const BACKLOG: usize = 20_000;

/// How often they are tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// How often a group is tried when other nodes write at the same time. Each try that fails is a group of theirs.
const TRIES: u32 = 1_000;

/// Tells whether a line was written.
pub(super) type Done = oneshot::Sender<Result<(), Arc<store::Error>>>;

/// What comes through the queue.
#[derive(Debug)]
pub(super) enum Message {
    /// Something to write.
    Line { id: EntryId, entry: Box<Entry>, done: Option<Done> },
    /// Lines of another store, under the ids that they had.
    TakeOver { lines: Vec<Line>, done: Done },
    /// Somebody waits for everything before.
    Flush(oneshot::Sender<()>),
}

/// A line that is to be written.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) id: Vec<u8>,
    pub(super) entry: Entry,
    /// Whether it is from before the chain, or out of an export.
    pub(super) old: bool,
}

/// What is to be committed next.
#[derive(Default)]
struct Group {
    lines: Vec<Line>,
    waiting: Vec<Done>,
    flushes: Vec<oneshot::Sender<()>>,
    taken_over: Vec<(Vec<Line>, Done)>,
}

impl Group {
    fn is_due(&self) -> bool {
        !self.flushes.is_empty() || !self.waiting.is_empty() || !self.taken_over.is_empty() || self.lines.len() >= GROUP
    }
}

/// The lines behind `head` as they are stored, and the head behind them.
pub(super) fn chained(lines: &[Line], head: Head) -> (Vec<Change>, Head) {
    let mut head = head;
    let changes = lines.iter().map(|line| {
        let chain = Some(Place { n: head.n + 1, prev: head.link, old: line.old });
        // A line is made of texts and numbers: it always has a JSON form.
        let value = serde_json::to_vec(&Stored { entry: line.entry.clone(), chain }).unwrap_or_default();
        head = Head { n: head.n + 1, link: Link::of(&line.id, &value) };
        Change::Put { key: Key::raw(Table::Audit, line.id.as_slice()), value, expect: Expect::Absent }
    });
    let changes: Vec<Change> = changes.collect();
    (changes, head)
}

/// The change that makes `head` the head.
pub(super) fn put_head(head: Head, expect: Expect) -> Change {
    Change::Put { key: head_key(), value: serde_json::to_vec(&head).unwrap_or_default(), expect }
}

/// The head as it is stored; the start when there is none yet.
pub(super) async fn read_head(store: &dyn Store) -> store::Result<(Head, Expect)> {
    let Some(stored) = store.get(&head_key()).await? else { return Ok((Head::START, Expect::Absent)) };
    let head = serde_json::from_slice(&stored.value).map_err(|_| store::Error::Untrusted(head_key()))?;
    Ok((head, Expect::Version(stored.version)))
}

pub(super) struct Writer {
    store: Arc<dyn Store>,
    clock: SharedClock,
    retention: Retention,
    lost: Arc<AtomicU64>,
    ids: Arc<Ids>,
    folds: Folds,
    /// The head as this process has last written it.
    head: Option<(Head, Expect)>,
}

impl Writer {
    pub(super) fn new(store: Arc<dyn Store>, clock: SharedClock, retention: Retention, ids: Arc<Ids>) -> Self {
        Writer { store, clock, retention, lost: Arc::default(), ids, folds: Folds::default(), head: None }
    }

    /// Counts the lines that could not be written.
    pub(super) fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lost)
    }

    /// Runs until every sender is gone and the queue is empty.
    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let every = SWEEP_EVERY.max(self.retention.rows.min(10_000_000) / SWEEP_PART);
        let mut since_sweep = every;
        let mut backlog = Vec::new();
        loop {
            let first = match timeout(AGAIN, messages.recv()).await {
                Ok(Some(first)) => Some(first),
                Ok(None) => break,
                Err(_) => None,
            };
            self.catch_up(&mut backlog).await;
            let group = self.gather(first, &mut messages).await;
            if group.lines.is_empty() && !group.is_due() {
                continue;
            }
            if since_sweep >= every && !self.store.is_away() {
                self.sweep().await;
                since_sweep = 0;
            }
            since_sweep += group.lines.len() as u64;
            self.write(group, &mut backlog).await;
        }
        let lines = self.counted();
        self.write(Group { lines, ..Group::default() }, &mut backlog).await;
        self.catch_up(&mut backlog).await;
        self.lose(backlog.iter().map(Vec::len).sum(), "the store is still out of reach");
    }

    /// The group that starts with `first`: more lines come in until it is full, somebody waits, or time is up.
    async fn gather(&mut self, first: Option<Message>, messages: &mut mpsc::Receiver<Message>) -> Group {
        let mut group = Group::default();
        let due = self.folds.due(std::time::Instant::now());
        let due: Vec<Line> = due.into_iter().map(|entry| self.placed(entry)).collect();
        group.lines.extend(due);
        let Some(first) = first else { return group };
        let mut next = self.take(first, &mut group);
        let until = Instant::now() + GATHER;
        while next.is_continue() {
            let Ok(Some(message)) = timeout_at(until, messages.recv()).await else { return group };
            next = self.take(message, &mut group);
        }
        // What is there already comes along for free.
        while group.lines.len() < GROUP
            && let Ok(message) = messages.try_recv()
        {
            let _ = self.take(message, &mut group);
        }
        group
    }

    /// Takes a message in. Breaks when the group should be committed now.
    fn take(&mut self, message: Message, group: &mut Group) -> ControlFlow<()> {
        match message {
            Message::Flush(done) => {
                group.lines.extend(self.counted());
                group.flushes.push(done);
            }
            Message::TakeOver { lines, done } => group.taken_over.push((lines, done)),
            Message::Line { id, entry, done: Some(done) } => {
                group.lines.push(Line { id: id.bytes().to_vec(), entry: *entry, old: false });
                group.waiting.push(done);
            }
            Message::Line { id, entry, done: None } => {
                let mut own = Some(id);
                for entry in self.folds.take(*entry, std::time::Instant::now()) {
                    // One line stands where it was put into the queue; counts stand where they are written.
                    let is_counted = entry.times > 1;
                    let id = if is_counted { None } else { own.take() };
                    let id = id.unwrap_or_else(|| self.ids.next(&entry));
                    group.lines.push(Line { id: id.bytes().to_vec(), entry, old: false });
                }
            }
        }
        if group.is_due() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// What was counted and not written yet.
    fn counted(&mut self) -> Vec<Line> {
        let all = self.folds.all();
        all.into_iter().map(|entry| self.placed(entry)).collect()
    }

    fn placed(&self, entry: Entry) -> Line {
        Line { id: self.ids.next(&entry).bytes().to_vec(), entry, old: false }
    }

    /// Writes what waits for a store that was out of reach.
    async fn catch_up(&mut self, backlog: &mut Vec<Vec<Line>>) {
        while !backlog.is_empty() && !self.store.is_away() {
            let lines = backlog[0].clone();
            match self.commit(&lines).await {
                Err(error) if error.is_away() => return,
                Err(error) => self.lose(lines.len(), &error),
                Ok(()) => {}
            }
            backlog.remove(0);
        }
    }

    fn lose(&self, lines: usize, why: impl std::fmt::Display) {
        if lines > 0 {
            self.lost.fetch_add(lines as u64, Ordering::Relaxed);
            tracing::error!(lines, "the audit lost lines: {why}");
        }
    }

    async fn write(&mut self, group: Group, backlog: &mut Vec<Vec<Line>>) {
        // In the order of the chain: what waits comes first.
        let result = if backlog.is_empty() {
            self.commit(&group.lines).await
        } else {
            Err(store::Error::Away("earlier lines of the audit still wait for it".to_owned()))
        };
        let result = result.map_err(Arc::new);
        match &result {
            Ok(()) => {}
            Err(error) if error.is_away() => {
                backlog.push(group.lines);
                self.cut(backlog, error);
            }
            Err(error) => self.lose(group.lines.len(), error),
        }
        // Whoever stopped waiting does not want to know.
        for done in group.waiting {
            let _ = done.send(result.clone());
        }
        for (lines, done) in group.taken_over {
            let _ = done.send(self.take_over(lines).await.map_err(Arc::new));
        }
        for done in group.flushes {
            let _ = done.send(());
        }
    }

    /// Drops the oldest of what waits, when it is too much.
    fn cut(&self, backlog: &mut Vec<Vec<Line>>, why: &store::Error) {
        let mut waiting: usize = backlog.iter().map(Vec::len).sum();
        while waiting > BACKLOG && backlog.len() > 1 {
            let lines = backlog.remove(0).len();
            waiting -= lines;
            self.lose(lines, why);
        }
    }

    /// Writes lines of another store, but those that are here already.
    async fn take_over(&mut self, lines: Vec<Line>) -> store::Result<()> {
        let mut new = Vec::new();
        for line in lines {
            if self.store.get(&Key::raw(Table::Audit, line.id.as_slice())).await?.is_none() {
                new.push(line);
            }
        }
        for group in new.chunks(GROUP) {
            self.commit(group).await?;
        }
        Ok(())
    }

    /// Appends `lines` to the chain, all or none. Other nodes may append at the same time: then it goes on behind theirs.
    async fn commit(&mut self, lines: &[Line]) -> store::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let (head, expect) = self.head().await?;
            let (mut changes, next) = chained(lines, head);
            changes.push(put_head(next, expect));
            match self.store.commit(changes, Durability::SurvivesCrash).await {
                Ok(version) => {
                    self.head = Some((next, Expect::Version(version)));
                    return Ok(());
                }
                // The answer to an earlier try was lost, and not the try: nobody else has this id.
                Err(store::Error::Conflict(key)) if key.table == Table::Audit => {
                    self.head = None;
                    return Ok(());
                }
                Err(error) if error.is_conflict() && tries < TRIES => self.head = None,
                Err(error) => {
                    self.head = None;
                    return Err(error);
                }
            }
        }
    }

    async fn head(&mut self) -> store::Result<(Head, Expect)> {
        if let Some(known) = self.head {
            return Ok(known);
        }
        let read = match read_head(&*self.store).await {
            Err(error) if error.is_untrusted() => {
                tracing::error!(
                    "the head of the audit's chain is not believed: {error}; it goes on from the last line"
                );
                self.mend().await?
            }
            Ok((_, Expect::Absent)) if self.last_line().await?.is_some() => {
                tracing::error!("the head of the audit's chain was taken away; it goes on from the last line");
                self.mend().await?
            }
            other => other?,
        };
        self.head = Some(read);
        Ok(read)
    }

    /// A head in place of one that is gone or cannot be believed. `audit verify` tells of it from then on.
    async fn mend(&self) -> store::Result<(Head, Expect)> {
        let head = self.last_line().await?.unwrap_or(Head::START);
        let broken = Break { n: head.n, at: self.clock.now() };
        let value = serde_json::to_vec(&broken).unwrap_or_default();
        let note = Change::Put { key: break_key(head.n), value, expect: Expect::Anything };
        let version =
            self.store.commit(vec![note, put_head(head, Expect::Anything)], Durability::SurvivesCrash).await?;
        Ok((head, Expect::Version(version)))
    }

    /// The last line of the chain among the newest ones.
    async fn last_line(&self) -> store::Result<Option<Head>> {
        let newest = self.store.scan_back(Table::Audit, b"", None, GROUP).await?;
        let heads = newest.iter().filter_map(|(id, stored)| {
            let place = Stored::decode(&stored.value)?.chain?;
            Some(Head { n: place.n, link: Link::of(id, &stored.value) })
        });
        Ok(heads.max_by_key(|head| head.n))
    }

    async fn sweep(&self) {
        match sweep::sweep(&*self.store, &self.retention, self.clock.now()).await {
            Ok(0) => {}
            Ok(lines) => tracing::debug!(lines, "old lines of the audit were removed"),
            Err(error) => tracing::warn!("old lines of the audit could not be removed: {error}"),
        }
    }
}
