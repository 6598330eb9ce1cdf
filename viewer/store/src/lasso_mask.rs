//! Rasterized lasso selections: which packets are inside a polygon.

use crate::bin_lookup::{BinLookup, NO_BIN};
use crate::columns::{BLOCK_LEN, BlockMask, Rows};
use crate::elapsed::resolve_axis;
use viewer_model::axis::{Axis, Bins, Quantity, Scale, Span};
use viewer_model::filter::Lasso;
use viewer_model::partial_sort::sort;

/// Resolution: cells per side of the polygon's bounding box.
const RESOLUTION: usize = 1024;

/// A polygon as a bitmap over its bounding box.
#[derive(Debug)]
pub(super) struct LassoMask {
    x: (Quantity, BinLookup),
    y: (Quantity, BinLookup),
    /// Whether each cell is inside, row by row.
    bits: Vec<bool>,
    found: [Vec<u16>; 2],
}

impl LassoMask {
    fn axis(value: (Quantity, bool), values: impl Iterator<Item = i64> + Clone) -> Axis {
        let (first, last) = (values.clone().min().unwrap_or(0), values.max().unwrap_or(0));
        let scale = if value.1 { Scale::Log } else { Scale::Linear };
        Axis { quantity: value.0, scale, span: Span::closed((first, last)) }
    }

    /// Rasterizes a polygon with the even-odd rule at cell centers. `start_ns` is the earliest timestamp of
    /// the file.
    pub(super) fn new(lasso: &Lasso, start_ns: i64) -> Self {
        let mut x = Self::axis(lasso.x, lasso.points.iter().map(|point| point.0));
        let y = Self::axis(lasso.y, lasso.points.iter().map(|point| point.1));
        let bins = |axis: Axis| Bins { axis, count: RESOLUTION, is_closed: false };
        let corners: Vec<_> =
            lasso.points.iter().map(|point| (x.fraction(point.0), y.fraction(point.1))).collect();
        let mut bits = vec![false; RESOLUTION * RESOLUTION];
        let parts = RESOLUTION as f64;
        for row in 0..RESOLUTION {
            let middle = (row as f64 + 0.5) / parts;
            let mut crossings: Vec<f64> = Vec::new();
            for (index, a) in corners.iter().enumerate() {
                let b = corners[(index + 1) % corners.len()];
                if (a.1 <= middle) != (b.1 <= middle) {
                    crossings.push(a.0 + (middle - a.1) / (b.1 - a.1) * (b.0 - a.0));
                }
            }
            sort(&mut crossings, f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                for column in 0..RESOLUTION {
                    let middle = (column as f64 + 0.5) / parts;
                    bits[row * RESOLUTION + column] |= pair[0] <= middle && middle < pair[1];
                }
            }
        }
        resolve_axis(&mut x, start_ns);
        Self {
            x: (x.quantity, BinLookup::new(&bins(x))),
            y: (lasso.y.0, BinLookup::new(&bins(y))),
            bits,
            found: [vec![0; BLOCK_LEN], vec![0; BLOCK_LEN]],
        }
    }

    /// The rows of the block that are inside the polygon.
    pub(super) fn find(&mut self, block: &mut Rows<'_>) -> BlockMask {
        let len = block.range().len();
        let [columns, rows] = &mut self.found;
        self.x.1.find(block.values(self.x.0), &mut columns[..len]);
        self.y.1.find(block.values(self.y.0), &mut rows[..len]);
        BlockMask::of(columns[..len].iter().zip(rows).map(|(column, row)| {
            *column != NO_BIN
                && *row != NO_BIN
                && self.bits[usize::from(*row) * RESOLUTION + usize::from(*column)]
        }))
    }
}
