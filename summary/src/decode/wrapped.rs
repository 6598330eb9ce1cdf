//! Link types whose header says what follows it: a packet of a network, or a frame of another link type.

use super::{DecodeState, Extent, Observer, ethernet, ip, link, llc, ppp, wlan};
use crate::inspect::wrapped as fields;
use crate::{Faults, LinkType, Proto};

/// Address families of IP in the systems that number them differently.
pub(super) const FAMILY_IPV4: u32 = 2;
pub(super) const FAMILIES_IPV6: [u32; 4] = [10, 24, 28, 30];

/// NFLOG (<https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html>): family, version, resource (16 bits),
/// attributes.
pub(super) fn nflog<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const HEADER_LEN: usize = 4;
    state.observer.layer(frame.bytes(), fields::nflog);
    let Some(&[_, version, _, _]) = frame.bytes().first_chunk() else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    if version != 0 {
        return state.summary.faults.insert(Faults::UNSUPPORTED);
    }
    let attributes = frame.after(HEADER_LEN);
    // Attributes have the byte order of the machine that captured them.
    let payload = match nflog_payload(attributes, u16::from_le_bytes) {
        Err(Faults::BAD_HEADER) => nflog_payload(attributes, u16::from_be_bytes),
        payload => payload,
    };
    match payload {
        Ok(payload) => ip::decode(payload, state),
        Err(faults) => state.summary.faults.insert(faults),
    }
}

/// The packet among the attributes, each of which has its length, its type and a padded value.
fn nflog_payload(mut rest: Extent<'_>, number: fn([u8; 2]) -> u16) -> Result<Extent<'_>, Faults> {
    const ATTRIBUTE_LEN: usize = 4;
    const PAYLOAD: u16 = 9;
    loop {
        let Some(&[l0, l1, t0, t1]) = rest.bytes().first_chunk() else {
            return Err(rest.short_header_faults(ATTRIBUTE_LEN));
        };
        let len = usize::from(number([l0, l1]));
        if len < ATTRIBUTE_LEN || rest.wire_len() < len {
            return Err(Faults::BAD_HEADER);
        }
        // The high bits are flags.
        if number([t0, t1]) & 0x3fff == PAYLOAD {
            return Ok(rest.limited_to(len).after(ATTRIBUTE_LEN));
        }
        rest = rest.after(len.next_multiple_of(4));
    }
}

/// Per-packet information (PPI 1.0.10): version, flags, length, link type; all little-endian.
pub(super) fn ppi<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const HEADER_LEN: usize = 8;
    state.observer.layer(frame.bytes(), fields::ppi);
    let Some(&[version, _, l0, l1, t0, t1, t2, t3]) = frame.bytes().first_chunk() else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    let len = usize::from(u16::from_le_bytes([l0, l1]));
    if version != 0 || len < HEADER_LEN {
        return state.summary.faults.insert(Faults::BAD_HEADER);
    }
    inner_frame(frame, len, u32::from_le_bytes([t0, t1, t2, t3]), state);
}

/// Apple's PKTAP: length, type of the header after it, link type, and more; little-endian.
pub(super) fn pktap<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const HEADER_LEN: usize = 108;
    /// A packet follows.
    const PACKET: u32 = 1;
    state.observer.layer(frame.bytes(), fields::pktap);
    let word =
        |start: usize| Some(u32::from_le_bytes(*frame.bytes().get(start..)?.first_chunk::<4>()?));
    let (Some(len), Some(next), Some(link)) = (word(0), word(4), word(8)) else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    match usize::try_from(len) {
        Ok(len) if HEADER_LEN <= len && next == PACKET => inner_frame(frame, len, link, state),
        _ => state.summary.faults.insert(Faults::BAD_HEADER),
    }
}

/// Decodes the frame after a header of `len` bytes.
fn inner_frame<'a>(
    frame: Extent<'a>,
    len: usize,
    link: u32,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    if frame.bytes().len() < len {
        return state.summary.faults.insert(frame.short_header_faults(len));
    }
    let Ok(number) = u16::try_from(link) else {
        return state.summary.faults.insert(Faults::BAD_HEADER);
    };
    link::decode_inner(LinkType::from_file(number), frame.after(len), state);
}

/// The header of Prism cards, or that of AVS in its place: an IEEE 802.11 frame follows.
pub(super) fn prism<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const PRISM_LEN: u32 = 144;
    /// Magic number of AVS without the version, which follows it in the low byte.
    const AVS: u32 = 0x8021_1000;
    const MIN_LEN: usize = 8;
    /// Message codes of received frames.
    const MESSAGES: [u32; 2] = [0x41, 0x44];
    state.observer.layer(frame.bytes(), fields::prism);
    let Some(&[c0, c1, c2, c3, l0, l1, l2, l3]) = frame.bytes().first_chunk() else {
        return state.summary.faults.insert(frame.short_header_faults(MIN_LEN));
    };
    let (code, len) = ([c0, c1, c2, c3], [l0, l1, l2, l3]);
    let big_endian = (u32::from_be_bytes(code), u32::from_be_bytes(len));
    let little_endian = (u32::from_le_bytes(code), u32::from_le_bytes(len));
    let len = match (big_endian, little_endian) {
        ((magic, len), _) if magic & 0xffff_ff00 == AVS => len,
        ((code, PRISM_LEN), _) | (_, (code, PRISM_LEN)) if MESSAGES.contains(&code) => PRISM_LEN,
        _ => return state.summary.faults.insert(Faults::BAD_HEADER),
    };
    match usize::try_from(len) {
        Ok(len) if len < MIN_LEN => state.summary.faults.insert(Faults::BAD_HEADER),
        Ok(len) if frame.bytes().len() < len => {
            state.summary.faults.insert(frame.short_header_faults(len));
        }
        Ok(len) => wlan::decode(frame.after(len), state),
        Err(_) => state.summary.faults.insert(Faults::BAD_HEADER),
    }
}

/// OpenBSD's IPsec (`DLT_ENC`): address family, security parameters index, flags.
pub(super) fn enc<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const HEADER_LEN: usize = 12;
    state.observer.layer(frame.bytes(), fields::enc);
    let Some(&family) = frame.bytes().first_chunk::<4>() else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    if frame.bytes().len() < HEADER_LEN {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    }
    // In the byte order of the capturing host.
    let families = [u32::from_be_bytes(family), u32::from_le_bytes(family)];
    if families.contains(&FAMILY_IPV4) {
        ip::decode_v4(frame.after(HEADER_LEN), state);
    } else if families.iter().any(|family| FAMILIES_IPV6.contains(family)) {
        ip::decode_v6(frame.after(HEADER_LEN), state);
    } else {
        state.summary.faults.insert(Faults::UNSUPPORTED);
    }
}

/// OpenBSD's packet filter log: length, address family, and more; padded to a multiple of four bytes.
pub(super) fn pflog<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    /// Up to the rule numbers, which all versions have.
    const MIN_LEN: usize = 48;
    state.observer.layer(frame.bytes(), fields::pflog);
    let Some(&[len, family]) = frame.bytes().first_chunk() else {
        return state.summary.faults.insert(frame.short_header_faults(MIN_LEN));
    };
    let len = usize::from(len).next_multiple_of(4);
    if len < MIN_LEN {
        return state.summary.faults.insert(Faults::UNSUPPORTED);
    }
    if frame.bytes().len() < len {
        return state.summary.faults.insert(frame.short_header_faults(len));
    }
    match u32::from(family) {
        FAMILY_IPV4 => ip::decode_v4(frame.after(len), state),
        family if FAMILIES_IPV6.contains(&family) => ip::decode_v6(frame.after(len), state),
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// A frame after a byte with its direction.
pub(super) fn with_direction<'a, O: Observer>(
    frame: Extent<'a>,
    decode: impl FnOnce(Extent<'a>, &mut DecodeState<'_, '_, 'a, O>),
    state: &mut DecodeState<'_, '_, 'a, O>,
) {
    state.observer.layer(frame.bytes(), fields::direction);
    if frame.bytes().is_empty() {
        return state.summary.faults.insert(frame.short_header_faults(1));
    }
    decode(frame.after(1), state);
}

/// PPP whose address byte is replaced by the direction.
pub(super) fn ppp_of_pppd<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const HEADER_LEN: usize = 2;
    state.observer.layer(frame.bytes(), crate::inspect::link::ppp_framing);
    if frame.bytes().len() < HEADER_LEN {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    }
    ppp::decode(frame.after(HEADER_LEN), state);
}

/// Cisco HDLC: address, control, EtherType.
pub(super) fn cisco_hdlc<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const HEADER_LEN: usize = 4;
    state.observer.layer(frame.bytes(), fields::cisco_hdlc);
    match frame.u16_at(2) {
        // Address resolution and keepalive of Cisco, with the EtherType of RARP.
        Some(0x8035) => state.summary.proto = Proto::named("slarp"),
        Some(0x2000) => state.summary.proto = Proto::named("cdp"),
        Some(protocol) => ethernet::payload_of_type(protocol, frame.after(HEADER_LEN), state),
        None => state.summary.faults.insert(frame.short_header_faults(HEADER_LEN)),
    }
}

/// PPP in HDLC-like framing, or Cisco HDLC, by the address.
pub(super) fn ppp_or_cisco<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match frame.bytes() {
        [0x0f | 0x8f] | [0x0f | 0x8f, 0, ..] => cisco_hdlc(frame, state),
        _ => ppp::decode(frame, state),
    }
}

/// Frame relay: an address of two to four bytes, then as in RFC 2427, or an EtherType (Cisco).
pub(super) fn frame_relay<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const UNNUMBERED_INFORMATION: u8 = 0x03;
    const IPV4: u8 = 0xcc;
    const IPV6: u8 = 0x8e;
    const SNAP: u8 = 0x80;
    const PADDING: u8 = 0;
    const MIN_LEN: usize = 4;
    state.observer.layer(frame.bytes(), fields::frame_relay);
    // The last byte of the address is odd.
    let end = frame.bytes().iter().take(4).position(|byte| byte & 1 == 1);
    let (address_len, rest) = match end {
        Some(end @ 1..) => (end + 1, frame.after(end + 1)),
        _ if frame.bytes().len() < MIN_LEN => {
            return state.summary.faults.insert(frame.short_header_faults(MIN_LEN));
        }
        _ => return state.summary.faults.insert(Faults::BAD_HEADER),
    };
    match *rest.bytes() {
        [UNNUMBERED_INFORMATION, IPV4, ..] => ip::decode_v4(rest.after(2), state),
        [UNNUMBERED_INFORMATION, IPV6, ..] => ip::decode_v6(rest.after(2), state),
        [UNNUMBERED_INFORMATION, PADDING, SNAP, a, b, c, high, low, ..] => {
            llc::organization([a, b, c], u16::from_be_bytes([high, low]), rest.after(8), state);
        }
        [UNNUMBERED_INFORMATION, SNAP, a, b, c, high, low, ..] => {
            llc::organization([a, b, c], u16::from_be_bytes([high, low]), rest.after(7), state);
        }
        [UNNUMBERED_INFORMATION, _, ..] => {}
        [high, low, ..] => {
            let protocol = u16::from_be_bytes([high, low]);
            if Proto::from_ether_type(protocol).is_named() {
                ethernet::payload_of_type(protocol, rest.after(2), state);
            }
        }
        _ => {
            let faults = frame.short_header_faults(address_len + 2);
            state.summary.faults.insert(faults);
        }
    }
}
