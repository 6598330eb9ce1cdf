//! Loading in headless Chromium: which files load, which errors the others cause, and that the page
//! stays responsive.

use super::page::{diagonal, line, shown};
use std::fmt::Write as _;
use std::fs;
use tempfile::tempdir;
use tests::files::{gzip, write};
use tests::frames::pcap;
use tests::page::Page;

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

/// Collects the files that workers have loaded, which they send when `files` asks for them.
const FILES: &str = "(() => {
    window.files = new BroadcastChannel('files');
    window.loaded = [];
    files.onmessage = ({data}) => loaded.push(data);
    window.hasFormats = (files) => files.some((file) => file.includes('formats_bg.wasm?v='));
})()";

const FILES_IN_WORKER: &str = "
    const files = new BroadcastChannel('files');
    files.onmessage = () =>
        files.postMessage(performance.getEntriesByType('resource').map((file) => file.name));";

#[test]
fn format_is_detected_by_content_not_by_name() {
    let directory = tempdir().unwrap();
    let captures = [pcap(1_500), fs::read(diagonal(&directory)).unwrap()];
    let page = Page::open("");
    page.eval(FILES);
    page.extend_workers(FILES_IN_WORKER);
    page.drop_alone(&diagonal(&directory));
    page.wait_for("(files.postMessage(''), 1 <= loaded.length && !loaded.some(hasFormats))");
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
    page.wait_for("(files.postMessage(''), loaded.some(hasFormats))");
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
    assert!(page.text("#unreadable").contains("incomplete record at byte 708"));
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
    assert!(drawn[0].as_str().unwrap().starts_with("Packet sizes, scatter plot: "), "{drawn}");
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

/// The values of fields without a column are read from the file when a filter refers to them.
#[test]
fn fields_without_a_column_are_filtered_and_exported() {
    const COUNT: usize = 100_000;
    let directory = tempdir().unwrap();
    let mut lines = String::new();
    for n in 0..COUNT {
        let (seq, win) = (n % 1_000, n % 7);
        writeln!(
            lines,
            r#"{{"type":"pkt","n":{},"ts":"2026-11-24T10:00:00.{n:09}Z","len":60,"proto":"tcp","seq":{seq},"win":{win}}}"#,
            n + 1
        )
        .unwrap();
    }
    let page = Page::open("");
    let path = write(&directory, "fields.ndjson", &lines);
    page.drop_file(&path);
    for (filter, expected) in [("seq == 5", 100), ("not seq", 0), ("seq == 5 and win == 3", 14)] {
        page.eval(&format!("viewer.filter('{filter}')"));
        let exact = (0..COUNT).filter(|n| match filter {
            "seq == 5" => n % 1_000 == 5,
            "not seq" => false,
            _ => n % 1_000 == 5 && n % 7 == 3,
        });
        assert_eq!(exact.count(), expected, "{filter}");
        assert_eq!(page.eval("viewer.state().selected"), expected, "{filter}");
    }
    // An export keeps its selection when the next filter needs other fields.
    let exported = page.eval(concat!(
        "(async () => { await viewer.filter('seq == 1'); const first = viewer.filter('win == 3');",
        "const exported = viewer.exportLines(); const next = viewer.filter('payload == 1');",
        "const text = await (await exported).text(); await first; await next; return text; })()"
    ));
    let exported = exported.as_str().unwrap();
    assert_eq!(exported.lines().count(), (0..COUNT).filter(|n| n % 7 == 3).count());
    assert!(exported.lines().all(|line| line.contains("\"win\":3")));
    assert_eq!(page.eval("viewer.state().selected"), 0);
    // Without the file, the condition is removed instead of counting wrong values.
    fs::remove_file(path).unwrap();
    page.eval("viewer.filter('ack == 1')");
    page.wait_for(
        "document.getElementById('error').textContent.startsWith('The filter was removed, because its fields could not be read (')",
    );
    page.eval("viewer.settled()");
    assert_eq!(page.eval("viewer.state().selected"), COUNT);
}
