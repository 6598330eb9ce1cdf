//! The ports of datagrams that IP fragments contain. Only the first fragment has them.

use crate::flow;
use crate::table::Table;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;
use std::net::IpAddr;
use summary::{Fragment, Summary, Timestamp};

/// Maximum number of incomplete datagrams.
pub(crate) const MAX_DATAGRAMS: usize = 1 << 14;
/// Maximum number of pieces of a datagram that are distinguished.
const MAX_PIECES: usize = 64;
/// How long after a fragment the others may be captured, in nanoseconds: as long as Linux waits.
const MAX_AGE_NS: i64 = 30_000_000_000;

/// Finds the ports of fragments after the first one. The fragments have to be passed in the order in
/// which they were captured.
///
/// Hosts reuse identifications after minutes, fast ones within a second. A datagram is therefore removed
/// when all its bytes were captured, after 30 seconds, and when a fragment contradicts the others: it has
/// bytes at a position that was captured before, unless it is a copy of the same fragment.
#[derive(Debug)]
pub(crate) struct DatagramPorts(Table<Key, Datagram>);

/// The fields that all fragments of a datagram share (RFC 791, section 3.2; RFC 8200, section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: Option<u8>,
    /// See [`flow::scope`].
    scope: u64,
    /// See [`flow::tunnels`]. All fragments have the same direction.
    tunnels: u64,
}

impl Key {
    /// The datagram of a fragment, which was captured on `interface`.
    pub(crate) fn new(
        interface: Option<&str>,
        summary: &Summary<'_>,
        fragment: &Fragment,
    ) -> Option<Self> {
        let Fragment { id, protocol, .. } = *fragment;
        let (scope, tunnels) = (flow::scope(interface, summary), flow::tunnels(summary));
        Some(Self { src: summary.src?, dst: summary.dst?, id, protocol, scope, tunnels })
    }
}

/// Whether a fragment may belong to a datagram of which others were captured before, the first of them at
/// `since`.
pub(crate) fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    now.ns().saturating_sub(since.ns()) <= MAX_AGE_NS
}

/// Whether a fragment agrees with the length of its datagram, if that is known.
pub(crate) fn is_possible(len: Option<u32>, fragment: &Fragment) -> bool {
    let end = fragment.end();
    len.is_none_or(|len| if fragment.is_last { end == len } else { end <= len })
}

/// The captured fragments of a datagram.
#[derive(Clone, Debug)]
struct Datagram {
    since: Timestamp,
    /// Source and destination, if the first fragment was captured.
    ports: Option<(u16, u16)>,
    /// In the order of their bytes.
    parts: Vec<Part>,
    /// Length of the datagram, if the last fragment was captured.
    len: Option<u32>,
}

/// A fragment that was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    start: u32,
    end: u32,
    /// A hash of its bytes.
    hash: u32,
}

impl Default for DatagramPorts {
    fn default() -> Self {
        Self(Table::new(MAX_DATAGRAMS))
    }
}

impl DatagramPorts {
    /// Adds a fragment with its captured bytes, which was captured on `interface`. If it is not the first one
    /// of its datagram, returns the source and destination port in that one, if it was captured before.
    pub(crate) fn add(
        &mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        (fragment, bytes): (&Fragment, &[u8]),
    ) -> Option<(u16, u16)> {
        let key = Key::new(interface, summary, fragment)?;
        #[expect(clippy::cast_possible_truncation, reason = "a hash may be shorter")]
        let hash = FxBuildHasher.hash_one(bytes) as u32;
        let part = Part { start: fragment.offset, end: fragment.end(), hash };
        let old = self.0.get_mut(&key).filter(|old| is_recent(old.since, ts));
        if let Some(datagram) = old.filter(|old| old.accepts(fragment, &part)) {
            datagram.add(summary, fragment, part);
            let ports = datagram.ports.filter(|_| fragment.offset != 0);
            if datagram.is_complete() {
                self.0.remove(&key);
            }
            return ports;
        }
        let mut datagram = Datagram { since: ts, ports: None, parts: Vec::new(), len: None };
        datagram.add(summary, fragment, part);
        self.0.insert(key, ts, datagram, |_, _| ());
        None
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Datagram {
    /// Whether a fragment can be a part of the same datagram.
    fn accepts(&self, fragment: &Fragment, part: &Part) -> bool {
        let is_other = |old: &Part| {
            let is_beyond = fragment.is_last && part.end < old.end;
            is_beyond || old.start < part.end && part.start < old.end && old != part
        };
        is_possible(self.len, fragment)
            && self.parts.len() < MAX_PIECES
            && !self.parts.iter().any(is_other)
    }

    fn add(&mut self, summary: &Summary<'_>, fragment: &Fragment, part: Part) {
        if fragment.offset == 0 {
            self.ports = summary.sport.zip(summary.dport);
        }
        if !self.parts.contains(&part) {
            // In order: the code for sorting would take much space in the page.
            let index = self.parts.partition_point(|other| other.start < part.start);
            self.parts.insert(index, part);
        }
        if self.parts.len() == MAX_PIECES {
            self.join();
        }
        if fragment.is_last {
            self.len = Some(fragment.end());
        }
    }

    /// Joins consecutive fragments. Copies of them are not recognized any longer.
    fn join(&mut self) {
        self.parts.dedup_by(|next, last| {
            let is_next = last.end == next.start;
            if is_next {
                (last.end, last.hash) = (next.end, last.hash ^ next.hash);
            }
            is_next
        });
    }

    fn is_complete(&self) -> bool {
        let captured: u32 = self.parts.iter().map(|part| part.end - part.start).sum();
        self.len.is_some_and(|len| len <= captured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;
    use summary::{LinkType, Proto};

    /// The fragment of a datagram with the ports `number` and 53, between hosts that `host` identifies.
    fn add(
        ports: &mut DatagramPorts,
        seconds: i64,
        (host, id): (u32, u32),
        number: u16,
        (start, end, is_last): (u32, u32, bool),
    ) -> Option<u16> {
        let mut summary = Summary::new(LinkType::RAW, 0, 0);
        summary.proto = Proto::UDP;
        (summary.src, summary.dst) =
            (Some(Ipv4Addr::from_bits(host).into()), Some(Ipv4Addr::LOCALHOST.into()));
        if start == 0 {
            (summary.sport, summary.dport) = (Some(number), Some(53));
        }
        let (offset, len) = (start, end - start);
        let (protocol, next_header) = (Some(17), 17);
        let fragment = Fragment { id, protocol, next_header, start: 0, offset, len, is_last };
        let ts = Timestamp::from_ns(seconds * 1_000_000_000);
        let bytes = number.to_be_bytes();
        let found = ports.add(ts, None, &summary, (&fragment, &bytes));
        assert!(found.is_none_or(|(_, dport)| dport == 53));
        found.map(|(sport, _)| sport)
    }

    #[test]
    fn identifications_are_used_again() {
        let mut ports = DatagramPorts::default();
        let key = (1, 7);
        assert_eq!(add(&mut ports, 0, key, 1, (0, 80, false)), None);
        assert_eq!(add(&mut ports, 0, key, 1, (80, 99, true)), Some(1));
        assert_eq!(ports.len(), 0, "complete");
        assert_eq!(add(&mut ports, 0, key, 2, (80, 99, true)), None);
        assert_eq!(add(&mut ports, 0, key, 2, (0, 80, false)), None);
        assert_eq!(ports.len(), 0, "in the opposite order");
        // The first fragment of another datagram was lost: bytes at a known position are others.
        assert_eq!(add(&mut ports, 0, key, 1, (0, 80, false)), None);
        assert_eq!(add(&mut ports, 0, key, 1, (80, 160, false)), Some(1));
        assert_eq!(add(&mut ports, 0, key, 1, (80, 160, false)), Some(1), "a copy");
        assert_eq!(add(&mut ports, 0, key, 2, (80, 160, false)), None);
        assert_eq!(add(&mut ports, 0, key, 2, (160, 168, true)), None);
        // The rest of the first datagram was lost.
        add(&mut ports, 0, key, 1, (0, 80, false));
        add(&mut ports, 0, key, 2, (0, 40, false));
        assert_eq!(add(&mut ports, 0, key, 2, (80, 99, true)), Some(2));
        assert_eq!(add(&mut ports, 0, key, 3, (104, 120, false)), None, "beyond the end");
        assert_eq!(add(&mut ports, 0, key, 3, (96, 104, false)), None);
        let key = (1, 8);
        add(&mut ports, 0, key, 4, (0, 8, false));
        assert_eq!(add(&mut ports, 0, key, 4, (80, 99, true)), Some(4));
        assert_eq!(add(&mut ports, 0, key, 4, (99, 120, true)), None, "another end");
        let key = (1, 9);
        add(&mut ports, 0, key, 4, (0, 8, false));
        assert_eq!(add(&mut ports, 0, key, 4, (80, 120, false)), Some(4));
        assert_eq!(add(&mut ports, 0, key, 4, (8, 80, true)), None, "an end before other bytes");
    }

    #[test]
    fn fragments_belong_to_their_hosts_for_half_a_minute() {
        let mut ports = DatagramPorts::default();
        add(&mut ports, 0, (1, 7), 1, (0, 80, false));
        assert_eq!(add(&mut ports, 0, (2, 7), 1, (80, 88, false)), None);
        assert_eq!(add(&mut ports, 0, (1, 8), 1, (80, 88, false)), None);
        assert_eq!(add(&mut ports, 30, (1, 7), 1, (80, 88, false)), Some(1));
        assert_eq!(add(&mut ports, 31, (1, 7), 1, (88, 96, false)), None);
    }

    #[test]
    fn datagrams_may_have_many_fragments() {
        let mut ports = DatagramPorts::default();
        for number in 0..1_000 {
            let start = 8 * number;
            let found = add(&mut ports, 0, (1, 7), 1, (start, start + 8, number == 999));
            assert_eq!(found.is_some(), number != 0);
        }
        assert_eq!(ports.len(), 0);
        // Those that are not consecutive exceed the limit.
        for number in 0..100 {
            let found = add(&mut ports, 0, (1, 7), 1, (16 * number, 16 * number + 8, false));
            assert_eq!(found.is_some(), (1..64).contains(&number));
        }
    }

    #[test]
    fn memory_is_limited_in_floods() {
        let mut ports = DatagramPorts::default();
        for number in 0..1_000_000 {
            add(&mut ports, 0, (number, 0), 1, (0, 80, false));
            assert!(ports.len() <= MAX_DATAGRAMS);
        }
        assert_eq!(add(&mut ports, 0, (999_999, 0), 1, (80, 88, true)), Some(1));
        assert_eq!(add(&mut ports, 0, (0, 0), 1, (80, 88, true)), None);
        for number in 0..1_000_000 {
            add(&mut ports, 0, (number, 0), 1, (80, 88, false));
            assert!(ports.len() <= MAX_DATAGRAMS);
        }
        // A minute later, all of them are too old.
        add(&mut ports, 61, (0, 0), 1, (0, 80, false));
        assert_eq!(ports.len(), 1);
    }

    proptest! {
        /// Each later fragment has the ports of its datagram if and only if the first one came before.
        /// Nothing is left of complete datagrams.
        #[test]
        fn order_and_sizes_do_not_matter(
            cuts in prop::collection::vec(prop::collection::btree_set(1u32..40, 1..8), 1..5),
            order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let mut fragments = Vec::new();
            for (number, cuts) in (1u16..).zip(&cuts) {
                let ends: Vec<_> = cuts.iter().map(|cut| cut * 8).chain([400]).collect();
                let starts = [0].into_iter().chain(ends.iter().copied());
                fragments.extend(starts.zip(&ends).map(|(start, end)| (number, start, *end)));
            }
            let mut ports = DatagramPorts::default();
            let mut seen = Vec::new();
            for (number, start, end) in order.iter().filter_map(|index| fragments.get(*index)) {
                let key = (1, u32::from(*number));
                let found = add(&mut ports, 0, key, *number, (*start, *end, *end == 400));
                prop_assert_eq!(found, Some(*number).filter(|number| seen.contains(number)));
                if *start == 0 {
                    seen.push(*number);
                }
            }
            prop_assert_eq!(ports.len(), 0);
        }
    }
}
