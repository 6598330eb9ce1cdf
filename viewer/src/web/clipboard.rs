//! The clipboard.

use wasm_bindgen::prelude::*;

pub(super) use viewer_dom::write_clipboard;

/// Copies the address of the page, which holds its state.
///
/// # Errors
///
/// If the browser does not offer the clipboard to this page.
pub(super) async fn copy_address() -> Result<(), JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    write_clipboard(&window.location().href()?).await
}
