//! Which packets the table shows. With several files, the first visible row is found by binary search
//! over time: each step queries how many packets of each part precede a sort key.

use super::query_scheduler::{QueryScheduler, Slot};
use crate::query::{Answer, Query, QueryKind, TimeRank};
use crate::selection::DimensionSet;

/// Rows requested beyond the visible ones.
const EXTRA_ROWS: usize = 4;

/// The visible range of the packet table, and the search for its position in each part.
#[derive(Clone, Debug, Default)]
pub(super) struct Packets {
    /// Index of the first visible row.
    pub(super) first: u64,
    /// The last row is in sight, and stays there if packets are added.
    pub(super) is_at_end: bool,
    /// The number of rows that can be displayed.
    pub(super) visible_rows: usize,
    /// The row of the packet whose details are shown, if they were opened in the table.
    pub(super) detail_row: Option<u64>,
    /// The packet whose details are shown was picked elsewhere, and its row is not in sight yet.
    pub(super) is_sought: bool,
    /// For a first row: the parts, and how many packets of each to skip.
    found: Option<(u64, Vec<(usize, u64)>)>,
    /// For a first row: the range of sort keys in which the search continues.
    search: Option<(u64, i64, i64)>,
}

impl Packets {
    /// Restarts the search, because the packets or the selection have changed.
    pub(super) fn invalidate(&mut self) {
        (self.found, self.search, self.detail_row) = (None, None, None);
    }

    /// Changes the number of rows that can be displayed. The row of the packet whose details are shown
    /// stays in sight: the details take space from the table.
    pub(super) fn set_visible_rows(&mut self, rows: usize) {
        let end = self.first + self.visible_rows as u64;
        self.visible_rows = rows;
        let row = self.detail_row.filter(|row| 0 < rows && (self.first..end).contains(row));
        if let Some(row) = row {
            self.first = self.first.max((row + 1).saturating_sub(rows as u64));
        }
    }

    /// The next query of the search, or the query for the rows once the search is complete. `extent`
    /// contains all sort keys.
    pub(super) fn next_query(
        &mut self,
        scheduler: &QueryScheduler,
        dimensions: DimensionSet,
        file_count: usize,
        extent: (i64, i64),
    ) -> (Slot, Query) {
        let ranks = |key_ns: i64| Query { kind: QueryKind::Ranks { key_ns }, dimensions };
        let answered = |key_ns: i64| match scheduler.current(Slot::Ranks, &ranks(key_ns)) {
            Some(Answer::Ranks(ranks)) => Some(ranks),
            _ => None,
        };
        let count_below = |ranks: &[TimeRank]| ranks.iter().map(|rank| rank.below).sum::<u64>();
        // Each pass halves the range of keys or returns.
        loop {
            if let Some((first, starts)) = &self.found
                && *first == self.first
            {
                let count = self.visible_rows + EXTRA_ROWS;
                let kind = QueryKind::Rows { starts: starts.clone(), count };
                return (Slot::Rows, Query { kind, dimensions });
            }
            if file_count < 2 {
                // The parts of one file follow each other: their sizes give the position.
                let Some(parts) = answered(i64::MAX) else {
                    return (Slot::Ranks, ranks(i64::MAX));
                };
                let starts = skip_in_order(parts, self.first, |rank| (0, rank.up_to));
                self.found = Some((self.first, starts));
                continue;
            }
            let (low, high) = match self.search {
                Some((first, low, high)) if first == self.first => (low, high),
                _ => extent,
            };
            // The search ends at the greatest key that has at most `first` packets below it.
            #[expect(clippy::cast_possible_truncation, reason = "the mean of two i64")]
            let middle = (i128::from(low) + i128::from(high) + 1).div_euclid(2) as i64;
            let key = if low == high { low } else { middle };
            let Some(parts) = answered(key) else {
                self.search = Some((self.first, low, high));
                return (Slot::Ranks, ranks(key));
            };
            if low == high {
                let skip = self.first.saturating_sub(count_below(parts));
                let starts = skip_in_order(parts, skip, |rank| (rank.below, rank.up_to));
                self.found = Some((self.first, starts));
            } else if count_below(parts) <= self.first {
                self.search = Some((self.first, middle, high));
            } else {
                self.search = Some((self.first, low, middle - 1));
            }
        }
    }
}

/// Skips packets part by part. `range` gives the packets of a part that may be skipped. Returns how
/// many packets of each part precede the first row.
fn skip_in_order(
    parts: &[TimeRank],
    mut skip: u64,
    range: impl Fn(&TimeRank) -> (u64, u64),
) -> Vec<(usize, u64)> {
    let start = |rank: &TimeRank| {
        let (from, to) = range(rank);
        let skipped = skip.min(to - from);
        skip -= skipped;
        (rank.part, from + skipped)
    };
    parts.iter().map(start).collect()
}
