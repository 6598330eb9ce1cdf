//! DOM helpers of the page's WebAssembly modules: finding elements, changing them only when needed,
//! listening to events, timers, the clipboard, downloads, local files, streams of bytes and canvases; and helpers that
//! workers need, too.

#![cfg(target_arch = "wasm32")]

mod byte_reader;
mod canvas;
mod download;
mod file_handle;
mod panic;

pub use byte_reader::{ByteReader, bytes_read};
pub use canvas::Canvas;
pub use download::{download, download_png, download_text};
pub use file_handle::FileHandle;
pub use panic::install_hook as install_panic_hook;

use js_sys::{ArrayBuffer, Promise, Reflect, WebAssembly};
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Clipboard, Document, Element, EventTarget, console};

/// Returns the element with that id, cast to `T`.
///
/// # Errors
///
/// If `index.html` has no such element, or it is of a different type.
pub fn element<T: JsCast>(document: &Document, id: &str) -> Result<T, JsValue> {
    let element = document.get_element_by_id(id).ok_or_else(|| format!("no element `#{id}`"))?;
    element.dyn_into().map_err(|_| format!("element `#{id}` has an unexpected type").into())
}
/// All elements that match a selector, in document order.
pub fn elements(document: &Document, selector: &str) -> Result<Vec<Element>, JsValue> {
    let nodes = document.query_selector_all(selector)?;
    let nodes = (0..nodes.length()).filter_map(|index| nodes.get(index));
    Ok(nodes.filter_map(|node| node.dyn_into().ok()).collect())
}
/// Calls `listener` on every event of that name, for the lifetime of the page. A listener can cause
/// another event of the same name and be called for it before it returns.
pub fn listen<E: FromWasmAbi + 'static>(
    target: &EventTarget,
    name: &str,
    listener: impl Fn(E) + 'static,
) -> Result<(), JsValue> {
    let closure = Closure::<dyn Fn(E)>::new(listener);
    target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref())?;
    closure.forget();
    Ok(())
}
/// Sets the text of an element, never markup. Does nothing if the text is unchanged.
pub fn set_text(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}
/// Shows or hides an element.
pub fn set_visible(element: &Element, is_visible: bool) {
    set_flag(element, "hidden", !is_visible);
}
/// Adds or removes a boolean attribute.
pub fn set_flag(element: &Element, name: &str, is_set: bool) {
    if element.has_attribute(name) != is_set {
        log_error(element.toggle_attribute_with_force(name, is_set));
    }
}
/// Sets an attribute. Does nothing if it already has that value: a write would make the browser
/// recompute the styles that depend on it.
pub fn set_attribute(element: &Element, name: &str, value: &str) {
    if element.get_attribute(name).as_deref() != Some(value) {
        log_error(element.set_attribute(name, value));
    }
}
/// The value of a boolean ARIA attribute.
pub const fn aria_bool(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
/// Adds a child at the end of an element.
pub fn append(parent: &Element, child: &Element) -> Result<(), JsValue> {
    parent.append_child(child).map(drop)
}
/// Creates an element with that text.
pub fn new_element(document: &Document, tag: &str, text: &str) -> Result<Element, JsValue> {
    let element = document.create_element(tag)?;
    element.set_text_content(Some(text));
    Ok(element)
}

/// Creates a button with that text.
pub fn new_button(document: &Document, text: &str) -> Result<Element, JsValue> {
    let button = new_element(document, "button", text)?;
    button.set_attribute("type", "button")?;
    Ok(button)
}

/// Waits for this time in milliseconds.
///
/// # Errors
///
/// If the caller is a worker, which has no window.
pub async fn sleep(ms: i32) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let promise = Promise::new(&mut |resolve, _| {
        log_error(window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms));
    });
    JsFuture::from(promise).await.map(drop)
}

/// The value of a success. Logs an error to the console of the browser, for callers that cannot return it:
/// event listeners, and changes that fail only by mistake.
pub fn log_error<T>(result: Result<T, JsValue>) -> Option<T> {
    result.inspect_err(console::error_1).ok()
}

/// The message of a value thrown by JavaScript.
pub fn error_message(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| "unknown error".to_owned())
}

/// A whole number of JavaScript, such as a size or an offset, that is not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number")]
pub fn whole(number: f64) -> u64 {
    number as u64
}

/// The size of the memory of the calling WebAssembly module, in bytes.
pub fn memory_bytes() -> u64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: ArrayBuffer = memory.buffer().unchecked_into();
    u64::from(buffer.byte_length())
}

/// Copies a text to the clipboard.
///
/// # Errors
///
/// If the browser does not offer the clipboard to this page: it does so only over HTTPS.
pub async fn write_clipboard(text: &str) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    // Missing, not null, on pages without HTTPS: the binding in web-sys would panic.
    let clipboard = Reflect::get(&window.navigator(), &"clipboard".into())?;
    let clipboard: &Clipboard = clipboard.dyn_ref().ok_or("no clipboard")?;
    JsFuture::from(clipboard.write_text(text)).await.map(drop)
}
