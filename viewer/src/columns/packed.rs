//! Whole numbers of a block of rows, in as few bytes as they need.

use super::BLOCK_LEN;

/// How far below the first number others may lie, where distances to it are kept: of nanoseconds a
/// second, for packets come a little out of order.
const SLACK: i64 = 1 << 30;

/// Numbers by their rows, which are set one after the other.
#[derive(Debug)]
pub(super) struct Packed {
    base: i64,
    store: Store,
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

impl Packed {
    /// Of numbers that count on from the first.
    pub(super) fn steps(first: i64) -> Self {
        Self { base: first, store: Store::Steps }
    }

    /// Of numbers from 0 to 65,535.
    pub(super) fn short() -> Self {
        Self { base: 0, store: Store::Short(Box::new([0; BLOCK_LEN])) }
    }

    /// Of numbers not far from the first.
    pub(super) fn near(first: i64) -> Self {
        let base = first.saturating_sub(SLACK);
        Self { base, store: Store::Middle(Box::new([0; BLOCK_LEN])) }
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
        let mut known = [0; BLOCK_LEN];
        self.read(&mut known[..row]);
        *self = match &self.store {
            Store::Steps => Self::near(self.base),
            Store::Short(_) => {
                Self { base: self.base, store: Store::Middle(Box::new([0; BLOCK_LEN])) }
            }
            Store::Middle(_) | Store::Long(_) => {
                Self { base: 0, store: Store::Long(Box::new([0; BLOCK_LEN])) }
            }
        };
        for (row, value) in known[..row].iter().enumerate() {
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

    /// Least and greatest of the first rows, at least one.
    pub(super) fn bounds(&self, len: usize) -> (i64, i64) {
        fn of<T: Copy + Ord + Into<i64>>(base: i64, all: &[T]) -> (i64, i64) {
            let first = all[0];
            let least = all.iter().copied().fold(first, T::min);
            let most = all.iter().copied().fold(first, T::max);
            (base.wrapping_add(least.into()), base.wrapping_add(most.into()))
        }
        match &self.store {
            Store::Steps => (self.base, self.base.wrapping_add_unsigned(len as u64 - 1)),
            Store::Short(all) => of(self.base, &all[..len]),
            Store::Middle(all) => of(self.base, &all[..len]),
            Store::Long(all) => of(0, &all[..len]),
        }
    }

    /// Says of each of the first rows whether its number is from `first` to `last`.
    pub(super) fn within(&self, first: i64, last: i64, is_in: &mut [bool]) {
        fn of<T: Copy + Ord>(all: &[T], range: Option<(T, T)>, is_in: &mut [bool]) {
            let Some((first, last)) = range else { return is_in.fill(false) };
            for (is_in, value) in is_in.iter_mut().zip(all) {
                *is_in = (first <= *value) & (*value <= last);
            }
        }
        /// What of the range there can be, as distances from the base.
        fn part<T: TryFrom<i128>>(first: i64, last: i64, base: i64, most: T) -> Option<(T, T)> {
            let distance = |value: i64| i128::from(value) - i128::from(base);
            let (first, last) = (distance(first).max(0), distance(last));
            (first <= last).then_some(())?;
            Some((T::try_from(first).ok()?, T::try_from(last).unwrap_or(most)))
        }
        match &self.store {
            Store::Steps => {
                let steps = (0..).map(|step| self.base.wrapping_add(step));
                for (is_in, value) in is_in.iter_mut().zip(steps) {
                    *is_in = (first <= value) & (value <= last);
                }
            }
            Store::Short(all) => of(&**all, part(first, last, self.base, u16::MAX), is_in),
            Store::Middle(all) => of(&**all, part(first, last, self.base, u32::MAX), is_in),
            Store::Long(all) => of(&**all, Some((first, last)), is_in),
        }
    }

    /// The numbers of the first rows.
    pub(super) fn read(&self, values: &mut [i64]) {
        let base = self.base;
        match &self.store {
            Store::Steps => {
                let steps = (0..).map(|step| base.wrapping_add(step));
                values.iter_mut().zip(steps).for_each(|(value, n)| *value = n);
            }
            Store::Short(all) => {
                values.iter_mut().zip(&**all).for_each(|(value, d)| *value = base + i64::from(*d));
            }
            Store::Middle(all) => {
                values.iter_mut().zip(&**all).for_each(|(value, d)| *value = base + i64::from(*d));
            }
            Store::Long(all) => values.copy_from_slice(&all[..values.len()]),
        }
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
            kind in 0..3, range: (prop::sample::Index, i64),
        ) {
            let mut values = vec![first];
            for step in steps {
                values.push(values[values.len() - 1].wrapping_add(step));
            }
            let mut packed = match kind {
                0 => Packed::steps(first),
                1 => Packed::short(),
                _ => Packed::near(first),
            };
            values.iter().enumerate().for_each(|(row, value)| packed.set(row, *value));
            let mut read = vec![0; values.len()];
            packed.read(&mut read);
            prop_assert_eq!(&read, &values);
            prop_assert!(values.iter().enumerate().all(|(row, value)| packed.get(row) == *value));
            let (least, most) = (values.iter().min().unwrap(), values.iter().max().unwrap());
            prop_assert_eq!(packed.bounds(values.len()), (*least, *most));
            for (from, to) in [(*range.0.get(&values), range.1), (range.1, *most), (*least, *least)] {
                let mut is_in = vec![true; values.len()];
                packed.within(from, to, &mut is_in);
                let expected: Vec<_> = values.iter().map(|v| from <= *v && *v <= to).collect();
                prop_assert_eq!(is_in, expected);
            }
        }
    }
}
