//! Records in PostgreSQL: for several nodes that share one store.
//!
//! sqlx speaks to it: asynchronous, in pure Rust, with the migrations inside the binary. The queries are plain texts,
//! so that no database is needed to build. Every commit is one transaction of the server, which is safe from power
//! cuts as the server is configured; changes reach the other nodes as notifications at the moment of the commit.

mod listener;
mod reach;
mod recall;
#[cfg(all(test, unix))]
pub(super) mod server;
mod tls;

use std::{fmt, io, ops::Bound, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool, Row,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};
use tokio::time::timeout;

use self::{
    listener::{Listener, payload},
    reach::{Prober, Reach},
    recall::Question,
};
use super::{
    Change, Durability, Error, Expect, Key, Lease, Pending, Record, Report, Result, SCHEMA_VERSION, Store, Table,
    Versioned, Watch,
    span::{self, Span},
    watch::Changes,
};
use crate::{config::StoreTls, secret::Secret};

/// The tables, as they came to be.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/postgres/migrations");

/// How long a caller waits for a connection before the store counts as away.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many connections a node opens at most.
const CONNECTIONS: u32 = 10;

/// How often a commit is tried again after the server broke a tie between two.
const TRIES: u32 = 5;

/// What PostgreSQL calls "of two transactions that wait for each other this one gave way", and "try again".
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const GAVE_WAY: [&str; 2] = ["40P01", "40001"];

/// How the codes of a server begin that is going, coming, full, or cut off: the same appendix.
const ABSENT: [&str; 3] = ["08", "53300", "57P"];

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: PgPool,
    changes: Arc<Changes>,
    reach: Arc<Reach>,
    /// Both end with the store.
    _listener: Listener,
    _prober: Prober,
}

impl PostgresStore {
    /// Opens the store at `url`, such as `postgres://user:password@host/database`, and brings its tables up to date.
    /// The way to a server elsewhere is protected as `tls` says, whatever weaker mode the address names.
    pub async fn open(url: &Secret, tls: StoreTls) -> Result<Arc<Self>> {
        // The parser's message repeats parts of the URL, and a password may be among them.
        let is_ours = ["postgres://", "postgresql://"].iter().any(|scheme| url.expose().starts_with(scheme));
        match PgConnectOptions::from_str(url.expose()) {
            Ok(options) if is_ours => Self::with(tls::secured(options, tls)?).await,
            _ => {
                let hint = "its address is not of the form postgres://user:password@host:port/database";
                Err(Error::io("be reached", io::Error::new(io::ErrorKind::InvalidInput, hint)))
            }
        }
    }

    async fn with(options: PgConnectOptions) -> Result<Arc<Self>> {
        // The pool would try again and again, and not say why.
        let first = timeout(PATIENCE, PgConnection::connect_with(&options)).await;
        let first = first.map_err(|_| Error::io("be reached", io::ErrorKind::TimedOut.into()))?;
        let first = first
            .map_err(|error| Error::io("be reached", io::Error::other(format!("{error}{}", tls::hint(&options)))))?;
        first.close().await.map_err(|error| away(&error))?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let pool = pool.connect_with(options).await.map_err(|error| away(&error))?;
        migrate(&pool).await?;
        let changes = Arc::new(Changes::new());
        let reach = Reach::new(Arc::clone(&changes));
        let listener = Listener::start(&pool, Arc::clone(&reach)).await.map_err(|error| away(&error))?;
        let prober = reach.watch_over(pool.clone());
        Ok(Arc::new(PostgresStore { pool, changes, reach, _listener: listener, _prober: prober }))
    }

    async fn page(&self, table: Table, span: Option<Span>, limit: usize, query: &'static str) -> Result<Vec<Record>> {
        let Some((from, to)) = span else { return Ok(Vec::new()) };
        let (from, with_first) = match from {
            Bound::Included(from) => (from, true),
            Bound::Excluded(from) => (from, false),
            Bound::Unbounded => (Vec::new(), true),
        };
        let to = match to {
            Bound::Included(to) | Bound::Excluded(to) => Some(to),
            Bound::Unbounded => None,
        };
        let rows = sqlx::query(query)
            .bind(table.name())
            .bind(from)
            .bind(with_first)
            .bind(to)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| away(&error))?;
        rows.iter().map(record).collect()
    }

    /// Tries again when the server broke a tie between this commit and another one.
    async fn commit_patiently(&self, changes: &[Change]) -> Result<u64> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.commit_once(changes).await {
                Err(failure) if failure.gave_way() && tries < TRIES => {}
                other => return other.map_err(Error::from),
            }
        }
    }

    async fn commit_once(&self, changes: &[Change]) -> std::result::Result<u64, Failure> {
        let mut transaction = self.pool.begin().await?;
        let version: i64 = sqlx::query_scalar("SELECT nextval('write_numbers')").fetch_one(&mut *transaction).await?;
        // In one order for all, so that two commits do not wait for each other in a circle. The sort keeps the order
        // of changes to the same record.
        let mut ordered: Vec<&Change> = changes.iter().collect();
        ordered.sort_by_key(|change| change.key());
        for change in ordered {
            apply(&mut transaction, change, version).await?;
        }
        let payloads: Vec<String> = changes.iter().map(|change| payload(change.key())).collect();
        sqlx::query(NOTIFY).bind(payloads).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(version.unsigned_abs())
    }
}

const SCAN: &str = "SELECT id, value, version FROM records \
    WHERE kind = $1 AND (id > $2 OR ($3 AND id = $2)) AND ($4::bytea IS NULL OR id < $4) ORDER BY id LIMIT $5";

const SCAN_BACK: &str = "SELECT id, value, version FROM records \
    WHERE kind = $1 AND (id > $2 OR ($3 AND id = $2)) AND ($4::bytea IS NULL OR id < $4) ORDER BY id DESC LIMIT $5";

const PUT_ANYWAY: &str = "INSERT INTO records (kind, id, value, version) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value, version = excluded.version";

const PUT_NEW: &str = "INSERT INTO records (kind, id, value, version) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

const PUT_OVER: &str = "UPDATE records SET value = $3, version = $4 WHERE kind = $1 AND id = $2 AND version = $5";

const LEASE: &str = "INSERT INTO leases (name, holder, fence, until) \
    VALUES ($1, $2, nextval('lease_fences'), clock_timestamp() + $3 * interval '1 millisecond') \
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, until = excluded.until \
    WHERE leases.until <= clock_timestamp() RETURNING fence";

const RENEW: &str = "UPDATE leases SET until = clock_timestamp() + $3 * interval '1 millisecond' \
    WHERE name = $1 AND fence = $2 AND until > clock_timestamp()";

/// The channel bears the name of the schema: stores that share a database do not hear each other.
const NOTIFY: &str = "SELECT pg_notify('switchboard_' || current_schema(), payload) FROM unnest($1::text[]) payload";

/// Makes one change, when what it expects is there.
async fn apply(database: &mut PgConnection, change: &Change, version: i64) -> std::result::Result<(), Failure> {
    change.check_size()?;
    let Key { table, id } = change.key();
    let done = match change {
        Change::Put { value, expect, .. } => {
            let query = match expect {
                Expect::Anything => sqlx::query(PUT_ANYWAY),
                Expect::Absent => sqlx::query(PUT_NEW),
                Expect::Version(_) => sqlx::query(PUT_OVER),
            };
            let query = query.bind(table.name()).bind(id).bind(value).bind(version);
            match expect {
                Expect::Version(expected) => query.bind(signed(*expected)).execute(database).await?,
                _ => query.execute(database).await?,
            }
        }
        Change::Delete { expect: Expect::Version(expected), .. } => {
            let query = sqlx::query("DELETE FROM records WHERE kind = $1 AND id = $2 AND version = $3");
            query.bind(table.name()).bind(id).bind(signed(*expected)).execute(database).await?
        }
        Change::Delete { expect, .. } => {
            let query = sqlx::query("DELETE FROM records WHERE kind = $1 AND id = $2");
            let done = query.bind(table.name()).bind(id).execute(database).await?;
            let is_as_expected = *expect == Expect::Anything || done.rows_affected() == 0;
            return is_as_expected.then_some(()).ok_or_else(|| Error::Conflict(change.key().clone()).into());
        }
    };
    let is_done = done.rows_affected() == 1;
    is_done.then_some(()).ok_or_else(|| Error::Conflict(change.key().clone()).into())
}

impl Store for PostgresStore {
    fn get<'a>(&'a self, key: &'a Key) -> Pending<'a, Option<Versioned>> {
        Box::pin(async {
            let query = sqlx::query("SELECT id, value, version FROM records WHERE kind = $1 AND id = $2");
            let rows = async {
                let query = query.bind(key.table.name()).bind(&key.id);
                query.fetch_all(&self.pool).await.map_err(|error| away(&error))?.iter().map(record).collect()
            };
            let found = self.reach.read(Question::Record(key.clone()), rows).await?;
            Ok(found.into_iter().next().map(|(_, stored)| stored))
        })
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        let (prefix, from) = (prefix.to_vec(), after.map(<[u8]>::to_vec));
        let page = self.page(table, span::behind(&prefix, after), limit, SCAN);
        let question = Question::Page { table, prefix, from, limit, is_backwards: false };
        Box::pin(self.reach.read(question, page))
    }

    fn scan_back<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        before: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        let (prefix, from) = (prefix.to_vec(), before.map(<[u8]>::to_vec));
        let page = self.page(table, span::ahead_of(&prefix, before), limit, SCAN_BACK);
        let question = Question::Page { table, prefix, from, limit, is_backwards: true };
        Box::pin(self.reach.read(question, page))
    }

    /// Both kinds of durability are the server's `synchronous_commit`, which is on unless somebody switched it off.
    fn commit(&self, changes: Vec<Change>, _: Durability) -> Pending<'_, u64> {
        Box::pin(async move {
            let version = self.reach.ask(changes.len(), self.commit_patiently(&changes)).await?;
            // The notification comes a moment later; nobody here may read the old record meanwhile.
            self.reach.forget(&changes);
            Ok(version)
        })
    }

    fn acquire_lease<'a>(&'a self, name: &'a str, holder: &'a str, ttl: Duration) -> Pending<'a, Option<Lease>> {
        Box::pin(async move {
            let query = sqlx::query_scalar(LEASE).bind(name).bind(holder).bind(millis(ttl));
            let asked = async { query.fetch_optional(&self.pool).await.map_err(|error| away(&error)) };
            let fence: Option<i64> = self.reach.ask(1, asked).await?;
            let lease = |fence: i64| Lease { name: name.into(), holder: holder.into(), fence: fence.unsigned_abs() };
            Ok(fence.map(lease))
        })
    }

    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration) -> Pending<'a, bool> {
        Box::pin(async move {
            let query = sqlx::query(RENEW).bind(&lease.name).bind(signed(lease.fence)).bind(millis(ttl));
            let asked = async { query.execute(&self.pool).await.map_err(|error| away(&error)) };
            let done = self.reach.ask(1, asked).await?;
            Ok(done.rows_affected() == 1)
        })
    }

    fn release_lease(&self, lease: Lease) -> Pending<'_, ()> {
        Box::pin(async move {
            let query = sqlx::query("DELETE FROM leases WHERE name = $1 AND fence = $2");
            let query = query.bind(lease.name).bind(signed(lease.fence));
            self.reach.ask(1, async { query.execute(&self.pool).await.map_err(|error| away(&error)) }).await.map(drop)
        })
    }

    fn watch(&self, table: Table) -> Watch {
        self.changes.watch(table)
    }

    fn is_away(&self) -> bool {
        self.reach.is_away()
    }

    fn report(&self) -> Pending<'_, Report> {
        Box::pin(self.reach.ask(0, async {
            let size: i64 = sqlx::query_scalar("SELECT pg_total_relation_size('records')")
                .fetch_one(&self.pool)
                .await
                .map_err(|error| away(&error))?;
            let counts = sqlx::query_as("SELECT kind, count(*) FROM records GROUP BY kind").fetch_all(&self.pool);
            let counts: Vec<(String, i64)> = counts.await.map_err(|error| away(&error))?;
            let count =
                |table: Table| counts.iter().find(|(kind, _)| kind == table.name()).map_or(0, |(_, count)| *count);
            Ok(Report {
                engine: "postgres",
                size_on_disk: Some(size.unsigned_abs()),
                records: Table::ALL.into_iter().map(|table| (table, count(table).unsigned_abs())).collect(),
            })
        }))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool would print the connection's options.
        f.write_str("PostgresStore")
    }
}

/// Why a commit did not happen: our reasons, or the server's.
enum Failure {
    Ours(Error),
    Server(sqlx::Error),
}

impl Failure {
    fn gave_way(&self) -> bool {
        let Failure::Server(error) = self else { return false };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| GAVE_WAY.contains(&code.as_ref()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Ours(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::Server(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ours(error) => error,
            Failure::Server(error) => away(&error),
        }
    }
}

async fn migrate(pool: &PgPool) -> Result<()> {
    MIGRATIONS.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => {
            Error::Newer { found: u32::try_from(found).unwrap_or(u32::MAX), known: SCHEMA_VERSION }
        }
        error => Error::io("bring its tables up to date", io::Error::other(error.to_string())),
    })
}

/// The server's error. Its message names tables and hosts, never a value: those are bound, not part of the query.
fn away(error: &sqlx::Error) -> Error {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut};
    let is_away = match error {
        Io(_) | PoolTimedOut | PoolClosed => true,
        Database(error) => error.code().is_some_and(|code| ABSENT.iter().any(|absent| code.starts_with(absent))),
        _ => false,
    };
    if is_away {
        return Error::Away(error.to_string());
    }
    Error::io("ask PostgreSQL", io::Error::other(error.to_string()))
}

fn record(row: &PgRow) -> Result<Record> {
    Ok((column(row, "id")?, versioned(row)?))
}

fn versioned(row: &PgRow) -> Result<Versioned> {
    let version: i64 = column(row, "version")?;
    Ok(Versioned { value: column(row, "value")?, version: version.unsigned_abs() })
}

fn column<'r, T>(row: &'r PgRow, name: &str) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(name).map_err(|error| away(&error))
}

/// Versions and fences come from sequences, which are positive; one that does not fit is nobody's.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(-1)
}

fn millis(ttl: Duration) -> f64 {
    ttl.as_secs_f64() * 1_000.0
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_none_is_not_repeated() {
        let refused = PostgresStore::open(&Secret::new("postgres//:hunter2@"), StoreTls::default())
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("postgres://user:password@host") && !refused.contains("hunter2"), "{refused}");
    }

    #[tokio::test]
    async fn nodes_share_records_leases_and_news() {
        let Some(schema) = server::schema().await else { return };
        let (one, two) = (schema.open().await, schema.open().await);
        let key = Key::raw(Table::Agents, "a");
        let mut news = two.watch(Table::Agents);
        let put = Change::Put { key: key.clone(), value: b"x".to_vec(), expect: Expect::Absent };
        let version = one.commit(vec![put], Durability::SurvivesCrash).await.unwrap();
        assert_eq!(news.next().await, Some(super::super::Seen::Changed(key.clone())));
        assert_eq!(two.get(&key).await.unwrap().unwrap().version, version);
        let minute = Duration::from_mins(1);
        assert!(one.acquire_lease("refresh", "one", minute).await.unwrap().is_some());
        assert!(two.acquire_lease("refresh", "two", minute).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_newer_database_is_refused() {
        let Some(schema) = server::schema().await else { return };
        let store = schema.open().await;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (9, 'later', true, '\\x00', 0)";
        sqlx::query(newer).execute(&store.pool).await.unwrap();
        let refused = PostgresStore::with(schema.options()).await.unwrap_err().to_string();
        assert!(refused.contains("layout 9, and this program knows layouts up to 2"), "{refused}");
    }
}
