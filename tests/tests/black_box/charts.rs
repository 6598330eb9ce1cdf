//! Ranges in charts are moved and resized: selections, and the window of the overview.

use tempfile::tempdir;
use tests::chromium::Mouse;
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

#[test]
fn lines_count_packets_over_the_bars() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    let is_enabled =
        "document.getElementById('add-line').getAttribute('aria-disabled') === 'false'";
    assert_eq!(page.eval(is_enabled), false);
    page.act("viewer.filter('proto == tcp')");
    page.act("viewer.select('size', [0, 500])");
    let selected = page.eval("viewer.state().selected").as_u64().unwrap();
    assert_eq!(page.eval(is_enabled), true);
    page.act("document.getElementById('add-line').click()");
    let state =
        || (page.eval("viewer.state().selected"), page.text("#filter"), page.text("#lines"));
    let label = "Protocol tcp, Size up to 500×";
    assert_eq!(state(), (1_000.into(), String::new(), label.to_owned()));
    // The packets of the last line, in all bins.
    let count = || {
        let csv = page.eval("viewer.csv('throughput')");
        let column =
            |row: &str| row.rsplit(',').nth(1).and_then(|packets| packets.parse::<u64>().ok());
        csv.as_str().unwrap().lines().skip(1).filter_map(column).sum::<u64>()
    };
    assert_eq!(count(), selected);
    page.act("viewer.filter('n <= 100')");
    assert_eq!(count(), 50);
    page.act("viewer.clear()");
    // A link restores lines, and Back undoes their removal.
    page.act("document.querySelector('#lines [data-action=clear]').click()");
    assert_eq!(state(), (1_000.into(), String::new(), String::new()));
    page.eval("history.back()");
    page.wait_for("document.querySelector('#lines li')");
    page.eval("viewer.settled()");
    assert_eq!(count(), selected);
    page.wait_for("location.hash.includes('line1=')");
    let link = page.eval("location.href").as_str().unwrap().replace('#', "?again#");
    page.chromium.navigate(&link).unwrap();
    page.wait_for("window.viewer");
    page.drop_file(&diagonal(&directory));
    assert_eq!((count(), page.text("#lines")), (selected, label.to_owned()));
    // A click moves the line to the filter.
    page.act("document.querySelector('#lines button').click()");
    assert_eq!(
        (page.eval("viewer.state().selected"), page.text("#lines")),
        (selected.into(), String::new())
    );
}

#[test]
fn legend_entries_select_protocols() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    // The entries tcp and udp are above the plot.
    let [tcp, udp] = [5.0, 60.0].map(|x| {
        let (left, top) = page.in_plot("throughput", (0.0, 0.0));
        (left + x, top - 14.0)
    });
    let click = |at: (f64, f64)| {
        page.mouse(Mouse::Press, at);
        page.mouse(Mouse::Release, at);
        page.eval("viewer.settled()");
    };
    click(tcp);
    assert_eq!(page.text("#chips li button"), "Not Protocol tcp");
    assert_eq!(page.eval("viewer.state().selected"), 500);
    page.mouse(Mouse::Move, tcp);
    page.wait_for("document.getElementById('tooltip').textContent.startsWith('tcp: off')");
    click(tcp);
    assert_eq!(page.eval("viewer.state().selected"), 1_000);
    page.mouse(Mouse::DoubleClick, udp);
    page.wait_for("document.querySelector('#chips li button')?.textContent === 'Protocol udp'");
    page.mouse(Mouse::DoubleClick, udp);
    page.wait_for("viewer.state().selected === 1000");
    // With the keyboard.
    page.eval("document.getElementById('throughput').focus()");
    for (key, announced) in
        [("ArrowRight", "2026"), ("ArrowUp", "tcp: on"), ("ArrowRight", "udp: on")]
    {
        page.chromium.press(key).unwrap();
        page.wait_for(&format!(
            "document.getElementById('announcement').textContent.startsWith('{announced}')"
        ));
    }
    page.chromium.press("Enter").unwrap();
    page.wait_for("document.querySelector('#chips li button')?.textContent === 'Not Protocol udp'");
    assert_eq!(page.eval("viewer.state().selected"), 500);
    // Another page has the same selection from the link.
    page.eval("viewer.settled()");
    let link = page.eval("location.hash");
    let other = Page::open(link.as_str().unwrap());
    other.drop_file(&directory.path().join("diagonal.ndjson"));
    assert_eq!(other.text("#chips li button"), "Not Protocol udp");
    assert_eq!(other.eval("viewer.state().selected"), 500);
}

/// The lines of the crosshair in sight: their charts, positions in pixels from the left edge of the window,
/// and times.
const CROSSHAIRS: &str = "[...document.querySelectorAll('.crosshair:not([hidden])')].map(line => [line.id.split('-')[0], Math.round(line.getBoundingClientRect().left), line.dataset.time])";

/// Also without drawing the charts again.
#[test]
fn crosshair_marks_the_time_in_all_charts_over_time() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.chromium.resize(1800, 1000).unwrap();
    page.drop_file(&diagonal(&directory));
    page.act("viewer.set('x', 'time')");
    page.eval("(() => { window.drawings = 0; const draw = CanvasRenderingContext2D.prototype.fillRect; CanvasRenderingContext2D.prototype.fillRect = function (...args) { drawings += 1; return draw.apply(this, args); }; })()");
    for chart in ["throughput", "scatter", "overview"] {
        page.mouse(Mouse::Move, page.in_plot(chart, (0.4005, 0.5)));
        page.wait_for(&format!("{CROSSHAIRS}.length === 3"));
        let lines = page.eval(CROSSHAIRS);
        for (index, other) in ["throughput", "scatter", "overview"].into_iter().enumerate() {
            let (x, _) = page.in_plot(other, (0.4005, 0.5));
            assert_eq!(lines[index][0], other);
            let distance = lines[index][1].as_f64().unwrap() - x;
            assert!(distance.abs() < 3.0, "{chart}: {lines}");
            assert!(lines[index][2].as_str().unwrap().starts_with("02:53:00.0004"), "{lines}");
        }
    }
    assert_eq!(page.eval("drawings"), 0);
    page.mouse(Mouse::Move, (5.0, 5.0));
    page.wait_for(&format!("{CROSSHAIRS}.length === 0"));
}

/// 10 of 1,000 packets would not be visible on the scale of all packets.
#[test]
fn scale_follows_a_small_selection() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    let has_label = |label: &str| {
        let svg = page.eval("viewer.svg('throughput')");
        svg.as_str().unwrap().contains(&format!(">{label}</text>"))
    };
    assert!(!has_label("total") && !has_label("selection"));
    page.act("viewer.filter('dport == 5 or len in {3, 70}')");
    assert!(has_label("selection"));
    let choose = |value: &str| {
        page.act(&format!("(() => {{ const s = document.querySelector('#throughput-panel [data-setting=scale]'); s.value = '{value}'; s.dispatchEvent(new Event('input', {{bubbles: true}})); s.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"));
    };
    choose("total");
    assert!(has_label("total"));
    assert!(page.eval("location.hash").as_str().unwrap().contains("scale=total"));
    choose("auto");
    assert!(has_label("selection"));
}

#[test]
fn box_in_the_scatter_plot_moves_and_resizes() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    let at = |x: f64, y: f64| page.in_scatter((x, y));
    // Sizes grow with the numbers, and the Y axis extends to 1,034: the diagonal ends below the corner.
    page.act("viewer.set('tool', 'box')");
    page.in_scatter((0.0, 0.0));
    page.drag("scatter", (0.2, 0.95), (0.4, 0.5));
    let before = page.eval("viewer.state().selected").as_u64().unwrap();
    let chip = page.text("#chips li button");
    assert!((195..=215).contains(&before), "{before}: {chip}");
    page.mouse(Mouse::Move, at(0.3, 0.7));
    page.act("viewer.set('tool', 'move')");
    // Inside: 200 packets further to the right; the sizes of the upper ones are above the box.
    page.drag("scatter", (0.3, 0.7), (0.4, 0.6));
    let moved = page.eval("viewer.state().selected").as_u64().unwrap();
    assert!(before.abs_diff(moved) < 15, "{before}, {moved}: {}", page.text("#chips li button"));
    assert_ne!(page.text("#chips li button"), chip);
    // The right edge.
    page.drag("scatter", (0.504, 0.7), (0.554, 0.7));
    let resized = page.eval("viewer.state().selected").as_u64().unwrap();
    assert!((moved + 40..moved + 60).contains(&resized), "{moved}, {resized}");
    page.act("document.getElementById('undo').click()");
    assert_eq!(page.eval("viewer.state().selected"), moved);
    page.eval("document.getElementById('scatter').focus()");
    page.chromium.press(".").unwrap();
    page.eval("viewer.settled()");
    assert_ne!(page.eval("viewer.state().selected"), 0);
    assert_ne!(page.text("#chips li button"), chip);
}

/// Two files of the same packets, the second one an hour later.
#[test]
fn files_are_compared_by_colour_and_from_their_starts() {
    let directory = tempdir().unwrap();
    let first = diagonal(&directory);
    let text = std::fs::read_to_string(&first).unwrap();
    let second = write(directory.path(), "later.ndjson", text.replace("T02:", "T03:"));
    let page = Page::open("");
    page.drop_file(&first);
    assert_eq!(page.eval("document.getElementById('several-files').hidden"), true);
    page.drop_file(&second);
    assert_eq!(page.eval("document.getElementById('several-files').hidden"), false);
    let in_svg = |text: &str| {
        let svg = page.eval("viewer.svg('throughput')");
        svg.as_str().unwrap().contains(text)
    };
    assert!(in_svg(">tcp<") && in_svg(">Time (UTC)<") && !in_svg(">later.ndjson<"));
    page.act("viewer.set('color', 'file')");
    assert!(in_svg(">diagonal.ndjson<") && in_svg(">later.ndjson<") && !in_svg(">tcp<"));
    // The legend selects files.
    let (left, top) = page.in_plot("throughput", (0.0, 0.0));
    let entry = (left + 5.0, top - 14.0);
    page.mouse(Mouse::Press, entry);
    page.mouse(Mouse::Release, entry);
    page.eval("viewer.settled()");
    assert_eq!(page.text("#chips li button"), "File later.ndjson");
    assert_eq!(page.eval("viewer.state().selected"), 1_000);
    page.mouse(Mouse::Press, entry);
    page.mouse(Mouse::Release, entry);
    page.eval("viewer.settled()");
    assert_eq!(page.text("#chips"), "");
    page.mouse(Mouse::DoubleClick, entry);
    page.eval("viewer.settled()");
    assert_eq!(page.text("#chips li button"), "File diagonal.ndjson");
    page.act("viewer.clear()");
    page.act("(() => { const box = document.querySelector('[data-setting=align]'); box.checked = true; box.dispatchEvent(new Event('input', {bubbles: true})); box.dispatchEvent(new Event('change', {bubbles: true})); })()");
    assert!(in_svg(">Time since start of each file<"));
    assert!(page.text("#throughput-figures").ends_with(" · starts aligned"));
    // The fifth of both files.
    page.drag("throughput", (0.4, 0.5), (0.6, 0.5));
    let selected = page.eval("viewer.state().selected").as_u64().unwrap();
    assert!((390..=420).contains(&selected), "{selected}");
    let chip = page.text("#chips li button");
    assert!(chip.starts_with("Elapsed "), "{chip}");
    let lines = page.eval("viewer.exportLines().then((blob) => blob.text())");
    let lines = lines.as_str().unwrap();
    assert_eq!(lines.lines().count() as u64, selected);
    assert_eq!(lines.matches("T02:").count() as u64, selected / 2, "times are unchanged");
    page.eval("viewer.settled()");
    let hash = page.eval("location.hash");
    let hash = hash.as_str().unwrap();
    assert!(hash.contains("align=1") && hash.contains("color=file"), "{hash}");
}

/// A selection that contains no packet, like the one before, changes only the chart with its range.
#[test]
fn only_charts_that_change_are_painted() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    page.act("viewer.select('size', [20000, 30000])");
    page.eval(
        "(() => { window.painted = {}; \
         for (const name of ['fillRect', 'fillText']) { \
             const paint = CanvasRenderingContext2D.prototype[name]; \
             CanvasRenderingContext2D.prototype[name] = function (...args) { \
                 painted[this.canvas.id] = true; paint.apply(this, args); }; } })()",
    );
    page.act("viewer.select('size', [30000, 40000])");
    assert_eq!(page.eval("viewer.state().selected"), 0);
    assert_eq!(page.eval("painted"), serde_json::json!({}));
    page.act("viewer.select('size', [0, 500])");
    let painted = page.eval("painted");
    assert!(painted["sizes"] == true && painted["throughput"] == true, "{painted}");
}
