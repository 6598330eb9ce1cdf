//! Where each packet's line begins in its file, in two bytes a packet.

use foldhash::fast::FixedState;
use std::collections::HashMap;

/// Rows between two offsets that are kept whole.
const STRIDE: usize = 64;

/// A distance that does not fit is kept apart.
const FAR: u16 = u16::MAX;

/// Offsets that grow from row to row, as distances.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    distances: Vec<u16>,
    /// The offset of each [`STRIDE`]th row.
    marks: Vec<u64>,
    far: HashMap<usize, u64, FixedState>,
    last: u64,
}

impl Offsets {
    /// Appends one, which is not below the one before.
    pub(super) fn push(&mut self, offset: u64) {
        let row = self.distances.len();
        if row.is_multiple_of(STRIDE) {
            self.marks.push(offset);
            self.last = offset;
        }
        let distance = offset.saturating_sub(self.last);
        let short = u16::try_from(distance).unwrap_or(FAR);
        if short == FAR {
            self.far.insert(row, distance);
        }
        self.distances.push(short);
        self.last = offset;
    }

    /// The offset of a row.
    pub(super) fn get(&self, row: usize) -> u64 {
        let first = row - row % STRIDE;
        let distances = (first..=row).map(|row| match self.distances[row] {
            FAR => self.far[&row],
            distance => u64::from(distance),
        });
        self.marks[row / STRIDE] + distances.sum::<u64>()
    }

    pub(super) fn reserve_exact(&mut self, more: usize) {
        self.distances.reserve_exact(more);
        self.marks.reserve_exact(more / STRIDE + 1);
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
            let mut offsets = Offsets::default();
            let mut expected = Vec::new();
            let mut at = 0;
            for distance in distances {
                at += distance;
                expected.push(at);
                offsets.push(at);
            }
            for (row, offset) in expected.into_iter().enumerate() {
                prop_assert_eq!(offsets.get(row), offset);
            }
        }
    }
}
