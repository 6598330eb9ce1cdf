//! Takes the screenshots of README and docs: the sample capture in both themes and on a phone.
//! `cargo xtask screenshots` builds the site and runs this program.

use anyhow::{Context, Result};
use std::fs;
use tests::chromium::Chromium;
use tests::page::serve_site;

/// Name, width and height in CSS pixels, dark theme, and open tab of each screenshot.
const SCREENSHOTS: [(&str, u32, u32, bool, &str); 3] = [
    ("dashboard-light", 1440, 900, false, "packets"),
    ("dashboard-dark", 1440, 900, true, "packets"),
    ("phone", 360, 740, false, "top"),
];

fn main() -> Result<()> {
    let directory = xtask::build::root().join("docs/images");
    fs::create_dir_all(&directory).context("creating docs/images")?;
    let (_server, url) = serve_site();
    for (name, width, height, is_dark, tab) in SCREENSHOTS {
        let chromium = Chromium::start()?;
        chromium.resize(width, height)?;
        chromium.prefer_dark(is_dark)?;
        chromium.navigate(&format!("{url}?src=sample.ndjson#tab={tab}"))?;
        chromium.wait_for("window.viewer && viewer.state().phase === 'ready'")?;
        chromium.eval("viewer.select('protocol', 'proto == udp')")?;
        if tab == "packets" {
            chromium.eval("document.querySelector('#packets-rows button').click()")?;
            chromium.wait_for("document.querySelector('#inspector [role=treeitem]')")?;
        }
        chromium.eval("viewer.settled()")?;
        fs::write(directory.join(format!("{name}.png")), chromium.screenshot()?)?;
    }
    Ok(())
}
