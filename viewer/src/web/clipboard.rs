//! The clipboard.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Clipboard;

/// Copies the address of the page, which holds its state.
///
/// # Errors
///
/// If the browser does not offer the clipboard to this page.
pub(super) async fn copy_address() -> Result<(), JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    // Missing, not null, on pages without HTTPS: the binding in web-sys would panic.
    let clipboard = Reflect::get(&window.navigator(), &"clipboard".into())?;
    let clipboard: &Clipboard = clipboard.dyn_ref().ok_or("no clipboard")?;
    JsFuture::from(clipboard.write_text(&window.location().href()?)).await.map(drop)
}
