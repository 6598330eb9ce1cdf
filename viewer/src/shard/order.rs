//! The order of packets in time, as a table shows them: in a file they stay in its order, files are
//! merged by the latest time so far.

use super::blocks;
use crate::columns::{BLOCK_LEN, Columns};
use crate::query::Rank;
use crate::selection::Care;
use std::ops::Range;

/// How many packets are selected before each block, and the latest time before it.
#[derive(Debug)]
pub(super) struct Order {
    care: Care,
    /// Before each block, and at the end.
    marks: Vec<Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    selected: u64,
    latest_ns: i64,
}

impl Order {
    /// `selected` counts the selected rows of a block.
    pub(super) fn new(
        columns: &Columns,
        latest_ns: Option<i64>,
        care: Care,
        mut selected: impl FnMut(Range<usize>) -> usize,
    ) -> Self {
        let mut mark = Mark { selected: 0, latest_ns: latest_ns.unwrap_or(i64::MIN) };
        let mut marks = vec![mark];
        for rows in blocks(0..columns.len()) {
            mark.selected += selected(rows.clone()) as u64;
            let times = &columns.ts_ns()[rows];
            mark.latest_ns = times.iter().copied().fold(mark.latest_ns, i64::max);
            marks.push(mark);
        }
        Self { care, marks }
    }

    pub(super) fn care(&self) -> Care {
        self.care
    }

    /// How many selected packets come before the key, and up to it. `places` gives the selected rows
    /// of a block, counted from its first.
    pub(super) fn rank(
        &self,
        part: usize,
        columns: &Columns,
        key_ns: i64,
        mut places: impl FnMut(Range<usize>) -> Vec<u16>,
    ) -> Rank {
        let mut count = |is_before: &dyn Fn(i64) -> bool| {
            // The latest time so far never falls: all blocks that end before the key are before it.
            let block = self.marks[1..].partition_point(|mark| is_before(mark.latest_ns));
            let Some(rows) = blocks(0..columns.len()).nth(block) else {
                return self.marks[block].selected;
            };
            let mut latest = self.marks[block].latest_ns;
            let times = &columns.ts_ns()[rows.clone()];
            let end = times
                .iter()
                .position(|ts| {
                    latest = latest.max(*ts);
                    !is_before(latest)
                })
                .unwrap_or(times.len());
            let inside = places(rows).iter().filter(|place| usize::from(**place) < end).count();
            self.marks[block].selected + inside as u64
        };
        let below = count(&|latest| latest < key_ns);
        Rank { part, below, up_to: count(&|latest| latest <= key_ns) }
    }

    /// The selected rows from the one on that has `start` of them before it, with their keys.
    pub(super) fn rows(
        &self,
        columns: &Columns,
        start: u64,
        count: usize,
        mut places: impl FnMut(Range<usize>) -> Vec<u16>,
    ) -> Vec<(usize, i64)> {
        let first = self.marks.partition_point(|mark| mark.selected <= start).saturating_sub(1);
        let mut skip = usize::try_from(start - self.marks[first].selected).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let from = (first * BLOCK_LEN).min(columns.len());
        for (rows, mark) in blocks(from..columns.len()).zip(&self.marks[first..]) {
            let mut latest = mark.latest_ns;
            let mut seen = rows.start;
            for place in places(rows.clone()) {
                let row = rows.start + usize::from(place);
                let times = &columns.ts_ns()[seen..=row];
                latest = times.iter().copied().fold(latest, i64::max);
                seen = row + 1;
                if 0 < skip {
                    skip -= 1;
                } else if found.len() < count {
                    found.push((row, latest));
                } else {
                    return found;
                }
            }
        }
        found
    }
}
