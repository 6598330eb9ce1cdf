//! Time order of packets, as the packet table shows them.
//!
//! Packets of one file keep their order in the file. Files are merged by a sort key: the latest
//! timestamp so far in the file, which never decreases.

use super::selection_mask::SelectionMask;
use crate::columns::{BLOCK_LEN, BlockMask, Columns, Rows};
use crate::query::{Position, TimeRank};
use viewer_model::axis::Quantity;
use viewer_model::selection::DimensionSet;

/// Prefix counts of selected packets and prefix maxima of timestamps, by block.
#[derive(Debug)]
pub(super) struct Order {
    /// Version and dimensions of the selection that is counted.
    counted: Option<(u64, DimensionSet)>,
    /// At the start of each block, and at the end.
    prefixes: Vec<Prefix>,
}

#[derive(Clone, Copy, Debug)]
struct Prefix {
    selected: u64,
    latest_ns: i64,
}

impl Order {
    /// `latest_ns` is the latest timestamp of the preceding packets. Selected packets are not counted
    /// yet.
    pub(super) fn new(columns: &Columns, latest_ns: Option<i64>) -> Self {
        let mut prefix = Prefix { selected: 0, latest_ns: latest_ns.unwrap_or(i64::MIN) };
        let mut prefixes = vec![prefix];
        let mut rows = Rows::new(columns, None);
        for block in 0..columns.block_count() {
            rows.load(block);
            if let Some((_, latest_ns)) = rows.bounds(Quantity::Time) {
                prefix.latest_ns = prefix.latest_ns.max(latest_ns);
            }
            prefixes.push(prefix);
        }
        Self { counted: None, prefixes }
    }

    /// Counts the selected packets unless this version of the selection is already counted.
    pub(super) fn select(
        &mut self,
        columns: &Columns,
        (mask, dimensions): (&SelectionMask, DimensionSet),
        selection_version: u64,
    ) {
        let version = if mask.is_all(dimensions) { 0 } else { selection_version };
        let counted = Some((version, dimensions));
        if std::mem::replace(&mut self.counted, counted) == counted {
            return;
        }
        let mut count = 0;
        for block in 0..columns.block_count() {
            count += mask.selected(block, dimensions).count() as u64;
            self.prefixes[block + 1].selected = count;
        }
    }

    /// How many selected packets have a smaller key, and a smaller or equal key.
    pub(super) fn rank(
        &self,
        part: usize,
        columns: &Columns,
        key_ns: i64,
        (mask, dimensions): (&SelectionMask, DimensionSet),
    ) -> TimeRank {
        let mut rows = Rows::new(columns, None);
        let mut count = |is_before: &dyn Fn(i64) -> bool| {
            let block = self.prefixes[1..].partition_point(|prefix| is_before(prefix.latest_ns));
            if block == columns.block_count() {
                return self.prefixes[block].selected;
            }
            rows.load(block);
            let mut latest = self.prefixes[block].latest_ns;
            let times = rows.values(Quantity::Time);
            let end = times
                .iter()
                .position(|ts| {
                    latest = latest.max(*ts);
                    !is_before(latest)
                })
                .unwrap_or(times.len());
            let before = mask.selected(block, dimensions).and(&BlockMask::first(end));
            self.prefixes[block].selected + before.count() as u64
        };
        let below = count(&|latest| latest < key_ns);
        TimeRank { part, below, up_to: count(&|latest| latest <= key_ns) }
    }

    /// The sort key of a row.
    pub(super) fn key_ns(&self, columns: &Columns, index: usize) -> i64 {
        let mut rows = Rows::new(columns, None);
        let block = index / BLOCK_LEN;
        rows.load(block);
        let times = rows.values(Quantity::Time);
        let before = times.iter().take(index % BLOCK_LEN + 1);
        before.fold(self.prefixes[block].latest_ns, |latest, ts| latest.max(*ts))
    }

    /// How many selected rows precede a row.
    fn rank_of_row(
        &self,
        columns: &Columns,
        index: usize,
        (mask, dimensions): (&SelectionMask, DimensionSet),
    ) -> u64 {
        let block = index / BLOCK_LEN;
        if columns.block_count() <= block {
            return self.prefixes[columns.block_count()].selected;
        }
        let before = BlockMask::first(index % BLOCK_LEN);
        let before = mask.selected(block, dimensions).and(&before).count();
        self.prefixes[block].selected + before as u64
    }

    /// How many selected packets precede a position in time order, and how many precede or have it.
    pub(super) fn rank_of(
        &self,
        part: usize,
        columns: &Columns,
        position: Position,
        selected: (&SelectionMask, DimensionSet),
    ) -> TimeRank {
        if part == position.part {
            let below = self.rank_of_row(columns, position.index, selected);
            let up_to = self.rank_of_row(columns, position.index + 1, selected);
            return TimeRank { part, below, up_to };
        }
        let rank = self.rank(part, columns, position.key_ns, selected);
        let below = if part < position.part { rank.up_to } else { rank.below };
        TimeRank { part, below, up_to: below }
    }

    /// Up to `count` selected rows after skipping `start` of them, with their keys.
    pub(super) fn rows(
        &self,
        columns: &Columns,
        start: u64,
        count: usize,
        (mask, dimensions): (&SelectionMask, DimensionSet),
    ) -> Vec<(usize, i64)> {
        let first =
            self.prefixes.partition_point(|prefix| prefix.selected <= start).saturating_sub(1);
        let mut skip = usize::try_from(start - self.prefixes[first].selected).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut rows = Rows::new(columns, None);
        for block in first..columns.block_count() {
            rows.load(block);
            let range = rows.range();
            let times = rows.values(Quantity::Time);
            let mut latest = self.prefixes[block].latest_ns;
            let selected = mask.selected(block, dimensions);
            for (index, ts) in times.iter().enumerate() {
                latest = latest.max(*ts);
                if !selected.contains(index) {
                    continue;
                }
                if 0 < skip {
                    skip -= 1;
                } else if found.len() < count {
                    found.push((range.start + index, latest));
                } else {
                    return found;
                }
            }
        }
        found
    }
}
