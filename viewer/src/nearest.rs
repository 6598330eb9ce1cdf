//! Which packet is under the pointer: the nearest one in cells of the grid, within a reach.

use crate::columns::{Columns, Row};
use crate::density::{Grid, XAxis};
use serde::{Deserialize, Serialize};

/// How far from the pointed cell a packet may be, in cells.
pub const REACH: usize = 4;

/// A packet near the pointed cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Its distance in cells, squared.
    pub distance: usize,
    /// Its cell: column and row.
    pub cell: (usize, usize),
    /// The packet.
    pub row: Row,
}

/// The packet nearest to the cell, the first in the file among equals.
pub fn find(columns: &Columns, axis: XAxis, grid: Grid, cell: (usize, usize)) -> Option<Hit> {
    let numbers = columns.numbers();
    let mut best: Option<(usize, usize, (usize, usize))> = None;
    for row in 0..columns.len() {
        let x = match axis {
            XAxis::Number => i64::try_from(numbers.at(row)).unwrap_or(i64::MAX),
            XAxis::Time => columns.ts_ns()[row],
        };
        let Some(column) = grid.window.x.cell(x, grid.columns) else { continue };
        if REACH < column.abs_diff(cell.0) {
            continue;
        }
        let Some(cell_row) = grid.window.y.cell(i64::from(columns.lens()[row]), grid.rows) else {
            continue;
        };
        let (dx, dy) = (column.abs_diff(cell.0), cell_row.abs_diff(cell.1));
        let distance = dx * dx + dy * dy;
        if distance <= REACH * REACH && best.is_none_or(|(least, ..)| distance < least) {
            best = Some((distance, row, (column, cell_row)));
        }
    }
    best.map(|(distance, row, cell)| Hit { distance, cell, row: columns.row(row) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::tests::columns;
    use crate::density::{Span, Window};

    #[test]
    fn the_nearest_packet_within_reach_is_found() {
        let columns = columns(&[(10, 0, 10, "tcp"), (12, 0, 10, "udp"), (50, 0, 50, "arp")]);
        let window = Window { x: Span::new(0, 100), y: Span::new(0, 100) };
        let grid = Grid { window, columns: 100, rows: 100 };
        let find =
            |cell| find(&columns, XAxis::Number, grid, cell).map(|hit| (hit.row.n, hit.distance));
        assert_eq!(find((13, 10)), Some((12, 1)));
        assert_eq!(find((11, 10)), Some((10, 1)));
        assert_eq!(find((30, 30)), None);
    }
}
