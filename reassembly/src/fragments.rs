//! What earlier fragments tell about a fragment: the ports of its datagram, and the content, if it is complete.

use crate::assembler::DatagramAssembler;
use crate::datagrams::DatagramPorts;
use summary::{
    Fragment, HeaderDetails, LinkType, Summary, Timestamp, Tunnels, decode_with_details,
};

/// Finds the ports of fragments, and the packets that they complete. The fragments have to be passed in the
/// order in which they were captured.
#[derive(Debug, Default)]
pub struct FragmentTracker {
    ports: DatagramPorts,
    assembler: DatagramAssembler,
}

/// What is known about a fragment.
#[derive(Debug, Default)]
pub struct FoundFragment {
    /// The packet to describe instead of the fragment: it is in the datagram of a tunnel, which the fragment
    /// completes.
    pub inner: Option<Box<(Summary<'static>, HeaderDetails)>>,
    /// Source and destination port in the first fragment, if the packet to describe is a later one.
    pub ports: Option<(u16, u16)>,
    /// The packet without fragmentation, if the fragment completes it. It contains names.
    pub whole: Option<AssembledPacket>,
}

/// A packet that a fragment completes, decoded.
#[derive(Debug)]
pub struct AssembledPacket {
    /// Describes the packet. Lengths and link type are those of the fragment, and so is the link header,
    /// unless the packet contains a frame.
    pub summary: Summary<'static>,
    details: HeaderDetails,
    bytes: Vec<u8>,
    /// Start and length of the payload.
    payload: (usize, usize),
}

impl FragmentTracker {
    /// Adds a fragment with its frame, which was captured on `interface`.
    pub fn add(
        &mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        (fragment, frame): (&Fragment, &[u8]),
        tunnels: Tunnels,
    ) -> FoundFragment {
        let part = (fragment, fragment.bytes(frame));
        let ports = self.ports.add(ts, interface, summary, part);
        let packet = self.assembler.add(ts, interface, summary, part);
        let Some(packet) =
            packet.and_then(|packet| AssembledPacket::decode(packet, summary, tunnels))
        else {
            return FoundFragment { ports, ..FoundFragment::default() };
        };
        let AssembledPacket { summary: inner, details, bytes, .. } = &packet;
        if inner.tunnel == summary.tunnel {
            return FoundFragment { ports, whole: Some(packet), inner: None };
        }
        let own = || Some(Box::new((inner.clone(), *details)));
        match &details.fragment {
            None => FoundFragment { inner: own(), ports: None, whole: Some(packet) },
            // Each packet is in more tunnels than the one before, so this ends.
            Some(fragment) => {
                let found = self.add(ts, interface, inner, (fragment, bytes), tunnels);
                FoundFragment { inner: found.inner.or_else(own), ..found }
            }
        }
    }

    /// Number of incomplete datagrams that were removed because of a limit.
    pub fn evicted(&self) -> u64 {
        self.assembler.evicted()
    }
}

impl AssembledPacket {
    /// Decodes the packet that a fragment completes. `None` if it is in too many tunnels.
    fn decode(bytes: Vec<u8>, fragment: &Summary<'_>, tunnels: Tunnels) -> Option<Self> {
        let mut summary = Summary::new(LinkType::RAW, 0, 0);
        let mut details = HeaderDetails::default();
        let len = u32::try_from(bytes.len()).ok()?;
        let link = LinkType::RAW;
        let payload = decode_with_details(link, &bytes, len, tunnels, &mut summary, &mut details);
        let start = payload.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr());
        let payload = (start, payload.len());
        // The fragment may be in tunnels, too.
        let mut path = fragment.tunnel;
        for (kind, id) in summary.tunnel.iter() {
            path.push(kind, id).then_some(())?;
        }
        if !fragment.tunnel.is_empty() {
            (summary.outer_src, summary.outer_dst) = (fragment.outer_src, fragment.outer_dst);
        }
        // A frame in a tunnel has its own addresses and tags.
        if summary.eth_src.is_none() {
            (summary.eth_src, summary.eth_dst) = (fragment.eth_src, fragment.eth_dst);
            summary.vlan = fragment.vlan;
        }
        summary.tunnel = path;
        (summary.link, summary.len, summary.cap) = (fragment.link, fragment.len, fragment.cap);
        summary.faults.insert(fragment.faults);
        Some(Self { summary, details, bytes, payload })
    }

    /// The bytes after the transport header.
    pub fn payload(&self) -> &[u8] {
        let (start, len) = self.payload;
        // An empty payload may be of other memory.
        self.bytes.get(start..).and_then(|bytes| bytes.get(..len)).unwrap_or_default()
    }
}
