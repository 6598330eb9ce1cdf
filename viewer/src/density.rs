//! The scatter as exact counts: how many packets of each class fall into each cell of a grid.

use crate::columns::Columns;
use crate::protocol::CLASS_COUNT;
use serde::{Deserialize, Serialize};

/// What runs along the x axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum XAxis {
    /// The number of the packet.
    #[default]
    Number,
    /// Its time in nanoseconds since the epoch.
    Time,
}

/// A part of the plane, in whole units of the axes: from `start` to below `end`, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Packet numbers or nanoseconds.
    pub x: Span,
    /// Packet sizes in bytes.
    pub y: Span,
}

/// Whole numbers from `start` to below `end`: `start < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    pub start: i64,
    /// Behind the last.
    pub end: i64,
}

impl Span {
    /// From `start` to below `end`, at least one long.
    pub fn new(start: i64, end: i64) -> Self {
        Self { start: start.min(i64::MAX - 1), end: end.max(start.saturating_add(1)) }
    }

    /// How many numbers there are; not more than fit.
    pub fn len(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// Never: a span holds one number at least.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Which of `count` equal cells holds `value`; `None` outside.
    ///
    /// Cells are cut in double precision: one definition for drawing and for pointing.
    pub fn cell(&self, value: i64, count: usize) -> Option<usize> {
        if value < self.start || self.end <= value {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..count")]
        let cell =
            (value.abs_diff(self.start) as f64 * (count as f64 / self.len() as f64)) as usize;
        Some(cell.min(count - 1))
    }
}

/// A grid of cells over a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// What is covered.
    pub window: Window,
    /// Cells along x, at least 1.
    pub columns: usize,
    /// Cells along y, at least 1; the first row holds the smallest sizes.
    pub rows: usize,
}

impl Grid {
    /// Cells of one class.
    pub fn cell_count(&self) -> usize {
        self.columns * self.rows
    }
}

/// Packets of each cell by class: `counts[(class * rows + row) * columns + column]`.
pub fn count(columns: &Columns, axis: XAxis, grid: Grid) -> Vec<u32> {
    let classes = columns.class_of_proto();
    let mut counts = vec![0; CLASS_COUNT * grid.cell_count()];
    let numbers = columns.numbers();
    let mut add = |x: i64, row: usize| {
        let len = i64::from(columns.lens()[row]);
        if let Some(column) = grid.window.x.cell(x, grid.columns)
            && let Some(cell_row) = grid.window.y.cell(len, grid.rows)
        {
            let class = usize::from(classes[usize::from(columns.protos()[row])]);
            counts[(class * grid.rows + cell_row) * grid.columns + column] += 1;
        }
    };
    match axis {
        XAxis::Number => {
            for row in 0..columns.len() {
                add(i64::try_from(numbers.at(row)).unwrap_or(i64::MAX), row);
            }
        }
        XAxis::Time => {
            for (row, ts_ns) in columns.ts_ns().iter().enumerate() {
                add(*ts_ns, row);
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::tests::columns;
    use crate::protocol::Class;
    use proptest::prelude::*;

    #[test]
    fn each_packet_is_in_its_cell() {
        let columns = columns(&[
            (1, 10, 0, "tcp"),
            (2, 20, 99, "udp"),
            (3, 30, 99, "udp"),
            (9, 90, 50, "tcp"),
        ]);
        let window = Window { x: Span::new(1, 5), y: Span::new(0, 100) };
        let grid = Grid { window, columns: 2, rows: 2 };
        let counts = count(&columns, XAxis::Number, grid);
        let of = |class: Class| &counts[class.index() * 4..][..4];
        assert_eq!(of(Class::Tcp), [1, 0, 0, 0]);
        assert_eq!(of(Class::Udp), [0, 0, 1, 1]);
        let window = Window { x: Span::new(10, 91), y: Span::new(0, 100) };
        let counts = count(&columns, XAxis::Time, Grid { window, columns: 1, rows: 1 });
        assert_eq!(counts.iter().sum::<u32>(), 4);
    }

    proptest! {
        /// Every value inside has a cell, and cells come in the order of values.
        #[test]
        fn cells_are_monotone(start in any::<i64>(), len in 1i64..1 << 62, a: u64, b: u64, count in 1usize..2000) {
            let span = Span::new(start, start.saturating_add(len));
            let inside = |seed: u64| span.start + i64::try_from(seed % span.len().unsigned_abs()).unwrap();
            let (low, high) = (inside(a).min(inside(b)), inside(a).max(inside(b)));
            let cells = (span.cell(low, count).unwrap(), span.cell(high, count).unwrap());
            prop_assert!(cells.0 <= cells.1 && cells.1 < count);
            prop_assert_eq!(span.cell(span.end, count), None);
        }
    }
}
