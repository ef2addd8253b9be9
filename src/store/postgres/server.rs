//! A PostgreSQL server for tests: the one in `TEST_DATABASE_URL`, or one that is started and ends with the tests.

use std::{
    env, fs,
    io::{self, Write},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::OnceCell;

use super::PostgresStore;
use crate::id::{self, base32hex};

/// How often, and with what pause between, a starting server is asked: half a minute.
const TRIES: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// One server for all tests of this run.
static SERVER: OnceCell<Option<PgConnectOptions>> = OnceCell::const_new();

/// A name space of its own within the server.
pub(in crate::store) struct Schema(PgConnectOptions);

impl Schema {
    pub(in crate::store) async fn open(&self) -> Arc<PostgresStore> {
        PostgresStore::with(self.options()).await.expect("the test server is there")
    }

    pub(in crate::store) fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

/// A fresh schema; `None`, and a line that says so, when there is no server and none can be started.
pub(in crate::store) async fn schema() -> Option<Schema> {
    let server = SERVER.get_or_init(|| async { find().await.inspect_err(step_aside).ok() });
    let options = server.await.clone()?;
    let name = format!("test_{}", base32hex(&*id::os(), 12));
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    let mut connection = PgConnection::connect_with(&options).await.expect("the test server is there");
    sqlx::query(create).execute(&mut connection).await.expect("its owner may make schemas");
    Some(Schema(options.options([("search_path", name)])))
}

/// Says aloud that nothing was tested; with `SWITCHBOARD_REQUIRE_ALL` set that is a failure.
fn step_aside(why: &io::Error) {
    let must = env::var_os("SWITCHBOARD_REQUIRE_ALL").is_some_and(|value| !value.is_empty() && value != "0");
    assert!(!must, "no PostgreSQL, and SWITCHBOARD_REQUIRE_ALL is set: {why}; run scripts/setup-tests.sh postgresql");
    // Past the test harness, which would swallow what a passing test prints.
    let _ = writeln!(io::stderr(), "SKIPPED the tests on PostgreSQL: {why}; run scripts/setup-tests.sh postgresql");
}

async fn find() -> io::Result<PgConnectOptions> {
    if let Ok(url) = env::var("TEST_DATABASE_URL") {
        return PgConnectOptions::from_str(&url).map_err(io::Error::other);
    }
    let options = tokio::task::spawn_blocking(start).await.map_err(io::Error::other)??;
    for _ in 0..TRIES {
        if let Ok(connection) = PgConnection::connect_with(&options).await {
            connection.close().await.map_err(io::Error::other)?;
            return Ok(options);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not come up"))
}

/// Starts a server in a directory of its own, reachable only through a socket there.
fn start() -> io::Result<PgConnectOptions> {
    let bin = programs()?;
    let dir = tempfile::Builder::new().prefix("pg-").tempdir()?.keep();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
    let owner = give_away(&dir)?;
    let data = dir.join("data");
    run(as_owner(owner, &bin.join("initdb")).arg("-D").arg(&data).args([
        "-U",
        "app",
        "--auth=trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]))?;
    // The shell ends the server and removes its files when this process is gone and its end of the pipe closes.
    let script = "\"$@\" & server=$!; read -r nothing; kill -INT $server; wait $server; rm -rf \"$0\"";
    let server = as_owner(owner, &bin.join("postgres"));
    let keeper = Command::new("sh")
        .args(["-c", script])
        .arg(&dir)
        .arg(server.get_program())
        .args(server.get_args())
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(&dir)
        .args(["-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "max_connections=200", "-c", "fsync=off"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // The pipe stays open as long as this process lives.
    std::mem::forget(keeper);
    Ok(PgConnectOptions::new_without_pgpass().socket(&dir).username("app").database("postgres"))
}

/// The directory of `initdb` and `postgres`.
fn programs() -> io::Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let packaged =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let mut places = packaged.chain(env::split_paths(&path));
    let has_both = |place: &PathBuf| place.join("initdb").exists() && place.join("postgres").exists();
    places
        .find(has_both)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "initdb and postgres are not installed"))
}

/// PostgreSQL refuses to run as root: then the directory goes to somebody else.
fn give_away(dir: &Path) -> io::Result<Option<(u32, u32)>> {
    if number("-u", None)? != 0 {
        return Ok(None);
    }
    let name = ["postgres", "nobody"].into_iter().find(|name| number("-u", Some(name)).is_ok());
    let owner = (number("-u", name)?, number("-g", name)?);
    chown(dir, Some(owner.0), Some(owner.1))?;
    Ok(Some(owner))
}

fn number(what: &str, user: Option<&str>) -> io::Result<u32> {
    let output = Command::new("id").arg(what).args(user).output()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().map_err(io::Error::other)
}

fn as_owner(owner: Option<(u32, u32)>, program: &Path) -> Command {
    let Some((user, group)) = owner else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups").arg(program);
    command
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}
