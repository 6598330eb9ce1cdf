//! Reads a local file that another program extends.

use js_sys::Uint8Array;
use viewer_dom::FileHandle;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::connection::SHORT_LEN;
use crate::Answer;

/// Bytes that are read at once. No pause follows if there are as many.
const MAX_LEN: f64 = SHORT_LEN as f64;

/// A `File` can be read until the file changes. Attempts to read it in time.
const MAX_TRIES: usize = 5;

/// The bytes from `offset` on, as the answer of a server.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) async fn read(
    handle: &FileHandle,
    offset: u64,
) -> Result<(Answer, Option<Uint8Array>), JsValue> {
    let mut result = Err(JsValue::UNDEFINED);
    for _ in 0..MAX_TRIES {
        result = try_read(handle, offset).await;
        if result.is_ok() {
            break;
        }
    }
    result
}

async fn try_read(
    handle: &FileHandle,
    offset: u64,
) -> Result<(Answer, Option<Uint8Array>), JsValue> {
    let file = handle.file().await?;
    let (start, len) = (offset as f64, file.size());
    if len <= start {
        return Ok((Answer::at_end(len), None));
    }
    let slice = file.slice_with_f64_and_f64(start, len.min(start + MAX_LEN))?;
    let bytes = Uint8Array::new(&JsFuture::from(slice.array_buffer()).await?);
    Ok((Answer::Bytes { first: offset, is_open: false }, Some(bytes)))
}
