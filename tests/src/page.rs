//! The viewer's page in Chromium, served by a static web server.

use serde_json::Value;
use std::path::Path;
use xtask::build;
use xtask::server::{Answer, Request, Server};

use crate::browser::Driver;
use crate::chromium::{Chromium, Mouse};

/// An open page.
pub struct Page {
    /// The browser.
    pub chromium: Chromium,
    /// The web server.
    pub server: Server,
}

/// An expression for the index of the first visible row of the packet table.
const FIRST_PACKET_ROW: &str = concat!(
    "(Number((document.getElementById('packets-range').textContent.match(/Rows ([0-9,]+)/) ?? [0, '1'])",
    "[1].replaceAll(',', '')) - 1)"
);

impl Page {
    /// Opens the page with a query such as `?src=sample.ndjson`, and waits until it runs.
    ///
    /// # Panics
    ///
    /// If the site was not built, or does not run.
    pub fn open(query: &str) -> Self {
        Self::open_with(query, |_| Answer::File)
    }

    /// Same as [`Page::open`], with a handler of requests to the server.
    ///
    /// # Panics
    ///
    /// If the site was not built, or does not run.
    pub fn open_with(
        query: &str,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (server, url) = serve_site_with(handler);
        let chromium = Chromium::start().unwrap();
        chromium.navigate(&(url + query)).unwrap();
        let page = Self { chromium, server };
        page.wait_for("window.viewer");
        page
    }

    /// Closes all captures, drops a file onto the page, and waits until it is shown or rejected.
    ///
    /// # Panics
    ///
    /// If neither happens in time.
    pub fn drop_alone(&self, file: &Path) {
        self.eval("document.getElementById('close').click()");
        self.drop_file(file);
    }

    /// Drops a file onto the page and waits until it is shown or rejected. Open captures stay open.
    ///
    /// # Panics
    ///
    /// If neither happens in time.
    pub fn drop_file(&self, file: &Path) {
        // An open capture has set the phase to `ready` already.
        self.eval("document.documentElement.dataset.phase = 'dropped'");
        self.chromium.drop_file(file, (600.0, 400.0)).unwrap();
        self.wait_for("['ready', 'error'].includes(document.documentElement.dataset.phase)");
        self.eval("viewer.settled()");
    }

    /// The value of a JavaScript expression.
    ///
    /// # Panics
    ///
    /// If it throws.
    pub fn eval(&self, expression: &str) -> Value {
        self.chromium.eval(expression).unwrap()
    }

    /// Waits until there is an element, and clicks the first one.
    ///
    /// # Panics
    ///
    /// If there is none in time.
    pub fn click(&self, selector: &str) {
        self.chromium.click(selector).unwrap();
    }

    /// Evaluates an expression and waits until the page shows its effects.
    ///
    /// # Panics
    ///
    /// If it throws.
    pub fn act(&self, expression: &str) -> Value {
        let value = self.eval(expression);
        self.eval("viewer.settled()");
        value
    }

    /// Makes later workers run a script beside their own. `startedCount` is the number of those started.
    ///
    /// # Panics
    ///
    /// If the page does not load.
    pub fn extend_workers(&self, script: &str) {
        self.eval(&format!(
            "(() => {{
                const main = document.querySelector('script[type=module]').src;
                const worker = main.replace('main.js', 'start-worker.js');
                const script = `import '${{worker}}';` + {};
                const blob = new Blob([script], {{type: 'text/javascript'}});
                window.startedCount = 0;
                window.Worker = class extends Worker {{
                    constructor(url, options) {{
                        window.startedCount += 1;
                        super(trusted.createScriptURL(URL.createObjectURL(blob)), options);
                    }}
                }};
            }})()",
            Value::from(script)
        ));
    }

    /// Waits until a JavaScript expression is true.
    ///
    /// # Panics
    ///
    /// If it is not true in time.
    pub fn wait_for(&self, expression: &str) {
        self.chromium.wait_for(expression).unwrap();
    }

    /// The index of the first visible row of the packet table.
    ///
    /// # Panics
    ///
    /// If the text of the range is not a number.
    pub fn first_packet_row(&self) -> u64 {
        self.eval(FIRST_PACKET_ROW).as_u64().expect("a number of rows")
    }

    /// Moves the scrollbar of the packet table to a first row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn scroll_packets(&self, first: u64) {
        self.eval(&format!(
            "(() => {{ const rows = document.getElementById('packets'); \
             const row = parseInt(getComputedStyle(rows).getPropertyValue('--row')); \
             rows.scrollTop = {first} * row; }})()"
        ));
        self.wait_for(&format!("{FIRST_PACKET_ROW} === {first}"));
        self.eval("viewer.settled()");
    }

    /// The text of an element.
    ///
    /// # Panics
    ///
    /// If there is no such element.
    pub fn text(&self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector('{selector}').textContent"));
        text.as_str().unwrap().to_owned()
    }

    /// Window coordinates of a point in the scatter plot, given as fractions (0 to 1) of its width
    /// and height from the upper left.
    ///
    /// # Panics
    ///
    /// If there is no scatter plot.
    pub fn in_scatter(&self, point: (f64, f64)) -> (f64, f64) {
        in_scatter(&self.chromium, point)
    }

    /// Window coordinates of a point in the plot of a chart, given as fractions (0 to 1) of its width and
    /// height from the upper left.
    ///
    /// # Panics
    ///
    /// If no chart has this name.
    pub fn in_plot(&self, chart: &str, point: (f64, f64)) -> (f64, f64) {
        in_plot(&self.chromium, chart, point)
    }

    /// Drags with the left button from one point of a plot to another, as in [`Page::in_plot`], and waits
    /// until the page shows the effects.
    ///
    /// # Panics
    ///
    /// If no chart has this name.
    pub fn drag(&self, chart: &str, from: (f64, f64), to: (f64, f64)) {
        let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        self.mouse(Mouse::Press, self.in_plot(chart, from));
        self.mouse(Mouse::Drag, self.in_plot(chart, middle));
        self.mouse(Mouse::Drag, self.in_plot(chart, to));
        self.mouse(Mouse::Release, self.in_plot(chart, to));
        self.eval("viewer.settled()");
    }

    /// Performs a mouse action.
    ///
    /// # Panics
    ///
    /// If the browser reports an error.
    pub fn mouse(&self, action: Mouse, at: (f64, f64)) {
        self.chromium.mouse(action, at, false).unwrap();
    }
}

/// See [`Page::in_scatter`]. Opens the tab of the scatter plot.
///
/// # Panics
///
/// If there is no scatter plot.
pub fn in_scatter(driver: &impl Driver, point: (f64, f64)) -> (f64, f64) {
    driver.eval("viewer.set('chart', 'scatter')").unwrap();
    in_plot(driver, "scatter", point)
}

/// See [`Page::in_plot`].
fn in_plot(driver: &impl Driver, chart: &str, (x, y): (f64, f64)) -> (f64, f64) {
    let rect = driver.eval(&format!(
        "(() => {{ const c = document.getElementById('{chart}'); c.scrollIntoView({{block: 'nearest'}});\
         const r = c.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; }})()"
    ));
    let rect = rect.unwrap();
    let [left, top, width, height] = [0, 1, 2, 3].map(|index: usize| rect[index].as_f64().unwrap());
    // The margins of a strip or a compact chart: see `Size::plot` in the viewer.
    let margin = if height < 60.0 { 2.0 } else { 22.0 };
    let (plot_width, plot_height) = (width - 48.0 - 12.0, height - 2.0 * margin);
    (left + 48.0 + x * plot_width, top + margin + y * plot_height)
}

/// Serves the site and returns the server and the URL of the page.
///
/// # Panics
///
/// If the site was not built.
pub fn serve_site() -> (Server, String) {
    serve_site_with(|_| Answer::File)
}

/// Same as [`serve_site`], with a handler of requests.
///
/// # Panics
///
/// If the site was not built.
pub fn serve_site_with(
    handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> (Server, String) {
    let site = build::site_path();
    assert!(
        site.join("index.html").exists(),
        "{} is missing: cargo xtask test builds it",
        site.display()
    );
    // Not at the server's root, so that an absolute path in the page fails.
    let server = Server::start_with(site.parent().unwrap(), 0, handler).unwrap();
    let url =
        format!("http://127.0.0.1:{}/{}/", server.port(), site.file_name().unwrap().display());
    (server, url)
}
