//! Flows of any segments.

use flow::{Endpoint, Flow, FlowTable, Limits, Observation};
use std::net::Ipv4Addr;
use summary::{LinkType, PayloadNames, Proto, Summary, TcpOptions, Timestamp};

/// Bytes of a packet in the input, before its options.
const PACKET_LEN: usize = 12;

/// The sums of all flows are those of all packets, the number of flows has a limit, and another order of
/// the addresses gives the same marks.
///
/// Input: packets of 12 bytes: host and direction, flags, time since the packet before in units of 50 ms,
/// sequence number (16 bits), acknowledgment number (16 bits), payload length (16 bits), window (16 bits),
/// length of the options; then the options.
pub(crate) fn flows(input: &[u8]) {
    let limits = Limits {
        max_flows: 3,
        idle_ns: 2_000_000_000,
        idle_tcp_ns: 5_000_000_000,
        active_ns: 1_000_000_000,
        linger_ns: 500_000_000,
    };
    let (mut flows, mut mirrored) = (FlowTable::new(limits), FlowTable::new(Limits::default()));
    let mut unlimited = FlowTable::new(Limits::default());
    let (mut expected, mut sums) = ([0; 3], [0; 3]);
    let mut add_flow = |flow: &Flow<'_>, _| {
        for counts in flow.counts() {
            add(&mut sums, [counts.packets, counts.bytes, counts.payload]);
        }
    };
    let (mut rest, mut ns) = (input, 0);
    while let Some((packet, after)) = rest.split_first_chunk::<PACKET_LEN>() {
        let len = usize::from(packet[11]).min(40).min(after.len());
        rest = &after[len..];
        ns += i64::from(packet[2]) * 50_000_000;
        let packet = observation(packet, &after[..len], ns);
        add(&mut expected, [1, packet.len.into(), packet.payload.into()]);
        flows.add(&packet, &mut add_flow);
        assert!(flows.len() <= limits.max_flows);
        let marks = unlimited.add(&packet, &mut |_, _| ());
        let mirror = Observation { src: mirror(packet.src), dst: mirror(packet.dst), ..packet };
        assert_eq!(mirrored.add(&mirror, &mut |_, _| ()), marks);
    }
    assert!(flows.evicted() <= expected[0]);
    flows.finish(&mut add_flow);
    assert_eq!(sums, expected);
}

fn add(sums: &mut [u64; 3], values: [u64; 3]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// Moves an endpoint to the other end of the order.
fn mirror(end: Endpoint) -> Endpoint {
    let mirrored = |port: u16| u16::MAX - port;
    Endpoint { port: end.port.map(mirrored), ..end }
}

fn observation(packet: &[u8; PACKET_LEN], options: &[u8], ns: i64) -> Observation {
    let number = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let [host, flags, ..] = *packet;
    let mut summary = Summary::new(LinkType::RAW, 1_500, 1_500);
    let hosts = [Ipv4Addr::new(10, 0, 0, 1).into(), Ipv4Addr::new(10, 0, 0, 1).into()];
    let ports = [50_000 + u16::from(host >> 1 & 3), 443];
    let from = usize::from(host & 1);
    (summary.src, summary.sport) = (Some(hosts[from]), Some(ports[from]));
    (summary.dst, summary.dport) = (Some(hosts[1 - from]), Some(ports[1 - from]));
    summary.proto = Proto::parse(if host & 0x80 == 0 { "tcp" } else { "udp" });
    summary.payload = Some(number(7).into());
    // Numbers around the wrap.
    let sequence = |at: usize| u32::from(number(at)).wrapping_sub(0x8000);
    summary.tcp.flags = Some(flags);
    summary.tcp.seq = Some(sequence(3));
    summary.tcp.ack = (flags & 0x10 != 0).then(|| sequence(5));
    summary.tcp.win = Some(number(9));
    let ts = Timestamp::from_ns(ns);
    let names = PayloadNames::default();
    Observation::new(ts, None, &summary, &TcpOptions::parse(options), &names)
}
