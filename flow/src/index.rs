//! Finds flows by the hashes of their keys.
//!
//! Each place of the table begins a chain of flows that are linked by their indices. Tables with open
//! addresses keep a mark for each removed entry, and grow to twice their size if many entries come and go,
//! as in a flood. Chains leave nothing behind.

use crate::slab::{NONE, Slab};
use crate::slot::Slot;

/// Flows by the hashes of their keys.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The first flow of each chain.
    heads: Vec<u32>,
    len: usize,
}

/// The smallest number of chains.
const MIN_CHAINS: usize = 64;

impl Index {
    /// Number of flows.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A flow with this hash for which `is_same` holds.
    #[inline]
    pub(crate) fn find(
        &self,
        hash: u64,
        slots: &Slab<Slot>,
        is_same: impl Fn(&Slot) -> bool,
    ) -> Option<u32> {
        let mut index = *self.heads.get(chain(hash, self.heads.len()))?;
        while index != NONE {
            let slot = slots.get(index);
            if is_same(slot) {
                return Some(index);
            }
            index = slot.chain;
        }
        None
    }

    /// Adds a flow. `hash_of` computes the hashes of the other flows.
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        index: u32,
        slots: &mut Slab<Slot>,
        hash_of: impl Fn(&Slot) -> u64,
    ) {
        if self.heads.len() <= self.len {
            self.grow(slots, hash_of);
        }
        self.len += 1;
        self.link(hash, index, slots);
    }

    /// Removes a flow.
    pub(crate) fn remove(&mut self, hash: u64, index: u32, slots: &mut Slab<Slot>) {
        let after = slots.get(index).chain;
        let head = chain(hash, self.heads.len());
        self.len -= 1;
        if self.heads[head] == index {
            self.heads[head] = after;
            return;
        }
        let mut previous = self.heads[head];
        while slots.get(previous).chain != index {
            previous = slots.get(previous).chain;
        }
        slots.get_mut(previous).chain = after;
    }

    fn link(&mut self, hash: u64, index: u32, slots: &mut Slab<Slot>) {
        let head = chain(hash, self.heads.len());
        slots.get_mut(index).chain = self.heads[head];
        self.heads[head] = index;
    }

    /// Increases the number of chains by half, and links all flows again.
    fn grow(&mut self, slots: &mut Slab<Slot>, hash_of: impl Fn(&Slot) -> u64) {
        let len = (self.heads.len() + self.heads.len() / 2).max(MIN_CHAINS);
        for mut index in std::mem::replace(&mut self.heads, vec![NONE; len]) {
            while index != NONE {
                let slot = slots.get(index);
                let (hash, next) = (hash_of(slot), slot.chain);
                self.link(hash, index, slots);
                index = next;
            }
        }
    }
}

/// The chain of a hash: its highest bits, scaled to any number of chains.
fn chain(hash: u64, chains: usize) -> usize {
    (((hash >> 32) * chains as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::StoredKey;
    use std::collections::BTreeMap;

    /// Equal hashes and many of them, added and removed.
    #[test]
    fn finds_exactly_the_flows_that_are_there() {
        let hash_of =
            |slot: &Slot| u64::from(slot.handshake_us % 700).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (mut index, mut slots, mut expected) =
            (Index::default(), Slab::default(), BTreeMap::new());
        for number in 0..3_000u32 {
            let mut slot = Slot::new(StoredKey::default(), 0);
            slot.handshake_us = number;
            let hash = hash_of(&slot);
            let position = slots.insert(slot);
            index.insert(hash, position, &mut slots, hash_of);
            expected.insert(number, position);
            if number % 3 == 2 {
                let number = number / 2;
                let position = expected.remove(&number).unwrap();
                let hash = hash_of(slots.get(position));
                index.remove(hash, position, &mut slots);
                slots.remove(position);
            }
        }
        assert_eq!(index.len(), expected.len());
        for number in 0..3_000 {
            let mut slot = Slot::new(StoredKey::default(), 0);
            slot.handshake_us = number;
            let found = index.find(hash_of(&slot), &slots, |slot| slot.handshake_us == number);
            assert_eq!(found, expected.get(&number).copied());
        }
    }
}
