//! Community ID, version 1: a hash of a flow that is the same in all tools
//! (<https://github.com/corelight/community-id-spec>).

use crate::Summary;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::fmt;
use std::net::IpAddr;

const VERSION: &str = "1:";
/// Length of the text: the version, and the hash in base64.
const TEXT_LEN: usize = 2 + 28;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;

/// The hash of the addresses, protocol and ports of a flow, equal for both directions.
///
/// ```
/// use summary::{CommunityId, LinkType, Proto, Summary};
///
/// let mut summary = Summary::new(LinkType::ETHERNET, 74, 74);
/// summary.src = Some([128, 232, 110, 120].into());
/// summary.dst = Some([66, 35, 250, 204].into());
/// (summary.sport, summary.dport) = (Some(34_855), Some(80));
/// summary.proto = Proto::TCP;
/// let id = CommunityId::of(&summary, 0).unwrap();
/// assert_eq!(id.to_string(), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommunityId([u8; 20]);

impl CommunityId {
    /// The ID of the packet's flow. `None` if the packet is not IP, or too short for ports. IDs are
    /// comparable only between tools with the same `seed`; the default of the specification is 0.
    ///
    /// The specification does not mention fragments after the first, which have no ports. As in
    /// Wireshark, those of IPv4 have the ID of the addresses and the protocol, those of IPv6 none.
    pub fn of(summary: &Summary<'_>, seed: u16) -> Option<Self> {
        let number = summary.proto.ip_number()?;
        let (src, dst) = (summary.src?, summary.dst?);
        let ports = match summary.frag {
            Some(1..) if src.is_ipv6() => return None,
            Some(1..) => None,
            _ => ports(summary, number)?,
        };
        let is_in_order = match ports {
            Some((_, _, Symmetry::OneWay)) => true,
            Some((sport, dport, Symmetry::TwoWay)) => (src, sport) <= (dst, dport),
            None => src <= dst,
        };
        let (src, dst) = if is_in_order { (src, dst) } else { (dst, src) };
        let mut hash = Sha1::new();
        hash.update(seed.to_be_bytes());
        for address in [src, dst] {
            match address {
                IpAddr::V4(address) => hash.update(address.octets()),
                IpAddr::V6(address) => hash.update(address.octets()),
            }
        }
        hash.update([number, 0]);
        if let Some((sport, dport, _)) = ports {
            let (sport, dport) = if is_in_order { (sport, dport) } else { (dport, sport) };
            hash.update(sport.to_be_bytes());
            hash.update(dport.to_be_bytes());
        }
        Some(Self(hash.finalize().into()))
    }

    /// Parses the text that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 24];
        let len = STANDARD.decode_slice(text.strip_prefix(VERSION)?, &mut hash).ok()?;
        Some(Self(*hash.first_chunk().filter(|_| len == 20)?))
    }

    /// Writes the text to `buf`; returns its length, which is constant.
    pub(crate) fn write_text(&self, buf: &mut [u8; TEXT_LEN]) -> usize {
        let (version, hash) = buf.split_at_mut(VERSION.len());
        version.copy_from_slice(VERSION.as_bytes());
        VERSION.len() + STANDARD.encode_slice(self.0, hash).unwrap_or(0)
    }
}

impl fmt::Display for CommunityId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buf = [0; TEXT_LEN];
        let len = self.write_text(&mut buf);
        formatter.write_str(&String::from_utf8_lossy(&buf[..len]))
    }
}

/// Whether the opposite direction has the same pair of ports, swapped.
#[derive(Clone, Copy)]
enum Symmetry {
    OneWay,
    TwoWay,
}

/// The ports that the specification hashes: those of TCP, UDP and SCTP. ICMP has the types of request
/// and reply instead, or type and code for types without a counterpart. `Some(None)` for protocols
/// without ports, `None` if the packet is too short for them.
fn ports(summary: &Summary<'_>, number: u8) -> Option<Option<(u16, u16, Symmetry)>> {
    let replies: &[(u8, u8)] = match number {
        ICMP => &[(8, 0), (13, 14), (15, 16), (10, 9), (17, 18)],
        ICMP6 => &[(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)],
        TCP | UDP | SCTP => return Some(Some((summary.sport?, summary.dport?, Symmetry::TwoWay))),
        _ => return Some(None),
    };
    let (kind, code) = (summary.icmp_type?, summary.icmp_code?);
    let counterpart = replies.iter().find_map(|&(request, reply)| match kind {
        _ if kind == request => Some(reply),
        _ if kind == reply => Some(request),
        _ => None,
    });
    Some(Some(match counterpart {
        Some(counterpart) => (kind.into(), counterpart.into(), Symmetry::TwoWay),
        None => (kind.into(), code.into(), Symmetry::OneWay),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LinkType, Proto};
    use proptest::prelude::*;

    fn flow(proto: Proto<'static>, src: [u8; 4], dst: [u8; 4]) -> Summary<'static> {
        let mut summary = Summary::new(LinkType::RAW, 60, 60);
        (summary.src, summary.dst) = (Some(src.into()), Some(dst.into()));
        summary.proto = proto;
        summary
    }

    /// From the baseline of the specification, with seeds 0 and 1.
    #[test]
    fn baseline_flows_have_their_published_ids() {
        let mut tcp = flow(Proto::TCP, [128, 232, 110, 120], [66, 35, 250, 204]);
        (tcp.sport, tcp.dport) = (Some(34_855), Some(80));
        let mut udp = flow(Proto::UDP, [192, 168, 1, 52], [8, 8, 8, 8]);
        (udp.sport, udp.dport) = (Some(54_585), Some(53));
        let mut sctp = flow(Proto::from_ip_number(132), [192, 168, 170, 8], [192, 168, 170, 56]);
        (sctp.sport, sctp.dport) = (Some(7), Some(80));
        let mut icmp = flow(Proto::ICMP, [192, 168, 0, 89], [192, 168, 0, 1]);
        (icmp.icmp_type, icmp.icmp_code) = (Some(8), Some(0));
        for (summary, seed, id) in [
            (&tcp, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            (&tcp, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="),
            (&udp, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
            (&sctp, 0, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
            (&icmp, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        ] {
            let text = CommunityId::of(summary, seed).unwrap().to_string();
            assert_eq!(text, id, "{}", summary.proto);
            assert_eq!(CommunityId::parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn non_flows_have_no_id() {
        let arp = flow(Proto::ARP, [10, 0, 0, 1], [10, 0, 0, 2]);
        assert_eq!(CommunityId::of(&arp, 0), None);
    }

    /// The IDs are those that tshark 4.0 computes without reassembly.
    #[test]
    fn later_fragments_have_the_id_of_addresses_and_protocol() {
        for (proto, id) in [
            (Proto::UDP, "1:nyyyEkjQ5y7prMeFpclqssM1pYM="),
            (Proto::TCP, "1:H3aJwHWlOnBTHSVZnnD+QYJb9v0="),
            (Proto::ICMP, "1:47NQm4XrelhIqVCgeZCTGUPhJyo="),
            (Proto::from_ip_number(47), "1:+KlEHDT0vJgzs/eNmzHq0aSpRYw="),
        ] {
            let mut fragment = flow(proto, [10, 0, 0, 1], [10, 0, 0, 2]);
            fragment.frag = Some(1_480);
            assert_eq!(CommunityId::of(&fragment, 0).unwrap().to_string(), id);
            (fragment.src, fragment.dst) = (fragment.dst, fragment.src);
            assert_eq!(CommunityId::of(&fragment, 0).unwrap().to_string(), id);
        }
        let mut fragment = flow(Proto::UDP, [0; 4], [0; 4]);
        (fragment.src, fragment.dst) = (Some([1; 16].into()), Some([2; 16].into()));
        fragment.frag = Some(1_448);
        assert_eq!(CommunityId::of(&fragment, 0), None);
    }

    #[test]
    fn packets_too_short_for_ports_have_no_id() {
        for proto in [Proto::TCP, Proto::UDP, Proto::from_ip_number(132)] {
            let mut short = flow(proto, [10, 0, 0, 1], [10, 0, 0, 2]);
            for ports in [(None, None), (Some(80), None)] {
                (short.sport, short.dport) = ports;
                assert_eq!(CommunityId::of(&short, 0), None);
                let first = Summary { frag: Some(0), ..short.clone() };
                assert_eq!(CommunityId::of(&first, 0), None);
            }
        }
        let mut icmp = flow(Proto::ICMP, [10, 0, 0, 1], [10, 0, 0, 2]);
        icmp.icmp_type = Some(8);
        assert_eq!(CommunityId::of(&icmp, 0), None);
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in
            ["", "1:", "2:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:AAAA", "1:LQU9qZlK+B5F3KDmev6m5PMibrh="]
        {
            assert_eq!(CommunityId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_directions_have_the_same_id(src: [u8; 4], dst: [u8; 4], sport: u16, dport: u16) {
            let mut there = flow(Proto::TCP, src, dst);
            (there.sport, there.dport) = (Some(sport), Some(dport));
            let mut back = flow(Proto::TCP, dst, src);
            (back.sport, back.dport) = (Some(dport), Some(sport));
            prop_assert_eq!(CommunityId::of(&there, 0), CommunityId::of(&back, 0));
        }
    }
}
