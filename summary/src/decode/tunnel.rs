//! Tunnels: headers with an entire packet or frame after them. The summary describes the innermost one.
//!
//! A tunnel is entered only where the bytes prove it: a port or protocol number, a header whose reserved
//! bits are zero and whose lengths fit, and the beginning of a packet after it. Fragments are not
//! entered. All other packets are described by their outer headers.

use super::{DecodeState, Extent, Observer, Tunnels, ethernet, ip, mpls, ppp};
use crate::inspect::{Fields, tunnel as fields};
use crate::{Faults, Proto, TunnelKind, VlanIds};

/// Ports of UDP (IANA): L2TP, GTP-U, VXLAN and its extension, Geneve; and that of VXLAN in Linux.
const L2TP: u16 = 1701;
const GTP_U: u16 = 2152;
const VXLAN: u16 = 4789;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const VXLAN_LINUX: u16 = 8472;

/// IP protocol numbers.
const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const ETHER_IP: u8 = 97;
const MPLS_IN_IP: u8 = 137;
const ETHERNET: u8 = 143;

/// Length up to which a header must be captured, except for options: GRE with ERSPAN type III.
const MAX_HEADER_LEN: usize = 36;

/// Shortest beginnings of the packets in tunnels.
const ETHERNET_LEN: usize = 14;
const IPV4_LEN: usize = 20;
const IPV6_LEN: usize = 40;
const MPLS_LEN: usize = 4;
const PPP_LEN: usize = 2;

/// What a tunnel carries.
#[derive(Clone, Copy)]
enum Content {
    Ethernet,
    Ipv4,
    Ipv6,
    /// IPv4 or IPv6, by the version.
    Ip,
    Ppp,
    Mpls,
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
            Self::Ethernet | Self::Mpls | Self::EtherType(_) => true,
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
    /// Describes the header; `None` if there is none.
    fields: Option<fn(&mut Fields<'_>)>,
    content: Content,
}

/// Enters a tunnel, if the bytes prove it.
fn enter<'a>(tunnel: &Tunnel<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let Tunnel { kind, id, packet, header_len, fields, content } = *tunnel;
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
    let is_frame = matches!(content, Content::Ethernet);
    if is_frame {
        (summary.eth_src, summary.eth_dst, summary.vlan) = (None, None, VlanIds::default());
    }
    state.payload = &[];
    state.observer.tunnel(is_outermost, is_frame);
    if let Some(fields) = fields {
        state.observer.layer(packet.bytes(), fields);
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
        Content::EtherType(ether_type) => ethernet::payload(ether_type, inner, state),
    }
}

/// Enters the tunnel that was found in a packet. If there is none, the capture may have cut off its header.
fn enter_found<'a>(
    tunnel: Option<Tunnel<'a>>,
    packet: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match tunnel {
        Some(tunnel) => enter(&tunnel, state),
        None if state.tunnels == Tunnels::Inner
            && packet.bytes().len() < packet.wire_len().min(MAX_HEADER_LEN) =>
        {
            state.summary.faults.insert(Faults::TRUNCATED);
        }
        None => {}
    }
}

/// Whether one of the ports of UDP is that of a tunnel.
#[inline]
pub(super) fn is_port(sport: Option<u16>, dport: Option<u16>) -> bool {
    matches!(dport, Some(L2TP | GTP_U | VXLAN | VXLAN_GPE | GENEVE | VXLAN_LINUX))
        || matches!(sport, Some(L2TP | GTP_U))
}

/// Enters the tunnel in the payload of UDP.
#[cold]
#[inline(never)]
pub(super) fn udp<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let tunnel = match (state.summary.sport, state.summary.dport) {
        (_, Some(VXLAN | VXLAN_LINUX)) => vxlan(packet),
        (_, Some(VXLAN_GPE)) => vxlan_gpe(packet),
        (_, Some(GENEVE)) => geneve(packet),
        (Some(GTP_U), _) | (_, Some(GTP_U)) => gtp(packet),
        _ => l2tp(packet),
    };
    enter_found(tunnel, packet, state);
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
        Some(Tunnel { kind, id: None, packet, header_len: 0, fields: None, content })
    };
    let tunnel = match number {
        IPV4 => headless(TunnelKind::Ip, Content::Ipv4),
        IPV6 => headless(TunnelKind::Ip6, Content::Ipv6),
        MPLS_IN_IP => headless(TunnelKind::Mpls, Content::Mpls),
        ETHERNET => headless(TunnelKind::Ethernet, Content::Ethernet),
        GRE => gre(packet),
        ETHER_IP => ether_ip(packet),
        _ => None,
    };
    if state.summary.frag.is_none() {
        enter_found(tunnel, packet, state);
    }
}

/// Whether the IP protocol number is that of a tunnel.
#[inline]
pub(super) fn is_ip_number(number: u8) -> bool {
    matches!(number, IPV4 | IPV6 | GRE | ETHER_IP | MPLS_IN_IP | ETHERNET)
}

/// EtherTypes of tags with another EtherType or frame after them.
const TRILL: u16 = 0x22f3;
const PBB: u16 = 0x88e7;
const CMD: u16 = 0x8909;
const VN_TAG: u16 = 0x8926;
const E_TAG: u16 = 0x893f;

/// Enters the tunnel that the EtherType announces, if it is one.
#[cold]
#[inline(never)]
pub(super) fn ether_type<'a>(
    ether_type: u16,
    packet: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    let tunnel = match ether_type {
        TRILL => trill(packet),
        PBB => pbb(packet),
        CMD => cmd(packet),
        VN_TAG => vn_tag(packet),
        E_TAG => e_tag(packet),
        _ => None,
    };
    enter_found(tunnel, packet, state);
}

/// A number of 24 bits.
fn u24(bytes: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

/// Flags, reserved or group policy (24 bits), network identifier, reserved.
fn vxlan(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const HAS_ID: u8 = 0x08;
    const HAS_POLICY: u8 = 0x80;
    /// Bits of the group policy extension (draft-smith-vxlan-group-policy): do not learn, applied.
    const POLICY_BITS: u8 = 0x48;
    let &[flags, bits, p0, p1, v0, v1, v2, reserved] = packet.bytes().first_chunk()?;
    let has_policy = flags & HAS_POLICY != 0;
    let is_policy = if has_policy { bits & !POLICY_BITS == 0 } else { [bits, p0, p1] == [0; 3] };
    let is_valid = flags & !HAS_POLICY == HAS_ID && is_policy && reserved == 0;
    is_valid.then_some(Tunnel {
        kind: TunnelKind::Vxlan,
        id: Some(u24([v0, v1, v2])),
        packet,
        header_len: 8,
        fields: Some(fields::vxlan),
        content: Content::Ethernet,
    })
}

/// Flags, reserved, next protocol, network identifier, reserved.
fn vxlan_gpe(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Version 0, identifier and next protocol present.
    const FLAGS: u8 = 0x0c;
    let &[flags, r0, r1, next, v0, v1, v2, reserved] = packet.bytes().first_chunk()?;
    let content = match next {
        1 => Content::Ipv4,
        2 => Content::Ipv6,
        3 => Content::Ethernet,
        _ => return None,
    };
    (flags == FLAGS && [r0, r1, reserved] == [0; 3]).then_some(Tunnel {
        kind: TunnelKind::VxlanGpe,
        id: Some(u24([v0, v1, v2])),
        packet,
        header_len: 8,
        fields: Some(fields::vxlan_gpe),
        content,
    })
}

/// Version and length of the options, flags, protocol, network identifier, reserved.
fn geneve(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Critical options are present. The other flag, of control packets, must not be set.
    const CRITICAL: u8 = 0x40;
    let &[first, flags, p0, p1, v0, v1, v2, reserved] = packet.bytes().first_chunk()?;
    let content = Content::of_ether_type(u16::from_be_bytes([p0, p1]))?;
    (first >> 6 == 0 && flags & !CRITICAL == 0 && reserved == 0).then_some(Tunnel {
        kind: TunnelKind::Geneve,
        id: Some(u24([v0, v1, v2])),
        packet,
        header_len: 8 + usize::from(first & 0x3f) * 4,
        fields: Some(fields::geneve),
        content,
    })
}

/// Version and flags, type, length, tunnel; with a flag also sequence number, N-PDU number and type of
/// the first extension header (3GPP TS 29.281, 5.1).
fn gtp(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Version 1, GTP; without the flags.
    const VERSION: u8 = 0x30;
    const FLAGS: u8 = 0x07;
    const HAS_EXTENSION: u8 = 0x04;
    const PDU: u8 = 0xff;
    let &[first, kind, l0, l1, t0, t1, t2, t3] = packet.bytes().first_chunk()?;
    let len = 8 + usize::from(u16::from_be_bytes([l0, l1]));
    if first & !FLAGS != VERSION || kind != PDU || packet.wire_len() < len {
        return None;
    }
    let mut header_len = 8;
    if first & FLAGS != 0 {
        header_len += 4;
        let mut next = *packet.bytes().get(11)?;
        // Each extension header has its length in units of four bytes first, and the next type last.
        while first & HAS_EXTENSION != 0 && next != 0 {
            let extension_len = usize::from(*packet.bytes().get(header_len)?) * 4;
            header_len += extension_len;
            next = *packet.bytes().get(header_len - 1).filter(|_| extension_len != 0)?;
        }
    }
    Some(Tunnel {
        kind: TunnelKind::Gtp,
        id: Some(u32::from_be_bytes([t0, t1, t2, t3])),
        packet: packet.limited_to(len),
        header_len,
        fields: Some(fields::gtp),
        content: Content::Ip,
    })
}

/// Flags and version; with a flag each length, sequence numbers and offset; tunnel, session.
fn l2tp(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const HAS_LEN: u16 = 0x4000;
    const HAS_SEQUENCE: u16 = 0x0800;
    const HAS_OFFSET: u16 = 0x0200;
    const HAS_PRIORITY: u16 = 0x0100;
    const VERSION: u16 = 2;
    let flags = packet.u16_at(0)?;
    let known = HAS_LEN | HAS_SEQUENCE | HAS_OFFSET | HAS_PRIORITY;
    // The flag of control messages is not among them.
    if flags & !known != VERSION {
        return None;
    }
    let (mut len, mut header_len) = (packet.wire_len(), 2);
    if flags & HAS_LEN != 0 {
        len = usize::from(packet.u16_at(header_len)?);
        header_len += 2;
    }
    let session = packet.u16_at(header_len + 2)?;
    header_len += 4;
    if flags & HAS_SEQUENCE != 0 {
        header_len += 4;
    }
    if flags & HAS_OFFSET != 0 {
        header_len += 2 + usize::from(packet.u16_at(header_len)?);
    }
    (len <= packet.wire_len()).then_some(Tunnel {
        kind: TunnelKind::L2tp,
        id: Some(u32::from(session)),
        packet: packet.limited_to(len),
        header_len,
        fields: Some(fields::l2tp),
        content: Content::Ppp,
    })
}

/// Flags of GRE: checksum, key, sequence number, and of version 1 the acknowledgment number.
const GRE_CHECKSUM: u16 = 0x8000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQUENCE: u16 = 0x1000;
const GRE_ACK: u16 = 0x0080;

/// Flags and version, protocol; with a flag each checksum, key and sequence number.
fn gre(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const ERSPAN_2: u16 = 0x88be;
    const ERSPAN_3: u16 = 0x22eb;
    let (flags, protocol) = (packet.u16_at(0)?, packet.u16_at(2)?);
    if flags & 7 == 1 {
        return gre_of_pptp(packet, flags, protocol);
    }
    if flags & !(GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE) != 0 {
        return None;
    }
    let key_offset = if flags & GRE_CHECKSUM != 0 { 8 } else { 4 };
    let mut header_len = key_offset;
    let mut id = None;
    if flags & GRE_KEY != 0 {
        let key = packet.bytes().get(key_offset..)?.first_chunk()?;
        (id, header_len) = (Some(u32::from_be_bytes(*key)), header_len + 4);
    }
    if flags & GRE_SEQUENCE != 0 {
        header_len += 4;
    }
    if matches!(protocol, ERSPAN_2 | ERSPAN_3) {
        return erspan(packet, header_len, protocol == ERSPAN_3, flags & GRE_SEQUENCE != 0);
    }
    let content = Content::of_ether_type(protocol)?;
    let fields = Some(fields::gre as fn(&mut Fields<'_>));
    Some(Tunnel { kind: TunnelKind::Gre, id, packet, header_len, fields, content })
}

/// Version 1 with PPP: flags, protocol, length of the payload, call; with a flag each sequence number and
/// acknowledgment number.
fn gre_of_pptp(packet: Extent<'_>, flags: u16, protocol: u16) -> Option<Tunnel<'_>> {
    const PPP: u16 = 0x880b;
    /// With the version. A packet without sequence number has no payload.
    const REQUIRED: u16 = GRE_KEY | GRE_SEQUENCE | 1;
    let (len, call) = (usize::from(packet.u16_at(4)?), packet.u16_at(6)?);
    let header_len = if flags & GRE_ACK != 0 { 16 } else { 12 };
    let is_valid = flags & !GRE_ACK == REQUIRED && protocol == PPP;
    (is_valid && header_len + len <= packet.wire_len()).then_some(Tunnel {
        kind: TunnelKind::Gre,
        id: Some(u32::from(call)),
        packet: packet.limited_to(header_len + len),
        header_len,
        fields: Some(fields::gre),
        content: Content::Ppp,
    })
}

/// Version, VLAN and session (draft-foschiano-erspan, section 4). Type I has no ERSPAN header, and its GRE
/// header has no sequence number.
fn erspan(
    packet: Extent<'_>,
    gre_len: usize,
    is_third: bool,
    has_sequence: bool,
) -> Option<Tunnel<'_>> {
    const LEN: usize = 8;
    const LEN_3: usize = 12;
    /// With the platform-specific header.
    const LONG_LEN_3: usize = 20;
    let header = packet.after(gre_len);
    let session = || Some(u32::from(header.u16_at(2)? & 0x3ff));
    let version = header.bytes().first().map(|byte| byte >> 4);
    let (id, len, content, fields): (_, _, _, fn(&mut Fields<'_>)) = match (is_third, has_sequence)
    {
        (true, _) => {
            let last = header.u16_at(LEN_3 - 2)?;
            let content = match last >> 10 & 0x1f {
                0 => Content::Ethernet,
                2 => Content::Ip,
                _ => return None,
            };
            let len = if last & 1 == 1 { LONG_LEN_3 } else { LEN_3 };
            (Some(session()?), len, content, fields::erspan_3)
        }
        (false, true) => (Some(session()?), LEN, Content::Ethernet, fields::erspan_2),
        (false, false) => (None, 0, Content::Ethernet, fields::gre),
    };
    let expected = if is_third { 2 } else { 1 };
    (len == 0 || version == Some(expected)).then_some(Tunnel {
        kind: TunnelKind::Erspan,
        id,
        packet,
        header_len: gre_len + len,
        fields: Some(fields),
        content,
    })
}

/// Version 3 and reserved bits (RFC 3378).
fn ether_ip(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    (packet.u16_at(0)? == 0x3000).then_some(Tunnel {
        kind: TunnelKind::EtherIp,
        id: None,
        packet,
        header_len: 2,
        fields: Some(fields::ether_ip),
        content: Content::Ethernet,
    })
}

/// Version, flags, length of the options in words and hop count (16 bits), egress, ingress.
fn trill(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Version and reserved bits.
    const MUST_BE_ZERO: u16 = 0xf000;
    let first = packet.u16_at(0)?;
    (first & MUST_BE_ZERO == 0).then_some(Tunnel {
        kind: TunnelKind::Trill,
        id: None,
        packet,
        header_len: 6 + usize::from(first >> 6 & 0x1f) * 4,
        fields: Some(fields::trill),
        content: Content::Ethernet,
    })
}

/// Priority and flags, service instance; then a frame (IEEE 802.1Q-2018, 9.7).
fn pbb(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Reserved: not understood by its receivers.
    const RESERVED: u8 = 0x03;
    let &[first, i0, i1, i2] = packet.bytes().first_chunk()?;
    (first & RESERVED == 0).then_some(Tunnel {
        kind: TunnelKind::Pbb,
        id: Some(u24([i0, i1, i2])),
        packet,
        header_len: 4,
        fields: Some(fields::pbb),
        content: Content::Ethernet,
    })
}

/// A header that ends with an EtherType or an IEEE 802.3 length.
fn tag(
    kind: TunnelKind,
    id: Option<u32>,
    packet: Extent<'_>,
    header_len: usize,
    fields: fn(&mut Fields<'_>),
) -> Option<Tunnel<'_>> {
    let content = Content::EtherType(packet.u16_at(header_len - 2)?);
    Some(Tunnel { kind, id, packet, header_len, fields: Some(fields), content })
}

/// Version, length, option type and security group tag (packet-cisco-metadata.c of Wireshark).
fn cmd(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const VERSION_AND_LEN: u16 = 0x0101;
    let group = packet.u16_at(4)?;
    let is_valid = packet.u16_at(0)? == VERSION_AND_LEN && packet.u16_at(2)? & 0xfff == 1;
    let id = Some(u32::from(group));
    if is_valid { tag(TunnelKind::Cmd, id, packet, 8, fields::cmd) } else { None }
}

/// Direction, pointer and destination; looped, reserved, version and source.
fn vn_tag(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Reserved bit and version.
    const MUST_BE_ZERO: u16 = 0x7000;
    let is_valid = packet.u16_at(2)? & MUST_BE_ZERO == 0;
    if is_valid { tag(TunnelKind::VnTag, None, packet, 6, fields::vn_tag) } else { None }
}

/// Priority and ingress channel; reserved, group and channel; extensions of both channels.
fn e_tag(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const RESERVED: u16 = 0xc000;
    let channel = packet.u16_at(2)?;
    let extension = *packet.bytes().get(5)?;
    let id = u32::from(extension) << 14 | u32::from(channel & !RESERVED);
    let is_valid = channel & RESERVED == 0;
    if is_valid { tag(TunnelKind::ETag, Some(id), packet, 8, fields::e_tag) } else { None }
}
