//! Selects the decoder of a link type; raw IP and BSD loopback.

use super::{
    DecodeState, Extent, Observer, cooked, docsis, ethernet, framed, ip, lan, llc, mpls, ppp,
    record, tunnel, wlan, wrapped,
};
use crate::inspect;
use crate::{Faults, LinkType, Proto};

/// Decodes a frame of the link type in the summary.
pub(super) fn decode<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.summary.proto = Proto::from_link_type(state.summary.link);
    match state.summary.link {
        LinkType::ETHERNET => ethernet::decode(frame, state),
        LinkType::PPI => wrapped::ppi(frame, state),
        LinkType::PKTAP => wrapped::pktap(frame, state),
        link => decode_inner(link, frame, state),
    }
}

/// Decodes a frame of a link type whose header does not contain another link type.
pub(super) fn decode_inner<'a>(
    link: LinkType,
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    state.summary.proto = Proto::from_link_type(link);
    match link {
        LinkType::ETHERNET => ethernet::decode(frame, state),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => ip::decode(frame, state),
        LinkType::NULL | LinkType::LOOP => loopback(frame, state),
        LinkType::PPP => ppp::decode(frame, state),
        LinkType::PPP_HDLC => wrapped::ppp_or_cisco(frame, state),
        LinkType::PPP_PPPD => wrapped::ppp_of_pppd(frame, state),
        LinkType::PPP_WITH_DIRECTION => {
            wrapped::with_direction(frame, wrapped::ppp_or_cisco, state);
        }
        LinkType::PPPOE => ppp::session(frame, state),
        LinkType::CISCO_HDLC => wrapped::cisco_hdlc(frame, state),
        LinkType::CISCO_HDLC_WITH_DIRECTION => {
            wrapped::with_direction(frame, wrapped::cisco_hdlc, state);
        }
        LinkType::FRAME_RELAY => wrapped::frame_relay(frame, state),
        LinkType::FRAME_RELAY_WITH_DIRECTION => {
            wrapped::with_direction(frame, wrapped::frame_relay, state);
        }
        LinkType::FDDI => lan::fddi(frame, state),
        LinkType::TOKEN_RING => lan::token_ring(frame, state),
        LinkType::ARCNET => lan::arcnet(frame, 2, state),
        LinkType::ARCNET_LINUX => lan::arcnet(frame, 4, state),
        LinkType::ENC => wrapped::enc(frame, state),
        LinkType::PFLOG => wrapped::pflog(frame, state),
        LinkType::NFLOG => wrapped::nflog(frame, state),
        LinkType::LINUX_SLL => cooked::decode(frame, &cooked::V1, state),
        LinkType::LINUX_SLL2 => cooked::decode(frame, &cooked::V2, state),
        LinkType::RADIOTAP => wlan::radiotap(frame, state),
        LinkType::PRISM | LinkType::AVS => wrapped::prism(frame, state),
        LinkType::IEEE802_11 => wlan::decode(frame, state),
        LinkType::SLIP => framed::slip(frame, 16, state),
        LinkType::SLIP_BSDOS => framed::slip(frame, 24, state),
        LinkType::PPP_BSDOS => ppp::of_bsdos(frame, state),
        LinkType::DOCSIS => docsis::decode(frame, state),
        LinkType::TZSP => tunnel::tzsp::decode(frame, state),
        LinkType::APPLE_IP_OVER_IEEE1394 => framed::ieee1394(frame, state),
        LinkType::ERF | LinkType::ERF_ETH | LinkType::ERF_POS => record::erf(frame, state),
        LinkType::JUNIPER_ETHER | LinkType::JUNIPER_PPPOE => {
            record::juniper(frame, ethernet::decode, state);
        }
        LinkType::JUNIPER_PPP => record::juniper(frame, ppp::decode, state),
        LinkType::JUNIPER_FRAME_RELAY => record::juniper(frame, wrapped::frame_relay, state),
        LinkType::JUNIPER_CISCO_HDLC => record::juniper(frame, wrapped::cisco_hdlc, state),
        LinkType::ATM_RFC1483 => llc::decode(frame, state),
        LinkType::ATM_CLIP => framed::atm(frame, state),
        LinkType::IP_OVER_FC => framed::fibre_channel(frame, state),
        LinkType::MPLS => mpls::decode(frame, state),
        LinkType::IPNET => framed::ipnet(frame, state),
        LinkType::IPOIB => framed::infiniband(frame, state),
        LinkType::VPP_DISPATCH => framed::vpp(frame, state),
        LinkType::DSA_BRCM | LinkType::DSA => framed::switch(frame, 4, state),
        LinkType::EDSA => framed::switch(frame, 8, state),
        LinkType::DSA_BRCM_PREPEND => framed::switch_before(frame, state),
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// BSD loopback: a 4-byte address family, in the byte order of the capturing host (NULL) or the
/// network (LOOP). The value for IPv6 depends on the operating system. Some programs write an EtherType
/// instead, a number of 16 bits (IRIX), or address and control of PPP.
fn loopback<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    const PPP: [u8; 2] = [0xff, 0x03];
    if frame.bytes().starts_with(&PPP) {
        return ppp::decode(frame, state);
    }
    state.observer.layer(frame.bytes(), inspect::link::loopback);
    let Some(&header) = frame.bytes().first_chunk() else {
        return state.summary.faults.insert(frame.short_header_faults(4));
    };
    let payload = frame.after(4);
    match loopback_ether_type(header) {
        Some(ether_type) => ethernet::payload_of_type(ether_type, payload, state),
        None => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// The EtherType of a loopback header, or of the address family in it.
fn loopback_ether_type(header: [u8; 4]) -> Option<u16> {
    const IPV4: u16 = 0x0800;
    const IPV6: u16 = 0x86dd;
    let [a, b, ..] = header;
    let numbers = [
        u32::from_be_bytes(header),
        u32::from_le_bytes(header),
        u32::from_be_bytes([0, 0, a, b]),
        u32::from_le_bytes([a, b, 0, 0]),
    ];
    numbers.into_iter().find_map(|number| match u16::try_from(number) {
        _ if number == wrapped::FAMILY_IPV4 => Some(IPV4),
        _ if wrapped::FAMILIES_IPV6.contains(&number) => Some(IPV6),
        Ok(number) if Proto::from_ether_type(number).is_named() => Some(number),
        _ => None,
    })
}
