//! The memory of flows: all bytes that the table allocates, with its index and unused entries.

use allocation_counter::{AllocationInfo, measure};
use flow::{DnsMessage, Endpoint, FlowTable, Limits, Observation, Segment};
use std::ops::Range;
use summary::{Address, DnsCode, Proto, TcpOptions, Timestamp, VlanIds};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// Numbers of flows: from one growth of the index to the next.
const FLOWS: [u32; 4] = [33_000, 38_000, 43_000, 49_000];

/// The bytes that a flow may take.
const MAX_BYTES: u64 = 200;

/// The addresses of a flow.
#[derive(Clone, Copy, Debug)]
enum Family {
    V4,
    V6,
}

/// The ends of a flow with this number.
fn ends(family: Family, number: u32) -> [Endpoint; 2] {
    let [a, b, c, d] = number.to_be_bytes();
    let address = |last: u8| match family {
        Family::V4 => Address::V4(if last == 1 { [a | 16, b, c, d] } else { [10, 0, 0, last] }),
        Family::V6 => Address::V6([32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, a, b, c, d, last]),
    };
    [(1, 50_000), (2, 443)]
        .map(|(last, port)| Endpoint { address: Some(address(last)), port: Some(port) })
}

/// A packet from end `from` without payload.
fn packet(ends: [Endpoint; 2], from: usize, ns: i64, proto: Proto<'static>) -> Observation {
    Observation {
        ts: Timestamp::from_ns(ns),
        interface: None,
        vlan: VlanIds::default(),
        tunnel: None,
        proto,
        src: ends[from],
        dst: ends[1 - from],
        len: 60,
        is_ce: false,
        payload: 0,
        segment: None,
        dns: None,
        names: None,
    }
}

/// A segment from end `from`. `header` has flags, sequence and acknowledgment number.
fn segment(
    ends: [Endpoint; 2],
    from: usize,
    ns: i64,
    header: (u8, u32, u32),
    payload: u32,
) -> Observation {
    let (flags, seq, ack) = header;
    let ack = (flags & ACK != 0).then_some(ack);
    let options =
        TcpOptions::parse(&[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7]);
    let segment = Segment { seq, ack, flags, win: 64_000, options };
    Observation { payload, segment: Some(segment), ..packet(ends, from, ns, Proto::TCP) }
}

fn syn(family: Family, number: u32) -> Observation {
    segment(ends(family, number), 0, time(number), (SYN, 100, 0), 0)
}

/// A connection that asked and got an answer; both sides acknowledged everything.
fn connection(ends: [Endpoint; 2], ns: i64) -> Vec<Observation> {
    vec![
        segment(ends, 0, ns, (SYN, 100, 0), 0),
        segment(ends, 1, ns + 10, (SYN | ACK, 500, 101), 0),
        segment(ends, 0, ns + 20, (ACK, 101, 501), 0),
        segment(ends, 0, ns + 30, (ACK, 101, 501), 400),
        segment(ends, 1, ns + 40, (ACK, 501, 501), 1_000),
        segment(ends, 0, ns + 50, (ACK, 501, 1_501), 0),
    ]
}

fn dns(family: Family, number: u32) -> Vec<Observation> {
    let message = |from, code, time_us| {
        let dns = Some(DnsMessage { code, time_us });
        Observation { dns, ..packet(ends(family, number), from, time(number), Proto::UDP) }
    };
    vec![message(0, None, None), message(1, Some(DnsCode(0)), Some(10))]
}

fn time(number: u32) -> i64 {
    i64::from(number) * 100
}

/// The largest number of bytes per flow, for some numbers of flows.
fn bytes_per_flow(packets: impl Fn(u32) -> Vec<Observation>) -> u64 {
    let bytes = FLOWS.map(|flows| {
        let mut table = None;
        let AllocationInfo { bytes_current, .. } = measure(|| {
            let table = table.insert(FlowTable::new(Limits::default()));
            for packet in (0..flows).flat_map(&packets) {
                table.add(&packet, &mut |_, _| panic!("no flow ends"));
            }
        });
        let counted = table.as_ref().map_or(0, FlowTable::len);
        assert_eq!(counted, flows as usize);
        u64::try_from(bytes_current).expect("bytes are allocated").div_ceil(flows.into())
    });
    bytes.into_iter().max().unwrap_or(u64::MAX)
}

#[test]
fn syn_takes_at_most_200_bytes() {
    for family in [Family::V4, Family::V6] {
        let bytes = bytes_per_flow(|number| vec![syn(family, number)]);
        assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    }
}

#[test]
fn connection_takes_at_most_200_bytes() {
    for family in [Family::V4, Family::V6] {
        let bytes = bytes_per_flow(|number| connection(ends(family, number), time(number)));
        assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    }
}

/// Data that is not acknowledged yet.
#[test]
fn measurement_takes_16_bytes_while_it_lasts() {
    let bytes = |has_data| {
        bytes_per_flow(|number| {
            let (ends, ns) = (ends(Family::V4, number), time(number));
            let mut packets = connection(ends, ns);
            if has_data {
                packets.push(segment(ends, 0, ns + 60, (ACK, 501, 1_501), 400));
            }
            packets
        })
    };
    let (bytes, less) = (bytes(true), bytes(false));
    assert!((15..=17).contains(&(bytes - less)) && bytes <= MAX_BYTES, "{bytes} and {less} bytes");
}

#[test]
fn dns_takes_at_most_200_bytes() {
    for family in [Family::V4, Family::V6] {
        let bytes = bytes_per_flow(|number| dns(family, number));
        assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    }
}

/// Of ten flows: four DNS queries, three connections, two SYNs without answer, and one QUIC connection; a
/// third has IPv6.
#[test]
fn average_flow_takes_at_most_200_bytes() {
    let bytes = bytes_per_flow(|number| {
        let family = if number % 3 == 0 { Family::V6 } else { Family::V4 };
        let (ends, ns) = (ends(family, number), time(number));
        match number % 10 {
            0..4 => dns(family, number),
            4..7 => connection(ends, ns),
            7..9 => vec![syn(family, number)],
            _ => vec![packet(ends, 0, ns, Proto::UDP)],
        }
    });
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
}

/// A SYN flood, also with refusals, allocates nothing once the table is full.
#[test]
fn floods_take_the_memory_of_a_full_table() {
    let mut table = FlowTable::new(Limits { max_flows: 10_000, ..Limits::default() });
    let mut add = |range: Range<u32>| {
        let allocated = measure(|| {
            for number in range {
                table.add(&syn(Family::V4, number), &mut |_, _| ());
                if number % 2 == 0 {
                    let ends = ends(Family::V4, number);
                    let refusal = segment(ends, 1, time(number), (RST | ACK, 0, 101), 0);
                    table.add(&refusal, &mut |_, _| ());
                }
            }
        });
        (allocated.bytes_current, allocated.count_total)
    };
    assert_ne!(add(0..40_000), (0, 0));
    assert_eq!(add(40_000..100_000), (0, 0));
    assert_eq!(table.len(), 10_000);
}

/// The memory of flows that ended is used again, whatever they had.
#[test]
fn ended_flows_free_their_memory() {
    let limits = Limits { max_flows: 1_000, linger_ns: 0, ..Limits::default() };
    let mut table = FlowTable::new(limits);
    let mut add = |range: Range<u32>| {
        let allocated = measure(|| {
            for number in range {
                let family = if number % 2 == 0 { Family::V6 } else { Family::V4 };
                let (ends, ns) = (ends(family, number), time(number));
                let mut packets = connection(ends, ns);
                // A retransmission, and the end.
                packets.push(segment(ends, 0, ns + 60, (ACK, 101, 1_501), 400));
                packets.push(segment(ends, 0, ns + 70, (FIN | ACK, 501, 1_501), 0));
                packets.push(segment(ends, 1, ns + 80, (FIN | ACK, 1_501, 502), 0));
                packets.push(segment(ends, 0, ns + 90, (ACK, 502, 1_502), 0));
                for packet in packets {
                    table.add(&packet, &mut |_, _| ());
                }
            }
        });
        allocated.bytes_current
    };
    assert_ne!(add(0..5_000), 0);
    assert_eq!(add(5_000..20_000), 0);
}
