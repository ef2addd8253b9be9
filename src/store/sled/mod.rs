//! Records in a directory on the local disk, kept by sled.
//!
//! sled 0.34.7 is a log-structured tree in pure Rust. It is taken because it has transactions over several trees
//! and lost nothing in some hundred kills in mid-write; the 1.0 alphas did. Three things are added here:
//! a write counts only after its flush; what must outlive a power cut is synced too, because sled's own flush
//! leaves the disk's cache alone; and a [ledger](super::ledger) notices what sled would drop in silence.

mod caught;
mod open;
mod progress;
mod reserve;

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::sled::{
    Db, IVec, Transactional, Tree,
    transaction::{ConflictableTransactionError, TransactionError, TransactionalTree},
};

use self::{caught::caught, progress::Progress};
use super::{
    Change, Durability, Error, Key, Lease, Pending, Record, Report, Result, Store, Table, Versioned, Watch,
    lease::Leases,
    ledger::Ledger,
    record,
    span::{self, Span},
    watch::Changes,
};

/// The tree of the ledger, and the one key in it.
const LEDGER: &[u8] = b"ledger";

/// A store in a directory. One process at a time can have it open.
pub struct SledStore {
    shared: Arc<Shared>,
    leases: Leases,
}

/// What the threads at work share.
struct Shared {
    path: PathBuf,
    /// Away only while it is being opened again.
    engine: RwLock<Option<Engine>>,
    /// Whether the disk takes no writes at present.
    is_full: AtomicBool,
    changes: Changes,
}

impl SledStore {
    /// Opens the store in the directory `path`, or makes it there.
    ///
    /// A damaged one is mended when only a snapshot is damaged (a copy of it as it was stays beside it), else it
    /// is refused: records that were there are never silently missing.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Arc<Self>> {
        let path = path.into();
        let shared = blocking(move || {
            let engine = RwLock::new(Some(open::open(&path)?));
            let is_full = AtomicBool::new(reserve::take(&path).is_err());
            Ok(Shared { path, engine, is_full, changes: Changes::new() })
        });
        Ok(Arc::new(SledStore { shared: Arc::new(shared.await?), leases: Leases::default() }))
    }

    /// Runs `work` where it may block.
    fn blocking<'a, T, F>(&self, work: F) -> Pending<'a, T>
    where
        T: Send + 'static,
        F: FnOnce(&Shared) -> Result<T> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        Box::pin(blocking(move || work(&shared)))
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own form would print every record.
        write!(f, "SledStore({})", self.shared.path.display())
    }
}

impl Shared {
    fn read<T>(&self, work: impl FnOnce(&Engine) -> Result<T>) -> Result<T> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        match &*engine {
            Some(engine) => work(engine),
            None => Err(Error::io("be opened again after its disk failed", io::ErrorKind::NotConnected.into())),
        }
    }

    fn commit(&self, changes: &[Change], durability: Durability) -> Result<u64> {
        self.make_sure_of_room()?;
        let result = self.read(|engine| engine.commit(changes, durability));
        match &result {
            Ok(_) => self.changes.announce(changes),
            Err(error @ Error::Io { .. }) => self.fall_back(error)?,
            Err(_) => {}
        }
        result
    }

    /// After the disk failed: whether it takes writes again.
    fn make_sure_of_room(&self) -> Result<()> {
        if !self.is_full.load(Ordering::SeqCst) {
            return Ok(());
        }
        if self.read(|_| Ok(())).is_err() {
            self.open_again()?;
        }
        reserve::take(&self.path).map_err(|error| Error::io(format!("write to {}", self.path.display()), error))?;
        self.is_full.store(false, Ordering::SeqCst);
        tracing::info!(store = %self.path.display(), "the disk takes writes again");
        Ok(())
    }

    /// The disk failed a write: sled now refuses even some reads, until it is opened again.
    fn fall_back(&self, error: &Error) -> Result<()> {
        self.is_full.store(true, Ordering::SeqCst);
        tracing::error!(store = %self.path.display(), "{error}; until the disk takes writes again, only reading goes on");
        reserve::give_up(&self.path).map_err(|error| Error::io("give up its reserve", error))?;
        self.open_again()
    }

    fn open_again(&self) -> Result<()> {
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        // sled has the files locked: the old one has to go first.
        *engine = None;
        *engine = Some(open::checked(&self.path)?);
        Ok(())
    }
}

impl Store for SledStore {
    fn get<'a>(&'a self, key: &'a Key) -> Pending<'a, Option<Versioned>> {
        // Inline: with a warm cache it takes less than a microsecond.
        Box::pin(async { self.shared.read(|engine| engine.get(key)) })
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        let span = span::behind(prefix, after);
        self.blocking(move |shared| {
            shared.read(|engine| engine.page(table, span, |records| records.take(limit).collect()))
        })
    }

    fn scan_back<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        before: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        let span = span::ahead_of(prefix, before);
        self.blocking(move |shared| {
            shared.read(|engine| engine.page(table, span, |records| records.rev().take(limit).collect()))
        })
    }

    fn commit(&self, changes: Vec<Change>, durability: Durability) -> Pending<'_, u64> {
        self.blocking(move |shared| shared.commit(&changes, durability))
    }

    fn acquire_lease<'a>(&'a self, name: &'a str, holder: &'a str, ttl: Duration) -> Pending<'a, Option<Lease>> {
        Box::pin(async move { Ok(self.leases.acquire(name, holder, ttl)) })
    }

    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration) -> Pending<'a, bool> {
        Box::pin(async move { Ok(self.leases.renew(lease, ttl)) })
    }

    fn release_lease(&self, lease: Lease) -> Pending<'_, ()> {
        Box::pin(async move {
            self.leases.release(&lease);
            Ok(())
        })
    }

    fn watch(&self, table: Table) -> Watch {
        self.shared.changes.watch(table)
    }

    fn report(&self) -> Pending<'_, Report> {
        self.blocking(|shared| shared.read(Engine::report))
    }
}

/// The open database.
struct Engine {
    path: PathBuf,
    db: Db,
    /// One for each table, in the order of [`Table::ALL`], and the ledger's.
    trees: Vec<Tree>,
    /// Not yet there while the store is being opened.
    progress: Option<Progress>,
}

impl Engine {
    fn tree(&self, table: Table) -> &Tree {
        &self.trees[table.index()]
    }

    fn ledger_tree(&self) -> &Tree {
        &self.trees[Table::ALL.len()]
    }

    fn get(&self, key: &Key) -> Result<Option<Versioned>> {
        let stored = self.guarded(|| self.tree(key.table).get(&key.id))?;
        stored.map(|stored| self.decoded(key.table, &stored)).transpose()
    }

    /// The records in `span`, of which `take` chooses.
    fn page<F>(&self, table: Table, span: Option<Span>, take: F) -> Result<Vec<Record>>
    where
        F: FnOnce(::sled::Iter) -> Vec<::sled::Result<(IVec, IVec)>>,
    {
        let Some(span) = span else { return Ok(Vec::new()) };
        let found: Vec<(IVec, IVec)> = self.guarded(|| take(self.tree(table).range(span)).into_iter().collect())?;
        found.into_iter().map(|(id, stored)| Ok((id.to_vec(), self.decoded(table, &stored)?))).collect()
    }

    fn decoded(&self, table: Table, stored: &[u8]) -> Result<Versioned> {
        record::decode(stored).ok_or_else(|| self.corrupt(format!("a record of `{table}` has an unknown layout")))
    }

    /// One transaction over all tables that are touched, then the flush, then perhaps the disk's own cache.
    fn commit(&self, changes: &[Change], durability: Durability) -> Result<u64> {
        let version = self.guarded_by(|| self.transact(changes))?;
        self.guarded(|| self.db.flush())?;
        let is_synced = durability == Durability::MustSurvivePowerLoss;
        if is_synced {
            self.sync()?;
        }
        if let Some(progress) = &self.progress {
            let noted = progress.note(version, is_synced);
            noted.map_err(|error| Error::io("write down how far it has come", error))?;
        }
        Ok(version)
    }

    fn transact(&self, changes: &[Change]) -> Result<u64> {
        let mut touched: Vec<usize> = changes.iter().map(|change| change.key().table.index()).collect();
        touched.sort_unstable();
        touched.dedup();
        touched.push(Table::ALL.len());
        let trees: Vec<&Tree> = touched.iter().map(|&index| &self.trees[index]).collect();
        let place = |table: Table| touched.binary_search(&table.index()).expect("every changed table is touched");
        trees
            .as_slice()
            .transaction(|trees| {
                let books = trees.last().expect("the ledger is always touched");
                self.write(books, changes, |table| &trees[place(table)])
            })
            .map_err(|error| match error {
                TransactionError::Abort(error) => error,
                TransactionError::Storage(error) => self.translated(error),
            })
    }

    /// The changes within a transaction, which sled may run more than once.
    fn write<'t>(
        &self,
        books: &TransactionalTree,
        changes: &[Change],
        tree: impl Fn(Table) -> &'t TransactionalTree,
    ) -> std::result::Result<u64, ConflictableTransactionError<Error>> {
        let mut ledger = match books.get(LEDGER)? {
            Some(stored) => Ledger::decode(&stored).ok_or_else(|| abort(self.corrupt("its ledger is unreadable")))?,
            None => Ledger::default(),
        };
        ledger.sequence += 1;
        for change in changes {
            let Key { table, id } = change.key();
            let before = tree(*table).get(id)?;
            match ledger.enter(change, before.as_deref()).map_err(abort)? {
                Some(stored) => tree(*table).insert(id.as_slice(), stored)?,
                None => tree(*table).remove(id.as_slice())?,
            };
        }
        books.insert(LEDGER, ledger.encode())?;
        Ok(ledger.sequence)
    }

    /// Has the disk write down what the flush left in its cache. One sync covers the file's inode, whoever wrote.
    fn sync(&self) -> Result<()> {
        let file = self.path.join("db");
        File::open(file).and_then(|file| file.sync_all()).map_err(|error| Error::io("sync its file to the disk", error))
    }

    fn ledger(&self) -> Result<Option<Ledger>> {
        let Some(stored) = self.guarded(|| self.ledger_tree().get(LEDGER))? else {
            return Ok(None);
        };
        Ledger::decode(&stored).map(Some).ok_or_else(|| self.corrupt("its ledger is unreadable"))
    }

    fn report(&self) -> Result<Report> {
        let ledger = self.ledger()?.unwrap_or_default();
        Ok(Report {
            engine: "sled",
            size_on_disk: Some(self.guarded(|| self.db.size_on_disk())?),
            records: Table::ALL.into_iter().map(|table| (table, ledger.records(table))).collect(),
        })
    }

    /// Runs one of sled's operations; its errors and its panics become ours.
    fn guarded<T>(&self, work: impl FnOnce() -> ::sled::Result<T>) -> Result<T> {
        self.guarded_by(|| work().map_err(|error| self.translated(error)))
    }

    /// The same for work of several operations.
    fn guarded_by<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        caught(work).unwrap_or_else(|| Err(self.corrupt("a page could not be read")))
    }

    fn translated(&self, error: ::sled::Error) -> Error {
        translated(&self.path, error)
    }

    fn corrupt(&self, why: impl Into<String>) -> Error {
        corrupt(&self.path, why)
    }
}

fn abort(error: Error) -> ConflictableTransactionError<Error> {
    ConflictableTransactionError::Abort(error)
}

fn corrupt(path: &Path, why: impl Into<String>) -> Error {
    Error::Corrupt {
        path: path.to_owned(),
        why: why.into(),
        remedy: "Stop switchboard, keep a copy of that directory, and put a backup of it back; without one, move it \
                 away: the next start makes an empty store, and connections must be made again"
            .to_owned(),
    }
}

/// What sled's error means here. Its texts hold offsets and paths, never a record's content.
fn translated(path: &Path, error: ::sled::Error) -> Error {
    match error {
        ::sled::Error::Io(error) if is_lock(&error) => Error::Busy(path.to_owned()),
        ::sled::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            corrupt(path, "a file is cut short")
        }
        ::sled::Error::Io(error) => Error::io(format!("use its files in {}", path.display()), error),
        ::sled::Error::Corruption { at: Some(at), .. } => corrupt(path, format!("its file `db` is damaged at {at:?}")),
        ::sled::Error::Corruption { at: None, .. } => corrupt(path, "one of its files is damaged"),
        other => corrupt(path, other.to_string()),
    }
}

/// sled wraps the refusal of its lock into an error of the kind `Other`.
fn is_lock(error: &io::Error) -> bool {
    error.to_string().starts_with("could not acquire lock")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::io("finish an operation", io::Error::other(error.to_string()))))
}
