//! The bytes of a file, a chunk at a time.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, ReadableStream, ReadableStreamDefaultReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode,
};

/// Bytes read at once: small enough to hear a cancellation soon.
const CHUNK_LEN: u32 = 1 << 20;

#[wasm_bindgen]
extern "C" {
    /// A `ReadableStreamBYOBReader`, with the options that web-sys does not have.
    pub(super) type Reader;

    #[wasm_bindgen(method, js_name = read)]
    fn read_at_least(this: &Reader, room: &Uint8Array, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn cancel(this: &Reader) -> Promise;
}

/// The bytes of a file, a chunk at a time.
pub(super) enum Chunks {
    /// Into memory that is used again and again: twice as fast. The options ask for a full room; where
    /// the browser does not know them, there is as much as it has.
    Byob { reader: Reader, room: Uint8Array, options: Object },
    /// For browsers whose files cannot do that.
    Plain(ReadableStreamDefaultReader),
}

impl Chunks {
    /// From that byte of a file on.
    pub(super) fn of(file: &Blob, position: u64) -> Result<Self, JsValue> {
        let stream: ReadableStream =
            file.slice_with_f64_and_f64(position as f64, file.size())?.stream();
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        // Called by its name, for the binding takes no refusal.
        let get_reader: Function = Reflect::get(&stream, &"getReader".into())?.dyn_into()?;
        match get_reader.call1(&stream, &options) {
            Ok(reader) => {
                let room = Uint8Array::new_with_length(CHUNK_LEN);
                let options = Object::new();
                Reflect::set(&options, &"min".into(), &CHUNK_LEN.into())?;
                Ok(Self::Byob { reader: reader.unchecked_into(), room, options })
            }
            Err(_) => Ok(Self::Plain(stream.get_reader().unchecked_into())),
        }
    }

    /// Puts the next chunk into `bytes`: none at the end.
    pub(super) async fn next(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsValue> {
        let step = match self {
            Self::Byob { reader, room, options } => reader.read_at_least(room, options),
            Self::Plain(reader) => reader.read(),
        };
        let chunk = Reflect::get(&JsFuture::from(step).await?, &"value".into())?;
        let Some(chunk) = chunk.dyn_ref::<Uint8Array>() else {
            bytes.clear();
            return Ok(());
        };
        bytes.resize(chunk.length() as usize, 0);
        chunk.copy_to(bytes);
        if let Self::Byob { room, .. } = self {
            *room = Uint8Array::new(&chunk.buffer());
        }
        Ok(())
    }

    /// Wants no more; whether that is heard does not matter.
    pub(super) fn cancel(&self) {
        let _ = match self {
            Self::Byob { reader, .. } => reader.cancel(),
            Self::Plain(reader) => reader.cancel(),
        };
    }
}
