//! A vendor's twin to work on, over real HTTP, with calls that reach it as they do in the server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
    time::Duration,
};

use jiff::SignedDuration;
use serde_json::{Map, Value};
use switchboard::{
    approvals::Seen,
    clock::ManualClock,
    http::{self, Authorize, AuthorizeError, Cancellation, Client, HeaderMap, Lane, Pending, Witness},
    id::{CallId, SeededEntropy, UserId},
    integrations,
    sandbox::{Options, Sandbox, record::Exchange},
    secret::Secret,
    tool::{Account, Asking, Call, CallParts, Error, Integration, LABEL, Memory, Outcome, Row, State, Upstream},
};

use crate::contract::{check_exchange, description};

/// Monday morning, 08:00 in Berlin, where the company is.
const NOW: &str = "2026-11-23T07:00:00Z";

/// What the tests of a vendor leave away where they name its operations and scopes.
#[derive(Debug)]
pub struct Vendor {
    /// The integration's id.
    pub id: &'static str,
    /// What its operations begin with, such as `calendar.`.
    pub operations: &'static str,
    /// What its scopes begin with, such as an address.
    pub scopes: &'static str,
}

/// The twin, the way to it, and what a person has said so far.
pub struct Desk {
    vendor: &'static Vendor,
    pub sandbox: Sandbox,
    pub clock: Arc<ManualClock>,
    pub asking: Asking,
    /// What the agent has read and whom it knows.
    pub seen: Seen,
    upstream: Upstream,
    /// One for all calls, as in the server: no two calls draw the same ids.
    entropy: Arc<SeededEntropy>,
    answered: BTreeSet<String>,
}

impl Answered {
    /// The text without the label and the fences around what others wrote.
    pub fn plain(&self) -> String {
        let text = self.text.strip_prefix(LABEL).map_or(self.text.as_str(), str::trim_start);
        text.replace(['⟦', '⟧'], "")
    }
}

/// What a call came to: the text and the structure, or the refusal.
pub type Said = Result<Answered, Error>;

/// The answer of a call.
#[derive(Debug)]
pub struct Answered {
    pub text: String,
    pub data: Value,
}

impl Desk {
    /// A fresh twin, opened with every scope.
    pub async fn open(vendor: &'static Vendor) -> Desk {
        Desk::with_scopes(vendor, &[]).await
    }

    /// A fresh twin, opened with these scopes.
    pub async fn with_scopes(vendor: &'static Vendor, scopes: &[&str]) -> Desk {
        Desk::with(vendor, scopes, patient()).await
    }

    /// A fresh twin, opened with every scope, over a client with these bounds.
    pub async fn with_options(vendor: &'static Vendor, options: http::Options) -> Desk {
        Desk::with(vendor, &[], options).await
    }

    async fn with(vendor: &'static Vendor, scopes: &[&str], options: http::Options) -> Desk {
        let clock = ManualClock::at(NOW.parse().unwrap());
        // The clock stands still, so that all requests of a test would come at once.
        let sandbox = Sandbox::start(Options { limits: false, ..Options::new(clock.clone()) }).await.unwrap();
        Desk::at(vendor, scopes, options, clock, sandbox).await
    }

    /// A fresh twin that refuses who asks more often than its vendor allows.
    pub async fn with_limits(vendor: &'static Vendor) -> Desk {
        let clock = ManualClock::at(NOW.parse().unwrap());
        let sandbox = Sandbox::start(Options::new(clock.clone())).await.unwrap();
        Desk::at(vendor, &[], http::Options { attempts: 1, ..patient() }, clock, sandbox).await
    }

    async fn at(
        vendor: &'static Vendor,
        scopes: &[&str],
        options: http::Options,
        clock: Arc<ManualClock>,
        sandbox: Sandbox,
    ) -> Desk {
        let upstream = upstream(vendor, &sandbox, &clock, scopes, options).await;
        let entropy = SeededEntropy::new(1);
        let (asking, seen) = (Asking::default(), Seen::default());
        Desk { vendor, sandbox, clock, upstream, entropy, asking, seen, answered: BTreeSet::new() }
    }

    /// Calls a tool, its name without the integration.
    pub async fn call(&self, tool: &str, arguments: Value) -> Said {
        let row = self.row(tool);
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let outcome = row.call(arguments, &self.cx()).await?;
        Ok(answered(&row, &outcome))
    }

    /// The same with nothing remembered of earlier calls, as part of a call that may be cancelled; `witness` hears of its
    /// requests.
    pub async fn call_within(
        &self,
        cancellation: &Cancellation,
        witness: Arc<dyn Witness>,
        tool: &str,
        arguments: Value,
    ) -> Said {
        let mut upstream = Upstream { memory: Memory::default(), ..self.upstream.clone() };
        (upstream.lane.cancellation, upstream.lane.witness) = (Some(cancellation.clone()), Some(witness));
        let row = self.row(tool);
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let outcome = row.call(arguments, &self.cx_at(upstream)).await?;
        Ok(answered(&row, &outcome))
    }

    /// A call that has to go well.
    pub async fn ok(&self, tool: &str, arguments: Value) -> Answered {
        let shown = arguments.to_string();
        self.call(tool, arguments).await.unwrap_or_else(|error| panic!("{tool} {shown}: {error:?}"))
    }

    /// A call that has to be refused.
    pub async fn refused(&self, tool: &str, arguments: Value) -> Error {
        let shown = arguments.to_string();
        match self.call(tool, arguments).await {
            Ok(answered) => panic!("{tool} {shown} was not refused: {answered:?}"),
            Err(error) => error,
        }
    }

    /// A person says yes to this very question.
    pub fn say_yes(&mut self, question: &str) {
        self.answered.insert(question.to_owned());
    }

    /// A person says yes to exactly what this asks.
    pub fn say_yes_to(&mut self, asked: &Error) {
        self.answered.insert(asked.seal().to_owned());
    }

    fn row(&self, tool: &str) -> Row {
        let integration = self.integration();
        let name = format!("{}_{tool}", integration.id.replace('-', "_"));
        let def = integration.tools.iter().find(|def| def.name == name).unwrap();
        Row::constant(integration.toolset(), def)
    }

    /// What a tool that runs is given.
    pub fn cx(&self) -> Call {
        self.cx_at(self.upstream.clone())
    }

    fn cx_at(&self, upstream: Upstream) -> Call {
        Call::new(CallParts {
            id: CallId::new("c-test"),
            user: UserId::new("local"),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            upstream: Some(upstream),
            progress: None,
            confirmed: self.answered.clone(),
            asking: self.asking,
            state: State::default(),
        })
        .with_seen(self.seen.clone())
    }

    /// From now on the agent has read what others wrote, and has reached nobody but these.
    pub fn has_read_others(&mut self, known: &[&str]) {
        let known = known.iter().map(|one| (*one).to_owned()).collect();
        self.seen = Seen { has_read_others: true, known };
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> u64 {
        self.sandbox.count(self.vendor.id, &format!("{}{operation}", self.vendor.operations)).unwrap()
    }

    /// The last request for an operation.
    pub fn last(&self, operation: &str) -> Exchange {
        let wanted = format!("{}{operation}", self.vendor.operations);
        let exchanges = self.sandbox.exchanges(self.vendor.id).unwrap();
        exchanges.into_iter().rfind(|exchange| exchange.operation == Some(&*wanted)).unwrap()
    }

    /// A query parameter of the last request for an operation.
    pub fn sent(&self, operation: &str, name: &str) -> Option<String> {
        self.last(operation).query.into_iter().find(|(sent, _)| sent == name).map(|(_, value)| value)
    }

    /// Makes the twin fail from now on.
    pub fn fault(&self, what: &str) {
        self.sandbox.fault(self.vendor.id, what).unwrap();
    }

    /// Lets time go by; whoever is connected stays so.
    pub async fn wait(&mut self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
        self.upstream = upstream(self.vendor, &self.sandbox, &self.clock, &[], patient()).await;
    }

    /// Begins anew: the world as at first, nothing asked, no faults.
    pub async fn reset(&mut self) {
        self.sandbox.reset(None).await.unwrap();
        self.answered.clear();
    }

    /// The mails and messages that the vendor would have sent: to whom and about what.
    pub fn mails(&self) -> Vec<String> {
        let diff = serde_json::to_value(self.sandbox.diff()).unwrap();
        let vendors = diff["vendors"].as_array().cloned().unwrap_or_default();
        let mails = vendors.iter().flat_map(|vendor| vendor["mails"].as_array().cloned().unwrap_or_default());
        mails.map(|mail| format!("{} {}", mail["to"].as_str().unwrap(), mail["subject"].as_str().unwrap())).collect()
    }

    /// How many things are new, different or gone.
    pub fn changes(&self) -> usize {
        let diff = serde_json::to_value(self.sandbox.diff()).unwrap();
        let vendors = diff["vendors"].as_array().cloned().unwrap_or_default();
        let count = |vendor: &Value, kind: &str| vendor[kind].as_array().map_or(0, Vec::len);
        vendors.iter().flat_map(|vendor| ["added", "changed", "removed"].map(|kind| count(vendor, kind))).sum()
    }

    /// Sends a request once. When it comes too soon, the pause that the client knows of.
    pub async fn try_send(&self, request: http::Request) -> Option<Duration> {
        match self.upstream.client.send(&self.upstream.lane, request.attempts(1)).await {
            Ok(_) => None,
            Err(http::Error::Limited { retry_after }) => Some(retry_after),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a request behind the tools' back, as another person or program would; it has to go well.
    pub async fn send(&self, request: http::Request) -> Value {
        let answer = self.upstream.client.send(&self.upstream.lane, request).await.unwrap();
        assert!(answer.is_success(), "{}", answer.text());
        answer.json().unwrap_or_default()
    }

    pub fn integration(&self) -> &'static Integration {
        integrations::find(self.vendor.id).unwrap()
    }
}

/// Every exchange of every test is held to the vendor's description of its API.
impl Drop for Desk {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        if let Some(description) = description(self.vendor.id) {
            let exchanges = self.sandbox.exchanges(self.vendor.id).unwrap();
            let wrong = exchanges.iter().flat_map(|exchange| check_exchange(&description, exchange));
            assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new());
        }
    }
}

/// What a call came to; the structure has to fit the published schema, and to say nothing that says nothing.
fn answered(row: &Row, outcome: &Outcome) -> Answered {
    let data = outcome.structured.clone().unwrap();
    let problems = switchboard::schema::check(&row.definition()["outputSchema"], &data);
    assert!(problems.is_empty(), "{}: {problems:#?}", row.name());
    assert!(!data.to_string().contains(":null"), "{data}");
    Answered { text: outcome.joined_text(), data }
}

/// A client that never lets a vendor rest, and hardly pauses.
fn patient() -> http::Options {
    http::Options { pause: Duration::from_millis(1), failures: 1000, ..http::Options::default() }
}

async fn upstream(
    vendor: &'static Vendor,
    sandbox: &Sandbox,
    clock: &Arc<ManualClock>,
    scopes: &[&str],
    options: http::Options,
) -> Upstream {
    let integration = integrations::find(vendor.id).unwrap();
    let endpoint = sandbox.endpoint(vendor.id).unwrap();
    let scopes: Vec<_> = scopes.iter().map(|scope| format!("{}{scope}", vendor.scopes)).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let grant = sandbox.grant(vendor.id, &scopes).await.unwrap();
    let fields = BTreeMap::from([("token".to_owned(), grant.access)]);
    let token = Arc::new(Token { integration, fields });
    let mut lane = Lane::new(vendor.id, endpoint.base_url.parse().unwrap()).on_behalf_of("lena", token);
    lane.is_limit = integration.is_limit;
    lane.status = integration.status;
    lane.rest = integration.rate.and_then(|rate| rate.rest);
    let client = Client::new(options, clock.clone(), SeededEntropy::new(2)).unwrap();
    let metadata = BTreeMap::from([("email".to_owned(), endpoint.account)]);
    let account = Account { name: "default".into(), metadata };
    let second = |base: &str| sandbox.second_host(vendor.id, base).unwrap().parse().unwrap();
    let hosts = integration.hosts().into_iter().map(|host| (host.id, second(host.base_url))).collect();
    Upstream { client, lane, account, explain: integration.explain, memory: Memory::default(), hosts }
}

/// A token that nobody renews.
#[derive(Debug)]
struct Token {
    integration: &'static Integration,
    fields: BTreeMap<String, Secret>,
}

impl Authorize for Token {
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
        Box::pin(async { Ok((self.integration.sign)(&self.fields)) })
    }

    fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>> {
        Box::pin(async { Ok(false) })
    }
}

/// Arguments with some of them replaced; `null` takes one away.
pub fn with(arguments: &Value, changes: Value) -> Value {
    let mut all: Map<String, Value> = arguments.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
    }
    all.retain(|_, value| !value.is_null());
    all.into()
}
