//! Records in memory: for tests, and for runs that should leave no trace.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    Change, Durability, Key, Lease, Pending, Record, Report, Result, Store, Table, Versioned, Watch, lease::Leases,
    span, watch::Changes,
};

/// A store that ends with the process.
pub struct MemoryStore {
    records: Mutex<Records>,
    leases: Leases,
    changes: Changes,
}

#[derive(Default)]
struct Records {
    sequence: u64,
    tables: [BTreeMap<Vec<u8>, Versioned>; Table::ALL.len()],
}

/// What was there before each step of a commit.
type Undo = Vec<(Key, Option<Versioned>)>;

impl Records {
    /// Makes all changes, or none and says why.
    fn apply(&mut self, changes: &[Change]) -> Result<u64> {
        let mut undo = Undo::new();
        for change in changes {
            if let Err(error) = self.step(change, &mut undo) {
                self.take_back(undo);
                return Err(error);
            }
        }
        self.sequence += 1;
        Ok(self.sequence)
    }

    fn step(&mut self, change: &Change, undo: &mut Undo) -> Result<()> {
        let key = change.key();
        let version = self.sequence + 1;
        let table = &mut self.tables[key.table.index()];
        change.check(table.get(&key.id).map(|stored| stored.version))?;
        let before = match change {
            Change::Put { value, .. } => table.insert(key.id.clone(), Versioned { value: value.clone(), version }),
            Change::Delete { .. } => table.remove(&key.id),
        };
        undo.push((key.clone(), before));
        Ok(())
    }

    fn take_back(&mut self, undo: Undo) {
        for (key, before) in undo.into_iter().rev() {
            let table = &mut self.tables[key.table.index()];
            match before {
                Some(stored) => table.insert(key.id, stored),
                None => table.remove(&key.id),
            };
        }
    }
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::new(MemoryStore { records: Mutex::default(), leases: Leases::default(), changes: Changes::new() })
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a Key) -> Pending<'a, Option<Versioned>> {
        Box::pin(async { Ok(self.records().tables[key.table.index()].get(&key.id).cloned()) })
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        Box::pin(async move {
            let Some(span) = span::behind(prefix, after) else {
                return Ok(Vec::new());
            };
            let records = self.records();
            Ok(records.tables[table.index()].range(span).take(limit).map(owned).collect())
        })
    }

    fn scan_back<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        before: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        Box::pin(async move {
            let Some(span) = span::ahead_of(prefix, before) else {
                return Ok(Vec::new());
            };
            let records = self.records();
            Ok(records.tables[table.index()].range(span).rev().take(limit).map(owned).collect())
        })
    }

    fn commit(&self, changes: Vec<Change>, _: Durability) -> Pending<'_, u64> {
        Box::pin(async move {
            let version = self.records().apply(&changes)?;
            self.changes.announce(&changes);
            Ok(version)
        })
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
        self.changes.watch(table)
    }

    fn report(&self) -> Pending<'_, Report> {
        Box::pin(async {
            let records = self.records();
            let count = |table: Table| records.tables[table.index()].len() as u64;
            Ok(Report {
                engine: "memory",
                size_on_disk: None,
                records: Table::ALL.into_iter().map(|table| (table, count(table))).collect(),
            })
        })
    }
}

fn owned((id, stored): (&Vec<u8>, &Versioned)) -> Record {
    (id.clone(), stored.clone())
}
