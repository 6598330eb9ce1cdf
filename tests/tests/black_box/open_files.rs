//! Opening several files: together, one after the other, while another one is read, was cancelled, or
//! waits for a sampling choice.

use super::layout::type_filter;
use serde_json::json;
use std::fmt::Write as _;
use tempfile::tempdir;
use tests::files::{gzip, write};
use tests::frames::pcap;
use tests::page::Page;
use tests::process::run;
use tests::reference::generate_lines;

#[test]
fn files_of_different_formats_are_merged() {
    let directory = tempdir().unwrap();
    let text = generate_lines(300);
    let page = Page::open("");
    for (name, content, packets) in [
        ("lines.ndjson", text.clone().into_bytes(), 300),
        ("packed.pcap.gz", gzip(&pcap(200)), 500),
        ("frames", pcap(100), 600),
        ("nothing", Vec::new(), 600),
    ] {
        let path = write(directory.path(), name, content);
        page.chromium.choose_file("#file", &path).unwrap();
        page.wait_for(&format!(
            "viewer.state().phase === 'ready' && viewer.state().packets === {packets}"
        ));
    }
    page.wait_for("document.getElementById('error').textContent !== ''");
    assert_eq!(page.text("#error"), "“nothing” is empty.");
    assert_eq!(page.eval("viewer.state().packets"), 600);
    // The same in one list: the empty file does not keep out the others.
    let opened = page.eval(
        "(async () => { const line = (n) => `{\"ts\":${n},\"len\":60}\\n`; \
         const files = [['empty', ''], ['a', line(1)], ['b', line(2) + line(3)], ['a', line(4)]]; \
         await viewer.open(files.map(([name, text]) => new File([text], name))); return [viewer.state().packets, document.getElementById('error').textContent]; })()",
    );
    assert_eq!(opened, json!([4, "“empty” is empty."]));
    // Files of the same name are numbered.
    page.act("viewer.filter('file == \"a (2)\"')");
    assert_eq!(page.eval("viewer.state().selected"), 1);
}

#[test]
fn file_added_while_another_is_read_is_read_too() {
    let page = Page::open("");
    page.eval(concat!(
        "(() => { const line = (n) => `{\"type\":\"pkt\",\"n\":${n},\"ts\":\"2026-11-23T02:53:38.123456789Z\",\"len\":60}\\n`;",
        "const part = new Blob([line(1).repeat(100000)]);",
        "window.large = (times, name) => new File(Array(times).fill(part), name);",
        "window.small = (n) => new File([line(n)], 'small'); })()"
    ));
    // Before the first file was probed, and after.
    page.eval(concat!(
        "(async () => { const opened = viewer.open(large(10, 'large'));",
        "viewer.add(small(2)); viewer.add([small(3), small(4)]);",
        "while (viewer.state().packets === 0) await new Promise((done) => setTimeout(done, 1));",
        "viewer.add(small(5)); await opened; await viewer.settled(); })()"
    ));
    assert_eq!(page.eval("viewer.state().packets"), 1_000_004);
    // A cancelled file stays cancelled, a file added after that is read.
    let packets = page.eval(concat!(
        "(async () => { const opened = viewer.open(large(400, 'large'));",
        "while (viewer.state().packets === 0) await new Promise((done) => setTimeout(done, 1));",
        "viewer.cancel(); await viewer.add(large(3, 'more')); await opened;",
        "await viewer.filter('file == more');",
        "return [viewer.state().packets, viewer.state().selected]; })()"
    ));
    let (all, more) = (packets[0].as_u64().unwrap(), packets[1].as_u64().unwrap());
    assert_eq!(more, 300_000);
    assert!(300_000 < all && all < 40_000_000, "{all}");
    // A file that cannot be read does not hide the others.
    page.eval("viewer.clear().then(() => viewer.add([new File([], 'nothing'), small(6)]))");
    assert_eq!(page.text("#error"), "“nothing” is empty.");
    assert_eq!(page.eval("viewer.state().packets"), all + 1);
}

#[test]
fn files_too_large_for_memory_are_sampled_together() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.eval("viewer.limitMemory(100000)");
    let text = generate_lines(10_000);
    for name in ["one.ndjson", "two.ndjson"] {
        // Files with the same content are not opened twice.
        let file = write(directory.path(), name, format!("{{\"file\":\"{name}\"}}\n{text}"));
        page.chromium.choose_file("#file", &file).unwrap();
        let count = if name == "one.ndjson" { "10," } else { "20," };
        page.wait_for(&format!(
            "document.getElementById('sampling-text').textContent.includes('About {count}')"
        ));
    }
    let prompt = page.text("#sampling-text");
    assert!(prompt.contains("The first packet is from 2026-11-24 12:00:00.0000"), "{prompt}");
    // Invalid input is reported and can be corrected.
    for (button, error) in
        [("load-every", "is not a whole number"), ("load-time-range", "is not a time")]
    {
        page.eval("(() => { for (const id of ['sample-every', 'sample-from']) document.getElementById(id).value = id === 'sample-every' ? '' : 'soon'; })()");
        page.eval(&format!("document.querySelector('[data-action={button}]').click()"));
        page.wait_for(&format!("document.getElementById('error').textContent.includes('{error}')"));
    }
    page.eval("document.getElementById('sample-every').value = '10'");
    page.eval("document.querySelector('[data-action=load-every]').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    assert_eq!(page.eval("viewer.state().packets"), 2_000);
    assert!(page.text("#summary").contains("two.ndjson: only one packet in 10"));
    page.act("viewer.filter('file == one.ndjson')");
    assert_eq!(page.eval("viewer.state().selected"), 1_000);
}

#[test]
fn same_content_is_not_opened_twice() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "a.pcap", pcap(20)));
    let other = "new File([new TextEncoder().encode('{\"ts\":1,\"len\":1}\\n')], 'c')";
    for (open, error, packets) in [
        ("viewer.add(files[0])", "“a.pcap” is already open.", 20),
        ("viewer.add(copy)", "“b.pcap” was not added: “a.pcap” has the same content.", 20),
        ("viewer.add([copy, other])", "“b.pcap” was not added: “a.pcap” has the same content.", 21),
        (
            "viewer.open([copy, files[0]])",
            "“a.pcap” was not added: “b.pcap” has the same content.",
            20,
        ),
        ("viewer.open(files[0])", "", 20),
    ] {
        page.eval(&format!(
            "(async () => {{ const bytes = Uint8Array.from({:?}); const files = [new File([bytes], 'a.pcap')], \
             copy = new File([bytes], 'b.pcap'), other = {other}; await {open}; }})()",
            pcap(20)
        ));
        assert_eq!(page.text("#error"), error, "{open}");
        assert_eq!(page.eval("viewer.state().packets"), packets, "{open}");
    }
}

#[test]
fn open_menu_replaces_or_adds() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    // As in browsers without handles of files.
    page.eval("(window.showOpenFilePicker = undefined, 0)");
    let choose = |mode: &str, name: &str, count: u32, packets: u32| {
        page.eval(&format!(
            "(() => {{ document.getElementById('file').addEventListener('click', (event) => event.preventDefault(), {{once: true}}); \
             document.querySelector('#open-menu [data-arg={mode}]').click(); }})()"
        ));
        page.chromium.choose_file("#file", &write(directory.path(), name, pcap(count))).unwrap();
        page.wait_for(&format!(
            "viewer.state().phase === 'ready' && viewer.state().packets === {packets}"
        ));
    };
    assert_eq!(page.eval("document.getElementById('add').hidden"), true);
    choose("replace", "a.pcap", 10, 10);
    assert_eq!(page.eval("document.getElementById('add').hidden"), false);
    choose("add", "b.pcap", 5, 15);
    choose("replace", "c.pcap", 7, 7);
    page.eval("document.querySelector('#open-menu [data-action=open-sample]').click()");
    page.wait_for("viewer.state().phase === 'ready' && 7 < viewer.state().packets");
    page.eval("viewer.settled()");
    assert!(page.text("#summary").starts_with("sample.ndjson · "), "{}", page.text("#summary"));
}

/// Browsers with the File System Access API choose files with another dialog.
#[test]
fn files_of_the_picker_are_opened() {
    let page = Page::open("");
    page.eval(
        "(async () => {
            const root = await navigator.storage.getDirectory();
            const handles = [];
            for (const [name, lines] of [['a', 3], ['b', 4], ['c', 5]]) {
                const handle = await root.getFileHandle(`${name}.ndjson`, { create: true });
                const stream = await handle.createWritable();
                await stream.write(`{\"ts\":${lines},\"len\":60}\n`.repeat(lines));
                await stream.close();
                handles.push(handle);
            }
            window.chosen = [[handles[0]], [handles[1], handles[2]], null, [handles[1]]];
            window.showOpenFilePicker = async () => {
                const next = chosen.shift();
                if (next) return next;
                throw new DOMException('The user aborted a request.', 'AbortError');
            };
        })()",
    );
    let open = |mode: &str| {
        page.eval(&format!("document.querySelector('#open-menu [data-arg={mode}]').click()"))
    };
    for (mode, packets) in [("replace", 3), ("add", 12), ("replace", 12), ("replace", 4)] {
        open(mode);
        page.wait_for(&format!("viewer.state().packets === {packets}"));
        page.wait_for("viewer.state().phase === 'ready'");
        assert_eq!(page.text("#error"), "");
    }
    page.wait_for("chosen.length === 0");
}

#[test]
fn raw_record_of_any_packet_is_shown() {
    let directory = tempdir().unwrap();
    let file = pcap(3_000);
    let plain = write(directory.path(), "plain.pcap", &file);
    let output = run(&["-r", plain.to_str().unwrap(), "-w", "-"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("\"type\":\"pkt\"")).collect();
    let packed = write(directory.path(), "packed.gz", gzip(&file));
    let text = write(directory.path(), "text.gz", gzip((lines.join("\r\n") + "\r\n").as_bytes()));
    let page = Page::open("");
    for (path, end) in [(plain, ""), (packed, ""), (text, "\r")] {
        page.drop_alone(&path);
        for number in [2_990, 3] {
            page.act(&format!("viewer.filter('n >= {number}')"));
            page.click("#packets-rows button");
        }
        // Of two requests only the last one is answered.
        page.wait_for("document.getElementById('detail-line').textContent !== ''");
        let seen = page.eval("document.getElementById('detail-line').textContent");
        assert_eq!(seen.as_str().unwrap(), format!("{}{end}", lines[2]), "{}", path.display());
        page.wait_for(
            "document.getElementById('detail-title').textContent.startsWith('Packet 3,')",
        );
        let exported = page.eval("viewer.filter('n > 2998').then(() => viewer.exportLines()).then((blob) => blob.text())");
        let expected: String = lines[2_998..].iter().map(|line| format!("{line}{end}\n")).collect();
        assert_eq!(exported, expected);
    }
}

/// The workers read parts of the file at the same time; line numbers continue from part to part.
#[test]
fn line_numbers_continue_across_the_parts_of_a_file() {
    let directory = tempdir().unwrap();
    let mut text = String::new();
    let mut damaged = Vec::new();
    for number in 1..=100_000 {
        if number % 9_000 == 0 {
            text += "damaged\n";
            damaged.push(number);
        } else {
            writeln!(text, "{{\"x\":\"{number:020}\",\"len\":60,\"ts\":{number}}}").unwrap();
        }
    }
    assert!(4 << 20 < text.len());
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "a.ndjson", &text));
    let problems =
        page.eval("[...document.querySelectorAll('#problem-list li')].map(li => li.textContent)");
    let seen: Vec<_> =
        problems.as_array().unwrap().iter().map(|problem| problem.as_str().unwrap()).collect();
    assert_eq!(seen.len(), damaged.len());
    for (problem, number) in seen.iter().zip(damaged) {
        let (thousands, rest) = (number / 1_000, number % 1_000);
        assert!(problem.starts_with(&format!("line {thousands},{rest:03}: ")), "{problem}");
    }
    // Packets without a number are numbered by line.
    for (filter, count) in
        [("n in 50001..50010", 10), ("n <= 100000", 99_989), ("n > 100000", 0), ("n == 99001", 0)]
    {
        page.act(&format!("viewer.filter('{filter}')"));
        let expected = if filter == "n == 99001" { 1 } else { count };
        assert_eq!(page.eval("viewer.state().selected"), expected, "{filter}");
    }
    page.act("viewer.filter('n == 77777')");
    let cells = page.eval(
        "[...document.querySelector('#packets-rows tr').cells].map(cell => cell.textContent)",
    );
    assert_eq!((&cells[0], &cells[1]), (&json!("77,777"), &json!("21:36:17.000000000")));
    // The other fields of a line are read from the file once the table is visible.
    page.eval("document.getElementById('packets').scrollIntoView()");
    page.wait_for(
        "document.querySelector('#packets-rows tr').cells[14].textContent === 'x 00000000000000077777'",
    );
}

/// Makes workers wait before they read a line: once `gate` has said 'close', they hold back
/// `Blob.arrayBuffer` until it says 'open'.
const GATE: &str = "(() => {
    window.gate = new BroadcastChannel('gate');
    window.isWaiting = false;
    window.closedCount = 0;
    gate.onmessage = ({data}) => data === 'closed' ? window.closedCount += 1 : window.isWaiting = true;
})()";

/// The part of the gate that runs in each worker.
const GATE_IN_WORKER: &str = "
    const gate = new BroadcastChannel('gate');
    const read = Blob.prototype.arrayBuffer;
    let open;
    gate.onmessage = ({data}) => {
        if (data === 'open') return open();
        if (open) return;
        const opened = new Promise(done => open = done);
        Blob.prototype.arrayBuffer = async function () {
            gate.postMessage('waiting');
            await opened;
            return read.call(this);
        };
        gate.postMessage('closed');
    };";

#[test]
fn opening_a_capture_while_table_lines_are_read_keeps_the_worker_alive() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.eval(GATE);
    page.extend_workers(GATE_IN_WORKER);
    page.drop_alone(&write(directory.path(), "long.pcap", pcap(1_000)));
    page.act("viewer.filter('n > 900')");
    let count = page.eval("startedCount");
    // Workers that have no packets can still be starting.
    page.wait_for("(gate.postMessage('close'), closedCount === startedCount)");
    page.eval("document.getElementById('packets').scrollIntoView()");
    page.wait_for("isWaiting");
    // The packets whose lines are being read do not exist in this capture.
    let short = json!(pcap(1));
    page.eval(&format!("void viewer.open(new File([new Uint8Array({short})], 'short.pcap'))"));
    page.eval("gate.postMessage('open')");
    page.wait_for("viewer.state().packets === 1");
    page.click("#packets-rows button");
    page.wait_for("document.getElementById('detail-line').textContent !== ''");
    let line = page.text("#detail-line");
    assert!(line.starts_with("{\"type\":\"pkt\",\"n\":1,"), "{line}");
    assert_eq!((page.text("#error"), page.eval("startedCount")), (String::new(), count));
}

#[test]
fn dropped_text_and_closing_are_answered() {
    let page = Page::open("#filter=)(&zoom-ts=5..1");
    page.eval(
        "document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: new DataTransfer(), cancelable: true}))",
    );
    page.wait_for("document.getElementById('error').textContent.startsWith('Text cannot')");
    let directory = tempdir().unwrap();
    page.drop_file(&write(directory.path(), "a.ndjson", generate_lines(500)));
    assert_eq!(page.text("#error"), "Invalid selection in the link: “)(”.");
    assert_eq!(page.eval("document.getElementById('filter').value"), ")(");
    page.wait_for("!location.hash.includes('zoom-ts')");
    // The address of the empty page does not need a capture.
    type_filter(&page, "proto == tcp");
    page.wait_for("location.hash.includes('capture=a.ndjson')");
    page.eval("document.getElementById('close').click()");
    page.wait_for("!location.hash.includes('capture=')");
    assert_eq!(page.text("#link-note"), "");
}
