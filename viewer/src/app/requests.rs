//! Which answers the panels need: the axes, bins and grid of each chart.

use super::charts::slots;
use super::lines::LINE_SLOTS;
use super::query_scheduler::{Request, Slot};
use super::{App, Panel};
use crate::axis::{Axis, Bins, Quantity, Scale, Span};
use crate::chart::{Size, grid_of};
use crate::density::Grid;
use crate::query::{Query, QueryKind};
use crate::selection::{Dimension, DimensionSet};
use crate::time::{duration, time_step};

/// The number of bins of the inter-arrival times.
const GAP_BINS: usize = 60;
/// The largest number of throughput bins, more than a screen has pixels.
const MAX_RATE_BINS: i64 = 10_000;
/// The shortest automatic bin of the throughput chart.
const MIN_RATE_BIN_NS: i64 = 1_000;
/// The preferred width of a throughput bin.
const RATE_BIN_PX: f64 = 4.0;
/// The largest number of packets for which conversations are requested before something needs them.
const MAX_EAGER_PACKETS: u64 = 100_000;

impl App {
    /// The full range of a quantity, with a margin above measured values.
    pub(super) fn full_span(&self, quantity: Quantity) -> Option<Span> {
        let extent = self.drawn_totals.extent?;
        Some(match quantity {
            Quantity::Number => self.with_margin(Span::closed(extent.n)),
            Quantity::Time => self.with_margin(Span::closed(extent.ts_ns)),
            Quantity::Elapsed => self.with_margin(Span::closed((0, self.files.longest_ns()))),
            Quantity::Size => Span::new(0, extent.len.1 + extent.len.1 / 30 + 2),
            Quantity::SourcePort | Quantity::DestinationPort => Span::new(0, 65_536),
            Quantity::Ttl => Span::new(0, 256),
            Quantity::Gap => {
                let (min, max) = extent.gap_ns.unwrap_or((0, 0));
                Span::new(min.min(0), max.saturating_add(max / 30 + 2))
            }
        })
    }

    /// A range that grows with the followed source, or is final. The end of a growing one is rounded up: with
    /// each other range, all packets of a scatter plot have to be counted again.
    fn with_margin(&self, span: Span) -> Span {
        /// The margin is at most about this part of the range.
        const MARGIN_DIVISOR: u64 = 32;
        if !self.is_following() {
            return span;
        }
        let step = (span.len().unsigned_abs().next_power_of_two() / MARGIN_DIVISOR).max(1);
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let end = span.end.checked_add(step - 1).map_or(span.end, |end| end - end.rem_euclid(step));
        Span::new(span.start, end)
    }

    /// The visible range of a quantity: its zoom, or the full range. The zoom of a link can lie outside
    /// of the data.
    pub(super) fn visible_span(&self, quantity: Quantity) -> Option<Span> {
        let full = self.full_span(quantity)?;
        let zoom = self.settings.zoom[quantity as usize].and_then(|zoom| zoom.intersection(full));
        Some(zoom.unwrap_or(full))
    }

    /// The quantity of time axes.
    pub(super) fn time_quantity(&self) -> Quantity {
        let is_aligned = self.settings.is_aligned && self.has_several_files();
        if is_aligned { Quantity::Elapsed } else { Quantity::Time }
    }

    /// Returns true if more than one file is open.
    pub(super) fn has_several_files(&self) -> bool {
        1 < self.files.files.len()
    }

    /// The axes of a chart that can be zoomed.
    pub(super) fn axes(&self, panel: Panel) -> Option<(Axis, Option<Axis>)> {
        let axis = |quantity, scale| {
            self.visible_span(quantity).map(|span| Axis { quantity, scale, span })
        };
        let settings = &self.settings;
        match panel {
            Panel::Throughput => Some((axis(self.time_quantity(), Scale::Linear)?, None)),
            Panel::Scatter => {
                let y = axis(settings.y, settings.y_scale)?;
                let is_time = settings.x == Quantity::Time;
                let x = if is_time { self.time_quantity() } else { settings.x };
                Some((axis(x, Scale::Linear)?, Some(y)))
            }
            _ => None,
        }
    }

    /// The bin width of the throughput chart in nanoseconds, and its bins. A width that would make too
    /// many bins is replaced by the automatic one.
    fn rate_bins(&self) -> Option<(i64, Bins)> {
        let quantity = self.time_quantity();
        let span = self.visible_span(quantity)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few hundred"
        )]
        let target = (self.size(Panel::Throughput).plot().width / RATE_BIN_PX).max(2.0) as usize;
        let auto = time_step(span.len(), target).max(MIN_RATE_BIN_NS);
        let min_step = span.len() / MAX_RATE_BINS + 1;
        let step = match self.settings.interval_ns {
            Some(step) if min_step <= step => step,
            Some(_) | None => auto,
        };
        // Bins begin at round times of the zone.
        let shift_ns = match quantity {
            Quantity::Time => self.zone().shift_ns(span.start),
            _ => 0,
        };
        let zoned = i128::from(span.start) + i128::from(shift_ns);
        let distance = i64::try_from(zoned.rem_euclid(i128::from(step))).unwrap_or(0);
        let start = span.start.saturating_sub(distance);
        let count = (i128::from(span.end) - i128::from(start) - 1).div_euclid(i128::from(step)) + 1;
        let count = usize::try_from(count).ok()?.clamp(1, Bins::MAX_COUNT);
        // The range may be longer than `i64::MAX`.
        let len = (count as u64).saturating_mul(step.unsigned_abs());
        let span = Span::new(start, start.saturating_add_unsigned(len));
        let axis = Axis { quantity, scale: Scale::Linear, span };
        Some((step, Bins { axis, count, is_closed: false }))
    }

    /// The bin width of the throughput chart, with a note if it differs from the setting.
    pub(super) fn bin_width_text(&self) -> String {
        let Some((step, _)) = self.rate_bins() else { return String::new() };
        if self.time_coverage().is_none() {
            return "All packets have the same time: no rate".to_owned();
        }
        match self.settings.interval_ns {
            Some(chosen) if chosen != step => {
                format!("{} ({} needs a closer zoom)", duration(step), duration(chosen))
            }
            _ => duration(step),
        }
    }

    fn size_bins(&self) -> Option<Bins> {
        let span = Span::closed(self.drawn_totals.extent?.len);
        let axis = Axis { quantity: Quantity::Size, scale: Scale::Linear, span };
        Some(Bins { axis, count: self.settings.bins, is_closed: true })
    }

    fn gap_bins(&self) -> Option<Bins> {
        let (min, max) = self.drawn_totals.extent?.gap_ns?;
        let span = if min == max {
            // A single value is one bar among others, not the whole plot.
            let margin = min.saturating_abs() / 2 + 5;
            let start = min.saturating_sub(margin);
            Span::new(if min < 0 { start } else { start.max(0) }, max.saturating_add(margin))
        } else {
            Span::closed((min, max))
        };
        let count = usize::try_from(span.len()).map_or(GAP_BINS, |len| len.min(GAP_BINS));
        let axis = Axis { quantity: Quantity::Gap, scale: Scale::Log, span };
        Some(Bins { axis, count, is_closed: true })
    }

    fn grid(&self) -> Option<Grid> {
        let (x, y) = self.axes(Panel::Scatter)?;
        let (y, size) = (y?, self.size(Panel::Scatter));
        (size != Size::default()).then(|| grid_of(x, y, size, self.drawn_totals.packets))
    }

    /// Whether conversations are requested before something needs them.
    pub(super) fn is_small(&self) -> bool {
        self.drawn_totals.packets <= MAX_EAGER_PACKETS
    }

    /// All answers that the panels need now.
    pub(super) fn requests(&mut self) -> Vec<Request> {
        let mut requests = Vec::new();
        if self.drawn_totals.extent.is_none() {
            return requests;
        }
        let mut add = |slot, kind: &QueryKind, dimensions, is_seen| {
            let query = Query { kind: kind.clone(), dimensions };
            requests.push(Request { slot, query, is_seen });
        };
        let mut add_chart = |panel: Panel, kind: Option<QueryKind>| {
            let Some(kind) = kind else { return };
            let ([whole, part], is_seen) = (slots(panel), self.is_seen(panel));
            add(whole, &kind, DimensionSet::EMPTY, is_seen);
            if part != whole
                && let Some(dimensions) = self.dimensions_except(panel.dimension())
            {
                add(part, &kind, dimensions, is_seen);
            }
        };
        let rates = self.rate_bins().map(|(_, bins)| QueryKind::Bins(bins));
        add_chart(Panel::Throughput, rates.clone());
        let cells = self.grid().map(QueryKind::Density);
        add_chart(Panel::Scatter, cells.clone());
        add_chart(Panel::Sizes, self.size_bins().map(QueryKind::Bins));
        add_chart(Panel::Gaps, self.gap_bins().map(QueryKind::Bins));
        add_chart(Panel::Ports, Some(QueryKind::Ports));
        add_chart(Panel::Sources, Some(QueryKind::Sources));
        add_chart(Panel::Destinations, Some(QueryKind::Destinations));
        add_chart(Panel::Overview, self.overview_bins().map(QueryKind::Bins));
        add_chart(Panel::Protocols, Some(QueryKind::Protocols));
        let marks = [(Panel::Throughput, rates.clone()), (Panel::Scatter, cells)];
        let marks = marks.map(|(panel, kind)| self.marks_request(panel, kind));
        if let Some(kind) = rates {
            let selected =
                self.dimensions_except(Panel::Throughput.dimension()).unwrap_or_default();
            for (line, slot) in Dimension::LINES.into_iter().zip(LINE_SLOTS) {
                if self.history.now().get(line).is_some() {
                    add(slot, &kind, selected.with(line), self.is_seen(Panel::Throughput));
                }
            }
        }
        let dimensions =
            self.dimensions_except(Panel::Conversations.dimension()).unwrap_or_default();
        let [is_seen, has_endpoints] =
            [Panel::Conversations, Panel::Endpoints].map(|panel| self.is_seen(panel));
        // Many conversations take much memory. In large captures they wait until something needs them.
        if has_endpoints || self.needs_conversations(self.is_small()) {
            // The totals of endpoints do not need the ports.
            let by_ports = self.settings.by_ports && (is_seen || !has_endpoints);
            let kind = if by_ports { QueryKind::Connections } else { QueryKind::Conversations };
            add(Slot::Conversations, &kind, dimensions, is_seen || has_endpoints);
        }
        if let Some(dimensions) = self.dimensions_except(None) {
            add(Slot::Total, &QueryKind::Total, dimensions, true);
        }
        if let Some((grid, cell)) = self.pending_click.or_else(|| self.pointed_cell()) {
            add(Slot::Nearest, &QueryKind::Nearest { grid, cell }, DimensionSet::EMPTY, true);
        }
        let dimensions = self.dimensions_except(None).unwrap_or_default();
        if 0 < self.packets.visible_rows
            && let Some(extent) = self.drawn_totals.extent
        {
            let files = self.files.files.len();
            let (slot, query) =
                self.packets.next_query(&self.scheduler, dimensions, files, extent.ts_ns);
            self.show_stepped_packet(slot, &query);
            let is_seen = self.is_seen(Panel::Packets) || self.pending_rank.is_some();
            requests.push(Request { slot, query, is_seen });
        }
        requests.extend(marks.into_iter().flatten());
        requests.extend(self.problem_requests());
        if let Some(query) = self.detail_rank_query() {
            requests.push(Request { slot: Slot::DetailRank, query, is_seen: true });
        }
        requests
    }
}
