//! The charts: data and settings in, a [`Scene`] out.

mod histogram;
mod scatter;

pub use histogram::{Bars, Histogram};
pub use scatter::{Scatter, cells_of};

use crate::protocol::{CLASSES, Class};
use crate::scale::{Linear, Tick};
use crate::scene::{Align, Mark, Place, Scene, Theme};

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
    pub fn plot(self) -> Place {
        let (left, top, right, bottom) = (76.0, 52.0, 18.0, 48.0);
        Place {
            x: left,
            y: top,
            width: (self.width_px - left - right).max(10.0),
            height: (self.height_px - top - bottom).max(10.0),
        }
    }
}

/// What all charts have: ground, title, axes with ticks, labels and a legend.
struct Frame<'a> {
    size: Size,
    theme: Theme,
    title: &'a str,
    x_label: &'a str,
    y_label: &'a str,
    /// Pixel and label of each tick.
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
    /// Classes in the legend.
    legend: Vec<Class>,
}

impl Frame<'_> {
    /// The scene with everything that lies under the data.
    fn scene(&self) -> Scene {
        let plot = self.size.plot();
        let (ink, grid) = (self.theme.ink(), self.theme.grid());
        let bottom = plot.y + plot.height;
        let mut marks = Vec::new();
        let text = |at, text: &str, align, size_px, is_upright| Mark::Text {
            at,
            text: text.to_owned(),
            color: ink,
            size_px,
            align,
            is_upright,
        };
        marks.push(text((plot.x, 16.0), self.title, Align::Start, TITLE_PX, false));
        for (y, label) in &self.y_ticks {
            let right = plot.x + plot.width;
            marks.push(Mark::Line { from: (plot.x, *y), to: (right, *y), color: grid });
            marks.push(text((plot.x - 8.0, *y), label, Align::End, LABEL_PX, false));
        }
        let mut free_from = f64::NEG_INFINITY;
        for (x, label) in &self.x_ticks {
            marks.push(Mark::Line { from: (*x, bottom), to: (*x, bottom + 5.0), color: ink });
            // Letters are about 0.6 of their height wide: labels that would touch are left out.
            let half = label.chars().count() as f64 * LABEL_PX * 0.3;
            if free_from <= x - half && x + half <= self.size.width_px {
                marks.push(text((*x, bottom + 15.0), label, Align::Middle, LABEL_PX, false));
                free_from = x + half + 8.0;
            }
        }
        let middle = plot.x + plot.width / 2.0;
        marks.push(text((middle, bottom + 36.0), self.x_label, Align::Middle, LABEL_PX, false));
        let middle = plot.y + plot.height / 2.0;
        marks.push(text((12.0, middle), self.y_label, Align::Middle, LABEL_PX, true));
        let mut x = plot.x;
        for class in &self.legend {
            let place = Place { x, y: 32.0, width: 11.0, height: 11.0 };
            marks.push(Mark::Rect { place, color: class.color(self.theme.is_dark), opacity: 1.0 });
            marks.push(text((x + 16.0, 38.0), class.name(), Align::Start, LABEL_PX, false));
            x += 16.0 + class.name().len() as f64 * 7.2 + 16.0;
        }
        Scene {
            width_px: self.size.width_px,
            height_px: self.size.height_px,
            ground: self.theme.ground(),
            marks,
        }
    }

    /// The axes themselves, over the data.
    fn close(&self, scene: &mut Scene) {
        let plot = self.size.plot();
        let color = self.theme.ink();
        let corner = (plot.x, plot.y + plot.height);
        let end = (plot.x + plot.width, corner.1);
        scene.marks.push(Mark::Line { from: corner, to: end, color });
        scene.marks.push(Mark::Line { from: (plot.x, plot.y), to: corner, color });
    }
}

/// Ticks by their pixels.
fn placed<V: Copy>(
    ticks: Vec<Tick<V>>,
    scale: &Linear,
    value: impl Fn(V) -> f64,
) -> Vec<(f64, String)> {
    ticks.into_iter().map(|tick| (scale.px_from_value(value(tick.value)), tick.label)).collect()
}

/// The classes that have any packets, by counts that come class after class.
fn present<C: Copy + PartialOrd + Default>(counts: &[C], per_class: usize) -> Vec<Class> {
    CLASSES
        .into_iter()
        .filter(|class| {
            let start = class.index() * per_class;
            counts[start..start + per_class].iter().any(|count| C::default() < *count)
        })
        .collect()
}
