use super::*;
use crate::columns::Columns;
use crate::columns::tests::packet;
use crate::findings::Findings;
use crate::findings::tests::any_marks;
use crate::flow::{Flow, SyncCursor};
use crate::query::{Answer, Query, QueryKind};
use crate::shard::{Preceding, Shard};
use crate::tally::{RankBy, top};
use ::flow::Marks;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use summary::Tcp;
use viewer_model::filter::{Context, parse};
use viewer_model::selection::{Dimension, DimensionSet, Selection};
use viewer_model::time::Zone;

fn delta(protos: &[&str], addresses: &[u32], flows: &[(u32, u32, u16)]) -> FlowDelta {
    FlowDelta {
        protos: protos.iter().map(|name| (*name).to_owned()).collect(),
        addresses: addresses.iter().map(|bits| Address::V4(u32::to_be_bytes(*bits))).collect(),
        flows: flows.iter().map(|&(src, dst, proto)| Flow { src, dst, proto }).collect(),
    }
}

fn tally(part: usize, flow: u32, packets: u64, ts_ns: (i64, i64)) -> FlowTally {
    FlowTally {
        part,
        flow,
        ports: (None, None),
        tally: Tally { packets, bytes: packets * 100 },
        ts_ns,
        health: Health { resets: 1, ..Health::default() },
    }
}

fn id_tally(part: usize, id: u32, packets: u64) -> IdTally {
    IdTally { part, id, tally: Tally { packets, bytes: packets * 100 } }
}

#[test]
fn parts_with_different_ids_are_merged() {
    let mut flows = FlowTable::default();
    flows.apply(0, delta(&["tcp", "udp"], &[1, 2], &[(0, 1, 0), (1, 0, 0)]));
    flows.apply(1, delta(&["udp", "tcp"], &[2, 1], &[(1, 0, 0), (0, 1, 1)]));
    flows.apply(1, delta(&[], &[3], &[(2, NO_ADDRESS, 1)]));
    let tallies = [
        tally(0, 0, 5, (10, 20)),
        tally(0, 1, 3, (12, 15)),
        tally(1, 0, 1, (7, 7)),
        tally(1, 1, 2, (30, 40)),
    ];
    let by = RankBy::Packets;
    let addresses = [id_tally(0, 0, 5), id_tally(0, 1, 3), id_tally(1, 1, 1)];
    let ranked = top(&flows.by_address(&addresses), by, 9);
    let ranked: Vec<_> = ranked.into_iter().map(|(p, t)| (p, t.packets)).collect();
    assert_eq!(ranked, [(Address::V4([0, 0, 0, 1]), 6), (Address::V4([0, 0, 0, 2]), 3)]);
    let protos = [id_tally(0, 0, 8), id_tally(1, 1, 2), id_tally(1, 0, 1)];
    let protos = top(&flows.by_proto(&protos), by, 9);
    assert_eq!(
        protos.iter().map(|(n, t)| (*n, t.packets)).collect::<Vec<_>>(),
        [("tcp", 10), ("udp", 1)]
    );
    let conversations = flows.conversations(&tallies);
    assert_eq!(conversations.len(), 2);
    assert_eq!(
        (conversations[0].a_to_b.packets, conversations[0].b_to_a.packets, conversations[0].ts_ns),
        (5, 5, (10, 40))
    );
    assert_eq!(conversations[0].health.resets, 3);
    assert_eq!(conversations[0].rate(), Some(1000.0 * 8e9 / 30.0));
    assert_eq!((conversations[1].duration_ns(), conversations[1].rate()), (0, None));
    assert_eq!(
        flows.expr(conversations[0].pair).to_text(&Zone::Utc),
        "(src == 0.0.0.1 and dst == 0.0.0.2 or src == 0.0.0.2 and dst == 0.0.0.1) and proto == tcp"
    );
}

#[test]
fn endpoints_of_the_kept_parts_are_counted() {
    let mut flows = FlowTable::default();
    flows.apply(0, delta(&["tcp"], &[1, 2], &[(0, 1, 0)]));
    flows.apply(1, delta(&["tcp"], &[3, 4], &[(1, 0, 0)]));
    flows.drop_before(1);
    let mut found = flows.endpoints(&[tally(1, 0, 5, (10, 20))]);
    found.sort_by_key(|endpoint| endpoint.address);
    let sent: Vec<_> = found.iter().map(|one| (one.address, one.sent.packets)).collect();
    assert_eq!(sent, [(Address::V4([0, 0, 0, 3]), 0), (Address::V4([0, 0, 0, 4]), 5)]);
}

/// A packet by source, destination, ports, protocol, time and length.
type Plain = (Option<u8>, Option<u8>, Ports, usize, i64, u32);

const PROTOS: [&str; 2] = ["tcp", "udp"];

fn plain() -> impl Strategy<Value = Plain> {
    let (host, port) = (|| proptest::option::of(0u8..3), || proptest::option::of(0u16..3));
    (host(), host(), (port(), port()), 0usize..2, 0i64..50, 0u32..100)
}

fn address(host: u8) -> Address {
    Address::V4([10, 0, 0, host])
}

/// The page's table and the merged answer of two parts to a query for all packets.
fn ask(packets: &[Plain], cut: usize, kind: &QueryKind) -> (FlowTable, Vec<FlowTally>) {
    let (mut table, mut tallies) = (FlowTable::default(), Vec::new());
    let (front, back) = packets.split_at(cut);
    for (part, packets) in [front, back].into_iter().enumerate() {
        let mut columns = Columns::default();
        for &(src, dst, (sport, dport), proto, ts_ns, len) in packets {
            let mut packet = packet(1, ts_ns, len, PROTOS[proto]);
            let host = |host: u8| [10, 0, 0, host].into();
            (packet.summary.src, packet.summary.dst) = (src.map(host), dst.map(host));
            (packet.summary.sport, packet.summary.dport) = (sport, dport);
            columns.push(&packet, 0).unwrap();
        }
        table.apply(part, columns.flow_delta(&mut SyncCursor::default(), usize::MAX));
        let query = Query { kind: kind.clone(), dimensions: DimensionSet::EMPTY };
        let mut shard = Shard::new(part, "a".to_owned());
        let preceding = Preceding::default();
        let answers = shard.answer(&columns, preceding, &Selection::default(), &[query]);
        let Some(Answer::Flows(flows)) = answers.into_iter().next() else { panic!() };
        tallies.extend(flows);
    }
    (table, tallies)
}

/// Adds a packet to a sum and its time range.
fn count(sum: &mut (Tally, Tally, (i64, i64)), is_first: bool, ts_ns: i64, len: u32) {
    if *sum == Default::default() {
        sum.2 = (ts_ns, ts_ns);
    }
    if is_first { &mut sum.0 } else { &mut sum.1 }.add(Tally::of(len.into()));
    sum.2 = union(sum.2, (ts_ns, ts_ns));
}

proptest! {
    #[test]
    fn conversations_match_a_plain_count(
        packets in proptest::collection::vec(plain(), 0..60), cut: prop::sample::Index, by_ports: bool,
    ) {
        let kind = if by_ports { QueryKind::Connections } else { QueryKind::Conversations };
        let (table, tallies) = ask(&packets, cut.index(packets.len() + 1), &kind);
        let mut expected = BTreeMap::new();
        for &(src, dst, ports, proto, ts_ns, len) in &packets {
            let ports = if by_ports { ports } else { (None, None) };
            let (from, to) = ((src.map(address), ports.0), (dst.map(address), ports.1));
            // Missing addresses come first.
            let is_a_to_b = from <= to;
            let (a, b) = if is_a_to_b { (from, to) } else { (to, from) };
            count(expected.entry((a, b, PROTOS[proto])).or_default(), is_a_to_b, ts_ns, len);
        }
        let found = table.conversations(&tallies).into_iter().map(|conversation| {
            let EndpointPair { a, b, proto, ports } = conversation.pair;
            let key = ((a, ports.0), (b, ports.1), &table.protos()[proto as usize][..]);
            (key, (conversation.a_to_b, conversation.b_to_a, conversation.ts_ns))
        });
        let found: Vec<_> = found.collect();
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected);
    }

    #[test]
    fn endpoints_match_a_plain_count(
        packets in proptest::collection::vec(plain(), 0..60), cut: prop::sample::Index, by_ports: bool,
    ) {
        let kind = if by_ports { QueryKind::Connections } else { QueryKind::Conversations };
        let (table, tallies) = ask(&packets, cut.index(packets.len() + 1), &kind);
        let mut found = table.endpoints(&tallies);
        found.sort_by_key(|endpoint| endpoint.address);
        let expected = (0..3).map(address).filter_map(|address| {
            let is = |host: Option<u8>| host.map(self::address) == Some(address);
            let own: Vec<_> = packets.iter().filter(|packet| is(packet.0) || is(packet.1)).collect();
            let tally = |filter: &dyn Fn(&Plain) -> bool| {
                let mut tally = Tally::default();
                own.iter().filter(|p| filter(p)).for_each(|packet| tally.add(Tally::of(packet.5.into())));
                tally
            };
            let others = own.iter().flat_map(|packet| [packet.0, packet.1]).flatten();
            let peers: BTreeSet<_> = others.map(self::address).filter(|other| *other != address).collect();
            let times = own.iter().map(|packet| packet.4);
            Some(Endpoint {
                address,
                total: tally(&|_| true),
                sent: tally(&|packet| is(packet.0)),
                received: tally(&|packet| is(packet.1)),
                peers: u32::try_from(peers.len()).unwrap(),
                ts_ns: (times.clone().min()?, times.max()?),
            })
        });
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

/// A packet, whether it has RST, and its findings.
type Marked = (Plain, bool, Marks);

/// The page's table and the merged answer of two parts, for the last of several lower limits of the length.
fn ask_marked(
    packets: &[Marked],
    cut: usize,
    kind: &QueryKind,
    lens: &[u32],
) -> (FlowTable, Vec<FlowTally>) {
    let (mut table, mut tallies) = (FlowTable::default(), Vec::new());
    let (front, back) = packets.split_at(cut);
    for (part, packets) in [front, back].into_iter().enumerate() {
        let (mut columns, mut findings) = (Columns::default(), Findings::default());
        for (row, &((src, dst, (sport, dport), proto, ts_ns, len), is_reset, marks)) in
            packets.iter().enumerate()
        {
            let mut packet = packet(1, ts_ns, len, PROTOS[proto]);
            let host = |host: u8| [10, 0, 0, host].into();
            (packet.summary.src, packet.summary.dst) = (src.map(host), dst.map(host));
            (packet.summary.sport, packet.summary.dport) = (sport, dport);
            packet.summary.tcp.flags = is_reset.then_some(Tcp::RST | Tcp::ACK);
            columns.push(&packet, 0).unwrap();
            if marks != Marks::default() {
                findings.push(row, &marks);
            }
        }
        columns.set_findings(findings);
        table.apply(part, columns.flow_delta(&mut SyncCursor::default(), usize::MAX));
        let mut shard = Shard::new(part, "a".to_owned());
        let answers = lens.iter().map(|len| {
            let mut selection = Selection::default();
            let expr = parse(&format!("len >= {len}"), &Context::canonical()).unwrap();
            selection.set(Dimension::Size, expr);
            let query = Query { kind: kind.clone(), dimensions: selection.dimensions() };
            shard.answer(&columns, Preceding::default(), &selection, &[query]).remove(0)
        });
        let Some(Answer::Flows(flows)) = answers.last() else { panic!() };
        tallies.extend(flows);
    }
    (table, tallies)
}

proptest! {
    #[test]
    fn signs_of_trouble_match_a_plain_count(
        packets in proptest::collection::vec((plain(), any::<bool>(), any_marks()), 0..60),
        cut: prop::sample::Index, by_ports: bool, lens in proptest::collection::vec(0u32..100, 1..4),
    ) {
        let kind = if by_ports { QueryKind::Connections } else { QueryKind::Conversations };
        let (table, tallies) = ask_marked(&packets, cut.index(packets.len() + 1), &kind, &lens);
        let mut expected: BTreeMap<_, (u32, u32, u32, u32, u64)> = BTreeMap::new();
        for &((src, dst, ports, proto, _, len), is_reset, marks) in &packets {
            if len < lens[lens.len() - 1] {
                continue;
            }
            let ports = if by_ports { ports } else { (None, None) };
            let (from, to) = ((src.map(address), ports.0), (dst.map(address), ports.1));
            let key = (from.min(to), from.max(to), PROTOS[proto]);
            let sum = expected.entry(key).or_default();
            sum.0 += u32::from(is_reset);
            sum.1 += u32::from(marks.rtx.is_some());
            sum.2 += u32::from(marks.is_zero_window);
            sum.3 += u32::from(marks.handshake_us.is_some());
            sum.4 += u64::from(marks.handshake_us.unwrap_or(0));
        }
        let found = table.conversations(&tallies).into_iter().map(|conversation| {
            let EndpointPair { a, b, proto, ports } = conversation.pair;
            let key = ((a, ports.0), (b, ports.1), &table.protos()[proto as usize][..]);
            let Health { resets, retransmissions, zero_windows, handshakes, handshake_us } =
                conversation.health;
            (key, (resets, retransmissions, zero_windows, handshakes, handshake_us))
        });
        prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
    }
}

#[test]
fn connection_filters_refer_to_ports() {
    let packets = [(Some(1), Some(2), (Some(5), Some(443)), 0, 0, 60)];
    let (table, tallies) = ask(&packets, 1, &QueryKind::Connections);
    assert_eq!(
        table.expr(table.conversations(&tallies)[0].pair).to_text(&Zone::Utc),
        "(src == 10.0.0.1 and dst == 10.0.0.2 and sport == 5 and dport == 443 or \
         src == 10.0.0.2 and dst == 10.0.0.1 and sport == 443 and dport == 5) and proto == tcp"
    );
}
