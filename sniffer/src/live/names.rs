//! Names of interfaces by their index, for all threads.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::interfaces;

/// Knows the names; clones share what they know.
#[derive(Debug)]
pub(crate) struct Names {
    shared: Arc<Shared>,
    /// Of the packet before, as of `version`: packets of one interface mostly follow each other.
    last: Option<(u32, Arc<str>)>,
    version: u64,
}

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<HashMap<u32, Arc<str>>>,
    /// Counts the changes.
    version: AtomicU64,
}

impl Clone for Names {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), last: None, version: 0 }
    }
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { shared: Arc::default(), last: None, version: 0 }
    }

    /// From now on the interface of that index has that name.
    pub(crate) fn set(&self, index: u32, name: &str) {
        let mut known = self.known();
        if known.get(&index).is_none_or(|known| **known != *name) {
            known.insert(index, name.into());
            self.shared.version.fetch_add(1, Ordering::Release);
        }
    }

    /// The name; one that is gone before it was known keeps its number.
    pub(crate) fn of(&mut self, index: u32) -> &str {
        let version = self.shared.version.load(Ordering::Acquire);
        if self.version != version || self.last.as_ref().is_none_or(|(last, _)| *last != index) {
            self.last = Some((index, self.look_up(index)));
            self.version = version;
        }
        self.last.as_ref().map_or("", |(_, name)| name)
    }

    fn look_up(&self, index: u32) -> Arc<str> {
        if let Some(name) = self.known().get(&index) {
            return name.clone();
        }
        for interface in interfaces::all().unwrap_or_default() {
            self.set(interface.index, &interface.name);
        }
        let mut known = self.known();
        known.entry(index).or_insert_with(|| format!("if{index}").into()).clone()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u32, Arc<str>>> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_is_known_to_all_clones_at_once() {
        let names = Names::new();
        let mut reader = names.clone();
        names.set(7_000, "left");
        assert_eq!(reader.of(7_000), "left");
        names.set(7_000, "right");
        assert_eq!(reader.of(7_000), "right");
        assert_eq!(reader.of(1), "lo");
        assert_eq!(reader.of(7_001), "if7001");
    }
}
