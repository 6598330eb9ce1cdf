//! Packets in tunnels that few networks use.

use super::tunnels::{
    INNER, check_entered, check_outer, inner, inner_frame, outer, udp, with_checksum,
};
use super::{ETH, IPV4, UDP_DNS, check_ethernet, ethernet, ipv6};
use crate::{LinkType, Summary, decode};

fn decoded(packet: &[u8]) -> Summary<'static> {
    decode(LinkType::RAW, packet, u32::try_from(packet.len()).unwrap())
}

/// [`inner`] with a valid checksum.
fn proved() -> Vec<u8> {
    with_checksum(inner())
}

#[test]
fn ipv6_in_teredo_is_entered() {
    let inner = [ipv6(17, 12), UDP_DNS.to_vec(), vec![1; 4]].concat();
    let authentication = [&[0, 1, 1, 2, 9, 9, 9][..], &[7; 8], &[0]].concat();
    let origin = [0, 0, 1, 2, 3, 4, 5, 6];
    for header in [&[][..], &authentication, &origin, &[&authentication[..], &origin].concat()] {
        let packet = udp(3544, &[header, &inner].concat());
        let summary = decoded(&packet);
        assert_eq!((summary.tunnel.to_string(), summary.dport), ("teredo".to_owned(), Some(53)));
        let longer = udp(3544, &[header, &inner, &[0]].concat());
        check_outer(&longer, "udp");
        check_outer(&udp(3545, &packet[28..]), "udp");
    }
    check_outer(&udp(3544, &proved()), "udp");
    check_outer(&udp(3544, &authentication), "udp");
}

#[test]
fn lisp_and_gue_need_a_valid_packet() {
    let inner = proved();
    let mut wrong = inner.clone();
    wrong[10] ^= 1;
    for (port, header, tunnel) in [
        (4341, &[0x80, 0, 0, 1, 0, 0, 0, 1][..], "lisp"),
        (4341, &[0x08, 0, 0, 0, 0, 1, 0, 1], "lisp:256"),
        (6080, &[0, 4, 0, 0], "gue"),
        (6080, &[1, 4, 0, 0x10, 1, 2, 3, 4], "gue"),
        (6080, &[], "gue"),
    ] {
        check_entered(&udp(port, &[header, &inner].concat()), tunnel);
        check_outer(&udp(port, &[header, &wrong].concat()), "udp");
        check_outer(&udp(port + 3, &[header, &inner].concat()), "udp");
    }
    // A reserved flag, a control message, another protocol.
    for (port, header) in
        [(4341, &[0x84, 0, 0, 1, 0, 0, 0, 1][..]), (6080, &[0x20, 4, 0, 0]), (6080, &[0, 41, 0, 0])]
    {
        check_outer(&udp(port, &[header, &inner].concat()), "udp");
    }
}

#[test]
fn captured_frames_in_tzsp_are_entered() {
    for tags in [&[1][..], &[0, 10, 1, 0x55, 13, 4, 0, 0, 0, 1, 1]] {
        let packet = |header: [u8; 4]| udp(37008, &[&header, tags, &inner_frame()].concat());
        check_entered(&packet([1, 0, 0, 1]), "tzsp");
        check_entered(&packet([1, 1, 0, 1]), "tzsp");
        // Another version, a keep-alive, another protocol.
        for header in [[2, 0, 0, 1], [1, 4, 0, 1], [1, 0, 0, 2]] {
            check_outer(&packet(header), "udp");
        }
    }
    check_outer(&udp(37008, &[&[1, 0, 0, 1][..], &[0; 40]].concat()), "udp");
}

/// A header of NSH with 16 bytes of metadata.
fn nsh(first: u8, kind: u8, next: u8, content: &[u8]) -> Vec<u8> {
    [&[first, 0xc6, kind, next, 0, 1, 0, 255][..], &[0; 16], content].concat()
}

#[test]
fn service_paths_are_entered() {
    let frame = nsh(0x0f, 1, 3, &inner_frame());
    check_entered(
        &udp(4790, &[&[0x0c, 0, 0, 4, 0, 0, 42, 0], &frame[..]].concat()),
        "vxlan-gpe:42/nsh:256",
    );
    check_entered(&outer(47, &[&[0, 0, 0x89, 0x4f], &frame[..]].concat()), "gre/nsh:256");
    let twice = nsh(0x0f, 1, 4, &nsh(0x0f, 1, 1, &inner()));
    check_entered(&outer(47, &[&[0, 0, 0x89, 0x4f], &twice[..]].concat()), "gre/nsh:256/nsh:256");
    let ether_type = [&[0x89, 0x4f][..]];
    let short = [&[0x0f, 0xc2, 2, 1, 0, 1, 0, 255][..], &inner()].concat();
    for content in [&frame, &short] {
        let packet = ethernet(&ether_type, content);
        let expect = format!(r#""len":{},{ETH},"tunnel":"nsh:256",{INNER}"#, packet.len());
        check_ethernet(&packet, &expect);
    }
    // Another version, an unknown type of metadata, another length, an unknown protocol.
    let mut long = nsh(0x0f, 1, 1, &inner());
    long[1] = 0xc5;
    for content in [
        nsh(0x4f, 1, 1, &inner()),
        nsh(0x0f, 3, 1, &inner()),
        long,
        nsh(0x0f, 1, 6, &inner()),
        nsh(0x0f, 1, 2, &inner()),
    ] {
        let packet = ethernet(&ether_type, &content);
        check_ethernet(&packet, &format!(r#""len":{},{ETH},"proto":"nsh""#, packet.len()));
    }
}

#[test]
fn frames_in_fabric_path_are_entered() {
    let packet = ethernet(&[&[0x89, 0x03, 0x0a, 0xbf]], &inner_frame());
    let expect = format!(r#""len":{},{ETH},"tunnel":"fabricpath:42",{INNER}"#, packet.len());
    check_ethernet(&packet, &expect);
}

#[test]
fn other_forms_of_gre_are_entered() {
    let ppp = |protocol: &[u8]| outer(47, &[&[0, 0, 0x88, 0x0b], protocol, &inner()].concat());
    check_entered(&ppp(&[0xff, 3, 0, 0x21]), "gre");
    check_outer(&ppp(&[0xff, 3, 0, 0x20]), "gre");
    check_outer(&ppp(&[0xff, 3, 0, 0x57]), "gre");
    for header in [&[][..], &[0, 0, 0, 0]] {
        let redirected =
            |content: &[u8]| outer(47, &[&[0, 0, 0x88, 0x3e], header, content].concat());
        check_entered(&redirected(&proved()), "gre");
        check_outer(&redirected(&inner()), "gre");
    }
    let frame = ethernet(&[IPV4], &inner());
    let len = u8::try_from(frame.len()).unwrap();
    let over_ip = |len: u8| outer(47, &[&[0x20, 1, 0x64, 0, 0, len, 42, 0], &frame[..]].concat());
    check_entered(&over_ip(len), "gre:42");
    check_outer(&over_ip(len + 1), "gre");
}
