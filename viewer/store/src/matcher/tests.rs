use super::*;
use crate::columns::BLOCK_LEN;
use crate::findings::Findings;
use flow::{Marks, Reset, Retransmission};
use proptest::prelude::*;
use summary::{Address, Direction, DnsCode, LinkType, Packet, Proto, Summary, Timestamp};
use viewer_model::filter::{Context, parse, strategies::exprs};

/// Five packets without common values.
fn columns() -> Columns {
    with_extra(columns_after(0), 0)
}

/// Adds columns to the five packets that `before` others precede.
fn with_extra(mut columns: Columns, before: usize) -> Columns {
    let fields = ["seq", "sni", "eth_src", "eth_dst"].map(|name| match Field::parse(name) {
        Some(Field::Extra(field)) => field,
        other => panic!("{name}: {other:?}"),
    });
    let [mut seq, mut sni, mut eth_src, mut eth_dst] = fields.map(|_| ExtraColumn::default());
    for (row, number) in [(0, 0), (1, u32::MAX), (3, 70_000)] {
        seq.set_number(before + row, number);
    }
    sni.set_text(before, "a.Example");
    sni.set_text(before + 2, "b.example");
    for row in 0..3 {
        eth_src.set_text(before + row, ["02:00:00:00:00:01", "02:00:00:00:00:02"][row % 2]);
        eth_dst.set_text(before + row, "02:00:00:00:00:09");
    }
    let all = [seq, sni, eth_src, eth_dst];
    columns.add_extra(fields.into_iter().zip(all).collect(), &[]);
    columns
}

/// The same packets after `count` packets with timestamp 0.
fn columns_after(count: usize) -> Columns {
    let mut columns = Columns::default();
    for _ in 0..count {
        let summary = Summary::new(LinkType::ETHERNET, 1, 1);
        columns.push(&Packet::new(0, Timestamp::from_ns(0), summary), 0).unwrap();
    }
    let mut add =
        |n: u64, len, proto: &'static str, src: &str, dst: &str, ports: Option<(u16, u16)>| {
            let mut summary = Summary::new(LinkType::ETHERNET, len, len);
            summary.proto = Proto::parse(proto);
            let mac = |text: &str| match Address::parse(text.as_bytes()) {
                Some(Address::Mac(mac)) => Some(mac),
                _ => None,
            };
            (summary.eth_src, summary.eth_dst) = (mac(src), mac(dst));
            (summary.src, summary.dst) = (src.parse().ok(), dst.parse().ok());
            (summary.sport, summary.dport) = (ports.map(|p| p.0), ports.map(|p| p.1));
            summary.ttl = ports.map(|_| 64);
            summary.tcp.flags = (proto == "tcp").then_some(0x12);
            if n == 4 {
                assert!(summary.vlan.push(7) && summary.vlan.push(9));
            }
            let ts = Timestamp::from_ns(
                1_795_521_600_000_000_000 + i64::try_from(n * n).unwrap() * 1_000_000_000,
            );
            let mut packet = Packet::new(n, ts, summary);
            packet.interface = Some(if n < 3 { "eth0" } else { "lo" }.into());
            packet.direction = (n != 5).then_some(Direction::In);
            columns.push(&packet, n * 100).unwrap();
        };
    add(1, 60, "tcp", "10.0.0.1", "10.1.0.1", Some((40_000, 80)));
    add(2, 1514, "tcp", "10.1.0.1", "10.0.0.1", Some((80, 40_000)));
    add(3, 90, "udp", "fe80::1", "ff02::fb", Some((5353, 5353)));
    add(4, 42, "arp", "10.0.0.9", "10.0.0.1", None);
    add(5, 64, "0x8899", "02:00:00:00:00:01", "01:80:c2:00:00:0e", None);
    columns
}

fn context() -> Context {
    Context { first_ns: 1_795_521_601_000_000_000, ..Context::default() }
}

/// Numbers of the packets that match.
fn matching(text: &str) -> Vec<usize> {
    let columns = columns();
    let expr = parse(text, &context()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let mut rows = Rows::new(&columns, None);
    rows.load(0);
    let matching = match expr {
        Some(expr) => {
            Matcher::new(&expr, &columns, File { name: "a.ndjson", start_ns: 0 }).find(&mut rows)
        }
        None => rows.all(),
    };
    (1..=5).filter(|n| matching.contains(n - 1)).collect()
}

#[test]
fn filters_match_the_expected_packets() {
    for (text, expected) in [
        ("", &[1, 2, 3, 4, 5][..]),
        ("proto == tcp", &[1, 2]),
        ("proto == TCP", &[1, 2]),
        ("proto in {Tcp, UDP}", &[1, 2, 3]),
        ("proto != TCP", &[3, 4, 5]),
        ("proto contains C", &[1, 2]),
        ("proto contains {rp, dp, 88}", &[3, 4, 5]),
        ("if contains TH", &[1, 2]),
        ("proto == other", &[5]),
        ("proto == 0x8899", &[5]),
        ("proto != other", &[1, 2, 3, 4]),
        ("proto in {Other, arp}", &[4, 5]),
        ("not proto contains other", &[1, 2, 3, 4]),
        ("ip.addr == 10.0.0.1", &[1, 2]),
        ("ip.addr != 10.0.0.1", &[]),
        ("ip", &[1, 2]),
        ("ip6", &[3]),
        ("ip.ttl == 64", &[1, 2]),
        ("ipv6.hlim == 64", &[3]),
        ("host 10.0.0.1", &[1, 2, 4]),
        ("tcp.port == 80", &[1, 2]),
        ("udp.port == 80", &[]),
        ("tcp.flags.syn == 1 && tcp.flags.ack == 1", &[1, 2]),
        ("tcp.flags.syn == 0", &[]),
        ("tcp.flags.reset == 0", &[1, 2]),
        ("tcp.flags & 0x02", &[1, 2]),
        ("tcp.flags & 0x12 == 0x12", &[1, 2]),
        ("tcp.flags & 0x12 != 0x12", &[]),
        ("seq", &[1, 2, 4]),
        ("seq == 0", &[1]),
        ("seq != 0", &[2, 4]),
        ("seq >= 70000", &[2, 4]),
        ("seq in {0, 4294967295}", &[1, 2]),
        ("not seq", &[3, 5]),
        ("ack", &[]),
        ("sni == A.EXAMPLE", &[1]),
        ("sni contains example", &[1, 3]),
        ("sni != a.example", &[3]),
        ("tag_site == x", &[]),
        ("eth.src == 02:00:00:00:00:02", &[2]),
        ("eth.addr == 02:00:00:00:00:09", &[1, 2, 3]),
        ("eth.addr != 02:00:00:00:00:01", &[2]),
        ("ether src 02:00:00:00:00:01", &[1, 3]),
        ("proto = tcp and dport in {80, 443}", &[1]),
        ("proto in {tcp udp}", &[1, 2, 3]),
        ("proto != tcp", &[3, 4, 5]),
        ("len > 60", &[2, 3, 5]),
        ("len >= 60 && len < 90", &[1, 5]),
        ("len in 42..64", &[1, 4, 5]),
        ("len in {42..60, 1514}", &[1, 2, 4]),
        ("src == 10.0.0.1", &[1]),
        ("src in 10.0.0.0/24", &[1, 4]),
        ("host in 10.0.0.0/24", &[1, 2, 4]),
        ("host == 10.1.0.1", &[1, 2]),
        ("host != 10.1.0.1", &[3, 4, 5]),
        ("src in 0.0.0.0/0", &[1, 2, 4]),
        ("src in ::/0", &[3]),
        ("src in 10.0.0.1..10.0.0.8", &[1]),
        ("dst == FF02::FB", &[3]),
        ("src == 02:00:00:00:00:01", &[5]),
        ("dport", &[1, 2, 3]),
        ("not dport", &[4, 5]),
        ("dport != 80", &[2, 3]),
        ("not dport == 80", &[2, 3, 4, 5]),
        ("port == 80", &[1, 2]),
        ("port != 80", &[3]),
        ("ttl == 64", &[1, 2, 3]),
        ("flags == SA", &[1, 2]),
        ("flags has A", &[1, 2]),
        ("flags has F", &[]),
        ("flags", &[1, 2]),
        ("vlan", &[4]),
        ("vlan == 9", &[4]),
        ("vlan != 9", &[]),
        ("vlan != 8", &[4]),
        ("if == eth0", &[1, 2]),
        ("if != \"eth0\"", &[3, 4, 5]),
        ("dir == in", &[1, 2, 3, 4]),
        ("dir", &[1, 2, 3, 4]),
        ("file == a.ndjson and n <= 2", &[1, 2]),
        ("file != a.ndjson", &[]),
        ("gap > 3s", &[3, 4, 5]),
        ("gap == 3s or gap == 5000ms", &[2, 3]),
        ("gap in 2.5s..5s", &[2, 3]),
        ("gap", &[2, 3, 4, 5]),
        ("ts < 12:00:04", &[1]),
        ("ts in 12:00:04..12:00:09", &[2, 3]),
        ("ts >= 2026-11-24T12:00:16Z", &[4, 5]),
        ("proto == tcp or proto == arp and len == 60", &[1, 2]),
        ("(proto == tcp or proto == arp) and len != 60", &[2, 4]),
        ("not (n == 1 or n == 2)", &[3, 4, 5]),
        ("!n==1", &[2, 3, 4, 5]),
        ("lasso(n, len, 1 0, 5 0, 5 100, 1 100)", &[1, 3, 4]),
        ("lasso(n, log len, 2 1000, 3 10000, 1 10000)", &[2]),
    ] {
        assert_eq!(matching(text), expected, "{text}");
    }
}

/// Findings of five packets, after `before` others.
fn with_findings(mut columns: Columns, before: usize) -> Columns {
    let fast = Marks { rtx: Some(Retransmission::Fast), is_dup_ack: true, ..Marks::default() };
    let spurious = Marks {
        rtx: Some(Retransmission::Spurious),
        rtt_us: Some(0),
        unseen_bytes: Some(u32::MAX),
        ..Marks::default()
    };
    let rtt = Marks { rtt_us: Some(20_000), reset: Some(Reset::NoData), ..Marks::default() };
    let response = |code| Marks { dns_code: Some(DnsCode(code)), ..Marks::default() };
    let mut findings = Findings::default();
    for (row, marks) in [fast, spurious, rtt, response(3841), response(0)].iter().enumerate() {
        findings.push(before + row, marks);
    }
    columns.set_findings(findings);
    columns
}

#[test]
fn findings_match_the_expected_packets() {
    for (text, expected) in [
        ("rtx", &[1, 2][..]),
        ("rtx == FAST", &[1]),
        ("rtx != fast", &[2]),
        ("rtx in {spurious, timeout}", &[2]),
        ("rtx contains s", &[1, 2]),
        ("not rtx", &[3, 4, 5]),
        ("dup_ack", &[1]),
        ("dup_ack == true", &[1]),
        ("dup_ack != true", &[]),
        ("ooo or zero_window or window_full or keep_alive", &[]),
        ("unseen == 4294967295", &[2]),
        ("rtt_us", &[2, 3]),
        ("rtt_us < 20000", &[2]),
        ("rtt_us != 0", &[3]),
        ("rtt_us in {1..30000}", &[3]),
        ("tcp.analysis.retransmission", &[1, 2]),
        ("reset != refused", &[3]),
        ("reset == refused", &[]),
        ("dns_rcode", &[4, 5]),
        ("dns_rcode != noerror", &[4]),
        ("dns_rcode == rcode3841", &[4]),
        ("dns_rcode in {NOERROR, NXDOMAIN}", &[5]),
        ("dns_rcode == NXDOMAIN", &[]),
    ] {
        let expr = parse(text, &context()).unwrap().unwrap();
        let later = with_findings(columns_after(BLOCK_LEN + 3), BLOCK_LEN + 3);
        for (columns, block, before) in [(with_findings(columns(), 0), 0, 0), (later, 1, 3)] {
            let mut rows = Rows::new(&columns, None);
            rows.load(block);
            let found = Matcher::new(&expr, &columns, File::default()).find(&mut rows);
            let found = (1..=5).filter(|n| found.contains(before + n - 1));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
        }
    }
}

#[test]
fn findings_replace_the_fields_of_lines() {
    let Some(Field::Extra(rtx)) = Field::parse("rtx") else { panic!() };
    let mut columns = columns();
    assert!(!columns.has_extra(rtx));
    let mut lines = ExtraColumn::default();
    lines.set_text(4, "fast");
    columns.add_extra(vec![(rtx, lines)], &[]);
    let columns = with_findings(columns, 0);
    assert!(columns.has_extra(rtx) && columns.extra_index(rtx).is_none());
}

proptest! {
    #[test]
    fn results_do_not_depend_on_the_block(expr in exprs()) {
        let matching = |columns: &Columns, block, before_ns| {
            let mut rows = Rows::new(columns, before_ns);
            rows.load(block);
            Matcher::new(&expr, columns, File::default()).find(&mut rows)
        };
        let later = with_extra(columns_after(BLOCK_LEN), BLOCK_LEN);
        prop_assert_eq!(matching(&columns(), 0, Some(0)), matching(&later, 1, None));
    }
}
