//! The segments of TCP that pass the relay.

use etherparse::{Ethernet2Header, NetSlice, SlicedPacket, TransportSlice};

/// Position of the checksum in a TCP header.
const CHECKSUM: usize = 16;

/// A TCP segment at an interface of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The port of the server.
    pub port: u16,
    /// Whether the client has sent it.
    pub is_from_client: bool,
    /// Sequence number.
    pub seq: u32,
    /// Sequence numbers that it takes: those of the payload, SYN and FIN.
    pub span: u32,
    /// Bytes of payload.
    pub payload: u32,
    /// Acknowledgment; `None` without ACK.
    pub ack: Option<u32>,
    /// Window, as it is in the header.
    pub window: u16,
    /// Whether it has SYN.
    pub is_syn: bool,
    /// Whether it has FIN.
    pub is_fin: bool,
    /// Whether it has RST.
    pub is_reset: bool,
    /// The sequence number as a distance from that of the first segment of this direction.
    pub start: u32,
    /// Segments of this direction before it.
    pub number: usize,
    /// Segments of this direction before it with the same sequence number and data.
    pub repeats: usize,
}

impl Segment {
    /// The segment in an Ethernet frame; `None` if it contains none.
    pub(super) fn of(frame: &[u8], is_from_client: bool) -> Option<Self> {
        let packet = SlicedPacket::from_ethernet(frame).ok()?;
        let Some(TransportSlice::Tcp(tcp)) = packet.transport else { return None };
        let payload = u32::try_from(tcp.payload().len()).ok()?;
        Some(Self {
            port: if is_from_client { tcp.destination_port() } else { tcp.source_port() },
            is_from_client,
            seq: tcp.sequence_number(),
            span: payload + u32::from(tcp.syn()) + u32::from(tcp.fin()),
            payload,
            ack: tcp.ack().then(|| tcp.acknowledgment_number()),
            window: tcp.window_size(),
            is_syn: tcp.syn(),
            is_fin: tcp.fin(),
            is_reset: tcp.rst(),
            start: 0,
            number: 0,
            repeats: 0,
        })
    }
}

/// Sets the checksum of a frame with TCP in IPv4 (RFC 9293, section 3.1).
pub(super) fn set_checksum(frame: &mut [u8]) {
    let Some((start, checksum)) = checksum(frame) else { return };
    frame[start + CHECKSUM..start + CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
}

/// The position of the TCP header in a frame, and the right checksum.
fn checksum(frame: &[u8]) -> Option<(usize, u16)> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Tcp(tcp))) = (packet.net, packet.transport)
    else {
        return None;
    };
    let header = ip.header();
    let checksum = tcp.calc_checksum_ipv4(header.source(), header.destination()).ok()?;
    Some((Ethernet2Header::LEN + header.slice().len(), checksum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{IPV4, ethernet, ipv4, tcp};
    use etherparse::checksum::Sum16BitWords;

    #[test]
    fn segment_without_padding() {
        let mut frame = ethernet(&[], IPV4, &ipv4(6, &tcp(b"ab")));
        frame.extend([0; 4]);
        let segment = Segment::of(&frame, true).unwrap();
        assert_eq!((segment.port, segment.seq, segment.ack), (443, 7, Some(9)));
        assert_eq!((segment.payload, segment.span), (2, 3));
        set_checksum(&mut frame);
        // The sum of a segment with its checksum has all bits set.
        let sum = Sum16BitWords::new().add_slice(&frame[26..34]).add_4bytes([0, 6, 0, 22]);
        assert_eq!(sum.add_slice(&frame[34..56]).ones_complement(), !0xffff);
    }
}
