//! Sets of rows of a block, as bit masks.

use super::BLOCK_LEN;

/// Rows per word.
const WORD_LEN: usize = 64;

/// A set of rows of a block, one bit per row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockMask([u64; BLOCK_LEN / WORD_LEN]);

impl BlockMask {
    /// All rows.
    pub(crate) const ALL: Self = Self([u64::MAX; BLOCK_LEN / WORD_LEN]);

    /// No row.
    pub(crate) const NONE: Self = Self([0; BLOCK_LEN / WORD_LEN]);

    /// The first `len` rows, at most [`BLOCK_LEN`].
    pub(crate) fn first(len: usize) -> Self {
        let mut bits = Self::NONE;
        for (start, word) in (0..len).step_by(WORD_LEN).zip(&mut bits.0) {
            *word = match len - start {
                few @ 0..WORD_LEN => (1 << few) - 1,
                _ => u64::MAX,
            };
        }
        bits
    }

    /// The rows for which the iterator yields true; rows beyond its end are not included.
    #[inline]
    pub(crate) fn of(answers: impl ExactSizeIterator<Item = bool>) -> Self {
        /// Multiplying by this moves the lowest bit of byte `i` to bit `i` of the highest byte.
        const GATHER: u64 = 0x0102_0408_1020_4080;
        let mut buf = [0; BLOCK_LEN];
        buf.iter_mut().zip(answers).for_each(|(byte, answer)| *byte = u8::from(answer));
        let mut bits = Self::NONE;
        for (word, answers) in bits.0.iter_mut().zip(buf.as_chunks::<WORD_LEN>().0) {
            for (shift, eight) in (0..).step_by(8).zip(answers.as_chunks().0) {
                *word |= u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56 << shift;
            }
        }
        bits
    }

    /// Combines bit masks of groups of `LEN` rows, first row lowest. `LEN` divides 64.
    #[inline]
    pub(super) fn of_groups<const LEN: usize>(mut groups: impl Iterator<Item = u32>) -> Self {
        let mut bits = Self::NONE;
        for word in &mut bits.0 {
            for (place, group) in (0..WORD_LEN).step_by(LEN).zip(&mut groups) {
                *word |= u64::from(group) << place;
            }
        }
        bits
    }

    /// Intersection.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
        self
    }

    /// Union.
    #[must_use]
    pub(crate) fn or(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
        self
    }

    /// Difference.
    #[must_use]
    pub(crate) fn without(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
        self
    }

    /// Includes a row.
    pub(crate) fn insert(&mut self, row: usize) {
        self.0[row / WORD_LEN] |= 1 << (row % WORD_LEN);
    }

    /// Whether a row is included.
    pub(crate) fn contains(&self, row: usize) -> bool {
        self.0[row / WORD_LEN] >> (row % WORD_LEN) & 1 != 0
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Calls `visit` with the index of each row, in order.
    #[inline]
    pub(crate) fn each(&self, mut visit: impl FnMut(u16)) {
        for (start, mut word) in (0..).step_by(WORD_LEN).zip(self.0) {
            while word != 0 {
                visit(start + u16::try_from(word.trailing_zeros()).unwrap_or(0));
                word &= word - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masks_match_sets_of_rows(
            one in proptest::collection::vec(any::<bool>(), 0..BLOCK_LEN + 1),
            other in proptest::collection::vec(any::<bool>(), BLOCK_LEN),
        ) {
            let rows_where = |is_set: &dyn Fn(usize) -> bool| -> Vec<u16> {
                (0..one.len()).filter(|at| is_set(*at)).map(|at| at.try_into().unwrap()).collect()
            };
            let of = |answers: &[bool]| BlockMask::of(answers.iter().copied());
            let rows_of = |bits: BlockMask| {
                let mut rows = Vec::new();
                bits.each(|row| rows.push(row));
                rows
            };
            let (a, b) = (of(&one), of(&other));
            let expected = rows_where(&|at| one[at]);
            prop_assert_eq!(rows_of(a), expected.clone());
            prop_assert_eq!(a.count(), expected.len());
            prop_assert!((0..BLOCK_LEN).all(|at| a.contains(at) == one.get(at).is_some_and(|is| *is)));
            prop_assert_eq!(rows_of(a.and(&b)), rows_where(&|at| one[at] & other[at]));
            prop_assert_eq!(rows_of(a.without(&b)), rows_where(&|at| one[at] & !other[at]));
            prop_assert_eq!(rows_of(a.or(&b.and(&BlockMask::first(one.len())))), rows_where(&|at| one[at] | other[at]));
            prop_assert_eq!(BlockMask::first(one.len()), of(&vec![true; one.len()]));
            prop_assert_eq!((a.and(&BlockMask::ALL), a.and(&BlockMask::NONE)), (a, BlockMask::NONE));
        }
    }
}
