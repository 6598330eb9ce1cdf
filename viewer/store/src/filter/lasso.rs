//! A line drawn around packets in a scatter plot.

use crate::axis::{Axis, Bins, Cells, NO_CELL, Scale, Span, Value};
use crate::columns::{BLOCK_LEN, Bits, Rows};
use crate::order::sorted;

/// A closed line through points, in values of two axes. Inside is what is inside by the rule of even
/// and odd crossings, to one part in 1,024 of the line's width and height.
#[derive(Clone, Debug, PartialEq)]
pub struct Lasso {
    /// What is along x, and whether logarithmically.
    pub x: (Value, bool),
    /// What is along y, and whether logarithmically.
    pub y: (Value, bool),
    /// The corners, at least three.
    pub points: Vec<(i64, i64)>,
}

/// Into how many cells the line's box is cut on each side.
const PARTS: usize = 1024;

/// Finds out what is inside.
#[derive(Debug)]
pub(super) struct Inside {
    x: (Value, Cells),
    y: (Value, Cells),
    /// A bit for each cell, row after row.
    bits: Vec<bool>,
    found: [Vec<u16>; 2],
}

impl Lasso {
    fn axis(value: (Value, bool), places: impl Iterator<Item = i64> + Clone) -> Axis {
        let (first, last) = (places.clone().min().unwrap_or(0), places.max().unwrap_or(0));
        let scale = if value.1 { Scale::Log } else { Scale::Linear };
        Axis { value: value.0, scale, span: Span::closed((first, last)) }
    }

    pub(super) fn inside(&self) -> Inside {
        let x = Self::axis(self.x, self.points.iter().map(|point| point.0));
        let y = Self::axis(self.y, self.points.iter().map(|point| point.1));
        let bins = |axis: Axis| Bins { axis, count: PARTS, is_closed: false };
        let corners: Vec<_> =
            self.points.iter().map(|point| (x.share(point.0), y.share(point.1))).collect();
        let mut bits = vec![false; PARTS * PARTS];
        let parts = PARTS as f64;
        for row in 0..PARTS {
            let middle = (row as f64 + 0.5) / parts;
            let mut crossings: Vec<f64> = Vec::new();
            for (index, a) in corners.iter().enumerate() {
                let b = corners[(index + 1) % corners.len()];
                if (a.1 <= middle) != (b.1 <= middle) {
                    crossings.push(a.0 + (middle - a.1) / (b.1 - a.1) * (b.0 - a.0));
                }
            }
            let crossings = sorted(&crossings, f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                for column in 0..PARTS {
                    let middle = (column as f64 + 0.5) / parts;
                    bits[row * PARTS + column] |= pair[0] <= middle && middle < pair[1];
                }
            }
        }
        Inside {
            x: (self.x.0, Cells::new(&bins(x))),
            y: (self.y.0, Cells::new(&bins(y))),
            bits,
            found: [vec![0; BLOCK_LEN], vec![0; BLOCK_LEN]],
        }
    }
}

impl Inside {
    /// The rows of the block that are inside.
    pub(super) fn find(&mut self, block: &mut Rows<'_>) -> Bits {
        let len = block.range().len();
        let [columns, rows] = &mut self.found;
        self.x.1.find(block.values(self.x.0), &mut columns[..len]);
        self.y.1.find(block.values(self.y.0), &mut rows[..len]);
        Bits::of(columns[..len].iter().zip(rows).map(|(column, row)| {
            *column != NO_CELL
                && *row != NO_CELL
                && self.bits[usize::from(*row) * PARTS + usize::from(*column)]
        }))
    }
}
