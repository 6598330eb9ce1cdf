//! What pointers and keys do in the charts.

use super::charts::Chart;
use super::rankings::{has_pick, toggled};
use super::{App, Panel};
use crate::axis::{Axis, Bins, Scale};
use crate::density::Grid;
use crate::filter::{Expr, Field, Lasso, Set};
use crate::selection::Dimension;
use crate::settings::Tool;

/// How much a wheel's notch, a key or a button zooms.
pub const ZOOM_STEP: f64 = 1.25;
/// How far the cursor of the scatter goes with a key, in cells.
const CURSOR_STEP: usize = 4;
/// How far the picture moves with a key at its border, as a share of it.
const PAN_SHARE: f64 = 0.1;
/// A pointer that moves less, in pixels, clicks.
const CLICK_PX: f64 = 3.0;

/// A key that means something in a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Upwards.
    Up,
    /// Downwards.
    Down,
    /// To the first.
    Home,
    /// To the last.
    End,
    /// Select what the cursor is at.
    Enter,
    /// Select nothing here.
    Escape,
    /// Show less.
    ZoomIn,
    /// Show more.
    ZoomOut,
    /// Show everything.
    All,
}

impl Key {
    /// The key of that name in the browser's events.
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
            "0" => Self::All,
            _ => return None,
        })
    }
}

/// What a pointer that is held down does.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gesture {
    panel: Panel,
    from: (f64, f64),
    kind: Kind,
    has_moved: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// It moves what is shown, from there.
    Move(Axis, Axis),
    /// It selects bins, from that one on.
    Bins(usize),
    Box,
    Lasso(Vec<(f64, f64)>),
    /// It can only click.
    Click,
}

impl App {
    /// A pointer goes down on a chart; another tool may be chosen by a key that is held.
    pub(super) fn press(&mut self, panel: Panel, at: (f64, f64), tool: Option<Tool>) {
        let kind = match (panel, self.chart(panel)) {
            (Panel::Scatter, Some(_)) => match tool.unwrap_or(self.settings.tool) {
                Tool::Box => Kind::Box,
                Tool::Lasso => Kind::Lasso(vec![at]),
                Tool::Move => match self.axes(panel) {
                    Some((x, Some(y))) => Kind::Move(x, y),
                    _ => Kind::Click,
                },
            },
            (_, Some(Chart::Binned(chart))) => {
                Kind::Bins(chart.bin_at(self.size(panel).share(at).0))
            }
            _ => Kind::Click,
        };
        self.history.finish();
        (self.cursor, self.anchor) = (None, None);
        // A finger comes from nowhere: what is under it is asked for now.
        self.pointer = Some((panel, at));
        self.gesture = Some(Gesture { panel, from: at, kind, has_moved: false });
    }

    /// The pointer moves, held down or not.
    pub(super) fn drag(&mut self, panel: Panel, at: (f64, f64)) {
        let Some(mut gesture) = self.gesture.take() else {
            self.pointer = Some((panel, at));
            return;
        };
        let (dx, dy) = (at.0 - gesture.from.0, at.1 - gesture.from.1);
        gesture.has_moved |= CLICK_PX <= dx.abs().max(dy.abs());
        if gesture.has_moved {
            self.pointer = None;
            let plot = self.size(gesture.panel).plot();
            match &mut gesture.kind {
                Kind::Move(x, y) => {
                    let (x, y) = (*x, *y);
                    self.settings.zoom[x.quantity as usize] = Some(x.panned(-dx / plot.width));
                    self.settings.zoom[y.quantity as usize] = Some(y.panned(dy / plot.height));
                }
                Kind::Bins(from) => self.brush_to(gesture.panel, *from, at),
                Kind::Box => {
                    if let Some(expr) = self.boxed(gesture.from, at) {
                        self.select(Dimension::Scatter, Some(expr), true);
                    }
                }
                Kind::Lasso(points) => points.push(at),
                Kind::Click => {}
            }
        }
        self.gesture = Some(gesture);
    }

    /// The pointer goes up.
    pub(super) fn release(&mut self) {
        let Some(gesture) = self.gesture.take() else { return };
        let Gesture { panel, from, kind, has_moved } = gesture;
        match kind {
            Kind::Bins(bin) if !has_moved => self.click_bin(panel, bin),
            Kind::Lasso(points) if has_moved => {
                if let Some(expr) = self.lasso(&points) {
                    self.select(Dimension::Scatter, Some(expr), false);
                }
            }
            _ if has_moved => {}
            _ if panel == Panel::Scatter => self.awaited_pick = self.pointed_cell(),
            _ => self.click_item(panel, from),
        }
        self.history.finish();
    }

    /// A bin that is clicked is selected, or nothing where it was.
    fn click_bin(&mut self, panel: Panel, bin: usize) {
        let (Some(Chart::Binned(chart)), Some(dimension)) = (self.chart(panel), panel.dimension())
        else {
            return;
        };
        let Some((first, last)) = chart.bins.range(bin, bin) else { return };
        let is_in = chart.brush.is_some_and(|(from, to)| from <= first && last <= to);
        let expr = Expr::numbers(chart.bins.axis.quantity, first, last);
        self.select(dimension, (!is_in).then_some(expr), false);
    }

    fn click_item(&mut self, panel: Panel, at: (f64, f64)) {
        let Some(Chart::Ranking(chart)) = self.chart(panel) else { return };
        if let Some(index) = chart.item_at(self.size(panel), at.1) {
            self.toggle_item(panel, index);
        }
    }

    fn toggle_item(&mut self, panel: Panel, index: usize) {
        if let (Some(pick), Some(dimension)) = (self.pick_of(panel, index), panel.dimension()) {
            let picks = toggled(self.history.now().get(dimension), pick);
            self.select(dimension, picks, false);
        }
    }

    /// Selects a conversation, or no longer.
    pub(super) fn toggle_conversation(&mut self, place: usize) {
        let Some(conversation) = self.conversations.shown().get(place) else { return };
        let pick = self.flows.expr(conversation.pair);
        let picks = toggled(self.history.now().get(Dimension::Conversation), pick);
        self.select(Dimension::Conversation, picks, false);
    }

    /// True where the conversation is one of those that are selected.
    pub(super) fn is_selected(&self, pair: crate::conversations::EndpointPair) -> bool {
        let picks = self.history.now().get(Dimension::Conversation);
        picks.is_some_and(|picks| has_pick(picks, &self.flows.expr(pair)))
    }

    fn brush_to(&mut self, panel: Panel, from: usize, at: (f64, f64)) {
        let share = self.size(panel).share(at).0;
        let (Some(Chart::Binned(chart)), Some(dimension)) = (self.chart(panel), panel.dimension())
        else {
            return;
        };
        let Some((first, last)) = chart.bins.range(from, chart.bin_at(share)) else { return };
        let expr = Expr::numbers(chart.bins.axis.quantity, first, last);
        self.select(dimension, Some(expr), true);
    }

    /// What lies in a box between two pixels of the scatter, in whole cells.
    fn boxed(&self, a: (f64, f64), b: (f64, f64)) -> Option<Expr> {
        let Some(Chart::Scatter(chart)) = self.chart(Panel::Scatter) else { return None };
        let (a, b) = (self.cell_near(chart.grid, a), self.cell_near(chart.grid, b));
        cells_expr(chart.grid, a, b)
    }

    fn cell_near(&self, grid: Grid, at: (f64, f64)) -> (usize, usize) {
        let (x, y) = self.size(Panel::Scatter).share(at);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..count")]
        let cell = |share: f64, count: usize| {
            ((share.clamp(0.0, 1.0) * count as f64) as usize).min(count - 1)
        };
        (cell(x, grid.x.count), cell(y, grid.y.count))
    }

    fn lasso(&self, points: &[(f64, f64)]) -> Option<Expr> {
        let (x, y) = self.axes(Panel::Scatter)?;
        let y = y?;
        let mut corners: Vec<_> = points
            .iter()
            .map(|at| {
                let (across, up) = self.size(Panel::Scatter).share(*at);
                (x.value_at(across), y.value_at(up))
            })
            .collect();
        corners.dedup();
        let axis = |axis: Axis| (axis.quantity, axis.scale == Scale::Log);
        (2 < corners.len()).then(|| Expr::Lasso(Lasso { x: axis(x), y: axis(y), points: corners }))
    }

    /// The line around what is selected in the scatter, in pixels, where it has these axes.
    pub(super) fn outline(&self, grid: Grid) -> Vec<(f64, f64)> {
        if let Some(Gesture { kind: Kind::Lasso(points), .. }) = &self.gesture {
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
                        Expr::In(Field::Quantity(value), Set::Numbers(ranges))
                            if *value == axis.quantity =>
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

    /// Zooms around a pixel; `factor` below 1 shows less.
    pub(super) fn zoom(&mut self, panel: Panel, at: Option<(f64, f64)>, factor: f64) {
        let Some((x, y)) = self.axes(panel) else { return };
        let share = match (at, self.cursor_share(panel)) {
            (Some(at), _) => self.size(panel).share(at),
            (None, share) => share.unwrap_or((0.5, 0.5)),
        };
        for (axis, share) in [(Some(x), share.0), (y, share.1)] {
            let Some(axis) = axis else { continue };
            // Out, but not to where there is nothing for long.
            let most = self.widest(axis.quantity).unwrap_or(i64::MAX) as f64;
            let factor = factor.min((most / axis.span.len() as f64).max(1.0));
            self.settings.zoom[axis.quantity as usize] = Some(axis.zoomed(share, factor));
        }
    }

    /// Moves what is shown by shares of the plot.
    pub(super) fn shift(&mut self, panel: Panel, (dx, dy): (f64, f64)) {
        let Some((x, y)) = self.axes(panel) else { return };
        for (axis, by) in [(Some(x), dx), (y, dy)] {
            if let Some(axis) = axis.filter(|_| by != 0.0) {
                self.settings.zoom[axis.quantity as usize] = Some(axis.panned(by));
            }
        }
    }

    /// How many cells a chart has for the keyboard's cursor, across and up or down.
    fn cells_of(&self, panel: Panel) -> Option<(usize, usize)> {
        Some(match self.chart(panel)? {
            Chart::Binned(chart) => (chart.bins.count, 1),
            Chart::Scatter(chart) => (chart.grid.x.count, chart.grid.y.count),
            Chart::Ranking(chart) => {
                (1, chart.items.len().min(crate::chart::Ranking::room(self.size(panel))))
            }
        })
    }

    /// Where the keyboard's cursor is in a chart, as shares of it.
    fn cursor_share(&self, panel: Panel) -> Option<(f64, f64)> {
        let (_, (column, row)) = self.cursor.filter(|cursor| cursor.0 == panel)?;
        let (columns, rows) = self.cells_of(panel)?;
        let share = |cell: usize, count: usize| (cell as f64 + 0.5) / count.max(1) as f64;
        Some((share(column, columns), share(row, rows)))
    }

    /// Keeps the keyboard's cursor inside of its chart, which may have fewer cells than before.
    pub(super) fn clamp_cursor(&mut self) {
        if let Some((panel, (column, row))) = self.cursor {
            self.cursor = self.cells_of(panel).and_then(|(columns, rows)| {
                let last = (columns.checked_sub(1)?, rows.checked_sub(1)?);
                Some((panel, (column.min(last.0), row.min(last.1))))
            });
        }
    }

    /// A key goes down in a chart; `extend` selects on the way.
    pub(super) fn key(&mut self, panel: Panel, key: Key, extend: bool) {
        // What the cursor is at is elsewhere then: a selection does not go on from before.
        if matches!(key, Key::ZoomIn | Key::ZoomOut | Key::All | Key::Escape) {
            self.anchor = None;
        }
        match key {
            Key::ZoomIn => return self.zoom(panel, None, 1.0 / ZOOM_STEP),
            Key::ZoomOut => return self.zoom(panel, None, ZOOM_STEP),
            Key::All => return self.settings.zoom = [None; crate::axis::QUANTITY_COUNT],
            Key::Escape => {
                if let Some(dimension) = panel.dimension() {
                    self.select(dimension, None, false);
                }
                self.cursor = None;
                return;
            }
            _ => {}
        }
        let Some((columns, rows)) = self.cells_of(panel) else { return };
        if rows == 0 {
            return;
        }
        let is_scatter = panel == Panel::Scatter;
        let now = self.cursor.filter(|cursor| cursor.0 == panel).map(|cursor| cursor.1);
        let start = if is_scatter { (columns / 2, rows / 2) } else { (0, 0) };
        let (column, row) = now.unwrap_or(start);
        let step = if is_scatter { CURSOR_STEP } else { 1 };
        let is_first = now.is_none() && !matches!(key, Key::End);
        // Rows of the scatter are counted upwards, those of rankings downwards.
        let up = matches!((key, is_scatter), (Key::Up, true) | (Key::Down, false));
        let (column, row) = match key {
            _ if is_first => (column, row),
            Key::Left => (column.saturating_sub(step), row),
            Key::Right => (column + step, row),
            Key::Up | Key::Down if up => (column, row + step),
            Key::Up | Key::Down => (column, row.saturating_sub(step)),
            Key::Home => (0, if is_scatter { row } else { 0 }),
            Key::End => (columns - 1, if is_scatter { row } else { rows - 1 }),
            _ => (column, row),
        };
        // At the border the picture goes on.
        if now == Some((column.min(columns - 1), row.min(rows - 1))) {
            let by = match key {
                Key::Left => (-PAN_SHARE, 0.0),
                Key::Right => (PAN_SHARE, 0.0),
                Key::Up if is_scatter => (0.0, PAN_SHARE),
                Key::Down if is_scatter => (0.0, -PAN_SHARE),
                _ => (0.0, 0.0),
            };
            self.shift(panel, by);
        }
        let cell = (column.min(columns - 1), row.min(rows - 1));
        self.pointer = None;
        self.cursor = Some((panel, cell));
        let anchor = self.anchor.filter(|anchor| anchor.0 == panel).map(|anchor| anchor.1);
        if anchor.is_none() {
            self.history.finish();
        }
        let anchor = anchor.unwrap_or(now.unwrap_or(cell));
        self.anchor = Some((panel, anchor));
        if !extend && key != Key::Enter {
            self.anchor = None;
            self.history.finish();
            return;
        }
        let from = if key == Key::Enter { cell } else { anchor };
        self.select_cells(panel, from, cell, key == Key::Enter);
    }

    fn select_cells(
        &mut self,
        panel: Panel,
        from: (usize, usize),
        to: (usize, usize),
        is_final: bool,
    ) {
        if is_final {
            self.anchor = None;
        }
        let expr = match self.chart(panel) {
            Some(Chart::Ranking(_)) if is_final => return self.toggle_item(panel, to.1),
            Some(Chart::Binned(_)) if is_final => return self.click_bin(panel, to.0),
            Some(Chart::Binned(chart)) => {
                let range = chart.bins.range(from.0, to.0);
                range.map(|(first, last)| Expr::numbers(chart.bins.axis.quantity, first, last))
            }
            Some(Chart::Scatter(chart)) => cells_expr(chart.grid, from, to),
            _ => return,
        };
        if let (Some(expr), Some(dimension)) = (expr, panel.dimension()) {
            self.select(dimension, Some(expr), !is_final);
        }
    }
}

/// What selects the cells from one corner to another; `None` where no packet can be there.
fn cells_expr(grid: Grid, a: (usize, usize), b: (usize, usize)) -> Option<Expr> {
    let range = |bins: &Bins, a: usize, b: usize| {
        let (first, last) = bins.range(a, b)?;
        let (least, most) = bins.axis.quantity.domain();
        let (first, last) = (first.max(least), last.min(most));
        (first <= last).then(|| Expr::numbers(bins.axis.quantity, first, last))
    };
    Some(range(&grid.x, a.0, b.0)?.and(range(&grid.y, a.1, b.1)?))
}
