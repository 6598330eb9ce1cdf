//! Reading capture files with `-r`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use tempfile::tempdir;
use tests::files::gzip;
use tests::frames::pcap;
use tests::process::{Process, finish, run, sniffer};
use tests::stream::Stream;
use tests::{capinfos, corpus};

fn read(path: &Path) -> Stream {
    let output = run(&["-r", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", output.stderr);
    Stream::read(&output.stdout)
}

#[test]
fn plain_compressed_and_piped_files_give_the_same_stream() {
    let directory = tempdir().unwrap();
    let bytes = pcap(1_000);
    let plain = directory.path().join("a.pcap");
    fs::write(&plain, &bytes).unwrap();
    let stream = read(&plain);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (1_000, "eof"));
    assert_eq!(
        (&stream.meta["source"], &stream.meta["file"]),
        (&"file".into(), &plain.to_str().unwrap().into())
    );
    assert_eq!(stream.packets[999].ts, "1970-01-01T00:16:40.000999000Z");
    let compressed = directory.path().join("anything");
    for compress in [gzip, xz, |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap()] {
        // Two members, as in concatenated logs.
        fs::write(&compressed, [compress(&bytes[..5_000]), compress(&bytes[5_000..])].concat())
            .unwrap();
        assert_eq!(read(&compressed).packets, stream.packets);
    }
    let mut child = Process::spawn(
        sniffer()
            .args(["-r", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
    );
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let output = finish(child);
    writer.join().unwrap();
    assert!(output.stderr.contains("1,000 packets read from standard input"), "{}", output.stderr);
    assert_eq!(Stream::read(&output.stdout).packets, stream.packets);
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The packet lines of a successful run.
fn packet_lines(args: &[&str]) -> Vec<String> {
    let output = run(args);
    assert!(output.status.success(), "{}", output.stderr);
    read_packets(&output.stdout)
}

/// The packet lines of a stream.
fn read_packets(stream: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(stream).unwrap();
    text.lines().filter(|line| line.contains("\"pkt\"")).map(str::to_owned).collect()
}

#[test]
fn several_files_are_merged_by_timestamp() {
    const HEADER_LEN: usize = 24;
    let directory = tempdir().unwrap();
    let path_of = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let whole = pcap(1_001);
    let (header, records) = whole.split_at(HEADER_LEN);
    let records: Vec<_> = records.chunks(records.len() / 1_001).collect();
    // Three files take the packets in turns. One is compressed, one starts later.
    let part = |part: usize| {
        let part = records.iter().skip(part).step_by(3).copied();
        [header].into_iter().chain(part).collect::<Vec<_>>().concat()
    };
    let files = [path_of("a", &part(1)), path_of("b.gz", &gzip(&part(0))), path_of("c", &part(2))];
    let args = ["-q", "-r", &files[0], "-r", &files[1], "-r", &files[2]];
    let expected = packet_lines(&["-q", "-r", &path_of("whole", &whole)]);
    assert_eq!(packet_lines(&args), expected);
    assert_eq!(packet_lines(&[&args[..], &["--threads", "3"]].concat()), expected);
    // A damaged file contributes the packets before the damage, the others all of theirs.
    let cut = path_of("cut", &part(1)[..HEADER_LEN + records[0].len() + 1]);
    let empty = path_of("empty", &[]);
    let output = run(&["-r", &cut, "-r", &files[1], "-r", &files[2], "-r", &empty]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.contains("empty` is empty"), "{}", output.stderr);
    assert!(output.stderr.contains("cut`: incomplete record at byte 100"), "{}", output.stderr);
    let stream = Stream::read(&output.stdout);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (1_001 - 334 + 1, "error"));
    assert_eq!(stream.meta["file"], [&cut[..], &files[1], &files[2], &empty].join(", "));
}

#[test]
fn threads_write_the_same_lines() {
    let Some(files) = corpus::files().unwrap() else { return };
    for file in files.iter().filter(|file| file.to_string_lossy().contains("nDPI")).step_by(10) {
        let args = ["-q", "-e", "--names", "--community-id", "-r", file.to_str().unwrap()];
        let one = run(&args).stdout;
        let more = run(&[&args[..], &["--threads", "2"]].concat()).stdout;
        assert_eq!(read_packets(&one), read_packets(&more), "{}", file.display());
    }
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.pcap");
    fs::write(&path, pcap(100_000)).unwrap();
    let args = ["-q", "-r", path.to_str().unwrap(), "-c", "70000"];
    let more = run(&[&args[..], &["--threads", "3"]].concat());
    let stream = Stream::read(&more.stdout);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (70_000, "count"));
    assert_eq!(packet_lines(&args), packet_lines(&[&args[..], &["--threads", "3"]].concat()));
}

#[test]
fn truncated_gzip_file_keeps_packets_and_reports_the_offset() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("cut.gz");
    let compressed = gzip(&pcap(20_000));
    let cut_len = compressed.len() * 3 / 4;
    fs::write(&path, &compressed[..cut_len]).unwrap();
    let output = run(&["-r", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let message = format!("cut.gz`: decompression failed after byte {cut_len}: ");
    assert!(output.stderr.contains(&message), "{}", output.stderr);
    let stream = Stream::read(&output.stdout);
    assert!(10_000 < stream.packets.len() && stream.reason == "error");
}

#[test]
fn idle_pipe_delays_no_line() {
    let mut command = sniffer();
    command.args(["-q", "-r", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Process::spawn(&mut command);
    let mut stdin = child.stdin.take().unwrap();
    let file = pcap(3);
    // Byte by byte at first, then up to the middle of the last record.
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
fn count_limits_files_too() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.pcap");
    fs::write(&path, pcap(10)).unwrap();
    let output = run(&["-r", path.to_str().unwrap(), "-c", "4"]);
    let stream = Stream::read(&output.stdout);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (4, "count"));
}

#[test]
fn truncated_file_keeps_packets_and_reports_the_offset() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("cut.pcap");
    let whole = pcap(3);
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let output = run(&["-r", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output.stderr.ends_with("cut.pcap`: incomplete record at byte 176\n"),
        "{}",
        output.stderr
    );
    let stream = Stream::read(&output.stdout);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (2, "error"));
}

/// Reads the whole corpus. `Stream::read` checks every line against the schema.
#[test]
fn corpus_packet_counts_match_capinfos() {
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
        if let Some(expected) = capinfos::packet_count(file) {
            compared += 1;
            if packets != expected {
                problems.push(format!("{}: {packets}, capinfos {expected}", file.display()));
            }
        }
    }
    assert_eq!(problems, Vec::<String>::new());
    // capinfos does not know a few link types and file versions.
    assert!(files.len() * 95 / 100 <= compared, "compared {compared} of {} files", files.len());
}

#[test]
fn totals_count_the_packets_read_and_those_that_match() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("a.pcap");
    fs::write(&file, pcap(3)).unwrap();
    let text = run(&["-r", file.to_str().unwrap(), "tcp"]).stderr;
    assert!(text.starts_with("sniffer: 3 packets read from "), "{text}");
    assert!(text.ends_with(", 0 matched the filter\n"), "{text}");
}
