//! The scatter of packet sizes over packet numbers or time, as counts per cell.

use super::{Frame, Size, placed, present};
use crate::density::{Grid, Span, Window, XAxis};
use crate::protocol::CLASSES;
use crate::scale::{Linear, integer_ticks, time_ticks};
use crate::scene::{Mark, Place, Scene, Theme};
use crate::text;
use summary::grouped;

/// Width and height of a cell in CSS pixels where there are many packets: fine, yet to be seen.
const CELL_PX: f64 = 2.0;
/// The same where there are few: each is a mark that catches the eye.
const LARGE_CELL_PX: f64 = 4.0;
/// How many packets are few.
const FEW_PACKETS: u64 = 20_000;

/// Everything that the picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Scatter<'a> {
    /// What runs along x.
    pub axis: XAxis,
    /// The cells.
    pub grid: Grid,
    /// Counts by class, row and column.
    pub counts: &'a [u32],
    /// A box being drawn, from corner to corner, in pixels.
    pub selection: Option<((f64, f64), (f64, f64))>,
}

/// The grid for a window in a chart of that size, where there are so many packets in all.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
pub fn cells_of(window: Window, size: Size, packets: u64) -> Grid {
    let plot = size.plot();
    let cell_px = if packets < FEW_PACKETS { LARGE_CELL_PX } else { CELL_PX };
    let count = |px: f64| (px / cell_px).floor().clamp(1.0, 4_000.0) as usize;
    Grid { window, columns: count(plot.width), rows: count(plot.height) }
}

impl Scatter<'_> {
    /// The picture.
    pub fn scene(&self, size: Size, theme: Theme) -> Scene {
        let plot = size.plot();
        let (x_scale, y_scale) = scales(self.grid.window, plot);
        let (x_ticks, x_label) = match self.axis {
            XAxis::Number => (integer_ticks(self.grid.window.x, 8), "Packet number"),
            XAxis::Time => (time_ticks(self.grid.window.x, 7), "Time (UTC)"),
        };
        let origin = self.grid.window.x.start;
        let frame = Frame {
            size,
            theme,
            title: "Packet Sizes",
            x_label,
            y_label: "Packet size (bytes)",
            x_ticks: placed(x_ticks, &x_scale, |value| distance(origin, value)),
            y_ticks: placed(integer_ticks(self.grid.window.y, 6), &y_scale, |value| value as f64),
            legend: present(self.counts, self.grid.cell_count()),
        };
        let mut scene = frame.scene();
        scene.marks.push(Mark::Cells {
            place: plot,
            columns: self.grid.columns,
            rgba: self.rgba(theme),
        });
        frame.close(&mut scene);
        if let Some((a, b)) = self.selection {
            let place = Place {
                x: a.0.min(b.0),
                y: a.1.min(b.1),
                width: (a.0 - b.0).abs(),
                height: (a.1 - b.1).abs(),
            };
            scene.marks.push(Mark::Rect { place, color: theme.ink(), opacity: 0.15 });
        }
        scene
    }

    /// What the picture shows, in words.
    pub fn words(&self) -> String {
        let Window { x, y } = self.grid.window;
        let shown: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let x = match self.axis {
            XAxis::Number => format!("number {} to {}", x.start, x.end - 1),
            XAxis::Time => format!("{} to {}", text::time(x.start), text::time(x.end - 1)),
        };
        format!(
            "Scatter of packet sizes: {} packets, {x}, {} to {} bytes.",
            grouped(shown),
            y.start,
            y.end - 1,
        )
    }

    /// Packets in a cell, and in words how many of each class.
    pub fn words_of_cell(&self, (column, row): (usize, usize)) -> String {
        let place = row * self.grid.columns + column;
        let of_class = |class: usize| self.counts[class * self.grid.cell_count() + place];
        let total: u32 = (0..CLASSES.len()).map(of_class).sum();
        if total == 1 {
            return "1 packet here".to_owned();
        }
        let mut words = format!("{} packets here:", grouped(u64::from(total)));
        for class in CLASSES {
            let count = of_class(class.index());
            if count > 0 {
                words += &format!(" {} {}", class.name(), grouped(u64::from(count)));
            }
        }
        words
    }

    /// A colour for each cell: of the class with most packets, the stronger the more there are, on
    /// a logarithmic scale up to the fullest cell. Rows turned: a picture begins at the top.
    fn rgba(&self, theme: Theme) -> Vec<u8> {
        let cell_count = self.grid.cell_count();
        let mut totals = vec![0u32; cell_count];
        let mut leading = vec![(0u32, 0u8); cell_count];
        for class in present(self.counts, cell_count) {
            let counts = &self.counts[class.index() * cell_count..][..cell_count];
            for (place, count) in counts.iter().enumerate() {
                totals[place] += count;
                if leading[place].0 < *count {
                    leading[place] = (*count, class as u8);
                }
            }
        }
        let fullest = totals.iter().copied().max().unwrap_or(0);
        let log_fullest = f64::from(fullest.max(2)).ln();
        let colors = CLASSES.map(|class| class.color(theme.is_dark));
        let mut rgba = vec![0; cell_count * 4];
        for (place, total) in totals.iter().enumerate().filter(|(_, total)| **total > 0) {
            let (row, column) = (place / self.grid.columns, place % self.grid.columns);
            let turned = ((self.grid.rows - 1 - row) * self.grid.columns + column) * 4;
            let strength = 0.6 + 0.4 * f64::from(*total).ln() / log_fullest;
            let [red, green, blue] = colors[usize::from(leading[place].1)];
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in 0..=255"
            )]
            let opacity = (strength * 255.0) as u8;
            rgba[turned..turned + 4].copy_from_slice(&[red, green, blue, opacity]);
        }
        rgba
    }
}

/// Scales of a window: x from the window's start on, so that no nanosecond is rounded away.
fn scales(window: Window, plot: Place) -> (Linear, Linear) {
    let x = Linear::new((0.0, window.x.len() as f64), (plot.x, plot.x + plot.width));
    let y = (window.y.start as f64, window.y.end as f64);
    (x, Linear::new(y, (plot.y + plot.height, plot.y)))
}

fn distance(origin: i64, value: i64) -> f64 {
    value.saturating_sub(origin) as f64
}

impl Grid {
    /// The cell under a pixel; `None` outside of the plot.
    pub fn cell_at(&self, size: Size, (x, y): (f64, f64)) -> Option<(usize, usize)> {
        let plot = size.plot();
        let cell = |px: f64, len: f64, count: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in 0..count"
            )]
            (0.0 <= px && px < len).then(|| ((px / len) * count as f64) as usize)
        };
        Some((
            cell(x - plot.x, plot.width, self.columns)?,
            cell(plot.y + plot.height - y, plot.height, self.rows)?,
        ))
    }
}

/// What a pointer does to a window.
impl Window {
    /// Zoomed around a pixel: `factor` below 1 shows less.
    #[must_use]
    pub fn zoomed(self, size: Size, at: (f64, f64), factor: f64) -> Self {
        let plot = size.plot();
        let (x, y) = ((at.0 - plot.x) / plot.width, (plot.y + plot.height - at.1) / plot.height);
        Self { x: zoom(self.x, x, factor), y: zoom(self.y, y, factor) }
    }

    /// Moved with a pointer that went so many pixels.
    #[must_use]
    pub fn panned(self, size: Size, (dx, dy): (f64, f64)) -> Self {
        let plot = size.plot();
        Self { x: shift(self.x, -dx / plot.width), y: shift(self.y, dy / plot.height) }
    }

    /// What lies in a box between two pixels.
    #[must_use]
    pub fn boxed(self, size: Size, a: (f64, f64), b: (f64, f64)) -> Self {
        let plot = size.plot();
        let x = |px: f64| ((px - plot.x) / plot.width).clamp(0.0, 1.0);
        let y = |px: f64| ((plot.y + plot.height - px) / plot.height).clamp(0.0, 1.0);
        Self {
            x: part(self.x, x(a.0.min(b.0)), x(a.0.max(b.0))),
            y: part(self.y, y(a.1.max(b.1)), y(a.1.min(b.1))),
        }
    }
}

fn zoom(span: Span, share: f64, factor: f64) -> Span {
    let share = share.clamp(0.0, 1.0);
    let zoomed = part(span, share - share * factor, share + (1.0 - share) * factor);
    // Rounded to whole units, a few of them might never become fewer.
    if factor < 1.0 && zoomed == span && 1 < span.len() {
        let is_right = 0.5 < share;
        return Span::new(span.start + i64::from(is_right), span.end - i64::from(!is_right));
    }
    zoomed
}

fn shift(span: Span, by: f64) -> Span {
    let distance = whole(by * span.len() as f64);
    let start = span.start.saturating_add(distance);
    Span::new(start, start.saturating_add(span.len()))
}

/// The part of a span between two shares of it, which may lie outside of 0 to 1.
fn part(span: Span, from: f64, to: f64) -> Span {
    let len = span.len() as f64;
    let start = span.start.saturating_add(whole((from * len).floor()));
    Span::new(start, span.start.saturating_add(whole((to * len).ceil())))
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CLASS_COUNT, Class};
    use proptest::prelude::*;

    const SIZE: Size = Size { width_px: 494.0, height_px: 300.0 };

    fn window() -> Window {
        Window { x: Span::new(1, 1_001), y: Span::new(0, 1_515) }
    }

    #[test]
    fn the_picture_begins_at_the_top_and_shows_the_leading_class() {
        let grid = Grid { window: window(), columns: 2, rows: 2 };
        let mut counts = vec![0; CLASS_COUNT * 4];
        counts[Class::Tcp.index() * 4] = 5; // lower left
        counts[Class::Udp.index() * 4] = 2;
        counts[Class::Udp.index() * 4 + 3] = 1; // upper right
        let scatter = Scatter { axis: XAxis::Number, grid, counts: &counts, selection: None };
        let rgba = scatter.rgba(Theme { is_dark: false });
        assert_eq!(rgba[4..7], Class::Udp.color(false));
        assert_eq!(rgba[8..12], [0x00, 0x72, 0xb2, 255]);
        assert_eq!((rgba[3], rgba[15]), (0, 0), "empty cells");
        assert!(0 < rgba[7] && rgba[7] < 255);
        assert_eq!(scatter.words_of_cell((0, 0)), "7 packets here: tcp 5 udp 2");
        assert_eq!(scatter.words_of_cell((1, 1)), "1 packet here");
    }

    #[test]
    fn zooming_in_ends_at_one_unit() {
        for share in [0.1, 0.5, 0.9] {
            let plot = SIZE.plot();
            let mut window = window();
            for _ in 0..200 {
                window = window.zoomed(SIZE, (plot.x + share * plot.width, plot.y), 0.8);
            }
            assert_eq!((window.x.len(), window.y.len()), (1, 1));
        }
    }

    #[test]
    fn a_window_of_nanoseconds_keeps_its_place() {
        let start = 1_795_402_418_123_456_789;
        let window = Window { x: Span::new(start, start + 8), y: Span::new(0, 100) };
        let plot = SIZE.plot();
        let zoomed = window.zoomed(SIZE, (plot.x + plot.width / 2.0, plot.y), 0.5);
        assert_eq!(zoomed.x, Span::new(start + 2, start + 6));
        let panned = window.panned(SIZE, (-plot.width / 8.0, 0.0));
        assert_eq!(panned.x, Span::new(start + 1, start + 9));
    }

    proptest! {
        #[test]
        fn zooming_in_shows_a_part_and_keeps_the_pointed_value(x in 0f64..400.0, factor in 0.1f64..1.0) {
            let plot = SIZE.plot();
            let at = (plot.x + x, plot.y + 50.0);
            let zoomed = window().zoomed(SIZE, at, factor);
            prop_assert!(window().x.start <= zoomed.x.start && zoomed.x.end <= window().x.end);
            let value = |window: Window| window.x.start as f64 + x / plot.width * window.x.len() as f64;
            prop_assert!((value(window()) - value(zoomed)).abs() <= 2.0);
        }

        #[test]
        fn any_gesture_leaves_a_window(a in any::<(f64, f64)>(), b in any::<(f64, f64)>(), factor: f64, start: i64, len: i64) {
            let window = Window { x: Span::new(start, start.saturating_add(len)), y: Span::new(0, 10) };
            for window in [window.zoomed(SIZE, a, factor), window.panned(SIZE, a), window.boxed(SIZE, a, b)] {
                prop_assert!(window.x.start < window.x.end && window.y.start < window.y.end);
            }
        }
    }
}
