//! Values with an index, in chunks: growing moves nothing and allocates at most one chunk too much.

/// Values per chunk.
const CHUNK_LEN: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 8;

/// The index of no value.
pub(crate) const NONE: u32 = u32::MAX;

/// A value that can be stored in a [`Slab`]. One of its fields contains the index of the next unused entry
/// while the entry is unused, so that the list of unused entries needs no memory.
pub(crate) trait Entry: Default {
    /// The field for the index of the next unused entry.
    fn link(&mut self) -> &mut u32;
}

/// Values with an index.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Box<[T]>>,
    /// The first unused entry.
    unused: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), unused: NONE }
    }
}

impl<T: Entry> Slab<T> {
    /// Stores a value. Returns its index.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if self.unused == NONE {
            self.add_chunk();
        }
        let index = self.unused;
        let entry = self.get_mut(index);
        let next = *entry.link();
        *entry = value;
        self.unused = next;
        index
    }

    /// Takes a value out.
    pub(crate) fn remove(&mut self, index: u32) -> T {
        let unused = self.unused;
        let value = std::mem::take(self.get_mut(index));
        *self.get_mut(index).link() = unused;
        self.unused = index;
        value
    }

    fn add_chunk(&mut self) {
        let first = self.chunks.len() << CHUNK_BITS;
        let mut chunk: Box<[T]> = (0..CHUNK_LEN).map(|_| T::default()).collect();
        for (entry, number) in chunk.iter_mut().zip(first + 1..) {
            let is_last = number == first + CHUNK_LEN;
            *entry.link() = if is_last { NONE } else { position(number) };
        }
        self.chunks.push(chunk);
        self.unused = position(first);
    }
}

impl<T> Slab<T> {
    /// The value at an index that is in use.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> &T {
        let (chunk, entry) = split(index);
        &self.chunks[chunk][entry]
    }

    /// The same, to change it.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> &mut T {
        let (chunk, entry) = split(index);
        &mut self.chunks[chunk][entry]
    }

    /// All entries with their indices, also those that are not in use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.chunks.iter().flatten())
    }

    /// The value at an index, or `None` for [`NONE`].
    #[inline]
    pub(crate) fn find(&self, index: u32) -> Option<&T> {
        (index != NONE).then(|| self.get(index))
    }
}

/// Chunk and entry of an index.
fn split(index: u32) -> (usize, usize) {
    ((index >> CHUNK_BITS) as usize, index as usize & (CHUNK_LEN - 1))
}

fn position(index: usize) -> u32 {
    u32::try_from(index).expect("a table has fewer than 2³² entries")
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Entry for u32 {
        fn link(&mut self) -> &mut u32 {
            self
        }
    }

    #[test]
    fn entries_are_used_again() {
        let mut slab = Slab::default();
        let indices: Vec<u32> = (0..1_000).map(|value| slab.insert(value)).collect();
        assert!(indices.iter().zip(0..).all(|(&index, value)| *slab.get(index) == value));
        for &index in indices.iter().step_by(2) {
            slab.remove(index);
        }
        let chunks = slab.chunks.len();
        let again: Vec<u32> = (2_000..2_500).map(|value| slab.insert(value)).collect();
        assert!(again.iter().zip(2_000..).all(|(&index, value)| *slab.get(index) == value));
        assert!(
            indices.iter().zip(0..).skip(1).step_by(2).all(|(&i, value)| *slab.get(i) == value)
        );
        assert_eq!((slab.chunks.len(), slab.find(NONE)), (chunks, None));
    }
}
