//! The ring: blocks that the kernel fills and hands over, and that go back when dropped
//! (Documentation/networking/packet_mmap.rst). A block of TPACKET_V3 holds many frames, one of
//! TPACKET_V2 is a single frame in a slot of fixed size.
//!
//! Who owns a block is told by its status word. While it says `TP_STATUS_USER` the kernel does not
//! touch the block; only then is there a slice over it.
#![expect(
    unsafe_code,
    reason = "the status words and block bodies are memory shared with the kernel"
)]

use super::sys::{Mapping, RingGeometry};
use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

/// A version of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Slots for single frames: for kernels that refuse the other.
    V2,
    /// Blocks of many frames.
    V3,
}

/// Where the status word is in a block of version 3; in a slot of version 2 it comes first.
const STATUS_OFFSET_V3: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, block_status);

/// Where the number of frames is in a block of version 3.
const COUNT_OFFSET_V3: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, num_pkts);

/// Where the part of a block of version 3 begins that belongs to its owner: behind the status word.
pub(super) const BODY_OFFSET_V3: usize = STATUS_OFFSET_V3 + size_of::<u32>();

/// A ring of blocks, read in order.
#[derive(Debug)]
pub(super) struct Ring {
    /// `mapping.len() == geometry.len()`
    mapping: Mapping,
    geometry: RingGeometry,
    status_offset: usize,
    /// The block to be read next: `next < geometry.unit_count()`.
    next: usize,
}

impl Ring {
    /// A ring over a mapping of the geometry's size.
    pub(super) fn new(mapping: Mapping, geometry: RingGeometry) -> Self {
        let status_offset = match geometry.version {
            Version::V2 => 0,
            Version::V3 => STATUS_OFFSET_V3,
        };
        let unit_len = geometry.unit_len();
        assert!(BODY_OFFSET_V3 < unit_len && unit_len.is_multiple_of(align_of::<AtomicU32>()));
        assert!(geometry.block_len.is_multiple_of(align_of::<AtomicU32>()));
        assert_eq!(mapping.len(), geometry.len());
        Self { mapping, geometry, status_offset, next: 0 }
    }

    /// The next block, where the kernel has handed it over.
    pub(super) fn next_block(&mut self) -> Option<Block<'_>> {
        // Pairs with the release of the status in `prb_close_block` and `__packet_set_status`
        // (net/packet/af_packet.c): what the kernel wrote before it is visible behind it.
        let status = self.word(self.next, self.status_offset).load(Ordering::Acquire);
        // A `Block` exists only where it is handed out: its drop moves the ring on.
        if status & libc::TP_STATUS_USER == 0 { None } else { Some(Block { ring: self, status }) }
    }

    /// True where the kernel has not begun to fill the next block either.
    pub(super) fn is_empty(&self) -> bool {
        let is_kernels = |ring: &Self| {
            ring.word(ring.next, ring.status_offset).load(Ordering::Acquire) & libc::TP_STATUS_USER
                == 0
        };
        match self.geometry.version {
            Version::V2 => is_kernels(self),
            // Once more behind it: the block may have been handed over in between.
            Version::V3 => {
                is_kernels(self)
                    && self.word(self.next, COUNT_OFFSET_V3).load(Ordering::Acquire) == 0
                    && is_kernels(self)
            }
        }
    }

    /// A word of a block that the kernel writes while others read it.
    fn word(&self, unit: usize, offset: usize) -> &AtomicU32 {
        let offset = self.geometry.unit_offset(unit) + offset;
        assert!(
            offset.is_multiple_of(align_of::<AtomicU32>())
                && offset + size_of::<AtomicU32>() <= self.mapping.len()
        );
        // SAFETY: the offset was just checked to be inside the mapping.
        let word = unsafe { self.mapping.start().add(offset) };
        // SAFETY: the word is aligned, as pages are and the offset was checked to be, and lives as
        // long as `self`. While this reference lives no slice over it does: those borrow the ring
        // exclusively, through a `Block`.
        unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
    }
}

/// A block that the kernel has handed over; dropping it hands it back.
#[derive(Debug)]
pub(super) struct Block<'a> {
    ring: &'a mut Ring,
    status: u32,
}

impl Block<'_> {
    /// The status word as it was when the block was handed over.
    pub(super) fn status(&self) -> u32 {
        self.status
    }

    /// The bytes of the block behind its status word.
    pub(super) fn body(&mut self) -> &mut [u8] {
        let ring = &*self.ring;
        let body_offset = ring.status_offset + size_of::<u32>();
        let offset = ring.geometry.unit_offset(ring.next) + body_offset;
        let len = ring.geometry.unit_len() - body_offset;
        assert!(offset + len <= ring.mapping.len());
        // SAFETY: the offset was just checked to be inside the mapping.
        let start = unsafe { ring.mapping.start().add(offset) };
        // SAFETY: `len` bytes from `start` on were just checked to be inside the mapping, which lives
        // as long as the ring. The kernel does not touch them before `drop` returns the block, and
        // the slice borrows this value, which borrows the ring, exclusively.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), len) }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        let ring = &mut *self.ring;
        // Pairs with the kernel's read of the status in `prb_dispatch_next_block` and
        // `packet_lookup_frame`: what this program read and wrote in the block comes before.
        ring.word(ring.next, ring.status_offset).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        ring.next = (ring.next + 1) % ring.geometry.unit_count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    const V3: RingGeometry = RingGeometry {
        version: Version::V3,
        block_len: 4096,
        block_count: 3,
        frame_len: 4096,
        retire_ms: 10,
    };
    /// Two slots a block, and a rest that belongs to none.
    const V2: RingGeometry =
        RingGeometry { version: Version::V2, block_count: 2, frame_len: 1360, ..V3 };

    fn ring(geometry: RingGeometry) -> Ring {
        let len = NonZeroUsize::new(geometry.len()).unwrap();
        Ring::new(Mapping::anonymous(len).unwrap(), geometry)
    }

    /// What the kernel does when a block is full.
    fn hand_over(ring: &Ring, unit: usize) {
        let status = libc::TP_STATUS_USER | libc::TP_STATUS_BLK_TMO;
        ring.word(unit, ring.status_offset).store(status, Ordering::Release);
    }

    #[test]
    fn there_is_no_block_before_the_kernel_hands_one_over() {
        for geometry in [V3, V2] {
            let mut ring = ring(geometry);
            assert!(ring.next_block().is_none() && ring.is_empty());
            hand_over(&ring, 1);
            assert!(ring.next_block().is_none() && ring.is_empty(), "blocks come in order");
            hand_over(&ring, 0);
            assert!(!ring.is_empty());
            assert!(ring.next_block().is_some());
        }
    }

    #[test]
    fn a_dropped_block_is_the_kernels_again_and_the_next_one_follows() {
        for (geometry, count, body_len) in [(V3, 3, 4096 - 12), (V2, 6, 1360 - 4)] {
            let mut ring = ring(geometry);
            assert_eq!(geometry.unit_count(), count);
            for turn in 0..3 * count {
                hand_over(&ring, turn % count);
                let mut block = ring.next_block().unwrap();
                assert_eq!(block.status(), libc::TP_STATUS_USER | libc::TP_STATUS_BLK_TMO);
                let body = block.body();
                assert_eq!(body.len(), body_len);
                body.fill(0xff);
                drop(block);
                let status = ring.word(turn % count, ring.status_offset);
                assert_eq!(status.load(Ordering::Acquire), libc::TP_STATUS_KERNEL);
                assert!(ring.next_block().is_none());
            }
        }
    }

    #[test]
    fn a_block_that_is_being_filled_is_not_empty() {
        let ring = ring(V3);
        ring.word(0, COUNT_OFFSET_V3).store(1, Ordering::Release);
        assert!(!ring.is_empty());
    }
}
