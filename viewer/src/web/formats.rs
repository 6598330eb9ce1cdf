//! Decompressors, which are in a separate WebAssembly module: most visitors open files that are not
//! compressed. The page and each worker load the module when they open the first compressed file.

use js_sys::{Function, Promise, Uint8Array};
use std::cell::OnceCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::dom::error_message;
use viewer_formats::{Compression, Decompress};

#[wasm_bindgen]
extern "C" {
    /// The exports of the module (`viewer/formats/src/web.rs`).
    type Module;

    /// A decompressor of one file.
    #[derive(Debug)]
    type Decompressor;

    #[wasm_bindgen(method, js_name = newDecompressor)]
    fn new_decompressor(this: &Module, is_zstd: bool) -> Decompressor;

    #[wasm_bindgen(method, js_name = memoryBytes)]
    fn memory_bytes(this: &Module) -> f64;

    #[wasm_bindgen(method, catch)]
    fn feed(
        this: &Decompressor,
        chunk: &[u8],
        visit: &mut dyn FnMut(Uint8Array),
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn free(this: &Decompressor);
}

thread_local! {
    /// The function of `main.js` or `worker.js` that returns a promise of the exports.
    static LOAD: OnceCell<Function> = const { OnceCell::new() };
    static MODULE: OnceCell<Module> = const { OnceCell::new() };
}

/// Stores the function that loads the module.
pub(super) fn install(load: Function) {
    // Called once, at the start.
    LOAD.with(|cell| drop(cell.set(load)));
}

/// Loads the module if a file that begins with these bytes is compressed.
///
/// # Errors
///
/// If the module cannot be loaded.
pub(super) async fn prepare(start: &[u8]) -> Result<(), JsValue> {
    if Compression::of(start).is_none() || MODULE.with(|module| module.get().is_some()) {
        return Ok(());
    }
    let load = LOAD.with(|load| load.get().cloned()).ok_or("no module for decompression")?;
    let promise: Promise = load.call0(&JsValue::NULL)?.unchecked_into();
    let exports = JsFuture::from(promise).await?;
    // Another file can have loaded it meanwhile; either serves.
    MODULE.with(|module| drop(module.set(exports.unchecked_into())));
    Ok(())
}

/// Creates a decompressor. Fails later if [`prepare`] has not loaded the module.
pub(super) fn new_decompressor(compression: Compression) -> Box<dyn Decompress> {
    let is_zstd = compression == Compression::Zstd;
    let remote = MODULE.with(|module| Some(module.get()?.new_decompressor(is_zstd)));
    Box::new(Remote(remote))
}

/// The size of the module's memory, in bytes; 0 if it is not loaded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a memory size")]
pub(super) fn memory_bytes() -> u64 {
    MODULE.with(|module| module.get().map_or(0, |module| module.memory_bytes() as u64))
}

/// A decompressor in the module. Freed at once, because it can hold a window of 128 MiB.
#[derive(Debug)]
struct Remote(Option<Decompressor>);

impl Decompress for Remote {
    fn feed(&mut self, chunk: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let decompressor = self.0.as_ref().ok_or("the decompressor is not loaded")?;
        let mut buffer = Vec::new();
        let fed = decompressor.feed(chunk, &mut |piece| {
            buffer.resize(piece.length() as usize, 0);
            piece.copy_to(&mut buffer);
            visit(&buffer);
        });
        fed.map_err(|error| error_message(&error))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(decompressor) = &self.0 {
            decompressor.free();
        }
    }
}
