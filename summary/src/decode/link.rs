//! Selects the decoder of a link type; raw IP and BSD loopback.

use super::{DecodeState, Extent, Observer, cooked, ethernet, ip, ppp, wlan};
use crate::inspect;
use crate::{Faults, LinkType, Proto};

/// Decodes a frame of the link type in the summary.
pub(super) fn decode<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.summary.proto = Proto::from_link_type(state.summary.link);
    match state.summary.link {
        LinkType::ETHERNET => ethernet::decode(frame, state),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => ip::decode(frame, state),
        LinkType::NULL | LinkType::LOOP => loopback(frame, state),
        LinkType::PPP => ppp::decode(frame, state),
        LinkType::LINUX_SLL => cooked::decode(frame, &cooked::V1, state),
        LinkType::LINUX_SLL2 => cooked::decode(frame, &cooked::V2, state),
        LinkType::RADIOTAP => wlan::radiotap(frame, state),
        LinkType::IEEE802_11 => wlan::decode(frame, state),
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// BSD loopback: a 4-byte address family, in the byte order of the capturing host (NULL) or the
/// network (LOOP). The value for IPv6 depends on the operating system.
fn loopback<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(frame.bytes(), inspect::link::loopback);
    let Some(&family) = frame.bytes().first_chunk() else {
        return state.summary.faults.insert(frame.short_header_faults(4));
    };
    let big_endian = u32::from_be_bytes(family);
    let family = if big_endian > 0xffff { big_endian.swap_bytes() } else { big_endian };
    let payload = frame.after(4);
    match family {
        2 => ip::decode_v4(payload, state),
        10 | 24 | 28 | 30 => ip::decode_v6(payload, state),
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}
