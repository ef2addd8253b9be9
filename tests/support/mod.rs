//! What the integration tests share: the real program as a child process, and things that a machine may lack.
#![allow(dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fmt::Display,
    fs::File,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::{Timestamp, ToSpan};
use switchboard::clock::{SharedClock, ShiftedClock};
use tempfile::TempDir;

/// How long a start may take: a debug build on a busy machine is slow.
const START: Duration = Duration::from_mins(1);

/// When it is for the tests, unless `TEST_TIME` says otherwise: a Tuesday, in the middle of the day wherever the company
/// has people. Whoever runs the tests does not choose a day by that.
const USUALLY: &str = "2026-11-24T13:00:00Z";

/// When the sandboxes of the tests start.
///
/// # Panics
///
/// When `TEST_TIME` is no instant.
pub fn today() -> Timestamp {
    let set = std::env::var("TEST_TIME").unwrap_or_else(|_| USUALLY.to_owned());
    set.parse().unwrap_or_else(|error| panic!("TEST_TIME is `{set}`: {error}"))
}

/// A clock that says so, for parts of the program that a test puts together itself.
pub fn clock() -> SharedClock {
    ShiftedClock::starting_at(today())
}

/// The local time `time` of the day that comes in `days` days in the zone of the seeded calendars, such as
/// `2026-11-25T12:00`.
pub fn in_days(days: i64, time: &str) -> String {
    format!("{}T{time}", day_in(days))
}

/// That day alone, such as `2026-11-25`.
pub fn day_in(days: i64) -> String {
    today().in_tz(COMPANY).unwrap().checked_add(days.days()).unwrap().date().to_string()
}

/// Where the seeded company is.
pub const COMPANY: &str = "Europe/Berlin";

/// The program under test, as cargo built it.
pub const SWITCHBOARD: &str = env!("CARGO_BIN_EXE_switchboard");

/// A directory that nobody else can look into, as a data directory has to be; it goes when the test ends.
pub fn private_dir() -> TempDir {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().unwrap()
}

/// A data directory of a test's own; it goes when the test ends.
#[derive(Debug)]
pub struct Home(TempDir);

impl Home {
    /// An empty directory.
    pub fn new() -> Home {
        Home(private_dir())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with `arguments` on this directory, cut off from the settings of whoever runs the tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SWITCHBOARD);
        command.args(arguments).arg("--data-dir").arg(self.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SWITCHBOARD_") {
                command.env_remove(name);
            }
        }
        command.env("SWITCHBOARD_SANDBOX_TIME", today().to_string()).env("TZ", "UTC");
        command.env_remove("RUST_LOG").env("HOME", self.path()).env("XDG_CONFIG_HOME", self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `stdio` on the sandbox in this directory, for a client that starts its server itself.
    pub fn stdio(&self) -> Command {
        // As an argument, because clients that start their server themselves pass on few variables.
        let mut command = self.command(&["stdio", "--sandbox", "--sandbox-time", &today().to_string()]);
        command.stdin(Stdio::piped());
        command
    }

    /// `serve` on the sandbox in this directory, at a free port, ready to be spoken to.
    pub fn serve(&self) -> Server {
        Server::start(self.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]))
    }

    /// A file for what a foreign program has to say; see [`Home::told`].
    pub fn ear(&self) -> File {
        File::options().create(true).append(true).open(self.ear_path()).unwrap()
    }

    /// What foreign programs said so far.
    pub fn told(&self) -> String {
        std::fs::read_to_string(self.ear_path()).unwrap_or_default()
    }

    /// Where that file is.
    pub fn ear_path(&self) -> PathBuf {
        self.path().join("said-by-the-client.log")
    }
}

/// A running `switchboard serve`; dropping it kills the process.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: Log,
}

impl Server {
    /// Starts `command` and waits for its ready line.
    ///
    /// # Panics
    ///
    /// With everything that the process said, when it ends or stays silent instead.
    pub fn start(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let (ready, is_ready) = mpsc::channel();
        let log = Log::of(&mut child, move |line| {
            if let Some(address) = line.split_once("listening on http://") {
                let _ = ready.send(address.1.trim().parse());
            }
        });
        let address = match is_ready.recv_timeout(START) {
            Ok(Ok(address)) => address,
            Ok(Err(error)) => panic!("the ready line names no address: {error}\n{log}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("`serve` ended before it was ready: {}\n{log}", child.wait().unwrap())
            }
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("`serve` was not ready within {START:?}\n{log}")
            }
        };
        Server { child, address, log }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A page of it, such as `/mcp`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its WebSocket.
    pub fn websocket(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// What it has said on stderr so far.
    pub fn log(&self) -> String {
        self.log.to_string()
    }

    /// Asks the process to end, waits until it has, and returns what it said.
    ///
    /// # Panics
    ///
    /// When it does not end, or ends with a failure.
    #[cfg(unix)]
    pub fn end(mut self) -> String {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success(), "it was gone already\n{}", self.log);
        let status = end_of(&mut self.child, START);
        assert!(status.success(), "it ended with {status}\n{}", self.log);
        self.log()
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a process to end by itself.
///
/// # Panics
///
/// When it is still there after `limit`; it is killed then.
pub fn end_of(child: &mut Child, limit: Duration) -> ExitStatus {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    let _ = child.kill();
    panic!("the process was still running after {limit:?}")
}

/// What a child says on stderr, gathered while it runs so that its pipe never fills up.
#[derive(Clone, Debug)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn of(child: &mut Child, mut on_line: impl FnMut(&str) + Send + 'static) -> Log {
        let log = Log(Arc::default());
        let (text, stderr) = (Arc::clone(&log.0), child.stderr.take().expect("stderr is a pipe"));
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                text.lock().unwrap().extend([line.as_str(), "\n"]);
                on_line(&line);
            }
        });
        log
    }
}

impl Display for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.lock().unwrap())
    }
}

/// Says loudly that a test steps aside because the machine lacks something; with `SWITCHBOARD_REQUIRE_ALL` it fails.
///
/// `what` is missing, and `remedy` is a command that mends it. The caller returns afterwards.
pub fn lacks(what: &str, remedy: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    assert!(
        std::env::var_os("SWITCHBOARD_REQUIRE_ALL").is_none_or(|value| value.is_empty() || value == "0"),
        "{what} is missing, and SWITCHBOARD_REQUIRE_ALL is set; run {remedy}"
    );
    // Straight to the stream: the test runner swallows what tests that pass print with macros.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {what} is missing; run {remedy}");
}

/// Where a program lies: among the tools that `scripts/setup-tests.sh` installs.
pub fn test_tool(path: &str) -> Option<PathBuf> {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools").join(path);
    tool.exists().then_some(tool)
}
