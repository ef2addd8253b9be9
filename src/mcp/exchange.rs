//! What a method may know while it answers: who calls, on which terms, and how to reach the client meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    envelope::RequestId,
    era::{ProgressToken, Terms},
    flight::{Reply, Waiting},
    message::{notification_text, request_text},
    outgoing::Outgoing,
    trace::Trace,
    wishes::Wishes,
};
use crate::{
    hub::Caller,
    id::{self, base32hex},
    quota::{Permit, Quota},
};

/// How long a message waits at a time while too much is under way.
const CROWDED: Duration = Duration::from_millis(250);

/// One request on its way to an answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Who calls.
    pub caller: Caller,
    /// The revision and the client's capabilities.
    pub terms: Terms,
    /// The request's id.
    pub id: RequestId,
    /// The token under which the client wants to hear of progress.
    pub progress: Option<ProgressToken>,
    /// The way to the client; `None` where it takes nothing but the answer.
    pub outlet: Option<Outlet>,
    /// Is cancelled when the connection or the server ends.
    pub closing: CancellationToken,
    /// The `Mcp-Param-*` headers by lower-case name, on transports that have headers.
    pub headers: Option<Vec<(String, Field)>>,
    /// What the client wants to hear beside the answer.
    pub wishes: Arc<Wishes>,
    /// The client's trace, where it told one.
    pub trace: Option<Trace>,
    /// What the request counts against; `None` where nobody counts.
    pub permit: Option<Arc<Permit>>,
}

/// A header as it came: a text, or something that is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// It is not there.
    #[default]
    Absent,
    /// It is there twice, or is no visible ASCII.
    Spoilt,
    /// Its value without blanks around it.
    Text(String),
}

/// The way to a client beside the answer.
#[derive(Clone, Debug)]
pub struct Outlet {
    messages: mpsc::Sender<Outgoing>,
    questions: Option<Questions>,
    /// Is cancelled when the request is over: nothing may be said for it afterwards.
    over: CancellationToken,
}

/// A question that is with the client; it is taken back when nobody waits for the answer any more.
struct Open<'a> {
    outlet: &'a Outlet,
    id: &'a RequestId,
    is_answered: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            let id: Value = serde_json::from_str(self.id.as_json()).unwrap_or_default();
            let taken_back = notification_text("notifications/cancelled", Some(&json!({"requestId": id})));
            // This is said for a request of ours, and so even when the client's is over.
            let _ = self.outlet.messages.try_send(taken_back.into());
        }
    }
}

/// Where a client's answers to requests of ours come in.
#[derive(Clone, Debug)]
pub struct Questions {
    waiting: Arc<Waiting<QuestionKey>>,
    next: Arc<AtomicU64>,
    /// Begins every id. A client may outlive the process that asked it, and an answer that comes late must not
    /// count for a question of the next one.
    prefix: Arc<str>,
    scope: Arc<str>,
    /// Is cancelled when no answers can come in any more.
    ending: CancellationToken,
}

/// The session (empty on a pipe) and the id of a request of ours.
pub type QuestionKey = (Arc<str>, RequestId);

impl Questions {
    /// Questions of one pipe, or of all HTTP sessions of a server. No answers come in after `ending`.
    pub fn until(ending: CancellationToken) -> Self {
        Questions {
            waiting: Waiting::new(),
            next: Arc::new(AtomicU64::new(1)),
            prefix: base32hex(&*id::os(), 8).into(),
            scope: Arc::from(""),
            ending,
        }
    }

    /// The same, for one session: only its own answers count.
    #[must_use]
    pub fn scoped(&self, scope: &str) -> Self {
        Questions { scope: Arc::from(scope), ..self.clone() }
    }

    /// Takes an answer of the client; `false` when nobody waits for it.
    pub fn answered(&self, id: RequestId, reply: Reply) -> bool {
        self.waiting.answered(&(Arc::clone(&self.scope), id), reply)
    }
}

impl Outlet {
    /// Messages go to `messages`; requests of ours are possible where `questions` take the answers.
    pub fn new(messages: mpsc::Sender<Outgoing>, questions: Option<Questions>) -> Self {
        Outlet { messages, questions, over: CancellationToken::new() }
    }

    /// Closes the outlet and its clones when it is dropped.
    pub fn gate(&self) -> DropGuard {
        self.over.clone().drop_guard()
    }

    /// Sends a notification unless the way is full; never waits.
    pub fn notify(&self, method: &str, params: Option<&Value>) -> bool {
        !self.over.is_cancelled() && self.messages.try_send(notification_text(method, params).into()).is_ok()
    }

    /// Sends a notification, waiting for room; `false` when the client has gone.
    pub async fn deliver(&self, method: &str, params: Option<&Value>) -> bool {
        !self.over.is_cancelled() && self.messages.send(notification_text(method, params).into()).await.is_ok()
    }

    /// [`Outlet::deliver`] for what may be large: it waits until `person` may have so much more under way.
    pub async fn deliver_counted(&self, method: &str, params: &Value, quota: &Quota, person: &str) -> bool {
        let text = notification_text(method, Some(params));
        let permit = loop {
            if let Ok(permit) = quota.take(person, text.len() as u64) {
                break permit;
            }
            tokio::select! {
                () = tokio::time::sleep(CROWDED) => {}
                () = self.messages.closed() => return false,
            }
        };
        let message = Outgoing::counted(text, Some(Arc::new(permit)));
        !self.over.is_cancelled() && self.messages.send(message).await.is_ok()
    }

    /// Asks the client, and waits at most `limit`; `None` when no answer can come or none came.
    pub async fn ask(&self, method: &str, params: &Value, limit: Duration) -> Option<Reply> {
        let questions = self.questions.as_ref()?;
        let id = RequestId::text(&format!("q-{}-{}", questions.prefix, questions.next.fetch_add(1, Ordering::Relaxed)));
        let ticket = questions.waiting.expect((Arc::clone(&questions.scope), id.clone()));
        self.messages.send(request_text(&id, method, params).into()).await.ok()?;
        let mut open = Open { outlet: self, id: &id, is_answered: false };
        let reply = tokio::select! {
            reply = ticket.answer(limit) => reply,
            () = self.over.cancelled() => None,
            () = questions.ending.cancelled() => None,
        };
        open.is_answered = reply.is_some();
        reply
    }

    /// Whether requests of ours can be answered here.
    pub fn can_ask(&self) -> bool {
        self.questions.is_some()
    }
}
