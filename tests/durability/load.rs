//! A load as the program makes it: accounts are connected, grants renewed, an agent edited, through vault and agents;
//! and SIGKILL in the midst of it, again and again.
//!
//! `SWITCHBOARD_SOAK_KILLS` and `SWITCHBOARD_SOAK_STORED` make it longer and larger than the suite needs it
//! (`scripts/soak.sh`).

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use switchboard::{
    agents::{Agents, LOCAL},
    clock,
    id::{self, AgentId, UserId},
    secret::Secret,
    store::{SledStore, Table},
    vault::{Connection, ConnectionKey, Credential, KeyRing, Sources, Status, Vault, When},
};

use crate::{Writer, figure, runtime};

/// Names the data directory to a child, and the number that it begins with.
const CHILD: &str = "SWITCHBOARD_TEST_LOADED_HOME";
const FIRST: &str = "SWITCHBOARD_TEST_FIRST";

/// How many of the newest steps are looked at after each kill; all of them are at the end.
const LOOKED_AT: u64 = 60;

/// Everything that is under load.
struct Loaded {
    store: Arc<SledStore>,
    vault: Vault,
    agents: Agents,
}

impl Loaded {
    async fn open(home: &Path) -> Loaded {
        let store = SledStore::open(home.join("store")).await.unwrap_or_else(|error| panic!("refused: {error}"));
        let keys = KeyRing::load(&Sources::in_dir(home), &*store).await.unwrap();
        let vault = Vault::open(store.clone(), keys, clock::system()).await.unwrap();
        let agents = Agents::new(store.clone(), clock::system(), id::os());
        Loaded { store, vault, agents }
    }

    /// One step: every third connects, renews, or edits. One that was done before a kill, and not acknowledged, is
    /// done.
    async fn step(&self, number: u64) {
        match number % 3 {
            0 => self.save(&connection(number, 1), When::Absent).await,
            1 => self.save(&connection(number - 1, 2), When::Generation(1)).await,
            _ => {
                let (user, agent) = (UserId::new(LOCAL), AgentId::new(LOCAL));
                let edited = self.agents.update_agent(&user, &agent, |agent| agent.name = format!("edit {number}"));
                edited.await.unwrap();
            }
        }
    }

    async fn save(&self, connection: &Connection, when: When) {
        match self.vault.save_connection(connection, when).await {
            Err(error) if error.is_conflict() => {
                let there = self.vault.connection(&connection.key).await.unwrap().unwrap();
                assert!(there.generation >= connection.generation, "a step was refused that was not done");
            }
            other => drop(other.unwrap()),
        }
    }

    /// Makes sure that the acknowledged step `number` is there, whole.
    async fn check(&self, number: u64, last: u64) {
        let (connected, expected) = match number % 3 {
            0 => (number, if number < last { 2 } else { 1 }),
            1 => (number - 1, 2),
            _ => {
                let agent = self.agents.local().await.unwrap();
                let edit: u64 = agent.name.strip_prefix("edit ").unwrap().parse().unwrap();
                assert!(edit >= number, "the edit {number} is lost: {edit}");
                return;
            }
        };
        let found = self.vault.connection(&key(connected)).await.unwrap();
        let found = found.unwrap_or_else(|| panic!("the connection of step {connected} is lost"));
        assert!(found.generation >= expected, "step {number}: generation {} instead of {expected}", found.generation);
        assert_eq!(found, connection(connected, found.generation), "step {number} is half there");
    }
}

fn key(number: u64) -> ConnectionKey {
    ConnectionKey::new(UserId::new(LOCAL), "google-calendar", format!("account-{number}"))
}

fn connection(number: u64, generation: u64) -> Connection {
    let moment = "2026-11-23T09:00:00Z".parse().unwrap();
    let token = |kind: &str| Secret::new(format!("{kind}-{number}-{generation}-{}", "x".repeat(200)));
    Connection {
        key: key(number),
        credential: Credential::OAuth {
            access: token("access"),
            refresh: Some(token("refresh")),
            expires_at: Some(moment),
            extra: BTreeMap::new(),
        },
        generation,
        status: Status::Active,
        scopes: vec!["calendar".into()],
        metadata: BTreeMap::from([("email".into(), format!("person-{number}@example.com"))]),
        client_id: Some("client".into()),
        connected_at: moment,
        updated_at: moment,
    }
}

/// Works for ever, and prints the number of each step once it is acknowledged.
#[test]
fn child() {
    let Some(home) = env::var_os(CHILD) else { return };
    let first = env::var(FIRST).unwrap().parse().unwrap();
    runtime().block_on(async {
        let loaded = Loaded::open(&PathBuf::from(home)).await;
        println!("\nopen");
        for number in first.. {
            loaded.step(number).await;
            println!("{number}");
            std::io::stdout().flush().unwrap();
        }
    });
}

/// A store with `stored` connections beside those of the load.
async fn prepare(home: &Path, stored: u64) {
    let loaded = Loaded::open(home).await;
    let mut group = Vec::new();
    for number in 0..stored {
        let mut one = connection(number, 1);
        one.key.account = format!("stored-{number}");
        group.push(loaded.vault.seal_connection(&one, switchboard::store::Expect::Absent).unwrap());
        if group.len() == 500 || number + 1 == stored {
            loaded.vault.commit(std::mem::take(&mut group)).await.unwrap();
        }
    }
}

#[test]
fn what_was_acknowledged_outlives_kills_under_load() {
    let (kills, stored) = (figure("KILLS", 12), figure("STORED", 60));
    let mut random = StdRng::seed_from_u64(11);
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    // The program would not take a folder that others can read and that has more in it than its own files.
    fs::set_permissions(home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    runtime().block_on(prepare(home, stored));
    let (mut acknowledged, mut slowest) = (None, Duration::ZERO);
    for round in 0..kills {
        let next = acknowledged.map_or(0, |last| last + 1).to_string();
        let writer = Writer::start("load::child", &[(CHILD, home.as_os_str()), (FIRST, next.as_ref())]);
        // Some are killed while they open.
        let mut least = None;
        if round % 5 != 0 {
            writer.wait_until_open();
            least = Some(writer.wait_for(random.random_range(1..20)));
        }
        let time = Duration::from_micros(random.random_range(1..40_000));
        acknowledged = writer.kill_after(time).max(least).or(acknowledged);
        let began = Instant::now();
        runtime().block_on(async {
            let loaded = Loaded::open(home).await;
            slowest = slowest.max(began.elapsed());
            let Some(last) = acknowledged else { return };
            for number in last.saturating_sub(LOOKED_AT)..=last {
                loaded.check(number, last).await;
            }
        });
    }
    let last = acknowledged.expect("most children are waited for");
    assert!(last >= 3 * kills, "with these figures it is more: {last} after {kills} kills");
    runtime().block_on(async {
        let loaded = Loaded::open(home).await;
        for number in 0..=last {
            loaded.check(number, last).await;
        }
        let report = switchboard::store::Store::report(&*loaded.store).await.unwrap();
        assert!(report.records_of(Table::Connections) >= stored + last / 3, "{report}");
        println!("{kills} kills, {} acknowledged steps, none lost; slowest opening {slowest:?}; {report}", last + 1);
    });
    serve(home);
}

/// The real program comes up on what the kills left, is killed at once, and comes up again.
fn serve(home: &Path) {
    let mut slowest = Duration::ZERO;
    for _ in 0..figure("STARTS", 2) {
        let began = Instant::now();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(home).env("HOME", home);
        let log = fs::File::create(home.join("serve.log")).unwrap();
        let mut server = command.stdout(std::process::Stdio::null()).stderr(log).spawn().unwrap();
        loop {
            let said = fs::read_to_string(home.join("serve.log")).unwrap();
            if said.contains("listening on") {
                break;
            }
            let ended = server.try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < Duration::from_mins(1), "{ended:?}: {said}");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        slowest = slowest.max(began.elapsed());
        server.kill().unwrap();
        server.wait().unwrap();
    }
    println!("slowest start of `serve` until its ready line: {slowest:?}");
}
