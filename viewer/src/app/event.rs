//! What happens to the page, and what it wants done for it.

use super::gesture::Key;
use super::offer::{FileInfo, Memory, Piece};
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
    /// Files are opened in place of what was open; what they are is not known yet.
    Open(Vec<FileInfo>),
    /// Files whose first bytes are known are to be read, beside what is: in so much memory.
    Offer(Vec<FileInfo>, Memory),
    /// Of files that do not fit, every so many packets are kept, in a person's words.
    KeepEvery(String),
    /// Of files that do not fit, a time is kept: from and to, in a person's words.
    KeepTimes(String, String),
    /// Files that do not fit are read as a whole.
    KeepAll,
    /// What was to be opened cannot be; there is nothing to show any more.
    Fail(String),
    /// Something cannot be done, and all stays as it is.
    Refuse(String),
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
    /// The words in the filter box, and the byte of them at which its cursor is.
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
    /// A row of a table is picked, by its place among those that are shown.
    Pick(Panel, usize),
    /// The line of a packet was read, which is that of a part, at a place there.
    Line(usize, usize, String),
    /// Lines of packets in the table were read, or are empty where that takes reading all of a file:
    /// of that part, at that place there.
    Lines(Vec<((usize, usize), String)>),
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
    /// A key goes down in a chart; with `true` it selects on the way.
    Key(Panel, Key, bool),
    /// What was typed is complete.
    Commit,
    /// One change comes close behind the other, or no longer.
    Hurry(bool),
    /// The state of a link.
    Restore(String),
}

/// Something to be done for a change.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(clippy::large_enum_variant, reason = "a few at a time, and most are the large one")
)]
pub enum Effect {
    /// Ask the workers.
    Ask {
        /// Questions with their ids.
        queries: Vec<(u32, Query)>,
        /// What is selected.
        selection: Selection,
    },
    /// Have these read, of the files that were offered.
    Load(Vec<Piece>),
    /// Have no more read, but keep what was.
    Cancel,
    /// Read the line of a packet, and send it as [`Event::Line`]; no other one is wanted any more.
    Read {
        /// Of which part.
        part: usize,
        /// Its place there.
        index: usize,
    },
    /// Read the lines of these packets, each by its part and its place there, and send them as
    /// [`Event::Lines`].
    ReadAll(Vec<(usize, usize)>),
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
