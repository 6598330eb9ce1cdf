//! Reads a file in chunks through the Streams API.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, ReadableStream, ReadableStreamDefaultReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode,
};

/// Bytes per read: small enough that a cancellation takes effect quickly.
const CHUNK_LEN: u32 = 1 << 20;

#[wasm_bindgen]
extern "C" {
    /// `ReadableStreamBYOBReader`; the binding in web-sys lacks the options of `read`.
    pub(super) type ByobReader;

    #[wasm_bindgen(method)]
    fn read(this: &ByobReader, buf: &Uint8Array, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn cancel(this: &ByobReader) -> Promise;
}

/// A reader of a file's bytes, one chunk at a time.
pub(super) enum ChunkReader {
    /// Reads into a reused buffer, which takes half the time of [`ChunkReader::Default`]. The options
    /// request a full buffer; browsers that do not support them may return less.
    Byob { reader: ByobReader, buf: Uint8Array, options: Object },
    /// For browsers whose files have no byte streams.
    Default(ReadableStreamDefaultReader),
}

impl ChunkReader {
    /// Starts reading a file at a byte offset.
    pub(super) fn new(file: &Blob, offset: u64) -> Result<Self, JsValue> {
        let stream: ReadableStream =
            file.slice_with_f64_and_f64(offset as f64, file.size())?.stream();
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        // Looked up by name: the binding in web-sys panics where `getReader` throws.
        let get_reader: Function = Reflect::get(&stream, &"getReader".into())?.dyn_into()?;
        match get_reader.call1(&stream, &options) {
            Ok(reader) => {
                let buf = Uint8Array::new_with_length(CHUNK_LEN);
                let options = Object::new();
                Reflect::set(&options, &"min".into(), &CHUNK_LEN.into())?;
                Ok(Self::Byob { reader: reader.unchecked_into(), buf, options })
            }
            Err(_) => Ok(Self::Default(stream.get_reader().unchecked_into())),
        }
    }

    /// Replaces `bytes` by the next chunk; it is empty at the end of the file.
    pub(super) async fn next(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsValue> {
        let read = match self {
            Self::Byob { reader, buf, options } => reader.read(buf, options),
            Self::Default(reader) => reader.read(),
        };
        let chunk = Reflect::get(&JsFuture::from(read).await?, &"value".into())?;
        let Some(chunk) = chunk.dyn_ref::<Uint8Array>() else {
            bytes.clear();
            return Ok(());
        };
        bytes.resize(chunk.length() as usize, 0);
        chunk.copy_to(bytes);
        if let Self::Byob { buf, .. } = self {
            // The read detached the old buffer; its memory comes back with the chunk.
            *buf = Uint8Array::new(&chunk.buffer());
        }
        Ok(())
    }

    /// Stops reading.
    pub(super) fn cancel(&self) {
        // An unused stream costs nothing, so a failure does not matter.
        let _ = match self {
            Self::Byob { reader, .. } => reader.cancel(),
            Self::Default(reader) => reader.cancel(),
        };
    }
}

/// Bytes of a piece. Zstandard can expand them to 256 MiB.
const PIECE_LEN: usize = 8 << 10;

/// Splits a chunk into pieces that are processed without a break. A chunk of an uncompressed file is
/// processed as a whole. An empty chunk, which marks the end of the file, is one empty piece.
pub(super) fn pieces(chunk: &[u8], is_uncompressed: bool) -> impl Iterator<Item = &[u8]> {
    let len = if is_uncompressed { chunk.len().max(1) } else { PIECE_LEN };
    chunk.chunks(len).chain(chunk.is_empty().then_some(&[][..]))
}
