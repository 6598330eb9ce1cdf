//! Bytes that are collected until they are worth passing on.

use js_sys::{ArrayBuffer, Date, Promise, Uint8Array};
use viewer_dom::ByteReader;

/// Bytes that are passed to the page at once, unless there are fewer.
pub(super) const CHUNK_LEN: u32 = 1 << 20;
/// Bytes are passed to the page this long after the first of them at the latest, in milliseconds.
const MAX_AGE_MS: f64 = 100.0;

/// Bytes of an answer.
pub(super) struct Chunk {
    /// Contains the bytes, if the reader fills buffers.
    buffer: ArrayBuffer,
    /// Contains them otherwise.
    pieces: Vec<Uint8Array>,
    len: u32,
    /// When the first bytes came.
    first_ms: f64,
}

impl Chunk {
    /// A chunk without bytes. `buffer` has [`CHUNK_LEN`] bytes.
    pub(super) fn new(buffer: Option<ArrayBuffer>) -> Self {
        let buffer = buffer.unwrap_or_else(|| ArrayBuffer::new(CHUNK_LEN));
        Self { buffer, pieces: Vec::new(), len: 0, first_ms: 0.0 }
    }

    /// Reads the bytes that follow. Pass them to [`Self::add`].
    pub(super) fn read(&self, reader: &ByteReader) -> Promise {
        reader.read(&self.buffer, self.len)
    }

    /// Adds the result of a read. `None` means that the read failed, or that the stream has ended.
    pub(super) fn add(&mut self, reader: &ByteReader, bytes: Option<Uint8Array>) {
        if self.len == 0 {
            self.first_ms = Date::now();
        }
        match bytes {
            // A read detaches the buffer; its memory comes back with the bytes.
            Some(bytes) if reader.fills_buffers() => {
                self.len += bytes.length();
                self.buffer = bytes.buffer();
            }
            // After an error, it is lost.
            None if reader.fills_buffers() => *self = Self::new(None),
            Some(bytes) => {
                self.len += bytes.length();
                self.pieces.push(bytes);
            }
            None => {}
        }
    }

    /// Returns true if the bytes should be passed on now. `is_over`: no more bytes follow.
    pub(super) fn is_due(&self, is_over: bool) -> bool {
        let is_old = || MAX_AGE_MS <= Date::now() - self.first_ms;
        0 < self.len && (is_over || CHUNK_LEN <= self.len || is_old())
    }

    /// The bytes.
    pub(super) fn into_bytes(self) -> Uint8Array {
        match &self.pieces[..] {
            [] => Uint8Array::new_with_byte_offset_and_length(&self.buffer, 0, self.len),
            [piece] => piece.clone(),
            pieces => {
                let joined = Uint8Array::new_with_length(self.len);
                let mut start = 0;
                for piece in pieces {
                    joined.set(piece, start);
                    start += piece.length();
                }
                joined
            }
        }
    }

    /// The buffer, unless it contains bytes.
    pub(super) fn into_unused(self) -> Option<ArrayBuffer> {
        (self.len == 0).then_some(self.buffer)
    }
}
