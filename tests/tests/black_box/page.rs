//! The page in headless Chromium: opening a capture, the charts and their numbers.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};
use tests::chromium::Mouse;
use tests::files::{gzip, write};
use tests::frames::pcap;
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
fn shown(page: &Page) -> u64 {
    page.eval("viewer.settled()");
    let label = page.eval("document.getElementById('scatter').ariaLabel");
    let label = label.as_str().unwrap();
    let count =
        label.strip_prefix("Scatter plot, Packet sizes: ").unwrap().split(' ').next().unwrap();
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
    page.mouse(Mouse::Wheel(-120.0), middle);
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
    assert!(page.text("#chips").starts_with("n in 1.."), "{}", page.text("#chips"));
    page.act("viewer.clear()");

    // Pan to the right by half the plot: the left half is empty.
    page.mouse(Mouse::Press, page.in_scatter((0.2, 0.5)));
    page.mouse(Mouse::Move, page.in_scatter((0.4, 0.5)));
    page.mouse(Mouse::Move, page.in_scatter((0.7, 0.5)));
    page.mouse(Mouse::Release, page.in_scatter((0.7, 0.5)));
    page.wait_for("!document.getElementById('scatter').ariaLabel.includes('1,000 packets')");
    assert!(shown(&page).abs_diff(500) <= 5, "{}", shown(&page));

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
fn downloaded(directory: &TempDir, name: &str, is_complete: impl Fn(&[u8]) -> bool) -> Vec<u8> {
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
fn damaged_lines_are_listed_and_skipped() {
    let directory = tempdir().unwrap();
    let mut text = String::new();
    for n in 1..=100 {
        text += &line(n, 60 + n, "tcp");
        if n % 10 == 0 {
            writeln!(text, "{{\"type\":\"pkt\",\"n\":{n},").unwrap();
        }
    }
    text += "{\"type\":\"pkt\",\"n\":101,\"ts\":\"2026-";
    let page = Page::open("");
    page.drop_file(&write(&directory, "damaged.ndjson", text));
    let state = page.eval("viewer.state()");
    assert_eq!((&state["packets"], &state["skipped"]), (&100.into(), &11.into()));
    assert_eq!(page.text("#skipped"), "11 lines could not be read");
    let first = page.text("#problem-list li:first-child");
    assert_eq!(first, "line 11: EOF while parsing a value at column 21");
    assert!(
        page.text("#problem-list li:last-child")
            .starts_with("line 111: EOF while parsing a string")
    );
}

#[test]
fn files_that_are_not_captures_are_rejected_by_name() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    for (name, bytes, expected) in [
        ("empty.ndjson", Vec::new(), "“empty.ndjson” is empty."),
        (
            "words.txt",
            b"lorem\nipsum\n".to_vec(),
            "“words.txt” is not a capture. Expected pcap, pcapng or NDJSON. Details: line 1:",
        ),
        ("junk.bin", vec![0x80; 5_000_000], "“junk.bin” is not a capture."),
    ] {
        page.drop_alone(&write(&directory, name, bytes));
        assert_eq!(page.eval("viewer.state().phase"), "error", "{name}");
        let error = page.text("#error");
        assert!(error.contains(expected), "{error}");
    }
    page.drop_file(directory.path());
    assert_eq!(page.eval("viewer.state().phase"), "error");
    assert!(page.text("#error").contains("could not be read"), "{}", page.text("#error"));
    // A valid file still opens.
    page.drop_file(&diagonal(&directory));
    assert_eq!(
        (page.eval("viewer.state().phase"), page.text("#error")),
        ("ready".into(), String::new())
    );
}

#[test]
fn format_is_detected_by_content_not_by_name() {
    let directory = tempdir().unwrap();
    let captures = [pcap(1_500), fs::read(diagonal(&directory)).unwrap()];
    let page = Page::open("");
    for (capture, packets, bytes) in
        captures.into_iter().zip([(1_500, 90_000), (1_000, 499_500)]).map(|(c, (p, b))| (c, p, b))
    {
        let (front, back) = capture.split_at(capture.len() / 2);
        let two_members = [gzip(front), gzip(back)].concat();
        let packed = zstd::encode_all(&capture[..], 1).unwrap();
        for (name, file) in [("no-name", capture), ("a.txt", two_members), ("b", packed)] {
            page.drop_alone(&write(&directory, name, file));
            let state = page.eval("viewer.state()");
            assert_eq!(
                (&state["phase"], &state["skipped"]),
                (&"ready".into(), &0.into()),
                "{name}"
            );
            assert_eq!((&state["packets"], &state["bytes"]), (&packets.into(), &bytes.into()));
        }
    }
    // Lines written by another program.
    let text = "{\"len\": 70, \"x\": [], \"ts\": 1795402418.5}\n{\"ts\":\"2026-11-23T03:00:00+00:00\",\"len\":80}\n";
    page.drop_alone(&write(&directory, "other", text));
    assert_eq!(page.eval("viewer.state()")["bytes"], 150);
    let times = page.eval("document.getElementById('summary').title");
    assert!(times.as_str().unwrap().starts_with("2026-11-23 02:53:38.500000000 UTC"), "{times}");
    // A truncated file shows the packets before the end, and where they end.
    let cut = pcap(10);
    page.drop_alone(&write(&directory, "cut.pcap", &cut[..cut.len() - 1]));
    assert_eq!(page.eval("viewer.state()")["packets"], 9);
    assert!(page.text("#problems").contains("incomplete record at byte 708"));
}

#[test]
fn page_stays_responsive_while_a_million_lines_load() {
    let directory = tempdir().unwrap();
    let text: String = (1..=1_000_000)
        .map(|n| line(n, 60 + n * 7 % 1_455, ["tcp", "udp"][(n % 2) as usize]))
        .collect();
    let file = write(&directory, "million.ndjson", text);
    let page = Page::open("");
    // Count the frames drawn while loading: a blocked page draws none.
    page.eval(concat!(
        "(() => { window.frames_while_loading = 0; const frame = () => {",
        "if (document.documentElement.dataset.phase === 'loading') window.frames_while_loading++;",
        "requestAnimationFrame(frame); }; frame(); })()"
    ));
    page.drop_file(&file);
    assert_eq!(page.eval("viewer.state().packets"), 1_000_000);
    assert!(2 <= page.eval("window.frames_while_loading").as_u64().unwrap());
    assert_eq!(shown(&page), 1_000_000);

    // Cancel a file as soon as it is chosen: none of it is read.
    page.eval(concat!(
        "(() => { document.getElementById('close').click(); document.documentElement.dataset.phase = 'chosen';",
        "const cancel = document.getElementById('cancel');",
        "document.getElementById('file').addEventListener('change', () => cancel.click()); })()"
    ));
    page.chromium.choose_file("#file", &file).unwrap();
    page.wait_for("document.documentElement.dataset.phase === 'error'");
    assert_eq!(page.text("#error"), "Loading of “million.ndjson” was cancelled.");

    // Cancel a large file while it is being read, then replace one by another.
    page.eval("(async () => { const response = await fetch('sample.ndjson'); window.sample = await response.blob(); })()");
    page.eval(concat!(
        "(async () => { const line = '{\"type\":\"pkt\",\"n\":1,\"ts\":\"2026-11-23T02:53:38.123456789Z\",",
        "\"len\":60,\"proto\":\"tcp\"}\\n';",
        "const part = new Blob([line.repeat(100000)]);",
        "window.large = new File(Array(400).fill(part), 'large.ndjson'); })()"
    ));
    page.eval(concat!(
        "(async () => { const opened = viewer.open(window.large);",
        "while (viewer.state().packets === 0) await new Promise((done) => setTimeout(done, 1));",
        "await viewer.cancel(); await opened; })()"
    ));
    let packets = page.eval("viewer.state().packets").as_u64().unwrap();
    assert!(0 < packets && packets < 40_000_000, "{packets}");
    assert!(page.text("#summary").contains("loading cancelled at"), "{}", page.text("#summary"));
    page.eval(concat!(
        "(async () => { viewer.open(window.large);",
        "while (viewer.state().packets === 0) await new Promise((done) => setTimeout(done, 1));",
        "await viewer.open(new File([window.sample], 'next.ndjson')); })()"
    ));
    assert!(page.text("#summary").starts_with("next.ndjson · "), "{}", page.text("#summary"));
}

#[test]
fn promise_of_open_resolves_after_drawing() {
    let page = Page::open("");
    // Charts that were hidden until now are measured and drawn.
    let drawn = page.eval(concat!(
        "(async () => { const blob = await (await fetch('sample.ndjson')).blob();",
        "await viewer.open(new File([blob], 'sample.ndjson'));",
        "const scatter = document.getElementById('scatter');",
        "const pixels = scatter.getContext('2d').getImageData(0, 0, scatter.width, scatter.height).data;",
        "const colors = new Set(); for (let i = 0; i < pixels.length; i += 4) colors.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);",
        "return [scatter.ariaLabel, scatter.width, colors.size]; })()"
    ));
    assert!(drawn[0].as_str().unwrap().starts_with("Scatter plot, Packet sizes: "), "{drawn}");
    assert!(1_000 < drawn[1].as_u64().unwrap() && 10 < drawn[2].as_u64().unwrap(), "{drawn}");
}

#[test]
fn failed_add_keeps_the_open_capture() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    page.eval("viewer.add([new File([], 'nothing')])");
    page.wait_for("document.getElementById('error').textContent !== ''");
    assert_eq!(page.text("#error"), "“nothing” is empty.");
    assert_eq!((page.eval("viewer.state().phase"), shown(&page)), ("ready".into(), 1_000));
    // Without another capture there are no charts.
    page.eval("viewer.open(new File(['x'], 'x'))");
    assert_eq!(
        page.eval("[viewer.state().phase, document.getElementById('views').hidden]"),
        serde_json::json!(["error", true])
    );
}

#[test]
fn site_fits_its_size_limit() {
    use flate2::{Compression, write::GzEncoder};
    let mut sum = 0;
    for entry in fs::read_dir(build::site_path()).unwrap().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "ndjson") {
            continue;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        std::io::Write::write_all(&mut encoder, &fs::read(entry.path()).unwrap()).unwrap();
        sum += encoder.finish().unwrap().len();
    }
    assert!(sum <= build::MAX_SITE_GZIP_LEN, "{sum} bytes");
}
