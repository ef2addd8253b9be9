//! A calendar to work on: the twin over real HTTP, and calls that reach it as they do in the server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
    time::Duration,
};

use jiff::SignedDuration;
use serde_json::{Map, Value};
use switchboard::{
    clock::ManualClock,
    http::{self, Authorize, AuthorizeError, Client, HeaderMap, Lane, Pending},
    id::{CallId, SeededEntropy, UserId},
    integrations,
    sandbox::{Options, Sandbox, record::Exchange},
    secret::Secret,
    tool::{Account, Asking, Call, CallParts, Error, Integration, Memory, Outcome, Row, State, Upstream},
};

use crate::contract::{check_exchange, description};

const VENDOR: &str = "google-calendar";

/// Monday morning, 08:00 in Berlin, where the company is.
const NOW: &str = "2026-11-23T07:00:00Z";

/// The twin, the way to it, and what a person has said so far.
pub struct Desk {
    pub sandbox: Sandbox,
    pub clock: Arc<ManualClock>,
    pub asking: Asking,
    upstream: Upstream,
    answered: BTreeSet<String>,
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
    /// A fresh calendar, opened with every scope.
    pub async fn open() -> Desk {
        Desk::with_scopes(&[]).await
    }

    /// A fresh calendar, opened with these scopes, without the address in front of them.
    pub async fn with_scopes(scopes: &[&str]) -> Desk {
        let clock = ManualClock::at(NOW.parse().unwrap());
        let sandbox = Sandbox::start(Options::new(clock.clone())).await.unwrap();
        let upstream = upstream(&sandbox, &clock, scopes).await;
        Desk { sandbox, clock, upstream, asking: Asking::default(), answered: BTreeSet::new() }
    }

    /// Calls a tool, its name without the integration.
    pub async fn call(&self, tool: &str, arguments: Value) -> Said {
        let name = format!("google_calendar_{tool}");
        let integration = integration();
        let def = integration.tools.iter().find(|def| def.name == name).unwrap();
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let row = Row::constant(integration.toolset(), def);
        let outcome = row.call(arguments, &self.cx()).await?;
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

    /// What a tool that runs is given.
    pub fn cx(&self) -> Call {
        Call::new(CallParts {
            id: CallId::new("c-test"),
            user: UserId::new("local"),
            clock: self.clock.clone(),
            entropy: SeededEntropy::new(1),
            upstream: Some(self.upstream.clone()),
            progress: None,
            confirmed: self.answered.clone(),
            asking: self.asking,
            state: State::default(),
        })
    }

    /// The id of the first meeting with this title in the four weeks around now.
    pub async fn id_of(&self, title: &str) -> String {
        let window = serde_json::json!({ "start": "2026-11-16", "end": "2026-12-14", "query": title, "limit": 250 });
        let list = self.ok("list_meetings", window).await;
        let meetings = list.data["meetings"].as_array().unwrap();
        let found = meetings.iter().find(|meeting| meeting["title"] == title);
        found.unwrap_or_else(|| panic!("no meeting {title}: {}", list.text))["id"].as_str().unwrap().to_owned()
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> u64 {
        self.sandbox.count(VENDOR, &format!("calendar.{operation}")).unwrap()
    }

    /// The last request for an operation.
    pub fn last(&self, operation: &str) -> Exchange {
        let wanted = format!("calendar.{operation}");
        let exchanges = self.sandbox.exchanges(VENDOR).unwrap();
        exchanges.into_iter().rfind(|exchange| exchange.operation == Some(&*wanted)).unwrap()
    }

    /// A query parameter of the last request for an operation.
    pub fn sent(&self, operation: &str, name: &str) -> Option<String> {
        self.last(operation).query.into_iter().find(|(sent, _)| sent == name).map(|(_, value)| value)
    }

    /// Makes the twin fail from now on.
    pub fn fault(&self, what: &str) {
        self.sandbox.fault(VENDOR, what).unwrap();
    }

    /// Lets time go by; whoever is connected stays so.
    pub async fn wait(&mut self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
        self.upstream = upstream(&self.sandbox, &self.clock, &[]).await;
    }

    /// Begins anew: the calendar as at first, nothing asked, no faults.
    pub async fn reset(&mut self) {
        self.sandbox.reset(None).await.unwrap();
        self.answered.clear();
    }

    /// The mails that Google would have sent: to whom and about what.
    pub fn mails(&self) -> Vec<String> {
        let diff = serde_json::to_value(self.sandbox.diff()).unwrap();
        let vendors = diff["vendors"].as_array().cloned().unwrap_or_default();
        let mails = vendors.iter().flat_map(|vendor| vendor["mails"].as_array().cloned().unwrap_or_default());
        mails.map(|mail| format!("{} {}", mail["to"].as_str().unwrap(), mail["subject"].as_str().unwrap())).collect()
    }

    /// Changes an event behind the tool's back, as another person would.
    pub async fn patch(&self, event_id: &str, patch: Value) {
        let path = switchboard::path!["calendars", "primary", "events", event_id];
        let request = http::Request::patch(path).json(&patch);
        let answer = self.upstream.client.send(&self.upstream.lane, request).await.unwrap();
        assert!(answer.is_success(), "{}", answer.text());
    }

    /// Makes an event behind the tool's back.
    pub async fn insert(&self, event: Value) -> String {
        let request = http::Request::post(switchboard::path!["calendars", "primary", "events"]).json(&event);
        let answer = self.upstream.client.send(&self.upstream.lane, request).await.unwrap();
        answer.json::<Value>().unwrap()["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
    }
}

/// Every exchange of every test is held to Google's description of its API.
impl Drop for Desk {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        if let Some(description) = description(VENDOR) {
            let exchanges = self.sandbox.exchanges(VENDOR).unwrap();
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

fn integration() -> &'static Integration {
    integrations::find(VENDOR).unwrap()
}

async fn upstream(sandbox: &Sandbox, clock: &Arc<ManualClock>, scopes: &[&str]) -> Upstream {
    let endpoint = sandbox.endpoint(VENDOR).unwrap();
    let scopes: Vec<_> = scopes.iter().map(|scope| format!("https://www.googleapis.com/auth/{scope}")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let grant = sandbox.grant(VENDOR, &scopes).await.unwrap();
    let token = Arc::new(Token(BTreeMap::from([("token".to_owned(), grant.access)])));
    let mut lane = Lane::new(VENDOR, endpoint.base_url.parse().unwrap()).on_behalf_of("lena", token);
    lane.is_limit = integration().is_limit;
    let options = http::Options { pause: Duration::from_millis(1), failures: 1000, ..http::Options::default() };
    let client = Client::new(options, clock.clone(), SeededEntropy::new(2)).unwrap();
    let metadata = BTreeMap::from([("email".to_owned(), endpoint.account)]);
    let account = Account { name: "default".into(), metadata };
    Upstream { client, lane, account, explain: integration().explain, memory: Memory::default() }
}

/// A token that nobody renews.
#[derive(Debug)]
struct Token(BTreeMap<String, Secret>);

impl Authorize for Token {
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
        Box::pin(async { Ok((integration().sign)(&self.0)) })
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
