//! Finds flows by the hashes of their keys.
//!
//! Each place of the table begins a chain of flows that are linked by their indices. Tables with open
//! addresses keep a mark for each removed entry, and grow to twice their size if many entries come and go,
//! as in a flood. Chains leave nothing behind.
//!
//! The links are not part of the flows, and each has some bits of the hash of its flow. A search reads only
//! flows whose bits are the same: other flows are probably not in the cache of the processor.

use crate::slab::{NONE, Slab};
use crate::slot::{Slot, flags};
use crate::tagged::Tagged;

/// Flows by the hashes of their keys.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The first flow of each chain.
    heads: Vec<Link>,
    /// For each flow, the next one in its chain.
    links: Vec<Link>,
    len: usize,
}

/// A flow in a chain, tagged with bits of its hash.
type Link = Tagged;

/// The end of a chain.
const END: Link = Tagged::new(NONE, 0);

/// The smallest number of chains.
const MIN_CHAINS: usize = 64;

impl Index {
    /// Number of flows.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A flow with this hash for which `is_same` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Option<u32> {
        let mut link = *self.heads.get(chain(hash, self.heads.len()))?;
        while link != END {
            let index = link.index();
            if link.tag() == hash_bits(hash) && is_same(index) {
                return Some(index);
            }
            link = self.links[index as usize];
        }
        None
    }

    /// Adds a flow, which is in `slots`. `hash_of` computes the hashes of all flows.
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        index: u32,
        slots: &Slab<Slot>,
        hash_of: impl Fn(&Slot) -> u64,
    ) {
        self.len += 1;
        while self.links.len() <= index as usize {
            self.add_link();
        }
        match self.heads.len() < self.len {
            true => self.grow(slots, hash_of),
            false => self.link(hash, index),
        }
    }

    /// Removes a flow.
    pub(crate) fn remove(&mut self, hash: u64, index: u32) {
        let after = self.links[index as usize];
        let head = chain(hash, self.heads.len());
        self.len -= 1;
        let removed = Link::new(index, hash_bits(hash));
        if self.heads[head] == removed {
            self.heads[head] = after;
            return;
        }
        let mut previous = self.heads[head].index() as usize;
        while self.links[previous] != removed {
            previous = self.links[previous].index() as usize;
        }
        self.links[previous] = after;
    }

    /// Adds a link. Indices are dense.
    fn add_link(&mut self) {
        // Twice the memory would exceed what a flow may take.
        if self.links.len() == self.links.capacity() {
            self.links.reserve_exact(self.links.len() / 8 + MIN_CHAINS);
        }
        self.links.push(END);
    }

    fn link(&mut self, hash: u64, index: u32) {
        let head = chain(hash, self.heads.len());
        self.links[index as usize] =
            std::mem::replace(&mut self.heads[head], Link::new(index, hash_bits(hash)));
    }

    /// Increases the number of chains by half, and links all flows again. Their order in memory costs a
    /// fraction of the time of the order of the chains.
    fn grow(&mut self, slots: &Slab<Slot>, hash_of: impl Fn(&Slot) -> u64) {
        let len = (self.heads.len() + self.heads.len() / 2).max(MIN_CHAINS);
        self.heads = vec![END; len];
        for (index, slot) in slots.iter().filter(|(_, slot)| slot.has(flags::IS_USED)) {
            self.link(hash_of(slot), index);
        }
    }
}

/// The bits of a hash in a [`Link`]: its lowest ones.
fn hash_bits(hash: u64) -> u8 {
    (hash & 0xff) as u8
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
            index.insert(hash, position, &slots, hash_of);
            expected.insert(number, position);
            if number % 3 == 2 {
                let number = number / 2;
                let position = expected.remove(&number).unwrap();
                let hash = hash_of(slots.get(position));
                index.remove(hash, position);
                slots.remove(position);
            }
        }
        assert_eq!(index.len(), expected.len());
        for number in 0..3_000 {
            let mut slot = Slot::new(StoredKey::default(), 0);
            slot.handshake_us = number;
            let found = index.find(hash_of(&slot), |index| slots.get(index).handshake_us == number);
            assert_eq!(found, expected.get(&number).copied());
        }
    }
}
