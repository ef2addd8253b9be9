//! Opened records, so that a busy connection is not unsealed for every call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zeroize::Zeroizing;

use crate::store::Key;

/// How many opened records are kept.
const CAPACITY: usize = 1_000;

/// The least recently used record gives way. A record of another version is never handed out, so that a change
/// made by another node is seen as soon as the store shows it.
#[derive(Default)]
pub(super) struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    tick: u64,
    records: HashMap<Key, Entry>,
}

struct Entry {
    version: u64,
    used: u64,
    text: Arc<Zeroizing<String>>,
}

impl Cache {
    pub(super) fn find(&self, key: &Key, version: u64) -> Option<Arc<Zeroizing<String>>> {
        let mut kept = self.kept();
        kept.tick += 1;
        let tick = kept.tick;
        let entry = kept.records.get_mut(key).filter(|entry| entry.version == version)?;
        entry.used = tick;
        Some(Arc::clone(&entry.text))
    }

    pub(super) fn keep(&self, key: Key, version: u64, text: Arc<Zeroizing<String>>) {
        let mut kept = self.kept();
        if kept.records.len() >= CAPACITY && !kept.records.contains_key(&key) {
            kept.drop_oldest();
        }
        kept.tick += 1;
        let used = kept.tick;
        kept.records.insert(key, Entry { version, used, text });
    }

    pub(super) fn forget(&self, key: &Key) {
        self.kept().records.remove(key);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Looks at every record: a thousand of them take a few microseconds, unsealing one takes two hundred.
    fn drop_oldest(&mut self) {
        let oldest = self.records.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.records.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Table;

    fn text(text: &str) -> Arc<Zeroizing<String>> {
        Arc::new(Zeroizing::new(text.to_owned()))
    }

    fn key(id: usize) -> Key {
        Key::raw(Table::Connections, id.to_string())
    }

    #[test]
    fn only_the_asked_version_is_found() {
        let cache = Cache::default();
        cache.keep(key(1), 7, text("a"));
        assert_eq!(cache.find(&key(1), 7), Some(text("a")));
        assert_eq!(cache.find(&key(1), 8), None);
        cache.forget(&key(1));
        assert_eq!(cache.find(&key(1), 7), None);
    }

    #[test]
    fn the_least_recently_used_gives_way() {
        let cache = Cache::default();
        (0..CAPACITY).for_each(|id| cache.keep(key(id), 1, text("x")));
        cache.find(&key(0), 1).unwrap();
        cache.keep(key(CAPACITY), 1, text("new"));
        assert!(cache.find(&key(0), 1).is_some());
        assert!(cache.find(&key(1), 1).is_none());
        assert_eq!(cache.kept().records.len(), CAPACITY);
    }
}
