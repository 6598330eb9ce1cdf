//! Reads the file of a part in chunks.

use js_sys::ArrayBuffer;
use std::ops::Range;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::kept::KeptReader;
use super::parts::{CAPTURE_CLOSED, Part, PartFile, Worker};
use viewer_dom::{ByteReader, bytes_read};

/// Bytes per read: small enough that a cancellation takes effect quickly.
const CHUNK_LEN: u32 = 1 << 20;

/// A reader of a file's bytes, one chunk at a time.
pub(super) enum ChunkReader {
    /// Reads a file of the browser.
    Blob { reader: ByteReader, buffer: ArrayBuffer },
    /// Reads the bytes that were appended to a part, given by load and number, until the reader was made.
    Appended { worker: Worker, epoch: u32, number: usize, rest: Range<u64> },
    /// Reads lines that are kept for the analysis, by several workers.
    Kept(KeptReader),
}

impl ChunkReader {
    /// Starts reading a file of the browser at a byte offset.
    pub(super) fn new(file: &Blob, offset: u64) -> Result<Self, JsValue> {
        let stream = file.slice_with_f64_and_f64(offset as f64, file.size())?.stream();
        let reader = ByteReader::new(&stream, CHUNK_LEN)?;
        Ok(Self::Blob { reader, buffer: ArrayBuffer::new(CHUNK_LEN) })
    }

    /// Starts reading the file of a part, given by load and number, at a byte offset.
    ///
    /// # Errors
    ///
    /// If another load began or the part was dropped.
    pub(super) fn of_part(
        worker: &Worker,
        epoch: u32,
        number: usize,
        offset: u64,
    ) -> Result<Self, JsValue> {
        let file = |part: &mut Part| (part.file.clone(), part.loader.appended_len());
        match worker.with_part(epoch, number, file).ok_or(CAPTURE_CLOSED)? {
            (PartFile::Blob(file), _) => Self::new(&file, offset),
            (PartFile::Appended, len) => {
                Ok(Self::Appended { worker: worker.clone(), epoch, number, rest: offset..len })
            }
        }
    }

    /// Replaces `bytes` by the next chunk; it is empty at the end of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or as in [`Self::of_part`].
    pub(super) async fn next(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsValue> {
        match self {
            Self::Blob { reader, buffer } => {
                let read = JsFuture::from(reader.read(buffer, 0)).await?;
                let Some(chunk) = bytes_read(&read) else {
                    bytes.clear();
                    return Ok(());
                };
                // Not cleared before: it would be filled with zeros each time.
                bytes.resize(chunk.length() as usize, 0);
                chunk.copy_to(bytes);
                if reader.fills_buffers() {
                    // The read detached the old buffer; its memory comes back with the chunk.
                    *buffer = chunk.buffer();
                }
            }
            Self::Appended { worker, epoch, number, rest } => {
                let end = rest.end.min(rest.start + u64::from(CHUNK_LEN));
                let range = rest.start..end;
                rest.start = end;
                let copy = |part: &mut Part| part.loader.copy_appended(range, bytes);
                worker.with_part(*epoch, *number, copy).ok_or(CAPTURE_CLOSED)?;
            }
            Self::Kept(reader) => reader.next(bytes).await?,
        }
        Ok(())
    }

    /// Stops reading.
    pub(super) fn cancel(&self) {
        if let Self::Blob { reader, .. } = self {
            reader.cancel();
        }
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
