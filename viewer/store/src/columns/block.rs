//! A block of rows, as it is kept and as it is looked at.

use super::line_offsets::LineOffsets;
use super::packed_column::{PackedColumn, take};
use super::{BlockMask, Columns};
use std::ops::Range;
use viewer_model::axis::{MIN_VALUE, MISSING, QUANTITY_COUNT, Quantity};

/// Rows that are kept and looked at together: their values fit the processor's nearest memory.
pub(crate) const BLOCK_LEN: usize = 1024;

/// Rows as they are kept: 17 bytes each where flows are few and times and sizes are not far from each
/// other. Each array has the same rows; how many they are, the columns know.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) n: PackedColumn,
    pub(super) ts_ns: PackedColumn,
    pub(super) len: PackedColumn,
    pub(super) flow: PackedColumn,
    pub(super) kind: [u16; BLOCK_LEN],
    /// 0 where there are none: the kind says which.
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
    /// For rows of which the first has these values.
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

    /// Sets a row; those before it are set.
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

/// Where rows of a block are: all of them.
pub(super) static PLACES: [u16; BLOCK_LEN] = {
    let mut places = [0; BLOCK_LEN];
    let mut place = 0u16;
    while (place as usize) < BLOCK_LEN {
        places[place as usize] = place;
        place += 1;
    }
    places
};

/// A block of the columns, its values as they are asked for.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    columns: &'a Columns,
    block: usize,
    len: usize,
    /// Time of the packet before the columns, in its file.
    before_ns: Option<i64>,
    /// All of the block's, or none yet.
    values: [Vec<i64>; QUANTITY_COUNT],
    flows: Vec<u32>,
}

impl<'a> Rows<'a> {
    /// No rows yet; `before_ns` is the time of the file's packet before the columns.
    pub(crate) fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        let (values, flows) = Default::default();
        Self { columns, block: 0, len: 0, before_ns, values, flows }
    }

    /// Goes on to another block.
    pub(crate) fn load(&mut self, block: usize) {
        (self.block, self.len) = (block, self.columns.block_rows(block).len());
        self.values.iter_mut().for_each(Vec::clear);
        self.flows.clear();
    }

    /// Which rows of the columns they are.
    pub(crate) fn range(&self) -> Range<usize> {
        self.columns.block_rows(self.block)
    }

    /// Each row's place in [`Columns::flows`].
    pub(crate) fn flows(&mut self) -> &[u32] {
        if self.flows.is_empty() {
            self.columns.read_flows(self.block, &PLACES[..self.len], &mut self.flows);
        }
        &self.flows
    }

    /// Each row's place in [`Columns::kinds`].
    pub(crate) fn kinds(&self) -> &'a [u16] {
        self.columns.blocks.get(self.block).map_or(&[], |block| &block.kind[..self.len])
    }

    /// Each row's value, [`MISSING`] where it has none.
    pub(crate) fn values(&mut self, value: Quantity) -> &[i64] {
        let buf = &mut self.values[value as usize];
        if buf.is_empty() {
            self.columns.read(value, self.block, &PLACES[..self.len], self.before_ns, buf);
        }
        buf
    }

    /// Least and greatest value of all rows, where that is known without reading them.
    pub(crate) fn bounds(&self, value: Quantity) -> Option<(i64, i64)> {
        self.columns.bounds(value, self.block)
    }

    /// All rows of the block.
    pub(crate) fn all(&self) -> BlockMask {
        BlockMask::first(self.len)
    }

    /// The rows whose value is there and from `first` to `last`.
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
                // No range holds MISSING: the least value of all is not a value.
                let first = first.max(MIN_VALUE);
                let values = self.values(value).iter();
                BlockMask::of(values.map(|value| (first <= *value) & (*value <= last)))
            }
        }
    }
}

impl Columns {
    /// Appends the values of some of a block's rows.
    pub(super) fn read(
        &self,
        value: Quantity,
        block: usize,
        places: &[u16],
        before_ns: Option<i64>,
        buf: &mut Vec<i64>,
    ) {
        let (block, before) = (&self.blocks[block], block.checked_sub(1));
        let kind = |row: usize| &self.kinds()[usize::from(block.kind[row])];
        let if_any = |has: bool, value: i64| if has { value } else { MISSING };
        match value {
            Quantity::Number => block.n.read(places, |number| number, buf),
            Quantity::Time => block.ts_ns.read(places, |number| number, buf),
            Quantity::Size => block.len.read(places, |number| number, buf),
            Quantity::SourcePort => {
                take(places, |row| if_any(kind(row).has_sport, block.sport[row].into()), buf);
            }
            Quantity::DestinationPort => {
                take(places, |row| if_any(kind(row).has_dport, block.dport[row].into()), buf);
            }
            Quantity::Ttl => {
                take(places, |row| if_any(kind(row).has_ttl, block.ttl[row].into()), buf);
            }
            Quantity::Gap => {
                let last = before.map(|before| self.blocks[before].ts_ns.get(BLOCK_LEN - 1));
                // Never MISSING by chance: that far apart no two times are.
                let first = last
                    .or(before_ns)
                    .map_or(MISSING, |last| block.ts_ns.get(0).saturating_sub(last));
                block.ts_ns.read_distances(places, first, buf);
            }
        }
    }

    /// Appends the flows of some of a block's rows.
    pub(super) fn read_flows(&self, block: usize, places: &[u16], buf: &mut Vec<u32>) {
        self.blocks[block].flow.read(places, |flow| u32::try_from(flow).unwrap_or(0), buf);
    }

    /// Least and greatest value of a block's rows, where that is known without reading them.
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
