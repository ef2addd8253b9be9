//! Where records live: one trait, several engines.
//!
//! A record is a few bytes under a [`Key`]; what the bytes mean is known only to the layer above. Writes come as
//! lists of [`Change`]s that happen together or not at all, and are acknowledged only when they are safe
//! ([`Durability`] says from what).
//!
//! | engine | for |
//! |---|---|
//! | [`MemoryStore`] | tests, and runs that should leave no trace |
//! | [`SledStore`] | one node: a directory on the local disk |
//! | `PostgresStore` (feature `postgres`) | several nodes |

mod lease;
mod ledger;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod sled;
mod span;
#[cfg(test)]
mod suite;
mod watch;

use std::{fmt, future::Future, io, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
pub use self::{
    lease::Lease,
    memory::MemoryStore,
    record::{Change, Durability, Expect, Key, MAX_VALUE, Record, Report, Table, Versioned, prefix},
    sled::SledStore,
    watch::{Seen, Watch},
};

/// What the store's operations return.
pub type Result<T> = std::result::Result<T, Error>;

/// An operation under way. Boxed by hand, so that the trait can stand behind a `dyn`.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A store that many parts share.
pub type SharedStore = Arc<dyn Store>;

/// The newest layout of records that this program knows. A store with a newer one is refused.
pub const SCHEMA_VERSION: u32 = 2;

/// How many records [`scan_all`] asks for at once.
const PAGE: usize = 256;

/// Keeps records, with compare-and-swap, transactions over tables, leases and notice of changes.
pub trait Store: Send + Sync + fmt::Debug {
    /// The record under `key`, if there is one.
    fn get<'a>(&'a self, key: &'a Key) -> Pending<'a, Option<Versioned>>;

    /// Up to `limit` records whose id starts with `prefix`, in the order of their ids, from the first one
    /// behind `after`. The next page starts behind the last id of this one.
    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>>;

    /// [`Store::scan`] from the other end: the greatest id first, from the first one before `before`.
    fn scan_back<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        before: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>>;

    /// Makes all `changes` or none, and returns when they are safe. The answer is the version that every
    /// written record now has.
    fn commit(&self, changes: Vec<Change>, durability: Durability) -> Pending<'_, u64>;

    /// Takes the lease `name` for `ttl`, unless somebody has it: then the answer is `None`, also for a
    /// `holder` that asks twice.
    fn acquire_lease<'a>(&'a self, name: &'a str, holder: &'a str, ttl: Duration) -> Pending<'a, Option<Lease>>;

    /// Prolongs a lease to `ttl` from now. `false` means that it ran out and may be somebody else's by now.
    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration) -> Pending<'a, bool>;

    /// Gives a lease back. One that ran out is left alone.
    fn release_lease(&self, lease: Lease) -> Pending<'_, ()>;

    /// Notice of every change in `table` from now on, made here or on another node.
    fn watch(&self, table: Table) -> Watch;

    /// Whether the engine is out of reach at present: then writing is refused, and reading goes on with what was
    /// read last, where that is known.
    fn is_away(&self) -> bool {
        false
    }

    /// How large it is: for health pages.
    fn report(&self) -> Pending<'_, Report>;
}

/// All records of `table` whose id starts with `prefix`, asked for in pages. For tables that a person fills.
pub async fn scan_all(store: &dyn Store, table: Table, prefix: &[u8]) -> Result<Vec<Record>> {
    let mut all: Vec<Record> = Vec::new();
    loop {
        let after = all.last().map(|(id, _)| id.clone());
        let page = store.scan(table, prefix, after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// Why the store did not do it. The texts are for the operator and hold no record's content.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An [`Expect`] did not hold: somebody else was first. Nothing was written.
    #[error("another write changed {0} first; nothing was written: read it again and repeat the change")]
    Conflict(Key),
    /// A value is larger than a record may be.
    #[error("{key} would be {bytes} bytes, and a record holds {limit} at most; nothing was written")]
    TooLarge {
        /// The record that was to be written.
        key: Key,
        /// How large it would have been.
        bytes: usize,
        /// What fits.
        limit: usize,
    },
    /// A part of a key holds a NUL, which separates the parts, or is nothing at all.
    #[error("a key of the table `{0}` has a part that is empty or holds a NUL character")]
    BadKey(Table),
    /// The files are damaged beyond what can be mended without a person.
    #[error("the store in {} is damaged: {why}. {remedy}", path.display())]
    Corrupt {
        /// The file or directory.
        path: PathBuf,
        /// What was found.
        why: String,
        /// What a person can do about it.
        remedy: String,
    },
    /// Another process has the directory.
    #[error("the store in {} is in use by another switchboard process: stop that one, or give this one another --data-dir", .0.display())]
    Busy(PathBuf),
    /// A row that the holder of the master identity did not write there.
    #[error(
        "{0} was not written by this switchboard, or was changed from outside, and is not believed: `switchboard doctor` says what to do"
    )]
    Untrusted(Key),
    /// A newer program wrote it.
    #[error(
        "the store has layout {found}, and this program knows layouts up to {known}: install the newer switchboard again, or use another --data-dir"
    )]
    Newer {
        /// The store's layout.
        found: u32,
        /// The newest layout that this program knows.
        known: u32,
    },
    /// The server that keeps the records cannot be asked. A write may have happened all the same.
    #[error("the store is out of reach: {0}. What was read before goes on being used; try again in a moment")]
    Away(String),
    /// The disk, or the way to it, failed.
    #[error("the store could not {what}: {source}")]
    Io {
        /// The operation.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Whether the write lost against another one and may be repeated after reading again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Error::Conflict(_))
    }

    /// Whether the store could not be asked, and may be asked again in a moment.
    pub fn is_away(&self) -> bool {
        matches!(self, Error::Away(_))
    }

    /// Whether only the one record is damaged, or was put there by somebody else.
    pub fn is_untrusted(&self) -> bool {
        matches!(self, Error::Untrusted(_))
    }

    /// An operating system's error, with what was being done.
    fn io(what: impl Into<String>, source: io::Error) -> Self {
        Error::Io { what: what.into(), source }
    }
}
