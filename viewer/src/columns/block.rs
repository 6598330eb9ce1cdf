//! Some rows of columns, looked at together.

use super::{Columns, Kind};
use crate::axis::{ABSENT, VALUE_COUNT, Value};
use std::ops::Range;

/// Rows that are looked at together: their values fit the processor's nearest memory.
pub const BLOCK_LEN: usize = 1024;

/// Some rows of the columns, their values as they are asked for.
#[derive(Debug)]
pub struct Block<'a> {
    columns: &'a Columns,
    rows: Range<usize>,
    /// Time of the packet before the first row, in its file.
    before_ns: Option<i64>,
    values: [Vec<i64>; VALUE_COUNT],
}

impl<'a> Block<'a> {
    /// No rows yet; `before_ns` is the time of the file's packet before the columns.
    pub fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        Self { columns, rows: 0..0, before_ns, values: Default::default() }
    }

    /// Goes on to other rows, at most [`BLOCK_LEN`] of them.
    pub fn turn(&mut self, rows: Range<usize>) {
        self.rows = rows;
        self.values.iter_mut().for_each(Vec::clear);
    }

    /// The columns.
    pub fn columns(&self) -> &'a Columns {
        self.columns
    }

    /// Which rows.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Each row's value, [`ABSENT`] where it has none.
    pub fn values(&mut self, value: Value) -> &[i64] {
        let (columns, rows) = (self.columns, self.rows.clone());
        if value == Value::Time {
            return &columns.ts_ns[rows];
        }
        let room = &mut self.values[value as usize];
        if !room.is_empty() {
            return room;
        }
        let kinds = &columns.kinds.items;
        let if_any = |has: fn(&Kind) -> bool, value: i64, kind: u16| {
            if has(&kinds[usize::from(kind)]) { value } else { ABSENT }
        };
        let ports = |room: &mut Vec<i64>, ports: &[u16]| {
            room.extend(
                ports[rows.clone()]
                    .iter()
                    .zip(&columns.kind[rows.clone()])
                    .map(|(port, kind)| if_any(|kind| kind.has_ports, i64::from(*port), *kind)),
            );
        };
        match value {
            Value::Time => {}
            Value::Number => room.extend(rows.map(|row| columns.number(row))),
            Value::Size => room.extend(columns.len[rows].iter().map(|len| i64::from(*len))),
            Value::SourcePort => ports(room, &columns.sport),
            Value::DestinationPort => ports(room, &columns.dport),
            Value::Ttl => room.extend(
                columns.ttl[rows.clone()]
                    .iter()
                    .zip(&columns.kind[rows])
                    .map(|(ttl, kind)| if_any(|kind| kind.has_ttl, i64::from(*ttl), *kind)),
            ),
            Value::Gap => {
                let mut before = match rows.start {
                    0 => self.before_ns,
                    row => Some(columns.ts_ns[row - 1]),
                };
                room.extend(columns.ts_ns[rows].iter().map(|ts| {
                    // Never ABSENT by chance: that far apart no two times are.
                    before.replace(*ts).map_or(ABSENT, |before| ts.saturating_sub(before))
                }));
            }
        }
        room
    }
}
