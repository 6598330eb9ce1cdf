//! The plot of sequence numbers over time: from a [`Sequence`] to a [`Scene`].

use crate::sequence::{Finding, Point, Sequence, Values};
use viewer_model::axis::Span;
use viewer_model::protocol::Rgb;
use viewer_model::scene::{Align, Mark, Rect, Scene, Theme};
use viewer_model::text::integer;
use viewer_model::ticks::{multiples, round_step};
use viewer_model::time::{duration, time_step};

/// Font size of labels.
const LABEL_PX: f64 = 12.0;
/// Margins around the data.
const LEFT_PX: f64 = 88.0;
const TOP_PX: f64 = 22.0;
const RIGHT_PX: f64 = 14.0;
const BOTTOM_PX: f64 = 22.0;
/// Narrower canvases are narrow.
const MIN_WIDE_PX: f64 = 500.0;
/// Half the size of a mark.
const MARK_PX: f64 = 3.0;
/// How near the pointer has to be to a packet.
const MAX_POINTER_PX: f64 = 24.0;

/// The part of a sequence that is drawn, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plot {
    /// The time, in nanoseconds since the start.
    pub time: (i64, i64),
    /// The numbers.
    numbers: (i64, i64),
    width_px: f64,
    height_px: f64,
}

/// What is drawn over the data.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overlay {
    /// Index of the point at the cursor.
    pub cursor: Option<usize>,
    /// The time range that is being selected.
    pub brush: Option<(i64, i64)>,
}

/// A kind of mark: its colour, and its name in the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Data,
    Retransmission,
    Other,
    Ack,
    Window,
}

impl Kind {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Data, "data"),
        (Self::Retransmission, "retransmission"),
        (Self::Other, "other"),
        (Self::Ack, "ACK"),
        (Self::Window, "window"),
    ];

    fn of(finding: Option<Finding>) -> Self {
        match finding {
            None => Self::Data,
            Some(Finding::Retransmission(_)) => Self::Retransmission,
            Some(_) => Self::Other,
        }
    }

    /// Colours that the colour-blind can tell apart (Okabe and Ito), with a contrast of 3:1 to the background.
    const fn color(self, theme: Theme) -> Rgb {
        match (self, theme.is_dark) {
            (Self::Data, _) => theme.accent(),
            (Self::Retransmission, false) => [0xc0, 0x1c, 0x28],
            (Self::Retransmission, true) => [0xff, 0x6b, 0x6b],
            (Self::Other, false) => [0xb3, 0x47, 0x00],
            (Self::Other, true) => [0xe6, 0x9f, 0x00],
            (Self::Ack, false) => [0x00, 0x7a, 0x5a],
            (Self::Ack, true) => [0x00, 0xb3, 0x86],
            (Self::Window, _) => theme.unselected(),
        }
    }
}

impl Plot {
    /// The points in a time range, or all, on a canvas of that size.
    pub fn new(
        sequence: &Sequence,
        time: Option<(i64, i64)>,
        width_px: f64,
        height_px: f64,
    ) -> Self {
        let times = sequence.points.iter().map(|point| point.ns);
        let all = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
        let time = time.unwrap_or(all);
        let time = (time.0, time.1.max(time.0 + 1));
        let shown = sequence.points.iter().filter(|point| time.0 <= point.ns && point.ns <= time.1);
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for (from, to) in shown.map(Point::range) {
            (low, high) = (low.min(from), high.max(to));
        }
        if high < low {
            (low, high) = (0, 1);
        }
        Self { time, numbers: (low, high.max(low + 1)), width_px, height_px }
    }

    fn area(&self) -> Rect {
        Rect {
            x: LEFT_PX,
            y: TOP_PX,
            width: (self.width_px - LEFT_PX - RIGHT_PX).max(10.0),
            height: (self.height_px - TOP_PX - BOTTOM_PX).max(10.0),
        }
    }

    fn x(&self, ns: i64) -> f64 {
        let area = self.area();
        area.x + area.width * (ns - self.time.0) as f64 / (self.time.1 - self.time.0) as f64
    }

    fn y(&self, number: i64) -> f64 {
        let (area, (low, high)) = (self.area(), self.numbers);
        area.y + area.height * (1.0 - (number - low) as f64 / (high - low) as f64)
    }

    /// The time at a pixel, within the range.
    pub fn time_at(&self, x_px: f64) -> i64 {
        let area = self.area();
        let fraction = ((x_px - area.x) / area.width).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, reason = "a part of the range")]
        let distance = (fraction * (self.time.1 - self.time.0) as f64).round() as i64;
        self.time.0 + distance
    }

    /// The range of time that is shown after zooming by a factor around a time; `None` for everything.
    pub fn zoomed(&self, sequence: &Sequence, center: i64, factor: f64) -> Option<(i64, i64)> {
        let all = Self::new(sequence, None, self.width_px, self.height_px).time;
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the whole range")]
        let scaled = |ns: i64| (((ns - center) as f64) * factor) as i64;
        let from = center.saturating_add(scaled(self.time.0)).max(all.0);
        let to = center.saturating_add(scaled(self.time.1)).min(all.1);
        let is_all = from <= all.0 && all.1 <= to;
        (!is_all && from < to).then_some((from, to))
    }

    /// Index of the point nearest to a pixel.
    pub fn nearest(&self, sequence: &Sequence, (x_px, y_px): (f64, f64)) -> Option<usize> {
        let distance = |point: &Point| {
            let (from, to) = match point.values {
                Values::Segment { from, to } => (from, to),
                Values::Ack { ack, .. } => (ack, ack),
            };
            let (top, bottom) = (self.y(to), self.y(from));
            let dy = (top - y_px).max(y_px - bottom).max(0.0);
            (self.x(point.ns) - x_px).hypot(dy)
        };
        let mut best: Option<(usize, f64)> = None;
        for (index, point) in sequence.points.iter().enumerate() {
            let distance = distance(point);
            if distance <= best.map_or(MAX_POINTER_PX, |(_, best)| best) {
                best = Some((index, distance));
            }
        }
        best.map(|(index, _)| index)
    }

    /// Draws the plot.
    pub fn scene(&self, sequence: &Sequence, overlay: Overlay, theme: Theme) -> Scene {
        let (width_px, height_px) = (self.width_px, self.height_px);
        let mut marks = Vec::new();
        self.draw_axes(theme, &mut marks);
        self.draw_steps(sequence, theme, &mut marks);
        self.draw_segments(sequence, theme, &mut marks);
        self.draw_legend(sequence, theme, &mut marks);
        self.draw_overlay(sequence, overlay, theme, &mut marks);
        Scene { width_px, height_px, background: theme.background(), marks }
    }

    fn draw_axes(&self, theme: Theme, marks: &mut Vec<Mark>) {
        let (area, color) = (self.area(), theme.foreground());
        let (right, bottom) = (area.x + area.width, area.y + area.height);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
        let [rows, columns] = [area.height / 40.0, area.width / 130.0].map(|n| n.max(2.0) as usize);
        let numbers = Span::closed(self.numbers);
        for number in multiples(numbers, round_step(numbers.len(), rows)) {
            let y = self.y(number);
            marks.push(Mark::Line { from: (area.x, y), to: (right, y), color: theme.grid() });
            marks.push(label((area.x - 8.0, y), integer(number), Align::End, color));
        }
        let time = Span::closed(self.time);
        let mut free_from = 0.0;
        for ns in multiples(time, time_step(time.len(), columns)) {
            let (x, text) = (self.x(ns), duration(ns));
            marks.push(Mark::Line { from: (x, bottom), to: (x, bottom + 5.0), color });
            let half = text.chars().count() as f64 * LABEL_PX * 0.31;
            if free_from <= x - half && x + half <= self.width_px {
                marks.push(label((x, bottom + 14.0), text, Align::Middle, color));
                free_from = x + half + 8.0;
            }
        }
        marks.push(Mark::Line { from: (area.x, bottom), to: (right, bottom), color });
        marks.push(Mark::Line { from: (area.x, area.y), to: (area.x, bottom), color });
    }

    fn is_shown(&self, point: &&Point) -> bool {
        self.time.0 <= point.ns && point.ns <= self.time.1
    }

    /// The lines of acknowledgments and of the window: each value lasts until the next one.
    fn draw_steps(&self, sequence: &Sequence, theme: Theme, marks: &mut Vec<Mark>) {
        let [window, ack] = [Kind::Window, Kind::Ack].map(|kind| kind.color(theme));
        let mut lines = [window, ack].map(Steps::new);
        let mut dots: Vec<((f64, f64), Rgb)> = Vec::new();
        for point in sequence.points.iter().filter(|point| self.is_shown(point)) {
            let Values::Ack { ack, edge } = point.values else { continue };
            let (x, ys) =
                (self.x(point.ns).floor(), [edge, ack].map(|number| self.y(number).floor()));
            lines.iter_mut().zip(ys).for_each(|(line, y)| line.add((x, y), marks));
            if let Some(finding) = point.finding {
                dots.push(((x, ys[1]), Kind::of(Some(finding)).color(theme)));
            }
        }
        lines.into_iter().for_each(|line| line.finish(marks));
        dots.dedup();
        marks.extend(dots.into_iter().map(|(at, color)| dot(at, color)));
    }

    /// The bars of segments. Bars of the same kind in a column of pixels that touch become one.
    fn draw_segments(&self, sequence: &Sequence, theme: Theme, marks: &mut Vec<Mark>) {
        let mut bar: Option<(Kind, f64, f64, f64)> = None;
        let push = |bar: Option<(Kind, f64, f64, f64)>, marks: &mut Vec<Mark>| {
            let Some((kind, x, top, bottom)) = bar else { return };
            // Findings are higher than the dots of acknowledgments, which are often in the same place.
            let (width, min_height) =
                if kind == Kind::Data { (1.0, 2.0) } else { (3.0, 4.0 * MARK_PX) };
            let (x, height) = (x - (width - 1.0) / 2.0, (bottom - top).max(min_height));
            let rect = Rect { x, y: f64::midpoint(top, bottom) - height / 2.0, width, height };
            marks.push(Mark::Rect { rect, color: kind.color(theme), opacity: 1.0 });
        };
        for point in sequence.points.iter().filter(|point| self.is_shown(point)) {
            let Values::Segment { from, to } = point.values else { continue };
            let (kind, x) = (Kind::of(point.finding), self.x(point.ns).floor());
            let (top, bottom) = (self.y(to), self.y(from));
            bar = match bar {
                Some((other, at, high, low))
                    if (other, at) == (kind, x) && top <= low + 1.0 && high <= bottom + 1.0 =>
                {
                    Some((kind, x, high.min(top), low.max(bottom)))
                }
                before => {
                    push(before, marks);
                    Some((kind, x, top, bottom))
                }
            };
        }
        push(bar, marks);
    }

    /// The names of the colours that are used.
    fn draw_legend(&self, sequence: &Sequence, theme: Theme, marks: &mut Vec<Mark>) {
        let findings = || sequence.points.iter().map(|point| point.finding);
        // Narrow canvases have no space beside the labels of the axis.
        let mut x = if self.width_px < MIN_WIDE_PX { MARK_PX } else { LEFT_PX };
        for (kind, name) in Kind::ALL {
            let is_used = match kind {
                Kind::Retransmission | Kind::Other => {
                    findings().any(|found| Kind::of(found) == kind)
                }
                _ => true,
            };
            if !is_used {
                continue;
            }
            marks.push(dot((x + MARK_PX, TOP_PX / 2.0), kind.color(theme)));
            let at = (x + 3.0 * MARK_PX, TOP_PX / 2.0);
            marks.push(label(at, name.to_owned(), Align::Start, theme.foreground()));
            x += name.chars().count() as f64 * LABEL_PX * 0.56 + 20.0;
        }
    }

    fn draw_overlay(
        &self,
        sequence: &Sequence,
        overlay: Overlay,
        theme: Theme,
        marks: &mut Vec<Mark>,
    ) {
        let (area, color) = (self.area(), theme.foreground());
        if let Some((from, to)) = overlay.brush {
            let [from, to] = [from, to].map(|ns| self.x(ns.clamp(self.time.0, self.time.1)));
            let rect =
                Rect { x: from, y: area.y, width: (to - from).max(1.0), height: area.height };
            marks.push(Mark::Rect { rect, color, opacity: 0.12 });
            for x in [from, to] {
                marks.push(Mark::Line { from: (x, area.y), to: (x, area.y + area.height), color });
            }
        }
        let point = overlay.cursor.and_then(|cursor| sequence.points.get(cursor));
        if let Some(point) = point.filter(|point| self.is_shown(point)) {
            let (x, y) = (self.x(point.ns), self.y(point.range().0));
            marks.push(Mark::Line { from: (x, area.y), to: (x, area.y + area.height), color });
            marks.push(Mark::Line { from: (area.x, y), to: (area.x + area.width, y), color });
        }
    }
}

/// A line of steps. The steps within a column of pixels become one line.
struct Steps {
    color: Rgb,
    /// The column, the highest and the lowest pixel in it, and the last one.
    column: Option<(f64, f64, f64, f64)>,
}

impl Steps {
    fn new(color: Rgb) -> Self {
        Self { color, column: None }
    }

    fn add(&mut self, (x, y): (f64, f64), marks: &mut Vec<Mark>) {
        let color = self.color;
        self.column = Some(match self.column {
            Some((at, top, bottom, _)) if at == x => (x, top.min(y), bottom.max(y), y),
            Some((at, top, bottom, last)) => {
                vertical(at, top, bottom, color, marks);
                marks.push(Mark::Line { from: (at, last), to: (x, last), color });
                (x, last.min(y), last.max(y), y)
            }
            None => (x, y, y, y),
        });
    }

    fn finish(self, marks: &mut Vec<Mark>) {
        if let Some((x, top, bottom, _)) = self.column {
            vertical(x, top, bottom, self.color, marks);
        }
    }
}

fn vertical(x: f64, top: f64, bottom: f64, color: Rgb, marks: &mut Vec<Mark>) {
    if top < bottom {
        marks.push(Mark::Line { from: (x, top), to: (x, bottom), color });
    }
}

fn label(at: (f64, f64), text: String, align: Align, color: Rgb) -> Mark {
    Mark::Text { at, text, color, size_px: LABEL_PX, align, is_upright: false }
}

fn dot((x, y): (f64, f64), color: Rgb) -> Mark {
    let size = 2.0 * MARK_PX;
    let rect = Rect { x: x - MARK_PX, y: y - MARK_PX, width: size, height: size };
    Mark::Rect { rect, color, opacity: 1.0 }
}
