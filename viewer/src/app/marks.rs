//! Marks of packets with problems in the charts over time and in the scatter plot.

use super::charts::{density, tallies};
use super::query_scheduler::{Request, Slot};
use super::{App, Panel};
use crate::axis::Bins;
use crate::density::{Density, Grid};
use crate::filter::{Context, parse};
use crate::query::{Query, QueryKind};
use crate::selection::{Dimension, Selection};
use crate::tally::Tally;

/// The answer with the marks of a chart; `None` if it has no marks.
pub(super) fn marks_slot(panel: Panel) -> Option<Slot> {
    match panel {
        Panel::Throughput => Some(Slot::RateMarks),
        Panel::Scatter => Some(Slot::ScatterMarks),
        _ => None,
    }
}

impl App {
    /// Whether a chart marks packets with problems.
    pub(super) fn has_marks(&self, panel: Panel) -> bool {
        self.is_analyzed() && self.has_data() && marks_slot(panel).is_some()
    }

    /// The selection, with the packets that are marked: those of all kinds of problems.
    pub(super) fn marked_selection(&self) -> Selection {
        let mut selection = self.history.now().clone();
        if self.is_analyzed() {
            let slow_us = u64::from(self.settings.slow_ms) * 1_000;
            let filter = format!(
                "rtx or ooo or dup_ack or zero_window or window_full or handshake_us >= {slow_us} or flags has R or dns_rcode != NOERROR or dns_time_us >= {slow_us} or unseen"
            );
            selection.set(Dimension::Marked, parse(&filter, &Context::canonical()).ok().flatten());
        }
        selection
    }

    /// The request for the marks of a chart that shows this.
    pub(super) fn marks_request(&self, panel: Panel, kind: Option<QueryKind>) -> Option<Request> {
        let dimensions = self.dimensions_except(panel.dimension()).unwrap_or_default();
        let query = Query { kind: kind?, dimensions: dimensions.with(Dimension::Marked) };
        let slot = marks_slot(panel).filter(|_| self.has_marks(panel))?;
        Some(Request { slot, query, is_seen: self.is_seen(panel) })
    }

    /// The packets with problems in these bins, once they have been counted.
    pub(super) fn marked_bins(&self, bins: Bins) -> Option<&[Tally]> {
        let counted = tallies(self.scheduler.latest(Slot::RateMarks));
        counted.filter(|counted| self.is_analyzed() && counted.0 == bins).map(|counted| counted.1)
    }

    /// The packets with problems in the cells of this grid, once they have been counted.
    pub(super) fn marked_cells(&self, grid: Grid) -> Option<&Density> {
        let counted = density(self.scheduler.latest(Slot::ScatterMarks));
        counted.filter(|counted| self.is_analyzed() && counted.0 == grid).map(|counted| counted.1)
    }
}
