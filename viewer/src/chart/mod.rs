//! The charts: data and settings in, a [`Scene`], words and tables out.

mod binned;
mod ranking;
mod scatter;

#[cfg(test)]
mod tests;

pub use binned::{Bars, Binned, Measure};
pub use ranking::{Item, Ranking};
pub use scatter::{Scatter, grid_of};

use crate::axis::{Axis, Bins, Quantity, Scale, Span};
use crate::protocol::Class;
use crate::scene::{Align, Mark, Rect, Scene, Theme};
use crate::text;
use crate::ticks::{Tick, integer_ticks};
use crate::time::Zone;

/// Height of the letters of labels.
const LABEL_PX: f64 = 12.0;
/// Height of the letters of a title.
const TITLE_PX: f64 = 15.0;

/// The width and height of a chart, in CSS pixels, and where its plot is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Width of the whole.
    pub width_px: f64,
    /// Height of the whole.
    pub height_px: f64,
}

impl Size {
    /// Where the data is drawn: room for title and legend above, labels left and below.
    pub fn plot(self) -> Rect {
        let (left, top, right, bottom) = (76.0, 52.0, 18.0, 48.0);
        Rect {
            x: left,
            y: top,
            width: (self.width_px - left - right).max(10.0),
            height: (self.height_px - top - bottom).max(10.0),
        }
    }

    /// Where a pixel is in the plot, as shares from its lower left corner.
    pub fn share(self, (x, y): (f64, f64)) -> (f64, f64) {
        let plot = self.plot();
        ((x - plot.x) / plot.width, (plot.y + plot.height - y) / plot.height)
    }
}

/// How a chart is drawn, whatever it shows.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// How large it is.
    pub size: Size,
    /// In which colours.
    pub theme: Theme,
    /// How times are told.
    pub zone: &'a Zone,
}

/// Numbers and words in rows, for people who do not see pictures, and for programs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows, as long as the header.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// As RFC 4180 has it, with line feeds.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.header).chain(&self.rows) {
            for (index, word) in row.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                // A spreadsheet would take what begins so for a formula.
                let guard = if word.starts_with(['=', '@', '+']) { "'" } else { "" };
                if word.contains(['"', ',', '\n', '\r']) {
                    text += &format!("\"{guard}{}\"", word.replace('"', "\"\""));
                } else {
                    text.push_str(guard);
                    text.push_str(word);
                }
            }
            text.push('\n');
        }
        text
    }
}

/// What charts with axes have: background, title, axes with ticks, labels and a legend.
struct Frame<'a> {
    look: Look<'a>,
    title: &'a str,
    x_label: &'a str,
    y_label: &'a str,
    /// Rect as a share of the axis, and label, of each tick.
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
    /// Classes in the legend.
    legend: Vec<Class>,
}

impl Frame<'_> {
    /// The scene with everything that lies under the data.
    fn scene(&self) -> Scene {
        let Look { size, theme, .. } = self.look;
        let plot = size.plot();
        let (ink, grid) = (theme.ink(), theme.grid());
        let bottom = plot.y + plot.height;
        let mut scene = background(self.look, self.title);
        let marks = &mut scene.marks;
        let mut free_below = f64::INFINITY;
        for (share, label) in &self.y_ticks {
            let y = bottom - share * plot.height;
            let right = plot.x + plot.width;
            marks.push(Mark::Line { from: (plot.x, y), to: (right, y), color: grid });
            if y <= free_below {
                marks.push(words((plot.x - 8.0, y), label, Align::End, ink));
                free_below = y - LABEL_PX;
            }
        }
        let mut free_from = f64::NEG_INFINITY;
        for (share, label) in &self.x_ticks {
            let x = plot.x + share * plot.width;
            marks.push(Mark::Line { from: (x, bottom), to: (x, bottom + 5.0), color: ink });
            // Letters are about 0.6 of their height wide: labels that would touch are left out.
            let half = label.chars().count() as f64 * LABEL_PX * 0.3;
            if free_from <= x - half && x + half <= size.width_px {
                marks.push(words((x, bottom + 15.0), label, Align::Middle, ink));
                free_from = x + half + 8.0;
            }
        }
        let middle = plot.x + plot.width / 2.0;
        marks.push(words((middle, bottom + 36.0), self.x_label, Align::Middle, ink));
        marks.push(Mark::Text {
            at: (12.0, plot.y + plot.height / 2.0),
            text: self.y_label.to_owned(),
            color: ink,
            size_px: LABEL_PX,
            align: Align::Middle,
            is_upright: true,
        });
        let mut x = plot.x;
        for class in &self.legend {
            let rect = Rect { x, y: 32.0, width: 11.0, height: 11.0 };
            marks.push(Mark::Rect { rect, color: class.color(theme.is_dark), opacity: 1.0 });
            marks.push(words((x + 16.0, 38.0), class.name(), Align::Start, ink));
            x += 16.0 + class.name().len() as f64 * 7.2 + 16.0;
        }
        scene
    }

    /// The axes themselves, over the data.
    fn close(&self, scene: &mut Scene) {
        let plot = self.look.size.plot();
        let color = self.look.theme.ink();
        let corner = (plot.x, plot.y + plot.height);
        let end = (plot.x + plot.width, corner.1);
        scene.marks.push(Mark::Line { from: corner, to: end, color });
        scene.marks.push(Mark::Line { from: (plot.x, plot.y), to: corner, color });
    }
}

/// An empty picture with a title.
fn background(look: Look<'_>, title: &str) -> Scene {
    let title = Mark::Text {
        at: (look.size.plot().x, 16.0),
        text: title.to_owned(),
        color: look.theme.ink(),
        size_px: TITLE_PX,
        align: Align::Start,
        is_upright: false,
    };
    Scene {
        width_px: look.size.width_px,
        height_px: look.size.height_px,
        background: look.theme.background(),
        marks: vec![title],
    }
}

fn words(at: (f64, f64), text: &str, align: Align, color: [u8; 3]) -> Mark {
    Mark::Text { at, text: text.to_owned(), color, size_px: LABEL_PX, align, is_upright: false }
}

/// Something selected, or about to be, over the data.
fn shade(scene: &mut Scene, rect: Rect, theme: Theme) {
    scene.marks.push(Mark::Rect { rect, color: theme.ink(), opacity: 0.12 });
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    let corners =
        [(rect.x, rect.y), (right, rect.y), (right, bottom), (rect.x, bottom), (rect.x, rect.y)];
    for pair in corners.windows(2) {
        scene.marks.push(Mark::Line { from: pair[0], to: pair[1], color: theme.ink() });
    }
}

/// The ticks of an axis, as shares of it.
fn ticks(axis: &Axis, zone: &Zone, target: usize) -> Vec<(f64, String)> {
    let ticks = match (axis.quantity, axis.scale) {
        (Quantity::Time, _) => zone.ticks(axis.span, target),
        (Quantity::Gap, Scale::Linear) => {
            let ticks = integer_ticks(axis.span, target).into_iter();
            ticks.map(|tick| Tick { label: text::duration(tick.value), ..tick }).collect()
        }
        (value, Scale::Log) => log_ticks(axis.span, value == Quantity::Gap),
        _ => integer_ticks(axis.span, target),
    };
    ticks.into_iter().map(|tick| (axis.fraction(tick.value), tick.label)).collect()
}

/// 0 and powers of ten, on both sides.
fn log_ticks(span: Span, is_duration: bool) -> Vec<Tick<i64>> {
    let powers = || (0..19).map(|exponent| 10i64.pow(exponent));
    let values = powers().rev().map(|power| -power).chain([0]).chain(powers());
    let label = |value: i64| match is_duration {
        true => text::duration(value),
        false => text::integer(value),
    };
    let values = values.filter(|value| span.contains(*value));
    values.map(|value| Tick { value, label: label(value) }).collect()
}

/// The axis of a value, with its clock where it is a time.
fn axis_label(value: Quantity, zone: &Zone) -> &'static str {
    if value == Quantity::Time { zone.label() } else { value.label() }
}

/// A range of a value in words: first and last number of it.
fn range_words(value: Quantity, first: i64, last: i64, zone: &Zone) -> String {
    let word = |number| value_words(value, number, zone);
    match (value, first == last) {
        (Quantity::Size, true) => format!("{} bytes", word(first)),
        (Quantity::Size, false) => format!("{} to {} bytes", word(first), word(last)),
        (Quantity::Time | Quantity::Gap, true) => word(first),
        (Quantity::Time | Quantity::Gap, false) => format!("{} to {}", word(first), word(last)),
        (value, true) => format!("{} {}", short_name(value), word(first)),
        (value, false) => format!("{} {} to {}", short_name(value), word(first), word(last)),
    }
}

/// The numbers in two bins and those between, in words.
fn bin_words(bins: &Bins, a: usize, b: usize, zone: &Zone) -> String {
    match bins.range(a, b) {
        Some((first, last)) => range_words(bins.axis.quantity, first, last, zone),
        // Fine bins lie between whole numbers.
        None => {
            let above = bins.edges()[a.min(bins.count - 1)];
            let word = |number| value_words(bins.axis.quantity, number, zone);
            format!("between {} and {}", word(above.saturating_sub(1)), word(above))
        }
    }
}

fn short_name(value: Quantity) -> &'static str {
    match value {
        Quantity::Number => "number",
        Quantity::SourcePort => "source port",
        Quantity::DestinationPort => "destination port",
        Quantity::Ttl => "time to live",
        Quantity::Time => "time",
        Quantity::Size => "size",
        Quantity::Gap => "gap",
    }
}

fn value_words(value: Quantity, number: i64, zone: &Zone) -> String {
    match value {
        Quantity::Time => zone.format(number),
        Quantity::Gap => text::duration(number),
        _ => text::integer(number),
    }
}
