mod rereading;

use super::*;
use std::io::Write;
use summary::capture_file::{
    FileInterface, Frame, PacketOptions, PcapFile, PcapngWriter, SectionOptions,
};
use summary::{Faults, LinkType, Timestamp};
use viewer_store::columns::PacketRow;

const PACKET: &str =
    r#"{"type":"pkt","n":1,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"proto":"tcp"}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn load(text: &str) -> Loader {
    let mut loader = Loader::new(0..text.len() as u64, Sampling::default());
    loader.feed(text.as_bytes());
    loader.feed(&[]);
    loader
}

#[test]
fn records_of_other_types_are_ignored() {
    let text = format!(
        "{}\n{PACKET}\n{}\n\n",
        r#"{"type":"later","x":1}"#,
        r#"{"type":"event","ts":"2026-11-23T02:53:38.123456789Z","event":"iface_up"}"#
    );
    let report = load(&text).report();
    assert_eq!((report.totals.packets, report.skipped, report.lines), (1, 0, 4));
}

#[test]
fn appended_lines_are_loaded_and_reread() {
    let text = format!("{{\"type\":\"meta\",\"v\":1}}\n{PACKET}\n{{\"type\":\"end\"}}\n{PACKET}\n");
    let mut growing = Loader::growing(Sampling::default());
    for chunk in text.as_bytes().chunks(7) {
        growing.append(chunk.to_vec());
    }
    let complete = Report { is_done: false, is_complete: false, ..load(&text).report() };
    assert_eq!(growing.report(), complete);
    let records = ["{\"type\":\"meta\",\"v\":1}", "{\"type\":\"end\"}"];
    assert_eq!(growing.take_run_records(), records);
    let mut exporter = growing.exporter(ExportFormat::Lines);
    let (mut bytes, mut lines) = (Vec::new(), Vec::new());
    growing.copy_appended(0..growing.appended_len(), &mut bytes);
    exporter.feed(&bytes, growing.columns(), &|_| true, &mut lines);
    assert_eq!(lines, format!("{PACKET}\n{PACKET}\n").as_bytes());
    // An incomplete line waits for the rest, or for the end of the part.
    growing.append(PACKET.as_bytes().to_vec());
    assert_eq!(growing.report().totals.packets, 2);
    growing.feed(&[]);
    assert_eq!((growing.report().totals.packets, growing.take_run_records().len()), (3, 0));
}

#[test]
fn damaged_lines_are_reported_and_the_rest_loads() {
    let text = format!(
        "{PACKET}\nnot json\n{PACKET}\n{{\"type\":\"pkt\",\"n\":2}}\n{PACKET}\n{{\"type\":\"pk"
    );
    let report = load(&text).report();
    assert_eq!((report.totals.packets, report.skipped), (3, 3));
    let seen: Vec<_> =
        report.problems.iter().map(|problem| (problem.line, &problem.reason[..])).collect();
    assert_eq!(
        seen,
        [
            (2, "expected a JSON object at column 1"),
            (4, "no `ts`: a packet needs a time (`ts`) and a length (`len`)"),
            (6, "EOF while parsing a string at column 11"),
        ]
    );
}

#[test]
fn first_problems_are_stored_and_all_counted() {
    let report = load(&"lorem ipsum\n".repeat(2_000)).report();
    assert_eq!((report.problems.len(), report.skipped), (MAX_PROBLEMS, 2_000));
}

fn pcap(count: u32) -> Vec<u8> {
    let mut file = PcapFile::new(1);
    for number in 0..count {
        let frame = [&[7; 12][..], &[0x88, 0xcc], &[1; 46]].concat();
        file.push(1_000_000_000_000 + 1_000 * u64::from(number), &frame);
    }
    file.into_bytes()
}

fn load_whole(bytes: &[u8], chunk_len: usize) -> Report {
    let mut loader = Loader::whole(bytes.len() as u64, Sampling::default(), viewer_formats::open);
    for chunk in bytes.chunks(chunk_len).chain([&[][..]]) {
        loader.feed(chunk);
    }
    assert!(loader.is_done());
    loader.report()
}

#[test]
fn file_type_is_detected_from_content() {
    let lines = format!("{PACKET}\n").repeat(2_500).into_bytes();
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    for plain in [lines, pcap(2_500)] {
        for file in [plain.clone(), gzip(&plain), zstd(&plain)] {
            for chunk_len in [1, 7, 1_000, 1 << 20] {
                let report = load_whole(&file, chunk_len);
                assert_eq!((report.totals.packets, report.skipped), (2_500, 0));
                assert_eq!((report.records, report.read_bytes), (2_500, file.len() as u64));
                assert_eq!(report.totals.extent.unwrap().len, (60, 60));
            }
        }
    }
    let is_lines = |start: &[u8]| FileProbe::new(start, 1 << 30, viewer_formats::open).is_lines;
    assert!(is_lines(b"{\"type\"") && !is_lines(&pcap(0)) && !is_lines(&gzip(b"")));
}

#[test]
fn packets_before_damage_are_loaded() {
    let mut cut = pcap(10);
    cut.pop();
    let report = load_whole(&cut, 100);
    assert_eq!((report.totals.packets, report.skipped), (9, 1));
    let problem = &report.problems[0];
    assert_eq!((problem.line, &problem.reason[..]), (10, "incomplete record at byte 708"));
    let gzipped = gzip(&pcap(10));
    let report = load_whole(&gzipped[..gzipped.len() - 20], 100);
    assert_eq!(report.skipped, 1);
    assert_eq!(report.problems[0].reason, "decompression failed: unexpected end of file");
    let compressed = zstd::encode_all(format!("{PACKET}\n").repeat(9).as_bytes(), 1).unwrap();
    let report = load_whole(&compressed[..compressed.len() - 9], 100);
    assert_eq!(report.skipped, 1);
    assert!(report.problems[0].reason.starts_with("decompression failed"), "{report:?}");
}

#[test]
fn damage_is_the_first_problem_even_after_many_others() {
    let gzipped = gzip("lorem ipsum\n".repeat(2_000).as_bytes());
    let report = load_whole(&gzipped[..gzipped.len() - 4], 100);
    assert_eq!((report.problems.len(), report.skipped), (MAX_PROBLEMS, 2_001));
    let Problem { line, reason } = &report.problems[0];
    assert!(*line == 2_001 && reason.starts_with("decompression failed"), "{report:?}");
    assert_eq!(report.problems[1].line, 1);
}

#[test]
fn lines_of_other_programs_need_time_and_length() {
    let text = "{\"ts\":1.5,\"len\":60}\n{\"len\":7,\"ts\":\"1970-01-01T00:00:02Z\",\"proto\":\"http\"}\n{\"ts\":3}\n";
    let report = load(text).report();
    assert_eq!((report.totals.packets, report.skipped), (2, 1));
    assert_eq!(report.totals.extent.unwrap().ts_ns, (1_500_000_000, 2_000_000_000));
    assert_eq!(report.totals.extent.unwrap().n, (1, 2));
}

#[test]
fn packets_with_number_zero_are_numbered_by_their_lines() {
    let text = PACKET.replace("\"n\":1", "\"n\":0");
    for text in [text.clone(), format!(" {text}")] {
        let report = load(&format!("{text}\n{text}")).report();
        assert_eq!((report.totals.extent.unwrap().n, report.is_counted), ((1, 2), true));
    }
}

#[test]
fn packets_without_numbers_are_numbered_across_parts() {
    let text: String = (0..100).map(|n| format!("{{\"ts\":{n},\"len\":60}}\n")).collect();
    let len = text.len() as u64;
    let mut before = 0;
    let mut seen = Vec::new();
    for range in [0..len / 3, len / 3..len / 2, len / 2..len] {
        let mut loader = Loader::new(range, Sampling::default());
        let rest = &text.as_bytes()[usize::try_from(loader.position()).unwrap()..];
        let (first, rest) = rest.split_at(rest.len() / 4);
        loader.feed(first);
        loader.set_lines_before(before + 7);
        loader.feed(rest);
        loader.feed(&[]);
        loader.set_lines_before(before);
        let report = loader.report();
        assert!(report.is_counted);
        assert_eq!(report.totals.extent.unwrap().n.0, 1, "reported relative to the part");
        seen.extend((0..loader.columns().len()).map(|row| loader.columns().row(row).n));
        before += report.lines;
    }
    assert_eq!(seen, (1..=100).collect::<Vec<_>>());
}

#[test]
fn byte_order_mark_is_allowed_only_at_the_start() {
    let text = format!("\u{feff}{PACKET}\n\u{feff}{PACKET}\n");
    let report = load(&text).report();
    assert_eq!((report.totals.packets, report.skipped, report.problems[0].line), (1, 1, 2));
}

#[test]
fn time_that_is_not_representable_is_a_fault() {
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&SectionOptions::default(), &mut file);
    let link = LinkType::ETHERNET;
    let interface = writer.interface(&FileInterface { name: None, link, snaplen: 0 }, &mut file);
    let bytes = &[&[7; 12][..], &[0x88, 0xcc], &[1; 46]].concat();
    for ns in [i64::MAX - 1, i64::MAX] {
        let frame = Frame {
            ts: Timestamp::from_ns(ns),
            link,
            interface,
            bytes,
            wire_len: 60,
            faults: Faults::default(),
        };
        writer.packet(&frame, &PacketOptions::default(), &mut file);
    }
    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(&file);
    let lines = [0, 1].map(|row| {
        let start = usize::try_from(loader.record_offset(row).unwrap()).unwrap();
        String::from_utf8(loader.record(row, &file[start..]).unwrap().line).unwrap()
    });
    assert!(!lines[0].contains("bad_time"), "{}", lines[0]);
    assert!(lines[1].contains(r#""err":["bad_time"]"#), "{}", lines[1]);
}

/// 65,536 interfaces, then an interface before each packet: copies of all readers would need gigabytes.
#[test]
fn many_interfaces_need_little_memory() {
    let (mut section, mut interface, mut packet) = (Vec::new(), Vec::new(), Vec::new());
    let mut writer = PcapngWriter::new(&SectionOptions::default(), &mut section);
    let link = LinkType::ETHERNET;
    writer.interface(&FileInterface { name: None, link, snaplen: 0 }, &mut interface);
    let ts = Timestamp::from_ns(0);
    let frame = Frame {
        ts,
        link,
        interface: 0,
        bytes: &[1, 2, 3, 4],
        wire_len: 4,
        faults: Faults::default(),
    };
    writer.packet(&frame, &PacketOptions::default(), &mut packet);
    let pair = [&interface[..], &packet].concat();
    let first = [section, interface.repeat(65_000)].concat();
    let file = [&first[..], &pair.repeat(500)].concat();
    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(&file);
    loader.feed(&[]);
    assert_eq!((loader.report().totals.packets, loader.report().skipped), (500, 0));
    let record = |row| &file[usize::try_from(loader.record_offset(row).unwrap()).unwrap()..];
    assert!(loader.record(0, record(0)).is_ok());
    // The readers of later packets have not been stored: these are read with the whole file.
    assert_eq!(loader.record(499, record(499)), Err(None));
    let file = [&file[..], &interface.repeat(100)].concat();
    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(&file);
    let report = loader.report();
    assert_eq!((report.totals.packets, report.skipped), (500, 1));
    assert!(loader.is_done());
    let reason = &report.problems[0].reason;
    assert!(reason.contains("more than 65,536 interfaces"), "{reason}");
}

/// All values of the packets of a text, without the offsets of their lines.
fn rows(text: &str) -> Vec<PacketRow> {
    let loader = load(text);
    let report = loader.report();
    assert_eq!(report.skipped, 0, "{:?}", report.problems);
    let columns = loader.columns();
    (0..columns.len()).map(|row| PacketRow { offset: 0, ..columns.row(row) }).collect()
}

/// Files from before `http_host`, `proto` `other` and addresses in fields of their own.
#[test]
fn former_format_loads_like_the_present_one() {
    let former = include_str!("former_format.ndjson");
    let macs = r#""02:00:00:00:00:01","eth_dst":"02:00:00:00:00:02""#;
    let present = former
        .replace(r#""host":"example"#, r#""http_host":"example"#)
        .replace(
            r#""src":"02:00:00:00:00:01","dst":"01:80:c2:00:00:0e""#,
            r#""eth_src":"02:00:00:00:00:01","eth_dst":"01:80:c2:00:00:0e""#,
        )
        .replace(&format!(r#"{macs},"src":"02:00:00:00:00:01","dst":"02:00:00:00:00:02""#), macs)
        .replace(r#""proto":"0x8899""#, r#""proto":"other","ethertype":34969"#)
        .replace(r#""proto":"ip-proto-253""#, r#""proto":"other","ip_proto":253"#)
        .replace(r#""proto":"linktype-147""#, r#""proto":"other","linktype":147"#);
    let values = rows(former);
    let text = |row: usize| (&values[row].src[..], &values[row].dst[..], &values[row].proto[..]);
    assert_eq!(text(2), ("02:00:00:00:00:01", "01:80:c2:00:00:0e", "lldp"));
    assert_eq!(text(3), ("02:00:00:00:00:01", "02:00:00:00:00:02", "0x8899"));
    assert_eq!(text(4), ("10.0.0.2", "10.0.0.1", "ip-proto-253"));
    assert_eq!(text(5), ("", "", "linktype-147"));
    assert_eq!(rows(&present), values);
    // With spaces, as other programs write JSON, the fast reader does not apply.
    assert_eq!(rows(&former.replace("\":", "\": ")), values);
    assert_eq!(rows(&present.replace("\":", "\": ")), values);
}

#[test]
fn times_as_numbers_keep_all_digits() {
    let line = |time: &str| {
        let line = PACKET.replace(r#""ts":"2026-11-23T02:53:38.123456789Z""#, time);
        assert!(line.contains(time));
        format!("{line}\n")
    };
    for (time, ns) in [
        (r#""ts_ns":1795402418123456789"#, 1_795_402_418_123_456_789),
        (r#""ts_us":1795402418123456"#, 1_795_402_418_123_456_000),
        (r#""ts_ms":1795402418123"#, 1_795_402_418_123_000_000),
        (r#""ts_ns":-1"#, -1),
    ] {
        let tagged = line(time).replace('}', r#","tag_site":"fra1"}"#);
        for line in [line(time), line(time).replace("\":", "\": "), tagged] {
            assert_eq!(rows(&line)[0].ts_ns, ns, "{line}");
        }
    }
}

#[test]
fn numbers_of_selected_packets_are_ranges() {
    let line = |n: u64| PACKET.replace("\"n\":1,", &format!("\"n\":{n},"));
    let lines: Vec<_> = [1, 2, 3, 5, 6, 9].map(line).into();
    let loader = load(&format!("{}\n", lines.join("\n")));
    assert_eq!(loader.columns().number(3), 5);
    assert_eq!(loader.numbers(&|_| true), "1-3,5-6,9,");
    assert_eq!(loader.numbers(&|row| row != 1), "1,3,5-6,9,");
    assert_eq!(loader.numbers(&|_| false), "");
}
