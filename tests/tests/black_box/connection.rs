//! The view of one connection: the payload of both sides.

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::tempdir;
use tests::chromium::Mouse;
use tests::files::{gzip, write};
use tests::frames::{ethernet, ipv4, pcap_of, udp};
use tests::page::Page;
use tests::process::run;

use super::page::downloaded;
use crate::flows::{ACK, SYN, segment};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A request; an answer of which a segment is late, one is sent twice and one is missing; and a second
/// connection between the same ports. One packet belongs to neither.
fn capture() -> Vec<u8> {
    let len = u32::try_from(REQUEST.len()).unwrap();
    pcap_of(&[
        segment(true, SYN, 100, 0, b""),
        segment(false, SYN | ACK, 500, 101, b""),
        segment(true, ACK, 101, 501, REQUEST),
        ethernet(&[], 0x800, &ipv4(17, &udp(b"other"))),
        segment(false, ACK, 501, 101 + len, b"HTTP/1.1 200 OK\r\n"),
        segment(false, ACK, 522, 101 + len, b"\r\nbody\xff\xe2\x80\xae\x1b[31m"),
        segment(false, ACK, 518, 101 + len, b"A: b"),
        segment(false, ACK, 518, 101 + len, b"A: b"),
        segment(false, ACK, 637, 101 + len, b"<b>end</b>"),
        segment(true, ACK, 101 + len, 647, b""),
        segment(true, SYN, 9_000, 0, b""),
        segment(true, ACK, 9_001, 1, b"again"),
    ])
}

/// The captured payload of the server in the first connection.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nA: b\r\nbody\xff\xe2\x80\xae\x1b[31m<b>end</b>";

/// Side, packet and text of each block.
fn blocks(page: &Page) -> Value {
    page.eval(
        "[...document.querySelectorAll('.stream .block')].map((block) => [block.className, \
         block.querySelector('button')?.textContent ?? '', block.querySelector('pre, .gap').textContent])",
    )
}

fn wait_for_blocks(page: &Page) {
    page.wait_for("document.querySelector('.stream .block')");
    page.wait_for("document.getElementById('connection-text').textContent === ''");
}

fn choose(page: &Page, label: &str, value: &str) {
    page.eval(&format!(
        "(() => {{ const select = document.querySelector('#connection select[aria-label=\"{label}\"]'); \
         select.value = '{value}'; select.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    ));
}

/// Opens the menu of a cell, and follows its connection.
fn follow_row(page: &Page, table: &str, row: usize) {
    page.eval(&format!(
        "document.querySelectorAll('#{table}-rows tr')[{row}].querySelector('td').dispatchEvent(\
         new MouseEvent('contextmenu', {{bubbles: true, cancelable: true, button: 2}}))"
    ));
    page.wait_for("document.querySelector('#value-menu:popover-open [data-action=open-connection]:not([hidden])')");
    page.eval("document.querySelector('#value-menu [data-action=open-connection]').click()");
}

/// The saved file.
fn save(page: &Page, directory: &Path, name: &str) -> Vec<u8> {
    page.chromium.set_download_directory(directory).unwrap();
    page.eval("document.querySelector('[data-save]').click()");
    let path = directory.join(name);
    tests::process::wait_for("a saved file", || {
        fs::metadata(&path).is_ok_and(|file| 0 < file.len())
    });
    fs::read(path).unwrap()
}

#[test]
fn payload_of_both_sides_is_shown_in_order_and_saved() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(&directory, "a.pcap", capture()));
    page.eval("viewer.set('conversations', '5-tuples')");
    page.act("document.getElementById('conversations-tab').click()");
    let row = page.eval(
        "[...document.querySelectorAll('#conversations-rows tr')].findIndex((row) => row.textContent.includes('tcp'))",
    );
    let loaded = "performance.getEntriesByType('resource').some((file) => file.name.includes('inspector_bg.wasm?v='))";
    assert_eq!(page.eval(loaded), false);
    follow_row(&page, "conversations", usize::try_from(row.as_u64().unwrap()).unwrap());
    wait_for_blocks(&page);
    assert_eq!(page.eval(loaded), true);
    assert_eq!(page.text("#connection h2"), "10.0.0.1:50000 → 10.0.0.2:80 tcp");
    assert_eq!(page.text(".connection-status"), "9 packets · 100 bytes missing in 1 gap");
    assert_eq!(
        blocks(&page),
        json!([
            ["block client", "Packet 3", "GET / HTTP/1.1\nHost: a\n\n"],
            ["block server", "Packet 5", "HTTP/1.1 200 OK\nA: b\nbody...[31m"],
            ["block server", "Packet 9", "100 bytes missing: not in the file"],
            ["block server", "Packet 9", "<b>end</b>"],
        ])
    );
    choose(&page, "Format", "hex");
    choose(&page, "Sides", "client");
    let hex = "00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..\n\
               00000010  48 6f 73 74 3a 20 61 0d  0a 0d 0a                 Host: a....\n";
    assert_eq!(blocks(&page), json!([["block client", "Packet 3", hex]]));
    let name = |side: &str| format!("10.0.0.1-50000-10.0.0.2-80-{side}.bin");
    assert_eq!(save(&page, directory.path(), &name("client")), REQUEST);
    choose(&page, "Sides", "server");
    assert_eq!(save(&page, directory.path(), &name("server")), ANSWER);
    choose(&page, "Sides", "both");
    assert_eq!(save(&page, directory.path(), &name("both")), [REQUEST, ANSWER].concat());

    // A block leads to its packet, and the selection of the charts stays.
    page.eval("document.querySelectorAll('.block-head button')[1].click()");
    page.wait_for("document.getElementById('detail-title').textContent.startsWith('Packet 5,')");
    assert_eq!(page.eval("viewer.state().selected"), 12);
    choose(&page, "Connection", "1");
    choose(&page, "Format", "text");
    assert_eq!(blocks(&page), json!([["block client", "Packet 12", "again"]]));
}

/// From the details of a packet, in compressed files, of datagrams, and of files without bytes.
#[test]
fn connections_of_packets_can_be_followed() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let follow = |row: usize| {
        page.act("document.getElementById('packets-tab').click()");
        page.act(&format!("document.querySelectorAll('#packets-rows button')[{row}].click()"));
        page.wait_for("document.querySelector('#detail-connection:not([hidden])')");
        page.act("document.getElementById('detail-connection').click()");
    };
    page.drop_file(&write(&directory, "a.pcap.gz", gzip(&capture())));
    follow(2);
    wait_for_blocks(&page);
    assert_eq!(page.eval("document.activeElement.id"), "connection-tab");
    assert_eq!(blocks(&page).as_array().unwrap().len(), 4);
    page.chromium.press("3").unwrap();
    assert_eq!(page.eval("document.activeElement.className"), "stream");
    follow(3);
    page.wait_for("document.querySelector('#connection h2').textContent.endsWith('udp')");
    wait_for_blocks(&page);
    assert_eq!(blocks(&page), json!([["block client", "Packet 4", "other"]]));
    page.act("document.getElementById('packets-tab').click()");
    follow_row(&page, "packets", 0);
    page.wait_for("document.querySelector('#connection h2').textContent.endsWith('tcp')");
    wait_for_blocks(&page);

    // Another capture closes it.
    let file = write(&directory, "a.pcap", capture());
    let lines = run(&["-q", "-r", file.to_str().unwrap()]).stdout;
    page.drop_alone(&write(&directory, "a.ndjson", lines));
    assert_eq!(page.eval("document.getElementById('connection').hidden"), true);
    follow(2);
    page.wait_for("document.querySelector('.stream p')");
    let note = page.text(".stream p");
    assert!(note.starts_with("The payload is not available"), "{note}");
    assert_eq!(page.text(".connection-status"), "9 packets");
}

/// The coordinates of the plot in the window: fractions of its canvas from the upper left.
fn in_plot(page: &Page, (x, y): (f64, f64)) -> (f64, f64) {
    let rect = page.eval(
        "(({x, y, width, height}) => [x, y, width, height])(document.querySelector('.sequence canvas').getBoundingClientRect())",
    );
    let [left, top, width, height] = serde_json::from_value(rect).unwrap();
    let at = |start: f64, len: f64, fraction: f64| start + len * fraction;
    (at(left, width, x), at(top, height, y))
}

/// Keys and pointer lead to packets; a drag selects their time in all charts.
#[test]
fn numbers_over_time_lead_to_packets_and_select_time() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(&directory, "a.pcap", capture()));
    page.act("document.getElementById('packets-tab').click()");
    follow_row(&page, "packets", 0);
    wait_for_blocks(&page);
    choose(&page, "View", "sequence");
    let readout = || page.text(".sequence p");
    assert_eq!(page.eval("document.querySelector('.stream').hidden"), true);
    // The server has sent more; the SYNs have no options.
    let text = readout();
    assert!(text.starts_with("Findings: ") && text.contains("retransmission"), "{text}");
    assert!(!text.contains("not scaled"), "{text}");
    let image = "document.querySelector('.sequence canvas').toDataURL()";
    let unmarked = page.eval(image);
    page.eval("document.querySelector('.sequence canvas').focus()");
    for _ in 0..2 {
        page.chromium.press("ArrowRight").unwrap();
    }
    page.wait_for("document.querySelector('.sequence p').textContent.startsWith('Packet 3,')");
    let text = readout();
    assert_eq!(text, "Packet 3, 2 ms after the first: ACK 1, window to 1,025");
    page.chromium.press("Enter").unwrap();
    page.wait_for("document.getElementById('detail-title').textContent.startsWith('Packet 3,')");
    assert_eq!(page.eval("viewer.state().selected"), 12);
    page.act("document.querySelector('[data-action=close-detail]').click()");

    // The right half of the plot begins after the fifth of nine packets, 9 ms long.
    page.chromium.mouse(Mouse::Move, in_plot(&page, (0.6, 0.5)), false).unwrap();
    page.chromium.mouse(Mouse::Press, in_plot(&page, (0.6, 0.5)), false).unwrap();
    page.chromium.mouse(Mouse::Drag, in_plot(&page, (0.9, 0.6)), false).unwrap();
    page.chromium.mouse(Mouse::Drag, in_plot(&page, (0.999, 0.6)), false).unwrap();
    page.chromium.mouse(Mouse::Release, in_plot(&page, (0.999, 0.6)), false).unwrap();
    page.wait_for("viewer.state().selected < 12");
    page.eval("viewer.settled()");
    let numbers = page.eval("viewer.exportLines().then((blob) => blob.text()).then((text) => text.trim().split('\\n').map((line) => JSON.parse(line).n))");
    let numbers: Vec<u64> = serde_json::from_value(numbers).unwrap();
    assert_eq!(numbers.last(), Some(&10), "{numbers:?}");
    assert!((2..=5).contains(&numbers.len()), "{numbers:?}");
    assert!(page.text("#chips").contains("Time"), "{}", page.text("#chips"));
    // The plot marks the selected time, until it is not selected any more.
    page.chromium.mouse(Mouse::Move, in_plot(&page, (0.5, -0.1)), false).unwrap();
    assert_ne!(page.eval(image), unmarked);
    page.act("viewer.clear()");
    page.wait_for(&format!("{image} === {unmarked}"));
}

/// The plot is saved as an image, and covers the window until Escape.
#[test]
fn plot_of_numbers_is_saved_and_maximized() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.chromium.set_download_directory(directory.path()).unwrap();
    page.drop_file(&write(&directory, "a.pcap", capture()));
    page.act("document.getElementById('packets-tab').click()");
    follow_row(&page, "packets", 0);
    wait_for_blocks(&page);
    assert_eq!(page.eval("document.querySelector('[data-image=svg]').hidden"), true);
    choose(&page, "View", "sequence");
    for (format, start) in [("svg", &b"<svg"[..]), ("png", b"\x89PNG")] {
        page.eval(&format!("document.querySelector('[data-image={format}]').click()"));
        let name = format!("10.0.0.1-50000-10.0.0.2-80-sequence.{format}");
        downloaded(&directory, &name, |file| file.starts_with(start) && start.len() < file.len());
    }
    let width = || {
        let width = page.eval("document.querySelector('.sequence canvas').clientWidth");
        width.as_f64().unwrap() / page.eval("innerWidth").as_f64().unwrap()
    };
    assert!(width() < 0.8, "{}", width());
    page.eval("document.querySelector('[data-maximize]').focus()");
    page.chromium.press("Enter").unwrap();
    page.wait_for("document.querySelector('[data-maximize]').textContent === 'Restore'");
    assert!(0.9 < width(), "{}", width());
    assert_eq!(
        page.eval("getComputedStyle(document.getElementById('throughput-panel')).visibility"),
        "hidden"
    );
    page.chromium.press("Escape").unwrap();
    page.wait_for("document.querySelector('[data-maximize]').textContent === 'Maximize'");
    assert!(width() < 0.8, "{}", width());
}
