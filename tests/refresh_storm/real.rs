//! The storm with the real program: clients of `stdio` that share one directory through its owner's socket, and `serve`
//! nodes that share a database.
//!
//! There are many grants and nobody consents anew, so that every loss stands in the books. A call may fail only because
//! its grant is gone and shown, because its process was killed, or because the node that renews just then was: its lease
//! has to run out first.

use std::{
    io::Write,
    process::ChildStdin,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use super::*;
use crate::support::SWITCHBOARD;

/// How many grants there are at first.
const GRANTS: u64 = 120;
/// What the tool that is called needs.
const SCOPE: &str = "https://www.googleapis.com/auth/calendar";
const TOOL: &str = "google_calendar_list_calendars";

/// Everything that the processes have in common.
struct Stage {
    vendor: Vendor,
    address: String,
    home: tempfile::TempDir,
    next: AtomicU32,
    is_over: AtomicBool,
    dead: Mutex<HashSet<u64>>,
    waited: AtomicU32,
    failures: Mutex<Vec<String>>,
}

impl Stage {
    async fn open() -> Arc<Stage> {
        let (vendor, address) = Vendor::start([1, 2]).await;
        let home = crate::support::private_dir();
        let (next, is_over, waited) = (AtomicU32::new(1), AtomicBool::new(false), AtomicU32::new(0));
        let (dead, failures) = (Mutex::default(), Mutex::default());
        Arc::new(Stage { vendor, address, home, next, is_over, dead, waited, failures })
    }

    /// Puts a connection for every grant into `store`.
    async fn fill(&self, store: SharedStore) {
        let keys = KeyRing::load(&Sources::in_dir(self.home.path()), &*store).await.unwrap();
        let vault = Vault::open(store, keys, clock::system()).await.unwrap();
        for grant in 1..=GRANTS {
            let ends = BTreeMap::from([(1, Instant::now() + LIFE)]);
            self.vendor.books.lock().unwrap().grants.insert(grant, Grant { newest: 1, ends, ..Grant::default() });
            let now = clock::system().now();
            let text = |kind: &str| Secret::new(format!("{kind}-{grant}-1"));
            let connection = Connection {
                key: ConnectionKey::new(UserId::new("local"), "google-calendar", format!("c{grant}")),
                credential: Credential::OAuth {
                    access: text("at"),
                    refresh: Some(text("rt")),
                    expires_at: now.checked_add(SignedDuration::try_from(LIFE).unwrap()).ok(),
                    extra: BTreeMap::new(),
                },
                generation: 1,
                status: Status::Active,
                scopes: vec![SCOPE.to_owned()],
                metadata: BTreeMap::new(),
                client_id: Some("client".to_owned()),
                connected_at: now,
                updated_at: now,
            };
            vault.save_connection(&connection, When::Always).await.unwrap();
        }
    }

    /// The program as a process that the vendor knows by a number, at work with its journal on.
    fn process(self: &Arc<Self>, arguments: &[&str], dir: &Path) -> (u32, Child) {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let mut command = Command::new(SWITCHBOARD);
        command
            .args(arguments)
            .args(["--tools", TOOL])
            .arg("--data-dir")
            .arg(dir)
            .env("HOME", dir)
            .env("RUST_LOG", "switchboard::oauth=debug");
        command.env("SWITCHBOARD_IDENTITY_FILE", self.home.path().join("identity.txt"));
        for (name, value) in [
            ("BASE_URL", format!("{}/calendar", self.address)),
            ("AUTHORIZE_URL", format!("{}/authorize", self.address)),
            ("TOKEN_URL", format!("{}/process/{id}/token", self.address)),
            ("CLIENT_ID", "client".to_owned()),
            ("CLIENT_SECRET", "secret".to_owned()),
        ] {
            command.env(format!("SWITCHBOARD_GOOGLE_CALENDAR_{name}"), value);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stage, stderr) = (self.clone(), BufReader::new(child.stderr.take().unwrap()));
        thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| stage.hear(&line)));
        (id, child)
    }

    /// Notes what a process calls stored. Grant and number are those of the connection: account and generation.
    fn hear(&self, line: &str) {
        if line.contains("a renewed credential is stored") {
            let number = |behind: &str| {
                let rest = line.split_once(behind)?.1;
                rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse::<u64>().ok()
            };
            let pair = number("(c").zip(number("generation="));
            self.vendor.books.lock().unwrap().journal.insert(pair.unwrap_or_else(|| panic!("not understood: {line}")));
        } else if line.contains("panicked") {
            self.failures.lock().unwrap().push(line.to_owned());
        }
    }

    /// A grant that lives, as far as anybody was told.
    fn any(&self) -> u64 {
        loop {
            let grant = self.vendor.random.lock().unwrap().random_range(1..=GRANTS);
            if !self.dead.lock().unwrap().contains(&grant) {
                return grant;
            }
        }
    }

    /// What a call of `grant` was answered with.
    fn judge(&self, grant: u64, answer: &str) {
        let is_known_dead = || self.vendor.books.lock().unwrap().grants[&grant].ended;
        if answer.contains("\"calendars\"") {
            return;
        }
        if answer.contains("has to be made again") || answer.contains("has to be connected again") {
            self.dead.lock().unwrap().insert(grant);
            self.vendor.books.lock().unwrap().shown.insert(grant, true);
            if !is_known_dead() {
                self.failures.lock().unwrap().push(format!("a grant that lives is called dead: {answer}"));
            }
        } else if ["process that worked on this has ended", "asked by another node", "longer than"]
            .iter()
            .any(|words| answer.contains(words))
        {
            self.waited.fetch_add(1, Ordering::SeqCst);
        } else {
            self.failures.lock().unwrap().push(format!("c{grant}: {answer}"));
        }
    }

    /// Kills now and then, until the time is over; `start` brings the processes back that are missing.
    async fn rage(self: Arc<Self>, name: &str, processes: usize, start: impl Fn(&Arc<Stage>)) {
        let until = Instant::now() + Duration::from_secs(seconds());
        let mut next_kill = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            let there = self.vendor.workers.lock().unwrap().len();
            (there..processes).for_each(|_| start(&self));
            if Instant::now() >= next_kill {
                self.vendor.kill_any();
                next_kill = Instant::now() + Duration::from_secs(1) + self.vendor.pause(3000);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Who lost a grant just now finds out at the next use.
        tokio::time::sleep(3 * LIFE).await;
        self.is_over.store(true, Ordering::SeqCst);
        let ids: Vec<u32> = self.vendor.workers.lock().unwrap().keys().copied().collect();
        for id in ids {
            let _ = self.vendor.kill(id);
        }
        println!("{name}: {} calls ended with their process or its lease", self.waited.load(Ordering::SeqCst));
        // What was lost in the last moment and not used since cannot have shown.
        self.vendor.books.lock().unwrap().shown.retain(|_, shown| *shown);
        self.vendor.check(name);
        let failures = self.failures.lock().unwrap();
        assert!(failures.is_empty(), "calls failed although their grants live: {failures:#?}");
    }
}

/// A client that starts `stdio` and calls for as long as the process lives.
fn client(stage: &Arc<Stage>) {
    let dir = stage.home.path().to_owned();
    let (id, mut child) = stage.process(&["stdio"], &dir);
    let (mut input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    stage.vendor.workers.lock().unwrap().insert(id, child);
    let stage = stage.clone();
    thread::spawn(move || {
        let mut lines = output.lines();
        let about =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let hello = [
            json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": about}),
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        ];
        let say = |input: &mut ChildStdin, message: &Value| writeln!(input, "{message}").is_ok();
        if !hello.iter().all(|message| say(&mut input, message)) || lines.next().is_none() {
            return;
        }
        for number in 1.. {
            let grant = stage.any();
            let params = json!({"name": TOOL, "arguments": {"account": format!("c{grant}")}});
            let call = json!({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params});
            if stage.is_over.load(Ordering::SeqCst) || !say(&mut input, &call) {
                return;
            }
            let mark = format!("\"id\":{number}");
            let answer = lines.by_ref().map_while(Result::ok).find(|line| line.contains(&mark));
            let Some(answer) = answer.filter(|_| !stage.is_over.load(Ordering::SeqCst)) else { return };
            stage.judge(grant, &answer);
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_survive_kills_of_clients_that_share_a_directory() {
    let stage = Stage::open().await;
    {
        let store = SledStore::open(stage.home.path().join("store")).await.unwrap();
        stage.fill(store).await;
    }
    stage.rage("stdio, one owner and two visitors", 3, client).await;
}

/// A `serve` node on the database at `url`, and four who call it for as long as it lives.
#[cfg(feature = "postgres")]
fn node(stage: &Arc<Stage>, url: &str) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (listen, dir) = (format!("127.0.0.1:{port}"), stage.home.path().join(format!("node-{port}")));
    let arguments = ["serve", "--listen", &listen, "--allow-unauthenticated", "--store", url];
    let (id, child) = stage.process(&arguments, &dir);
    stage.vendor.workers.lock().unwrap().insert(id, child);
    // A second time it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..4 {
        tokio::spawn(call_node(stage.clone(), id, client.clone(), format!("http://{listen}/api/v1/tools/{TOOL}/call")));
    }
}

#[cfg(feature = "postgres")]
async fn call_node(stage: Arc<Stage>, id: u32, client: reqwest::Client, url: String) {
    while !stage.is_over.load(Ordering::SeqCst) && stage.vendor.workers.lock().unwrap().contains_key(&id) {
        let grant = stage.any();
        let call = json!({"arguments": {"account": format!("c{grant}")}});
        // One that does not answer is not up yet, or killed.
        let answer = match client.post(&url).json(&call).send().await {
            Ok(answer) => answer.text().await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(text) if !stage.is_over.load(Ordering::SeqCst) => stage.judge(grant, &text),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn grants_survive_kills_of_nodes_that_share_a_database() {
    let Some(postgres) = tokio::task::spawn_blocking(postgres::Postgres::start).await.unwrap() else { return };
    let url = postgres.url("none");
    let stage = Stage::open().await;
    stage
        .fill(
            switchboard::store::PostgresStore::open(&Secret::new(&*url), switchboard::config::StoreTls::default())
                .await
                .unwrap(),
        )
        .await;
    stage.rage("serve, two nodes", 2, move |stage| node(stage, &url)).await;
}
