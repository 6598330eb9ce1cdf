//! Text of a capture or a link is shown as text: markup in it creates no element and runs no script,
//! and the page refuses scripts made from strings.

use serde_json::{Value, json};
use summary::capture_file::{FileInterface, Frame, PacketOptions, PcapngWriter, SectionOptions};
use summary::{Faults, LinkType, Timestamp};
use tempfile::tempdir;
use tests::files::write;
use tests::frames::{IPV4, ethernet, ipv4, tcp};
use tests::page::Page;

/// Sets a global variable wherever it becomes part of a document.
const MARKUP: &str = "'><img src=x onerror=ran=1><script>ran=1</script>";

/// [`MARKUP`] as part of an address.
const ENCODED: &str = "%27%3E%3Cimg+src%3Dx+onerror%3Dran%3D1%3E%3Cscript%3Eran%3D1%3C%2Fscript%3E";

/// A file name, which cannot contain a slash.
const NAME: &str = "'><img src=x onerror=ran=1><b>.ndjson";

/// The fields of a packet that the format or the page treats as text.
const TEXT_FIELDS: [&str; 27] = [
    "if",
    "dir",
    "gso_type",
    "link",
    "eth_src",
    "eth_dst",
    "tunnel",
    "outer_src",
    "outer_dst",
    "src",
    "dst",
    "proto",
    "icmp_src",
    "icmp_dst",
    "icmp_proto",
    "flags",
    "dns",
    "dns_type",
    "sni",
    "http_method",
    "http_host",
    "http_path",
    "quic",
    "community_id",
    "err",
    "file",
    MARKUP,
];

/// A record with markup in these fields, after the given ones.
fn record(mut fields: Value, names: &[&str]) -> String {
    let object = fields.as_object_mut().unwrap();
    for name in names {
        object.insert((*name).to_owned(), MARKUP.into());
    }
    format!("{fields}\n")
}

/// A capture with markup in all text of all records, and in lines that cannot be read.
fn hostile_capture() -> String {
    let mut text = record(
        json!({"type": "meta", "v": 1, "interfaces": [{"name": MARKUP, "index": 1, "linktype": MARKUP}]}),
        &["tool", "version", "start", "host", "source", "file", "filter"],
    );
    let ts = |second: u32| format!("2026-11-23T02:53:{second:02}.000000001Z");
    for second in 0..10 {
        let packet = json!({"type": "pkt", "n": second + 1, "ts": ts(second), "len": 60 + second});
        text += &record(packet, &TEXT_FIELDS);
        text += &record(json!({"ts": ts(second), "len": 70}), &TEXT_FIELDS);
        // Packets with addresses, so that they have conversations.
        let packet = json!({"type": "pkt", "n": 9, "ts": ts(second), "len": 80, "src": "10.0.0.1", "dst": "10.0.0.2"});
        text += &record(packet, &["proto", "if"]);
    }
    text += &record(json!({"type": "event", "ts": ts(10)}), &["if", "event", "new_name"]);
    text += &record(json!({"type": "end", "ts": ts(10)}), &["reason"]);
    text += &record(json!({"type": "pkt", "n": 1}), &["ts", "len"]);
    text + MARKUP
}

/// A pcapng file with markup in its comments, in the interface's name and in a request's host.
fn hostile_pcapng() -> Vec<u8> {
    let request = format!("GET / HTTP/1.1\r\nHost: {MARKUP}\r\n\r\n");
    let bytes = ethernet(&[], IPV4, &ipv4(6, &tcp(request.as_bytes())));
    let wire_len = u32::try_from(bytes.len()).unwrap();
    let (ts, link) = (Timestamp::from_ns(0), LinkType::ETHERNET);
    let mut file = Vec::new();
    let comment = Some(MARKUP);
    let section = SectionOptions { comment, ..SectionOptions::default() };
    let mut writer = PcapngWriter::new(&section, &mut file);
    let interface = FileInterface { name: Some(MARKUP.to_owned()), link, snaplen: 0 };
    let interface = writer.interface(&interface, &mut file);
    let frame = Frame { ts, link, interface, bytes: &bytes, wire_len, faults: Faults::default() };
    writer.packet(&frame, &PacketOptions { comment, ..PacketOptions::default() }, &mut file);
    file
}

/// Counts everything that hostile text could have caused.
fn watch(page: &Page) {
    page.eval(concat!(
        "(() => { window.violations = []; addEventListener('securitypolicyviolation',",
        "(event) => window.violations.push(event.effectiveDirective)); })()"
    ));
}

fn assert_nothing_ran(page: &Page) {
    assert_eq!(
        page.eval(
            "[typeof ran, window.violations, document.querySelectorAll('img, b, script:not([src])').length, document.title]"
        ),
        json!(["undefined", [], 0, "Packet viewer"])
    );
}

fn assert_shown(page: &Page, selectors: &[&str]) {
    for selector in selectors {
        assert!(page.text(selector).contains(MARKUP), "{selector}: {}", page.text(selector));
    }
}

#[test]
fn markup_in_captures_is_shown_as_text() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    watch(&page);
    page.drop_file(&write(&directory, NAME, hostile_capture()));
    assert_eq!(page.eval("viewer.state().packets"), 30);
    assert!(page.text("#summary").contains(NAME));
    assert_shown(&page, &["#summary", "#packets-rows", "#conversations-rows"]);
    // The tooltip of the first bar.
    let point = page.eval(concat!(
        "(() => { const c = document.getElementById('protocols'); c.scrollIntoView({block: 'center'});",
        "const r = c.getBoundingClientRect(); return [r.left + r.width / 2, r.top + 12]; })()"
    ));
    let point = (point[0].as_f64().unwrap(), point[1].as_f64().unwrap());
    page.mouse(tests::chromium::Mouse::Move, point);
    page.wait_for("!document.getElementById('tooltip').hidden");
    assert_shown(&page, &["#tooltip-lines"]);
    // Charts, as drawings and as tables.
    page.eval("document.querySelectorAll('[data-action=toggle-table]').forEach((button) => button.click())");
    page.eval("viewer.settled()");
    assert_shown(&page, &["[data-panel=protocols] .chart-table"]);
    let svg = page.eval("viewer.svg('protocols')");
    let svg = svg.as_str().unwrap();
    assert!(svg.contains("&lt;img src=x") && !svg.contains("<img"), "{svg}");
    // Fields of a packet.
    page.act("document.querySelector('#packets-rows button').click()");
    page.wait_for("document.querySelector('#inspector [role=treeitem]')");
    let fields = page.eval(
        "[...document.querySelectorAll('#inspector .node-name')].map((name) => name.textContent)",
    );
    assert!(
        TEXT_FIELDS.iter().all(|name| fields.as_array().unwrap().contains(&json!(name))),
        "{fields}"
    );
    assert_shown(&page, &["#detail-line", "#inspector [role=treeitem]:last-of-type .node-value"]);
    // Selections, also with an error, and suggestions.
    page.act(&format!("viewer.filter(`proto == \"{MARKUP}\" and if == \"{MARKUP}\"`)"));
    assert_eq!(page.eval("viewer.state().selected"), 30);
    page.act(&format!("viewer.select('protocol', `proto == \"{MARKUP}\"`)"));
    assert_shown(&page, &["#chips"]);
    let label = page.eval("document.querySelector('#chips [data-action=clear]').ariaLabel");
    assert!(label.as_str().unwrap().contains(MARKUP), "{label}");
    page.act("viewer.select('protocol', '')");
    page.act(&format!("viewer.filter(`{MARKUP}`)"));
    assert_shown(&page, &["#filter-error"]);
    page.act("viewer.filter('proto == ')");
    assert_shown(&page, &["#completions"]);
    assert_nothing_ran(&page);

    page.drop_alone(&write(&directory, "hostile.pcapng", hostile_pcapng()));
    assert_eq!(page.eval("viewer.state().packets"), 1);
    page.act("document.querySelector('#packets-rows button').click()");
    page.wait_for("document.getElementById('inspector').textContent.includes('HTTP')");
    assert_shown(&page, &["#packets-rows", "#detail-line", "#inspector"]);
    assert_nothing_ran(&page);

    page.drop_alone(&write(&directory, NAME, MARKUP));
    assert!(page.text("#error").contains(NAME), "{}", page.text("#error"));
    assert_nothing_ran(&page);
}

#[test]
fn markup_in_links_is_shown_as_text() {
    let fields = ["filter", "size", "x", "zone", "sort", "zoom", "unknown", ENCODED];
    let fragment = fields.map(|name| format!("{name}={ENCODED}")).join("&");
    let page = Page::open(&format!("?src={ENCODED}#{fragment}"));
    watch(&page);
    page.wait_for("document.documentElement.dataset.phase === 'error'");
    assert_shown(&page, &["#error"]);
    assert_nothing_ran(&page);
    // Another address of the same page, with a valid filter.
    page.eval(&format!("void (location.hash = '#protocol=proto+%3D%3D+%22{ENCODED}%22')"));
    page.eval("document.getElementById('sample').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    page.eval("viewer.settled()");
    assert_shown(&page, &["#chips"]);
    assert_nothing_ran(&page);
}

/// Trusted Types, and the script sources of the Content Security Policy.
#[test]
fn page_refuses_scripts_made_from_strings() {
    let page = Page::open("");
    watch(&page);
    let sinks = [
        "document.body.innerHTML = '<b>text</b>'",
        "document.body.insertAdjacentHTML('beforeend', '')",
        "document.body.setAttribute('onclick', 'ran = 1')",
        "document.createElement('script').src = 'main.js'",
        "new Worker('start-worker.js')",
        "ServiceWorkerContainer.prototype.register.call(navigator.serviceWorker, serviceWorker)",
        "trustedTypes.createPolicy('other', {})",
        "trustedTypes.createPolicy('viewer', {})",
        "trusted.createScriptURL('other.js')",
        "trusted.createScriptURL('blob:https://example.com/1')",
        "trusted.createHTML('<b>text</b>')",
    ];
    for sink in sinks {
        let error = page.eval(&format!(
            "(async () => {{ await ({sink}); }})().then(() => 'accepted', (error) => error.name)"
        ));
        assert_eq!(error, "TypeError", "{sink}");
    }
    assert_eq!(page.eval("typeof ran"), "undefined");
}
