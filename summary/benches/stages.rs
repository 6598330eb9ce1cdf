//! The cost per packet of each stage from the file to the line.
//!
//! `CAPTURE_FILE` names a capture file of real traffic. Without it, a few generated packets are
//! repeated. `cargo xtask bench read` creates the file with which the whole program is measured.
#![expect(clippy::expect_used, reason = "a benchmark reports failures by panicking")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::sync::LazyLock;
use summary::capture_file::{PcapFile, Reader, Step};
use summary::{
    CommunityId, LinkType, Packet, PayloadNames, Summary, Timestamp, Tunnels, decode, decode_into,
    decode_with_payload, line,
};

/// Few enough to fit into the processor's caches.
const PACKETS: usize = 10_000;

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| match std::env::var_os("CAPTURE_FILE") {
    Some(path) => std::fs::read(path).expect("the capture file"),
    None => generated_capture(),
});

static FRAMES: LazyLock<Vec<(LinkType, Vec<u8>, u32)>> = LazyLock::new(|| {
    let mut frames = Vec::new();
    walk(&FILE, PACKETS, |frame| {
        frames.push((frame.link, frame.bytes.to_vec(), frame.wire_len));
    });
    frames
});

fn main() {
    divan::main();
}

/// A pcap file with TCP, UDP with a DNS query, and ARP.
fn generated_capture() -> Vec<u8> {
    let ethernet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let ipv4 = |number: u8| {
        [0x45, 0, 0, 0, 0, 1, 0, 0, 64, number, 0, 0, 192, 168, 10, 21, 93, 184, 216, 34]
    };
    let tcp = [&[0xd4, 0x31, 1, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x18, 1, 0][..], &[0; 300]];
    let dns = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01";
    let frames = [
        [&ethernet[..], &[8, 0], &ipv4(6), &tcp.concat()].concat(),
        [&ethernet[..], &[8, 0], &ipv4(17), &[0x0f, 0xa0, 0, 53, 0, 37, 0, 0], dns].concat(),
        [&ethernet[..], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &[7; 20]].concat(),
    ];
    let mut file = PcapFile::new(1);
    for (number, frame) in (0..).zip(frames.iter().cycle().take(PACKETS)) {
        file.push(1_795_402_418_000_000_000 + number, frame);
    }
    file.into_bytes()
}

fn walk(file: &[u8], limit: usize, mut visit: impl FnMut(summary::capture_file::Frame<'_>)) {
    let (mut reader, mut rest, mut seen) = (Reader::new(), file, 0);
    while seen < limit && !rest.is_empty() {
        match reader.step(rest).expect("a good capture file") {
            Step::Frame { consumed, frame } => {
                visit(frame);
                seen += 1;
                rest = &rest[consumed..];
            }
            Step::Skipped { consumed } => rest = &rest[consumed..],
            Step::NeedMore { .. } => return,
        }
    }
}

fn packets() -> Vec<Packet<'static>> {
    (1..)
        .zip(&*FRAMES)
        .map(|(n, (link, bytes, wire_len))| {
            let ts = Timestamp::from_ns(1_795_402_418_000_000_000 + n * 1_000);
            Packet::new(n.unsigned_abs(), ts, decode(*link, bytes, *wire_len))
        })
        .collect()
}

#[divan::bench]
fn file(bencher: Bencher<'_, '_>) {
    let count = ItemsCount::new(FRAMES.len());
    bencher.counter(count).bench(|| walk(&FILE, PACKETS, |frame| _ = black_box(frame.wire_len)));
}

#[divan::bench(name = "decode")]
fn decoding(bencher: Bencher<'_, '_>) {
    let mut summary = Summary::new(LinkType::ETHERNET, 0, 0);
    bencher.counter(ItemsCount::new(FRAMES.len())).bench_local(|| {
        for (link, bytes, wire_len) in &*FRAMES {
            black_box(decode_into(*link, bytes, *wire_len, Tunnels::Inner, &mut summary));
        }
    });
}

#[divan::bench]
fn format(bencher: Bencher<'_, '_>) {
    let packets = packets();
    let (mut writer, mut out) = (line::Writer::default(), Vec::with_capacity(1 << 20));
    bencher.counter(ItemsCount::new(packets.len())).bench_local(|| {
        for packet in &packets {
            if 1 << 18 < out.len() {
                out.clear();
            }
            writer.write(packet, &mut out);
        }
    });
}

#[divan::bench]
fn excerpt_of_line(bencher: Bencher<'_, '_>) {
    let (mut lines, mut writer) = (Vec::new(), line::Writer::default());
    packets().iter().for_each(|packet| writer.write(packet, &mut lines));
    let mut excerpts = line::ExcerptReader::default();
    bencher.counter(ItemsCount::new(FRAMES.len())).bench_local(|| {
        let mut rest = &lines[..];
        while !rest.is_empty() {
            let (excerpt, len) = excerpts.read(rest).expect("a line of the writer's");
            black_box(excerpt);
            rest = &rest[len + 1..];
        }
    });
}

#[divan::bench]
fn read_line(bencher: Bencher<'_, '_>) {
    let mut lines = Vec::new();
    let mut writer = line::Writer::default();
    packets().iter().for_each(|packet| writer.write(packet, &mut lines));
    bencher.counter(ItemsCount::new(FRAMES.len())).bench(|| {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &lines) {
            black_box(line::parse(&lines[start..end])).expect("a line of the writer's");
            start = end + 1;
        }
    });
}

#[divan::bench]
fn names(bencher: Bencher<'_, '_>) {
    let decoded: Vec<_> = FRAMES
        .iter()
        .map(|(link, bytes, wire_len)| decode_with_payload(*link, bytes, *wire_len))
        .collect();
    let mut buffer = String::new();
    bencher.counter(ItemsCount::new(decoded.len())).bench_local(|| {
        for decoded in &decoded {
            black_box(PayloadNames::parse(&decoded.summary, decoded.payload, &mut buffer));
        }
    });
}

#[divan::bench]
fn community_id(bencher: Bencher<'_, '_>) {
    let packets = packets();
    bencher.counter(ItemsCount::new(packets.len())).bench(|| {
        for packet in &packets {
            black_box(CommunityId::of(&packet.summary, 0));
        }
    });
}
