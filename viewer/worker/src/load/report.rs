//! Progress and results of loading a part.

use crate::columns::Totals;
use crate::wire::wire;

/// The number of problems stored with their reason. All are counted.
pub const MAX_PROBLEMS: usize = 100;

/// A line or record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its number within the part, from 1.
    pub line: u64,
    /// Why it cannot be read.
    pub reason: String,
}

/// What the packets of a worker may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes.
    pub bytes: u64,
    /// Number of flows. The page stores those of all workers.
    pub flows: u64,
}

/// The progress and the results of loading a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Number of bytes read.
    pub read_bytes: u64,
    /// Number of lines, or of packets of a capture file.
    pub lines: u64,
    /// Number of lines that are records of any type.
    pub records: u64,
    /// Number of `flow` records.
    pub flows: u64,
    /// Number of lines or records that could not be read.
    pub skipped: u64,
    /// The first of these, with reasons. If damage ended reading, it is the first element.
    pub problems: Vec<Problem>,
    /// Number of distinct flows of the packets.
    pub distinct_flows: u64,
    /// Totals of the packets.
    pub totals: Totals,
    /// The packets have no numbers of their own and are numbered by their lines.
    pub is_counted: bool,
    /// The file is a capture file: `lines` counts its records.
    pub is_capture: bool,
    /// Memory of the worker in bytes.
    pub memory_bytes: u64,
    /// Loading has ended.
    pub is_done: bool,
    /// All lines of the part were read.
    pub is_complete: bool,
    /// Why loading ended early.
    pub failure: Option<Failure>,
}

/// Why loading ended before the end of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The packets have reached the [`Limits`].
    MemoryFull,
    /// The browser cannot read the file. Its reason.
    Unreadable(String),
}

impl Report {
    /// Singular name of the unit that `lines` counts.
    pub fn unit(&self) -> &'static str {
        if self.is_capture { "record" } else { "line" }
    }
}

wire!(struct Problem { line, reason });

wire!(struct Limits { bytes, flows });

wire!(enum Failure { 0 MemoryFull, 1 Unreadable(reason) });

wire!(struct Report {
    read_bytes, lines, records, flows, skipped, problems, distinct_flows, totals, is_counted, is_capture, memory_bytes,
    is_done, is_complete, failure,
});
