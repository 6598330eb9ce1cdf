//! The page's charts and tables: selections, links, time zones, offline use and accessibility.

use serde_json::{Value, json};
use std::fs;
use tempfile::tempdir;
use tests::browser::Driver;
use tests::files::write;
use tests::frames::pcap;
use tests::page::Page;
use tests::reference::{Packet, generate_lines, read_packets};

/// The exported lines.
fn exported(page: &Page) -> String {
    let text = page.eval("viewer.exportLines().then((blob) => blob.text())");
    text.as_str().unwrap().to_owned()
}

#[test]
fn selections_can_be_undone_exported_and_shared() {
    let directory = tempdir().unwrap();
    let text = generate_lines(20_000);
    let packets = read_packets(&text);
    let file = write(directory.path(), "some.ndjson", &text);
    let page = Page::open("");
    page.drop_file(&file);
    // Brush over the packet sizes with the mouse.
    let rect = page.eval(concat!(
        "(() => { const c = document.getElementById('sizes'); c.scrollIntoView({block: 'center'});",
        "const r = c.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()"
    ));
    let [left, top, width, height] = [0, 1, 2, 3].map(|index: usize| rect[index].as_f64().unwrap());
    let at = |share: f64| (left + 48.0 + share * (width - 60.0), top + height / 2.0);
    page.mouse(tests::chromium::Mouse::Press, at(0.21));
    page.mouse(tests::chromium::Mouse::Move, at(0.3));
    page.mouse(tests::chromium::Mouse::Move, at(0.39));
    page.mouse(tests::chromium::Mouse::Release, at(0.39));
    page.eval("viewer.settled()");
    let chip = page.text("#chips li button").replace(',', "");
    let (first, last) = chip.strip_prefix("Size ").unwrap().split_once('–').unwrap();
    let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
    let is_brushed = |packet: &Packet| first <= packet.len && packet.len <= last;
    let brushed = packets.iter().filter(|packet| is_brushed(packet)).count();
    assert_eq!(page.eval("viewer.state().selected"), brushed);
    // Select a bar and filter.
    page.act("viewer.select('protocol', 'proto == udp')");
    page.act("viewer.filter('dport < 50')");
    let is_in = |packet: &Packet| {
        is_brushed(packet) && packet.proto == "udp" && packet.dport.is_some_and(|port| port < 50)
    };
    let expected: String =
        packets.iter().filter(|p| is_in(p)).map(|p| p.line.clone() + "\n").collect();
    let count = expected.lines().count();
    assert_eq!(page.eval("viewer.state().selected"), count);
    assert_eq!(page.eval("document.querySelectorAll('#chips li').length"), 2);
    // Export, and open the exported lines.
    let lines = exported(&page);
    assert!(lines == expected, "{count} lines, and {} came", lines.lines().count());
    let link = page.eval("location.hash");
    let other = Page::open(link.as_str().unwrap());
    other.drop_file(&file);
    assert_eq!(other.eval("viewer.state().selected"), count);
    assert_eq!(other.eval("location.hash"), link);
    let labels = "[...document.querySelectorAll('canvas')].map(c => c.ariaLabel)";
    assert_eq!(other.eval(labels), page.eval(labels));
    other.eval("viewer.open(new File([new Blob([''])], 'x')).then(() => viewer.clear())");
    other.drop_alone(&write(directory.path(), "export.ndjson", &lines));
    assert_eq!(other.eval("viewer.state().packets"), count);
    for (button, chips) in [("undo", 2), ("undo", 1), ("redo", 2), ("undo", 1), ("undo", 0)] {
        page.eval(&format!("document.getElementById('{button}').click()"));
        page.eval("viewer.settled()");
        assert_eq!(page.eval("document.querySelectorAll('#chips li').length"), chips, "{button}");
    }
    assert_eq!(page.eval("viewer.state().selected"), packets.len());
    // An invalid filter marks the error and keeps the selection.
    page.act("viewer.filter('len > 100 and portt == 5')");
    let error = page.text("#filter-error");
    assert!(error.contains("\n              ^^^^^\nUnknown field `portt`"), "{error}");
    page.eval("document.getElementById('clear').click()");
    page.eval("viewer.settled()");
    // The buttons of a chip exclude its packets, remove it, and move it to the filter box.
    page.act("viewer.select('gap', [0, 1000])");
    let selected = page.eval("viewer.state().selected").as_u64().unwrap();
    page.act("document.querySelector('#chips [data-action=invert]').click()");
    assert_eq!(page.text("#chips li button"), "Not Gap 0 s–1 µs");
    assert_eq!(page.eval("viewer.state().selected"), packets.len() as u64 - selected);
    page.act("document.querySelector('#chips [data-action=invert]').click()");
    page.act("document.querySelector('#chips [data-action=edit]').click()");
    assert_eq!(
        page.eval("[document.activeElement.id, document.activeElement.value]"),
        json!(["filter", "gap in 0s..1us"])
    );
    assert_eq!(page.eval("viewer.state().selected"), selected);
    page.act("document.getElementById('clear').click()");
    page.act("viewer.select('gap', [0, 1000])");
    page.act("document.querySelector('#chips [data-action=clear]').click()");
    assert_eq!(page.eval("viewer.state().selected"), packets.len());
}

#[test]
fn captures_are_merged_and_raw_records_shown() {
    let directory = tempdir().unwrap();
    let text = generate_lines(3_000);
    let (front, back) = text.split_at(text.match_indices('\n').nth(999).unwrap().0 + 1);
    let files = [("a.ndjson", front), ("b.ndjson", back)];
    let page = Page::open("");
    for (name, text) in files {
        page.drop_file(&write(directory.path(), name, text));
    }
    assert_eq!(page.eval("viewer.state().packets"), 3_000);
    assert!(page.text("#summary").starts_with("a.ndjson and b.ndjson · 3,000 packets"));
    page.act("viewer.filter('file == b.ndjson')");
    assert_eq!(page.eval("viewer.state().selected"), 2_000);
    let cells = "[...document.querySelectorAll('#packets-rows tr:first-child td')].map(cell => cell.textContent)";
    assert_eq!(page.eval(&format!("{cells}[0]")), "1,001");
    page.click("#packets-rows button");
    page.wait_for("document.getElementById('detail-line').textContent !== ''");
    assert_eq!(page.text("#detail-line"), back.lines().next().unwrap());
    page.act("viewer.clear()");
    page.wait_for(&format!("{cells}[0] === '1'"));
    // Scroll to the last rows.
    page.eval("document.getElementById('packets').scrollTop = 1e6");
    page.wait_for(
        "document.querySelector('#packets-rows tr:last-child td').textContent === '3,000'",
    );
    assert_eq!(exported(&page), text);
}

#[test]
fn sampling_is_offered_for_files_too_large_for_memory() {
    let directory = tempdir().unwrap();
    let text = generate_lines(10_000);
    let file = write(directory.path(), "large.ndjson", &text);
    let page = Page::open("");
    page.eval("viewer.limitMemory(100000)");
    page.chromium.drop_file(&file, (600.0, 400.0)).unwrap();
    page.wait_for("!document.getElementById('sampling').hidden");
    assert!(
        page.text("#sampling-text").contains("packets need 3"),
        "{}",
        page.text("#sampling-text")
    );
    assert_eq!(page.eval("document.getElementById('sample-every').value"), "4");
    page.eval("document.querySelector('[data-action=load-every]').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    assert_eq!(page.eval("viewer.state().packets"), 2_500);
    page.eval("document.getElementById('close').click()");
    page.chromium.drop_file(&file, (600.0, 400.0)).unwrap();
    page.wait_for("!document.getElementById('sampling').hidden");
    let packets = read_packets(&text);
    let middle = &packets[4_999];
    page.eval(&format!(
        "document.getElementById('sample-to').value = '{}'",
        serde_json::from_str::<Value>(&middle.line).unwrap()["ts"].as_str().unwrap()
    ));
    page.eval("document.querySelector('[data-action=load-time-range]').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    let expected = packets.iter().filter(|packet| packet.ts_ns <= middle.ts_ns).count();
    assert_eq!(page.eval("viewer.state().packets"), expected);
}

#[test]
fn chosen_time_zone_applies_everywhere() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "a.ndjson", generate_lines(100)));
    page.act("viewer.set('x', 'time')");
    for (zone, words) in [("utc", "UTC"), ("start", " s"), ("local", "UTC")] {
        page.act(&format!("viewer.set('zone', '{zone}')"));
        let labels =
            page.eval("['throughput', 'scatter'].map(id => document.getElementById(id).ariaLabel)");
        for label in labels.as_array().unwrap() {
            assert!(label.as_str().unwrap().contains(words), "{zone}: {label}");
        }
        // The date and the zone stand above the rows if they are the same in all of them.
        let cell = page.text("#packets-rows td:nth-child(2)");
        let texts = [cell, page.text("#packets-range")];
        assert!(texts.iter().any(|text| text.ends_with(words.trim())), "{zone}: {texts:?}");
    }
}

/// The night in which daylight saving time ends in Berlin, at 01:00 UTC.
#[test]
fn local_times_follow_daylight_saving_time() {
    let directory = tempdir().unwrap();
    let line = |n: u64, time: &str| {
        format!("{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-10-25T{time}Z\",\"len\":60}}\n")
    };
    let text = line(1, "00:30:00.000000001") + &line(2, "01:30:00.000000002");
    let page = Page::open("");
    page.chromium.set_timezone("Europe/Berlin").unwrap();
    page.drop_file(&write(directory.path(), "night.ndjson", &text));
    page.act("viewer.set('zone', 'local')");
    let cells = page.eval(
        "[...document.querySelectorAll('#packets-rows td:nth-child(2)')].map(cell => cell.textContent)",
    );
    let expected = ["2026-10-25 02:30:00.000000001 +02:00", "2026-10-25 02:30:00.000000002 +01:00"];
    assert_eq!(cells, json!(expected));
    // Ticks follow the clock on both sides of the change.
    let picture = page.eval("viewer.svg('throughput')");
    for label in [">02:40<", ">02:20<"] {
        let count = picture.as_str().unwrap().matches(label).count();
        assert_eq!(count, 1, "{label}: {picture}");
    }
    page.act("viewer.filter('ts == 2026-10-25T02:30:00.000000002+01:00')");
    assert_eq!(page.eval("viewer.state().selected"), 1);
}

/// The offsets of the local zone are known only after the selections of the link have been restored.
#[test]
fn selections_of_a_link_are_shown_in_local_time() {
    let directory = tempdir().unwrap();
    let file = super::page::diagonal(&directory);
    let texts = "[document.querySelector('#chips li button').textContent, document.getElementById('filter').value]";
    let link = "#zone=local&filter=ts+%3E%3D+2026-11-23T02:53:00.000101Z&time=ts+in+2026-11-23T02:53:00.000201Z..2026-11-23T02:53:00.000301Z";
    let page = Page::open("");
    page.chromium.set_timezone("America/New_York").unwrap();
    page.eval(&format!("void (location.hash = '{link}')"));
    page.drop_file(&file);
    assert_eq!(
        page.eval(texts),
        json!([
            "Time 2026-11-22 21:53:00.000201 – 21:53:00.000301 -05:00",
            "ts >= 2026-11-22T21:53:00.000101-05:00"
        ])
    );
    assert_eq!(page.eval("viewer.state().selected"), 100);
}

#[test]
fn selections_in_local_time_survive_a_reload() {
    let directory = tempdir().unwrap();
    let file = super::page::diagonal(&directory);
    let page = Page::open("");
    page.chromium.set_timezone("America/New_York").unwrap();
    page.drop_file(&file);
    page.act("viewer.set('zone', 'local')");
    page.drag("throughput", (0.2, 0.5), (0.6, 0.5));
    let chip = page.text("#chips li button");
    assert!(chip.starts_with("Time 2026-11-22 21:") && chip.ends_with(" -05:00"), "{chip}");
    page.eval("void (document.title = 'before', location.reload())");
    page.wait_for("document.title !== 'before' && window.viewer");
    page.drop_file(&file);
    assert_eq!(page.text("#chips li button"), chip);
}

/// The box keeps the text, and the filter has no chip in other words.
#[test]
fn filter_stays_as_typed() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&super::page::diagonal(&directory));
    let text = "len > 100 && proto == TCP";
    super::layout::type_filter(&page, text);
    page.eval(
        "document.getElementById('filter').dispatchEvent(new Event('change', {bubbles: true}))",
    );
    let shown =
        "[document.getElementById('filter').value, document.getElementById('chips').textContent]";
    let selected = page.eval("viewer.state().selected");
    assert!(0 < selected.as_u64().unwrap());
    assert_eq!(page.eval(shown), json!([text, ""]));
    page.act("viewer.select('size', [100, 300])");
    page.act("document.getElementById('undo').click()");
    assert_eq!(page.eval(shown), json!([text, ""]));
    page.act("document.getElementById('undo').click()");
    page.act("document.getElementById('redo').click()");
    assert_eq!(page.eval(shown), json!([text, ""]));
    assert_eq!(page.eval("viewer.state().selected"), selected);
}

#[test]
fn markup_in_fields_is_shown_as_text() {
    let directory = tempdir().unwrap();
    let hostile = "<img src=x onerror=document.title=1><script>document.title=2</script>";
    let line = json!({"type": "pkt", "n": 1, "ts": "2026-11-24T12:00:00.000000000Z", "if": hostile, "len": 60, "src": "10.0.0.1", "proto": hostile, "sni": hostile});
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "x.ndjson", format!("{line}\n")));
    page.act("viewer.filter('proto')");
    page.eval(
        "document.querySelectorAll('[data-action=toggle-table]').forEach(button => button.click())",
    );
    page.click("#packets-rows button");
    page.wait_for("document.getElementById('detail-line').textContent !== ''");
    page.eval("(() => { const f = document.getElementById('filter'); f.focus(); f.value = 'proto == '; f.dispatchEvent(new Event('input', {bubbles: true})); })()");
    page.wait_for("document.querySelectorAll('#completions button').length === 1");
    assert!(page.text("#detail-line").contains(hostile));
    assert!(page.text("[data-panel=protocols] .chart-table").contains(hostile));
    assert_eq!(
        page.eval("[document.title, document.querySelectorAll('img, body script').length]"),
        json!(["Packet viewer", 0])
    );
    let svg = page.eval("viewer.svg('protocols')");
    assert!(!svg.as_str().unwrap().contains("<img"), "{svg}");
}

#[test]
fn page_works_offline_after_the_first_visit() {
    let page = Page::open("");
    page.eval("navigator.serviceWorker.ready.then(() => true)");
    page.wait_for("navigator.serviceWorker.controller !== null");
    let address = page.eval("location.href");
    let Page { chromium, server } = page;
    drop(server);
    chromium.navigate(address.as_str().unwrap()).unwrap();
    chromium.wait_for("window.viewer").unwrap();
    let lines = "new File(['{\"ts\":1,\"len\":2}\\n'], 'x')";
    chromium.eval(&format!("viewer.open({lines})")).unwrap();
    assert_eq!(chromium.eval("viewer.state().packets").unwrap(), 1);
    chromium.click("#packets-rows button").unwrap();
    chromium.wait_for("document.querySelector('#inspector [role=treeitem]')").unwrap();
}

#[test]
fn small_screens_need_no_horizontal_scrolling() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.chromium.resize(360, 740).unwrap();
    let file = write(directory.path(), "a.ndjson", generate_lines(1_000));
    page.chromium.choose_file("#file", &file).unwrap();
    page.wait_for("viewer.state().phase === 'ready'");
    page.act("viewer.select('size', [100, 900])");
    let widths = page.eval("[document.documentElement.scrollWidth, innerWidth]");
    assert_eq!(widths, json!([360, 360]));
}

/// Checks both themes on a desktop and on a phone, without a file and with all panels open.
#[test]
fn axe_finds_no_accessibility_violations() {
    let directory = tempdir().unwrap();
    let file = write(directory.path(), "a.ndjson", generate_lines(1_000));
    let capture = write(directory.path(), "a.pcap", pcap(3));
    let axe = fs::read_to_string(xtask::python::axe_path()).unwrap();
    let page = Page::open("");
    page.eval(&format!("(() => {{ {axe}; return true; }})()"));
    let violations = "axe.run(document).then(result => result.violations.map(v => [v.id, v.nodes.map(node => node.html)]))";
    let cases = [(1440, 900), (360, 740)].map(|size| [(size, false), (size, true)]);
    for ((width, height), is_dark) in cases.into_iter().flatten() {
        page.chromium.resize(1440, 900).unwrap();
        page.chromium.prefer_dark(is_dark).unwrap();
        page.eval("document.getElementById('close').click()");
        page.wait_for("document.documentElement.dataset.phase === 'empty'");
        assert_eq!(page.eval(violations), json!([]));
        page.drop_file(&file);
        page.chromium.resize(width, height).unwrap();
        page.act("viewer.filter('proto == udp')");
        page.act("document.getElementById('add-line').click()");
        page.act("viewer.select('size', [100, 900])");
        page.act("viewer.filter('len > 5 and lenn')");
        if !is_dark {
            page.eval(
                "document.querySelectorAll('[data-action=toggle-table]').forEach(b => b.click())",
            );
        }
        page.click("#packets-rows button");
        page.wait_for("document.querySelector('#inspector [role=treeitem]')");
        assert_eq!(page.eval(violations), json!([]));
        page.chromium.resize(1440, 900).unwrap();
        page.drop_alone(&capture);
        page.chromium.resize(width, height).unwrap();
        page.click("#packets-rows button");
        page.wait_for("document.querySelector('#inspector .segment')");
        assert_eq!(page.eval(violations), json!([]));
        page.act("document.getElementById('detail-connection').click()");
        page.wait_for("document.querySelector('.stream .block')");
        for tab in ["top", "conversations", "endpoints", "packets", "connection", "more"] {
            page.act(&format!("viewer.set('tab', '{tab}')"));
            assert_eq!(page.eval(violations), json!([]), "{width}, {tab}");
        }
        page.eval("document.querySelector('[data-action=close-detail]').click()");
        page.eval("document.querySelector('#sizes-panel .menu').showPopover()");
        assert_eq!(page.eval(violations), json!([]), "{width}, menu");
    }
}

/// The worker's packets are lost, but the page stays usable.
#[test]
fn failed_worker_is_reported_and_replaced() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let file = write(directory.path(), "a.ndjson", generate_lines(1_000));
    page.drop_file(&file);
    page.eval("viewer.failWorker()");
    page.wait_for("viewer.state().phase === 'error'");
    let error = page.text("#error");
    assert!(error.contains("A background worker failed"), "{error}");
    assert!(error.contains("a test requested this failure"), "{error}");
    page.drop_alone(&file);
    assert_eq!(page.eval("viewer.state().packets"), 1_000);
    // Also while reading; a pending export is rejected.
    page.eval(concat!(
        "(async () => { const line = '{\"ts\":1,\"len\":60}\\n'; const part = new Blob([line.repeat(100000)]);",
        "viewer.open(new File(Array(400).fill(part), 'large'));",
        "while (viewer.state().packets === 0) await new Promise((done) => setTimeout(done, 1));",
        "window.exporting = viewer.exportLines().then(() => 'exported', String); viewer.failWorker(); })()"
    ));
    page.wait_for("viewer.state().phase === 'error'");
    assert!(page.text("#error").contains("A background worker failed"));
    assert_eq!(page.eval("window.exporting"), "the capture was closed");
    page.drop_alone(&file);
    assert_eq!(page.eval("viewer.state().packets"), 1_000);
}
