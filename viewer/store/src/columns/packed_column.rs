//! Whole numbers of a block of rows, in as few bytes as they need.

use super::{BLOCK_LEN, BlockMask};
use wide::{u16x8, u32x4};

/// How far below the first number others may lie, where distances to it are kept: of nanoseconds a
/// second, for packets come a little out of order.
const SLACK: i64 = 1 << 30;

/// Numbers by their rows, which are set one after the other.
#[derive(Debug)]
pub(super) struct PackedColumn {
    base: i64,
    store: Store,
    bounds: Option<(i64, i64)>,
}

/// Each holds the distance of a row's number from the base, but for `Long`.
#[derive(Debug)]
enum Store {
    /// Each number is one more than the one before: no bytes at all.
    Steps,
    Short(Box<[u16; BLOCK_LEN]>),
    Middle(Box<[u32; BLOCK_LEN]>),
    /// The numbers themselves.
    Long(Box<[i64; BLOCK_LEN]>),
}

impl PackedColumn {
    /// Of numbers that count on from the first.
    pub(super) fn steps(first: i64) -> Self {
        Self { base: first, store: Store::Steps, bounds: None }
    }

    /// Of numbers from 0 to 65,535.
    pub(super) fn short() -> Self {
        Self { base: 0, store: Store::Short(Box::new([0; BLOCK_LEN])), bounds: None }
    }

    /// Of numbers not far from the first.
    pub(super) fn near(first: i64) -> Self {
        let base = first.saturating_sub(SLACK);
        Self { base, store: Store::Middle(Box::new([0; BLOCK_LEN])), bounds: None }
    }

    /// Sets the number of a row; those before it are set.
    #[inline]
    pub(super) fn set(&mut self, row: usize, value: i64) {
        let distance = value.wrapping_sub(self.base);
        let row = row % BLOCK_LEN;
        match &mut self.store {
            Store::Steps if usize::try_from(distance) == Ok(row) => return,
            Store::Short(all) => {
                if let Ok(distance) = u16::try_from(distance) {
                    all[row] = distance;
                    return;
                }
            }
            Store::Middle(all) => {
                if self.base <= value
                    && let Ok(distance) = u32::try_from(distance)
                {
                    all[row] = distance;
                    return;
                }
            }
            Store::Long(all) => {
                all[row] = value;
                return;
            }
            Store::Steps => {}
        }
        self.widen(row);
        self.set(row, value);
    }

    /// Goes over to numbers of more bytes, with what the rows before `row` have.
    #[cold]
    fn widen(&mut self, row: usize) {
        let known: Vec<_> = (0..row).map(|row| self.get(row)).collect();
        *self = match &self.store {
            Store::Steps => Self::near(self.base),
            Store::Short(_) => {
                let store = Store::Middle(Box::new([0; BLOCK_LEN]));
                Self { base: self.base, store, bounds: None }
            }
            Store::Middle(_) | Store::Long(_) => {
                let store = Store::Long(Box::new([0; BLOCK_LEN]));
                Self { base: 0, store, bounds: None }
            }
        };
        for (row, value) in known.iter().enumerate() {
            self.set(row, *value);
        }
    }

    /// The number of a row that is set.
    pub(super) fn get(&self, row: usize) -> i64 {
        match &self.store {
            Store::Steps => self.base.wrapping_add_unsigned(row as u64),
            Store::Short(all) => self.base + i64::from(all[row]),
            Store::Middle(all) => self.base + i64::from(all[row]),
            Store::Long(all) => all[row],
        }
    }

    /// Makes all numbers, also those of rows that are not set yet, greater by as much.
    pub(super) fn shift(&mut self, by: i64) {
        match &mut self.store {
            Store::Long(all) => all.iter_mut().for_each(|number| *number = number.wrapping_add(by)),
            _ => self.base = self.base.wrapping_add(by),
        }
        let shifted = |number: i64| number.wrapping_add(by);
        self.bounds = self.bounds.map(|(least, most)| (shifted(least), shifted(most)));
    }

    /// All rows are set: their bounds are known from now on.
    pub(super) fn close(&mut self) {
        self.bounds = Some(self.bounds(BLOCK_LEN));
    }

    /// Least and greatest of the first rows, at least one; of all of them, once they are closed.
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
        match &self.store {
            Store::Steps => (self.base, self.base.wrapping_add_unsigned(len as u64 - 1)),
            Store::Short(all) => of(self.base, &all[..len]),
            Store::Middle(all) => of(self.base, &all[..len]),
            Store::Long(all) => of(0, &all[..len]),
        }
    }

    /// The first rows whose number is from `first` to `last`. Numbers are compared many at once, by the
    /// processor's vectors: this is a look at all packets.
    pub(super) fn within(&self, first: i64, last: i64, len: usize) -> BlockMask {
        // As distances from the base, of which none is negative.
        let distance = |value: i64| i128::from(value) - i128::from(self.base);
        let (least, most) = (distance(first).max(0), distance(last));
        match &self.store {
            Store::Steps => BlockMask::of((0..len).map(|row| {
                let value = self.base.wrapping_add_unsigned(row as u64);
                (first <= value) & (value <= last)
            })),
            Store::Long(all) => {
                BlockMask::of(all[..len].iter().map(|value| (first <= *value) & (*value <= last)))
            }
            _ if most < least => BlockMask::NONE,
            Store::Short(all) => {
                let Ok(least) = u16::try_from(least) else { return BlockMask::NONE };
                let most = u16x8::splat(u16::try_from(most).unwrap_or(u16::MAX));
                let least = u16x8::splat(least);
                let bits = BlockMask::of_groups::<8>(all.as_chunks().0.iter().map(|group| {
                    let group = u16x8::new(*group);
                    group.simd_eq(group.max(least).min(most)).to_bitmask()
                }));
                bits.and(&BlockMask::first(len))
            }
            Store::Middle(all) => {
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

    /// Appends what the numbers of rows in these places are to be.
    #[inline]
    pub(super) fn read<T>(&self, places: &[u16], to: impl Fn(i64) -> T, buf: &mut Vec<T>) {
        let base = self.base;
        match &self.store {
            Store::Steps => take(places, |row| to(base.wrapping_add_unsigned(row as u64)), buf),
            Store::Short(all) => take(places, |row| to(base + i64::from(all[row])), buf),
            Store::Middle(all) => take(places, |row| to(base + i64::from(all[row])), buf),
            Store::Long(all) => take(places, |row| to(all[row]), buf),
        }
    }

    /// Appends how far the numbers of rows in these places are from the one before, and what the first
    /// row has instead.
    pub(super) fn read_distances(&self, places: &[u16], of_first: i64, distances: &mut Vec<i64>) {
        fn of(number: impl Fn(usize) -> i64, of_first: i64, row: usize) -> i64 {
            match row.checked_sub(1) {
                Some(before) => number(row).saturating_sub(number(before)),
                None => of_first,
            }
        }
        match &self.store {
            Store::Middle(all) => {
                take(places, |row| of(|row| i64::from(all[row]), of_first, row), distances);
            }
            _ => take(places, |row| of(|row| self.get(row), of_first, row), distances),
        }
    }
}

/// Appends what rows in these places have. All of a block are in order: it is read as a whole.
#[inline]
pub(super) fn take<T>(places: &[u16], of: impl Fn(usize) -> T, buf: &mut Vec<T>) {
    if places.len() == BLOCK_LEN {
        buf.extend((0..BLOCK_LEN).map(of));
    } else {
        buf.extend(places.iter().map(|place| of(usize::from(*place) % BLOCK_LEN)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_read_back_whatever_comes(
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
            let places: Vec<u16> = (0..).take(values.len()).collect();
            for step in [1, 3] {
                let mut read = Vec::new();
                let places: Vec<_> = places.iter().copied().step_by(step).collect();
                packed.read(&places, |number| number, &mut read);
                let mut distances = Vec::new();
                packed.read_distances(&places, -7, &mut distances);
                let expected = places.iter().map(|place| match usize::from(*place) {
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
