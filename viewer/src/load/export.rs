//! Rereads a file to export the lines of selected packets.

use super::source::{RecordSink, Source};
use crate::columns::Columns;
use crate::lines::{Line, LineSink};
use summary::Packet;
use summary::line::Writer;

/// Rereads a part from its start and exports the lines of some of its packets: byte for byte as in the
/// file, or in the format of the sniffer if the file is a capture file.
#[derive(Debug)]
pub struct Exporter {
    source: Source,
    /// The next row.
    row: usize,
    writer: Writer,
}

impl Exporter {
    /// Exports from a part that was read with an equal source.
    pub(super) fn new(source: Source) -> Self {
        Self { source, row: 0, writer: Writer::default() }
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.source.position()
    }

    /// Takes the next bytes of the file and appends the lines of wanted rows. An empty chunk is the end
    /// of the file. Returns false if no more bytes are needed.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        columns: &Columns,
        is_selected: impl Fn(usize) -> bool,
        lines: &mut Vec<u8>,
    ) -> bool {
        let Self { source, row, writer } = self;
        let mut selected = SelectedLines { columns, is_selected, row, writer, lines };
        let fed = source.feed(chunk, &mut selected);
        fed.is_ok() && !source.is_done() && *row < columns.len()
    }
}

/// Collects the lines of selected rows.
struct SelectedLines<'a, F> {
    columns: &'a Columns,
    is_selected: F,
    row: &'a mut usize,
    writer: &'a mut Writer,
    lines: &'a mut Vec<u8>,
}

impl<F: Fn(usize) -> bool> SelectedLines<'_, F> {
    /// Returns true if the line or packet at this offset is a selected row. Advances to the
    /// next row.
    fn advance(&mut self, offset: u64) -> bool {
        let row = *self.row;
        let is_row = row < self.columns.len() && self.columns.offset(row) == offset;
        *self.row += usize::from(is_row);
        is_row && (self.is_selected)(row)
    }
}

impl<F: Fn(usize) -> bool> LineSink for SelectedLines<'_, F> {
    fn line(&mut self, line: Line<'_>, offset: u64) {
        if self.advance(offset)
            && let Line::Complete(line) = line
        {
            self.lines.extend_from_slice(line);
            self.lines.push(b'\n');
        }
    }
}

impl<F: Fn(usize) -> bool> RecordSink for SelectedLines<'_, F> {
    fn packet(&mut self, packet: &Packet<'_>, offset: u64) {
        if self.advance(offset) {
            self.writer.write(packet, self.lines);
        }
    }
}
