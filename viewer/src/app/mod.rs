//! The state of the page, and the one way to change it: [`App::update`].
//!
//! An update changes values and returns what to ask the workers. What there is to see is computed
//! from the state when it is drawn: `scene`s for the canvases, [`View`] for everything else.

mod questions;
mod view;

#[cfg(test)]
mod tests;

pub use questions::Ask;
pub use view::View;

use crate::chart::{Bars, Histogram, Scatter, Size, cells_of};
use crate::columns::Totals;
use crate::density::{Grid, Span, Window, XAxis};
use crate::histogram::Bins;
use crate::load::Report;
use crate::nearest::Hit;
use crate::query::{Answer, Query};
use crate::scene::{Scene, Theme};
use questions::Questions;

/// Fewest and most bins that can be asked for.
pub const BIN_RANGE: (usize, usize) = (5, 500);
const DEFAULT_BINS: usize = 50;

/// After so many lines without one record a file is no capture, and the rest need not be read.
const HOPELESS_LINES: u64 = 1_000;
/// The same for a file without line feeds, in bytes.
const HOPELESS_BYTES: u64 = 16 << 20;

/// How many times as much as there is can be shown.
const MAX_ZOOM_OUT: i64 = 4;

/// While loading, new pictures are asked for when there are this many times more packets.
const GROWTH: f64 = 1.5;

/// How far loading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was opened.
    #[default]
    Empty,
    /// Bytes are being read.
    Loading,
    /// All was read that will be.
    Ready,
    /// It could not be read.
    Error,
}

impl Phase {
    /// The name that scripts see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Loading => "loading",
            Self::Ready => "ready",
            Self::Error => "error",
        }
    }
}

/// Which chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chart {
    /// Packet Size Distribution.
    Histogram,
    /// Packet sizes over number or time.
    Scatter,
}

/// Something happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A file is being opened, in so many parts.
    Open {
        /// Its name.
        name: String,
        /// Its bytes.
        len: u64,
        /// How many workers read it.
        parts: usize,
    },
    /// What was to be opened cannot be; there is nothing to show any more.
    Fail(String),
    /// Something cannot be done, and all stays as it is.
    Refuse(String),
    /// A part reports how far it is.
    Report {
        /// Which part.
        part: usize,
        /// How far.
        report: Report,
    },
    /// A part answers.
    Answer {
        /// Which question.
        id: u32,
        /// Which part.
        part: usize,
        /// The answer.
        answer: Answer,
    },
    /// The person stops the loading.
    Cancel,
    /// So many bins, if possible.
    SetBins(usize),
    /// Logarithmic counts or not.
    SetLog(bool),
    /// Bars stacked or overlaid.
    SetBars(Bars),
    /// What runs along the scatter's x.
    SetAxis(XAxis),
    /// Light or dark.
    SetTheme(Theme),
    /// A chart's canvas has a new size.
    Resize(Chart, Size),
    /// Zoom the scatter around a pixel; below 1 shows less.
    Zoom {
        /// The pixel; `None` is the middle.
        at: Option<(f64, f64)>,
        /// How many times as much is shown.
        factor: f64,
    },
    /// Move the scatter's content by pixels.
    Pan((f64, f64)),
    /// The pointer takes hold of the scatter's content, or lets go.
    Grip(bool),
    /// Move what the pointer holds by pixels, counted from where it took hold.
    Drag((f64, f64)),
    /// A box is being drawn on the scatter, or no longer.
    Select(Option<((f64, f64), (f64, f64))>),
    /// Show what is in the box that was drawn.
    ZoomToSelection,
    /// Show exactly this.
    SetWindow(Window),
    /// Show everything.
    Reset,
    /// The pointer is over a pixel of a chart, or left it.
    Hover(Chart, Option<(f64, f64)>),
}

/// The state of the page.
#[derive(Debug, Default)]
pub struct App {
    phase: Phase,
    name: String,
    file_len: u64,
    parts: Vec<Report>,
    error: Option<String>,
    is_cancelled: bool,
    bin_count: Option<usize>,
    is_log: bool,
    bars: Bars,
    axis: XAxis,
    /// What the scatter shows; everything where `None`.
    window: Option<Window>,
    selection: Option<((f64, f64), (f64, f64))>,
    /// What the scatter showed when the pointer took hold of it.
    grip: Option<Window>,
    theme: Theme,
    histogram_size: Size,
    scatter_size: Size,
    questions: Questions,
    /// Packets that the pictures were last asked for.
    pictured: u64,
    histogram: Option<(Bins, Vec<u64>)>,
    scatter: Option<(XAxis, Grid, Vec<u32>)>,
    pointer: Option<(Chart, (f64, f64))>,
    hit: Option<Hit>,
}

impl App {
    /// Changes the state as the event asks, and says what the workers have to be asked for it.
    pub fn update(&mut self, event: Event) -> Vec<Ask> {
        match event {
            Event::Open { name, len, parts } => self.open(name, len, parts),
            Event::Fail(error) => {
                self.open(String::new(), 0, 0);
                self.phase = Phase::Error;
                self.error = Some(error);
            }
            Event::Refuse(error) => self.error = Some(error),
            Event::Report { part, report } => return self.report(part, report),
            Event::Answer { id, part, answer } => return self.answer(id, part, answer),
            Event::Cancel => self.is_cancelled = self.phase == Phase::Loading,
            Event::SetBins(count) => self.bin_count = Some(count.clamp(BIN_RANGE.0, BIN_RANGE.1)),
            Event::SetLog(is_log) => self.is_log = is_log,
            Event::SetBars(bars) => self.bars = bars,
            Event::SetAxis(axis) => {
                if self.axis != axis {
                    (self.axis, self.window) = (axis, None);
                }
            }
            Event::SetTheme(theme) => self.theme = theme,
            Event::Resize(Chart::Histogram, size) => self.histogram_size = size,
            Event::Resize(Chart::Scatter, size) => self.scatter_size = size,
            Event::Zoom { at, factor } => {
                let plot = self.scatter_size.plot();
                let middle = (plot.x + plot.width / 2.0, plot.y + plot.height / 2.0);
                let size = self.scatter_size;
                let home = self.home();
                self.show(|window| {
                    // Out, but not to where there is nothing for long.
                    let least = |now: Span, home: Span| {
                        let most = home.len().saturating_mul(MAX_ZOOM_OUT) as f64;
                        factor.min((most / now.len() as f64).max(1.0))
                    };
                    let at = at.unwrap_or(middle);
                    let zoomed = |factor| window.zoomed(size, at, factor);
                    home.map_or(window, |home| Window {
                        x: zoomed(least(window.x, home.x)).x,
                        y: zoomed(least(window.y, home.y)).y,
                    })
                });
            }
            Event::Grip(is_held) => self.grip = self.shown().filter(|_| is_held),
            Event::Drag(by) => {
                if let Some(grip) = self.grip {
                    self.window = Some(grip.panned(self.scatter_size, by));
                }
            }
            Event::Pan(by) => {
                let size = self.scatter_size;
                self.show(|window| window.panned(size, by));
            }
            Event::Select(selection) => self.selection = selection,
            Event::ZoomToSelection => {
                if let Some((a, b)) = self.selection.take() {
                    let size = self.scatter_size;
                    self.show(|window| window.boxed(size, a, b));
                }
            }
            Event::SetWindow(window) => self.window = Some(window),
            Event::Reset => self.window = None,
            Event::Hover(chart, at) => self.pointer = at.map(|at| (chart, at)),
        }
        self.ask()
    }

    /// How far loading is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What is known of all packets together.
    pub fn totals(&self) -> Totals {
        self.parts.iter().map(|part| part.totals).fold(Totals::default(), Totals::merge)
    }

    /// Lines that could not be read.
    pub fn skipped(&self) -> u64 {
        self.parts.iter().map(|part| part.skipped).sum()
    }

    /// Memory of all workers.
    pub fn memory_bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.memory_bytes).sum()
    }

    /// True where the person has stopped this load.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }

    /// True where no answer is awaited and nothing is being read: the pictures are final.
    pub fn is_settled(&self) -> bool {
        let is_pictured = self.histogram.is_some() && self.scatter.is_some();
        let has_pictures = is_pictured || self.totals().extent.is_none();
        self.phase != Phase::Loading && self.questions.is_quiet() && has_pictures
    }

    /// True where what was read is so unlike a capture that the rest need not be read.
    pub fn is_hopeless(&self) -> bool {
        let sum = |of: fn(&Report) -> u64| self.parts.iter().map(of).sum::<u64>();
        let is_enough = HOPELESS_LINES <= sum(|part| part.lines)
            || HOPELESS_BYTES <= sum(|part| part.read_bytes);
        self.phase == Phase::Loading && sum(|part| part.records) == 0 && is_enough
    }

    /// True where there is a picture to show.
    pub fn has_pictures(&self) -> bool {
        self.histogram.is_some()
    }

    /// Borders and counts of the size histogram; none without packets.
    pub fn size_counts(&self) -> Option<(Vec<f64>, Vec<u64>)> {
        let chart = self.histogram_chart()?;
        Some((chart.bins.edges(), (0..chart.bins.count).map(|bin| chart.total(bin)).collect()))
    }

    /// The picture of a chart as of now; `None` without packets.
    pub fn scene(&self, chart: Chart) -> Option<Scene> {
        match chart {
            Chart::Histogram => {
                Some(self.histogram_chart()?.scene(self.histogram_size, self.theme))
            }
            Chart::Scatter => Some(self.scatter_chart()?.scene(self.scatter_size, self.theme)),
        }
    }

    fn histogram_chart(&self) -> Option<Histogram<'_>> {
        let (bins, counts) = self.histogram.as_ref()?;
        Some(Histogram { bins: *bins, counts, is_log: self.is_log, bars: self.bars })
    }

    fn scatter_chart(&self) -> Option<Scatter<'_>> {
        let (axis, grid, counts) = self.scatter.as_ref()?;
        Some(Scatter { axis: *axis, grid: *grid, counts, selection: self.selection })
    }

    fn open(&mut self, name: String, len: u64, parts: usize) {
        *self = Self {
            phase: Phase::Loading,
            name,
            file_len: len,
            parts: vec![Report::default(); parts],
            bin_count: self.bin_count,
            is_log: self.is_log,
            bars: self.bars,
            axis: self.axis,
            theme: self.theme,
            histogram_size: self.histogram_size,
            scatter_size: self.scatter_size,
            questions: self.questions.begun_again(),
            ..Self::default()
        };
    }

    fn report(&mut self, part: usize, report: Report) -> Vec<Ask> {
        let Some(slot) = self.parts.get_mut(part) else { return Vec::new() };
        *slot = report;
        if self.phase == Phase::Loading && self.parts.iter().all(|part| part.is_done) {
            self.finish_loading();
        }
        let packets = self.totals().packets;
        let is_grown = self.pictured as f64 * GROWTH < packets as f64;
        if self.phase == Phase::Loading && !(is_grown && self.questions.is_quiet()) {
            return Vec::new();
        }
        self.pictured = packets;
        self.questions.outdate();
        self.ask()
    }

    fn finish_loading(&mut self) {
        let failure = self.parts.iter().find_map(|part| part.failure.clone());
        let records: u64 = self.parts.iter().map(|part| part.records).sum();
        let first = self.parts.iter().flat_map(|part| &part.problems).next();
        self.error = match (failure, first) {
            (Some(failure), _) => Some(failure),
            (None, Some(problem)) if records == 0 => Some(format!(
                "“{}” is no capture: not one of its lines can be read (line {}: {}).",
                self.name, problem.line, problem.reason
            )),
            (None, None) if records == 0 && !self.is_cancelled => {
                Some(format!("“{}” holds no records.", self.name))
            }
            _ => None,
        };
        self.phase = if self.error.is_some() { Phase::Error } else { Phase::Ready };
    }

    fn answer(&mut self, id: u32, part: usize, answer: Answer) -> Vec<Ask> {
        match self.questions.take(id, part, answer) {
            Some((Query::Sizes(bins), Answer::Sizes(counts))) => {
                self.histogram = Some((bins, counts));
            }
            Some((Query::Density { axis, grid }, Answer::Density(counts))) => {
                self.scatter = Some((axis, grid, counts));
            }
            Some((Query::Nearest { .. }, Answer::Nearest(hit))) => self.hit = hit,
            _ => return Vec::new(),
        }
        self.ask()
    }

    /// Asks for whatever the charts lack.
    fn ask(&mut self) -> Vec<Ask> {
        let Some(extent) = self.totals().extent else { return Vec::new() };
        let mut asks = Vec::new();
        let parts = self.parts.len();
        let count = self.bin_count.unwrap_or(DEFAULT_BINS);
        let bins = Bins { min: extent.len.0, max: extent.len.1, count };
        asks.extend(self.questions.want(Query::Sizes(bins), parts));
        if self.scatter_size == Size::default() {
            return asks;
        }
        let Some(window) = self.shown() else { return asks };
        let grid = cells_of(window, self.scatter_size, self.totals().packets);
        let axis = self.axis;
        asks.extend(self.questions.want(Query::Density { axis, grid }, parts));
        match self.pointed_cell() {
            Some((axis, grid, cell)) => {
                asks.extend(self.questions.want(Query::Nearest { axis, grid, cell }, parts));
            }
            None => self.hit = None,
        }
        asks
    }

    /// The cell of the drawn scatter under the pointer.
    fn pointed_cell(&self) -> Option<(XAxis, Grid, (usize, usize))> {
        let (Chart::Scatter, at) = self.pointer? else { return None };
        let (axis, grid, _) = self.scatter.as_ref()?;
        Some((*axis, *grid, grid.cell_at(self.scatter_size, at)?))
    }

    /// What the scatter shows, or will when its answer is there.
    fn shown(&self) -> Option<Window> {
        self.window.or_else(|| self.home())
    }

    /// Everything, with a little room above.
    fn home(&self) -> Option<Window> {
        let extent = self.totals().extent?;
        let whole = |value: u64| i64::try_from(value).unwrap_or(i64::MAX - 1);
        let x = match self.axis {
            XAxis::Number => Span::new(whole(extent.n.0), whole(extent.n.1).saturating_add(1)),
            XAxis::Time => Span::new(extent.ts_ns.0, extent.ts_ns.1.saturating_add(1)),
        };
        let highest = i64::from(extent.len.1);
        Some(Window { x, y: Span::new(0, highest + highest / 30 + 2) })
    }

    fn show(&mut self, change: impl FnOnce(Window) -> Window) {
        if let Some(window) = self.shown() {
            self.window = Some(change(window));
        }
    }
}
