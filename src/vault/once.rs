//! The key that tickets and sessions are signed with, and what was done once for all in this store.
//!
//! Both are one sealed record: whoever can write to the store can take it away, but not make it say that something was
//! not done yet.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Error, Opened, Result, Vault};
use crate::{
    id::{self, Entropy},
    secret::{self, Secret},
    store::{Expect, Key, Table},
};

/// Something that is done once for all in a store that an earlier program has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Once {
    /// Its rows were taken for ours, and got their codes.
    Rows,
    /// The lines of its audit were taken for true, and got their chain.
    Audit,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(serialize_with = "secret::exposed")]
    key: Secret,
    #[serde(default)]
    done: BTreeSet<Once>,
}

impl Vault {
    /// The key that tickets and sessions are signed with: made once, the same for all processes and nodes of a store.
    pub async fn signing_key(&self, entropy: &dyn Entropy) -> Result<Secret> {
        if let Some(kept) = self.kept().await? {
            return Ok(kept.value.key);
        }
        // A new store: there is nothing from before.
        let fresh = Kept { key: id::token(entropy), done: [Once::Rows, Once::Audit].into() };
        match self.put(record(), &fresh, Expect::Absent).await {
            Ok(_) => Ok(fresh.key),
            Err(error) if error.is_conflict() => {
                let kept = self.kept().await?;
                kept.map(|kept| kept.value.key).ok_or_else(|| Error::Unfitting(record()))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether an earlier program has written this store, and `what` is still to be done in it.
    pub async fn is_due(&self, what: Once) -> Result<bool> {
        Ok(self.kept().await?.is_some_and(|kept| !kept.value.done.contains(&what)))
    }

    /// Notes that `what` is done.
    pub async fn note_done(&self, what: Once) -> Result<()> {
        loop {
            let Some(Opened { mut value, version }) = self.kept().await? else { return Ok(()) };
            value.done.insert(what);
            match self.put(record(), &value, Expect::Version(version)).await {
                Err(error) if error.is_conflict() => {}
                other => return other.map(drop),
            }
        }
    }

    /// Whether there is such a key; it is not shown.
    pub(super) async fn kept_signing_key(&self) -> Result<Option<u64>> {
        Ok(self.kept().await?.map(|kept| kept.version))
    }

    async fn kept(&self) -> Result<Option<Opened<Kept>>> {
        self.get(&record()).await
    }
}

fn record() -> Key {
    Key::raw(Table::Meta, "signing-key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::SeededEntropy, vault::tests::vault};

    #[tokio::test]
    async fn a_new_store_has_nothing_to_do_and_an_old_one_once() {
        let vault = vault().await;
        assert!(!vault.is_due(Once::Rows).await.unwrap(), "without the record nothing is believed to be old");
        let key = vault.signing_key(&*SeededEntropy::new(1)).await.unwrap();
        assert!(!vault.is_due(Once::Rows).await.unwrap());
        // What the version before kept.
        vault.put(record(), &serde_json::json!({"key": key.expose()}), Expect::Anything).await.unwrap();
        assert!(vault.is_due(Once::Rows).await.unwrap() && vault.is_due(Once::Audit).await.unwrap());
        vault.note_done(Once::Rows).await.unwrap();
        assert!(!vault.is_due(Once::Rows).await.unwrap() && vault.is_due(Once::Audit).await.unwrap());
        let same = vault.signing_key(&*SeededEntropy::new(2)).await.unwrap();
        assert_eq!(same.expose(), key.expose());
    }
}
