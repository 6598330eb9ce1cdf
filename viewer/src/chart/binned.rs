//! Bar charts over bins: histograms, and throughput over time.

use super::legend::{Legend, legend_text};
use super::line::{Line, draw_line};
use super::problems::draw_ticks;
use super::{
    Frame, RenderContext, ScaleTo, Size, Table, axis_label, grip, highlight, range_text, ticks,
    unselected_opacity,
};
use crate::axis::{Bins, Quantity, Scale};
use crate::protocol::{CLASS_COUNT, CLASSES, Class, ClassSet};
use crate::scene::{Align, Mark, Rect, Scene};
use crate::tally::Tally;
use crate::text::{self, prefixed};
use crate::time::Zone;
use crate::{linear_scale::LinearScale, ticks::count_ticks};

/// Font size of the label that names the packets to which heights are scaled: it fits beside the legend.
const SCALE_LABEL_PX: f64 = 10.0;

/// How the protocol classes of a bin are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bars {
    /// Stacked: the total height is that of the bin. On a logarithmic axis, which has no sums, the bars
    /// are overlaid instead.
    #[default]
    Stacked,
    /// Overlaid and translucent: each height is that of the class.
    Overlaid,
}

/// The quantity that the height of a bar represents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Packets.
    Packets,
    /// Packets per second of a capture.
    PacketRate(Coverage),
    /// Bits per second of a capture.
    BitRate(Coverage),
}

/// The time range of a capture. A bin that it covers in part has the rate of the covered part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Times of the first and the last packet, in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// The mean time between packets in nanoseconds. The capture covers as much after its last packet, so
    /// that packets at equal distances have the same rate in all bins.
    pub mean_gap_ns: u64,
}

impl Coverage {
    /// Nanoseconds of a bin that the capture covers.
    fn of_bin_ns(self, start: i64, end: i64) -> u64 {
        let last = self.ts_ns.1.saturating_add_unsigned(self.mean_gap_ns);
        let (first, last) = (start.max(self.ts_ns.0), end.min(last));
        if first < last { first.abs_diff(last) } else { 1 }
    }
}

impl Measure {
    fn of(self, tally: Tally, seconds: f64) -> f64 {
        match self {
            Self::Packets => tally.packets as f64,
            Self::PacketRate(_) => tally.packets as f64 / seconds,
            Self::BitRate(_) => tally.bytes as f64 * 8.0 / seconds,
        }
    }

    fn coverage(self) -> Option<Coverage> {
        match self {
            Self::Packets => None,
            Self::PacketRate(coverage) | Self::BitRate(coverage) => Some(coverage),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Packets => "Frequency",
            Self::PacketRate(_) => "Packets per second",
            Self::BitRate(_) => "Bits per second",
        }
    }
}

/// The data and settings of the chart.
#[derive(Clone, Debug)]
pub struct Binned<'a> {
    /// Title.
    pub title: &'a str,
    /// Bins.
    pub bins: Bins,
    /// Tallies of all packets, by class, then by bin.
    pub whole: &'a [Tally],
    /// The same for the packets selected in other dimensions, if anything is selected.
    pub selected: Option<&'a [Tally]>,
    /// Quantity of the bars' heights.
    pub measure: Measure,
    /// Heights are on a logarithmic scale.
    pub is_log: bool,
    /// How classes are drawn.
    pub bars: Bars,
    /// The packets to which heights are scaled.
    pub scale_to: ScaleTo,
    /// First and last selected value.
    pub brush: Option<(i64, i64)>,
    /// The name of each class.
    pub names: [&'a str; CLASS_COUNT],
    /// The classes that are selected, for the legend.
    pub shown: ClassSet,
    /// The keyboard cursor: a bin in row 0, or an entry of the legend in the rows from 1.
    pub cursor: Option<(usize, usize)>,
    /// Lines over the bars.
    pub lines: Vec<Line<'a>>,
    /// The tallies of the packets with problems, by class, then by bin; `None` if they are not known.
    pub problems: Option<&'a [Tally]>,
}

impl<'a> Binned<'a> {
    fn count(&self) -> usize {
        self.bins.count
    }

    /// The position of each bin edge as a fraction of the axis.
    fn fractions(&self) -> Vec<f64> {
        if self.bins.axis.scale == Scale::Log || !self.bins.is_closed {
            let edges = self.bins.edges().into_iter();
            return edges.map(|edge| self.bins.axis.fraction(edge)).collect();
        }
        let edges = self.bins.plot_edges();
        let (first, last) = (edges[0], edges[self.count()]);
        edges.into_iter().map(|edge| (edge - first) / (last - first)).collect()
    }

    /// The seconds of each bin to which its rate refers; 1 without rates.
    fn seconds(&self) -> Vec<f64> {
        let Some(coverage) = self.measure.coverage() else { return vec![1.0; self.count()] };
        let edges = self.bins.edges();
        let bins = edges.windows(2).map(|pair| coverage.of_bin_ns(pair[0], pair[1]));
        bins.map(|ns| ns as f64 / 1e9).collect()
    }

    fn is_overlaid(&self) -> bool {
        self.is_log || self.bars == Bars::Overlaid
    }

    /// The packets that are drawn in colour.
    fn foreground(&self) -> &'a [Tally] {
        self.selected.unwrap_or(self.whole)
    }

    /// The total of all classes of a bin.
    fn total(&self, tallies: &[Tally], bin: usize) -> Tally {
        let mut total = Tally::default();
        (0..CLASS_COUNT).for_each(|class| total.add(tallies[class * self.count() + bin]));
        total
    }

    /// The classes that have packets.
    fn present(&self, tallies: &[Tally]) -> Vec<Class> {
        let of = |class: &Class| &tallies[class.index() * self.count()..][..self.count()];
        let has = |class: &Class| of(class).iter().any(|tally| 0 < tally.packets);
        CLASSES.into_iter().filter(has).collect()
    }

    /// The classes in the legend: all that have packets, also those that are not selected.
    pub fn legend(&self) -> Vec<Class> {
        self.present(self.whole)
    }

    /// Draws the chart.
    pub fn scene(&self, context: RenderContext<'_>) -> Scene {
        let plot = context.size.plot();
        let fractions = self.fractions();
        let seconds = self.seconds();
        let heights = HeightScale::new(self, &seconds, plot);
        let axis = self.bins.axis;
        let mut x_ticks = ticks(&axis, context.zone, 8);
        if self.bins.is_closed && axis.scale == Scale::Linear {
            // The axis ends at the last value, not after it.
            let stretch = axis.span.len() as f64 / (axis.span.len() - 1).max(1) as f64;
            let shift = if axis.span.len() == 1 { 0.5 } else { 0.0 };
            x_ticks.iter_mut().for_each(|tick| tick.0 = tick.0 * stretch + shift);
        }
        let frame = Frame {
            context,
            title: self.title,
            x_label: axis_label(axis.quantity, context.zone),
            y_label: self.measure.label(),
            x_ticks,
            y_ticks: heights.ticks(self),
            legend: Legend {
                classes: self.legend(),
                names: self.names,
                shown: self.shown,
                cursor: self.cursor.and_then(|(_, row)| row.checked_sub(1)),
                has_problems: self.problems.is_some(),
            },
        };
        let mut scene = frame.scene();
        if self.selected.is_some() {
            scene.marks.push(Mark::Text {
                at: (plot.x - 3.0, plot.y - 14.0),
                text: if heights.is_of_selection { "selection" } else { "total" }.to_owned(),
                color: context.theme.foreground(),
                size_px: SCALE_LABEL_PX,
                align: Align::End,
                is_upright: false,
            });
        }
        let column = |bin: usize, gap: f64| {
            let (left, right) =
                (plot.x + fractions[bin] * plot.width, plot.x + fractions[bin + 1] * plot.width);
            // Bars are separated unless they are too narrow.
            let gap = if right - left > 4.0 { gap } else { 0.0 };
            (left, right - left - gap)
        };
        let bar = |bin: usize, from: f64, to: f64| {
            let (x, width) = column(bin, 1.0);
            // Bars that are higher than the scale are cut off.
            let [top, bottom] = [to, from].map(|value| heights.px(value).max(plot.y));
            Rect { x, y: top, width, height: bottom - top }
        };
        for (bin, seconds) in seconds.iter().enumerate() {
            if self.selected.is_some() {
                let whole = self.measure.of(self.total(self.whole, bin), *seconds);
                if 0.0 < whole {
                    let (rect, color) = (bar(bin, 0.0, whole), context.theme.unselected());
                    let opacity = unselected_opacity(heights.is_of_selection);
                    scene.marks.push(Mark::Rect { rect, color, opacity });
                }
            }
            let mut below = 0.0;
            for class in &frame.legend.classes {
                let tally = self.foreground()[class.index() * self.count() + bin];
                let value = self.measure.of(tally, *seconds);
                if value == 0.0 {
                    continue;
                }
                let (from, opacity) = if self.is_overlaid() { (0.0, 0.5) } else { (below, 1.0) };
                below += value;
                let rect = bar(bin, from, from + value);
                let color = class.color(context.theme.is_dark);
                scene.marks.push(Mark::Rect { rect, color, opacity });
            }
        }
        if let Some(problems) = self.problems {
            let has_some = |bin: &usize| 0 < self.total(problems, *bin).packets;
            let bins = (0..self.count()).filter(has_some);
            draw_ticks(&mut scene, context, bins.map(|bin| column(bin, 1.0)));
        }
        for line in &self.lines {
            let step = |(bin, seconds): (usize, &f64)| {
                let (x, width) = column(bin, 0.0);
                let value = self.measure.of(self.total(line.tallies, bin), *seconds);
                (x, width, heights.px(value).clamp(plot.y, plot.y + plot.height))
            };
            let steps: Vec<_> = seconds.iter().enumerate().map(step).collect();
            draw_line(&mut scene, context, line.index, plot.y + plot.height, &steps);
        }
        if let Some((from, to)) = self.selected_bins() {
            let (x, end) = (column(from, 0.0).0, column(to, 0.0));
            highlight(&mut scene, Rect { x, width: end.0 + end.1 - x, ..plot }, context.theme);
        }
        if let Some((bin, 0)) = self.cursor.filter(|cursor| cursor.0 < self.count()) {
            let (x, width) = column(bin, 0.0);
            highlight(&mut scene, Rect { x, width, ..plot }, context.theme);
        }
        frame.draw_axes(&mut scene);
        scene
    }

    /// The left edge and the width of a bin in the plot, in pixels.
    pub fn column(&self, bin: usize, plot: Rect) -> (f64, f64) {
        let fractions = self.fractions();
        let [left, right] = [fractions[bin], fractions[bin + 1]].map(|x| plot.x + x * plot.width);
        (left, right - left)
    }

    /// The first and last selected bin, and whether a pointer grips the first and the last one; `None`
    /// without a selection.
    pub fn grip(&self, size: Size, x_px: f64) -> Option<((usize, usize), (bool, bool))> {
        let plot = size.plot();
        let (first, last) = self.selected_bins()?;
        let (left, (right, width)) = (self.column(first, plot).0, self.column(last, plot));
        Some(((first, last), grip((left, right + width), x_px)))
    }

    /// The first and last bin of the selected range that is in sight.
    pub fn selected_bins(&self) -> Option<(usize, usize)> {
        let (first, last) = self.brush?;
        let span = self.bins.axis.span;
        (first < span.end && span.start <= last)
            .then(|| (self.bins.nearest(first), self.bins.nearest(last)))
    }

    /// The bin at a fraction of the axis, or the nearest bin.
    pub fn bin_at(&self, fraction: f64) -> usize {
        self.fractions().partition_point(|edge| *edge <= fraction).clamp(1, self.count()) - 1
    }

    /// A description for screen readers.
    pub fn description(&self, zone: &Zone) -> String {
        let span = self.bins.axis.span;
        let peak = (0..self.count())
            .map(|bin| (self.total(self.foreground(), bin).packets, bin))
            .max_by_key(|(packets, bin)| (*packets, usize::MAX - bin));
        let Some((packets, bin)) = peak else { return String::new() };
        format!(
            "{}: {} in {} bins. Peak: {}{} in {}.",
            self.title,
            range_text(self.bins.axis.quantity, span.start, span.end - 1, zone),
            self.count(),
            text::packets(packets),
            if self.selected.is_some() { " selected" } else { "" },
            self.bin_range(bin, zone),
        )
    }

    fn bin_range(&self, bin: usize, zone: &Zone) -> String {
        super::bin_text(&self.bins, bin, bin, zone)
    }

    /// Number, mean and peak of the packets drawn in colour: `Peak 3.2 Mbit/s at 09:02:03 · mean …`.
    pub fn figures(&self, zone: &Zone) -> String {
        let tallies = self.foreground();
        let mut sum = Tally::default();
        tallies.iter().for_each(|tally| sum.add(*tally));
        if sum.packets == 0 {
            return "No packets".to_owned();
        }
        let seconds = self.seconds();
        let height = |bin: usize| self.measure.of(self.total(tallies, bin), seconds[bin]);
        let mut peak = 0;
        for bin in 1..self.count() {
            if height(peak) < height(bin) {
                peak = bin;
            }
        }
        let packets = text::packets(sum.packets);
        let parts = if let Some(coverage) = self.measure.coverage() {
            // The mean refers to the covered part of the visible range.
            let span = self.bins.axis.span;
            let covered_ns = coverage.of_bin_ns(span.start, span.end);
            let mean = self.rate_text(self.measure.of(sum, covered_ns as f64 / 1e9));
            let start = self.bins.edges()[peak].max(coverage.ts_ns.0);
            let zone = match self.bins.axis.quantity {
                Quantity::Time => zone,
                _ => &Zone::Relative(0),
            };
            let at = text::axis_time(start, span, self.count() as f64, zone);
            vec![
                "Peak ".to_owned(),
                self.rate_text(height(peak)),
                " at ".to_owned(),
                at,
                " · mean ".to_owned(),
                mean,
                " · ".to_owned(),
                packets,
            ]
        } else if self.bins.axis.quantity == Quantity::Size {
            let mean = text::decimal(sum.bytes as f64 / sum.packets as f64, 1);
            let range = self.bin_range(peak, zone);
            vec![packets, " · mean ".to_owned(), mean, " bytes · most at ".to_owned(), range]
        } else {
            vec![packets, " · most at ".to_owned(), self.bin_range(peak, zone)]
        };
        let mut text = parts.concat();
        if self.bins.axis.quantity == Quantity::Elapsed {
            text.push_str(" · starts aligned");
        }
        text
    }

    /// The tooltip of a bin in row 0, or of an entry of the legend in the rows from 1.
    pub fn cell_text(&self, (bin, row): (usize, usize), zone: &Zone) -> Vec<String> {
        match row.checked_sub(1).and_then(|entry| self.legend().get(entry).copied()) {
            Some(class) => legend_text(self.names[class.index()], self.shown.has(class)),
            None => self.bin_text(bin, zone),
        }
    }

    /// The tooltip of a bin.
    pub fn bin_text(&self, bin: usize, zone: &Zone) -> Vec<String> {
        let total = self.total(self.foreground(), bin);
        let mut lines = vec![self.bin_range(bin, zone), amount(total)];
        if let Some(coverage) = self.measure.coverage() {
            let edges = self.bins.edges();
            let (start, end) = (edges[bin], edges[bin + 1]);
            let covered_ns = coverage.of_bin_ns(start, end);
            let mut rate = self.rate_text(self.measure.of(total, covered_ns as f64 / 1e9));
            if covered_ns < start.abs_diff(end) {
                rate.push_str(" over the ");
                rate.push_str(&text::rounded_duration(covered_ns));
                rate.push_str(" that the capture covers");
            }
            lines.push(rate);
        }
        for class in self.present(self.foreground()) {
            let tally = self.foreground()[class.index() * self.count() + bin];
            if 0 < tally.packets {
                lines.push(format!("{} {}", self.names[class.index()], amount(tally)));
            }
        }
        let problems = self.problems.map_or(0, |problems| self.total(problems, bin).packets);
        if 0 < problems {
            lines.push(format!("with problems: {}", text::packets(problems)));
        }
        for line in &self.lines {
            lines.push(format!("{}: {}", line.name, amount(self.total(line.tallies, bin))));
        }
        if self.selected.is_some() {
            lines.push(format!("of {} total", amount(self.total(self.whole, bin))));
        }
        lines
    }

    /// Formats a height with its unit.
    fn rate_text(&self, rate: f64) -> String {
        let mut text = prefixed(rate);
        text.push_str(match self.measure {
            Measure::Packets => "",
            Measure::PacketRate(_) => " packets/s",
            // A prefix belongs to the unit.
            Measure::BitRate(_) if text.contains(' ') => "bit/s",
            Measure::BitRate(_) => " bit/s",
        });
        text
    }

    /// The tallies of all bins.
    pub fn table(&self, zone: &Zone) -> Table {
        let classes = self.present(self.whole);
        let mut header = vec!["bin_start".to_owned(), "bin_end".to_owned()];
        let columns = |name: &str| [format!("{name}_packets"), format!("{name}_bytes")];
        header.extend(["packets".to_owned(), "bytes".to_owned()]);
        if self.selected.is_some() {
            header.extend(columns("selected"));
        }
        classes.iter().for_each(|class| header.extend(columns(self.names[class.index()])));
        if self.selected.is_some() {
            let selected =
                |class: &Class| columns(&format!("selected_{}", self.names[class.index()]));
            header.extend(classes.iter().flat_map(selected));
        }
        header.extend(self.lines.iter().flat_map(|line| columns(&line.name)));
        if self.problems.is_some() {
            header.extend(columns("problem"));
        }
        let (edges, plot_edges) = (self.bins.edges(), self.bins.plot_edges());
        let edge = |index: usize| match self.bins.axis.quantity {
            Quantity::Time => zone.format_compact(edges[index]),
            _ if self.bins.is_closed => text::decimal(plot_edges[index], 9),
            _ => edges[index].to_string(),
        };
        let row = |bin: usize| {
            let mut row = vec![edge(bin), edge(bin + 1)];
            let all = || std::iter::once(self.whole).chain(self.selected);
            let of =
                |(tallies, class): (&[Tally], &Class)| tallies[class.index() * self.count() + bin];
            let each = all().flat_map(|tallies| classes.iter().map(move |class| (tallies, class)));
            let totals = all().map(|tallies| self.total(tallies, bin));
            let lines = self.lines.iter().map(|line| self.total(line.tallies, bin));
            let problems = self.problems.map(|problems| self.total(problems, bin));
            for tally in totals.chain(each.map(of)).chain(lines).chain(problems) {
                row.extend([tally.packets.to_string(), tally.bytes.to_string()]);
            }
            row
        };
        Table { header, rows: (0..self.count()).map(row).collect() }
    }
}

fn amount(tally: Tally) -> String {
    format!("{}, {}", text::packets(tally.packets), text::bytes(tally.bytes))
}

/// Converts heights to pixels.
struct HeightScale {
    scale: LinearScale,
    /// Lowest and highest visible value.
    extent: (f64, f64),
    is_log: bool,
    /// Heights are scaled to the selected packets.
    is_of_selection: bool,
}

impl HeightScale {
    fn new(chart: &Binned<'_>, seconds: &[f64], plot: Rect) -> Self {
        let count = chart.count();
        let height = |tally, bin: usize| chart.measure.of(tally, seconds[bin]);
        // Tallies are ordered by class, then by bin.
        let each = |tallies: &'_ [Tally], fold: fn(f64, f64) -> f64, start: f64| {
            let heights = tallies.iter().enumerate().map(|(index, t)| height(*t, index % count));
            heights.filter(|height| 0.0 < *height).fold(start, fold)
        };
        let totals = |tallies, fold: fn(f64, f64) -> f64, start: f64| {
            let totals = (0..count).map(|bin| height(chart.total(tallies, bin), bin));
            totals.filter(|height| 0.0 < *height).fold(start, fold)
        };
        let of_foreground = match chart.is_overlaid() {
            true => each(chart.foreground(), f64::max, 0.0),
            false => totals(chart.foreground(), f64::max, 0.0),
        };
        let (highest, is_of_selection) = match chart.selected {
            None => (of_foreground, false),
            Some(_) => {
                let total = totals(chart.whole, f64::max, 0.0);
                let is_of_selection = chart.scale_to.is_selection(of_foreground, total);
                (if is_of_selection { of_foreground } else { total }, is_of_selection)
            }
        };
        let highest = if highest == 0.0 { 1.0 } else { highest };
        let lowest = each(chart.foreground(), f64::min, totals(chart.whole, f64::min, highest));
        let is_log = chart.is_log;
        // A logarithmic axis starts at half of the lowest value, which makes its bar visible.
        let bottom = if is_log { (lowest / 2.0).ln() } else { 0.0 };
        let top = if is_log { highest.ln() } else { highest };
        let top = bottom + (top - bottom) * 1.03;
        let scale = LinearScale::new((bottom, top), (plot.y + plot.height, plot.y));
        Self { scale, extent: (lowest, highest), is_log, is_of_selection }
    }

    fn scaled(&self, value: f64) -> f64 {
        if !self.is_log {
            return value;
        }
        value.max(self.extent.0 / 2.0).ln()
    }

    fn px(&self, value: f64) -> f64 {
        self.scale.px_from_value(self.scaled(value))
    }

    /// Ticks as fractions of the plot's height.
    fn ticks(&self, chart: &Binned<'_>) -> Vec<(f64, String)> {
        let (lowest, highest) = self.extent;
        let is_count = chart.measure == Measure::Packets;
        let label = |value: f64| match is_count {
            true => text::integer(crate::axis::saturating_i64(value)),
            false => prefixed(value),
        };
        let values: Vec<(f64, String)> = if self.is_log {
            let first = power_of_ten(lowest);
            let powers = std::iter::successors(Some(first), |power| Some(power * 10.0)).take(40);
            // A short axis also has ticks at 2 and 5 times the powers of ten.
            let steps: &[f64] = if highest < lowest * 100.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let values = powers.flat_map(|power| steps.iter().map(move |step| power * step));
            let values = values.skip_while(|value| *value < lowest * 0.999);
            values.take_while(|value| *value <= highest).map(|v| (v, label(v))).collect()
        } else if is_count {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let ticks = count_ticks(highest as u64, 6).into_iter();
            ticks.map(|tick| (tick.value as f64, tick.label)).collect()
        } else {
            let step = round_up(highest / 5.0);
            let steps = (0..20).map(|index| f64::from(index) * step);
            steps.take_while(|value| *value <= highest).map(|v| (v, label(v))).collect()
        };
        values
            .into_iter()
            .map(|(value, label)| (self.scale.fraction(self.scaled(value)), label))
            .collect()
    }
}

/// Rounds up to 1, 2 or 5 times a power of ten.
fn round_up(least: f64) -> f64 {
    let power = power_of_ten(least);
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * power).find(|s| least <= *s).unwrap_or(least)
}

/// Rounds down to a power of ten.
fn power_of_ten(value: f64) -> f64 {
    let mut power = 1.0;
    while power < value && value.is_finite() {
        power *= 10.0;
    }
    while value < power {
        power /= 10.0;
    }
    power
}
