//! Logical link control (IEEE 802.2) with SNAP (RFC 1042).

use super::ether_type::{self, MAX_802_3_LEN};
use super::{DecodeState, Extent, Observer};
use crate::Proto;
use crate::inspect::link;

/// Destination and source service access point, control.
const HEADER_LEN: usize = 3;
/// The same with the organization code and protocol number of SNAP.
const SNAP_HEADER_LEN: usize = 8;
/// Control field of unnumbered information: the frame carries data.
const UNNUMBERED_INFORMATION: u8 = 0x03;

const CISCO: [u8; 3] = [0, 0, 0x0c];
/// Bridge tunnels (IEEE 802.1H), with an EtherType.
const BRIDGED: [u8; 3] = [0, 0, 0xf8];

/// Decodes a packet from its destination service access point on.
pub(super) fn decode<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.summary.proto = Proto::named("llc");
    state.observer.layer(packet.bytes(), link::llc);
    let &[destination, source, ..] = packet.bytes() else {
        return state.summary.faults.insert(packet.short_header_faults(HEADER_LEN));
    };
    match (destination, source) {
        (0x42, 0x42) => state.summary.proto = Proto::named("stp"),
        (0xfe, 0xfe) => state.summary.proto = Proto::named("is-is"),
        (0xe0, 0xe0) | (0xff, 0xff) => state.summary.proto = Proto::named("ipx"),
        (0xaa, 0xaa) => snap(packet, state),
        _ => {}
    }
}

fn snap<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let Some(&[_, _, control, a, b, c, high, low]) = packet.bytes().first_chunk() else {
        return state.summary.faults.insert(packet.short_header_faults(SNAP_HEADER_LEN));
    };
    state.observer.layer(packet.after(HEADER_LEN).bytes(), link::snap);
    if control != UNNUMBERED_INFORMATION {
        return; // a test, or an exchange of identification
    }
    let payload = packet.after(SNAP_HEADER_LEN);
    organization([a, b, c], u16::from_be_bytes([high, low]), payload, state);
}

/// Decodes the payload of a protocol of an organization.
pub(super) fn organization<'a>(
    code: [u8; 3],
    protocol: u16,
    payload: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match (code, protocol) {
        ([0, 0, 0] | BRIDGED, ether_type) if ether_type > MAX_802_3_LEN => {
            ether_type::decode(ether_type, payload, state);
        }
        (CISCO, 0x2000) => state.summary.proto = Proto::named("cdp"),
        (CISCO, 0x2003) => state.summary.proto = Proto::named("vtp"),
        // Spanning tree per VLAN.
        (CISCO, 0x010b) => state.summary.proto = Proto::named("stp"),
        _ => {}
    }
}
