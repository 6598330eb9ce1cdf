//! Messages between the page and its workers. They are encoded with [`wire`](mod@crate::wire): the
//! answers are large arrays of counters, which it packs into few bytes.

use crate::address_names::NamedAddress;
use crate::flow::FlowDelta;
use crate::load::{ConnectionRead, ExportFormat, FileProbe, Limits, RawFrame, Report, Sampling};
use crate::query::{Answer, Query};
use crate::selection::Selection;
use crate::shard::PrecedingParts;
use crate::wire::wire;
use viewer_connection::Limits as ReadLimits;

/// From the page to a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum ToWorker {
    /// Find the properties of the file attached to the message.
    Probe {
        /// Number of the request; the answer repeats it.
        id: u32,
    },
    /// Read the lines that begin in a byte range of the file attached to the message.
    Load {
        /// Number of this load; reports and answers repeat it.
        epoch: u32,
        /// Index of the part among all open parts.
        part: usize,
        /// Name of the file.
        file: String,
        /// Offset of the first byte of the range.
        start: u64,
        /// Offset after the last byte of the range.
        end: u64,
        /// The range covers the whole file, whose type must be detected from its content.
        is_whole: bool,
        /// Which packets to load.
        sampling: Sampling,
        /// What all packets of the worker may take.
        limits: Limits,
    },
    /// Read on in a part that grows; its first message adds it. The new bytes are attached to the message.
    Append {
        /// Number of this load; reports and answers repeat it.
        epoch: u32,
        /// Index of the part among all open parts.
        part: usize,
        /// Name of the file.
        file: String,
        /// No more bytes follow.
        is_last: bool,
        /// What all packets of the worker may take.
        limits: Limits,
    },
    /// Drop the parts before this one.
    DropBefore {
        /// Index of the first part that is kept.
        part: usize,
    },
    /// Send the addresses and flows of all parts once more.
    ResendFlows,
    /// Stop reading and keep what has been read.
    Cancel,
    /// Stop reading and drop all parts.
    Reset {
        /// Number of the next load.
        epoch: u32,
    },
    /// Answer queries.
    RunQueries {
        /// The state left by the parts before each part in the same file.
        preceding: PrecedingParts,
        /// The current selection.
        selection: Selection,
        /// The queries with their ids.
        queries: Vec<(u32, Query)>,
    },
    /// Return a packet as in its file. Replaces earlier requests.
    ReadRecord {
        /// Index of the part.
        part: usize,
        /// Index of the packet in its part.
        index: usize,
    },
    /// Return all selected packets.
    Export {
        /// Number of this export.
        id: u32,
        /// The format.
        format: ExportFormat,
        /// The state left by the parts before each part in the same file.
        preceding: PrecedingParts,
        /// The current selection.
        selection: Selection,
    },
    /// Return the fields without a column of those packets that belong to the worker's parts.
    ReadOtherFields {
        /// The packets, each given by part and index.
        rows: Vec<(usize, usize)>,
    },
    /// Return the names of addresses in the answers of DNS messages, from this part on.
    ReadNames {
        /// Index of the first part.
        first: usize,
    },
    /// Analyze the TCP connections in a file, and return the findings in each part.
    Analyze {
        /// The parts of the file, each with the offset of its first byte. The worker has the first one.
        parts: Vec<(usize, u64)>,
    },
    /// Keep the lines of the worker's parts of a followed source for the analysis, until they have been read. The
    /// worker with the first part analyzes the TCP connections in all of them, and returns the findings in each part.
    AnalyzeAppended {
        /// The parts, each with the number of its bytes that are read. Without parts, nothing is kept any longer, and
        /// findings are those in the lines.
        parts: Vec<(usize, u64)>,
    },
    /// Return the next lines that were kept for the analysis.
    ReadKept {
        /// Index of the part.
        part: usize,
        /// Index of the first part, whose worker analyzes the lines.
        first: usize,
    },
    /// The lines that the analysis requested, attached to the message unless the part is missing.
    KeptLines,
    /// Return the packets of a part that are selected by the addresses and ports of a connection. Replaces
    /// earlier requests.
    ReadConnection {
        /// Number of the request; the answers repeat it.
        id: u32,
        /// Index of the part.
        part: usize,
        /// The packets.
        selection: Selection,
        /// How much to read.
        limits: ReadLimits,
    },
    /// Store the findings of the analysis, which are attached to the message.
    SetFindings {
        /// Number of the load.
        epoch: u32,
        /// Index of the part.
        part: usize,
    },
    /// Panic, as if out of memory. For tests of the error handling.
    SimulateFailure,
}

/// From a worker to the page.
#[derive(Clone, Debug, PartialEq)]
pub enum FromWorker {
    /// The worker has started.
    Ready,
    /// The properties of a file.
    Probed {
        /// Number of the request.
        id: u32,
        /// The properties.
        probe: FileProbe,
    },
    /// A file could not be probed.
    ProbeFailed {
        /// Number of the request.
        id: u32,
        /// Why.
        error: String,
    },
    /// The progress of a part. For one that grows, the buffer of the bytes that were read is attached to the message.
    Report {
        /// Number of the load.
        epoch: u32,
        /// Index of the part.
        part: usize,
        /// Its progress.
        report: Report,
    },
    /// Lines about the run that were appended: `meta`, `stats` and `end` records. Sent before the report.
    RunRecords {
        /// Number of the load.
        epoch: u32,
        /// The lines.
        lines: Vec<String>,
    },
    /// Flows, addresses and protocols added since the last update. Later answers refer to them by
    /// id.
    FlowDelta {
        /// Number of the load.
        epoch: u32,
        /// Index of the part.
        part: usize,
        /// The additions.
        delta: FlowDelta,
    },
    /// Answers with the ids of their queries.
    Answers {
        /// Number of the load that they refer to.
        epoch: u32,
        /// The answers.
        answers: Vec<(u32, Answer)>,
    },
    /// A packet as in its file.
    Record {
        /// Number of the load.
        epoch: u32,
        /// Index of the part.
        part: usize,
        /// Index of the packet in its part.
        index: usize,
        /// The line.
        line: String,
        /// The frame, if the file is a capture file.
        frame: Option<RawFrame>,
    },
    /// Fields of packets that have no column, as text. A text is empty if reading it would require
    /// decompressing the file.
    OtherFields {
        /// Number of the load.
        epoch: u32,
        /// The texts, each with its packet's part and index.
        texts: Vec<((usize, usize), String)>,
    },
    /// The progress of reading fields that a selection refers to and that have no column.
    ExtraRead {
        /// Number of the load.
        epoch: u32,
        /// Index of the part.
        part: usize,
        /// Bytes read, and bytes to read; equal at the end.
        progress: (u64, u64),
    },
    /// Such fields could not be read completely.
    ExtraFailed {
        /// Number of the load.
        epoch: u32,
        /// Why.
        error: String,
    },
    /// The names of addresses in a part; `None` if the part could not be read.
    Names {
        /// Number of the load.
        epoch: u32,
        /// The names.
        names: Option<Vec<NamedAddress>>,
    },
    /// The names of addresses in lines that were appended to a part.
    AppendedNames {
        /// Number of the load.
        epoch: u32,
        /// The names.
        names: Vec<NamedAddress>,
    },
    /// The progress of the analysis of a file.
    AnalysisRead {
        /// Number of the load.
        epoch: u32,
        /// Index of the first part of the file.
        part: usize,
        /// Bytes read, and bytes to read.
        progress: (u64, u64),
    },
    /// The analysis needs the next lines that were kept. The page passes the request to the worker that has the part.
    ReadKept {
        /// Number of the load.
        epoch: u32,
        /// Index of the part.
        part: usize,
        /// Index of the first part, whose worker analyzes the lines.
        first: usize,
    },
    /// Lines that the analysis requested. Their buffer is attached to the message: it is empty at the end of the part,
    /// and absent if the part is missing. The page passes it to the worker that has the first part.
    KeptLines {
        /// Number of the load.
        epoch: u32,
        /// Index of the first part.
        first: usize,
    },
    /// The findings in a part, attached to the message. The page passes them to the worker that has the part.
    Findings {
        /// Number of the load.
        epoch: u32,
        /// Index of the part.
        part: usize,
    },
    /// The analysis of a file has ended: all findings were sent, unless it failed.
    Analyzed {
        /// Number of the load.
        epoch: u32,
        /// Index of the first part of the file.
        part: usize,
        /// Why it failed.
        error: Option<String>,
    },
    /// Further packets of a connection, attached to the message as a batch of
    /// [`ConnectionRecord`](viewer_connection::ConnectionRecord)s.
    Connection {
        /// Number of the load.
        epoch: u32,
        /// Number of the request.
        id: u32,
        /// Index of the part.
        part: usize,
        /// How much of the part has been read.
        read: ConnectionRead,
    },
    /// The selected packets, attached to the message as one blob for each part.
    Exported {
        /// Number of the export.
        id: u32,
        /// Indices of the parts, in the order of the blobs.
        parts: Vec<usize>,
    },
}

wire!(enum ToWorker {
    0 Load { epoch, part, file, start, end, is_whole, sampling, limits }, 1 Cancel,
    2 Reset { epoch },
    3 RunQueries { preceding, selection, queries }, 4 ReadRecord { part, index },
    5 Export { id, format, preceding, selection }, 6 SimulateFailure, 7 ReadOtherFields { rows },
    8 ReadNames { first }, 9 Probe { id }, 10 Append { epoch, part, file, is_last, limits },
    11 Analyze { parts }, 12 SetFindings { epoch, part },
    13 DropBefore { part }, 14 ResendFlows,
    15 ReadConnection { id, part, selection, limits },
    16 AnalyzeAppended { parts }, 17 ReadKept { part, first }, 18 KeptLines,
});
wire!(enum FromWorker {
    0 Ready, 1 Report { epoch, part, report }, 2 FlowDelta { epoch, part, delta },
    3 Answers { epoch, answers }, 4 Record { epoch, part, index, line, frame },
    5 Exported { id, parts }, 6 OtherFields { epoch, texts }, 7 ExtraRead { epoch, part, progress },
    8 ExtraFailed { epoch, error }, 9 Names { epoch, names },
    10 Probed { id, probe }, 11 ProbeFailed { id, error }, 12 RunRecords { epoch, lines },
    13 AnalysisRead { epoch, part, progress }, 14 Findings { epoch, part }, 15 Analyzed { epoch, part, error },
    16 AppendedNames { epoch, names },
    17 Connection { epoch, id, part, read }, 18 ReadKept { epoch, part, first }, 19 KeptLines { epoch, first },
});
