//! Hostile captures in the page: it stays responsive, in bounded memory, and says what is wrong.

use serde_json::Value;
use std::fmt::Write as _;
use summary::capture_file::PcapFile;
use tempfile::tempdir;
use tests::files::{gzip, write};
use tests::frames::{IPV4, LINKTYPE_ETHERNET, ethernet, ipv4, udp};
use tests::page::Page;

/// Largest memory of the page and its workers in bytes.
const MAX_MEMORY: u64 = 256 << 20;

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// The state of the page, whose memory must be within the limit.
fn state(page: &Page) -> Value {
    let state = page.eval("viewer.state()");
    assert!(state["memory_bytes"].as_u64().unwrap() < MAX_MEMORY, "{state}");
    state
}

/// Filters, which takes a page and workers that still answer, and returns the number of packets.
fn selected(page: &Page, filter: &str) -> u64 {
    page.act(&format!("viewer.filter('{filter}')"));
    assert_eq!(page.text("#filter-error"), "");
    page.eval("viewer.state().selected").as_u64().unwrap()
}

#[test]
fn line_of_a_gibibyte_is_skipped() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let piece = vec![b'a'; 16 << 20];
    let packet = super::page::line(1, 60, "tcp");
    for (name, compress) in [("line.zst", zstd as fn(&[u8]) -> Vec<u8>), ("line.gz", gzip)] {
        let packet = compress(packet.as_bytes());
        let line = [compress(&piece).repeat(64), compress(b"\n")].concat();
        let file = [&packet[..], &line, &packet].concat();
        page.drop_alone(&write(&directory, name, file));
        let state = state(&page);
        assert_eq!((&state["packets"], &state["skipped"]), (&2.into(), &1.into()), "{name}");
        assert_eq!(page.text("#problem-list li:first-child"), "line 2: line is longer than 1 MiB");
        assert_eq!(selected(&page, "len == 60"), 2);
    }
}

/// Packets decades apart, at both ends of the times of pcap files, and of those that lines can have.
#[test]
fn centuries_between_packets_can_be_selected() {
    const YEAR_NS: u64 = 31_557_600_000_000_000;
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let pcap = |times: [u64; 2]| {
        let mut file = PcapFile::new(LINKTYPE_ETHERNET);
        times.iter().for_each(|ns| file.push(*ns, &[0; 60]));
        file.into_bytes()
    };
    let mut lines = String::new();
    for (n, ts) in [(1, "1677-09-21T00:12:43.145224193Z"), (2, "2262-04-11T23:47:16.854775806Z")] {
        writeln!(lines, r#"{{"type":"pkt","n":{n},"ts":"{ts}","len":60,"proto":"tcp"}}"#).unwrap();
    }
    for (name, file, duration) in [
        ("gap.pcap", pcap([20 * YEAR_NS, 70 * YEAR_NS]), "50 years"),
        ("ends.pcap", pcap([0, 4_294_967_295_999_999_999]), "136 years"),
        ("ends.ndjson", lines.into_bytes(), "584 years"),
    ] {
        page.drop_alone(&write(&directory, name, file));
        assert_eq!(state(&page)["packets"], 2, "{name}");
        let summary = page.text("#summary");
        assert!(summary.contains(duration), "{name}: {summary}");
        assert_eq!(selected(&page, "n == 2"), 1);
        page.act("viewer.filter('')");
    }
}

/// A pcap file of packets, each from and to other addresses.
fn distinct_addresses(count: u32) -> Vec<u8> {
    let mut file = PcapFile::new(LINKTYPE_ETHERNET);
    let mut frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
    for n in 0..count {
        frame[26..30].copy_from_slice(&(0x0b00_0000 + n).to_be_bytes());
        frame[30..34].copy_from_slice(&(0x2000_0000 + n).to_be_bytes());
        file.push(u64::from(n) * 1_000, &frame);
    }
    file.into_bytes()
}

/// Packets between 200,000 different addresses.
#[test]
fn many_addresses_can_be_selected() {
    const COUNT: u32 = 100_000;
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_alone(&write(&directory, "addresses.zst", zstd(&distinct_addresses(COUNT))));
    assert_eq!(state(&page)["packets"], COUNT);
    assert_eq!(selected(&page, "src == 11.0.0.5"), 1);
    assert_eq!(selected(&page, "dst == 32.0.0.0/16"), 65_536);
}

/// The number of packets does not show how much memory their addresses need.
#[test]
fn loading_stops_at_the_memory_limit() {
    const COUNT: u64 = 300_000;
    let directory = tempdir().unwrap();
    let file = distinct_addresses(u32::try_from(COUNT).unwrap());
    let file = write(&directory, "addresses.pcap", file);
    let page = Page::open("");
    page.eval("viewer.limitMemory(9700000)");
    page.drop_alone(&file);
    let loaded = state(&page)["packets"].as_u64().unwrap();
    assert!(0 < loaded && loaded < COUNT, "{loaded}");
    let error = page.text("#error");
    assert!(error.starts_with("“addresses.pcap” needs more memory than is available."), "{error}");
    assert_eq!(selected(&page, "src == 11.0.0.5"), 1);
    // A sample of it is offered, and fits.
    page.eval("document.getElementById('close').click()");
    page.chromium.drop_file(&file, (600.0, 400.0)).unwrap();
    page.wait_for("!document.getElementById('sampling').hidden");
    page.eval("document.querySelector('[data-action=load-every]').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    assert_eq!(page.text("#error"), "");
    let sampled = state(&page)["packets"].as_u64().unwrap();
    assert!(0 < sampled && sampled <= loaded, "{sampled} of {loaded}");
}

/// 10 GiB of zeros in a small file.
#[test]
fn decompression_bomb_is_not_a_capture() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let piece = vec![0; 64 << 20];
    for (name, compress) in [("bomb.zst", zstd as fn(&[u8]) -> Vec<u8>), ("bomb.gz", gzip)] {
        page.drop_file(&write(&directory, name, compress(&piece).repeat(160)));
        page.wait_for("document.documentElement.dataset.phase === 'error'");
        let error = page.text("#error");
        let expected = format!("“{name}” is not a capture. Expected pcap, pcapng or NDJSON.");
        assert!(error.starts_with(&expected), "{error}");
        state(&page);
    }
    page.drop_alone(&write(&directory, "good.ndjson", super::page::line(1, 60, "tcp")));
    assert_eq!(state(&page)["packets"], 1);
}
