//! The widths of table columns, and names instead of addresses.

use serde_json::json;
use tempfile::tempdir;
use tests::chromium::Mouse;
use tests::files::write;
use tests::frames::{IPV4, ethernet, ipv4, pcap_of, udp};
use tests::page::Page;
use tests::reference::generate_lines;

/// An expression: the width of a column of the packet table, which all its cells have.
fn width(column: usize) -> String {
    format!(
        "(() => {{ const cells = [...document.querySelectorAll('#packets tr')].map(row => row.cells[{column}].getBoundingClientRect().width); \
         return cells.every(width => width === cells[0]) ? Math.floor(cells[0]) : null; }})()"
    )
}

/// The centre of the border of a column.
fn border(page: &Page, column: usize) -> (f64, f64) {
    let at = page.eval(&format!(
        "(() => {{ const r = document.querySelectorAll('#packets .column-border')[{column}].getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; }})()"
    ));
    (at[0].as_f64().unwrap(), at[1].as_f64().unwrap())
}

fn drag(page: &Page, column: usize, by: f64) {
    let (x, y) = border(page, column);
    page.mouse(Mouse::Press, (x, y));
    page.mouse(Mouse::Drag, (x + by / 2.0, y));
    page.mouse(Mouse::Drag, (x + by, y));
    page.mouse(Mouse::Release, (x + by, y));
    page.eval("viewer.settled()");
}

#[test]
fn columns_are_resized_with_pointer_and_keys() {
    let directory = tempdir().unwrap();
    let file = write(directory.path(), "a.ndjson", generate_lines(100));
    let page = Page::open("");
    page.drop_file(&file);
    page.act("viewer.set('tab', 'packets')");
    let (source, destination) = (width(2), width(4));
    let natural = page.eval(&source).as_i64().unwrap();
    let other = page.eval(&destination);
    drag(&page, 2, 60.0);
    assert_eq!(page.eval(&source), natural + 60);
    assert_eq!(page.eval(&destination), other, "other columns keep their widths");
    // Too long texts are cut, and are in the tooltip.
    drag(&page, 2, -1_000.0);
    assert_eq!(page.eval(&source), 40);
    let cell = "document.querySelector('#packets-rows td:nth-child(3)')";
    assert_eq!(page.eval(&format!("{cell}.clientWidth < {cell}.scrollWidth")), true);
    assert_eq!(page.eval(&format!("{cell}.title === {cell}.textContent")), true);
    // The border has the focus: the arrow keys change the width, Enter fits it to the texts.
    let focused = "document.activeElement";
    page.eval("document.querySelectorAll('#packets .column-border')[2].focus()");
    assert_eq!(page.eval(&format!("{focused}.getAttribute('aria-label')")), "Width of Source");
    for (key, px) in [("ArrowRight", 60), ("ArrowRight", 80), ("ArrowLeft", 60), ("Enter", natural)]
    {
        page.chromium.press(key).unwrap();
        page.wait_for(&format!("{source} === {px}"));
    }
    page.chromium.press("ArrowRight").unwrap();
    page.wait_for(&format!("{source} === {}", natural + 20));
    page.wait_for(&format!("{focused}.getAttribute('aria-valuenow') === '{}'", natural + 20));
    // ↑ and ↓ move to the other borders.
    for (key, label) in [("ArrowDown", "Port"), ("ArrowDown", "Destination"), ("ArrowUp", "Port")] {
        page.chromium.press(key).unwrap();
        page.wait_for(&format!("{focused}.getAttribute('aria-label') === 'Width of {label}'"));
    }
    let stops = "[...document.querySelectorAll('#packets .column-border')].filter(border => border.tabIndex === 0).length";
    assert_eq!(page.eval(stops), 1);
    page.mouse(Mouse::DoubleClick, border(&page, 2));
    page.wait_for(&format!("{source} === {natural}"));
    // The browser remembers the widths, and links contain them.
    drag(&page, 4, 100.0);
    let px = page.eval(&destination);
    page.eval("viewer.settled()");
    let link = page.eval("location.hash");
    let link = link.as_str().unwrap();
    assert!(link.contains(&format!("widths=packets.dst.{px}")), "{link}");
    let address = page.eval("location.origin + location.pathname");
    page.chromium.navigate("about:blank").unwrap();
    page.chromium.navigate(address.as_str().unwrap()).unwrap();
    page.wait_for("window.viewer");
    page.drop_file(&file);
    page.act("viewer.set('tab', 'packets')");
    page.wait_for(&format!("{destination} === {px}"));
}

/// A border is in the header of a column, beside the button that sorts by it.
#[test]
fn resizing_does_not_sort() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "a.ndjson", generate_lines(100)));
    page.act("viewer.set('tab', 'endpoints')");
    let header = "document.querySelector('#endpoints th')";
    let before = page.eval(&format!("{header}.ariaSort"));
    let at = page.eval(&format!(
        "(r => [r.left + r.width / 2, r.top + r.height / 2])({header}.querySelector('.column-border').getBoundingClientRect())"
    ));
    let (x, y) = (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
    page.mouse(Mouse::Press, (x, y));
    page.mouse(Mouse::Drag, (x + 80.0, y));
    page.mouse(Mouse::Release, (x + 80.0, y));
    page.eval("viewer.settled()");
    page.wait_for(&format!("300 > {header}.clientWidth && 160 < {header}.clientWidth"));
    assert_eq!(page.eval(&format!("{header}.ariaSort")), before);
}

/// A response to a question for `host.example` with the address 10.1.2.3.
fn response() -> Vec<u8> {
    let name = b"\x04host\x07example\0";
    let header = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0";
    let answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\x01\x02\x03";
    let mut datagram = udp(&[&header[..], name, b"\0\x01\0\x01", answer].concat());
    // From the port of DNS.
    datagram[..2].copy_from_slice(&53u16.to_be_bytes());
    ethernet(&[], IPV4, &ipv4(17, &datagram))
}

#[test]
fn names_from_dns_answers_are_shown_on_request() {
    let directory = tempdir().unwrap();
    let line = |n: u64, fields: &str| {
        format!(
            "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-24T12:00:0{n}Z\",\"len\":90,{fields}}}\n"
        )
    };
    let dns = "\"dns\":\"www.example.org\",\"dns_type\":\"A\"";
    let file = [
        line(1, &format!("\"src\":\"10.0.0.5\",\"dst\":\"10.0.0.53\",\"proto\":\"udp\",{dns}")),
        line(2, &format!("\"src\":\"10.0.0.53\",\"dst\":\"10.0.0.5\",\"proto\":\"udp\",{dns},\"dns_answers\":[\"cdn.example.net\",\"10.1.2.3\"]")),
        line(3, "\"src\":\"10.0.0.5\",\"dst\":\"10.1.2.3\",\"proto\":\"tcp\""),
        line(4, "\"src\":\"10.1.2.3\",\"dst\":\"10.0.0.5\",\"proto\":\"tcp\""),
    ]
    .concat();
    let file = write(directory.path(), "a.ndjson", file);
    let page = Page::open("");
    page.drop_file(&file);
    page.act("viewer.set('tab', 'packets')");
    let cell = "document.querySelectorAll('#packets-rows tr')[2].cells[4]";
    assert_eq!(page.eval(&format!("{cell}.textContent")), "10.1.2.3");
    let requests = "performance.getEntriesByType('resource').length";
    let requests_before = page.eval(requests);
    let switch = "document.querySelector('[data-setting=names]')";
    assert_eq!(page.eval(&format!("{switch}.checked")), false);
    page.act(&format!("{switch}.click()"));
    assert_eq!(page.text("#names-text"), "1 found");
    let shown = format!("[{cell}.textContent, {cell}.title]");
    assert_eq!(page.eval(&shown), json!(["www.example.org", "10.1.2.3"]));
    assert_eq!(page.eval(requests), requests_before, "no look-up");
    // Charts, chips and details show the name too.
    let svg = page.eval("viewer.svg('destinations')");
    assert!(svg.as_str().unwrap().contains(">www.example.org<"), "{svg}");
    page.act("viewer.select('destination', 'dst == 10.1.2.3')");
    assert_eq!(page.text("#chips li button"), "Destination www.example.org");
    page.click("#packets-rows button");
    page.wait_for("document.getElementById('detail-title').textContent.endsWith(', 10.0.0.5 → www.example.org')");
    page.act("viewer.clear()");
    // The menu of a cell has the address, and so have filters.
    page.eval(&format!(
        "{cell}.dispatchEvent(new MouseEvent('contextmenu', {{bubbles: true, cancelable: true}}))"
    ));
    page.wait_for("document.getElementById('value-menu').matches(':popover-open')");
    let copied = "document.querySelector('#value-menu [data-action=copy-value]').dataset.arg";
    assert_eq!(page.eval(copied), "10.1.2.3");
    page.act("document.querySelector('#value-menu [data-action=filter-value]').click()");
    assert_eq!(
        page.eval("[viewer.state().selected, document.getElementById('filter').value]"),
        json!([1, "dst == 10.1.2.3"])
    );
    page.act("viewer.clear()");
    let hash = page.eval("location.hash");
    assert!(hash.as_str().unwrap().contains("names=1"), "{hash}");
    // The browser remembers the switch. Capture files have names, too.
    let address = page.eval("location.origin + location.pathname");
    page.chromium.navigate("about:blank").unwrap();
    page.chromium.navigate(address.as_str().unwrap()).unwrap();
    page.wait_for("window.viewer");
    let other = ethernet(&[], IPV4, &ipv4(17, &udp(b"abc")));
    let capture = write(directory.path(), "a.pcap", pcap_of(&[response(), other]));
    page.drop_file(&capture);
    page.wait_for("document.getElementById('names-text').textContent === '1 found'");
    page.act(&format!("{switch}.click()"));
    assert_eq!(page.text("#names-text"), "");
}
