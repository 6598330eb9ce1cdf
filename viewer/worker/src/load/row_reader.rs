//! Rereads a part of a file for the lines or records of its loaded packets.

use super::source::{RecordSink, Source};
use crate::columns::Columns;
use crate::lines::{Line, LineSink};

/// Rereads a part from its start.
#[derive(Debug)]
pub(super) struct RowReader {
    source: Source,
    /// The next row.
    row: usize,
}

/// Receives the packets that are reread, each with its row.
pub(super) trait RowSink {
    /// Receives the line of a packet.
    fn line(&mut self, row: usize, line: &[u8]);

    /// Returns true if a packet of a capture file is wanted.
    fn wants(&mut self, row: usize) -> bool;

    /// Receives packets of a capture file that are wanted, in the form of the source.
    fn packets(&mut self, bytes: &[u8]);
}

impl RowReader {
    /// Rereads a part that was read with an equal source.
    pub(super) fn new(source: Source) -> Self {
        Self { source, row: 0 }
    }

    /// Offset in the file of the bytes to feed next.
    pub(super) fn position(&self) -> u64 {
        self.source.position()
    }

    /// The length of the part, and the number of bytes read.
    pub(super) fn progress(&self) -> (u64, u64) {
        self.source.progress()
    }

    /// Takes the next bytes of the file, and passes on the packets in them. An empty chunk is the end of
    /// the file. Returns false if no more bytes are needed.
    pub(super) fn feed(&mut self, chunk: &[u8], columns: &Columns, sink: &mut dyn RowSink) -> bool {
        let Self { source, row } = self;
        let fed = source.feed(chunk, &mut Rows { columns, row, sink });
        fed.is_ok() && !source.is_done() && *row < columns.len()
    }
}

struct Rows<'a> {
    columns: &'a Columns,
    row: &'a mut usize,
    sink: &'a mut dyn RowSink,
}

impl Rows<'_> {
    /// The row whose line or record is at this offset, if it was loaded. Advances to the next row.
    fn advance(&mut self, offset: u64) -> Option<usize> {
        let row = *self.row;
        let is_row = row < self.columns.len() && self.columns.offset(row) == offset;
        *self.row += usize::from(is_row);
        is_row.then_some(row)
    }
}

impl LineSink for Rows<'_> {
    fn line(&mut self, line: Line<'_>, offset: u64) {
        if let Some(row) = self.advance(offset)
            && let Line::Complete(line) = line
        {
            self.sink.line(row, line);
        }
    }
}

impl RecordSink for Rows<'_> {
    fn wants(&mut self, offset: u64) -> bool {
        self.advance(offset).is_some_and(|row| self.sink.wants(row))
    }

    fn packets(&mut self, bytes: &[u8]) {
        self.sink.packets(bytes);
    }
}
