//! The same session in both browser engines: open a capture, select packets with the mouse, export
//! them. The other tests of the page use Chromium only.

use serde_json::json;
use std::fs;
use tempfile::tempdir;
use tests::browser::Driver;
use tests::chromium::Chromium;
use tests::firefox::Firefox;
use tests::page::{in_scatter, serve_site};

use super::page::{diagonal, downloaded};

/// Firefox as a browser that does not implement Trusted Types.
const NO_TRUSTED_TYPES: &str = "user_pref(\"dom.security.trusted_types.enabled\", false);\n";

#[test]
fn chromium_opens_selects_and_exports() {
    open_select_and_export(&Chromium::start().unwrap(), true);
}

#[test]
fn firefox_opens_selects_and_exports() {
    open_select_and_export(&Firefox::start("").unwrap(), true);
}

#[test]
fn browser_without_trusted_types_opens_selects_and_exports() {
    open_select_and_export(&Firefox::start(NO_TRUSTED_TYPES).unwrap(), false);
}

fn open_select_and_export(driver: &impl Driver, has_trusted_types: bool) {
    let directory = tempdir().unwrap();
    let capture = diagonal(&directory);
    let (_server, url) = serve_site();
    driver.set_download_directory(directory.path()).unwrap();
    driver.navigate(&url).unwrap();
    driver.wait_for("window.viewer").unwrap();
    assert_eq!(driver.eval("'trustedTypes' in window").unwrap(), has_trusted_types);
    driver.eval("navigator.serviceWorker.ready.then(() => 0)").unwrap();
    driver
        .eval(concat!(
            "(() => { window.faults = []; for (const name of ['error', 'securitypolicyviolation'])",
            "addEventListener(name, (event) => window.faults.push(name + event.message)); })()"
        ))
        .unwrap();

    // Sizes from 0 to 999, each once.
    driver.choose_file("#file", &capture).unwrap();
    driver.wait_for("viewer.state().phase === 'ready'").unwrap();
    let state = driver.eval("viewer.settled().then(() => viewer.state())").unwrap();
    assert_eq!(
        (&state["packets"], &state["bytes"], &state["skipped"], &state["selected"]),
        (&json!(1_000), &json!(499_500), &json!(0), &json!(1_000))
    );
    let histogram = driver.eval("viewer.histogram('size')").unwrap();
    let edges: Vec<f64> = serde_json::from_value(histogram["edges"].clone()).unwrap();
    let counts: Vec<usize> = serde_json::from_value(histogram["counts"].clone()).unwrap();
    let below = |edge: f64| (0..1_000).filter(|size| f64::from(*size) < edge).count();
    let mut expected: Vec<usize> =
        edges.windows(2).map(|bin| below(bin[1]) - below(bin[0])).collect();
    // The last bin includes its upper edge.
    *expected.last_mut().unwrap() += 1;
    assert_eq!(counts, expected);
    let colors = driver.eval(concat!(
        "(() => { const c = document.getElementById('scatter');",
        "const pixels = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);",
        "return new Set(pixels).size; })()"
    ));
    assert!(10 < colors.unwrap().as_u64().unwrap());

    // A box over the left half.
    driver.shift_drag(in_scatter(driver, (0.0, 0.0)), in_scatter(driver, (0.5, 1.0))).unwrap();
    driver.wait_for("viewer.state().selected < 1000").unwrap();
    let selected = driver.eval("viewer.settled().then(() => viewer.state().selected)").unwrap();
    let selected = usize::try_from(selected.as_u64().unwrap()).unwrap();
    assert!(selected.abs_diff(500) <= 5, "{selected}");
    let histogram = driver.eval("viewer.histogram('size')").unwrap();
    let counts: Vec<usize> = serde_json::from_value(histogram["counts"].clone()).unwrap();
    assert_eq!(counts.iter().sum::<usize>(), selected);

    driver.eval("document.querySelector('[data-action=export]').click()").unwrap();
    let lines = fs::read_to_string(&capture).unwrap();
    let expected: String = lines.split_inclusive('\n').take(selected).collect();
    let exported = downloaded(&directory, "selected.ndjson", |file| file.len() == expected.len());
    assert!(exported == expected.as_bytes());
    // Columns can be resized.
    driver.eval("viewer.set('tab', 'packets').then(() => 0)").unwrap();
    let width = "document.querySelector('#packets-rows td:nth-child(3)').offsetWidth";
    let natural = driver.eval(width).unwrap().as_u64().unwrap();
    driver.eval("document.querySelectorAll('#packets .column-border')[2].dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))").unwrap();
    driver.wait_for(&format!("Math.abs({width} - {natural} - 20) <= 1")).unwrap();
    // The inspector is a separate WebAssembly module.
    driver.click("#packets-rows button").unwrap();
    driver.wait_for("document.querySelector('#inspector [role=treeitem]')").unwrap();
    assert_eq!(
        driver.eval("[document.getElementById('error').textContent, window.faults]").unwrap(),
        json!(["", []])
    );
    // The page's Trusted Types policy is enforced where the browser implements it.
    let markup = driver.eval("(async () => { document.createElement('p').innerHTML = 'text'; })().then(() => true, () => false)").unwrap();
    assert_eq!(markup, !has_trusted_types);
}
