//! Properties of lines: the fast writer and the fast parser agree with serde, and a written packet
//! parses back.

use super::parse::{parse_fast, parse_serde};
use super::{ExcerptReader, ParseError, Record, Writer, parse};
use crate::tunnel::tests::paths;
use crate::{
    Address, CommunityId, Direction, DnsCode, DnsType, Faults, Gso, GsoKind, IcmpQuote, Ja4,
    LinkType, Packet, PayloadNames, Proto, RecordFormat, Summary, Tags, Tcp, TimeUnit, Timestamp,
    decode, is_display_control, write_json,
};
use proptest::prelude::*;
use std::net::IpAddr;

fn written(packet: &Packet<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    Writer::default().write(packet, &mut line);
    line
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

/// Some are so long that lines end just before or after the window of the fast parser.
fn interface() -> impl Strategy<Value = Option<String>> {
    let long = (600usize..1_100).prop_map(|len| Some("x".repeat(len)));
    prop_oneof![4 => any::<Option<String>>(), 1 => long]
}

/// Text with many characters that control the display.
fn hostile_text() -> impl Strategy<Value = String> {
    "([\\x00-\\x1f\\x7f-\u{9f}\u{2028}-\u{202e}\u{2066}-\u{2069}]|[a\"\\\\]|.){0,50}"
}

fn faults() -> impl Strategy<Value = Faults> {
    proptest::sample::subsequence(
        vec!["truncated", "bad_length", "bad_header", "unsupported", "bad_time", "no_time"],
        0..=6,
    )
    .prop_map(|names| {
        let mut faults = Faults::default();
        names.iter().filter_map(|name| Faults::parse(name)).for_each(|fault| faults.insert(fault));
        faults
    })
}

prop_compose! {
    fn names()(
        dns in any::<Option<(String, u16)>>(),
        (sni, http_host, quic) in any::<(Option<String>, Option<String>, Option<u32>)>(),
        (rcode, answers, dns_time_us) in any::<(Option<u16>, Vec<String>, Option<u32>)>(),
        (alpn, ech, has_ja4) in any::<(Vec<String>, bool, bool)>(),
        (method, path, http_status) in any::<(Option<String>, Option<String>, Option<u16>)>(),
    ) -> PayloadNames<'static> {
        PayloadNames {
            dns: dns.map(|(name, kind)| (name.into(), DnsType(kind))),
            dns_rcode: rcode.map(DnsCode),
            dns_answers: answers.into_iter().map(Into::into).collect(),
            dns_time_us: dns_time_us.map(Into::into),
            sni: sni.map(Into::into),
            alpn: alpn.into_iter().map(Into::into).collect(),
            ech,
            ja4: Ja4::parse("t13d1516h2_8daaf6152771_e5627efa2ab1").filter(|_| has_ja4),
            http_method: method.map(Into::into),
            http_host: http_host.map(Into::into),
            http_path: path.map(Into::into),
            http_status,
            quic,
        }
    }
}

prop_compose! {
    fn quotes()(
        src in proptest::option::of(address()),
        dst in proptest::option::of(address()),
        number in any::<Option<u8>>(),
        (sport, dport) in any::<(Option<u16>, Option<u16>)>(),
    ) -> IcmpQuote {
        let proto = number.filter(|number| Proto::from_ip_number(*number).is_named());
        IcmpQuote { src, dst, proto, sport, dport }
    }
}

prop_compose! {
    fn any_packet()(
        (n, ns, interface, direction) in (any::<u64>(), any::<i64>(), interface(), 0usize..6),
        (segment_len, kind) in (any::<u16>(), 0usize..8),
        (len, cap, link, eth) in (any::<u32>(), any::<u32>(), any::<u16>(), any::<(Option<[u8; 6]>, Option<[u8; 6]>)>()),
        vlan in proptest::collection::vec(0u16..4096, 0..=8),
        (tunnel, outer) in (paths(), proptest::option::of((address(), address()))).boxed(),
        addresses in proptest::option::of((address(), address())),
        ports in any::<(Option<u16>, Option<u16>)>(),
        proto in prop_oneof![
            any::<u8>().prop_map(Proto::from_ip_number),
            any::<u16>().prop_map(Proto::from_ether_type),
            any::<u16>().prop_map(|number| Proto::from_link_type(LinkType(number))),
            any::<String>().prop_map(Proto::parse),
        ],
        (ttl, frag, payload) in any::<(Option<u8>, Option<u16>, Option<u32>)>(),
        (flags, seq, ack, win) in any::<(Option<u8>, Option<u32>, Option<u32>, Option<u16>)>(),
        (icmp_type, icmp_code, arp_op) in any::<(Option<u8>, Option<u8>, Option<u16>)>(),
        quote in quotes().boxed(),
        faults in faults().boxed(),
        // Boxed: in place, the values of all fields overflow the stack of a test without optimization.
        names in names().boxed(),
        has_id: bool,
    ) -> Packet<'static> {
        let mut summary = Summary::new(LinkType(if link % 2 == 0 { 1 } else { link }), cap, len);
        vlan.into_iter().for_each(|id| assert!(summary.vlan.push(id)));
        (summary.eth_src, summary.eth_dst) = eth;
        summary.tunnel = tunnel;
        // Only tunnels have outer addresses.
        let outer = outer.filter(|_| !tunnel.is_empty());
        (summary.outer_src, summary.outer_dst) = outer.unzip();
        summary.src = addresses.map(|(src, _)| src);
        summary.dst = addresses.map(|(_, dst)| dst);
        (summary.sport, summary.dport) = ports;
        summary.proto = proto;
        (summary.ttl, summary.frag, summary.payload) = (ttl, frag, payload);
        summary.tcp = Tcp { flags, seq, ack, win };
        (summary.icmp_type, summary.icmp_code, summary.arp_op) = (icmp_type, icmp_code, arp_op);
        // Only ICMP quotes packets.
        summary.icmp_quote = icmp_type.map_or_else(IcmpQuote::default, |_| quote);
        summary.faults = faults;
        let directions =
            [Direction::In, Direction::Out, Direction::Broadcast, Direction::Multicast, Direction::Other];
        let kinds = [GsoKind::TcpV4, GsoKind::TcpV6, GsoKind::UdpFragments, GsoKind::UdpDatagrams];
        Packet {
            n,
            ts: Timestamp::from_ns(ns),
            interface: interface.map(Into::into),
            direction: directions.get(direction).copied(),
            gso: kinds.get(kind).map(|&kind| Gso { segment_len, kind }),
            community_id: CommunityId::of(&summary, 0).filter(|_| has_id),
            summary,
            names,
        }
    }
}

/// Texts are assembled in the buffer of the writer up to a length. Lines with many of these must fit.
#[test]
fn lines_with_the_longest_short_texts_are_written() {
    let text = || "x".repeat(32).into();
    let mut summary = Summary::new(LinkType(65_535), u32::MAX - 1, u32::MAX);
    (summary.eth_src, summary.eth_dst) = (Some([255; 6]), Some([255; 6]));
    (0..8).for_each(|_| assert!(summary.vlan.push(4_095)));
    let address = Some([0xffff; 8].into());
    (summary.src, summary.dst) = (address, address);
    (summary.outer_src, summary.outer_dst) = (address, address);
    (summary.sport, summary.dport) = (Some(u16::MAX), Some(u16::MAX));
    summary.proto = Proto::parse("other");
    (summary.ttl, summary.frag, summary.payload) = (Some(255), Some(65_528), Some(u32::MAX));
    let number = Some(u32::MAX);
    summary.tcp = Tcp { flags: Some(255), seq: number, ack: number, win: Some(u16::MAX) };
    (summary.icmp_type, summary.icmp_code, summary.arp_op) = (Some(255), Some(255), Some(u16::MAX));
    let port = Some(u16::MAX);
    summary.icmp_quote =
        IcmpQuote { src: address, dst: address, proto: Some(6), sport: port, dport: port };
    let packet = Packet {
        interface: Some(text()),
        direction: Some(Direction::Multicast),
        gso: Some(Gso { segment_len: u16::MAX, kind: GsoKind::UdpDatagrams }),
        community_id: CommunityId::of(&summary, 0),
        names: PayloadNames {
            dns: Some((text(), DnsType(u16::MAX))),
            dns_rcode: Some(DnsCode(u16::MAX)),
            dns_answers: (0..PayloadNames::MAX_TEXTS).map(|_| text()).collect(),
            dns_time_us: Some(u64::MAX),
            sni: Some(text()),
            alpn: (0..PayloadNames::MAX_TEXTS).map(|_| text()).collect(),
            ech: true,
            ja4: Ja4::parse("t13d1516h2_8daaf6152771_e5627efa2ab1"),
            http_method: Some(text()),
            http_host: Some(text()),
            http_path: Some(text()),
            http_status: Some(u16::MAX),
            quic: Some(u32::MAX),
        },
        ..Packet::new(u64::MAX, Timestamp::from_ns(i64::MAX), summary)
    };
    let mut expected = Vec::new();
    write_json(&mut expected, &packet).unwrap();
    expected.push(b'\n');
    assert_eq!(String::from_utf8(written(&packet)), String::from_utf8(expected));
}

proptest! {
    #[test]
    fn fast_writer_equals_serde_json(packet in any_packet()) {
        let mut expected = Vec::new();
        write_json(&mut expected, &packet).unwrap();
        expected.push(b'\n');
        prop_assert_eq!(String::from_utf8(written(&packet)), String::from_utf8(expected));
    }

    #[test]
    fn written_packets_parse_back(packet in any_packet()) {
        let line = written(&packet);
        prop_assert_eq!(parse(&line), Ok(Record::Packet(packet)));
    }

    #[test]
    fn names_cannot_control_a_terminal(mut packet in any_packet(), name in hostile_text()) {
        packet.interface = Some(name.clone().into());
        packet.names.http_host = Some(name.into());
        let line = String::from_utf8(written(&packet)).unwrap();
        prop_assert_eq!(line.find(is_display_control), Some(line.len() - 1), "the line feed");
        let unescaped = serde_json::to_vec(&packet).unwrap();
        prop_assert_eq!(parse(&unescaped), Ok(Record::Packet(packet.clone())));
        prop_assert_eq!(parse(line.as_bytes()), Ok(Record::Packet(packet)));
    }

    #[test]
    fn serde_parses_written_packets(packet in any_packet()) {
        let line = written(&packet);
        prop_assert_eq!(parse_serde(&line), Ok(Record::Packet(packet)));
    }

    #[test]
    fn lines_of_decoded_frames_take_the_fast_path(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), has_tags: bool,
        time_unit in proptest::sample::select(vec![None, Some(TimeUnit::Ns), Some(TimeUnit::Us), Some(TimeUnit::Ms)]),
    ) {
        let tags = [("site", "fra1"), ("rack_7", "")];
        let tags = Tags::new(tags.into_iter().filter(|_| has_tags)).unwrap();
        let summary = decode(LinkType::ETHERNET, &bytes, 300);
        let packet = Packet::new(1, Timestamp::from_ns(1_795_402_418_000_000_000), summary);
        let mut line = Vec::new();
        Writer::new(&RecordFormat { time_unit, tags }).write(&packet, &mut line);
        let excerpt = ExcerptReader::default().read(&line);
        prop_assert_eq!(excerpt.map(|(excerpt, len)| (excerpt.ts, len)), Some((packet.ts, line.len() - 1)));
        prop_assert_eq!(parse_fast(&line), Some(packet));
    }

    /// With one byte of a valid line changed, the fast parser accepts nothing that serde rejects or
    /// parses differently.
    #[test]
    fn fast_parser_is_not_more_lenient_than_serde(packet in any_packet(), at: prop::sample::Index, byte: u8) {
        let mut line = written(&packet);
        let at = at.index(line.len());
        line[at] = byte;
        if let Some(packet) = parse_fast(&line) {
            prop_assert_eq!(parse_serde(&line), Ok(Record::Packet(packet)));
        }
    }

    /// An excerpt has the values of the parsed packet, even if one byte of the line was changed.
    #[test]
    fn excerpts_equal_parsed_packets(
        packet in any_packet(), damage in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
        rest: Vec<u8>,
    ) {
        let mut line = written(&packet);
        if let Some((at, byte)) = damage {
            let at = at.index(line.len());
            line[at] = byte;
        }
        let len = line.len();
        let bytes = [&line[..], &rest].concat();
        let found = ExcerptReader::default().read(&bytes);
        if damage.is_none() {
            prop_assert_eq!(found.is_some(), parse_fast(&line).is_some());
        }
        let (Some((excerpt, excerpt_len)), Some(packet)) = (found, parse_fast(&line)) else { return Ok(()) };
        let summary = &packet.summary;
        prop_assert_eq!(excerpt_len, len - 1);
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let address = |bytes: Option<&[u8]>| bytes.map(|text| Address::parse(text).unwrap());
        prop_assert_eq!((excerpt.n, excerpt.ts, excerpt.len), (packet.n, packet.ts, summary.len));
        let interface = text(excerpt.interface);
        prop_assert_eq!(interface.as_deref(), packet.interface.as_deref());
        prop_assert_eq!((excerpt.direction, excerpt.vlan), (packet.direction, summary.vlan));
        prop_assert_eq!((address(excerpt.src), address(excerpt.dst)), summary.endpoints());
        prop_assert_eq!((excerpt.sport, excerpt.dport), (summary.sport, summary.dport));
        let proto = str::from_utf8(excerpt.proto).unwrap();
        prop_assert_eq!(&Proto::from_fields(proto, excerpt.proto_number), &summary.proto);
        prop_assert_eq!((excerpt.ttl, excerpt.flags), (summary.ttl, summary.tcp.flags));
    }

    #[test]
    fn any_bytes_parse_or_give_an_error(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }
}

#[test]
fn any_key_order_and_unknown_keys_are_parsed() {
    let line = br#" { "proto" : "t\u0063p", "len":60, "new":{"deep":[1]}, "ts":"2026-11-23T02:53:38.123456789Z", "n":3, "type":"pkt" } "#;
    let Ok(Record::Packet(packet)) = parse(line) else { panic!("not parsed") };
    assert_eq!((packet.n, packet.summary.len, packet.summary.proto), (3, 60, Proto::TCP));
}

#[test]
fn lines_with_findings_take_the_fast_path() {
    let mut packet =
        Packet::new(1, Timestamp::from_ns(0), Summary::new(LinkType::ETHERNET, 60, 60));
    packet.summary.faults.insert(Faults::TRUNCATED);
    let line = written(&packet);
    let line = str::from_utf8(&line).unwrap().strip_suffix("}\n").unwrap();
    for findings in [
        r#","rtx":"fast""#,
        r#","ooo":true,"dup_ack":true,"zero_window":true,"window_full":true,"keep_alive":true"#,
        r#","reset":"refused""#,
        r#","unseen":1448,"rtt_us":20,"handshake_us":40"#,
        r#","zero_window":true,"rtt_us":0,"tag_site":"fra1""#,
    ] {
        let line = format!("{line}{findings}}}");
        let excerpt = ExcerptReader::default().read(line.as_bytes());
        assert_eq!(excerpt.map(|(_, len)| len), Some(line.len()), "{line}");
        assert_eq!(parse_fast(line.as_bytes()), Some(packet.clone()), "{line}");
        assert_eq!(parse(line.as_bytes()), Ok(Record::Packet(packet.clone())), "{line}");
    }
}

#[test]
fn unknown_types_are_not_errors() {
    assert_eq!(parse(br#"{"type":"novelty","x":1}"#), Ok(Record::Unknown));
    assert_eq!(parse(br#"{"x":1}"#), Err(ParseError::NoType));
    assert_eq!(parse(b"[1,2]"), Err(ParseError::NoType));
    let Err(error) = parse(br#"{"type":"pkt","n":1"#) else { panic!("parsed") };
    assert_eq!(error.to_string(), "EOF while parsing an object at column 19");
    let line = br#"{"type":"pkt","n":1,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"src":"here","proto":"x"}"#;
    let Err(error) = parse(line) else { panic!("parsed") };
    assert!(error.to_string().starts_with("invalid value `here` of `src`"), "{error}");
}

#[test]
fn typical_tcp_line_has_at_most_250_bytes() {
    let mut summary = Summary::new(LinkType::ETHERNET, 1514, 1514);
    summary.src = Some([192, 168, 1, 23].into());
    summary.dst = Some([93, 184, 216, 34].into());
    (summary.sport, summary.dport) = (Some(55_555), Some(443));
    summary.proto = Proto::TCP;
    summary.ttl = Some(64);
    summary.tcp =
        Tcp { flags: Some(0x10), seq: Some(1_234_567_890), ack: Some(987_654_321), win: Some(501) };
    summary.payload = Some(1448);
    let ts = Timestamp::from_ns(1_795_402_418_123_456_789);
    let packet = Packet::new(12_345, ts, summary);
    let line = written(&packet);
    assert!(line.len() <= 250, "{} bytes: {}", line.len(), String::from_utf8_lossy(&line));
}

/// Lines of the first releases: MAC addresses in `src` and `dst`, numbers in `proto`, `host`.
#[test]
fn old_lines_parse_to_the_same_packets() {
    const START: &str = r#"{"type":"pkt","n":1,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"#;
    let macs = |src, dst| format!(r#""{src}":"02:00:00:00:00:01","{dst}":"02:00:00:00:00:02""#);
    for (old, new) in [
        (
            format!(r#"{},"proto":"0x8899"}}"#, macs("src", "dst")),
            format!(r#"{},"proto":"other","ethertype":34969}}"#, macs("eth_src", "eth_dst")),
        ),
        (
            format!(r#"{},{},"proto":"lldp"}}"#, macs("eth_src", "eth_dst"), macs("src", "dst")),
            format!(r#"{},"proto":"lldp"}}"#, macs("eth_src", "eth_dst")),
        ),
        (
            r#""link":"ieee802.11","dst":"02:00:00:00:00:01","proto":"wlan"}"#.to_owned(),
            r#""link":"ieee802.11","eth_dst":"02:00:00:00:00:01","proto":"wlan"}"#.to_owned(),
        ),
        (
            r#""link":"linktype-147","proto":"linktype-147","err":["unsupported"]}"#.to_owned(),
            r#""link":"linktype-147","proto":"other","linktype":147,"err":["unsupported"]}"#
                .to_owned(),
        ),
        (
            r#""src":"10.0.0.1","proto":"ip-proto-253","ttl":64}"#.to_owned(),
            r#""src":"10.0.0.1","proto":"other","ip_proto":253,"ttl":64}"#.to_owned(),
        ),
        (
            r#""proto":"tcp","sni":"a","host":"b","quic":"0x00000001"}"#.to_owned(),
            r#""proto":"tcp","sni":"a","http_host":"b","quic":"0x00000001"}"#.to_owned(),
        ),
    ] {
        let (old, new) = (format!("{START}{old}"), format!("{START}{new}\n"));
        let Ok(Record::Packet(packet)) = parse(old.as_bytes()) else { panic!("{old}") };
        assert_eq!(String::from_utf8(written(&packet)).unwrap(), new);
        let [old, new] = [&old, &new].map(|line| {
            let (excerpt, _) = ExcerptReader::default().read(line.as_bytes()).unwrap();
            let proto = str::from_utf8(excerpt.proto).unwrap();
            (excerpt.src, excerpt.dst, Proto::from_fields(proto, excerpt.proto_number))
        });
        assert_eq!(old, new, "from the fast path");
    }
}
