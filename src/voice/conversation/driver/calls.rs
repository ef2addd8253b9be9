//! A conversation's calls of tools.

use std::{mem, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::{
    task::{AbortHandle, JoinError},
    time::{sleep, timeout},
};

use super::{Driver, Job};
use crate::{
    mcp::client::{Ended, Error, Listed, Question},
    voice::conversation::moves::{Came, Input},
};

/// The first turn waits for the tools this long.
const TOOLS_WITHIN: Duration = Duration::from_secs(4);

/// Tools that could not be reached are tried again after so long.
const TOOLS_AGAIN: Duration = Duration::from_secs(3);

/// A call that may ask.
#[derive(Debug)]
pub(super) struct Call {
    tool: String,
    arguments: Map<String, Value>,
    question: Option<Question>,
    pub(super) handle: AbortHandle,
}

impl Driver {
    pub(super) fn call(&mut self, id: String, tool: String, arguments: Map<String, Value>) {
        let doing = self.parts.tools.call(&tool, &arguments);
        let call = id.clone();
        let handle = self.jobs.spawn(async move { Job::Called(call, doing.await) });
        self.calls.insert(id, Call { tool, arguments, question: None, handle });
    }

    /// Answers the question of this very call.
    pub(super) fn decide(&mut self, id: String, approve: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(question) = call.question.take() else { return };
        let doing = self.parts.tools.answer(&call.tool, &call.arguments, &question, approve);
        call.handle = self.jobs.spawn(async move { Job::Called(id, doing.await) });
    }

    pub(super) fn come_back(&mut self, job: Result<Job, JoinError>) {
        match job {
            Ok(Job::Called(id, ended)) => self.called(id, ended),
            Ok(Job::Listed(listed)) => self.listed(listed),
            Ok(Job::Prepared) => {}
            // Its call is given up when its time is over.
            Err(error) if error.is_panic() => tracing::error!(%error, "a task of a conversation failed"),
            Err(_) => {}
        }
    }

    fn called(&mut self, id: String, ended: Result<Ended, Error>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let what = match ended {
            Ok(Ended::Asks(question)) => {
                let text = question.text.clone();
                call.question = Some(question);
                return self.take(Input::Came { call: id, what: Came::Asks(text) });
            }
            Ok(Ended::Done(done)) => Came::Done(done),
            Err(error) => {
                if matches!(error, Error::Away(_)) {
                    self.look_at_tools(TOOLS_AGAIN);
                }
                Came::Failed(error.to_string())
            }
        };
        self.calls.remove(&id);
        self.take(Input::Came { call: id, what });
    }

    pub(super) fn look_at_tools(&mut self, after: Duration) {
        if mem::replace(&mut self.is_listing, true) {
            return;
        }
        let tools = Arc::clone(&self.parts.tools);
        self.jobs.spawn(async move {
            sleep(after).await;
            let listed = timeout(TOOLS_WITHIN, tools.list()).await;
            Job::Listed(listed.unwrap_or_else(|_| Err(Error::Away("it did not answer in time".into()))))
        });
    }

    fn listed(&mut self, listed: Result<Vec<Listed>, Error>) {
        self.is_listing = false;
        match listed {
            Ok(tools) => self.take(Input::Tools(tools)),
            Err(error) => {
                tracing::warn!(%error, "a conversation goes on without its tools");
                self.take(Input::ToolsAway);
                self.look_at_tools(TOOLS_AGAIN);
            }
        }
    }
}
