//! What every engine must do: one suite, run on each of them.

use std::{sync::Arc, time::Duration};

use super::*;

/// Runs each behaviour on each engine.
macro_rules! on_every_engine {
    ($($behaviour:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $behaviour() { super::$behaviour(super::MemoryStore::new()).await; })*
        }
        #[cfg(all(feature = "postgres", unix))]
        mod postgres {
            $(#[tokio::test] async fn $behaviour() {
                if let Some(schema) = super::super::postgres::server::schema().await {
                    super::$behaviour(schema.open().await).await;
                }
            })*
        }
        mod sled {
            $(#[tokio::test] async fn $behaviour() {
                let dir = tempfile::tempdir().unwrap();
                super::$behaviour(super::SledStore::open(dir.path().join("store")).await.unwrap()).await;
            })*
        }
    };
}

on_every_engine! {
    what_is_written_can_be_read
    a_commit_happens_whole_or_not_at_all
    one_commit_may_touch_a_record_twice
    versions_never_come_back
    of_many_writers_that_expect_the_same_one_wins
    scans_are_ordered_and_come_in_pages
    scans_go_backwards_too
    scans_stay_within_table_and_prefix
    all_pages_of_a_scan_are_found
    a_value_that_is_too_large_is_refused
    empty_values_and_odd_ids_are_kept
    a_lease_has_one_holder
    a_lease_that_ran_out_is_somebody_elses
    watchers_hear_of_their_table
    a_refused_commit_is_not_announced
    a_slow_watcher_is_told_that_it_missed_something
    the_report_counts_records
    debug_tells_no_records
}

const CRASH: Durability = Durability::SurvivesCrash;

fn key(table: Table, id: &str) -> Key {
    Key::raw(table, id)
}

fn put(table: Table, id: &str, value: &str, expect: Expect) -> Change {
    Change::Put { key: key(table, id), value: value.into(), expect }
}

async fn value(store: &dyn Store, table: Table, id: &str) -> Option<String> {
    let stored = store.get(&key(table, id)).await.unwrap()?;
    Some(String::from_utf8(stored.value).unwrap())
}

async fn write(store: &dyn Store, changes: Vec<Change>) -> u64 {
    store.commit(changes, CRASH).await.unwrap()
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|(id, _)| std::str::from_utf8(id).unwrap()).collect()
}

async fn what_is_written_can_be_read(store: Arc<dyn Store>) {
    let users = key(Table::Users, "a");
    assert_eq!(store.get(&users).await.unwrap(), None);
    let version = store
        .commit(vec![put(Table::Users, "a", "one", Expect::Absent)], Durability::MustSurvivePowerLoss)
        .await
        .unwrap();
    assert_eq!(store.get(&users).await.unwrap(), Some(Versioned { value: b"one".to_vec(), version }));
    assert_eq!(value(&*store, Table::Agents, "a").await, None, "tables are apart");
    write(&*store, vec![Change::Delete { key: users.clone(), expect: Expect::Version(version) }]).await;
    assert_eq!(store.get(&users).await.unwrap(), None);
}

async fn a_commit_happens_whole_or_not_at_all(store: Arc<dyn Store>) {
    write(&*store, vec![put(Table::Users, "a", "old", Expect::Absent)]).await;
    let changes = vec![
        put(Table::Users, "a", "new", Expect::Anything),
        put(Table::Agents, "b", "new", Expect::Anything),
        put(Table::Users, "c", "new", Expect::Version(99)),
    ];
    let refused = store.commit(changes, CRASH).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(at) if *at == key(Table::Users, "c")), "{refused}");
    assert_eq!(value(&*store, Table::Users, "a").await.as_deref(), Some("old"));
    assert_eq!(value(&*store, Table::Agents, "b").await, None);
}

async fn one_commit_may_touch_a_record_twice(store: Arc<dyn Store>) {
    let changes = vec![
        put(Table::Users, "a", "one", Expect::Absent),
        Change::Delete { key: key(Table::Users, "a"), expect: Expect::Anything },
        put(Table::Users, "a", "two", Expect::Absent),
    ];
    write(&*store, changes).await;
    assert_eq!(value(&*store, Table::Users, "a").await.as_deref(), Some("two"));
    assert_eq!(store.report().await.unwrap().records_of(Table::Users), 1);
}

async fn versions_never_come_back(store: Arc<dyn Store>) {
    let first = write(&*store, vec![put(Table::Users, "a", "x", Expect::Absent)]).await;
    write(&*store, vec![Change::Delete { key: key(Table::Users, "a"), expect: Expect::Anything }]).await;
    let second = write(&*store, vec![put(Table::Users, "a", "x", Expect::Absent)]).await;
    assert!(second > first, "{second} {first}");
    let late = store.commit(vec![put(Table::Users, "a", "y", Expect::Version(first))], CRASH).await;
    assert!(late.unwrap_err().is_conflict());
}

async fn of_many_writers_that_expect_the_same_one_wins(store: Arc<dyn Store>) {
    let version = write(&*store, vec![put(Table::Users, "a", "0", Expect::Absent)]).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let store = Arc::clone(&store);
        let change = put(Table::Users, "a", &writer.to_string(), Expect::Version(version));
        writers.spawn(async move { store.commit(vec![change], CRASH).await });
    }
    let results = writers.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.into_iter().filter_map(Result::err).all(|error| error.is_conflict()));
}

async fn scans_are_ordered_and_come_in_pages(store: Arc<dyn Store>) {
    write(&*store, ["b", "a", "d", "c"].map(|id| put(Table::Audit, id, id, Expect::Absent)).into()).await;
    let first = store.scan(Table::Audit, b"", None, 3).await.unwrap();
    assert_eq!(ids(&first), ["a", "b", "c"]);
    assert_eq!(first[1].1.value, b"b");
    let rest = store.scan(Table::Audit, b"", Some(b"c"), 3).await.unwrap();
    assert_eq!(ids(&rest), ["d"]);
    assert!(store.scan(Table::Audit, b"", Some(b"d"), 3).await.unwrap().is_empty());
}

async fn scans_go_backwards_too(store: Arc<dyn Store>) {
    write(&*store, ["1a", "1b", "1c", "2a"].map(|id| put(Table::Audit, id, id, Expect::Absent)).into()).await;
    assert_eq!(ids(&store.scan_back(Table::Audit, b"", None, 2).await.unwrap()), ["2a", "1c"]);
    assert_eq!(ids(&store.scan_back(Table::Audit, b"1", None, 2).await.unwrap()), ["1c", "1b"]);
    assert_eq!(ids(&store.scan_back(Table::Audit, b"1", Some(b"1b"), 9).await.unwrap()), ["1a"]);
    assert!(store.scan_back(Table::Audit, b"1", Some(b"1a"), 9).await.unwrap().is_empty());
}

async fn scans_stay_within_table_and_prefix(store: Arc<dyn Store>) {
    let all = ["ann\0x", "ann\0y", "anna\0x", "an"];
    write(&*store, all.map(|id| put(Table::Connections, id, "", Expect::Absent)).into()).await;
    write(&*store, vec![put(Table::Agents, "ann\0z", "", Expect::Absent)]).await;
    let prefix = prefix(Table::Connections, &["ann"]).unwrap();
    let found = store.scan(Table::Connections, &prefix, None, 9).await.unwrap();
    assert_eq!(ids(&found), ["ann\0x", "ann\0y"]);
    assert_eq!(ids(&store.scan(Table::Connections, &prefix, Some(b"a"), 9).await.unwrap()), ["ann\0x", "ann\0y"]);
    assert!(store.scan(Table::Connections, &prefix, Some(b"z"), 9).await.unwrap().is_empty());
}

async fn all_pages_of_a_scan_are_found(store: Arc<dyn Store>) {
    for count in [PAGE, PAGE + 1] {
        let puts = (0..count).map(|id| put(Table::Users, &format!("{id:04}"), "", Expect::Anything));
        write(&*store, puts.collect()).await;
        let all = scan_all(&*store, Table::Users, b"").await.unwrap();
        assert_eq!(all.len(), count);
        assert!(all.is_sorted_by_key(|(id, _)| id.clone()));
    }
}

async fn a_value_that_is_too_large_is_refused(store: Arc<dyn Store>) {
    let sized = |bytes| Change::Put { key: key(Table::Users, "a"), value: vec![7; bytes], expect: Expect::Anything };
    write(&*store, vec![sized(MAX_VALUE)]).await;
    let refused = store.commit(vec![sized(MAX_VALUE + 1)], CRASH).await.unwrap_err();
    assert!(matches!(refused, Error::TooLarge { bytes, .. } if bytes == MAX_VALUE + 1), "{refused}");
    assert_eq!(store.get(&key(Table::Users, "a")).await.unwrap().unwrap().value.len(), MAX_VALUE);
}

async fn empty_values_and_odd_ids_are_kept(store: Arc<dyn Store>) {
    let odd = Key::raw(Table::Sessions, vec![0, 255, 10]);
    write(&*store, vec![Change::Put { key: odd.clone(), value: Vec::new(), expect: Expect::Absent }]).await;
    assert_eq!(store.get(&odd).await.unwrap().unwrap().value, b"");
    assert_eq!(store.scan(Table::Sessions, &[0, 255], None, 9).await.unwrap().len(), 1);
}

async fn a_lease_has_one_holder(store: Arc<dyn Store>) {
    let minute = Duration::from_mins(1);
    let lease = store.acquire_lease("refresh", "node-1", minute).await.unwrap().expect("nobody has it");
    assert_eq!((lease.name.as_str(), lease.holder.as_str()), ("refresh", "node-1"));
    assert_eq!(store.acquire_lease("refresh", "node-2", minute).await.unwrap(), None);
    assert_eq!(store.acquire_lease("refresh", "node-1", minute).await.unwrap(), None, "not even its holder");
    assert!(store.acquire_lease("other", "node-2", minute).await.unwrap().is_some());
    assert!(store.renew_lease(&lease, minute).await.unwrap());
    store.release_lease(lease.clone()).await.unwrap();
    assert!(!store.renew_lease(&lease, minute).await.unwrap());
    assert!(store.acquire_lease("refresh", "node-2", minute).await.unwrap().is_some());
}

async fn a_lease_that_ran_out_is_somebody_elses(store: Arc<dyn Store>) {
    let old = store.acquire_lease("refresh", "node-1", Duration::from_millis(1)).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let minute = Duration::from_mins(1);
    assert!(!store.renew_lease(&old, minute).await.unwrap());
    let new = store.acquire_lease("refresh", "node-2", minute).await.unwrap().expect("it ran out");
    assert!(new.fence > old.fence);
    store.release_lease(old).await.unwrap();
    assert!(store.renew_lease(&new, minute).await.unwrap(), "the old holder cannot give the new one's away");
}

async fn watchers_hear_of_their_table(store: Arc<dyn Store>) {
    let mut watch = store.watch(Table::Agents);
    write(&*store, vec![put(Table::Users, "u", "", Expect::Absent), put(Table::Agents, "a", "", Expect::Absent)]).await;
    assert_eq!(watch.next().await, Some(Seen::Changed(key(Table::Agents, "a"))));
    write(&*store, vec![Change::Delete { key: key(Table::Agents, "a"), expect: Expect::Anything }]).await;
    assert_eq!(watch.next().await, Some(Seen::Changed(key(Table::Agents, "a"))));
    drop(store);
    assert_eq!(watch.next().await, None);
}

async fn a_refused_commit_is_not_announced(store: Arc<dyn Store>) {
    let mut watch = store.watch(Table::Agents);
    store.commit(vec![put(Table::Agents, "a", "", Expect::Version(1))], CRASH).await.unwrap_err();
    write(&*store, vec![put(Table::Agents, "b", "", Expect::Absent)]).await;
    assert_eq!(watch.next().await, Some(Seen::Changed(key(Table::Agents, "b"))));
}

async fn a_slow_watcher_is_told_that_it_missed_something(store: Arc<dyn Store>) {
    let (mut watch, mut quick) = (store.watch(Table::Audit), store.watch(Table::Audit));
    write(&*store, (0..3000).map(|id| put(Table::Audit, &id.to_string(), "", Expect::Absent)).collect()).await;
    // News of a server arrive a while after the commit: the watcher is slow only once all of them are here.
    let last = Seen::Changed(key(Table::Audit, "2999"));
    while quick.next().await.expect("the store is still there") != last {}
    assert_eq!(watch.next().await, Some(Seen::Missed));
}

async fn the_report_counts_records(store: Arc<dyn Store>) {
    let before = store.report().await.unwrap();
    write(&*store, ["a", "b"].map(|id| put(Table::Users, id, "x", Expect::Absent)).into()).await;
    write(&*store, vec![Change::Delete { key: key(Table::Users, "a"), expect: Expect::Anything }]).await;
    let after = store.report().await.unwrap();
    assert_eq!((before.records_of(Table::Users), after.records_of(Table::Users)), (0, 1));
    assert_eq!(after.records.len(), Table::ALL.len());
}

async fn debug_tells_no_records(store: Arc<dyn Store>) {
    write(&*store, vec![put(Table::OAuthStates, "state-1", "verifier-1", Expect::Absent)]).await;
    let text = format!("{store:?} {store:#?}");
    for told in ["state-1", "verifier-1", &format!("{:?}", b"state-1"), &format!("{:?}", b"verifier-1")] {
        assert!(!text.contains(told), "{text}");
    }
}
