//! Partition of an axis into bins, the single definition used for counting, drawing and hit testing.

use super::{Axis, Scale, Span};
use crate::wire::wire;

/// An axis divided into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bins {
    /// The axis.
    pub axis: Axis,
    /// Number of bins, 1 to [`Bins::MAX_COUNT`].
    pub count: usize,
    /// Use the bins of `numpy.histogram` over the first to the last value: equal widths, and the
    /// last bin includes its upper edge.
    pub is_closed: bool,
}

impl Bins {
    /// Maximum number of bins.
    pub const MAX_COUNT: usize = 60_000;

    /// Integer bin edges: bin `i` holds the whole numbers in `edges[i]..edges[i + 1]`, a range that
    /// may be empty.
    pub fn edges(&self) -> Vec<i64> {
        let Span { start, end } = self.axis.span;
        let count = self.count.max(1);
        let edge = |index: usize| match (self.axis.scale, self.is_closed) {
            (Scale::Linear, false) => scaled(start, index, count, end.abs_diff(start)),
            (Scale::Linear, true) if end.abs_diff(start) == 1 => {
                start + i64::from(count < 2 * index)
            }
            (Scale::Linear, true) => scaled(start, index, count, end.abs_diff(start) - 1),
            (Scale::Log, _) => self.axis.value_at(index as f64 / count as f64),
        };
        let mut edges: Vec<_> = (0..=count).map(edge).collect();
        (edges[0], edges[count]) = (start, end);
        // Rounding can break the order where doubles no longer resolve single integers.
        for index in 1..count {
            edges[index] = edges[index].clamp(edges[index - 1], end);
        }
        // Near 0, a bin of a logarithmic histogram would hold no integer. It takes the next one.
        if self.is_closed && self.axis.scale == Scale::Log && count as u64 <= end.abs_diff(start) {
            for index in 1..count {
                let rest = i64::try_from(count - index).unwrap_or(i64::MAX);
                edges[index] = edges[index].clamp(edges[index - 1] + 1, end.saturating_sub(rest));
            }
        }
        edges
    }

    /// First and last whole number in bins `a` to `b`, in either order. `None` if they hold none,
    /// which happens when bins are narrower than one unit.
    pub fn range(&self, a: usize, b: usize) -> Option<(i64, i64)> {
        let (edges, last) = (self.edges(), self.count.max(1) - 1);
        let (from, to) = (a.min(b).min(last), a.max(b).min(last));
        (edges[from] < edges[to + 1]).then(|| (edges[from], edges[to + 1] - 1))
    }

    /// The bin that contains a value, or the nearest bin.
    pub fn nearest(&self, value: i64) -> usize {
        self.edges().partition_point(|edge| *edge <= value).clamp(1, self.count.max(1)) - 1
    }

    /// Bin edges as drawn on an axis; these can lie between whole numbers.
    pub fn plot_edges(&self) -> Vec<f64> {
        if self.axis.scale == Scale::Log || !self.is_closed {
            return self.edges().into_iter().map(|edge| edge as f64).collect();
        }
        let (first, count) = (self.axis.span.start as f64, self.count.max(1) as f64);
        let (first, width) = match self.axis.span.len() - 1 {
            0 => (first - 0.5, 1.0),
            width => (first, width as f64),
        };
        // A single rounding step keeps whole edges whole.
        (0..=self.count.max(1)).map(|i| (first * count + i as f64 * width) / count).collect()
    }
}

/// `start + index * len / count`, rounded up.
fn scaled(start: i64, index: usize, count: usize, len: u64) -> i64 {
    let product = index as u128 * u128::from(len);
    // At most `len`.
    let distance = u64::try_from(product.div_ceil(count as u128)).unwrap_or(u64::MAX);
    start.saturating_add_unsigned(distance)
}

wire!(struct Bins { axis, count, is_closed });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Quantity;

    #[test]
    fn edges_span_all_integers() {
        let span = Span::new(i64::MIN, i64::MAX);
        let axis = Axis { quantity: Quantity::Time, scale: Scale::Linear, span };
        let bins = Bins { axis, count: 4, is_closed: false };
        assert_eq!(bins.edges(), [i64::MIN, -(1 << 62), 0, 1 << 62, i64::MAX]);
    }

    #[test]
    fn logarithmic_histograms_have_no_empty_bins() {
        for (start, end, count) in [(0, 1_000_000_000, 60), (-3, 57, 60), (-1_000, i64::MAX, 60)] {
            let axis =
                Axis { quantity: Quantity::Gap, scale: Scale::Log, span: Span::new(start, end) };
            let edges = Bins { axis, count, is_closed: true }.edges();
            assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
            assert_eq!((edges[0], edges[count]), (start, end));
        }
    }

    #[test]
    fn closed_bins_match_numpy() {
        let bins = |first, last, count| Bins {
            axis: Axis {
                quantity: Quantity::Size,
                scale: Scale::Linear,
                span: Span::closed((first, last)),
            },
            count,
            is_closed: true,
        };
        assert_eq!(bins(60, 60, 2).plot_edges(), [59.5, 60.0, 60.5]);
        assert_eq!(bins(60, 60, 2).edges(), [60, 60, 61]);
        assert_eq!(bins(0, 10, 4).plot_edges(), [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(bins(0, 10, 4).edges(), [0, 3, 5, 8, 11]);
        assert_eq!(bins(0, 10, 4).range(2, 1), Some((3, 7)));
        assert_eq!(bins(0, 10, 4).range(3, 9), Some((8, 10)));
        // Most of ten bins between 0 and 2 hold no whole number.
        let fine = bins(0, 2, 10);
        assert_eq!(
            [0, 1, 5, 8, 9].map(|bin| fine.range(bin, bin).map(|range| range.0)),
            [Some(0), None, Some(1), None, Some(2)]
        );
        assert_eq!((fine.range(1, 4), fine.range(1, 5)), (None, Some((1, 1))));
        assert_eq!([-7, 0, 1, 2, 9].map(|value| fine.nearest(value)), [0, 0, 5, 9, 9]);
    }
}
