//! The inputs of [`App::update`](super::App::update), and the effects that the caller carries out.

use super::cursor::Key;
use super::follow::{Append, FollowEvent};
use super::memory_plan::{FileInfo, Memory, PartAssignment};
use super::panel::Panel;
use crate::address_names::NamedAddress;
use crate::axis::{Quantity, Span};
use crate::chart::Size;
use crate::flow::FlowDelta;
use crate::load::{ConnectionRead, Limits, RawFrame, Report};
use crate::query::{Answer, LocatedPacket, Query};
use crate::scene::Theme;
use crate::selection::{Dimension, Selection};
use crate::settings::Tool;
use crate::time::UtcOffsets;
use viewer_connection::Limits as ReadLimits;

/// An input from the user, the browser or a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Close all open files and announce new ones. Their content has not been probed yet.
    Open(Vec<FileInfo>),
    /// Load these probed files beside the open ones, within this memory limit.
    Load(Vec<FileInfo>, Memory),
    /// Load one packet in N of the files that exceed the memory limit; N as typed by the user.
    SampleEvery(String),
    /// Load only a time range of the files that exceed the memory limit: start and end as typed by
    /// the user.
    SampleTimeRange(String, String),
    /// Load the files that exceed the memory limit completely.
    LoadAll,
    /// Files could not be opened; nothing is left to show.
    OpenFailed(String),
    /// Show an error; nothing else changes.
    ShowError(String),
    /// Fields that the selection refers to could not be read from the files, for this reason.
    ExtraFailed(String),
    /// Close all files.
    Close,
    /// The announced file is followed while it grows: what happens to it.
    Follow(FollowEvent),
    /// The progress of a part.
    Report {
        /// Index of the part.
        part: usize,
        /// Its progress.
        report: Report,
        /// Milliseconds since loading began.
        elapsed_ms: f64,
    },
    /// Flows, addresses and protocols that a part has added since its last update.
    FlowDelta {
        /// Index of the part.
        part: usize,
        /// The additions.
        delta: FlowDelta,
    },
    /// Answers of one worker, with the ids of their queries.
    Answers(Vec<(u32, Answer)>),
    /// Show the connection whose packets an expression matches: see [`App::connection_of_detail`] and
    /// [`CellValue::connection`].
    ///
    /// [`App::connection_of_detail`]: super::App::connection_of_detail
    /// [`CellValue::connection`]: super::CellValue::connection
    OpenConnection(String),
    /// How much of a connection has been read from a part.
    ConnectionRead {
        /// Number of the request.
        id: u32,
        /// Index of the part.
        part: usize,
        /// How much.
        read: ConnectionRead,
    },
    /// Select the packets from the first to the second time, in nanoseconds since the epoch.
    SelectTime(i64, i64),
    /// Show the details of a packet of the connection.
    ShowPacket(Box<LocatedPacket>),
    /// Stop loading and keep what has been loaded.
    Cancel,
    /// Change a setting: its key and its value.
    Set(String, String),
    /// The filter box changed: its text, and the cursor as a byte offset.
    SetFilter(String, usize),
    /// Clear the selection of one dimension, or of all for `None`.
    Clear(Option<Dimension>),
    /// Select in a dimension by a filter expression.
    Select(Dimension, String),
    /// Exclude what a dimension selects, or select what it excludes.
    Invert(Dimension),
    /// Move the selection of a dimension to the filter box.
    Edit(Dimension),
    /// Turn the selection into a line of the throughput chart.
    AddLine,
    /// Add a condition to the filter: a filter expression, and whether its packets are excluded.
    FilterBy(String, bool),
    /// Undo the last selection step.
    Undo,
    /// Redo the last undone step.
    Redo,
    /// Zoom to the selected ranges.
    ZoomToSelection,
    /// Show the full range of every value.
    ResetZoom,
    /// Zoom one value to this span.
    SetZoom(Quantity, Span),
    /// Switch to the light or dark theme.
    SetTheme(Theme),
    /// The UTC offsets of the local time zone.
    SetOffsets(UtcOffsets),
    /// A chart's canvas changed its size.
    Resize(Panel, Size),
    /// The number of rows that a table can display.
    VisibleRows(Panel, usize),
    /// A panel was scrolled into or out of view.
    VisibilityChanged(Panel, bool),
    /// A script needs all conversations, endpoints and problems, whether or not their tables are visible.
    RequestConversations,
    /// Scroll a table: the index of its first visible row.
    Scroll(Panel, u64),
    /// A table row was activated: its index among the visible rows.
    ActivateRow(Panel, usize),
    /// A table cell was activated: the index of its row among the visible ones, and its column.
    ActivateCell(Panel, usize, usize),
    /// A packet was read from its file.
    Record {
        /// Index of the part.
        part: usize,
        /// Index of the packet in its part.
        index: usize,
        /// The line.
        line: String,
        /// The frame, if the file is a capture file.
        frame: Option<RawFrame>,
    },
    /// The fields without a column of table rows were read, each with its packet's part and index. A text
    /// is empty if reading it would require decompressing the file.
    OtherFields(Vec<((usize, usize), String)>),
    /// Show the details of the previous or next selected packet in time order.
    StepDetail(Step),
    /// Reading fields that the selection refers to and that have no column: the part, and its bytes
    /// read and to read.
    ExtraRead(usize, (u64, u64)),
    /// The names of addresses in the DNS messages of a part; `None` if the part could not be read.
    Names(Option<Vec<NamedAddress>>),
    /// The names of addresses in lines that were appended to a part, after [`Event::Names`] of that part.
    AppendedNames(Vec<NamedAddress>),
    /// The progress of the analysis of a file: its first part, and its bytes read and to read.
    AnalysisRead(usize, (u64, u64)),
    /// The analysis of a file has ended: its first part, and why it failed.
    Analyzed(usize, Option<String>),
    /// Analyze the followed source once more, up to its last packet.
    RepeatAnalysis,
    /// Close the packet details.
    CloseDetail,
    /// Show or hide the table view of a chart.
    ToggleTable(Panel),
    /// Zoom around a point.
    Zoom {
        /// The chart.
        panel: Panel,
        /// The fixed point in CSS pixels; `None` for the keyboard cursor or the centre.
        at: Option<(f64, f64)>,
        /// The ratio of the new to the old range: below 1 zooms in.
        factor: f64,
    },
    /// Pan by a fraction of the plot's width and height.
    Pan(Panel, (f64, f64)),
    /// A pointer was pressed at a pixel; a modifier key may override the tool.
    PointerDown(Panel, (f64, f64), Option<Tool>),
    /// A pointer moved to a pixel.
    PointerMove(Panel, (f64, f64)),
    /// A pointer was released.
    PointerUp,
    /// The browser took over the pointer, for example to scroll.
    PointerCancel,
    /// A pointer was clicked twice at a pixel.
    DoubleClick(Panel, (f64, f64)),
    /// A pointer left the chart.
    PointerLeave,
    /// A key was pressed in a chart; `true` extends the selection.
    KeyDown(Panel, Key, bool),
    /// The filter text is complete: later changes are a new undo step.
    CommitFilter,
    /// Changes are arriving in quick succession, or have stopped.
    Interacting(bool),
    /// Something waits for all charts, or no longer: while it does, those out of sight do not wait for newer packets
    /// of a followed source.
    AwaitAll(bool),
    /// Restore the state from a link's fragment.
    RestoreLink(String),
}

/// A direction in time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Step {
    /// To the packet before.
    Previous,
    /// To the packet after.
    Next,
}

/// Work that the caller of [`App::update`](super::App::update) must carry out.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send queries to all workers.
    RunQueries {
        /// The queries with their ids.
        queries: Vec<(u32, Query)>,
        /// The selection that they refer to.
        selection: Box<Selection>,
    },
    /// Have workers read these parts of the files of the last [`Event::Load`], until the packets of a
    /// worker reach these limits.
    Load(Vec<PartAssignment>, Limits),
    /// Append bytes of the current chunk to a part. Its worker reads them.
    Append(Append),
    /// Drop the parts before this one.
    DropBefore(usize),
    /// Send all addresses and flows of all parts once more, as [`Event::FlowDelta`].
    ResendFlows,
    /// Request no more bytes of the followed source, for this reason.
    StopFollowing(&'static str),
    /// Stop reading and keep what has been read.
    Cancel,
    /// Read a packet from its file and return it as [`Event::Record`]. Replaces earlier requests.
    ReadRecord {
        /// Index of the part.
        part: usize,
        /// Index of the packet in its part.
        index: usize,
    },
    /// Read the fields without a column of these packets, each given by part and index, and return them
    /// as [`Event::OtherFields`].
    ReadOtherFields(Vec<(usize, usize)>),
    /// Read the names of addresses in all parts from this one on, and return those of each part as
    /// [`Event::Names`]; then return those in lines that are appended.
    ReadNames(usize),
    /// Show a connection, whose packets follow.
    BeginConnection,
    /// Read the packets of a connection in a part, pass them on to the connection that is shown, and report
    /// them as [`Event::ConnectionRead`]. Replaces earlier requests.
    ReadConnection {
        /// Number of the request.
        id: u32,
        /// Index of the part.
        part: usize,
        /// The packets.
        selection: Box<Selection>,
        /// How much to read.
        limits: ReadLimits,
    },
    /// Show the connection: all of its packets were passed on.
    ShowConnection,
    /// Mark the packets of the connection in this time range, in nanoseconds since the epoch, or none.
    MarkConnectionTime(Option<(i64, i64)>),
    /// Analyze the TCP connections in a file, and end with [`Event::Analyzed`]. Its parts, each with the
    /// offset of its first byte.
    Analyze(Vec<(usize, u64)>),
    /// Analyze the TCP connections in the lines of the followed source, and end with [`Event::Analyzed`]. Its
    /// parts, each with the number of its bytes to read. Without parts, remove what is left of an analysis.
    AnalyzeFollowed(Vec<(usize, u64)>),
}

impl Event {
    /// Returns true if the user zooms or pans with it.
    pub(super) fn is_zoom(&self) -> bool {
        matches!(
            self,
            Self::SetZoom(..)
                | Self::Zoom { .. }
                | Self::Pan(..)
                | Self::KeyDown(..)
                | Self::PointerMove(..)
                | Self::DoubleClick(..)
                | Self::ZoomToSelection
                | Self::ResetZoom
        )
    }

    /// Returns true if the event is a whole zoom: a click on a button, not one of the many events of a wheel.
    pub(super) fn is_whole_zoom(&self) -> bool {
        matches!(
            self,
            Self::Zoom { at: None, .. }
                | Self::DoubleClick(..)
                | Self::ZoomToSelection
                | Self::ResetZoom
        )
    }

    /// Returns true for user input that can change the charts many times a second.
    pub fn is_change(&self) -> bool {
        matches!(
            self,
            Self::Set(..)
                | Self::SetFilter(..)
                | Self::Clear(_)
                | Self::Select(..)
                | Self::SelectTime(..)
                | Self::Invert(_)
                | Self::Edit(_)
                | Self::AddLine
                | Self::FilterBy(..)
                | Self::Undo
                | Self::Redo
                | Self::SetZoom(..)
                | Self::Zoom { .. }
                | Self::Pan(..)
                | Self::KeyDown(..)
        )
    }
}
