//! The master identity in the keyring of the operating system: Keychain, Credential Manager, Secret Service.
//!
//! The crate `keyring` is taken because it speaks to all three in pure Rust; it brings many crates along on Linux and
//! is therefore a feature of its own.

use std::{panic, thread};

use zeroize::Zeroizing;

use super::{Error, Result};
use crate::secret::Secret;

/// Under which name the entry is found.
const SERVICE: &str = "switchboard";

/// One entry of the keyring.
pub(super) struct Drawer {
    entry: keyring_core::Entry,
    name: String,
}

impl Drawer {
    /// The entry of this system's keyring for the data directory `name`.
    pub(super) fn of_this_system(name: &str) -> Result<Drawer> {
        let entry = apart(|| keyring::Entry::new(SERVICE, name)).map_err(|error| locked(name, &error))?;
        Ok(Drawer { entry: entry.inner, name: name.to_owned() })
    }

    /// The identities in it, one a line; `None` when there is no such entry.
    pub(super) fn read(&self) -> Result<Option<Secret>> {
        match apart(|| self.entry.get_password()).map(Zeroizing::new) {
            Ok(text) => Ok(Some(Secret::new(text.as_str()))),
            Err(keyring_core::Error::NoEntry) => Ok(None),
            Err(error) => Err(locked(&self.name, &error)),
        }
    }

    /// Puts identities in place of what is there.
    pub(super) fn write(&self, text: &Secret) -> Result<()> {
        apart(|| self.entry.set_password(text.expose())).map_err(|error| locked(&self.name, &error))
    }
}

/// Some of these keyrings are asked through a runtime of their own, which must not start within another one.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| panic::resume_unwind(panic))
}

/// The texts of these errors name entries and platforms, never a secret.
fn locked(name: &str, error: &keyring_core::Error) -> Error {
    let hint = "unlock the keyring of this system, or keep the identity elsewhere (docs/operating.md)";
    Error::BadIdentity { origin: format!("the keyring, entry `{name}`"), why: format!("{error}; {hint}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keyring_core::{CredentialStore, mock};

    use super::*;
    use crate::{
        clock,
        store::{Expect, Key, MemoryStore, Table},
        vault::{KeyRing, Vault},
    };

    /// A keyring that is nobody's.
    fn keyring() -> Arc<CredentialStore> {
        mock::Store::new().unwrap()
    }

    fn drawer(keyring: &Arc<CredentialStore>) -> Drawer {
        Drawer { entry: keyring.build(SERVICE, "/home/ann", None).unwrap(), name: "/home/ann".into() }
    }

    #[tokio::test]
    async fn the_first_start_puts_an_identity_in_and_the_next_finds_it() {
        let (keyring, store) = (keyring(), MemoryStore::new());
        let first = KeyRing::of_drawer(&drawer(&keyring), &*store).await.unwrap();
        let again = KeyRing::of_drawer(&drawer(&keyring), &*store).await.unwrap();
        assert_eq!(first.newest().id(), again.newest().id());
    }

    #[tokio::test]
    async fn over_sealed_records_no_identity_is_made() {
        let store = MemoryStore::new();
        Vault::open(store.clone(), KeyRing::generate(), clock::system()).await.unwrap();
        let refused = KeyRing::of_drawer(&drawer(&keyring()), &*store).await.unwrap_err();
        assert!(matches!(refused, Error::IdentityMissing(_)), "{refused}");
    }

    #[tokio::test]
    async fn a_rotation_puts_the_new_identity_in_front() {
        let (keyring, store) = (keyring(), MemoryStore::new());
        let keys = KeyRing::of_drawer(&drawer(&keyring), &*store).await.unwrap();
        let vault = Vault::open(store.clone(), keys, clock::system()).await.unwrap();
        let key = Key::raw(Table::Connections, "a");
        vault.put(key.clone(), &7, Expect::Absent).await.unwrap();
        assert_eq!(vault.rotate_in(&drawer(&keyring)).await.unwrap(), 1);
        let keys = KeyRing::of_drawer(&drawer(&keyring), &*store).await.unwrap();
        assert_eq!(keys.len(), 2);
        let again = Vault::open(store, keys, clock::system()).await.unwrap();
        assert_eq!(again.get::<u8>(&key).await.unwrap().unwrap().value, 7);
    }

    #[test]
    fn a_locked_keyring_is_named_and_says_what_to_do() {
        let drawer = drawer(&keyring());
        let cred: &mock::Cred = drawer.entry.as_any().downcast_ref().unwrap();
        cred.set_error(keyring_core::Error::NoDefaultStore);
        let refused = drawer.read().unwrap_err().to_string();
        assert!(refused.contains("the keyring, entry `/home/ann`") && refused.contains("unlock"), "{refused}");
    }
}
