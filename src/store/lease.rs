//! Leases within one process: for engines that only one process can open.
//!
//! They run on tokio's clock and die with the process, which is what a lease is for.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The right to do something alone for a while, such as refreshing a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is about.
    pub name: String,
    /// Who has it.
    pub holder: String,
    /// Greater for each later lease of the store.
    pub fence: u64,
}

/// The leases that are out.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last_fence: u64,
    out: HashMap<String, (u64, Instant)>,
}

impl Leases {
    /// Hands out the lease `name`, unless it is out.
    pub(super) fn acquire(&self, name: &str, holder: &str, ttl: Duration) -> Option<Lease> {
        let now = Instant::now();
        let mut table = self.table();
        table.out.retain(|_, (_, until)| *until > now);
        if table.out.contains_key(name) {
            return None;
        }
        table.last_fence += 1;
        let fence = table.last_fence;
        table.out.insert(name.to_owned(), (fence, now + ttl));
        Some(Lease { name: name.to_owned(), holder: holder.to_owned(), fence })
    }

    /// Prolongs a lease that is still out.
    pub(super) fn renew(&self, lease: &Lease, ttl: Duration) -> bool {
        let now = Instant::now();
        match self.table().out.get_mut(&lease.name) {
            Some((fence, until)) if *fence == lease.fence && *until > now => {
                *until = now + ttl;
                true
            }
            _ => false,
        }
    }

    /// Takes a lease back, unless it ran out and somebody else has it.
    pub(super) fn release(&self, lease: &Lease) {
        let mut table = self.table();
        if table.out.get(&lease.name).is_some_and(|(fence, _)| *fence == lease.fence) {
            table.out.remove(&lease.name);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
