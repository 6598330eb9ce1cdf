//! Zooming and panning, inside the range of the data.

use super::{App, Panel};
use crate::axis::{Axis, Quantity, Span};
use crate::filter::{Expr, Field, Set};

/// The zoom factor of one wheel notch, key press or button press.
pub const ZOOM_STEP: f64 = 1.25;

impl App {
    /// Zooms around a pixel, or around the keyboard cursor; `factor` below 1 zooms in.
    pub(super) fn zoom(&mut self, panel: Panel, at: Option<(f64, f64)>, factor: f64) {
        // The overview zooms the throughput chart, around its centre.
        let (panel, at) =
            if panel == Panel::Overview { (Panel::Throughput, None) } else { (panel, at) };
        let Some((x, y)) = self.axes(panel) else { return };
        let fixed = match (at, self.cursor_fraction(panel)) {
            (Some(at), _) => self.size(panel).fraction(at),
            (None, fraction) => fraction.unwrap_or((0.5, 0.5)),
        };
        for (axis, fixed) in [(Some(x), fixed.0), (y, fixed.1)] {
            if let Some(axis) = axis {
                self.set_zoom(axis.quantity, axis.zoomed(fixed, factor));
            }
        }
    }

    /// Pans by a fraction of the plot.
    pub(super) fn pan(&mut self, panel: Panel, (dx, dy): (f64, f64)) {
        let panel = if panel == Panel::Overview { Panel::Throughput } else { panel };
        let Some((x, y)) = self.axes(panel) else { return };
        for (axis, by) in [(Some(x), dx), (y, dy)] {
            if let Some(axis) = axis.filter(|_| by != 0.0) {
                self.pan_axis(axis, by);
            }
        }
    }

    /// Pans an axis by a fraction of its length.
    pub(super) fn pan_axis(&mut self, axis: Axis, by: f64) {
        if let Some(full) = self.full_span(axis.quantity) {
            self.set_zoom(axis.quantity, axis.panned(by, full));
        }
    }

    /// Zooms a quantity to a span, limited to the range of the data. The full range resets the zoom.
    pub(super) fn set_zoom(&mut self, quantity: Quantity, span: Span) {
        let zoom = match self.full_span(quantity) {
            Some(full) => span.intersection(full).filter(|span| *span != full),
            None => Some(span),
        };
        self.settings.zoom[quantity as usize] = zoom;
    }

    /// The selected ranges of the axes in sight, to which the charts can zoom.
    pub(super) fn selected_spans(&self) -> Vec<(Quantity, Span)> {
        let charts = [Panel::Throughput, Panel::Scatter].into_iter();
        let axes = charts.filter(|panel| self.is_seen(*panel)).filter_map(|panel| self.axes(panel));
        let visible: Vec<_> = axes.flat_map(|(x, y)| std::iter::once(x).chain(y)).collect();
        let mut spans = Vec::new();
        for (_, expr) in self.history.now().selecting() {
            add_spans(expr, &mut spans);
        }
        spans.retain(|(quantity, _)| visible.iter().any(|axis| axis.quantity == *quantity));
        spans
    }
}

/// Adds the ranges that an expression selects. Ranges of the same quantity are intersected.
fn add_spans(expr: &Expr, spans: &mut Vec<(Quantity, Span)>) {
    match expr {
        Expr::And(all) => all.iter().for_each(|expr| add_spans(expr, spans)),
        Expr::In(Field::Quantity(quantity), Set::Numbers(ranges)) => {
            let [range] = ranges[..] else { return };
            let span = Span::closed(range);
            match spans.iter_mut().find(|(other, _)| other == quantity) {
                Some((_, other)) => *other = other.intersection(span).unwrap_or(span),
                None => spans.push((*quantity, span)),
            }
        }
        _ => {}
    }
}
