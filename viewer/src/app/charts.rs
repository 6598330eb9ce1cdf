//! The charts as the state has them: what is cut into which cells, and what is known of it.

use super::query_scheduler::{Request, Slot};
use super::{App, Panel};
use crate::axis::{Axis, Bins, Quantity, Scale, Span};
use crate::chart::{Bars, Binned, Look, Measure, Ranking, Scatter, Size, Table, grid_of};
use crate::density::{Density, Grid};
use crate::filter::{Expr, Field, Set};
use crate::query::{Answer, Query, QueryKind};
use crate::scene::Scene;
use crate::selection::{Dimension, DimensionSet};
use crate::settings::ZoneName;
use crate::tally::Tally;
use crate::time::{Zone, time_step};

/// Bins of the gaps.
const GAP_BINS: usize = 60;
/// Most bins of throughput: more than a screen has pixels.
const MAX_RATE_BINS: i64 = 10_000;
/// Least length of a bin of throughput: a packet has some on any wire.
const MIN_RATE_BIN_NS: i64 = 1_000;
/// Width of a bin of throughput that is aimed at, in pixels.
const RATE_BIN_PX: f64 = 4.0;

/// Packets up to which conversations are requested before their table is visible.
const MAX_EAGER_PACKETS: u64 = 100_000;

/// A chart, ready to be drawn and asked.
#[derive(Debug)]
pub(super) enum Chart<'a> {
    Binned(Binned<'a>),
    Scatter(Scatter<'a>),
    Ranking(Ranking<'a>),
}

impl Chart<'_> {
    pub(super) fn scene(&self, look: Look<'_>) -> Scene {
        match self {
            Self::Binned(chart) => chart.scene(look),
            Self::Scatter(chart) => chart.scene(look),
            Self::Ranking(chart) => chart.scene(look),
        }
    }

    pub(super) fn words(&self, zone: &Zone) -> String {
        match self {
            Self::Binned(chart) => chart.words(zone),
            Self::Scatter(chart) => chart.words(zone),
            Self::Ranking(chart) => chart.words(),
        }
    }

    pub(super) fn words_of(&self, cell: (usize, usize), zone: &Zone) -> Vec<String> {
        match self {
            Self::Binned(chart) => chart.words_of(cell.0, zone),
            Self::Scatter(chart) => chart.words_of(cell, zone),
            Self::Ranking(chart) => chart.words_of(cell.1),
        }
    }

    pub(super) fn table(&self, zone: &Zone) -> Table {
        match self {
            Self::Binned(chart) => chart.table(zone),
            Self::Scatter(chart) => chart.table(zone),
            Self::Ranking(chart) => chart.table(),
        }
    }

    /// What is saved: of the scatter, cell by cell.
    pub(super) fn csv(&self, zone: &Zone) -> String {
        match self {
            Self::Scatter(chart) => chart.cells(zone).csv(),
            chart => chart.table(zone).csv(),
        }
    }
}

/// Bins and what is in them, of a query and its answer.
fn tallies<'a>(known: Option<(&'a Query, &'a Answer)>) -> Option<(Bins, &'a [Tally])> {
    match known? {
        (Query { kind: QueryKind::Bins(bins), .. }, Answer::Bins(tallies)) => {
            Some((*bins, tallies))
        }
        _ => None,
    }
}

fn counts<'a>(known: Option<(&'a Query, &'a Answer)>) -> Option<(Grid, &'a Density)> {
    match known? {
        (Query { kind: QueryKind::Density(grid), .. }, Answer::Density(density)) => {
            Some((*grid, density))
        }
        _ => None,
    }
}

impl App {
    /// By which clock times are told.
    pub fn zone(&self) -> Zone {
        match self.settings.zone {
            ZoneName::Utc => Zone::Utc,
            ZoneName::Local => Zone::Local(self.offsets.clone()),
            ZoneName::Start => {
                Zone::Relative(self.pictured.extent.map_or(0, |extent| extent.ts_ns.0))
            }
        }
    }

    /// All of a value that there is.
    fn home(&self, value: Quantity) -> Option<Span> {
        let extent = self.pictured.extent?;
        Some(match value {
            Quantity::Number => Span::closed(extent.n),
            Quantity::Time => Span::closed(extent.ts_ns),
            // A little room above.
            Quantity::Size => Span::new(0, extent.len.1 + extent.len.1 / 30 + 2),
            Quantity::SourcePort | Quantity::DestinationPort => Span::new(0, 65_536),
            Quantity::Ttl => Span::new(0, 256),
            Quantity::Gap => {
                let (least, most) = extent.gap_ns.unwrap_or((0, 0));
                Span::new(least.min(0), most.saturating_add(most / 30 + 2))
            }
        })
    }

    /// What is shown of a value.
    pub(super) fn shown(&self, value: Quantity) -> Option<Span> {
        self.settings.zoom[value as usize].or_else(|| self.home(value))
    }

    /// Everything that can be shown of a value, and some room around it.
    pub(super) fn widest(&self, value: Quantity) -> Option<i64> {
        Some(self.home(value)?.len().saturating_mul(4))
    }

    /// The axes of a chart in which one can move.
    pub(super) fn axes(&self, panel: Panel) -> Option<(Axis, Option<Axis>)> {
        let axis =
            |quantity, scale| self.shown(quantity).map(|span| Axis { quantity, scale, span });
        let settings = &self.settings;
        match panel {
            Panel::Throughput => Some((axis(Quantity::Time, Scale::Linear)?, None)),
            Panel::Scatter => {
                let y = axis(settings.y, settings.y_scale)?;
                Some((axis(settings.x, Scale::Linear)?, Some(y)))
            }
            _ => None,
        }
    }

    /// The nanoseconds of a bin of throughput, and the bins.
    fn rate_bins(&self) -> Option<(i64, Bins)> {
        let span = self.shown(Quantity::Time)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few hundred"
        )]
        let target = (self.size(Panel::Throughput).plot().width / RATE_BIN_PX).max(2.0) as usize;
        let auto = time_step(span.len(), target).max(MIN_RATE_BIN_NS);
        let least = span.len() / MAX_RATE_BINS + 1;
        let step = match self.settings.interval_ns {
            Some(step) if least <= step => step,
            Some(_) | None => auto,
        };
        let start = span.start.saturating_sub(span.start.rem_euclid(step));
        let count = (i128::from(span.end) - i128::from(start) - 1).div_euclid(i128::from(step)) + 1;
        let count = usize::try_from(count).ok()?.clamp(1, Bins::MAX_COUNT);
        let len = i64::try_from(count).ok()?.saturating_mul(step);
        let span = Span::new(start, start.saturating_add(len));
        let axis = Axis { quantity: Quantity::Time, scale: Scale::Linear, span };
        Some((step, Bins { axis, count, is_closed: false }))
    }

    /// The interval of throughput in words.
    pub(super) fn interval_words(&self) -> String {
        let Some((step, _)) = self.rate_bins() else { return String::new() };
        let words = crate::text::duration(step);
        match self.settings.interval_ns {
            Some(wished) if wished != step => {
                format!("{words}: {} is too fine for this zoom", crate::text::duration(wished))
            }
            _ => words,
        }
    }

    fn size_bins(&self) -> Option<Bins> {
        let span = Span::closed(self.pictured.extent?.len);
        let axis = Axis { quantity: Quantity::Size, scale: Scale::Linear, span };
        Some(Bins { axis, count: self.settings.bins, is_closed: true })
    }

    fn gap_bins(&self) -> Option<Bins> {
        let span = Span::closed(self.pictured.extent?.gap_ns?);
        let axis = Axis { quantity: Quantity::Gap, scale: Scale::Log, span };
        Some(Bins { axis, count: GAP_BINS, is_closed: true })
    }

    fn grid(&self) -> Option<Grid> {
        let (x, y) = self.axes(Panel::Scatter)?;
        let (y, size) = (y?, self.size(Panel::Scatter));
        (size != Size::default()).then(|| grid_of(x, y, size, self.pictured.packets))
    }

    /// Which packets a view shows as selected: those of all dimensions but its own. `None` where
    /// that is everything.
    pub(super) fn dimensions_except(&self, own: Option<Dimension>) -> Option<DimensionSet> {
        let dimensions = self.history.now().dimensions();
        let dimensions = own.map_or(dimensions, |own| dimensions.without(own));
        (dimensions != DimensionSet::EMPTY).then_some(dimensions)
    }

    /// All answers that the views want.
    pub(super) fn requests(&mut self) -> Vec<Request> {
        let mut requests = Vec::new();
        if self.pictured.extent.is_none() {
            return requests;
        }
        let mut add = |slot, kind: &QueryKind, dimensions, is_seen| {
            let query = Query { kind: kind.clone(), dimensions };
            requests.push(Request { slot, query, is_seen });
        };
        let mut both = |panel: Panel, kind: Option<QueryKind>| {
            let Some(kind) = kind else { return };
            let ([whole, part], is_seen) = (slots(panel), self.is_seen(panel));
            add(whole, &kind, DimensionSet::EMPTY, is_seen);
            if let Some(dimensions) = self.dimensions_except(panel.dimension()) {
                add(part, &kind, dimensions, is_seen);
            }
        };
        both(Panel::Throughput, self.rate_bins().map(|(_, bins)| QueryKind::Bins(bins)));
        both(Panel::Scatter, self.grid().map(QueryKind::Density));
        both(Panel::Sizes, self.size_bins().map(QueryKind::Bins));
        both(Panel::Gaps, self.gap_bins().map(QueryKind::Bins));
        both(Panel::Ports, Some(QueryKind::Ports));
        both(Panel::Sources, Some(QueryKind::Sources));
        both(Panel::Destinations, Some(QueryKind::Destinations));
        both(Panel::Protocols, Some(QueryKind::Protocols));
        let dimensions =
            self.dimensions_except(Panel::Conversations.dimension()).unwrap_or_default();
        // Many conversations take much memory. In large captures they are requested only while their
        // table is visible.
        let is_seen = self.is_seen(Panel::Conversations);
        if is_seen || self.pictured.packets <= MAX_EAGER_PACKETS {
            add(Slot::Conversations, &QueryKind::Conversations, dimensions, is_seen);
        }
        if let Some(dimensions) = self.dimensions_except(None) {
            add(Slot::Total, &QueryKind::Total, dimensions, true);
        }
        if let Some((grid, cell)) = self.awaited_pick.or_else(|| self.pointed_cell()) {
            add(Slot::Nearest, &QueryKind::Nearest { grid, cell }, DimensionSet::EMPTY, true);
        }
        let dimensions = self.dimensions_except(None).unwrap_or_default();
        if 0 < self.packets.room
            && let Some(extent) = self.pictured.extent
        {
            let files = self.files.files.len();
            let (slot, query) =
                self.packets.request(&self.scheduler, dimensions, files, extent.ts_ns);
            let is_seen = self.is_seen(Panel::Packets);
            requests.push(Request { slot, query, is_seen });
        }
        requests
    }

    /// The cell of the drawn scatter under the pointer or the keyboard's cursor.
    pub(super) fn pointed_cell(&self) -> Option<(Grid, (usize, usize))> {
        let (grid, _) = counts(self.scheduler.latest(Slot::ScatterWhole))?;
        if let Some((Panel::Scatter, at)) = self.pointer {
            return Some((grid, self.size(Panel::Scatter).cell_at(&grid, at)?));
        }
        let (panel, cell) = self.cursor?;
        (panel == Panel::Scatter).then_some((grid, cell))
    }

    /// The chart of a panel, where its data is there.
    pub(super) fn chart(&self, panel: Panel) -> Option<Chart<'_>> {
        let cursor = self.cursor.filter(|cursor| cursor.0 == panel).map(|cursor| cursor.1);
        let settings = &self.settings;
        let binned = |title, measure, is_log, bars| {
            let [whole, part] = slots(panel);
            let (bins, whole) = tallies(self.scheduler.latest(whole))?;
            let part =
                self.dimensions_except(panel.dimension()).and(tallies(self.scheduler.latest(part)));
            Some(Chart::Binned(Binned {
                title,
                bins,
                whole,
                selected: part.filter(|part| part.0 == bins).map(|part| part.1),
                measure,
                is_log,
                bars,
                brush: self.brush(panel.dimension()?),
                cursor: cursor.map(|cursor| cursor.0),
            }))
        };
        match panel {
            Panel::Throughput => {
                let (bins, _) = tallies(self.scheduler.latest(Slot::RateWhole))?;
                let step = bins.axis.span.len() / i64::try_from(bins.count).unwrap_or(1);
                let measure =
                    if settings.is_bits { Measure::BitRate } else { Measure::PacketRate }(step);
                let bars = Bars::Stacked;
                binned("Throughput", measure, settings.rate_log, bars)
            }
            Panel::Sizes => binned(
                "Packet Size Distribution",
                Measure::Packets,
                settings.size_log,
                settings.size_bars,
            ),
            Panel::Gaps => {
                binned("Inter-arrival Times", Measure::Packets, settings.gap_log, Bars::Stacked)
            }
            Panel::Scatter => {
                let (grid, whole) = counts(self.scheduler.latest(Slot::ScatterWhole))?;
                let part = self
                    .dimensions_except(panel.dimension())
                    .and(counts(self.scheduler.latest(Slot::Scatter)));
                let selected = part.filter(|part| part.0 == grid).map(|part| part.1);
                let outline = self.outline(grid);
                Some(Chart::Scatter(Scatter { grid, whole, selected, outline, cursor }))
            }
            Panel::Conversations | Panel::Packets => None,
            _ => Some(Chart::Ranking(self.ranking(panel, cursor.map(|cursor| cursor.1))?)),
        }
    }

    /// The range that is selected in a dimension, of a chart with bins.
    fn brush(&self, dimension: Dimension) -> Option<(i64, i64)> {
        match self.history.now().get(dimension)? {
            Expr::In(Field::Quantity(_), Set::Numbers(ranges)) => ranges.first().copied(),
            _ => None,
        }
    }
}

/// Where the answers of a panel are: of all packets, and of those that are selected.
pub(super) fn slots(panel: Panel) -> [Slot; 2] {
    match panel {
        Panel::Throughput => [Slot::RateWhole, Slot::Rate],
        Panel::Scatter => [Slot::ScatterWhole, Slot::Scatter],
        Panel::Sizes => [Slot::SizesWhole, Slot::Sizes],
        Panel::Gaps => [Slot::GapsWhole, Slot::Gaps],
        Panel::Ports => [Slot::PortsWhole, Slot::Ports],
        Panel::Sources => [Slot::SourcesWhole, Slot::Sources],
        Panel::Destinations => [Slot::DestinationsWhole, Slot::Destinations],
        Panel::Protocols => [Slot::ProtocolsWhole, Slot::Protocols],
        Panel::Conversations => [Slot::Conversations; 2],
        Panel::Packets => [Slot::Rows; 2],
    }
}
