//! The original lines of some packets, out of their file once more.

use super::source::{Source, Visit};
use crate::columns::Columns;
use crate::lines::{Line, LineSink};
use summary::Packet;
use summary::line::Writer;

/// Reads a part again, from its beginning, and gives the lines of some of its packets: byte for byte
/// as they are in the file, or as the sniffer would write them where it is a capture file.
#[derive(Debug)]
pub struct Exporter {
    source: Source,
    /// The row that comes next.
    row: usize,
    writer: Writer,
}

impl Exporter {
    /// Of the part that a loader with that source has read.
    pub(super) fn new(source: Source) -> Self {
        Self { source, row: 0, writer: Writer::default() }
    }

    /// Where in the file the next bytes are wanted from.
    pub fn position(&self) -> u64 {
        self.source.position()
    }

    /// Takes the next bytes of the file, none at its end, and appends the lines of those rows that
    /// are wanted; false where no more bytes are.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        columns: &Columns,
        is_wanted: impl Fn(usize) -> bool,
        lines: &mut Vec<u8>,
    ) -> bool {
        let Self { source, row, writer } = self;
        let mut wanted = Wanted { columns, is_wanted, row, writer, lines };
        let fed = source.feed(chunk, &mut wanted);
        fed.is_ok() && !source.is_done() && *row < columns.len()
    }
}

/// Takes what the file holds, and keeps what is wanted.
struct Wanted<'a, F> {
    columns: &'a Columns,
    is_wanted: F,
    row: &'a mut usize,
    writer: &'a mut Writer,
    lines: &'a mut Vec<u8>,
}

impl<F: Fn(usize) -> bool> Wanted<'_, F> {
    /// Whether the line or packet at that place is a row, and one that is wanted.
    fn wants(&mut self, offset: u64) -> bool {
        let row = *self.row;
        let is_row = row < self.columns.len() && self.columns.offset(row) == offset;
        *self.row += usize::from(is_row);
        is_row && (self.is_wanted)(row)
    }
}

impl<F: Fn(usize) -> bool> LineSink for Wanted<'_, F> {
    fn line(&mut self, line: Line<'_>, offset: u64) {
        if self.wants(offset)
            && let Line::Complete(line) = line
        {
            self.lines.extend_from_slice(line);
            self.lines.push(b'\n');
        }
    }
}

impl<F: Fn(usize) -> bool> Visit for Wanted<'_, F> {
    fn packet(&mut self, packet: &Packet<'_>, offset: u64) {
        if self.wants(offset) {
            self.writer.write(packet, self.lines);
        }
    }
}
