//! Local networks other than Ethernet and IEEE 802.11.

use super::{DecodeState, Extent, Observer, arp, ip, llc};
use crate::Proto;
use crate::inspect::{lan as fields, wrapped};

/// FDDI (ISO 9314-2): frame control, destination, source; LLC follows in frames of stations.
pub(super) fn fddi<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const HEADER_LEN: usize = 13;
    /// Class and format of LLC frames with long addresses; the other bits are the priority.
    const IS_LLC: u8 = 0x50;
    state.observer.layer(frame.bytes(), wrapped::fddi);
    let bytes = frame.bytes();
    if bytes.len() < HEADER_LEN {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    }
    state.summary.eth_dst = bytes.get(1..).and_then(<[u8]>::first_chunk).copied();
    state.summary.eth_src = bytes.get(7..).and_then(<[u8]>::first_chunk).copied();
    if bytes[0] & 0xf0 == IS_LLC {
        llc::decode(frame.after(HEADER_LEN), state);
    }
}

/// Token Ring (IEEE 802.5): access control, frame control, destination, source; the route, if a bit of the
/// source says so; LLC.
pub(super) fn token_ring<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const HEADER_LEN: usize = 14;
    const FRAME_TYPE: u8 = 0xc0;
    const IS_LLC: u8 = 0x40;
    state.observer.layer(frame.bytes(), fields::token_ring);
    let Some(header) = frame.bytes().first_chunk::<HEADER_LEN>() else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    state.summary.eth_dst = header[2..].first_chunk().copied();
    state.summary.eth_src = header[8..].first_chunk().copied();
    let header_len = HEADER_LEN + route_len(frame.bytes());
    if frame.bytes().len() < header_len {
        return state.summary.faults.insert(frame.short_header_faults(header_len));
    }
    if header[1] & FRAME_TYPE == IS_LLC {
        llc::decode(frame.after(header_len), state);
    }
}

/// Length of the route in a frame of Token Ring: 0 without one.
pub(crate) fn route_len(frame: &[u8]) -> usize {
    const HAS_ROUTE: u8 = 0x80;
    const LEN: u8 = 0x1f;
    match frame {
        [_, _, _, _, _, _, _, _, source, _, _, _, _, _, control, ..] if source & HAS_ROUTE != 0 => {
            usize::from(control & LEN)
        }
        _ => 0,
    }
}

/// ARCnet: source, destination, in Linux two further bytes, then the protocol at this offset (RFC 1051). Newer
/// protocols have a split flag and a sequence number after it (RFC 1201).
pub(super) fn arcnet<'a>(
    frame: Extent<'a>,
    offset: usize,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    const OLD_IP: u8 = 240;
    const OLD_ARP: u8 = 241;
    const DIAGNOSE: u8 = 128;
    const IPV6: u8 = 196;
    const IPV4: u8 = 212;
    const ARP: u8 = 213;
    const RARP: u8 = 214;
    const SPLIT_LEN: usize = 3;
    match offset {
        2 => state.observer.layer(frame.bytes(), fields::arcnet::<2>),
        _ => state.observer.layer(frame.bytes(), fields::arcnet::<4>),
    }
    let bytes = frame.bytes();
    let Some(protocol) = bytes.get(offset) else {
        return state.summary.faults.insert(frame.short_header_faults(offset + 1));
    };
    let is_old = matches!(*protocol, OLD_IP | OLD_ARP | DIAGNOSE);
    let header_len = offset + 1 + if is_old { 0 } else { SPLIT_LEN };
    if bytes.len() < header_len {
        return state.summary.faults.insert(frame.short_header_faults(header_len));
    }
    let packet = frame.after(header_len);
    match *protocol {
        // A part of a packet.
        _ if !is_old && bytes[offset + 1] != 0 => {}
        IPV4 | OLD_IP => ip::decode_v4(packet, state),
        IPV6 => ip::decode_v6(packet, state),
        ARP | OLD_ARP => {
            state.summary.proto = Proto::named("arp");
            arp::decode(packet, state);
        }
        RARP => {
            state.summary.proto = Proto::named("rarp");
            arp::decode(packet, state);
        }
        _ => {}
    }
}
