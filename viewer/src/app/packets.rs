//! Which packets the table shows: found by their place in the order of all files together.

use super::query_scheduler::{QueryScheduler, Slot};
use crate::query::{Answer, Query, QueryKind, TimeRank};
use crate::selection::DimensionSet;

/// Rows that are asked for beyond those that can be seen.
const MARGIN: usize = 4;

/// The part of the table that is seen, and the search for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Packets {
    /// Place of the first row.
    pub(super) first: u64,
    /// How many rows can be seen.
    pub(super) room: usize,
    /// Where each part's rows begin, for that first row.
    found: Option<(u64, Vec<(usize, u64)>)>,
    /// The search among several files, for that first row: its key is in these.
    search: Option<(u64, i64, i64)>,
}

impl Packets {
    /// Forgets where rows are: the packets or the selection have changed.
    pub(super) fn forget(&mut self) {
        (self.found, self.search) = (None, None);
    }

    /// What is to be asked next, for parts of that many files with times in `extent`.
    pub(super) fn request(
        &mut self,
        questions: &QueryScheduler,
        dimensions: DimensionSet,
        file_count: usize,
        extent: (i64, i64),
    ) -> (Slot, Query) {
        let ranks = |key_ns: i64| Query { kind: QueryKind::Ranks { key_ns }, dimensions };
        let known = |key_ns: i64| match questions.current(Slot::Ranks, &ranks(key_ns)) {
            Some(Answer::Ranks(ranks)) => Some(ranks),
            _ => None,
        };
        let sum = |ranks: &[TimeRank]| ranks.iter().map(|rank| rank.below).sum::<u64>();
        loop {
            if let Some((first, starts)) = &self.found
                && *first == self.first
            {
                let kind = QueryKind::Rows { starts: starts.clone(), count: self.room + MARGIN };
                return (Slot::Rows, Query { kind, dimensions });
            }
            if file_count < 2 {
                // One after the other: how many each part has tells where the row is.
                let Some(parts) = known(i64::MAX) else { return (Slot::Ranks, ranks(i64::MAX)) };
                self.found = Some((self.first, in_sequence(parts, self.first, |r| (0, r.up_to))));
                continue;
            }
            let (low, high) = match self.search {
                Some((first, low, high)) if first == self.first => (low, high),
                _ => extent,
            };
            // The greatest key with no more packets below it than the row has.
            #[expect(clippy::cast_possible_truncation, reason = "between two of 64 bits")]
            let middle = (i128::from(low) + i128::from(high) + 1).div_euclid(2) as i64;
            let key = if low == high { low } else { middle };
            let Some(parts) = known(key) else {
                self.search = Some((self.first, low, high));
                return (Slot::Ranks, ranks(key));
            };
            if low == high {
                let below = sum(parts);
                let starts =
                    in_sequence(parts, self.first.saturating_sub(below), |r| (r.below, r.up_to));
                self.found = Some((self.first, starts));
            } else if sum(parts) <= self.first {
                self.search = Some((self.first, middle, high));
            } else {
                self.search = Some((self.first, low, middle - 1));
            }
        }
    }
}

/// Where each part's rows begin, when `skip` packets are passed over, part after part, of those that
/// each has from its lower to its upper place.
fn in_sequence(
    parts: &[TimeRank],
    mut skip: u64,
    places: impl Fn(&TimeRank) -> (u64, u64),
) -> Vec<(usize, u64)> {
    let start = |rank: &TimeRank| {
        let (from, to) = places(rank);
        let passed = skip.min(to - from);
        skip -= passed;
        (rank.part, from + passed)
    };
    parts.iter().map(start).collect()
}
