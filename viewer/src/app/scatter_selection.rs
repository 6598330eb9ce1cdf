//! Boxes and lassos in the scatter plot: from pixels to filter expressions, and back to an outline.

use super::charts::Chart;
use super::gesture::{Gesture, GestureKind};
use super::{App, Panel};
use crate::axis::{Axis, Bins, Scale};
use crate::density::Grid;
use crate::filter::{Expr, Field, Lasso, Set};
use crate::selection::Dimension;

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
            Some(Expr::And(both)) => {
                let range = |axis: Axis| {
                    both.iter().find_map(|expr| match expr {
                        Expr::In(Field::Quantity(quantity), Set::Numbers(ranges))
                            if *quantity == axis.quantity =>
                        {
                            let (first, last) = *ranges.first()?;
                            Some((axis.fraction(first), axis.fraction(last.saturating_add(1))))
                        }
                        _ => None,
                    })
                };
                let (Some((left, right)), Some((low, high))) = (range(x), range(y)) else {
                    return Vec::new();
                };
                vec![px(left, low), px(right, low), px(right, high), px(left, high), px(left, low)]
            }
            _ => Vec::new(),
        }
    }
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
