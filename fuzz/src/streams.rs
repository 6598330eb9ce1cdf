//! Packets of connections, in which names are found together.

use crate::packets::check_line;
use reassembly::{DnsTracker, FoundDns, NameTracker};
use std::net::Ipv4Addr;
use summary::{LinkType, Packet, Proto, Summary, Timestamp};

/// Names depend only on the packets of the same interface, DNS messages are found without the other names, the
/// number of evicted connections is at most that of packets, and lines with the names parse back.
///
/// Input: packets. The bits of the first byte select TCP, the port of DNS, the opposite direction, SYN and
/// RST. A byte with the sequence number, the length of the payload (16 bits, big-endian) and the payload
/// follow.
pub(crate) fn streams(input: &[u8]) {
    let (mut alone, mut mixed) = (NameTracker::new(true), NameTracker::new(true));
    let mut dns = DnsTracker::default();
    let (mut rest, mut count) = (input, 0);
    while let [bits, seq, len_high, len_low, after @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low])).min(after.len());
        let payload = &after[..len];
        rest = &after[len..];
        count += 1;
        let summary = summary(*bits, *seq, payload);
        let ts = Timestamp::from_ns(count * 1_000);
        let names = alone.parse(ts, Some("a"), &summary, payload).into_owned();
        let expected = FoundDns { code: names.dns_rcode, time_us: names.dns_time_us };
        assert_eq!(dns.find(ts, Some("a"), &summary, payload), expected);
        for interface in ["a", "b"] {
            assert_eq!(mixed.parse(ts, Some(interface), &summary, payload), names);
        }
        check_line(&Packet { names, ..Packet::new(1, ts, summary) });
    }
    assert!(i64::try_from(alone.evicted()).is_ok_and(|evicted| evicted <= count));
}

fn summary(bits: u8, seq: u8, payload: &[u8]) -> Summary<'static> {
    let is_set = |bit: u8| bits & 1 << bit != 0;
    let mut summary = Summary::new(LinkType::ETHERNET, 0, 0);
    summary.proto = Proto::parse(if is_set(0) { "tcp" } else { "udp" });
    let client = (Ipv4Addr::new(10, 0, 0, 1).into(), 50_000);
    let server = (Ipv4Addr::new(10, 0, 0, 2).into(), if is_set(1) { 53 } else { 443 });
    let (from, to) = if is_set(2) { (server, client) } else { (client, server) };
    (summary.src, summary.sport) = (Some(from.0), Some(from.1));
    (summary.dst, summary.dport) = (Some(to.0), Some(to.1));
    summary.payload = u32::try_from(payload.len()).ok();
    if is_set(0) {
        summary.tcp.flags = Some(0x10 | u8::from(is_set(3)) << 1 | u8::from(is_set(4)) << 2);
        summary.tcp.seq = Some(seq.into());
    }
    summary
}
