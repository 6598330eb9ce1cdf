//! Interface names by kernel index, shared by all threads of a run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::interfaces;

/// A table of interface names. Clones share the table; each caches the last name it returned.
#[derive(Debug)]
pub(super) struct InterfaceNames {
    shared: Arc<Shared>,
    /// The last result, valid for `version`: successive packets mostly pass the same interface.
    last: Option<(u32, Arc<str>)>,
    version: u64,
}

#[derive(Debug, Default)]
struct Shared {
    names: Mutex<HashMap<u32, Arc<str>>>,
    /// Number of changes to the names.
    version: AtomicU64,
}

impl Clone for InterfaceNames {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), last: None, version: 0 }
    }
}

impl InterfaceNames {
    pub(super) fn new() -> Self {
        Self { shared: Arc::default(), last: None, version: 0 }
    }

    /// Sets the name of an interface for all clones.
    pub(super) fn set(&self, index: u32, name: &str) {
        let mut names = self.lock();
        if names.get(&index).is_none_or(|old| **old != *name) {
            names.insert(index, name.into());
            self.shared.version.fetch_add(1, Ordering::Release);
        }
    }

    /// The name of an interface; `if` and its index if it was removed before its name was read.
    pub(super) fn get(&mut self, index: u32) -> &str {
        let version = self.shared.version.load(Ordering::Acquire);
        if self.version != version || self.last.as_ref().is_none_or(|(last, _)| *last != index) {
            self.last = Some((index, self.look_up(index)));
            self.version = version;
        }
        self.last.as_ref().map_or("", |(_, name)| name)
    }

    fn look_up(&self, index: u32) -> Arc<str> {
        if let Some(name) = self.lock().get(&index) {
            return name.clone();
        }
        for interface in interfaces::all().unwrap_or_default() {
            self.set(interface.index, &interface.name);
        }
        let mut names = self.lock();
        names.entry(index).or_insert_with(|| format!("if{index}").into()).clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<str>>> {
        self.shared.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_name_reaches_all_clones_at_once() {
        let names = InterfaceNames::new();
        let mut clone = names.clone();
        names.set(7_000, "left");
        assert_eq!(clone.get(7_000), "left");
        names.set(7_000, "right");
        assert_eq!(clone.get(7_000), "right");
        assert_eq!(clone.get(1), "lo");
        assert_eq!(clone.get(7_001), "if7001");
    }
}
