//! The same traffic captured by tcpdump and by sniffer: lengths and timestamps are equal.

use std::process::{Command, Stdio};
use summary::capture_file::{Reader, Step};
use tempfile::tempdir;
use tests::corpus;
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};
use tests::process::{Capture, Process, finish, signal, wait_for};
use tests::veth::with_veth;

/// Minimum number of packets to compare if there is a corpus.
const CORPUS_COUNT: usize = 100_000;

/// The longest frame that the cable takes.
const MAX_FRAME_LEN: usize = 65_535 + 14;

/// The frames of the corpus, repeated until there are enough; without a corpus, frames of many sizes.
fn frames() -> Vec<Vec<u8>> {
    let Some(files) = corpus::files().unwrap() else {
        return (0..20_000)
            .map(|number| ethernet(&[], IPV4, &ipv4(17, &udp(&vec![0; number % 8_000]))))
            .collect();
    };
    let mut frames = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let (mut rest, mut reader) = (&bytes[..], Reader::new());
        while let Ok(step) = reader.step(rest) {
            match step {
                Step::Skipped { consumed } => rest = &rest[consumed..],
                Step::Frame { consumed, frame } => {
                    // Frames of all link types are sent; their first 14 bytes serve as the Ethernet header.
                    if (14..=MAX_FRAME_LEN).contains(&frame.bytes.len()) {
                        frames.push(frame.bytes.to_vec());
                    }
                    rest = &rest[consumed..];
                }
                Step::NeedMore { .. } => break,
            }
        }
    }
    let count = frames.len();
    frames.iter().cycle().take(count * CORPUS_COUNT.div_ceil(count)).cloned().collect()
}

/// Lengths on the wire and times to the microsecond of the packets in a pcap file.
fn packets_of_pcap(bytes: &[u8]) -> Vec<(u64, String)> {
    let (mut rest, mut reader, mut packets) = (bytes, Reader::new(), Vec::new());
    while let Ok(step) = reader.step(rest) {
        match step {
            Step::Skipped { consumed } => rest = &rest[consumed..],
            Step::Frame { consumed, frame } => {
                let ts = frame.ts.to_string();
                packets.push((u64::from(frame.wire_len), to_microseconds(&ts)));
                rest = &rest[consumed..];
            }
            Step::NeedMore { .. } => break,
        }
    }
    packets
}

/// `2026-11-23T02:53:38.123456`.
fn to_microseconds(ts: &str) -> String {
    ts[..26].to_owned()
}

#[test]
fn lengths_and_timestamps_match_tcpdump() {
    let frames = frames();
    let (stream, pcap) = with_veth(|| {
        let directory = tempdir().unwrap();
        let dump = directory.path().join("dump.pcap");
        let mut tcpdump = Command::new("tcpdump");
        // Incoming packets only: the kernel answers some frames at the same time.
        tcpdump
            .args(["-i", "right", "-Q", "in", "-B", "524288", "-Z", "root", "-U", "-w"])
            .arg(&dump);
        let tcpdump = Process::spawn(tcpdump.stderr(Stdio::null()));
        wait_for("tcpdump", || dump.metadata().is_ok_and(|metadata| metadata.len() >= 24));
        let capture =
            Capture::start(directory.path(), &["-i", "right", "-Q", "in", "-B", "524288"]);
        let sender = Sender::new("left");
        frames.iter().for_each(|frame| sender.send(frame));
        let stream = capture.stop();
        signal(&tcpdump, nix::sys::signal::Signal::SIGTERM);
        finish(tcpdump);
        (stream, std::fs::read(&dump).unwrap())
    });
    let theirs = packets_of_pcap(&pcap);
    let ours: Vec<_> =
        stream.packets.iter().map(|packet| (packet.len, to_microseconds(&packet.ts))).collect();
    assert_eq!((ours.len(), theirs.len(), stream.end.drop), (frames.len(), frames.len(), 0));
    let differing = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
    assert_eq!(differing, None);
}
