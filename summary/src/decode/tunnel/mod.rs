//! Tunnels: headers with an entire packet or frame after them. The summary describes the innermost one.
//!
//! A tunnel is entered only where the bytes prove it: a port or protocol number, a header whose reserved
//! bits are zero and whose lengths fit, and the beginning of a packet after it. Fragments are not
//! entered. All other packets are described by their outer headers.

mod gre;
mod header;
mod l2tp;
mod proof;
mod pseudowire;
mod tag;
pub(super) mod tzsp;
mod udp;

use super::{DecodeState, Extent, Observer, Tunnels, ethernet, ip, mpls, ppp, wlan};
use crate::{Faults, Proto, TunnelKind, VlanIds};
use header::Header;

/// Ports of UDP (IANA): L2TP, GTP-U, Teredo, LISP, GRE (RFC 8086), VXLAN and its extension, CAPWAP data, GUE,
/// Geneve, MPLS; those of VXLAN in Linux and of TZSP.
const L2TP: u16 = 1701;
const GTP_U: u16 = 2152;
const TEREDO: u16 = 3544;
const LISP: u16 = 4341;
const GRE_IN_UDP: u16 = 4754;
const VXLAN: u16 = 4789;
const VXLAN_GPE: u16 = 4790;
const CAPWAP: u16 = 5247;
const GUE: u16 = 6080;
const GENEVE: u16 = 6081;
const MPLS_IN_UDP: u16 = 6635;
const VXLAN_LINUX: u16 = 8472;
const TZSP: u16 = 37008;

/// IP protocol numbers. That of L2TP is only for version 3.
const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const ETHER_IP: u8 = 97;
const L2TP_IN_IP: u8 = 115;
const MPLS_IN_IP: u8 = 137;
const ETHERNET: u8 = 143;

/// Length up to which a header must be captured, except for options: GRE with ERSPAN type III.
const MAX_HEADER_LEN: usize = 36;
/// Length up to which a frame without announcement must be captured: a control word, an Ethernet header with
/// two tags, and an IPv4 header.
const MAX_FRAME_PROOF_LEN: usize = 4 + 22 + 60;
/// The same for such a frame after a header: that of CAPWAP is the longest.
const MAX_PROOF_LEN: usize = 124 + MAX_FRAME_PROOF_LEN;

/// Shortest beginnings of the packets in tunnels.
const ETHERNET_LEN: usize = 14;
const IPV4_LEN: usize = 20;
const IPV6_LEN: usize = 40;
const MPLS_LEN: usize = 4;
const PPP_LEN: usize = 2;
const WLAN_LEN: usize = 10;

/// The content of a tunnel.
#[derive(Clone, Copy)]
enum Content {
    Ethernet,
    Ipv4,
    Ipv6,
    /// IPv4 or IPv6, by the version.
    Ip,
    Ppp,
    Mpls,
    /// IEEE 802.11.
    Wlan,
    /// The same with the bytes of the frame control field exchanged.
    WlanSwapped,
    /// The content of an Ethernet frame with this type or length.
    EtherType(u16),
}

impl Content {
    /// The content announced by an EtherType in another header.
    fn of_ether_type(ether_type: u16) -> Option<Self> {
        Some(match ether_type {
            0x0800 => Self::Ipv4,
            0x86dd => Self::Ipv6,
            0x6558 => Self::Ethernet,
            0x8847 | 0x8848 => Self::Mpls,
            NSH => Self::EtherType(NSH),
            _ => return None,
        })
    }

    /// The content announced by the next protocol of NSH (RFC 8300, section 2.2) or VXLAN GPE.
    fn of_next_protocol(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Ipv4,
            2 => Self::Ipv6,
            3 => Self::Ethernet,
            4 => Self::EtherType(NSH),
            5 => Self::Mpls,
            _ => return None,
        })
    }

    fn min_len(self) -> usize {
        match self {
            Self::Ethernet => ETHERNET_LEN,
            Self::Ipv4 | Self::Ip => IPV4_LEN,
            Self::Ipv6 => IPV6_LEN,
            Self::Ppp => PPP_LEN,
            Self::Mpls => MPLS_LEN,
            Self::Wlan | Self::WlanSwapped => WLAN_LEN,
            Self::EtherType(_) => 0,
        }
    }

    /// Whether the content can begin with these bytes.
    fn is_start(self, bytes: &[u8]) -> bool {
        let version = bytes.first().map(|byte| byte >> 4);
        match self {
            Self::Ipv4 => version == Some(4),
            Self::Ipv6 => version == Some(6),
            Self::Ip => matches!(version, Some(4 | 6)),
            // The protocol has an even first and an odd second byte, unless it is compressed (RFC 1661,
            // section 2).
            Self::Ppp => match *bytes {
                [0xff, 0x03, ..] => true,
                [high, low, ..] => high & 1 == 1 || low & 1 == 1,
                _ => false,
            },
            Self::Wlan => bytes.first().is_some_and(|control| wlan::is_control(*control)),
            Self::WlanSwapped | Self::Ethernet | Self::Mpls | Self::EtherType(_) => true,
        }
    }
}

/// A tunnel that a header announces.
struct Tunnel<'a> {
    kind: TunnelKind,
    id: Option<u32>,
    /// The header and everything after it.
    packet: Extent<'a>,
    header_len: usize,
    header: Header,
    content: Content,
}

/// Enters a tunnel, if the bytes prove it.
fn enter<'a>(tunnel: &Tunnel<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let Tunnel { kind, id, packet, header_len, header, content } = *tunnel;
    let inner = packet.after(header_len);
    if state.tunnels == Tunnels::Outer || packet.wire_len() < header_len + content.min_len() {
        return;
    }
    if inner.bytes().len() < content.min_len() {
        return state.summary.faults.insert(Faults::TRUNCATED);
    }
    if !content.is_start(inner.bytes()) {
        return;
    }
    let summary = &mut *state.summary;
    if !summary.tunnel.push(kind, id) {
        return summary.faults.insert(Faults::UNSUPPORTED);
    }
    let (src, dst) = (summary.src.take(), summary.dst.take());
    let is_outermost = summary.outer_src.is_none() && summary.outer_dst.is_none();
    if is_outermost {
        (summary.outer_src, summary.outer_dst) = (src, dst);
    }
    (summary.sport, summary.dport, summary.payload) = (None, None, None);
    (summary.ttl, summary.frag) = (None, None);
    let is_frame = matches!(content, Content::Ethernet | Content::Wlan | Content::WlanSwapped);
    if is_frame {
        (summary.eth_src, summary.eth_dst, summary.vlan) = (None, None, VlanIds::default());
    }
    state.payload = &[];
    state.observer.tunnel(is_outermost, is_frame);
    if 0 < header_len {
        state.observer.layer(packet.bytes(), header.fields(kind));
    }
    match content {
        Content::Ethernet => ethernet::decode(inner, state),
        Content::Ipv4 | Content::Ipv6 | Content::Ip => ip::decode(inner, state),
        Content::Ppp => {
            state.summary.proto = Proto::named("ppp");
            ppp::decode(inner, state);
        }
        Content::Mpls => {
            state.summary.proto = Proto::named("mpls");
            mpls::decode(inner, state);
        }
        Content::Wlan => wlan::decode(inner, state),
        Content::WlanSwapped => wlan::decode_swapped(inner, state),
        Content::EtherType(ether_type) => ethernet::payload(ether_type, inner, state),
    }
}

/// Enters the tunnel that was found in a packet. If there is none, the capture may have cut off its header,
/// which ends at `max_header_len` at the latest.
fn enter_found<'a>(
    tunnel: Option<Tunnel<'a>>,
    packet: Extent<'a>,
    max_header_len: usize,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match tunnel {
        Some(tunnel) => enter(&tunnel, state),
        None if state.tunnels == Tunnels::Inner
            && packet.bytes().len() < packet.wire_len().min(max_header_len) =>
        {
            state.summary.faults.insert(Faults::TRUNCATED);
        }
        None => {}
    }
}

/// Whether one of the ports of UDP is that of a tunnel.
#[inline]
pub(super) fn is_port(sport: Option<u16>, dport: Option<u16>) -> bool {
    matches!(
        dport,
        Some(
            L2TP | GTP_U
                | TEREDO
                | LISP
                | GRE_IN_UDP
                | VXLAN
                | VXLAN_GPE
                | CAPWAP
                | GUE
                | GENEVE
                | MPLS_IN_UDP
                | VXLAN_LINUX
                | TZSP
        )
    ) || matches!(sport, Some(L2TP | GTP_U | TEREDO | CAPWAP))
}

/// Enters the tunnel in the payload of UDP.
#[cold]
#[inline(never)]
pub(super) fn udp<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let tunnel = match (state.summary.sport, state.summary.dport) {
        (_, Some(VXLAN | VXLAN_LINUX)) => udp::vxlan(packet),
        (_, Some(VXLAN_GPE)) => udp::vxlan_gpe(packet),
        (_, Some(GENEVE)) => udp::geneve(packet),
        (_, Some(LISP)) => udp::lisp(packet),
        (_, Some(GUE)) => udp::gue(packet),
        (_, Some(TZSP)) => tzsp::tunnel(packet),
        (_, Some(GRE_IN_UDP)) => gre::gre(packet),
        (_, Some(MPLS_IN_UDP)) => pseudowire::labels(packet),
        (Some(GTP_U), _) | (_, Some(GTP_U)) => udp::gtp(packet),
        (Some(CAPWAP), _) | (_, Some(CAPWAP)) => udp::capwap(packet),
        (Some(TEREDO), _) | (_, Some(TEREDO)) => udp::teredo(packet),
        _ => l2tp::over_udp(packet),
    };
    let max_header_len = match (state.summary.sport, state.summary.dport) {
        (Some(CAPWAP | TEREDO), _) | (_, Some(CAPWAP | TEREDO | LISP | GUE | MPLS_IN_UDP)) => {
            MAX_PROOF_LEN
        }
        _ if l2tp::is_version_3(packet) => MAX_PROOF_LEN,
        _ => MAX_HEADER_LEN,
    };
    enter_found(tunnel, packet, max_header_len, state);
}

/// Enters the tunnel in the payload of an IP packet, if it is one.
#[cold]
#[inline(never)]
pub(super) fn ip<'a>(
    number: u8,
    packet: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    state.summary.proto = Proto::from_ip_number(number);
    let headless = |kind, content| {
        Some(Tunnel { kind, id: None, packet, header_len: 0, header: Header::OfKind, content })
    };
    let tunnel = match number {
        IPV4 => headless(TunnelKind::Ip, Content::Ipv4),
        IPV6 => headless(TunnelKind::Ip6, Content::Ipv6),
        MPLS_IN_IP => headless(TunnelKind::Mpls, Content::Mpls),
        ETHERNET => headless(TunnelKind::Ethernet, Content::Ethernet),
        GRE => gre::gre(packet),
        ETHER_IP => ether_ip(packet),
        L2TP_IN_IP => l2tp::over_ip(packet),
        _ => None,
    };
    if state.summary.frag.is_none() {
        let max_header_len = if number == L2TP_IN_IP { MAX_PROOF_LEN } else { MAX_HEADER_LEN };
        enter_found(tunnel, packet, max_header_len, state);
    }
}

/// Whether the IP protocol number is that of a tunnel.
#[inline]
pub(super) fn is_ip_number(number: u8) -> bool {
    matches!(number, IPV4 | IPV6 | GRE | ETHER_IP | L2TP_IN_IP | MPLS_IN_IP | ETHERNET)
}

/// EtherTypes of tags with another EtherType or frame after them.
const TRILL: u16 = 0x22f3;
const FABRIC_PATH: u16 = 0x8903;
const PBB: u16 = 0x88e7;
const CMD: u16 = 0x8909;
const VN_TAG: u16 = 0x8926;
const E_TAG: u16 = 0x893f;
const NSH: u16 = 0x894f;

/// Enters the tunnel that the EtherType announces, if it is one.
#[cold]
#[inline(never)]
pub(super) fn ether_type<'a>(
    ether_type: u16,
    packet: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    let tunnel = match ether_type {
        TRILL => tag::trill(packet),
        PBB => tag::pbb(packet),
        CMD => tag::cmd(packet),
        VN_TAG => tag::vn_tag(packet),
        E_TAG => tag::e_tag(packet),
        FABRIC_PATH => tag::fabric_path(packet),
        NSH => tag::nsh(packet),
        _ => None,
    };
    enter_found(tunnel, packet, MAX_HEADER_LEN, state);
}

/// Enters the Ethernet frame after MPLS labels, if there is one.
#[cold]
#[inline(never)]
pub(super) fn pseudowire<'a>(
    packet: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    enter_found(pseudowire::ethernet(packet), packet, MAX_FRAME_PROOF_LEN, state);
}

/// A number of 24 bits.
fn u24(bytes: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

/// Version 3 and reserved bits (RFC 3378).
fn ether_ip(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    (packet.u16_at(0)? == 0x3000).then_some(Tunnel {
        kind: TunnelKind::EtherIp,
        id: None,
        packet,
        header_len: 2,
        header: Header::OfKind,
        content: Content::Ethernet,
    })
}
