//! Calls that go on after their request was answered: the extension `io.modelcontextprotocol/tasks`.
//!
//! A tool says when it goes on by itself; from there on its questions wait in the task, and its result stays there
//! until the task runs out. The work is done by the process in which it began. What is known of it stands in the
//! store, so that any node can tell of it, take answers and cancel it, and so that a task whose process is gone ends
//! as failed and never vanishes.

mod keeping;
mod kept;
mod task;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

use self::kept::{End, Kept, Records};
pub use self::task::Task;
use super::message::internal_error;
use crate::{
    agents::Principal,
    clock::SharedClock,
    id::{self, SharedEntropy},
    quota::{Quota, Quotas},
    secret::Secret,
    store::{self, Expect, Seen, SharedStore, Watch},
};

/// The name of the extension.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// How long a task is kept after its beginning, in milliseconds.
const TTL: i64 = 3_600_000;
/// How often a client should look, in milliseconds.
const POLL: u32 = 500;
/// For how long a process promises to go on with a task.
const PROMISE: SignedDuration = SignedDuration::from_secs(60);
/// How often it prolongs that.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a change is tried that another node's change overtakes.
const ATTEMPTS: usize = 8;

/// The tasks that this process runs, and the way to all others.
pub struct Tasks {
    /// By the name under which the store knows them.
    running: Mutex<HashMap<String, Arc<Task>>>,
    records: Records,
    clock: SharedClock,
    entropy: SharedEntropy,
    closing: CancellationToken,
    is_attended: AtomicBool,
    places: Quota,
}

/// The place for the task that a call may become.
#[derive(Debug)]
pub struct Slot {
    tasks: Arc<Tasks>,
    owner: Principal,
    /// Ends the work, whether it has become a task or not.
    pub ending: CancellationToken,
    task: OnceLock<(Arc<Task>, Instant)>,
    /// Where the beginning is told; gone as soon as it is decided whether the call becomes a task.
    begun: Mutex<Option<oneshot::Sender<Value>>>,
}

impl Tasks {
    /// Tasks that stand in `store`, for all nodes that have `key`; those that run here end with `closing`.
    pub fn new(
        store: SharedStore,
        key: &Secret,
        clock: SharedClock,
        entropy: SharedEntropy,
        closing: CancellationToken,
    ) -> Self {
        let records = Records::new(store, key, entropy.clone());
        Tasks {
            running: Mutex::default(),
            records,
            clock,
            entropy,
            closing,
            is_attended: AtomicBool::new(false),
            places: Quotas::default().tasks,
        }
    }

    /// The same, and no more of them run at once than `places` says.
    pub fn within(self, places: Quota) -> Arc<Self> {
        Arc::new(Tasks { places, ..self })
    }

    /// A place for a task of `owner`, and where its beginning is told as soon as it is written down.
    pub fn slot(self: &Arc<Self>, owner: &Principal) -> (Arc<Slot>, oneshot::Receiver<Value>) {
        let (begun, beginning) = oneshot::channel();
        let slot = Slot {
            tasks: Arc::clone(self),
            owner: owner.clone(),
            ending: CancellationToken::new(),
            task: OnceLock::new(),
            begun: Mutex::new(Some(begun)),
        };
        (Arc::new(slot), beginning)
    }

    /// What is to be told of `owner`'s task of that id; `None` when there is no such task.
    pub async fn report(&self, id: &str, owner: &Principal) -> store::Result<Option<Map<String, Value>>> {
        if let Some(task) = self.running(id) {
            return Ok(task.is_of(owner).then(|| task.report()));
        }
        let now = self.clock.now();
        let end_if_lost = |kept: &mut Kept| {
            if kept.promised < now {
                let why =
                    "the process that ran this task has ended before it was done: what it did may be undone or not";
                kept.end(End::Failed(json!(internal_error(why))), now);
            }
        };
        let kept = self.edit(id, owner, end_if_lost).await?;
        Ok(kept.map(|kept| kept.report(id)))
    }

    /// Hands over answers to `owner`'s task; `false` when there is no such task.
    pub async fn answer(&self, id: &str, owner: &Principal, answers: Map<String, Value>) -> store::Result<bool> {
        if let Some(task) = self.running(id) {
            let is_own = task.is_of(owner);
            if is_own {
                task.answered(answers);
            }
            return Ok(is_own);
        }
        let now = self.clock.now();
        let hand_over = |kept: &mut Kept| {
            for (key, answer) in &answers {
                if kept.questions.shift_remove(key).is_some() {
                    kept.answers.insert(key.clone(), answer.clone());
                    kept.updated = now;
                }
            }
        };
        Ok(self.edit(id, owner, hand_over).await?.is_some())
    }

    /// Cancels `owner`'s task unless it has ended; `false` when there is no such task.
    pub async fn cancel(&self, id: &str, owner: &Principal) -> store::Result<bool> {
        if let Some(task) = self.running(id) {
            let is_own = task.is_of(owner);
            if is_own {
                task.cancel();
            }
            return Ok(is_own);
        }
        let now = self.clock.now();
        Ok(self.edit(id, owner, |kept| kept.end(End::Cancelled, now)).await?.is_some())
    }

    /// Notice of changes of the tasks of these ids.
    pub fn listen(&self, ids: impl IntoIterator<Item = String>) -> News {
        let names = ids.into_iter().map(|id| (kept::name(&id), id)).collect();
        News { names, watch: self.records.watch(), missed: Vec::new() }
    }

    /// Changes what is known of a task that runs elsewhere, and has not ended.
    async fn edit(&self, id: &str, owner: &Principal, change: impl Fn(&mut Kept)) -> store::Result<Option<Kept>> {
        let mut attempts = 0;
        loop {
            let ends = |kept: &Kept| kept.created.as_millisecond().saturating_add(TTL);
            let found = self
                .records
                .read(id)
                .await?
                .filter(|(kept, _)| kept.is_of(owner) && self.clock.now().as_millisecond() < ends(kept));
            let Some((before, version)) = found else {
                return Ok(None);
            };
            let mut after = before.clone();
            if before.end.is_none() {
                change(&mut after);
            }
            if after == before {
                return Ok(Some(after));
            }
            attempts += 1;
            match self.records.write(id, &after, Expect::Version(version)).await {
                Ok(_) => return Ok(Some(after)),
                Err(error) if error.is_conflict() && attempts < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The task of that id, when it runs here.
    fn running(&self, id: &str) -> Option<Arc<Task>> {
        self.all().get(&kept::name(id)).cloned()
    }

    fn begin(self: &Arc<Self>, owner: &Principal, ending: &CancellationToken) -> Option<Arc<Task>> {
        let place = self.places.take(owner.user.as_str(), 1).ok()?;
        let id = id::base32hex(&*self.entropy, 32);
        let task = Arc::new(Task::new(id, owner, self.clock.clone(), ending.clone(), place));
        self.all().insert(kept::name(&task.id), Arc::clone(&task));
        Some(task)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Task>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} running tasks", self.all().len())
    }
}

impl Slot {
    /// The task, once the call has become one.
    pub fn task(&self) -> Option<&Arc<Task>> {
        self.task.get().map(|(task, _)| task)
    }

    /// For how long the call has been a task.
    pub fn gone_on(&self) -> Duration {
        self.task.get().map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    /// Makes the call a task, whose request is answered as soon as the task is written down; `false` when too many
    /// run, or the call is being answered already.
    pub fn begin(&self) -> bool {
        let mut begun = self.begun();
        if self.task.get().is_some() {
            return true;
        }
        if begun.is_none() {
            return false;
        }
        let Some(task) = self.tasks.begin(&self.owner, &self.ending) else {
            return false;
        };
        if self.task.set((Arc::clone(&task), Instant::now())).is_ok()
            && let Some(begun) = begun.take()
        {
            tokio::spawn(Arc::clone(&self.tasks).keep(task, begun));
        }
        true
    }

    /// Decides where what comes next is told: in the task that the call has become, or in the answer to its request;
    /// then it becomes none any more.
    pub fn settle(&self) -> Option<&Arc<Task>> {
        drop(self.begun().take());
        self.task()
    }

    fn begun(&self) -> MutexGuard<'_, Option<oneshot::Sender<Value>>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a listener hears of tasks.
#[derive(Debug)]
pub struct News {
    names: BTreeMap<String, String>,
    watch: Watch,
    missed: Vec<String>,
}

impl News {
    /// The id of the next task that may have changed; never comes when there is none to hear of.
    pub async fn next(&mut self) -> String {
        while !self.names.is_empty() {
            if let Some(id) = self.missed.pop() {
                return id;
            }
            match self.watch.next().await {
                Some(Seen::Changed(key)) => {
                    self.missed.extend(
                        self.names.iter().filter(|(name, _)| kept::is_of(&key, name)).map(|(_, id)| id.clone()),
                    );
                }
                Some(Seen::Missed) => self.missed.extend(self.names.values().cloned()),
                None => break,
            }
        }
        std::future::pending().await
    }
}
