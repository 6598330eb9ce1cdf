//! Tunnels over UDP, except L2TP.

use super::proof::{is_ipv4, is_ipv6};
use super::{Content, Extent, Header, Tunnel, u24};
use crate::TunnelKind;
use crate::decode::wlan;

/// Flags, reserved or group policy (24 bits), network identifier, reserved.
pub(super) fn vxlan(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const HAS_ID: u8 = 0x08;
    const HAS_POLICY: u8 = 0x80;
    /// Bits of the group policy extension (draft-smith-vxlan-group-policy): do not learn, applied.
    const POLICY_BITS: u8 = 0x48;
    let &[flags, bits, p0, p1, v0, v1, v2, reserved] = packet.bytes().first_chunk()?;
    let has_policy = flags & HAS_POLICY != 0;
    let is_policy = if has_policy { bits & !POLICY_BITS == 0 } else { [bits, p0, p1] == [0; 3] };
    let is_valid = flags & !HAS_POLICY == HAS_ID && is_policy && reserved == 0;
    is_valid.then_some(Tunnel {
        kind: TunnelKind::Vxlan,
        id: Some(u24([v0, v1, v2])),
        packet,
        header_len: 8,
        header: Header::OfKind,
        content: Content::Ethernet,
    })
}

/// Flags, reserved, next protocol, network identifier, reserved.
pub(super) fn vxlan_gpe(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Version 0, identifier and next protocol present.
    const FLAGS: u8 = 0x0c;
    let &[flags, r0, r1, next, v0, v1, v2, reserved] = packet.bytes().first_chunk()?;
    let content = Content::of_next_protocol(next)?;
    (flags == FLAGS && [r0, r1, reserved] == [0; 3]).then_some(Tunnel {
        kind: TunnelKind::VxlanGpe,
        id: Some(u24([v0, v1, v2])),
        packet,
        header_len: 8,
        header: Header::OfKind,
        content,
    })
}

/// Data of CAPWAP (RFC 5415, section 4.3): version and type, 0; length of the header, radio, type of the
/// radio, flags; fragment and offset; further fields up to the length.
///
/// IEEE 802.11 frames have no length or checksum, and some access points exchange the bytes of their frame
/// control field. They are entered if they contain an EtherType.
pub(super) fn capwap(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const MIN_LEN: usize = 8;
    const IS_80211: u32 = 1;
    /// Native frame of the radio; otherwise Ethernet.
    const IS_NATIVE: u32 = 0x100;
    const HAS_RADIO_INFO: u32 = 0x20;
    const HAS_RADIO_ADDRESS: u32 = 0x10;
    let &[0, l0, l1, l2, _, _, o0, o1] = packet.bytes().first_chunk()? else { return None };
    let word = u24([l0, l1, l2]);
    let header_len = usize::from(l0 >> 3) * 4;
    // Fragment, last fragment, keep-alive, reserved.
    let other_flags = word & 0xff & !(HAS_RADIO_INFO | HAS_RADIO_ADDRESS);
    if header_len < MIN_LEN || other_flags != 0 || [o0, o1] != [0; 2] {
        return None;
    }
    let frame = packet.after(header_len);
    let content = match word & IS_NATIVE != 0 {
        false => super::proof::frame_header_len(frame).map(|_| Content::Ethernet)?,
        true if word >> 9 & 0x1f != IS_80211 => return None,
        true if wlan::has_ether_type(frame, false) => Content::Wlan,
        true if wlan::has_ether_type(frame, true) => Content::WlanSwapped,
        true => return None,
    };
    Some(Tunnel {
        kind: TunnelKind::Capwap,
        id: None,
        packet,
        header_len,
        header: Header::OfKind,
        content,
    })
}

/// Version and length of the options, flags, protocol, network identifier, reserved.
pub(super) fn geneve(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Critical options are present. The other flag, of control packets, must not be set.
    const CRITICAL: u8 = 0x40;
    let &[first, flags, p0, p1, v0, v1, v2, reserved] = packet.bytes().first_chunk()?;
    let content = Content::of_ether_type(u16::from_be_bytes([p0, p1]))?;
    (first >> 6 == 0 && flags & !CRITICAL == 0 && reserved == 0).then_some(Tunnel {
        kind: TunnelKind::Geneve,
        id: Some(u24([v0, v1, v2])),
        packet,
        header_len: 8 + usize::from(first & 0x3f) * 4,
        header: Header::OfKind,
        content,
    })
}

/// IPv6, after authentication and the origin of the packet or without them (RFC 4380, section 5.1.1).
pub(super) fn teredo(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Type and two lengths; nonce and confirmation.
    const AUTHENTICATION_LEN: usize = 4 + 9;
    const ORIGIN_LEN: usize = 8;
    let mut header_len = 0;
    if let [0, 1, client_len, value_len, ..] = packet.bytes() {
        header_len = AUTHENTICATION_LEN + usize::from(*client_len) + usize::from(*value_len);
    }
    if packet.after(header_len).bytes().starts_with(&[0, 0]) {
        header_len += ORIGIN_LEN;
    }
    let (kind, content) = (TunnelKind::Teredo, Content::Ipv6);
    is_ipv6(packet.after(header_len)).then_some(Tunnel {
        kind,
        id: None,
        packet,
        header_len,
        header: Header::OfKind,
        content,
    })
}

/// Flags, nonce or versions; instance and locator status (RFC 9300, section 5.3).
pub(super) fn lisp(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const HEADER_LEN: usize = 8;
    const HAS_INSTANCE: u8 = 0x08;
    const RESERVED: u8 = 0x04;
    let &[flags, _, _, _, i0, i1, i2, _] = packet.bytes().first_chunk::<HEADER_LEN>()?;
    let inner = packet.after(HEADER_LEN);
    let is_valid = flags & RESERVED == 0 && (is_ipv4(inner) || is_ipv6(inner));
    is_valid.then_some(Tunnel {
        kind: TunnelKind::Lisp,
        id: (flags & HAS_INSTANCE != 0).then_some(u24([i0, i1, i2])),
        packet,
        header_len: HEADER_LEN,
        header: Header::OfKind,
        content: Content::Ip,
    })
}

/// IP, alone (variant 1) or after a header (variant 0): control flag and length in words, protocol, flags;
/// further fields.
pub(super) fn gue(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const MIN_LEN: usize = 4;
    const IPV4: u8 = 4;
    const IPV6: u8 = 41;
    /// Variant and control flag; the length is in the other bits.
    const LEN: u8 = 0x1f;
    let (header_len, is_v4, is_v6) = match *packet.bytes() {
        [first, ..] if first >> 6 == 1 => (0, true, true),
        [first, protocol, ..] if first & !LEN == 0 => {
            (MIN_LEN + usize::from(first) * 4, protocol == IPV4, protocol == IPV6)
        }
        _ => return None,
    };
    let inner = packet.after(header_len);
    let (kind, content) = (TunnelKind::Gue, Content::Ip);
    let is_valid = is_v4 && is_ipv4(inner) || is_v6 && is_ipv6(inner);
    is_valid.then_some(Tunnel {
        kind,
        id: None,
        packet,
        header_len,
        header: Header::OfKind,
        content,
    })
}

/// Version and flags, type, length, tunnel; with a flag also sequence number, N-PDU number and type of
/// the first extension header (3GPP TS 29.281, 5.1).
pub(super) fn gtp(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Version 1, GTP; without the flags.
    const VERSION: u8 = 0x30;
    const FLAGS: u8 = 0x07;
    const HAS_EXTENSION: u8 = 0x04;
    const PDU: u8 = 0xff;
    let &[first, kind, l0, l1, t0, t1, t2, t3] = packet.bytes().first_chunk()?;
    let len = 8 + usize::from(u16::from_be_bytes([l0, l1]));
    if first & !FLAGS != VERSION || kind != PDU || packet.wire_len() < len {
        return None;
    }
    let mut header_len = 8;
    if first & FLAGS != 0 {
        header_len += 4;
        let mut next = *packet.bytes().get(11)?;
        // Each extension header has its length in units of four bytes first, and the next type last.
        while first & HAS_EXTENSION != 0 && next != 0 {
            let extension_len = usize::from(*packet.bytes().get(header_len)?) * 4;
            header_len += extension_len;
            next = *packet.bytes().get(header_len - 1).filter(|_| extension_len != 0)?;
        }
    }
    Some(Tunnel {
        kind: TunnelKind::Gtp,
        id: Some(u32::from_be_bytes([t0, t1, t2, t3])),
        packet: packet.limited_to(len),
        header_len,
        header: Header::OfKind,
        content: Content::Ip,
    })
}
