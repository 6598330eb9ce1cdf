//! EtherTypes (IEEE 802.3, 3.2.6): selects the decoder of the protocol that one announces.

use super::{DecodeState, Extent, Observer, arp, ip, mpls, ppp, tunnel};
use crate::Proto;

/// Values up to here are an IEEE 802.3 length instead of an EtherType.
pub(super) const MAX_802_3_LEN: u16 = 1500;

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const RARP: u16 = 0x8035;
const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE: u16 = 0x8864;
/// High-availability seamless redundancy (IEC 62439-3).
pub(super) const HSR: u16 = 0x892f;
/// IEEE 802.1Q, IEEE 802.1ad, and what was used before that.
const VLAN_TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// Whether the EtherType announces a VLAN tag.
pub(super) fn is_vlan(ether_type: u16) -> bool {
    VLAN_TAGS.contains(&ether_type)
}

/// Decodes the payload of an EtherType that is not a VLAN tag.
pub(super) fn decode<'a>(
    ether_type: u16,
    payload: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match ether_type {
        IPV4 => return ip::decode_v4(payload, state),
        IPV6 => return ip::decode_v6(payload, state),
        _ => state.summary.proto = Proto::from_ether_type(ether_type),
    }
    match ether_type {
        ARP | RARP => arp::decode(payload, state),
        MPLS | MPLS_MULTICAST => mpls::decode(payload, state),
        PPPOE => ppp::session(payload, state),
        _ => tunnel::ether_type(ether_type, payload, state),
    }
}
