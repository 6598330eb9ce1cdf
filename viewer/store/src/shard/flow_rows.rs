//! The rows of each flow, to find its first and last selected packet without reading those of other flows.

use crate::columns::{BLOCK_LEN, Columns};

/// Rows by flow.
#[derive(Debug)]
pub(super) struct FlowRows {
    /// Where the rows of each flow start in `rows`, and where the last ones end.
    starts: Vec<u32>,
    /// Row indices, in order within a flow.
    rows: Vec<u32>,
    /// The earliest time in each block and those after it, in nanoseconds since the epoch.
    earliest_ns: Vec<i64>,
    /// The latest time in each block and those before it.
    latest_ns: Vec<i64>,
}

impl FlowRows {
    /// The rows of `columns`. `None` if flows have so few packets that the rows would take too much memory
    /// for the benefit.
    pub(super) fn new(columns: &Columns) -> Option<Self> {
        const MIN_PACKETS_PER_FLOW: usize = 32;
        let flow_count = columns.flows().len();
        let len = u32::try_from(columns.len()).ok()?;
        if flow_count.saturating_mul(MIN_PACKETS_PER_FLOW) > columns.len() {
            return None;
        }
        let mut starts = vec![0; flow_count + 1];
        let mut flows = Vec::new();
        for block in 0..columns.block_count() {
            flows.clear();
            columns.read_block_flows(block, &mut flows);
            flows.iter().for_each(|flow| starts[*flow as usize + 1] += 1);
        }
        for flow in 0..flow_count {
            starts[flow + 1] += starts[flow];
        }
        let mut ends = starts.clone();
        let mut rows = vec![0; columns.len()];
        let mut numbers = 0..len;
        for block in 0..columns.block_count() {
            flows.clear();
            columns.read_block_flows(block, &mut flows);
            for (flow, number) in flows.iter().zip(&mut numbers) {
                let end = &mut ends[*flow as usize];
                rows[*end as usize] = number;
                *end += 1;
            }
        }
        let bounds = (0..columns.block_count()).map(|block| columns.time_bounds(block));
        let (mut earliest_ns, mut latest_ns): (Vec<_>, Vec<_>) = bounds.unzip();
        for block in 1..latest_ns.len() {
            latest_ns[block] = latest_ns[block].max(latest_ns[block - 1]);
        }
        for block in (1..earliest_ns.len()).rev() {
            earliest_ns[block - 1] = earliest_ns[block - 1].min(earliest_ns[block]);
        }
        Some(Self { starts, rows, earliest_ns, latest_ns })
    }

    /// Whether it contains all rows of `columns`.
    pub(super) fn is_of(&self, columns: &Columns) -> bool {
        self.rows.len() == columns.len()
    }

    /// The first and last time of the packets of a flow for which `is_counted` returns true, in nanoseconds
    /// since the epoch. Reversed if there are none.
    pub(super) fn time_bounds(
        &self,
        columns: &Columns,
        flow: usize,
        is_counted: impl Fn(usize) -> bool,
    ) -> (i64, i64) {
        let rows = &self.rows[self.starts[flow] as usize..self.starts[flow + 1] as usize];
        let (mut first_ns, mut last_ns) = (i64::MAX, i64::MIN);
        for row in rows.iter().map(|row| *row as usize) {
            if first_ns <= self.earliest_ns[row / BLOCK_LEN] {
                break;
            }
            if is_counted(row) {
                first_ns = first_ns.min(columns.time_ns(row));
            }
        }
        for row in rows.iter().rev().map(|row| *row as usize) {
            if self.latest_ns[row / BLOCK_LEN] <= last_ns {
                break;
            }
            if is_counted(row) {
                last_ns = last_ns.max(columns.time_ns(row));
            }
        }
        (first_ns, last_ns)
    }
}
