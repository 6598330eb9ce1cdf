//! The payload and the sequence numbers of connections of any segments.

use viewer_connection::{
    Connection, ConnectionRecord, Connections, Content, Overlay, Packet, Page, Plot, Sequence,
    Side, hex, printable,
};
use viewer_formats::RawFrame;
use viewer_model::scene::Theme;
use viewer_store::columns::PacketRow;
use viewer_store::query::LocatedPacket;

/// Bytes of a packet in the input, before its options and its payload.
const PACKET_LEN: usize = 22;
/// LINKTYPE_RAW.
const RAW: u16 = 101;

/// Blocks are ranges of the payload of their side, without gaps; pages together are all blocks; the payload is
/// not longer than that of all packets, and texts and plots of any times and numbers can be drawn.
///
/// Input: packets of 22 bytes: time in nanoseconds (64 bits), sequence number and acknowledgment number (32 bits),
/// window (16 bits), flags, direction (lowest bit), words of options, length of the payload; options and payload
/// follow. The whole input is a batch of records, too.
pub(crate) fn connection(input: &[u8]) {
    for record in ConnectionRecord::batch(input) {
        Packet::of(&record);
    }
    let (mut connections, mut captured) = (Connections::default(), 0);
    for (index, record) in records(input).into_iter().enumerate() {
        let Some(packet) = Packet::of(&record) else { continue };
        captured += record.len();
        connections.add(index % 2, &packet);
    }
    let lens = connections.all().iter().map(check);
    assert!(lens.sum::<u64>() <= captured);
}

/// Checks a connection, and returns the length of its payload.
fn check(connection: &Connection) -> u64 {
    let transcript = connection.transcript();
    let mut ends = [0; 2];
    for block in transcript.blocks() {
        if let Content::Bytes(range) = &block.content {
            let end = &mut ends[block.side as usize];
            assert_eq!((range.start, transcript.bytes_of(block).len()), (*end, range.len()));
            *end = range.end;
        }
        let bytes = transcript.bytes_of(block);
        printable(bytes);
        hex(bytes, 0);
    }
    assert_eq!(Side::ALL.map(|side| transcript.bytes(side).len()), ends);
    assert_eq!(transcript.both().len(), ends[0] + ends[1]);
    transcript.description(connection);
    let (mut page, mut shown) = (Page::default(), 0);
    while page.has_more(transcript.blocks(), |_| true) {
        let (slices, next) = page.next(transcript.blocks(), |_| true);
        assert!(!slices.is_empty() && page != next, "pages advance");
        shown += slices.iter().map(|slice| slice.bytes.len()).sum::<usize>();
        page = next;
    }
    assert_eq!(shown, ends[0] + ends[1]);
    Side::ALL.iter().for_each(|side| draw(&Sequence::of(connection, *side)));
    (ends[0] + ends[1]) as u64
}

/// Draws a plot as a whole, and around a point.
fn draw(sequence: &Sequence) {
    sequence.findings();
    let mut plot = Plot::new(sequence, None, 600.0, 300.0);
    for _ in 0..3 {
        plot.scene(sequence, Overlay::default(), Theme::default());
        plot.nearest(sequence, (300.0, 150.0));
        let zoomed = plot.zoomed(sequence, plot.time_at(300.0), 0.5);
        plot = Plot::new(sequence, zoomed, 600.0, 300.0);
    }
}

/// The segments in the input, as packets of a capture file.
fn records(input: &[u8]) -> Vec<ConnectionRecord> {
    let (mut records, mut rest) = (Vec::new(), input);
    while let Some((packet, after)) = rest.split_first_chunk::<PACKET_LEN>() {
        let ts_ns = i64::from_be_bytes(packet[..8].try_into().expect("8 bytes"));
        let [flags, direction, words, payload] = packet[18..].try_into().expect("4 bytes");
        let words = words.min(10);
        let len = usize::from(words) * 4 + usize::from(payload);
        let Some((data, after)) = after.split_at_checked(len) else { break };
        rest = after;
        let (hosts, ports) = match direction & 1 {
            0 => ([[10, 0, 0, 1], [10, 0, 0, 2]], [50_000u16, 80]),
            _ => ([[10, 0, 0, 2], [10, 0, 0, 1]], [80, 50_000]),
        };
        let ip_len = u16::try_from(40 + len).expect("at most 335 bytes").to_be_bytes();
        let mut frame = vec![0x45, 0, ip_len[0], ip_len[1], 0, 0, 0, 0, 64, 6, 0, 0];
        frame.extend(hosts.as_flattened());
        frame.extend(ports.map(u16::to_be_bytes).as_flattened());
        frame.extend(&packet[8..16]);
        frame.extend([0x50 + words * 16, flags]);
        frame.extend(&packet[16..18]);
        frame.extend([0; 4]);
        frame.extend(data);
        let index = records.len();
        let n = i64::try_from(index).expect("few packets") + 1;
        let row = PacketRow { n, ts_ns, ..PacketRow::default() };
        let wire_len = u32::try_from(frame.len()).expect("a short frame");
        records.push(ConnectionRecord {
            packet: LocatedPacket { part: 0, index, key_ns: 0, row },
            line: Vec::new(),
            frame: Some(RawFrame { link: RAW, wire_len, bytes: frame }),
        });
    }
    records
}
