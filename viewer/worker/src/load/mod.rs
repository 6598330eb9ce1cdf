//! Loads a part of a file into columns: detects compression and type, reads lines or packets, samples
//! them, and counts what cannot be read. Independent of workers and messages.

mod appended;
mod appended_bytes;
mod connection;
mod content;
mod export;
mod extra;
mod generic_json;
mod probe;
mod report;
mod row_reader;
mod sink;
mod source;
#[cfg(test)]
mod tests;

pub use appended_bytes::Chunks;
pub use connection::{ConnectionRead, ConnectionReader};
pub use content::ContentReader;
pub use export::{ExportFormat, Exporter};
pub use extra::ExtraReader;
pub use generic_json::other_fields;
pub use probe::FileProbe;
pub use report::{Failure, Limits, MAX_PROBLEMS, Problem, Report};
pub use sink::Sampling;
pub use viewer_formats::{FileRecord, MAX_FRAME_LEN, OpenFile, RawFrame, START_LEN, is_text};

use crate::address_names::NamedAddress;
use crate::columns::{Columns, ExtraColumn};
use crate::filter::ExtraField;
use crate::findings::Findings;
use crate::shard::SelectedRows;
use appended_bytes::AppendedBytes;
use sink::Sink;
use source::Source;
use std::ops::Range;
use viewer_connection::Limits as ReadLimits;
use viewer_flows::findings;
use viewer_formats::Form;

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
    Growing(AppendedBytes),
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

    /// Loads lines that are passed to [`Self::append`]. Offsets count from the first of them.
    pub fn growing(sampling: Sampling) -> Self {
        Self::with(Origin::Growing(AppendedBytes::default()), sampling)
    }

    fn with(origin: Origin, sampling: Sampling) -> Self {
        let source = match &origin {
            Origin::Lines(range) => Source::new(range.clone()),
            Origin::Whole(len, open) => Source::whole(*len, Form::Packed, *open),
            Origin::Growing(_) => Source::new(0..u64::MAX),
        };
        let sink = Sink::new(sampling, matches!(origin, Origin::Growing(_)));
        Self { origin, source, sink }
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
            Origin::Growing(_) => Source::new(0..self.source.progress().1),
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
        read(&mut self.source, &mut self.sink, chunk);
    }

    /// Takes the next bytes of lines that grow, and keeps them.
    pub fn append(&mut self, bytes: Vec<u8>) {
        let Self { origin: Origin::Growing(appended), source, sink } = self else { return };
        if !bytes.is_empty() {
            read(source, sink, appended.push(bytes));
        }
    }

    /// The number of bytes that were appended.
    pub fn appended_len(&self) -> u64 {
        if let Origin::Growing(bytes) = &self.origin { bytes.len() } else { 0 }
    }

    /// Replaces `bytes` by the appended bytes in a range, as far as they exist.
    pub fn copy_appended(&self, range: Range<u64>, bytes: &mut Vec<u8>) {
        bytes.clear();
        if let Origin::Growing(appended) = &self.origin {
            appended.copy(range, bytes);
        }
    }

    /// The first `len` appended bytes, which stay the same when others are appended or the loader is dropped.
    pub fn snapshot(&self, len: u64) -> Chunks {
        match &self.origin {
            Origin::Growing(bytes) => bytes.snapshot(len),
            _ => Chunks::default(),
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

    /// Removes the findings of the analysis: filters read those in the lines then.
    pub fn remove_findings(&mut self) {
        self.sink.columns.remove_findings();
    }

    /// Sets the findings of the analysis in the part, which [`viewer_flows::findings`] reads. Those in packets
    /// that were not loaded are ignored.
    pub fn set_findings(&mut self, bytes: &[u8]) {
        let start = if let Origin::Lines(range) = &self.origin { range.start } else { 0 };
        let columns = &mut self.sink.columns;
        let mut found = Findings::default();
        let mut row = 0;
        for (offset, marks) in findings(bytes) {
            let offset = start.saturating_add(offset);
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

/// Reads the next bytes of a source, and stores what they contain.
fn read(source: &mut Source, sink: &mut Sink, chunk: &[u8]) {
    if let Err(reason) = source.feed(chunk, sink) {
        sink.damage(reason);
    }
    if let Some(appended) = &mut sink.appended {
        appended.fields.flush(&mut sink.columns);
    }
}
