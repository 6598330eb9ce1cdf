//! PPP (RFC 1661), as a link of its own and in PPPoE sessions (RFC 2516).

use super::link::{ETHER_TYPE_IPV4, ETHER_TYPE_IPV6, ETHER_TYPE_MPLS, network};
use super::{Extent, Out};
use crate::Faults;

/// Address "all stations" and control "unnumbered information" (RFC 1662, 3.1).
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
/// MPLS (RFC 3032, 4.3).
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;

/// Version 1, type 1; code; session; length.
const SESSION_HEADER_LEN: usize = 6;
const VERSION_AND_TYPE: u8 = 0x11;
const SESSION_DATA: u8 = 0;

/// A frame of a PPP link, with or without address and control.
pub(super) fn decode<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let is_framed = frame.bytes().starts_with(&ADDRESS_AND_CONTROL);
    protocol(if is_framed { frame.after(ADDRESS_AND_CONTROL.len()) } else { frame }, out);
}

/// A packet of a PPPoE session.
pub(super) fn session<'a>(packet: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let Some(&[version, code, _, _, high, low]) =
        packet.bytes().first_chunk::<SESSION_HEADER_LEN>()
    else {
        return out.summary.faults.insert(packet.shortage(SESSION_HEADER_LEN));
    };
    if version != VERSION_AND_TYPE || code != SESSION_DATA {
        return out.summary.faults.insert(Faults::BAD_HEADER);
    }
    let payload = packet.after(SESSION_HEADER_LEN);
    let len = usize::from(u16::from_be_bytes([high, low]));
    if payload.wire_len() < len {
        out.summary.faults.insert(Faults::BAD_LENGTH);
    }
    protocol(payload.limited_to(len), out);
}

/// The protocol field: an odd first byte ends it, for it is compressed to one byte.
fn protocol<'a>(packet: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let (protocol, payload) = match *packet.bytes() {
        // No protocol, but the first half of what `decode` looks for.
        [0xff] => return out.summary.faults.insert(packet.shortage(2)),
        [low, ..] if low & 1 == 1 => (u16::from(low), packet.after(1)),
        [high, low, ..] => (u16::from_be_bytes([high, low]), packet.after(2)),
        _ => return out.summary.faults.insert(packet.shortage(2)),
    };
    match protocol {
        IPV4 => network(ETHER_TYPE_IPV4, payload, out),
        IPV6 => network(ETHER_TYPE_IPV6, payload, out),
        MPLS | MPLS_MULTICAST => network(ETHER_TYPE_MPLS, payload, out),
        _ => {}
    }
}
