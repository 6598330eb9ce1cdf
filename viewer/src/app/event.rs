//! What happens to the page, and what it wants done for it.

use super::gesture::Key;
use super::load::FileInfo;
use super::panel::Panel;
use crate::axis::{Span, Value};
use crate::chart::Size;
use crate::clock::Offsets;
use crate::flows::News;
use crate::load::Report;
use crate::query::{Answer, Query};
use crate::scene::Theme;
use crate::selection::{Dimension, Selection};
use crate::settings::Tool;

/// Something happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Files are being opened, in place of what was open or beside it.
    Open {
        /// The files.
        files: Vec<FileInfo>,
        /// Beside what is open.
        is_added: bool,
    },
    /// What was to be opened cannot be; there is nothing to show any more.
    Fail(String),
    /// Something cannot be done, and all stays as it is.
    Refuse(String),
    /// A file is too large: the person has to choose, or has chosen.
    Choose(Option<Choice>),
    /// All files are closed.
    Close,
    /// A part reports how far it is.
    Report {
        /// Which part.
        part: usize,
        /// How far.
        report: Report,
        /// Milliseconds since loading began.
        elapsed_ms: f64,
    },
    /// A part tells of what it has not told of before.
    Learn {
        /// Which part.
        part: usize,
        /// What is new.
        news: News,
    },
    /// A worker answers questions.
    Answers(Vec<(u32, Answer)>),
    /// The person stops the loading.
    Cancel,
    /// A setting, by its name.
    Set(String, String),
    /// The words in the filter box, and whether they are to be applied.
    Filter(String, usize),
    /// Nothing is selected in that dimension any more; in none at all for `None`.
    Clear(Option<Dimension>),
    /// Something is selected by words of the filter language.
    Select(Dimension, String),
    /// Back by a step.
    Undo,
    /// Forth by a step.
    Redo,
    /// What is selected by ranges fills the pictures.
    ZoomToSelection,
    /// Everything is shown.
    Reset,
    /// Show exactly this of a value.
    SetZoom(Value, Span),
    /// Light or dark.
    SetTheme(Theme),
    /// How far the clock of this place is ahead of UTC.
    SetOffsets(Offsets),
    /// A chart's canvas has a new size.
    Resize(Panel, Size),
    /// A table has room for so many rows.
    Room(Panel, usize),
    /// A panel has come into sight, or left it.
    See(Panel, bool),
    /// A table's first row is to be this one.
    Scroll(Panel, u64),
    /// A row of a table is chosen, by its place among those that are shown.
    Choice(Panel, usize),
    /// The chosen packet's line was read.
    Line(String),
    /// Details are no longer wanted.
    CloseDetail,
    /// The table of a chart is shown, or no longer.
    Twin(Panel),
    /// Zoom around a pixel; below 1 shows less.
    Zoom {
        /// Where.
        panel: Panel,
        /// The pixel; `None` is the middle.
        at: Option<(f64, f64)>,
        /// How many times as much is shown.
        factor: f64,
    },
    /// Move what is shown by shares of the plot.
    Shift(Panel, (f64, f64)),
    /// A pointer goes down; a key that is held may choose a tool.
    Press(Panel, (f64, f64), Option<Tool>),
    /// A pointer moves.
    Drag(Panel, (f64, f64)),
    /// A pointer goes up.
    Release,
    /// The browser takes the pointer away.
    Abort,
    /// A pointer leaves a chart.
    Leave,
    /// A key goes down in a chart.
    Key(Panel, Key, bool),
    /// What was typed is complete.
    Commit,
    /// One change comes close behind the other, or no longer.
    Hurry(bool),
    /// The state of a link.
    Restore(String),
}

/// A file that does not fit memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// About how many packets it has.
    pub packets: u64,
    /// About how many bytes of memory they need, and how many there are.
    pub needed: u64,
    /// See `needed`.
    pub limit: u64,
    /// Which share of the packets fits: every so many.
    pub every: u64,
}

/// Something to be done for a change.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a few at a time, and most are the large one")]
pub enum Effect {
    /// Ask the workers.
    Ask {
        /// Questions with their ids.
        queries: Vec<(u32, Query)>,
        /// What is selected.
        selection: Selection,
    },
    /// Read the line of a packet, and send it as [`Event::Line`].
    Read {
        /// Of which part.
        part: usize,
        /// Its place there.
        index: usize,
    },
}

impl Event {
    /// True where somebody changes what is shown, as may be done many times a second.
    pub fn is_change(&self) -> bool {
        matches!(
            self,
            Self::Set(..)
                | Self::Filter(..)
                | Self::Clear(_)
                | Self::Select(..)
                | Self::Undo
                | Self::Redo
                | Self::SetZoom(..)
                | Self::Zoom { .. }
                | Self::Shift(..)
                | Self::Key(..)
        )
    }
}
