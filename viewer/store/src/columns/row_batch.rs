//! Rows of any blocks side by side.

use super::block::PLACES;
use super::packed_column::take;
use super::{BLOCK_LEN, BlockMask, Columns};
use viewer_model::axis::{QUANTITY_COUNT, Quantity};

/// Up to [`BLOCK_LEN`] rows, of as many blocks as it takes, their values as they are asked for: where
/// few of each block are counted, what is done once a block would cost more than the rows.
#[derive(Debug)]
pub(crate) struct RowBatch<'a> {
    columns: &'a Columns,
    /// Time of the packet before the columns, in its file.
    before_ns: Option<i64>,
    /// In their blocks.
    places: Vec<u16>,
    /// Each block, and where its places end.
    runs: Vec<(usize, usize)>,
    /// All of the batch's, or none yet.
    values: [Vec<i64>; QUANTITY_COUNT],
    flows: Vec<u32>,
    classes: Vec<u8>,
}

impl<'a> RowBatch<'a> {
    /// No rows yet; `before_ns` is the time of the file's packet before the columns.
    pub(crate) fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        let (places, runs, values, flows, classes) = Default::default();
        Self { columns, before_ns, places, runs, values, flows, classes }
    }

    /// The columns that the rows are from.
    pub(crate) fn columns(&self) -> &'a Columns {
        self.columns
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// True where there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// True where that many rows more are too many.
    pub(crate) fn has_capacity_for(&self, count: usize) -> bool {
        self.len() + count <= BLOCK_LEN
    }

    /// Appends rows of a block behind those of blocks before it.
    pub(crate) fn push(&mut self, block: usize, rows: &BlockMask) {
        if *rows == BlockMask::ALL {
            self.places.extend(PLACES);
        } else {
            rows.each(|place| self.places.push(place));
        }
        self.runs.push((block, self.places.len()));
    }

    /// Lets go of all rows.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.runs.clear();
        self.values.iter_mut().for_each(Vec::clear);
        self.flows.clear();
        self.classes.clear();
    }

    /// The blocks with their places.
    fn runs(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let mut start = 0;
        self.runs.iter().map(move |(block, end)| {
            let places = &self.places[std::mem::replace(&mut start, *end)..*end];
            (*block, places)
        })
    }

    /// Reads a value of all rows; then [`RowBatch::values`] has it.
    pub(crate) fn read(&mut self, value: Quantity) {
        let mut buf = std::mem::take(&mut self.values[value as usize]);
        if buf.is_empty() {
            for (block, places) in self.runs() {
                self.columns.read(value, block, places, self.before_ns, &mut buf);
            }
        }
        self.values[value as usize] = buf;
    }

    /// Each row's value, [`MISSING`](viewer_model::axis::MISSING) where it has none; nothing before it is read.
    pub(crate) fn values(&self, value: Quantity) -> &[i64] {
        &self.values[value as usize]
    }

    /// Reads the places of all rows in [`Columns::flows`]; then [`RowBatch::flows`] has them.
    pub(crate) fn read_flows(&mut self) {
        let mut buf = std::mem::take(&mut self.flows);
        if buf.is_empty() {
            for (block, places) in self.runs() {
                self.columns.read_flows(block, places, &mut buf);
            }
        }
        self.flows = buf;
    }

    /// Each row's place in [`Columns::flows`]; nothing before they are read.
    pub(crate) fn flows(&self) -> &[u32] {
        &self.flows
    }

    /// Reads the classes of all rows by their kinds; then [`RowBatch::classes`] has them.
    pub(crate) fn read_classes(&mut self, of_kinds: &[u8]) {
        let mut buf = std::mem::take(&mut self.classes);
        if buf.is_empty() {
            for (block, places) in self.runs() {
                let kinds = &self.columns.blocks[block].kind;
                let class = |kind: u16| of_kinds.get(usize::from(kind)).copied().unwrap_or(0);
                take(places, |row| class(kinds[row]), &mut buf);
            }
        }
        self.classes = buf;
    }

    /// Each row's class, by its index; nothing before they are read.
    pub(crate) fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// Values between which those of all rows are, where that is known without reading them.
    pub(crate) fn bounds(&self, value: Quantity) -> Option<(i64, i64)> {
        let mut all = self.runs.iter().map(|(block, _)| self.columns.bounds(value, *block));
        let first = all.next()??;
        all.try_fold(first, |all, more| more.map(|more| (all.0.min(more.0), all.1.max(more.1))))
    }

    /// Which row of the columns one of them is.
    pub(crate) fn index(&self, row: usize) -> usize {
        let run = self.runs.partition_point(|(_, end)| *end <= row);
        let block = self.runs.get(run).map_or(0, |(block, _)| *block);
        block * BLOCK_LEN + self.places.get(row).map_or(0, |place| usize::from(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::columns;
    use super::*;
    use crate::columns::Rows;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn batches_have_what_their_rows_have(chosen in proptest::collection::vec(0usize..2_500, 0..50), whole: bool) {
            let packets: Vec<_> = (0..2_500)
                .map(|n| (n, i64::try_from(n * n % 7_919).unwrap(), 60, ["tcp", "udp"][usize::from(n % 3 == 0)]))
                .collect();
            let columns = columns(&packets);
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
            if let Some((least, most)) = batch.bounds(Quantity::Time) {
                prop_assert!(expected.iter().all(|(_, values, ..)| (least..=most).contains(&values[1])));
            }
        }
    }
}
