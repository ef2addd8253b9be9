//! Whatever is changed, taken out, put in or moved in a written audit is found.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::SignedDuration;

use super::{
    Audit, Class, Entry, Retention, Verdict,
    chain::{Check, Head, SEALS, Seals},
    tests::{entry, over, start},
};
use crate::{
    clock::ManualClock,
    id::{SeededEntropy, SharedEntropy, UserId},
    store::{Change, Durability, Expect, Key, MemoryStore, Store, Table, scan_all},
};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A written audit, as whoever has the files sees it.
#[derive(Clone)]
struct Written {
    lines: Rows,
    seals: Rows,
}

impl Written {
    async fn of(store: &dyn Store) -> Written {
        let all = async |table, prefix: &[u8]| -> Rows {
            let rows = scan_all(store, table, prefix).await.unwrap();
            rows.into_iter().map(|(id, stored)| (id, stored.value)).collect()
        };
        Written { lines: all(Table::Audit, b"").await, seals: all(Table::Meta, SEALS).await }
    }

    fn verdict(&self, kept: Option<Head>) -> Verdict {
        let (mut seals, mut check) = (Seals::default(), Check::default());
        for (id, row) in &self.seals {
            if let Err(why) = seals.take(id, row) {
                check.find(why);
            }
        }
        for (id, value) in &self.lines {
            check.line(id, value, None);
        }
        check.finish(&seals, kept)
    }

    fn nth(&self, number: usize) -> (Vec<u8>, Vec<u8>) {
        let (id, value) = self.lines.iter().nth(number % self.lines.len()).unwrap();
        (id.clone(), value.clone())
    }
}

/// Forty lines that stay, of which some stand beside what retention took out.
async fn written() -> Written {
    let store = MemoryStore::new();
    let lax = over(store.clone(), Retention::default()).await;
    for number in 0..60 {
        let class = if number % 3 == 0 { Class::Change } else { Class::Look };
        let user = UserId::new(if number % 5 == 0 { "bob" } else { "ann" });
        let line = Entry { class, user, tool: format!("tool_{number}"), ..entry(&format!("c-{number}")) };
        lax.record_durably(line).await.unwrap();
    }
    drop(lax);
    let strict = over(store.clone(), Retention { rows_each: 30, ..Retention::default() }).await;
    strict.record_durably(entry("c-last")).await.unwrap();
    let clean = strict.verify(None).await.unwrap();
    assert!(clean.findings.is_empty() && clean.taken_out > 5, "{clean:?}");
    Written::of(&*store).await
}

struct Dice(SharedEntropy);

impl Dice {
    fn below(&self, most: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % most as u64).unwrap()
    }
}

/// One thing that somebody does to it; its name.
fn tamper(audit: &mut Written, dice: &Dice) -> &'static str {
    let (id, mut value) = audit.nth(dice.below(1_000));
    match dice.below(9) {
        0 => {
            let at = dice.below(value.len());
            value[at] ^= 1 << dice.below(8);
            audit.lines.insert(id, value);
            "a flipped bit"
        }
        1 => {
            let at = dice.below(value.len());
            value.remove(at);
            audit.lines.insert(id, value);
            "a byte less"
        }
        2 => {
            audit.lines.remove(&id);
            "a line taken out"
        }
        3 => {
            for _ in 0..=dice.below(audit.lines.len() - 1) {
                audit.lines.pop_last();
            }
            "the end cut off"
        }
        4 => {
            let (other, instead) = audit.nth(dice.below(1_000));
            if other == id {
                audit.lines.remove(&id);
            } else {
                audit.lines.insert(id, instead);
                audit.lines.insert(other, value);
            }
            "two lines swapped"
        }
        5 => {
            let mut elsewhere = id.clone();
            let at = dice.below(elsewhere.len());
            elsewhere[at] = elsewhere[at].wrapping_add(1);
            if audit.lines.contains_key(&elsewhere) {
                audit.lines.remove(&id);
            } else {
                let value = audit.lines.remove(&id).unwrap();
                audit.lines.insert(elsewhere, value);
            }
            "a line moved"
        }
        6 => {
            let plain = serde_json::to_vec(&entry("c-forged")).unwrap();
            audit.lines.insert([&id[..], b"x"].concat(), if dice.below(2) == 0 { plain } else { value });
            "a line put in"
        }
        7 => {
            let text = String::from_utf8(value).unwrap();
            let changed = text.replacen("tool_", "t00l_", 1).replacen("\"ok\"", "\"error\",\"code\":\"x\"", 1);
            audit.lines.insert(id, changed.into_bytes());
            "a line rewritten"
        }
        _ => {
            let seal = audit.seals.keys().nth(dice.below(audit.seals.len())).unwrap().clone();
            audit.seals.remove(&seal);
            "a seal taken away"
        }
    }
}

#[tokio::test]
async fn any_of_ten_thousand_tamperings_is_found() {
    let untouched = written().await;
    assert!(untouched.verdict(None).findings.is_empty());
    let dice = Dice(SeededEntropy::new(7));
    let mut kinds = BTreeSet::new();
    for number in 0..10_000 {
        let mut audit = untouched.clone();
        let kind = tamper(&mut audit, &dice);
        let is_changed = audit.lines != untouched.lines || audit.seals != untouched.seals;
        assert!(is_changed, "{kind} changed nothing");
        assert!(!audit.verdict(None).findings.is_empty(), "{number}: {kind} was not found");
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 9);
}

#[tokio::test]
async fn what_was_set_back_as_a_whole_is_found_by_a_head_that_was_kept() {
    let store = MemoryStore::new();
    let audit = over(store.clone(), Retention::default()).await;
    audit.record_durably(entry("c-1")).await.unwrap();
    let earlier = Written::of(&*store).await;
    audit.record_durably(entry("c-2")).await.unwrap();
    let head = Head::parse(&audit.verify(None).await.unwrap().head.unwrap()).unwrap();
    audit.record_durably(entry("c-3")).await.unwrap();
    let later = Written::of(&*store).await;
    assert!(later.verdict(Some(head)).findings.is_empty(), "it lies on the way");
    assert!(earlier.verdict(None).findings.is_empty(), "an earlier state is whole in itself");
    assert!(earlier.verdict(Some(head)).findings[0].contains("set back"));
}

#[tokio::test]
async fn lines_of_the_version_before_stay_and_are_told_apart() {
    let store = MemoryStore::new();
    for number in 0..1_200u64 {
        // As it was written: without class, times and chain.
        let mut value = serde_json::to_value(entry(&format!("c-{number}"))).unwrap();
        value
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !["class", "times", "until", "via", "chain"].contains(&&**name));
        let id = [&(number + 1).to_be_bytes()[..], &[0; 4]].concat();
        let put =
            Change::Put { key: Key::raw(Table::Audit, id), value: value.to_string().into(), expect: Expect::Absent };
        store.commit(vec![put], Durability::SurvivesCrash).await.unwrap();
    }
    assert_eq!(Audit::take_over(&*store).await.unwrap(), 1_200);
    assert_eq!(Audit::take_over(&*store).await.unwrap(), 0);
    let audit = over(store.clone(), Retention::default()).await;
    audit.record_durably(entry("c-new")).await.unwrap();
    let page = audit.newest(None, 2).await.unwrap();
    let seen: Vec<_> = page.entries.iter().map(|line| (line.entry.call.as_str(), line.is_taken_over)).collect();
    assert_eq!(seen, [("c-new", false), ("c-1199", true)]);
    let verdict = audit.verify(None).await.unwrap();
    assert_eq!((verdict.lines, verdict.taken_over, verdict.findings), (1_201, 1_200, vec![]));
    // Whoever writes one like them later is found.
    let forged = serde_json::to_vec(&entry("c-forged")).unwrap();
    let put = Change::Put { key: Key::raw(Table::Audit, [9; 12]), value: forged, expect: Expect::Absent };
    store.commit(vec![put], Durability::SurvivesCrash).await.unwrap();
    assert!(audit.verify(None).await.unwrap().findings[0].contains("it was put there"));
}

#[tokio::test]
async fn two_nodes_write_one_chain() {
    let store = MemoryStore::new();
    let entropy = |seed| -> SharedEntropy { SeededEntropy::new(seed) };
    let node = async |seed| {
        let clock = ManualClock::at(start());
        Audit::open(store.clone(), clock, &entropy(seed), Retention::default()).await.unwrap()
    };
    let nodes = [Arc::new(node(1).await), Arc::new(node(2).await)];
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..100 {
        let node = Arc::clone(&nodes[number % 2]);
        writers.spawn(async move { node.record_durably(entry(&format!("c-{number}"))).await.unwrap() });
    }
    writers.join_all().await;
    let verdict = nodes[0].verify(None).await.unwrap();
    assert_eq!((verdict.lines, verdict.findings), (100, vec![]));
}

#[tokio::test]
async fn a_head_that_is_gone_is_told_and_writing_goes_on() {
    let store = MemoryStore::new();
    let audit = over(store.clone(), Retention::default()).await;
    audit.record_durably(entry("c-1")).await.unwrap();
    drop(audit);
    let gone = Change::Delete { key: super::chain::head_key(), expect: Expect::Anything };
    store.commit(vec![gone], Durability::SurvivesCrash).await.unwrap();
    let audit = over(store, Retention::default()).await;
    audit.record_durably(entry("c-2")).await.unwrap();
    let verdict = audit.verify(None).await.unwrap();
    assert_eq!(verdict.lines, 2);
    assert!(
        verdict.findings.len() == 1 && verdict.findings[0].contains("head of the chain was damaged"),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn a_deed_that_was_begun_is_shown_until_its_end_is_known() {
    let store = MemoryStore::new();
    let audit = over(store, Retention::default()).await;
    let begun = |call: &str| Entry { outcome: super::Outcome::Begun, class: Class::Change, ..entry(call) };
    audit.record_durably(begun("c-1")).await.unwrap();
    audit.record_durably(begun("c-2")).await.unwrap();
    audit.record_durably(Entry { class: Class::Change, ..entry("c-1") }).await.unwrap();
    let page = audit.newest(None, 9).await.unwrap();
    let shown: Vec<_> = page.entries.iter().map(|line| (line.entry.call.as_str(), line.entry.outcome.name())).collect();
    assert_eq!(shown, [("c-1", "ok"), ("c-2", "begun")]);
    let second = audit.newest(page.entries.first().map(|line| &line.cursor), 9).await.unwrap();
    assert_eq!(second.entries.len(), 1, "its end stands on the page before");
}

#[tokio::test]
async fn a_flood_is_counted_and_others_keep_their_lines() {
    let store = MemoryStore::new();
    let audit = over(store.clone(), Retention { rows: 500, ..Retention::default() }).await;
    audit.record(Entry { user: UserId::new("bob"), ..entry("c-bob") }).await;
    for number in 0..20_000 {
        audit.record(entry(&format!("c-{number}"))).await;
    }
    for number in 0..3_000 {
        let tool = format!("tool_{number}");
        audit.record(Entry { tool, at: start() + SignedDuration::from_secs(1), ..entry("c-many") }).await;
    }
    audit.flush().await;
    drop(audit);
    let audit = over(store.clone(), Retention { rows: 500, ..Retention::default() }).await;
    audit.record_durably(entry("c-last")).await.unwrap();
    let bob = audit.newest_of(&UserId::new("bob"), None, 9).await.unwrap();
    assert_eq!(bob.entries.len(), 1, "he keeps his line");
    assert!(store.report().await.unwrap().records_of(Table::Audit) <= 501);
    assert!(audit.verify(None).await.unwrap().findings.is_empty());
}
