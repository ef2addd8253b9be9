//! A PostgreSQL server of a test's own, that the test may stop and start again.
#![allow(dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support;

/// More than any start may take, even on a busy machine.
const START: Duration = Duration::from_mins(1);

/// The server. Dropping it ends it and removes its files.
#[derive(Debug)]
pub struct Postgres {
    dir: PathBuf,
    bin: PathBuf,
    owner: Option<(u32, u32)>,
    server: Option<Child>,
}

impl Postgres {
    /// A new server with an empty database; `None`, and a line that says so, when PostgreSQL is not installed.
    pub fn start() -> Option<Postgres> {
        let Some(bin) = programs() else {
            support::lacks("PostgreSQL", "scripts/setup-tests.sh postgresql");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("pg-").tempdir().unwrap().keep();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let owner = give_away(&dir);
        let mut postgres = Postgres { dir, bin, owner, server: None };
        let made = postgres.program("initdb", &["-U", "app", "--auth=trust", "-E", "UTF8", "--no-sync"]).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        postgres.go_on();
        Some(postgres)
    }

    /// Its address, with a password that must not be seen anywhere.
    pub fn url(&self, password: &str) -> String {
        format!("postgres://app:{password}@localhost/postgres?host={}", self.dir.display())
    }

    /// Kills it without a warning, as an accident would.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
            server.wait().unwrap();
        }
    }

    /// Starts it again, and waits until it takes clients.
    pub fn go_on(&mut self) {
        let dir = self.dir.display().to_string();
        let settings = ["-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "fsync=off", "-k", &dir];
        self.server = Some(self.program("postgres", &settings).spawn().unwrap());
        let began = Instant::now();
        while !self.is_ready() {
            assert!(began.elapsed() < START, "PostgreSQL does not come up");
            thread::park_timeout(Duration::from_millis(50));
        }
    }

    /// What a query on the command line says.
    pub fn query(&self, query: &str) -> String {
        let output = Command::new(self.bin.join("psql"))
            .args(["-h", &self.dir.display().to_string(), "-U", "app", "-d", "postgres", "-Atc", query])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn is_ready(&self) -> bool {
        self.query("SELECT 1").trim() == "1"
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = match self.owner {
            None => Command::new(self.bin.join(name)),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
                command.arg(self.bin.join(name));
                command
            }
        };
        command.arg("-D").arg(self.dir.join("data")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The directory of `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let packaged =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = packaged.chain(env::split_paths(&path));
    places.find(|place| ["initdb", "postgres", "psql"].iter().all(|program| place.join(program).exists()))
}

/// PostgreSQL refuses to run as root: then the directory goes to somebody else.
fn give_away(dir: &Path) -> Option<(u32, u32)> {
    if number("-u", None)? != 0 {
        return None;
    }
    let name = ["postgres", "nobody"].into_iter().find(|name| number("-u", Some(name)).is_some());
    let owner = (number("-u", name)?, number("-g", name)?);
    chown(dir, Some(owner.0), Some(owner.1)).unwrap();
    Some(owner)
}

fn number(what: &str, user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(what).args(user).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
