//! Blocks of rows: their storage, and reading their values.

use super::line_offsets::LineOffsets;
use super::packed_column::{PackedColumn, take};
use super::{BlockMask, Columns};
use flow::Marks;
use std::ops::Range;
use viewer_model::axis::{MIN_VALUE, MISSING, QUANTITY_COUNT, Quantity};

/// Rows per block. The values of one column of a block fit the L1 cache.
pub(crate) const BLOCK_LEN: usize = 1024;

/// Storage of a block. The number of rows in use is kept by [`Columns`].
#[derive(Debug)]
pub(super) struct Block {
    pub(super) n: PackedColumn,
    pub(super) ts_ns: PackedColumn,
    pub(super) len: PackedColumn,
    pub(super) flow: PackedColumn,
    pub(super) kind: [u16; BLOCK_LEN],
    /// 0 if the packet has none, according to its kind.
    pub(super) sport: [u16; BLOCK_LEN],
    pub(super) dport: [u16; BLOCK_LEN],
    pub(super) ttl: [u8; BLOCK_LEN],
    pub(super) offsets: LineOffsets,
}

/// The values of one row that have a column.
pub(super) struct BlockValues {
    pub(super) n: i64,
    pub(super) ts_ns: i64,
    pub(super) len: u32,
    pub(super) flow: u32,
    pub(super) kind: u16,
    pub(super) sport: Option<u16>,
    pub(super) dport: Option<u16>,
    pub(super) ttl: Option<u8>,
}

impl Block {
    /// A block without rows. The values are those of its first row.
    pub(super) fn new(first: &BlockValues) -> Self {
        Self {
            n: PackedColumn::steps(first.n),
            ts_ns: PackedColumn::near(first.ts_ns),
            len: PackedColumn::short(),
            flow: PackedColumn::short(),
            kind: [0; BLOCK_LEN],
            sport: [0; BLOCK_LEN],
            dport: [0; BLOCK_LEN],
            ttl: [0; BLOCK_LEN],
            offsets: LineOffsets::new(),
        }
    }

    /// Sets the values of the next row.
    #[inline]
    pub(super) fn set(&mut self, row: usize, values: &BlockValues, offset: u64) {
        let row = row % BLOCK_LEN;
        self.n.set(row, values.n);
        self.ts_ns.set(row, values.ts_ns);
        self.len.set(row, i64::from(values.len));
        self.flow.set(row, values.flow.into());
        self.kind[row] = values.kind;
        self.sport[row] = values.sport.unwrap_or(0);
        self.dport[row] = values.dport.unwrap_or(0);
        self.ttl[row] = values.ttl.unwrap_or(0);
        self.offsets.set(row, offset);
        if row == BLOCK_LEN - 1 {
            self.n.close();
            self.ts_ns.close();
        }
    }
}

/// The indices of all rows of a block.
pub(super) static ALL_ROWS: [u16; BLOCK_LEN] = {
    let mut rows = [0; BLOCK_LEN];
    let mut row = 0u16;
    while (row as usize) < BLOCK_LEN {
        rows[row as usize] = row;
        row += 1;
    }
    rows
};

/// A view of one block at a time. Values are decoded on first use.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    columns: &'a Columns,
    block: usize,
    len: usize,
    /// Timestamp of the packet before the columns in the same file.
    before_ns: Option<i64>,
    /// Values of all rows, or empty if not decoded yet.
    values: [Vec<i64>; QUANTITY_COUNT],
    flows: Vec<u32>,
}

impl<'a> Rows<'a> {
    /// A view without rows. `before_ns` is the timestamp of the packet before the columns in the same file.
    pub(crate) fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        let (values, flows) = Default::default();
        Self { columns, block: 0, len: 0, before_ns, values, flows }
    }

    /// Moves to a block.
    pub(crate) fn load(&mut self, block: usize) {
        (self.block, self.len) = (block, self.columns.block_rows(block).len());
        self.values.iter_mut().for_each(Vec::clear);
        self.flows.clear();
    }

    /// Indices of the rows within the columns.
    pub(crate) fn range(&self) -> Range<usize> {
        self.columns.block_rows(self.block)
    }

    /// The flow id of each row.
    pub(crate) fn flows(&mut self) -> &[u32] {
        if self.flows.is_empty() {
            self.columns.read_flows(self.block, &ALL_ROWS[..self.len], &mut self.flows);
        }
        &self.flows
    }

    /// The kind id of each row.
    pub(crate) fn kinds(&self) -> &'a [u16] {
        self.columns.blocks.get(self.block).map_or(&[], |block| &block.kind[..self.len])
    }

    /// The value of each row, [`MISSING`] if it has none.
    pub(crate) fn values(&mut self, value: Quantity) -> &[i64] {
        let buf = &mut self.values[value as usize];
        if buf.is_empty() {
            self.columns.read(value, self.block, &ALL_ROWS[..self.len], self.before_ns, buf);
        }
        buf
    }

    /// The value of each row in a column that was added later, [`MISSING`] if it has none.
    pub(crate) fn extra(&self, index: usize) -> impl ExactSizeIterator<Item = i64> {
        self.columns.extra_values(index, self.range())
    }

    /// The rows for whose marks `is_match` returns true.
    pub(crate) fn with_marks(&self, is_match: impl Fn(&Marks) -> bool) -> BlockMask {
        let mut mask = BlockMask::NONE;
        let findings = self.columns.findings().into_iter();
        for (row, marks) in findings.flat_map(|findings| findings.of_block(self.block)) {
            if is_match(&marks) {
                mask.insert(row);
            }
        }
        mask
    }

    /// Smallest and largest value of all rows, if known without decoding them.
    pub(crate) fn bounds(&self, value: Quantity) -> Option<(i64, i64)> {
        self.columns.bounds(value, self.block)
    }

    /// All rows of the block.
    pub(crate) fn all(&self) -> BlockMask {
        BlockMask::first(self.len)
    }

    /// The rows whose value is between `first` and `last`, both inclusive.
    pub(crate) fn within(&mut self, value: Quantity, (first, last): (i64, i64)) -> BlockMask {
        if let Some((least, most)) = self.bounds(value) {
            if most < first || last < least {
                return BlockMask::NONE;
            }
            if first <= least && most <= last {
                return self.all();
            }
        }
        let Some(block) = self.columns.blocks.get(self.block) else { return BlockMask::NONE };
        match value {
            Quantity::Number => block.n.within(first, last, self.len),
            Quantity::Time => block.ts_ns.within(first, last, self.len),
            Quantity::Size => block.len.within(first, last, self.len),
            _ => {
                // Excludes MISSING, which is below all values.
                let first = first.max(MIN_VALUE);
                let values = self.values(value).iter();
                BlockMask::of(values.map(|value| (first <= *value) & (*value <= last)))
            }
        }
    }
}

impl Columns {
    /// Appends the values of some rows of a block to `buf`.
    pub(super) fn read(
        &self,
        value: Quantity,
        block: usize,
        rows: &[u16],
        before_ns: Option<i64>,
        buf: &mut Vec<i64>,
    ) {
        let (block, before) = (&self.blocks[block], block.checked_sub(1));
        let kind = |row: usize| &self.kinds()[usize::from(block.kind[row])];
        let if_any = |has: bool, value: i64| if has { value } else { MISSING };
        match value {
            Quantity::Number => block.n.read(rows, |number| number, buf),
            Quantity::Time => block.ts_ns.read(rows, |number| number, buf),
            Quantity::Size => block.len.read(rows, |number| number, buf),
            Quantity::SourcePort => {
                take(rows, |row| if_any(kind(row).has_sport, block.sport[row].into()), buf);
            }
            Quantity::DestinationPort => {
                take(rows, |row| if_any(kind(row).has_dport, block.dport[row].into()), buf);
            }
            Quantity::Ttl => {
                take(rows, |row| if_any(kind(row).has_ttl, block.ttl[row].into()), buf);
            }
            // Always replaced by the time, see `elapsed.rs`.
            Quantity::Elapsed => take(rows, |_| MISSING, buf),
            Quantity::Gap => {
                let last = before.map(|before| self.blocks[before].ts_ns.get(BLOCK_LEN - 1));
                // Cannot equal MISSING: the difference saturates above it for any realistic timestamps.
                let first = last
                    .or(before_ns)
                    .map_or(MISSING, |last| block.ts_ns.get(0).saturating_sub(last));
                block.ts_ns.read_distances(rows, first, buf);
            }
        }
    }

    /// Appends the flow ids of some rows of a block to `buf`.
    pub(super) fn read_flows(&self, block: usize, rows: &[u16], buf: &mut Vec<u32>) {
        self.blocks[block].flow.read(rows, |flow| u32::try_from(flow).unwrap_or(0), buf);
    }

    /// Appends the flow ids of all rows of a block to `buf`.
    pub(crate) fn read_block_flows(&self, block: usize, buf: &mut Vec<u32>) {
        self.read_flows(block, &ALL_ROWS[..self.block_rows(block).len()], buf);
    }

    /// Smallest and largest value of a block, if known without decoding it.
    pub(super) fn bounds(&self, value: Quantity, block: usize) -> Option<(i64, i64)> {
        let len = self.block_rows(block).len();
        let block = self.blocks.get(block)?;
        match value {
            Quantity::Number => Some(block.n.bounds(len)),
            Quantity::Time => Some(block.ts_ns.bounds(len)),
            _ => None,
        }
    }
}
