//! The bytes of the latest packets in bounded memory, for readers on other threads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use summary::LinkType;

use crate::line_formatter::CapturedPacket;

/// Capacity of a chunk in bytes, unless a packet is longer.
const CHUNK_LEN: usize = 1 << 20;

/// Packets by number. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct PacketBuffer(Arc<Mutex<State>>);

/// A packet in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BufferedPacket {
    pub(crate) link: LinkType,
    /// Length on the wire in bytes.
    pub(crate) wire_len: u32,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    max_len: usize,
    /// Packets in ascending order of their numbers.
    chunks: VecDeque<Chunk>,
    /// Memory of all chunks.
    len: usize,
}

/// Packets in one allocation.
#[derive(Debug, Default)]
struct Chunk {
    packets: Vec<Entry>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    n: u64,
    /// Offset after the last byte in the chunk.
    end: usize,
    wire_len: u32,
    link: LinkType,
}

impl PacketBuffer {
    /// Keeps packets in at most `max_len` bytes and one chunk.
    pub(crate) fn new(max_len: usize) -> Self {
        Self(Arc::new(Mutex::new(State { max_len, ..State::default() })))
    }

    /// Adds a packet, whose number is greater than those of all others.
    pub(crate) fn push(&self, n: u64, packet: &CapturedPacket<'_>) {
        let CapturedPacket { link, wire_len, bytes, .. } = *packet;
        self.state().push(n, link, wire_len, bytes);
    }

    /// The packet with a number, if it is in memory.
    pub(crate) fn get(&self, n: u64) -> Option<BufferedPacket> {
        self.state().get(n)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, n: u64, link: LinkType, wire_len: u32, bytes: &[u8]) {
        let has_space = |chunk: &&mut Chunk| chunk.len() + bytes.len() <= CHUNK_LEN;
        let chunk = match self.chunks.back_mut().filter(has_space) {
            Some(chunk) => chunk,
            None => {
                self.chunks.push_back(Chunk::default());
                let Some(chunk) = self.chunks.back_mut() else { return };
                chunk
            }
        };
        let before = chunk.len();
        chunk.bytes.extend_from_slice(bytes);
        chunk.packets.push(Entry { n, end: chunk.bytes.len(), wire_len, link });
        self.len += chunk.len() - before;
        while self.max_len < self.len
            && 1 < self.chunks.len()
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.len -= oldest.len();
        }
    }

    fn get(&self, n: u64) -> Option<BufferedPacket> {
        let is_before = |chunk: &Chunk| chunk.packets.last().is_some_and(|last| last.n < n);
        let chunk = self.chunks.get(self.chunks.partition_point(is_before))?;
        let index = chunk.packets.binary_search_by_key(&n, |entry| entry.n).ok()?;
        let Entry { end, wire_len, link, .. } = chunk.packets[index];
        let start = index.checked_sub(1).map_or(0, |before| chunk.packets[before].end);
        Some(BufferedPacket { link, wire_len, bytes: chunk.bytes[start..end].to_vec() })
    }
}

impl Chunk {
    /// The memory of its packets.
    fn len(&self) -> usize {
        self.bytes.len() + self.packets.len() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The latest packets are found by their numbers, of which some are missing.
        #[test]
        fn latest_packets_are_found_by_number(
            packets in prop::collection::vec((1..4u64, 0..300_000usize), 1..60),
            max_len in 0..4_000_000usize,
        ) {
            let mut state = State { max_len, ..State::default() };
            let (mut n, mut numbered) = (0, Vec::new());
            for (step, len) in packets {
                n += step;
                let byte = u8::try_from(n % 256).unwrap();
                state.push(n, LinkType::ETHERNET, u32::try_from(len).unwrap() + 7, &vec![byte; len]);
                numbered.push((n, len));
                prop_assert!(state.len <= max_len + CHUNK_LEN + 300_000);
            }
            let mut kept = 0;
            for (index, (n, len)) in numbered.iter().enumerate() {
                let Some(packet) = state.get(*n) else {
                    prop_assert_eq!(kept, 0, "all packets after one that is kept are kept");
                    continue;
                };
                kept += 1;
                prop_assert_eq!(packet.wire_len as usize, len + 7);
                prop_assert_eq!(packet.bytes, vec![u8::try_from(n % 256).unwrap(); *len]);
                if let Some((next, _)) = numbered.get(index + 1) {
                    prop_assert!((n + 1..*next).all(|missing| state.get(missing).is_none()));
                }
            }
            prop_assert!(0 < kept && state.get(0).is_none() && state.get(u64::MAX).is_none());
            let all: usize = numbered.iter().map(|(_, len)| len + size_of::<Entry>()).sum();
            prop_assert!(max_len < all || kept == numbered.len());
        }
    }
}
