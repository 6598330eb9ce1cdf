//! GRE (RFC 2784, RFC 2890) with ERSPAN, and the forms of PPTP (RFC 2637), WCCP and MikroTik.

use super::proof::is_ipv4;
use super::{Content, Extent, Header, Tunnel, l2tp};
use crate::TunnelKind;

/// Flags of GRE: checksum, key, sequence number, and of version 1 the acknowledgment number.
const GRE_CHECKSUM: u16 = 0x8000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQUENCE: u16 = 0x1000;
const GRE_ACK: u16 = 0x0080;

/// Flags and version, protocol; with a flag each checksum, key and sequence number.
pub(super) fn gre(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const ERSPAN_2: u16 = 0x88be;
    const ERSPAN_3: u16 = 0x22eb;
    const PPP: u16 = 0x880b;
    /// Web cache communication: a header of four bytes may precede the packet.
    const WCCP: u16 = 0x883e;
    let (flags, protocol) = (packet.u16_at(0)?, packet.u16_at(2)?);
    if (flags, protocol) == ETHERNET_OVER_IP {
        return ethernet_over_ip(packet);
    }
    if flags & 7 == 1 {
        return gre_of_pptp(packet, flags, protocol);
    }
    if flags & !(GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE) != 0 {
        return None;
    }
    let key_offset = if flags & GRE_CHECKSUM != 0 { 8 } else { 4 };
    let mut header_len = key_offset;
    let mut id = None;
    if flags & GRE_KEY != 0 {
        let key = packet.bytes().get(key_offset..)?.first_chunk()?;
        (id, header_len) = (Some(u32::from_be_bytes(*key)), header_len + 4);
    }
    if flags & GRE_SEQUENCE != 0 {
        header_len += 4;
    }
    if matches!(protocol, ERSPAN_2 | ERSPAN_3) {
        return erspan(packet, header_len, protocol == ERSPAN_3, flags & GRE_SEQUENCE != 0);
    }
    // Aruba's access points use these types, one for each queue.
    let content = match protocol {
        PPP if l2tp::is_ppp(packet.after(header_len)) => Content::Ppp,
        WCCP => {
            let mut lens = [header_len, header_len + 4].into_iter();
            header_len = lens.find(|len| is_ipv4(packet.after(*len)))?;
            Content::Ipv4
        }
        0x8200..=0x8370 if protocol & 0xf == 0 => Content::Wlan,
        _ => Content::of_ether_type(protocol)?,
    };
    let header = Header::OfKind;
    Some(Tunnel { kind: TunnelKind::Gre, id, packet, header_len, header, content })
}

/// Flags and version, protocol of Ethernet over IP of MikroTik.
const ETHERNET_OVER_IP: (u16, u16) = (0x2001, 0x6400);

/// Flags and protocol, length of the frame, tunnel (little-endian).
fn ethernet_over_ip(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const HEADER_LEN: usize = 8;
    let (len, tunnel) = (usize::from(packet.u16_at(4)?), packet.u16_at(6)?.swap_bytes());
    (HEADER_LEN + len <= packet.wire_len()).then_some(Tunnel {
        kind: TunnelKind::Gre,
        id: Some(u32::from(tunnel)),
        packet: packet.limited_to(HEADER_LEN + len),
        header_len: HEADER_LEN,
        header: Header::EthernetOverIp,
        content: Content::Ethernet,
    })
}

/// Version 1 with PPP: flags, protocol, length of the payload, call; with a flag each sequence number and
/// acknowledgment number.
fn gre_of_pptp(packet: Extent<'_>, flags: u16, protocol: u16) -> Option<Tunnel<'_>> {
    const PPP: u16 = 0x880b;
    /// With the version. A packet without sequence number has no payload.
    const REQUIRED: u16 = GRE_KEY | GRE_SEQUENCE | 1;
    let (len, call) = (usize::from(packet.u16_at(4)?), packet.u16_at(6)?);
    let header_len = if flags & GRE_ACK != 0 { 16 } else { 12 };
    let is_valid = flags & !GRE_ACK == REQUIRED && protocol == PPP;
    (is_valid && header_len + len <= packet.wire_len()).then_some(Tunnel {
        kind: TunnelKind::Gre,
        id: Some(u32::from(call)),
        packet: packet.limited_to(header_len + len),
        header_len,
        header: Header::OfKind,
        content: Content::Ppp,
    })
}

/// Version, VLAN and session (draft-foschiano-erspan, section 4). Type I has no ERSPAN header, and its GRE
/// header has no sequence number.
fn erspan(
    packet: Extent<'_>,
    gre_len: usize,
    is_third: bool,
    has_sequence: bool,
) -> Option<Tunnel<'_>> {
    const LEN: usize = 8;
    const LEN_3: usize = 12;
    /// With the platform-specific header.
    const LONG_LEN_3: usize = 20;
    let header = packet.after(gre_len);
    let session = || Some(u32::from(header.u16_at(2)? & 0x3ff));
    let version = header.bytes().first().map(|byte| byte >> 4);
    let (id, len, content, form) = match (is_third, has_sequence) {
        (true, _) => {
            let last = header.u16_at(LEN_3 - 2)?;
            let content = match last >> 10 & 0x1f {
                0 => Content::Ethernet,
                2 => Content::Ip,
                _ => return None,
            };
            let len = if last & 1 == 1 { LONG_LEN_3 } else { LEN_3 };
            (Some(session()?), len, content, Header::Erspan3)
        }
        (false, true) => (Some(session()?), LEN, Content::Ethernet, Header::Erspan2),
        (false, false) => (None, 0, Content::Ethernet, Header::OfKind),
    };
    let expected = if is_third { 2 } else { 1 };
    (len == 0 || version == Some(expected)).then_some(Tunnel {
        kind: TunnelKind::Erspan,
        id,
        packet,
        header_len: gre_len + len,
        header: form,
        content,
    })
}
