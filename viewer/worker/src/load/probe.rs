//! Properties of a file that its first bytes tell: whether it can be read in parts, and how many packets it has.

use super::{Loader, OpenFile, Sampling, is_text};
use crate::wire::wire;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;
use viewer_formats::Compression;

/// Properties of a file, found from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileProbe {
    /// Uncompressed text, which can be read in parts.
    pub is_lines: bool,
    /// The estimated number of packets.
    pub packets: u64,
    /// The time of the first packet in nanoseconds since the epoch, if it can be read.
    pub first_ns: Option<i64>,
    /// A hash of the probed bytes. Captures differ there, because they contain times.
    pub start_hash: u64,
}

impl FileProbe {
    /// Probes a file of `len` bytes that begins with `start`.
    pub fn new(start: &[u8], len: u64, open: OpenFile) -> Self {
        /// Assumed bytes per packet if `start` contains no complete packet, without and with compression.
        const PACKET_LEN: u64 = 100;
        const COMPRESSED_PACKET_LEN: u64 = 10;
        let (loader, probed_len) = probe(start, len, open);
        let totals = loader.report().totals;
        let probed_len = probed_len as u64;
        let packets = match totals.packets {
            packets if probed_len == len => packets,
            0 if Compression::of(start).is_some() => len / COMPRESSED_PACKET_LEN,
            0 => len / PACKET_LEN,
            // The last packet is incomplete.
            packets => len.saturating_mul(packets + 1) / probed_len.max(1),
        };
        let first_ns = totals.extent.map(|extent| extent.ends_ns.0);
        let start_hash = FxBuildHasher.hash_one(start);
        Self { is_lines: is_text(start), packets, first_ns, start_hash }
    }
}

/// The number of decompressed bytes after which probing ends.
pub(super) const MAX_PROBE_BYTES: u64 = 8 << 20;

/// Loads the start of a file of `len` bytes. Returns the number of bytes used: a few bytes can expand to
/// gigabytes, so a compressed file is read in short pieces up to a limit.
pub(super) fn probe(start: &[u8], len: u64, open: OpenFile) -> (Loader, usize) {
    /// Four bytes of Zstandard can expand to a block of 128 KiB.
    const PIECE_LEN: usize = 64;
    let is_compressed = Compression::of(start).is_some();
    let piece_len = if is_compressed { PIECE_LEN } else { start.len().max(1) };
    let mut loader = Loader::whole(len, Sampling::default(), open);
    let mut probed_len = 0;
    for piece in start.chunks(piece_len) {
        if MAX_PROBE_BYTES <= loader.source.decompressed_len() {
            break;
        }
        loader.feed(piece);
        probed_len += piece.len();
    }
    (loader, probed_len)
}

wire!(struct FileProbe { is_lines, packets, first_ns, start_hash });
