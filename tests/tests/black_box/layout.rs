//! The layout of the page: panes, tabs, menus, and what the browser and links remember of them.

use serde_json::json;
use tempfile::{TempDir, tempdir};
use tests::files::write;
use tests::page::Page;
use tests::reference::generate_lines;

/// Opens a capture in a window of this size.
fn open(directory: &TempDir, (width, height): (u32, u32)) -> Page {
    let page = Page::open("");
    page.chromium.resize(width, height).unwrap();
    let file = write(directory.path(), "some.ndjson", generate_lines(5_000));
    page.chromium.choose_file("#file", &file).unwrap();
    page.wait_for("viewer.state().phase === 'ready'");
    page.eval("viewer.settled()");
    page
}

/// An expression: the panels of which some part can be seen in the window.
const IN_SIGHT: &str = "[...document.querySelectorAll('.panel')].filter(panel => {
    const r = panel.getBoundingClientRect();
    return panel.checkVisibility({visibilityProperty: true}) && 0 < r.width && r.top < innerHeight && 0 < r.bottom;
}).map(panel => panel.dataset.panel)";

#[test]
fn large_windows_show_charts_lists_and_tables_without_scrolling() {
    let directory = tempdir().unwrap();
    for (size, has_both_charts) in
        [((1280, 800), false), ((1440, 900), false), ((1920, 1080), true)]
    {
        let page = open(&directory, size);
        page.act("viewer.select('size', [100, 900])");
        page.click("#conversations-rows button");
        page.act("viewer.set('tab', 'packets')");
        page.click("#packets-rows button");
        page.wait_for("document.getElementById('detail-line').textContent !== ''");
        let sizes = "[document.documentElement.scrollHeight, document.documentElement.scrollWidth]";
        assert_eq!(page.eval(sizes), json!([size.1, size.0]));
        let detail = "document.getElementById('detail').getBoundingClientRect().bottom";
        assert!(page.eval(detail).as_f64().unwrap() <= f64::from(size.1));
        let seen = page.eval(IN_SIGHT);
        let seen = seen.as_array().unwrap();
        for panel in ["throughput", "protocols", "ports", "packets"] {
            assert!(seen.contains(&json!(panel)), "{panel}: {seen:?}");
        }
        assert_eq!(seen.contains(&json!("scatter")), has_both_charts, "{seen:?}");
        assert!(!seen.contains(&json!("conversations")), "{seen:?}");
    }
}

#[test]
fn opened_tab_shows_its_chart_and_closed_one_cannot_be_reached() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (1440, 900));
    for (tab, open, closed) in [
        ("scatter-tab", "scatter", "throughput"),
        ("throughput-tab", "throughput", "scatter"),
        ("endpoints-tab", "endpoints", "conversations"),
        ("packets-tab", "packets", "endpoints"),
        ("conversations-tab", "conversations", "packets"),
    ] {
        page.eval(&format!("document.getElementById('{tab}').click()"));
        page.eval("viewer.drawn()");
        assert_eq!(page.eval(&format!("document.getElementById('{tab}').ariaSelected")), "true");
        let seen = page.eval(IN_SIGHT);
        let seen = seen.as_array().unwrap();
        assert!(seen.contains(&json!(open)) && !seen.contains(&json!(closed)), "{tab}: {seen:?}");
        page.eval(&format!("document.getElementById('{closed}').focus()"));
        assert_ne!(page.eval("document.activeElement.id"), closed);
    }
    // A chart in a closed tab has its final size: opening its tab needs no new query.
    let colors = "(() => { const c = document.getElementById('scatter'); const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return new Set(new Uint32Array(data.buffer)).size; })()";
    assert!(10 < page.eval(colors).as_u64().unwrap());
}

#[test]
fn layout_is_remembered_and_part_of_the_link() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (1440, 900));
    page.act("document.getElementById('packets-tab').click()");
    for (separator, arrow, times) in [("side", "ArrowRight", 3), ("timeline", "ArrowDown", 2)] {
        page.eval(&format!("document.querySelector('[data-resize={separator}]').focus()"));
        for _ in 0..times {
            page.chromium.press(arrow).unwrap();
        }
    }
    let sizes = "['top', 'timeline'].map(id => document.getElementById(id).getBoundingClientRect()).map(r => [Math.round(r.width), Math.round(r.height)])";
    page.wait_for(&format!("{sizes}[0][0] === 390 && {sizes}[1][1] === 290"));
    page.eval("viewer.settled()");
    let link = page.eval("location.hash");
    let link = link.as_str().unwrap();
    for part in ["tab=packets", "side=390", "timeline=290", "capture=some.ndjson"] {
        assert!(link.contains(part), "{part}: {link}");
    }
    // The browser remembers it without the link.
    let address = page.eval("location.origin + location.pathname");
    page.chromium.navigate(address.as_str().unwrap()).unwrap();
    page.wait_for("window.viewer");
    let tab = "document.documentElement.dataset.tab";
    page.wait_for(&format!("{tab} === 'packets'"));
    // Another browser has it from the link.
    let other = Page::open(link);
    other.wait_for(&format!("{tab} === 'packets'"));
    let note = "This link shows “some.ndjson”. Open that capture to see the same view.";
    assert_eq!(other.text("#link-note"), note);
}

#[test]
fn borders_can_be_dragged() {
    use tests::chromium::Mouse;
    let directory = tempdir().unwrap();
    let page = open(&directory, (1440, 900));
    page.act("viewer.set('tab', 'packets')");
    page.click("#packets-rows button");
    page.wait_for("!document.getElementById('detail').hidden");
    let height = "Math.round(document.getElementById('detail').getBoundingClientRect().height)";
    let before = page.eval(height).as_i64().unwrap();
    let rows = "Number(document.getElementById('packets').dataset.rows)";
    let rows_before = page.eval(rows).as_i64().unwrap();
    let at = page.eval("(() => { const r = document.querySelector('[data-resize=detail]').getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()");
    let (x, y) = (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
    page.mouse(Mouse::Press, (x, y));
    page.mouse(Mouse::Drag, (x, y - 50.0));
    page.mouse(Mouse::Drag, (x, y - 72.0));
    page.mouse(Mouse::Release, (x, y - 72.0));
    page.wait_for(&format!("{height} === {}", before + 72));
    // Three rows of 24 pixels less fit above.
    page.wait_for(&format!("{rows} === {}", rows_before - 3));
}

#[test]
fn maximized_panel_covers_the_others_until_escape() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (1280, 800));
    let size = "(() => { const r = document.getElementById('sizes').getBoundingClientRect(); return [r.width, r.height]; })()";
    let before = page.eval(size);
    page.eval("document.querySelector('#sizes-panel .menu-button').click()");
    page.wait_for("document.querySelector('#sizes-panel .menu').matches(':popover-open')");
    page.act("document.querySelector('#sizes-panel [data-action=maximize]').click()");
    page.wait_for(&format!("1000 < {size}[0] && 500 < {size}[1]"));
    assert_eq!(page.eval(IN_SIGHT), json!(["sizes"]));
    assert_eq!(page.eval("document.querySelector('.menu:popover-open')"), json!(null));
    // The mission's labels appear in the large chart.
    let picture = page.eval("viewer.svg('sizes')");
    for label in ["Packet size (bytes)", "Frequency", "some.ndjson"] {
        assert!(picture.as_str().unwrap().contains(label), "{label}");
    }
    // Escape in the chart keeps its selection.
    page.act("viewer.select('size', [100, 900])");
    let selected = page.eval("viewer.state().selected");
    page.eval("document.getElementById('sizes').focus()");
    page.chromium.press("Escape").unwrap();
    page.wait_for(&format!("JSON.stringify({size}) === '{before}'"));
    assert_eq!(page.eval("viewer.state().selected"), selected);
}

#[test]
fn maximized_details_cover_the_panels() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (1280, 800));
    page.act("viewer.set('tab', 'packets')");
    page.click("#packets-rows button");
    page.wait_for("document.getElementById('detail-line').textContent !== ''");
    let all = page.eval(IN_SIGHT);
    let covers = "(r => 1200 < r.width && 600 < r.height)(document.getElementById('detail').getBoundingClientRect())";
    page.click("#detail-maximize");
    page.wait_for(&format!("{covers} && {IN_SIGHT}.length === 0"));
    assert_eq!(page.eval("document.getElementById('detail-maximize').title"), "Restore");
    // The next packet is shown in the same place.
    let title = page.eval("document.getElementById('detail-title').textContent");
    page.click("#detail-next");
    page.wait_for(&format!("document.getElementById('detail-title').textContent !== {title}"));
    assert_eq!(page.eval(covers), true);
    // Escape restores the details, another Escape closes them.
    page.chromium.press("Escape").unwrap();
    page.wait_for(&format!("!{covers} && !document.getElementById('detail').hidden"));
    assert_eq!(page.eval(IN_SIGHT), all);
    page.chromium.press("Escape").unwrap();
    page.wait_for("document.getElementById('detail').hidden");
    // Closing them restores them.
    for _ in 0..2 {
        page.click("#packets-rows button");
        page.click("#detail-maximize");
        page.wait_for(covers);
        page.click("[data-action=close-detail]");
        page.wait_for(&format!("document.getElementById('detail').hidden && {IN_SIGHT}.length"));
    }
    assert_eq!(page.eval("location.hash.includes('max')"), false);
    // A link keeps them maximized, but panels are shown until a packet is picked.
    page.act("viewer.set('max', 'detail')");
    assert_eq!(page.eval("location.hash.includes('max=detail')"), true);
    assert_eq!(page.eval(IN_SIGHT), all);
    page.click("#packets-rows button");
    page.wait_for(covers);
    // A connection is shown instead of them.
    page.click("#detail-connection");
    page.wait_for(
        "document.getElementById('connection-panel').checkVisibility({visibilityProperty: true})",
    );
}

/// Everything in a maximized panel, also with its table, is within the panel.
#[test]
fn maximized_panels_fit_the_window() {
    let directory = tempdir().unwrap();
    let outside = "(panel => { const section = document.getElementById(panel + '-panel'); const r = section.getBoundingClientRect();
        const isInside = e => { const c = e.getBoundingClientRect(); return r.left <= c.left && c.right <= r.right && r.top <= c.top && c.bottom <= r.bottom; };
        const parts = [...section.querySelectorAll('canvas, .chart-table, .rows')].filter(e => e.checkVisibility({visibilityProperty: true}));
        return [document.documentElement.scrollHeight, parts.length, parts.filter(e => !isInside(e)).map(e => e.className || e.id), r.left < 20 && innerWidth - 20 < r.right]; })";
    for size in [(1280, 800), (1920, 1080), (360, 740)] {
        let page = open(&directory, size);
        page.act("viewer.set('tab', 'packets')");
        for is_table in [false, true] {
            for panel in ["throughput", "scatter", "sizes", "ports", "conversations", "packets"] {
                page.act(&format!("viewer.set('max', '{panel}')"));
                let has_table = is_table && !matches!(panel, "conversations" | "packets");
                if has_table {
                    page.act(&format!(
                        "document.querySelector('#{panel}-panel [data-action=toggle-table]').click()"
                    ));
                }
                // The throughput has the overview below; phones have no space for it.
                let has_overview = panel == "throughput" && size.0 != 360;
                let parts = 1 + usize::from(has_table) + usize::from(has_overview);
                let seen = page.eval(&format!("{outside}('{panel}')"));
                assert_eq!(seen, json!([size.1, parts, [], true]), "{panel}, {size:?}");
            }
        }
    }
}

#[test]
fn keys_move_between_panes() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (1440, 900));
    let focused = "document.activeElement.id";
    page.eval("document.getElementById('filter').focus()");
    for pane in ["throughput", "protocols", "conversations", "filter", "throughput"] {
        page.chromium.press("F6").unwrap();
        page.wait_for(&format!("{focused} === '{pane}'"));
    }
    for (key, pane) in [("2", "protocols"), ("3", "conversations"), ("1", "throughput")] {
        page.chromium.press(key).unwrap();
        page.wait_for(&format!("{focused} === '{pane}'"));
    }
    // From any control of a pane, also from one out of sight.
    page.eval("document.querySelector('[data-setting=rank]').focus()");
    page.chromium.press("F6").unwrap();
    page.wait_for(&format!("{focused} === 'conversations'"));
    page.eval("document.querySelector('[data-arg=sizes]').click()");
    page.wait_for(&format!("{focused} === 'sizes'"));
    let in_sight = "(() => { const r = document.getElementById('gaps').getBoundingClientRect(); return r.top < innerHeight - 80; })()";
    assert_eq!(page.eval(in_sight), true);
    // The first stop of the Tab key is a button that leads to the table.
    let stops = page.eval("[...document.querySelectorAll('button, input, canvas, [tabindex=\"0\"]')].filter(e => e.tabIndex === 0).map(e => e.id || e.dataset.action)");
    assert_eq!(stops[0], "focus");
    // Tab skips buttons that are disabled.
    for button in ["undo", "redo", "clear", "reset-zoom"] {
        assert!(!stops.as_array().unwrap().contains(&json!(button)), "{stops}");
    }
    page.eval("document.querySelector('.skip').focus()");
    page.chromium.press("Enter").unwrap();
    page.wait_for(&format!("{focused} === 'conversations'"));
}

#[test]
fn phones_show_one_tab_with_large_targets() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (360, 740));
    for (tab, panels) in [
        ("phone-top-tab", json!(["throughput", "protocols", "ports"])),
        ("phone-more-tab", json!(["throughput", "sizes", "gaps"])),
        ("phone-conversations-tab", json!(["throughput", "conversations"])),
        ("phone-endpoints-tab", json!(["throughput", "endpoints"])),
        ("phone-packets-tab", json!(["throughput", "packets"])),
    ] {
        page.act(&format!("document.getElementById('{tab}').click()"));
        let seen = page.eval(IN_SIGHT);
        let seen = seen.as_array().unwrap();
        for panel in panels.as_array().unwrap() {
            assert!(seen.contains(panel), "{tab}, {panel}: {seen:?}");
        }
        let small = page.eval("[...document.querySelectorAll('button, select, [role=tab]')].filter(e => e.checkVisibility({visibilityProperty: true}) && !e.closest('.rows')).filter(e => { const r = e.getBoundingClientRect(); return r.width < 40 || r.height < 40; }).map(e => e.outerHTML)");
        assert_eq!(small, json!([]), "{tab}");
        let sizes = "[document.documentElement.scrollHeight, document.documentElement.scrollWidth]";
        assert_eq!(page.eval(sizes), json!([740, 360]), "{tab}");
    }
    let row = "document.querySelector('#packets-rows tr').getBoundingClientRect().height";
    assert_eq!(page.eval(row), 44);
    page.click("#packets-rows button");
    let detail = "(() => { const r = document.getElementById('detail').getBoundingClientRect(); return [r.width, r.height]; })()";
    page.wait_for(&format!("JSON.stringify({detail}) === '[360,740]'"));
}

#[test]
fn finger_scrolls_tables() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (360, 740));
    page.act("document.getElementById('phone-packets-tab').click()");
    let position = "document.getElementById('packets').scrollTop";
    page.chromium.swipe((180.0, 600.0), (180.0, 400.0)).unwrap();
    page.wait_for(&format!("100 < {position}"));
    // A row of a phone has 44 pixels.
    let row = "Math.floor(document.getElementById('packets').scrollTop / 44)";
    page.wait_for(&format!(
        "document.querySelector('#packets-rows td').textContent === String({row} + 1)"
    ));
    page.chromium.swipe((180.0, 400.0), (180.0, 690.0)).unwrap();
    page.wait_for(&format!("{position} === 0"));
}

/// The browser would scroll too far in tables of which it cannot show all rows. Synthetic events, as a table
/// of this length takes too long.
#[test]
fn finger_scrolls_scaled_tables_row_by_row() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (360, 740));
    page.act("document.getElementById('phone-packets-tab').click()");
    let scale = "document.getElementById('packets').toggleAttribute('data-scaled', true)";
    page.eval(scale);
    let action = "getComputedStyle(document.getElementById('packets')).touchAction";
    assert_eq!(page.eval(action), "pan-x");
    // A row of a phone has 44 pixels. The distance since the touch counts.
    for (event, y, row) in [
        ("pointermove", 300, 0),
        ("pointerdown", 600, 0),
        ("pointermove", 590, 0),
        ("pointermove", 500, 2),
        ("pointermove", 380, 5),
        ("pointermove", 468, 3),
        ("pointercancel", 468, 3),
        ("pointermove", 100, 3),
    ] {
        page.act(&touch(event, y));
        assert_eq!(page.first_packet_row(), row, "{event} at {y}");
    }
    // The table goes on when the finger leaves in motion: five rows in 50 ms, and at least 31 more.
    page.eval(scale);
    page.eval("window.ms = 0, Date.now = () => ms, 0");
    for (event, y, ms) in [
        ("pointerdown", 600, 0),
        ("pointermove", 600, 0),
        ("pointermove", 380, 50),
        ("pointerup", 380, 50),
    ] {
        page.eval(&format!("ms = {ms}, {}", touch(event, y)));
    }
    page.wait_for("(ms += 50, document.querySelector('#packets-rows td').textContent >= 40)");
}

/// Sends an event of a finger to the table of packets.
fn touch(event: &str, y: u32) -> String {
    format!(
        "document.querySelector('#packets-rows td').dispatchEvent(new PointerEvent('{event}', {{pointerType: 'touch', isPrimary: true, clientY: {y}, bubbles: true}}))"
    )
}

#[test]
fn escape_closes_a_menu_and_then_the_details() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (1280, 800));
    page.act("document.getElementById('packets-tab').click()");
    page.click("#packets-rows button");
    page.wait_for("!document.getElementById('detail').hidden");
    let is_open = "document.getElementById('share').matches(':popover-open')";
    page.eval("document.querySelector('[popovertarget=share]').focus()");
    page.chromium.press("Enter").unwrap();
    page.wait_for(is_open);
    page.chromium.press("Escape").unwrap();
    page.wait_for(&format!("!{is_open}"));
    assert_eq!(page.eval("document.getElementById('detail').hidden"), false);
    page.chromium.press("Escape").unwrap();
    page.wait_for("document.getElementById('detail').hidden");
}

/// The click on the button clicks the file input, whose event reaches the same listener.
#[test]
fn open_button_causes_no_error() {
    let page = Page::open("");
    page.eval("addEventListener('error', event => { document.title = event.message; })");
    page.act("document.querySelector('#empty [data-action=open]').click()");
    assert_eq!(page.eval("document.title"), "Packet viewer");
}

#[test]
fn filter_on_phones_shows_errors_and_counts_and_enter_closes_it() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (360, 740));
    page.eval("document.getElementById('filter').focus()");
    type_filter(&page, "foo == 1");
    let is_in_sight = |id: &str| {
        page.eval(&format!(
            "(() => {{ const r = document.getElementById('{id}').getBoundingClientRect(); \
             return document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2)?.id; }})()"
        )) == id
    };
    assert!(is_in_sight("filter-error"), "{}", page.text("#filter-error"));
    type_filter(&page, "proto == tcp");
    assert!(is_in_sight("selected"), "{}", page.text("#selected"));
    assert!(!page.text("#selected").is_empty());
    page.chromium.press("Enter").unwrap();
    page.wait_for("document.activeElement.id !== 'filter'");
    assert!(!is_in_sight("filter-error"));
}

#[test]
fn invalid_filter_moves_nothing() {
    let directory = tempdir().unwrap();
    let page = open(&directory, (1280, 800));
    let top = "document.getElementById('timeline').getBoundingClientRect().top";
    let before = page.eval(top);
    page.eval("document.getElementById('filter').focus()");
    type_filter(&page, "foo == 1");
    assert!(page.text("#filter-error").contains("Unknown field"));
    assert_eq!(page.eval(top), before);
    page.eval("document.activeElement.blur()");
    assert_eq!(page.eval(top), before);
}

/// Enters a text into the filter box.
pub(super) fn type_filter(page: &Page, text: &str) {
    page.act(&format!(
        "(() => {{ const box = document.getElementById('filter'); box.value = '{text}'; box.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
    ));
}
