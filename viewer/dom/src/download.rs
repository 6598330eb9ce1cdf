//! Saves files to the user's download folder.

use js_sys::Array;
use viewer_model::scene::Scene;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Document, HtmlAnchorElement, Url};

use crate::{Canvas, log_error};

/// How long the browser has to start reading a file, in milliseconds.
const URL_LIFETIME_MS: i32 = 60_000;

/// Device pixels per CSS pixel of downloaded images.
const PNG_PIXEL_RATIO: f64 = 2.0;

/// Downloads a text file.
///
/// # Errors
///
/// If the browser has no memory for it.
pub fn download_text(text: &str, name: &str) -> Result<(), JsValue> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.into()))?;
    download(&blob, name)
}

/// Downloads a file.
///
/// # Errors
///
/// If the caller has no document. Workers have none.
pub fn download(blob: &Blob, name: &str) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let document = window.document().ok_or("no document")?;
    let url = Url::create_object_url_with_blob(blob)?;
    let anchor: HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    // The browser reads the file some time after the click.
    let revoke = Closure::once_into_js(move || Url::revoke_object_url(&url));
    window.set_timeout_with_callback_and_timeout_and_arguments_0(
        revoke.unchecked_ref(),
        URL_LIFETIME_MS,
    )?;
    Ok(())
}

/// Downloads a scene as a PNG image.
///
/// # Errors
///
/// If the browser refuses a drawing operation.
pub fn download_png(document: &Document, scene: Scene, name: String) -> Result<(), JsValue> {
    let on_blob = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(blob) = blob {
            log_error(download(&blob, &name));
        }
    });
    let mut canvas = Canvas::<()>::new(document.create_element("canvas")?.dyn_into()?)?;
    canvas.draw(scene, PNG_PIXEL_RATIO)?;
    canvas.element().to_blob(on_blob.unchecked_ref())
}
