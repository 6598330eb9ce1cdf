//! Which cell of an axis each value is in, many values at a time.

use viewer_model::axis::{Bins, Scale, Span};

/// Finds the cell of a value.
#[derive(Debug)]
pub(crate) struct Cells {
    edges: Vec<i64>,
    /// Cell of each value from the first on, where they are few.
    table: Vec<u16>,
    scale: Scale,
    /// Where the axis begins, and cells for each unit of distance.
    origin: f64,
    factor: f64,
    /// Where the last value was, and that cell's borders: values come in runs.
    last: u16,
    last_edges: (i64, i64),
}

/// What a value outside of all cells has instead of one.
pub(crate) const NO_CELL: u16 = u16::MAX;

/// Values of a span up to this long find their cell in a table.
const MAX_TABLE_LEN: i64 = 1 << 16;

impl Cells {
    /// For these bins.
    pub(crate) fn new(bins: &Bins) -> Self {
        let edges = bins.edges();
        let Span { start, end } = bins.axis.span;
        let scale = bins.axis.scale;
        let count = bins.count as f64;
        let (origin, factor) = match scale {
            Scale::Linear => (0.0, count / bins.axis.span.len() as f64),
            Scale::Log => {
                let from = fast_log(start);
                (from, count / (fast_log(end) - from))
            }
        };
        let last_edges = (edges[0], edges[1]);
        let mut cells =
            Self { edges, table: Vec::new(), scale, origin, factor, last: 0, last_edges };
        if bins.axis.span.len() <= MAX_TABLE_LEN {
            cells.table = (start..end).map(|value| cells.search(value)).collect();
        }
        cells
    }

    /// How many cells there are.
    pub(crate) fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// The cell of each value, [`NO_CELL`] for one outside.
    pub(crate) fn find(&mut self, values: &[i64], cells: &mut [u16]) {
        for (value, cell) in values.iter().zip(cells) {
            *cell = self.cell(*value);
        }
    }

    /// The cell of a value, [`NO_CELL`] for one outside.
    #[inline]
    pub(crate) fn cell(&mut self, value: i64) -> u16 {
        if !self.table.is_empty() {
            let place = usize::try_from(value.wrapping_sub(self.edges[0])).unwrap_or(usize::MAX);
            return self.table.get(place).copied().unwrap_or(NO_CELL);
        }
        let (from, to) = self.last_edges;
        if value < from || to <= value {
            let found = self.search(value);
            if found == NO_CELL {
                return NO_CELL;
            }
            self.last = found;
            self.last_edges = (self.edges[usize::from(found)], self.edges[usize::from(found) + 1]);
        }
        self.last
    }

    /// The cell that holds all values from `least` to `most`, if one does.
    pub(crate) fn common(&self, (least, most): (i64, i64)) -> Option<u16> {
        if most < self.edges[0] || self.edges[self.count()] <= least {
            return Some(NO_CELL);
        }
        // Cells are in the order of values: between two of the same cell there is no other.
        let cell = self.search(least);
        (cell != NO_CELL && cell == self.search(most)).then_some(cell)
    }

    /// A guess by floating point, put right by the borders.
    fn search(&self, value: i64) -> u16 {
        let count = self.count();
        if value < self.edges[0] || self.edges[count] <= value {
            return NO_CELL;
        }
        let distance = match self.scale {
            Scale::Linear => value.abs_diff(self.edges[0]) as f64,
            Scale::Log => fast_log(value) - self.origin,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let mut cell = ((distance * self.factor) as usize).min(count - 1);
        while value < self.edges[cell] {
            cell -= 1;
        }
        while self.edges[cell + 1] <= value {
            cell += 1;
        }
        u16::try_from(cell).unwrap_or(NO_CELL)
    }
}

/// The binary logarithm of a value and one more, to about a hundredth.
fn fast_log(value: i64) -> f64 {
    let bits = (value.unsigned_abs() as f64 + 1.0).to_bits();
    let exponent = (bits >> 52) as f64 - 1023.0;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | (1023 << 52)) - 1.0;
    (exponent + mantissa + 0.344 * mantissa * (1.0 - mantissa)).copysign(value as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use viewer_model::axis::{Axis, MISSING, Quantity};

    fn spans() -> impl Strategy<Value = Span> {
        let starts = prop_oneof![any::<i64>(), -100i64..100_000];
        let lens = prop_oneof![1i64..1 << 62, 1i64..100_000];
        (starts, lens).prop_map(|(start, len)| Span::new(start, start.saturating_add(len)))
    }

    proptest! {
        /// However a value is looked for, its cell is the one whose borders hold it.
        #[test]
        fn each_value_is_in_the_cell_whose_edges_hold_it(
            is_log: bool, span in spans(), count in 1usize..700, is_closed: bool,
            seeds in proptest::collection::vec(any::<u64>(), 1..20), outside: i64,
        ) {
            let scale = if is_log { Scale::Log } else { Scale::Linear };
            let axis = Axis { quantity: Quantity::Size, scale, span };
            let bins = Bins { axis, count, is_closed };
            let edges = bins.edges();
            prop_assert_eq!((edges.len(), edges[0], edges[count]), (count + 1, span.start, span.end));
            prop_assert!(edges.windows(2).all(|pair| pair[0] <= pair[1]));
            let mut values: Vec<_> = seeds
                .iter()
                .map(|seed| span.start + i64::try_from(seed % span.len().unsigned_abs()).unwrap())
                .collect();
            values.extend([outside, span.start, span.end - 1, span.end, MISSING]);
            let mut found = vec![0; values.len()];
            let mut cells = Cells::new(&bins);
            cells.find(&values, &mut found);
            let bounds = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
            if let Some(cell) = cells.common(bounds) {
                prop_assert!(found.iter().all(|found| *found == cell));
            }
            for (value, cell) in values.into_iter().zip(found) {
                prop_assert_eq!(cell != NO_CELL, span.contains(value), "{}", value);
                if cell != NO_CELL {
                    let cell = usize::from(cell);
                    prop_assert!(edges[cell] <= value && value < edges[cell + 1]);
                }
            }
        }
    }
}
