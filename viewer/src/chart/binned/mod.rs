//! Bar charts over bins: histograms, and throughput over time.

mod height;
mod words;

use height::HeightScale;

use super::legend::Legend;
use super::line::{Line, draw_line};
use super::measure::Measure;
use super::problems::draw_ticks;
use super::{
    Frame, RenderContext, ScaleTo, Size, axis_label, grip, highlight, ticks, unselected_opacity,
};
use crate::axis::{Bins, Scale};
use crate::protocol::{CLASS_COUNT, CLASSES, Class, ClassSet};
use crate::scene::{Align, Mark, Rect, Scene};
use crate::tally::Tally;

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
}
