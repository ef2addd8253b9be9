//! Grants under fire: processes that share connections are killed at any moment, also between the vendor's answer and
//! the write, while every token lives for two seconds.
//!
//! The vendor is strict: a refresh token is good once, and a second use ends the grant. The killed processes are this
//! very test program, started again with [`STORE`] in its environment and told to run only [`worker`]; in [`real`] they
//! are the real program. Only a kill between the vendor's answer and the write explains a loss: the vendor's books tell
//! of the answer, and the process's own journal of the write.
//! `SWITCHBOARD_STORM_SECONDS` makes it longer; `scripts/refresh-storm.sh` does.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod postgres;
mod real;
#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Form, Json, Router,
    extract::{Path as Place, Query, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use jiff::SignedDuration;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use switchboard::{
    clock,
    http::{self, Client, Lane, Request, path},
    id::{self, UserId},
    oauth::{App, Bearer, Broker, Endpoints, Overrides, Provider},
    secret::Secret,
    store::{MemoryStore, Seen, SharedStore, SledStore, Table},
    vault::{Connection, ConnectionKey, Credential, KeyRing, Sources, Status, Vault, When},
};

/// Names the store to a worker: a directory, or a PostgreSQL address. Without it [`worker`] has nothing to do.
const STORE: &str = "SWITCHBOARD_STORM_STORE";
/// The vendor's address.
const VENDOR: &str = "SWITCHBOARD_STORM_VENDOR";
/// The directory of the identity that all workers share.
const KEYS: &str = "SWITCHBOARD_STORM_KEYS";
/// How long a token lives.
const LIFE: Duration = Duration::from_secs(2);
/// How long a dead process keeps the others waiting at most; longer than a refresh takes on a busy machine.
const LEASE: Duration = Duration::from_secs(4);
/// How many connections there are, and how many tasks use them in each process.
const CONNECTIONS: usize = 6;
const TASKS: usize = 8;

/// What has become of one grant.
#[derive(Default)]
struct Grant {
    newest: u64,
    ended: bool,
    /// When each access token ends.
    ends: BTreeMap<u64, Instant>,
    /// The process that got the newest pair, and whether it was killed since.
    holder: u32,
    killed_over: bool,
}

/// The vendor's books.
#[derive(Default)]
struct Books {
    grants: HashMap<u64, Grant>,
    refreshes: u64,
    /// Refreshes of a token that was still good for more than its margin.
    premature: u64,
    /// Pairs that a process has called stored: grant and number.
    journal: HashSet<(u64, u64)>,
    /// Grants that ended because a spent token came back, by whether a kill explains it: one of the process that got
    /// the newest pair and had not called it stored.
    explained: u64,
    unexplained: u64,
    /// Dead grants that the store told a person about.
    shown: BTreeMap<u64, bool>,
    kills: u64,
    kills_over_answers: u64,
    calls: u64,
}

#[derive(Clone)]
struct Vendor {
    books: Arc<Mutex<Books>>,
    /// How many answers in a hundred are followed by a kill: before they are sent, and shortly after.
    deadly: [u32; 2],
    workers: Arc<Mutex<HashMap<u32, Child>>>,
    random: Arc<Mutex<StdRng>>,
}

impl Vendor {
    fn chance(&self, percent: u32) -> bool {
        self.random.lock().unwrap().random_range(0..100) < percent
    }

    fn pause(&self, longest: u64) -> Duration {
        Duration::from_micros(self.random.lock().unwrap().random_range(0..longest * 1000))
    }

    fn kill(&self, pid: u32) -> bool {
        let Some(mut worker) = self.workers.lock().unwrap().remove(&pid) else { return false };
        worker.kill().unwrap();
        worker.wait().unwrap();
        let mut books = self.books.lock().unwrap();
        books.kills += 1;
        // Whether its write was before or after the kill shows in what is asked for next.
        books.grants.values_mut().filter(|grant| grant.holder == pid).for_each(|grant| grant.killed_over = true);
        true
    }

    /// Kills a process over an answer.
    fn kill_over_answer(&self, pid: u32) {
        let killed = self.kill(pid);
        self.books.lock().unwrap().kills_over_answers += u64::from(killed);
    }

    fn kill_any(&self) {
        let pids: Vec<u32> = self.workers.lock().unwrap().keys().copied().collect();
        if !pids.is_empty() {
            let at = self.random.lock().unwrap().random_range(0..pids.len());
            self.kill(pids[at]);
        }
    }
}

/// `kind-grant-number`.
fn numbers(token: &str) -> Option<(u64, u64)> {
    let mut parts = token.split('-').skip(1);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn pair(grant: u64, number: u64) -> Value {
    json!({
        "access_token": format!("at-{grant}-{number}"),
        "refresh_token": format!("rt-{grant}-{number}"),
        "expires_in": LIFE.as_secs(),
    })
}

type Answer = (StatusCode, Json<Value>);

/// A worker of ours names itself.
async fn token(State(vendor): State<Vendor>, Form(form): Form<HashMap<String, String>>) -> Answer {
    let worker = form["worker"].parse().unwrap();
    renewed(vendor, worker, form).await
}

/// The real program is known by the address that it was given.
async fn token_of_process(
    State(vendor): State<Vendor>,
    Place(process): Place<u32>,
    Form(form): Form<HashMap<String, String>>,
) -> Answer {
    renewed(vendor, process, form).await
}

async fn renewed(vendor: Vendor, worker: u32, form: HashMap<String, String>) -> Answer {
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    let Some((id, number)) = form.get("refresh_token").and_then(|token| numbers(token)) else { return refused() };
    let fresh = {
        let mut guard = vendor.books.lock().unwrap();
        let books = &mut *guard;
        let Some(grant) = books.grants.get_mut(&id).filter(|grant| !grant.ended) else { return refused() };
        if number != grant.newest {
            grant.ended = true;
            let explained = grant.killed_over && !books.journal.contains(&(id, grant.newest));
            if explained {
                books.explained += 1;
            } else {
                books.unexplained += 1;
            }
            books.shown.entry(id).or_insert(false);
            return refused();
        }
        let left = grant.ends[&number].saturating_duration_since(Instant::now());
        grant.newest += 1;
        grant.killed_over = false;
        grant.holder = worker;
        grant.ends.insert(number + 1, Instant::now() + LIFE);
        books.refreshes += 1;
        books.premature += u64::from(left > LIFE / 2);
        number + 1
    };
    // It may have been killed while it asked.
    if !vendor.workers.lock().unwrap().contains_key(&worker) {
        vendor.books.lock().unwrap().grants.get_mut(&id).unwrap().killed_over = true;
    }
    tokio::time::sleep(vendor.pause(20)).await;
    let [over, after] = vendor.deadly;
    if vendor.chance(over) {
        vendor.kill_over_answer(worker);
    } else if vendor.chance(after) {
        let (vendor, pause) = (vendor.clone(), vendor.pause(6));
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            vendor.kill_over_answer(worker);
        });
    }
    (StatusCode::OK, Json(pair(id, fresh)))
}

/// A person consents, again or for the first time: `?after=GRANT` is the one that the store called dead.
async fn consent(State(vendor): State<Vendor>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let mut books = vendor.books.lock().unwrap();
    if let Some(after) = query.get("after").and_then(|after| after.parse().ok()) {
        books.shown.insert(after, true);
    }
    let id = books.grants.len() as u64 + 1;
    let ends = BTreeMap::from([(1, Instant::now() + LIFE)]);
    books.grants.insert(id, Grant { newest: 1, ends, ..Grant::default() });
    Json(pair(id, 1))
}

async fn api(State(vendor): State<Vendor>, headers: HeaderMap) -> Answer {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut books = vendor.books.lock().unwrap();
    books.calls += 1;
    let unknown =
        (StatusCode::UNAUTHORIZED, Json(json!({ "error": { "code": 401, "message": "Invalid Credentials" } })));
    let Some((id, number)) = numbers(token.trim_start_matches("Bearer ")) else { return unknown };
    let grant = books.grants.get(&id).filter(|grant| !grant.ended);
    let is_good = grant.and_then(|grant| grant.ends.get(&number)).is_some_and(|end| Instant::now() < *end);
    if is_good { (StatusCode::OK, Json(json!({ "items": [] }))) } else { unknown }
}

/// Uses the connections for ever. What goes wrong otherwise than it may is printed.
#[test]
fn worker() {
    let Ok(place) = env::var(STORE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let worker = Arc::new(Worker::open(&place).await);
        println!("\nopen");
        tokio::spawn(keep_journal(worker.vault.clone()));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let worker = worker.clone();
                tokio::spawn(async move {
                    for round in task.. {
                        worker.call(round % CONNECTIONS).await;
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Prints each pair that the store has.
async fn keep_journal(vault: Vault) {
    let mut changes = vault.store().watch(Table::Connections);
    while let Some(seen) = changes.next().await {
        let Seen::Changed(key) = seen else { continue };
        let Ok(Some(stored)) = vault.get::<Connection>(&key).await else { continue };
        if let Credential::OAuth { access, .. } = stored.value.credential
            && let Some((grant, number)) = numbers(access.expose())
        {
            println!("stored {grant} {number}");
        }
    }
}

struct Worker {
    vault: Vault,
    broker: Broker,
    client: Client,
    endpoints: Endpoints,
    app: App,
    vendor: String,
}

impl Worker {
    async fn open(place: &str) -> Self {
        let store = open_store(place).await;
        let sources = Sources::in_dir(env::var(KEYS).unwrap());
        let keys = KeyRing::load(&sources, &*store).await.unwrap();
        let vault = Vault::open(store, keys, clock::system()).await.unwrap();
        let client = Client::new(http::Options::default(), clock::system(), id::os()).unwrap();
        let broker = Broker::with_lease(vault.clone(), client.clone(), clock::system(), id::os(), LEASE);
        let vendor = env::var(VENDOR).unwrap();
        let provider = Provider { family: "storm", rotates: true, ..Provider::STANDARD };
        let overrides = Overrides {
            authorize_url: Some(format!("{vendor}/authorize")),
            token_url: Some(format!("{vendor}/token")),
            ..Overrides::default()
        };
        let mut endpoints = Endpoints::of(&provider, &overrides).unwrap();
        endpoints.token_extra.push(("worker".to_owned(), std::process::id().to_string()));
        let app = App { client_id: "client".to_owned(), client_secret: None };
        Worker { vault, broker, client, endpoints, app, vendor }
    }

    fn lane(&self) -> Lane {
        Lane::new("storm", self.vendor.parse().unwrap())
    }

    async fn call(&self, number: usize) {
        let key = ConnectionKey::new(UserId::new("local"), "storm", format!("c{number}"));
        let bearer = Bearer::new(self.broker.clone(), key.clone(), self.endpoints.clone(), self.app.clone());
        let lane = self.lane().on_behalf_of(key.to_string(), Arc::new(bearer));
        match self.client.send(&lane, Request::get(path!["api"])).await {
            Ok(answer) if answer.is_success() => {}
            Ok(answer) => self.unless_dead(&key, &format!("answered {}", answer.status), false).await,
            Err(error) => {
                let is_refused = matches!(error, http::Error::Unauthorized(_));
                self.unless_dead(&key, &error.to_string(), is_refused).await;
            }
        }
    }

    /// A call may fail only because its grant is gone, and the store has to say so.
    async fn unless_dead(&self, key: &ConnectionKey, why: &str, is_refused: bool) {
        match self.vault.opened_connection(key).await.unwrap() {
            None => self.consent(key, None).await,
            Some(found) if matches!(found.value.status, Status::NeedsReconnect { .. }) => {
                self.consent(key, Some(found.value)).await;
            }
            // Somebody has consented anew since.
            Some(_) if is_refused => {}
            Some(found) => println!("failed {key} at generation {}: {why}", found.value.generation),
        }
    }

    /// What the person does whom the store tells to connect again.
    async fn consent(&self, key: &ConnectionKey, dead: Option<Connection>) {
        let mut request = Request::post(path!["consent"]);
        if let Some(Credential::OAuth { access, .. }) = dead.as_ref().map(|dead| &dead.credential) {
            request = request.query("after", numbers(access.expose()).unwrap().0);
        }
        let answer: Value = self.client.send(&self.lane(), request).await.unwrap().json().unwrap();
        let text = |name: &str| Secret::new(answer[name].as_str().unwrap());
        let now = clock::system().now();
        let connection = Connection {
            key: key.clone(),
            credential: Credential::OAuth {
                access: text("access_token"),
                refresh: Some(text("refresh_token")),
                expires_at: now.checked_add(SignedDuration::try_from(LIFE).unwrap()).ok(),
                extra: BTreeMap::new(),
            },
            generation: dead.as_ref().map_or(1, |dead| dead.generation + 1),
            status: Status::Active,
            scopes: Vec::new(),
            metadata: BTreeMap::new(),
            client_id: Some("client".to_owned()),
            connected_at: now,
            updated_at: now,
        };
        let when = dead.map_or(When::Absent, |dead| When::Generation(dead.generation));
        // Another task may have been first.
        if let Err(error) = self.vault.save_connection(&connection, when).await {
            assert!(error.is_conflict(), "{error}");
        }
    }
}

async fn open_store(place: &str) -> SharedStore {
    #[cfg(feature = "postgres")]
    if place.starts_with("postgres://") {
        return switchboard::store::PostgresStore::open(&Secret::new(place), switchboard::config::StoreTls::default())
            .await
            .unwrap();
    }
    // The one before may only just have been killed.
    for _ in 0..100 {
        if let Ok(store) = SledStore::open(place).await {
            return store;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the store in {place} cannot be opened");
}

/// Lets `processes` workers at a store for a while, and looks into the vendor's books.
async fn storm(name: &str, place: &str, processes: usize) {
    let keys = tempfile::tempdir().unwrap();
    let (vendor, address) = Vendor::start([3, 5]).await;
    let seconds = seconds();
    let until = Instant::now() + Duration::from_secs(seconds);
    let failures: Arc<Mutex<Vec<String>>> = Arc::default();
    // One identity for all.
    KeyRing::load(&Sources::in_dir(keys.path()), &*MemoryStore::new()).await.unwrap();
    let mut next_kill = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        let missing = processes - vendor.workers.lock().unwrap().len();
        for _ in 0..missing {
            let worker = start(place, &address, keys.path(), &vendor, &failures);
            vendor.workers.lock().unwrap().insert(worker.id(), worker);
        }
        if Instant::now() >= next_kill {
            vendor.kill_any();
            next_kill = Instant::now() + Duration::from_millis(500) + vendor.pause(2000);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A last grant may have died just now: the next use shows it.
    tokio::time::sleep(LEASE + 2 * LIFE).await;
    let pids: Vec<u32> = vendor.workers.lock().unwrap().keys().copied().collect();
    for pid in pids {
        let _ = vendor.kill(pid);
    }

    vendor.check(name);
    let failures = failures.lock().unwrap();
    assert!(failures.is_empty(), "calls failed although their grants live: {failures:#?}");
}

fn seconds() -> u64 {
    env::var("SWITCHBOARD_STORM_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

impl Vendor {
    /// A vendor and its address.
    async fn start(deadly: [u32; 2]) -> (Vendor, String) {
        let random = Arc::new(Mutex::new(StdRng::seed_from_u64(7)));
        let vendor = Vendor { books: Arc::default(), deadly, workers: Arc::default(), random };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/token", post(token))
            .route("/process/{process}/token", post(token_of_process))
            .route("/consent", post(consent))
            .route("/api", get(api))
            .route("/calendar/users/me/calendarList", get(api))
            .with_state(vendor.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        (vendor, address)
    }

    /// Looks into the books when all is over.
    fn check(&self, name: &str) {
        let seconds = seconds();
        let books = self.books.lock().unwrap();
        let hidden = books.shown.values().filter(|shown| !**shown).count();
        println!(
            "{name}: {} calls, {} refreshes, {} kills, {} of them over an answer; {} grants lost to those and shown, {} lost otherwise, {hidden} not shown, {} premature refreshes",
            books.calls,
            books.refreshes,
            books.kills,
            books.kills_over_answers,
            books.explained,
            books.unexplained,
            books.premature,
        );
        assert_eq!(books.unexplained, 0, "a grant was lost that nothing but a bug explains");
        assert_eq!(hidden, 0, "a lost grant does not show");
        assert_eq!(books.premature, 0, "a good token was refreshed: more than one refresh for an expiry");
        assert!(books.refreshes > seconds, "hardly anything was refreshed: {}", books.refreshes);
        assert!(books.kills > 0 && books.calls > 100);
    }
}

fn start(place: &str, address: &str, keys: &Path, vendor: &Vendor, failures: &Arc<Mutex<Vec<String>>>) -> Child {
    let mut worker = Command::new(env::current_exe().unwrap())
        .args(["worker", "--exact", "--nocapture", "--test-threads=1"])
        .env(STORE, place)
        .env(VENDOR, address)
        .env(KEYS, keys)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(worker.stdout.take().unwrap()).lines();
    let (vendor, failures) = (vendor.clone(), failures.clone());
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let pair: Option<Vec<u64>> =
                line.strip_prefix("stored ").map(|pair| pair.split(' ').filter_map(|text| text.parse().ok()).collect());
            if let Some([grant, number]) = pair.as_deref() {
                vendor.books.lock().unwrap().journal.insert((*grant, *number));
            } else if line.starts_with("failed ") || line.contains("panicked") {
                failures.lock().unwrap().push(line);
            }
        }
    });
    worker
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_survive_kills_on_the_store_of_one_machine() {
    let dir = tempfile::tempdir().unwrap();
    storm("sled", dir.path().join("store").to_str().unwrap(), 1).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn grants_survive_kills_on_a_store_that_nodes_share() {
    let Some(postgres) = tokio::task::spawn_blocking(postgres::Postgres::start).await.unwrap() else { return };
    storm("postgres", &postgres.url("none"), 4).await;
}
