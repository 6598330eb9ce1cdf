//! Pointer gestures in the charts: brushes, boxes, lassos, panning and clicks.

use super::charts::Chart;
use super::choices::{contains_choice, toggled};
use super::scatter_selection::CellBox;
use super::{App, Panel};
use crate::axis::{Axis, QUANTITY_COUNT};
use crate::chart::LegendEntry;
use crate::filter::{Expr, Field, Set};
use crate::layout::Tab;
use crate::protocol::Class;
use crate::selection::Dimension;
use crate::settings::Tool;
use summary::Address;

/// A pointer that moves less than this is clicking, in pixels.
const CLICK_PX: f64 = 3.0;

/// A pressed pointer, from press to release.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gesture {
    panel: Panel,
    /// The pixel where it was pressed.
    from: (f64, f64),
    pub(super) kind: GestureKind,
    has_moved: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum GestureKind {
    /// Pans; the axes are those at the time of the press.
    Pan(Axis, Axis),
    /// Selects bins, from this one on. It is new, or an end of the selected range.
    Brush { from: usize, is_new: bool },
    /// Moves the selected bins, gripped at a bin.
    MoveBrush { selected: (usize, usize), gripped: usize },
    /// Selects a box in the scatter plot.
    Box,
    /// Moves ends of the selected box, given by its cells at the time of the press.
    MoveBox { cells: CellBox, moves: ((bool, bool), (bool, bool)) },
    /// Selects a polygon in the scatter plot, given by the pixels so far.
    Lasso(Vec<(f64, f64)>),
    /// Moves ends of the window of the overview; its position at the time of the press.
    Window { window: (f64, f64), moves: (bool, bool) },
    /// Opens another window in the overview.
    NewWindow,
    /// Clicks a legend entry; `true` selects only its class.
    Legend(Class, bool),
    /// Clicks the legend entry of problems.
    ShowProblems,
    /// Can only click.
    Click,
}

impl App {
    /// Starts a gesture. A modifier key may override the tool of the settings.
    pub(super) fn pointer_down(&mut self, panel: Panel, at: (f64, f64), tool: Option<Tool>) {
        let kind = match self.legend_at(panel, at) {
            Some((LegendEntry::Class(class), _)) => {
                GestureKind::Legend(class, tool == Some(Tool::Lasso))
            }
            Some((LegendEntry::Problems, _)) => GestureKind::ShowProblems,
            None => self.gesture_kind(panel, at, tool),
        };
        self.history.finish();
        (self.cursor, self.anchor) = (None, None);
        // Touch input does not hover first: query the packet under the finger now.
        self.pointer = Some((panel, at));
        self.gesture = Some(Gesture { panel, from: at, kind, has_moved: false });
    }

    fn gesture_kind(&self, panel: Panel, at: (f64, f64), tool: Option<Tool>) -> GestureKind {
        match (panel, self.chart(panel)) {
            (Panel::Scatter, Some(_)) => {
                let gripped = if tool.is_none() { self.grip_box(at) } else { None };
                gripped.unwrap_or_else(|| self.tool_gesture(at, tool))
            }
            (_, Some(Chart::Binned(chart))) => {
                let (size, gripped) =
                    (self.size(panel), chart.bin_at(self.size(panel).fraction(at).0));
                match chart.grip(size, at.0) {
                    Some((selected, (true, true))) => GestureKind::MoveBrush { selected, gripped },
                    Some(((first, _), (false, true))) => {
                        GestureKind::Brush { from: first, is_new: false }
                    }
                    Some(((_, last), (true, false))) => {
                        GestureKind::Brush { from: last, is_new: false }
                    }
                    _ => GestureKind::Brush { from: gripped, is_new: true },
                }
            }
            (Panel::Overview, _) => self.grip_window(at).unwrap_or(GestureKind::Click),
            _ => GestureKind::Click,
        }
    }

    /// The gesture of a tool in the scatter plot.
    fn tool_gesture(&self, at: (f64, f64), tool: Option<Tool>) -> GestureKind {
        match tool.unwrap_or(self.settings.tool) {
            Tool::Box => GestureKind::Box,
            Tool::Lasso => GestureKind::Lasso(vec![at]),
            Tool::Pan => match self.axes(Panel::Scatter) {
                Some((x, Some(y))) => GestureKind::Pan(x, y),
                _ => GestureKind::Click,
            },
        }
    }

    /// Continues the gesture, or hovers.
    pub(super) fn pointer_move(&mut self, panel: Panel, at: (f64, f64)) {
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
                GestureKind::Pan(x, y) => {
                    let (x, y) = (*x, *y);
                    self.pan_axis(x, -dx / plot.width);
                    self.pan_axis(y, dy / plot.height);
                }
                GestureKind::Brush { from, .. } => self.brush_to(gesture.panel, *from, at),
                GestureKind::MoveBrush { selected, gripped } => {
                    self.move_brush(gesture.panel, *selected, *gripped, at);
                }
                GestureKind::Box => {
                    if let Some(expr) = self.box_expr(gesture.from, at) {
                        self.select(Dimension::Scatter, Some(expr), true);
                    }
                }
                GestureKind::MoveBox { cells, moves } => {
                    self.drag_box(*cells, *moves, gesture.from, at);
                }
                GestureKind::Lasso(points) => points.push(at),
                GestureKind::Window { .. } | GestureKind::NewWindow => {
                    self.drag_window(&gesture.kind, gesture.from, at);
                }
                GestureKind::Legend(..) | GestureKind::ShowProblems | GestureKind::Click => {}
            }
        }
        self.gesture = Some(gesture);
    }

    /// Completes the gesture.
    pub(super) fn pointer_up(&mut self) {
        let Some(gesture) = self.gesture.take() else { return };
        let Gesture { panel, from, kind, has_moved } = gesture;
        match kind {
            GestureKind::Brush { from: bin, is_new: true }
            | GestureKind::MoveBrush { gripped: bin, .. }
                if !has_moved =>
            {
                self.toggle_bin(panel, bin);
            }
            GestureKind::Brush { is_new: false, .. } => {}
            GestureKind::Lasso(points) if has_moved => {
                if let Some(expr) = self.lasso_expr(&points) {
                    self.select(Dimension::Scatter, Some(expr), false);
                }
            }
            GestureKind::NewWindow if !has_moved => self.center_window(from),
            GestureKind::Window { .. } => {}
            _ if has_moved => {}
            GestureKind::Legend(class, true) => self.toggle_class(panel, class, true),
            GestureKind::Legend(class, false) => self.click_class(panel, class),
            GestureKind::ShowProblems => self.settings.layout.tab = Tab::Problems,
            _ if panel == Panel::Scatter => self.pending_click = self.pointed_cell(),
            _ => self.toggle_item_at(panel, from),
        }
        self.history.finish();
    }

    /// Ends the gesture, and restores the state before it, including the steps to redo.
    pub(super) fn cancel_gesture(&mut self) {
        self.gesture = None;
        if self.history.abort() {
            self.restore_state();
        }
    }

    /// Returns true from the press of a pointer in a chart to its release.
    pub fn has_gesture(&self) -> bool {
        self.gesture.is_some()
    }

    /// Selects only the class of the legend entry at a pixel, or resets the zoom.
    pub(super) fn double_click(&mut self, panel: Panel, at: (f64, f64)) {
        let entry = self.legend_at(panel, at).map(|(entry, _)| entry);
        if let Some(LegendEntry::Class(class)) = entry {
            self.double_click_class(panel, class);
        } else if entry.is_none()
            && matches!(panel, Panel::Throughput | Panel::Scatter | Panel::Overview)
        {
            self.history.finish();
            self.settings.zoom = [None; QUANTITY_COUNT];
        }
    }

    /// Moves the selected bins as far as the pointer has moved from the gripped one, inside the chart.
    fn move_brush(
        &mut self,
        panel: Panel,
        selected: (usize, usize),
        gripped: usize,
        at: (f64, f64),
    ) {
        let x = self.size(panel).fraction(at).0;
        let Some(Chart::Binned(chart)) = self.chart(panel) else { return };
        let (first, last) = selected;
        // The distance to the right, plus that from the first bin, is at least 0.
        let shifted = (first + chart.bin_at(x)).saturating_sub(gripped);
        let first = shifted.min(chart.bins.count - 1 - (last - first));
        self.select_bins(panel, first, first + last - selected.0);
    }

    /// Selects a range of bins, as part of an unfinished step.
    pub(super) fn select_bins(&mut self, panel: Panel, from: usize, to: usize) {
        let (Some(Chart::Binned(chart)), Some(dimension)) = (self.chart(panel), panel.dimension())
        else {
            return;
        };
        let Some((first, last)) = chart.bins.range(from, to) else { return };
        let expr = Expr::numbers(chart.bins.axis.quantity, first, last);
        self.select(dimension, Some(expr), true);
    }

    fn brush_to(&mut self, panel: Panel, from: usize, at: (f64, f64)) {
        let x = self.size(panel).fraction(at).0;
        if let Some(Chart::Binned(chart)) = self.chart(panel) {
            let to = chart.bin_at(x);
            self.select_bins(panel, from, to);
        }
    }

    /// Selects a bin, or clears the selection if it contains the bin.
    pub(super) fn toggle_bin(&mut self, panel: Panel, bin: usize) {
        let (Some(Chart::Binned(chart)), Some(dimension)) = (self.chart(panel), panel.dimension())
        else {
            return;
        };
        let Some((first, last)) = chart.bins.range(bin, bin) else { return };
        let is_selected = chart.brush.is_some_and(|(from, to)| from <= first && last <= to);
        let expr = Expr::numbers(chart.bins.axis.quantity, first, last);
        self.select(dimension, (!is_selected).then_some(expr), false);
    }

    fn toggle_item_at(&mut self, panel: Panel, at: (f64, f64)) {
        if let Some(index) = self.item_at(panel, at.1) {
            self.toggle_item(panel, index);
        }
    }

    /// The item of a ranking at a pixel of its canvas.
    pub(super) fn item_at(&self, panel: Panel, y_px: f64) -> Option<usize> {
        let Some(Chart::Ranking(chart)) = self.chart(panel) else { return None };
        chart.item_at(self.size(panel), y_px)
    }

    /// Selects or deselects an item of a ranking.
    pub(super) fn toggle_item(&mut self, panel: Panel, index: usize) {
        if let (Some(choice), Some(dimension)) = (self.item_expr(panel, index), panel.dimension()) {
            let choices = toggled(self.history.now().get(dimension), choice);
            self.select(dimension, choices, false);
        }
    }

    /// Selects or deselects a conversation, given by its index among the visible rows.
    fn toggle_conversation(&mut self, index: usize) {
        if let Some(conversation) = self.conversations.visible().get(index) {
            self.toggle_choice(self.flows.expr(conversation.pair));
        }
    }

    /// Shows the packet of a row, or selects or deselects what the row is about.
    pub(super) fn activate_row(&mut self, table: Panel, index: usize) {
        match table {
            Panel::Packets => self.show_packet_of_row(index),
            Panel::Endpoints => self.toggle_endpoint(index),
            Panel::Problems => self.toggle_problem(index),
            _ => self.toggle_conversation(index),
        }
    }

    /// Selects or deselects the packets that a cell counts. Other cells activate their row.
    pub(super) fn activate_cell(&mut self, table: Panel, row: usize, column: usize) {
        let counts_packets = table == Panel::Conversations;
        match counts_packets.then(|| self.counted_packets(row, column)).flatten() {
            Some(packets) => self.toggle_choice(packets),
            None => self.activate_row(table, row),
        }
    }

    /// Selects or deselects an endpoint, given by its index among the visible rows.
    fn toggle_endpoint(&mut self, index: usize) {
        if let Some(endpoint) = self.endpoints.visible().get(index) {
            self.toggle_choice(endpoint_expr(endpoint.address));
        }
    }

    fn toggle_choice(&mut self, choice: Expr) {
        let choices = toggled(self.history.now().get(Dimension::Conversation), choice);
        self.select(Dimension::Conversation, choices, false);
    }

    /// Returns true if a conversation or an endpoint is selected.
    pub(super) fn is_selected(&self, choice: &Expr) -> bool {
        let choices = self.history.now().get(Dimension::Conversation);
        choices.is_some_and(|choices| contains_choice(choices, choice))
    }
}

/// The expression that selects an endpoint.
pub(super) fn endpoint_expr(address: Address) -> Expr {
    Expr::In(Field::Host, Set::Addresses(vec![(address, address)]))
}
