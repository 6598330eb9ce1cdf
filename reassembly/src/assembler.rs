//! Datagrams that IP fragments contain.

use crate::datagrams::{Key, MAX_DATAGRAMS, is_possible, is_recent};
use crate::stream::Stream;
use crate::streams::Streams;
use etherparse::checksum::Sum16BitWords;
use std::net::IpAddr;
use summary::{Fragment, Summary, Timestamp};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Joins fragments to packets without fragmentation. The fragments have to be passed in the order in which
/// they were captured.
///
/// The checksum of UDP or TCP has to be right: hosts reuse identifications, and fragments of two datagrams
/// could fit. Where a sender did not compute it (0), overlapping fragments have to agree.
#[derive(Debug)]
pub(crate) struct DatagramAssembler(Streams<Key, Assembly>);

/// What is known about a datagram, beside its bytes.
#[derive(Clone, Copy, Debug)]
struct Assembly {
    since: Timestamp,
    /// Protocol number in the first fragment.
    next_header: Option<u8>,
    /// Length, if the last fragment was captured.
    len: Option<u32>,
}

impl Default for DatagramAssembler {
    fn default() -> Self {
        Self(Streams::new(MAX_DATAGRAMS))
    }
}

impl DatagramAssembler {
    /// Adds a fragment with its captured bytes, which was captured on `interface`. Returns the packet that
    /// it completes: an IP header with the addresses in `summary`, and the datagram.
    pub(crate) fn add(
        &mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        (fragment, bytes): (&Fragment, &[u8]),
    ) -> Option<Vec<u8>> {
        let key = Key::new(interface, summary, fragment)?;
        let (src, dst) = (summary.src?, summary.dst?);
        let position = usize::try_from(fragment.offset).ok()?;
        let is_cut = usize::try_from(fragment.len) != Ok(bytes.len());
        if is_cut {
            self.0.remove(&key);
            return None;
        }
        let added = self.0.update(&key, |assembly, stream| {
            let is_same = is_recent(assembly.since, ts) && is_possible(assembly.len, fragment);
            if !is_same || !stream.insert(position, bytes) {
                return None;
            }
            assembly.add(fragment);
            Some(assembly.complete(stream))
        });
        let complete = match added.flatten() {
            Some(complete) => complete,
            None => {
                let mut assembly = Assembly { since: ts, next_header: None, len: None };
                let mut stream = Stream::default();
                if !stream.insert(position, bytes) {
                    return None;
                }
                assembly.add(fragment);
                self.0.insert(key, ts, assembly, stream);
                None
            }
        };
        self.0.shrink();
        let (protocol, datagram) = complete?;
        self.0.remove(&key);
        let packet = packet(src, dst, protocol, &datagram)?;
        is_checksum_right(src, dst, protocol, &datagram).then_some(packet)
    }

    /// Number of datagrams that were removed because of a limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.0.evicted()
    }
}

impl Assembly {
    fn add(&mut self, fragment: &Fragment) {
        if fragment.offset == 0 {
            self.next_header = Some(fragment.next_header);
        }
        if fragment.is_last {
            self.len = Some(fragment.end());
        }
    }

    /// Protocol and bytes of the datagram, if it is complete.
    fn complete(&self, stream: &mut Stream) -> Option<(u8, Vec<u8>)> {
        let (protocol, len) = (self.next_header?, usize::try_from(self.len?).ok()?);
        (stream.data().len() == len).then(|| (protocol, stream.take(len)))
    }
}

/// A packet without options or extension headers.
fn packet(src: IpAddr, dst: IpAddr, protocol: u8, datagram: &[u8]) -> Option<Vec<u8>> {
    const HOPS: u8 = 64;
    const V4_LEN: usize = 20;
    let len = |len: usize| u16::try_from(len).ok().map(u16::to_be_bytes);
    let header = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let [high, low] = len(V4_LEN + datagram.len())?;
            let start = [0x45, 0, high, low, 0, 0, 0, 0, HOPS, protocol, 0, 0];
            [&start[..], &src.octets(), &dst.octets()].concat()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let [high, low] = len(datagram.len())?;
            let start = [0x60, 0, 0, 0, high, low, protocol, HOPS];
            [&start[..], &src.octets(), &dst.octets()].concat()
        }
        _ => return None,
    };
    Some([&header[..], datagram].concat())
}

/// Whether the checksum of UDP or TCP is right, or was not computed. True for other protocols.
fn is_checksum_right(src: IpAddr, dst: IpAddr, protocol: u8, datagram: &[u8]) -> bool {
    let offset = match protocol {
        UDP => 6,
        TCP => 16,
        _ => return true,
    };
    if datagram.get(offset..offset + 2).is_none_or(|checksum| checksum == [0, 0]) {
        return true;
    }
    let Ok(len) = u16::try_from(datagram.len()) else { return false };
    let mut sum = Sum16BitWords::new();
    for address in [src, dst] {
        sum = match address {
            IpAddr::V4(address) => sum.add_4bytes(address.octets()),
            IpAddr::V6(address) => sum.add_16bytes(address.octets()),
        };
    }
    let sum = sum.add_2bytes([0, protocol]).add_2bytes(len.to_be_bytes());
    sum.add_slice(datagram).ones_complement() == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::MAX_KEPT_LEN;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use summary::LinkType;

    fn summary(host: u32, is_v6: bool) -> Summary<'static> {
        let mut summary = Summary::new(LinkType::RAW, 0, 0);
        (summary.src, summary.dst) = match is_v6 {
            false => (
                Some(Ipv4Addr::from_bits(host).into()),
                Some(Ipv4Addr::from_bits(0xc000_0201).into()),
            ),
            true => {
                (Some(Ipv6Addr::from_bits(host.into()).into()), Some(Ipv6Addr::LOCALHOST.into()))
            }
        };
        summary
    }

    /// Adds the part of a datagram between two positions. Returns the datagram that it completes.
    fn add(
        assembler: &mut DatagramAssembler,
        (seconds, host, is_v6): (i64, u32, bool),
        datagram: &[u8],
        (start, end): (usize, usize),
    ) -> Option<Vec<u8>> {
        let [offset, len] = [start, end - start].map(|len| u32::try_from(len).unwrap());
        let is_last = end == datagram.len();
        let (protocol, next_header) = (Some(UDP), UDP);
        let fragment = Fragment { id: 7, protocol, next_header, start: 0, offset, len, is_last };
        let ts = Timestamp::from_ns(seconds * 1_000_000_000);
        let packet =
            assembler.add(ts, None, &summary(host, is_v6), (&fragment, &datagram[start..end]))?;
        Some(packet[if is_v6 { 40 } else { 20 }..].to_vec())
    }

    /// A datagram of UDP with this content and a checksum.
    fn udp(host: u32, is_v6: bool, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(8 + content.len()).unwrap().to_be_bytes();
        let mut datagram = [&[0, 53, 0, 53][..], &len, &[0, 1], content].concat();
        let Summary { src: Some(src), dst: Some(dst), .. } = summary(host, is_v6) else { panic!() };
        let right = (1..=u16::MAX).find(|checksum| {
            datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
            is_checksum_right(src, dst, UDP, &datagram)
        });
        assert!(right.is_some());
        datagram
    }

    #[test]
    fn checksum_tells_datagrams_with_the_same_identification_apart() {
        let mut assembler = DatagramAssembler::default();
        let (one, other) = (udp(1, false, &[1; 100]), udp(1, false, &[2; 100]));
        let key = (0, 1, false);
        assert_eq!(add(&mut assembler, key, &one, (0, 48)), None);
        assert_eq!(add(&mut assembler, key, &other, (48, 108)), None, "of another datagram");
        assert_eq!(add(&mut assembler, key, &one, (0, 48)), None);
        assert_eq!(add(&mut assembler, (31, 1, false), &one, (48, 108)), None, "too late");
        assert_eq!(add(&mut assembler, (31, 1, false), &other, (0, 48)), None);
        // Other bytes at the same position begin another datagram.
        assert_eq!(add(&mut assembler, key, &one, (0, 48)), None);
        assert_eq!(add(&mut assembler, key, &other, (0, 56)), None);
        assert_eq!(add(&mut assembler, key, &other, (0, 56)), None, "a copy");
        assert_eq!(add(&mut assembler, key, &other, (56, 108)), Some(other));
    }

    #[test]
    fn memory_is_limited_in_floods() {
        let datagram = vec![0; 60_000];
        let mut assembler = DatagramAssembler::default();
        for host in 0..100_000 {
            add(&mut assembler, (0, host, false), &datagram, (0, 8));
        }
        assert_eq!(assembler.0.len(), MAX_DATAGRAMS);
        assert_eq!(assembler.evicted(), 100_000 - MAX_DATAGRAMS as u64);
        for host in 0..2_000 {
            add(&mut assembler, (0, host, true), &datagram, (8, 40_000));
            assert!(assembler.0.kept_len <= MAX_KEPT_LEN);
        }
    }

    proptest! {
        #[test]
        fn order_and_sizes_do_not_matter(
            len in 0usize..200,
            cuts in prop::collection::btree_set(1usize..26, 0..8),
            order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle(),
            is_v6: bool,
        ) {
            let datagram = udp(5, is_v6, &vec![3; len]);
            let ends = cuts.iter().map(|cut| cut * 8).filter(|cut| *cut < datagram.len());
            let ends: Vec<_> = ends.chain([datagram.len()]).collect();
            let starts = [0].into_iter().chain(ends.iter().copied());
            let parts: Vec<_> = starts.zip(ends.iter().copied()).collect();
            let mut assembler = DatagramAssembler::default();
            let ordered: Vec<_> = order.iter().filter_map(|index| parts.get(*index)).collect();
            for (index, part) in ordered.iter().enumerate() {
                let complete = add(&mut assembler, (0, 5, is_v6), &datagram, **part);
                // A fragment that is the whole datagram is none.
                let is_last = index + 1 == parts.len() && 1 < parts.len();
                prop_assert_eq!(complete, is_last.then(|| datagram.clone()));
            }
            prop_assert!(parts.len() == 1 || assembler.0.len() == 0);
        }
    }
}
