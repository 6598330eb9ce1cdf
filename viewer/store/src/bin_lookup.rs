//! Finds the bin of each value on an axis.

use viewer_model::axis::{Bins, Scale, Span};

/// Lookup of the bin that contains a value.
#[derive(Debug)]
pub(crate) struct BinLookup {
    edges: Vec<i64>,
    /// Bin of each value of the span, if the span is short; otherwise empty.
    table: Vec<u16>,
    estimate: Estimate,
    /// Bin of the previous value and its edges, because similar values often follow each other.
    last: u16,
    last_edges: (i64, i64),
}

/// How the bin of a value is estimated. The edges correct the estimate.
#[derive(Debug)]
enum Estimate {
    /// Bins per unit of distance from the start.
    Linear(f64),
    /// The first bin of each magnitude from that of the start on.
    Log { first: usize, bins: Vec<u16> },
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
        let estimate = match bins.axis.scale {
            Scale::Linear => Estimate::Linear(bins.count as f64 / bins.axis.span.width()),
            Scale::Log => {
                let (first, last) = (magnitude(start), magnitude(end));
                let mut inner = (1u16..).zip(&edges[1..edges.len() - 1]).peekable();
                let mut bin = 0;
                // An edge within a magnitude is compared with its values.
                let bins = (first..=last).map(|own| {
                    while let Some((next, _)) = inner.next_if(|(_, edge)| magnitude(**edge) < own) {
                        bin = next;
                    }
                    bin
                });
                Estimate::Log { first, bins: bins.collect() }
            }
        };
        let last_edges = (edges[0], edges[1]);
        let mut cells = Self { edges, table: Vec::new(), estimate, last: 0, last_edges };
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

    /// Estimates the bin and corrects it with the edges.
    fn search(&self, value: i64) -> u16 {
        let count = self.count();
        if value < self.edges[0] || self.edges[count] <= value {
            return NO_BIN;
        }
        let mut cell = match &self.estimate {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it saturates"
            )]
            Estimate::Linear(factor) => (value.abs_diff(self.edges[0]) as f64 * factor) as usize,
            Estimate::Log { first, bins } => usize::from(bins[magnitude(value) - first]),
        };
        cell = cell.min(count - 1);
        while value < self.edges[cell] {
            cell -= 1;
        }
        while self.edges[cell + 1] <= value {
            cell += 1;
        }
        u16::try_from(cell).unwrap_or(NO_BIN)
    }
}

/// How many of the bits below the highest one [`magnitude`] distinguishes.
const MANTISSA_BITS: u32 = 6;

/// Magnitudes of positive values are above this one, those of negative values below.
const CENTER: usize = 128 << MANTISSA_BITS;

/// Orders values by their logarithm, in steps of 1/64 of the distance between a power of two and the next.
fn magnitude(value: i64) -> usize {
    let distance = value.unsigned_abs() + 1;
    let exponent = distance.ilog2();
    // The highest bit, which is set, and those below it.
    let mantissa = distance << (63 - exponent) >> (63 - MANTISSA_BITS);
    let magnitude = ((exponent as usize) << MANTISSA_BITS) + mantissa as usize;
    if value < 0 { CENTER - magnitude } else { CENTER + magnitude }
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
