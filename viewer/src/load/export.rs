//! Rereads a file for the lines or records of selected packets.

use super::pcapng::Section;
use super::record::FileRecord;
use super::row_reader::{Entry, RowReader};
use super::source::Source;
use crate::columns::Columns;
use crate::wire::wire;
use summary::line::Writer;

/// Rereads a part from its start and passes on some of its packets.
#[derive(Debug)]
pub struct Exporter {
    rows: RowReader,
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
        Self { rows: RowReader::new(source), output }
    }

    /// Keeps the last selected packet instead of exporting it.
    pub(super) fn record(source: Source) -> Self {
        Self { rows: RowReader::new(source), output: Output::Record(None) }
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.rows.position()
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
        let Self { rows, output } = self;
        rows.feed(chunk, columns, |row, entry| {
            if is_selected(row) {
                output.add(&entry, out);
            }
        })
    }
}

impl Output {
    /// Exports or keeps a selected packet.
    fn add(&mut self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        match (self, entry) {
            (Self::Lines(_), Entry::Line(line)) => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            (Self::Lines(writer), Entry::Record(record)) => writer.write(&record.packet, out),
            (Self::Pcapng(_), Entry::Line(_)) => {}
            (Self::Pcapng(section), Entry::Record(record)) => section.write(record, out),
            (Self::Record(kept), Entry::Line(line)) => {
                *kept = Some(FileRecord { line: line.to_vec(), frame: None });
            }
            (Self::Record(kept), Entry::Record(record)) => *kept = Some(FileRecord::of(record)),
        }
    }
}

wire!(enum ExportFormat { 0 Lines, 1 Pcapng });
