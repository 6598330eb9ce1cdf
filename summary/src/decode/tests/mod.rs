//! Frames as bytes with the lines that they give, and properties that hold for any bytes.

mod devices;
mod link_layers;
mod other_tunnels;
mod quoted;
mod tunnels;

use super::decode;
use crate::{Faults, LinkType, Packet, Timestamp, line};
use proptest::prelude::*;

/// Decodes a frame and compares its line from `len` on.
fn check(link: LinkType, frame: &[u8], wire_len: usize, expect: &str) {
    let summary = decode(link, frame, u32::try_from(wire_len).unwrap());
    let packet = Packet::new(1, Timestamp::default(), summary);
    let mut written = Vec::new();
    line::Writer::default().write(&packet, &mut written);
    let written = String::from_utf8(written).unwrap();
    let start = written.find(r#""len":"#).unwrap();
    assert_eq!(written[start..].trim_end(), format!("{expect}}}"));
}

fn check_ethernet(frame: &[u8], expect: &str) {
    check(LinkType::ETHERNET, frame, frame.len(), expect);
}

/// Ethernet header from 02:00:00:00:00:01 to 02:00:00:00:00:02, tags, EtherType, payload.
fn ethernet(ether_types: &[&[u8]], payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], &ether_types.concat()[..], payload].concat()
}

const IPV4: &[u8] = &[0x08, 0x00];
const IPV6: &[u8] = &[0x86, 0xdd];
const ETH_SRC: &str = r#""eth_src":"02:00:00:00:00:01""#;
const ETH: &str = r#""eth_src":"02:00:00:00:00:01","eth_dst":"02:00:00:00:00:02""#;

/// IPv4 header without options from 10.0.0.1 to 10.0.0.2.
fn ipv4(protocol: u8, total_len: u16, fragment: u16) -> Vec<u8> {
    let ([a, b], [c, d]) = (total_len.to_be_bytes(), fragment.to_be_bytes());
    vec![0x45, 0, a, b, 0, 1, c, d, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
}

/// IPv6 header from ::1 to ff02::1.
fn ipv6(next: u8, payload_len: u16) -> Vec<u8> {
    let [a, b] = payload_len.to_be_bytes();
    let mut header = vec![0x60, 0, 0, 0, a, b, next, 255];
    header.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    header.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    header
}

const TCP_SYN_ACK: [u8; 20] =
    [0, 80, 0xd4, 0x31, 0, 0, 1, 0, 0, 0, 2, 0, 0x50, 0x12, 0x10, 0, 0, 0, 0, 0];
const UDP_DNS: [u8; 8] = [0xd4, 0x31, 0, 53, 0, 12, 0, 0];

#[test]
fn tcp_has_its_fields_and_padding_is_not_payload() {
    let frame =
        ethernet(&[IPV4], &[ipv4(6, 44, 0), TCP_SYN_ACK.to_vec(), vec![1; 4], vec![0; 6]].concat());
    check_ethernet(
        &frame,
        &format!(
            r#""len":64,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","sport":80,"dport":54321,"proto":"tcp","ttl":64,"flags":"SA","seq":256,"ack":512,"win":4096,"payload":4"#
        ),
    );
}

#[test]
fn zero_total_length_extends_to_the_end_of_the_frame() {
    let frame = ethernet(&[IPV4], &[ipv4(17, 0, 0), UDP_DNS.to_vec(), vec![1; 4]].concat());
    check_ethernet(
        &frame,
        &format!(
            r#""len":46,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"payload":4"#
        ),
    );
}

#[test]
fn later_fragments_have_no_ports() {
    let frame = ethernet(&[IPV4], &[ipv4(17, 36, 0x2001), vec![1; 16]].concat());
    check_ethernet(
        &frame,
        &format!(
            r#""len":50,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","proto":"udp","ttl":64,"frag":8"#
        ),
    );
    let frame = ethernet(
        &[IPV4],
        &[ipv4(17, 36, 0x2000), vec![0xd4, 0x31, 0, 53, 1, 0, 0, 0], vec![1; 8]].concat(),
    );
    check_ethernet(
        &frame,
        &format!(
            r#""len":50,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","sport":54321,"dport":53,"proto":"udp","ttl":64,"frag":0,"payload":8"#
        ),
    );
}

#[test]
fn ipv6_extension_headers_are_skipped_in_any_order() {
    let options = |next| vec![next, 0, 1, 4, 0, 0, 0, 0];
    let fragment = vec![6, 0, 0, 1, 0, 0, 0, 7];
    let packet = [ipv6(60, 44), options(0), options(44), fragment, TCP_SYN_ACK.to_vec()].concat();
    let frame = ethernet(&[IPV6], &packet);
    check_ethernet(
        &frame,
        &format!(
            r#""len":98,{ETH},"src":"::1","dst":"ff02::1","sport":80,"dport":54321,"proto":"tcp","ttl":255,"frag":0,"flags":"SA","seq":256,"ack":512,"win":4096,"payload":0"#
        ),
    );
}

#[test]
fn mobility_header_without_next_header_is_a_protocol() {
    let packet = [ipv6(135, 8), vec![59, 0, 5, 0, 0, 0, 0, 0]].concat();
    check(
        LinkType::RAW,
        &packet,
        48,
        r#""len":48,"link":"raw","src":"::1","dst":"ff02::1","proto":"mobility-header","ttl":255"#,
    );
}

#[test]
fn icmp6_has_type_and_code() {
    let packet = [ipv6(58, 8), vec![135, 0, 0, 0, 0, 0, 0, 0]].concat();
    check(
        LinkType::RAW,
        &packet,
        48,
        r#""len":48,"link":"raw","src":"::1","dst":"ff02::1","proto":"icmp6","ttl":255,"icmp_type":135,"icmp_code":0"#,
    );
}

#[test]
fn arp_has_protocol_addresses_and_operation() {
    let arp =
        [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2];
    check_ethernet(
        &ethernet(&[&[8, 6]], &arp),
        &format!(r#""len":42,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","proto":"arp","arp_op":1"#),
    );
}

#[test]
fn wrong_lengths_are_distinguished_from_truncation() {
    let whole = ethernet(&[IPV4], &[ipv4(6, 40, 0), TCP_SYN_ACK.to_vec()].concat());
    let faults = |bytes: &[u8], len: u32| decode(LinkType::ETHERNET, bytes, len).faults;
    assert_eq!(faults(&whole[..40], 54), Faults::TRUNCATED);
    assert_eq!(faults(&whole[..40], 40), Faults::BAD_LENGTH);
    // The frame ends within the TCP header, of which the capture has only a part.
    let mut both = Faults::BAD_LENGTH;
    both.insert(Faults::TRUNCATED);
    assert_eq!(faults(&whole[..40], 44), both);
    let mut version = whole.clone();
    version[14] = 0x55;
    assert_eq!(faults(&version, 54), Faults::BAD_HEADER);
    let mut offset = whole.clone();
    offset[46] = 0x40;
    let summary = decode(LinkType::ETHERNET, &offset, 54);
    assert_eq!((summary.faults, summary.tcp.seq), (Faults::BAD_HEADER, Some(256)));
    assert_eq!(faults(&[], 0), Faults::BAD_LENGTH);
}

#[test]
fn truncated_ip_header_keeps_captured_fields() {
    for (cut, fields) in [
        (8, r#""proto":"ipv4""#),
        (9, r#""proto":"ipv4","ttl":64"#),
        (16, r#""src":"10.0.0.1","proto":"ipv4","ttl":64"#),
        (20, r#""src":"10.0.0.1","dst":"10.0.0.2","proto":"tcp","ttl":64"#),
    ] {
        let expect = format!(r#""len":40,"cap":{cut},"link":"raw",{fields},"err":["truncated"]"#);
        check(LinkType::RAW, &ipv4(6, 40, 0)[..cut], 40, &expect);
    }
    for (cut, fields) in [(7, ""), (8, r#","ttl":255"#), (39, r#","ttl":255"#)] {
        let src = if cut < 24 { "" } else { r#""src":"::1","# };
        let expect = format!(
            r#""len":60,"cap":{cut},"link":"raw",{src}"proto":"ipv6"{fields},"err":["truncated"]"#
        );
        check(LinkType::RAW, &ipv6(6, 20)[..cut], 60, &expect);
    }
}

#[test]
fn truncated_tcp_header_keeps_captured_fields() {
    let whole = ethernet(&[IPV4], &[ipv4(6, 1400, 0), TCP_SYN_ACK.to_vec()].concat());
    check(
        LinkType::ETHERNET,
        &whole[..42],
        1414,
        &format!(
            r#""len":1414,"cap":42,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","sport":80,"dport":54321,"proto":"tcp","ttl":64,"seq":256,"err":["truncated"]"#
        ),
    );
    check(
        LinkType::ETHERNET,
        &whole,
        1414,
        &format!(
            r#""len":1414,"cap":54,{ETH},"src":"10.0.0.1","dst":"10.0.0.2","sport":80,"dport":54321,"proto":"tcp","ttl":64,"flags":"SA","seq":256,"ack":512,"win":4096,"payload":1360"#
        ),
    );
}

proptest! {
    #[test]
    fn any_bytes_of_any_link_type_give_a_summary(bytes: Vec<u8>, link in 0u16..300, more in 0u32..2000) {
        let len = u32::try_from(bytes.len()).unwrap() + more;
        let summary = decode(LinkType(link), &bytes, len);
        prop_assert_eq!(summary.len, len);
        prop_assert!(!summary.proto.to_string().is_empty());
    }

    /// Random bytes after a valid IP header, so that upper layers are reached.
    #[test]
    fn any_ip_content_gives_a_summary(rest: Vec<u8>, number: u8, is_v6: bool, len: u16) {
        let header = if is_v6 { ipv6(number, len) } else { ipv4(number, len, 0) };
        let packet = [header, rest].concat();
        let len = u32::try_from(packet.len()).unwrap();
        prop_assert_eq!(decode(LinkType::RAW, &packet, len).len, len);
    }
}
