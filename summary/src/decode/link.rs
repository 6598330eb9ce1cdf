//! Link layers: Ethernet with VLAN tags and 802.3 LLC/SNAP, Linux cooked, BSD loopback, raw IP.

use super::{Extent, Out, arp, ip, mpls, ppp, wlan};
use crate::{Address, Faults, LinkType, Proto};
use etherparse::{Ethernet2Slice, SingleVlanSlice};

/// Values up to here are an 802.3 length, not an EtherType (IEEE 802.3, 3.2.6).
const MAX_802_3_LEN: u16 = 1500;

pub(super) const ETHER_TYPE_IPV4: u16 = 0x0800;
const ETHER_TYPE_ARP: u16 = 0x0806;
const ETHER_TYPE_RARP: u16 = 0x8035;
const ETHER_TYPE_VLAN: u16 = 0x8100;
pub(super) const ETHER_TYPE_IPV6: u16 = 0x86dd;
pub(super) const ETHER_TYPE_MPLS: u16 = 0x8847;
const ETHER_TYPE_MPLS_MULTICAST: u16 = 0x8848;
const ETHER_TYPE_PPPOE: u16 = 0x8864;
const ETHER_TYPE_QINQ: u16 = 0x88a8;
const ETHER_TYPE_QINQ_OLD: u16 = 0x9100;

pub(super) fn decode<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    out.summary.proto = Proto::named(out.summary.link.name().unwrap_or("llc"));
    match out.summary.link {
        LinkType::ETHERNET => ethernet(frame, out),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => ip::decode(frame, out),
        LinkType::NULL | LinkType::LOOP => loopback(frame, out),
        LinkType::PPP => ppp::decode(frame, out),
        LinkType::LINUX_SLL => linux_sll(frame, out),
        LinkType::LINUX_SLL2 => linux_sll2(frame, out),
        LinkType::RADIOTAP => wlan::radiotap(frame, out),
        LinkType::IEEE802_11 => wlan::decode(frame, out),
        other => {
            if other.name().is_none() {
                out.summary.proto = Proto::parse(other.to_string());
            }
            out.summary.faults.insert(Faults::UNSUPPORTED);
        }
    }
}

fn ethernet<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let Ok(header) = Ethernet2Slice::from_slice_without_fcs(frame.bytes()) else {
        return out.summary.faults.insert(frame.shortage(14));
    };
    out.summary.eth = Some((header.source(), header.destination()));
    out.summary.src = Some(Address::Mac(header.source()));
    out.summary.dst = Some(Address::Mac(header.destination()));
    ether_payload(header.ether_type().0, frame.after(14), out);
}

/// What an EtherType, or an 802.3 length, announces.
fn ether_payload<'a>(mut ether_type: u16, mut payload: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    while matches!(ether_type, ETHER_TYPE_VLAN | ETHER_TYPE_QINQ | ETHER_TYPE_QINQ_OLD) {
        out.summary.proto = Proto::from_ether_type(ether_type);
        let Ok(tag) = SingleVlanSlice::from_slice(payload.bytes()) else {
            return out.summary.faults.insert(payload.shortage(4));
        };
        if !out.summary.vlan.push(tag.vlan_identifier().value()) {
            return out.summary.faults.insert(Faults::UNSUPPORTED);
        }
        ether_type = tag.ether_type().0;
        payload = payload.after(4);
    }
    if ether_type <= MAX_802_3_LEN {
        if payload.wire_len() < usize::from(ether_type) {
            out.summary.faults.insert(Faults::BAD_LENGTH);
        }
        return llc(payload.limited_to(usize::from(ether_type)), out);
    }
    network(ether_type, payload, out);
}

pub(super) fn network<'a>(ether_type: u16, payload: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    match ether_type {
        ETHER_TYPE_IPV4 => return ip::decode_v4(payload, out),
        ETHER_TYPE_IPV6 => return ip::decode_v6(payload, out),
        _ => out.summary.proto = Proto::from_ether_type(ether_type),
    }
    match ether_type {
        ETHER_TYPE_ARP | ETHER_TYPE_RARP => arp::decode(payload, out),
        ETHER_TYPE_MPLS | ETHER_TYPE_MPLS_MULTICAST => mpls::decode(payload, out),
        ETHER_TYPE_PPPOE => ppp::session(payload, out),
        _ => {}
    }
}

/// IEEE 802.2: destination and source service access point, control; then SNAP (RFC 1042).
pub(super) fn llc<'a>(payload: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    out.summary.proto = Proto::named("llc");
    let &[destination, source, ..] = payload.bytes() else {
        return out.summary.faults.insert(payload.shortage(3));
    };
    match (destination, source) {
        (0x42, 0x42) => out.summary.proto = Proto::named("stp"),
        (0xfe, 0xfe) => out.summary.proto = Proto::named("is-is"),
        (0xe0, 0xe0) | (0xff, 0xff) => out.summary.proto = Proto::named("ipx"),
        (0xaa, 0xaa) => {
            let &[_, _, control, a, b, c, high, low, ..] = payload.bytes() else {
                return out.summary.faults.insert(payload.shortage(8));
            };
            if control != 0x03 {
                return; // no data, but a test or an exchange of identifications
            }
            match ([a, b, c], u16::from_be_bytes([high, low])) {
                ([0, 0, 0], ether_type) if ether_type > MAX_802_3_LEN => {
                    network(ether_type, payload.after(8), out);
                }
                ([0, 0, 0x0c], 0x2000) => out.summary.proto = Proto::named("cdp"),
                ([0, 0, 0x0c], 0x2003) => out.summary.proto = Proto::named("vtp"),
                _ => {}
            }
        }
        _ => {}
    }
}

/// The 4-byte address family of BSD loopback. Its byte order is the capturing host's (NULL) or
/// the network's (LOOP); the values of IPv6 differ by system.
fn loopback<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let Some(&[a, b, c, d]) = frame.bytes().first_chunk() else {
        return out.summary.faults.insert(frame.shortage(4));
    };
    let big = u32::from_be_bytes([a, b, c, d]);
    let family = if big > 0xffff { big.swap_bytes() } else { big };
    let payload = frame.after(4);
    match family {
        2 => network(ETHER_TYPE_IPV4, payload, out),
        10 | 24 | 28 | 30 => network(ETHER_TYPE_IPV6, payload, out),
        _ => out.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// Linux cooked capture: packet type, ARPHRD, address length, 8 address bytes, protocol.
fn linux_sll<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    cooked(frame, &CookedLayout { protocol: 14, address_len: 5, address: 6, len: 16 }, out);
}

/// Linux cooked capture, version 2: protocol, reserved, ifindex, ARPHRD, packet type, address.
fn linux_sll2<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    cooked(frame, &CookedLayout { protocol: 0, address_len: 11, address: 12, len: 20 }, out);
}

/// Offsets in a cooked header, in bytes.
struct CookedLayout {
    protocol: usize,
    address_len: usize,
    address: usize,
    len: usize,
}

fn cooked<'a>(frame: Extent<'a>, layout: &CookedLayout, out: &mut Out<'_, '_, 'a>) {
    let Some(header) = frame.bytes().get(..layout.len) else {
        return out.summary.faults.insert(frame.shortage(layout.len));
    };
    if header[layout.address_len] == 6 {
        let source = &header[layout.address..layout.address + 6];
        out.summary.src = source.try_into().ok().map(Address::Mac);
    }
    let protocol = u16::from_be_bytes([header[layout.protocol], header[layout.protocol + 1]]);
    let payload = frame.after(layout.len);
    match protocol {
        // Not EtherTypes but Linux' own numbers: 802.3 without and with an LLC header.
        0x0001 | 0x0004 => llc(payload, out),
        // More of Linux' own numbers, such as CAN's.
        ..=MAX_802_3_LEN => network(protocol, payload, out),
        _ => ether_payload(protocol, payload, out),
    }
}
