//! From the bytes of a part of a file to its columns, counting what cannot be read. What a file is
//! shows in its bytes, whatever its name: lines, a capture file, or one of them packed.

mod capture;
mod decompress;
mod export;
mod generic_json;
mod gzip;
mod source;

pub use export::Exporter;
pub use generic_json::{fields, other_fields};

use crate::columns::{Columns, Totals};
use crate::lines::{Line, LineSink, MAX_LINE_LEN};
use crate::wire::wire;
use generic_json::GenericPacket;
use source::{Source, Visit};
use std::ops::Range;
use summary::line::{Excerpt, ExcerptReader};
use summary::{Packet, Timestamp};

/// How many problems are kept with their reason; all are counted.
pub const MAX_PROBLEMS: usize = 100;

/// What the first bytes of a file tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileProbe {
    /// It is one of lines as they are, which can be read in parts.
    pub is_lines: bool,
    /// About how many packets the file has.
    pub packets: u64,
    /// Time of the first packet, in nanoseconds since the epoch, where that can be read.
    pub first_ns: Option<i64>,
}

impl FileProbe {
    /// Of a file of `len` bytes that begins with `start`.
    pub fn new(start: &[u8], len: u64) -> Self {
        /// Bytes of a packet where none is seen, in a file and in one that is packed.
        const PACKET_LEN: u64 = 100;
        const PACKED_PACKET_LEN: u64 = 10;
        let mut loader = Loader::whole(len, Sampling::default());
        loader.feed(start);
        let totals = loader.report().totals;
        let start_len = start.len() as u64;
        let packets = match totals.packets {
            packets if start_len == len => packets,
            0 if decompress::Compression::of(start).is_some() => len / PACKED_PACKET_LEN,
            0 => len / PACKET_LEN,
            // One more is there in part.
            packets => len.saturating_mul(packets + 1) / start_len.max(1),
        };
        let first_ns = totals.extent.map(|extent| extent.ends_ns.0);
        Self { is_lines: source::is_lines(start), packets, first_ns }
    }
}

/// Reads one part of a file.
#[derive(Debug)]
pub struct Loader {
    range: Option<Range<u64>>,
    source: Source,
    sink: Sink,
}

/// Which packets of a file that is too large are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Every so many of those in the time, from the first on; at least 1.
    pub every: u64,
    /// Those from the first to the last time, in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
}

impl Default for Sampling {
    fn default() -> Self {
        Self { every: 1, ts_ns: (i64::MIN, i64::MAX) }
    }
}

/// Where packets go, and what is wrong.
#[derive(Debug, Default)]
struct Sink {
    columns: Columns,
    excerpts: ExcerptReader,
    sampling: Sampling,
    /// Packets that were in the time to be kept.
    seen: u64,
    line_count: u64,
    /// Lines of the file before those.
    lines_before: u64,
    /// Packets that have the number of their line.
    counted: usize,
    record_count: u64,
    skipped: u64,
    problems: Vec<Problem>,
}

/// A line that cannot be read, or a place from which on a file is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Number of the line, or of the packet in a capture file, in its part of the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// How far a part is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Bytes of the part that were read.
    pub read_bytes: u64,
    /// Lines seen, or packets of a capture file.
    pub lines: u64,
    /// Lines that are records, of whatever type.
    pub records: u64,
    /// Lines that could not be read.
    pub skipped: u64,
    /// The first of them.
    pub problems: Vec<Problem>,
    /// What is known of the packets.
    pub totals: Totals,
    /// The packets have no numbers of their own, but those of their lines in the part.
    pub is_counted: bool,
    /// What is counted as lines are records of a capture file.
    pub is_capture: bool,
    /// Memory of the worker.
    pub memory_bytes: u64,
    /// Nothing more will come.
    pub is_done: bool,
    /// All lines of the part were seen.
    pub is_complete: bool,
    /// Why reading ended early.
    pub failure: Option<String>,
}

impl Report {
    /// What is counted as its lines.
    pub fn unit(&self) -> &'static str {
        if self.is_capture { "record" } else { "line" }
    }
}

impl Loader {
    /// A loader for the lines that begin in `range` of a file of lines.
    pub fn new(range: Range<u64>, sampling: Sampling) -> Self {
        let source = Source::new(range.clone());
        Self { range: Some(range), source, sink: Sink { sampling, ..Sink::default() } }
    }

    /// A loader for a whole file of `len` bytes, of whatever kind its content is: lines or a capture
    /// file, packed or not.
    pub fn whole(len: u64, sampling: Sampling) -> Self {
        let sink = Sink { sampling, ..Sink::default() };
        Self { range: None, source: Source::whole(len), sink }
    }

    /// Reads the same bytes again, for the lines of packets that were loaded.
    pub fn exporter(&self) -> Exporter {
        Exporter::new(match &self.range {
            Some(range) => Source::new(range.clone()),
            None => Source::whole(self.source.progress().0),
        })
    }

    /// Where in the file the next bytes are wanted from.
    pub fn position(&self) -> u64 {
        self.source.position()
    }

    /// True where the file holds its lines as they are: an offset is a place in its bytes.
    pub fn is_uncompressed_text(&self) -> bool {
        self.source.is_uncompressed()
    }

    /// Where the line or record of a packet begins in the file; `None` where that is packed.
    pub fn record_offset(&self, row: usize) -> Option<u64> {
        let is_uncompressed = self.is_uncompressed_text() || self.source.plain_capture().is_some();
        is_uncompressed.then(|| self.sink.columns.offset(row))
    }

    /// The line of a packet out of the file's bytes from its place on, as it stands there, or as the
    /// sniffer would write it.
    ///
    /// # Errors
    ///
    /// Where there are too few bytes, with how many it takes; where only reading all of the file again
    /// gives it, with `None`.
    pub fn line(&self, row: usize, bytes: &[u8]) -> Result<Vec<u8>, Option<usize>> {
        let Some(capture) = self.source.plain_capture() else {
            // Only a line at the end of the file has no line feed.
            let len = memchr::memchr(b'\n', bytes).ok_or(Some(bytes.len() + 1));
            return len.map(|len| bytes[..len].to_vec());
        };
        let n = u64::try_from(self.sink.columns.row(row).n).unwrap_or(0);
        let packet = capture.again(n, self.sink.columns.offset(row), bytes)?;
        let mut line = Vec::new();
        summary::line::Writer::default().write(&packet, &mut line);
        line.pop(); // its line feed
        Ok(line)
    }

    /// True where no more bytes are wanted.
    pub fn is_done(&self) -> bool {
        self.source.is_done()
    }

    /// Takes the next bytes of the file; none is its end.
    pub fn feed(&mut self, chunk: &[u8]) {
        let Self { source, sink, .. } = self;
        if let Err(reason) = source.feed(chunk, sink) {
            sink.problem(sink.line_count + 1, reason);
        }
    }

    /// So many lines are before the part in its file: where packets have the numbers of their lines,
    /// they count on from those.
    pub fn set_lines_before(&mut self, lines_before: u64) {
        let sink = &mut self.sink;
        if sink.is_counted() && sink.lines_before != lines_before {
            let by = i128::from(lines_before) - i128::from(sink.lines_before);
            sink.columns.renumber(i64::try_from(by).unwrap_or(0));
            sink.lines_before = lines_before;
        }
    }

    /// The packets so far.
    pub fn columns(&self) -> &Columns {
        &self.sink.columns
    }

    /// How far the part is; its memory is the caller's to add.
    pub fn report(&self) -> Report {
        let Sink { columns, line_count, record_count, skipped, problems, .. } = &self.sink;
        let before = i64::try_from(self.sink.lines_before).unwrap_or(0);
        Report {
            read_bytes: self.source.progress().1,
            lines: *line_count,
            records: *record_count,
            skipped: *skipped,
            problems: problems.clone(),
            totals: columns.totals().renumbered(-before),
            is_counted: self.sink.is_counted(),
            is_capture: self.source.is_capture(),
            memory_bytes: 0,
            is_done: self.is_done(),
            is_complete: self.is_done(),
            failure: None,
        }
    }
}

impl LineSink for Sink {
    /// Lines as the sniffer writes them.
    fn consume_fast(&mut self, bytes: &[u8], offset: u64, limit: u64) -> usize {
        let mut taken = 0;
        while (taken as u64) < limit {
            let rest = &bytes[taken..];
            let Some((excerpt, len)) = self.excerpts.read(rest) else { break };
            if rest.get(len) != Some(&b'\n') || MAX_LINE_LEN < len {
                break;
            }
            let Some(pushed) = self.push_excerpt(&excerpt, offset + taken as u64) else { break };
            self.count(pushed.map(|()| true).map_err(str::to_owned));
            taken += len + 1;
        }
        taken
    }

    fn line(&mut self, line: Line<'_>, offset: u64) {
        let is_record = match line {
            Line::TooLong => Err("longer than 1 MiB".to_owned()),
            Line::Complete(line) => self.read(line, offset),
        };
        self.count(is_record);
    }
}

impl Visit for Sink {
    fn packet(&mut self, packet: &Packet<'_>, offset: u64) {
        let pushed = self.push(packet, offset);
        self.count(pushed.map(|()| true));
    }
}

impl Sink {
    /// Counts a line or packet: a record, of whatever type, or not, or what is wrong with it.
    fn count(&mut self, is_record: Result<bool, String>) {
        self.line_count += 1;
        match is_record {
            Ok(is_record) => self.record_count += u64::from(is_record),
            Err(reason) => self.problem(self.line_count, reason),
        }
    }

    /// True where the line is a record, of whatever type. A packet without a number gets that of its
    /// line.
    fn read(&mut self, line: &[u8], offset: u64) -> Result<bool, String> {
        if line.trim_ascii().is_empty() {
            return Ok(false);
        }
        let marked = line.strip_prefix(generic_json::BYTE_ORDER_MARK.as_bytes());
        let line = marked.filter(|_| offset == 0).unwrap_or(line);
        // Of the sniffer's lines those come here whose bytes came in pieces.
        if let Some((excerpt, len)) = self.excerpts.read(line)
            && len == line.len()
            && let Some(pushed) = self.push_excerpt(&excerpt, offset)
        {
            return pushed.map(|()| true).map_err(str::to_owned);
        }
        if let Some(mut packet) = GenericPacket::parse(line, &mut self.excerpts)? {
            let is_counted = packet.n == 0;
            if is_counted {
                packet.n = self.lines_before + self.line_count + 1;
            }
            let count = self.columns.len();
            match self.push_excerpt(&packet.excerpt(), offset) {
                Some(pushed) => pushed?,
                None => self.push(&packet.packet(), offset)?,
            }
            self.counted += if is_counted { self.columns.len() - count } else { 0 };
        }
        Ok(true)
    }

    /// True where all packets have the numbers of their lines.
    fn is_counted(&self) -> bool {
        0 < self.counted && self.counted == self.columns.len()
    }

    /// Says whether a packet of that time is to be kept.
    fn should_keep(&mut self, ts: Timestamp) -> bool {
        let Sampling { every, ts_ns: (first, last) } = self.sampling;
        if !(first..=last).contains(&ts.ns()) {
            return false;
        }
        self.seen += 1;
        every <= 1 || (self.seen - 1).is_multiple_of(every)
    }

    fn push(&mut self, packet: &Packet<'_>, offset: u64) -> Result<(), String> {
        if !self.should_keep(packet.ts) {
            return Ok(());
        }
        self.columns.push(packet, offset).map_err(str::to_owned)
    }

    /// `None` where the line has to be read in another way; then it does not count as seen.
    fn push_excerpt(
        &mut self,
        excerpt: &Excerpt<'_>,
        offset: u64,
    ) -> Option<Result<(), &'static str>> {
        let seen = self.seen;
        if !self.should_keep(excerpt.ts) {
            return Some(Ok(()));
        }
        let pushed = self.columns.push_excerpt(excerpt, offset);
        if pushed.is_none() {
            self.seen = seen;
        }
        pushed
    }

    fn problem(&mut self, line: u64, reason: String) {
        self.skipped += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { line, reason });
        }
    }
}

wire!(struct Sampling { every, ts_ns });
wire!(struct Problem { line, reason });
wire!(struct Report {
    read_bytes, lines, records, skipped, problems, totals, is_counted, is_capture, memory_bytes,
    is_done, is_complete, failure,
});

#[cfg(test)]
mod tests;
