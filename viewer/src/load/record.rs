//! Rereads single packets: the line, and the bytes of the frame if the file is a capture file.

use super::Loader;
use super::capture::Record;
use crate::wire::wire;
use summary::line::Writer;

/// Maximum number of bytes of a frame that are passed on: libpcap's largest snapshot length.
pub const MAX_FRAME_LEN: usize = 262_144;

/// A packet as in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRecord {
    /// Its line: as in the file, or in the format of the sniffer if the file is a capture file.
    pub line: Vec<u8>,
    /// The frame, if the file is a capture file.
    pub frame: Option<RawFrame>,
}

/// A captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// LINKTYPE_ number of its outermost header.
    pub link: u16,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// The captured bytes, at most [`MAX_FRAME_LEN`].
    pub bytes: Vec<u8>,
}

impl FileRecord {
    /// A packet of a capture file.
    pub(super) fn of(record: &Record<'_>) -> Self {
        let mut line = Vec::new();
        Writer::default().write(&record.packet, &mut line);
        line.pop(); // the line feed
        let frame = &record.frame;
        let bytes = frame.bytes[..frame.bytes.len().min(MAX_FRAME_LEN)].to_vec();
        let frame = RawFrame { link: frame.link.0, wire_len: frame.wire_len, bytes };
        Self { line, frame: Some(frame) }
    }
}

impl Loader {
    /// A packet, given the bytes of the file from the offset of its line or record.
    ///
    /// # Errors
    ///
    /// The number of bytes needed if there are too few; `None` if only reading the whole file can
    /// reproduce the packet.
    pub fn record(&self, row: usize, bytes: &[u8]) -> Result<FileRecord, Option<usize>> {
        let Some(capture) = self.source.uncompressed_capture() else {
            // Only the last line of a file may lack a line feed.
            let len = memchr::memchr(b'\n', bytes).ok_or(Some(bytes.len() + 1))?;
            return Ok(FileRecord { line: bytes[..len].to_vec(), frame: None });
        };
        let n = u64::try_from(self.sink.columns.row(row).n).unwrap_or(0);
        let record = capture.reread(n, self.sink.columns.offset(row), bytes)?;
        Ok(FileRecord::of(&record))
    }
}

wire!(struct RawFrame { link, wire_len, bytes });
