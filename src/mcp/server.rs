//! The dispatcher: one method table for every transport.
//!
//! jsonrpsee gives the table (`RpcModule`, `Methods`), the parameters and the error type. Ids do not pass through
//! it, because it knows only unsigned ones: a method runs under a stand-in id, and its answer gets the real one.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use jsonrpsee::{
    ConnectionId, Extensions, MethodCallback, MethodResponse, Methods, RpcModule,
    types::{ErrorObjectOwned, Id, Params},
};
use serde_json::{Value, json, value::RawValue};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::{
    catalog::Catalog,
    envelope::RequestId,
    era::Version,
    exchange::{Exchange, Questions},
    flight::Flights,
    message::{error_text, internal_error, method_not_found, result_text},
    methods,
    news::News,
    seal::Sealer,
    session::Sessions,
    tasks::Tasks,
};
use crate::{
    clock::{self, SharedClock},
    hub::Hub,
    id::{self, SharedEntropy},
    quota::{Exceeded, Permit, Quotas},
    secret::Secret,
    shelf::{Changes, Shelf},
    store::{MemoryStore, SharedStore},
    tool::Icon,
};

/// How many requests of HTTP sessions may run at once in one process.
const SESSION_REQUESTS: usize = 4096;

/// An MCP server: a name, a hub with tools, and the methods of both eras. Clones share everything.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    methods: Methods,
    sessions: Sessions,
    session_flights: Arc<Flights<SessionRequest>>,
    questions: Questions,
    closing: CancellationToken,
    /// Ends the connections that are open now.
    connections: Mutex<CancellationToken>,
}

/// A session and the id of a request in it.
pub type SessionRequest = (Arc<str>, RequestId);

/// What the methods work with.
#[derive(Debug)]
pub struct Core {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) version: String,
    pub(super) instructions: Option<String>,
    pub(super) icons: Vec<Icon>,
    pub(super) hub: Hub,
    pub(super) catalog: Catalog,
    pub(super) page_size: usize,
    pub(super) answer_within: Duration,
    pub(super) entropy: SharedEntropy,
    pub(super) quotas: Quotas,
    pub(super) shelf: Shelf,
    pub(super) changes: Changes,
    pub(super) logs: bool,
    pub(super) sealer: Sealer,
    pub(super) tasks: Option<Arc<Tasks>>,
    /// After how long a call becomes a task by itself; `None` leaves it to the tools.
    pub(super) tasks_after: Option<Duration>,
}

/// One finished answer.
#[derive(Debug)]
pub struct Answer {
    /// The whole message.
    pub text: String,
    /// The code when it is an error.
    pub error: Option<i32>,
}

/// Makes a [`Server`].
#[derive(Debug)]
pub struct Builder {
    name: String,
    title: Option<String>,
    version: String,
    instructions: Option<String>,
    icons: Vec<Icon>,
    hub: Option<Hub>,
    page_size: usize,
    answer_within: Duration,
    session_key: Option<Secret>,
    clock: SharedClock,
    entropy: SharedEntropy,
    shelf: Shelf,
    changes: Changes,
    logs: bool,
    tasks: bool,
    tasks_after: Option<Duration>,
    store: SharedStore,
    quotas: Quotas,
}

impl Server {
    /// Starts a server with the defaults of this package.
    pub fn builder() -> Builder {
        Builder {
            name: env!("CARGO_PKG_NAME").to_owned(),
            title: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instructions: None,
            icons: Vec::new(),
            hub: None,
            page_size: 1000,
            answer_within: Duration::from_mins(5),
            session_key: None,
            clock: clock::system(),
            entropy: id::os(),
            shelf: Shelf::default(),
            changes: Changes::new(),
            logs: false,
            tasks: false,
            tasks_after: None,
            store: MemoryStore::new(),
            quotas: Quotas::default(),
        }
    }

    /// Whether `method` is served in that revision.
    pub fn serves(&self, method: &str, version: Version) -> bool {
        self.0.methods.method(method).is_some() && methods::is_of_era(method, version)
    }

    /// Answers one request. Dropping the future gives the request up.
    pub async fn answer(&self, method: &str, params: Option<Box<RawValue>>, exchange: Exchange) -> Answer {
        let (id, permit) = (exchange.id.clone(), exchange.permit.clone());
        let answer = self.answer_uncounted(method, params, exchange).await;
        permit.map_or_else(|| Ok(()), |permit| count(method, &answer, &permit)).map_or_else(
            |why| Answer::error(Some(&id), &internal_error(&format!("the answer cannot be kept for you now: {why}"))),
            |()| answer,
        )
    }

    async fn answer_uncounted(&self, method: &str, params: Option<Box<RawValue>>, exchange: Exchange) -> Answer {
        let id = exchange.id.clone();
        if !self.serves(method, exchange.terms.version) {
            return Answer::error(Some(&id), &method_not_found(method));
        }
        if method == "tools/list" {
            return match methods::tools::list(&self.0.core, params.as_deref(), &exchange).await {
                Ok(page) => Answer::result(&id, page.get()),
                Err(error) => Answer::error(Some(&id), &error),
            };
        }
        let span = exchange.trace.as_ref().map_or_else(Span::none, |trace| trace.span(method));
        let run = AssertUnwindSafe(self.run(method, params, exchange)).catch_unwind();
        run.instrument(span).await.unwrap_or_else(|_panic| {
            tracing::error!(method, "a method panicked; its caller got an internal error");
            Answer::error(Some(&id), &internal_error("something broke on our side; the log says what"))
        })
    }

    /// Ends open streams with a goodbye; new ones end at once.
    pub fn close(&self) {
        self.0.closing.cancel();
    }

    /// The door to the tools.
    pub fn hub(&self) -> &Hub {
        &self.0.core.hub
    }

    /// What changes from now on.
    pub fn news(&self) -> News {
        News::of(&self.0.core)
    }

    /// The HTTP sessions of the legacy era.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What people may have under way here.
    pub fn quotas(&self) -> &Quotas {
        &self.0.core.quotas
    }

    /// The requests that run in HTTP sessions.
    pub fn session_flights(&self) -> &Arc<Flights<SessionRequest>> {
        &self.0.session_flights
    }

    /// The questions to clients of HTTP sessions.
    pub fn questions(&self) -> &Questions {
        &self.0.questions
    }

    /// Is cancelled when the server ends.
    pub fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    /// What ends a connection that begins now: the end of the server, or [`Server::end_connections`].
    pub fn connections(&self) -> CancellationToken {
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends every connection, stream and session that there is now. New ones are welcome.
    pub fn end_connections(&self) {
        self.0.sessions.end_all();
        self.0.session_flights.cancel_all();
        let next = self.0.closing.child_token();
        let mut connections = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *connections, next).cancel();
    }

    /// From now on ends its connections whenever the hub sounds the alarm, until server or hub are gone.
    pub fn follow_alarms(&self) {
        let (server, mut alarms) = (Arc::downgrade(&self.0), self.hub().alarms());
        tokio::spawn(async move {
            while alarms.changed().await.is_ok() {
                let Some(server) = server.upgrade().map(Server) else { return };
                server.end_connections();
            }
        });
    }

    async fn run(&self, method: &str, params: Option<Box<RawValue>>, exchange: Exchange) -> Answer {
        let id = exchange.id.clone();
        let callback = self.0.methods.method(method);
        // The method has its own copy, and may take long.
        let params = {
            let raw = params;
            Params::new(raw.as_deref().map(RawValue::get)).into_owned()
        };
        let mut extensions = Extensions::new();
        extensions.insert(Arc::new(exchange));
        let response = match callback {
            Some(MethodCallback::Async(run)) => run(STAND_IN, params, ConnectionId(0), usize::MAX, extensions).await,
            Some(MethodCallback::Sync(run)) => run(STAND_IN, params, usize::MAX, extensions),
            _ => return Answer::error(Some(&id), &method_not_found(method)),
        };
        Answer::under(&id, &response)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.0.core.name).finish()
    }
}

/// Counts an answer in place of its request, until it is written. One that nothing was done for may be refused.
fn count(method: &str, answer: &Answer, permit: &Permit) -> Result<(), Exceeded> {
    let size = answer.text.len() as u64;
    if method == "tools/call" || size <= permit.amount() {
        permit.force(size);
        return Ok(());
    }
    permit.resize(size)
}

/// The id under which a method runs inside the table.
const STAND_IN: Id<'static> = Id::Number(0);
/// How an answer under that id begins.
const STAND_IN_HEAD: &str = r#"{"jsonrpc":"2.0","id":0,"#;

impl Answer {
    /// The answer with a result.
    pub fn result(id: &RequestId, result: &str) -> Self {
        Answer { text: result_text(id, result), error: None }
    }

    /// The answer that the table gave under its stand-in id, under the real one.
    fn under(id: &RequestId, response: &MethodResponse) -> Self {
        let Some(rest) = response.as_ref().strip_prefix(STAND_IN_HEAD) else {
            return Answer::error(Some(id), &internal_error("the answer could not be written"));
        };
        Answer { text: format!(r#"{{"jsonrpc":"2.0","id":{},{rest}"#, id.as_json()), error: response.as_error_code() }
    }

    /// The answer with an error.
    pub fn error(id: Option<&RequestId>, error: &ErrorObjectOwned) -> Self {
        Answer { text: error_text(id, error), error: Some(error.code()) }
    }
}

impl Core {
    /// Our name and version, as `serverInfo` shows them.
    pub(super) fn implementation(&self, version: Version) -> Value {
        let mut own = json!({"name": self.name, "version": self.version});
        if let Some(title) = self.title.as_ref().filter(|_| version >= Version::June2025) {
            own["title"] = title.as_str().into();
        }
        if version >= Version::November2025 && !self.icons.is_empty() {
            own["icons"] = json!(self.icons);
        }
        own
    }
}

impl Builder {
    /// The server's name; by default the package's.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// A name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The server's version; by default the package's.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// What a model should know before it uses the tools.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Gives the server a picture; said again, one more.
    #[must_use]
    pub fn pictured(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Where the tools come from.
    #[must_use]
    pub fn hub(mut self, hub: Hub) -> Self {
        self.hub = Some(hub);
        self
    }

    /// How many tools one page of `tools/list` holds; 1000 by default, because some clients read only the first page.
    #[must_use]
    pub fn page_size(mut self, page_size: usize) -> Self {
        self.page_size = page_size;
        self
    }

    /// How long a client of the legacy era may take to answer a question; five minutes by default.
    #[must_use]
    pub fn answer_within(mut self, limit: Duration) -> Self {
        self.answer_within = limit;
        self
    }

    /// The key that signs HTTP session ids. Nodes that share it accept each other's sessions; without it each
    /// process makes its own.
    #[must_use]
    pub fn session_key(mut self, key: Secret) -> Self {
        self.session_key = Some(key);
        self
    }

    /// Offers resources, prompts and completions.
    #[must_use]
    pub fn shelf(mut self, shelf: Shelf) -> Self {
        self.shelf = shelf;
        self
    }

    /// Tells clients of what is told to `changes`.
    #[must_use]
    pub fn changes(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// Passes on to clients what tools log.
    #[must_use]
    pub fn logging(mut self) -> Self {
        self.logs = true;
        self
    }

    /// Lets calls go on as tasks for clients that know the extension. They run in this process, and what becomes of
    /// them stands in the [`Builder::store`].
    #[must_use]
    pub fn tasks(mut self) -> Self {
        self.tasks = true;
        self
    }

    /// Makes a task of every call that is not answered by then, for clients that know the extension; without it, tools
    /// decide for themselves.
    #[must_use]
    pub fn tasks_after(mut self, patience: Duration) -> Self {
        self.tasks_after = Some(patience);
        self.tasks()
    }

    /// Where nodes tell each other what becomes of sessions and tasks, and where it outlives a restart. Give it together with
    /// a [`Builder::session_key`] that all nodes have; the default ends with the process.
    #[must_use]
    pub fn store(mut self, store: SharedStore) -> Self {
        self.store = store;
        self
    }

    /// How much people may have under way here; the default is for 4096 connections.
    #[must_use]
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.quotas = quotas;
        self
    }

    /// The clock that sessions expire by.
    #[must_use]
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// The randomness that sessions are made of.
    #[must_use]
    pub fn entropy(mut self, entropy: SharedEntropy) -> Self {
        self.entropy = entropy;
        self
    }

    /// The server.
    ///
    /// # Panics
    ///
    /// When no hub was given.
    pub fn build(self) -> Server {
        let closing = CancellationToken::new();
        let key = self.session_key.unwrap_or_else(|| id::token(&*self.entropy));
        let core = Arc::new(Core {
            name: self.name,
            title: self.title,
            version: self.version,
            instructions: self.instructions,
            icons: self.icons,
            hub: self.hub.expect("a server is built with a hub"),
            catalog: Catalog::default(),
            page_size: self.page_size,
            answer_within: self.answer_within,
            entropy: self.entropy.clone(),
            quotas: self.quotas.clone(),
            shelf: self.shelf,
            changes: self.changes,
            logs: self.logs,
            tasks_after: self.tasks_after,
            tasks: self.tasks.then(|| {
                let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
                Tasks::new(self.store.clone(), &key, clock, entropy, closing.clone()).within(self.quotas.tasks.clone())
            }),
            sealer: Sealer::new(&key, self.clock.clone(), self.entropy.clone()),
        });
        let mut module = RpcModule::from_arc(Arc::clone(&core));
        methods::register(&mut module, &core);
        Server(Arc::new(Inner {
            core,
            methods: module.into(),
            sessions: Sessions::new(&key, self.clock, self.entropy, self.store).within(&self.quotas),
            connections: Mutex::new(closing.child_token()),
            session_flights: Flights::new(SESSION_REQUESTS),
            questions: Questions::until(closing.clone()),
            closing,
        }))
    }
}
