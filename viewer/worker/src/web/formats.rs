//! Readers of compressed files and of capture files, which are in a separate WebAssembly module: most
//! visitors open lines. A worker loads the module when it opens the first file that is not plain text.

use js_sys::Uint8Array;
use std::cell::{OnceCell, RefCell};
use wasm_bindgen::prelude::*;

use super::modules;
use crate::wire::{decode, encode};
use viewer_dom::{error_message, whole};
use viewer_formats::{ContentSink, FileRecord, Form, ReadFile, is_text};

#[wasm_bindgen]
extern "C" {
    /// The exports of the module (`viewer/formats/src/web.rs`).
    type Module;

    /// A reader of one file.
    #[derive(Debug)]
    type Reader;

    #[wasm_bindgen(method, catch, js_name = openFile)]
    fn open(this: &Module, form: &[u8]) -> Result<Reader, JsValue>;

    #[wasm_bindgen(method, js_name = memoryBytes)]
    fn memory_bytes(this: &Module) -> f64;

    #[wasm_bindgen(method, catch)]
    fn feed(
        this: &Reader,
        chunk: &[u8],
        text: &mut dyn FnMut(Uint8Array),
        wants: &mut dyn FnMut(f64) -> bool,
        packets: &mut dyn FnMut(Uint8Array),
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = isCapture)]
    fn is_capture(this: &Reader) -> bool;

    #[wasm_bindgen(method, js_name = decompressedLen)]
    fn decompressed_len(this: &Reader) -> f64;

    #[wasm_bindgen(method)]
    fn reread(this: &Reader, n: f64, offset: f64, bytes: &[u8]) -> Vec<u8>;

    #[wasm_bindgen(method)]
    fn free(this: &Reader);
}

thread_local! {
    static MODULE: OnceCell<Module> = const { OnceCell::new() };
}

/// Loads the module if a file that begins with these bytes is not plain text.
///
/// # Errors
///
/// If the module cannot be loaded.
pub(super) async fn prepare(start: &[u8]) -> Result<(), JsValue> {
    if is_text(start) { Ok(()) } else { modules::load(&MODULE, "formats").await }
}

/// Starts reading a file. Reading fails if [`prepare`] has not loaded the module.
pub(super) fn open(form: Form) -> Box<dyn ReadFile> {
    Box::new(Remote(MODULE.with(|module| module.get()?.open(&encode(&form)).ok())))
}

/// The size of the module's memory, in bytes; 0 if it is not loaded.
pub(super) fn memory_bytes() -> u64 {
    MODULE.with(|module| module.get().map_or(0, |module| whole(module.memory_bytes())))
}

/// A reader in the module. Freed at once, because it can hold a window of 128 MiB.
#[derive(Debug)]
struct Remote(Option<Reader>);

impl ReadFile for Remote {
    fn feed(&mut self, chunk: &[u8], sink: &mut dyn ContentSink) -> Result<(), String> {
        let reader = self.0.as_ref().ok_or("the reader of this format is not loaded")?;
        let sink = RefCell::new(sink);
        let (mut text, mut packed) = (Vec::new(), Vec::new());
        let fed = reader.feed(
            chunk,
            &mut |bytes| {
                copy(&bytes, &mut text);
                sink.borrow_mut().text(&text);
            },
            &mut |offset| sink.borrow_mut().wants(whole(offset)),
            &mut |bytes| {
                copy(&bytes, &mut packed);
                sink.borrow_mut().packets(&packed);
            },
        );
        fed.map_err(|error| error_message(&error))
    }

    fn is_capture(&self) -> bool {
        self.0.as_ref().is_some_and(Reader::is_capture)
    }

    fn decompressed_len(&self) -> u64 {
        self.0.as_ref().map_or(0, |reader| whole(reader.decompressed_len()))
    }

    fn reread(&self, n: u64, offset: u64, bytes: &[u8]) -> Result<FileRecord, Option<usize>> {
        let reader = self.0.as_ref().ok_or(None)?;
        let answer = reader.reread(n as f64, offset as f64, bytes);
        let (record, needed): (Option<FileRecord>, _) = decode(&answer).ok_or(None)?;
        record.ok_or(needed)
    }
}

/// Copies bytes of the module, into a buffer that is reused.
fn copy(bytes: &Uint8Array, buffer: &mut Vec<u8>) {
    buffer.resize(bytes.length() as usize, 0);
    bytes.copy_to(buffer);
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(reader) = &self.0 {
            reader.free();
        }
    }
}
