//! Frames of link layers: Ethernet with its tags, labels and sessions, 802.11, PPP and cooked captures.

use super::{ETH, ETH_SRC, IPV4, UDP_DNS, check, check_ethernet, ethernet, ipv4};
use crate::LinkType;

/// An 802.11 data frame to the access point, with an unencrypted UDP datagram.
fn wlan_data(flags: u8, qos: &[u8]) -> Vec<u8> {
    let subtype = if qos.is_empty() { 0x08 } else { 0x88 };
    let header = [subtype, flags, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0, 0];
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    [&header[..], qos, &snap, &ipv4(17, 32, 0), &UDP_DNS, &[1; 4]].concat()
}

/// A radiotap header with time and flags.
fn radiotap(flags: u8, frame: &[u8]) -> Vec<u8> {
    let header = [0, 0, 18, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, flags, 0];
    [&header[..], frame].concat()
}

#[test]
fn wlan_frames_have_addresses_and_payload() {
    let udp = r#""src":"10.0.0.1","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"payload":4"#;
    let eth = |src: u8, dst: u8| {
        format!(r#""eth_src":"02:00:00:00:00:0{src}","eth_dst":"02:00:00:00:00:0{dst}""#)
    };
    let (to_ap, from_ap) = (format!("{},{udp}", eth(2, 3)), format!("{},{udp}", eth(3, 1)));
    let macs = |src: u8, dst: u8| format!(r#"{},"proto":"wlan""#, eth(src, dst));
    let check = |link, frame: &[u8], rest: &str| {
        let name = if link == LinkType::RADIOTAP { "radiotap" } else { "ieee802.11" };
        check(
            link,
            frame,
            frame.len(),
            &format!(r#""len":{},"link":"{name}",{rest}"#, frame.len()),
        );
    };
    check(LinkType::IEEE802_11, &wlan_data(0x01, &[]), &to_ap);
    check(LinkType::RADIOTAP, &radiotap(0, &wlan_data(0x02, &[])), &from_ap);
    // The frame check sequence is not payload; the quality-of-service header is padded.
    let with_fcs = [&wlan_data(0x01, &[0, 0])[..], &[9; 4]].concat();
    check(LinkType::RADIOTAP, &radiotap(0x10, &with_fcs), &to_ap);
    let padded = wlan_data(0x01, &[0, 0, 0, 0]);
    check(LinkType::RADIOTAP, &radiotap(0x20, &padded), &to_ap);
    // Encrypted: to the access point, from it, and between two stations.
    check(LinkType::RADIOTAP, &radiotap(0, &wlan_data(0x41, &[])), &macs(2, 3));
    check(LinkType::RADIOTAP, &radiotap(0, &wlan_data(0x42, &[])), &macs(3, 1));
    check(LinkType::IEEE802_11, &wlan_data(0x40, &[]), &macs(2, 1));
    let acknowledgment = [0xd4, 0, 0, 0, 2, 0, 0, 0, 0, 1];
    check(LinkType::IEEE802_11, &acknowledgment, r#""eth_dst":"02:00:00:00:00:01","proto":"wlan""#);
    let several = wlan_data(0x01, &[0x80, 0]);
    let unsupported = format!(r#"{},"err":["unsupported"]"#, macs(2, 3));
    check(LinkType::IEEE802_11, &several, &unsupported);
    let beacon = [&[0x80, 0][..], &wlan_data(0, &[])[2..24]].concat();
    check(LinkType::IEEE802_11, &beacon, &macs(2, 1));
    let cut = format!(r#"{},"err":["bad_length"]"#, macs(2, 1));
    check(LinkType::IEEE802_11, &beacon[..20], &cut);
    let bad = [0, 0, 4, 0, 0, 0, 0, 0];
    check(LinkType::RADIOTAP, &bad, r#""proto":"radiotap","err":["bad_header"]"#);
}

#[test]
fn vlan_tags_are_listed_outermost_first() {
    let tags: &[&[u8]] = &[&[0x88, 0xa8, 0x60, 0x64], &[0x81, 0, 0, 200], IPV4];
    let frame = ethernet(tags, &[ipv4(1, 28, 0), vec![8, 0, 0, 0, 0, 0, 0, 0]].concat());
    check_ethernet(
        &frame,
        &format!(
            r#""len":50,{ETH},"vlan":[100,200],"src":"10.0.0.1","dst":"10.0.0.2","proto":"icmp","ttl":64,"icmp_type":8,"icmp_code":0"#
        ),
    );
}

#[test]
fn too_many_vlan_tags_are_unsupported() {
    let frame = ethernet(&[&[0x81, 0]], &[0, 1, 0x81, 0].repeat(9));
    check_ethernet(
        &frame,
        &format!(r#""len":50,{ETH},"vlan":[1,1,1,1,1,1,1,1],"proto":"vlan","err":["unsupported"]"#),
    );
}

#[test]
fn protocol_numbers_of_linux_are_kept() {
    let sll = [&[0, 0, 1, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12][..], &[0; 16]].concat();
    check(LinkType::LINUX_SLL, &sll, 32, r#""len":32,"link":"sll","proto":"other","ethertype":12"#);
}

#[test]
fn link_types_without_a_name_are_kept() {
    let expect =
        r#""len":4,"link":"linktype-147","proto":"other","linktype":147,"err":["unsupported"]"#;
    check(LinkType(147), &[1; 4], 4, expect);
    let expect = r#""len":4,"link":"usb-linux","proto":"usb-linux","err":["unsupported"]"#;
    check(LinkType(189), &[1; 4], 4, expect);
}

#[test]
fn packets_after_headers_of_a_fixed_form_are_decoded() {
    let packet = [&ipv4(17, 32, 0)[..], &UDP_DNS, &[1; 4]].concat();
    let udp = r#""src":"10.0.0.1","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"payload":4"#;
    let macs = r#""eth_src":"02:00:00:00:00:01","eth_dst":"02:00:00:00:00:02","#;
    let addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let infiniband = [&[0; 40][..], &[8, 0, 0, 0]].concat();
    let ipnet = [&[1, 2][..], &[0; 22]].concat();
    let vpp = |protocol: u8, strings: &[u8], before: &[u8]| {
        [&[1, 0, 4, protocol, 0, 0, 0, 7][..], strings, before].concat()
    };
    let strings = b"ip4-lookup\0a\0b\0\0";
    let ethernet = [&addresses[..], IPV4].concat();
    for (link, name, header, macs) in [
        (LinkType::SLIP, "slip", vec![0; 16], ""),
        (LinkType::ATM_RFC1483, "atm-rfc1483", snap.to_vec(), ""),
        (LinkType::ATM_CLIP, "atm-clip", snap.to_vec(), ""),
        (LinkType::ATM_CLIP, "atm-clip", Vec::new(), ""),
        (LinkType::IP_OVER_FC, "ip-over-fc", [&[0; 16][..], &snap].concat(), ""),
        (LinkType::MPLS, "mpls", vec![0, 0, 1, 64], ""),
        (LinkType::IPNET, "ipnet", ipnet, ""),
        (LinkType::IPOIB, "ipoib", infiniband, ""),
        (LinkType::DSA, "dsa", [&addresses[..], &[0; 4], IPV4].concat(), macs),
        (LinkType::DSA_BRCM, "dsa-brcm", [&addresses[..], &[0; 4], IPV4].concat(), macs),
        (LinkType::EDSA, "edsa", [&addresses[..], &[0xda; 8], IPV4].concat(), macs),
        (LinkType::DSA_BRCM_PREPEND, "dsa-brcm-prepend", [&[0; 4][..], &ethernet].concat(), macs),
        (LinkType::VPP_DISPATCH, "vpp-dispatch", vpp(2, strings, b""), ""),
        (LinkType::VPP_DISPATCH, "vpp-dispatch", vpp(0, strings, b""), ""),
        (LinkType::VPP_DISPATCH, "vpp-dispatch", vpp(1, strings, &ethernet), macs),
    ] {
        let frame = [&header[..], &packet].concat();
        let len = frame.len();
        check(link, &frame, len, &format!(r#""len":{len},"link":"{name}",{macs}{udp}"#));
        // Bytes that were not captured.
        for cap in 0..len {
            let summary = crate::decode(link, &frame[..cap], u32::try_from(len).unwrap());
            assert!(!summary.faults.is_empty() || header.len() + 28 <= cap, "{name} {cap}");
        }
    }
    let unsupported = |link: &str, len: usize| {
        format!(r#""len":{len},"link":"{link}","proto":"{link}","err":["unsupported"]"#)
    };
    for wrong in [vpp(3, strings, &packet), vpp(4, strings, &packet), [&[2][..], &[0; 40]].concat()]
    {
        let expect = unsupported("vpp-dispatch", wrong.len());
        check(LinkType::VPP_DISPATCH, &wrong, wrong.len(), &expect);
    }
}

#[test]
fn ether_types_and_llc_protocols_have_names() {
    for (head, name, number) in [
        (vec![0x88, 0xcc], "lldp", ""),
        (vec![0x88, 0x99], "other", r#","ethertype":34969"#),
        (vec![0, 4, 0x42, 0x42, 3, 0], "stp", ""),
        (vec![0, 4, 0xf0, 0xf0, 3, 0], "llc", ""),
        (vec![0, 8, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0], "cdp", ""),
        (vec![0, 8, 0xaa, 0xaa, 0xaf, 0x81, 0, 0], "llc", ""),
    ] {
        let frame = ethernet(&[&head], &[0; 4]);
        check_ethernet(&frame, &format!(r#""len":{},{ETH},"proto":"{name}"{number}"#, frame.len()));
    }
}

#[test]
fn cooked_loopback_and_ppp_frames_are_decoded() {
    let packet = [ipv4(17, 28, 0), UDP_DNS.to_vec()].concat();
    let rest = r#","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"payload":0,"err":["bad_length"]"#;
    let sll = [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0], &packet[..]].concat();
    check(
        LinkType::LINUX_SLL,
        &sll,
        44,
        &format!(r#""len":44,"link":"sll",{ETH_SRC},"src":"10.0.0.1"{rest}"#),
    );
    let sll2 =
        [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &packet[..]].concat();
    check(
        LinkType::LINUX_SLL2,
        &sll2,
        48,
        &format!(r#""len":48,"link":"sll2",{ETH_SRC},"src":"10.0.0.1"{rest}"#),
    );
    for family in [[2, 0, 0, 0], [0, 0, 0, 2]] {
        let null = [&family, &packet[..]].concat();
        check(
            LinkType::NULL,
            &null,
            32,
            &format!(r#""len":32,"link":"null","src":"10.0.0.1"{rest}"#),
        );
    }
    for head in [&[0xff, 3, 0, 0x21][..], &[0x21]] {
        let ppp = [head, &packet[..]].concat();
        check(
            LinkType::PPP,
            &ppp,
            ppp.len(),
            &format!(r#""len":{},"link":"ppp","src":"10.0.0.1"{rest}"#, ppp.len()),
        );
    }
}

#[test]
fn mpls_labels_are_skipped() {
    let datagram = [ipv4(17, 32, 0), UDP_DNS.to_vec(), vec![1; 4]].concat();
    let labels: [&[u8]; 2] = [&[0, 1, 0x20, 64], &[0, 2, 0x21, 64]];
    let expect = format!(
        r#""len":54,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"payload":4"#
    );
    let stack = [&labels.concat()[..], &datagram].concat();
    check_ethernet(&ethernet(&[&[0x88, 0x47]], &stack), &expect);
    let pseudowire = [labels[1], &[0, 0, 0, 0, 2, 2]].concat();
    check_ethernet(
        &ethernet(&[&[0x88, 0x47]], &pseudowire),
        &format!(r#""len":24,{ETH},"proto":"mpls""#),
    );
    check_ethernet(
        &ethernet(&[&[0x88, 0x47]], labels[0]),
        &format!(r#""len":18,{ETH},"proto":"mpls","err":["bad_length"]"#),
    );
}

#[test]
fn pppoe_sessions_are_skipped_and_padding_is_not_payload() {
    let datagram = [ipv4(17, 32, 0), UDP_DNS.to_vec(), vec![1; 4]].concat();
    let session = [&[0x11, 0, 0, 7, 0, 34, 0, 0x21], &datagram[..], &[0; 6]].concat();
    check_ethernet(
        &ethernet(&[&[0x88, 0x64]], &session),
        &format!(
            r#""len":60,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"payload":4"#
        ),
    );
    let echo = [0x11, 0, 0, 7, 0, 4, 0xc0, 0x21, 9, 1];
    check_ethernet(
        &ethernet(&[&[0x88, 0x64]], &echo),
        &format!(r#""len":24,{ETH},"proto":"pppoe""#),
    );
}
