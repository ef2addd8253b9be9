//! A store that can be full, lets others go first, and counts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::store::{
    self, Change, Durability, Key, Lease, MemoryStore, Pending, Record, Report, Store, Table, Versioned, Watch,
};

/// A store in memory with the weaknesses of one on a disk.
#[derive(Debug)]
pub(super) struct Disk {
    inner: Arc<MemoryStore>,
    /// Whether writes fail.
    pub(super) full: AtomicBool,
    /// How often a lease was asked for.
    pub(super) leases: AtomicUsize,
}

impl Default for Disk {
    fn default() -> Self {
        let (full, leases) = (AtomicBool::new(false), AtomicUsize::new(0));
        Disk { inner: MemoryStore::new(), full, leases }
    }
}

impl Store for Disk {
    fn get<'a>(&'a self, key: &'a Key) -> Pending<'a, Option<Versioned>> {
        Box::pin(async move {
            let found = self.inner.get(key).await;
            // As a real disk does, it gives others time between reading and writing.
            tokio::task::yield_now().await;
            found
        })
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        self.inner.scan(table, prefix, after, limit)
    }

    fn scan_back<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        before: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        self.inner.scan_back(table, prefix, before, limit)
    }

    fn commit(&self, changes: Vec<Change>, durability: Durability) -> Pending<'_, u64> {
        if self.full.load(Ordering::SeqCst) {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            let what = "write".to_owned();
            return Box::pin(async { Err(store::Error::Io { what, source }) });
        }
        self.inner.commit(changes, durability)
    }

    fn acquire_lease<'a>(&'a self, name: &'a str, holder: &'a str, ttl: Duration) -> Pending<'a, Option<Lease>> {
        self.leases.fetch_add(1, Ordering::SeqCst);
        self.inner.acquire_lease(name, holder, ttl)
    }

    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration) -> Pending<'a, bool> {
        self.inner.renew_lease(lease, ttl)
    }

    fn release_lease(&self, lease: Lease) -> Pending<'_, ()> {
        self.inner.release_lease(lease)
    }

    fn watch(&self, table: Table) -> Watch {
        self.inner.watch(table)
    }

    fn report(&self) -> Pending<'_, Report> {
        self.inner.report()
    }
}
