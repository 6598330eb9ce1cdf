//! Properties that hold for any packets.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn packets() -> impl Strategy<Value = Vec<Observation>> {
    let packet = (0..40i64, 0..4u8, 0..2u8, any::<bool>(), 0..32u8, 0..64u32, 0..64u32, 0..20u32);
    let packet = packet.prop_map(|(ms, client, server, to_server, flags, seq, ack, len)| {
        let mut packet = data(ms * MS, to_server, seq, len, ack);
        let (from, to) = (endpoint(client, 1), endpoint(10 + server, 80));
        (packet.src, packet.dst) = if to_server { (from, to) } else { (to, from) };
        packet = with(packet, |tcp| {
            tcp.flags = flags;
            tcp.ack = (flags & ACK != 0).then_some(ack);
            tcp.win = (seq % 3) as u16;
        });
        if seq % 8 == 0 {
            (packet.segment, packet.proto) = (None, Proto::UDP);
        }
        packet
    });
    prop::collection::vec(packet, 0..60)
}

/// Packets, bytes and payload from one endpoint to another.
type Sums = BTreeMap<(Endpoint, Endpoint, String), [u64; 3]>;

fn add(sums: &mut Sums, flow: &Flow<'_>) {
    let ends = [(flow.source(), flow.destination()), (flow.destination(), flow.source())];
    for (counts, (from, to)) in flow.counts().iter().zip(ends) {
        if 0 < counts.packets {
            let sum = sums.entry((from, to, flow.scope().proto.to_string())).or_default();
            let values = [counts.packets, counts.bytes, counts.payload];
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
}

fn flow_sums(limits: Limits, parts: &[&[Observation]]) -> Sums {
    let mut sums = Sums::new();
    for packets in parts {
        let mut flows = FlowTable::new(limits);
        for packet in *packets {
            flows.add(packet, &mut |flow, _| add(&mut sums, flow));
            assert!(flows.len() <= limits.max_flows);
        }
        flows.finish(&mut |flow, _| add(&mut sums, flow));
        assert!(flows.is_empty());
    }
    sums
}

fn packet_sums(packets: &[Observation]) -> Sums {
    let mut sums = Sums::new();
    for packet in packets {
        let sum = sums.entry((packet.src, packet.dst, packet.proto.to_string())).or_default();
        let values = [1, packet.len.into(), packet.payload.into()];
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    sums
}

proptest! {
    /// However flows end, and however a capture is split, their sums are those of the packets.
    #[test]
    fn sums_of_flows_are_sums_of_packets(
        packets in packets(), split: prop::sample::Index, max_flows in 1..5usize, active_ms in 0..9i64,
    ) {
        let expected = packet_sums(&packets);
        let limits = Limits { max_flows, active_ns: active_ms * MS, linger_ns: MS, idle_ns: 20 * MS, idle_tcp_ns: 25 * MS };
        prop_assert_eq!(&flow_sums(limits, &[&packets]), &expected);
        let (first, second) = packets.split_at(split.index(packets.len() + 1));
        prop_assert_eq!(&flow_sums(Limits::default(), &[first, second]), &expected);
    }

    /// Marks do not depend on which end has which address.
    #[test]
    fn exchanged_addresses_give_the_same_marks(packets in packets()) {
        let mut flows = FlowTable::new(Limits::default());
        let mut exchanged = FlowTable::new(Limits::default());
        for packet in packets {
            let mirror = |end: Endpoint| match end.address {
                Some(Address::V4([a, b, c, host])) => {
                    Endpoint { address: Some(Address::V4([a, b, c, 255 - host])), ..end }
                }
                _ => end,
            };
            let other = Observation { src: mirror(packet.src), dst: mirror(packet.dst), ..packet.clone() };
            let marks = flows.add(&packet, &mut |_, _| ());
            prop_assert_eq!(exchanged.add(&other, &mut |_, _| ()), marks);
        }
    }

    /// The counts of a flow are the sums of its marks.
    #[test]
    fn counts_are_sums_of_marks(packets in packets()) {
        let mut flows = FlowTable::new(Limits { active_ns: MS, ..Limits::default() });
        let (mut marked, mut counted) = ([0; 4], [0; 4]);
        let mut handshakes = Vec::new();
        let mut measured = Vec::new();
        let mut on_end = |flow: &Flow<'_>, reason: EndReason| {
            measured.extend(flow.handshake_us().filter(|_| reason != EndReason::Active));
            for counts in flow.tcp().into_iter().flatten() {
                let values = [
                    counts.rtx(),
                    counts.out_of_order.into(),
                    counts.dup_acks.into(),
                    counts.rtt.samples.into(),
                ];
                counted.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        };
        for packet in &packets {
            let marks = flows.add(packet, &mut on_end);
            handshakes.extend(marks.handshake_us);
            let values = [
                u64::from(marks.rtx.is_some()),
                u64::from(marks.is_out_of_order),
                u64::from(marks.is_dup_ack),
                u64::from(marks.rtt_us.is_some()),
            ];
            marked.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        flows.finish(&mut on_end);
        prop_assert_eq!(counted, marked);
        handshakes.sort();
        measured.sort();
        prop_assert_eq!(measured, handshakes);
    }
}
