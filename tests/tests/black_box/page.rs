//! The page in headless Chromium: the charts of a capture and their numbers, and the size of the site.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};
use tests::chromium::Mouse;
use tests::files::{gzip_with, write};
use tests::page::Page;
use tests::process::{Capture, wait_for};
use tests::stream::{Packet, Stream};
use xtask::{build, namespace, traffic};

/// Captures real traffic with the sniffer.
fn real_capture(directory: &Path) -> (PathBuf, Stream) {
    let stream = namespace::run(|| {
        let capture = Capture::start(directory, &["-i", "lo"]);
        traffic::generate(traffic::Until::Rounds(120)).unwrap();
        capture.stop()
    });
    (directory.join("capture.ndjson"), stream)
}

/// A packet, one microsecond after the previous one.
pub(crate) fn line(n: u64, len: u64, proto: &str) -> String {
    let (second, fraction) = (n / 1_000_000 % 60, n % 1_000_000);
    format!(
        "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-23T02:53:{second:02}.{fraction:06}001Z\",\"len\":{len},\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"proto\":\"{proto}\"}}\n"
    )
}

/// Counts packets per bin, one by one.
fn counts(edges: &[f64], packets: &[Packet]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() - 1];
    for packet in packets {
        let len = packet.len as f64;
        let bin = (0..counts.len()).rev().find(|bin| edges[*bin] <= len).unwrap();
        counts[bin] += 1;
    }
    counts
}

fn numbers<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    value.as_array().unwrap().iter().map(|value| read(value).unwrap()).collect()
}

#[test]
fn dropped_capture_is_shown_with_correct_numbers() {
    let directory = tempdir().unwrap();
    let (file, stream) = real_capture(directory.path());
    let page = Page::open("");
    assert_eq!(page.eval("viewer.state().phase"), "empty");
    page.drop_file(&file);
    let state = page.eval("viewer.state()");
    assert_eq!((&state["phase"], &state["skipped"]), (&"ready".into(), &0.into()));
    assert_eq!(state["packets"], stream.packets.len());
    assert_eq!(state["bytes"], stream.end.bytes);
    for bins in [50, 5, 137, 500] {
        page.eval(&format!(
            "(() => {{ const b = document.getElementById('bins'); b.value = {bins}; b.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
        ));
        let histogram = page.eval("viewer.histogram('size')");
        let edges = numbers(&histogram["edges"], Value::as_f64);
        assert_eq!(edges.len(), bins + 1);
        assert_eq!(
            numbers(&histogram["counts"], Value::as_u64),
            counts(&edges, &stream.packets),
            "{bins} bins"
        );
    }
    let mut protocols = BTreeMap::<&str, usize>::new();
    stream.packets.iter().for_each(|packet| *protocols.entry(&packet.proto).or_default() += 1);
    let summary = page.text("#summary");
    for (proto, count) in protocols {
        let share = count as f64 * 100.0 / stream.packets.len() as f64;
        assert!(summary.contains(&format!("{proto} {share:.1} %")), "{proto} {share}: {summary}");
    }
    // The summary rounds the times, its tooltip has all digits.
    let times = page.eval("document.getElementById('summary').title");
    assert!(times.as_str().unwrap().contains(&stream.packets[0].ts[11..29]), "{times}");
}

/// The number of packets in the scatter plot, from its text alternative.
pub(crate) fn shown(page: &Page) -> u64 {
    page.eval("viewer.settled()");
    let label = page.eval("document.getElementById('scatter').ariaLabel");
    let label = label.as_str().unwrap();
    let count =
        label.strip_prefix("Packet sizes, scatter plot: ").unwrap().split(' ').next().unwrap();
    count.replace(',', "").parse().unwrap()
}

/// 1,000 packets whose sizes grow with their numbers, from 0 to 999: their positions on the screen are
/// known.
pub(crate) fn diagonal(directory: &TempDir) -> PathBuf {
    let lines: String =
        (1..=1_000).map(|n| line(n, n - 1, ["tcp", "udp"][(n % 2) as usize])).collect();
    write(directory, "diagonal.ndjson", lines)
}

#[test]
fn scatter_zooms_pans_selects_and_shows_a_tooltip() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    assert_eq!(shown(&page), 1_000);

    let middle = page.in_scatter((0.5, 0.5));
    page.mouse(Mouse::CtrlWheel(-120.0), middle);
    page.wait_for("!document.getElementById('scatter').ariaLabel.includes('1,000 packets')");
    let zoomed = shown(&page);
    assert!((700..900).contains(&zoomed), "one notch shows four fifths: {zoomed}");
    page.mouse(Mouse::DoubleClick, middle);
    page.wait_for("document.getElementById('scatter').ariaLabel.includes(': 1,000 packets')");

    // Select the left half with a box.
    page.chromium.mouse(Mouse::Press, page.in_scatter((0.0, 0.0)), true).unwrap();
    page.chromium.mouse(Mouse::Move, page.in_scatter((0.3, 0.7)), true).unwrap();
    page.chromium.mouse(Mouse::Move, page.in_scatter((0.5, 1.0)), true).unwrap();
    page.chromium.mouse(Mouse::Release, page.in_scatter((0.5, 1.0)), true).unwrap();
    page.eval("viewer.settled()");
    let selected = page.eval("viewer.state().selected").as_u64().unwrap();
    assert!(selected.abs_diff(500) <= 5, "{selected}");
    assert!(page.text("#chips").starts_with("Packet number 1–"), "{}", page.text("#chips"));
    page.act("viewer.clear()");

    // Pan to the right by half the plot.
    page.act("viewer.zoom('scatter', {x: [251, 751], y: [0, 1000]})");
    page.mouse(Mouse::Press, page.in_scatter((0.2, 0.5)));
    page.mouse(Mouse::Move, page.in_scatter((0.4, 0.5)));
    page.mouse(Mouse::Move, page.in_scatter((0.7, 0.5)));
    page.mouse(Mouse::Release, page.in_scatter((0.7, 0.5)));
    page.wait_for("!document.getElementById('scatter').ariaLabel.includes('packet number 251 ')");
    let label = page.eval("document.getElementById('scatter').ariaLabel").to_string();
    let first = label.split("packet number ").nth(1).and_then(|rest| rest.split(' ').next());
    let first: u64 = first.unwrap().parse().unwrap();
    assert!(first <= 5, "{label}");

    // Ten packets, far apart: numbers 501 to 510, sizes 500 to 509.
    page.act("viewer.zoom('scatter', {x: [501, 511], y: [500, 510]})");
    assert_eq!(shown(&page), 10);
    page.mouse(Mouse::Move, page.in_scatter((0.305, 0.695)));
    page.wait_for("!document.getElementById('tooltip').hidden");
    let tooltip = page.text("#tooltip-lines");
    for expected in [
        "Packet 504",
        "2026-11-23 02:53:00.000504001 UTC",
        "10.0.0.1 → 10.0.0.2",
        "tcp, 503 bytes",
        "1 packet: tcp 1",
    ] {
        assert!(tooltip.contains(expected), "{expected}: {tooltip}");
    }

    // With time as the X axis the packets are one microsecond apart.
    page.act("viewer.reset()");
    page.act("viewer.set('x', 'time')");
    assert_eq!(shown(&page), 1_000);
    let start = "1795402380000000000n";
    page.act(&format!(
        "viewer.zoom('scatter', {{x: [{start} + 504001n, {start} + 506001n], y: [0, 1000]}})"
    ));
    assert_eq!(shown(&page), 2);
    let label = page.eval("document.getElementById('scatter').ariaLabel");
    assert!(
        label
            .as_str()
            .unwrap()
            .contains("2026-11-23 02:53:00.000504001 UTC to 2026-11-23 02:53:00.000506000 UTC")
    );
}

/// Waits for a downloaded file.
pub(crate) fn downloaded(
    directory: &TempDir,
    name: &str,
    is_complete: impl Fn(&[u8]) -> bool,
) -> Vec<u8> {
    let path = directory.path().join(name);
    let mut content = Vec::new();
    wait_for(&format!("download of {name}"), || {
        content = fs::read(&path).unwrap_or_default();
        is_complete(&content)
    });
    content
}

#[test]
fn charts_are_downloaded_as_png_svg_and_csv() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.chromium.set_download_directory(directory.path()).unwrap();
    page.drop_file(&diagonal(&directory));
    // Chromium asks for permission after ten downloads.
    for panel in ["throughput", "scatter", "protocols"] {
        for kind in ["png", "svg", "csv"] {
            page.eval(&format!(
                "document.querySelector('[data-panel={panel}] [data-action=download-{kind}]').click()"
            ));
        }
        let png = downloaded(&directory, &format!("{panel}.png"), |file| {
            file.ends_with(b"IEND\xaeB`\x82")
        });
        assert!(png.starts_with(b"\x89PNG"), "{panel}");
        // The width is at a fixed offset (RFC 2083, section 4.1.1).
        let width = u32::from_be_bytes(png[16..20].try_into().unwrap());
        assert!(400 < width, "{panel} is {width} pixels wide");
        let svg =
            downloaded(&directory, &format!("{panel}.svg"), |file| file.ends_with(b"</svg>\n"));
        assert!(svg.starts_with(b"<svg "), "{panel}");
        let csv = downloaded(&directory, &format!("{panel}.csv"), |file| file.ends_with(b"\n"));
        assert!(csv.split(|byte| *byte == b'\n').count() > 1, "{panel}");
    }
    for panel in ["sizes", "gaps", "ports", "sources", "destinations"] {
        let svg = page.eval(&format!("viewer.svg('{panel}')"));
        assert!(svg.as_str().unwrap().ends_with("</svg>\n"), "{panel}");
        let csv = page.eval(&format!("viewer.csv('{panel}')"));
        // These packets have no ports.
        assert_eq!(1 < csv.as_str().unwrap().lines().count(), panel != "ports", "{panel}");
    }
}

#[test]
fn errors_of_event_listeners_are_logged() {
    let page = Page::open("");
    page.eval("document.getElementById('completions').remove()");
    let error = page.chromium.eval("document.getElementById('filter').click()").unwrap_err();
    assert!(error.to_string().contains("no element `#completions`"), "{error}");
}

#[test]
fn site_fits_its_size_limit() {
    let (mut first_load, mut worker, mut inspector) = (0, 0, 0);
    let (mut formats, mut flows, mut follow) = (0, 0, 0);
    for entry in fs::read_dir(build::site_path()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".ndjson") {
            continue;
        }
        let file = fs::read(entry.path()).unwrap();
        let len = gzip_with(&file, flate2::Compression::best()).len();
        *match name.split(['.', '_']).next() {
            Some("worker") => &mut worker,
            Some("inspector") => &mut inspector,
            Some("formats") => &mut formats,
            Some("follow") => &mut follow,
            Some("flows") => &mut flows,
            _ => &mut first_load,
        } += len;
    }
    assert!(first_load <= build::MAX_SITE_GZIP_LEN, "{first_load} bytes");
    assert!(0 < worker && worker <= build::MAX_WORKER_GZIP_LEN, "{worker} bytes");
    assert!(0 < inspector && inspector <= build::MAX_INSPECTOR_GZIP_LEN, "{inspector} bytes");
    assert!(0 < formats && formats <= build::MAX_FORMATS_GZIP_LEN, "{formats} bytes");
    assert!(0 < follow && follow <= build::MAX_FOLLOW_GZIP_LEN, "{follow} bytes");
    assert!(0 < flows && flows <= build::MAX_FLOWS_GZIP_LEN, "{flows} bytes");
}
