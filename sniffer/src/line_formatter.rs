//! From a captured packet to the text of its line. Decoding and the line format itself are in
//! `summary`; numbering and writing are left to `stream`.

use crate::capture::Frame;
use flow::Observation;
use reassembly::{AssembledPacket, FoundFragment, FragmentTracker, NameTracker};
use std::sync::Arc;
use summary::line::Writer;
use summary::{
    CommunityId, Direction, Faults, Fragment, Gso, HeaderDetails, LinkType, Packet, PayloadNames,
    RecordFormat, Summary, Timestamp, Tunnels, decode_into, decode_with_details,
};

/// Optional fields of packet lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldOptions {
    /// Times and tags.
    pub(crate) format: RecordFormat,
    /// MAC addresses also of packets with IP addresses: `eth_src`, `eth_dst`.
    pub(crate) has_ethernet: bool,
    /// Which packet of a tunnel is described.
    pub(crate) tunnels: Tunnels,
    /// Names found in payloads, also in messages that several packets contain: DNS, TLS, HTTP, QUIC.
    /// Fragments get the ports of their datagram, and the last one the packet in its tunnel.
    pub(crate) has_names: bool,
    /// Fingerprints of TLS and QUIC clients: `ja4`.
    pub(crate) has_ja4: bool,
    /// The Community ID flow hash: `community_id`.
    pub(crate) has_community_id: bool,
    /// Observations for flows, which are no fields.
    pub(crate) has_observations: bool,
    /// Names and DNS messages in observations.
    pub(crate) has_observed_names: bool,
}

/// A captured packet, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CapturedPacket<'a> {
    pub(crate) ts: Timestamp,
    pub(crate) link: LinkType,
    /// Byte order of headers that have the order of the machine or the file.
    pub(crate) is_big_endian: bool,
    /// The captured bytes, at most the snap length.
    pub(crate) bytes: &'a [u8],
    /// Length on the wire in bytes, as the kernel or the file reports it. In damaged files it can be less
    /// than the captured length.
    pub(crate) wire_len: u32,
    /// Faults of the record in a file.
    pub(crate) faults: Faults,
    pub(crate) interface: Option<&'a str>,
    pub(crate) direction: Option<Direction>,
    pub(crate) gso: Option<Gso>,
}

impl<'a> CapturedPacket<'a> {
    /// The packet in a ring buffer's frame, captured on the interface of that name.
    pub(crate) fn from_frame(frame: &Frame<'a>, interface: &'a str) -> Self {
        let Frame { ts, link, bytes, wire_len, direction, gso, .. } = *frame;
        let (interface, faults) = (Some(interface), Faults::default());
        let is_big_endian = cfg!(target_endian = "big");
        Self { ts, link, is_big_endian, bytes, wire_len, faults, interface, direction, gso }
    }
}

/// Formats packets as lines. Each thread has its own.
#[derive(Debug, Default)]
pub(crate) struct LineFormatter {
    fields: FieldOptions,
    writer: Writer,
    /// `None` if lines have no names, or the caller finds them.
    names: Option<NameFinder>,
    /// The interface of the last packet.
    interface: Option<Arc<str>>,
}

impl LineFormatter {
    /// A formatter of packets in the order of their capture: it finds names.
    pub(crate) fn new(fields: FieldOptions) -> Self {
        Self { names: NameFinder::new(&fields), ..Self::without_names(fields) }
    }

    /// A formatter of packets whose names are found by a [`NameFinder`].
    pub(crate) fn without_names(fields: FieldOptions) -> Self {
        Self { writer: Writer::new(&fields.format), fields, names: None, interface: None }
    }

    /// Appends the packet's line to `out`: the whole line with the number `n`, or, without one,
    /// only the part after the number. Returns what flows need, if they are requested.
    pub(crate) fn format(
        &mut self,
        captured: &CapturedPacket<'_>,
        n: Option<u64>,
        out: &mut Vec<u8>,
    ) -> Option<Observation> {
        self.format_with(captured, n, Found::default(), Some(out))
    }

    /// Like [`LineFormatter::format`], but without a line.
    pub(crate) fn observe(&mut self, captured: &CapturedPacket<'_>) -> Option<Observation> {
        self.format_with(captured, None, Found::default(), None)
    }

    /// Like [`LineFormatter::format`], with the results of a [`NameFinder`]. Writes no line if `out` is `None`.
    pub(crate) fn format_with(
        &mut self,
        captured: &CapturedPacket<'_>,
        n: Option<u64>,
        found: Found<'_>,
        out: Option<&mut Vec<u8>>,
    ) -> Option<Observation> {
        let Self { fields, writer, names: finder, interface } = self;
        let summary = Summary::new(captured.link, 0, 0);
        let mut packet = Packet::new(n.unwrap_or(0), captured.ts, summary);
        let CapturedPacket { link, bytes, wire_len, .. } = *captured;
        let (tunnels, summary) = (fields.tunnels, &mut packet.summary);
        let mut details = HeaderDetails::default();
        let payload = match fields.has_observations || finder.is_some() {
            true => decode_with_details(link, bytes, wire_len, tunnels, summary, &mut details),
            false => decode_into(link, bytes, wire_len, tunnels, summary),
        };
        let mut found = found;
        if let Some(finder) = finder {
            found = finder.find(captured, &packet.summary, details.fragment.as_ref(), payload);
        }
        if let Some(inner) = found.inner {
            (packet.summary, details) = *inner;
        }
        if let Some((sport, dport)) = found.ports {
            (packet.summary.sport, packet.summary.dport) = (Some(sport), Some(dport));
        }
        packet.names = found.names;
        let observation = fields.has_observations.then(|| {
            let interface = captured.interface.map(|name| shared_name(interface, name));
            let options = &details.tcp_options;
            let is_ce = details.is_ce;
            let (ts, summary, names) = (captured.ts, &packet.summary, &packet.names);
            Observation { is_ce, ..Observation::new(ts, interface, summary, options, names) }
        });
        let Some(out) = out else { return observation };
        packet.summary.faults.insert(captured.faults);
        packet.interface = captured.interface.map(Into::into);
        (packet.direction, packet.gso) = (captured.direction, captured.gso);
        if !fields.has_ethernet {
            packet.summary.omit_redundant_eth();
        }
        if fields.has_community_id {
            packet.community_id = CommunityId::of(&packet.summary, 0);
        }
        if !fields.has_names && (fields.has_ja4 || fields.has_observations) {
            packet.names = PayloadNames { ja4: packet.names.ja4, ..PayloadNames::default() };
        }
        match n {
            Some(_) => writer.write(&packet, out),
            None => writer.write_after_n(&packet, out),
        }
        observation
    }

    /// Number of incomplete messages that were given up since the last call.
    pub(crate) fn take_evicted(&mut self) -> u32 {
        self.names.as_mut().map_or(0, NameFinder::take_evicted)
    }
}

/// The name of an interface. Most packets have the one of the packet before, which `last` keeps.
fn shared_name(last: &mut Option<Arc<str>>, name: &str) -> Arc<str> {
    match last {
        Some(last) if **last == *name => last.clone(),
        _ => last.insert(name.into()).clone(),
    }
}

/// The fields of a line that depend on earlier packets.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    names: PayloadNames<'a>,
    /// Source and destination port of a fragment after the first one.
    ports: Option<(u16, u16)>,
    /// The packet in a tunnel whose last fragment this is. The line describes it.
    inner: Option<Box<(Summary<'static>, HeaderDetails)>>,
}

/// Finds names in packets, the ports of fragments, and the packets in tunnels whose fragments were captured,
/// in the order of their capture. If several threads format packets, one thread does it for all, since they
/// depend on earlier packets.
#[derive(Debug)]
pub(crate) struct NameFinder {
    /// `None` if nothing has names.
    tracker: Option<NameTracker>,
    fragments: FragmentTracker,
    /// Whether lines have the ports of fragments, and describe the packets in tunnels that they complete.
    has_fragments: bool,
    /// The packet whose last fragment was captured last.
    assembled: Option<AssembledPacket>,
    tunnels: Tunnels,
    /// Evictions of the tracker up to the last call of [`NameFinder::take_evicted`].
    reported: u64,
}

impl NameFinder {
    /// `None` if nothing has names or needs the ports of fragments.
    pub(crate) fn new(fields: &FieldOptions) -> Option<Self> {
        let FieldOptions { has_names, has_ja4, has_observations, has_observed_names, .. } = *fields;
        let tracker =
            (has_names || has_ja4 || has_observed_names).then(|| NameTracker::new(has_ja4));
        let has_fragments = has_names || has_observations;
        (tracker.is_some() || has_fragments).then(|| Self {
            tracker,
            fragments: FragmentTracker::default(),
            has_fragments,
            assembled: None,
            tunnels: fields.tunnels,
            reported: 0,
        })
    }

    fn find<'a>(
        &'a mut self,
        captured: &CapturedPacket<'_>,
        summary: &Summary<'_>,
        fragment: Option<&Fragment>,
        payload: &'a [u8],
    ) -> Found<'a> {
        let CapturedPacket { ts, interface, bytes, .. } = *captured;
        let Some(fragment) = fragment else {
            return match &mut self.tracker {
                Some(tracker) => {
                    let names = tracker.parse(ts, interface, summary, payload);
                    Found { names, ports: None, inner: None }
                }
                None => Found::default(),
            };
        };
        let part = (fragment, bytes);
        let found = self.fragments.add(ts, interface, summary, part, self.tunnels);
        let FoundFragment { inner, ports, whole } = found;
        self.assembled = whole;
        let names = self.tracker.as_mut().zip(self.assembled.as_ref()).map(|(tracker, packet)| {
            tracker.parse(ts, interface, &packet.summary, packet.payload())
        });
        let names = names.unwrap_or_default();
        match self.has_fragments {
            true => Found { names, ports, inner },
            false => Found { names, ..Found::default() },
        }
    }

    /// The same for a packet that another thread formats. `None` if it has none of these.
    pub(crate) fn find_owned(
        &mut self,
        captured: &CapturedPacket<'_>,
    ) -> Option<Box<Found<'static>>> {
        let CapturedPacket { link, bytes, wire_len, .. } = *captured;
        let mut summary = Summary::new(link, 0, 0);
        let mut details = HeaderDetails::default();
        let tunnels = self.tunnels;
        let payload =
            decode_with_details(link, bytes, wire_len, tunnels, &mut summary, &mut details);
        let Found { names, ports, inner } =
            self.find(captured, &summary, details.fragment.as_ref(), payload);
        let is_empty = names.is_empty() && ports.is_none() && inner.is_none();
        (!is_empty).then(|| Box::new(Found { names: names.into_owned(), ports, inner }))
    }

    /// Number of incomplete messages that were given up since the last call.
    pub(crate) fn take_evicted(&mut self) -> u32 {
        let in_streams = self.tracker.as_ref().map_or(0, NameTracker::evicted);
        let evicted = in_streams + self.fragments.evicted();
        let count = evicted - std::mem::replace(&mut self.reported, evicted);
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}
