//! Ranges in charts are moved and resized: selections, and the window of the overview.

use tempfile::tempdir;
use tests::files::write;
use tests::page::Page;
use tests::reference::{Packet, generate_lines, read_packets};

use super::page::diagonal;

/// The time of the first packet of [`diagonal`], whose packets are 1 µs apart.
const START_NS: i64 = 1_795_402_380_000_000_000;

/// The zoomed time range in the address: microseconds since the first packet of [`diagonal`].
fn window(page: &Page) -> Option<(i64, i64)> {
    let hash = page.eval("location.hash");
    let (_, range) = hash.as_str().unwrap().split_once("zoom-ts=")?;
    let (start, end) = range.split('&').next().unwrap().split_once("..").unwrap();
    let microseconds = |text: &str| (text.parse::<i64>().unwrap() - START_NS) / 1_000;
    Some((microseconds(start), microseconds(end)))
}

/// Waits until the window is here, up to the width of a pixel.
fn assert_window(page: &Page, expected: (i64, i64), action: &str) {
    let (start, end) = window(page).unwrap_or((0, 999));
    let is_near = start.abs_diff(expected.0) < 3 && end.abs_diff(expected.1) < 3;
    assert!(is_near, "{action}: {start} to {end} instead of {expected:?}");
}

#[test]
fn window_of_the_overview_moves_and_resizes() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    let throughput = "document.getElementById('throughput').ariaLabel";
    let whole = page.eval(throughput);
    for (from, to, expected) in [
        (0.2, 0.6, (200, 600)),
        // Inside, at the right end, at the left end, and up to the edge.
        (0.4, 0.5, (300, 700)),
        (0.7, 0.9, (300, 900)),
        (0.3, 0.1, (100, 900)),
        (0.5, 0.95, (199, 999)),
    ] {
        page.drag("overview", (from, 0.5), (to, 0.5));
        assert_window(&page, expected, &format!("drag from {from} to {to}"));
        assert_ne!(page.eval(throughput), whole);
    }
    page.eval("document.getElementById('overview').focus()");
    for (key, expected) in [
        ("ArrowLeft", (119, 919)),
        ("Home", (0, 800)),
        ("End", (199, 999)),
        ("+", (279, 919)),
        ("0", (0, 999)),
    ] {
        page.chromium.press(key).unwrap();
        page.eval("viewer.settled()");
        assert_window(&page, expected, key);
    }
    page.act("document.getElementById('overview').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', shiftKey: true, bubbles: true}))");
    assert_window(&page, (0, 899), "Shift+ArrowLeft");
    let announced = page.text("#announcement");
    assert!(announced.contains(" to 2026-11-23 02:53:00.0009"), "{announced}");
    // A drag is a step that can be undone.
    let before = page.eval("location.hash");
    page.drag("overview", (0.5, 0.5), (0.55, 0.5));
    assert_window(&page, (50, 949), "drag after keys");
    page.act("document.getElementById('undo').click()");
    // The browser goes back to the entry of the step before.
    page.wait_for(&format!("location.hash === {before}"));
    page.eval("viewer.settled()");
    assert_window(&page, (0, 899), "undo");
}

#[test]
fn selected_range_moves_and_resizes() {
    let directory = tempdir().unwrap();
    let text = generate_lines(5_000);
    let packets = read_packets(&text);
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "some.ndjson", &text));
    page.act("viewer.set('bins', '10')");
    let (smallest, largest) = (
        packets.iter().map(|packet| packet.len).min().unwrap(),
        packets.iter().map(|packet| packet.len).max().unwrap(),
    );
    // The lengths in a range of bins are those between two of eleven equidistant edges.
    let in_bins = |first: u64, last: u64| {
        let is_in = |packet: &&Packet| {
            let distance = (packet.len - smallest) * 10;
            let width = largest - smallest;
            first * width <= distance && (distance < (last + 1) * width || last == 9)
        };
        packets.iter().filter(is_in).count()
    };
    for (from, to, (first, last)) in [
        (0.21, 0.39, (2, 3)),
        (0.35, 0.55, (4, 5)),
        (0.6, 0.75, (4, 7)),
        (0.4, 0.15, (1, 7)),
        (0.45, 0.98, (3, 9)),
    ] {
        page.drag("sizes", (from, 0.5), (to, 0.5));
        let selected = page.eval("viewer.state().selected");
        assert_eq!(selected, in_bins(first, last), "drag from {from} to {to}");
    }
    page.eval("document.getElementById('sizes').focus()");
    for (key, (first, last)) in [(",", (2, 8)), (",", (1, 7)), (".", (2, 8))] {
        page.chromium.press(key).unwrap();
        page.eval("viewer.settled()");
        assert_eq!(page.eval("viewer.state().selected"), in_bins(first, last), "{key}");
    }
    page.act("document.getElementById('sizes').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', shiftKey: true, bubbles: true}))");
    assert_eq!(page.eval("viewer.state().selected"), in_bins(2, 7));
}
