//! The ports of datagrams that IP fragments contain. Only the first fragment has them.

use crate::flow;
use crate::table::Table;
use std::net::IpAddr;
use summary::{Fragment, Summary, Timestamp};

/// Maximum number of incomplete datagrams.
const MAX_DATAGRAMS: usize = 1 << 14;

/// Finds the ports of fragments after the first one. The fragments have to be passed in the order in
/// which they were captured.
///
/// Hosts reuse identifications after minutes, fast ones within a second. A datagram is therefore removed
/// when all its bytes were captured, or when a fragment contradicts the others. A new first fragment
/// replaces an old one.
#[derive(Debug)]
pub struct DatagramPorts(Table<Key, Datagram>);

/// The fields that all fragments of a datagram share (RFC 791, section 3.2; RFC 8200, section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: Option<u8>,
    /// See [`flow::scope`].
    scope: u64,
    /// See [`flow::tunnels`]. All fragments have the same direction.
    tunnels: u64,
}

/// The captured fragments of a datagram.
#[derive(Clone, Copy, Debug, Default)]
struct Datagram {
    /// Source and destination, if the first fragment was captured.
    ports: Option<(u16, u16)>,
    /// Sum of the lengths of the fragments.
    captured: u32,
    /// Length of the datagram, if the last fragment was captured.
    len: Option<u32>,
}

impl Default for DatagramPorts {
    fn default() -> Self {
        Self(Table::new(MAX_DATAGRAMS))
    }
}

impl DatagramPorts {
    /// Adds a fragment, which was captured on `interface`. If it is not the first one of its datagram,
    /// returns the source and destination port in that one, if it was captured before.
    pub fn add(
        &mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        fragment: &Fragment,
    ) -> Option<(u16, u16)> {
        let Fragment { id, protocol, offset, .. } = *fragment;
        let (scope, tunnels) = (flow::scope(interface, summary), flow::tunnels(summary));
        let key = Key { src: summary.src?, dst: summary.dst?, id, protocol, scope, tunnels };
        if let Some(datagram) = self.0.get_recent(&key, ts).filter(|old| old.accepts(fragment)) {
            datagram.add(summary, fragment);
            let ports = datagram.ports.filter(|_| offset != 0);
            if datagram.is_complete() {
                self.0.remove(&key);
            }
            return ports;
        }
        let mut datagram = Datagram::default();
        datagram.add(summary, fragment);
        self.0.insert(key, ts, datagram, |_, _| ());
        None
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Datagram {
    /// Whether a fragment can be a part of the same datagram. A second first fragment begins another one.
    fn accepts(&self, fragment: &Fragment) -> bool {
        let end = fragment.end();
        (fragment.offset != 0 || self.ports.is_none())
            && self.len.is_none_or(|len| if fragment.is_last { end == len } else { end <= len })
    }

    fn add(&mut self, summary: &Summary<'_>, fragment: &Fragment) {
        if fragment.offset == 0 {
            self.ports = summary.sport.zip(summary.dport);
        }
        self.captured = self.captured.saturating_add(fragment.len);
        if fragment.is_last {
            self.len = Some(fragment.end());
        }
    }

    fn is_complete(&self) -> bool {
        self.len.is_some_and(|len| len <= self.captured)
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
        let fragment = Fragment { id, protocol: Some(17), offset, len, is_last };
        let ts = Timestamp::from_ns(seconds * 1_000_000_000);
        let found = ports.add(ts, None, &summary, &fragment);
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
        // The rest of the first datagram was lost.
        add(&mut ports, 0, key, 1, (0, 80, false));
        add(&mut ports, 0, key, 2, (0, 40, false));
        assert_eq!(add(&mut ports, 0, key, 2, (80, 99, true)), Some(2));
        assert_eq!(add(&mut ports, 0, key, 3, (104, 120, false)), None, "beyond the end");
        assert_eq!(add(&mut ports, 0, key, 3, (96, 104, false)), None);
        add(&mut ports, 0, key, 4, (0, 8, false));
        assert_eq!(add(&mut ports, 0, key, 4, (80, 99, true)), Some(4));
        assert_eq!(add(&mut ports, 0, key, 4, (80, 120, true)), None, "another end");
    }

    #[test]
    fn fragments_belong_to_their_hosts_for_a_minute() {
        let mut ports = DatagramPorts::default();
        add(&mut ports, 0, (1, 7), 1, (0, 80, false));
        assert_eq!(add(&mut ports, 0, (2, 7), 1, (80, 88, false)), None);
        assert_eq!(add(&mut ports, 0, (1, 8), 1, (80, 88, false)), None);
        assert_eq!(add(&mut ports, 60, (1, 7), 1, (80, 88, false)), Some(1));
        assert_eq!(add(&mut ports, 61, (1, 7), 1, (88, 96, false)), None);
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
