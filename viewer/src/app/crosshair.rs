//! The crosshair: a line at the time under the pointer, in all charts over time.

use super::charts::slots;
use super::{App, Panel};
use crate::axis::{Axis, Quantity};
use crate::layout::Maximized;
use crate::query::QueryKind;
use crate::scene::Rect;
use crate::text::axis_time;
use crate::time::Zone;

/// The charts that can have a time axis.
pub const TIME_CHARTS: [Panel; 3] = [Panel::Throughput, Panel::Scatter, Panel::Overview];

/// A vertical line in a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Crosshair {
    /// The chart.
    pub panel: Panel,
    /// The line, in CSS pixels of the chart. It has no width.
    pub rect: Rect,
    /// The time.
    pub label: String,
}

impl App {
    /// The time axis of a chart, as it is drawn; `None` if it has none.
    fn time_axis(&self, panel: Panel) -> Option<Axis> {
        let [whole, _] = slots(panel);
        let axis = match &self.scheduler.latest(whole)?.0.kind {
            QueryKind::Bins(bins) => bins.axis,
            QueryKind::Density(grid) => grid.x.axis,
            _ => return None,
        };
        (axis.quantity == self.time_quantity()).then_some(axis)
    }

    /// The time under the pointer, or at the keyboard cursor.
    fn pointed_ns(&self) -> Option<i64> {
        let (panel, fraction) = match (self.pointer, self.cursor) {
            (Some((panel, at)), _) => {
                let (x, y) = self.size(panel).fraction(at);
                (panel, if y <= 1.0 { x } else { return None }) // the legend is above
            }
            // In the overview, the cursor is on the window.
            (None, Some((panel, _))) if panel != Panel::Overview => {
                (panel, self.cursor_fraction(panel)?.0)
            }
            _ => return None,
        };
        let axis = self.time_axis(panel)?;
        (0.0..=1.0).contains(&fraction).then(|| axis.value_at(fraction))
    }

    /// The lines in the charts that show the time.
    pub(super) fn crosshairs(&self, zone: &Zone) -> Vec<Crosshair> {
        let mut lines = Vec::new();
        let Some(ts_ns) = self.pointed_ns() else { return lines };
        for panel in TIME_CHARTS {
            let is_covered = self.shown_tables[panel as usize]
                || match self.settings.layout.maximized {
                    Some(Maximized::Panel(Panel::Throughput)) => panel == Panel::Scatter,
                    Some(Maximized::Panel(maximized)) => panel != maximized,
                    Some(Maximized::Detail) => self.detail.is_some(),
                    None => false,
                };
            let Some(axis) = self.time_axis(panel) else { continue };
            let fraction = axis.fraction(ts_ns);
            if is_covered || !self.is_seen(panel) || !(0.0..=1.0).contains(&fraction) {
                continue;
            }
            let plot = self.size(panel).plot();
            let rect = Rect { x: plot.x + fraction * plot.width, width: 0.0, ..plot };
            let label = match axis.quantity {
                Quantity::Time => axis_time(ts_ns, axis.span, plot.width, zone),
                _ => axis_time(ts_ns, axis.span, plot.width, &Zone::Relative(0)),
            };
            lines.push(Crosshair { panel, rect, label });
        }
        lines
    }
}
