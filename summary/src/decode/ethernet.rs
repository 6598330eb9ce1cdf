//! Ethernet (IEEE 802.3) with VLAN tags (IEEE 802.1Q).

use super::ether_type::{self, HSR, MAX_802_3_LEN};
use super::{DecodeState, Extent, Observer, llc};
use crate::inspect::{link, tunnel};
use crate::{Faults, Proto};
use etherparse::{Ethernet2Slice, SingleVlanSlice};

const HEADER_LEN: usize = 14;
const VLAN_TAG_LEN: usize = 4;
/// Path and length, sequence number, EtherType.
const HSR_TAG_LEN: usize = 6;

/// Decodes a frame from its destination address on.
pub(super) fn decode<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(frame.bytes(), link::ethernet);
    let Ok(header) = Ethernet2Slice::from_slice_without_fcs(frame.bytes()) else {
        return state.summary.faults.insert(frame.short_header_faults(HEADER_LEN));
    };
    state.summary.eth_src = Some(header.source());
    state.summary.eth_dst = Some(header.destination());
    payload(header.ether_type().0, frame.after(HEADER_LEN), state);
}

/// Decodes what follows an EtherType, in a header that has no lengths in its place.
pub(super) fn payload_of_type<'a>(
    ether_type: u16,
    payload: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    if ether_type <= MAX_802_3_LEN {
        state.summary.proto = Proto::from_ether_type(ether_type);
    } else {
        self::payload(ether_type, payload, state);
    }
}

/// Decodes what follows an EtherType or an IEEE 802.3 length.
pub(super) fn payload<'a>(
    mut ether_type: u16,
    mut payload: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    loop {
        if ether_type == HSR {
            state.summary.proto = Proto::from_ether_type(ether_type);
            state.observer.layer(payload.bytes(), tunnel::hsr);
            let Some(next) = payload.u16_at(HSR_TAG_LEN - 2) else {
                return state.summary.faults.insert(payload.short_header_faults(HSR_TAG_LEN));
            };
            (ether_type, payload) = (next, payload.after(HSR_TAG_LEN));
            continue;
        }
        if !ether_type::is_vlan(ether_type) {
            break;
        }
        state.summary.proto = Proto::from_ether_type(ether_type);
        state.observer.layer(payload.bytes(), link::vlan);
        let Ok(tag) = SingleVlanSlice::from_slice(payload.bytes()) else {
            return state.summary.faults.insert(payload.short_header_faults(VLAN_TAG_LEN));
        };
        if !state.summary.vlan.push(tag.vlan_identifier().value()) {
            return state.summary.faults.insert(Faults::UNSUPPORTED);
        }
        ether_type = tag.ether_type().0;
        payload = payload.after(VLAN_TAG_LEN);
    }
    if ether_type <= MAX_802_3_LEN {
        let len = usize::from(ether_type);
        if payload.wire_len() < len {
            state.summary.faults.insert(Faults::BAD_LENGTH);
        }
        return llc::decode(payload.limited_to(len), state);
    }
    ether_type::decode(ether_type, payload, state);
}
