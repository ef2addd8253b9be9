//! A store that is carried in one sealed file: what arrives, and what is refused.

use age::{secrecy::ExposeSecret, x25519};

use super::*;
use crate::{
    clock,
    secret::Secret,
    store::{Change, Durability, Expect, MemoryStore, SharedStore},
    vault::KeyRing,
};

async fn vault() -> Vault {
    Vault::open(MemoryStore::new(), KeyRing::generate(), clock::system()).await.unwrap()
}

fn connection(id: &str) -> Key {
    Key::raw(Table::Connections, id)
}

async fn plain(store: &SharedStore, table: Table, id: &str, value: &str) {
    let put = Change::Put { key: Key::raw(table, id), value: value.into(), expect: Expect::Anything };
    store.commit(vec![put], Durability::SurvivesCrash).await.unwrap();
}

/// A vault with a bit of everything.
async fn filled() -> Vault {
    let vault = vault().await;
    vault.put(connection("ann|gmail"), &"hush-1", Expect::Absent).await.unwrap();
    vault.put(Key::raw(Table::OAuthApps, "google"), &"hush-2", Expect::Absent).await.unwrap();
    vault.put(Key::raw(Table::OAuthStates, "state"), &"over soon", Expect::Absent).await.unwrap();
    for (table, id) in [(Table::Users, "ann"), (Table::Agents, "desk"), (Table::Audit, "1"), (Table::Sessions, "s")] {
        plain(vault.store(), table, id, "{}").await;
    }
    vault
}

/// A lock and what opens it, without the second of work that a passphrase costs.
fn pair() -> (Lock, Opener) {
    let identity = x25519::Identity::generate();
    let text = Secret::new(identity.to_string().expose_secret());
    (Lock::Recipient(identity.to_public().to_string()), Opener::Identities(text))
}

async fn refused<T: std::fmt::Debug>(work: impl Future<Output = Result<T>>) -> String {
    work.await.unwrap_err().to_string()
}

#[tokio::test]
async fn everything_that_lasts_arrives_and_is_sealed_for_its_new_home() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.age");
    let (lock, opener) = pair();
    let exported = filled().await.export(&file, lock).await.unwrap();
    assert_eq!(exported.records.iter().map(|(_, count)| count).sum::<u64>(), 5, "{exported:?}");
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(4).any(|window| window == b"hush"), "it is sealed");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");

    let home = vault().await;
    let done = home.import(&file, opener.clone(), Clash::Refuse).await.unwrap().0;
    assert_eq!(done, Imported { added: 4, audit: 1, ..Imported::default() });
    assert_eq!(home.get::<String>(&connection("ann|gmail")).await.unwrap().unwrap().value, "hush-1");
    let report = home.store().report().await.unwrap();
    assert_eq!(
        [Table::Sessions, Table::OAuthStates, Table::Audit].map(|table| report.records_of(table)),
        [0, 0, 0],
        "lines are handed out"
    );

    let again = home.import(&file, opener, Clash::Refuse).await.unwrap().0;
    assert_eq!(again, Imported { same: 4, audit: 1, ..Imported::default() }, "once more does no harm");
}

#[tokio::test]
async fn a_damaged_record_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.age");
    let (lock, opener) = pair();
    let vault = filled().await;
    let stored = vault.store().get(&connection("ann|gmail")).await.unwrap().unwrap();
    let mut value = stored.value;
    value[99] ^= 1;
    let damage = Change::Put { key: connection("ann|gmail"), value, expect: Expect::Anything };
    vault.store().commit(vec![damage], Durability::SurvivesCrash).await.unwrap();
    let exported = vault.export(&file, lock).await.unwrap();
    assert!(
        matches!(&exported.left_out[..], [only] if only.contains("ann\\|gmail") && only.contains("damaged")),
        "{exported:?}"
    );
    assert_eq!(exported.records.iter().map(|(_, count)| count).sum::<u64>(), 4, "{exported:?}");
    let home = self::vault().await;
    let done = home.import(&file, opener, Clash::Refuse).await.unwrap().0;
    assert_eq!(done, Imported { added: 3, audit: 1, ..Imported::default() });
}

#[tokio::test]
async fn what_says_something_else_is_refused_kept_or_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.age");
    let (lock, opener) = pair();
    filled().await.export(&file, lock).await.unwrap();
    let home = vault().await;
    home.put(connection("ann|gmail"), &"ours", Expect::Absent).await.unwrap();

    let why = refused(home.import(&file, opener.clone(), Clash::Refuse)).await;
    assert!(why.contains("ann") && why.contains("nothing was imported"), "{why}");
    assert_eq!(home.store().report().await.unwrap().records_of(Table::Users), 0);

    let kept = home.import(&file, opener.clone(), Clash::Keep).await.unwrap().0;
    assert_eq!((kept.kept, kept.added), (1, 3));
    let ours = home.get::<String>(&connection("ann|gmail")).await.unwrap().unwrap().value;
    assert_eq!(ours, "ours");

    let replaced = home.import(&file, opener, Clash::Replace).await.unwrap().0;
    assert_eq!((replaced.replaced, replaced.same), (1, 3));
    assert_eq!(home.get::<String>(&connection("ann|gmail")).await.unwrap().unwrap().value, "hush-1");
}

#[tokio::test]
async fn a_passphrase_opens_its_own_file_only() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.age");
    let vault = vault().await;
    let short = refused(vault.export(&file, Lock::Passphrase(Secret::new("horse")))).await;
    assert!(short.contains("fewer than 12") && !file.exists(), "{short}");
    vault.export(&file, Lock::Passphrase(Secret::new("correct horse battery"))).await.unwrap();
    let wrong = refused(vault.import(&file, Opener::Passphrase(Secret::new("battery staple x")), Clash::Keep)).await;
    assert!(wrong.contains("does not open it") && !wrong.contains("staple"), "{wrong}");
    vault.import(&file, Opener::Passphrase(Secret::new("correct horse battery")), Clash::Keep).await.unwrap();
}

#[tokio::test]
async fn a_damaged_or_foreign_file_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.age");
    let (lock, opener) = pair();
    filled().await.export(&file, lock.clone()).await.unwrap();
    let taken = refused(filled().await.export(&file, lock)).await;
    assert!(taken.contains("there already"), "{taken}");
    let bytes = std::fs::read(&file).unwrap();
    let home = vault().await;
    for (what, damaged) in [
        ("cut", bytes[..bytes.len() - 20].to_vec()),
        ("flipped", bytes.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == bytes.len() - 40)).collect()),
        ("empty", Vec::new()),
        ("foreign", b"hello".to_vec()),
    ] {
        std::fs::write(&file, damaged).unwrap();
        let why = refused(home.import(&file, opener.clone(), Clash::Replace)).await;
        assert!(why.contains("all.age"), "{what}: {why}");
        assert_eq!(home.store().report().await.unwrap().records_of(Table::Users), 0, "{what}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_an_export() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.age");
    filled().await.export(&file, pair().0).await.unwrap();
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}
