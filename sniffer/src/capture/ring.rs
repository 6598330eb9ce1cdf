//! The TPACKET_V3 ring: blocks that the kernel fills and hands over, and that go back when dropped
//! (Documentation/networking/packet_mmap.rst).
//!
//! Who owns a block is told by the status word at its head. While it says `TP_STATUS_USER` the
//! kernel does not touch the block; only then is there a slice over it.
#![expect(
    unsafe_code,
    reason = "the status words and block bodies are memory shared with the kernel"
)]

use super::sys::{Mapping, RingGeometry};
use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the status word is in a block.
const STATUS_OFFSET: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, block_status);

/// Where the part of a block begins that belongs to its owner: right behind the status word.
pub(super) const BODY_OFFSET: usize = STATUS_OFFSET + size_of::<u32>();

/// A ring of blocks, read in order.
#[derive(Debug)]
pub(super) struct Ring {
    /// `mapping.len() == block_len * block_count`
    mapping: Mapping,
    block_len: usize,
    block_count: usize,
    /// The block to be read next: `next < block_count`.
    next: usize,
}

impl Ring {
    /// A ring over a mapping of the geometry's size.
    pub(super) fn new(mapping: Mapping, geometry: RingGeometry) -> Self {
        let RingGeometry { block_len, block_count, .. } = geometry;
        assert!(BODY_OFFSET < block_len && block_len.is_multiple_of(align_of::<AtomicU32>()));
        assert_eq!(mapping.len(), block_len * block_count);
        Self { mapping, block_len, block_count, next: 0 }
    }

    /// The next block, where the kernel has handed it over.
    pub(super) fn next_block(&mut self) -> Option<Block<'_>> {
        // Pairs with the release of the status in `prb_close_block` (net/packet/af_packet.c):
        // what the kernel wrote before it is visible behind it.
        let status = self.status(self.next).load(Ordering::Acquire);
        // A `Block` exists only where it is handed out: its drop moves the ring on.
        if status & libc::TP_STATUS_USER == 0 { None } else { Some(Block { ring: self }) }
    }

    fn status(&self, block: usize) -> &AtomicU32 {
        let offset = block * self.block_len + STATUS_OFFSET;
        assert!(offset + size_of::<AtomicU32>() <= self.mapping.len());
        // SAFETY: the offset was just checked to be inside the mapping.
        let word = unsafe { self.mapping.start().add(offset) };
        // SAFETY: the word is aligned, as pages are and `block_len` and `STATUS_OFFSET` are multiples
        // of four, and lives as long as `self`. The kernel and this program access it atomically
        // only: `Block::body` begins behind it and ends before the next block's.
        unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
    }
}

/// A block that the kernel has handed over; dropping it hands it back.
#[derive(Debug)]
pub(super) struct Block<'a> {
    ring: &'a mut Ring,
}

impl Block<'_> {
    /// The bytes of the block from [`BODY_OFFSET`] on.
    pub(super) fn body(&mut self) -> &mut [u8] {
        let offset = self.ring.next * self.ring.block_len + BODY_OFFSET;
        let len = self.ring.block_len - BODY_OFFSET;
        assert!(offset + len <= self.ring.mapping.len());
        // SAFETY: the offset was just checked to be inside the mapping.
        let start = unsafe { self.ring.mapping.start().add(offset) };
        // SAFETY: `len` bytes from `start` on were just checked to be inside the mapping, which lives
        // as long as the ring. The kernel does not touch them before `drop` returns the block, and
        // the slice borrows this value, which borrows the ring, exclusively.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), len) }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        let ring = &mut *self.ring;
        // Pairs with the kernel's read of the status in `prb_dispatch_next_block`: what this program
        // read and wrote in the block comes before.
        ring.status(ring.next).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        ring.next = (ring.next + 1) % ring.block_count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    const GEOMETRY: RingGeometry = RingGeometry { block_len: 4096, block_count: 3, retire_ms: 10 };

    fn ring() -> Ring {
        let len = NonZeroUsize::new(GEOMETRY.block_len * GEOMETRY.block_count).unwrap();
        Ring::new(Mapping::anonymous(len).unwrap(), GEOMETRY)
    }

    /// What the kernel does when a block is full.
    fn hand_over(ring: &Ring, block: usize) {
        ring.status(block).store(libc::TP_STATUS_USER | libc::TP_STATUS_BLK_TMO, Ordering::Release);
    }

    #[test]
    fn there_is_no_block_before_the_kernel_hands_one_over() {
        let mut ring = ring();
        assert!(ring.next_block().is_none());
        hand_over(&ring, 1);
        assert!(ring.next_block().is_none(), "blocks come in order");
        hand_over(&ring, 0);
        assert!(ring.next_block().is_some());
    }

    #[test]
    fn a_dropped_block_is_the_kernels_again_and_the_next_one_follows() {
        let mut ring = ring();
        for turn in 0..7 {
            hand_over(&ring, turn % 3);
            let mut block = ring.next_block().unwrap();
            let body = block.body();
            assert_eq!(body.len(), 4096 - BODY_OFFSET);
            body.fill(0xff);
            drop(block);
            assert_eq!(ring.status(turn % 3).load(Ordering::Acquire), libc::TP_STATUS_KERNEL);
            assert!(ring.next_block().is_none());
        }
    }
}
