//! From a captured packet to the text of its line. Decoding and the line format itself are in
//! `summary`; numbering and writing are left to `stream`.

use crate::capture::Frame;
use reassembly::NameTracker;
use summary::line::Writer;
use summary::{
    CommunityId, Direction, Faults, Gso, LinkType, Packet, PayloadNames, RecordFormat, Summary,
    Timestamp, decode_into, decode_with_payload,
};

/// Optional fields of packet lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldOptions {
    /// Times and tags.
    pub(crate) format: RecordFormat,
    /// MAC addresses also of packets with IP addresses: `eth_src`, `eth_dst`.
    pub(crate) has_ethernet: bool,
    /// Names found in payloads, also in messages that several packets contain: DNS, TLS, HTTP, QUIC.
    pub(crate) has_names: bool,
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
    names: Option<NameTracker>,
}

impl LineFormatter {
    /// A formatter of packets in the order of their capture: it finds names.
    pub(crate) fn new(fields: FieldOptions) -> Self {
        let names = fields.has_names.then(NameTracker::default);
        Self { names, ..Self::without_names(fields) }
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
        let Self { fields, writer, names: tracker } = self;
        let summary = Summary::new(captured.link, 0, 0);
        let mut packet = Packet::new(n.unwrap_or(0), captured.ts, summary);
        let payload =
            decode_into(captured.link, captured.bytes, captured.wire_len, &mut packet.summary);
        packet.summary.faults.insert(captured.faults);
        packet.interface = captured.interface.map(Into::into);
        (packet.direction, packet.gso) = (captured.direction, captured.gso);
        if !fields.has_ethernet {
            packet.summary.omit_redundant_eth();
        }
        if fields.has_community_id {
            packet.community_id = CommunityId::of(&packet.summary, 0);
        }
        packet.names = match tracker {
            Some(tracker) => {
                tracker.parse(captured.ts, captured.interface, &packet.summary, payload)
            }
            None => names,
        };
        match n {
            Some(_) => writer.write(&packet, out),
            None => writer.write_after_n(&packet, out),
        }
    }
}

/// Finds the names in packets that several threads format. Names depend on earlier packets, so one
/// thread finds those of all.
#[derive(Debug, Default)]
pub(crate) struct NameFinder(NameTracker);

impl NameFinder {
    /// The names in a packet; `None` if it has none.
    pub(crate) fn find(
        &mut self,
        captured: &CapturedPacket<'_>,
    ) -> Option<Box<PayloadNames<'static>>> {
        let decoded = decode_with_payload(captured.link, captured.bytes, captured.wire_len);
        let interface = captured.interface;
        let names = self.0.parse(captured.ts, interface, &decoded.summary, decoded.payload);
        (!names.is_empty()).then(|| Box::new(names.into_owned()))
    }
}
