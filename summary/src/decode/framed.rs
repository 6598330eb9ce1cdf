//! Link types with a header of a fixed form before an IP packet, LLC, or an Ethernet frame.

use super::wrapped::{FAMILIES_IPV6, FAMILY_IPV4};
use super::{DecodeState, Extent, Observer, ethernet, ip, llc};
use crate::Faults;
use crate::inspect::framed as fields;

const ETHERNET: u8 = 1;
const IPV4: u8 = 2;
const IPV6: u8 = 3;

/// SLIP: direction, compressed header of TCP and in BSD/OS further fields, `header_len` bytes; IP.
pub(super) fn slip<'a>(
    frame: Extent<'a>,
    header_len: usize,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match header_len {
        16 => state.observer.layer(frame.bytes(), fields::slip::<16>),
        _ => state.observer.layer(frame.bytes(), fields::slip::<24>),
    }
    if frame.bytes().len() < header_len {
        return state.summary.faults.insert(frame.short_header_faults(header_len));
    }
    ip::decode(frame.after(header_len), state);
}

/// IP over IEEE 1394 (RFC 2734): destination and source of eight bytes, EtherType.
pub(super) fn ieee1394<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const ADDRESSES_LEN: usize = 16;
    const HEADER_LEN: usize = ADDRESSES_LEN + 2;
    state.observer.layer(frame.bytes(), fields::ieee1394);
    match frame.u16_at(ADDRESSES_LEN) {
        Some(protocol) => ethernet::payload_of_type(protocol, frame.after(HEADER_LEN), state),
        None => state.summary.faults.insert(frame.short_header_faults(HEADER_LEN)),
    }
}

/// Classical IP over ATM: IP, after LLC or without it.
pub(super) fn atm<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
    match frame.bytes().starts_with(&SNAP) {
        true => llc::decode(frame, state),
        false => ip::decode(frame, state),
    }
}

/// IP over Fibre Channel (RFC 4338): destination and source, LLC.
pub(super) fn fibre_channel<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const HEADER_LEN: usize = 16;
    state.observer.layer(frame.bytes(), fields::fibre_channel);
    if frame.bytes().len() < HEADER_LEN {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    }
    llc::decode(frame.after(HEADER_LEN), state);
}

/// IP over InfiniBand: global routing header, EtherType, reserved (RFC 4391, section 6).
pub(super) fn infiniband<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const ROUTING_LEN: usize = 40;
    const HEADER_LEN: usize = ROUTING_LEN + 4;
    state.observer.layer(frame.bytes(), fields::infiniband);
    match frame.u16_at(ROUTING_LEN) {
        Some(protocol) => ethernet::payload_of_type(protocol, frame.after(HEADER_LEN), state),
        None => state.summary.faults.insert(frame.short_header_faults(HEADER_LEN)),
    }
}

/// Solaris: version, address family, hook type, length, interfaces, zones.
pub(super) fn ipnet<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const HEADER_LEN: usize = 24;
    const FAMILY_IPV6: u32 = 26;
    state.observer.layer(frame.bytes(), fields::ipnet);
    let Some(&header) = frame.bytes().first_chunk::<HEADER_LEN>() else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    match u32::from(header[1]) {
        FAMILY_IPV4 => ip::decode_v4(frame.after(HEADER_LEN), state),
        family if family == FAMILY_IPV6 || FAMILIES_IPV6.contains(&family) => {
            ip::decode_v6(frame.after(HEADER_LEN), state);
        }
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// Ethernet with a tag of `tag_len` bytes of a switch chip between the addresses and the EtherType.
pub(super) fn switch<'a>(
    frame: Extent<'a>,
    tag_len: usize,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const ADDRESSES_LEN: usize = 12;
    let header_len = ADDRESSES_LEN + tag_len + 2;
    match tag_len {
        4 => state.observer.layer(frame.bytes(), fields::short_tag),
        _ => state.observer.layer(frame.bytes(), fields::long_tag),
    }
    let bytes = frame.bytes();
    let Some(ether_type) = frame.u16_at(header_len - 2) else {
        return state.summary.faults.insert(frame.short_header_faults(header_len));
    };
    state.summary.eth_dst = bytes.first_chunk().copied();
    state.summary.eth_src = bytes.get(6..).and_then(<[u8]>::first_chunk).copied();
    ethernet::payload(ether_type, frame.after(header_len), state);
}

/// Ethernet after a tag of a Broadcom switch chip.
pub(super) fn switch_before<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const TAG_LEN: usize = 4;
    state.observer.layer(frame.bytes(), fields::tag_before);
    if frame.bytes().len() < TAG_LEN {
        return state.summary.faults.insert(frame.short_header_faults(TAG_LEN));
    }
    ethernet::decode(frame.after(TAG_LEN), state);
}

/// A dispatch trace of FD.io VPP: version, number of strings, protocol, buffer; strings that end with a
/// zero; the packet from the header on that the node of the graph processes.
pub(super) fn vpp<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const HEADER_LEN: usize = 8;
    const VERSION: [u8; 2] = [1, 0];
    state.observer.layer(frame.bytes(), fields::vpp);
    let Some(&[major, minor, count, protocol, ..]) = frame.bytes().first_chunk::<HEADER_LEN>()
    else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    if [major, minor] != VERSION {
        return state.summary.faults.insert(Faults::UNSUPPORTED);
    }
    let mut packet = frame.after(HEADER_LEN);
    for _ in 0..count {
        let Some(len) = packet.bytes().iter().position(|byte| *byte == 0) else {
            return state.summary.faults.insert(packet.short_header_faults(packet.wire_len() + 1));
        };
        packet = packet.after(len + 1);
    }
    // Some nodes have no protocol, or another one than the packet.
    match (protocol, packet.bytes().first()) {
        (ETHERNET, _) => ethernet::decode(packet, state),
        (0 | IPV4, Some(0x45..=0x4f)) => ip::decode_v4(packet, state),
        (0 | IPV6, Some(0x60..=0x6f)) => ip::decode_v6(packet, state),
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}
