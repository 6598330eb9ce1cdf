//! Names in messages that several packets contain: what is missing at the limits of memory.

use std::path::Path;
use tempfile::tempdir;
use tests::files::write;
use tests::frames::{ethernet, ipv4, pcap_of, udp};
use tests::process::run;
use tests::stream::{Packet, Stream};

const IPV4: u16 = 0x0800;

/// Connections of which the sniffer keeps incomplete messages.
const MAX_CONNECTIONS: u32 = 8_192;

/// The first half of a ClientHello from 10.a.b.c, which `number` identifies.
fn half_hello(number: u32) -> Vec<u8> {
    let start = b"\xc3\x50\x01\xbb\0\0\0\x01\0\0\0\x01\x50\x10\x01\0\0\0\0\0";
    let mut packet = ipv4(6, &[&start[..], b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"].concat());
    packet[13..16].copy_from_slice(&number.to_be_bytes()[1..]);
    ethernet(&[], IPV4, &packet)
}

fn read(file: &Path, args: &[&str]) -> (Stream, String) {
    let output = run(&[&["-r", file.to_str().unwrap()], args].concat());
    assert!(output.status.success(), "{}", output.stderr);
    (Stream::read(&output.stdout), output.stderr)
}

/// A datagram to port 53 in three fragments, two of which are repeated.
fn fragments() -> Vec<u8> {
    let datagram = udp(&[7; 40]);
    let fragment = |start: usize, end: usize| {
        let mut packet = ipv4(17, &datagram[start..end]);
        let field = u16::try_from(start / 8).unwrap() | if end < 48 { 0x2000 } else { 0 };
        packet[6..8].copy_from_slice(&field.to_be_bytes());
        ethernet(&[], IPV4, &packet)
    };
    pcap_of(
        &[(16, 32), (0, 16), (16, 32), (32, 48), (32, 48)].map(|(start, end)| fragment(start, end)),
    )
}

#[test]
fn later_fragments_have_the_ports_of_the_first_one() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "fragments.pcap", fragments());
    // The first packet comes before the first fragment, and the last one after the datagram is complete.
    let expected = [(16, false), (0, true), (16, true), (32, true), (32, false)];
    let ports = |args: &[&str]| {
        let (stream, _) = read(&file, args);
        let ports = stream.packets.iter().map(|packet| {
            let ports = packet.sport.zip(packet.dport);
            assert!(ports.is_none_or(|ports| ports == (4_000, 53)));
            (packet.frag.unwrap(), ports.is_some())
        });
        (ports.collect::<Vec<_>>(), stream.flows)
    };
    for args in [&["--names"][..], &["--names", "--threads", "2"], &["--flows"]] {
        assert_eq!(ports(args).0, expected, "{args:?}");
    }
    let (_, flows) = ports(&["--flows", "--threads", "2"]);
    let mut counts: Vec<_> =
        flows.iter().map(|flow| (flow["sport"].as_u64(), flow["packets"].as_u64())).collect();
    counts.sort();
    assert_eq!(counts, [(None, Some(2)), (Some(4_000), Some(3))]);
    for args in [&[][..], &["--ja4"]] {
        assert_eq!(ports(args).0, [16, 0, 16, 32, 32].map(|frag| (frag, frag == 0)), "{args:?}");
    }
}

/// A part of the payload of an IPv4 packet between two positions, in Ethernet.
fn fragment(protocol: u8, datagram: &[u8], start: usize, end: usize) -> Vec<u8> {
    let mut packet = ipv4(protocol, &datagram[start..end]);
    let more = if end < datagram.len() { 0x2000 } else { 0 };
    packet[6..8].copy_from_slice(&(u16::try_from(start / 8).unwrap() | more).to_be_bytes());
    ethernet(&[], IPV4, &packet)
}

/// A datagram of UDP with VXLAN in it.
fn vxlan(frame: &[u8]) -> Vec<u8> {
    let len = u16::try_from(16 + frame.len()).unwrap().to_be_bytes();
    [&[0xc0, 0, 0x12, 0xb5], &len[..], &[0, 0, 8, 0, 0, 0, 0, 0, 42, 0], frame].concat()
}

/// A response to a question for TXT records.
fn dns_response() -> Vec<u8> {
    let answer = [&b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x65\x64"[..], &[b'a'; 100]].concat();
    [&b"\0\x01\x81\x80\0\x01\0\x01\0\0\0\0\x01a\0\0\x10\0\x01"[..], &answer].concat()
}

/// The response, and a request of HTTP, in two fragments of IPv4; the response also in VXLAN.
#[test]
fn datagrams_in_fragments_have_names() {
    let dns = udp(&dns_response());
    let request = b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let http = [&b"\xc3\x50\0\x50\0\0\0\x01\0\0\0\x01\x50\x10\x01\0\0\0\0\0"[..], request].concat();
    let vxlan = vxlan(&ethernet(&[], IPV4, &ipv4(17, &dns)));
    let packets = [
        fragment(17, &vxlan, 0, 96),
        fragment(17, &vxlan, 96, vxlan.len()),
        fragment(17, &dns, 0, 48),
        fragment(17, &dns, 48, dns.len()),
        fragment(6, &http, 40, http.len()),
        fragment(6, &http, 0, 40),
    ];
    let directory = tempdir().unwrap();
    let file = write(&directory, "fragments.pcap", pcap_of(&packets));
    for args in [&["--names"][..], &["--names", "--threads", "2"]] {
        let (stream, _) = read(&file, args);
        let found: Vec<_> = stream
            .packets
            .iter()
            .map(|packet| (packet.dns.is_some(), packet.http_host.is_some()))
            .collect();
        let [none, dns, http] = [(false, false), (true, false), (false, true)];
        assert_eq!(found, [none, dns, none, dns, none, http]);
        let (stream, _) = read(&file, &[args, &["--tunnels=outer"]].concat());
        assert_eq!(stream.packets.iter().filter(|packet| packet.dns.is_some()).count(), 1);
        assert!(stream.packets.iter().all(|packet| packet.tunnel.is_none()));
    }
}

/// A segment in VXLAN, whose datagram has two fragments, the second of which comes first.
#[test]
fn fragment_that_completes_a_tunnel_has_the_packet_in_it() {
    let segment =
        [&b"\xc3\x50\0\x50\0\0\0\x01\0\0\0\x01\x50\x18\x01\0\0\0\0\0"[..], &[7; 100]].concat();
    let mut packet = ipv4(6, &segment);
    packet[12..20].copy_from_slice(&[192, 0, 2, 1, 192, 0, 2, 2]);
    let datagram = vxlan(&ethernet(&[(0x8100, 7)], IPV4, &packet));
    let packets = [fragment(17, &datagram, 96, datagram.len()), fragment(17, &datagram, 0, 96)];
    let directory = tempdir().unwrap();
    let file = write(&directory, "tunnel.pcap", pcap_of(&packets));
    let threads = ["--threads", "2"];
    for args in [&["--names"][..], &["--flows"], &["--tcp-analysis"]] {
        for args in [args, &[args, &threads].concat()] {
            let (stream, _) = read(&file, args);
            let [other, complete] = &stream.packets[..] else { panic!("{args:?}") };
            assert_eq!((other.frag, &other.tunnel, &*other.proto), (Some(96), &None, "udp"));
            let Packet { tunnel, outer_src, src, dport, flags, seq, payload, .. } = complete;
            assert_eq!(tunnel.as_deref(), Some("vxlan:42"), "{args:?}");
            assert_eq!(
                (outer_src.as_deref(), src.as_deref()),
                (Some("10.0.0.1"), Some("192.0.2.1"))
            );
            assert_eq!((*dport, flags.as_deref(), *seq), (Some(80), Some("PA"), Some(1)));
            assert_eq!(
                (*payload, complete.frag, &complete.vlan),
                (Some(100), None, &Some(vec![7]))
            );
            assert_eq!(complete.len, 14 + 20 + 96);
        }
    }
    let (stream, _) = read(&file, &["--flows"]);
    let flows: Vec<_> = stream.flows.iter().map(|flow| &flow["proto"]).collect();
    assert_eq!(flows, ["udp", "tcp"]);
    for args in [&[][..], &["--ja4"], &["--names", "--tunnels=outer"]] {
        let (stream, _) = read(&file, args);
        assert!(
            stream.packets.iter().all(|packet| packet.tunnel.is_none() && packet.frag.is_some())
        );
    }
}

/// A response in two fragments, each of them in VXLAN whose datagrams have two fragments.
#[test]
fn fragments_in_fragmented_tunnels_have_ports_and_names() {
    let dns = udp(&dns_response());
    let tunnels = [(0, 48), (48, dns.len())].map(|(start, end)| {
        let tunnel = vxlan(&fragment(17, &dns, start, end));
        [fragment(17, &tunnel, 0, 40), fragment(17, &tunnel, 40, tunnel.len())]
    });
    let directory = tempdir().unwrap();
    let file = write(&directory, "nested.pcap", pcap_of(tunnels.as_flattened()));
    for args in [&["--names"][..], &["--names", "--threads", "2"]] {
        let (stream, _) = read(&file, args);
        let found: Vec<_> = stream
            .packets
            .iter()
            .map(|packet| {
                (packet.tunnel.is_some(), packet.frag, packet.dport, packet.dns.is_some())
            })
            .collect();
        let expected = [
            (false, Some(0), Some(4789), false),
            (true, Some(0), Some(53), false),
            (false, Some(0), Some(4789), false),
            (true, Some(48), Some(53), true),
        ];
        assert_eq!(found, expected, "{args:?}");
    }
}

#[test]
fn messages_given_up_in_a_flood_are_counted() {
    const MESSAGE: &str =
        "names are missing: 808 incomplete messages given up because there were too many";
    let directory = tempdir().unwrap();
    let hellos: Vec<_> = (0..MAX_CONNECTIONS + 808).map(half_hello).collect();
    let file = write(&directory, "flood.pcap", pcap_of(&hellos));
    for args in [&["--names"][..], &["--ja4"], &["--flows"], &["--names", "--threads", "2"]] {
        let (stream, stderr) = read(&file, args);
        assert_eq!(stream.end.names_evicted, Some(808), "{args:?}");
        assert!(stderr.contains(MESSAGE), "{stderr}");
        let (stream, stderr) = read(&file, &[args, &["-q", "-c", "8192"]].concat());
        assert_eq!((stream.end.names_evicted, &*stderr), (Some(0), ""), "{args:?}");
    }
    for args in [&["--tcp-analysis"][..], &["--tcp-analysis", "--threads", "2"]] {
        let (stream, stderr) = read(&file, args);
        assert_eq!(stream.end.names_evicted, None, "{args:?}");
        assert!(!stderr.contains("names"), "{stderr}");
    }
    // Without packets, no names are looked for.
    let output = run(&["-r", file.to_str().unwrap(), "--names", "--only", "end"]);
    let end = String::from_utf8(output.stdout).unwrap();
    assert!(end.contains("\"out\":9000,") && !end.contains("names_evicted"), "{end}");
    assert!(!output.stderr.contains("names"), "{}", output.stderr);
}
