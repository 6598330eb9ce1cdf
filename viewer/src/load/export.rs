//! The original lines of some packets, out of their file once more.

use super::source::{Item, Source};
use crate::columns::Columns;
use crate::lines::Line;
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
    /// Of the part that a loader for `range` has read.
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
        let fed = source.feed(chunk, &mut |item, offset| {
            if columns.len() <= *row || columns.offset(*row) != offset {
                return;
            }
            if is_wanted(*row) {
                match item {
                    Item::Line(Line::Whole(line)) => {
                        lines.extend_from_slice(line);
                        lines.push(b'\n');
                    }
                    Item::Line(Line::TooLong) => {}
                    Item::Packet(packet) => writer.packet(packet, lines),
                }
            }
            *row += 1;
        });
        fed.is_ok() && !source.is_done() && *row < columns.len()
    }
}
