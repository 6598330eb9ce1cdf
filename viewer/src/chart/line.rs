//! Lines over the bars of a chart: one step per bin.

use super::RenderContext;
use crate::scene::{Mark, Rect, Scene};
use crate::tally::Tally;

/// The width of a line.
const WIDTH_PX: f64 = 2.0;
/// The width of the border that separates a line from the bars behind it.
const BORDER_PX: f64 = 1.0;

/// The packets of a line.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Its index, which determines its colour.
    pub index: usize,
    /// The filter of its packets.
    pub name: String,
    /// The tallies of its packets, by class, then by bin.
    pub tallies: &'a [Tally],
}

/// Draws a line through the tops of columns, given by their left edges, widths and tops in pixels. Columns
/// without height only end the line: several lines on the axis would hide each other.
pub(super) fn draw_line(
    scene: &mut Scene,
    context: RenderContext<'_>,
    index: usize,
    bottom: f64,
    columns: &[(f64, f64, f64)],
) {
    let half = WIDTH_PX / 2.0;
    let mut rects = Vec::new();
    let mut previous = None;
    for (x, width, y) in columns.iter().copied() {
        if let Some(before) = previous
            && before != y
        {
            let (top, bottom) = (y.min(before) - half, y.max(before) + half);
            rects.push(Rect { x: x - half, y: top, width: WIDTH_PX, height: bottom - top });
        }
        if y < bottom {
            rects.push(Rect { x, y: y - half, width, height: WIDTH_PX });
        }
        previous = Some(y);
    }
    let border = |rect: &Rect| Rect {
        x: rect.x - BORDER_PX,
        y: rect.y - BORDER_PX,
        width: rect.width + 2.0 * BORDER_PX,
        height: rect.height + 2.0 * BORDER_PX,
    };
    let (background, color) = (context.theme.background(), context.theme.line(index));
    let borders = rects.iter().map(|rect| (border(rect), background));
    let marks = borders.chain(rects.iter().map(|rect| (*rect, color)));
    scene.marks.extend(marks.map(|(rect, color)| Mark::Rect { rect, color, opacity: 1.0 }));
}
