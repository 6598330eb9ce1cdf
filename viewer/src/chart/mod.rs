//! The charts: from data and settings to a [`Scene`], texts and tables. They know neither the state of
//! the page nor the canvas.

mod binned;
mod legend;
mod line;
mod measure;
mod overview;
mod problems;
mod ranking;
mod scatter;

#[cfg(test)]
mod tests;

pub use binned::{Bars, Binned};
pub use legend::{LegendEntry, legend_entry_at, legend_text, problems_text};
pub use line::Line;
pub use measure::{Coverage, Measure};
pub use overview::{Overview, grip};
pub use ranking::{Item, Ranking, shortened};
pub use scatter::{Scatter, grid_of};

use crate::axis::{Axis, Bins, Quantity, Scale, Span};
use crate::partial_sort::sort;
use crate::scene::{Align, Mark, Rect, Scene, Theme};
use crate::text;
use crate::ticks::{multiples, round_step};
use crate::time::{NS_PER_DAY, Zone, duration, time_step};
use legend::Legend;

/// Font size of labels.
const LABEL_PX: f64 = 12.0;
/// Font size of titles.
const TITLE_PX: f64 = 15.0;

/// Charts below this height are compact.
const COMPACT_PX: f64 = 280.0;

/// Charts below this height have neither labels nor a legend.
const STRIP_PX: f64 = 60.0;

/// The size of a chart in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Width, including labels.
    pub width_px: f64,
    /// Height, including title and labels.
    pub height_px: f64,
}

impl Size {
    /// Compact charts have no title and no names of their axes.
    pub fn is_compact(self) -> bool {
        self.height_px < COMPACT_PX
    }

    /// The area of the data, which leaves margins for title, legend and labels.
    pub fn plot(self) -> Rect {
        let (left, top, right, bottom) = match self.height_px {
            ..STRIP_PX => (48.0, 2.0, 12.0, 2.0),
            ..COMPACT_PX => (48.0, 22.0, 12.0, 22.0),
            _ => (76.0, 52.0, 18.0, 48.0),
        };
        Rect {
            x: left,
            y: top,
            width: (self.width_px - left - right).max(10.0),
            height: (self.height_px - top - bottom).max(10.0),
        }
    }

    /// Converts a pixel to fractions of the plot, from its lower left corner.
    pub fn fraction(self, (x, y): (f64, f64)) -> (f64, f64) {
        let plot = self.plot();
        ((x - plot.x) / plot.width, (plot.y + plot.height - y) / plot.height)
    }
}

/// The packets to which the bars of a chart are scaled while some packets are selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScaleTo {
    /// The selected packets if their largest bar is less than a tenth of the largest of all, else all
    /// packets.
    #[default]
    Auto,
    /// All packets.
    Total,
    /// The selected packets. Longer bars of all packets are cut off.
    Selection,
}

impl ScaleTo {
    /// Whether bars are scaled to the selected packets, given the largest values. A selection without
    /// packets has no scale.
    fn is_selection(self, selected: f64, total: f64) -> bool {
        let is_chosen = match self {
            Self::Auto => selected * 10.0 < total,
            Self::Total => false,
            Self::Selection => true,
        };
        is_chosen && 0.0 < selected
    }
}

/// The opacity of the bars of all packets. On the scale of the selected packets most of them would fill the
/// plot, and hide the selected ones.
fn unselected_opacity(is_of_selection: bool) -> f64 {
    if is_of_selection { 0.3 } else { 1.0 }
}

/// The inputs of drawing that do not depend on the data.
#[derive(Clone, Copy, Debug)]
pub struct RenderContext<'a> {
    /// Size of the chart.
    pub size: Size,
    /// Colours.
    pub theme: Theme,
    /// Time zone of labels.
    pub zone: &'a Zone,
}

/// The data of a chart as text, for screen readers and programs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Column names.
    pub header: Vec<String>,
    /// The rows. Each has one cell per column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Formats the table as CSV (RFC 4180), with LF line ends. Cells that a spreadsheet would evaluate as a
    /// formula are prefixed with an apostrophe.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.header).chain(&self.rows) {
            for (index, cell) in row.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                let guard = if cell.starts_with(['=', '@', '+']) { "'" } else { "" };
                if cell.contains(['"', ',', '\n', '\r']) {
                    text += &format!("\"{guard}{}\"", cell.replace('"', "\"\""));
                } else {
                    text.push_str(guard);
                    text.push_str(cell);
                }
            }
            text.push('\n');
        }
        text
    }
}

/// The parts that all charts with axes share: title, axes, ticks, labels and legend.
struct Frame<'a> {
    context: RenderContext<'a>,
    title: &'a str,
    x_label: &'a str,
    y_label: &'a str,
    /// For each tick, its position as a fraction of the axis, and its label.
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
    legend: Legend<'a>,
}

impl Frame<'_> {
    /// Draws the layers below the data.
    fn scene(&self) -> Scene {
        let RenderContext { size, theme, .. } = self.context;
        let plot = size.plot();
        let (foreground, grid) = (theme.foreground(), theme.grid());
        let bottom = plot.y + plot.height;
        let mut scene = titled_scene(self.context, self.title);
        let marks = &mut scene.marks;
        let mut free_below = f64::INFINITY;
        for (fraction, label) in &self.y_ticks {
            let y = bottom - fraction * plot.height;
            let right = plot.x + plot.width;
            marks.push(Mark::Line { from: (plot.x, y), to: (right, y), color: grid });
            if y <= free_below {
                marks.push(label_mark((plot.x - 8.0, y), label, Align::End, foreground));
                free_below = y - LABEL_PX;
            }
        }
        let mut free_from = f64::NEG_INFINITY;
        for (fraction, label) in &self.x_ticks {
            let x = plot.x + fraction * plot.width;
            marks.push(Mark::Line { from: (x, bottom), to: (x, bottom + 5.0), color: foreground });
            // Labels that would overlap are left out. Letters are about 0.6 times as wide as high.
            let half = label.chars().count() as f64 * LABEL_PX * 0.31;
            // The first one, with the date, would be cut off at the edge.
            let middle = x.max(half + 2.0);
            if free_from <= middle - half && middle + half <= size.width_px {
                marks.push(label_mark((middle, bottom + 15.0), label, Align::Middle, foreground));
                free_from = middle + half + 8.0;
            }
        }
        if !size.is_compact() {
            let middle = plot.x + plot.width / 2.0;
            let at = (middle, bottom + 36.0);
            marks.push(label_mark(at, self.x_label, Align::Middle, foreground));
            marks.push(Mark::Text {
                at: (12.0, plot.y + plot.height / 2.0),
                text: self.y_label.to_owned(),
                color: foreground,
                size_px: LABEL_PX,
                align: Align::Middle,
                is_upright: true,
            });
        }
        self.legend.draw(&mut scene, self.context);
        scene
    }

    /// Draws the axes over the data.
    fn draw_axes(&self, scene: &mut Scene) {
        let plot = self.context.size.plot();
        let color = self.context.theme.foreground();
        let corner = (plot.x, plot.y + plot.height);
        let end = (plot.x + plot.width, corner.1);
        scene.marks.push(Mark::Line { from: corner, to: end, color });
        scene.marks.push(Mark::Line { from: (plot.x, plot.y), to: corner, color });
    }
}

/// An empty scene with a title, unless it is compact.
fn titled_scene(context: RenderContext<'_>, title: &str) -> Scene {
    let title = Mark::Text {
        at: (context.size.plot().x, 16.0),
        text: title.to_owned(),
        color: context.theme.foreground(),
        size_px: TITLE_PX,
        align: Align::Start,
        is_upright: false,
    };
    Scene {
        width_px: context.size.width_px,
        height_px: context.size.height_px,
        background: context.theme.background(),
        marks: if context.size.is_compact() { Vec::new() } else { vec![title] },
    }
}

/// A chart with a text instead of data.
pub fn note_scene(context: RenderContext<'_>, title: &str, text: &str) -> Scene {
    let mut scene = titled_scene(context, title);
    let middle = (context.size.width_px / 2.0, context.size.height_px / 2.0);
    scene.marks.push(label_mark(middle, text, Align::Middle, context.theme.foreground()));
    scene
}

fn label_mark(at: (f64, f64), text: &str, align: Align, color: [u8; 3]) -> Mark {
    Mark::Text { at, text: text.to_owned(), color, size_px: LABEL_PX, align, is_upright: false }
}

/// Highlights a selection or the keyboard cursor over the data.
fn highlight(scene: &mut Scene, rect: Rect, theme: Theme) {
    scene.marks.push(Mark::Rect { rect, color: theme.foreground(), opacity: 0.12 });
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    let corners =
        [(rect.x, rect.y), (right, rect.y), (right, bottom), (rect.x, bottom), (rect.x, rect.y)];
    for pair in corners.windows(2) {
        scene.marks.push(Mark::Line { from: pair[0], to: pair[1], color: theme.foreground() });
    }
}

/// The ticks of an axis: position as a fraction of the axis, and label.
fn ticks(axis: &Axis, zone: &Zone, target: usize) -> Vec<(f64, String)> {
    if axis.quantity == Quantity::Time {
        let ticks = zone.ticks(axis.span, target).into_iter();
        return ticks.map(|tick| (axis.fraction(tick.value), tick.label)).collect();
    }
    let is_duration = matches!(axis.quantity, Quantity::Gap | Quantity::Elapsed);
    let mut values = Vec::new();
    if axis.scale == Scale::Log {
        values = log_ticks(axis.span, is_duration);
    }
    // Also for a short logarithmic axis without powers of ten.
    if values.len() < 2 {
        let len = axis.span.len();
        let step = if is_duration { time_step(len, target) } else { round_step(len, target) };
        values = multiples(axis.span, step).collect();
    }
    let label = if is_duration { duration } else { text::integer };
    values.into_iter().map(|value| (axis.fraction(value), label(value))).collect()
}

/// Ticks at 0 and at positive and negative powers of ten. Durations above a second have ticks at
/// minutes, hours, and powers of ten of days.
fn log_ticks(span: Span, is_duration: bool) -> Vec<i64> {
    const SECOND_NS: i64 = 1_000_000_000;
    const LONG_NS: [i64; 4] = [60 * SECOND_NS, 600 * SECOND_NS, 3_600 * SECOND_NS, NS_PER_DAY];
    let mut values = vec![0];
    let mut add = |value: i64| values.extend([-value, value]);
    let mut power = 1;
    for _ in 0..19 {
        if !is_duration || power <= 10 * SECOND_NS {
            add(power);
        }
        power = power.wrapping_mul(10);
    }
    if is_duration {
        LONG_NS.into_iter().for_each(&mut add);
        (1..6).for_each(|exponent| add(NS_PER_DAY * 10i64.pow(exponent)));
    }
    values.retain(|value| span.contains(*value));
    sort(&mut values, i64::cmp);
    values
}

/// The label of an axis, which names the time zone of times.
fn axis_label(quantity: Quantity, zone: &Zone) -> &'static str {
    if quantity == Quantity::Time { zone.label() } else { quantity.label() }
}

/// Formats the range from the first to the last value.
fn range_text(quantity: Quantity, first: i64, last: i64, zone: &Zone) -> String {
    let text = |number| value_text(quantity, number, zone);
    match (quantity, first == last) {
        (Quantity::Size, true) => format!("{} bytes", text(first)),
        (Quantity::Size, false) => format!("{} to {} bytes", text(first), text(last)),
        (Quantity::Time | Quantity::Gap | Quantity::Elapsed, true) => text(first),
        (Quantity::Time | Quantity::Gap | Quantity::Elapsed, false) => {
            format!("{} to {}", text(first), text(last))
        }
        (quantity, true) => format!("{} {}", quantity_prefix(quantity), text(first)),
        (quantity, false) => {
            format!("{} {} to {}", quantity_prefix(quantity), text(first), text(last))
        }
    }
}

/// Formats the range of the values in the bins from `a` to `b`.
fn bin_text(bins: &Bins, a: usize, b: usize, zone: &Zone) -> String {
    match bins.range(a, b) {
        Some((first, last)) => range_text(bins.axis.quantity, first, last, zone),
        // A bin narrower than 1 may contain no integer.
        None => {
            let above = bins.edges()[a.min(bins.count - 1)];
            let text = |number| value_text(bins.axis.quantity, number, zone);
            format!("between {} and {}", text(above.saturating_sub(1)), text(above))
        }
    }
}

fn quantity_prefix(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Number => "packet number",
        Quantity::SourcePort => "source port",
        Quantity::DestinationPort => "destination port",
        Quantity::Ttl => "TTL",
        Quantity::Time => "time",
        Quantity::Size => "size",
        Quantity::Gap => "time since previous packet",
        Quantity::Elapsed => "time since start of the file",
    }
}

fn value_text(quantity: Quantity, number: i64, zone: &Zone) -> String {
    match quantity {
        Quantity::Time => zone.format(number),
        Quantity::Gap | Quantity::Elapsed => duration(number),
        _ => text::integer(number),
    }
}
