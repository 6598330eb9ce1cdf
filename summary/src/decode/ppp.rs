//! PPP (RFC 1661), as a link layer and in PPPoE sessions (RFC 2516).

use super::{DecodeState, Extent, Observer, ip, mpls};
use crate::inspect::link;
use crate::{Faults, Proto};

/// Address "all stations" and control "unnumbered information" (RFC 1662, section 3.1).
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
/// MPLS (RFC 3032, section 4.3).
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;

/// Version and type, code, session, length.
const SESSION_HEADER_LEN: usize = 6;
/// Version 1, type 1.
const VERSION_AND_TYPE: u8 = 0x11;
const SESSION_DATA: u8 = 0;

/// Decodes a frame of a PPP link, with or without address and control fields.
pub(super) fn decode<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let is_framed = frame.bytes().starts_with(&ADDRESS_AND_CONTROL);
    if is_framed {
        state.observer.layer(frame.bytes(), link::ppp_framing);
    }
    protocol(if is_framed { frame.after(ADDRESS_AND_CONTROL.len()) } else { frame }, state);
}

/// Decodes a packet of PPP in BSD/OS: a header of 24 bytes contains the protocol.
pub(super) fn of_bsdos<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const PROTOCOL_AT: usize = 5;
    const HEADER_LEN: usize = 24;
    state.observer.layer(packet.bytes(), link::ppp_bsdos);
    match packet.u16_at(PROTOCOL_AT) {
        Some(protocol) if HEADER_LEN <= packet.bytes().len() => {
            content(protocol, packet.after(HEADER_LEN), state);
        }
        _ => state.summary.faults.insert(packet.short_header_faults(HEADER_LEN)),
    }
}

/// Decodes a packet of a PPPoE session.
pub(super) fn session<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(packet.bytes(), link::pppoe);
    let Some(&[version, code, _, _, high, low]) =
        packet.bytes().first_chunk::<SESSION_HEADER_LEN>()
    else {
        return state.summary.faults.insert(packet.short_header_faults(SESSION_HEADER_LEN));
    };
    if version != VERSION_AND_TYPE || code != SESSION_DATA {
        return state.summary.faults.insert(Faults::BAD_HEADER);
    }
    let payload = packet.after(SESSION_HEADER_LEN);
    let len = usize::from(u16::from_be_bytes([high, low]));
    if payload.wire_len() < len {
        state.summary.faults.insert(Faults::BAD_LENGTH);
    }
    protocol(payload.limited_to(len), state);
}

/// Decodes from the protocol field on. An odd first byte means that the field is compressed to one
/// byte (RFC 1661, section 6.5).
fn protocol<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(packet.bytes(), link::ppp);
    let (protocol, payload) = match *packet.bytes() {
        // The first half of address and control.
        [0xff] => return state.summary.faults.insert(packet.short_header_faults(2)),
        [low, ..] if low & 1 == 1 => (u16::from(low), packet.after(1)),
        [high, low, ..] => (u16::from_be_bytes([high, low]), packet.after(2)),
        _ => return state.summary.faults.insert(packet.short_header_faults(2)),
    };
    content(protocol, payload, state);
}

/// Decodes what follows the protocol field.
fn content<'a>(
    protocol: u16,
    payload: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match protocol {
        IPV4 => ip::decode_v4(payload, state),
        IPV6 => ip::decode_v6(payload, state),
        MPLS | MPLS_MULTICAST => {
            state.summary.proto = Proto::named("mpls");
            mpls::decode(payload, state);
        }
        _ => {}
    }
}
