//! The analysis of TCP.

use super::*;
use crate::Reset::{NoData, Refused};
use crate::Retransmission::{Fast, Spurious, Timeout};
use crate::{Reset, TcpCounts};

fn findings(packets: &[Observation]) -> [TcpCounts; 2] {
    let mut flows = FlowTable::new(Limits::default());
    for packet in packets {
        flows.add(packet, &mut |_, _| panic!("no flow ends"));
    }
    let mut counts = [TcpCounts::default(); 2];
    flows.finish(&mut |flow, _| counts = flow.tcp().unwrap());
    counts
}

#[test]
fn handshake_and_acknowledgments_measure_round_trips() {
    let packets = [
        &handshake()[..],
        &[data(20 * MS, true, 101, 10, 501), segment(25 * MS, false, ACK, 501, 111)],
    ]
    .concat();
    let [client, server] = findings(&packets);
    assert_eq!((client.rtt.samples, client.rtt.min_us, client.rtt.max_us), (2, 5_000, 9_000));
    assert_eq!((server.rtt.samples, server.rtt.mean_us()), (1, Some(1_000)));
    let mut flows = FlowTable::new(Limits::default());
    let marks = handshake().map(|packet| flows.add(&packet, &mut |_, _| ()).handshake_us);
    assert_eq!(marks, [None, None, Some(10_000)]);
    flows.finish(&mut |flow, _| assert_eq!(flow.handshake_us(), Some(10_000)));
}

#[test]
fn repeated_segments_measure_nothing_without_timestamps() {
    let segments = |ts: Option<(u32, u32)>, echo: Option<(u32, u32)>| {
        let sent = |ns| with(data(ns, true, 101, 10, 501), |tcp| tcp.options.timestamps = ts);
        let answer = segment(60 * MS, false, ACK, 501, 111);
        let answer = with(answer, |tcp| tcp.options.timestamps = echo);
        marks_after_handshake(&[sent(20 * MS), sent(50 * MS), answer])
    };
    let marks = segments(None, None);
    assert_eq!((marks[1].rtx, marks[2].rtt_us), (Some(Timeout), None));
    assert_eq!(segments(Some((7, 1)), Some((1, 7)))[2].rtt_us, Some(40_000));
    assert_eq!(segments(Some((7, 1)), Some((1, 8)))[2].rtt_us, None);
}

#[test]
fn retransmissions_have_a_reason() {
    let mut packets = vec![data(20 * MS, true, 101, 10, 501)];
    packets.extend(
        (2..5).map(|n: u8| data(i64::from(20 + n) * MS, true, 91 + u32::from(n) * 10, 10, 501)),
    );
    packets.push(segment(30 * MS, false, ACK, 501, 101));
    packets.extend((0..3).map(|n| segment((31 + n) * MS, false, ACK, 501, 101)));
    packets.push(data(35 * MS, true, 101, 10, 501));
    packets.push(segment(40 * MS, false, ACK, 501, 141));
    packets.push(data(50 * MS, true, 111, 10, 501));
    let marks = marks_after_handshake(&packets);
    let rtx: Vec<_> = marks.iter().filter_map(|marks| marks.rtx).collect();
    assert_eq!(rtx, [Fast, Spurious]);
    assert_eq!(marks.iter().filter(|marks| marks.is_dup_ack).count(), 4);
    assert!(marks.iter().all(|marks| marks.unseen_bytes.is_none() && !marks.is_out_of_order));
}

#[test]
fn selective_acknowledgments_make_a_retransmission_fast() {
    // The blocks come with the acknowledgment of all before the hole.
    let sack = TcpOptions::parse(&[5, 10, 0, 0, 0, 111, 0, 0, 0, 121]);
    let marks = marks_after_handshake(&[
        data(20 * MS, true, 101, 10, 501),
        data(21 * MS, true, 111, 10, 501),
        with(segment(30 * MS, false, ACK, 501, 101), |tcp| tcp.options = sack),
        data(31 * MS, true, 101, 10, 501),
    ]);
    assert_eq!(marks[3].rtx, Some(Fast));
}

/// The acknowledgments were captured twice, and nothing was under way.
#[test]
fn acknowledgments_before_data_do_not_ask_for_it() {
    let ack = |ns| segment(ns, false, ACK, 501, 101);
    let marks = marks_after_handshake(&[
        ack(20 * MS),
        ack(21 * MS),
        ack(22 * MS),
        ack(23 * MS),
        data(30 * MS, true, 101, 10, 501),
        data(31 * MS, true, 101, 10, 501),
    ]);
    assert_eq!(marks.iter().filter(|marks| marks.is_dup_ack).count(), 4);
    assert_eq!(marks[5].rtx, Some(Timeout));
}

#[test]
fn late_segments_are_out_of_order_or_repeated() {
    let late = |ns, ts: Option<(u32, u32)>| {
        let after = data(20 * MS, true, 111, 10, 501);
        let after = with(after, |tcp| tcp.options.timestamps = ts.map(|(_, after)| (after, 0)));
        let segment = data(20 * MS + ns, true, 101, 10, 501);
        let segment = with(segment, |tcp| tcp.options.timestamps = ts.map(|(value, _)| (value, 0)));
        let marks = marks_after_handshake(&[after, segment])[1];
        (marks.is_out_of_order, marks.rtx)
    };
    // The handshake took 10 ms.
    assert_eq!(late(9 * MS, None), (true, None));
    assert_eq!(late(11 * MS, None), (false, Some(Timeout)));
    assert_eq!(late(11 * MS, Some((7, 8))), (true, None));
    assert_eq!(late(MS, Some((9, 8))), (false, Some(Timeout)));
    assert_eq!(late(MS, Some((8, 8))), (true, None));
}

#[test]
fn gaps_of_the_capture_are_no_losses() {
    let marks = marks_after_handshake(&[
        data(20 * MS, true, 111, 10, 501),
        segment(21 * MS, false, ACK, 501, 141),
        // The capture has a segment after its acknowledgment.
        data(22 * MS, true, 121, 20, 501),
    ]);
    assert_eq!(marks[1].unseen_bytes, Some(30));
    assert!(marks.iter().all(|marks| marks.rtx.is_none()));
    assert!(marks[2].is_out_of_order);
}

#[test]
fn windows_close_and_open() {
    let window = |ns, win| with(segment(ns, false, ACK, 501, 1_101), |tcp| tcp.win = win);
    let packets = [
        &handshake()[..],
        &[data(20 * MS, true, 101, 1_000, 501), window(30 * MS, 0)],
        &[data(40 * MS, true, 1_101, 1, 501), window(41 * MS, 0), window(50 * MS, 1_000)],
    ]
    .concat();
    let [client, server] = findings(&packets);
    assert_eq!((client.window_full, client.keep_alives, client.rtx()), (1, 1, 0));
    assert_eq!((server.zero_windows, server.zero_window_ns), (2, 20_000_000));
    assert_eq!(server.dup_acks, 0);
}

#[test]
fn keep_alives_are_no_retransmissions() {
    let marks = marks_after_handshake(&[
        segment(20 * MS, false, ACK, 501, 101),
        segment(30 * MS, true, ACK, 100, 501),
        segment(31 * MS, false, ACK, 501, 101),
    ]);
    assert!(marks[1].is_keep_alive && !marks[2].is_dup_ack);
    assert!(marks.iter().all(|marks| marks.rtx.is_none()));
}

/// What the last segment of a connection resets.
fn reset(packets: &[Observation]) -> Option<Reset> {
    let mut flows = FlowTable::new(Limits::default());
    let marks = packets.iter().map(|packet| flows.add(packet, &mut |_, _| panic!("no flow ends")));
    marks.map(|marks| marks.reset).last().flatten()
}

#[test]
fn answers_to_syn_refuse_connections() {
    let syn = segment(0, true, SYN, 100, 0);
    let refusal = segment(MS, false, RST | ACK, 0, 101);
    assert_eq!(reset(&[syn.clone(), refusal.clone()]), Some(Refused));
    // The SYN is sent again, and refused again.
    assert_eq!(reset(&[syn.clone(), refusal.clone(), syn.clone(), refusal.clone()]), Some(Refused));
    let with_data = Observation { payload: 10, ..syn.clone() };
    for ack in [101, 111] {
        let refusal = segment(MS, false, RST | ACK, 0, ack);
        assert_eq!(reset(&[with_data.clone(), refusal]), Some(Refused), "{ack}");
    }
    // The SYN is not acknowledged; data that was not captured is.
    for (ack, expected) in [(100, Some(NoData)), (102, None)] {
        let other = segment(MS, false, RST | ACK, 0, ack);
        assert_eq!(reset(&[syn.clone(), other]), expected, "{ack}");
    }
    assert_eq!(reset(&[refusal]), None, "the SYN was not captured");
}

#[test]
fn resets_without_data_are_marked() {
    let end = |packets: &[Observation]| reset(&[&handshake()[..], packets].concat());
    let by_client = segment(20 * MS, true, RST, 101, 0);
    let by_server = segment(20 * MS, false, RST | ACK, 501, 101);
    assert_eq!(end(std::slice::from_ref(&by_client)), Some(NoData));
    assert_eq!(end(std::slice::from_ref(&by_server)), Some(NoData));
    // A scanner's kernel resets the connection that it does not know.
    let [syn, answer, _] = handshake();
    assert_eq!(reset(&[syn.clone(), answer, by_client.clone()]), Some(NoData));
    assert_eq!(reset(&[syn, by_client.clone()]), Some(NoData));
    let fin = segment(15 * MS, true, FIN | ACK, 101, 501);
    assert_eq!(end(&[fin, segment(20 * MS, false, RST | ACK, 501, 102)]), Some(NoData));
    // Data was sent by one side.
    assert_eq!(end(&[data(15 * MS, true, 101, 10, 501), by_server]), None);
    assert_eq!(end(&[data(15 * MS, false, 501, 10, 101), by_client.clone()]), None);
    // Data was sent, but not captured.
    assert_eq!(end(&[segment(20 * MS, true, RST, 111, 0)]), None);
    assert_eq!(end(&[segment(20 * MS, false, RST | ACK, 501, 111)]), None);
    assert_eq!(end(&[segment(15 * MS, false, ACK, 501, 111), by_client.clone()]), None);
    // The connection began before the capture.
    let [_, _, ack] = handshake();
    assert_eq!(reset(&[ack, by_client]), None);
}
