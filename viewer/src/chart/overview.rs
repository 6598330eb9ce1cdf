//! The strip that shows the whole capture, with a window over the time range of the charts.

use super::{RenderContext, Size, range_text};
use crate::axis::{Axis, Bins};
use crate::scene::{Mark, Rect, Scene};
use crate::tally::Tally;
use crate::time::Zone;

/// The size of the handles at the ends of the window.
const HANDLE_PX: (f64, f64) = (5.0, 16.0);
/// The distance from an end of the window at which a pointer grips it.
const GRIP_PX: f64 = 6.0;

/// The data and settings of the strip.
#[derive(Clone, Copy, Debug)]
pub struct Overview<'a> {
    /// The time range of the whole capture.
    pub axis: Axis,
    /// Bins that cover the axis. The first and the last one may be partly outside.
    pub bins: Bins,
    /// Tallies of all packets, by class, then by bin.
    pub tallies: &'a [Tally],
    /// Heights are bytes instead of packets.
    pub is_bits: bool,
    /// Start and end of the window, as fractions of the axis.
    pub window: (f64, f64),
    /// First and last value in the window, in the unit of the axis.
    pub range: (i64, i64),
}

impl Overview<'_> {
    /// Draws the strip.
    pub fn scene(&self, context: RenderContext<'_>) -> Scene {
        let RenderContext { size, theme, .. } = context;
        let plot = size.plot();
        let mut heights = vec![0; self.bins.count];
        for (index, tally) in self.tallies.iter().enumerate() {
            heights[index % self.bins.count] +=
                if self.is_bits { tally.bytes } else { tally.packets };
        }
        let highest = heights.iter().copied().max().unwrap_or(0).max(1) as f64;
        let edges = self.bins.edges().into_iter();
        let edges: Vec<_> = edges.map(|edge| self.axis.fraction(edge).clamp(0.0, 1.0)).collect();
        let (from, to) = self.window;
        let mut marks = Vec::with_capacity(self.bins.count);
        for (bin, height) in heights.iter().enumerate().filter(|(_, height)| 0 < **height) {
            // Small bars are visible, too.
            let height = (*height as f64 / highest * plot.height).max(1.0);
            let (left, right) = (edges[bin], edges[bin + 1]);
            let middle = (left + right) / 2.0;
            let is_inside = from <= middle && middle <= to;
            marks.push(Mark::Rect {
                rect: Rect {
                    x: plot.x + left * plot.width,
                    y: plot.y + plot.height - height,
                    width: (right - left) * plot.width,
                    height,
                },
                color: if is_inside { theme.accent() } else { theme.unselected() },
                opacity: 1.0,
            });
        }
        let mut scene = Scene {
            width_px: size.width_px,
            height_px: size.height_px,
            background: theme.background(),
            marks,
        };
        let [left, right] = [from, to].map(|fraction| plot.x + fraction * plot.width);
        super::highlight(&mut scene, Rect { x: left, width: right - left, ..plot }, theme);
        for edge in [left, right] {
            let rect = Rect {
                x: edge - HANDLE_PX.0 / 2.0,
                y: plot.y + (plot.height - HANDLE_PX.1) / 2.0,
                width: HANDLE_PX.0,
                height: HANDLE_PX.1,
            };
            scene.marks.push(Mark::Rect { rect, color: theme.foreground(), opacity: 1.0 });
        }
        scene
    }

    /// Whether a pointer at a pixel grips the start and the end of the window: both inside of it,
    /// neither outside.
    pub fn grip(&self, size: Size, x_px: f64) -> (bool, bool) {
        let plot = size.plot();
        grip((plot.x + self.window.0 * plot.width, plot.x + self.window.1 * plot.width), x_px)
    }

    /// The time range of the charts.
    pub fn description(&self, zone: &Zone) -> String {
        range_text(self.bins.axis.quantity, self.range.0, self.range.1, zone)
    }
}

/// Whether a pointer grips the start and the end of a range of pixels: one of them near it, both
/// between them, neither outside.
pub fn grip((start, end): (f64, f64), at: f64) -> (bool, bool) {
    // The nearer end, if the range is narrow.
    let (from_start, from_end) = ((at - start).abs(), (at - end).abs());
    let is_inside = start <= at && at <= end;
    match from_start.min(from_end) <= GRIP_PX {
        // A narrow range could otherwise not be moved.
        true if is_inside && end - start < 3.0 * GRIP_PX => (true, true),
        true => (from_start < from_end, from_end <= from_start),
        false => (is_inside, is_inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_gripped_at_their_ends_and_between_them() {
        let wide = (100.0, 200.0);
        assert_eq!([97.0, 105.0].map(|at| grip(wide, at)), [(true, false); 2]);
        assert_eq!([195.0, 205.0].map(|at| grip(wide, at)), [(false, true); 2]);
        assert_eq!([107.0, 150.0, 193.0].map(|at| grip(wide, at)), [(true, true); 3]);
        assert_eq!([50.0, 207.0].map(|at| grip(wide, at)), [(false, false); 2]);
        let narrow = (100.0, 104.0);
        assert_eq!(
            [97.0, 102.0, 107.0].map(|at| grip(narrow, at)),
            [(true, false), (true, true), (false, true)]
        );
    }
}
