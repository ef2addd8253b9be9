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
    Admitted, CallRequest, Caller, Desk, Error, Hub, Reply,
    accounts::{connect_it, not_connected},
    bound,
    desk::Subject,
    errand::Errands,
};
use crate::{
    agents::{AskSetting, Principal},
    approvals::{self, Seen},
    audit::{self, Entry},
    http::Cancellation,
    id::CallId,
    tool::{
        self, Asking, Call, CallParts, Client, Effect, Integration, Kind, Level, Noted, Outcome, Progress, Reading,
        Row, Running,
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
    /// Whether the call is still wanted.
    pub(super) cancellation: Cancellation,
    /// How long the person took to connect the account: time that is not the call's own.
    person: Mutex<Duration>,
    /// What a yes is for: the arguments, and the account with which they are carried out.
    sealed: Map<String, Value>,
    noted: Mutex<Noted>,
}

/// Runs the tool. One that may write is carried to its end even when nobody waits any more.
pub(super) async fn run(
    hub: &Hub,
    caller: &Caller,
    Admitted { row, agent, account }: Admitted,
    request: CallRequest,
) -> Result<Reply, Error> {
    let id = CallId::fresh(&*hub.0.entropy);
    let from = caller.address.map(tracing::field::display);
    let span = tracing::info_span!("call", tool = row.name(), agent = %caller.principal.agent, request = %id, from);
    let desk = hub.desk().await?;
    let only_looks = row.effect() == Effect::Reads;
    let cancellation = Cancellation::within(&hub.0.ending());
    let run = Run {
        began: hub.0.clock.now(),
        until: Instant::now() + hub.0.bounds.time,
        asking: asking(agent.sends),
        sealed: sealed(&request.arguments, account.as_deref()),
        noted: Mutex::default(),
        account,
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
        cancellation: cancellation.clone(),
    };
    let answered = request.answered;
    let work = async move {
        if !only_looks {
            run.begin().await?;
        }
        if let Some(answered) = answered {
            run.desk.answer(run.subject(), &answered).await?;
        }
        let reply = run.as_long_as_wanted().await;
        run.record(&reply).await;
        reply
    };
    if only_looks {
        return work.instrument(span).await;
    }
    // Whoever waits cancels the call by leaving.
    let _wanted = cancellation.on_drop();
    let finished = tokio::spawn(work.instrument(span)).await;
    finished.unwrap_or_else(|broken| Err(Error::Tool { call: id, error: tool::Error::internal(broken) }))
}

impl Run {
    /// Runs the tool; one that is cancelled before it has changed anything ends at once.
    ///
    /// What a tool without an account changes is not seen here, so it is carried to its end in any case.
    async fn as_long_as_wanted(&self) -> Result<Reply, Error> {
        if self.integration().is_none() && self.row.effect() != Effect::Reads {
            return self.to_the_end().await;
        }
        let done = self.cancellation.run(self.to_the_end()).await;
        done.unwrap_or_else(|| self.reply(Err(tool::Error::cancelled())))
    }

    /// Writes down that something is about to be changed. What cannot be written down is not done: nobody could tell
    /// afterwards that it was.
    async fn begin(&self) -> Result<(), Error> {
        let Err(error) = self.desk.begin(self.entry(audit::Outcome::Begun, 0)).await else { return Ok(()) };
        tracing::error!(%error, "a call is refused, because it could not be written down");
        let why = audit::Outcome::Refused { why: "not_recorded".into() };
        self.desk.record(self.entry(why, 0), Effect::Reads).await;
        let error = tool::Error::new(Kind::Busy, "Nothing was done: the audit cannot be written at present, and what changes something is written down first.")
            .next("Try again in a moment; reading goes on. Whoever runs this server finds the reason in its log.");
        Err(Error::Tool { call: self.id.clone(), error })
    }

    /// Runs the tool, and once more when the question that it asks has its yes already.
    async fn to_the_end(&self) -> Result<Reply, Error> {
        let first = self.with_the_account().await;
        let error = match first {
            Err(error) if error.kind() == Kind::Ask => error,
            other => return self.reply(other),
        };
        if self.desk.take(self.subject(), &error).await? {
            // Everything is looked up once more: what has changed since the yes asks again.
            let second = self.attempt(BTreeSet::from([error.seal().to_owned()])).await;
            return match second {
                Err(error) if error.kind() == Kind::Ask => self.ask(&error).await,
                other => self.reply(other),
            };
        }
        self.ask(&error).await
    }

    pub(super) async fn attempt(&self, confirmed: BTreeSet<String>) -> Result<Outcome, tool::Error> {
        let call = self.call(confirmed).await?;
        let outcome = self.in_time(self.work(&call)).await;
        self.remember(&outcome, call.noted()).await;
        let outcome = outcome.map_err(|error| self.with_the_way_back(error))?;
        match &self.reading {
            Some(reading) if reading.readable.is_document() => bound::document(self.hub.0.bounds.document, outcome),
            _ => {
                let (outcome, missing) = bound::within(self.hub.0.bounds.tokens, outcome)?;
                if missing > 0 {
                    call.log(Level::Notice, format!("the result was too long: {missing} bytes of it were left out"));
                }
                Ok(outcome)
            }
        }
    }

    /// Keeps in mind that the agent has read what others wrote, and whom it has reached.
    async fn remember(&self, outcome: &Result<Outcome, tool::Error>, noted: Noted) {
        let Principal { user, agent, .. } = &self.caller.principal;
        let has_read = match outcome {
            Ok(outcome) => outcome.from_others,
            Err(error) => error.quotes_others(),
        };
        if has_read {
            self.desk.approvals.has_read_others(user, agent).await;
        }
        let is_reached = outcome.is_ok() && noted.is_trusted && !noted.reached.is_empty();
        if is_reached && let Err(error) = self.desk.approvals.has_reached(user, agent, &noted.reached).await {
            tracing::warn!(%error, "whom the agent has reached is not remembered; it will be asked again");
        }
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = noted;
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
                let upstream = accounts.upstream(user, &self.row, self.account.as_deref(), self.until());
                let mut upstream = upstream.await?;
                upstream.lane.cancellation = Some(self.cancellation.clone());
                Some(upstream)
            }
            (None, Some(integration)) => return Err(not_connected(integration)),
            (_, None) => None,
        };
        let Principal { user, agent, .. } = &self.caller.principal;
        let seen = match self.row.effect() {
            Effect::Reads => Seen::default(),
            _ => self.desk.approvals.seen(user, agent).await,
        };
        // Only tools of our own may use others, and see how the accounts stand.
        let is_own = self.hub.is_own(&self.row);
        let state = if is_own { &inner.own_state } else { &inner.state };
        let call = Call::new(CallParts {
            id: self.id.clone(),
            user: self.caller.principal.user.clone(),
            clock: inner.clock.clone(),
            entropy: inner.entropy.clone(),
            upstream,
            progress: self.progress.clone(),
            confirmed,
            asking: self.asking,
            state: state.clone(),
        })
        .with_client(self.client.clone())
        .with_seen(seen);
        let door = is_own.then(|| Errands::of(&self.hub, &self.caller, self.client.clone()));
        Ok(match door {
            Some(door) => call.with_door(door),
            None => call,
        })
    }

    async fn ask(&self, asks: &tool::Error) -> Result<Reply, Error> {
        match self.desk.ask(self.subject(), asks).await {
            Ok(question) => Ok(Reply::Ask(question)),
            Err(error @ approvals::Error::TooLong) => self.reply(Err(cannot_ask(Kind::TooLarge, &error))),
            Err(error @ approvals::Error::TooMuch) => self.reply(Err(cannot_ask(Kind::Busy, &error))),
            Err(error) => Err(Error::desk(error)),
        }
    }

    fn reply(&self, outcome: Result<Outcome, tool::Error>) -> Result<Reply, Error> {
        outcome.map(Reply::Done).map_err(|error| {
            tracing::debug!(code = error.code(), cause = %error.chain(), "the call failed");
            if let Some(client) = self.client.as_ref().filter(|_| error.kind() != Kind::Input) {
                // The server's log has the cause under the same number.
                client.log(Level::Debug, &format!("call {} failed: {}", self.id, error.code()).into());
            }
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
            // Nothing was changed. What had begun by then is an error like any, to be looked into.
            Err(Error::Tool { error, .. }) if error.kind() == Kind::Cancelled && !self.cancellation.has_written() => {
                audit::Outcome::Refused { why: Kind::Cancelled.code().into() }
            }
            Err(Error::Tool { error, .. }) => audit::Outcome::Error { code: error.code().into() },
            Err(_) => audit::Outcome::Error { code: Kind::Internal.code().into() },
        };
        let took = Duration::try_from(self.hub.0.clock.now().duration_since(self.began)).unwrap_or_default();
        let code = match &outcome {
            audit::Outcome::Ok | audit::Outcome::Begun => "ok",
            audit::Outcome::Error { code } => code,
            audit::Outcome::Refused { why } => why,
        };
        self.hub.0.metrics.call(self.row.name(), code, took);
        let millis = self.hub.0.clock.now().duration_since(self.began).as_millis();
        let entry = self.entry(outcome, u64::try_from(millis).unwrap_or(0));
        self.desk.record(entry, self.row.effect()).await;
    }

    /// The line of this call that says that it ended so.
    fn entry(&self, outcome: audit::Outcome, millis: u64) -> Entry {
        let Principal { user, agent, .. } = self.caller.principal.clone();
        let only_looks = self.row.effect() == Effect::Reads;
        Entry {
            address: self.caller.address,
            integration: self.row.toolset.id.to_string(),
            connection: self.account.clone(),
            target: self.target(),
            class: if only_looks { audit::Class::Look } else { audit::Class::Change },
            outcome,
            millis,
            ..Entry::deed(self.began, self.id.clone(), user, agent, self.row.name())
        }
    }

    /// What the call was about, as the tool said it; else the address that was read, the people who were reached, or
    /// the argument that is an id.
    fn target(&self) -> Option<String> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let uri = self.reading.as_ref().map(|reading| reading.uri.clone());
        let reached = || noted.reached.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let reached = || Some(reached()).filter(|reached| !reached.is_empty());
        noted.target.clone().or(uri).or_else(reached).or_else(|| id_in(&self.arguments))
    }

    fn subject(&self) -> Subject<'_> {
        Subject { caller: &self.caller, tool: self.row.name(), arguments: &self.sealed }
    }
}

/// The first argument that names a thing, and is no text: an id or a key of the vendor's.
fn id_in(arguments: &Map<String, Value>) -> Option<String> {
    let names_a_thing = |name: &str| name == "id" || name.ends_with("_id") || name.ends_with("_key");
    // Which calendar, base or site it stands in says less than what it is.
    let mut ids = arguments.iter().filter(|(name, _)| names_a_thing(name));
    let is_short = |id: &&str| id.len() <= 128 && !id.contains(char::is_whitespace);
    ids.find_map(|(_, value)| value.as_str().filter(is_short).map(str::to_owned))
}

/// The arguments and the account, so that a yes for one account is none for another.
fn sealed(arguments: &Map<String, Value>, account: Option<&str>) -> Map<String, Value> {
    let mut sealed = arguments.clone();
    // No argument has a name like this.
    sealed.extend(account.map(|account| ("with account".to_owned(), account.into())));
    sealed
}

/// Writes down a call that was not even tried.
pub(super) async fn record_refusal(hub: &Hub, caller: &Caller, tool: &str, error: &Error) {
    let Ok(desk) = hub.desk().await else { return };
    let row = hub.rows().iter().find(|row| row.name() == tool);
    let (call, why) = match error {
        Error::Tool { call, error } => (call.clone(), error.code()),
        Error::UnknownTool { .. } if row.is_some() => (CallId::fresh(&*hub.0.entropy), "not_enabled"),
        Error::UnknownTool { .. } => (CallId::fresh(&*hub.0.entropy), "unknown_tool"),
        Error::BadTicket | Error::Closed(_) => return,
    };
    let Principal { user, agent, .. } = caller.principal.clone();
    let entry = Entry {
        address: caller.address,
        integration: row.map(|row| row.toolset.id.to_string()).unwrap_or_default(),
        class: audit::Class::Look,
        outcome: audit::Outcome::Refused { why: why.into() },
        ..Entry::deed(hub.0.clock.now(), call, user, agent, tool)
    };
    desk.record(entry, Effect::Reads).await;
}

fn asking(setting: AskSetting) -> Asking {
    match setting {
        AskSetting::Never => Asking::Never,
        AskSetting::NewRecipients => Asking::NewRecipients,
        AskSetting::Always => Asking::Always,
    }
}

/// Nothing is done that nobody could be asked about.
fn cannot_ask(kind: Kind, error: &approvals::Error) -> tool::Error {
    tool::Error::new(kind, format!("A person has to say yes to this first, and {error}. Nothing has been done."))
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
