//! The segments of TCP that pass the relay.

/// Length of an Ethernet header.
const ETHERNET_LEN: usize = 14;
/// Position of the checksum in a TCP header.
const CHECKSUM: usize = 16;
const TCP: u8 = 6;
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// A segment, and what is known about it where it was seen.
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
        let tcp = frame.get(tcp_start(frame)?..ip_end(frame)?)?;
        let u16_at = |at: usize| Some(u16::from_be_bytes(tcp.get(at..at + 2)?.try_into().ok()?));
        let u32_at = |at: usize| Some(u32::from_be_bytes(tcp.get(at..at + 4)?.try_into().ok()?));
        let flags = *tcp.get(13)?;
        let has = |flag: u8| flags & flag != 0;
        let payload = tcp.len().checked_sub(usize::from(tcp[12] >> 4) * 4)?;
        let payload = u32::try_from(payload).ok()?;
        Some(Self {
            port: u16_at(if is_from_client { 2 } else { 0 })?,
            is_from_client,
            seq: u32_at(4)?,
            span: payload + u32::from(has(SYN)) + u32::from(has(FIN)),
            payload,
            ack: u32_at(8).filter(|_| has(ACK)),
            window: u16_at(14)?,
            is_syn: has(SYN),
            is_fin: has(FIN),
            is_reset: has(RST),
            start: 0,
            number: 0,
            repeats: 0,
        })
    }
}

/// Where the TCP header begins in a frame with IPv4.
fn tcp_start(frame: &[u8]) -> Option<usize> {
    let ip = frame.get(ETHERNET_LEN..)?;
    (*ip.get(9)? == TCP).then_some(ETHERNET_LEN + usize::from(ip[0] & 15) * 4)
}

/// Where the IPv4 packet ends: short frames have padding.
fn ip_end(frame: &[u8]) -> Option<usize> {
    let len = frame.get(ETHERNET_LEN + 2..ETHERNET_LEN + 4)?;
    Some(ETHERNET_LEN + usize::from(u16::from_be_bytes(len.try_into().ok()?)))
}

/// Sets the checksum of a frame with TCP (RFC 9293, section 3.1).
pub(super) fn set_checksum(frame: &mut [u8]) {
    let (Some(start), Some(end)) = (tcp_start(frame), ip_end(frame)) else { return };
    frame[start + CHECKSUM..start + CHECKSUM + 2].fill(0);
    // The pseudo-header: addresses, protocol, length.
    let addresses = &frame[ETHERNET_LEN + 12..ETHERNET_LEN + 20];
    let len = u32::try_from(end - start).unwrap();
    let sum = sum(addresses) + u32::from(TCP) + len + sum(&frame[start..end]);
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    let checksum = !u16::try_from(folded).unwrap();
    frame[start + CHECKSUM..start + CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
}

/// The sum of the bytes as big-endian numbers of 16 bits.
fn sum(bytes: &[u8]) -> u32 {
    let low = |pair: &[u8]| pair.get(1).copied().unwrap_or(0);
    bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(low(pair))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{IPV4, ethernet, ipv4, tcp};

    #[test]
    fn segment_without_padding() {
        let mut frame = ethernet(&[], IPV4, &ipv4(TCP, &tcp(b"ab")));
        frame.extend([0; 4]);
        let segment = Segment::of(&frame, true).unwrap();
        assert_eq!((segment.port, segment.seq, segment.ack), (443, 7, Some(9)));
        assert_eq!((segment.payload, segment.span), (2, 3));
        set_checksum(&mut frame);
        // The sum of a segment with its checksum has all bits set.
        let [start, end] = [tcp_start(&frame).unwrap(), ip_end(&frame).unwrap()];
        let sum = sum(&frame[26..34]) + 6 + 22 + sum(&frame[start..end]);
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }
}
