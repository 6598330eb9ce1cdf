//! The patterns that the documentation gives to databases and shippers match every complete file.

use nix::sys::signal::Signal;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};
use tests::process::{Process, signal, sniffer, wait_for};
use tests::veth::with_veth;
use xtask::build::root;

/// Packets that are sent while a file is written.
const COUNT: usize = 10;

/// How Zstandard frames start (RFC 8878).
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The patterns in a file of the documentation that match names with one of the extensions.
fn patterns(page: &str, extensions: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs").join(page)).unwrap();
    let words = text.split(|c: char| c.is_whitespace() || "\"'[],(".contains(c));
    let is_pattern = |word: &&str| {
        word.contains('*') && extensions.iter().any(|extension| word.ends_with(extension))
    };
    let patterns: Vec<_> = words.filter(is_pattern).map(str::to_owned).collect();
    assert!(!patterns.is_empty(), "{page}");
    patterns
}

/// The number of files in `directory` that bash matches, and of the packets in them.
fn matches(directory: &Path, pattern: &str) -> (usize, usize) {
    let script = format!("shopt -s globstar nullglob; printf '%s\\n' {pattern}");
    let output = Command::new("bash").args(["-c", &script]).current_dir(directory).output();
    let names = String::from_utf8(output.unwrap().stdout).unwrap();
    let texts = names.lines().map(|name| text_of(&directory.join(name)));
    texts.fold((0, 0), |(files, packets), text| (files + 1, packets + count_packets(&text)))
}

fn text_of(path: &Path) -> String {
    // The file may have got its final name since it was listed.
    let bytes = fs::read(path).unwrap_or_default();
    if !bytes.starts_with(ZSTD_MAGIC) {
        return String::from_utf8(bytes).unwrap();
    }
    let mut text = String::new();
    // The end of an unfinished file is missing.
    let _ = zstd::Decoder::new(&bytes[..]).unwrap().read_to_string(&mut text);
    text
}

fn count_packets(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("{\"type\":\"pkt\"")).count()
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Captures with `-w template` in `directory`: a run that is killed, and another one within the same
/// period that starts a second file on SIGHUP. Returns the number of packets sent.
fn capture_twice(directory: &Path, template: &str, args: &[&str]) -> usize {
    let mut sent = 0;
    let mut send_and_wait = || {
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
        (0..COUNT).for_each(|_| sender.send(&frame));
        sent += COUNT;
        wait_for("the packets", || {
            let counts = files(directory).into_iter().map(|file| count_packets(&text_of(&file)));
            sent == counts.sum::<usize>()
        });
        sent
    };
    let start = || {
        let mut command = sniffer();
        command.args(["-q", "-i", "right", "-w", template]).args(args).current_dir(directory);
        let before = files(directory).len();
        let process = Process::spawn(&mut command);
        // The second run completes the file of the first one and creates its own.
        wait_for("the file", || before < files(directory).len());
        process
    };
    with_veth(|| {
        let mut process = start();
        send_and_wait();
        process.kill().unwrap();
        process.wait().unwrap();
        let mut process = start();
        send_and_wait();
        let before = files(directory).len();
        signal(&process, Signal::SIGHUP);
        wait_for("the next file", || before < files(directory).len());
        let sent = send_and_wait();
        signal(&process, Signal::SIGTERM);
        assert!(process.wait().unwrap().success());
        sent
    })
}

#[test]
fn database_patterns_match_all_files_of_a_period() {
    let directory = tempdir().unwrap();
    fs::create_dir(directory.path().join("captures")).unwrap();
    // The names of docs/fleet.md, at a fixed time.
    let template = "captures/host=%{host}/date=2026-03-02/hour=09/05.ndjson.zst";
    let sent = capture_twice(directory.path(), template, &["-G", "3600"]);
    for page in ["fleet.md", "clickhouse.md"] {
        for pattern in patterns(page, &[".ndjson.zst"]) {
            assert_eq!(matches(directory.path(), &pattern), (3, sent), "{page}: {pattern}");
        }
    }
}

#[test]
fn shipper_patterns_match_all_files() {
    for args in [&["-G", "3600"][..], &["-C", "1"], &["-C", "1", "-W", "20"]] {
        let directory = tempdir().unwrap();
        let sent = capture_twice(directory.path(), "packets.ndjson", args);
        for page in ["vector.yaml", "fluent-bit.yaml", "fluent-bit-elasticsearch.yaml"] {
            for pattern in patterns(&format!("shippers/{page}"), &[".ndjson"]) {
                let pattern = pattern.replace("/var/lib/captures/", "");
                assert_eq!(matches(directory.path(), &pattern), (3, sent), "{args:?}: {pattern}");
            }
        }
    }
}
