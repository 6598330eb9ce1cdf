//! Rereads a part of a file for the lines or records of its loaded packets.

use super::capture::Record;
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

/// A packet as in its file.
pub(super) enum Entry<'a> {
    Line(&'a [u8]),
    Record(&'a Record<'a>),
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

    /// Takes the next bytes of the file, and passes the packets in them to `visit`, each with its row.
    /// An empty chunk is the end of the file. Returns false if no more bytes are needed.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        columns: &Columns,
        visit: impl FnMut(usize, Entry<'_>),
    ) -> bool {
        let Self { source, row } = self;
        let fed = source.feed(chunk, &mut Rows { columns, row, visit });
        fed.is_ok() && !source.is_done() && *row < columns.len()
    }
}

struct Rows<'a, F> {
    columns: &'a Columns,
    row: &'a mut usize,
    visit: F,
}

impl<F> Rows<'_, F> {
    /// The row whose line or record is at this offset, if it was loaded. Advances to the next row.
    fn advance(&mut self, offset: u64) -> Option<usize> {
        let row = *self.row;
        let is_row = row < self.columns.len() && self.columns.offset(row) == offset;
        *self.row += usize::from(is_row);
        is_row.then_some(row)
    }
}

impl<F: FnMut(usize, Entry<'_>)> LineSink for Rows<'_, F> {
    fn line(&mut self, line: Line<'_>, offset: u64) {
        if let Some(row) = self.advance(offset)
            && let Line::Complete(line) = line
        {
            (self.visit)(row, Entry::Line(line));
        }
    }
}

impl<F: FnMut(usize, Entry<'_>)> RecordSink for Rows<'_, F> {
    fn packet(&mut self, record: &Record<'_>, offset: u64) {
        if let Some(row) = self.advance(offset) {
            (self.visit)(row, Entry::Record(record));
        }
    }
}
