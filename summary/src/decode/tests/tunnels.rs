//! Packets in tunnels, and packets that only look like them.

use super::{ETH, IPV4, UDP_DNS, check, check_ethernet, ethernet, ipv4, ipv6};
use crate::{Faults, LinkType, Proto, Summary, Tunnels, decode, decode_into};
use proptest::prelude::*;

/// The innermost packet: a datagram of four bytes.
pub(super) fn inner() -> Vec<u8> {
    [ipv4(17, 32, 0), UDP_DNS.to_vec(), vec![1; 4]].concat()
}

/// The line of [`inner`] from its source on.
pub(super) const INNER: &str = r#""src":"10.0.0.1","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"payload":4"#;

pub(super) fn inner_frame() -> Vec<u8> {
    ethernet(&[IPV4], &inner())
}

/// A packet without a link header from 192.0.2.1 to 192.0.2.2.
pub(super) fn outer(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(number, u16::try_from(20 + payload.len()).unwrap(), 0);
    packet[12..].copy_from_slice(&[192, 0, 2, 1, 192, 0, 2, 2]);
    packet.extend(payload);
    packet
}

pub(super) fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let [len, port] = [u16::try_from(8 + payload.len()).unwrap(), port].map(u16::to_be_bytes);
    outer(17, &[&[0xc0, 0], &port[..], &len, &[0, 0], payload].concat())
}

/// A packet in tunnels of which the outermost is over IP.
pub(super) fn check_entered(packet: &[u8], tunnel: &str) {
    check_inner(packet, tunnel, packet.windows(12).any(|window| window == &inner_frame()[..12]));
}

fn check_inner(packet: &[u8], tunnel: &str, is_frame: bool) {
    let eth = if is_frame { ETH } else { "" };
    let comma = if eth.is_empty() { "" } else { "," };
    let expect = format!(
        r#""len":{},"link":"raw",{eth}{comma}"tunnel":"{tunnel}","outer_src":"192.0.2.1","outer_dst":"192.0.2.2",{INNER}"#,
        packet.len()
    );
    check(LinkType::RAW, packet, packet.len(), &expect);
    // A capture that cuts off the headers of the tunnel reports that.
    let wire_len = u32::try_from(packet.len()).unwrap();
    for cut_len in 0..packet.len() {
        let cut = decode(LinkType::RAW, &packet[..cut_len], wire_len);
        assert!(
            cut.tunnel.to_string() == tunnel || cut.faults.contains(Faults::TRUNCATED),
            "{tunnel} cut to {cut_len}: {cut:?}"
        );
    }
}

/// A packet that is described by its outermost headers.
pub(super) fn check_outer(packet: &[u8], proto: &str) {
    let summary = decode(LinkType::RAW, packet, u32::try_from(packet.len()).unwrap());
    assert!(summary.tunnel.is_empty(), "{summary:?}");
    assert_eq!((summary.src, summary.proto), (Some([192, 0, 2, 1].into()), Proto::parse(proto)));
}

#[test]
fn tunnels_over_udp_are_entered() {
    let frame = inner_frame();
    let vxlan = [&[8, 0, 0, 0, 0, 0, 42, 0], &frame[..]].concat();
    check_entered(&udp(4789, &vxlan), "vxlan:42");
    check_entered(&udp(8472, &vxlan), "vxlan:42");
    check_outer(&udp(4788, &vxlan), "udp");
    let policy = [&[0x88, 8, 0, 7, 0, 0, 42, 0], &frame[..]].concat();
    check_entered(&udp(4789, &policy), "vxlan:42");
    let extended = [&[0x0c, 0, 0, 1, 0, 0, 42, 0], &inner()[..]].concat();
    check_entered(&udp(4790, &extended), "vxlan-gpe:42");
    let geneve = [&[1, 0x40, 0x65, 0x58, 0, 1, 0, 0, 1, 2, 3, 0], &frame[..]].concat();
    check_entered(&udp(6081, &geneve), "geneve:256");
    let gre = [&[0x20, 0, 0x65, 0x58, 0, 0, 0, 5], &frame[..]].concat();
    check_entered(&udp(4754, &gre), "gre:5");
    check_outer(&udp(4755, &gre), "udp");
    check_outer(&udp(4754, &[&[0x20, 8, 0x65, 0x58, 0, 0, 0, 5], &frame[..]].concat()), "udp");
    let gtp = [&[0x30, 0xff, 0, 32, 0, 0, 0, 9], &inner()[..]].concat();
    check_entered(&udp(2152, &gtp), "gtp:9");
    // An extension header of four bytes.
    let extension = [&[0x34, 0xff, 0, 40, 0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0, 9, 0], &inner()[..]];
    check_entered(&udp(2152, &extension.concat()), "gtp:9");
    let l2tp = [&[0x40, 2, 0, 44, 0, 1, 0, 7, 0xff, 3, 0, 0x21], &inner()[..]].concat();
    check_entered(&udp(1701, &l2tp), "l2tp:7");
    let short = [&[0, 2, 0, 1, 0, 7, 0x21], &inner()[..]].concat();
    check_entered(&udp(1701, &short), "l2tp:7");
}

/// A client of DNS may have the port of L2TP. The first bytes of some responses are like its header.
#[test]
fn second_version_of_l2tp_is_not_guessed() {
    let entered = |rest: &[u8]| {
        let packet = udp(1701, &[&[0, 2, 0, 1, 0, 7], rest].concat());
        let summary = decode(LinkType::RAW, &packet, u32::try_from(packet.len()).unwrap());
        !summary.tunnel.is_empty()
    };
    let response = b"\0\x01\0\0\0\0\x07example\0\0\x01\0\x01";
    assert!(!entered(response) && !entered(b"\x03www\x07example\0\0\x01\0\x01"));
    // Control packets, and one of multilink.
    assert!(entered(b"\xff\x03\xc0\x21\x01\x01\0\x04") && entered(b"\x80\x21\x01\x01\0\x04"));
    assert!(entered(b"\0\x3d\xc0\0\0\0") && entered(b"\x3d\xc0\0\0\0"));
    // Lengths that are too long or too short, no protocol, no IP.
    for other in [
        &b"\xc0\x21\x01\x01\0\x05"[..],
        b"\xc0\x21\x01\x01\0\x03",
        b"\xc0\x22\x01\x01\0\x04",
        b"\0\x21\x60\0\0\x04",
        b"\0\x21\x45\0\0\x13",
        b"\0\x57\x45\0\0\x04",
    ] {
        assert!(!entered(other), "{other:?}");
    }
}

#[test]
fn tunnels_over_ip_are_entered() {
    let frame = inner_frame();
    check_entered(&outer(4, &inner()), "ip");
    check_entered(&outer(47, &[&[0, 0, 8, 0], &inner()[..]].concat()), "gre");
    let key = [&[0x30, 0, 8, 0, 0, 0, 0, 5, 0, 0, 0, 1], &inner()[..]].concat();
    check_entered(&outer(47, &key), "gre:5");
    check_entered(&outer(47, &[&[0, 0, 0x65, 0x58], &frame[..]].concat()), "gre");
    let labels = [&[0, 0, 0x88, 0x47, 0, 0, 0x11, 64], &inner()[..]].concat();
    check_entered(&outer(47, &labels), "gre");
    let call = [&[0x30, 1, 0x88, 0x0b, 0, 33, 0, 6, 0, 0, 0, 1, 0x21], &inner()[..]].concat();
    check_entered(&outer(47, &call), "gre:6");
    check_entered(&outer(47, &[&[0, 0, 0x88, 0xbe], &frame[..]].concat()), "erspan");
    let second = [&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 3, 0, 0, 0, 0], &frame[..]];
    check_entered(&outer(47, &second.concat()), "erspan:3");
    let third = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0];
    check_entered(&outer(47, &[&third, &frame[..]].concat()), "erspan:3");
    check_entered(&outer(97, &[&[0x30, 0], &frame[..]].concat()), "etherip");
    check_entered(&outer(143, &frame), "ethernet");
    check_entered(&outer(137, &[&[0, 0, 0x11, 64], &inner()[..]].concat()), "mpls");
    let third_level = udp(
        4789,
        &[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(&[IPV4], &outer(4, &inner()))[..]].concat(),
    );
    check_entered(&third_level, "vxlan:42/ip");
    let in_ipv6 = [ipv6(4, 32), inner()].concat();
    let expect = format!(
        r#""len":72,"link":"raw","tunnel":"ip","outer_src":"::1","outer_dst":"ff02::1",{INNER}"#
    );
    check(LinkType::RAW, &in_ipv6, 72, &expect);
    let ipv6_in_ipv4 = outer(41, &[ipv6(17, 12), UDP_DNS.to_vec(), vec![1; 4]].concat());
    let expect = r#""len":72,"link":"raw","tunnel":"ip6","outer_src":"192.0.2.1","outer_dst":"192.0.2.2","src":"::1","dst":"ff02::1","sport":54321,"dport":53,"proto":"udp","ttl":255,"payload":4"#;
    check(LinkType::RAW, &ipv6_in_ipv4, 72, expect);
}

#[test]
fn tags_with_a_packet_are_entered() {
    let frame = inner_frame();
    for (header, content, tunnel) in [
        (&[0x22, 0xf3, 0, 0x40, 0, 1, 0, 2, 1, 2, 3, 4][..], &frame, "trill"),
        (&[0x88, 0xe7, 0x10, 0, 1, 2], &frame, "pbb:258"),
        (&[0x89, 0x09, 1, 1, 0, 1, 0, 9, 8, 0], &inner(), "cmd:9"),
        (&[0x89, 0x26, 0x80, 1, 0, 2, 8, 0], &inner(), "vntag"),
        (&[0x89, 0x3f, 0, 0, 0x10, 1, 0, 1, 8, 0], &inner(), "etag:20481"),
    ] {
        let packet = ethernet(&[header], content);
        let expect = format!(r#""len":{},{ETH},"tunnel":"{tunnel}",{INNER}"#, packet.len());
        check_ethernet(&packet, &expect);
    }
    // Not a tunnel.
    let packet = ethernet(&[&[0x89, 0x2f, 0, 40, 0, 1, 8, 0]], &inner());
    check_ethernet(&packet, &format!(r#""len":{},{ETH},{INNER}"#, packet.len()));
}

/// The checksum of an IPv4 header without options.
pub(super) fn with_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    let (words, _) = packet[..20].as_chunks();
    let sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let checksum = !u16::try_from(sum % 0xffff).unwrap();
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// L2TP version 3 with this cookie and sublayer, over IP and over UDP.
fn l2tp_3(rest: &[u8], content: &[u8]) -> [Vec<u8>; 2] {
    let packet = [&[0, 1, 0, 9], rest, content].concat();
    [outer(115, &packet), udp(1701, &[&[0, 3, 0, 0], &packet[..]].concat())]
}

#[test]
fn third_version_of_l2tp_is_entered_if_the_content_is_proved() {
    let inner = with_checksum(inner());
    let padded = [ethernet(&[IPV4], &inner), vec![0; 14]].concat();
    let long = [ethernet(&[&[0x81, 0, 0, 5], IPV4], &inner), vec![0; 80]].concat();
    let ppp = [&[0xff, 3, 0, 0x21], &inner[..]].concat();
    for rest in [&[][..], &[1, 2, 3, 4], &[1, 2, 3, 4, 5, 6, 7, 8], &[0; 12]] {
        for content in [&padded, &ppp, &inner] {
            for packet in l2tp_3(rest, content) {
                check_entered(&packet, "l2tp:65545");
            }
        }
        let [packet, _] = l2tp_3(rest, &long);
        let summary = decode(LinkType::RAW, &packet, u32::try_from(packet.len()).unwrap());
        assert_eq!((summary.dport, summary.vlan.as_slice()), (Some(53), &[5][..]));
    }
    let ipv6 = [ipv6(17, 12), UDP_DNS.to_vec(), vec![1; 4]].concat();
    for content in [ethernet(&[&[0x86, 0xdd]], &ipv6), [&[0, 0x57], &ipv6[..]].concat()] {
        for packet in l2tp_3(&[0; 4], &content) {
            let summary = decode(LinkType::RAW, &packet, u32::try_from(packet.len()).unwrap());
            assert_eq!(
                (summary.tunnel.to_string(), summary.dport),
                ("l2tp:65545".into(), Some(53))
            );
        }
    }
    let arp = ethernet(&[&[8, 6]], &[&[0, 1, 8, 0, 6, 4, 0, 1][..], &[1; 20]].concat());
    let [packet, _] = l2tp_3(&[0; 4], &arp);
    let summary = decode(LinkType::RAW, &packet, u32::try_from(packet.len()).unwrap());
    assert_eq!((summary.proto, summary.src), (Proto::parse("arp"), Some([1; 4].into())));
}

/// An IPv4 packet in which another one begins after four bytes.
fn two_packets() -> Vec<u8> {
    let mut packet = [&[0x45, 0, 0, 40, 0x45, 0, 0, 36][..], &[1; 32]].concat();
    packet[10..12].fill(0);
    let mut packet = with_checksum(packet);
    packet[22..24].fill(0);
    let (words, _) = packet[4..24].as_chunks();
    let sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    packet[22..24].copy_from_slice(&(!u16::try_from(sum % 0xffff).unwrap()).to_be_bytes());
    packet
}

#[test]
fn third_version_of_l2tp_is_not_guessed() {
    let inner = with_checksum(inner());
    let mut wrong = inner.clone();
    wrong[10] ^= 1;
    let ipv6 = [ipv6(17, 12), UDP_DNS.to_vec(), vec![1; 4]].concat();
    // Another type, a wrong checksum, none, and another length.
    let frame = ethernet(&[&[0x88, 0xcc]], &inner);
    let longer = [&[0xff, 3, 0, 0x57], &ipv6[..], &[0]].concat();
    for content in [&frame, &ethernet(&[IPV4], &wrong), &ipv6, &longer] {
        for (packet, proto) in l2tp_3(&[], content).iter().zip(["l2tp", "udp"]) {
            check_outer(packet, proto);
        }
    }
    let [packet, _] = l2tp_3(&[], &two_packets());
    check_outer(&packet, "l2tp");
    // Only one of them is valid.
    for at in [0, 22] {
        let mut packets = two_packets();
        packets[at] ^= 1;
        let [packet, _] = l2tp_3(&[], &packets);
        assert!(!decode(LinkType::RAW, &packet, 64).tunnel.is_empty(), "{at}");
    }
    // A control message, reserved bits, and a header with a flag of version 2.
    check_outer(&outer(115, &[&[0; 4], &ethernet(&[IPV4], &inner)[..]].concat()), "l2tp");
    for header in [&[0x80, 3, 0, 0, 0, 0, 0, 9][..], &[0, 3, 0, 1, 0, 0, 0, 9]] {
        check_outer(&udp(1701, &[header, &ethernet(&[IPV4], &inner)].concat()), "udp");
    }
}

/// Ports and protocol numbers alone do not make a tunnel.
#[test]
fn other_bytes_are_described_by_their_outer_headers() {
    let frame = inner_frame();
    let inner = inner();
    for (port, header, content) in [
        (4789, &[0, 0, 0, 0, 0, 0, 42, 0][..], &frame),
        (4789, &[8, 0, 0, 1, 0, 0, 42, 0], &frame),
        (4789, &[8, 0, 0, 0, 0, 0, 42, 1], &frame),
        (4790, &[0x0c, 0, 0, 9, 0, 0, 42, 0], &inner),
        (4790, &[0x0c, 0, 0, 2, 0, 0, 42, 0], &inner),
        (6081, &[0x40, 0, 0x65, 0x58, 0, 1, 0, 0], &frame),
        (6081, &[0, 0x80, 0x65, 0x58, 0, 1, 0, 0], &frame),
        (6081, &[0, 0, 8, 6, 0, 1, 0, 0], &frame),
        (2152, &[0x30, 0xff, 0, 33, 0, 0, 0, 9], &inner),
        (2152, &[0x50, 0xff, 0, 32, 0, 0, 0, 9], &inner),
        (2152, &[0x30, 0xfe, 0, 32, 0, 0, 0, 9], &inner),
        (2152, &[0x30, 0xff, 0, 32, 0, 0, 0, 9], &frame),
        (2152, &[0x34, 0xff, 0, 36, 0, 0, 0, 9, 0, 0, 0, 1], &vec![0; 32]),
        (1701, &[0xc8, 2, 0, 44, 0, 1, 0, 7, 0xff, 3, 0, 0x21], &inner),
        (1701, &[0, 3, 0, 1, 0, 7, 0, 0x21], &inner),
        (1701, &[0x40, 2, 0, 99, 0, 1, 0, 7, 0xff, 3, 0, 0x21], &inner),
    ] {
        check_outer(&udp(port, &[header, content].concat()), "udp");
    }
    for (number, header, content, proto) in [
        (4, &[][..], &frame, "ip-in-ip"),
        (41, &[], &inner, "ipv6"),
        (47, &[0, 0, 8, 0], &frame, "gre"),
        (47, &[0x40, 0, 8, 0], &inner, "gre"),
        (47, &[0, 1, 0x88, 0x0b], &inner, "gre"),
        (47, &[0, 0, 0x20, 0], &inner, "gre"),
        (47, &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x20, 0, 0, 3, 0, 0, 0, 0], &frame, "gre"),
        (97, &[0x40, 0], &frame, "etherip"),
        (50, &[], &inner, "esp"),
        (253, &[], &inner, "ip-proto-253"),
    ] {
        check_outer(&outer(number, &[header, content].concat()), proto);
    }
    // The first of several fragments.
    let mut fragment = outer(4, &inner);
    fragment[6] = 0x20;
    check_outer(&fragment, "ip-in-ip");
    let packet = outer(4, &inner);
    let mut summary = Summary::new(LinkType::RAW, 0, 0);
    decode_into(LinkType::RAW, &packet, 52, Tunnels::Outer, &mut summary);
    assert_eq!((summary.proto, summary.outer_src), (Proto::parse("ip-in-ip"), None));
}

#[test]
fn headers_that_were_not_captured_are_truncated() {
    let packet = outer(4, &inner());
    let expect = r#""len":52,"cap":39,"link":"raw","src":"192.0.2.1","dst":"192.0.2.2","proto":"ip-in-ip","ttl":64,"err":["truncated"]"#;
    check(LinkType::RAW, &packet[..39], 52, expect);
}

#[test]
fn depth_is_bounded() {
    let packet = (0..7).fold(inner(), |packet, _| outer(4, &packet));
    let expect = format!(
        r#""len":{},"link":"raw","tunnel":"ip/ip/ip/ip/ip/ip","outer_src":"192.0.2.1","outer_dst":"192.0.2.2","src":"192.0.2.1","dst":"192.0.2.2","proto":"ip-in-ip","ttl":64,"err":["unsupported"]"#,
        packet.len()
    );
    check(LinkType::RAW, &packet, packet.len(), &expect);
}

proptest! {
    /// Random bytes after the headers of each tunnel.
    #[test]
    fn any_content_gives_a_summary(
        start in proptest::sample::select(vec![
            (4789, &[8, 0, 0, 0, 0, 0, 42, 0][..]),
            (4790, &[0x0c, 0, 0, 1, 0, 0, 42, 0]),
            (6081, &[1, 0x40, 0x65, 0x58, 0, 1, 0, 0]),
            (4754, &[0x20, 0, 0x65, 0x58, 0, 0, 0, 5]),
            (2152, &[0x34, 0xff, 0, 40, 0, 0, 0, 9, 0, 0, 0]),
            (1701, &[0x0a, 2, 0, 1, 0, 7]),
            (1701, &[0, 3, 0, 0, 0, 0, 0, 7]),
        ]),
        rest: Vec<u8>,
    ) {
        let packet = udp(start.0, &[start.1, &rest].concat());
        let len = u32::try_from(packet.len()).unwrap();
        prop_assert_eq!(decode(LinkType::RAW, &packet, len).len, len);
    }
}

fn inner_frame_with_checksum() -> Vec<u8> {
    ethernet(&[IPV4], &with_checksum(inner()))
}

/// A frame of IEEE 802.11 to an access point, with quality of service.
fn radio_frame(control: [u8; 2]) -> Vec<u8> {
    let [dst, src] = [&inner_frame()[..6], &inner_frame()[6..12]].map(<[u8]>::to_vec);
    let qos = [0, 0, 0, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    [&control[..], &[0, 0], &[9; 6], &src, &dst, &qos, &inner()].concat()
}

#[test]
fn frames_of_radios_are_entered() {
    let frame = radio_frame([0x88, 1]);
    check_inner(&outer(47, &[&[0, 0, 0x82, 0x10], &frame[..]].concat()), "gre", true);
    check_outer(&outer(47, &[&[0, 0, 0x82, 0x11], &frame[..]].concat()), "gre");
    let capwap = |flags: u8, frame: &[u8]| {
        let header = [0, 0x20, 3, flags, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
        udp(5247, &[&header, frame].concat())
    };
    let mut swapped = radio_frame([1, 0x88]);
    swapped[22..24].copy_from_slice(&[0x76, 0x30]);
    for frame in [&frame, &swapped] {
        check_inner(&capwap(0x20, frame), "capwap", true);
        // A fragment; a reserved flag.
        check_outer(&capwap(0xa0, frame), "udp");
        check_outer(&capwap(0x24, frame), "udp");
    }
    let ethernet = |frame: &[u8]| udp(5247, &[&[0, 0x10, 2, 0, 0, 0, 0, 0], frame].concat());
    check_entered(&ethernet(&inner_frame_with_checksum()), "capwap");
    // Management, encrypted, without an EtherType; damaged.
    for control in [[0x80, 1], [0x88, 0x41], [0x48, 1]] {
        check_outer(&capwap(0x20, &radio_frame(control)), "udp");
    }
    check_outer(&ethernet(&inner_frame()[..20]), "udp");
    check_outer(&udp(5246, &[&[0, 0x10, 2, 0, 0, 0, 0, 0], &inner_frame()[..]].concat()), "udp");
}

#[test]
fn labels_in_udp_are_entered() {
    let labels = |content: &[u8]| [&[0, 0, 0x10, 64, 0, 0, 0x21, 64], content].concat();
    let proved = &inner_frame_with_checksum()[14..];
    check_entered(&udp(6635, &labels(proved)), "mpls");
    check_outer(&udp(6636, &labels(proved)), "udp");
    // Without a valid checksum, with a wrong length.
    for other in [&inner()[..], &proved[..31], &[0x60; 60], &[0; 40], &[], &[0x12; 40]] {
        check_outer(&udp(6635, &labels(other)), "udp");
    }
    check_outer(&udp(6635, &[0; 40]), "udp");
}

#[test]
fn frames_after_labels_are_entered() {
    let frame = inner_frame_with_checksum();
    for control in [&[0, 0, 0, 7][..], &[]] {
        let wire = [&[0, 0, 0x11, 64], control, &frame].concat();
        check_entered(&udp(6635, &wire), "mpls/ethernet");
        check_entered(&outer(137, &wire), "mpls/ethernet");
        let labels = ethernet(&[&[0x88, 0x47]], &wire);
        let summary = decode(LinkType::ETHERNET, &labels, u32::try_from(labels.len()).unwrap());
        assert_eq!(
            (summary.tunnel.to_string(), summary.sport),
            ("ethernet".to_owned(), Some(54321))
        );
        // Without a valid checksum, with a wrong length.
        for (at, value) in [(frame.len() - 22, 1), (frame.len() - 29, 9)] {
            let mut wrong = wire.clone();
            let at = wire.len() - frame.len() + at;
            wrong[at] ^= value;
            check_outer(&udp(6635, &wrong), "udp");
        }
    }
    let reserved = [&[0, 0, 0x11, 64, 0, 0x80, 0, 0], &frame[..]].concat();
    check_outer(&udp(6635, &reserved), "udp");
    let short = [&[0, 0, 0x11, 64, 0, 9, 0, 0], &frame[..]].concat();
    check_outer(&udp(6635, &short), "udp");
}
