//! File offsets of the lines of a block, in two bytes per row.

use super::BLOCK_LEN;

/// Rows between two offsets that are stored in full.
const STRIDE: usize = 64;

/// Marks a distance that is stored in `far`.
const FAR: u16 = u16::MAX;

/// Non-decreasing offsets, stored as distances.
#[derive(Debug)]
pub(super) struct LineOffsets {
    distances: [u16; BLOCK_LEN],
    /// Offset of every [`STRIDE`]th row.
    marks: [u64; BLOCK_LEN / STRIDE],
    /// Rows and distances that do not fit 16 bits, sorted by row.
    far: Vec<(usize, u64)>,
    last: u64,
}

impl LineOffsets {
    pub(super) fn new() -> Self {
        let marks = [0; BLOCK_LEN / STRIDE];
        Self { distances: [0; BLOCK_LEN], marks, far: Vec::new(), last: 0 }
    }

    /// Sets the offset of the next row, which must not be smaller than the previous one.
    #[inline]
    pub(super) fn set(&mut self, row: usize, offset: u64) {
        let row = row % BLOCK_LEN;
        if row.is_multiple_of(STRIDE) {
            self.marks[row / STRIDE] = offset;
            self.last = offset;
        }
        let distance = offset.saturating_sub(self.last);
        let short = u16::try_from(distance).unwrap_or(FAR);
        if short == FAR {
            self.far.push((row, distance));
        }
        self.distances[row] = short;
        self.last = offset;
    }

    /// Offset of a row that has been set.
    pub(super) fn get(&self, row: usize) -> u64 {
        let first = row - row % STRIDE;
        let distances = (first..=row).map(|row| match self.distances[row] {
            FAR => self.far(row),
            distance => u64::from(distance),
        });
        self.marks[row / STRIDE] + distances.sum::<u64>()
    }

    fn far(&self, row: usize) -> u64 {
        let found = self.far.binary_search_by_key(&row, |(row, _)| *row);
        found.map_or(0, |at| self.far[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn offsets_read_back(distances in proptest::collection::vec(
            prop_oneof![20 => 60u64..400, 1 => 65_534u64..65_538, 1 => 0u64..1 << 40], 0..300,
        )) {
            let mut offsets = LineOffsets::new();
            let mut expected = Vec::new();
            let mut at = 0;
            for (row, distance) in distances.into_iter().enumerate() {
                at += distance;
                expected.push(at);
                offsets.set(row, at);
            }
            for (row, offset) in expected.into_iter().enumerate() {
                prop_assert_eq!(offsets.get(row), offset);
            }
        }
    }
}
