//! Compares the payload of TCP connections with `tshark -z follow,tcp,raw`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::corpus;
use viewer_connection::{
    Block, Connection, ConnectionRecord, Connections, Content, Packet, Side, Transcript,
};
use viewer_formats::RawFrame;
use viewer_store::columns::PacketRow;
use viewer_store::query::LocatedPacket;

/// The largest files that are compared, in bytes: tshark needs a second for each.
const MAX_FILE_LEN: u64 = 400_000;
/// The number of files.
const MAX_FILES: usize = 50;
/// The number of connections of a file.
const MAX_CONNECTIONS: usize = 12;

/// Files with other differences, each with the reason.
const DIFFERENCES: [(&str, &str); 4] = [
    ("filter__AH-IPcomp-IPv4.pcap", "tshark decompresses IPComp"),
    ("filter__AH-IPcomp-IPv6.pcap", "tshark decompresses IPComp"),
    ("pcap__anyconnect-vpn.pcap", "tshark counts the byte before a keep-alive probe as missing"),
    ("pcap__fuzz-2006-06-26-2594.pcap", "sequence numbers were changed at random"),
];

/// What one side has sent in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    is_client: bool,
    bytes: Vec<u8>,
    /// Bytes that were not captured.
    missing: u64,
}

/// Appends bytes, to those before if the same side has sent them.
fn push(all: &mut Vec<Said>, is_client: bool, bytes: &[u8], missing: u64) {
    match all.last_mut() {
        Some(last) if last.is_client == is_client && last.missing == 0 && missing == 0 => {
            last.bytes.extend(bytes);
        }
        _ => all.push(Said { is_client, bytes: bytes.to_vec(), missing }),
    }
}

/// The connections of a file, and the payload of each.
fn ours(file: &Path) -> Vec<(String, Vec<Said>)> {
    let mut by_ports: BTreeMap<BTreeSet<String>, (usize, Connections)> = BTreeMap::new();
    for (index, frame) in corpus::capture(file).unwrap().frames.into_iter().enumerate() {
        let record = ConnectionRecord {
            packet: LocatedPacket { part: 0, index, key_ns: 0, row: PacketRow::default() },
            line: Vec::new(),
            frame: Some(RawFrame {
                link: frame.link.0,
                wire_len: frame.wire_len,
                bytes: frame.bytes,
            }),
        };
        if let Some(packet) = Packet::of(&record).filter(|packet| packet.segment.is_some()) {
            let ends = [packet.src, packet.dst].map(|end| end.to_string());
            let (_, connections) =
                by_ports.entry(ends.into()).or_insert((index, Connections::default()));
            connections.add(0, &packet);
        }
    }
    let all = by_ports.values().flat_map(|(_, connections)| connections.all());
    all.map(|connection| (ends(connection), said(&connection.transcript()))).collect()
}

fn ends(connection: &Connection) -> String {
    let mut ends = connection.ends().map(|end| end.to_string());
    ends.sort();
    ends.join(" ")
}

fn said(transcript: &Transcript) -> Vec<Said> {
    let mut all = Vec::new();
    for block in transcript.blocks() {
        let Block { side, content, .. } = block;
        let is_client = *side == Side::Client;
        match content {
            Content::Bytes(_) => push(&mut all, is_client, transcript.bytes_of(block), 0),
            Content::Missing(len) => push(&mut all, is_client, b"", *len),
        }
    }
    all
}

fn tshark(file: &Path, args: &[String]) -> String {
    let output = Command::new("tshark")
        .args(["-n", "-o", "tcp.relative_sequence_numbers:FALSE", "-r"])
        .arg(file)
        .args(args)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The connections of a file as tshark numbers them.
fn streams(file: &Path) -> Vec<u32> {
    let fields = ["-Y", "tcp.len > 0", "-T", "fields", "-e", "tcp.stream"].map(str::to_owned);
    let text = tshark(file, &fields);
    let streams: BTreeSet<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    streams.into_iter().take(MAX_CONNECTIONS).collect()
}

/// The payload of connections according to tshark.
fn theirs(file: &Path, streams: &[u32]) -> Vec<(String, Vec<Said>)> {
    let mut args = vec!["-q".to_owned()];
    args.extend(
        streams.iter().flat_map(|stream| ["-z".into(), format!("follow,tcp,raw,{stream}")]),
    );
    let text = tshark(file, &args);
    let mut all = Vec::new();
    for part in text.split("Filter: tcp.stream eq ").skip(1) {
        let end = |line: &str| line.split_once(": ").map(|(_, end)| end.to_owned());
        let nodes = part.lines().filter(|line| line.starts_with("Node "));
        let mut ends: Vec<_> = nodes.filter_map(end).collect();
        ends.sort();
        let mut said = Vec::new();
        let lines = part.lines().skip_while(|line| !line.starts_with("Node 1")).skip(1);
        for line in lines.take_while(|line| !line.starts_with('=')) {
            let bytes = digits(line.trim_start_matches('\t'));
            let missing = missing(&bytes);
            let bytes = if missing == 0 { &bytes[..] } else { b"" };
            push(&mut said, !line.starts_with('\t'), bytes, missing);
        }
        all.push((ends.join(" "), said));
    }
    all
}

fn digits(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The number in tshark's text for bytes that were not captured; 0 for other bytes.
fn missing(bytes: &[u8]) -> u64 {
    let text = str::from_utf8(bytes).unwrap_or_default().trim_end_matches('\0');
    let number = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(" bytes missing in capture file]"));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The files that are compared: short ones, and those without a known difference.
fn files() -> Option<Vec<PathBuf>> {
    let files = corpus::files().unwrap()?;
    let is_compared = |file: &PathBuf| {
        let is_different = |(name, _): &(&str, &str)| file.ends_with(name);
        file.metadata().unwrap().len() <= MAX_FILE_LEN && !DIFFERENCES.iter().any(is_different)
    };
    Some(files.into_iter().filter(is_compared).collect())
}

/// Whether the payload is equal. Bytes after the last gap count only for us if nobody has acknowledged them:
/// tshark waits for the missing bytes.
fn is_equal(ours: &[Said], theirs: &[Said]) -> bool {
    let (ours, theirs) = (from_first(ours), from_first(theirs));
    ours.strip_prefix(&theirs[..])
        .is_some_and(|rest| rest.first().is_none_or(|said| 0 < said.missing))
}

/// With the side that was first to send something as the client: tshark's client is the sender of the first
/// packet.
fn from_first(said: &[Said]) -> Vec<Said> {
    let is_client = said.first().is_some_and(|said| said.is_client);
    let same = |said: &Said| Said { is_client: said.is_client == is_client, ..said.clone() };
    said.iter().map(same).collect()
}

#[test]
fn payload_of_connections_equals_that_of_tshark() {
    let Some(files) = files() else { return };
    let (mut compared, mut count, mut different) = (0, 0, Vec::new());
    for file in files {
        let ours = ours(&file);
        if MAX_FILES <= count || ours.iter().all(|(_, said)| said.is_empty()) {
            continue;
        }
        count += 1;
        // Connections between the same ports follow each other.
        let mut used: BTreeMap<_, usize> = BTreeMap::new();
        let theirs = theirs(&file, &streams(&file));
        for (ends, expected) in theirs.into_iter().filter(|(_, said)| !said.is_empty()) {
            let at = used.entry(ends.clone()).or_default();
            let mut same =
                ours.iter().filter(|(other, said)| *other == ends && !said.is_empty()).skip(*at);
            *at += 1;
            match same.next() {
                Some((_, said)) if is_equal(said, &expected) => compared += 1,
                found => {
                    different.push(format!("{} {ends}: {found:?}\n{expected:?}", file.display()));
                }
            }
        }
    }
    eprintln!("{compared} connections of {count} files compared");
    assert!(100 < compared, "{compared} connections");
    assert!(different.is_empty(), "{}", different.join("\n"));
}
