//! User input to the page in any browser, shared by the tests of both engines.

use anyhow::Result;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use xtask::wait::wait_until;

/// Timeout of every action and wait.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

/// Drives a browser with one tab.
pub trait Driver {
    /// Opens a URL and waits until it is loaded.
    ///
    /// # Errors
    ///
    /// If it does not load.
    fn navigate(&self, url: &str) -> Result<()>;

    /// The value of a JavaScript expression; promises are awaited.
    ///
    /// # Errors
    ///
    /// If it throws; the error contains the exception.
    fn eval(&self, expression: &str) -> Result<Value>;

    /// Waits until a JavaScript expression is true.
    ///
    /// # Errors
    ///
    /// If it throws, or is not true in time.
    fn wait_for(&self, expression: &str) -> Result<()> {
        let condition = format!("!!({expression})");
        wait_until(expression, TIMEOUT, || Ok(self.eval(&condition)? == Value::Bool(true)))
    }

    /// Waits until there is an element, and clicks the first one.
    ///
    /// # Errors
    ///
    /// If there is none in time.
    fn click(&self, selector: &str) -> Result<()> {
        let element = format!("document.querySelector({})", Value::from(selector));
        self.wait_for(&element)?;
        self.eval(&format!("{element}.click()")).map(drop)
    }

    /// Chooses a file in an `input` element.
    ///
    /// # Errors
    ///
    /// If there is no such element.
    fn choose_file(&self, selector: &str, file: &Path) -> Result<()>;

    /// Drags with the left button from one point of the window to another, with the Shift key held.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
    fn shift_drag(&self, from: (f64, f64), to: (f64, f64)) -> Result<()>;

    /// Saves downloads to this directory.
    ///
    /// # Errors
    ///
    /// If the browser reports an error.
    fn set_download_directory(&self, directory: &Path) -> Result<()>;
}

/// Collects the errors that the page logs. Run in each new document before its own scripts.
pub(crate) const COLLECT_ERRORS: &str = "{
    const log = console.error;
    window.loggedErrors = [];
    console.error = (...values) => {
        loggedErrors.push(...values.map((value) => value?.stack ?? String(value)));
        log(...values);
    };
    const workers = navigator.serviceWorker;
    const register = workers?.register;
    if (register) workers.register = (...args) => {
        const registered = register.apply(workers, args);
        registered.catch((error) => loggedErrors.push(String(error)));
        return registered;
    };
}";

/// A JavaScript expression whose value is the value of another one as JSON. It throws if the page has logged
/// errors since the last one.
pub(crate) fn to_json(expression: &str) -> String {
    format!(
        "(async () => {{
            const json = JSON.stringify(await ({expression})) ?? 'null';
            const errors = window.loggedErrors?.splice(0) ?? [];
            if (0 < errors.length) throw new Error(`the page logged ${{errors.join('; ')}}`);
            return json;
        }})()"
    )
}
