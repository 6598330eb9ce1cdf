//! Integers of one column of a block, in as few bytes as they need.

use super::{BLOCK_LEN, BlockMask};
use wide::{u16x8, u32x4};

/// How far below the first value later ones may lie: about a second in nanoseconds, because packets
/// can be slightly out of order.
const SLACK: i64 = 1 << 30;

/// Integers of a block, set in row order.
#[derive(Debug)]
pub(super) struct PackedColumn {
    base: i64,
    repr: Repr,
    bounds: Option<(i64, i64)>,
}

/// Representation: distances from the base, except for `Long`.
#[derive(Debug)]
enum Repr {
    /// Consecutive numbers; takes no memory.
    Steps,
    Short(Box<[u16; BLOCK_LEN]>),
    Middle(Box<[u32; BLOCK_LEN]>),
    /// Values, not distances.
    Long(Box<[i64; BLOCK_LEN]>),
}

impl PackedColumn {
    /// For consecutive numbers.
    pub(super) fn steps(first: i64) -> Self {
        Self { base: first, repr: Repr::Steps, bounds: None }
    }

    /// For values of 0 to 65,535.
    pub(super) fn short() -> Self {
        Self { base: 0, repr: Repr::Short(Box::new([0; BLOCK_LEN])), bounds: None }
    }

    /// For values close to the first.
    pub(super) fn near(first: i64) -> Self {
        let base = first.saturating_sub(SLACK);
        Self { base, repr: Repr::Middle(Box::new([0; BLOCK_LEN])), bounds: None }
    }

    /// Sets the value of the next row. Switches to a wider representation if needed.
    #[inline]
    pub(super) fn set(&mut self, row: usize, value: i64) {
        let distance = value.wrapping_sub(self.base);
        let row = row % BLOCK_LEN;
        match &mut self.repr {
            Repr::Steps if usize::try_from(distance) == Ok(row) => return,
            Repr::Short(all) => {
                if let Ok(distance) = u16::try_from(distance) {
                    all[row] = distance;
                    return;
                }
            }
            Repr::Middle(all) => {
                if self.base <= value
                    && let Ok(distance) = u32::try_from(distance)
                {
                    all[row] = distance;
                    return;
                }
            }
            Repr::Long(all) => {
                all[row] = value;
                return;
            }
            Repr::Steps => {}
        }
        self.widen(row);
        self.set(row, value);
    }

    /// Switches to a wider representation, keeping the values before `row`.
    #[cold]
    fn widen(&mut self, row: usize) {
        let known: Vec<_> = (0..row).map(|row| self.get(row)).collect();
        *self = match &self.repr {
            Repr::Steps => Self::near(self.base),
            Repr::Short(_) => {
                let repr = Repr::Middle(Box::new([0; BLOCK_LEN]));
                Self { base: self.base, repr, bounds: None }
            }
            Repr::Middle(_) | Repr::Long(_) => {
                let repr = Repr::Long(Box::new([0; BLOCK_LEN]));
                Self { base: 0, repr, bounds: None }
            }
        };
        for (row, value) in known.iter().enumerate() {
            self.set(row, *value);
        }
    }

    /// Value of a row that has been set.
    pub(super) fn get(&self, row: usize) -> i64 {
        match &self.repr {
            Repr::Steps => self.base.wrapping_add_unsigned(row as u64),
            Repr::Short(all) => self.base + i64::from(all[row]),
            Repr::Middle(all) => self.base + i64::from(all[row]),
            Repr::Long(all) => all[row],
        }
    }

    /// Adds to all values, including those that are set later.
    pub(super) fn shift(&mut self, by: i64) {
        match &mut self.repr {
            Repr::Long(all) => all.iter_mut().for_each(|number| *number = number.wrapping_add(by)),
            _ => self.base = self.base.wrapping_add(by),
        }
        let shifted = |number: i64| number.wrapping_add(by);
        self.bounds = self.bounds.map(|(least, most)| (shifted(least), shifted(most)));
    }

    /// Caches the bounds once all rows are set.
    pub(super) fn close(&mut self) {
        self.bounds = Some(self.bounds(BLOCK_LEN));
    }

    /// Smallest and largest of the first `len` values, at least one. Covers all rows once closed.
    pub(super) fn bounds(&self, len: usize) -> (i64, i64) {
        fn of<T: Copy + Ord + Into<i64>>(base: i64, all: &[T]) -> (i64, i64) {
            let first = all[0];
            let least = all.iter().copied().fold(first, T::min);
            let most = all.iter().copied().fold(first, T::max);
            (base.wrapping_add(least.into()), base.wrapping_add(most.into()))
        }
        if let Some(bounds) = self.bounds {
            return bounds;
        }
        match &self.repr {
            Repr::Steps => (self.base, self.base.wrapping_add_unsigned(len as u64 - 1)),
            Repr::Short(all) => of(self.base, &all[..len]),
            Repr::Middle(all) => of(self.base, &all[..len]),
            Repr::Long(all) => of(0, &all[..len]),
        }
    }

    /// The rows among the first `len` whose value is between `first` and `last`, both inclusive. Uses
    /// SIMD, because range selections compare all packets.
    pub(super) fn within(&self, first: i64, last: i64, len: usize) -> BlockMask {
        // Stored distances are never negative.
        let distance = |value: i64| i128::from(value) - i128::from(self.base);
        let (least, most) = (distance(first).max(0), distance(last));
        match &self.repr {
            Repr::Steps => BlockMask::of((0..len).map(|row| {
                let value = self.base.wrapping_add_unsigned(row as u64);
                (first <= value) & (value <= last)
            })),
            Repr::Long(all) => {
                BlockMask::of(all[..len].iter().map(|value| (first <= *value) & (*value <= last)))
            }
            _ if most < least => BlockMask::NONE,
            Repr::Short(all) => {
                let Ok(least) = u16::try_from(least) else { return BlockMask::NONE };
                let most = u16x8::splat(u16::try_from(most).unwrap_or(u16::MAX));
                let least = u16x8::splat(least);
                let bits = BlockMask::of_groups::<8>(all.as_chunks().0.iter().map(|group| {
                    let group = u16x8::new(*group);
                    group.simd_eq(group.max(least).min(most)).to_bitmask()
                }));
                bits.and(&BlockMask::first(len))
            }
            Repr::Middle(all) => {
                let Ok(least) = u32::try_from(least) else { return BlockMask::NONE };
                let most = u32x4::splat(u32::try_from(most).unwrap_or(u32::MAX));
                let least = u32x4::splat(least);
                let bits = BlockMask::of_groups::<4>(all.as_chunks().0.iter().map(|group| {
                    let group = u32x4::new(*group);
                    group.simd_eq(group.max(least).min(most)).to_bitmask()
                }));
                bits.and(&BlockMask::first(len))
            }
        }
    }

    /// Appends the converted values of rows to `buf`.
    #[inline]
    pub(super) fn read<T>(&self, rows: &[u16], to: impl Fn(i64) -> T, buf: &mut Vec<T>) {
        let base = self.base;
        match &self.repr {
            Repr::Steps => take(rows, |row| to(base.wrapping_add_unsigned(row as u64)), buf),
            Repr::Short(all) => take(rows, |row| to(base + i64::from(all[row])), buf),
            Repr::Middle(all) => take(rows, |row| to(base + i64::from(all[row])), buf),
            Repr::Long(all) => take(rows, |row| to(all[row]), buf),
        }
    }

    /// Appends the difference of each row's value to that of the previous row; `of_first` for the first
    /// row of the block.
    pub(super) fn read_distances(&self, rows: &[u16], of_first: i64, distances: &mut Vec<i64>) {
        fn of(number: impl Fn(usize) -> i64, of_first: i64, row: usize) -> i64 {
            match row.checked_sub(1) {
                Some(before) => number(row).saturating_sub(number(before)),
                None => of_first,
            }
        }
        match &self.repr {
            Repr::Middle(all) => {
                take(rows, |row| of(|row| i64::from(all[row]), of_first, row), distances);
            }
            _ => take(rows, |row| of(|row| self.get(row), of_first, row), distances),
        }
    }
}

/// Appends a value for each row index to `buf`. Reads a full block sequentially, without indices.
#[inline]
pub(super) fn take<T>(rows: &[u16], of: impl Fn(usize) -> T, buf: &mut Vec<T>) {
    if rows.len() == BLOCK_LEN {
        buf.extend((0..BLOCK_LEN).map(of));
    } else {
        buf.extend(rows.iter().map(|place| of(usize::from(*place) % BLOCK_LEN)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_read_back_in_any_representation(
            first in prop_oneof![any::<i64>(), 0i64..70_000],
            steps in proptest::collection::vec(
                prop_oneof![20 => Just(1i64), 5 => -5i64..3_000, 1 => any::<i64>()], 0..200,
            ),
            kind in 0..3, range: (prop::sample::Index, i64), is_full: bool,
        ) {
            let mut values = vec![first];
            for step in steps {
                values.push(values[values.len() - 1].wrapping_add(step));
            }
            while is_full && values.len() < BLOCK_LEN {
                values.push(values[values.len() - 1].wrapping_add(1));
            }
            let mut packed = match kind {
                0 => PackedColumn::steps(first),
                1 => PackedColumn::short(),
                _ => PackedColumn::near(first),
            };
            values.iter().enumerate().for_each(|(row, value)| packed.set(row, *value));
            let rows: Vec<u16> = (0..).take(values.len()).collect();
            for step in [1, 3] {
                let mut read = Vec::new();
                let rows: Vec<_> = rows.iter().copied().step_by(step).collect();
                packed.read(&rows, |number| number, &mut read);
                let mut distances = Vec::new();
                packed.read_distances(&rows, -7, &mut distances);
                let expected = rows.iter().map(|place| match usize::from(*place) {
                    0 => -7,
                    row => values[row].saturating_sub(values[row - 1]),
                });
                prop_assert_eq!(distances, expected.collect::<Vec<_>>());
                prop_assert_eq!(read, values.iter().copied().step_by(step).collect::<Vec<_>>());
            }
            prop_assert!(values.iter().enumerate().all(|(row, value)| packed.get(row) == *value));
            let (least, most) = (values.iter().min().unwrap(), values.iter().max().unwrap());
            prop_assert_eq!(packed.bounds(values.len()), (*least, *most));
            if values.len() == BLOCK_LEN {
                packed.close();
                prop_assert_eq!(packed.bounds(values.len()), (*least, *most));
            }
            for (from, to) in [(*range.0.get(&values), range.1), (range.1, *most), (*least, *least)] {
                let expected = values.iter().map(|v| from <= *v && *v <= to);
                prop_assert_eq!(packed.within(from, to, values.len()), BlockMask::of(expected));
            }
        }
    }
}
