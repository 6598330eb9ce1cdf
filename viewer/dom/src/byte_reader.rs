//! Reads streams of bytes through the Streams API.

use js_sys::{ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    ReadableStream, ReadableStreamDefaultReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode,
};

#[wasm_bindgen]
extern "C" {
    /// `ReadableStreamBYOBReader`; the binding in web-sys lacks the options of `read`.
    type ByobReader;

    #[wasm_bindgen(method)]
    fn read(this: &ByobReader, free: &Uint8Array, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn cancel(this: &ByobReader) -> Promise;
}

/// A reader of a stream of bytes.
pub struct ByteReader(Reader);

enum Reader {
    /// Reads into the buffers of the caller, which takes half the time of [`Self::Default`]. Each read waits for
    /// `min_len` bytes; browsers that do not support that may return less.
    Byob { reader: ByobReader, min_len: u32 },
    /// For streams that do not support that.
    Default(ReadableStreamDefaultReader),
}

impl ByteReader {
    /// Reads a stream. Where the browser supports it, each read waits for `min_len` bytes or the end.
    ///
    /// # Errors
    ///
    /// If the stream is already being read.
    pub fn new(stream: &ReadableStream, min_len: u32) -> Result<Self, JsValue> {
        let mode = ReadableStreamGetReaderOptions::new();
        mode.set_mode(ReadableStreamReaderMode::Byob);
        // Looked up by name: the binding in web-sys panics where `getReader` throws.
        let get_reader: Function = Reflect::get(stream, &"getReader".into())?.dyn_into()?;
        Ok(Self(match get_reader.call1(stream, &mode) {
            Ok(reader) => Reader::Byob { reader: reader.unchecked_into(), min_len },
            Err(_) => Reader::Default(get_reader.call0(stream)?.unchecked_into()),
        }))
    }

    /// Returns true if bytes are read into buffers of the caller.
    pub fn fills_buffers(&self) -> bool {
        matches!(self.0, Reader::Byob { .. })
    }

    /// Reads the next bytes, into `buffer` from offset `start` on if [`Self::fills_buffers`]; the read takes the
    /// buffer then. The promise resolves to a value for [`bytes_read`].
    pub fn read(&self, buffer: &ArrayBuffer, start: u32) -> Promise {
        match &self.0 {
            Reader::Byob { reader, min_len } => {
                let free = Uint8Array::new_with_byte_offset(buffer, start);
                let options = Object::new();
                // A plain object accepts every property.
                let _ = Reflect::set(&options, &"min".into(), &free.length().min(*min_len).into());
                reader.read(&free, &options)
            }
            Reader::Default(reader) => reader.read(),
        }
    }

    /// Stops reading.
    pub fn cancel(&self) {
        // An unused stream costs nothing, so a failure does not matter.
        let _ = match &self.0 {
            Reader::Byob { reader, .. } => reader.cancel(),
            Reader::Default(reader) => reader.cancel(),
        };
    }
}

/// The bytes of a result of [`ByteReader::read`]. At the end of the stream, they are empty or `None`.
pub fn bytes_read(result: &JsValue) -> Option<Uint8Array> {
    Reflect::get(result, &"value".into()).ok()?.dyn_into().ok()
}
