//! Going through the whole audit: taking out what is too much or too old, taking over what is from before the chain, and
//! checking all of it.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    chain::{Check, Gap, Head, SEALS, Seals, Verdict, gap_key},
    entry::Stored,
    retention::{Known, Lines, Retention},
    writer::{Line, chained, put_head, read_head},
};
use crate::store::{self, Change, Durability, Expect, Key, Store, Table};

/// How many lines are read at once, and how many one commit takes away or takes over.
const GROUP: usize = 500;

/// One node at a time goes through all of it.
const LEASE: Duration = Duration::from_mins(5);
const NAME: &str = "audit";
/// How often another node is waited for, and how long each time.
const TURNS: u32 = 600;
const TURN: Duration = Duration::from_millis(100);

/// Takes out what gives way; the answer is how many lines. When another node is at it, there is nothing to do.
pub(super) async fn sweep(store: &dyn Store, retention: &Retention, now: Timestamp) -> store::Result<u64> {
    let Some(lease) = store.acquire_lease(NAME, "sweep", LEASE).await? else { return Ok(0) };
    let done = try_sweep(store, retention, now).await;
    store.release_lease(lease).await?;
    done
}

async fn try_sweep(store: &dyn Store, retention: &Retention, now: Timestamp) -> store::Result<u64> {
    let mut lines = Lines::default();
    for_each_line(store, |id, value| lines.take(id, &value)).await?;
    let doomed = lines.doomed(retention, now);
    if doomed.is_empty() {
        return Ok(0);
    }
    let mut gaps = seals(store).await?.0.gaps;
    for group in doomed.chunks(GROUP) {
        let mut changes: Vec<Change> =
            group.iter().map(|line| delete(Key::raw(Table::Audit, line.id.as_slice()))).collect();
        changes.extend(open_gaps(&mut gaps, group));
        store.commit(changes, Durability::SurvivesCrash).await?;
    }
    Ok(doomed.len() as u64)
}

/// The changes that say of `lines` that they were taken out; gaps that meet become one.
fn open_gaps(gaps: &mut BTreeMap<u64, Gap>, lines: &[Known]) -> Vec<Change> {
    let mut touched: BTreeMap<u64, Option<Gap>> = BTreeMap::new();
    for line in lines {
        let n = line.place.n;
        let mut gap = Gap { from: n, to: n, before: line.place.prev, after: line.link };
        let left = gaps.range(..n).next_back().map(|(_, left)| *left).filter(|left| left.to + 1 == n);
        if let Some(left) = left {
            gap = Gap { from: left.from, before: left.before, ..gap };
        }
        if let Some(right) = gaps.remove(&(n + 1)) {
            touched.insert(right.from, None);
            gap = Gap { to: right.to, after: right.after, ..gap };
        }
        gaps.insert(gap.from, gap);
        touched.insert(gap.from, Some(gap));
    }
    let change = |(from, gap): (u64, Option<Gap>)| match gap {
        Some(gap) => {
            let value = serde_json::to_vec(&gap).unwrap_or_default();
            Change::Put { key: gap_key(from), value, expect: Expect::Anything }
        }
        None => delete(gap_key(from)),
    };
    touched.into_iter().map(change).collect()
}

fn delete(key: Key) -> Change {
    Change::Delete { key, expect: Expect::Anything }
}

/// Puts the lines that an earlier program wrote into the chain. Called once, while the store is known to be of before:
/// from then on a line without a place is somebody else's.
pub(super) async fn take_over(store: &dyn Store) -> store::Result<u64> {
    let lease = wait_for_turn(store).await?;
    let done = try_take_over(store).await;
    store.release_lease(lease).await?;
    done
}

async fn try_take_over(store: &dyn Store) -> store::Result<u64> {
    let mut after: Option<Vec<u8>> = None;
    let mut count = 0;
    loop {
        let page = store.scan(Table::Audit, b"", after.as_deref(), GROUP).await?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = Some(last.clone());
        let lines: Vec<Line> = page
            .into_iter()
            .filter_map(|(id, stored)| {
                let Stored { entry, chain: None } = Stored::decode(&stored.value)? else { return None };
                Some(Line { id, entry, old: true })
            })
            .collect();
        if lines.is_empty() {
            continue;
        }
        let (head, expect) = read_head(store).await?;
        let (changes, next) = chained(&lines, head);
        let mut changes: Vec<Change> = changes.into_iter().map(over).collect();
        changes.push(put_head(next, expect));
        store.commit(changes, Durability::SurvivesCrash).await?;
        count += lines.len() as u64;
    }
}

/// The same change over what stands there.
fn over(change: Change) -> Change {
    match change {
        Change::Put { key, value, .. } => Change::Put { key, value, expect: Expect::Anything },
        other @ Change::Delete { .. } => other,
    }
}

/// Checks the whole audit, and whether a head that was kept elsewhere lies on its chain.
pub(super) async fn verify(store: &dyn Store, kept: Option<Head>) -> store::Result<Verdict> {
    // Nothing may be taken out meanwhile.
    let lease = wait_for_turn(store).await?;
    let verdict = try_verify(store, kept).await;
    store.release_lease(lease).await?;
    verdict
}

async fn try_verify(store: &dyn Store, kept: Option<Head>) -> store::Result<Verdict> {
    let (seals, untrusted) = seals(store).await?;
    let mut check = Check::default();
    for finding in untrusted {
        check.find(finding);
    }
    for_each_line(store, |id, value| check.line(&id, &value, seals.head)).await?;
    Ok(check.finish(&seals, kept))
}

async fn wait_for_turn(store: &dyn Store) -> store::Result<store::Lease> {
    for _ in 0..TURNS {
        if let Some(lease) = store.acquire_lease(NAME, "all", LEASE).await? {
            return Ok(lease);
        }
        tokio::time::sleep(TURN).await;
    }
    Err(store::Error::Away("another node has been going through the audit for a minute".to_owned()))
}

/// What vouches for the lines, and what about it is not as it should be.
async fn seals(store: &dyn Store) -> store::Result<(Seals, Vec<String>)> {
    let mut seals = Seals::default();
    let mut wrong = Vec::new();
    let rows = store::scan_all(store, Table::Meta, SEALS).await?;
    for (id, row) in rows {
        if let Err(why) = seals.take(&id, &row.value) {
            wrong.push(format!("{why}."));
        }
    }
    Ok((seals, wrong))
}

async fn for_each_line(store: &dyn Store, mut take: impl FnMut(Vec<u8>, Vec<u8>)) -> store::Result<()> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = store.scan(Table::Audit, b"", after.as_deref(), GROUP).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        for (id, stored) in page {
            take(id, stored.value);
        }
        // The next page may be there already: others get their turn first.
        tokio::task::yield_now().await;
    }
}
