//! A block of rows, as it is kept and as it is looked at.

use super::offsets::Offsets;
use super::packed::{Packed, take};
use super::{Bits, Cells, Columns};
use std::ops::Range;
use viewer_model::axis::{ABSENT, LEAST, VALUE_COUNT, Value};

/// Rows that are kept and looked at together: their values fit the processor's nearest memory.
pub(crate) const BLOCK_LEN: usize = 1024;

/// Rows as they are kept: 17 bytes each where flows are few and times and sizes are not far from each
/// other. Each array has the same rows; how many they are, the columns know.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) n: Packed,
    pub(super) ts_ns: Packed,
    pub(super) len: Packed,
    pub(super) flow: Packed,
    pub(super) kind: [u16; BLOCK_LEN],
    /// 0 where there are none: the kind says which.
    pub(super) sport: [u16; BLOCK_LEN],
    pub(super) dport: [u16; BLOCK_LEN],
    pub(super) ttl: [u8; BLOCK_LEN],
    pub(super) offsets: Offsets,
}

impl Block {
    /// For rows of which the first has these cells.
    pub(super) fn new(first: &Cells) -> Self {
        Self {
            n: Packed::steps(first.n),
            ts_ns: Packed::near(first.ts_ns),
            len: Packed::short(),
            flow: Packed::short(),
            kind: [0; BLOCK_LEN],
            sport: [0; BLOCK_LEN],
            dport: [0; BLOCK_LEN],
            ttl: [0; BLOCK_LEN],
            offsets: Offsets::new(),
        }
    }

    /// Sets a row; those before it are set.
    #[inline]
    pub(super) fn set(&mut self, row: usize, cells: &Cells, offset: u64) {
        let row = row % BLOCK_LEN;
        self.n.set(row, cells.n);
        self.ts_ns.set(row, cells.ts_ns);
        self.len.set(row, i64::from(cells.len));
        self.flow.set(row, cells.flow.into());
        self.kind[row] = cells.kind;
        self.sport[row] = cells.sport.unwrap_or(0);
        self.dport[row] = cells.dport.unwrap_or(0);
        self.ttl[row] = cells.ttl.unwrap_or(0);
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
    values: [Vec<i64>; VALUE_COUNT],
    flows: Vec<u32>,
}

impl<'a> Rows<'a> {
    /// No rows yet; `before_ns` is the time of the file's packet before the columns.
    pub(crate) fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        let (values, flows) = Default::default();
        Self { columns, block: 0, len: 0, before_ns, values, flows }
    }

    /// Goes on to another block.
    pub(crate) fn turn(&mut self, block: usize) {
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

    /// Each row's value, [`ABSENT`] where it has none.
    pub(crate) fn values(&mut self, value: Value) -> &[i64] {
        let room = &mut self.values[value as usize];
        if room.is_empty() {
            self.columns.read(value, self.block, &PLACES[..self.len], self.before_ns, room);
        }
        room
    }

    /// Least and greatest value of all rows, where that is known without reading them.
    pub(crate) fn bounds(&self, value: Value) -> Option<(i64, i64)> {
        self.columns.bounds(value, self.block)
    }

    /// All rows of the block.
    pub(crate) fn all(&self) -> Bits {
        Bits::first(self.len)
    }

    /// The rows whose value is there and from `first` to `last`.
    pub(crate) fn within(&mut self, value: Value, (first, last): (i64, i64)) -> Bits {
        if let Some((least, most)) = self.bounds(value) {
            if most < first || last < least {
                return Bits::NONE;
            }
            if first <= least && most <= last {
                return self.all();
            }
        }
        let Some(block) = self.columns.blocks.get(self.block) else { return Bits::NONE };
        match value {
            Value::Number => block.n.within(first, last, self.len),
            Value::Time => block.ts_ns.within(first, last, self.len),
            Value::Size => block.len.within(first, last, self.len),
            _ => {
                // No range holds ABSENT: the least value of all is not a value.
                let first = first.max(LEAST);
                let values = self.values(value).iter();
                Bits::of(values.map(|value| (first <= *value) & (*value <= last)))
            }
        }
    }
}

impl Columns {
    /// Appends the values of some of a block's rows.
    pub(super) fn read(
        &self,
        value: Value,
        block: usize,
        places: &[u16],
        before_ns: Option<i64>,
        room: &mut Vec<i64>,
    ) {
        let (block, before) = (&self.blocks[block], block.checked_sub(1));
        let kind = |row: usize| &self.kinds.items()[usize::from(block.kind[row])];
        let if_any = |has: bool, value: i64| if has { value } else { ABSENT };
        match value {
            Value::Number => block.n.read(places, |number| number, room),
            Value::Time => block.ts_ns.read(places, |number| number, room),
            Value::Size => block.len.read(places, |number| number, room),
            Value::SourcePort => {
                take(places, |row| if_any(kind(row).has_sport, block.sport[row].into()), room);
            }
            Value::DestinationPort => {
                take(places, |row| if_any(kind(row).has_dport, block.dport[row].into()), room);
            }
            Value::Ttl => {
                take(places, |row| if_any(kind(row).has_ttl, block.ttl[row].into()), room);
            }
            Value::Gap => {
                let last = before.map(|before| self.blocks[before].ts_ns.get(BLOCK_LEN - 1));
                // Never ABSENT by chance: that far apart no two times are.
                let first = last
                    .or(before_ns)
                    .map_or(ABSENT, |last| block.ts_ns.get(0).saturating_sub(last));
                block.ts_ns.read_distances(places, first, room);
            }
        }
    }

    /// Appends the flows of some of a block's rows.
    pub(super) fn read_flows(&self, block: usize, places: &[u16], room: &mut Vec<u32>) {
        self.blocks[block].flow.read(places, |flow| u32::try_from(flow).unwrap_or(0), room);
    }

    /// Least and greatest value of a block's rows, where that is known without reading them.
    pub(super) fn bounds(&self, value: Value, block: usize) -> Option<(i64, i64)> {
        let len = self.block_rows(block).len();
        let block = self.blocks.get(block)?;
        match value {
            Value::Number => Some(block.n.bounds(len)),
            Value::Time => Some(block.ts_ns.bounds(len)),
            _ => None,
        }
    }
}
