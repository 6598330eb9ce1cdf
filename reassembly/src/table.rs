//! A map that gives up its oldest entries.

use hashlink::LinkedHashMap;
use std::hash::Hash;
use summary::Timestamp;

/// How long an entry is kept, in nanoseconds of packet time.
pub(crate) const MAX_AGE_NS: i64 = 60_000_000_000;

/// A map with a limited number of entries, in the order in which they were inserted.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    /// Each with the time of its insertion.
    entries: LinkedHashMap<K, (Timestamp, V)>,
    max_len: usize,
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(crate) fn new(max_len: usize) -> Self {
        Self { entries: LinkedHashMap::new(), max_len }
    }

    /// Inserts an entry, or replaces it. Other entries that have to go are passed to `on_removed`: with
    /// true if they are too old, with false if there are too many.
    pub(crate) fn insert(
        &mut self,
        key: K,
        now: Timestamp,
        value: V,
        mut on_removed: impl FnMut(V, bool),
    ) {
        self.entries.insert(key, (now, value));
        while let Some((_, (since, _))) = self.entries.front() {
            let is_old = MAX_AGE_NS < now.ns().saturating_sub(since.ns());
            if !is_old && self.entries.len() <= self.max_len {
                break;
            }
            if let Some((_, (_, value))) = self.entries.pop_front() {
                on_removed(value, is_old);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// An entry that is not too old.
    pub(crate) fn get_recent(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        if self.is_recent(key, now) { self.get_mut(key) } else { None }
    }

    /// An entry that is not too old. It counts as inserted now.
    pub(crate) fn touch(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        if !self.is_recent(key, now) {
            return None;
        }
        let (since, value) = self.entries.to_back(key)?;
        *since = now;
        Some(value)
    }

    /// Whether there is an entry that is not too old. Removes one that is.
    fn is_recent(&mut self, key: &K, now: Timestamp) -> bool {
        let Some((since, _)) = self.entries.get(key) else { return false };
        let is_recent = now.ns().saturating_sub(since.ns()) <= MAX_AGE_NS;
        if !is_recent {
            self.entries.remove(key);
        }
        is_recent
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// Removes the oldest entry.
    pub(crate) fn pop_oldest(&mut self) -> Option<V> {
        self.entries.pop_front().map(|(_, (_, value))| value)
    }
}
