//! The cost per packet of names in messages that several packets contain, beside that of names in single
//! packets. `CAPTURE_FILE` names a pcap file; without it, there is nothing to measure.
#![expect(clippy::expect_used, reason = "a benchmark reports failures by panicking")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use reassembly::NameTracker;
use std::sync::LazyLock;
use summary::capture_file::{Reader, Step};
use summary::{Decoded, PayloadNames, Timestamp, decode_with_payload};

/// As in the stages of `summary`.
const PACKETS: usize = 10_000;

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| match std::env::var_os("CAPTURE_FILE") {
    Some(path) => std::fs::read(path).expect("the capture file"),
    None => Vec::new(),
});

static PACKETS_OF_FILE: LazyLock<Vec<(Timestamp, Decoded<'static>)>> = LazyLock::new(|| {
    let (mut reader, mut rest, mut packets) = (Reader::new(), &FILE[..], Vec::new());
    while packets.len() < PACKETS && !rest.is_empty() {
        match reader.step(rest).expect("a good capture file") {
            Step::Frame { consumed, frame } => {
                let decoded = decode_with_payload(frame.link, frame.bytes, frame.wire_len);
                packets.push((frame.ts, decoded));
                rest = &rest[consumed..];
            }
            Step::Skipped { consumed } => rest = &rest[consumed..],
            Step::NeedMore { .. } => break,
        }
    }
    packets
});

fn main() {
    divan::main();
}

fn measure(bencher: Bencher<'_, '_>, has_ja4: bool) {
    let packets = &*PACKETS_OF_FILE;
    let tracker = || NameTracker::new(has_ja4);
    let bencher = bencher.counter(ItemsCount::new(packets.len())).with_inputs(tracker);
    bencher.bench_local_refs(|tracker| {
        for (ts, Decoded { summary, payload }) in packets {
            black_box(tracker.parse(*ts, None, summary, payload));
        }
    });
}

#[divan::bench]
fn tracker(bencher: Bencher<'_, '_>) {
    measure(bencher, false);
}

#[divan::bench]
fn tracker_with_ja4(bencher: Bencher<'_, '_>) {
    measure(bencher, true);
}

#[divan::bench]
fn single_packets(bencher: Bencher<'_, '_>) {
    let packets = &*PACKETS_OF_FILE;
    let mut buf = String::new();
    bencher.counter(ItemsCount::new(packets.len())).bench_local(|| {
        for (_, Decoded { summary, payload }) in packets {
            black_box(PayloadNames::parse(summary, payload, &mut buf));
        }
    });
}
