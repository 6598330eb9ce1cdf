//! Single packets: the line, and the bytes of the frame if the file is a capture file.

use summary::line::Writer;
use viewer_model::wire::wire;

use crate::capture::Record;

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
    pub(crate) fn of(record: &Record<'_>) -> Self {
        let mut line = Vec::new();
        Writer::default().write(&record.packet(), &mut line);
        line.pop(); // the line feed
        let frame = &record.frame;
        let bytes = frame.bytes[..frame.bytes.len().min(MAX_FRAME_LEN)].to_vec();
        let frame = RawFrame { link: frame.link.0, wire_len: frame.wire_len, bytes };
        Self { line, frame: Some(frame) }
    }
}

wire!(struct RawFrame { link, wire_len, bytes });
wire!(struct FileRecord { line, frame });
