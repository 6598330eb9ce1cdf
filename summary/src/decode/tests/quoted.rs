//! Packets that ICMP errors quote.

use super::{check, ipv4, ipv6};
use crate::LinkType;

/// An error of ICMP with this type.
fn error(kind: u8, quoted: &[u8]) -> Vec<u8> {
    let len = u16::try_from(28 + quoted.len()).unwrap();
    [&ipv4(1, len, 0)[..], &[kind, 1, 0, 0, 0, 0, 0, 0], quoted].concat()
}

fn check_error(kind: u8, quoted: &[u8], expected: &str) {
    let packet = error(kind, quoted);
    let len = packet.len();
    let start = format!(
        r#""len":{len},"link":"raw","src":"10.0.0.1","dst":"10.0.0.2","proto":"icmp","ttl":64,"icmp_type":{kind},"icmp_code":1"#
    );
    check(LinkType::RAW, &packet, len, &format!("{start}{expected}"));
}

/// An IPv4 header with other addresses.
fn header(protocol: u8, fragment: u16) -> Vec<u8> {
    let mut header = ipv4(protocol, 500, fragment);
    header[12..20].copy_from_slice(&[192, 0, 2, 1, 192, 0, 2, 2]);
    header
}

const ADDRESSES: &str = r#","icmp_src":"192.0.2.1","icmp_dst":"192.0.2.2""#;

#[test]
fn errors_have_the_headers_of_their_packets() {
    let quoted = [&header(17, 0)[..], &[0x30, 0x39, 0, 53, 1, 2]].concat();
    let expected = format!(r#"{ADDRESSES},"icmp_proto":"udp","icmp_sport":12345,"icmp_dport":53"#);
    for kind in [3, 4, 5, 11, 12] {
        check_error(kind, &quoted, &expected);
    }
    for kind in [0, 8, 13, 40] {
        check_error(kind, &quoted, "");
    }
    let port = format!(r#"{ADDRESSES},"icmp_proto":"udp","icmp_sport":12345"#);
    check_error(3, &quoted[..23], &port);
    check_error(3, &quoted[..21], &format!(r#"{ADDRESSES},"icmp_proto":"udp""#));
    check_error(3, &quoted[..19], r#","icmp_src":"192.0.2.1","icmp_proto":"udp""#);
    check_error(3, &quoted[..9], "");
    // The quoted packet is ICMP, the header has a length that is too short, or is of another version.
    let echo = [&header(1, 0)[..], &[8, 0, 0, 0]].concat();
    check_error(3, &echo, &format!(r#"{ADDRESSES},"icmp_proto":"icmp""#));
    check_error(3, &[&[0x44][..], &quoted[1..]].concat(), "");
    check_error(3, &[&[0x65][..], &quoted[1..]].concat(), "");
    // Ports follow the options.
    let options = [&[0x46][..], &header(6, 0)[1..], &[1; 4], &[0, 80, 0, 81]].concat();
    let expected = format!(r#"{ADDRESSES},"icmp_proto":"tcp","icmp_sport":80,"icmp_dport":81"#);
    check_error(3, &options, &expected);
    // The capture ends in the quoted headers.
    let packet = error(3, &quoted);
    let missing = r#""err":["truncated"]"#;
    let start = format!(
        r#""len":54,"cap":50,"link":"raw","src":"10.0.0.1","dst":"10.0.0.2","proto":"icmp","ttl":64,"icmp_type":3,"icmp_code":1{port}"#
    );
    check(LinkType::RAW, &packet[..50], 54, &format!("{start},{missing}"));
    // A number without a name.
    check_error(3, &header(253, 0), ADDRESSES);
}

#[test]
fn quoted_fragments_after_the_first_have_no_ports() {
    let ports = [0, 80, 0, 81];
    let later = [&header(6, 0x2001)[..], &ports].concat();
    check_error(11, &later, &format!(r#"{ADDRESSES},"icmp_proto":"tcp""#));
    let first = [&header(6, 0x2000)[..], &ports].concat();
    let expected = format!(r#"{ADDRESSES},"icmp_proto":"tcp","icmp_sport":80,"icmp_dport":81"#);
    check_error(11, &first, &expected);
}

#[test]
fn errors_of_icmp6_skip_extension_headers() {
    let start =
        r#""link":"raw","src":"::1","dst":"ff02::1","proto":"icmp6","ttl":255,"icmp_type":"#;
    let expect = |kind: u8, quoted: &[u8], expected: &str| {
        let len = u16::try_from(8 + quoted.len()).unwrap();
        let packet = [&ipv6(58, len)[..], &[kind, 0, 0, 0, 0, 0, 0, 0], quoted].concat();
        let text = format!(r#""len":{},{start}{kind},"icmp_code":0{expected}"#, packet.len());
        check(LinkType::RAW, &packet, packet.len(), &text);
    };
    let addresses = r#","icmp_src":"::1","icmp_dst":"ff02::1""#;
    let options = |next| vec![next, 0, 1, 4, 0, 0, 0, 0];
    let ports = vec![0, 80, 0, 81];
    let fragment = |offset| vec![6, 0, 0, offset, 0, 0, 0, 7];
    let quoted = [ipv6(60, 99), options(0), options(44), fragment(1), ports.clone()].concat();
    let tcp = format!(r#"{addresses},"icmp_proto":"tcp""#);
    let all = format!(r#"{tcp},"icmp_sport":80,"icmp_dport":81"#);
    for kind in [1, 2, 3, 4] {
        expect(kind, &quoted, &all);
    }
    expect(128, &quoted, "");
    expect(1, &[ipv6(44, 99), fragment(9), ports.clone()].concat(), &tcp);
    expect(1, &quoted[..50], addresses);
    expect(1, &[ipv4(6, 60, 0), ports].concat(), "");
}
