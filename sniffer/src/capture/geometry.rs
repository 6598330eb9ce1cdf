//! The layout of a ring: how its memory is divided into the units that the kernel hands over.

/// TPACKET version of a ring (packet(7), `PACKET_VERSION`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Fixed-size slots of one frame each. Used if the kernel refuses version 3.
    V2,
    /// Blocks of many frames.
    V3,
}

/// The layout of a ring.
///
/// A *unit* is what the kernel hands over at once: a block in version 3, a slot in version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) version: Version,
    /// Bytes per block: a multiple of the page size.
    pub(super) block_len: usize,
    pub(super) block_count: usize,
    /// Bytes per slot in version 2: a multiple of `TPACKET_ALIGNMENT`. Unused in version 3, which
    /// packs frames of any size into its blocks.
    pub(super) frame_len: usize,
    /// Version 3: milliseconds after which the kernel hands over a block that is not full.
    pub(super) retire_ms: u32,
}

impl Geometry {
    /// Bytes in all blocks.
    pub(super) fn len(self) -> usize {
        self.block_len * self.block_count
    }

    /// Bytes per unit.
    pub(super) fn unit_len(self) -> usize {
        match self.version {
            Version::V2 => self.frame_len,
            Version::V3 => self.block_len,
        }
    }

    /// Units in the ring.
    pub(super) fn unit_count(self) -> usize {
        self.units_per_block() * self.block_count
    }

    /// Offset of a unit from the start of the ring. Slots never cross the end of a block.
    pub(super) fn unit_offset(self, unit: usize) -> usize {
        let (block, in_block) = (unit / self.units_per_block(), unit % self.units_per_block());
        block * self.block_len + in_block * self.unit_len()
    }

    fn units_per_block(self) -> usize {
        self.block_len / self.unit_len()
    }
}
