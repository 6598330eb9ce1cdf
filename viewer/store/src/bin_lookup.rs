//! Finds the bin of each value on an axis.

use viewer_model::axis::{Bins, Scale, Span};

/// Lookup of the bin that contains a value.
#[derive(Debug)]
pub(crate) struct BinLookup {
    edges: Vec<i64>,
    /// Bin of each value of the span, if the span is short; otherwise empty.
    table: Vec<u16>,
    scale: Scale,
    /// Position of the axis start on its scale, and bins per unit of distance.
    origin: f64,
    factor: f64,
    /// Bin of the previous value and its edges, because similar values often follow each other.
    last: u16,
    last_edges: (i64, i64),
}

/// Marks a value outside all bins.
pub(crate) const NO_BIN: u16 = u16::MAX;

/// Maximum length of a span for which a lookup table is built.
const MAX_TABLE_LEN: i64 = 1 << 16;

impl BinLookup {
    /// Prepares lookups in `bins`.
    pub(crate) fn new(bins: &Bins) -> Self {
        let edges = bins.edges();
        let Span { start, end } = bins.axis.span;
        let scale = bins.axis.scale;
        let count = bins.count as f64;
        let (origin, factor) = match scale {
            Scale::Linear => (0.0, count / bins.axis.span.width()),
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

    /// Number of bins.
    pub(crate) fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// The first and the last value of a bin that contains values.
    pub(crate) fn bounds(&self, bin: usize) -> (i64, i64) {
        (self.edges[bin], self.edges[bin + 1] - 1)
    }

    /// The bin of each value, [`NO_BIN`] if it is outside.
    pub(crate) fn find(&mut self, values: &[i64], cells: &mut [u16]) {
        for (value, cell) in values.iter().zip(cells) {
            *cell = self.cell(*value);
        }
    }

    /// The bin of a value, [`NO_BIN`] if it is outside.
    #[inline]
    pub(crate) fn cell(&mut self, value: i64) -> u16 {
        if !self.table.is_empty() {
            let index = usize::try_from(value.wrapping_sub(self.edges[0])).unwrap_or(usize::MAX);
            return self.table.get(index).copied().unwrap_or(NO_BIN);
        }
        let (from, to) = self.last_edges;
        if value < from || to <= value {
            let found = self.search(value);
            if found == NO_BIN {
                return NO_BIN;
            }
            self.last = found;
            self.last_edges = (self.edges[usize::from(found)], self.edges[usize::from(found) + 1]);
        }
        self.last
    }

    /// The bin that contains all values from `least` to `most`, if there is one; [`NO_BIN`] if all are
    /// outside.
    pub(crate) fn common(&self, (least, most): (i64, i64)) -> Option<u16> {
        if most < self.edges[0] || self.edges[self.count()] <= least {
            return Some(NO_BIN);
        }
        // Bins are in the order of values.
        let cell = self.search(least);
        (cell != NO_BIN && cell == self.search(most)).then_some(cell)
    }

    /// Estimates the bin in floating point and corrects it with the integer edges.
    fn search(&self, value: i64) -> u16 {
        let count = self.count();
        if value < self.edges[0] || self.edges[count] <= value {
            return NO_BIN;
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
        u16::try_from(cell).unwrap_or(NO_BIN)
    }
}

/// `log2(1 + |value|)` with the sign of the value, to about 0.01. The edges correct the error.
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
        /// By table, by the previous bin, and by search.
        #[test]
        fn values_lie_between_the_edges_of_their_bin(
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
            let mut cells = BinLookup::new(&bins);
            cells.find(&values, &mut found);
            let bounds = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
            if let Some(cell) = cells.common(bounds) {
                prop_assert!(found.iter().all(|found| *found == cell));
            }
            for (value, cell) in values.into_iter().zip(found) {
                prop_assert_eq!(cell != NO_BIN, span.contains(value), "{}", value);
                if cell != NO_BIN {
                    let cell = usize::from(cell);
                    prop_assert!(edges[cell] <= value && value < edges[cell + 1]);
                }
            }
        }
    }
}
