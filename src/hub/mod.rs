//! The one door to every tool: may this caller call this tool, and with which account? Then run, bound, audit.
//!
//! Only here do a tool and a credential come together. Transports, REST and the command line all call
//! [`Hub::call`]; none of them reaches a tool in another way.

mod accounts;
mod auditing;
mod bound;
mod connecting;
mod deferred;
mod desk;
mod discovery;
pub mod emergency;
mod errand;
mod filter;
mod follow;
mod links;
mod listing;
mod own;
mod pace;
mod roster;
mod running;
#[cfg(test)]
mod tests;
mod waiting;
mod which;

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use accounts::{
    Accounts, Arrived, Begun, Consent, NEEDS_RECONNECT, Parts as AccountParts, Recipient, Site, Standing, Tested,
    expiry,
};
pub use deferred::Deferred;
pub use desk::{Desk, TicketKey};
use discovery::Meant;
pub use filter::Filters;
use jiff::Timestamp;
pub use links::{Link, Pages, Unlinked};
pub use listing::Listing;
use listing::Offer;
use own::AccountDirectory;
pub use pace::{Caps, Pace};
pub use roster::{Described, Wish};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    agents::{Agent, Principal},
    clock::SharedClock,
    id::{CallId, SharedEntropy},
    schema::limits,
    secret::Secret,
    shelf::{self, Changes, Shelf},
    telemetry::metrics::Metrics,
    text,
    tool::{
        self, Asking, Call, CallParts, Client, Integration, Outcome, Progress, Reading, Row, State, ToolDef, Toolset,
    },
};

/// The record with the key that tickets and sessions are signed with.
pub const SIGNING_KEY: &str = "signing-key";

/// The one door to every tool. Clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    rows: Vec<Arc<Row>>,
    /// Those that lead to the others, for callers who do not want to know them all.
    discovery: Vec<Arc<Row>>,
    integrations: Vec<&'static Integration>,
    clock: SharedClock,
    entropy: SharedEntropy,
    /// What the server gave its own tools.
    state: State,
    /// What only those of ours are given that are always there.
    own_state: State,
    /// Those tools. A name proves nothing: whoever builds on this package may choose any.
    own: Vec<Arc<Row>>,
    bounds: Bounds,
    desk: Deferred<Desk>,
    changes: watch::Sender<u64>,
    metrics: Metrics,
    doorway: Arc<links::Doorway>,
    news: Changes,
    /// Ends the calls that run.
    ending: Mutex<CancellationToken>,
    alarms: watch::Sender<u64>,
}

impl Inner {
    /// What ends the calls that begin now.
    fn ending(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every call is held to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a call may take.
    pub time: Duration,
    /// How large a result may be, in tokens of four bytes.
    pub tokens: usize,
    /// How large a document may be that is read by its address, in bytes of its written form.
    pub document: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { time: Duration::from_secs(30), tokens: 8_000, document: 8 << 20 }
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The user and the agent.
    pub principal: Principal,
    /// What the way in allows.
    pub filters: Filters,
    /// What the client calls itself; for log and audit only.
    pub client: String,
    /// Where the client is, when it came over the network; for log and audit only.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// Somebody whom nothing but the agent's own settings holds back.
    pub fn new(principal: Principal) -> Self {
        Caller { principal, filters: Filters::default(), client: String::new(), address: None }
    }

    /// The one person of this machine, as a program for one person alone knows it.
    pub fn local() -> Self {
        Caller::new(Principal::local())
    }
}

/// What to call.
#[derive(Clone)]
pub struct CallRequest {
    /// The tool's name.
    pub tool: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// Where reports of progress go.
    pub progress: Option<Arc<dyn Progress>>,
    /// The answer to the question that the call before this one was answered with.
    pub answered: Option<Answered>,
    /// The way back to the client, where there is one.
    pub client: Option<Arc<dyn Client>>,
    /// The address that is read through the tool, where the call is for one.
    pub reading: Option<Reading>,
}

impl CallRequest {
    /// A call without anybody who waits for progress.
    pub fn new(tool: impl Into<String>, arguments: Map<String, Value>) -> Self {
        CallRequest { tool: tool.into(), arguments, progress: None, answered: None, client: None, reading: None }
    }
}

/// A person's answer to a [`Question`].
#[derive(Clone, Debug)]
pub struct Answered {
    /// The question's ticket, unchanged.
    pub ticket: Secret,
    /// Yes or no.
    pub approved: bool,
}

/// What a call is answered with.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is done.
    Done(Outcome),
    /// A person has to say yes first; then the same call is repeated.
    Ask(Question),
}

/// A question to a person.
#[derive(Clone, Debug)]
pub struct Question {
    /// What will happen after a yes: for a glance, and bounded.
    pub text: String,
    /// Whether more of it can be read under [`approval`](Self::approval) than `text` shows.
    pub is_shortened: bool,
    /// Comes back unchanged with the answer: sealed, for one use, for this caller and this very call.
    pub ticket: Secret,
    /// Until when a yes counts.
    pub expires_at: Timestamp,
    /// The name under which a person can decide it elsewhere.
    pub approval: String,
}

impl Question {
    /// Where the whole of a shortened question can be read; nothing where there is no more.
    pub fn more(&self) -> Option<String> {
        let Question { approval, is_shortened, .. } = self;
        let all = "This is shortened. All that would leave is under Approvals in the console and with";
        is_shortened.then(|| format!("{all} `switchboard approvals show {approval}`."))
    }
}

/// Why a call was not even tried, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such tool for this caller.
    #[error("There is no tool `{}` here{}", crate::text::quote(name), nearest.as_ref().map_or_else(|| ".".into(), |near| format!("; did you mean `{near}`?")))]
    UnknownTool {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// The ticket is none of ours, or not for this call.
    #[error(
        "The state that came back with the answer is not valid for this call, or has run out. Make the call again without it."
    )]
    BadTicket,
    /// The store behind the door did not open, or failed.
    #[error("{0}")]
    Closed(String),
    /// The tool's own failure, with the reference number under which the log has more.
    #[error("{error}")]
    Tool {
        /// The reference number.
        call: CallId,
        /// What happened and what to do.
        error: tool::Error,
    },
}

impl Error {
    /// A failure of what stands behind the door.
    fn desk(error: impl fmt::Display) -> Self {
        Error::Closed(error.to_string())
    }
}

/// Puts a hub together.
pub struct Builder {
    rows: Vec<Arc<Row>>,
    own: Vec<Arc<Row>>,
    integrations: Vec<&'static Integration>,
    clock: SharedClock,
    entropy: SharedEntropy,
    state: State,
    bounds: Bounds,
    desk: Option<Deferred<Desk>>,
}

impl Builder {
    /// Offers the tools of an integration.
    #[must_use]
    pub fn integration(mut self, integration: &'static Integration) -> Self {
        let toolset = integration.toolset();
        self.rows.extend(integration.tools.iter().map(|def| Arc::new(Row::constant(toolset.clone(), def))));
        self.integrations.push(integration);
        self
    }

    /// Offers the tools that are always there: the time, the connections, how to connect.
    #[must_use]
    pub fn own_tools(mut self) -> Self {
        self.own = own::TOOLS.iter().map(|def| Arc::new(Row::constant(own::TOOLSET.clone(), def))).collect();
        self.rows.extend(self.own.iter().cloned());
        self
    }

    /// Offers constant tools that belong to no integration.
    #[must_use]
    pub fn constants(mut self, toolset: &Toolset, tools: &'static [ToolDef]) -> Self {
        self.rows.extend(tools.iter().map(|def| Arc::new(Row::constant(toolset.clone(), def))));
        self
    }

    /// Offers tools that are made at run time.
    ///
    /// # Errors
    /// In words, when a tool's input is no schema of an object, or a name is taken.
    pub fn tools(mut self, toolset: &Toolset, tools: impl IntoIterator<Item = ToolDef>) -> Result<Self, String> {
        for def in tools {
            if self.rows.iter().any(|row| row.name() == def.name) {
                return Err(format!("there are two tools called `{}`", def.name));
            }
            self.rows.push(Arc::new(Row::owned(toolset.clone(), def)?));
        }
        Ok(self)
    }

    /// Gives the tools something that they find with [`tool::Call::state`].
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.state = self.state.with(value);
        self
    }

    /// Holds every call to `bounds`.
    #[must_use]
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Puts accounts, agents and approvals behind the door. Without them, tools that need an account fail, and
    /// what a person has to approve is remembered by this process only.
    #[must_use]
    pub fn desk(mut self, desk: Deferred<Desk>) -> Self {
        self.desk = Some(desk);
        self
    }

    /// Opens the door.
    pub fn build(self) -> Hub {
        let desk = self.desk.unwrap_or_else(|| Deferred::ready(Desk::alone(&self.clock, &self.entropy)));
        Hub(Arc::new_cyclic(|hub| {
            let doorway = links::Doorway::of(hub.clone());
            Inner {
                rows: self.rows,
                discovery: discovery::rows(),
                integrations: self.integrations,
                clock: self.clock,
                entropy: self.entropy,
                own_state: State::default().with(AccountDirectory::of(desk.clone(), Arc::clone(&doorway))),
                own: self.own,
                state: self.state,
                bounds: self.bounds,
                desk,
                changes: watch::Sender::new(0),
                metrics: Metrics::default(),
                doorway,
                news: Changes::new(),
                ending: Mutex::default(),
                alarms: watch::Sender::new(0),
            }
        }))
    }
}

impl Hub {
    /// A hub to be filled with tools.
    pub fn builder(clock: SharedClock, entropy: SharedEntropy) -> Builder {
        Builder {
            rows: Vec::new(),
            own: Vec::new(),
            integrations: Vec::new(),
            clock,
            entropy,
            state: State::default(),
            bounds: Bounds::default(),
            desk: None,
        }
    }

    /// Every tool that there is, whoever asks.
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.0.rows
    }

    /// The tools that `caller` sees.
    pub async fn tools(&self, caller: &Caller) -> Result<Listing, Error> {
        if !caller.filters.discovery {
            return self.reachable(caller).await;
        }
        let offer = self.offer(caller).await?;
        Ok(Listing::of(self.0.discovery.iter().filter(|row| offer.leads_through(row)).cloned().collect()))
    }

    /// The tools that `caller` may call, listed or not.
    async fn reachable(&self, caller: &Caller) -> Result<Listing, Error> {
        let offer = self.offer(caller).await?;
        Ok(self.listed(&offer))
    }

    fn listed(&self, offer: &Offer<'_>) -> Listing {
        let rows = self.0.rows.iter().map(|row| (row, self.integration(row)));
        let rows = rows.filter(|(row, integration)| offer.includes(row, *integration));
        let rows = rows.map(|(row, integration)| which::listed(row, integration, &offer.agent, &offer.accounts));
        Listing::of(rows.collect())
    }

    async fn offer<'a>(&self, caller: &'a Caller) -> Result<Offer<'a>, Error> {
        let desk = self.desk().await?;
        let accounts = desk.accounts_of(caller).await?;
        let connected = accounts.keys().cloned().collect();
        Ok(Offer { caller, agent: desk.agent(caller).await?, connected, accounts })
    }

    /// Whether it is one of the tools that are always there.
    fn is_own(&self, row: &Row) -> bool {
        let mut own = self.0.own.iter().chain(&self.0.discovery);
        own.any(|own| own.identity().0 == row.identity().0)
    }

    /// The integration to which a tool belongs, if it belongs to one.
    fn integration(&self, row: &Row) -> Option<&'static Integration> {
        self.0.integrations.iter().copied().find(|integration| integration.id == row.toolset.id)
    }

    /// The time by the hub's clock.
    pub fn now(&self) -> jiff::Timestamp {
        self.0.clock.now()
    }

    /// How many calls there were, how they ended, and how long they took.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Notice that what callers see has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// What becomes of single resources, and of pages that people were sent to, from now on.
    pub fn news(&self) -> shelf::News {
        self.0.news.listen()
    }

    /// Tells everybody who listens that what callers see has changed.
    pub fn changed(&self) {
        self.0.changes.send_modify(|version| *version += 1);
    }

    /// Calls a tool.
    ///
    /// Dropping the future cancels the call. One that has changed nothing yet ends at once; a write that has begun is
    /// carried to its end, and no further one begins.
    ///
    /// # Errors
    /// No such tool for this caller, a ticket that is not valid, or the tool's own failure.
    pub async fn call(&self, caller: &Caller, mut request: CallRequest) -> Result<Reply, Error> {
        match self.admitted(caller, &mut request).await {
            Ok(admitted) => running::run(self, caller, admitted, request).await,
            Err(error) => {
                running::record_refusal(self, caller, &text::quote(&request.tool), &error).await;
                Err(error)
            }
        }
    }

    /// Cancels every call that runs in this process. A write that has begun is carried to its end.
    pub fn cancel_calls(&self) {
        std::mem::take(&mut *self.0.ending()).cancel();
    }

    /// Cancels the calls of this process, and tells everybody who holds a connection or a conversation to end it.
    pub fn sound_alarm(&self) {
        self.cancel_calls();
        self.0.alarms.send_modify(|count| *count += 1);
    }

    /// Notice that every connection and conversation has to end.
    pub fn alarms(&self) -> watch::Receiver<u64> {
        self.0.alarms.subscribe()
    }

    /// Whether this caller may make this call, and with which account. The argument that says so is taken out.
    async fn admitted(&self, caller: &Caller, request: &mut CallRequest) -> Result<Admitted, Error> {
        if let Some(problem) = limits::too_large(&request.arguments) {
            return Err(self.refusal(tool::Error::arguments([problem])));
        }
        let meant = self.meant(caller, request).await?;
        let found = self.find(caller, &request.tool).await;
        let (row, offer) = match (found, &meant) {
            // Who called it is right about the tool that clients know; only the model can mend the rest.
            (Err(Error::UnknownTool { name, nearest }), Some(_)) => {
                return Err(self.refusal(discovery::unknown(&name, nearest.as_deref())));
            }
            (found, _) => found?,
        };
        if let Some(meant) = meant {
            meant.check(&row).map_err(|error| self.refusal(error))?;
        }
        let Some(integration) = self.integration(&row) else {
            return Ok(Admitted { row, agent: offer.agent, account: None });
        };
        let refused = |error| self.refusal(error);
        self.desk().await?.pace.count(&caller.principal, row.effect()).map_err(refused)?;
        let taken = which::taken(&row, integration, &offer.agent, &offer.accounts, &mut request.arguments);
        let account = taken.map_err(refused)?;
        Ok(Admitted { row, agent: offer.agent, account })
    }

    /// Makes of a call through a tool that leads to the others the call itself.
    async fn meant(&self, caller: &Caller, request: &mut CallRequest) -> Result<Option<Meant>, Error> {
        let meant = discovery::meant(request).filter(|_| caller.filters.discovery);
        let Some(meant) = meant else { return Ok(None) };
        // The way to it must be offered, too.
        self.find(caller, &request.tool).await?;
        let meant = meant.map_err(|error| self.refusal(error))?;
        (request.tool, request.arguments) = (meant.tool.clone(), meant.arguments.clone());
        Ok(Some(meant))
    }

    /// A call that was not even tried.
    fn refusal(&self, error: tool::Error) -> Error {
        Error::Tool { call: CallId::fresh(&*self.0.entropy), error }
    }

    /// What a resource or a prompt of the server's own may use for `caller`: the clock, the server's state, the client
    /// and the caller's tools that only look; no account.
    pub fn visit(&self, caller: &Caller, client: Option<Arc<dyn Client>>) -> Call {
        let inner = &self.0;
        Call::new(CallParts {
            id: CallId::fresh(&*inner.entropy),
            user: caller.principal.user.clone(),
            clock: inner.clock.clone(),
            entropy: inner.entropy.clone(),
            upstream: None,
            progress: None,
            confirmed: BTreeSet::new(),
            asking: Asking::default(),
            state: inner.state.clone(),
        })
        .with_client(client.clone())
        .with_door(errand::Errands::of(self, caller, client))
    }

    /// What there is to read and to begin with beside the tools: connections, agendas, records, prompts.
    ///
    /// # Errors
    /// In words, when two tools declare the same address.
    pub fn shelf(&self) -> Result<Shelf, String> {
        own::shelf::of(self)
    }

    /// What stands behind the door, as soon as it is open.
    pub async fn desk(&self) -> Result<Arc<Desk>, Error> {
        self.0.desk.get().await.map_err(|why| Error::Closed(why.to_string()))
    }

    /// The tool, if this caller may use it, and what the caller is offered. One that exists and may not be used is as
    /// unknown as one that does not; of one that only lacks its account it is said what is missing.
    async fn find<'a>(&self, caller: &'a Caller, name: &str) -> Result<(Arc<Row>, Offer<'a>), Error> {
        let mut offer = self.offer(caller).await?;
        if let Some(row) = self.0.discovery.iter().find(|row| row.name() == name && offer.leads_through(row)) {
            return Ok((row.clone(), offer));
        }
        let includes = |offer: &Offer<'_>, row: &Arc<Row>| offer.includes(row, self.integration(row));
        let named = self.0.rows.iter().find(|row| row.name() == name);
        if let Some(row) = named.filter(|row| includes(&offer, row)) {
            return Ok((row.clone(), offer));
        }
        let offered = self.0.rows.iter().filter(|row| includes(&offer, row)).map(|row| row.name());
        let nearest = text::nearest(name, offered).map(str::to_owned);
        if let Some(row) = named
            && let Some(integration) = self.integration(row)
        {
            offer.connected.insert(integration.id.to_owned());
            if includes(&offer, row) {
                // The run finds out that its account is missing, and what can be done about it.
                return Ok((row.clone(), offer));
            }
        }
        Err(Error::UnknownTool { name: name.to_owned(), nearest })
    }
}

/// A call that may be made.
struct Admitted {
    row: Arc<Row>,
    agent: Agent,
    account: Option<String>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub of {} tools", self.0.rows.len())
    }
}
