//! Captures in which names are easily missed or made up, each with the names that it has.

#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use summary::capture_file::{Reader, Step};
use summary::{PayloadNames, decode_with_payload};

/// A file, and the names of its packets, one packet per line.
const CAPTURES: &[(&str, &[&str])] = &[
    ("clients-of-multicast-ports", &["sni www.example.com", "host www.example.com", "quic 1"]),
    ("dns-escapes", &["dns a\\\\.com A", "dns a\\.com A"]),
    ("dns-later-segment", &["", ""]),
    ("dns-length-alone", &[""]),
    ("dns-other-port", &["dns www.example.com A"]),
    ("dns-transfer-start", &[""]),
    ("http-lf", &["host www.example.com"]),
    ("http-report", &["host a.example"]),
    ("quic-port-5353", &["quic 1"]),
    ("rtp", &[""]),
    ("tls-4k", &["sni www.example.com"]),
    ("tls-port-5353", &["sni www.example.com"]),
    ("tls-records-before-extensions", &["sni www.example.com"]),
    ("tls-records-in-name", &["sni www.example.com"]),
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/names")
}

/// The names of each packet as text.
fn names(file: &str) -> Vec<String> {
    let bytes = fs::read(directory().join(file).with_extension("pcap")).unwrap();
    let (mut reader, mut rest) = (Reader::new(), &bytes[..]);
    let (mut packets, mut buf) = (Vec::new(), String::new());
    loop {
        match reader.step(rest).unwrap() {
            Step::Frame { consumed, frame } => {
                rest = &rest[consumed..];
                let decoded = decode_with_payload(frame.link, frame.bytes, frame.wire_len);
                let names = PayloadNames::parse(&decoded.summary, decoded.payload, &mut buf);
                let dns = names.dns.map(|(name, kind)| format!("dns {name} {kind}"));
                let sni = names.sni.map(|name| format!("sni {name}"));
                let host = names.http_host.map(|name| format!("host {name}"));
                let quic = names.quic.map(|version| format!("quic {version}"));
                let all: Vec<_> = [dns, sni, host, quic].into_iter().flatten().collect();
                packets.push(all.join(" "));
            }
            Step::Skipped { consumed } => rest = &rest[consumed..],
            Step::NeedMore { .. } => return packets,
        }
    }
}

#[test]
fn captures_have_exactly_these_names() {
    for (file, expected) in CAPTURES {
        assert_eq!(names(file), *expected, "{file}");
    }
    let name = |entry: fs::DirEntry| Some(entry.path().file_stem()?.to_str()?.to_owned());
    let files = fs::read_dir(directory()).unwrap();
    let files: BTreeSet<_> = files.map(|entry| name(entry.unwrap()).unwrap()).collect();
    assert!(files.iter().eq(CAPTURES.iter().map(|(file, _)| *file)), "{files:?}");
}
