//! One call from the door to the tool and back.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    CallRequest, Caller, Desk, Error, Hub, Reply,
    accounts::{connect_it, not_connected},
    bound,
    desk::Subject,
};
use crate::{
    agents::{Agent, AskSetting},
    audit::{self, Entry},
    id::CallId,
    tool::{
        self, Asking, Call, CallParts, Client, Effect, Integration, Kind, Outcome, Progress, Reading, Row, Running,
    },
};

/// One run: what is called, by whom, until when.
pub(super) struct Run {
    pub(super) hub: Hub,
    pub(super) desk: Arc<Desk>,
    pub(super) caller: Caller,
    pub(super) row: Arc<Row>,
    pub(super) id: CallId,
    pub(super) arguments: Map<String, Value>,
    pub(super) progress: Option<Arc<dyn Progress>>,
    pub(super) client: Option<Arc<dyn Client>>,
    pub(super) began: Timestamp,
    pub(super) until: Instant,
    pub(super) asking: Asking,
    pub(super) account: Option<String>,
    pub(super) reading: Option<Reading>,
    /// How long the person took to connect the account: time that is not the call's own.
    person: Mutex<Duration>,
}

/// Runs the tool. One that may write is carried to its end even when nobody waits any more.
pub(super) async fn run(
    hub: &Hub,
    caller: &Caller,
    agent: &Agent,
    row: Arc<Row>,
    request: CallRequest,
) -> Result<Reply, Error> {
    let id = CallId::fresh(&*hub.0.entropy);
    let span = tracing::info_span!("call", tool = row.name(), agent = %caller.principal.agent, request = %id);
    let desk = hub.desk().await?;
    let only_looks = row.effect() == Effect::Reads;
    let run = Run {
        began: hub.0.clock.now(),
        until: Instant::now() + hub.0.bounds.time,
        asking: asking(agent.sends),
        account: agent.accounts.get(&*row.toolset.id).cloned(),
        hub: hub.clone(),
        desk,
        caller: caller.clone(),
        row,
        id: id.clone(),
        arguments: request.arguments,
        progress: request.progress,
        client: request.client,
        reading: request.reading,
        person: Mutex::default(),
    };
    let answered = request.answered;
    let work = async move {
        if let Some(answered) = answered {
            run.desk.answer(run.subject(), &answered).await?;
        }
        let reply = run.to_the_end().await;
        run.record(&reply).await;
        reply
    };
    if only_looks {
        return work.instrument(span).await;
    }
    let finished = tokio::spawn(work.instrument(span)).await;
    finished.unwrap_or_else(|broken| Err(Error::Tool { call: id, error: tool::Error::internal(broken) }))
}

impl Run {
    /// Runs the tool, and once more when the question that it asks has its yes already.
    async fn to_the_end(&self) -> Result<Reply, Error> {
        let first = self.with_the_account().await;
        let error = match first {
            Err(error) if error.kind() == Kind::Ask => error,
            other => return self.reply(other),
        };
        let question = error.what();
        if self.desk.take(self.subject(), question).await? {
            let second = self.attempt(BTreeSet::from([question.to_owned()])).await;
            return match second {
                Err(error) if error.kind() == Kind::Ask => self.ask(error.what()).await,
                other => self.reply(other),
            };
        }
        self.ask(question).await
    }

    pub(super) async fn attempt(&self, confirmed: BTreeSet<String>) -> Result<Outcome, tool::Error> {
        let call = self.call(confirmed).await?;
        let outcome = self.in_time(self.work(&call)).await;
        let outcome = outcome.map_err(|error| self.with_the_way_back(error))?;
        match &self.reading {
            Some(reading) if reading.readable.is_document() => bound::document(self.hub.0.bounds.document, outcome),
            _ => bound::within(self.hub.0.bounds.tokens, outcome),
        }
    }

    /// The tool, or the document that is read with its rights.
    fn work<'a>(&'a self, call: &'a Call) -> Running<'a> {
        let arguments = self.arguments.clone();
        let reading = self.reading.as_ref().filter(|reading| reading.readable.is_document());
        let document = reading.and_then(|reading| reading.readable.fetch(arguments.clone(), reading.uri.clone(), call));
        document.unwrap_or_else(|| Box::pin(self.row.call(arguments, call)))
    }

    /// A grant that ends in the middle of a call: the client below does not know whose it is.
    fn with_the_way_back(&self, error: tool::Error) -> tool::Error {
        match self.integration() {
            Some(integration) if error.kind() == Kind::Expired && error.next_step().is_none() => {
                error.next(connect_it(integration))
            }
            _ => error,
        }
    }

    /// The integration to which the tool belongs, if it belongs to one.
    pub(super) fn integration(&self) -> Option<&'static Integration> {
        self.hub.integration(&self.row)
    }

    /// Until when the call may go on.
    fn until(&self) -> Instant {
        self.until + *self.person.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the call back the time that a person took.
    pub(super) fn grant(&self, time: Duration) {
        *self.person.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// Gives the work up when its time is over. Time in which a person thinks is not its own.
    async fn in_time(&self, work: impl Future<Output = Result<Outcome, tool::Error>>) -> Result<Outcome, tool::Error> {
        let waited = || self.client.as_ref().map_or(Duration::ZERO, |client| client.waited());
        let mut work = std::pin::pin!(work);
        let mut granted = waited();
        loop {
            if let Ok(outcome) = tokio::time::timeout_at(self.until() + granted, &mut work).await {
                return outcome;
            }
            if waited() <= granted {
                return Err(out_of_time(self.hub.0.bounds.time, self.row.effect()));
            }
            granted = waited();
        }
    }

    async fn call(&self, confirmed: BTreeSet<String>) -> Result<Call, tool::Error> {
        let inner = &self.hub.0;
        let upstream = match (&self.desk.accounts, self.integration()) {
            (Some(accounts), Some(_)) => {
                let user = &self.caller.principal.user;
                Some(accounts.upstream(user, &self.row, self.account.as_deref(), self.until()).await?)
            }
            (None, Some(integration)) => return Err(not_connected(integration)),
            (_, None) => None,
        };
        Ok(Call::new(CallParts {
            id: self.id.clone(),
            user: self.caller.principal.user.clone(),
            clock: inner.clock.clone(),
            entropy: inner.entropy.clone(),
            upstream,
            progress: self.progress.clone(),
            confirmed,
            asking: self.asking,
            state: inner.state.clone(),
        })
        .with_client(self.client.clone()))
    }

    async fn ask(&self, question: &str) -> Result<Reply, Error> {
        Ok(Reply::Ask(self.desk.ask(self.subject(), question).await?))
    }

    fn reply(&self, outcome: Result<Outcome, tool::Error>) -> Result<Reply, Error> {
        outcome.map(Reply::Done).map_err(|error| {
            tracing::debug!(code = error.code(), cause = %error.chain(), "the call failed");
            Error::Tool { call: self.id.clone(), error }
        })
    }

    /// Writes down how it ended: who and what, never the arguments.
    async fn record(&self, reply: &Result<Reply, Error>) {
        let outcome = match reply {
            Ok(Reply::Done(_)) => audit::Outcome::Ok,
            Ok(Reply::Ask(_)) => audit::Outcome::Refused { why: Kind::Ask.code().into() },
            Err(Error::Tool { error, .. }) if error.kind() == Kind::Input => {
                audit::Outcome::Refused { why: Kind::Input.code().into() }
            }
            Err(Error::Tool { error, .. }) => audit::Outcome::Error { code: error.code().into() },
            Err(_) => audit::Outcome::Error { code: Kind::Internal.code().into() },
        };
        let took = Duration::try_from(self.hub.0.clock.now().duration_since(self.began)).unwrap_or_default();
        let code = match &outcome {
            audit::Outcome::Ok => "ok",
            audit::Outcome::Error { code } => code,
            audit::Outcome::Refused { why } => why,
        };
        self.hub.0.metrics.call(self.row.name(), code, took);
        let millis = self.hub.0.clock.now().duration_since(self.began).as_millis();
        let entry = Entry {
            at: self.began,
            call: self.id.clone(),
            user: self.caller.principal.user.clone(),
            agent: self.caller.principal.agent.clone(),
            integration: self.row.toolset.id.to_string(),
            connection: self.account.clone(),
            tool: self.row.name().to_owned(),
            target: self.reading.as_ref().map(|reading| reading.uri.clone()),
            outcome,
            millis: u64::try_from(millis).unwrap_or(0),
        };
        self.desk.record(entry, self.row.effect()).await;
    }

    fn subject(&self) -> Subject<'_> {
        Subject { caller: &self.caller, tool: self.row.name(), arguments: &self.arguments }
    }
}

fn asking(setting: AskSetting) -> Asking {
    match setting {
        AskSetting::Never => Asking::Never,
        AskSetting::NewRecipients => Asking::NewRecipients,
        AskSetting::Always => Asking::Always,
    }
}

fn out_of_time(time: Duration, effect: Effect) -> tool::Error {
    let error =
        tool::Error::new(Kind::Vendor, format!("The call took longer than {} s and was given up.", time.as_secs()));
    if effect == Effect::Reads {
        error.next("Try again, or ask for less at once.")
    } else {
        error.next("It may have been done all the same: look before you repeat it.")
    }
}
