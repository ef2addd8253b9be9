//! Which store a run uses: the data directory's own, or one that several nodes share.

use sha2::{Digest, Sha256};

use super::{
    house::Home,
    order::Failure,
    owner::{self, Claim},
};
use crate::{
    config::{Settings, StoreTls},
    id,
    secret::Secret,
    store::{SharedStore, SledStore},
};

/// Which store a run uses.
#[derive(Clone, Debug)]
pub enum Storage {
    /// In the data directory; one process at a time has it open.
    Own,
    /// In the PostgreSQL database at this address.
    Shared(Secret, StoreTls),
}

impl Storage {
    /// The store that flags, environment and settings file name. The sandbox always has one of its own: its accounts
    /// are of no use without its twins.
    pub fn of(home: &Home, settings: &Settings) -> Result<Storage, Failure> {
        if home.is_sandbox {
            return Ok(Storage::Own);
        }
        let Some(url) = settings.store().map_err(Failure::of)? else { return Ok(Storage::Own) };
        Ok(Storage::Shared(url, settings.store_tls().map_err(Failure::of)?))
    }

    /// Whether several processes may have it open at once.
    pub fn is_shared(&self) -> bool {
        matches!(self, Storage::Shared(..))
    }

    /// Claims the data directory for this store, or finds the process on this machine that works on the same one.
    pub async fn claim(&self, home: &Home) -> Result<Claim, Failure> {
        let name = match self {
            Storage::Own => owner::OWNER.to_owned(),
            // Whoever works on another store must not be found.
            Storage::Shared(url, _) => {
                let digest = Sha256::digest(url.expose());
                format!("shared-{}", id::encode_base32hex(&digest[..10]))
            }
        };
        owner::claim_as(&home.dir, &name).await.map_err(Failure::of)
    }

    /// Opens it.
    pub async fn open(&self, home: &Home) -> Result<SharedStore, Failure> {
        match self {
            Storage::Own => {
                let store: SharedStore = SledStore::open(home.dir.join("store")).await.map_err(Failure::of)?;
                Ok(store)
            }
            Storage::Shared(url, tls) => shared(url, *tls).await,
        }
    }
}

#[cfg(feature = "postgres")]
async fn shared(url: &Secret, tls: StoreTls) -> Result<SharedStore, Failure> {
    let store = crate::store::PostgresStore::open(url, tls).await;
    let store: SharedStore = store.map_err(|error| {
        Failure::of(error).next("Is the server up, and is the address in --store or SWITCHBOARD_STORE right?")
    })?;
    Ok(store)
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "the form that it has with PostgreSQL")]
async fn shared(_: &Secret, _: StoreTls) -> Result<SharedStore, Failure> {
    Err(Failure::new("This switchboard was built without PostgreSQL.")
        .next("Leave the store away, or build it with the feature `postgres`."))
}
