//! Batches of rows from several blocks.

use super::block::ALL_ROWS;
use super::packed_column::take;
use super::{BLOCK_LEN, BlockMask, Columns};
use flow::Marks;
use viewer_model::axis::{QUANTITY_COUNT, Quantity};

/// Up to [`BLOCK_LEN`] rows of any number of blocks. If few rows per block are counted, batches
/// amortize the fixed cost of each counting step.
#[derive(Debug)]
pub(crate) struct RowBatch<'a> {
    columns: &'a Columns,
    /// Timestamp of the packet before the columns in the same file.
    before_ns: Option<i64>,
    /// Row indices within their blocks.
    rows: Vec<u16>,
    /// Blocks, each with the end of its run in `rows`.
    runs: Vec<(usize, usize)>,
    /// Values of all rows, or empty if not read yet.
    values: [Vec<i64>; QUANTITY_COUNT],
    flows: Vec<u32>,
    classes: Vec<u8>,
}

impl<'a> RowBatch<'a> {
    /// An empty batch. `before_ns` is the timestamp of the packet before the columns in the same file.
    pub(crate) fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        let (rows, runs, values, flows, classes) = Default::default();
        Self { columns, before_ns, rows, runs, values, flows, classes }
    }

    /// The columns that the rows are from.
    pub(crate) fn columns(&self) -> &'a Columns {
        self.columns
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether `count` more rows fit.
    pub(crate) fn has_capacity_for(&self, count: usize) -> bool {
        self.len() + count <= BLOCK_LEN
    }

    /// Appends rows of a block.
    pub(crate) fn push(&mut self, block: usize, mask: &BlockMask) {
        if *mask == BlockMask::ALL {
            self.rows.extend(ALL_ROWS);
        } else {
            mask.each(|row| self.rows.push(row));
        }
        self.runs.push((block, self.rows.len()));
    }

    /// Removes all rows.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.runs.clear();
        self.values.iter_mut().for_each(Vec::clear);
        self.flows.clear();
        self.classes.clear();
    }

    /// The blocks with the row indices within them.
    fn runs(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let mut start = 0;
        self.runs.iter().map(move |(block, end)| {
            let rows = &self.rows[std::mem::replace(&mut start, *end)..*end];
            (*block, rows)
        })
    }

    /// Reads a quantity of all rows for [`RowBatch::values`].
    pub(crate) fn read(&mut self, value: Quantity) {
        let mut buf = std::mem::take(&mut self.values[value as usize]);
        if buf.is_empty() {
            for (block, rows) in self.runs() {
                self.columns.read(value, block, rows, self.before_ns, &mut buf);
            }
        }
        self.values[value as usize] = buf;
    }

    /// Each row's value, [`MISSING`](viewer_model::axis::MISSING) where it has none; nothing before it is read.
    pub(crate) fn values(&self, value: Quantity) -> &[i64] {
        &self.values[value as usize]
    }

    /// Reads the flow ids of all rows for [`RowBatch::flows`].
    pub(crate) fn read_flows(&mut self) {
        let mut buf = std::mem::take(&mut self.flows);
        if buf.is_empty() {
            for (block, rows) in self.runs() {
                self.columns.read_flows(block, rows, &mut buf);
            }
        }
        self.flows = buf;
    }

    /// The flow id of each row; empty unless read before.
    pub(crate) fn flows(&self) -> &[u32] {
        &self.flows
    }

    /// Reads the protocol classes of all rows for [`RowBatch::classes`]. `classes_of_kinds` holds the class of
    /// each kind.
    pub(crate) fn read_classes(&mut self, classes_of_kinds: &[u8]) {
        let mut buf = std::mem::take(&mut self.classes);
        if buf.is_empty() {
            for (block, rows) in self.runs() {
                let kinds = &self.columns.blocks[block].kind;
                let class =
                    |kind: u16| classes_of_kinds.get(usize::from(kind)).copied().unwrap_or(0);
                take(rows, |row| class(kinds[row]), &mut buf);
            }
        }
        self.classes = buf;
    }

    /// The protocol class of each row; empty unless read before.
    pub(crate) fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// Calls `visit` with the index of each row that has findings, and with these.
    pub(crate) fn each_marked(&self, mut visit: impl FnMut(usize, &Marks)) {
        let Some(findings) = self.columns.findings() else { return };
        let mut start = 0;
        for (block, rows) in self.runs() {
            let mut place = 0;
            for (row, marks) in findings.of_block(block) {
                let at = |place: usize| rows.get(place).map(|index| usize::from(*index));
                while at(place).is_some_and(|index| index < row) {
                    place += 1;
                }
                match at(place) {
                    None => break,
                    Some(index) if index == row => visit(start + place, &marks),
                    Some(_) => {}
                }
            }
            start += rows.len();
        }
    }

    /// Calls `visit` with the index of each row for whose kind `is_meant` is true.
    pub(crate) fn each_of_kinds(&self, is_meant: &[bool], mut visit: impl FnMut(usize)) {
        let mut start = 0;
        for (block, rows) in self.runs() {
            let kinds = &self.columns.blocks[block].kind;
            for (place, row) in rows.iter().enumerate() {
                if is_meant.get(usize::from(kinds[usize::from(*row)])) == Some(&true) {
                    visit(start + place);
                }
            }
            start += rows.len();
        }
    }

    /// Bounds on the values of all rows, if known without reading them.
    pub(crate) fn bounds(&self, value: Quantity) -> Option<(i64, i64)> {
        let mut all = self.runs.iter().map(|(block, _)| self.columns.bounds(value, *block));
        let first = all.next()??;
        all.try_fold(first, |all, more| more.map(|more| (all.0.min(more.0), all.1.max(more.1))))
    }

    /// Index of a row within the columns.
    pub(crate) fn index(&self, row: usize) -> usize {
        let run = self.runs.partition_point(|(_, end)| *end <= row);
        let block = self.runs.get(run).map_or(0, |(block, _)| *block);
        block * BLOCK_LEN + self.rows.get(row).map_or(0, |index| usize::from(*index))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::columns;
    use super::*;
    use crate::columns::Rows;
    use crate::findings::Findings;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn batches_match_their_rows(chosen in proptest::collection::vec(0usize..2_500, 0..50), whole: bool) {
            let packets: Vec<_> = (0..2_500)
                .map(|n| (n, i64::try_from(n * n % 7_919).unwrap(), 60, ["tcp", "udp"][usize::from(n % 3 == 0)]))
                .collect();
            let mut columns = columns(&packets);
            let marks = |row: usize| Marks { rtt_us: u32::try_from(row).ok(), ..Marks::default() };
            let mut findings = Findings::default();
            (0..2_500).step_by(3).for_each(|row| findings.push(row, &marks(row)));
            columns.set_findings(findings);
            let mut rows = Rows::new(&columns, Some(7));
            let mut batch = RowBatch::new(&columns, Some(7));
            let mut expected = Vec::new();
            for block in 0..columns.block_count() {
                rows.load(block);
                let range = rows.range();
                let mut is_meant: Vec<_> = range.clone().map(|row| chosen.contains(&row)).collect();
                if whole && block == 0 {
                    is_meant.fill(true);
                }
                let bits = BlockMask::of(is_meant.iter().copied());
                if !batch.has_capacity_for(bits.count()) {
                    break;
                }
                batch.push(block, &bits);
                let values = Quantity::ALL.map(|value| rows.values(value).to_vec());
                for place in (0..range.len()).filter(|place| is_meant[*place]) {
                    let class = u8::from(rows.kinds()[place] != 0);
                    let of_row = values.each_ref().map(|values| values[place]);
                    expected.push((range.start + place, of_row, rows.flows()[place], class));
                }
            }
            Quantity::ALL.into_iter().for_each(|value| batch.read(value));
            batch.read_flows();
            batch.read_classes(&[0, 1]);
            let seen = (0..batch.len()).map(|row| {
                let values = Quantity::ALL.map(|value| batch.values(value)[row]);
                (batch.index(row), values, batch.flows()[row], batch.classes()[row])
            });
            prop_assert_eq!(seen.collect::<Vec<_>>(), expected.clone());
            let mut marked = Vec::new();
            batch.each_marked(|row, marks| marked.push((batch.index(row), *marks)));
            let indices = || expected.iter().map(|(index, ..)| *index);
            let with_marks = indices().filter(|index| index % 3 == 0);
            prop_assert_eq!(marked, with_marks.map(|index| (index, marks(index))).collect::<Vec<_>>());
            let mut of_kind = Vec::new();
            batch.each_of_kinds(&[false, true], |row| of_kind.push(batch.index(row)));
            let second = expected.iter().filter(|(.., class)| *class == 1).map(|(index, ..)| *index);
            prop_assert_eq!(of_kind, second.collect::<Vec<_>>());
            if let Some((least, most)) = batch.bounds(Quantity::Time) {
                prop_assert!(expected.iter().all(|(_, values, ..)| (least..=most).contains(&values[1])));
            }
        }
    }
}
