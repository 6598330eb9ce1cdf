//! Marks of packets with problems: a row of ticks below bars, and crosses over cells.

use super::RenderContext;
use crate::density::Density;
use crate::scene::{Mark, Rect, Scene};

/// The distance of the ticks from the axis, and their height.
const TICK_GAP_PX: f64 = 1.0;
const TICK_PX: f64 = 4.0;
/// Narrower ticks would hardly be seen.
const MIN_TICK_PX: f64 = 2.0;

/// Draws a tick below each column, given by its left edge and width in pixels.
pub(super) fn draw_ticks(
    scene: &mut Scene,
    context: RenderContext<'_>,
    columns: impl Iterator<Item = (f64, f64)>,
) {
    let plot = context.size.plot();
    let (y, color) = (plot.y + plot.height + TICK_GAP_PX, context.theme.problem());
    scene.marks.extend(columns.map(|(x, width)| {
        let rect = Rect { x, y, width: width.max(MIN_TICK_PX), height: TICK_PX };
        Mark::Rect { rect, color, opacity: 1.0 }
    }));
}

/// The packets of each cell.
pub(super) fn totals(density: &Density, cell_count: usize) -> Vec<u32> {
    let mut totals = vec![0; cell_count];
    for class in density.present() {
        totals.iter_mut().zip(density.of(class)).for_each(|(total, count)| *total += count);
    }
    totals
}

/// Draws a cross over each cell with packets. A cross is larger than a cell, so that its shape differs, not
/// only its colour.
pub(super) fn draw_crosses(
    scene: &mut Scene,
    context: RenderContext<'_>,
    density: &Density,
    (columns, rows): (usize, usize),
) {
    let [red, green, blue] = context.theme.problem();
    let mut rgba = vec![0; columns * rows * 4];
    let (pixels, _) = rgba.as_chunks_mut::<4>();
    for (cell, total) in totals(density, columns * rows).into_iter().enumerate() {
        if total == 0 {
            continue;
        }
        // The first row is the lowest.
        let (column, row) = (cell % columns, rows - 1 - cell / columns);
        let horizontal = column.saturating_sub(1)..(column + 2).min(columns);
        let vertical = row.saturating_sub(1)..(row + 2).min(rows);
        let arms = horizontal.map(|column| (column, row)).chain(vertical.map(|row| (column, row)));
        arms.for_each(|(column, row)| pixels[row * columns + column] = [red, green, blue, 255]);
    }
    scene.marks.push(Mark::Cells { rect: context.size.plot(), columns, rgba });
}
