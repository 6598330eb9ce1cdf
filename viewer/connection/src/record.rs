//! The form in which a worker passes on the packets of a connection.

use viewer_formats::{FileRecord, RawFrame};
use viewer_model::wire::{Wire, wire};
use viewer_store::query::LocatedPacket;

/// A packet of a connection as in its file, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// The packet as in the columns.
    pub packet: LocatedPacket,
    /// Its line, if the file consists of lines; otherwise empty.
    pub line: Vec<u8>,
    /// Its frame, if the file is a capture file.
    pub frame: Option<RawFrame>,
}

impl ConnectionRecord {
    /// A packet that was reread. The line of a frame is not needed.
    pub fn new(packet: LocatedPacket, record: FileRecord) -> Self {
        let FileRecord { line, frame } = record;
        Self { packet, line: if frame.is_some() { Vec::new() } else { line }, frame }
    }

    /// The bytes of the file that it contains.
    pub fn len(&self) -> u64 {
        let frame = self.frame.as_ref().map_or(0, |frame| frame.bytes.len());
        (self.line.len() + frame) as u64
    }

    /// Returns true if it contains no bytes of the file.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records of a batch, up to the first invalid one.
    pub fn batch(mut bytes: &[u8]) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || Self::get(&mut bytes))
    }
}

/// How much of a connection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of packets.
    pub packets: u64,
    /// Maximum number of bytes of frames or lines.
    pub bytes: u64,
}

impl Limits {
    /// The largest connection that is read completely: 100,000 packets and 64 MB.
    pub const MAX: Self = Self { packets: 100_000, bytes: 64_000_000 };

    /// What is left after some packets.
    pub fn without(self, packets: u64, bytes: u64) -> Self {
        Self {
            packets: self.packets.saturating_sub(packets),
            bytes: self.bytes.saturating_sub(bytes),
        }
    }

    /// Nothing more may be read.
    pub fn is_exhausted(self) -> bool {
        self.packets == 0 || self.bytes == 0
    }
}

wire!(struct ConnectionRecord { packet, line, frame });
wire!(struct Limits { packets, bytes });
