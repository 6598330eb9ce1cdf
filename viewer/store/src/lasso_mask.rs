//! What is inside of a line drawn around packets in a scatter plot.

use crate::cells::{Cells, NO_CELL};
use crate::columns::{BLOCK_LEN, BlockMask, Rows};
use viewer_model::axis::{Axis, Bins, Quantity, Scale, Span};
use viewer_model::filter::Lasso;

/// Into how many cells the line's box is cut on each side.
const PARTS: usize = 1024;

/// Finds out what is inside.
#[derive(Debug)]
pub(super) struct LassoMask {
    x: (Quantity, Cells),
    y: (Quantity, Cells),
    /// A bit for each cell, row after row.
    bits: Vec<bool>,
    found: [Vec<u16>; 2],
}

impl LassoMask {
    fn axis(value: (Quantity, bool), places: impl Iterator<Item = i64> + Clone) -> Axis {
        let (first, last) = (places.clone().min().unwrap_or(0), places.max().unwrap_or(0));
        let scale = if value.1 { Scale::Log } else { Scale::Linear };
        Axis { quantity: value.0, scale, span: Span::closed((first, last)) }
    }

    /// Of that line.
    pub(super) fn new(lasso: &Lasso) -> Self {
        let x = Self::axis(lasso.x, lasso.points.iter().map(|point| point.0));
        let y = Self::axis(lasso.y, lasso.points.iter().map(|point| point.1));
        let bins = |axis: Axis| Bins { axis, count: PARTS, is_closed: false };
        let corners: Vec<_> =
            lasso.points.iter().map(|point| (x.fraction(point.0), y.fraction(point.1))).collect();
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
            crossings.sort_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                for column in 0..PARTS {
                    let middle = (column as f64 + 0.5) / parts;
                    bits[row * PARTS + column] |= pair[0] <= middle && middle < pair[1];
                }
            }
        }
        Self {
            x: (lasso.x.0, Cells::new(&bins(x))),
            y: (lasso.y.0, Cells::new(&bins(y))),
            bits,
            found: [vec![0; BLOCK_LEN], vec![0; BLOCK_LEN]],
        }
    }

    /// The rows of the block that are inside.
    pub(super) fn find(&mut self, block: &mut Rows<'_>) -> BlockMask {
        let len = block.range().len();
        let [columns, rows] = &mut self.found;
        self.x.1.find(block.values(self.x.0), &mut columns[..len]);
        self.y.1.find(block.values(self.y.0), &mut rows[..len]);
        BlockMask::of(columns[..len].iter().zip(rows).map(|(column, row)| {
            *column != NO_CELL
                && *row != NO_CELL
                && self.bits[usize::from(*row) * PARTS + usize::from(*column)]
        }))
    }
}
