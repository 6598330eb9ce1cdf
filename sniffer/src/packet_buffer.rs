//! The bytes of the latest packets in bounded memory, for readers on other threads.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use summary::{Direction, Faults, LinkType, Timestamp};

use crate::line_formatter::CapturedPacket;
use crate::packet_file::Description;

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

/// Packets that were copied from memory, in the order of their numbers in each range that was requested.
#[derive(Debug, Default)]
pub(crate) struct CopiedPackets {
    packets: Chunk,
    interfaces: Vec<Arc<str>>,
    /// The capture.
    pub(crate) description: Description,
    /// The first number that was not looked up, because the packets before it have the requested length.
    pub(crate) next: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    max_len: usize,
    description: Description,
    /// Packets in ascending order of their numbers.
    chunks: VecDeque<Chunk>,
    /// Memory of all chunks.
    len: usize,
    /// The names of the interfaces.
    interfaces: Vec<Arc<str>>,
    /// The interface of the last packet.
    last_interface: usize,
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
    ts: Timestamp,
    wire_len: u32,
    interface: Option<u32>,
    link: LinkType,
    direction: Option<Direction>,
}

impl PacketBuffer {
    /// Keeps packets in at most `max_len` bytes and one chunk.
    pub(crate) fn new(max_len: usize) -> Self {
        Self(Arc::new(Mutex::new(State { max_len, ..State::default() })))
    }

    /// Sets the properties of the capture.
    pub(crate) fn describe(&self, description: Description) {
        self.state().description = description;
    }

    /// Adds a packet, whose number is greater than those of all others.
    pub(crate) fn push(&self, n: u64, packet: &CapturedPacket<'_>) {
        self.state().push(n, packet);
    }

    /// The packet with a number, if it is in memory.
    pub(crate) fn get(&self, n: u64) -> Option<BufferedPacket> {
        self.state().get(n)
    }

    /// The packets in memory with these numbers, up to about `max_len` bytes.
    pub(crate) fn copy(&self, ranges: &[RangeInclusive<u64>], max_len: usize) -> CopiedPackets {
        self.state().copy(ranges, max_len)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, n: u64, packet: &CapturedPacket<'_>) {
        let CapturedPacket { ts, link, wire_len, bytes, direction, .. } = *packet;
        let interface = packet.interface.map(|name| self.interface(name));
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
        let end = chunk.bytes.len();
        chunk.packets.push(Entry { n, end, ts, wire_len, interface, link, direction });
        self.len += chunk.len() - before;
        while self.max_len < self.len
            && 1 < self.chunks.len()
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.len -= oldest.len();
        }
    }

    /// The index of an interface.
    fn interface(&mut self, name: &str) -> u32 {
        let is_named = |interface: &Arc<str>| **interface == *name;
        if !self.interfaces.get(self.last_interface).is_some_and(is_named) {
            let index = self.interfaces.iter().position(is_named);
            self.last_interface = index.unwrap_or(self.interfaces.len());
            if index.is_none() {
                self.interfaces.push(name.into());
            }
        }
        u32::try_from(self.last_interface).unwrap_or(u32::MAX)
    }

    fn copy(&self, ranges: &[RangeInclusive<u64>], max_len: usize) -> CopiedPackets {
        let mut packets = Chunk::default();
        let mut next = None;
        'ranges: for range in ranges {
            let is_before =
                |chunk: &Chunk| chunk.packets.last().is_some_and(|last| last.n < *range.start());
            let first = self.chunks.partition_point(is_before);
            for chunk in self.chunks.range(first..) {
                let first = chunk.packets.partition_point(|entry| entry.n < *range.start());
                for (index, entry) in chunk.packets.iter().enumerate().skip(first) {
                    if range.end() < &entry.n {
                        continue 'ranges;
                    }
                    if max_len <= packets.len() {
                        next = Some(entry.n);
                        break 'ranges;
                    }
                    packets.bytes.extend_from_slice(chunk.bytes_of(index));
                    let end = packets.bytes.len();
                    packets.packets.push(Entry { end, ..*entry });
                }
            }
        }
        let (interfaces, description) = (self.interfaces.clone(), self.description.clone());
        CopiedPackets { packets, interfaces, description, next }
    }

    fn get(&self, n: u64) -> Option<BufferedPacket> {
        let is_before = |chunk: &Chunk| chunk.packets.last().is_some_and(|last| last.n < n);
        let chunk = self.chunks.get(self.chunks.partition_point(is_before))?;
        let index = chunk.packets.binary_search_by_key(&n, |entry| entry.n).ok()?;
        let Entry { wire_len, link, .. } = chunk.packets[index];
        Some(BufferedPacket { link, wire_len, bytes: chunk.bytes_of(index).to_vec() })
    }
}

impl Chunk {
    /// The memory of its packets.
    fn len(&self) -> usize {
        self.bytes.len() + self.packets.len() * size_of::<Entry>()
    }

    /// The bytes of the packet with this index.
    fn bytes_of(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.packets[before].end);
        &self.bytes[start..self.packets[index].end]
    }
}

impl CopiedPackets {
    /// The packets with their numbers.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (u64, CapturedPacket<'_>)> {
        self.packets.packets.iter().enumerate().map(|(index, entry)| {
            let Entry { n, ts, wire_len, interface, link, direction, .. } = *entry;
            let interface = interface.and_then(|index| self.interfaces.get(index as usize));
            let packet = CapturedPacket {
                ts,
                link,
                is_big_endian: cfg!(target_endian = "big"),
                bytes: self.packets.bytes_of(index),
                wire_len,
                faults: Faults::default(),
                interface: interface.map(|name| &**name),
                direction,
                gso: None,
            };
            (n, packet)
        })
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
                let name = ["eth0", "eth1"][usize::from(byte % 2)];
                let bytes = vec![byte; len];
                state.push(n, &packet(n, name, &bytes));
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

        /// Ranges contain the packets that single requests find, however many are copied at once.
        #[test]
        fn copies_of_ranges_are_the_packets(
            lens in prop::collection::vec(0..200_000usize, 1..60),
            ranges in prop::collection::vec((0..70u64, 0..30u64), 0..5),
            max_len in 1..2_000_000usize,
        ) {
            let mut state = State { max_len: 3_000_000, ..State::default() };
            for (n, len) in (1..).zip(lens) {
                let name = ["eth0", "eth1"][usize::from(n % 3 == 0)];
                state.push(n, &packet(n, name, &vec![u8::try_from(n).unwrap(); len]));
            }
            for (first, more) in ranges {
                let (mut numbers, mut start) = (Vec::new(), Some(first));
                while let Some(from) = start {
                    let copied = state.copy(&[from..=first + more], max_len);
                    for (n, packet) in copied.iter() {
                        let single = state.get(n).unwrap();
                        prop_assert_eq!((packet.bytes, packet.wire_len), (&single.bytes[..], single.wire_len));
                        prop_assert_eq!(packet.ts, Timestamp::from_ns(i64::try_from(n).unwrap()));
                        prop_assert_eq!(packet.interface, Some(["eth0", "eth1"][usize::from(n % 3 == 0)]));
                        numbers.push(n);
                    }
                    prop_assert!(copied.next.is_none_or(|next| from <= next && next <= first + more));
                    prop_assert!(copied.next != start, "at least one packet is copied");
                    start = copied.next;
                }
                let expected = (first..=first + more).filter(|n| state.get(*n).is_some());
                prop_assert_eq!(numbers, expected.collect::<Vec<_>>());
            }
        }
    }

    fn packet<'a>(n: u64, interface: &'a str, bytes: &'a [u8]) -> CapturedPacket<'a> {
        CapturedPacket {
            ts: Timestamp::from_ns(i64::try_from(n).unwrap()),
            link: LinkType::ETHERNET,
            is_big_endian: cfg!(target_endian = "big"),
            bytes,
            wire_len: u32::try_from(bytes.len()).unwrap() + 7,
            faults: Faults::default(),
            interface: Some(interface),
            direction: Some(Direction::In),
            gso: None,
        }
    }
}
