//! Options of a capture, and the ring geometry that follows from them.

use super::frame;
use super::geometry::{Geometry, Version};

/// Default snap length in bytes, and its upper limit: tcpdump's `MAXIMUM_SNAPLEN`.
pub(crate) const DEFAULT_SNAPLEN: u32 = 262_144;

/// Default size of the ring buffer in KiB: half a second of a saturated 1 Gbit/s link.
pub(crate) const DEFAULT_BUFFER_KIB: u32 = 64 << 10;

/// Default size of a ring block in KiB. It is a power of two: the kernel rounds the memory of a block up
/// to one (`alloc_one_pg_vec_page` in `net/packet/af_packet.c`). Only packets of BIG TCP, which are
/// longer than 64 KiB, can be longer than a block; they are truncated.
pub(crate) const DEFAULT_BLOCK_KIB: u32 = 256;

/// Time in milliseconds after which the kernel hands over a block that is not full.
///
/// Each handover uses up a block, however few packets it holds: the block count times this is how
/// long a stopped process can go without losing packets on a quiet link. It is also how long the end
/// of a capture waits for its last packets, before the kernel closes the socket in up to 30 ms; and
/// with the age of the output's buffer it bounds what a killed capture loses. Both are to stay below
/// 100 ms.
const RETIRE_MS: u32 = 40;
/// The same if latency matters more than CPU time.
const IMMEDIATE_RETIRE_MS: u32 = 1;

/// Longest packet in bytes that fits a slot of version 2: 64 KiB and a link header.
const MAX_SLOT_PACKET_LEN: usize = (64 << 10) + 64;

/// Block sizes are multiples of this: the largest page size in common use on Linux.
const PAGE_LEN: usize = 64 << 10;

/// Which packets to capture, by direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DirectionFilter {
    /// Received packets only.
    In,
    /// Sent packets only.
    Out,
    /// Both.
    InOut,
}

/// How to open a capture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Bytes to keep of each packet.
    pub(crate) snaplen: u32,
    pub(crate) is_promiscuous: bool,
    pub(crate) direction: DirectionFilter,
    /// Size of the ring in KiB.
    pub(crate) buffer_kib: u32,
    /// Size of a block in KiB.
    pub(crate) block_kib: u32,
    /// Whether latency matters more than CPU time.
    pub(crate) is_immediate: bool,
    /// Whether to record segmentation offload.
    pub(crate) records_gso: bool,
}

impl Options {
    /// The ring geometry for these options. A block is a whole number of pages, and there are at
    /// least two: the kernel fills one while this program reads the other.
    pub(super) fn geometry(&self, version: Version) -> Geometry {
        let block_len = (self.block_kib as usize * 1024).next_multiple_of(PAGE_LEN);
        let block_count = (self.buffer_kib as usize * 1024 / block_len).max(2);
        let retire_ms = if self.is_immediate { IMMEDIATE_RETIRE_MS } else { RETIRE_MS };
        let packet_len = (self.snaplen as usize).min(MAX_SLOT_PACKET_LEN);
        let frame_len = (frame::MAX_OVERHEAD_V2 + packet_len)
            .next_multiple_of(libc::TPACKET_ALIGNMENT)
            .min(block_len);
        Geometry { version, block_len, block_count, frame_len, retire_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_ring_survives_10s_stall() {
        let options = Options {
            snaplen: DEFAULT_SNAPLEN,
            is_promiscuous: true,
            direction: DirectionFilter::InOut,
            buffer_kib: DEFAULT_BUFFER_KIB,
            block_kib: DEFAULT_BLOCK_KIB,
            is_immediate: false,
            records_gso: true,
        };
        let geometry = options.geometry(Version::V3);
        assert!(10_000 <= geometry.block_count * geometry.retire_ms as usize);
        assert!(geometry.block_len.is_power_of_two());
        assert!(4 * MAX_SLOT_PACKET_LEN - 4 * 64 <= geometry.block_len);
    }
}
