//! What is kept: how much of each person and agent, how much in all, and for how long.
//!
//! Whoever has the most lines gives way first, so that nobody's flood takes the lines of somebody else; and looks give
//! way before changes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    Class,
    chain::{Link, Place},
    entry::Stored,
};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// So many lines at most, with some slack until the next sweep.
    pub rows: u64,
    /// So many of one agent of one person at most.
    pub rows_each: u64,
    /// No look that is older.
    pub age: SignedDuration,
    /// No change that is older.
    pub age_of_changes: SignedDuration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(days * 24);
        Retention { rows: 100_000, rows_each: 50_000, age: days(90), age_of_changes: days(365) }
    }
}

/// What a sweep has to know of a line.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: Vec<u8>,
    pub(super) place: Place,
    pub(super) link: Link,
    at: Timestamp,
    class: Class,
    user: u32,
    agent: u32,
}

/// All lines of an audit.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) all: Vec<Known>,
    names: BTreeMap<String, u32>,
}

impl Lines {
    /// Takes a line in. One that cannot be read, or is not in the chain, stays where it is.
    pub(super) fn take(&mut self, id: Vec<u8>, value: &[u8]) {
        let Some(Stored { entry, chain: Some(place) }) = Stored::decode(value) else { return };
        let link = Link::of(&id, value);
        let user = self.name(entry.user.as_str().to_owned());
        let agent = self.name(format!("{}\0{}", entry.user, entry.agent));
        let at = entry.until.unwrap_or(entry.at);
        self.all.push(Known { id, place, link, at, class: entry.class, user, agent });
    }

    fn name(&mut self, name: String) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        *self.names.entry(name).or_insert(next)
    }

    /// Takes out what gives way, in the order of the chain.
    pub(super) fn doomed(mut self, retention: &Retention, now: Timestamp) -> Vec<Known> {
        let is_old = |line: &Known| {
            let age = if line.class == Class::Look { retention.age } else { retention.age_of_changes };
            now.checked_sub(age).is_ok_and(|oldest| line.at < oldest)
        };
        let (mut doomed, mut kept): (Vec<Known>, Vec<Known>) = self.all.drain(..).partition(is_old);
        doomed.extend(cut(&mut kept, |line| line.agent, retention.rows_each));
        if kept.len() as u64 > retention.rows {
            let level = level(&kept, retention.rows);
            doomed.extend(cut(&mut kept, |line| line.user, level));
        }
        doomed.sort_by_key(|line| line.place.n);
        doomed
    }
}

/// How many lines each may keep so that all together keep at most `rows`.
fn level(lines: &[Known], rows: u64) -> u64 {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for line in lines {
        *counts.entry(line.user).or_default() += 1;
    }
    let total = |level: u64| counts.values().map(|count| (*count).min(level)).sum::<u64>();
    let (mut low, mut high) = (0, lines.len() as u64);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if total(middle) <= rows { low = middle } else { high = middle - 1 }
    }
    low
}

/// Takes out what is more than `most` of each: looks first, and of those the oldest.
fn cut(lines: &mut Vec<Known>, whose: impl Fn(&Known) -> u32, most: u64) -> Vec<Known> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for line in &*lines {
        *counts.entry(whose(line)).or_default() += 1;
    }
    lines.sort_by_key(|line| (line.class != Class::Look, line.at, line.place.n));
    let mut gone = Vec::new();
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines.drain(..) {
        let count = counts.entry(whose(&line)).or_default();
        if *count > most {
            *count -= 1;
            gone.push(line);
        } else {
            kept.push(line);
        }
    }
    *lines = kept;
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::{Entry, tests::entry},
        id::{AgentId, UserId},
    };

    fn add(lines: &mut Lines, count: u64, user: &str, agent: &str, class: Class) {
        for _ in 0..count {
            let n = lines.all.len() as u64 + 1;
            let (user, agent) = (UserId::new(user), AgentId::new(agent));
            let entry = Entry { user, agent, class, ..entry("c") };
            let chain = Some(Place { n, prev: Link::START, old: false });
            let value = serde_json::to_vec(&Stored { entry, chain }).unwrap();
            lines.take(n.to_be_bytes().to_vec(), &value);
        }
    }

    fn now() -> Timestamp {
        entry("c").at
    }

    fn kept(lines: Lines, retention: Retention) -> (usize, Vec<u64>) {
        let all = lines.all.len();
        let doomed: Vec<u64> = lines.doomed(&retention, now()).iter().map(|line| line.place.n).collect();
        (all - doomed.len(), doomed)
    }

    #[test]
    fn a_flood_of_one_takes_nothing_of_another() {
        let mut lines = Lines::default();
        add(&mut lines, 10, "bob", "desk", Class::Look);
        add(&mut lines, 500, "ann", "desk", Class::Look);
        let (left, doomed) = kept(lines, Retention { rows: 100, ..Retention::default() });
        assert_eq!(left, 100);
        assert!(doomed.iter().all(|n| *n > 10), "bob's ten stay");
        assert_eq!(doomed.len(), 410);
    }

    #[test]
    fn many_agents_of_one_person_count_as_one() {
        let mut lines = Lines::default();
        add(&mut lines, 10, "bob", "desk", Class::Look);
        for agent in 0..50 {
            add(&mut lines, 10, "ann", &format!("a{agent}"), Class::Look);
        }
        let (left, doomed) = kept(lines, Retention { rows: 60, ..Retention::default() });
        assert_eq!(left, 60);
        assert!(doomed.iter().all(|n| *n > 10), "bob's ten stay");
    }

    #[test]
    fn looks_give_way_before_changes() {
        let mut lines = Lines::default();
        add(&mut lines, 10, "ann", "desk", Class::Change);
        add(&mut lines, 50, "ann", "desk", Class::Look);
        let (left, doomed) = kept(lines, Retention { rows_each: 20, ..Retention::default() });
        assert_eq!(left, 20);
        assert!(doomed.iter().all(|n| *n > 10), "the changes are the oldest, and stay");
        let mut lines = Lines::default();
        add(&mut lines, 30, "ann", "desk", Class::Change);
        let (left, doomed) = kept(lines, Retention { rows_each: 20, ..Retention::default() });
        assert_eq!((left, doomed), (20, (1..=10).collect()), "among changes the oldest give way");
    }

    #[test]
    fn changes_are_kept_longer() {
        let mut lines = Lines::default();
        add(&mut lines, 1, "ann", "desk", Class::Look);
        add(&mut lines, 1, "ann", "desk", Class::House);
        let later = now() + SignedDuration::from_hours(24 * 100);
        let doomed = lines.doomed(&Retention::default(), later);
        assert_eq!(doomed.iter().map(|line| line.place.n).collect::<Vec<_>>(), [1]);
    }
}
