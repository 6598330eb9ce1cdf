//! Loads a part of a file into columns: detects compression and type, reads lines or packets, samples
//! them, and counts what cannot be read. Independent of workers and messages.

mod appended;
mod connection;
mod content;
mod export;
mod extra;
mod generic_json;
mod row_reader;
mod source;

pub use connection::{ConnectionRead, ConnectionReader};
pub use content::ContentReader;
pub use export::{ExportFormat, Exporter};
pub use extra::ExtraReader;
pub use generic_json::other_fields;
pub use viewer_formats::{FileRecord, MAX_FRAME_LEN, OpenFile, RawFrame, START_LEN, is_text};

use crate::address_names::NamedAddress;
use crate::columns::{Columns, ExtraColumn, Totals};
use crate::filter::ExtraField;
use crate::findings::Findings;
use crate::lines::{Line, LineSink, MAX_LINE_LEN};
use crate::shard::SelectedRows;
use crate::wire::wire;
use appended::AppendedFields;
use generic_json::GenericPacket;
use rustc_hash::FxBuildHasher;
use source::{RecordSink, Source};
use std::hash::BuildHasher;
use std::ops::Range;
use summary::line::{Excerpt, ExcerptReader, PacketFields};
use summary::{Packet, Timestamp};
use viewer_connection::Limits as ReadLimits;
use viewer_flows::findings;
use viewer_formats::{Compression, Form, unpack};

/// The number of problems stored with their reason. All are counted.
pub const MAX_PROBLEMS: usize = 100;

/// Properties of a file, found from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileProbe {
    /// Uncompressed text, which can be read in parts.
    pub is_lines: bool,
    /// The estimated number of packets.
    pub packets: u64,
    /// The time of the first packet in nanoseconds since the epoch, if it can be read.
    pub first_ns: Option<i64>,
    /// A hash of the probed bytes. Captures differ there, because they contain times.
    pub start_hash: u64,
}

impl FileProbe {
    /// Probes a file of `len` bytes that begins with `start`.
    pub fn new(start: &[u8], len: u64, open: OpenFile) -> Self {
        /// Assumed bytes per packet if `start` contains no complete packet, without and with compression.
        const PACKET_LEN: u64 = 100;
        const COMPRESSED_PACKET_LEN: u64 = 10;
        let (loader, probed_len) = probe(start, len, open);
        let totals = loader.report().totals;
        let probed_len = probed_len as u64;
        let packets = match totals.packets {
            packets if probed_len == len => packets,
            0 if Compression::of(start).is_some() => len / COMPRESSED_PACKET_LEN,
            0 => len / PACKET_LEN,
            // The last packet is incomplete.
            packets => len.saturating_mul(packets + 1) / probed_len.max(1),
        };
        let first_ns = totals.extent.map(|extent| extent.ends_ns.0);
        let start_hash = FxBuildHasher.hash_one(start);
        Self { is_lines: is_text(start), packets, first_ns, start_hash }
    }
}

/// The number of decompressed bytes after which probing ends.
const MAX_PROBE_BYTES: u64 = 8 << 20;

/// Loads the start of a file of `len` bytes. Returns the number of bytes used: a few bytes can expand to
/// gigabytes, so a compressed file is read in short pieces up to a limit.
fn probe(start: &[u8], len: u64, open: OpenFile) -> (Loader, usize) {
    /// Four bytes of Zstandard can expand to a block of 128 KiB.
    const PIECE_LEN: usize = 64;
    let is_compressed = Compression::of(start).is_some();
    let piece_len = if is_compressed { PIECE_LEN } else { start.len().max(1) };
    let mut loader = Loader::whole(len, Sampling::default(), open);
    let mut probed_len = 0;
    for piece in start.chunks(piece_len) {
        if MAX_PROBE_BYTES <= loader.source.decompressed_len() {
            break;
        }
        loader.feed(piece);
        probed_len += piece.len();
    }
    (loader, probed_len)
}

/// Reads one part of a file.
#[derive(Debug)]
pub struct Loader {
    origin: Origin,
    source: Source,
    sink: Sink,
}

/// What is read.
#[derive(Debug)]
enum Origin {
    /// The lines that begin in a range of an uncompressed text file.
    Lines(Range<u64>),
    /// A file of this length.
    Whole(u64, OpenFile),
    /// Lines that are appended while they are read.
    Growing,
}

/// Which packets of a file are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// One packet in this many of the time range, starting with the first; at least 1.
    pub every: u64,
    /// The first and last time, in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
}

impl Default for Sampling {
    fn default() -> Self {
        Self { every: 1, ts_ns: (i64::MIN, i64::MAX) }
    }
}

/// Stores packets and counts problems.
#[derive(Debug, Default)]
struct Sink {
    columns: Columns,
    excerpts: ExcerptReader,
    sampling: Sampling,
    /// Number of packets in the time range.
    seen: u64,
    line_count: u64,
    /// Number of lines before the part.
    lines_before: u64,
    /// Number of packets that are numbered by their lines.
    counted: usize,
    record_count: u64,
    /// Number of `flow` records, which are not shown.
    flow_count: u64,
    skipped: u64,
    problems: Vec<Problem>,
    /// `None` unless lines are appended.
    appended: Option<Box<Appended>>,
}

/// What lines that are appended contain apart from the columns.
#[derive(Debug, Default)]
struct Appended {
    /// Lines about the run, see [`Loader::take_run_records`].
    run_records: Vec<String>,
    fields: AppendedFields,
}

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

impl Loader {
    /// Loads the lines that begin in `range` of an uncompressed text file.
    pub fn new(range: Range<u64>, sampling: Sampling) -> Self {
        Self::with(Origin::Lines(range), sampling)
    }

    /// Loads a whole file of `len` bytes and detects its type.
    pub fn whole(len: u64, sampling: Sampling, open: OpenFile) -> Self {
        Self::with(Origin::Whole(len, open), sampling)
    }

    /// Loads lines that are appended while they are read. Offsets count from the first of them.
    pub fn growing(sampling: Sampling) -> Self {
        Self::with(Origin::Growing, sampling)
    }

    fn with(origin: Origin, sampling: Sampling) -> Self {
        let source = match &origin {
            Origin::Lines(range) => Source::new(range.clone()),
            Origin::Whole(len, open) => Source::whole(*len, Form::Packed, *open),
            Origin::Growing => Source::new(0..u64::MAX),
        };
        let appended = matches!(origin, Origin::Growing).then(Box::default);
        Self { origin, source, sink: Sink { sampling, appended, ..Sink::default() } }
    }

    /// Takes the lines about the run of the sniffer (`meta`, `stats` and `end` records) that were read since
    /// the last call. There are none unless lines are being appended.
    pub fn take_run_records(&mut self) -> Vec<String> {
        let appended = self.sink.appended.as_mut();
        appended.map(|appended| std::mem::take(&mut appended.run_records)).unwrap_or_default()
    }

    /// Collects these fields in lines that are appended from now on. [`Loader::add_extra`] adds them to those
    /// of the lines before.
    pub fn collect_appended(&mut self, fields: &[ExtraField]) {
        let Sink { appended, columns, .. } = &mut self.sink;
        if let Some(appended) = appended {
            appended.fields.add_fields(fields, columns);
        }
    }

    /// Collects the names of addresses in lines that are appended from now on.
    pub fn collect_appended_names(&mut self) {
        let Sink { appended, columns, .. } = &mut self.sink;
        if let Some(appended) = appended {
            appended.fields.add_names(columns);
        }
    }

    /// Takes the names that were found in appended lines since the last call.
    pub fn take_appended_names(&mut self) -> Vec<NamedAddress> {
        let appended = self.sink.appended.as_mut();
        appended.map(|appended| appended.fields.take_names()).unwrap_or_default()
    }

    /// A source that reads everything once more that has been read so far.
    fn reread(&self, form: Form) -> Source {
        match &self.origin {
            Origin::Lines(range) => Source::new(range.clone()),
            Origin::Whole(len, open) => Source::whole(*len, form, *open),
            Origin::Growing => Source::new(0..self.source.progress().1),
        }
    }

    /// Creates an exporter for loaded packets.
    pub fn exporter(&self, format: ExportFormat) -> Exporter {
        let form = format.form();
        Exporter::new(self.reread(form), form)
    }

    /// Creates an exporter that keeps a single packet.
    pub fn record_finder(&self) -> Exporter {
        Exporter::new(self.reread(Form::Records), Form::Records)
    }

    /// Creates a reader of the packets of a connection.
    pub fn connection_reader(&self, wanted: SelectedRows, limits: ReadLimits) -> ConnectionReader {
        ConnectionReader::new(self.reread(Form::Records), wanted, limits)
    }

    /// Creates a reader of fields that have no column.
    pub fn extra_reader(&self, fields: &[ExtraField]) -> ExtraReader {
        ExtraReader::new(self.reread(Form::DetailedLines), fields)
    }

    /// A packet, given the bytes of the file from the offset of its line or record.
    ///
    /// # Errors
    ///
    /// The number of bytes needed if there are too few; `None` if only reading the whole file can
    /// reproduce the packet.
    pub fn record(&self, row: usize, bytes: &[u8]) -> Result<FileRecord, Option<usize>> {
        let Some(reader) = self.source.uncompressed_capture() else {
            // Only the last line of a file may lack a line feed.
            let len = memchr::memchr(b'\n', bytes).ok_or(Some(bytes.len() + 1))?;
            return Ok(FileRecord { line: bytes[..len].to_vec(), frame: None });
        };
        let n = u64::try_from(self.sink.columns.row(row).n).unwrap_or(0);
        reader.reread(n, self.sink.columns.offset(row), bytes)
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.source.position()
    }

    /// Returns true once the file is known to be uncompressed: offsets of lines and records are offsets in
    /// the file.
    pub fn is_uncompressed(&self) -> bool {
        self.source.is_text() || self.source.uncompressed_capture().is_some()
    }

    /// Offset of the line or record of a packet in the file; `None` if the file is compressed.
    pub fn record_offset(&self, row: usize) -> Option<u64> {
        self.is_uncompressed().then(|| self.sink.columns.offset(row))
    }

    /// Returns true if no more bytes are needed.
    pub fn is_done(&self) -> bool {
        self.source.is_done()
    }

    /// Takes the next bytes of the file. An empty chunk is the end of the file.
    pub fn feed(&mut self, chunk: &[u8]) {
        let Self { source, sink, .. } = self;
        if let Err(reason) = source.feed(chunk, sink) {
            sink.damage(reason);
        }
        if let Some(appended) = &mut sink.appended {
            appended.fields.flush(&mut sink.columns);
        }
    }

    /// Sets the number of lines before the part. Renumbers packets that are numbered by their lines.
    pub fn set_lines_before(&mut self, lines_before: u64) {
        let sink = &mut self.sink;
        if sink.is_counted() && sink.lines_before != lines_before {
            let by = i128::from(lines_before) - i128::from(sink.lines_before);
            sink.columns.renumber(i64::try_from(by).unwrap_or(0));
            sink.lines_before = lines_before;
        }
    }

    /// Adds columns of fields that were read later, and keeps those that are `needed`.
    pub fn add_extra(&mut self, columns: Vec<(ExtraField, ExtraColumn)>, needed: &[ExtraField]) {
        let sink = &mut self.sink;
        sink.columns.add_extra(columns, needed);
        if let Some(appended) = &mut sink.appended {
            appended.fields.on_columns_added(&mut sink.columns);
        }
    }

    /// Sets the findings of the analysis in the part, which [`viewer_flows::findings`] reads. Those in packets
    /// that were not loaded are ignored.
    pub fn set_findings(&mut self, bytes: &[u8]) {
        let columns = &mut self.sink.columns;
        let mut found = Findings::default();
        let mut row = 0;
        for (offset, marks) in findings(bytes) {
            while row < columns.len() && columns.offset(row) < offset {
                row += 1;
            }
            if row < columns.len() && columns.offset(row) == offset {
                found.push(row, &marks);
            }
        }
        columns.set_findings(found);
    }

    /// The loaded packets.
    pub fn columns(&self) -> &Columns {
        &self.sink.columns
    }

    /// The progress of the part. The caller adds `memory_bytes`.
    pub fn report(&self) -> Report {
        let Sink { columns, line_count, record_count, flow_count, skipped, problems, .. } =
            &self.sink;
        let before = i64::try_from(self.sink.lines_before).unwrap_or(0);
        Report {
            read_bytes: self.source.progress().1,
            lines: *line_count,
            records: *record_count,
            flows: *flow_count,
            skipped: *skipped,
            problems: problems.clone(),
            distinct_flows: columns.flows().len() as u64,
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
    /// Reads lines in the format of the sniffer.
    fn consume_fast(&mut self, bytes: &[u8], offset: u64, limit: u64) -> usize {
        let mut consumed = 0;
        while (consumed as u64) < limit {
            let (rest, count) = (&bytes[consumed..], self.columns.len());
            let Some((excerpt, len)) = self.excerpts.read(rest) else { break };
            if rest.get(len) != Some(&b'\n') || MAX_LINE_LEN < len {
                break;
            }
            let Some(pushed) = self.push_excerpt(&excerpt, offset + consumed as u64) else { break };
            self.collect(count, &rest[..len]);
            self.count(pushed.map(|()| true).map_err(str::to_owned));
            consumed += len + 1;
        }
        consumed
    }

    fn line(&mut self, line: Line<'_>, offset: u64) {
        let is_record = match line {
            Line::TooLong => Err("line is longer than 1 MiB".to_owned()),
            Line::Complete(line) => {
                let count = self.columns.len();
                let is_record = self.read(line, offset);
                self.collect(count, line);
                is_record
            }
        };
        self.count(is_record);
    }
}

impl RecordSink for Sink {
    fn wants(&mut self, _offset: u64) -> bool {
        true
    }

    fn packets(&mut self, bytes: &[u8]) {
        unpack(bytes, |packet, offset| {
            let pushed = self.push(packet, offset);
            self.count(pushed.map(|()| true));
        });
    }
}

impl Sink {
    /// Counts a line or packet, which is a record, no record, or a problem.
    fn count(&mut self, is_record: Result<bool, String>) {
        self.line_count += 1;
        match is_record {
            Ok(is_record) => self.record_count += u64::from(is_record),
            Err(reason) => self.problem(self.line_count, reason),
        }
    }

    /// Reads a line. Returns true if it is a record of any type. A packet without a number is numbered by
    /// its line.
    fn read(&mut self, line: &[u8], offset: u64) -> Result<bool, String> {
        if line.trim_ascii().is_empty() {
            return Ok(false);
        }
        let unmarked = line.strip_prefix(generic_json::BYTE_ORDER_MARK.as_bytes());
        let line = unmarked.filter(|_| offset == 0).unwrap_or(line);
        // A line of the sniffer that was split between two chunks.
        if let Some((excerpt, len)) = self.excerpts.read(line)
            && len == line.len()
            && let Some(pushed) = self.push_excerpt(&excerpt, offset)
        {
            return pushed.map(|()| true).map_err(str::to_owned);
        }
        let line = str::from_utf8(line).map_err(|error| error.to_string())?;
        let fields = PacketFields::parse(line).map_err(|error| error.to_string())?;
        // A line of the sniffer in another field order needs no interpretation.
        if let Some(excerpt) = fields.excerpt(&mut self.excerpts)
            && excerpt.n != 0
            && let Some(pushed) = self.push_excerpt(&excerpt, offset)
        {
            return pushed.map(|()| true).map_err(str::to_owned);
        }
        if let Some(mut packet) = GenericPacket::new(&fields, &mut self.excerpts)? {
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
        } else {
            let record_type = fields.record_type.text().unwrap_or_default();
            self.flow_count += u64::from(record_type == "flow");
            if let Some(appended) = &mut self.appended
                && matches!(&*record_type, "meta" | "stats" | "end")
            {
                appended.run_records.push(line.to_owned());
            }
        }
        Ok(true)
    }

    /// Collects fields of an appended line, if it has added a packet to `count` others.
    fn collect(&mut self, count: usize, line: &[u8]) {
        if let Some(appended) = &mut self.appended
            && count < self.columns.len()
        {
            appended.fields.line(count, line);
        }
    }

    /// Returns true if all packets are numbered by their lines.
    fn is_counted(&self) -> bool {
        0 < self.counted && self.counted == self.columns.len()
    }

    /// Returns true if the sampling includes the next packet, which has this time.
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

    /// Returns `None` if the line must be parsed by serde instead; it does not count as seen then.
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

    /// Stores why the rest of the file cannot be read, no matter how many problems came before.
    fn damage(&mut self, reason: String) {
        self.skipped += 1;
        self.problems.truncate(MAX_PROBLEMS - 1);
        self.problems.insert(0, Problem { line: self.line_count + 1, reason });
    }
}

wire!(struct FileProbe { is_lines, packets, first_ns, start_hash });
wire!(struct Sampling { every, ts_ns });
wire!(struct Problem { line, reason });
wire!(struct Limits { bytes, flows });
wire!(enum Failure { 0 MemoryFull, 1 Unreadable(reason) });
wire!(struct Report {
    read_bytes, lines, records, flows, skipped, problems, distinct_flows, totals, is_counted, is_capture, memory_bytes,
    is_done, is_complete, failure,
});

#[cfg(test)]
mod tests;
