//! The keyboard in the charts: a cursor that moves from cell to cell, and selects.

use super::charts::Chart;
use super::navigation::ZOOM_STEP;
use super::scatter_selection::cells_expr;
use super::{App, Panel};
use crate::axis::QUANTITY_COUNT;
use crate::chart::Ranking;
use crate::filter::Expr;

/// The step of the cursor in the scatter plot, in cells.
const SCATTER_STEP: usize = 4;
/// A cursor key at the edge of a chart pans by this fraction of the plot.
pub(super) const PAN_FRACTION: f64 = 0.1;

/// A key with a function in charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Move left.
    Left,
    /// Move right.
    Right,
    /// Move up.
    Up,
    /// Move down.
    Down,
    /// Move to the first cell.
    Home,
    /// Move to the last cell.
    End,
    /// Select or deselect the cell at the cursor.
    Enter,
    /// Clear the selection of the chart.
    Escape,
    /// Zoom in.
    ZoomIn,
    /// Zoom out.
    ZoomOut,
    /// Reset the zoom.
    ResetZoom,
    /// Move the selection left.
    MoveLeft,
    /// Move the selection right.
    MoveRight,
}

impl Key {
    /// Parses the `key` of a browser's keyboard event.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ArrowLeft" => Self::Left,
            "ArrowRight" => Self::Right,
            "ArrowUp" => Self::Up,
            "ArrowDown" => Self::Down,
            "Home" => Self::Home,
            "End" => Self::End,
            "Enter" | " " => Self::Enter,
            "Escape" => Self::Escape,
            "+" | "=" => Self::ZoomIn,
            "-" => Self::ZoomOut,
            "0" => Self::ResetZoom,
            "," => Self::MoveLeft,
            "." => Self::MoveRight,
            _ => return None,
        })
    }
}

impl App {
    /// The number of columns and rows through which the cursor moves.
    fn cell_counts(&self, panel: Panel) -> Option<(usize, usize)> {
        Some(match self.chart(panel)? {
            // The legend above the bins.
            Chart::Binned(chart) => (chart.bins.count, 1 + self.legend(panel).len()),
            Chart::Scatter(chart) => (chart.grid.x.count, chart.grid.y.count),
            Chart::Overview(_) | Chart::Note(..) => (1, 1),
            Chart::Ranking(chart) => {
                (1, chart.items.len().min(Ranking::capacity(self.size(panel))))
            }
        })
    }

    /// The position of the cursor in a chart, as a fraction of its width and height.
    pub(super) fn cursor_fraction(&self, panel: Panel) -> Option<(f64, f64)> {
        let (_, (column, row)) = self.cursor.filter(|cursor| cursor.0 == panel)?;
        let (columns, rows) = self.cell_counts(panel)?;
        let fraction = |cell: usize, count: usize| (cell as f64 + 0.5) / count.max(1) as f64;
        Some((fraction(column, columns), fraction(row, rows)))
    }

    /// Keeps the cursor inside its chart, which may have fewer cells than before.
    pub(super) fn clamp_cursor(&mut self) {
        if let Some((panel, (column, row))) = self.cursor {
            self.cursor = self.cell_counts(panel).and_then(|(columns, rows)| {
                let last = (columns.checked_sub(1)?, rows.checked_sub(1)?);
                Some((panel, (column.min(last.0), row.min(last.1))))
            });
        }
    }

    /// Handles a key in a chart. `extend` selects from the anchor to the cursor.
    pub(super) fn key_down(&mut self, panel: Panel, key: Key, extend: bool) {
        if key == Key::Escape && self.has_gesture() {
            return self.cancel_gesture();
        }
        if panel == Panel::Overview {
            return self.overview_key(key, extend);
        }
        // The cells change: a later selection must not extend from the old anchor.
        if matches!(key, Key::ZoomIn | Key::ZoomOut | Key::ResetZoom | Key::Escape) {
            self.anchor = None;
        }
        match key {
            Key::ZoomIn => return self.zoom(panel, None, 1.0 / ZOOM_STEP),
            Key::ZoomOut => return self.zoom(panel, None, ZOOM_STEP),
            Key::MoveLeft | Key::MoveRight => return self.move_selection(panel, key),
            Key::ResetZoom => return self.settings.zoom = [None; QUANTITY_COUNT],
            Key::Escape => {
                if let Some(dimension) = panel.dimension() {
                    self.select(dimension, None, false);
                }
                self.cursor = None;
                return;
            }
            _ => {}
        }
        let Some(counts @ (_, 1..)) = self.cell_counts(panel) else { return };
        if extend && self.cursor.is_none_or(|cursor| cursor.0 != panel) {
            self.resume_selection(panel);
        }
        let now = self.cursor.filter(|cursor| cursor.0 == panel).map(|cursor| cursor.1);
        let is_binned = matches!(self.chart(panel), Some(Chart::Binned(_)));
        if let Some(cell) = now.filter(|cell| is_binned && (0 < cell.1 || key == Key::Up)) {
            return self.legend_key(panel, key, cell, extend);
        }
        let counts = if is_binned { (counts.0, 1) } else { counts };
        let (cell, is_at_edge) = next_cell(panel == Panel::Scatter, key, now, counts);
        if is_at_edge {
            self.pan_at_edge(panel, key);
        }
        self.pointer = None;
        self.cursor = Some((panel, cell));
        let anchor = self.anchor.filter(|anchor| anchor.0 == panel).map(|anchor| anchor.1);
        if anchor.is_none() {
            self.history.finish();
        }
        let anchor = anchor.or(now).unwrap_or(cell);
        self.anchor = Some((panel, anchor));
        if key == Key::Enter {
            self.anchor = None;
            self.toggle_cell(panel, cell);
        } else if extend {
            self.select_cells(panel, anchor, cell);
        } else {
            self.anchor = None;
            self.history.finish();
        }
    }

    /// Continues a selection that was made otherwise: the cursor is at its end.
    fn resume_selection(&mut self, panel: Panel) {
        let ends = match self.chart(panel) {
            Some(Chart::Binned(chart)) => {
                chart.selected_bins().map(|(first, last)| ((first, 0), (last, 0)))
            }
            Some(Chart::Scatter(chart)) => {
                self.selected_cells(chart.grid).map(|(x, y)| ((x.0, y.0), (x.1, y.1)))
            }
            _ => None,
        };
        if let Some((first, last)) = ends {
            (self.anchor, self.cursor) = (Some((panel, first)), Some((panel, last)));
        }
    }

    /// Moves the selected bins by one, or the selected box.
    fn move_selection(&mut self, panel: Panel, key: Key) {
        let is_left = key == Key::MoveLeft;
        match self.chart(panel) {
            Some(Chart::Binned(chart)) => {
                let Some((first, last)) = chart.selected_bins() else { return };
                let moved = if is_left { first.checked_sub(1) } else { Some(first + 1) };
                let Some(moved) = moved.filter(|moved| moved + last - first < chart.bins.count)
                else {
                    return;
                };
                self.select_bins(panel, moved, moved + last - first);
            }
            Some(Chart::Scatter(chart)) => {
                let grid = chart.grid;
                let Some(cells) = self.selected_cells(grid) else { return };
                let step = SCATTER_STEP.cast_signed();
                let by = (if is_left { -step } else { step }, 0);
                self.move_box(grid, cells, ((true, true), (false, false)), by);
            }
            _ => return,
        }
        (self.cursor, self.anchor) = (None, None);
        self.history.finish();
    }

    /// Continues a movement beyond the edge of a chart.
    fn pan_at_edge(&mut self, panel: Panel, key: Key) {
        let is_scatter = panel == Panel::Scatter;
        let by = match key {
            Key::Left => (-PAN_FRACTION, 0.0),
            Key::Right => (PAN_FRACTION, 0.0),
            Key::Up if is_scatter => (0.0, PAN_FRACTION),
            Key::Down if is_scatter => (0.0, -PAN_FRACTION),
            _ => (0.0, 0.0),
        };
        self.pan(panel, by);
    }

    /// Selects the cell at the cursor, or deselects it.
    fn toggle_cell(&mut self, panel: Panel, cell: (usize, usize)) {
        match self.chart(panel) {
            Some(Chart::Ranking(_)) => self.toggle_item(panel, cell.1),
            Some(Chart::Binned(_)) => self.toggle_bin(panel, cell.0),
            Some(Chart::Scatter(chart)) => {
                if let Some(expr) = cells_expr(chart.grid, cell, cell) {
                    self.select_in(panel, expr, false);
                }
            }
            Some(Chart::Overview(_) | Chart::Note(..)) | None => {}
        }
    }

    /// Selects the cells from the anchor to the cursor, as part of an unfinished step.
    fn select_cells(&mut self, panel: Panel, from: (usize, usize), to: (usize, usize)) {
        let expr = match self.chart(panel) {
            Some(Chart::Binned(chart)) => {
                let range = chart.bins.range(from.0, to.0);
                range.map(|(first, last)| Expr::numbers(chart.bins.axis.quantity, first, last))
            }
            Some(Chart::Scatter(chart)) => cells_expr(chart.grid, from, to),
            _ => return,
        };
        if let Some(expr) = expr {
            self.select_in(panel, expr, true);
        }
    }

    fn select_in(&mut self, panel: Panel, expr: Expr, is_draft: bool) {
        if let Some(dimension) = panel.dimension() {
            self.select(dimension, Some(expr), is_draft);
        }
    }
}

/// The cell to which a key moves the cursor, and whether the cursor is already at that edge. Rows count
/// upwards in the scatter plot, downwards in rankings.
fn next_cell(
    is_scatter: bool,
    key: Key,
    now: Option<(usize, usize)>,
    (columns, rows): (usize, usize),
) -> ((usize, usize), bool) {
    let start = if is_scatter { (columns / 2, rows / 2) } else { (0, 0) };
    let (column, row) = now.unwrap_or(start);
    let step = if is_scatter { SCATTER_STEP } else { 1 };
    let is_first_key = now.is_none() && !matches!(key, Key::End);
    let increases_row = matches!((key, is_scatter), (Key::Up, true) | (Key::Down, false));
    let (column, row) = match key {
        _ if is_first_key => (column, row),
        Key::Left => (column.saturating_sub(step), row),
        Key::Right => (column + step, row),
        Key::Up | Key::Down if increases_row => (column, row + step),
        Key::Up | Key::Down => (column, row.saturating_sub(step)),
        Key::Home => (0, if is_scatter { row } else { 0 }),
        Key::End => (columns - 1, if is_scatter { row } else { rows - 1 }),
        _ => (column, row),
    };
    let cell = (column.min(columns - 1), row.min(rows - 1));
    (cell, now == Some(cell))
}
