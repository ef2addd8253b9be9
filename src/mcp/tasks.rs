//! Calls that go on after their request was answered: the extension `io.modelcontextprotocol/tasks`.
//!
//! A tool says when it goes on by itself; from there on its questions wait in the task, and its result stays there
//! until the task runs out. Tasks live in this process.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    agents::Principal,
    clock::SharedClock,
    id::{self, SharedEntropy},
};

/// The name of the extension.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// How long a task is kept after its beginning, in milliseconds.
const TTL: i64 = 3_600_000;
/// How often a client should look, in milliseconds.
const POLL: u32 = 500;
/// How many tasks one process keeps.
const MOST: usize = 4096;

/// The tasks of one process.
pub struct Tasks {
    all: Mutex<HashMap<String, Arc<Task>>>,
    clock: SharedClock,
    entropy: SharedEntropy,
}

/// One call that goes on.
#[derive(Debug)]
pub struct Task {
    id: String,
    owner: Principal,
    created: Timestamp,
    clock: SharedClock,
    /// Ends the work.
    pub ending: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    updated: Timestamp,
    end: Option<End>,
    questions: Map<String, Value>,
    waiting: HashMap<String, oneshot::Sender<Value>>,
}

/// How a task ended.
#[derive(Clone, Debug)]
enum End {
    Completed(Value),
    Failed(Value),
    Cancelled,
}

/// The place for the task that a call may become.
#[derive(Debug)]
pub struct Slot {
    tasks: Arc<Tasks>,
    owner: Principal,
    /// Ends the work, whether it has become a task or not.
    pub ending: CancellationToken,
    task: OnceLock<Arc<Task>>,
    begun: Mutex<Option<oneshot::Sender<Value>>>,
}

impl Tasks {
    /// None yet.
    pub fn new(clock: SharedClock, entropy: SharedEntropy) -> Arc<Self> {
        Arc::new(Tasks { all: Mutex::default(), clock, entropy })
    }

    /// A place for a task of `owner`, and where its beginning is told.
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

    /// The task of that id, when it is `owner`'s.
    pub fn find(&self, id: &str, owner: &Principal) -> Option<Arc<Task>> {
        self.forget_old();
        self.all().get(id).filter(|task| task.owner.user == owner.user && task.owner.agent == owner.agent).cloned()
    }

    /// Ends what has run out.
    fn forget_old(&self) {
        let now = self.clock.now();
        self.all().retain(|_, task| {
            let is_young = now.duration_since(task.created) < SignedDuration::from_millis(TTL);
            if !is_young {
                task.cancel();
            }
            is_young
        });
    }

    fn begin(&self, owner: &Principal, ending: &CancellationToken) -> Option<Arc<Task>> {
        self.forget_old();
        let mut all = self.all();
        if all.len() >= MOST {
            return None;
        }
        let created = self.clock.now();
        let state = State { updated: created, end: None, questions: Map::new(), waiting: HashMap::new() };
        let task = Arc::new(Task {
            id: id::base32hex(&*self.entropy, 32),
            owner: owner.clone(),
            created,
            clock: self.clock.clone(),
            ending: ending.clone(),
            state: Mutex::new(state),
        });
        all.insert(task.id.clone(), Arc::clone(&task));
        Some(task)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Task>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tasks", self.all().len())
    }
}

impl Slot {
    /// The task, once the call has become one.
    pub fn task(&self) -> Option<&Arc<Task>> {
        self.task.get()
    }

    /// Makes the call a task and answers its request; `false` when there are too many.
    pub fn begin(&self) -> bool {
        if self.task.get().is_some() {
            return true;
        }
        let Some(task) = self.tasks.begin(&self.owner, &self.ending) else {
            return false;
        };
        let described = task.describe();
        let _ = self.task.set(task);
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(begun) = begun {
            // Who asked may be gone; the task can be found all the same.
            let _ = begun.send(Value::Object(described));
        }
        true
    }
}

impl Task {
    /// What every description of a task has.
    fn describe(&self) -> Map<String, Value> {
        let state = self.state();
        let status = match &state.end {
            Some(End::Completed(_)) => "completed",
            Some(End::Failed(_)) => "failed",
            Some(End::Cancelled) => "cancelled",
            None if state.questions.is_empty() => "working",
            None => "input_required",
        };
        let described = json!({
            "taskId": self.id,
            "status": status,
            "createdAt": self.created.to_string(),
            "lastUpdatedAt": state.updated.to_string(),
            "ttlMs": TTL,
            "pollIntervalMs": POLL,
        });
        described.as_object().cloned().unwrap_or_default()
    }

    /// The description with what came of the task, or what it waits for.
    pub fn report(&self) -> Map<String, Value> {
        let mut report = self.describe();
        let state = self.state();
        let (member, value) = match &state.end {
            Some(End::Completed(result)) => ("result", result.clone()),
            Some(End::Failed(error)) => ("error", error.clone()),
            None if !state.questions.is_empty() => ("inputRequests", Value::Object(state.questions.clone())),
            Some(End::Cancelled) | None => return report,
        };
        report.insert(member.into(), value);
        report
    }

    /// Puts questions; the answers come to the receivers.
    pub fn ask(&self, questions: Map<String, Value>) -> Vec<oneshot::Receiver<Value>> {
        let mut state = self.state();
        let mut answers = Vec::new();
        for (key, question) in questions {
            let (sender, answer) = oneshot::channel();
            state.waiting.insert(key.clone(), sender);
            state.questions.insert(key, question);
            answers.push(answer);
        }
        state.updated = self.clock.now();
        answers
    }

    /// Takes answers; those to unknown questions are left out.
    pub fn answered(&self, answers: Map<String, Value>) {
        let mut state = self.state();
        for (key, answer) in answers {
            if state.questions.shift_remove(&key).is_some()
                && let Some(waiting) = state.waiting.remove(&key)
            {
                let _ = waiting.send(answer);
            }
        }
        state.updated = self.clock.now();
    }

    /// Ends the task unless it has ended.
    pub fn cancel(&self) {
        self.ending.cancel();
        self.end(End::Cancelled);
    }

    /// Keeps what came of the work.
    pub fn finish(&self, outcome: Result<Value, ErrorObjectOwned>) {
        self.end(match outcome {
            Ok(result) => End::Completed(result),
            Err(error) => End::Failed(json!(error)),
        });
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        if state.end.is_none() {
            state.end = Some(end);
            state.questions.clear();
            state.waiting.clear();
            state.updated = self.clock.now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ManualClock,
        id::{AgentId, SeededEntropy, UserId},
    };

    #[tokio::test]
    async fn a_task_lives_from_its_beginning_to_its_end_and_is_its_owners_alone() {
        let clock = ManualClock::at("2026-11-22T12:00:00Z".parse().unwrap());
        let tasks = Tasks::new(clock.clone(), SeededEntropy::new(3));
        let ann = Principal { user: UserId::new("ann"), agent: AgentId::new("local"), admin: false };
        let bob = Principal { user: UserId::new("bob"), ..ann.clone() };
        let (slot, beginning) = tasks.slot(&ann);
        assert!(slot.task().is_none() && slot.begin() && slot.begin());
        let id = beginning.await.unwrap()["taskId"].as_str().unwrap().to_owned();
        assert!(tasks.find(&id, &bob).is_none());
        let task = tasks.find(&id, &ann).unwrap();
        let mut answers = task.ask(Map::from_iter([("name".to_owned(), json!({"method": "roots/list"}))]));
        assert_eq!(task.report()["status"], "input_required");
        task.answered(Map::from_iter([("other".to_owned(), json!(1)), ("name".to_owned(), json!(2))]));
        assert_eq!(answers.remove(0).await.unwrap(), 2);
        assert_eq!(task.report()["status"], "working");
        task.finish(Ok(json!({"content": []})));
        task.cancel();
        assert_eq!(
            (&task.report()["status"], &task.report()["result"]),
            (&json!("completed"), &json!({"content": []}))
        );
        clock.advance(SignedDuration::from_hours(2));
        assert!(tasks.find(&id, &ann).is_none());
    }
}
