//! Reports panics with their message and location.

use js_sys::Error;
use wasm_bindgen::throw_val;

/// Throws each panic as a JavaScript error. Without this hook a panic ends in the instruction
/// `unreachable`, whose error does not contain the message. The browser logs the error to the console and, in a
/// worker, sends it to the page.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| throw_val(Error::new(&info.to_string()).into())));
}
