//! Capture files through `-r`.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use tempfile::tempdir;
use tests::frames::pcap;
use tests::process::{finish, run, sniffer};
use tests::stream::Stream;
use xtask::{capinfos, corpus};

fn read(path: &Path) -> Stream {
    let output = run(&["-r", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", output.stderr);
    Stream::read(&output.stdout)
}

#[test]
fn a_file_gives_the_same_stream_plain_gzipped_and_from_standard_input() {
    let directory = tempdir().unwrap();
    let bytes = pcap(1_000);
    let plain = directory.path().join("a.pcap");
    fs::write(&plain, &bytes).unwrap();
    // Two members, as rotated and joined logs have them.
    let packed = directory.path().join("anything");
    let mut file = File::create(&packed).unwrap();
    for half in [&bytes[..5_000], &bytes[5_000..]] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(half).unwrap();
        file.write_all(&encoder.finish().unwrap()).unwrap();
    }
    let stream = read(&plain);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (1_000, "eof"));
    assert_eq!(
        (&stream.meta["source"], &stream.meta["file"]),
        (&"file".into(), &plain.to_str().unwrap().into())
    );
    assert_eq!(stream.packets[999].ts, "1970-01-01T00:16:40.000999000Z");
    assert_eq!(read(&packed).packets, stream.packets);
    let mut child = sniffer()
        .args(["-r", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let output = finish(child);
    writer.join().unwrap();
    assert!(output.stderr.contains("1,000 packets read from standard input"), "{}", output.stderr);
    assert_eq!(Stream::read(&output.stdout).packets, stream.packets);
}

#[test]
fn a_pipe_that_says_nothing_more_keeps_no_line_back() {
    let mut command = sniffer();
    command.args(["-q", "-r", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let file = pcap(3);
    // Byte by byte at first, and a record that is not whole at last.
    for byte in &file[..30] {
        stdin.write_all(&[*byte]).unwrap();
    }
    stdin.write_all(&file[30..file.len() - 1]).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().starts_with("{\"type\":\"meta\""));
    assert!(next().starts_with("{\"type\":\"pkt\",\"n\":1,"));
    assert!(next().starts_with("{\"type\":\"pkt\",\"n\":2,"));
    stdin.write_all(&file[file.len() - 1..]).unwrap();
    drop(stdin);
    assert!(next().starts_with("{\"type\":\"pkt\",\"n\":3,"));
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_count_ends_a_file_too() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.pcap");
    fs::write(&path, pcap(10)).unwrap();
    let output = run(&["-r", path.to_str().unwrap(), "-c", "4"]);
    let stream = Stream::read(&output.stdout);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (4, "count"));
}

#[test]
fn damage_leaves_what_came_before_it_and_tells_its_place() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("cut.pcap");
    let whole = pcap(3);
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let output = run(&["-r", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output.stderr.ends_with("cut.pcap`: cut short in the record at byte 176\n"),
        "{}",
        output.stderr
    );
    let stream = Stream::read(&output.stdout);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (2, "error"));
}

/// The whole corpus: as many packets as capinfos counts, every line in the schema.
#[test]
fn the_corpus_is_read_as_capinfos_counts_it() {
    let Some(files) = corpus::files().unwrap() else { return };
    assert!(!files.is_empty(), "the corpus has files");
    let (mut compared, mut problems) = (0, Vec::new());
    for file in &files {
        let output = run(&["-q", "-r", file.to_str().unwrap()]);
        assert!(
            output.status.code().is_some_and(|code| code < 2),
            "{}: {:?}",
            file.display(),
            output.status
        );
        let packets = match &output.stdout[..] {
            [] => 0,
            stdout => Stream::read(stdout).packets.len() as u64,
        };
        if let Some(expected) = capinfos::packets(file) {
            compared += 1;
            if packets != expected {
                problems.push(format!("{}: {packets}, capinfos {expected}", file.display()));
            }
        }
    }
    assert_eq!(problems, Vec::<String>::new());
    // It has no word for some link types and versions, but these are few.
    assert!(files.len() * 95 / 100 <= compared, "compared {compared} of {} files", files.len());
}
