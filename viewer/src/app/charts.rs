//! Builds the charts from the state and the latest answers.

use super::query_scheduler::Slot;
use super::{App, Panel};
use crate::axis::{Bins, Quantity};
use crate::chart::{
    Bars, Binned, Coverage, Measure, Overview, Ranking, RenderContext, Scatter, Size, Table,
    note_scene,
};
use crate::density::{Density, Grid};
use crate::filter::{Expr, Field, Set};
use crate::protocol::{CLASS_COUNT, CLASSES, Class};
use crate::query::{Answer, Query, QueryKind};
use crate::scene::Scene;
use crate::selection::{Dimension, DimensionSet};
use crate::settings::ZoneName;
use crate::tally::Tally;
use crate::time::Zone;

/// A chart with its data.
#[derive(Debug)]
pub(super) enum Chart<'a> {
    Binned(Binned<'a>),
    Scatter(Scatter<'a>),
    Ranking(Ranking<'a>),
    Overview(Overview<'a>),
    /// A title, and a text instead of data.
    Note(&'static str, &'static str),
}

impl Chart<'_> {
    pub(super) fn scene(&self, context: RenderContext<'_>) -> Scene {
        match self {
            Self::Binned(chart) => chart.scene(context),
            Self::Scatter(chart) => chart.scene(context),
            Self::Ranking(chart) => chart.scene(context),
            Self::Overview(chart) => chart.scene(context),
            Self::Note(title, text) => note_scene(context, title, text),
        }
    }

    /// The title at that size.
    pub(super) fn title(&self, size: Size) -> String {
        match self {
            Self::Binned(chart) => chart.title.to_owned(),
            Self::Scatter(chart) => chart.title().to_owned(),
            Self::Ranking(chart) => chart.full_title(size),
            Self::Overview(_) => "Whole capture".to_owned(),
            Self::Note(title, _) => (*title).to_owned(),
        }
    }

    /// A description for screen readers.
    pub(super) fn description(&self, zone: &Zone) -> String {
        match self {
            Self::Binned(chart) => chart.description(zone),
            Self::Scatter(chart) => chart.description(zone),
            Self::Ranking(chart) => chart.description(),
            Self::Overview(chart) => {
                ["Time range of the charts: ", &chart.description(zone)].concat()
            }
            Self::Note(title, text) => format!("{title}: {text}."),
        }
    }

    /// The tooltip of a cell, given by column and row.
    pub(super) fn cell_text(&self, cell: (usize, usize), zone: &Zone) -> Vec<String> {
        match self {
            Self::Binned(chart) => chart.cell_text(cell, zone),
            Self::Scatter(chart) => chart.cell_text(cell, zone),
            Self::Ranking(chart) => chart.item_text(cell.1),
            Self::Overview(chart) => vec![chart.description(zone)],
            Self::Note(_, text) => vec![(*text).to_owned()],
        }
    }

    pub(super) fn table(&self, zone: &Zone) -> Table {
        match self {
            Self::Binned(chart) => chart.table(zone),
            Self::Scatter(chart) => chart.table(zone),
            Self::Ranking(chart) => chart.table(),
            Self::Overview(_) | Self::Note(..) => Table::default(),
        }
    }

    /// The data for download. The scatter plot lists every cell; its table for display is coarser.
    pub(super) fn csv(&self, zone: &Zone) -> String {
        match self {
            Self::Scatter(chart) => chart.cells(zone).csv(),
            chart => chart.table(zone).csv(),
        }
    }
}

/// The bins and their tallies of an answer.
pub(super) fn tallies<'a>(latest: Option<(&'a Query, &'a Answer)>) -> Option<(Bins, &'a [Tally])> {
    match latest? {
        (Query { kind: QueryKind::Bins(bins), .. }, Answer::Bins(tallies)) => {
            Some((*bins, tallies))
        }
        _ => None,
    }
}

/// The grid and its density of an answer.
pub(super) fn density<'a>(latest: Option<(&'a Query, &'a Answer)>) -> Option<(Grid, &'a Density)> {
    match latest? {
        (Query { kind: QueryKind::Density(grid), .. }, Answer::Density(density)) => {
            Some((*grid, density))
        }
        _ => None,
    }
}

impl App {
    /// The time zone of the settings.
    pub fn zone(&self) -> Zone {
        match self.settings.zone {
            ZoneName::Utc => Zone::Utc,
            ZoneName::Local => Zone::Local(self.offsets.clone()),
            ZoneName::Relative => {
                Zone::Relative(self.drawn_totals.extent.map_or(0, |extent| extent.ts_ns.0))
            }
        }
    }

    /// The selected dimensions other than `own`, which a view shows as selected. `None` if nothing is
    /// selected there.
    pub(super) fn dimensions_except(&self, own: Option<Dimension>) -> Option<DimensionSet> {
        let dimensions = self.history.now().dimensions();
        let dimensions = own.map_or(dimensions, |own| dimensions.without(own));
        (dimensions != DimensionSet::EMPTY).then_some(dimensions)
    }

    /// The cell of the scatter plot under the pointer or the keyboard cursor.
    pub(super) fn pointed_cell(&self) -> Option<(Grid, (usize, usize))> {
        let (grid, _) = density(self.scheduler.latest(Slot::ScatterWhole))?;
        if let Some((Panel::Scatter, at)) = self.pointer {
            return Some((grid, self.size(Panel::Scatter).cell_at(&grid, at)?));
        }
        let (panel, cell) = self.cursor?;
        (panel == Panel::Scatter).then_some((grid, cell))
    }

    /// Returns true if colours distinguish files.
    pub(super) fn is_colored_by_file(&self) -> bool {
        self.settings.is_colored_by_file && self.has_several_files()
    }

    /// What the colours of the classes distinguish: protocols or files.
    pub(super) fn class_names(&self) -> [&str; CLASS_COUNT] {
        let mut names = CLASSES.map(Class::name);
        if self.is_colored_by_file() {
            let files = &self.files.files;
            names.iter_mut().zip(files).for_each(|(name, file)| *name = &file.name);
            if CLASS_COUNT < files.len() {
                names[CLASS_COUNT - 1] = "other files";
            }
        }
        names
    }

    /// The chart of a panel; `None` for tables, and until its data has arrived.
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
                scale_to: settings.scale_to,
                brush: self.brush(panel.dimension()?, bins.axis.quantity),
                names: self.class_names(),
                shown: self.shown_classes(),
                cursor,
                lines: if panel == Panel::Throughput { self.lines(bins) } else { Vec::new() },
                problems: self.marked_bins(bins).filter(|_| panel == Panel::Throughput),
            }))
        };
        match panel {
            Panel::Throughput => {
                let measure = match self.time_coverage() {
                    Some(coverage) if settings.is_bits => Measure::BitRate(coverage),
                    Some(coverage) => Measure::PacketRate(coverage),
                    None => Measure::Packets,
                };
                binned("Throughput", measure, settings.rate_log, Bars::Stacked)
            }
            Panel::Sizes => binned(
                "Packet size distribution",
                Measure::Packets,
                settings.size_log,
                settings.size_bars,
            ),
            Panel::Gaps if self.drawn_totals.extent?.gap_ns.is_none() => {
                Some(Chart::Note("Inter-arrival times", "Needs two packets in a file"))
            }
            Panel::Gaps => {
                binned("Inter-arrival times", Measure::Packets, settings.gap_log, Bars::Stacked)
            }
            Panel::Scatter => {
                let (grid, whole) = density(self.scheduler.latest(Slot::ScatterWhole))?;
                let part = self
                    .dimensions_except(panel.dimension())
                    .and(density(self.scheduler.latest(Slot::Scatter)));
                let selected = part.filter(|part| part.0 == grid).map(|part| part.1);
                let outline = self.outline(grid);
                let shown = self.shown_classes();
                let scale_to = settings.scale_to;
                Some(Chart::Scatter(Scatter {
                    names: self.class_names(),
                    problems: self.marked_cells(grid),
                    grid,
                    whole,
                    selected,
                    shown,
                    scale_to,
                    outline,
                    cursor,
                }))
            }
            Panel::Overview => self.overview().map(Chart::Overview),
            Panel::Conversations | Panel::Endpoints | Panel::Packets | Panel::Problems => None,
            _ => Some(Chart::Ranking(self.ranking(panel, cursor.map(|cursor| cursor.1))?)),
        }
    }

    /// The time range of the capture; `None` if all packets have the same time.
    pub(super) fn time_coverage(&self) -> Option<Coverage> {
        let ts_ns = match self.time_quantity() {
            Quantity::Time => self.drawn_ts_ns()?,
            _ => (0, self.files.longest_ns()),
        };
        let mean_gap_ns =
            ts_ns.0.abs_diff(ts_ns.1) / self.drawn_totals.packets.max(2).wrapping_sub(1);
        (ts_ns.0 < ts_ns.1).then_some(Coverage { ts_ns, mean_gap_ns })
    }

    /// The selected range of a chart with bins.
    fn brush(&self, dimension: Dimension, quantity: Quantity) -> Option<(i64, i64)> {
        match self.history.now().get(dimension)? {
            Expr::In(Field::Quantity(of), Set::Numbers(ranges)) if *of == quantity => {
                ranges.first().copied()
            }
            _ => None,
        }
    }
}

/// The answers that a panel shows: for all packets, and for the selected ones.
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
        Panel::Overview => [Slot::Overview; 2],
        Panel::Conversations | Panel::Endpoints => [Slot::Conversations; 2],
        Panel::Packets => [Slot::Rows; 2],
        Panel::Problems => [Slot::Problems; 2],
    }
}
