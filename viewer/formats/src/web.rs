//! The readers in JavaScript, for the module of the workers (`viewer/worker/src/web/formats.rs`).

use js_sys::{Function, Uint8Array};
use viewer_dom::whole;
use viewer_model::wire::{decode, encode};
use wasm_bindgen::prelude::*;

use crate::{ContentSink, Form, ReadFile, open};

/// A reader of one file.
#[wasm_bindgen]
pub struct FileReader {
    inner: Box<dyn ReadFile>,
}

#[wasm_bindgen]
impl FileReader {
    /// Takes the next bytes of the file and calls the functions with the content: `text` and `packets`
    /// with an `Uint8Array`, `wants` with the offset of a record. An empty chunk is the end of the file.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        text: &Function,
        wants: &Function,
        packets: &Function,
    ) -> Result<(), String> {
        let mut sink = Remote { text, wants, packets, called: Ok(JsValue::UNDEFINED) };
        let fed = self.inner.feed(chunk, &mut sink);
        fed?;
        sink.called.map(drop).map_err(|_| "the reader of the content failed".to_owned())
    }

    /// Returns true once the content is known to be a capture file.
    #[wasm_bindgen(js_name = isCapture)]
    pub fn is_capture(&self) -> bool {
        self.inner.is_capture()
    }

    /// Number of bytes decompressed so far.
    #[wasm_bindgen(js_name = decompressedLen)]
    pub fn decompressed_len(&self) -> f64 {
        self.inner.decompressed_len() as f64
    }

    /// Rereads a packet. Returns the encoded record or number of bytes needed.
    pub fn reread(&self, n: f64, offset: f64, bytes: &[u8]) -> Vec<u8> {
        let (record, needed) = match self.inner.reread(whole(n), whole(offset), bytes) {
            Ok(record) => (Some(record), None),
            Err(needed) => (None, needed),
        };
        encode(&(record, needed))
    }
}

/// Starts reading a file. `form` is an encoded [`Form`].
///
/// # Errors
///
/// If `form` is invalid.
#[wasm_bindgen(js_name = openFile)]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn open_file(form: &[u8]) -> Result<FileReader, String> {
    let form: Form = decode(form).ok_or("an invalid form")?;
    Ok(FileReader { inner: open(form) })
}

/// Functions of JavaScript that receive the content.
struct Remote<'a> {
    text: &'a Function,
    wants: &'a Function,
    packets: &'a Function,
    /// The result of the last call. After a failure nothing more is called.
    called: Result<JsValue, JsValue>,
}

impl Remote<'_> {
    fn call(&mut self, function: &Function, argument: &JsValue) {
        if self.called.is_ok() {
            self.called = function.call1(&JsValue::NULL, argument);
        }
    }
}

impl ContentSink for Remote<'_> {
    fn text(&mut self, bytes: &[u8]) {
        self.call(self.text, &Uint8Array::from(bytes));
    }

    fn wants(&mut self, offset: u64) -> bool {
        self.call(self.wants, &(offset as f64).into());
        self.called.as_ref().is_ok_and(JsValue::is_truthy)
    }

    fn packets(&mut self, bytes: &[u8]) {
        self.call(self.packets, &Uint8Array::from(bytes));
    }
}

/// The size of this module's memory, in bytes.
#[wasm_bindgen(js_name = memoryBytes)]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn memory_bytes() -> f64 {
    viewer_dom::memory_bytes() as f64
}
