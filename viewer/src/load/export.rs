//! Rereads a file for the lines or records of selected packets.

use super::capture::Record;
use super::pcapng::Section;
use super::record::FileRecord;
use super::source::{RecordSink, Source};
use crate::columns::Columns;
use crate::lines::{Line, LineSink};
use crate::wire::wire;
use summary::line::Writer;

/// Rereads a part from its start and passes on some of its packets.
#[derive(Debug)]
pub struct Exporter {
    source: Source,
    /// The next row.
    row: usize,
    output: Output,
}

/// The format of exported packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Lines: byte for byte as in the file, or in the format of the sniffer if the file is a capture
    /// file.
    Lines,
    /// A pcapng file with the original bytes, lengths, times and interfaces; empty if the file is not a
    /// capture file.
    Pcapng,
}

/// What becomes of a selected packet.
#[derive(Debug)]
enum Output {
    /// It is exported as a line.
    Lines(Writer),
    /// It is exported as a record of a pcapng file.
    Pcapng(Section),
    /// It is kept until [`Exporter::take_record`].
    Record(Option<FileRecord>),
}

impl Exporter {
    /// Exports packets from a part that was read with an equal source.
    pub(super) fn new(source: Source, format: ExportFormat) -> Self {
        let output = match format {
            ExportFormat::Lines => Output::Lines(Writer::default()),
            ExportFormat::Pcapng => Output::Pcapng(Section::default()),
        };
        Self { source, row: 0, output }
    }

    /// Keeps the last selected packet instead of exporting it.
    pub(super) fn record(source: Source) -> Self {
        Self { source, row: 0, output: Output::Record(None) }
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.source.position()
    }

    /// The packet that was kept.
    pub fn take_record(&mut self) -> Option<FileRecord> {
        match &mut self.output {
            Output::Record(record) => record.take(),
            Output::Lines(_) | Output::Pcapng(_) => None,
        }
    }

    /// Takes the next bytes of the file and appends wanted rows to `out`. An empty chunk is the end of
    /// the file. Returns false if no more bytes are needed.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        columns: &Columns,
        is_selected: impl Fn(usize) -> bool,
        out: &mut Vec<u8>,
    ) -> bool {
        let Self { source, row, output } = self;
        let mut selected = SelectedRows { columns, is_selected, row, output, out };
        let fed = source.feed(chunk, &mut selected);
        fed.is_ok() && !source.is_done() && *row < columns.len()
    }
}

/// Exports selected rows.
struct SelectedRows<'a, F> {
    columns: &'a Columns,
    is_selected: F,
    row: &'a mut usize,
    output: &'a mut Output,
    out: &'a mut Vec<u8>,
}

impl<F: Fn(usize) -> bool> SelectedRows<'_, F> {
    /// Returns true if the line or packet at this offset is a selected row. Advances to the
    /// next row.
    fn advance(&mut self, offset: u64) -> bool {
        let row = *self.row;
        let is_row = row < self.columns.len() && self.columns.offset(row) == offset;
        *self.row += usize::from(is_row);
        is_row && (self.is_selected)(row)
    }
}

impl<F: Fn(usize) -> bool> LineSink for SelectedRows<'_, F> {
    fn line(&mut self, line: Line<'_>, offset: u64) {
        let is_selected = self.advance(offset);
        let Line::Complete(line) = line else { return };
        match &mut self.output {
            _ if !is_selected => {}
            Output::Lines(_) => {
                self.out.extend_from_slice(line);
                self.out.push(b'\n');
            }
            Output::Pcapng(_) => {}
            Output::Record(record) => {
                *record = Some(FileRecord { line: line.to_vec(), frame: None });
            }
        }
    }
}

impl<F: Fn(usize) -> bool> RecordSink for SelectedRows<'_, F> {
    fn packet(&mut self, record: &Record<'_>, offset: u64) {
        let is_selected = self.advance(offset);
        match &mut self.output {
            _ if !is_selected => {}
            Output::Lines(writer) => writer.write(&record.packet, self.out),
            Output::Pcapng(section) => section.write(record, self.out),
            Output::Record(kept) => *kept = Some(FileRecord::of(record)),
        }
    }
}

wire!(enum ExportFormat { 0 Lines, 1 Pcapng });
