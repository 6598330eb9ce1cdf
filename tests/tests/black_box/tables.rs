//! The tables: rows, cells, their menus and the order of rows.

use serde_json::json;
use tempfile::{TempDir, tempdir};
use tests::chromium::Mouse;
use tests::files::write;
use tests::page::Page;
use tests::reference::{Packet, generate_lines, read_packets};

/// Opens a capture with a table in sight. Returns its packets, too.
fn open(directory: &TempDir, tab: &str) -> (Page, Vec<Packet>) {
    let page = Page::open("");
    let text = generate_lines(2_000);
    page.drop_file(&write(directory.path(), "some.ndjson", &text));
    page.act(&format!("viewer.set('tab', '{tab}')"));
    (page, read_packets(&text))
}

/// The centre of an element in the window.
fn center(page: &Page, selector: &str) -> (f64, f64) {
    let at = page.eval(&format!(
        "(() => {{ const r = document.querySelector('{selector}').getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; }})()"
    ));
    (at[0].as_f64().unwrap(), at[1].as_f64().unwrap())
}

fn click(page: &Page, selector: &str) {
    let at = center(page, selector);
    page.mouse(Mouse::Press, at);
    page.mouse(Mouse::Release, at);
}

const IS_MENU_OPEN: &str = "document.getElementById('value-menu').matches(':popover-open')";

/// Chooses an item of the open menu.
fn choose(page: &Page, action: &str) {
    page.wait_for(IS_MENU_OPEN);
    click(page, &format!("#value-menu [data-action={action}]"));
    page.wait_for(&format!("!{IS_MENU_OPEN}"));
    page.eval("viewer.settled()");
}

#[test]
fn all_cells_of_a_row_react() {
    let directory = tempdir().unwrap();
    let (page, packets) = open(&directory, "packets");
    for (row, cell) in [(2, 7), (1, 1)] {
        click(&page, &format!("#packets-rows tr:nth-child({row}) td:nth-child({cell})"));
        let title = format!("Packet {row},");
        page.wait_for(&format!(
            "document.getElementById('detail-title').textContent.startsWith('{title}')"
        ));
    }
    page.act("viewer.set('tab', 'conversations')");
    click(&page, "#conversations-rows tr td:nth-child(7)");
    page.eval("viewer.settled()");
    let cells = "[...document.querySelectorAll('#conversations-rows tr.selected td')].map(c => c.textContent)";
    let cells = page.eval(cells);
    let (a, b, proto) = (&cells[0], &cells[2], &cells[4]);
    let is_own = |packet: &&Packet| {
        let ends = [&packet.src, &packet.dst];
        *proto == packet.proto
            && (*a == *ends[0] && *b == *ends[1] || *a == *ends[1] && *b == *ends[0])
    };
    let expected = packets.iter().filter(is_own).count();
    assert!(0 < expected);
    assert_eq!(page.eval("viewer.state().selected"), expected);
}

#[test]
fn cells_are_filtered_and_excluded_from_their_menu() {
    let directory = tempdir().unwrap();
    let (page, packets) = open(&directory, "packets");
    let count =
        |is_in: &dyn Fn(&Packet) -> bool| packets.iter().filter(|packet| is_in(packet)).count();
    // The button in the cell under the pointer.
    let first = &packets[0];
    page.mouse(Mouse::Move, center(&page, "#packets-rows td:nth-child(3)"));
    page.wait_for("!document.getElementById('value-button').hidden");
    click(&page, "#value-button");
    page.wait_for(IS_MENU_OPEN);
    assert_eq!(page.text("#value-text"), first.src);
    choose(&page, "filter-value");
    let selected = "viewer.state().selected";
    assert_eq!(page.eval(selected), count(&|packet| packet.src == first.src));
    // The menu key, without a mouse.
    page.act("viewer.clear()");
    page.eval("document.getElementById('packets').focus()");
    for key in ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"] {
        page.chromium.press(key).unwrap();
    }
    let second = &packets[1];
    page.wait_for(&format!("document.activeElement.textContent === '{}'", second.src));
    page.eval("document.activeElement.dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, cancelable: true}))");
    page.wait_for(IS_MENU_OPEN);
    page.chromium.press("ArrowDown").unwrap();
    page.wait_for("document.activeElement.textContent === 'Exclude'");
    page.chromium.press("Enter").unwrap();
    page.wait_for(&format!("!{IS_MENU_OPEN}"));
    page.eval("viewer.settled()");
    assert_eq!(page.eval(selected), count(&|packet| packet.src != second.src));
    // Escape closes the menu and moves the focus back.
    page.eval("document.activeElement.dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, cancelable: true}))");
    page.wait_for(IS_MENU_OPEN);
    page.chromium.press("Escape").unwrap();
    page.wait_for(&format!("!{IS_MENU_OPEN} && document.activeElement.tagName === 'TD'"));
}

/// Only the visible rows exist, but the browser scrolls as if all did.
#[test]
fn scrollbar_and_keys_move_through_the_rows() {
    let directory = tempdir().unwrap();
    let (page, packets) = open(&directory, "packets");
    let number = "document.querySelector('#packets-rows td').textContent";
    let position = "document.getElementById('packets').scrollTop";
    for first in [700, 3, 0] {
        page.scroll_packets(first);
        page.wait_for(&format!("{number} === '{}'", first + 1));
    }
    page.eval(&format!("{position} = 1e9"));
    page.wait_for(
        "document.querySelector('#packets-rows tr:last-child td').textContent === '2,000'",
    );
    let end = page.eval(position);
    let rows = page.eval("document.getElementById('packets').dataset.rows");
    let rows: u64 = rows.as_str().unwrap().parse().unwrap();
    assert_eq!(page.first_packet_row(), packets.len() as u64 - rows);
    page.eval("document.getElementById('packets').focus()");
    for (key, at) in [("Home", &json!(0)), ("End", &end)] {
        page.chromium.press(key).unwrap();
        page.wait_for(&format!("{position} === {at}"));
    }
    page.act("viewer.filter('n >= 7')");
    page.wait_for(&format!("{position} === 0 && {number} === '7'"));
}

/// While changes follow each other, the address is not updated.
#[test]
fn leaving_the_page_writes_the_link() {
    let directory = tempdir().unwrap();
    let (page, _) = open(&directory, "packets");
    let hash = page.eval(
        "(() => { for (const to of [300, 400, 500]) viewer.select('size', [100, to]); \
         dispatchEvent(new Event('pagehide')); return location.hash; })()",
    );
    assert!(hash.as_str().unwrap().contains("100..500"), "{hash}");
}

#[test]
fn ranking_bars_have_the_menu_of_cells() {
    let directory = tempdir().unwrap();
    let (page, packets) = open(&directory, "packets");
    let (x, y) = center(&page, "#protocols");
    let top = page.eval("document.getElementById('protocols').getBoundingClientRect().top");
    let at = json!({"clientX": x, "clientY": top.as_f64().unwrap() + 10.0, "button": 2, "bubbles": true, "cancelable": true});
    assert!(y > top.as_f64().unwrap());
    let is_tooltip = "document.getElementById('tooltip').checkVisibility()";
    page.mouse(Mouse::Move, (x, top.as_f64().unwrap() + 10.0));
    page.wait_for(is_tooltip);
    page.eval(&format!(
        "document.getElementById('protocols').dispatchEvent(new MouseEvent('contextmenu', {at}))"
    ));
    page.wait_for(&format!("{IS_MENU_OPEN} && !{is_tooltip}"));
    let proto = page.text("#value-text");
    choose(&page, "exclude-value");
    let expected = packets.iter().filter(|packet| packet.proto != proto).count();
    assert!(0 < expected && expected < packets.len());
    assert_eq!(page.eval("viewer.state().selected"), expected);
    // The menu also opens from the button at the bar under the pointer.
    page.act("viewer.clear()");
    page.mouse(Mouse::Move, (x, top.as_f64().unwrap() + 10.0));
    page.wait_for("!document.getElementById('value-button').hidden");
    click(&page, "#value-button");
    page.wait_for(IS_MENU_OPEN);
    assert_eq!(page.text("#value-text"), proto);
    choose(&page, "filter-value");
    assert_eq!(page.eval("viewer.state().selected"), packets.len() - expected);
}

#[test]
fn first_click_sorts_texts_ascending_and_numbers_descending() {
    let directory = tempdir().unwrap();
    let (page, _) = open(&directory, "endpoints");
    for (column, orders) in
        [("address", ["ascending", "descending"]), ("bytes", ["descending", "ascending"])]
    {
        for order in orders {
            page.act(&format!("document.querySelector('#endpoints [data-arg={column}]').click()"));
            let header = format!("#endpoints th[data-sort={column}]");
            assert_eq!(page.eval(&format!("document.querySelector('{header}').ariaSort")), order);
            let csv = page.eval("viewer.csv('endpoints')");
            let rows = csv.as_str().unwrap().lines().skip(1);
            if column == "bytes" {
                let bytes: Vec<u64> =
                    rows.map(|row| row.split(',').nth(2).unwrap().parse().unwrap()).collect();
                let is_sorted = if order == "ascending" {
                    bytes.is_sorted()
                } else {
                    bytes.is_sorted_by(|a, b| a >= b)
                };
                assert!(is_sorted && 2 < bytes.len(), "{bytes:?}");
            }
        }
    }
}

/// An expression: the headers of the packet table that can be seen.
const HEADERS: &str = "[...document.querySelectorAll('#packets th')].filter(th => th.checkVisibility()).map(th => th.textContent)";

#[test]
fn columns_are_hidden_while_empty_or_in_the_menu() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let interface = "\\\\Device\\\\NPF_{0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9}";
    let line = |n: u64| {
        format!(
            "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-24T12:00:0{n}Z\",\"if\":\"{interface}\",\"len\":60,\"ttl\":64}}\n"
        )
    };
    page.drop_file(&write(directory.path(), "a.ndjson", line(1) + &line(2)));
    page.act("viewer.set('tab', 'packets')");
    page.wait_for(&format!("{HEADERS}.length === 6"));
    assert_eq!(
        page.eval(HEADERS),
        json!(["No.", "Time", "Protocol", "Length", "TTL", "Interface"])
    );
    assert_eq!(page.text("#packets-range"), "Rows 1–2 of 2 · 2026-11-24 UTC");
    // Long names are shortened in the middle; the tooltip has all of them.
    let cell = page.eval("(cell => [cell.textContent.length, cell.title])(document.querySelector('#packets-rows tr').cells[10])");
    assert_eq!(cell, json!([40, interface.replace("\\\\", "\\")]));
    // The menu shows and hides columns.
    for (column, is_checked) in [(8, true), (12, false)] {
        let checkbox =
            format!("document.querySelector('#packets-panel [data-column=\"{column}\"]')");
        assert_eq!(page.eval(&format!("{checkbox}.checked")), is_checked);
        page.act(&format!("{checkbox}.click()"));
    }
    let chosen = json!(["No.", "Time", "Protocol", "Length", "Interface", "VLAN"]);
    assert_eq!(page.eval(HEADERS), chosen);
    // The browser remembers it, and links contain it.
    let link = page.eval("location.hash");
    assert!(link.as_str().unwrap().contains("columns=packets.ttl-%2Cpackets.vlan"), "{link}");
    let address = page.eval("location.origin + location.pathname");
    page.chromium.navigate("about:blank").unwrap();
    page.chromium.navigate(address.as_str().unwrap()).unwrap();
    page.wait_for("window.viewer");
    page.drop_file(&directory.path().join("a.ndjson"));
    page.act("viewer.set('tab', 'packets')");
    page.wait_for(&format!("JSON.stringify({HEADERS}) === '{chosen}'"));
}

/// Addresses of one network differ at their ends.
#[test]
fn long_addresses_are_told_apart() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let address = |n: u64| format!("2001:db8:85a3:8d3:1319:8a2e:370:734{n}");
    let line = |n: u64| {
        format!(
            "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-24T12:00:0{n}Z\",\"len\":60,\"src\":\"{}\",\"dst\":\"::1\"}}\n",
            address(n)
        )
    };
    page.drop_file(&write(directory.path(), "a.ndjson", (1..=4).map(line).collect::<String>()));
    page.act("viewer.set('tab', 'packets')");
    let cells = page.eval("[...document.querySelectorAll('#packets-rows td:nth-child(3)')].map(cell => [cell.textContent, cell.title])");
    let svg = page.eval("viewer.svg('sources')");
    for (cell, n) in cells.as_array().unwrap().iter().zip(1..) {
        let text = cell[0].as_str().unwrap();
        assert!(text.contains('…') && text.ends_with(&format!(":734{n}")), "{text}");
        assert_eq!(cell[1], address(n));
        assert!(svg.as_str().unwrap().contains(&format!(":734{n}<")), "{svg}");
    }
    assert_eq!(cells.as_array().unwrap().len(), 4);
}
