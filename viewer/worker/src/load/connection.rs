//! Rereads a file for the packets of one connection.

use super::row_reader::{RowReader, RowSink};
use super::source::Source;
use crate::columns::Columns;
use crate::shard::SelectedRows;
use crate::wire::{Wire, wire};
use std::collections::VecDeque;
use viewer_connection::{ConnectionRecord, Limits};
use viewer_formats::FileRecord;
use viewer_store::query::LocatedPacket;

/// Rereads a part from its start and passes on the packets of a connection.
#[derive(Debug)]
pub struct ConnectionReader {
    rows: RowReader,
    wanted: SelectedRows,
    /// The number of wanted packets that have not been reached.
    missing: usize,
    /// The rows of capture files whose records will follow.
    waiting: VecDeque<usize>,
    limits: Limits,
    read: ConnectionRead,
}

/// How much of a connection has been read from a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionRead {
    /// Packets read.
    pub packets: u64,
    /// Bytes of their frames or lines.
    pub bytes: u64,
    /// Bytes of the part that were read, and bytes to read.
    pub progress: (u64, u64),
    /// No more packets of the part follow.
    pub is_done: bool,
    /// The part has more packets than the limits allow.
    pub is_limited: bool,
    /// Packets in a running capture of which only the lines are known.
    pub without_bytes: u64,
    /// Why the part could not be read.
    pub error: Option<String>,
}

impl ConnectionReader {
    /// Rereads a part that was read with an equal source, which gives packets as records.
    pub(super) fn new(source: Source, wanted: SelectedRows, limits: Limits) -> Self {
        let (missing, read) = (wanted.count(), ConnectionRead::default());
        let (rows, waiting) = (RowReader::new(source), VecDeque::new());
        Self { rows, wanted, missing, waiting, limits, read }
    }

    /// Returns true if no more bytes are needed.
    pub fn is_done(&self) -> bool {
        self.missing == 0 || self.read.is_limited
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.rows.position()
    }

    /// How much has been read.
    pub fn read(&self) -> ConnectionRead {
        let (len, read) = self.rows.progress();
        ConnectionRead { progress: (read, len), ..self.read.clone() }
    }

    /// Takes the next bytes of the file and appends [`ConnectionRecord`]s to `out`. An empty chunk is the end of
    /// the file. `locate` describes a packet, given by its index. Returns false if no more bytes are needed.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        columns: &Columns,
        locate: &mut dyn FnMut(usize) -> LocatedPacket,
        out: &mut Vec<u8>,
    ) -> bool {
        let Self { rows, wanted, missing, waiting, limits, read } = self;
        let mut sink = Wanted { wanted, missing, waiting, limits: *limits, read, locate, out };
        rows.feed(chunk, columns, &mut sink) && !self.is_done()
    }
}

struct Wanted<'a> {
    wanted: &'a SelectedRows,
    missing: &'a mut usize,
    waiting: &'a mut VecDeque<usize>,
    limits: Limits,
    read: &'a mut ConnectionRead,
    locate: &'a mut dyn FnMut(usize) -> LocatedPacket,
    out: &'a mut Vec<u8>,
}

impl Wanted<'_> {
    fn accepts(&mut self, row: usize) -> bool {
        let is_wanted = !self.read.is_limited && self.wanted.contains(row);
        *self.missing -= usize::from(is_wanted);
        is_wanted
    }

    fn add(&mut self, row: usize, record: FileRecord) {
        let Self { read, limits, .. } = self;
        read.is_limited |= limits.without(read.packets, read.bytes).is_exhausted();
        if read.is_limited {
            return;
        }
        let record = ConnectionRecord::new((self.locate)(row), record);
        read.packets += 1;
        read.bytes += record.len();
        record.put(self.out);
    }
}

impl RowSink for Wanted<'_> {
    fn line(&mut self, row: usize, line: &[u8]) {
        if self.accepts(row) {
            self.add(row, FileRecord { line: line.to_vec(), frame: None });
        }
    }

    fn wants(&mut self, row: usize) -> bool {
        let is_wanted = self.accepts(row);
        if is_wanted {
            self.waiting.push_back(row);
        }
        is_wanted
    }

    fn packets(&mut self, mut bytes: &[u8]) {
        while let Some(record) = FileRecord::get(&mut bytes) {
            if let Some(row) = self.waiting.pop_front() {
                self.add(row, record);
            }
        }
    }
}

wire!(struct ConnectionRead { packets, bytes, progress, is_done, is_limited, without_bytes, error });
