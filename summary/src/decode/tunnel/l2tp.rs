//! L2TP, version 2 (RFC 2661) and version 3 (RFC 3931).
//!
//! A packet of version 3 contains neither the length of its cookie, nor whether a sublayer of four bytes
//! follows, nor the type of its content: both ends agree on these when they create the session. The tunnel
//! is entered if exactly one combination yields a packet with a valid header.

use super::proof::{frame_header_len, is_ipv4, is_ipv6};
use super::{Content, Extent, Header, IPV4_LEN, Tunnel};
use crate::TunnelKind;

/// Flags and version of data in version 3 over UDP, reserved (RFC 3931, section 4.1.2.2).
const VERSION_3: [u8; 4] = [0, 3, 0, 0];

/// Whether the payload of UDP begins like data of version 3.
pub(super) fn is_version_3(packet: Extent<'_>) -> bool {
    packet.bytes().starts_with(&VERSION_3)
}

/// The tunnel in the payload of UDP.
pub(super) fn over_udp(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    match is_version_3(packet) {
        true => version_3(packet, VERSION_3.len()),
        false => version_2(packet),
    }
}

/// The tunnel in the payload of IP.
pub(super) fn over_ip(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    version_3(packet, 0)
}

/// Flags and version; with a flag each length, sequence numbers and offset; tunnel, session.
fn version_2(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const HAS_LEN: u16 = 0x4000;
    const HAS_SEQUENCE: u16 = 0x0800;
    const HAS_OFFSET: u16 = 0x0200;
    const HAS_PRIORITY: u16 = 0x0100;
    const VERSION: u16 = 2;
    let flags = packet.u16_at(0)?;
    let known = HAS_LEN | HAS_SEQUENCE | HAS_OFFSET | HAS_PRIORITY;
    // The flag of control messages is not among them.
    if flags & !known != VERSION {
        return None;
    }
    let (mut len, mut header_len) = (packet.wire_len(), 2);
    if flags & HAS_LEN != 0 {
        len = usize::from(packet.u16_at(header_len)?);
        header_len += 2;
    }
    let session = packet.u16_at(header_len + 2)?;
    header_len += 4;
    if flags & HAS_SEQUENCE != 0 {
        header_len += 4;
    }
    if flags & HAS_OFFSET != 0 {
        header_len += 2 + usize::from(packet.u16_at(header_len)?);
    }
    let is_valid = len <= packet.wire_len() && is_ppp(packet.limited_to(len).after(header_len));
    is_valid.then_some(Tunnel {
        kind: TunnelKind::L2tp,
        id: Some(u32::from(session)),
        packet: packet.limited_to(len),
        header_len,
        header: Header::OfKind,
        content: Content::Ppp,
    })
}

/// Whether a packet of PPP begins here. Messages of other protocols begin like a header of version 2, and their
/// clients may have the port. In GRE, other bytes may follow the header, too.
pub(super) fn is_ppp(packet: Extent<'_>) -> bool {
    const CONTROL_LEN: usize = 4;
    let is_framed = packet.bytes().starts_with(&[0xff, 0x03]);
    let packet = if is_framed { packet.after(2) } else { packet };
    let (protocol, packet) = match *packet.bytes() {
        [low, ..] if low & 1 == 1 => (u16::from(low), packet.after(1)),
        [high, low, ..] => (u16::from_be_bytes([high, low]), packet.after(2)),
        _ => return false,
    };
    let has_len = |min_len: usize| {
        let len = packet.u16_at(2).map(usize::from);
        len.is_some_and(|len| min_len <= len && len <= packet.wire_len())
    };
    match protocol {
        0x0021 => Content::Ipv4.is_start(packet.bytes()) && has_len(IPV4_LEN),
        0x0057 => Content::Ipv6.is_start(packet.bytes()),
        // Compressed TCP, bridged, multilink, encrypted, and compressed packets; MPLS (IANA).
        0x002d | 0x002f | 0x0031 | 0x003d | 0x0053 | 0x00fb | 0x00fd | 0x0281 | 0x0283 => true,
        // Protocols that control the link or a network: code, identifier, length.
        0x8001..=0xcfff => protocol & 1 == 1 && has_len(CONTROL_LEN),
        _ => false,
    }
}

/// From `start` on: session, cookie, sublayer (RFC 3931, section 4.1). Session 0 is that of control messages.
fn version_3(packet: Extent<'_>, start: usize) -> Option<Tunnel<'_>> {
    const SESSION_LEN: usize = 4;
    let id = u32::from_be_bytes(*packet.after(start).bytes().first_chunk()?);
    // Cookies have 0, 4 or 8 bytes, and the sublayer 0 or 4.
    let mut possible = [0, 4, 8, 12].into_iter().filter_map(|rest_len| {
        let header_len = start + SESSION_LEN + rest_len;
        let (content, offset) = content(packet.after(header_len))?;
        Some((header_len + offset, header_len, rest_len, content))
    });
    let (offset, header_len, rest_len, content) = possible.next()?;
    // The header of PPP can be a cookie, too.
    let is_certain = possible.all(|(other, ..)| other == offset);
    (id != 0 && is_certain).then_some(Tunnel {
        kind: TunnelKind::L2tp,
        id: Some(id),
        packet,
        header_len,
        header: Header::L2tp3 { is_over_udp: start != 0, rest_len },
        content,
    })
}

/// The content that the bytes prove: a frame or PPP with IP or ARP in it, or IPv4. With the length of the
/// headers in front of that.
fn content(packet: Extent<'_>) -> Option<(Content, usize)> {
    let in_frame = frame_header_len(packet).map(|len| (Content::Ethernet, len));
    let in_ppp = || ppp_header_len(packet).map(|len| (Content::Ppp, len));
    // The header of IPv6 has no checksum.
    let alone = || is_ipv4(packet).then_some((Content::Ipv4, 0));
    in_frame.or_else(in_ppp).or_else(alone)
}

/// Length of the protocol field, with address and control before it or without them.
fn ppp_header_len(packet: Extent<'_>) -> Option<usize> {
    let len = if packet.bytes().starts_with(&[0xff, 0x03]) { 4 } else { 2 };
    let is_valid = match packet.u16_at(len - 2)? {
        0x0021 => is_ipv4(packet.after(len)),
        0x0057 => is_ipv6(packet.after(len)),
        _ => false,
    };
    is_valid.then_some(len)
}
