//! Equal lines become one: a flood of the same harmless call must not wash away what others did.
//!
//! The first few of a minute stand each for itself, so that a call can be found by its reference. What comes beyond is
//! counted, and one line says how often, from when until when. Only looks and refusals are folded: what changes
//! something always has lines of its own.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{Class, Entry, Outcome};
use crate::id::{AgentId, UserId};

/// So many equal lines of a minute stand each for itself.
const APART: u32 = 20;
/// After so long, equal lines stand each for itself again.
const WINDOW: Duration = Duration::from_mins(1);
/// How long a count waits before it is written: what a crash may lose of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many kinds of lines are counted at once.
const KINDS: usize = 4096;

/// What makes lines equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    user: UserId,
    agent: AgentId,
    address: Option<IpAddr>,
    integration: String,
    connection: Option<String>,
    tool: String,
    outcome: String,
}

impl Kind {
    fn of(entry: &Entry) -> Self {
        let code = match &entry.outcome {
            Outcome::Error { code } => code,
            Outcome::Refused { why } => why,
            Outcome::Ok | Outcome::Begun => "",
        };
        // A caller may make up any number of names.
        let is_made_up = code == "unknown_tool";
        Kind {
            user: entry.user.clone(),
            agent: entry.agent.clone(),
            address: entry.address,
            integration: entry.integration.clone(),
            connection: entry.connection.clone(),
            tool: if is_made_up { String::new() } else { entry.tool.clone() },
            outcome: format!("{} {code}", entry.outcome.name()),
        }
    }
}

/// Lines of one kind.
#[derive(Debug)]
struct Fold {
    began: Instant,
    seen: u32,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Counted {
    since: Instant,
    entry: Entry,
}

/// Counts equal lines.
#[derive(Debug, Default)]
pub(super) struct Folds {
    kinds: HashMap<Kind, Fold>,
}

impl Folds {
    /// Takes a line in. What is given back is to be written now.
    pub(super) fn take(&mut self, entry: Entry, now: Instant) -> Vec<Entry> {
        if !is_folded(&entry) {
            return vec![entry];
        }
        let mut due = if self.kinds.len() >= KINDS { self.empty() } else { Vec::new() };
        let fold = self.kinds.entry(Kind::of(&entry)).or_insert(Fold { began: now, seen: 0, counted: None });
        if now.duration_since(fold.began) >= WINDOW {
            due.extend(fold.counted.take().map(|counted| counted.entry));
            (fold.began, fold.seen) = (now, 0);
        }
        fold.seen += 1;
        if fold.seen <= APART {
            due.push(entry);
            return due;
        }
        match &mut fold.counted {
            Some(counted) => counted.add(entry),
            none => *none = Some(Counted { since: now, entry }),
        }
        due
    }

    /// The counts that have waited long enough.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Entry> {
        let is_due = |counted: &mut Counted| now.duration_since(counted.since) >= PATIENCE;
        let due = self.kinds.values_mut().filter_map(|fold| fold.counted.take_if(is_due));
        let due = due.map(|counted| counted.entry).collect();
        self.kinds.retain(|_, fold| fold.counted.is_some() || now.duration_since(fold.began) < WINDOW);
        due
    }

    /// All counts, written now. What was seen stays in mind, so that asking for a page does not begin a new minute.
    pub(super) fn all(&mut self) -> Vec<Entry> {
        self.kinds.values_mut().filter_map(|fold| fold.counted.take()).map(|counted| counted.entry).collect()
    }

    fn empty(&mut self) -> Vec<Entry> {
        let all = self.all();
        self.kinds.clear();
        all
    }
}

impl Counted {
    fn add(&mut self, next: Entry) {
        let entry = &mut self.entry;
        entry.times += next.times;
        entry.until = Some(next.until.unwrap_or(next.at));
        (entry.call, entry.millis) = (next.call, next.millis);
        if entry.target != next.target {
            entry.target = None;
        }
    }
}

fn is_folded(entry: &Entry) -> bool {
    match entry.class {
        Class::Look => true,
        Class::Change => false,
        // Whoever is turned away at the door may knock as often as they like.
        Class::House => matches!(entry.outcome, Outcome::Refused { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::entry;

    fn many(folds: &mut Folds, count: u32, now: Instant) -> Vec<Entry> {
        (0..count).flat_map(|number| folds.take(entry(&format!("c-{number}")), now)).collect()
    }

    #[test]
    fn the_first_stand_apart_and_the_rest_is_counted() {
        let (mut folds, now) = (Folds::default(), Instant::now());
        assert_eq!(many(&mut folds, 1_000, now).len(), APART as usize);
        assert!(folds.due(now).is_empty());
        let due = folds.due(now + PATIENCE);
        assert_eq!(due.len(), 1);
        assert_eq!((due[0].times, due[0].call.as_str()), (u64::from(1_000 - APART), "c-999"));
        assert!(due[0].until.is_some());
        assert_eq!(many(&mut folds, 5, now + PATIENCE).len(), 0, "the minute goes on");
        let later = many(&mut folds, 5, now + WINDOW);
        assert_eq!(later.iter().map(|entry| entry.times).collect::<Vec<_>>(), [5, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn what_differs_or_changes_something_is_not_folded() {
        let (mut folds, now) = (Folds::default(), Instant::now());
        many(&mut folds, 100, now);
        for other in [
            Entry { user: UserId::new("bob"), ..entry("c") },
            Entry { tool: "other".into(), ..entry("c") },
            Entry { outcome: Outcome::Refused { why: "ask".into() }, ..entry("c") },
        ] {
            assert_eq!(folds.take(other, now).len(), 1);
        }
        for _ in 0..100 {
            assert_eq!(folds.take(Entry { class: Class::Change, ..entry("c") }, now).len(), 1);
        }
    }

    #[test]
    fn names_that_are_made_up_are_one_kind_and_kinds_are_bounded() {
        let (mut folds, now) = (Folds::default(), Instant::now());
        let unknown = |number: usize| {
            let outcome = Outcome::Refused { why: "unknown_tool".into() };
            Entry { tool: format!("t{number}"), outcome, ..entry("c") }
        };
        let written: usize = (0..1_000).map(|number| folds.take(unknown(number), now).len()).sum();
        assert_eq!(written, APART as usize);
        for number in 0..3 * KINDS {
            folds.take(Entry { tool: format!("t{number}"), ..entry("c") }, now);
        }
        assert!(folds.kinds.len() <= KINDS);
    }
}
