//! Bars over an axis: histograms, and throughput over time.

use super::{Frame, Look, Table, axis_label, range_words, shade, ticks};
use crate::axis::{Bins, Quantity, Scale};
use crate::protocol::{CLASS_COUNT, CLASSES, Class};
use crate::scene::{Mark, Rect, Scene};
use crate::tally::Tally;
use crate::text::{self, prefixed};
use crate::time::Zone;
use crate::{linear_scale::LinearScale, ticks::count_ticks};
use summary::grouped;

/// How the classes of a bin share it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bars {
    /// One on the other: the whole height is the bin's.
    #[default]
    Stacked,
    /// One before the other, see-through: each height is the class's.
    Overlaid,
}

/// What the height of a bar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Packets.
    Packets,
    /// Packets a second, of bins so many nanoseconds long.
    PacketRate(i64),
    /// Bits a second, of bins so many nanoseconds long.
    BitRate(i64),
}

impl Measure {
    fn of(self, tally: Tally) -> f64 {
        match self {
            Self::Packets => tally.packets as f64,
            Self::PacketRate(ns) => tally.packets as f64 * 1e9 / ns as f64,
            Self::BitRate(ns) => tally.bytes as f64 * 8e9 / ns as f64,
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

/// Everything that the picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Binned<'a> {
    /// Its title.
    pub title: &'a str,
    /// The bins.
    pub bins: Bins,
    /// All packets, by class and bin.
    pub whole: &'a [Tally],
    /// Those that are selected elsewhere, where anything is.
    pub selected: Option<&'a [Tally]>,
    /// What heights mean.
    pub measure: Measure,
    /// Whether heights are logarithmic.
    pub is_log: bool,
    /// How classes share a bin.
    pub bars: Bars,
    /// First and last value of what is selected here.
    pub brush: Option<(i64, i64)>,
    /// The bin that the keyboard is at.
    pub cursor: Option<usize>,
}

impl<'a> Binned<'a> {
    fn count(&self) -> usize {
        self.bins.count
    }

    /// Rect of each border as a share of the axis.
    fn shares(&self) -> Vec<f64> {
        if self.bins.axis.scale == Scale::Log || !self.bins.is_closed {
            let edges = self.bins.edges().into_iter();
            return edges.map(|edge| self.bins.axis.fraction(edge)).collect();
        }
        let borders = self.bins.plot_edges();
        let (first, last) = (borders[0], borders[self.count()]);
        borders.into_iter().map(|border| (border - first) / (last - first)).collect()
    }

    /// What is drawn in colours.
    fn front(&self) -> &'a [Tally] {
        self.selected.unwrap_or(self.whole)
    }

    /// All classes of a bin together.
    fn total(&self, tallies: &[Tally], bin: usize) -> Tally {
        let mut total = Tally::default();
        (0..CLASS_COUNT).for_each(|class| total.add(tallies[class * self.count() + bin]));
        total
    }

    /// The classes that have any packets.
    fn present(&self, tallies: &[Tally]) -> Vec<Class> {
        let of = |class: &Class| &tallies[class.index() * self.count()..][..self.count()];
        let has = |class: &Class| of(class).iter().any(|tally| 0 < tally.packets);
        CLASSES.into_iter().filter(has).collect()
    }

    /// The picture.
    pub fn scene(&self, look: Look<'_>) -> Scene {
        let plot = look.size.plot();
        let shares = self.shares();
        let heights = Heights::new(self, plot);
        let axis = self.bins.axis;
        let mut x_ticks = ticks(&axis, look.zone, 8);
        if self.bins.is_closed && axis.scale == Scale::Linear {
            // The last value has its rect at the end, not before it.
            let stretch = axis.span.len() as f64 / (axis.span.len() - 1).max(1) as f64;
            let shift = if axis.span.len() == 1 { 0.5 } else { 0.0 };
            x_ticks.iter_mut().for_each(|tick| tick.0 = tick.0 * stretch + shift);
        }
        let frame = Frame {
            look,
            title: self.title,
            x_label: axis_label(axis.quantity, look.zone),
            y_label: self.measure.label(),
            x_ticks,
            y_ticks: heights.ticks(self),
            legend: self.present(self.front()),
        };
        let mut scene = frame.scene();
        let column = |bin: usize, gap: f64| {
            let (left, right) =
                (plot.x + shares[bin] * plot.width, plot.x + shares[bin + 1] * plot.width);
            // A thin gap between bars, where there is room for one.
            let gap = if right - left > 4.0 { gap } else { 0.0 };
            (left, right - left - gap)
        };
        let bar = |bin: usize, from: f64, to: f64| {
            let (x, width) = column(bin, 1.0);
            let (top, bottom) = (heights.px(to), heights.px(from));
            Rect { x, y: top, width, height: bottom - top }
        };
        for bin in 0..self.count() {
            if self.selected.is_some() {
                let whole = self.measure.of(self.total(self.whole, bin));
                if 0.0 < whole {
                    let (rect, color) = (bar(bin, 0.0, whole), look.theme.ghost());
                    scene.marks.push(Mark::Rect { rect, color, opacity: 1.0 });
                }
            }
            let mut below = 0.0;
            for class in &frame.legend {
                let value = self.measure.of(self.front()[class.index() * self.count() + bin]);
                if value == 0.0 {
                    continue;
                }
                let (from, opacity) = match self.bars {
                    Bars::Stacked => (below, 1.0),
                    Bars::Overlaid => (0.0, 0.5),
                };
                below += value;
                let rect = bar(bin, from, from + value);
                let color = class.color(look.theme.is_dark);
                scene.marks.push(Mark::Rect { rect, color, opacity });
            }
        }
        if let Some((first, last)) = self.brush {
            let (from, to) = self.bins_of(first, last);
            let (x, end) = (column(from, 0.0).0, column(to, 0.0));
            shade(&mut scene, Rect { x, width: end.0 + end.1 - x, ..plot }, look.theme);
        }
        if let Some(bin) = self.cursor.filter(|bin| *bin < self.count()) {
            let (x, width) = column(bin, 0.0);
            shade(&mut scene, Rect { x, width, ..plot }, look.theme);
        }
        frame.close(&mut scene);
        scene
    }

    /// First and last bin that hold these values, or are nearest to them.
    fn bins_of(&self, first: i64, last: i64) -> (usize, usize) {
        let edges = self.bins.edges();
        let bin =
            |value: i64| edges.partition_point(|edge| *edge <= value).clamp(1, self.count()) - 1;
        (bin(first), bin(last))
    }

    /// The bin at a share of the axis, or the nearest.
    pub fn bin_at(&self, share: f64) -> usize {
        self.shares().partition_point(|border| *border <= share).clamp(1, self.count()) - 1
    }

    /// What the picture shows, in words.
    pub fn words(&self, zone: &Zone) -> String {
        let span = self.bins.axis.span;
        let fullest = (0..self.count())
            .map(|bin| (self.total(self.front(), bin).packets, bin))
            .max_by_key(|(packets, bin)| (*packets, usize::MAX - bin));
        let Some((packets, bin)) = fullest else { return String::new() };
        format!(
            "{}: {} in {} bins. The fullest, {}, holds {} packets{}.",
            self.title,
            range_words(self.bins.axis.quantity, span.start, span.end - 1, zone),
            self.count(),
            self.range_words(bin, zone),
            grouped(packets),
            if self.selected.is_some() { " of the selection" } else { "" },
        )
    }

    fn range_words(&self, bin: usize, zone: &Zone) -> String {
        super::bin_words(&self.bins, bin, bin, zone)
    }

    /// A bin in words.
    pub fn words_of(&self, bin: usize, zone: &Zone) -> Vec<String> {
        let total = self.total(self.front(), bin);
        let mut lines = vec![self.range_words(bin, zone), amount(total)];
        match self.measure {
            Measure::Packets => {}
            Measure::PacketRate(_) => {
                lines.push(format!("{} packets/s", prefixed(self.measure.of(total))));
            }
            Measure::BitRate(_) => lines.push(format!("{}bit/s", spaced(self.measure.of(total)))),
        }
        for class in self.present(self.front()) {
            let tally = self.front()[class.index() * self.count() + bin];
            if 0 < tally.packets {
                lines.push(format!("{} {}", class.name(), amount(tally)));
            }
        }
        if self.selected.is_some() {
            lines.push(format!("of {} in all", amount(self.total(self.whole, bin))));
        }
        lines
    }

    /// The bins in numbers.
    pub fn table(&self, zone: &Zone) -> Table {
        let classes = self.present(self.whole);
        let mut header = vec!["from".to_owned(), "below".to_owned()];
        let columns = |name: &str| [format!("{name}_packets"), format!("{name}_bytes")];
        header.extend(["packets".to_owned(), "bytes".to_owned()]);
        if self.selected.is_some() {
            header.extend(columns("selected"));
        }
        classes.iter().for_each(|class| header.extend(columns(class.name())));
        if self.selected.is_some() {
            let selected = |class: &Class| columns(&format!("selected_{}", class.name()));
            header.extend(classes.iter().flat_map(selected));
        }
        let (edges, borders) = (self.bins.edges(), self.bins.plot_edges());
        let border = |index: usize| match self.bins.axis.quantity {
            Quantity::Time => zone.format_compact(edges[index]),
            _ if self.bins.is_closed => text::decimal(borders[index], 9),
            _ => edges[index].to_string(),
        };
        let row = |bin: usize| {
            let mut row = vec![border(bin), border(bin + 1)];
            let all = || std::iter::once(self.whole).chain(self.selected);
            let of =
                |(tallies, class): (&[Tally], &Class)| tallies[class.index() * self.count() + bin];
            let each = all().flat_map(|tallies| classes.iter().map(move |class| (tallies, class)));
            let totals = all().map(|tallies| self.total(tallies, bin));
            for tally in totals.chain(each.map(of)) {
                row.extend([tally.packets.to_string(), tally.bytes.to_string()]);
            }
            row
        };
        Table { header, rows: (0..self.count()).map(row).collect() }
    }
}

fn amount(tally: Tally) -> String {
    let packets = match tally.packets {
        1 => "1 packet".to_owned(),
        packets => format!("{} packets", grouped(packets)),
    };
    format!("{packets}, {}", text::bytes(tally.bytes))
}

/// With a space before the unit, whether there is a prefix or not.
fn spaced(value: f64) -> String {
    let text = prefixed(value);
    if text.contains(' ') { text } else { format!("{text} ") }
}

/// Where heights are.
struct Heights {
    scale: LinearScale,
    /// Least and greatest value that is to be seen.
    extent: (f64, f64),
    is_log: bool,
}

impl Heights {
    fn new(chart: &Binned<'_>, plot: Rect) -> Self {
        let of = |tally| chart.measure.of(tally);
        let bins = 0..chart.count();
        let highest = match (chart.bars, chart.selected) {
            (Bars::Overlaid, None) => chart.whole.iter().copied().map(of).fold(0.0, f64::max),
            _ => bins.map(|bin| of(chart.total(chart.whole, bin))).fold(0.0, f64::max),
        };
        let highest = if highest == 0.0 { 1.0 } else { highest };
        let front = chart.front().iter().copied().map(of);
        let values = front.chain((0..chart.count()).map(|bin| of(chart.total(chart.whole, bin))));
        let lowest = values.filter(|value| 0.0 < *value).fold(highest, f64::min);
        let is_log = chart.is_log;
        // On a logarithmic axis the least has half of its own height: something that can be seen.
        let bottom = if is_log { (lowest / 2.0).ln() } else { 0.0 };
        let top = if is_log { highest.ln() } else { highest };
        let top = bottom + (top - bottom) * 1.03;
        let scale = LinearScale::new((bottom, top), (plot.y + plot.height, plot.y));
        Self { scale, extent: (lowest, highest), is_log }
    }

    fn share_of(&self, value: f64) -> f64 {
        if !self.is_log {
            return value;
        }
        value.max(self.extent.0 / 2.0).ln()
    }

    fn px(&self, value: f64) -> f64 {
        self.scale.px_from_value(self.share_of(value))
    }

    /// Ticks as shares of the plot's height.
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
            // Where there would be a power of ten at most, also what is between.
            let steps: &[f64] = if highest < lowest * 100.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let values = powers.flat_map(|power| steps.iter().map(move |step| power * step));
            let values = values.skip_while(|value| *value < lowest * 0.999);
            values.take_while(|value| *value <= highest).map(|v| (v, label(v))).collect()
        } else if is_count {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let ticks = count_ticks(highest as u64, 6).into_iter();
            ticks.map(|tick| (tick.value as f64, tick.label)).collect()
        } else {
            let step = round(highest / 5.0);
            let steps = (0..20).map(|index| f64::from(index) * step);
            steps.take_while(|value| *value <= highest).map(|v| (v, label(v))).collect()
        };
        values
            .into_iter()
            .map(|(value, label)| (self.scale.fraction(self.share_of(value)), label))
            .collect()
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below.
fn round(least: f64) -> f64 {
    let power = power_of_ten(least);
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * power).find(|s| least <= *s).unwrap_or(least)
}

/// The greatest power of ten that is not above.
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
