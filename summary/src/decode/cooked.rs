//! Linux cooked capture, versions 1 and 2
//! (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>).

use super::ether_type::{self, MAX_802_3_LEN};
use super::{DecodeState, Extent, Observer, ethernet, llc};
use crate::inspect::link;

/// Linux' own protocol numbers for IEEE 802.3 without and with an LLC header (linux/if_ether.h:
/// `ETH_P_802_3`, `ETH_P_802_2`).
const WITHOUT_LLC: u16 = 0x0001;
const WITH_LLC: u16 = 0x0004;

/// Offsets of a cooked header, in bytes.
pub(super) struct Layout {
    protocol: usize,
    address_len: usize,
    address: usize,
    header_len: usize,
}

/// Packet type, ARPHRD type, address length, address, protocol.
pub(super) const V1: Layout = Layout { protocol: 14, address_len: 5, address: 6, header_len: 16 };

/// Protocol, reserved, interface index, ARPHRD type, packet type, address length, address.
pub(super) const V2: Layout = Layout { protocol: 0, address_len: 11, address: 12, header_len: 20 };

/// Decodes a frame from its cooked header on.
pub(super) fn decode<'a>(
    frame: Extent<'a>,
    layout: &Layout,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    // Not a field of the layout: programs that never inspect would contain both functions.
    let fields = if layout.header_len == V1.header_len { link::cooked_v1 } else { link::cooked_v2 };
    state.observer.layer(frame.bytes(), fields);
    let Some(header) = frame.bytes().get(..layout.header_len) else {
        return state.summary.faults.insert(frame.short_header_faults(layout.header_len));
    };
    if header[layout.address_len] == 6 {
        let source = &header[layout.address..layout.address + 6];
        state.summary.eth_src = source.try_into().ok();
    }
    let protocol = u16::from_be_bytes([header[layout.protocol], header[layout.protocol + 1]]);
    let payload = frame.after(layout.header_len);
    match protocol {
        WITHOUT_LLC | WITH_LLC => llc::decode(payload, state),
        // Other numbers of Linux' own, such as those of CAN.
        ..=MAX_802_3_LEN => ether_type::decode(protocol, payload, state),
        _ => ethernet::payload(protocol, payload, state),
    }
}
