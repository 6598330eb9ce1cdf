//! Zooming and panning.

use super::{App, Panel};

/// The zoom factor of one wheel notch, key press or button press.
pub const ZOOM_STEP: f64 = 1.25;

impl App {
    /// Zooms around a pixel, or around the keyboard cursor; `factor` below 1 zooms in.
    pub(super) fn zoom(&mut self, panel: Panel, at: Option<(f64, f64)>, factor: f64) {
        let Some((x, y)) = self.axes(panel) else { return };
        let fixed = match (at, self.cursor_fraction(panel)) {
            (Some(at), _) => self.size(panel).fraction(at),
            (None, fraction) => fraction.unwrap_or((0.5, 0.5)),
        };
        for (axis, fixed) in [(Some(x), fixed.0), (y, fixed.1)] {
            let Some(axis) = axis else { continue };
            // Zooming out stops where most of the chart would be empty.
            let max_len = self.max_span_len(axis.quantity).unwrap_or(i64::MAX) as f64;
            let factor = factor.min((max_len / axis.span.len() as f64).max(1.0));
            self.settings.zoom[axis.quantity as usize] = Some(axis.zoomed(fixed, factor));
        }
    }

    /// Pans by a fraction of the plot.
    pub(super) fn pan(&mut self, panel: Panel, (dx, dy): (f64, f64)) {
        let Some((x, y)) = self.axes(panel) else { return };
        for (axis, by) in [(Some(x), dx), (y, dy)] {
            if let Some(axis) = axis.filter(|_| by != 0.0) {
                self.settings.zoom[axis.quantity as usize] = Some(axis.panned(by));
            }
        }
    }
}
