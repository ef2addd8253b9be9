//! The vault: records that only the holder of the master identity can read or make.
//!
//! A record is sealed on its own with age to the master identity, bound to its key, and authenticated, so that the
//! store below is trusted with nothing but keeping it. What this does not stop: whoever can write to the store may
//! put back an older seal of the very same record.

mod app;
mod cache;
mod carry;
mod connection;
mod identity;
#[cfg(feature = "keyring")]
mod keyring;
mod layout;
mod once;
mod rotation;
mod rows;
mod seal;
mod signing;

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

pub use self::{
    app::OAuthApp,
    carry::{AuditLines, Backup, Clash, Exported, Imported, Lock, Opener, backups},
    connection::{Connection, ConnectionKey, Credential, Reason, Status, When},
    identity::{IDENTITY_FILE, KeyRing, Origin, Sources},
    once::Once,
    rotation::Resealed,
};
use self::{cache::Cache, identity::KeyId, rows::Rows};
use crate::{
    clock::SharedClock,
    store::{self, Change, Durability, Expect, Key, Store, Table, Versioned},
};

/// What the vault's operations return.
pub type Result<T> = std::result::Result<T, Error>;

/// Seals and opens records. Clones share everything.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    /// Gives out only what we have written.
    store: Arc<dyn Store>,
    /// What lies below it, as it is.
    raw: Arc<dyn Store>,
    keys: Arc<RwLock<KeyRing>>,
    clock: SharedClock,
    cache: Cache,
    last_seq: AtomicU64,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<T> {
    /// What was sealed.
    pub value: T,
    /// The store's version of it, for [`Expect::Version`].
    pub version: u64,
}

/// The keys that records of this store are sealed with, by id. Kept in the clear: an id tells nothing.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct KeysInUse {
    keys: Vec<KeyId>,
}

impl Vault {
    /// Opens the vault in `store` with `keys`. A store whose records are sealed with a key that is not among them
    /// is refused.
    pub async fn open(store: Arc<dyn Store>, keys: KeyRing, clock: SharedClock) -> Result<Self> {
        admit(&*store, &keys).await?;
        let (cache, last_seq) = (Cache::default(), AtomicU64::new(0));
        let (raw, keys) = (store, Arc::new(RwLock::new(keys)));
        let store = Rows::over(Arc::clone(&raw), Arc::clone(&keys));
        Ok(Vault(Arc::new(Inner { store, raw, keys, clock, cache, last_seq })))
    }

    /// The store below, for records that need no seal: they carry a code, and a row that somebody else wrote is not
    /// given out.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The store below, as it is.
    fn raw(&self) -> &dyn Store {
        &*self.0.raw
    }

    /// Opens the record under `key`, if there is one.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<Opened<T>>> {
        match self.0.store.get(key).await? {
            Some(stored) => self.opened(key, &stored).map(Some),
            None => Ok(None),
        }
    }

    /// Seals `value` for `key`: a change to commit, alone or together with others.
    pub fn seal_put<T: Serialize + ?Sized>(&self, key: Key, value: &T, expect: Expect) -> Result<Change> {
        let sealed = seal::seal(self.keys().newest(), &key, self.next_seq(), value)?;
        Ok(Change::Put { key, value: sealed, expect })
    }

    /// Seals `value` and stores it so that it survives a power cut. The answer is its version.
    pub async fn put<T: Serialize>(&self, key: Key, value: &T, expect: Expect) -> Result<u64> {
        let change = self.seal_put(key, value, expect)?;
        self.commit(vec![change]).await
    }

    /// Makes all `changes` or none, safe from power cuts.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<u64> {
        let keys: Vec<Key> = changes.iter().map(|change| change.key().clone()).collect();
        let version = self.0.store.commit(changes, Durability::MustSurvivePowerLoss).await?;
        for key in &keys {
            self.0.cache.forget(key);
        }
        Ok(version)
    }

    /// Opens all records of `table` whose id starts with `prefix`. One that cannot be opened is left out, and the log
    /// says so: it must not hide the others.
    pub async fn list<T: DeserializeOwned>(&self, table: Table, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Opened<T>)>> {
        let mut opened = Vec::new();
        for (id, stored) in store::scan_all(&**self.store(), table, prefix).await? {
            match self.opened(&Key::raw(table, id.as_slice()), &stored) {
                Ok(record) => opened.push((id, record)),
                Err(error) if error.is_of_one_record() => tracing::error!("left out of a list: {error}"),
                Err(error) => return Err(error),
            }
        }
        Ok(opened)
    }

    /// Takes a record away. One that is not there already is fine.
    pub async fn delete(&self, key: Key) -> Result<()> {
        self.commit(vec![Change::Delete { key, expect: Expect::Anything }]).await.map(drop)
    }

    fn opened<T: DeserializeOwned>(&self, key: &Key, stored: &Versioned) -> Result<Opened<T>> {
        let version = stored.version;
        let text = self.text(key, stored)?;
        // The parser's message would name what it found, which may be a secret.
        let value = serde_json::from_str(&text).map_err(|_| Error::Unfitting(key.clone()))?;
        Ok(Opened { value, version })
    }

    fn keys(&self) -> KeyRing {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_keys(&self, keys: KeyRing) {
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The JSON text of a record, unsealed now or before.
    fn text(&self, key: &Key, stored: &Versioned) -> Result<Arc<Zeroizing<String>>> {
        if let Some(text) = self.0.cache.find(key, stored.version) {
            return Ok(text);
        }
        let text = Arc::new(seal::open(&self.keys(), key, &stored.value)?);
        self.0.cache.keep(key.clone(), stored.version, Arc::clone(&text));
        Ok(text)
    }

    /// A number that grows with every seal: the clock's milliseconds, or one more than the last.
    fn next_seq(&self) -> u64 {
        let now = u64::try_from(self.0.clock.now().as_millisecond()).unwrap_or(0);
        let step = |last: u64| Some(now.max(last + 1));
        let last = self.0.last_seq.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step);
        last.map_or(now, |last| now.max(last + 1))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({:?})", self.0.store)
    }
}

fn keys_in_use() -> Key {
    Key::raw(Table::Meta, "vault_keys")
}

/// The ids of the keys that `store` was ever opened with.
async fn used_keys(store: &dyn Store) -> Result<Option<Opened<KeysInUse>>> {
    let Some(stored) = store.get(&keys_in_use()).await? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&stored.value).map_err(|_| Error::Unfitting(keys_in_use()))?;
    Ok(Some(Opened { value, version: stored.version }))
}

/// Makes sure that `keys` can open everything in `store`, and notes the newest one as used.
async fn admit(store: &dyn Store, keys: &KeyRing) -> Result<()> {
    loop {
        match try_admit(store, keys).await {
            // Another node starts in this moment: look again at what it noted.
            Err(error) if error.is_conflict() => {}
            other => return other,
        }
    }
}

async fn try_admit(store: &dyn Store, keys: &KeyRing) -> Result<()> {
    let (mut used, expect) = match used_keys(store).await? {
        Some(used) => (used.value, Expect::Version(used.version)),
        None => (KeysInUse::default(), Expect::Absent),
    };
    if used.keys.iter().any(|id| keys.by_id(*id).is_none()) {
        return Err(Error::WrongIdentity);
    }
    let newest = keys.newest().id();
    if used.keys.contains(&newest) {
        return Ok(());
    }
    used.keys.push(newest);
    let value = serde_json::to_vec(&used).map_err(|_| Error::Unfitting(keys_in_use()))?;
    let note = Change::Put { key: keys_in_use(), value, expect };
    store.commit(vec![note], Durability::MustSurvivePowerLoss).await?;
    Ok(())
}

/// Why the vault did not do it. No text holds a part of a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed, or another write was first.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The store was sealed with another identity than the given ones.
    #[error(
        "the master identity does not fit this store: its records are sealed with another one. Give the right one \
             with SWITCHBOARD_IDENTITY, SWITCHBOARD_IDENTITY_FILE or as `identity.txt` in the data directory; without \
             it nobody can read the connections, and they must be made again in an empty data directory"
    )]
    WrongIdentity,
    /// There are sealed records and no identity.
    #[error("the master identity is missing: the store has sealed records, and neither SWITCHBOARD_IDENTITY nor \
             SWITCHBOARD_IDENTITY_FILE is set, nor is there {}. Put it back from your backup; a new one could not \
             read the old records and is not made", .0.display())]
    IdentityMissing(PathBuf),
    /// Others than its owner can read the identity.
    #[error("the master identity {} can be read by others (mode {mode:o}). Run: chmod 600 {}", path.display(), path.display())]
    IdentityExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The identity could not be read or made.
    #[error("the master identity in {origin} is not usable: {why}")]
    BadIdentity {
        /// A file or a variable.
        origin: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A single record is sealed with a key that is not at hand.
    #[error("{0} is sealed with another master identity: add that identity to the key ring, or connect again")]
    WrongKey(Key),
    /// A record is not what was sealed.
    #[error("{0} is damaged or was changed from outside: restore a backup of the store, or connect again")]
    Tampered(Key),
    /// A record stands under a key that it was not sealed for.
    #[error(
        "{0} holds what was sealed for another record: somebody swapped records in the store; restore a backup, or connect again"
    )]
    Swapped(Key),
    /// A record was sealed by a newer program.
    #[error("{0} has a layout that this program does not know: install the newer switchboard again")]
    UnknownLayout(Key),
    /// A record opens, but its content is not of the wanted kind.
    #[error("{0} does not have the expected content: it was written by another version of switchboard, or by mistake")]
    Unfitting(Key),
    /// A file cannot be exported to or imported from.
    #[error("{} cannot be used: {why}", path.display())]
    Export {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The rotation does not come to an end.
    #[error("records are written faster than they can be sealed anew: rotate again at a quieter time; nothing is lost")]
    Restless,
    /// A connection has changed since it was read.
    #[error("the connection {0} was changed meanwhile: read it again and decide anew")]
    Stale(ConnectionKey),
}

impl Error {
    /// Whether one record is not as it should be, and the others may be all the same.
    pub fn is_of_one_record(&self) -> bool {
        match self {
            Error::WrongKey(_)
            | Error::Tampered(_)
            | Error::Swapped(_)
            | Error::UnknownLayout(_)
            | Error::Unfitting(_) => true,
            Error::Store(error) => error.is_untrusted(),
            _ => false,
        }
    }

    /// Whether another write was first, and reading again may help.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Error::Stale(_)) || matches!(self, Error::Store(error) if error.is_conflict())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, store::MemoryStore};

    /// A vault over nothing, for tests of this layer.
    pub(super) async fn vault() -> Vault {
        over(MemoryStore::new(), &KeyRing::generate()).await.unwrap()
    }

    async fn over(store: Arc<MemoryStore>, keys: &KeyRing) -> Result<Vault> {
        Vault::open(store, keys.clone(), clock::system()).await
    }

    fn key(id: &str) -> Key {
        Key::raw(Table::OAuthStates, id)
    }

    #[tokio::test]
    async fn what_is_sealed_can_be_opened() {
        let vault = vault().await;
        let version = vault.put(key("a"), &vec![1, 2], Expect::Absent).await.unwrap();
        for _ in ["sealed", "from the cache"] {
            let opened: Opened<Vec<u8>> = vault.get(&key("a")).await.unwrap().unwrap();
            assert_eq!(opened, Opened { value: vec![1, 2], version });
        }
        assert_eq!(vault.get::<String>(&key("b")).await.unwrap(), None);
        assert!(matches!(vault.get::<String>(&key("a")).await, Err(Error::Unfitting(_))));
        vault.delete(key("a")).await.unwrap();
        assert_eq!(vault.get::<Vec<u8>>(&key("a")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_change_from_outside_is_seen_at_once() {
        let (store, keys) = (MemoryStore::new(), KeyRing::generate());
        let (one, other) = (over(store.clone(), &keys).await.unwrap(), over(store, &keys).await.unwrap());
        one.put(key("a"), &"first", Expect::Anything).await.unwrap();
        assert_eq!(one.get::<String>(&key("a")).await.unwrap().unwrap().value, "first");
        other.put(key("a"), &"second", Expect::Anything).await.unwrap();
        assert_eq!(one.get::<String>(&key("a")).await.unwrap().unwrap().value, "second");
    }

    #[tokio::test]
    async fn several_records_are_sealed_into_one_commit() {
        let vault = vault().await;
        let changes = vec![
            vault.seal_put(key("a"), &1, Expect::Absent).unwrap(),
            vault.seal_put(key("b"), &2, Expect::Version(7)).unwrap(),
        ];
        assert!(vault.commit(changes).await.unwrap_err().is_conflict());
        assert_eq!(vault.get::<u8>(&key("a")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_list_opens_every_record() {
        let vault = vault().await;
        let puts = (0..3).map(|n| vault.seal_put(key(&n.to_string()), &n, Expect::Absent).unwrap());
        vault.commit(puts.collect()).await.unwrap();
        let all = vault.list::<usize>(Table::OAuthStates, b"").await.unwrap();
        assert_eq!(all.iter().map(|(_, opened)| opened.value).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[tokio::test]
    async fn a_store_of_another_identity_is_refused() {
        let (store, keys) = (MemoryStore::new(), KeyRing::generate());
        over(store.clone(), &keys).await.unwrap();
        over(store.clone(), &keys).await.unwrap();
        let refused = over(store, &KeyRing::generate()).await.unwrap_err();
        assert!(matches!(refused, Error::WrongIdentity), "{refused}");
    }

    #[tokio::test]
    async fn of_two_first_starts_with_different_identities_one_is_refused() {
        let store = MemoryStore::new();
        let (one, two) = (KeyRing::generate(), KeyRing::generate());
        let (one, two) = tokio::join!(over(store.clone(), &one), over(store, &two));
        assert!(one.is_ok() != two.is_ok());
        assert!(matches!(one.and(two), Err(Error::WrongIdentity)));
    }

    #[tokio::test]
    async fn seals_are_numbered_upwards_even_when_the_clock_stands() {
        let clock = clock::ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let vault = Vault::open(MemoryStore::new(), KeyRing::generate(), clock).await.unwrap();
        let (one, two) = (vault.next_seq(), vault.next_seq());
        assert_eq!((one, two), (1_795_424_400_000, one + 1));
    }
}
