//! Indices of flows that share a word with other values.

use crate::slab::NONE;

/// Bits of the index in a [`Tagged`].
const INDEX_BITS: u32 = 24;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

/// The index of a flow, or [`NONE`], and 8 bits of another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tagged(u32);

impl Tagged {
    /// The largest number of flows: the last index is [`NONE`].
    pub(crate) const MAX_LEN: usize = INDEX_MASK as usize;

    pub(crate) const fn new(index: u32, tag: u8) -> Self {
        Self((tag as u32) << INDEX_BITS | index & INDEX_MASK)
    }

    #[inline]
    pub(crate) const fn index(self) -> u32 {
        match self.0 & INDEX_MASK {
            INDEX_MASK => NONE,
            index => index,
        }
    }

    pub(crate) const fn tag(self) -> u8 {
        (self.0 >> INDEX_BITS) as u8
    }

    pub(crate) fn set_index(&mut self, index: u32) {
        *self = Self::new(index, self.tag());
    }

    pub(crate) fn set_tag(&mut self, tag: u8) {
        *self = Self::new(self.0, tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_and_tag_are_independent() {
        for index in [0, 1, INDEX_MASK - 1, NONE] {
            for tag in [0, 1, 128, u8::MAX] {
                let mut tagged = Tagged::new(index, tag);
                assert_eq!((tagged.index(), tagged.tag()), (index, tag));
                tagged.set_tag(!tag);
                assert_eq!((tagged.index(), tagged.tag()), (index, !tag));
                tagged.set_index(7);
                assert_eq!((tagged.index(), tagged.tag()), (7, !tag));
            }
        }
    }
}
