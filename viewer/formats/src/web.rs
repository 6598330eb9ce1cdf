//! The decompressors in JavaScript, for the module of the page (`viewer/src/web/formats.rs`).

use js_sys::{ArrayBuffer, Function, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;

use crate::{Compression, Decompress};

/// A decompressor of one file.
#[wasm_bindgen]
pub struct Decompressor {
    inner: Box<dyn Decompress>,
}

#[wasm_bindgen]
impl Decompressor {
    /// Takes the next bytes of the file and calls `visit` with the decompressed bytes, an `Uint8Array`, in
    /// pieces. An empty chunk is the end of the file.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged or truncated.
    pub fn feed(&mut self, chunk: &[u8], visit: &Function) -> Result<(), String> {
        let mut called = Ok(JsValue::UNDEFINED);
        let fed = self.inner.feed(chunk, &mut |piece| {
            if called.is_ok() {
                called = visit.call1(&JsValue::NULL, &Uint8Array::from(piece));
            }
        });
        fed?;
        called.map(drop).map_err(|_| "the reader of the content failed".to_owned())
    }
}

/// Creates a decompressor of Zstandard, or else of gzip.
#[wasm_bindgen(js_name = newDecompressor)]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn new_decompressor(is_zstd: bool) -> Decompressor {
    let compression = if is_zstd { Compression::Zstd } else { Compression::Gzip };
    Decompressor { inner: compression.decompressor() }
}

/// The size of this module's memory, in bytes.
#[wasm_bindgen(js_name = memoryBytes)]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn memory_bytes() -> f64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: ArrayBuffer = memory.buffer().unchecked_into();
    f64::from(buffer.byte_length())
}
