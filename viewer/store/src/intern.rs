//! Interning: repeated items are stored once and referred to by small ids.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

/// Fixed, so that the same packets always take the same memory.
const HASHER: FxBuildHasher = FxBuildHasher;

/// Assigns ids to distinct items, counting from 0 in order of first appearance.
///
/// The hash table holds only the ids: with its tags that is 5 bytes per slot, at most 7/8 of them
/// occupied. The list of items grows by an eighth instead of doubling.
#[derive(Clone, Debug)]
pub struct Interner<T> {
    items: Vec<T>,
    ids: HashTable<u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ids: HashTable::new() }
    }
}

impl<T: Eq + Hash> Interner<T> {
    /// All items, indexed by id.
    #[inline]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The id of an item; a new one if the item is new.
    #[inline]
    pub fn id(&mut self, item: T) -> u32 {
        let hash = HASHER.hash_one(&item);
        match self.find(&item, hash) {
            Some(id) => id,
            None => self.insert(item, hash),
        }
    }

    /// Same as [`Interner::id`], but clones the item only if it is new.
    pub fn id_of<Q: Hash + Eq + ToOwned<Owned = T> + ?Sized>(&mut self, item: &Q) -> u32
    where
        T: Borrow<Q>,
    {
        let hash = HASHER.hash_one(item);
        match self.find(item, hash) {
            Some(id) => id,
            None => self.insert(item.to_owned(), hash),
        }
    }

    /// Same as [`Interner::id_of`], but `None` if the item is new and there are 2^16 others.
    pub fn short_id_of<Q: Hash + Eq + ToOwned<Owned = T> + ?Sized>(
        &mut self,
        item: &Q,
    ) -> Option<u16>
    where
        T: Borrow<Q>,
    {
        let hash = HASHER.hash_one(item);
        if let Some(id) = self.find(item, hash) {
            return u16::try_from(id).ok();
        }
        let id = u16::try_from(self.items.len()).ok()?;
        self.insert(item.to_owned(), hash);
        Some(id)
    }

    /// The id of an item, if it has one.
    pub fn get(&self, item: &T) -> Option<u32> {
        self.find(item, HASHER.hash_one(item))
    }

    #[inline]
    fn find<Q: Eq + ?Sized>(&self, item: &Q, hash: u64) -> Option<u32>
    where
        T: Borrow<Q>,
    {
        self.ids.find(hash, |id| self.items[*id as usize].borrow() == item).copied()
    }

    #[cold]
    #[inline(never)]
    fn insert(&mut self, item: T, hash: u64) -> u32 {
        let Self { items, ids } = self;
        // Every item takes memory, so 32 bits of address space hold fewer than 2^32 of them.
        let id = u32::try_from(items.len()).unwrap_or(u32::MAX);
        push_compact(items, item);
        ids.insert_unique(hash, id, |id| HASHER.hash_one(&items[*id as usize]));
        id
    }
}

/// Appends to a vector that grows by an eighth when it is full. [`Vec::push`] doubles it, which
/// wastes up to half of the memory of a long list.
pub(crate) fn push_compact<T>(items: &mut Vec<T>, item: T) {
    if items.len() == items.capacity() {
        items.reserve_exact((items.len() / 8).max(16));
    }
    items.push(item);
}

impl<T: Eq + Hash> FromIterator<T> for Interner<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut interner = Self::default();
        items.into_iter().for_each(|item| {
            interner.id(item);
        });
        interner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::Hasher;

    /// An item with many hash collisions.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Colliding(u16);

    impl Hash for Colliding {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write_u16(self.0 % 3);
        }
    }

    #[test]
    fn refused_items_are_not_stored() {
        let mut interner: Interner<u32> = (0..1 << 16).collect();
        assert_eq!(interner.short_id_of(&65_535), Some(65_535));
        assert_eq!((interner.short_id_of(&65_536), interner.items().len()), (None, 1 << 16));
    }

    proptest! {
        #[test]
        fn ids_count_distinct_items_in_order(
            numbers in proptest::collection::vec(0u16..200, 0..300),
        ) {
            let mut distinct: Vec<u16> = Vec::new();
            let mut colliding = Interner::default();
            let mut texts: Interner<String> = Interner::default();
            for number in numbers {
                let position = distinct.iter().position(|other| *other == number);
                prop_assert_eq!(colliding.get(&Colliding(number)).map(|id| id as usize), position);
                let expected = position.unwrap_or(distinct.len());
                if position.is_none() {
                    distinct.push(number);
                }
                prop_assert_eq!(colliding.id(Colliding(number)) as usize, expected);
                prop_assert_eq!(texts.id_of(&number.to_string()[..]) as usize, expected);
            }
            let all: Vec<_> = distinct.iter().map(|number| Colliding(*number)).collect();
            prop_assert_eq!(colliding.items(), &all[..]);
            prop_assert_eq!(texts.items().len(), all.len());
        }
    }
}
