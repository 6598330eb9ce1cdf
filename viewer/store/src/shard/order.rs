//! The order of packets in time, as a table shows them: in a file they stay in its order, files are
//! merged by the latest time so far.

use super::selection_mask::SelectionMask;
use crate::columns::{BlockMask, Columns, Rows};
use crate::query::TimeRank;
use viewer_model::axis::Quantity;
use viewer_model::selection::DimensionSet;

/// How many packets are selected before each block, and the latest time before it.
#[derive(Debug)]
pub(super) struct Order {
    /// Which packets are counted as selected: of which selection, in which dimensions.
    counted: Option<(u64, DimensionSet)>,
    /// Before each block, and at the end.
    marks: Vec<Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    selected: u64,
    latest_ns: i64,
}

impl Order {
    /// Of columns behind packets whose latest time is `latest_ns`; nothing is counted yet.
    pub(super) fn new(columns: &Columns, latest_ns: Option<i64>) -> Self {
        let mut mark = Mark { selected: 0, latest_ns: latest_ns.unwrap_or(i64::MIN) };
        let mut marks = vec![mark];
        let mut rows = Rows::new(columns, None);
        for block in 0..columns.block_count() {
            rows.turn(block);
            if let Some((_, latest_ns)) = rows.bounds(Quantity::Time) {
                mark.latest_ns = mark.latest_ns.max(latest_ns);
            }
            marks.push(mark);
        }
        Self { counted: None, marks }
    }

    /// Counts what is selected, of the selection of that number.
    pub(super) fn select(
        &mut self,
        columns: &Columns,
        (marks, dimensions): (&SelectionMask, DimensionSet),
        selection: u64,
    ) {
        let counted = Some((if marks.is_all(dimensions) { 0 } else { selection }, dimensions));
        if std::mem::replace(&mut self.counted, counted) == counted {
            return;
        }
        let mut count = 0;
        for block in 0..columns.block_count() {
            count += marks.selected(block, dimensions).count() as u64;
            self.marks[block + 1].selected = count;
        }
    }

    /// How many selected packets come before the key, and up to it.
    pub(super) fn rank(
        &self,
        part: usize,
        columns: &Columns,
        key_ns: i64,
        (marks, dimensions): (&SelectionMask, DimensionSet),
    ) -> TimeRank {
        let mut rows = Rows::new(columns, None);
        let mut count = |is_before: &dyn Fn(i64) -> bool| {
            // The latest time so far never falls: all blocks that end before the key are before it.
            let block = self.marks[1..].partition_point(|mark| is_before(mark.latest_ns));
            if block == columns.block_count() {
                return self.marks[block].selected;
            }
            rows.turn(block);
            let mut latest = self.marks[block].latest_ns;
            let times = rows.values(Quantity::Time);
            let end = times
                .iter()
                .position(|ts| {
                    latest = latest.max(*ts);
                    !is_before(latest)
                })
                .unwrap_or(times.len());
            let inside = marks.selected(block, dimensions).and(&BlockMask::first(end));
            self.marks[block].selected + inside.count() as u64
        };
        let below = count(&|latest| latest < key_ns);
        TimeRank { part, below, up_to: count(&|latest| latest <= key_ns) }
    }

    /// The selected rows from the one on that has `start` of them before it, with their keys.
    pub(super) fn rows(
        &self,
        columns: &Columns,
        start: u64,
        count: usize,
        (marks, dimensions): (&SelectionMask, DimensionSet),
    ) -> Vec<(usize, i64)> {
        let first = self.marks.partition_point(|mark| mark.selected <= start).saturating_sub(1);
        let mut skip = usize::try_from(start - self.marks[first].selected).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut rows = Rows::new(columns, None);
        for block in first..columns.block_count() {
            rows.turn(block);
            let range = rows.range();
            let times = rows.values(Quantity::Time);
            let mut latest = self.marks[block].latest_ns;
            let selected = marks.selected(block, dimensions);
            for (place, ts) in times.iter().enumerate() {
                latest = latest.max(*ts);
                if !selected.has(place) {
                    continue;
                }
                if 0 < skip {
                    skip -= 1;
                } else if found.len() < count {
                    found.push((range.start + place, latest));
                } else {
                    return found;
                }
            }
        }
        found
    }
}
