//! ARP (RFC 826) and RARP (RFC 903): operation and protocol addresses.

use super::{DecodeState, Extent, Observer};
use crate::inspect::network;
use etherparse::ArpPacketSlice;
use std::net::IpAddr;

/// Length of the fields before the addresses.
const FIXED_LEN: usize = 8;

pub(super) fn decode<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(packet.bytes(), network::arp);
    let Ok(arp) = ArpPacketSlice::from_slice(packet.bytes()) else {
        state.summary.arp_op = packet.u16_at(6);
        let lens = packet
            .bytes()
            .get(4..6)
            .map_or(0, |lens| 2 * lens.iter().map(|&l| usize::from(l)).sum::<usize>());
        return state.summary.faults.insert(packet.short_header_faults(FIXED_LEN + lens));
    };
    state.observer.content(arp.slice());
    state.summary.arp_op = Some(arp.operation().0);
    if let (Some(src), Some(dst)) =
        (protocol_address(arp.sender_protocol_addr()), protocol_address(arp.target_protocol_addr()))
    {
        state.summary.src = Some(src);
        state.summary.dst = Some(dst);
    }
}

fn protocol_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}
