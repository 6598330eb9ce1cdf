//! Boxes and lassos in the scatter plot: from pixels to filter expressions, and back to an outline.

use super::charts::Chart;
use super::gesture::{Gesture, GestureKind};
use super::{App, Panel};
use crate::axis::{Axis, Bins, Scale, Span};
use crate::chart::grip;
use crate::density::Grid;
use crate::filter::{Expr, Field, Lasso, Set};
use crate::selection::Dimension;

/// First and last column, and first and last row.
pub(super) type CellBox = ((usize, usize), (usize, usize));

impl App {
    /// The expression for a box between two pixels, extended to whole cells.
    pub(super) fn box_expr(&self, a: (f64, f64), b: (f64, f64)) -> Option<Expr> {
        let Some(Chart::Scatter(chart)) = self.chart(Panel::Scatter) else { return None };
        let (a, b) = (self.nearest_cell(chart.grid, a), self.nearest_cell(chart.grid, b));
        cells_expr(chart.grid, a, b)
    }

    fn nearest_cell(&self, grid: Grid, at: (f64, f64)) -> (usize, usize) {
        let (x, y) = self.size(Panel::Scatter).fraction(at);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..count")]
        let cell = |fraction: f64, count: usize| {
            ((fraction.clamp(0.0, 1.0) * count as f64) as usize).min(count - 1)
        };
        (cell(x, grid.x.count), cell(y, grid.y.count))
    }

    /// The expression for a polygon of pixels; `None` if it has fewer than three corners.
    pub(super) fn lasso_expr(&self, points: &[(f64, f64)]) -> Option<Expr> {
        let (x, y) = self.axes(Panel::Scatter)?;
        let y = y?;
        let mut corners: Vec<_> = points
            .iter()
            .map(|at| {
                let (right, up) = self.size(Panel::Scatter).fraction(*at);
                (x.value_at(right), y.value_at(up))
            })
            .collect();
        corners.dedup();
        let axis = |axis: Axis| (axis.quantity, axis.scale == Scale::Log);
        (2 < corners.len()).then(|| Expr::Lasso(Lasso { x: axis(x), y: axis(y), points: corners }))
    }

    /// The outline of the selection in the scatter plot, in pixels. Empty if nothing is selected or
    /// the selection has other axes.
    pub(super) fn outline(&self, grid: Grid) -> Vec<(f64, f64)> {
        if let Some(Gesture { kind: GestureKind::Lasso(points), .. }) = &self.gesture {
            return points.clone();
        }
        let plot = self.size(Panel::Scatter).plot();
        let px = |x: f64, y: f64| {
            (
                plot.x + x.clamp(0.0, 1.0) * plot.width,
                plot.y + (1.0 - y.clamp(0.0, 1.0)) * plot.height,
            )
        };
        let (x, y) = (grid.x.axis, grid.y.axis);
        match self.history.now().get(Dimension::Scatter) {
            Some(Expr::Lasso(lasso)) if (lasso.x.0, lasso.y.0) == (x.quantity, y.quantity) => {
                let point = |point: &(i64, i64)| px(x.fraction(point.0), y.fraction(point.1));
                lasso.points.iter().chain(lasso.points.first()).map(point).collect()
            }
            Some(expr) => {
                let Some((x_range, y_range)) = box_ranges(grid, expr) else { return Vec::new() };
                let ends = |axis: Axis, (first, last): (i64, i64)| {
                    (axis.fraction(first), axis.fraction(last.saturating_add(1)))
                };
                let ((left, right), (low, high)) = (ends(x, x_range), ends(y, y_range));
                vec![px(left, low), px(right, low), px(right, high), px(left, high), px(left, low)]
            }
            None => Vec::new(),
        }
    }

    /// The first and last column and row of the selected box, as far as it is in sight.
    pub(super) fn selected_cells(&self, grid: Grid) -> Option<CellBox> {
        let (x, y) = box_ranges(grid, self.history.now().get(Dimension::Scatter)?)?;
        let is_in_sight = |bins: Bins, (first, last)| {
            Span::closed((first, last)).intersection(bins.axis.span).is_some()
        };
        let cells = |bins: Bins, (first, last)| (bins.nearest(first), bins.nearest(last));
        (is_in_sight(grid.x, x) && is_in_sight(grid.y, y))
            .then(|| (cells(grid.x, x), cells(grid.y, y)))
    }

    /// Grips the selected box: at an edge or a corner to resize it, inside to move it.
    pub(super) fn grip_box(&self, at: (f64, f64)) -> Option<GestureKind> {
        let Some(Chart::Scatter(chart)) = self.chart(Panel::Scatter) else { return None };
        let cells = self.selected_cells(chart.grid)?;
        let [(left, bottom), _, (right, top), ..] = chart.outline[..] else { return None };
        let (x, (high, low)) = (grip((left, right), at.0), grip((top, bottom), at.1));
        let (x, y) = match (x, (low, high)) {
            ((false, false), _) | (_, (false, false)) => return None,
            // Inside.
            ((true, true), (true, true)) => (x, (true, true)),
            // An edge.
            ((true, true), y) => ((false, false), y),
            (x, (true, true)) => (x, (false, false)),
            // A corner.
            ends => ends,
        };
        Some(GestureKind::MoveBox { cells, moves: (x, y) })
    }

    /// Moves ends of the selected box as far as the pointer has moved, inside the chart.
    pub(super) fn drag_box(
        &mut self,
        cells: CellBox,
        moves: ((bool, bool), (bool, bool)),
        from: (f64, f64),
        to: (f64, f64),
    ) {
        let Some(Chart::Scatter(chart)) = self.chart(Panel::Scatter) else { return };
        let grid = chart.grid;
        let (from, to) = (self.nearest_cell(grid, from), self.nearest_cell(grid, to));
        self.move_box(grid, cells, moves, (offset(from.0, to.0), offset(from.1, to.1)));
    }

    /// Moves ends of a box by a number of cells, and selects it as part of an unfinished step.
    pub(super) fn move_box(
        &mut self,
        grid: Grid,
        (x, y): CellBox,
        moves: ((bool, bool), (bool, bool)),
        by: (isize, isize),
    ) {
        let (x, y) = (
            moved_cells(x, moves.0, by.0, grid.x.count),
            moved_cells(y, moves.1, by.1, grid.y.count),
        );
        if let Some(expr) = cells_expr(grid, (x.0, y.0), (x.1, y.1)) {
            self.select(Dimension::Scatter, Some(expr), true);
        }
    }
}

/// The signed distance between two cells.
fn offset(from: usize, to: usize) -> isize {
    to.wrapping_sub(from).cast_signed()
}

/// The first and last of the cells along an axis, after moving one or both of them inside the axis.
fn moved_cells(
    (first, last): (usize, usize),
    moves: (bool, bool),
    by: isize,
    count: usize,
) -> (usize, usize) {
    let end = count.saturating_sub(1);
    let moved = |cell: usize, by: isize| cell.saturating_add_signed(by).min(end);
    match moves {
        (true, true) => {
            // As far as both stay inside.
            let moved_first = moved(first, by).min(end.saturating_sub(last - first));
            (moved_first, moved_first + last - first)
        }
        (moves_first, moves_last) => (
            if moves_first { moved(first, by) } else { first },
            if moves_last { moved(last, by) } else { last },
        ),
    }
}

/// The ranges of the quantities of both axes that a box selects; `None` if the expression is not a box.
fn box_ranges(grid: Grid, expr: &Expr) -> Option<((i64, i64), (i64, i64))> {
    let Expr::And(both) = expr else { return None };
    let range = |bins: Bins| {
        both.iter().find_map(|expr| match expr {
            Expr::In(Field::Quantity(quantity), Set::Numbers(ranges))
                if *quantity == bins.axis.quantity =>
            {
                ranges.first().copied()
            }
            _ => None,
        })
    };
    Some((range(grid.x)?, range(grid.y)?))
}

/// The expression for the cells between two corners; `None` if the cells are outside the possible
/// values.
pub(super) fn cells_expr(grid: Grid, a: (usize, usize), b: (usize, usize)) -> Option<Expr> {
    let range = |bins: &Bins, a: usize, b: usize| {
        let (first, last) = bins.range(a, b)?;
        let (min, max) = bins.axis.quantity.domain();
        let (first, last) = (first.max(min), last.min(max));
        (first <= last).then(|| Expr::numbers(bins.axis.quantity, first, last))
    };
    Some(range(&grid.x, a.0, b.0)?.and(range(&grid.y, a.1, b.1)?))
}
