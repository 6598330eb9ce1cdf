//! The inspector of packets: layers, fields and bytes.

use serde_json::{Value, json};
use tempfile::tempdir;
use tests::browser::Driver;
use tests::corpus;
use tests::files::{gzip, write};
use tests::frames::{IPV4, LINKTYPE_ETHERNET, ethernet, ipv4, pcap, udp};
use tests::page::Page;
use tests::reference::generate_lines;
use xtask::build;
use xtask::server::Server;

/// The law of decoding holds for each frame of the corpus: layers are in order, fields lie within them
/// and have the values of the line.
#[test]
fn layers_of_the_corpus_have_the_values_of_the_lines() {
    let Some(frames) = corpus::frames().unwrap() else { return };
    for frame in &frames {
        let missing = frame.wire_len.saturating_sub(u32::try_from(frame.bytes.len()).unwrap());
        let missing = u16::try_from(missing).unwrap_or(u16::MAX);
        let start = [frame.link.0.to_le_bytes(), missing.to_le_bytes()].concat();
        fuzz::check("decode", &[start, frame.bytes.clone()].concat());
    }
    assert!(!frames.is_empty());
}

/// Shows the details of a visible row, and waits for its layers.
fn inspect(page: &Page, row: usize) {
    page.eval(&format!("document.querySelectorAll('#packets-rows button')[{row}].click()"));
    page.wait_for("document.querySelector('#inspector [role=treeitem]')");
    page.wait_for("document.getElementById('inspector').ariaBusy === 'false'");
}

/// Name and value of all tree items that match a selector.
fn items(page: &Page, selector: &str) -> Value {
    page.eval(&format!(
        "[...document.querySelectorAll('#inspector [role=treeitem]{selector}')].map((item) => \
         item.querySelector('.node-name').textContent + ': ' + item.querySelector('.node-value').textContent)"
    ))
}

/// The text of the segments of hexadecimal digits with a class.
fn marked_bytes(page: &Page, class: &str) -> Value {
    page.eval(&format!(
        "[...document.querySelectorAll('.byte-hex .{class}')].map((cell) => cell.textContent)"
    ))
}

fn press(page: &Page, selector: &str, key: &str) {
    page.eval(&format!(
        "document.querySelector('{selector}').dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true, cancelable: true}}))"
    ));
}

const SELECTED: &str = "[aria-selected=true]";

#[test]
fn fields_and_bytes_highlight_each_other() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(&directory, "a.pcap", pcap(3)));
    // Nothing is loaded before the first packet is inspected.
    let loaded = "performance.getEntriesByType('resource').some((file) => file.name.includes('inspector_bg.wasm?v='))";
    assert_eq!(page.eval(loaded), false);
    inspect(&page, 0);
    assert_eq!(page.eval(loaded), true);
    assert_eq!(
        items(&page, "[aria-level=\"1\"]"),
        json!([
            "Frame: 60 bytes",
            "Ethernet: 14 bytes",
            "IPv4: 20 bytes",
            "UDP: 8 bytes",
            "Payload: 18 bytes"
        ])
    );
    assert_eq!(page.eval("document.querySelectorAll('.byte-row').length"), 4);

    // From a field to its bytes.
    page.eval(
        "[...document.querySelectorAll('#inspector .node-name')].find((name) => name.textContent === 'Time to live').click()",
    );
    assert_eq!(items(&page, SELECTED), json!(["Time to live: 64"]));
    assert_eq!(marked_bytes(&page, "selected"), json!(["40"]));
    assert_eq!(page.text(".inspector-status"), "IPv4, Time to live: 64 (byte 22)");
    press(&page, &format!("#inspector {SELECTED}"), "ArrowDown");
    assert_eq!(items(&page, SELECTED), json!(["Protocol: 17 (udp)"]));
    assert_eq!(page.eval("document.activeElement.getAttribute('aria-selected')"), "true");

    // From a byte to its fields: version and header length share one, and each click selects the next.
    let click = "document.querySelector('.byte-hex [data-byte=\"14\"]').click()";
    for expected in ["Version: 4", "Header length: 5 (20 bytes)", "Version: 4"] {
        page.eval(click);
        assert_eq!(items(&page, SELECTED), json!([expected]));
    }
    page.eval(
        "document.querySelector('.byte-ascii [data-byte=\"26\"]').dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))",
    );
    assert_eq!(items(&page, ".hovered"), json!(["Source: 10.0.0.1"]));
    assert_eq!(marked_bytes(&page, "hovered"), json!(["0a 00 00 01"]));
    // From field to field in the order of the bytes.
    press(&page, ".inspector-bytes", "ArrowRight");
    press(&page, ".inspector-bytes", "ArrowRight");
    assert_eq!(items(&page, SELECTED), json!(["Total length: 46"]));

    page.eval("navigator.clipboard.writeText = async (text) => { window.copied = text; }");
    for (format, expected) in [
        ("hex", "00 2e"),
        ("c", "const unsigned char packet[2] = {\n    0x00, 0x2e,\n};\n"),
        ("text", "\"\\x00.\""),
    ] {
        page.eval(&format!("document.querySelector('[data-copy={format}]').click()"));
        page.wait_for("window.copied");
        assert_eq!(page.eval("copied"), expected);
        page.wait_for(
            "document.querySelector('.inspector-status').textContent === 'Copied 2 bytes'",
        );
        page.eval("window.copied = undefined");
    }
    assert_eq!(page.eval("viewer.state().phase"), "ready");
}

/// Three packets with different payloads, in a capture file, a compressed one, and as lines.
#[test]
fn arrow_keys_go_from_packet_to_packet() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let mut capture = summary::capture_file::PcapFile::new(LINKTYPE_ETHERNET);
    for (number, payload) in (1..).zip([b"first", b"other", b"third"]) {
        capture.push(number, &ethernet(&[], IPV4, &ipv4(17, &udp(payload))));
    }
    let capture = capture.into_bytes();
    let lines: String = (1..=3).map(|n| super::page::line(n, 60 + n, "udp")).collect();
    let title = |n: u32| {
        page.wait_for(&format!(
            "document.getElementById('detail-title').textContent.startsWith('Packet {n},')"
        ));
        page.wait_for("document.getElementById('inspector').ariaBusy === 'false'");
    };
    for (name, file) in [
        ("a.pcap", capture.clone()),
        ("a.pcap.gz", gzip(&capture)),
        ("a.ndjson", lines.into_bytes()),
    ] {
        page.drop_alone(&write(&directory, name, file));
        inspect(&page, 0);
        let shown = |text: &str| {
            if name != "a.ndjson" {
                page.wait_for(&format!(
                    "[...document.querySelectorAll('.byte-row')].at(-1).textContent.endsWith('{text}')"
                ));
            }
        };
        shown("first");
        page.wait_for("document.getElementById('detail-next').ariaDisabled === 'false'");
        assert_eq!(page.eval("document.getElementById('detail-previous').ariaDisabled"), "true");
        press(&page, "#detail-next", "ArrowRight");
        title(2);
        shown("other");
        page.wait_for("document.getElementById('detail-next').ariaDisabled === 'false'");
        press(&page, "#packets", "ArrowDown");
        title(3);
        shown("third");
        let layers = page.eval(
            "[...document.querySelectorAll('#inspector [aria-level=\"1\"] .node-name')].map((name) => name.textContent)",
        );
        let expected = match name {
            "a.ndjson" => json!(["Packet", "Network"]),
            _ => json!(["Frame", "Ethernet", "IPv4", "UDP", "Payload"]),
        };
        assert_eq!(layers, expected, "{name}");
        page.wait_for("document.getElementById('detail-previous').ariaDisabled === 'false'");
        page.eval("document.getElementById('detail-previous').click()");
        title(2);
        press(&page, SELECTED_OR_FIRST, "Escape");
        page.wait_for("document.getElementById('detail').hidden");
    }
}

/// The modules are not in a cache, and the server is gone for a while.
#[test]
fn modules_are_loaded_once_the_server_is_back() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.eval("navigator.serviceWorker.ready.then(() => true)");
    page.eval("caches.keys().then((keys) => Promise.all(keys.map((key) => caches.delete(key))))");
    // Plain text needs no other module.
    page.drop_file(&write(&directory, "a.ndjson", generate_lines(3)));
    let Page { chromium, server } = page;
    let port = server.port();
    drop(server);
    chromium.click("#packets-rows button").unwrap();
    let text = "document.getElementById('inspector').textContent";
    chromium.wait_for(&format!("{text}.startsWith('The inspector could not be loaded.')")).unwrap();
    let packed = write(&directory, "packed.gz", gzip(&pcap(5)));
    chromium.drop_file(&packed, (600.0, 400.0)).unwrap();
    let text = "document.getElementById('error').textContent";
    chromium.wait_for(&format!("{text}.startsWith('“packed.gz” could not be read (')")).unwrap();

    let server = Server::start(build::site_path().parent().unwrap(), port).unwrap();
    let page = Page { chromium, server };
    page.click("#packets-rows button");
    page.wait_for("document.querySelector('#inspector [role=treeitem]')");
    page.drop_alone(&packed);
    assert_eq!(page.eval("viewer.state().packets"), 5);
}

const SELECTED_OR_FIRST: &str = "#inspector [tabindex=\"0\"]";
