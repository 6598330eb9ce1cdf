//! Things that come again and again, kept once and known by small numbers.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

/// Things by small numbers, in the order in which they came.
///
/// A table of slots with linear probing, never more than half full. A slot has a part of the hash
/// and a number, not the thing: eight bytes, so that the slots of all flows of a large capture stay
/// near the processor.
#[derive(Clone, Debug)]
pub struct Interner<T> {
    items: Vec<T>,
    /// As many as a power of two, or none yet.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    id: u32,
}

/// Of a slot that nothing has: there are fewer things than that, for each takes memory.
const NONE: u32 = u32::MAX;

/// How many slots there are at first.
const MIN_SLOTS: usize = 16;

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { items: Vec::new(), slots: Vec::new() }
    }
}

impl<T: Eq + Hash> Interner<T> {
    /// All things by their numbers.
    #[inline]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The number of a thing, which gets the next one where it has none yet.
    #[inline]
    pub fn id(&mut self, item: T) -> u32 {
        let hash = hash(&item);
        match self.find(&item, hash) {
            Some(id) => id,
            None => self.add(item, hash),
        }
    }

    /// As [`Interner::id`] of what is borrowed, which is copied only where it has no number yet.
    pub fn id_of<Q: Hash + Eq + ToOwned<Owned = T> + ?Sized>(&mut self, item: &Q) -> u32
    where
        T: Borrow<Q>,
    {
        let hash = hash(item);
        match self.find(item, hash) {
            Some(id) => id,
            None => self.add(item.to_owned(), hash),
        }
    }

    /// The number of a thing, if it has one.
    pub fn get(&self, item: &T) -> Option<u32> {
        self.find(item, hash(item))
    }

    #[inline]
    fn find<Q: Eq + ?Sized>(&self, item: &Q, hash: u32) -> Option<u32>
    where
        T: Borrow<Q>,
    {
        let mut at = self.first(hash);
        loop {
            let slot = self.slots.get(at)?;
            if slot.id == NONE {
                return None;
            }
            if slot.hash == hash
                && self.items.get(slot.id as usize).is_some_and(|known| known.borrow() == item)
            {
                return Some(slot.id);
            }
            at = self.after(at);
        }
    }

    /// Where a search begins: the hash's high bits are the ones that all of it had a part in.
    #[inline]
    fn first(&self, hash: u32) -> usize {
        let slot = (u64::from(hash) * self.slots.len() as u64) >> u32::BITS;
        usize::try_from(slot).unwrap_or(0)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, item: T, hash: u32) -> u32 {
        if self.slots.len() <= 2 * self.items.len() {
            self.grow();
        }
        let id = u32::try_from(self.items.len()).unwrap_or(NONE);
        self.put(Slot { hash, id });
        self.items.push(item);
        id
    }

    fn put(&mut self, slot: Slot) {
        let mut at = self.first(slot.hash);
        while self.slots[at].id != NONE {
            at = self.after(at);
        }
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let len = (2 * self.slots.len()).max(MIN_SLOTS);
        let before = std::mem::replace(&mut self.slots, vec![Slot { hash: 0, id: NONE }; len]);
        before.into_iter().filter(|slot| slot.id != NONE).for_each(|slot| self.put(slot));
    }
}

impl<T: Eq + Hash> FromIterator<T> for Interner<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut all = Self::default();
        items.into_iter().for_each(|item| {
            all.id(item);
        });
        all
    }
}

fn hash<Q: Hash + ?Sized>(item: &Q) -> u32 {
    let mut mixer = Mixer(0);
    item.hash(&mut mixer);
    (mixer.finish() >> 32) as u32
}

/// Mixes one more word in, by one multiplication: WebAssembly has none whose product is 128 bits
/// long, which better mixers need. The higher a bit, the more bits had a part in it.
#[inline]
pub(crate) fn mix(mixed: u64, word: u64) -> u64 {
    /// An odd number whose bits look random: 2⁶⁴ divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    (mixed.rotate_left(23) ^ word).wrapping_mul(FACTOR)
}

/// Mixes whole words.
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0, number);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A thing whose hash says little of it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Crowded(u16);

    impl Hash for Crowded {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write_u16(self.0 % 3);
        }
    }

    proptest! {
        #[test]
        fn numbers_are_places_of_the_first_that_were_equal(
            numbers in proptest::collection::vec(0u16..200, 0..300),
        ) {
            let mut firsts: Vec<u16> = Vec::new();
            let mut crowded = Interner::default();
            let mut words: Interner<String> = Interner::default();
            for number in numbers {
                let known = firsts.iter().position(|first| *first == number);
                prop_assert_eq!(crowded.get(&Crowded(number)).map(|id| id as usize), known);
                let expected = known.unwrap_or(firsts.len());
                if known.is_none() {
                    firsts.push(number);
                }
                prop_assert_eq!(crowded.id(Crowded(number)) as usize, expected);
                prop_assert_eq!(words.id_of(&number.to_string()[..]) as usize, expected);
            }
            let all: Vec<_> = firsts.iter().map(|number| Crowded(*number)).collect();
            prop_assert_eq!(crowded.items(), &all[..]);
            prop_assert_eq!(words.items().len(), all.len());
        }
    }

    /// Addresses and ports count on: their hashes must not crowd.
    #[test]
    fn things_that_count_on_are_found_at_once() {
        let pairs: Interner<(u32, u32)> = (0..100_000).map(|n| (n % 500, n / 500)).collect();
        let passed = pairs.items().iter().map(|pair| {
            let (hash, len) = (hash(pair), pairs.slots.len());
            let is_other = |at: &usize| pairs.slots[at % len].hash != hash;
            (pairs.first(hash)..).take_while(is_other).count()
        });
        assert!(passed.sum::<usize>() < pairs.items().len());
    }
}
