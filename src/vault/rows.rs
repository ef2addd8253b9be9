//! Rows that decide, and are no secret: who there is, who may do what, what was said yes to.
//!
//! A store is trusted with keeping them and with nothing else. Every row that the vault does not seal carries a code that
//! only the holder of the master identity can make, over its place and its content:
//!
//! ```text
//! 1 byte    layout, 2
//! 8 bytes   key id: the start of SHA-256 of the recipient
//! 32 bytes  HMAC-SHA256 over layout, key id, table, id and what follows
//! rest      the row
//! ```
//!
//! So whoever can write to the database, or to the files, makes no administrator, no token and no yes. What a code does
//! not stop: that a row is taken away, or that an earlier row of the very same place is put back.
//!
//! Lines of the audit carry no code of their own: their chain does, in rows of [`Table::Meta`].

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{
    identity::{KEY_ID_LEN, KeyId, KeyRing, MasterKey},
    seal,
};
use crate::store::{
    Change, Durability, Error, Key, Lease, Pending, Record, Report, Result, SharedStore, Store, Table, Versioned, Watch,
};

/// The layout; neither JSON nor a sealed record starts with this byte.
const LAYOUT: u8 = 2;
const MAC_LEN: usize = 32;

/// A store that gives out only rows which a holder of the identity has written.
pub(super) struct Rows {
    below: SharedStore,
    keys: Arc<RwLock<KeyRing>>,
}

impl Rows {
    pub(super) fn over(below: SharedStore, keys: Arc<RwLock<KeyRing>>) -> Arc<Self> {
        Arc::new(Rows { below, keys })
    }

    fn keys(&self) -> KeyRing {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn coded(&self, change: Change) -> Change {
        match change {
            Change::Put { key, value, expect } if needs_code(&key, &value) => {
                let value = code(self.keys().newest(), &key, &value);
                Change::Put { key, value, expect }
            }
            other => other,
        }
    }

    /// The rows among `found` that may be believed. A page never fails because of one of them.
    fn believed(&self, table: Table, found: Vec<Record>, into: &mut Vec<Record>) {
        let keys = self.keys();
        for (id, stored) in found {
            let key = Key::raw(table, id);
            match uncoded(&keys, &key, stored) {
                Ok(stored) => into.push((key.id, stored)),
                Err(error) => tracing::error!("left out of a list: {error}"),
            }
        }
    }

    /// Pages of `scan` until `limit` rows are there that may be believed: a short page means the end to its reader.
    async fn fill(
        &self,
        table: Table,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
        is_backwards: bool,
    ) -> Result<Vec<Record>> {
        let mut from = from.map(<[u8]>::to_vec);
        let mut all = Vec::new();
        loop {
            let wanted = limit - all.len();
            let page = if is_backwards {
                self.below.scan_back(table, prefix, from.as_deref(), wanted).await?
            } else {
                self.below.scan(table, prefix, from.as_deref(), wanted).await?
            };
            let is_last = page.len() < wanted;
            from = page.last().map(|(id, _)| id.clone()).or(from);
            self.believed(table, page, &mut all);
            if is_last || all.len() >= limit {
                return Ok(all);
            }
        }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.below, f)
    }
}

impl Store for Rows {
    fn get<'a>(&'a self, key: &'a Key) -> Pending<'a, Option<Versioned>> {
        Box::pin(async move {
            let stored = self.below.get(key).await?;
            stored.map(|stored| uncoded(&self.keys(), key, stored)).transpose()
        })
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        Box::pin(self.fill(table, prefix, after, limit, false))
    }

    fn scan_back<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        before: Option<&'a [u8]>,
        limit: usize,
    ) -> Pending<'a, Vec<Record>> {
        Box::pin(self.fill(table, prefix, before, limit, true))
    }

    fn commit(&self, changes: Vec<Change>, durability: Durability) -> Pending<'_, u64> {
        self.below.commit(changes.into_iter().map(|change| self.coded(change)).collect(), durability)
    }

    fn acquire_lease<'a>(&'a self, name: &'a str, holder: &'a str, ttl: Duration) -> Pending<'a, Option<Lease>> {
        self.below.acquire_lease(name, holder, ttl)
    }

    fn renew_lease<'a>(&'a self, lease: &'a Lease, ttl: Duration) -> Pending<'a, bool> {
        self.below.renew_lease(lease, ttl)
    }

    fn release_lease(&self, lease: Lease) -> Pending<'_, ()> {
        self.below.release_lease(lease)
    }

    fn watch(&self, table: Table) -> Watch {
        self.below.watch(table)
    }

    fn is_away(&self) -> bool {
        self.below.is_away()
    }

    fn report(&self) -> Pending<'_, Report> {
        self.below.report()
    }
}

/// Whether a row of this place and content carries a code. A sealed one has its own; the two that say how a store is
/// to be read are read before there is a key, and decide nothing.
pub(super) fn needs_code(key: &Key, value: &[u8]) -> bool {
    !is_exempt(key) && !is_sealed(key, value)
}

/// Whether a record is one of those that the vault seals. In other tables nothing passes for one.
pub(super) fn is_sealed(key: &Key, value: &[u8]) -> bool {
    matches!(key.table, Table::Connections | Table::OAuthStates | Table::OAuthApps | Table::Meta)
        && seal::key_of(value).is_some()
}

fn is_exempt(key: &Key) -> bool {
    match key.table {
        Table::Audit => true,
        Table::Meta => matches!(&*key.id, b"schema" | b"vault_keys"),
        _ => false,
    }
}

/// The row as it is stored.
pub(super) fn code(master: &MasterKey, key: &Key, row: &[u8]) -> Vec<u8> {
    let mut coded = Vec::with_capacity(1 + KEY_ID_LEN + MAC_LEN + row.len());
    coded.push(LAYOUT);
    coded.extend(master.id().bytes());
    coded.extend(mac(master, key, row).finalize().into_bytes());
    coded.extend_from_slice(row);
    coded
}

/// Which key the code of a stored row was made with; `None` when it carries none.
pub(super) fn key_of(stored: &[u8]) -> Option<KeyId> {
    parts(stored).map(|(id, _, _)| id)
}

/// The row that is stored under `key`, when its code says that we wrote it there. Sealed records pass as they are.
pub(super) fn row(keys: &KeyRing, key: &Key, stored: &[u8]) -> Result<Vec<u8>> {
    let untrusted = || Error::Untrusted(key.clone());
    if is_exempt(key) || is_sealed(key, stored) {
        return Ok(stored.to_vec());
    }
    let (id, code, row) = parts(stored).ok_or_else(untrusted)?;
    let master = keys.by_id(id).ok_or_else(untrusted)?;
    mac(master, key, row).verify_slice(code).map_err(|_| untrusted())?;
    Ok(row.to_vec())
}

fn uncoded(keys: &KeyRing, key: &Key, stored: Versioned) -> Result<Versioned> {
    Ok(Versioned { value: row(keys, key, &stored.value)?, version: stored.version })
}

fn parts(stored: &[u8]) -> Option<(KeyId, &[u8; MAC_LEN], &[u8])> {
    let (id, rest) = stored.strip_prefix(&[LAYOUT])?.split_first_chunk::<KEY_ID_LEN>()?;
    let (code, row) = rest.split_first_chunk()?;
    Some((KeyId::new(*id), code, row))
}

/// The code over everything that makes the row what it is; lengths keep the parts apart.
fn mac(master: &MasterKey, key: &Key, row: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(master.row_key()).expect("HMAC takes keys of any length");
    mac.update(&[LAYOUT]);
    for part in [master.id().bytes().as_slice(), key.table.name().as_bytes(), &key.id, row] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Expect, MemoryStore};

    fn key(id: &str) -> Key {
        Key::raw(Table::Users, id)
    }

    fn put(key: Key, value: &[u8]) -> Change {
        Change::Put { key, value: value.to_vec(), expect: Expect::Anything }
    }

    /// A guarded store, and what lies below it.
    fn rows() -> (Arc<Rows>, Arc<MemoryStore>) {
        let below = MemoryStore::new();
        let keys = Arc::new(RwLock::new(KeyRing::generate()));
        (Rows::over(below.clone(), keys), below)
    }

    async fn write(store: &dyn Store, change: Change) {
        store.commit(vec![change], Durability::SurvivesCrash).await.unwrap();
    }

    #[tokio::test]
    async fn a_row_comes_back_and_what_others_wrote_does_not() {
        let (rows, below) = rows();
        write(&*rows, put(key("ann"), b"{}")).await;
        assert_eq!(rows.get(&key("ann")).await.unwrap().unwrap().value, b"{}");
        write(&*below, put(key("eve"), b"{\"admin\":true}")).await;
        let refused = rows.get(&key("eve")).await.unwrap_err();
        assert!(matches!(&refused, Error::Untrusted(at) if *at == key("eve")), "{refused}");
        let listed = rows.scan(Table::Users, b"", None, 9).await.unwrap();
        assert_eq!(listed.iter().map(|(id, _)| &**id).collect::<Vec<_>>(), [b"ann"]);
    }

    #[tokio::test]
    async fn every_flipped_bit_every_cut_and_every_move_is_noticed() {
        let (rows, below) = rows();
        write(&*rows, put(key("ann"), b"{\"admin\":false}")).await;
        let stored = below.get(&key("ann")).await.unwrap().unwrap().value;
        let is_believed = async |at: Key, value: &[u8]| {
            write(&*below, put(at.clone(), value)).await;
            rows.get(&at).await.is_ok()
        };
        assert!(is_believed(key("ann"), &stored).await);
        for at in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(!is_believed(key("ann"), &damaged).await, "byte {at}");
            assert!(!is_believed(key("ann"), &stored[..at]).await, "cut at {at}");
        }
        assert!(!is_believed(key("bob"), &stored).await, "a row of another place");
        assert!(!is_believed(Key::raw(Table::Tokens, "ann"), &stored).await, "a row of another table");
    }

    #[tokio::test]
    async fn pages_stay_full_when_rows_are_left_out() {
        let (rows, below) = rows();
        for number in 0..9 {
            let id = format!("{number}");
            let store: &dyn Store = if number % 3 == 0 { &*below } else { &*rows };
            write(store, put(key(&id), b"{}")).await;
        }
        let ids = |page: Vec<Record>| page.into_iter().map(|(id, _)| id[0]).collect::<Vec<_>>();
        assert_eq!(ids(rows.scan(Table::Users, b"", None, 4).await.unwrap()), b"1245");
        assert_eq!(ids(rows.scan(Table::Users, b"", Some(b"5"), 4).await.unwrap()), b"78");
        assert_eq!(ids(rows.scan_back(Table::Users, b"", None, 3).await.unwrap()), b"875");
    }
}
