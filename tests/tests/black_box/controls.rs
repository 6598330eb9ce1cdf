//! Keyboard, wheel and color scheme.

use tempfile::tempdir;
use tests::files::write;
use tests::page::Page;
use tests::reference::generate_lines;

use super::page::diagonal;

#[test]
fn keyboard_reaches_every_control_and_every_packet() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    // The visible controls.
    let control_count = page.eval(
        "[...document.querySelectorAll('button, select, input, summary, canvas, [tabindex=\"0\"]')].filter(e => e.tabIndex === 0 && !e.disabled && e.checkVisibility({visibilityProperty: true})).length",
    );
    let name = "(() => { const e = document.activeElement; return [e.tagName, e.id || e.getAttribute('popovertarget'), e.dataset.action, e.dataset.setting, e.dataset.arg, e.dataset.resize, e.closest('[data-panel]')?.dataset.panel].join(' '); })()";
    let mut seen = Vec::new();
    for _ in 0..control_count.as_u64().unwrap() {
        page.chromium.press("Tab").unwrap();
        seen.push(page.eval(name).as_str().unwrap().to_owned());
    }
    let unique: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "{seen:?}");
    for panel in ["throughput", "sizes", "gaps", "ports", "sources", "destinations", "protocols"] {
        let canvas = format!("CANVAS {panel}     {panel}");
        assert!(seen.contains(&canvas), "{canvas} in {seen:?}");
    }
    // Select a bin of the size histogram.
    page.eval("document.getElementById('sizes').focus()");
    for key in ["ArrowRight", "ArrowRight"] {
        page.chromium.press(key).unwrap();
    }
    page.wait_for(
        "document.getElementById('announcement').textContent.startsWith('20 to 39 bytes. 20 packets')",
    );
    page.chromium.press("Enter").unwrap();
    page.wait_for("viewer.state().selected === 20");
    assert!(page.text("#chips").starts_with("Size 20–39"), "{}", page.text("#chips"));
    // `/` focuses the filter.
    page.chromium.press("/").unwrap();
    page.wait_for("document.activeElement.id === 'filter'");
    page.chromium.press("n").unwrap();
    page.wait_for(
        "viewer.state().selected === 20 && document.querySelectorAll('#chips li').length === 1",
    );
    // The scatter plot announces the packets at its cursor; + zooms in, 0 resets the zoom.
    page.act("viewer.clear()");
    page.eval("document.getElementById('throughput-tab').focus()");
    page.chromium.press("ArrowRight").unwrap();
    page.wait_for("document.activeElement.id === 'scatter-tab'");
    page.eval("viewer.settled().then(() => document.getElementById('scatter').focus())");
    page.chromium.press("ArrowRight").unwrap();
    page.wait_for("document.getElementById('announcement').textContent.includes('packet')");
    page.chromium.press("+").unwrap();
    page.wait_for("!document.getElementById('scatter').ariaLabel.includes(': 1,000 packets')");
    page.chromium.press("0").unwrap();
    page.wait_for("document.getElementById('scatter').ariaLabel.includes(': 1,000 packets')");
}

/// The color of a canvas' corner is the background of the theme.
#[test]
fn charts_follow_the_color_scheme() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    let corner =
        "[...document.getElementById('sizes').getContext('2d').getImageData(0, 0, 1, 1).data]";
    for (is_dark, color) in
        [(true, [0x16, 0x1b, 0x22, 255]), (false, [255; 4]), (true, [0x16, 0x1b, 0x22, 255])]
    {
        page.chromium.prefer_dark(is_dark).unwrap();
        page.wait_for(&format!("JSON.stringify({corner}) === '{}'", serde_json::json!(color)));
    }
}

/// Sends a keyboard event to the page.
fn press(page: &Page, key: &str, modifiers: &str) {
    page.act(&format!(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', {modifiers}, bubbles: true}}))"
    ));
}

/// With Caps Lock or Shift the browser reports an upper-case letter, with both a lower-case one.
#[test]
fn undo_and_redo_work_with_shift_and_caps_lock() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    for (undo, redo, redo_modifiers) in [
        ("z", "Z", "ctrlKey: true, shiftKey: true"),
        ("Z", "z", "ctrlKey: true, shiftKey: true"),
        ("z", "y", "ctrlKey: true"),
        ("Z", "Y", "metaKey: true"),
    ] {
        page.act("viewer.select('size', [0, 9])");
        assert_eq!(page.eval("viewer.state().selected"), 10);
        press(&page, undo, "ctrlKey: true");
        assert_eq!(page.eval("viewer.state().selected"), 1_000, "undo with {undo}");
        press(&page, redo, redo_modifiers);
        assert_eq!(page.eval("viewer.state().selected"), 10, "redo with {redo}");
        page.act("viewer.clear()");
    }
}

#[test]
fn wheel_scrolls_by_pixels_lines_and_pages() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    page.eval("document.getElementById('packets').scrollIntoView()");
    let scroll = |distance: i32, mode: &str| {
        page.act(&format!(
            "document.getElementById('packets').dispatchEvent(new WheelEvent('wheel', {{deltaY: {distance}, deltaMode: WheelEvent.{mode}, cancelable: true}}))"
        ));
        page.first_packet_row()
    };
    let rows = page.eval("Number(document.getElementById('packets').dataset.rows)");
    assert_eq!(scroll(200, "DOM_DELTA_PIXEL"), 6);
    assert_eq!(scroll(4, "DOM_DELTA_LINE"), 10);
    assert_eq!(scroll(2, "DOM_DELTA_PAGE"), 10 + 2 * rows.as_u64().unwrap());
    // A page of a chart is the width of its plot.
    page.act("viewer.zoom('throughput', {x: [1795402380000000000n, 1795402380000100000n]})");
    let range = "document.getElementById('throughput').ariaLabel";
    let before = page.eval(range);
    page.act(
        "document.getElementById('throughput').dispatchEvent(new WheelEvent('wheel', {deltaX: 1, deltaMode: WheelEvent.DOM_DELTA_PAGE, cancelable: true}))",
    );
    assert_ne!(page.eval(range), before);
    assert!(page.eval("location.hash").as_str().unwrap().contains("zoom-ts=1795402380000100000.."));
}

/// Back and Forward of the browser undo and redo; the buttons of the page move in the same entries.
#[test]
fn browser_history_undoes_and_redoes() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(&directory, "lines.ndjson", generate_lines(1_000)));
    let all = page.eval("viewer.state().selected");
    let entries = page.eval("history.length").as_u64().unwrap();
    let mut states = vec![(all.clone(), page.eval("location.hash"))];
    for action in [
        "viewer.select('size', [0, 99])",
        "viewer.filter('proto == tcp')",
        "viewer.zoom('throughput', {x: [1764000000000000000n, 1764000001000000000n]})",
    ] {
        page.act(action);
        page.wait_for(&format!("history.length === {}", entries + states.len() as u64));
        states.push((page.eval("viewer.state().selected"), page.eval("location.hash")));
    }
    assert!(states.windows(2).all(|pair| pair[0].1 != pair[1].1), "{states:?}");
    let arrive = |index: usize| {
        page.wait_for(&format!("location.hash === {}", states[index].1));
        page.eval("viewer.settled()");
        assert_eq!(page.eval("viewer.state().selected"), states[index].0, "{index}");
        assert_eq!(page.eval("location.hash"), states[index].1, "{index}");
    };
    for (step, index) in [
        ("history.back()", 2),
        ("history.back()", 1),
        ("history.forward()", 2),
        ("document.getElementById('undo').click()", 1),
        ("document.getElementById('undo').click()", 0),
        ("document.getElementById('redo').click()", 1),
        ("history.go(2)", 3),
        ("history.go(-3)", 0),
    ] {
        page.eval(&format!("void {step}"));
        arrive(index);
    }
    assert_eq!(page.eval("history.length"), entries + 3);
    // A new step removes those that could be redone.
    page.act("viewer.filter('proto == udp')");
    page.wait_for(&format!("history.length === {}", entries + 1));
    assert_eq!(page.eval("document.getElementById('redo').ariaDisabled"), "true");
    // A loaded page restores the entries of before.
    let hash = page.eval("location.hash");
    page.eval("void location.reload()");
    page.wait_for(&format!(
        "self.viewer && viewer.state().phase === 'empty' && location.hash === {hash}"
    ));
    page.eval("void history.back()");
    page.wait_for("location.hash === '' && self.viewer && viewer.state().phase === 'empty'");
    page.drop_file(&directory.path().join("lines.ndjson"));
    assert_eq!(page.eval("viewer.state().selected"), all);
}

/// Suggestions open over the page. The focus stays in the filter box while the arrow keys choose one.
#[test]
fn suggestions_are_chosen_with_arrow_keys() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&diagonal(&directory));
    let is_open = "getComputedStyle(document.getElementById('completions')).display !== 'none'";
    let active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.textContent ?? null";
    page.eval("document.getElementById('filter').focus()");
    assert_eq!(page.eval(is_open), false);
    page.chromium.press("p").unwrap();
    page.wait_for(&format!(
        "{is_open} && document.getElementById('filter').ariaExpanded === 'true'"
    ));
    let style = "getComputedStyle(document.querySelector('.filter-overlay')).position";
    assert_eq!(page.eval(style), "absolute");
    let options = "[...document.querySelectorAll('#completions [role=option]')].map((one) => one.textContent)";
    page.wait_for(&format!(
        "{options}.length > 1 && {options}.every((name) => name.startsWith('p'))"
    ));
    let names = page.eval(options);
    for (key, index) in
        [("ArrowDown", Some(0)), ("ArrowDown", Some(1)), ("ArrowUp", Some(0)), ("ArrowUp", None)]
    {
        page.chromium.press(key).unwrap();
        let expected = index.map_or(serde_json::Value::Null, |index: usize| names[index].clone());
        page.wait_for(&format!("({active}) === {expected}"));
    }
    page.chromium.press("ArrowDown").unwrap();
    page.chromium.press("Enter").unwrap();
    page.wait_for(&format!("document.getElementById('filter').value === {}", names[0]));
    // Escape closes the list first, and then clears the box.
    page.eval("(() => { const box = document.getElementById('filter'); box.value = 'p'; box.dispatchEvent(new Event('input', {bubbles: true})); })()");
    page.wait_for(is_open);
    page.chromium.press("Escape").unwrap();
    page.wait_for(&format!("!({is_open})"));
    assert_eq!(page.eval("document.getElementById('filter').value"), "p");
    page.chromium.press("Escape").unwrap();
    page.wait_for("document.getElementById('filter').value === ''");
}
