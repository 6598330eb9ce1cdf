//! Flows of written connections.

mod laws;
mod tcp;

use crate::{EndReason, Endpoint, Flow, FlowTable, Limits, Marks, Observation, Segment};
use summary::{Address, Proto, TcpOptions, Timestamp, VlanIds};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

const MS: i64 = 1_000_000;

fn endpoint(host: u8, port: u16) -> Endpoint {
    Endpoint { address: Some(Address::V4([10, 0, 0, host])), port: Some(port) }
}

/// A segment between a client and a server without payload, with a window of 1,000 bytes.
fn segment(ns: i64, from_client: bool, flags: u8, seq: u32, ack: u32) -> Observation {
    let (client, server) = (endpoint(1, 50_000), endpoint(2, 80));
    let (src, dst) = if from_client { (client, server) } else { (server, client) };
    let ack = (flags & ACK != 0).then_some(ack);
    let options = TcpOptions::default();
    Observation {
        ts: Timestamp::from_ns(ns),
        interface: None,
        vlan: VlanIds::default(),
        tunnel: None,
        proto: Proto::TCP,
        src,
        dst,
        len: 60,
        is_ce: false,
        payload: 0,
        segment: Some(Segment { seq, ack, flags, win: 1_000, options }),
        dns: None,
        names: None,
    }
}

fn data(ns: i64, from_client: bool, seq: u32, len: u32, ack: u32) -> Observation {
    Observation { payload: len, len: 60 + len, ..segment(ns, from_client, ACK, seq, ack) }
}

fn with(mut packet: Observation, change: impl FnMut(&mut Segment)) -> Observation {
    packet.segment.iter_mut().for_each(change);
    packet
}

/// The handshake from 0 to 10 ms: the client's next number is 101, the server's 501.
fn handshake() -> [Observation; 3] {
    [
        segment(0, true, SYN, 100, 0),
        segment(9 * MS, false, SYN | ACK, 500, 101),
        segment(10 * MS, true, ACK, 101, 501),
    ]
}

/// The marks of packets after a handshake.
fn marks_after_handshake(packets: &[Observation]) -> Vec<Marks> {
    let mut flows = FlowTable::new(Limits::default());
    for packet in handshake() {
        flows.add(&packet, &mut |_, _| panic!("no flow ends"));
    }
    packets.iter().map(|packet| flows.add(packet, &mut |_, _| ())).collect()
}

/// Why the flows of packets end, and their packets.
fn reports(limits: Limits, packets: &[Observation]) -> Vec<(EndReason, u64)> {
    let mut ended = Vec::new();
    let mut on_end = |flow: &Flow<'_>, reason| {
        ended.push((reason, flow.counts().iter().map(|counts| counts.packets).sum()));
    };
    let mut flows = FlowTable::new(limits);
    for packet in packets {
        flows.add(packet, &mut on_end);
    }
    flows.finish(&mut on_end);
    ended
}

#[test]
fn connections_end_with_fin_and_rst() {
    let mut closed = handshake().to_vec();
    closed.extend([
        segment(20 * MS, true, FIN | ACK, 101, 501),
        segment(21 * MS, false, FIN | ACK, 501, 102),
        segment(22 * MS, true, ACK, 102, 502),
    ]);
    assert_eq!(reports(Limits::default(), &closed), [(EndReason::Fin, 6)]);
    // Late packets belong to the connection for two seconds.
    closed.extend([
        segment(1_000 * MS, true, ACK, 102, 502),
        segment(9_000 * MS, true, ACK, 102, 502),
    ]);
    assert_eq!(reports(Limits::default(), &closed), [(EndReason::Fin, 7), (EndReason::End, 1)]);
    let refused = [segment(0, true, SYN, 100, 0), segment(1, false, RST | ACK, 0, 101)];
    assert_eq!(reports(Limits::default(), &refused), [(EndReason::Rst, 2)]);
}

#[test]
fn other_sequence_number_of_a_syn_begins_another_connection() {
    let again = [segment(20 * MS, true, SYN, 100, 0), segment(30 * MS, true, SYN, 900, 0)];
    let packets = [&handshake()[..], &again].concat();
    assert_eq!(reports(Limits::default(), &packets), [(EndReason::Reused, 4), (EndReason::End, 1)]);
}

#[test]
fn time_and_number_of_flows_are_limited() {
    let mut packets = handshake().to_vec();
    packets.push(segment(200_000 * MS, true, ACK, 101, 501));
    let limits = Limits { idle_tcp_ns: 120_000 * MS, ..Limits::default() };
    assert_eq!(reports(limits, &packets), [(EndReason::Timeout, 3), (EndReason::End, 1)]);
    let limits = Limits { active_ns: 9 * MS, ..limits };
    let expected = [(EndReason::Active, 1), (EndReason::Timeout, 2), (EndReason::End, 1)];
    assert_eq!(reports(limits, &packets), expected);

    let other = Observation { src: endpoint(3, 1), ..segment(11 * MS, true, ACK, 0, 0) };
    let packets = [&handshake()[..], &[other]].concat();
    let limits = Limits { max_flows: 1, ..Limits::default() };
    assert_eq!(reports(limits, &packets), [(EndReason::Evicted, 3), (EndReason::End, 1)]);
}

#[test]
fn source_is_the_client_even_if_the_answer_comes_first() {
    let [_, answer, last] = handshake();
    let mut flows = FlowTable::new(Limits::default());
    flows.add(&answer, &mut |_, _| ());
    flows.add(&last, &mut |_, _| ());
    flows.finish(&mut |flow, _| {
        assert_eq!((flow.source(), flow.destination()), (endpoint(1, 50_000), endpoint(2, 80)));
        assert_eq!(flow.counts().map(|counts| counts.packets), [1, 1]);
        assert_eq!(flow.handshake_us(), None);
    });
}

#[test]
fn only_connections_in_use_wait_for_keep_alives() {
    let later = |ms: i64| segment(10 * MS + ms * MS, true, ACK, 100, 501);
    // Linux sends the first keep-alive after two hours.
    let kept = [&handshake()[..], &[later(7_200_000)]].concat();
    assert_eq!(reports(Limits::default(), &kept), [(EndReason::End, 4)]);
    let lost = [&handshake()[..], &[later(7_440_001)]].concat();
    let expected = [(EndReason::Timeout, 3), (EndReason::End, 1)];
    assert_eq!(reports(Limits::default(), &lost), expected);
    // Nobody answered.
    let unanswered = [segment(0, true, SYN, 100, 0), segment(120_001 * MS, true, SYN, 100, 0)];
    let expected = [(EndReason::Timeout, 1), (EndReason::End, 1)];
    assert_eq!(reports(Limits::default(), &unanswered), expected);
}

#[test]
fn full_table_evicts_the_flow_without_packets_for_the_longest_time() {
    let from = |ns, host| Observation { src: endpoint(host, 1), ..segment(ns, true, SYN, 0, 0) };
    let packets =
        [&handshake()[..], &[from(11 * MS, 3), from(12 * MS, 4), from(13 * MS, 5)]].concat();
    let limits = Limits { max_flows: 2, ..Limits::default() };
    let expected = [
        (EndReason::Evicted, 3),
        (EndReason::Evicted, 1),
        (EndReason::End, 1),
        (EndReason::End, 1),
    ];
    assert_eq!(reports(limits, &packets), expected);
}

#[test]
fn congestion_is_counted_by_direction_and_report() {
    let marked = |ms, from_client| Observation {
        is_ce: true,
        ..segment(ms * MS, from_client, ACK, 101, 501)
    };
    let mut counts = Vec::new();
    let mut flows = FlowTable::new(Limits { active_ns: 40 * MS, ..Limits::default() });
    let mut on_end = |flow: &Flow<'_>, _| counts.push(flow.counts().map(|counts| counts.ce));
    for packet in handshake() {
        flows.add(&packet, &mut on_end);
    }
    for packet in [marked(20, true), marked(30, true), marked(39, false), marked(41, false)] {
        flows.add(&packet, &mut on_end);
    }
    flows.finish(&mut on_end);
    assert_eq!(counts, [[2, 1], [0, 1]]);
}

#[test]
fn flows_are_listed_while_they_last() {
    let mut flows = FlowTable::new(Limits::default());
    for packet in handshake() {
        flows.add(&packet, &mut |_, _| panic!("no flow ends"));
    }
    let other = Observation { src: endpoint(9, 9), ..segment(11 * MS, true, SYN, 7, 0) };
    flows.add(&other, &mut |_, _| panic!("no flow ends"));
    let sources: Vec<_> = flows.iter().map(|flow| flow.source()).collect();
    assert_eq!(sources, [endpoint(9, 9), endpoint(1, 50_000)]);
}
