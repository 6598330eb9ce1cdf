//! The order of packets in time, as a table shows them: in a file they stay in its order, files are
//! merged by the latest time so far.

use super::Selected;
use crate::axis::Value;
use crate::columns::{Columns, Rows};
use crate::query::Rank;
use crate::selection::Care;

/// How many packets are selected before each block, and the latest time before it.
#[derive(Debug)]
pub(super) struct Order {
    /// Which packets are counted as selected: of which selection, in which dimensions.
    counted: Option<(u64, Care)>,
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
            if let Some((_, latest_ns)) = rows.bounds(Value::Time) {
                mark.latest_ns = mark.latest_ns.max(latest_ns);
            }
            marks.push(mark);
        }
        Self { counted: None, marks }
    }

    /// Counts what is selected, of the selection of that number.
    pub(super) fn select(&mut self, columns: &Columns, selected: Selected<'_>, selection: u64) {
        let counted = Some((if selected.is_all() { 0 } else { selection }, selected.care));
        if std::mem::replace(&mut self.counted, counted) == counted {
            return;
        }
        let mut count = 0;
        for block in 0..columns.block_count() {
            count += selected.count(columns.block_rows(block)) as u64;
            self.marks[block + 1].selected = count;
        }
    }

    /// How many selected packets come before the key, and up to it.
    pub(super) fn rank(
        &self,
        part: usize,
        columns: &Columns,
        key_ns: i64,
        selected: Selected<'_>,
    ) -> Rank {
        let mut rows = Rows::new(columns, None);
        let mut places = Vec::new();
        let mut count = |is_before: &dyn Fn(i64) -> bool| {
            // The latest time so far never falls: all blocks that end before the key are before it.
            let block = self.marks[1..].partition_point(|mark| is_before(mark.latest_ns));
            if block == columns.block_count() {
                return self.marks[block].selected;
            }
            rows.turn(block);
            let mut latest = self.marks[block].latest_ns;
            let times = rows.values(Value::Time);
            let end = times
                .iter()
                .position(|ts| {
                    latest = latest.max(*ts);
                    !is_before(latest)
                })
                .unwrap_or(times.len());
            selected.find(rows.range(), &mut places);
            let inside = places.iter().filter(|place| usize::from(**place) < end).count();
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
        selected: Selected<'_>,
    ) -> Vec<(usize, i64)> {
        let first = self.marks.partition_point(|mark| mark.selected <= start).saturating_sub(1);
        let mut skip = usize::try_from(start - self.marks[first].selected).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut rows = Rows::new(columns, None);
        let mut places = Vec::new();
        for block in first..columns.block_count() {
            rows.turn(block);
            let range = rows.range();
            selected.find(range.clone(), &mut places);
            let times = rows.values(Value::Time);
            let mut latest = self.marks[block].latest_ns;
            let mut seen = 0;
            for place in &places {
                let place = usize::from(*place);
                latest = times[seen..=place].iter().copied().fold(latest, i64::max);
                seen = place + 1;
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
