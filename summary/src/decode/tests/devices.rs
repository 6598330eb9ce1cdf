//! Frames of old networks, and frames after the headers of devices.

use super::tunnels::{INNER, inner, inner_frame};
use super::{ETH, check};
use crate::{LinkType, decode};

/// Link type with its name, header, content, and the start of the line after the link type.
type Case<'a> = (u16, &'a str, &'a [u8], Vec<u8>, &'a str);

/// Decodes frames with each number of captured bytes.
fn check_frames(frames: &[Case<'_>]) {
    for (link, name, header, content, eth) in frames {
        let frame = [header, &content[..]].concat();
        let len = frame.len();
        let expect = format!(r#""len":{len},"link":"{name}",{eth}{INNER}"#);
        check(LinkType(*link), &frame, len, &expect);
        for cap in 0..len {
            let summary = decode(LinkType(*link), &frame[..cap], u32::try_from(len).unwrap());
            let has_headers = len - 4 <= cap;
            assert!(
                has_headers != summary.faults.contains(crate::Faults::TRUNCATED),
                "{name} {cap}"
            );
        }
    }
}

#[test]
fn packets_of_old_networks_are_decoded() {
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &inner()[..]].concat();
    let ring = [0x10, 0x40, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let mut routed = ring.to_vec();
    routed[8] |= 0x80;
    routed.extend([0x06, 0x30, 0, 0x11, 0, 0x20]);
    let eth = format!("{ETH},");
    let routed_eth = eth.replace("02:00:00:00:00:01", "82:00:00:00:00:01");
    let ppp = [&[0; 5][..], &[0, 0x21], &[0; 17]].concat();
    check_frames(&[
        (6, "token-ring", &ring, snap.clone(), &eth),
        (6, "token-ring", &routed, snap, &routed_eth),
        (7, "arcnet", &[1, 2, 212, 0, 0, 7], inner(), ""),
        (7, "arcnet", &[1, 2, 240], inner(), ""),
        (129, "arcnet-linux", &[1, 2, 0, 0, 212, 0, 0, 7], inner(), ""),
        (129, "arcnet-linux", &[1, 2, 0, 0, 240], inner(), ""),
        (102, "slip-bsdos", &[0; 24], inner(), ""),
        (103, "ppp-bsdos", &ppp, inner(), ""),
        (143, "docsis", &[0, 0, 0, 46, 1, 2], inner_frame(), &eth),
        (143, "docsis", &[0x81, 5, 0, 51, 0x44, 0, 0x40, 1, 0, 1, 2], inner_frame(), &eth),
        (138, "apple-ip-over-ieee1394", &[&[1; 16][..], &[8, 0]].concat(), inner(), ""),
    ]);
    // Encrypted, management.
    for header in [
        &[1, 5, 0, 51, 0x44, 0, 0xc0, 1, 0, 1, 2][..],
        &[1, 4, 0, 50, 0x73, 0, 0x80, 1, 1, 2],
        &[0xc2, 0, 0, 46, 1, 2],
    ] {
        let frame = [header, &inner_frame()].concat();
        let len = frame.len();
        let expect = format!(r#""len":{len},"link":"docsis","proto":"docsis""#);
        check(LinkType(143), &frame, len, &expect);
    }
    // A part of a packet, and a frame of the ring itself.
    let part = [&[1, 2, 0, 0, 212, 1, 0, 7], &inner()[..]].concat();
    check(LinkType(129), &part, 40, r#""len":40,"link":"arcnet-linux","proto":"arcnet-linux""#);
    let claim = [&[0x10, 0x02][..], &ring[2..]].concat();
    let expect = format!(r#""len":14,"link":"token-ring",{ETH},"proto":"token-ring""#);
    check(LinkType(6), &claim, 14, &expect);
}

#[test]
fn frames_after_headers_of_devices_are_decoded() {
    let eth = format!("{ETH},");
    let erf = |kind: u8, rest: &[u8]| [&[0; 8][..], &[kind, 4, 0, 64, 0, 0, 0, 46], rest].concat();
    let juniper = |flags: u8, rest: &[u8]| [&b"MGC"[..], &[flags], rest].concat();
    let more = [&[0x83][..], &[0; 7], &[4], &[0; 7], &[0, 0]].concat();
    let ppp = [&[0xff, 3, 0, 0x21], &inner()[..]].concat();
    let cisco = [&[0x0f, 0, 8, 0], &inner()[..]].concat();
    let relay = [&[0x18, 0x41, 3, 0xcc], &inner()[..]].concat();
    let extensions = [0, 6, 1, 4, 0, 0, 0, 1];
    check_frames(&[
        (197, "erf", &erf(2, &[0, 0]), inner_frame(), &eth),
        (175, "erf-eth", &erf(2, &[0, 0]), inner_frame(), &eth),
        (197, "erf", &erf(0x82, &more), inner_frame(), &eth),
        (197, "erf", &erf(1, &[]), ppp.clone(), ""),
        (176, "erf-pos", &erf(1, &[]), cisco.clone(), ""),
        (197, "erf", &erf(22, &[]), inner(), ""),
        (178, "juniper-ether", &juniper(0, &[]), inner_frame(), &eth),
        (178, "juniper-ether", &juniper(0x81, &extensions), inner_frame(), &eth),
        (178, "juniper-ether", &juniper(2, &[0; 4]), inner(), ""),
        (167, "juniper-pppoe", &juniper(1, &[]), inner_frame(), &eth),
        (179, "juniper-ppp", &juniper(1, &[]), ppp, ""),
        (180, "juniper-frame-relay", &juniper(1, &[]), relay, ""),
        (181, "juniper-cisco-hdlc", &juniper(1, &[]), cisco, ""),
        (128, "tzsp", &[1, 0, 0, 1, 10, 1, 9, 1], inner_frame(), &eth),
    ]);
    let expect = |link: &str, len: usize, fault: &str| {
        format!(r#""len":{len},"link":"{link}","proto":"{link}","err":["{fault}"]"#)
    };
    check(LinkType(197), &erf(3, &[0; 8]), 24, &expect("erf", 24, "unsupported"));
    check(LinkType(197), &erf(0x82, &[]), 16, &expect("erf", 16, "bad_length"));
    check(LinkType(178), b"MGDabcd", 7, &expect("juniper-ether", 7, "bad_header"));
    check(LinkType(178), b"MGC\x80\0\x09", 6, &expect("juniper-ether", 6, "bad_length"));
    check(LinkType(128), &[1, 4, 0, 1, 1], 5, &expect("tzsp", 5, "unsupported"));
}
