//! A block of rows, as it is kept and as it is looked at.

use super::offsets::Offsets;
use super::packed::Packed;
use super::{Cells, Columns, Kind};
use crate::axis::{ABSENT, VALUE_COUNT, Value};
use std::ops::Range;

/// Rows that are kept and looked at together: their values fit the processor's nearest memory.
pub const BLOCK_LEN: usize = 1024;

/// Rows as they are kept: 19 bytes each where times and sizes are not far from each other. Each array
/// has the same rows; how many they are, the columns know.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) n: Packed,
    pub(super) ts_ns: Packed,
    pub(super) len: Packed,
    pub(super) flow: [u32; BLOCK_LEN],
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
            flow: [0; BLOCK_LEN],
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
        self.flow[row] = cells.flow;
        self.kind[row] = cells.kind;
        self.sport[row] = cells.sport.unwrap_or(0);
        self.dport[row] = cells.dport.unwrap_or(0);
        self.ttl[row] = cells.ttl.unwrap_or(0);
        self.offsets.set(row, offset);
    }
}

/// A block of the columns, its values as they are asked for.
#[derive(Debug)]
pub struct Rows<'a> {
    columns: &'a Columns,
    block: usize,
    len: usize,
    /// Time of the packet before the columns, in its file.
    before_ns: Option<i64>,
    /// All of the block's, or none yet.
    values: [Vec<i64>; VALUE_COUNT],
    /// Least and greatest, where they were asked for.
    bounds: [Option<(i64, i64)>; VALUE_COUNT],
    /// Some of the block's: what is in the other places is of no meaning.
    some: [Vec<i64>; VALUE_COUNT],
}

/// Where fewer than one row in so many is looked at, the others are not read.
const FEW: usize = 8;

impl<'a> Rows<'a> {
    /// No rows yet; `before_ns` is the time of the file's packet before the columns.
    pub fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        let (values, some, bounds) = Default::default();
        Self { columns, block: 0, len: 0, before_ns, values, bounds, some }
    }

    /// Goes on to another block.
    pub fn turn(&mut self, block: usize) {
        (self.block, self.len) = (block, self.columns.block_rows(block).len());
        self.values.iter_mut().for_each(Vec::clear);
        self.bounds = [None; VALUE_COUNT];
    }

    /// The columns.
    pub fn columns(&self) -> &'a Columns {
        self.columns
    }

    /// Which rows of the columns they are.
    pub fn range(&self) -> Range<usize> {
        self.columns.block_rows(self.block)
    }

    /// Each row's place in [`Columns::flows`].
    pub fn flows(&self) -> &'a [u32] {
        self.kept(|block| &block.flow)
    }

    /// Each row's place in [`Columns::kinds`].
    pub fn kinds(&self) -> &'a [u16] {
        self.kept(|block| &block.kind)
    }

    fn kept<T>(&self, column: impl Fn(&'a Block) -> &'a [T; BLOCK_LEN]) -> &'a [T] {
        self.columns.blocks.get(self.block).map_or(&[], |block| &column(block)[..self.len])
    }

    /// Each row's value, [`ABSENT`] where it has none.
    pub fn values(&mut self, value: Value) -> &[i64] {
        if self.values[value as usize].is_empty() {
            self.read(value);
        }
        &self.values[value as usize]
    }

    /// As [`Rows::values`], but in these places only is it sure that they are.
    pub fn at(&mut self, value: Value, places: &[u16]) -> &[i64] {
        if !self.reads_few(places) || !self.values[value as usize].is_empty() {
            return self.values(value);
        }
        let mut some = std::mem::take(&mut self.some[value as usize]);
        some.resize(BLOCK_LEN, 0);
        for place in places {
            let place = usize::from(*place);
            if let Some(slot) = some.get_mut(place) {
                *slot = self.value(value, place);
            }
        }
        self.some[value as usize] = some;
        &self.some[value as usize][..self.len]
    }

    /// Values of two kinds in these places.
    pub fn both_at(&mut self, a: Value, b: Value, places: &[u16]) -> (&[i64], &[i64]) {
        self.at(a, places);
        self.at(b, places);
        (self.known(a), self.known(b))
    }

    fn known(&self, value: Value) -> &[i64] {
        match &self.values[value as usize] {
            none if none.is_empty() => &self.some[value as usize][..self.len],
            all => all,
        }
    }

    /// True where so few rows are looked at that the others are better left alone.
    pub fn reads_few(&self, places: &[u16]) -> bool {
        places.len() * FEW < self.len
    }

    /// Least and greatest value of all rows, where that is known without reading them.
    pub fn bounds(&mut self, value: Value) -> Option<(i64, i64)> {
        let block = self.columns.blocks.get(self.block)?;
        let numbers = match value {
            Value::Number => &block.n,
            Value::Time => &block.ts_ns,
            _ => return None,
        };
        Some(*self.bounds[value as usize].get_or_insert_with(|| numbers.bounds(self.len)))
    }

    /// Says of each row whether its value is there and from `first` to `last`.
    pub fn within(&mut self, value: Value, (first, last): (i64, i64), is_in: &mut [bool]) {
        let Some(block) = self.columns.blocks.get(self.block) else { return };
        match value {
            Value::Number => block.n.within(first, last, is_in),
            Value::Time => block.ts_ns.within(first, last, is_in),
            Value::Size => block.len.within(first, last, is_in),
            _ => {
                // No range holds ABSENT: the least value of all is not a value.
                let first = first.max(ABSENT + 1);
                for (is_in, value) in is_in.iter_mut().zip(self.values(value)) {
                    *is_in = (first <= *value) & (*value <= last);
                }
            }
        }
    }

    /// One row's value, as [`Rows::values`] has it.
    pub(super) fn value(&self, value: Value, place: usize) -> i64 {
        let Some(block) = self.columns.blocks.get(self.block) else { return ABSENT };
        let kind = &self.columns.kinds.items()[usize::from(block.kind[place])];
        let if_any = |has: bool, value: i64| if has { value } else { ABSENT };
        match value {
            Value::Number => block.n.get(place),
            Value::Time => block.ts_ns.get(place),
            Value::Size => block.len.get(place),
            Value::SourcePort => if_any(kind.has_ports, block.sport[place].into()),
            Value::DestinationPort => if_any(kind.has_ports, block.dport[place].into()),
            Value::Ttl => if_any(kind.has_ttl, block.ttl[place].into()),
            Value::Gap => {
                let before = match place {
                    0 => self.last_ns(),
                    place => Some(block.ts_ns.get(place - 1)),
                };
                gap(before, block.ts_ns.get(place))
            }
        }
    }

    /// Time of the packet before the block.
    fn last_ns(&self) -> Option<i64> {
        match self.block.checked_sub(1) {
            None => self.before_ns,
            Some(block) => Some(self.columns.blocks[block].ts_ns.get(BLOCK_LEN - 1)),
        }
    }

    fn read(&mut self, value: Value) {
        let Some(block) = self.columns.blocks.get(self.block) else { return };
        if value == Value::Gap {
            self.read_gaps();
            return;
        }
        let (len, kinds) = (self.len, self.columns.kinds.items());
        let room = &mut self.values[value as usize];
        room.resize(len, 0);
        match value {
            Value::Number => block.n.read(room),
            Value::Time => block.ts_ns.read(room),
            Value::Size => block.len.read(room),
            Value::SourcePort => present(&block.sport, block, kinds, |kind| kind.has_ports, room),
            Value::DestinationPort => {
                present(&block.dport, block, kinds, |kind| kind.has_ports, room);
            }
            Value::Ttl => present(&block.ttl, block, kinds, |kind| kind.has_ttl, room),
            Value::Gap => {}
        }
    }

    fn read_gaps(&mut self) {
        let mut before = self.last_ns();
        let mut gaps = std::mem::take(&mut self.values[Value::Gap as usize]);
        gaps.extend(self.values(Value::Time).iter().map(|ts| gap(before.replace(*ts), *ts)));
        self.values[Value::Gap as usize] = gaps;
    }
}

/// Never ABSENT by chance: that far apart no two times are.
fn gap(before_ns: Option<i64>, ts_ns: i64) -> i64 {
    before_ns.map_or(ABSENT, |before| ts_ns.saturating_sub(before))
}

/// The numbers of rows whose kind has any.
fn present<T: Copy + Into<i64>>(
    numbers: &[T; BLOCK_LEN],
    block: &Block,
    kinds: &[Kind],
    has: fn(&Kind) -> bool,
    room: &mut [i64],
) {
    for (value, (number, kind)) in room.iter_mut().zip(numbers.iter().zip(&block.kind)) {
        *value = if has(&kinds[usize::from(*kind)]) { (*number).into() } else { ABSENT };
    }
}
