//! The layout of records: an older store is brought forward when it is opened, and a sealed copy of it stays.
//!
//! A step changes the JSON of records, sealed or not. Steps are made so that doing one twice is doing it once: a start
//! that is cut off begins anew. The number of the layout is written down last.

use std::{path::Path, time::Duration};

use serde_json::Value;

use super::{
    Error, Lock, Once, Result, Vault,
    carry::{Uncoded, export},
    rows, seal,
};
use crate::store::{self, Change, Durability, Expect, Key, Record, SCHEMA_VERSION, Table};

/// One step forward.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The layout that it leads to.
    to: u32,
    /// Changes the content of a record, where it has to be changed.
    change: fn(&Key, &mut Value),
}

/// All steps, in order.
const STEPS: &[Step] = &[];

/// The layout from which on rows that are not sealed carry a code.
const CODED: u32 = 2;

/// How many records one commit changes.
const GROUP: usize = 100;

/// How long one node may take to bring the store of all forward.
const LEASE: Duration = Duration::from_mins(10);

/// How often the others look whether it has.
const LOOK: Duration = Duration::from_millis(200);

impl Vault {
    /// Brings the store to the layout of this program. The copy of what was there before is called
    /// `before-layout-<n>.age`, lies in `dir`, and opens with the present master identity.
    pub async fn bring_forward(&self, dir: &Path) -> Result<()> {
        self.bring_to(SCHEMA_VERSION, STEPS, dir).await
    }

    async fn bring_to(&self, wanted: u32, steps: &[Step], dir: &Path) -> Result<()> {
        loop {
            let found = self.layout().await?;
            if found > wanted {
                return Err(store::Error::Newer { found, known: wanted }.into());
            }
            if found == wanted {
                return Ok(());
            }
            if self.is_empty().await? {
                return self.note_layout(wanted).await;
            }
            // Of several nodes that start at once, one does it.
            if let Some(lease) = self.store().acquire_lease("layout", "layout", LEASE).await? {
                let done = self.step_up(found, wanted, steps, dir).await;
                self.store().release_lease(lease).await?;
                return done;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The layout that the store has. The first one was not written down in every kind of store.
    async fn layout(&self) -> Result<u32> {
        let Some(stored) = self.store().get(&layout_key()).await? else { return Ok(1) };
        let text = String::from_utf8(stored.value).ok();
        text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::Unfitting(layout_key()))
    }

    async fn step_up(&self, found: u32, wanted: u32, steps: &[Step], dir: &Path) -> Result<()> {
        let is_of_before = found < CODED && wanted >= CODED && self.is_due(Once::Rows).await?;
        let copy = dir.join(format!("before-layout-{wanted}.age"));
        // One that a start before this one made tells more truly what was there.
        if !copy.exists() {
            let own = Lock::Recipient(self.keys().newest().recipient().to_string());
            let uncoded = if is_of_before { Uncoded::TakeAlong } else { Uncoded::LeaveOut };
            export(self, &copy, own, uncoded).await?;
        }
        tracing::warn!(copy = %copy.display(), "bringing the store from layout {found} to {wanted}; a sealed copy stays");
        if is_of_before {
            self.adopt_rows().await?;
            self.note_done(Once::Rows).await?;
        }
        let due: Vec<Step> = steps.iter().copied().filter(|step| step.to > found && step.to <= wanted).collect();
        for table in Table::ALL {
            self.step_table(table, &due).await?;
        }
        self.note_layout(wanted).await
    }

    async fn note_layout(&self, layout: u32) -> Result<()> {
        let value = layout.to_string().into_bytes();
        let note = Change::Put { key: layout_key(), value, expect: Expect::Anything };
        self.store().commit(vec![note], Durability::MustSurvivePowerLoss).await?;
        Ok(())
    }

    /// Whether nothing was ever kept here but what a store notes about itself.
    async fn is_empty(&self) -> Result<bool> {
        let report = self.store().report().await?;
        let records: u64 = report.records.iter().map(|(_, count)| count).sum();
        Ok(records <= 2 && report.records_of(Table::Meta) == records && self.kept_signing_key().await?.is_none())
    }

    /// Gives every row that an earlier program wrote its code. Called once, while the store is known to be of before:
    /// from then on a row without a code is somebody else's.
    async fn adopt_rows(&self) -> Result<()> {
        for table in Table::ALL {
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = self.raw().scan(table, b"", after.as_deref(), GROUP).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                let changes: Vec<Change> = page
                    .into_iter()
                    .map(|(id, stored)| (Key::raw(table, id), stored))
                    .filter(|(key, stored)| {
                        rows::needs_code(key, &stored.value) && rows::key_of(&stored.value).is_none()
                    })
                    .map(|(key, stored)| Change::Put {
                        key,
                        value: stored.value,
                        expect: Expect::Version(stored.version),
                    })
                    .collect();
                if !changes.is_empty() {
                    self.commit(changes).await?;
                }
            }
        }
        Ok(())
    }

    async fn step_table(&self, table: Table, steps: &[Step]) -> Result<()> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.store().scan(table, b"", after.as_deref(), GROUP).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let changes: Result<Vec<Option<Change>>> =
                page.iter().map(|record| self.stepped(table, record, steps)).collect();
            let changes: Vec<Change> = changes?.into_iter().flatten().collect();
            if !changes.is_empty() {
                self.commit(changes).await?;
            }
        }
    }

    /// The change that a record needs; `None` when it needs none, or is no JSON.
    fn stepped(&self, table: Table, (id, stored): &Record, steps: &[Step]) -> Result<Option<Change>> {
        let key = Key::raw(table, id.as_slice());
        let is_sealed = rows::is_sealed(&key, &stored.value);
        let before: Option<Value> = if is_sealed {
            match seal::open(&self.keys(), &key, &stored.value) {
                Ok(text) => serde_json::from_str(&text).ok(),
                // It stays as it is, and is told of wherever it is missed.
                Err(error) if error.is_of_one_record() => None,
                Err(error) => return Err(error),
            }
        } else {
            serde_json::from_slice(&stored.value).ok()
        };
        let Some(before) = before.filter(|_| key != layout_key()) else { return Ok(None) };
        let mut after = before.clone();
        for step in steps {
            (step.change)(&key, &mut after);
        }
        if after == before {
            return Ok(None);
        }
        let expect = Expect::Version(stored.version);
        if is_sealed {
            return self.seal_put(key, &after, expect).map(Some);
        }
        let value = serde_json::to_vec(&after).map_err(|_| Error::Unfitting(key.clone()))?;
        Ok(Some(Change::Put { key, value, expect }))
    }
}

fn layout_key() -> Key {
    Key::raw(Table::Meta, "schema")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::vault::{Clash, Opener, tests::vault};

    /// Renames a member, as a step would.
    const RENAME: Step = Step {
        to: 2,
        change: |key, value| {
            let is_ours = matches!(key.table, Table::Connections | Table::Users);
            if let Some(members) = value.as_object_mut().filter(|_| is_ours)
                && let Some(old) = members.remove("old")
            {
                members.insert("new".into(), old);
            }
        },
    };

    async fn old_store() -> Vault {
        let vault = vault().await;
        let record = serde_json::json!({"old": 7});
        for number in 0..2 * GROUP + 3 {
            vault.put(Key::raw(Table::Connections, format!("{number:04}")), &record, Expect::Absent).await.unwrap();
        }
        let value = record.to_string().into_bytes();
        let plain = Change::Put { key: Key::raw(Table::Users, "ann"), value, expect: Expect::Absent };
        vault.store().commit(vec![plain], Durability::SurvivesCrash).await.unwrap();
        vault
    }

    async fn member(vault: &Vault, id: usize) -> Value {
        let key = Key::raw(Table::Connections, format!("{id:04}"));
        vault.get::<Value>(&key).await.unwrap().unwrap().value
    }

    #[tokio::test]
    async fn an_older_store_is_brought_forward_and_a_sealed_copy_stays() {
        let dir = tempfile::tempdir().unwrap();
        let vault = old_store().await;
        for _ in ["first", "again"] {
            vault.bring_to(2, &[RENAME], dir.path()).await.unwrap();
            assert_eq!(member(&vault, 2 * GROUP).await, serde_json::json!({"new": 7}));
        }
        let user = vault.store().get(&Key::raw(Table::Users, "ann")).await.unwrap().unwrap();
        assert_eq!(user.value, br#"{"new":7}"#);
        assert_eq!(vault.layout().await.unwrap(), 2);

        let copy = dir.path().join("before-layout-2.age");
        let identity = vault.keys().text();
        let back = self::vault().await;
        back.import(&copy, Opener::Identities(identity), Clash::Refuse).await.unwrap();
        assert_eq!(member(&back, 5).await, serde_json::json!({"old": 7}), "the copy is what was there before");
    }

    #[tokio::test]
    async fn a_start_that_was_cut_off_goes_on_and_the_first_copy_stays() {
        let dir = tempfile::tempdir().unwrap();
        let vault = old_store().await;
        vault.step_table(Table::Connections, &[RENAME]).await.unwrap();
        let copy = dir.path().join("before-layout-2.age");
        std::fs::write(&copy, "from the first start").unwrap();
        vault.bring_to(2, &[RENAME], dir.path()).await.unwrap();
        assert_eq!(std::fs::read(copy).unwrap(), b"from the first start");
        assert_eq!(member(&vault, 1).await, serde_json::json!({"new": 7}));
    }

    #[tokio::test]
    async fn a_newer_store_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let vault = old_store().await;
        vault.bring_to(3, &[RENAME], dir.path()).await.unwrap();
        let refused = vault.bring_to(2, &[RENAME], dir.path()).await.unwrap_err().to_string();
        assert!(refused.contains("layout 3"), "{refused}");
    }

    #[tokio::test]
    async fn rows_of_the_version_before_are_taken_over_once() {
        let dir = tempfile::tempdir().unwrap();
        let (store, keys) = (crate::store::MemoryStore::new(), crate::vault::KeyRing::generate());
        let open = async || Vault::open(store.clone(), keys.clone(), crate::clock::system()).await.unwrap();
        let row = |id: &str| Key::raw(Table::Users, id);
        let put = async |id: &str| {
            let put = Change::Put { key: row(id), value: b"{}".to_vec(), expect: Expect::Anything };
            store.commit(vec![put], Durability::SurvivesCrash).await.unwrap();
        };
        let vault = open().await;
        let before = serde_json::json!({"key": "k"});
        vault.put(Key::raw(Table::Meta, "signing-key"), &before, Expect::Absent).await.unwrap();
        put("ann").await;
        vault.bring_forward(dir.path()).await.unwrap();
        assert!(vault.store().get(&row("ann")).await.unwrap().is_some());
        let back = self::vault().await;
        let copy = dir.path().join("before-layout-2.age");
        back.import(&copy, Opener::Identities(keys.text()), Clash::Refuse).await.unwrap();
        assert!(back.store().get(&row("ann")).await.unwrap().is_some(), "the copy has all that was there");

        // Whoever writes one later, or sets the layout back, is not believed.
        put("eve").await;
        let back = Change::Put { key: layout_key(), value: b"1".to_vec(), expect: Expect::Anything };
        store.commit(vec![back], Durability::SurvivesCrash).await.unwrap();
        let again = open().await;
        again.bring_forward(dir.path()).await.unwrap();
        assert!(again.store().get(&row("eve")).await.is_err());
        assert!(again.store().get(&row("ann")).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_new_store_is_of_this_layout_and_needs_no_copy() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault().await;
        vault.bring_forward(dir.path()).await.unwrap();
        assert_eq!(vault.layout().await.unwrap(), SCHEMA_VERSION);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
