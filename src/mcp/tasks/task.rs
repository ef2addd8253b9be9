//! One call that goes on, in the process that runs it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use super::kept::{self, End, Kept};
use crate::{agents::Principal, clock::SharedClock, mcp::message::internal_error, quota::Permit};

/// One call that goes on.
#[derive(Debug)]
pub struct Task {
    pub(super) id: String,
    clock: SharedClock,
    /// Ends the work.
    pub(super) ending: CancellationToken,
    state: Mutex<State>,
    /// Wakes who writes it down.
    pub(super) changed: Notify,
    /// Its place among those of its person.
    _place: Permit,
}

#[derive(Debug)]
struct State {
    kept: Kept,
    waiting: HashMap<String, oneshot::Sender<Value>>,
}

impl Task {
    /// A task of `owner` that begins.
    pub(super) fn new(
        id: String,
        owner: &Principal,
        clock: SharedClock,
        ending: CancellationToken,
        place: Permit,
    ) -> Self {
        let state = State { kept: Kept::new(owner, clock.now()), waiting: HashMap::new() };
        Task { id, clock, ending, state: Mutex::new(state), changed: Notify::new(), _place: place }
    }

    /// What is known of it; it promises to go on until `promised`.
    pub(super) fn kept(&self, promised: Timestamp) -> Kept {
        let mut state = self.state();
        state.kept.promised = promised;
        state.kept.clone()
    }

    pub(super) fn is_of(&self, owner: &Principal) -> bool {
        self.state().kept.is_of(owner)
    }

    pub(super) fn created(&self) -> Timestamp {
        self.state().kept.created
    }

    /// The description with what came of the task, or what it waits for.
    pub(super) fn report(&self) -> Map<String, Value> {
        self.state().kept.report(&self.id)
    }

    /// The error that it ended with, if it did.
    pub fn failure(&self) -> Option<ErrorObjectOwned> {
        match &self.state().kept.end {
            Some(End::Failed(error)) => serde_json::from_value(error.clone()).ok(),
            _ => None,
        }
    }

    /// Puts questions; the answers come to the receivers.
    pub fn ask(&self, questions: Map<String, Value>) -> Vec<oneshot::Receiver<Value>> {
        let mut state = self.state();
        let mut answers = Vec::new();
        for (key, question) in questions {
            let (sender, answer) = oneshot::channel();
            state.waiting.insert(key.clone(), sender);
            state.kept.questions.insert(key, question);
            answers.push(answer);
        }
        state.kept.updated = self.clock.now();
        drop(state);
        self.changed.notify_one();
        answers
    }

    /// Takes answers; those to unknown questions are left out.
    pub(super) fn answered(&self, answers: Map<String, Value>) {
        let mut state = self.state();
        for (key, answer) in answers {
            if state.kept.questions.shift_remove(&key).is_some()
                && let Some(waiting) = state.waiting.remove(&key)
            {
                let _ = waiting.send(answer);
                state.kept.updated = self.clock.now();
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Ends the task unless it has ended.
    pub(super) fn cancel(&self) {
        self.end(End::Cancelled);
        self.ending.cancel();
    }

    /// Ends the task with an error of ours unless it has ended.
    pub(super) fn fail(&self, why: &str) {
        self.finish(Err(internal_error(why)));
        self.ending.cancel();
    }

    /// Keeps what came of the work.
    pub fn finish(&self, outcome: Result<Value, ErrorObjectOwned>) {
        let end = match outcome {
            Ok(result) => End::Completed(result),
            Err(error) => End::Failed(json!(error)),
        };
        let is_too_large = kept::is_too_large(&end);
        self.end(if is_too_large {
            End::Failed(json!(internal_error("the result is too large to be kept")))
        } else {
            end
        });
    }

    /// Ends as another node has written it down.
    pub(super) fn adopt(&self, end: End) {
        self.end(end);
        self.ending.cancel();
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        state.kept.end(end, self.clock.now());
        state.waiting.clear();
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
