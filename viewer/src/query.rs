//! What the page asks the workers, what each answers of its part, and how answers become one.

use crate::columns::Columns;
use crate::density::{self, Grid, XAxis};
use crate::histogram::{self, Bins};
use crate::nearest::{self, Hit};
use serde::{Deserialize, Serialize};

/// A question about the packets of all parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    /// How many packets of each size?
    Sizes(Bins),
    /// How many packets in each cell?
    Density {
        /// What runs along x.
        axis: XAxis,
        /// The cells.
        grid: Grid,
    },
    /// Which packet is nearest to a cell?
    Nearest {
        /// What runs along x.
        axis: XAxis,
        /// The cells.
        grid: Grid,
        /// Column and row.
        cell: (usize, usize),
    },
}

/// The answer to a [`Query`] of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Counts by class and bin.
    Sizes(Vec<u64>),
    /// Counts by class, row and column. Travels beside the message, as a block of numbers.
    Density(#[serde(skip)] Vec<u32>),
    /// The nearest packet, if any is within reach.
    Nearest(Option<Hit>),
}

/// Answers for one part.
pub fn answer(columns: &Columns, query: Query) -> Answer {
    match query {
        Query::Sizes(bins) => Answer::Sizes(histogram::count(columns, bins)),
        Query::Density { axis, grid } => Answer::Density(density::count(columns, axis, grid)),
        Query::Nearest { axis, grid, cell } => {
            Answer::Nearest(nearest::find(columns, axis, grid, cell))
        }
    }
}

impl Answer {
    /// Of both parts together; `self` is of the earlier part of the file.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        match (self, later) {
            (Self::Sizes(mut counts), Self::Sizes(more)) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                Self::Sizes(counts)
            }
            (Self::Density(mut counts), Self::Density(more)) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                Self::Density(counts)
            }
            (Self::Nearest(earlier), Self::Nearest(later)) => {
                let hits = [earlier, later].into_iter().flatten();
                Self::Nearest(hits.min_by_key(|hit| hit.distance))
            }
            (earlier, _) => earlier,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::tests::columns;
    use crate::density::{Span, Window};
    use proptest::prelude::*;

    proptest! {
        /// However a file is parted, the merged answers are the whole file's.
        #[test]
        fn parts_answer_together_as_the_whole(
            packets in proptest::collection::vec((0u64..100, 0i64..100, 0u32..100, 0usize..3), 0..40),
            cut: prop::sample::Index,
        ) {
            let packets: Vec<_> =
                packets.into_iter().map(|(n, ts, len, p)| (n, ts, len, ["tcp", "udp", "gre"][p])).collect();
            let window = Window { x: Span::new(10, 90), y: Span::new(0, 80) };
            let grid = Grid { window, columns: 20, rows: 20 };
            for query in [
                Query::Sizes(Bins { min: 0, max: 99, count: 7 }),
                Query::Density { axis: XAxis::Number, grid },
                Query::Density { axis: XAxis::Time, grid },
                Query::Nearest { axis: XAxis::Time, grid, cell: (5, 5) },
            ] {
                let (front, back) = packets.split_at(cut.index(packets.len() + 1));
                let parts = answer(&columns(front), query).merge(answer(&columns(back), query));
                prop_assert_eq!(parts, answer(&columns(&packets), query));
            }
        }
    }
}
