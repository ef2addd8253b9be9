//! What a client wants to hear beside its answers: how much log, and of which resources.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    quota::{Permit, Quotas},
    shelf::Change,
    tool::Level,
};

/// How many bytes the addresses may have that one legacy session watches: they are kept in one record.
const WATCHED: usize = 24 * 1024;
/// How many pages one client may wait for.
const PAGES: usize = 64;
/// Stands for "no log at all".
const SILENT: u8 = u8::MAX;

/// Wishes as they are kept in the record of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    #[serde(rename = "l")]
    level: u8,
    #[serde(rename = "r", default)]
    watched: BTreeSet<String>,
}

/// The wishes of a legacy session, or of one modern request.
#[derive(Debug)]
pub struct Wishes {
    level: AtomicU8,
    watched: Mutex<BTreeSet<String>>,
    /// The pages that the client was sent to and may wait for; of this process only, for the news is a courtesy.
    pages: Mutex<VecDeque<String>>,
    /// What the addresses count against.
    permit: Option<Permit>,
}

impl Wishes {
    /// Those of a new legacy session: log from [`Level::Info`] up until `logging/setLevel` says otherwise.
    pub fn of_session() -> Self {
        Wishes::from_level(Some(Level::Info))
    }

    /// Those of a modern request, which hears no log unless it names a level.
    pub fn from_level(level: Option<Level>) -> Self {
        Wishes {
            level: AtomicU8::new(level.map_or(SILENT, |level| level as u8)),
            watched: Mutex::default(),
            pages: Mutex::default(),
            permit: None,
        }
    }

    /// The same, and what is watched counts as `person`'s.
    #[must_use]
    pub fn within(self, quotas: &Quotas, person: &str) -> Self {
        Wishes { permit: quotas.watched.take(person, 0).ok(), ..self }
    }

    /// Sets the least serious level that is wanted.
    pub fn set_level(&self, level: Level) {
        self.level.store(level as u8, Ordering::Relaxed);
    }

    /// Whether a line of that level is wanted.
    pub fn hear(&self, level: Level) -> bool {
        let least = self.level.load(Ordering::Relaxed);
        least != SILENT && level as u8 >= least
    }

    /// Watches a resource; `false` when too many are watched already.
    pub fn watch(&self, uri: &str) -> bool {
        let mut watched = self.watched();
        let bytes = watched.iter().map(|uri| written_length(uri)).sum::<usize>() + written_length(uri);
        if watched.contains(uri) {
            return true;
        }
        if bytes > WATCHED || self.permit.as_ref().is_some_and(|permit| permit.resize(bytes as u64).is_err()) {
            return false;
        }
        watched.insert(uri.to_owned());
        true
    }

    /// As it is kept for other nodes.
    pub fn kept(&self) -> Kept {
        Kept { level: self.level.load(Ordering::Relaxed), watched: self.watched().clone() }
    }

    /// Takes over what was kept.
    pub fn restore(&self, kept: &Kept) {
        self.level.store(kept.level, Ordering::Relaxed);
        let mut watched = self.watched();
        watched.clone_from(&kept.watched);
        if let Some(permit) = &self.permit {
            permit.force(watched.iter().map(|uri| written_length(uri)).sum::<usize>() as u64);
        }
    }

    /// Watches a resource no longer.
    pub fn unwatch(&self, uri: &str) {
        self.watched().remove(uri);
    }

    /// Notes that the client was sent to a page; the oldest of too many is forgotten.
    pub fn await_page(&self, id: &str) {
        let mut pages = self.pages();
        if pages.len() == PAGES {
            pages.pop_front();
        }
        pages.push_back(id.to_owned());
    }

    /// Whether the client was sent to that page and has not heard of its end.
    fn take_page(&self, id: &str) -> bool {
        let mut pages = self.pages();
        let found = pages.iter().position(|known| known == id);
        found.is_some_and(|at| pages.remove(at).is_some())
    }

    /// The notification that tells a legacy client of a change; `None` when it does not want it.
    pub fn hint(&self, change: &Change) -> Option<(&'static str, Option<Value>)> {
        match change {
            Change::Resource(uri) if !self.watched().contains(uri) => None,
            Change::PageDone(id) if !self.take_page(id) => None,
            change => Some(hint(change)),
        }
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an address is in JSON, with its quotes and the comma.
fn written_length(uri: &str) -> usize {
    Value::from(uri).to_string().len() + 1
}

/// The notification that tells of a change.
pub fn hint(change: &Change) -> (&'static str, Option<Value>) {
    match change {
        Change::Tools => ("notifications/tools/list_changed", None),
        Change::Prompts => ("notifications/prompts/list_changed", None),
        Change::Resources => ("notifications/resources/list_changed", None),
        Change::Resource(uri) => ("notifications/resources/updated", Some(json!({"uri": uri}))),
        Change::PageDone(id) => ("notifications/elicitation/complete", Some(json!({"elicitationId": id}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_heard() {
        let wishes = Wishes::of_session();
        assert!(!wishes.hear(Level::Debug) && wishes.hear(Level::Info));
        wishes.set_level(Level::Error);
        assert!(!wishes.hear(Level::Warning) && wishes.hear(Level::Emergency));
        assert!(Level::ALL.iter().all(|level| !Wishes::from_level(None).hear(*level)));
    }

    #[test]
    fn a_resource_is_heard_of_while_it_is_watched() {
        let wishes = Wishes::of_session();
        let change = Change::Resource("a://b".into());
        assert_eq!(wishes.hint(&change), None);
        assert!(wishes.watch("a://b"));
        assert_eq!(wishes.hint(&change).unwrap().0, "notifications/resources/updated");
        wishes.unwatch("a://b");
        assert_eq!(wishes.hint(&change), None);
    }

    #[test]
    fn the_end_of_a_page_is_told_once_to_the_one_who_was_sent_there() {
        let (wishes, done) = (Wishes::of_session(), Change::PageDone("p1".into()));
        assert_eq!(wishes.hint(&done), None);
        wishes.await_page("p1");
        assert_eq!(wishes.hint(&done).unwrap().1, Some(json!({"elicitationId": "p1"})));
        assert_eq!(wishes.hint(&done), None);
        (0..10_000).for_each(|number| wishes.await_page(&number.to_string()));
        assert_eq!(wishes.pages().len(), PAGES);
    }

    #[test]
    fn what_is_watched_fits_one_record() {
        let wishes = Wishes::of_session();
        let taken = (0..10_000).take_while(|number| wishes.watch(&format!("a://\"{number}\""))).count();
        assert!((500..5000).contains(&taken), "{taken}");
        let record = serde_json::to_string(&wishes.kept()).unwrap();
        assert!(record.len() < crate::store::MAX_VALUE - 1024, "{}", record.len());
        let other = Wishes::of_session();
        other.restore(&serde_json::from_str(&record).unwrap());
        assert_eq!(other.kept(), wishes.kept());
    }
}
