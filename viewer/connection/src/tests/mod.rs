//! Connections as the page gets them: their payload, and the numbers over time.

mod plot;

use crate::{Connection, ConnectionRecord, Connections, Finding, Packet, Sequence, Side, Values};
use flow::Retransmission;
use proptest::prelude::*;
use summary::Tcp;
use viewer_formats::RawFrame;
use viewer_store::columns::PacketRow;
use viewer_store::query::LocatedPacket;

/// LINKTYPE_RAW.
const RAW: u16 = 101;
const MILLISECOND: i64 = 1_000_000;
const PUSH: u8 = 8;
/// MSS, no operation, window scale 7.
const OPTIONS: [u8; 8] = [2, 4, 5, 0xb4, 1, 3, 3, 7];

/// A segment between 10.0.0.1:50000 and 10.0.0.2:80, with a window of 1,024 before scaling.
fn segment(
    from_client: bool,
    flags: u8,
    numbers: [u32; 2],
    options: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let hosts = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let (hosts, ports) = match from_client {
        true => (hosts, [50_000u16, 80]),
        false => ([hosts[1], hosts[0]], [80, 50_000]),
    };
    let len = u16::try_from(40 + options.len() + payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x45, 0, len[0], len[1], 0, 0, 0, 0, 64, 6, 0, 0];
    packet.extend(hosts.as_flattened());
    packet.extend(ports.map(u16::to_be_bytes).as_flattened());
    packet.extend(numbers.map(u32::to_be_bytes).as_flattened());
    let header_len = 0x50 + u8::try_from(options.len()).unwrap() / 4 * 16;
    packet.extend([header_len, flags, 4, 0, 0, 0, 0, 0]);
    [&packet[..], options, payload].concat()
}

fn record(index: usize, frame: Vec<u8>) -> ConnectionRecord {
    let n = i64::try_from(index).unwrap() + 1;
    let row = PacketRow { n, ts_ns: n * MILLISECOND, ..PacketRow::default() };
    let wire_len = u32::try_from(frame.len()).unwrap();
    ConnectionRecord {
        packet: LocatedPacket { part: 0, index, key_ns: 0, row },
        line: Vec::new(),
        frame: Some(RawFrame { link: RAW, wire_len, bytes: frame }),
    }
}

fn connections(frames: Vec<Vec<u8>>) -> Connections {
    let mut connections = Connections::default();
    for (index, frame) in frames.into_iter().enumerate() {
        connections.add(0, &Packet::of(&record(index, frame)).unwrap());
    }
    connections
}

/// A handshake, and 5 bytes that are sent twice before they are acknowledged.
fn handshake(options: &[u8]) -> Vec<Vec<u8>> {
    vec![
        segment(true, Tcp::SYN, [u32::MAX, 0], options, b""),
        segment(false, Tcp::SYN | Tcp::ACK, [500, 0], options, b""),
        segment(true, Tcp::ACK, [0, 501], &[], b""),
        segment(true, Tcp::ACK | PUSH, [0, 501], &[], b"hello"),
        segment(true, Tcp::ACK | PUSH, [0, 501], &[], b"hello"),
        segment(false, Tcp::ACK, [501, 5], &[], b""),
    ]
}

fn sequence(connection: &Connection, sender: Side) -> Vec<(i64, Values, Option<Finding>)> {
    let points = Sequence::of(connection, sender).points.into_iter();
    points.map(|point| (point.n, point.values, point.finding)).collect()
}

#[test]
fn numbers_are_relative_and_windows_scaled() {
    let connections = connections(handshake(&OPTIONS));
    let connection = &connections.all()[0];
    let timeout = Finding::Retransmission(Retransmission::Timeout);
    assert_eq!(
        sequence(connection, Side::Client),
        [
            (1, Values::Segment { from: 0, to: 1 }, None),
            (2, Values::Ack { ack: 1, edge: 1_025 }, None),
            (4, Values::Segment { from: 1, to: 6 }, None),
            (5, Values::Segment { from: 1, to: 6 }, Some(timeout)),
            (6, Values::Ack { ack: 6, edge: 6 + (1_024 << 7) }, None),
        ]
    );
    let server = Sequence::of(connection, Side::Server);
    assert!(server.is_scaled);
    assert_eq!((server.start_ns, server.points[0].ns), (MILLISECOND, MILLISECOND));
    assert_eq!(
        Sequence::of(connection, Side::Client).findings(),
        "retransmission after a time-out: 1"
    );
}

/// Windows are scaled only if both sides have sent the option.
#[test]
fn windows_without_scale_are_not_shifted() {
    for (frames, is_scaled) in [(handshake(&[]), true), (handshake(&OPTIONS).split_off(2), false)] {
        let connections = connections(frames);
        let connection = &connections.all()[0];
        let sequence = Sequence::of(connection, Side::Client);
        assert_eq!(sequence.is_scaled, is_scaled);
        let Values::Ack { ack, edge } = sequence.points.last().unwrap().values else {
            panic!("no ACK")
        };
        assert_eq!(edge - ack, 1_024);
    }
}

#[test]
fn reused_ports_begin_another_connection() {
    let mut frames = handshake(&OPTIONS);
    frames.push(segment(true, Tcp::SYN, [9_000, 0], &[], b""));
    frames.push(segment(true, Tcp::ACK, [9_001, 1], &[], b"again"));
    // A late copy of the first SYN.
    frames.push(segment(true, Tcp::SYN, [u32::MAX, 0], &OPTIONS, b""));
    let connections = connections(frames);
    let counts: Vec<_> = connections.all().iter().map(|one| one.packets().len()).collect();
    assert_eq!(counts, [7, 2]);
    let payload = |index: usize| connections.all()[index].transcript().bytes(Side::Client).to_vec();
    assert_eq!((payload(0), payload(1)), (b"hello".to_vec(), b"again".to_vec()));
}

/// Lines have the numbers, and the findings of `--tcp-analysis`.
#[test]
fn lines_have_numbers_and_findings() {
    let line = |n: i64, rest: &str| {
        let line = format!(
            r#"{{"type":"pkt","n":{n},"ts":"2026-11-23T02:53:38Z","len":65,"cap":65,"src":"10.0.0.1","dst":"10.0.0.2","sport":50000,"dport":80,"proto":"tcp",{rest}}}"#
        );
        let row = PacketRow { n, ts_ns: n, ..PacketRow::default() };
        let packet = LocatedPacket { part: 0, index: 0, key_ns: 0, row };
        ConnectionRecord { packet, line: line.into_bytes(), frame: None }
    };
    let numbers = r#""flags":"PA","seq":100,"ack":1,"win":9,"payload":5"#;
    let records = [line(1, numbers), line(2, &format!("{numbers},\"rtx\":\"fast\""))];
    let mut connections = Connections::default();
    for record in &records {
        let packet = Packet::of(record).unwrap();
        assert_eq!(packet.segment.unwrap().flags, Tcp::ACK | PUSH);
        connections.add(0, &packet);
    }
    let connection = &connections.all()[0];
    assert!(!connection.has_bytes());
    let fast = Finding::Retransmission(Retransmission::Fast);
    let points = sequence(connection, Side::Client);
    assert_eq!(points.iter().map(|point| point.2).collect::<Vec<_>>(), [None, Some(fast)]);
    assert_eq!(points[1].1, Values::Segment { from: 0, to: 5 });
}

/// A segment with any numbers: of either side, with any flags, at any time, with a few bytes of payload.
fn any_packet() -> impl Strategy<Value = (i64, Vec<u8>)> {
    let payload = prop::collection::vec(any::<u8>(), 0..20);
    let numbers = any::<[u32; 2]>();
    let values = (any::<i64>(), any::<bool>(), any::<u8>(), numbers, payload);
    values.prop_map(|(ts_ns, from_client, flags, numbers, payload)| {
        (ts_ns, segment(from_client, flags, numbers, &OPTIONS, &payload))
    })
}

proptest! {
    /// Each captured byte is shown at most once, and nothing overflows.
    #[test]
    fn any_segments_have_a_transcript_and_a_plot(
        packets in prop::collection::vec(any_packet(), 0..30), cursor: prop::sample::Index,
    ) {
        let (mut connections, mut len) = (Connections::default(), 0);
        for (index, (ts_ns, frame)) in packets.into_iter().enumerate() {
            let mut record = record(index, frame);
            record.packet.row.ts_ns = ts_ns;
            let packet = Packet::of(&record).unwrap();
            len += packet.payload.len as usize;
            connections.add(0, &packet);
        }
        let mut shown = 0;
        for connection in connections.all() {
            let transcript = connection.transcript();
            shown += transcript.both().len();
            for side in Side::ALL {
                let sequence = Sequence::of(connection, side);
                let plot = crate::Plot::new(&sequence, None, 300.0, 200.0);
                let overlay = crate::Overlay { cursor: Some(cursor.index(31)), brush: Some(plot.time) };
                let scene = plot.scene(&sequence, overlay, viewer_model::scene::Theme::default());
                prop_assert!(!scene.marks.is_empty());
                let zoom = plot.zoomed(&sequence, plot.time_at(150.0), 0.5);
                crate::Plot::new(&sequence, zoom, 300.0, 200.0).nearest(&sequence, (150.0, 100.0));
            }
        }
        prop_assert!(shown <= len, "{} of {} bytes", shown, len);
    }

    #[test]
    fn any_line_and_any_frame_are_read_or_ignored(line: Vec<u8>, frame: Vec<u8>) {
        let mut hostile = record(0, frame);
        Packet::of(&hostile);
        (hostile.line, hostile.frame) = (line, None);
        prop_assert!(Packet::of(&hostile).is_none());
    }
}
