//! Packet counts by grid cell and protocol class, the data of the scatter plot.

use viewer_model::axis::Bins;
use viewer_model::protocol::{CLASS_COUNT, CLASSES, Class};
use viewer_model::wire::{Wire, wire};

/// Two binned axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Bins along x.
    pub x: Bins,
    /// Bins along y; the first row holds the smallest values.
    pub y: Bins,
}

impl Grid {
    /// Number of cells.
    pub fn cell_count(&self) -> usize {
        self.x.count * self.y.count
    }
}

/// Counts by class, row and column. Only classes that occur have counts, because grids are large and
/// most captures contain few classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Density {
    columns: usize,
    /// Cells per class.
    cell_count: usize,
    /// Indices of the classes that have counts, ascending.
    classes: Vec<u8>,
    /// Start of each class in `counts`; out of range for classes without counts.
    starts: [usize; CLASS_COUNT],
    counts: Vec<u32>,
}

impl Density {
    /// Zero counts for packets of these classes.
    pub fn new(grid: &Grid, classes: impl Iterator<Item = Class>) -> Self {
        let mut has = [false; CLASS_COUNT];
        classes.for_each(|class| has[class.index()] = true);
        let present = (0..).zip(has).filter_map(|(class, has)| has.then_some(class)).collect();
        Self::with(grid.x.count, grid.cell_count(), present, Vec::new())
    }

    /// `counts` may be empty for zeros.
    fn with(columns: usize, cell_count: usize, classes: Vec<u8>, mut counts: Vec<u32>) -> Self {
        counts.resize(classes.len() * cell_count, 0);
        let mut starts = [usize::MAX / 2; CLASS_COUNT];
        for (index, class) in classes.iter().enumerate() {
            if let Some(start) = starts.get_mut(usize::from(*class)) {
                *start = index * cell_count;
            }
        }
        Self { columns, cell_count, classes, starts, counts }
    }

    /// Adds a packet, or removes it unless `ADD`.
    #[inline]
    pub fn update<const ADD: bool>(&mut self, class: usize, column: usize, row: usize) {
        if let Some(count) = self.counts.get_mut(self.starts[class] + row * self.columns + column) {
            *count = if ADD { count.wrapping_add(1) } else { count.wrapping_sub(1) };
        }
    }

    /// Counts of a class, row by row, bottom row first. Empty if the class has no counts.
    pub fn of(&self, class: Class) -> &[u32] {
        let start = self.starts[class.index()];
        self.counts.get(start..start + self.cell_count).unwrap_or_default()
    }

    /// The classes with at least one packet in the grid.
    pub fn present(&self) -> Vec<Class> {
        let has_packets = |class: &Class| self.of(*class).iter().any(|count| *count != 0);
        CLASSES.into_iter().filter(has_packets).collect()
    }

    /// Counts of all classes.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Adds the counts of another part, which must have the same grid.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        self.widen(&other.classes);
        self.add(other);
        self
    }

    /// Adds zeros for classes that have no counts yet.
    pub fn add_classes(&mut self, classes: &[Class]) {
        let classes: Vec<_> = classes.iter().map(|class| *class as u8).collect();
        self.widen(&classes);
    }

    fn widen(&mut self, more: &[u8]) {
        if more.iter().all(|class| self.classes.contains(class)) {
            return;
        }
        let mut classes: Vec<u8> = (0..).take(CLASS_COUNT).collect();
        classes.retain(|class| self.classes.contains(class) || more.contains(class));
        let mut wider = Self::with(self.columns, self.cell_count, classes, Vec::new());
        wider.add(self);
        *self = wider;
    }

    fn add(&mut self, other: &Self) {
        for (class, more) in other.classes.iter().zip(other.counts.chunks(other.cell_count.max(1)))
        {
            let start = self.starts.get(usize::from(*class)).copied().unwrap_or(usize::MAX / 2);
            let counts = self.counts.get_mut(start..start + self.cell_count).unwrap_or_default();
            counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
    }
}

wire!(struct Grid { x, y });

/// Four bytes per count: faster than variable-length integers, for tens of thousands of counts.
impl Wire for Density {
    fn put(&self, bytes: &mut Vec<u8>) {
        (self.columns, self.cell_count).put(bytes);
        self.classes.put(bytes);
        bytes.reserve(4 * self.counts.len());
        bytes.extend(self.counts.iter().flat_map(|count| count.to_le_bytes()));
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let (columns, cell_count) = <(usize, usize)>::get(bytes)?;
        let classes = Vec::<u8>::get(bytes)?;
        let len = classes.len().checked_mul(cell_count)?.checked_mul(4)?;
        let (counts, rest) = bytes.split_at_checked(len)?;
        *bytes = rest;
        let counts = counts.as_chunks().0.iter().map(|count| u32::from_le_bytes(*count)).collect();
        Some(Self::with(columns, cell_count, classes, counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use viewer_model::axis::{Axis, Bins, Quantity, Scale, Span};
    use viewer_model::wire::{decode, encode};

    fn grid(columns: usize, rows: usize) -> Grid {
        let axis = Axis { quantity: Quantity::Size, scale: Scale::Linear, span: Span::new(0, 100) };
        let bins = |count| Bins { axis, count, is_closed: false };
        Grid { x: bins(columns), y: bins(rows) }
    }

    proptest! {
        /// Also if the two have counts of different classes, and after a round trip as bytes.
        #[test]
        fn merging_adds_counts(
            one in proptest::collection::vec((0usize..6, 0usize..3, 0usize..4), 0..30),
            other in proptest::collection::vec((0usize..6, 0usize..3, 0usize..4), 0..30),
        ) {
            let density = |cells: &[(usize, usize, usize)]| {
                let classes = cells.iter().map(|(class, ..)| CLASSES[*class]);
                let mut density = Density::new(&grid(3, 4), classes);
                cells.iter().for_each(|&(class, column, row)| density.update::<true>(class, column, row));
                density
            };
            let merged = density(&one).merge(&density(&other));
            let all = [one, other].concat();
            prop_assert_eq!(&merged, &density(&all));
            prop_assert_eq!(decode::<Density>(&encode(&merged)), Some(merged.clone()));
            let mut rest = merged;
            all.iter().for_each(|&(class, column, row)| rest.update::<false>(class, column, row));
            prop_assert!(rest.counts().iter().all(|count| *count == 0) && rest.present().is_empty());
        }

        #[test]
        fn decoding_any_bytes_does_not_panic(bytes: Vec<u8>) {
            let _ = decode::<Density>(&bytes);
        }
    }
}
