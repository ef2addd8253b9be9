//! Writing down what becomes of a task that runs here, and hearing what other nodes wrote about it.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use jiff::SignedDuration;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::{
    ATTEMPTS, HEARTBEAT, PROMISE, TTL, Task, Tasks,
    kept::{self, Kept},
};
use crate::store::{self, Expect, Seen};

/// How old a promise is that is prolonged.
const HEARTBEAT_AGE: SignedDuration = SignedDuration::from_secs(10);
/// How often records are searched for what has run out.
const SWEEP: Duration = Duration::from_mins(15);

impl Tasks {
    /// Writes a task down, tells that it has begun, and keeps the record true until it has ended.
    pub(super) async fn keep(self: Arc<Self>, task: Arc<Task>, begun: oneshot::Sender<Value>) {
        self.attend();
        let promised = || self.clock.now().saturating_add(PROMISE).unwrap_or_default();
        // Described as it began, whatever has become of it while it was written down.
        let described = Value::Object(task.kept(promised()).describe(&task.id));
        if let Err(error) = self.records.write(&task.id, &task.kept(promised()), Expect::Absent).await {
            tracing::warn!(%error, "a task could not be written down, and is given up");
            task.fail("the task could not be written down, and was given up: try again later");
            self.all().remove(&kept::name(&task.id));
            return;
        }
        // Who asked may be gone; the task can be found all the same.
        let _ = begun.send(described);
        while !self.is_written(&task).await {
            tokio::select! {
                () = task.changed.notified() => {}
                () = tokio::time::sleep(HEARTBEAT) => {}
                () = self.closing.cancelled(), if !task.ending.is_cancelled() => {
                    task.fail("the server was stopped before the task was done");
                }
            }
        }
        self.all().remove(&kept::name(&task.id));
    }

    /// Brings task and record together; `true` when it has ended, and nothing more is to be written.
    async fn is_written(&self, task: &Task) -> bool {
        let age = self.clock.now().duration_since(task.created());
        if age >= SignedDuration::from_millis(TTL) {
            task.cancel();
            return true;
        }
        self.reconcile(task).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what became of a task could not be written down yet");
            false
        })
    }

    async fn reconcile(&self, task: &Task) -> store::Result<bool> {
        let mut attempts = 0;
        loop {
            let Some((record, version)) = self.records.read(&task.id).await? else {
                task.fail("the record of the task is gone");
                return Ok(true);
            };
            if let Some(end) = record.end.clone() {
                task.adopt(end);
                return Ok(true);
            }
            if !record.answers.is_empty() {
                task.answered(record.answers.clone());
            }
            let kept = task.kept(record.promised);
            let is_due = record.promised.duration_since(self.clock.now()) < PROMISE - HEARTBEAT_AGE;
            let is_same = kept == Kept { answers: Map::new(), ..record.clone() } && record.answers.is_empty();
            if is_same && !is_due {
                return Ok(false);
            }
            let promised = self.clock.now().saturating_add(PROMISE).unwrap_or_default();
            let kept = Kept { promised, ..kept };
            attempts += 1;
            match self.records.write(&task.id, &kept, Expect::Version(version)).await {
                Ok(_) => return Ok(kept.end.is_some()),
                Err(error) if error.is_conflict() && attempts < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Begins, once, to listen for what other nodes write about tasks that run here, and to throw away old records.
    fn attend(self: &Arc<Self>) {
        if self.is_attended.swap(true, Ordering::Relaxed) {
            return;
        }
        let (mut watch, tasks) = (self.records.watch(), Arc::downgrade(self));
        tokio::spawn(async move {
            while let Some(Some(seen)) = closing_or(&tasks, watch.next()).await {
                let Some(tasks) = tasks.upgrade() else { return };
                tasks.wake(&seen);
            }
        });
        let tasks = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(()) = closing_or(&tasks, tokio::time::sleep(SWEEP)).await {
                let Some(tasks) = tasks.upgrade() else { return };
                if let Err(error) = tasks.records.forget(tasks.clock.now()).await {
                    tracing::warn!(%error, "records of old tasks could not be removed");
                }
            }
        });
    }

    /// Wakes the keepers of the tasks that a change may be about.
    fn wake(&self, seen: &Seen) {
        let all = self.all();
        let meant = all.iter().filter(|(name, _)| match seen {
            Seen::Changed(key) => kept::is_of(key, name),
            Seen::Missed => true,
        });
        meant.for_each(|(_, task)| task.changed.notify_one());
    }
}

/// Waits for something until the server ends; `None` when it has.
async fn closing_or<T>(tasks: &Weak<Tasks>, work: impl Future<Output = T>) -> Option<T> {
    let closing = tasks.upgrade()?.closing.clone();
    closing.run_until_cancelled(work).await
}
