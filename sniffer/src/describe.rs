//! From what was captured to the text of its line.

use crate::capture::Frame;
use summary::line::Writer;
use summary::{
    CommunityId, Direction, Gso, LinkType, Names, Packet, Summary, Timestamp, decode_into,
};

/// What a line says besides what it always does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Details {
    /// The Ethernet addresses.
    pub(crate) has_ethernet: bool,
    /// Names in the payload.
    pub(crate) has_names: bool,
    /// The name of the flow.
    pub(crate) has_community_id: bool,
}

/// A packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) ts: Timestamp,
    pub(crate) link: LinkType,
    /// The captured bytes.
    pub(crate) bytes: &'a [u8],
    /// Bytes on the wire.
    pub(crate) wire_len: u32,
    pub(crate) interface: Option<&'a str>,
    pub(crate) direction: Option<Direction>,
    pub(crate) gso: Option<Gso>,
}

impl<'a> Seen<'a> {
    /// A frame that came through the interface of that name.
    pub(crate) fn of(frame: &Frame<'a>, interface: &'a str) -> Self {
        let Frame { ts, link, bytes, wire_len, direction, gso, .. } = *frame;
        Self { ts, link, bytes, wire_len, interface: Some(interface), direction, gso }
    }

    /// Bytes on the wire, as the line has them: what was captured was there.
    pub(crate) fn len(&self) -> u32 {
        self.wire_len.max(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}

/// Makes lines, one thread's.
#[derive(Debug, Default)]
pub(crate) struct Describer {
    details: Details,
    writer: Writer,
    /// For texts that are not in the packet as they are in the line.
    room: String,
}

impl Describer {
    pub(crate) fn new(details: Details) -> Self {
        Self { details, ..Self::default() }
    }

    /// Appends the packet's line to `out`: all of it under the number `n`, or without one what is
    /// behind it.
    pub(crate) fn describe(&mut self, seen: &Seen<'_>, n: Option<u64>, out: &mut Vec<u8>) {
        let Self { details, writer, room } = self;
        let summary = Summary::new(seen.link, 0, 0);
        let mut packet = Packet::new(n.unwrap_or(0), seen.ts, summary);
        let payload = decode_into(seen.link, seen.bytes, seen.wire_len, &mut packet.summary);
        packet.interface = seen.interface.map(Into::into);
        (packet.direction, packet.gso) = (seen.direction, seen.gso);
        if !details.has_ethernet {
            packet.summary.eth = None;
        }
        if details.has_community_id {
            packet.community_id = CommunityId::of(&packet.summary, 0);
        }
        if details.has_names {
            packet.names = Names::read(&packet.summary, payload, room);
        }
        match n {
            Some(_) => writer.packet(&packet, out),
            None => writer.after_number(&packet, out),
        }
    }
}
