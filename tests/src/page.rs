//! The page in Chromium, opened from a server as any static host.

use serde_json::Value;
use std::path::Path;
use xtask::build;
use xtask::server::Server;

use crate::chromium::{Chromium, Mouse};

/// An open page.
pub struct Page {
    /// The browser.
    pub chromium: Chromium,
    /// Its server.
    pub server: Server,
}

impl Page {
    /// Opens the page with that query, such as `?src=sample.ndjson`, and waits until it runs.
    ///
    /// # Panics
    ///
    /// Where the site was not built, or does not run.
    pub fn open(query: &str) -> Self {
        let site = build::site_path();
        assert!(site.is_dir(), "{} is missing: cargo xtask test builds it", site.display());
        // Not at the root of the server: every path in the page has to be relative.
        let server = Server::start(site.parent().unwrap(), 0).unwrap();
        let name = site.file_name().unwrap().to_str().unwrap();
        let chromium = Chromium::start().unwrap();
        chromium.go(&format!("http://127.0.0.1:{}/{name}/{query}", server.port())).unwrap();
        let page = Self { chromium, server };
        page.wait_for("window.viewer");
        page
    }

    /// Closes what is open, drops a file onto the page and waits until it is shown, or refused.
    ///
    /// # Panics
    ///
    /// Where neither happens.
    pub fn drop_alone(&self, file: &Path) {
        self.eval("document.getElementById('close').click()");
        self.drop_file(file);
    }

    /// Drops a file onto the page, beside what is open, and waits until it is shown, or refused.
    ///
    /// # Panics
    ///
    /// Where neither happens.
    pub fn drop_file(&self, file: &Path) {
        // Where a capture is shown already, its phase is that of the one before.
        self.eval("document.documentElement.dataset.phase = 'dropped'");
        self.chromium.drop_file(file, (600.0, 400.0)).unwrap();
        self.wait_for("['ready', 'error'].includes(document.documentElement.dataset.phase)");
        self.eval("viewer.settled()");
    }

    /// The value of an expression.
    ///
    /// # Panics
    ///
    /// Where it throws.
    pub fn eval(&self, expression: &str) -> Value {
        self.chromium.eval(expression).unwrap()
    }

    /// The value of an expression that changes what is shown, when all of the page shows it.
    ///
    /// # Panics
    ///
    /// Where it throws.
    pub fn act(&self, expression: &str) -> Value {
        let value = self.eval(expression);
        self.eval("viewer.settled()");
        value
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    ///
    /// Where it never is.
    pub fn wait_for(&self, expression: &str) {
        self.chromium.wait_for(expression).unwrap();
    }

    /// The words of an element.
    ///
    /// # Panics
    ///
    /// Where there is no such element.
    pub fn words(&self, selector: &str) -> String {
        let words = self.eval(&format!("document.querySelector('{selector}').textContent"));
        words.as_str().unwrap().to_owned()
    }

    /// Where on the screen a share (0 to 1, from the upper left) of the scatter's plot is.
    ///
    /// # Panics
    ///
    /// Where there is no scatter.
    pub fn in_scatter(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let place = self.eval(concat!(
            "(() => { const c = document.getElementById('scatter'); c.scrollIntoView({block: 'end'});",
            "const r = c.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()"
        ));
        let [left, top, width, height] =
            [0, 1, 2, 3].map(|index: usize| place[index].as_f64().unwrap());
        // The margins of a chart: see `Size::plot` in the viewer.
        let (plot_width, plot_height) = (width - 76.0 - 18.0, height - 52.0 - 48.0);
        (left + 76.0 + x * plot_width, top + 52.0 + y * plot_height)
    }

    /// Does something with the mouse.
    ///
    /// # Panics
    ///
    /// Where the browser refuses.
    pub fn mouse(&self, action: Mouse, at: (f64, f64)) {
        self.chromium.mouse(action, at, false).unwrap();
    }
}
