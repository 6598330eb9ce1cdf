//! Packets that are read again: for exports, details and connections.

use super::super::*;
use super::{PACKET, gzip, load, pcap};
use summary::capture_file::{
    FileInterface, Frame, PacketOptions, PcapFile, PcapngWriter, Reader, SectionOptions, Step,
};
use summary::{Faults, LinkType, Timestamp};

#[test]
fn exported_lines_equal_the_original() {
    let lines: Vec<_> = (0..50)
        .map(|n| format!("{{\"ts\":{n}, \"len\":{} }}{}\n", n % 3, ["", "\r", " "][n % 3]))
        .collect();
    let text = lines.join("damaged\n\n");
    let compressed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let expected = |kept: &dyn Fn(usize) -> bool| {
        (0..50).filter(|n| kept(*n)).map(|n| &lines[n][..]).collect::<String>()
    };
    for sampling in
        [Sampling::default(), Sampling { every: 3, ts_ns: (10_000_000_000, 30_000_000_000) }]
    {
        for file in [text.as_bytes(), &compressed] {
            let mut loader = Loader::whole(file.len() as u64, sampling, viewer_formats::open);
            loader.feed(file);
            loader.feed(&[]);
            let columns = loader.columns();
            let is_wanted = |row: usize| columns.row(row).len == 1;
            for chunk_len in [1, 100, 10_000] {
                let mut exporter = loader.exporter(ExportFormat::Lines);
                let mut seen = Vec::new();
                for chunk in file.chunks(chunk_len).chain([&[][..]]) {
                    if !exporter.feed(chunk, columns, &is_wanted, &mut seen) {
                        break;
                    }
                }
                let is_kept = |n: usize| match sampling.every {
                    1 => n % 3 == 1,
                    _ => n % 3 == 1 && (10..=30).contains(&n) && (n - 10).is_multiple_of(3),
                };
                assert_eq!(String::from_utf8(seen).unwrap(), expected(&is_kept));
            }
        }
    }
    let file = pcap(5);
    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(&file);
    let mut seen = Vec::new();
    loader.exporter(ExportFormat::Lines).feed(&file, loader.columns(), &|row| row == 2, &mut seen);
    assert!(seen.starts_with(b"{\"type\":\"pkt\",\"n\":3,"), "{seen:?}");
}

#[test]
fn records_are_reread_by_offset() {
    let file = pcap(5);
    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(&file);
    let mut all = Vec::new();
    loader.exporter(ExportFormat::Lines).feed(&file, loader.columns(), &|_| true, &mut all);
    for (row, expected) in all.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let offset = usize::try_from(loader.record_offset(row).unwrap()).unwrap();
        let line = loader.record(row, &file[offset..]).unwrap().line;
        assert_eq!([&line[..], b"\n"].concat(), expected);
        let needed = loader.record(row, &file[offset..][..20]).unwrap_err().unwrap();
        assert_eq!(loader.record(row, &file[offset..][..needed]).unwrap().line, line);
    }
    let lines = format!("{PACKET}\n{PACKET}");
    let loader = load(&lines);
    let second = &lines.as_bytes()[usize::try_from(loader.record_offset(1).unwrap()).unwrap()..];
    let record = FileRecord { line: PACKET.as_bytes().to_vec(), frame: None };
    assert_eq!(loader.record(0, lines.as_bytes()), Ok(record));
    assert_eq!(loader.record(1, second), Err(Some(PACKET.len() + 1)));
    let compressed = zstd::encode_all(&file[..], 1).unwrap();
    let mut loader =
        Loader::whole(compressed.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(&compressed);
    assert_eq!((loader.columns().len(), loader.record_offset(0)), (5, None));
}

/// Exports rows of a capture file, read in chunks, and reads the result.
fn exported_frames(file: &[u8], is_selected: impl Fn(usize) -> bool) -> Vec<OwnFrame> {
    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(file);
    loader.feed(&[]);
    let mut exporter = loader.exporter(ExportFormat::Pcapng);
    let mut out = Vec::new();
    for chunk in file.chunks(7).chain([&[][..]]) {
        exporter.feed(chunk, loader.columns(), &is_selected, &mut out);
    }
    frames(&out)
}

/// Time, link type, bytes, length on the wire and interface name.
type OwnFrame = (i64, u16, Vec<u8>, u32, Option<String>);

fn frames(file: &[u8]) -> Vec<OwnFrame> {
    let (mut reader, mut rest, mut frames) = (Reader::new(), file, Vec::new());
    while !rest.is_empty() {
        rest = match reader.step(rest).unwrap() {
            Step::Frame { consumed, frame } => {
                let name = reader.interfaces()[frame.interface].name.clone();
                let (ts_ns, bytes) = (frame.ts.ns(), frame.bytes.to_vec());
                frames.push((ts_ns, frame.link.0, bytes, frame.wire_len, name));
                &rest[consumed..]
            }
            Step::Skipped { consumed } => &rest[consumed..],
            Step::NeedMore { .. } => panic!("incomplete"),
        };
    }
    frames
}

#[test]
fn pcapng_export_keeps_bytes_lengths_times_and_interfaces() {
    let mut file = Vec::new();
    for is_big_endian in [false, true] {
        let options = SectionOptions { is_big_endian, ..SectionOptions::default() };
        let mut writer = PcapngWriter::new(&options, &mut file);
        let names = ["eth0", "lo", "unused", "wlan0"];
        let ids = names.map(|name| {
            let link = if name == "lo" { LinkType::RAW } else { LinkType::ETHERNET };
            let description = FileInterface { name: Some(name.to_owned()), link, snaplen: 96 };
            (writer.interface(&description, &mut file), link)
        });
        for (number, (interface, link)) in (0..).zip([ids[1], ids[0], ids[3], ids[1]]) {
            let ts = Timestamp::from_ns(1_795_402_418_123_456_789 + number);
            let bytes = [u8::try_from(number).unwrap(); 33];
            let frame = Frame {
                ts,
                link,
                interface,
                bytes: &bytes,
                wire_len: 1_500,
                faults: Faults::default(),
            };
            writer.packet(&frame, &PacketOptions::default(), &mut file);
        }
    }
    let all = frames(&file);
    assert_eq!(all.len(), 8);
    assert_eq!(exported_frames(&file, |_| true), all);
    let odd: Vec<_> = all.iter().skip(1).step_by(2).cloned().collect();
    assert_eq!(exported_frames(&file, |row| row % 2 == 1), odd);
    // The lines of other files have no bytes.
    assert!(exported_frames(PACKET.as_bytes(), |_| true).is_empty());
}

/// Three packets between 10.0.0.1:1 and 10.0.0.2:2, and one from another port.
fn datagrams() -> Vec<u8> {
    let mut file = PcapFile::new(LinkType::RAW.0);
    for (n, (port, text)) in (1..).zip([(1u8, b"one"), (3, b"not"), (1, b"two"), (1, b"six")]) {
        let mut packet = vec![0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([0, port, 0, 2, 0, 11, 0, 0]);
        packet.extend(text);
        file.push(n, &packet);
    }
    file.into_bytes()
}

/// The payload of the packets between the two ports, and how much was read.
fn read_connection(file: &[u8], limits: ReadLimits) -> (Vec<String>, ConnectionRead) {
    use crate::filter::{Context, parse};
    use crate::selection::{Dimension, Selection};
    use crate::shard::{Preceding, Shard};
    use viewer_connection::{ConnectionRecord, Packet};

    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(file);
    loader.feed(&[]);
    let mut selection = Selection::default();
    let expr = parse("sport == 1 and dport == 2", &Context::default()).unwrap();
    selection.set(Dimension::Conversation, expr);
    let mut shard = Shard::new(0, String::new());
    shard.answer(loader.columns(), Preceding::default(), &selection, &[]);
    let mut reader = loader.connection_reader(shard.selected(), limits);
    let mut out = Vec::new();
    for chunk in file.chunks(50).chain([&[][..]]) {
        let mut locate = |row| shard.locate(loader.columns(), row);
        if !reader.feed(chunk, loader.columns(), &mut locate, &mut out) {
            break;
        }
    }
    let records: Vec<_> = ConnectionRecord::batch(&out).collect();
    let payload = |record: &ConnectionRecord| {
        let payload = Packet::of(record).unwrap().payload;
        let bytes = payload.bytes.map_or("no bytes", |bytes| str::from_utf8(bytes).unwrap());
        format!("{} {bytes}", record.packet.index)
    };
    (records.iter().map(payload).collect(), reader.read())
}

#[test]
fn packets_of_a_connection_are_reread() {
    let capture = datagrams();
    for file in [capture.clone(), gzip(&capture)] {
        let (packets, read) = read_connection(&file, ReadLimits::MAX);
        assert_eq!(packets, ["0 one", "2 two", "3 six"]);
        assert_eq!((read.packets, read.bytes, read.is_limited), (3, 93, false));
    }
    for limits in
        [ReadLimits { packets: 2, ..ReadLimits::MAX }, ReadLimits { bytes: 32, ..ReadLimits::MAX }]
    {
        let (packets, read) = read_connection(&capture, limits);
        assert_eq!((packets.len(), read.is_limited), (2, true));
    }
    // Lines do not contain the payload.
    let line = |n: u32, port: u16| {
        format!(
            r#"{{"type":"pkt","n":{n},"ts":"2026-11-23T02:53:38.123456789Z","len":45,"cap":45,"src":"10.0.0.1","sport":{port},"dst":"10.0.0.2","dport":2,"proto":"udp","payload":3}}"#
        ) + "\n"
    };
    let lines = [line(1, 1), line(2, 3), line(3, 1)].concat();
    let (packets, read) = read_connection(lines.as_bytes(), ReadLimits::MAX);
    assert_eq!((packets, read.packets), (vec!["0 no bytes".into(), "2 no bytes".into()], 2));
}
