//! Things that come again and again, kept once and known by small numbers.

use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::Hash;

/// Things by small numbers.
#[derive(Debug)]
pub(super) struct Interner<T> {
    pub(super) items: Vec<T>,
    ids: HashMap<T, u32, FixedState>,
    /// The number given last: packets come in runs.
    last: u32,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ids: HashMap::default(), last: 0 }
    }
}

impl<T: Eq + Hash + Clone> Interner<T> {
    pub(super) fn id(&mut self, item: T) -> u32 {
        if self.items.get(self.last as usize) == Some(&item) {
            return self.last;
        }
        self.last = *self.ids.entry(item).or_insert_with_key(|item| {
            self.items.push(item.clone());
            // There are fewer items than rows, and fewer rows than fit 4 GiB of memory.
            u32::try_from(self.items.len() - 1).unwrap_or(u32::MAX)
        });
        self.last
    }
}

impl Interner<String> {
    /// As `id`, without a copy of what is known.
    pub(super) fn id_of(&mut self, text: &str) -> u32 {
        if self.items.get(self.last as usize).is_some_and(|last| last == text) {
            return self.last;
        }
        match self.ids.get(text) {
            Some(id) => self.last = *id,
            None => self.last = self.id(text.to_owned()),
        }
        self.last
    }
}
