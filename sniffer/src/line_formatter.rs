//! From a captured packet to the text of its line. Decoding and the line format itself are in
//! `summary`; numbering and writing are left to `stream`.

use crate::capture::Frame;
use reassembly::NameTracker;
use summary::line::Writer;
use summary::{
    CommunityId, Direction, Faults, Gso, LinkType, Packet, PayloadNames, RecordFormat, Summary,
    Timestamp, Tunnels, decode_into,
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
    pub(crate) has_names: bool,
    /// Fingerprints of TLS and QUIC clients: `ja4`.
    pub(crate) has_ja4: bool,
    /// The Community ID flow hash: `community_id`.
    pub(crate) has_community_id: bool,
}

/// A captured packet, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CapturedPacket<'a> {
    pub(crate) ts: Timestamp,
    pub(crate) link: LinkType,
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
        Self { ts, link, bytes, wire_len, faults, interface, direction, gso }
    }
}

/// Formats packets as lines. Each thread has its own.
#[derive(Debug, Default)]
pub(crate) struct LineFormatter {
    fields: FieldOptions,
    writer: Writer,
    /// `None` if lines have no names, or the caller finds them.
    names: Option<NameFinder>,
}

impl LineFormatter {
    /// A formatter of packets in the order of their capture: it finds names.
    pub(crate) fn new(fields: FieldOptions) -> Self {
        Self { names: NameFinder::new(&fields), ..Self::without_names(fields) }
    }

    /// A formatter of packets whose names are found by a [`NameFinder`].
    pub(crate) fn without_names(fields: FieldOptions) -> Self {
        Self { writer: Writer::new(&fields.format), fields, names: None }
    }

    /// Appends the packet's line to `out`: the whole line with the number `n`, or, without one,
    /// only the part after the number.
    pub(crate) fn format(
        &mut self,
        captured: &CapturedPacket<'_>,
        n: Option<u64>,
        out: &mut Vec<u8>,
    ) {
        self.format_with(captured, n, PayloadNames::default(), out);
    }

    /// Like [`LineFormatter::format`], with names that are known.
    pub(crate) fn format_with(
        &mut self,
        captured: &CapturedPacket<'_>,
        n: Option<u64>,
        names: PayloadNames<'_>,
        out: &mut Vec<u8>,
    ) {
        let Self { fields, writer, names: finder } = self;
        let summary = Summary::new(captured.link, 0, 0);
        let mut packet = Packet::new(n.unwrap_or(0), captured.ts, summary);
        let CapturedPacket { link, bytes, wire_len, .. } = *captured;
        let payload = decode_into(link, bytes, wire_len, fields.tunnels, &mut packet.summary);
        packet.summary.faults.insert(captured.faults);
        packet.interface = captured.interface.map(Into::into);
        (packet.direction, packet.gso) = (captured.direction, captured.gso);
        if !fields.has_ethernet {
            packet.summary.omit_redundant_eth();
        }
        if fields.has_community_id {
            packet.community_id = CommunityId::of(&packet.summary, 0);
        }
        packet.names = match finder {
            Some(finder) => finder.find(captured, &packet.summary, payload),
            None => names,
        };
        match n {
            Some(_) => writer.write(&packet, out),
            None => writer.write_after_n(&packet, out),
        }
    }
}

/// Finds names in packets, in the order of their capture. If several threads format packets, one thread
/// finds the names of all, since they depend on earlier packets.
#[derive(Debug)]
pub(crate) struct NameFinder {
    tracker: NameTracker,
    has_names: bool,
    tunnels: Tunnels,
}

impl NameFinder {
    /// `None` if the lines have no names.
    pub(crate) fn new(fields: &FieldOptions) -> Option<Self> {
        let FieldOptions { has_names, has_ja4, tunnels, .. } = *fields;
        let tracker = NameTracker::new(has_ja4);
        (has_names || has_ja4).then_some(Self { tracker, has_names, tunnels })
    }

    fn find<'a>(
        &'a mut self,
        captured: &CapturedPacket<'_>,
        summary: &Summary<'_>,
        payload: &'a [u8],
    ) -> PayloadNames<'a> {
        let names = self.tracker.parse(captured.ts, captured.interface, summary, payload);
        match self.has_names {
            true => names,
            false => PayloadNames { ja4: names.ja4, ..PayloadNames::default() },
        }
    }

    /// The names in a packet that another thread formats; `None` if it has none.
    pub(crate) fn find_owned(
        &mut self,
        captured: &CapturedPacket<'_>,
    ) -> Option<Box<PayloadNames<'static>>> {
        let CapturedPacket { link, bytes, wire_len, .. } = *captured;
        let mut summary = Summary::new(link, 0, 0);
        let payload = decode_into(link, bytes, wire_len, self.tunnels, &mut summary);
        let names = self.find(captured, &summary, payload);
        (!names.is_empty()).then(|| Box::new(names.into_owned()))
    }
}
