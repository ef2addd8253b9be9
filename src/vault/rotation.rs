//! Rotation: all records sealed anew with the newest identity, while the vault is in use.
//!
//! In this order, so that a crash at any point leaves everything readable: the new identity goes into the file, the
//! store is told that it is in use, the vault seals with it, the old records are sealed anew, all are opened once
//! more, and only then the store forgets the old ones. The file keeps them for old backups.

use std::path::Path;

use serde_json::value::RawValue;

#[cfg(feature = "keyring")]
use super::keyring::Drawer;
use super::{Error, KeyRing, KeysInUse, Origin, Result, Vault, admit, keys_in_use, rows, seal, used_keys};
use crate::store::{self, Change, Durability, Expect, Key, Table, Versioned};

/// How many records one commit seals anew.
const GROUP: usize = 100;

/// How often the records are gone through when others write all the time.
const PASSES: u32 = 10;

/// What sealing anew came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many records were sealed anew.
    pub records: u64,
    /// Those that could not be opened, each with what is wrong with it. They stay as they are.
    pub damaged: Vec<String>,
}

impl Vault {
    /// Makes a new identity in `file`, which holds the present ones, and seals every record with it.
    pub async fn rotate(&self, file: &Path) -> Result<Resealed> {
        let keys = self.keys().with_new();
        keys.save(file)?;
        self.adopt(keys).await?;
        self.reseal().await
    }

    /// [`Vault::rotate`] wherever the identities come from; one that stands in a variable is replaced there, and what
    /// is left to do here is to seal with it.
    pub async fn rotate_at(&self, origin: &Origin) -> Result<Resealed> {
        match origin {
            Origin::Variable => self.reseal().await,
            Origin::File(file) => self.rotate(file).await,
            #[cfg(feature = "keyring")]
            Origin::Keyring(entry) => self.rotate_in(&Drawer::of_this_system(entry)?).await,
            #[cfg(not(feature = "keyring"))]
            Origin::Keyring(_) => self.reseal().await,
        }
    }

    /// Makes a new identity in an entry of a keyring, and seals every record with it.
    #[cfg(feature = "keyring")]
    pub(super) async fn rotate_in(&self, drawer: &Drawer) -> Result<Resealed> {
        let keys = self.keys().with_new();
        drawer.write(&keys.text())?;
        self.adopt(keys).await?;
        self.reseal().await
    }

    /// Works with `keys` from now on: for identities that come from a variable or a protected file. Every node
    /// that shares the store has to have them before one of them seals anew.
    pub async fn adopt(&self, keys: KeyRing) -> Result<()> {
        admit(&**self.store(), &keys).await?;
        self.set_keys(keys);
        Ok(())
    }

    /// How many identities are at hand, and with how many of them records may still be sealed.
    pub async fn identities(&self) -> Result<(usize, usize)> {
        let used = used_keys(&**self.store()).await?.map_or(0, |used| used.value.keys.len());
        Ok((self.keys().len(), used))
    }

    /// Seals every record with the newest identity and makes sure that it can be opened. One that cannot is told of,
    /// and stops nothing; while there is one, the older identities stay in use.
    pub async fn reseal(&self) -> Result<Resealed> {
        let mut all = Resealed::default();
        for _ in 0..PASSES {
            let pass = self.pass(true).await?;
            (all.records, all.damaged) = (all.records + pass.records, pass.damaged);
            if pass.records == 0 {
                if all.damaged.is_empty() {
                    self.forget_old_keys().await?;
                }
                return Ok(all);
            }
        }
        Err(Error::Restless)
    }

    /// The records that cannot be opened or are not believed, each with what is wrong with it.
    pub async fn damaged(&self) -> Result<Vec<String>> {
        Ok(self.pass(false).await?.damaged)
    }

    /// Opens every record that is sealed or carries a code, and makes both anew where an older identity made them.
    async fn pass(&self, renews: bool) -> Result<Resealed> {
        let mut all = Resealed::default();
        for table in Table::ALL {
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = self.raw().scan(table, b"", after.as_deref(), GROUP).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                self.pass_page(table, page, renews, &mut all).await?;
            }
        }
        Ok(all)
    }

    async fn pass_page(&self, table: Table, page: Vec<store::Record>, renews: bool, all: &mut Resealed) -> Result<()> {
        let mut changes = Vec::new();
        for (id, stored) in page {
            let key = Key::raw(table, id);
            match self.renewed(&key, &stored) {
                Ok(change) => changes.extend(change.filter(|_| renews)),
                Err(error) if error.is_of_one_record() => all.damaged.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        let count = changes.len() as u64;
        if count == 0 {
            return Ok(());
        }
        match self.store().commit(changes, Durability::MustSurvivePowerLoss).await {
            // Somebody wrote one of them meanwhile; the next pass gets the others.
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => {
                all.records += count;
                Ok(())
            }
        }
    }

    /// The record with the newest identity's seal or code; `None` when it has that already, or needs neither.
    fn renewed(&self, key: &Key, stored: &Versioned) -> Result<Option<Change>> {
        let keys = self.keys();
        let newest = keys.newest().id();
        let expect = Expect::Version(stored.version);
        if rows::is_sealed(key, &stored.value) {
            let text = seal::open(&keys, key, &stored.value)?;
            if seal::key_of(&stored.value) == Some(newest) {
                return Ok(None);
            }
            let value: &RawValue = serde_json::from_str(&text).map_err(|_| Error::Unfitting(key.clone()))?;
            return self.seal_put(key.clone(), value, expect).map(Some);
        }
        if !rows::needs_code(key, &stored.value) {
            return Ok(None);
        }
        let value = rows::row(&keys, key, &stored.value)?;
        let is_newest = rows::key_of(&stored.value) == Some(newest);
        // The store gives it its new code.
        Ok((!is_newest).then(|| Change::Put { key: key.clone(), value, expect }))
    }

    async fn forget_old_keys(&self) -> Result<()> {
        let Some(used) = used_keys(&**self.store()).await? else { return Ok(()) };
        let value = KeysInUse { keys: vec![self.keys().newest().id()] };
        let value = serde_json::to_vec(&value).map_err(|_| Error::Unfitting(keys_in_use()))?;
        let note = Change::Put { key: keys_in_use(), value, expect: Expect::Version(used.version) };
        self.store().commit(vec![note], Durability::MustSurvivePowerLoss).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock,
        store::{MemoryStore, Store},
        vault::{IDENTITY_FILE, Sources},
    };

    fn key(number: usize) -> Key {
        Key::raw(Table::Connections, format!("{number:04}"))
    }

    #[tokio::test]
    async fn after_a_rotation_the_new_identity_alone_opens_everything() {
        let dir = tempfile::tempdir().unwrap();
        let (store, sources) = (MemoryStore::new(), Sources::in_dir(dir.path()));
        let file = dir.path().join(IDENTITY_FILE);
        let old = KeyRing::load(&sources, &*store).await.unwrap();
        let vault = Vault::open(store.clone(), old.clone(), clock::system()).await.unwrap();
        for number in 0..2 * GROUP + 7 {
            vault.put(key(number), &number, Expect::Absent).await.unwrap();
        }
        let plain = Change::Put { key: Key::raw(Table::Users, "u"), value: b"{}".to_vec(), expect: Expect::Absent };
        vault.store().commit(vec![plain], Durability::SurvivesCrash).await.unwrap();

        let done = vault.rotate(&file).await.unwrap();
        assert_eq!(done, Resealed { records: 2 * GROUP as u64 + 8, damaged: Vec::new() }, "the plain row counts");
        assert_eq!(vault.get::<usize>(&key(5)).await.unwrap().unwrap().value, 5);
        assert_eq!(vault.reseal().await.unwrap(), Resealed::default());

        let both = KeyRing::load(&sources, &*store).await.unwrap();
        let only_new = both.only_newest();
        let again = Vault::open(store.clone(), only_new, clock::system()).await.unwrap();
        assert!(again.store().get(&Key::raw(Table::Users, "u")).await.unwrap().is_some(), "its code is new, too");
        let all = again.list::<usize>(Table::Connections, b"").await.unwrap();
        assert_eq!(all.len(), 2 * GROUP + 7);
        let refused = Vault::open(store, old, clock::system()).await.unwrap_err();
        assert!(matches!(refused, Error::WrongIdentity), "{refused}");
    }

    #[tokio::test]
    async fn a_protected_file_is_not_replaced_by_an_open_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(IDENTITY_FILE);
        std::fs::write(&file, "age-encryption.org/v1\nrest").unwrap();
        let vault = Vault::open(MemoryStore::new(), KeyRing::generate(), clock::system()).await.unwrap();
        let refused = vault.rotate(&file).await.unwrap_err().to_string();
        assert!(refused.contains("passphrase"), "{refused}");
        assert!(std::fs::read_to_string(&file).unwrap().ends_with("rest"));
    }

    #[tokio::test]
    async fn a_rotation_that_was_cut_off_goes_on_later() {
        let store = MemoryStore::new();
        let old = KeyRing::generate();
        let vault = Vault::open(store.clone(), old.clone(), clock::system()).await.unwrap();
        vault.put(key(1), &1, Expect::Absent).await.unwrap();
        let both = old.with_new();
        vault.adopt(both.clone()).await.unwrap();
        vault.put(key(2), &2, Expect::Absent).await.unwrap();
        drop(vault);

        let lacking = Vault::open(store.clone(), both.only_newest(), clock::system()).await.unwrap_err();
        assert!(matches!(lacking, Error::WrongIdentity), "old records are still there: {lacking}");
        let again = Vault::open(store, both, clock::system()).await.unwrap();
        assert_eq!(again.list::<u8>(Table::Connections, b"").await.unwrap().len(), 2);
        assert_eq!(again.reseal().await.unwrap().records, 1);
    }

    #[tokio::test]
    async fn one_damaged_record_is_told_of_and_stops_nothing() {
        let store = MemoryStore::new();
        let vault = Vault::open(store.clone(), KeyRing::generate(), clock::system()).await.unwrap();
        for number in 1..=3 {
            vault.put(key(number), &number, Expect::Absent).await.unwrap();
        }
        let mut value = store.get(&key(2)).await.unwrap().unwrap().value;
        value[99] ^= 1;
        let row = |id: &str, value: &[u8]| Change::Put {
            key: Key::raw(Table::Users, id),
            value: value.to_vec(),
            expect: Expect::Anything,
        };
        let damage = Change::Put { key: key(2), value, expect: Expect::Anything };
        store.commit(vec![damage, row("eve", b"{}")], Durability::SurvivesCrash).await.unwrap();
        vault.store().commit(vec![row("ann", b"{}")], Durability::SurvivesCrash).await.unwrap();
        assert_eq!(vault.damaged().await.unwrap().len(), 2);

        vault.adopt(vault.keys().with_new()).await.unwrap();
        let done = vault.reseal().await.unwrap();
        assert_eq!(done.records, 3, "{done:?}");
        assert!(
            matches!(&done.damaged[..], [eve, two] if eve.contains("users|eve") && two.contains("0002")),
            "{done:?}"
        );
        assert_eq!(vault.get::<usize>(&key(3)).await.unwrap().unwrap().value, 3);
        assert_eq!(
            used_keys(&*store).await.unwrap().unwrap().value.keys.len(),
            2,
            "the old identity may still be needed"
        );
    }
}
