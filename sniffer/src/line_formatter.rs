//! From a captured packet to the text of its line. Decoding and the line format itself are in
//! `summary`; numbering and writing are left to `stream`.

use crate::capture::Frame;
use summary::line::Writer;
use summary::{
    CommunityId, Direction, Faults, Gso, LinkType, Packet, PayloadNames, RecordFormat, Summary,
    Timestamp, decode_into,
};

/// Optional fields of packet lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldOptions {
    /// Times and tags.
    pub(crate) format: RecordFormat,
    /// MAC addresses also of packets with IP addresses: `eth_src`, `eth_dst`.
    pub(crate) has_ethernet: bool,
    /// Names found in payloads: DNS, TLS, HTTP and QUIC.
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
    /// Reused buffer for names that are not contiguous in the packet.
    name_buf: String,
}

impl LineFormatter {
    pub(crate) fn new(fields: FieldOptions) -> Self {
        Self { writer: Writer::new(&fields.format), fields, name_buf: String::new() }
    }

    /// Appends the packet's line to `out`: the whole line with the number `n`, or, without one,
    /// only the part after the number.
    pub(crate) fn format(
        &mut self,
        captured: &CapturedPacket<'_>,
        n: Option<u64>,
        out: &mut Vec<u8>,
    ) {
        let Self { fields, writer, name_buf } = self;
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
        if fields.has_names {
            packet.names = PayloadNames::parse(&packet.summary, payload, name_buf);
        }
        match n {
            Some(_) => writer.write(&packet, out),
            None => writer.write_after_n(&packet, out),
        }
    }
}
