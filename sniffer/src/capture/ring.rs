//! The ring shared with the kernel (Documentation/networking/packet_mmap.rst): hands out units that
//! the kernel has filled, and returns them when dropped. [`super::frame`] reads their contents.
//!
//! The status word of a unit gives its owner. While `TP_STATUS_USER` is set, the kernel does not
//! touch the unit; a slice over it exists only then.
#![expect(unsafe_code, reason = "status words and unit bodies are memory shared with the kernel")]

use super::geometry::{Geometry, Version};
use super::sys::Mapping;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

/// Offset of the status word in a block (version 3); in a slot (version 2) it is 0.
const STATUS_OFFSET_V3: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, block_status);

/// Offset of the frame count in a block (version 3).
const COUNT_OFFSET_V3: usize =
    offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, num_pkts);

/// Offset of the first byte after the status word in a block (version 3).
pub(super) const BODY_OFFSET_V3: usize = STATUS_OFFSET_V3 + size_of::<u32>();

/// A ring of units, read in order.
#[derive(Debug)]
pub(super) struct Ring {
    /// `mapping.len() == geometry.len()`
    mapping: Mapping,
    geometry: Geometry,
    status_offset: usize,
    /// The unit to read next: `next < geometry.unit_count()`.
    next: usize,
}

impl Ring {
    /// A ring over a mapping.
    ///
    /// # Panics
    ///
    /// If the sizes of the mapping and the geometry differ, or units are not aligned.
    pub(super) fn new(mapping: Mapping, geometry: Geometry) -> Self {
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

    /// The next unit, if the kernel has handed it over.
    pub(super) fn next_unit(&mut self) -> Option<Unit<'_>> {
        // Pairs with the release of the status in `prb_close_block` and `__packet_set_status`
        // (net/packet/af_packet.c): makes visible what the kernel wrote before it.
        let status = self.shared_u32(self.next, self.status_offset).load(Ordering::Acquire);
        // Dropping a `Unit` advances the ring, so create one only to return it.
        if status & libc::TP_STATUS_USER == 0 { None } else { Some(Unit { ring: self, status }) }
    }

    /// Whether the kernel has neither handed over nor started to fill the next unit.
    ///
    /// May be false for an empty ring for a short time: after a freeze the kernel resets the frame
    /// count of a block only when it reopens the block.
    pub(super) fn is_empty(&self) -> bool {
        let is_owned_by_kernel = || {
            let status = self.shared_u32(self.next, self.status_offset).load(Ordering::Acquire);
            status & libc::TP_STATUS_USER == 0
        };
        match self.geometry.version {
            Version::V2 => is_owned_by_kernel(),
            // Check the status again after the count: the kernel may have handed over the block in
            // between.
            Version::V3 => {
                is_owned_by_kernel()
                    && self.shared_u32(self.next, COUNT_OFFSET_V3).load(Ordering::Acquire) == 0
                    && is_owned_by_kernel()
            }
        }
    }

    /// A `u32` in a unit that the kernel may write at any time.
    fn shared_u32(&self, unit: usize, offset_in_unit: usize) -> &AtomicU32 {
        let offset = self.geometry.unit_offset(unit) + offset_in_unit;
        assert!(
            offset.is_multiple_of(align_of::<AtomicU32>())
                && offset + size_of::<AtomicU32>() <= self.mapping.len()
        );
        // SAFETY: the assertion keeps the offset inside the mapping.
        let pointer = unsafe { self.mapping.start().add(offset) };
        // SAFETY: the mapping is page-aligned and the offset a multiple of the alignment; the
        // mapping lives as long as `self`. No slice over the unit exists while this reference
        // lives: slices borrow the ring exclusively, through a `Unit`.
        unsafe { AtomicU32::from_ptr(pointer.as_ptr().cast()) }
    }
}

/// A unit owned by this program; dropping it returns it to the kernel.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    ring: &'a mut Ring,
    status: u32,
}

impl Unit<'_> {
    /// The status word at the time of the handover: `TP_STATUS_` bits.
    pub(super) fn status(&self) -> u32 {
        self.status
    }

    /// The bytes after the status word.
    pub(super) fn body(&mut self) -> &mut [u8] {
        let ring = &*self.ring;
        let body_offset = ring.status_offset + size_of::<u32>();
        let offset = ring.geometry.unit_offset(ring.next) + body_offset;
        let len = ring.geometry.unit_len() - body_offset;
        assert!(offset + len <= ring.mapping.len());
        // SAFETY: the assertion keeps the offset inside the mapping.
        let start = unsafe { ring.mapping.start().add(offset) };
        // SAFETY: the assertion keeps the `len` bytes from `start` inside the mapping, which lives
        // as long as the ring. The kernel does not touch them until `drop` returns the unit, and
        // the slice borrows this value, which borrows the ring, exclusively.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), len) }
    }
}

impl Drop for Unit<'_> {
    fn drop(&mut self) {
        let ring = &mut *self.ring;
        // Pairs with the kernel's read of the status in `prb_dispatch_next_block` and
        // `packet_lookup_frame`: this program's accesses to the unit come before.
        ring.shared_u32(ring.next, ring.status_offset)
            .store(libc::TP_STATUS_KERNEL, Ordering::Release);
        ring.next = (ring.next + 1) % ring.geometry.unit_count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicPtr;
    use std::thread;

    const V3: Geometry = Geometry {
        version: Version::V3,
        block_len: 4096,
        block_count: 3,
        frame_len: 4096,
        retire_ms: 10,
    };
    /// Three slots per block, and bytes at its end that belong to none.
    const V2: Geometry = Geometry { version: Version::V2, block_count: 2, frame_len: 1360, ..V3 };

    fn ring(geometry: Geometry) -> Ring {
        let len = NonZeroUsize::new(geometry.len()).unwrap();
        Ring::new(Mapping::anonymous(len).unwrap(), geometry)
    }

    /// Plays the kernel's part when a unit is full.
    fn hand_over(ring: &Ring, unit: usize) {
        let status = libc::TP_STATUS_USER | libc::TP_STATUS_BLK_TMO;
        ring.shared_u32(unit, ring.status_offset).store(status, Ordering::Release);
    }

    #[test]
    fn units_are_read_in_order_after_the_handover() {
        for geometry in [V3, V2] {
            let mut ring = ring(geometry);
            assert!(ring.next_unit().is_none() && ring.is_empty());
            hand_over(&ring, 1);
            assert!(ring.next_unit().is_none() && ring.is_empty());
            hand_over(&ring, 0);
            assert!(!ring.is_empty());
            assert!(ring.next_unit().is_some());
        }
    }

    #[test]
    fn dropping_a_unit_returns_it_and_advances_the_ring() {
        for (geometry, count, body_len) in [(V3, 3, 4096 - 12), (V2, 6, 1360 - 4)] {
            let mut ring = ring(geometry);
            assert_eq!(geometry.unit_count(), count);
            for turn in 0..3 * count {
                hand_over(&ring, turn % count);
                let mut unit = ring.next_unit().unwrap();
                assert_eq!(unit.status(), libc::TP_STATUS_USER | libc::TP_STATUS_BLK_TMO);
                let body = unit.body();
                assert_eq!(body.len(), body_len);
                body.fill(0xff);
                drop(unit);
                let status = ring.shared_u32(turn % count, ring.status_offset);
                assert_eq!(status.load(Ordering::Acquire), libc::TP_STATUS_KERNEL);
                assert!(ring.next_unit().is_none());
            }
        }
    }

    /// Fills units like the kernel: each with bytes of its number, once the previous content was read.
    fn fill_units(start: *mut u8, geometry: Geometry, status_offset: usize, count: u8) {
        let body_offset = status_offset + size_of::<u32>();
        for number in 0..count {
            let unit = geometry.unit_offset(usize::from(number) % geometry.unit_count());
            // SAFETY: the unit is inside the mapping, which the caller keeps.
            let status = unsafe { start.add(unit + status_offset) };
            // SAFETY: aligned, and only accessed atomically, as in `Ring::shared_u32`.
            let status = unsafe { AtomicU32::from_ptr(status.cast()) };
            while status.load(Ordering::Acquire) != libc::TP_STATUS_KERNEL {
                thread::yield_now();
            }
            // SAFETY: as above.
            let body = unsafe { start.add(unit + body_offset) };
            // SAFETY: the body ends with the unit; the reader has returned it.
            unsafe { body.write_bytes(number, geometry.unit_len() - body_offset) };
            status.store(libc::TP_STATUS_USER, Ordering::Release);
        }
    }

    /// Miri reports accesses to a body that the status word does not order.
    #[test]
    fn units_are_read_while_others_are_filled() {
        const COUNT: u8 = 8;
        for geometry in [V3, V2] {
            let mut ring = ring(geometry);
            let start = AtomicPtr::new(ring.mapping.start().as_ptr());
            let status_offset = ring.status_offset;
            let mut contents = Vec::new();
            thread::scope(|scope| {
                scope.spawn(|| {
                    fill_units(start.load(Ordering::Relaxed), geometry, status_offset, COUNT);
                });
                // Asserted later: a panic here would leave the other thread waiting.
                while contents.len() < usize::from(COUNT) {
                    let Some(mut unit) = ring.next_unit() else {
                        thread::yield_now();
                        continue;
                    };
                    contents.push(unit.body().to_vec());
                    unit.body().fill(0xff);
                }
            });
            for (number, content) in (0..COUNT).zip(&contents) {
                assert!(content.iter().all(|byte| *byte == number), "unit {number}");
            }
        }
    }

    #[test]
    fn block_being_filled_is_not_empty() {
        let ring = ring(V3);
        ring.shared_u32(0, COUNT_OFFSET_V3).store(1, Ordering::Release);
        assert!(!ring.is_empty());
    }
}
