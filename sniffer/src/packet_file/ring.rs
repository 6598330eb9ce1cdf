//! The last packets of a capture in memory, as packet blocks of pcapng in the byte order of the machine.

use std::collections::VecDeque;
use summary::Timestamp;

use super::recorder::RingLimits;

/// Size of an allocation, which is freed or reused when all packets in it are too old. Small rings have
/// smaller chunks, so that a chunk is a small part of them.
const MAX_CHUNK_LEN: usize = 256 << 10;
const MIN_CHUNK_LEN: usize = 4 << 10;
const CHUNKS_PER_RING: usize = 16;

/// Most bytes of a block besides those of the packet.
const MAX_BLOCK_OVERHEAD: usize = 64;

/// Offsets in a packet block (draft-ietf-opsawg-pcapng, section 4.3).
const LEN_OFFSET: usize = 4;
const INTERFACE_OFFSET: usize = 8;
const TIME_OFFSET: usize = 12;

/// Packet blocks, the oldest first.
#[derive(Debug)]
pub(super) struct PacketRing {
    limits: RingLimits,
    chunk_len: usize,
    chunks: VecDeque<Chunk>,
    /// An empty chunk for reuse.
    spare: Option<Vec<u8>>,
    /// Bytes in all chunks.
    len: usize,
    /// Time of the newest packet, in nanoseconds since 1970.
    newest: i64,
    /// Time of the newest packet that was removed because there was too little memory.
    forced_out: Option<i64>,
}

/// Some blocks in one allocation.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    newest: i64,
}

/// A block that leaves the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    pub(super) bytes: &'a [u8],
    /// Index of its interface.
    pub(super) interface: usize,
    /// Time of the packet.
    pub(super) ts: Timestamp,
}

impl PacketRing {
    pub(super) fn new(limits: RingLimits) -> Self {
        Self {
            chunk_len: (limits.max_len / CHUNKS_PER_RING).clamp(MIN_CHUNK_LEN, MAX_CHUNK_LEN),
            limits,
            chunks: VecDeque::new(),
            spare: None,
            len: 0,
            newest: 0,
            forced_out: None,
        }
    }

    /// Adds the block that `write` appends: a packet of `packet_len` bytes, captured at `ts`. Removes
    /// blocks that are out of the limits.
    pub(super) fn push(
        &mut self,
        ts: Timestamp,
        packet_len: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let needed = packet_len + MAX_BLOCK_OVERHEAD;
        let has_space = |chunk: &Chunk| needed <= chunk.bytes.capacity() - chunk.bytes.len();
        if !self.chunks.back().is_some_and(has_space) {
            let spare = self.spare.take().filter(|spare| needed <= spare.capacity());
            let bytes = spare.unwrap_or_else(|| Vec::with_capacity(self.chunk_len.max(needed)));
            self.chunks.push_back(Chunk { bytes, newest: i64::MIN });
        }
        let Some(chunk) = self.chunks.back_mut() else { return };
        let before = chunk.bytes.len();
        write(&mut chunk.bytes);
        self.len += chunk.bytes.len() - before;
        chunk.newest = chunk.newest.max(ts.ns());
        self.newest = self.newest.max(ts.ns());
        self.evict();
    }

    /// Removes the oldest chunks as long as the others contain all that the limits allow.
    fn evict(&mut self) {
        let start = self.limits.start(self.newest);
        while 1 < self.chunks.len()
            && let Some(first) = self.chunks.front()
        {
            let is_old = start.is_some_and(|start| first.newest < start);
            let is_excess = self.limits.max_len <= self.len - first.bytes.len();
            if !is_old && !is_excess {
                return;
            }
            if !is_old {
                self.forced_out = self.forced_out.max(Some(first.newest));
            }
            self.len -= first.bytes.len();
            if let Some(Chunk { mut bytes, .. }) = self.chunks.pop_front() {
                bytes.clear();
                self.spare = Some(bytes);
            }
        }
    }

    /// Removes all packets.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Passes the packets that the limits allow at the time `now` to `visit`, the oldest first, and
    /// removes all. Of a size, the newest packets count. Returns whether packets are missing that the
    /// time of the limits includes.
    pub(super) fn drain<E>(
        &mut self,
        now: Timestamp,
        mut visit: impl FnMut(Block<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let start = self.limits.start(now.ns());
        let mut excess = self.len.saturating_sub(self.limits.max_len);
        let mut forced_out = std::mem::take(&mut self.forced_out);
        let chunks = std::mem::take(&mut self.chunks);
        let mut left = std::mem::take(&mut self.len);
        for chunk in &chunks {
            for block in blocks(&chunk.bytes) {
                // A single packet is kept, however long it is.
                let is_last = left == block.bytes.len();
                left -= block.bytes.len();
                let is_excess = 0 < excess && !is_last;
                excess = excess.saturating_sub(block.bytes.len());
                if is_excess {
                    forced_out = forced_out.max(Some(block.ts.ns()));
                } else if start.is_none_or(|start| start <= block.ts.ns()) {
                    visit(block)?;
                }
            }
        }
        Ok(start.is_some_and(|start| forced_out.is_some_and(|forced_out| start <= forced_out)))
    }

    /// Bytes that are allocated for packets.
    #[cfg(test)]
    fn allocated_len(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| &chunk.bytes).chain(&self.spare);
        chunks.map(Vec::capacity).sum()
    }
}

/// The blocks in a chunk.
fn blocks(bytes: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let u32_at = |at: usize| rest.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes);
        let len = u32_at(LEN_OFFSET)? as usize;
        let interface = u32_at(INTERFACE_OFFSET)? as usize;
        let ns = u64::from(u32_at(TIME_OFFSET)?) << 32 | u64::from(u32_at(TIME_OFFSET + 4)?);
        let (bytes, after) = rest.split_at_checked(len)?;
        rest = after;
        let ts = Timestamp::from_ns(i64::try_from(ns).unwrap_or(i64::MAX));
        Some(Block { bytes, interface, ts })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    /// A block of a packet of that many bytes.
    fn block(ns: i64, packet_len: usize) -> Vec<u8> {
        let len = 32 + packet_len.next_multiple_of(4);
        let mut block = vec![0; len];
        let ns = u64::try_from(ns).unwrap();
        let words = [
            (0, 6),
            (4, u32::try_from(len).unwrap()),
            (8, 3),
            (12, u32::try_from(ns >> 32).unwrap()),
            (16, u32::try_from(ns & 0xffff_ffff).unwrap()),
        ];
        for (at, word) in words {
            block[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        block
    }

    /// Times and lengths of the blocks that leave the ring at `now`, and whether some are missing.
    fn drained(ring: &mut PacketRing, now: i64) -> (Vec<(i64, usize)>, bool) {
        let mut found = Vec::new();
        let is_cut = ring
            .drain(Timestamp::from_ns(now), |block| {
                assert_eq!(block.interface, 3);
                found.push((block.ts.ns(), block.bytes.len()));
                Ok::<_, ()>(())
            })
            .unwrap();
        (found, is_cut)
    }

    proptest! {
        /// The ring has exactly the packets of a plain list, in bounded memory.
        #[test]
        fn ring_has_the_packets_that_its_limits_allow(
            packets in prop::collection::vec((0..3_000i64, 0..3_000usize), 1..400),
            max_len in 1..300_000usize,
            span in prop::option::of(0..200_000u64),
            delay in 0..100_000i64,
        ) {
            let limits = RingLimits { max_len, span: span.map(Duration::from_nanos) };
            let mut ring = PacketRing::new(limits);
            let (mut now, mut all) = (0, Vec::new());
            for (step, packet_len) in packets {
                now += step;
                let block = block(now, packet_len);
                ring.push(Timestamp::from_ns(now), packet_len, |out| out.extend(&block));
                all.push((now, block.len()));
                // A chunk has no space for the first packet of the next one: at most half is unused.
                let used = max_len + ring.chunk_len + 3_000 + MAX_BLOCK_OVERHEAD;
                prop_assert!(ring.allocated_len() <= 2 * used + 2 * ring.chunk_len);
            }
            let now = now + delay;
            // The newest packets that fit, at least one, and of these the ones in time.
            let mut left = max_len;
            let fits = all.iter().rev().enumerate().take_while(|(index, (_, len))| {
                let fits = *index == 0 || *len <= left;
                left = left.saturating_sub(*len);
                fits
            });
            let fits: Vec<_> = fits.map(|(_, packet)| *packet).collect();
            let start = span.map_or(i64::MIN, |span| now - i64::try_from(span).unwrap());
            let is_in_time = |packet: &&(i64, usize)| start <= packet.0;
            let expected: Vec<_> = fits.iter().rev().filter(is_in_time).copied().collect();
            let in_time = all.iter().filter(is_in_time).count();
            let (found, is_cut) = drained(&mut ring, now);
            prop_assert_eq!(&found, &expected);
            if span.is_some() {
                prop_assert_eq!(is_cut, expected.len() < in_time);
            }
            prop_assert_eq!(drained(&mut ring, now), (vec![], false));
        }
    }
}
