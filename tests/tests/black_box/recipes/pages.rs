//! Runs the pages, compares their answers, and opens what they export.

use std::fs;
use std::path::Path;
use tempfile::{TempDir, tempdir};
use tests::code_blocks::{Directive, code_blocks};
use tests::page::Page;
use tests::stream::{Packet, check_line};
use xtask::{build, namespace};

use super::answers::answer;
use super::captures::{self, Captures, SENSORS};
use super::engines::Engines;

/// Runs all blocks of a page that are to be run. Returns how many answers were compared.
pub(crate) fn run_page(page: &str, directory: &Path, captures: &Captures) -> usize {
    let text = fs::read_to_string(build::root().join(page)).unwrap();
    let blocks = code_blocks(&text).unwrap_or_else(|error| panic!("{page}: {error}"));
    let mut compared = 0;
    namespace::run(|| {
        namespace::ip("link add eth0 type veth peer name far").unwrap();
        namespace::ip("link set eth0 up").unwrap();
        namespace::ip("link set far up").unwrap();
        let mut engines = Engines::new(directory);
        for block in &blocks {
            let Some(Directive::Run { engine, answer: name }) = &block.directive else { continue };
            let place = format!("{page}:{} ({engine})", block.line);
            let rows = engines.run(engine, &block.text, name.as_deref(), &place);
            if let Some(name) = name {
                assert_eq!(rows, answer(name, captures), "{place}: {name}");
                compared += 1;
            }
        }
    });
    compared
}

/// The lines of a file that a page wrote, compressed or not.
fn lines(directory: &TempDir, name: &str) -> Vec<String> {
    let bytes = fs::read(directory.path().join(name)).unwrap();
    let bytes = if name.ends_with(".zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes };
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// The packets of valid lines.
pub(crate) fn packets(lines: &[String]) -> Vec<Packet> {
    let packet = |line: &String| {
        check_line(line);
        serde_json::from_str(line).unwrap()
    };
    lines.iter().map(packet).collect()
}

/// The sensor and the packet of valid lines with the tag `tag_host`.
fn tagged_packets(lines: &[String]) -> Vec<(String, Packet)> {
    let packet = |line: &String| {
        check_line(line);
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let host = line.as_object_mut().unwrap().remove("tag_host").unwrap();
        (host.as_str().unwrap().to_owned(), serde_json::from_value(line).unwrap())
    };
    lines.iter().map(packet).collect()
}

/// The packets that `selects`, with their sensors, in the order of time.
fn of_sensors(
    captures: &Captures,
    selects: impl Fn(&Vec<Packet>, &Packet) -> bool,
) -> Vec<(String, Packet)> {
    let mut selected = Vec::new();
    for (sensor, capture) in SENSORS.iter().zip(captures) {
        let packets = capture.iter().filter(|packet| selects(capture, packet));
        selected.extend(packets.map(|packet| ((*sensor).to_owned(), packet.clone())));
    }
    selected.sort_by(|(_, a), (_, b)| a.ts.cmp(&b.ts));
    selected
}

/// How many packets the page shows of a file.
fn packets_in_viewer(page: &Page, file: &Path) -> u64 {
    page.drop_alone(file);
    page.eval("viewer.state().packets").as_u64().unwrap()
}

#[test]
fn recipes() {
    let directory = tempdir().unwrap();
    let captures = captures::write_one(directory.path());
    assert!(40 <= run_page("docs/recipes.md", directory.path(), &captures));
    let is_sampled = |packet: &&Packet| packet.n % 100 == 1;
    let sampled = captures[0].iter().filter(is_sampled).count() as u64;
    let page = Page::open("");
    assert_eq!(packets_in_viewer(&page, &directory.path().join("sample.ndjson")), sampled);
}

/// Pages with tests of their own.
const OWN_TESTS: [&str; 5] = ["recipes.md", "fleet.md", "clickhouse.md", "spark.md", "shippers.md"];

#[test]
fn commands_of_other_pages() {
    for entry in fs::read_dir(build::root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") && !OWN_TESTS.contains(&&*name) {
            let directory = tempdir().unwrap();
            let captures = captures::write_one(directory.path());
            let lines = captures::lines(&directory.path().join("dump.pcap"));
            fs::write(directory.path().join("capture.ndjson"), lines).unwrap();
            fs::write(directory.path().join("filter.txt"), "port 80").unwrap();
            run_page(&format!("docs/{name}"), directory.path(), &captures);
        }
    }
}

#[test]
fn fleet() {
    let directory = tempdir().unwrap();
    let captures = captures::write_tree(directory.path());
    assert_eq!(run_page("docs/fleet.md", directory.path(), &captures), 1);
}

#[test]
fn clickhouse_answers_and_exports() {
    let directory = tempdir().unwrap();
    let captures = captures::write_tree(directory.path());
    assert!(12 <= run_page("docs/clickhouse.md", directory.path(), &captures));

    let is_selected = |packet: &Packet| {
        packet.proto == "tcp"
            && ("2026-03-02T09:05:00".."2026-03-02T09:05:30").contains(&&*packet.ts)
    };
    let expected = of_sensors(&captures, |_, packet| is_selected(packet));
    let selection = tagged_packets(&lines(&directory, "selection.ndjson.zst"));
    assert!(!expected.is_empty());
    assert!(selection == expected, "the selection has other packets");

    let step = |capture: &Vec<Packet>| (capture.len() as u64 - 1) / 5_000 + 1;
    let even = of_sensors(&captures, |capture, packet| packet.n % step(capture) == 0);
    let sample = tagged_packets(&lines(&directory, "sample.ndjson.zst"));
    assert!(sample == even, "the sample has other packets");

    let page = Page::open("");
    for (name, count) in
        [("selection.ndjson.zst", selection.len()), ("sample.ndjson.zst", sample.len())]
    {
        assert_eq!(packets_in_viewer(&page, &directory.path().join(name)), count as u64, "{name}");
    }
}
