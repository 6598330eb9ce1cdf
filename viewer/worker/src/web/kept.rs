//! Lines of a followed source, which are kept for the analysis: all parts must be read in order, but they belong to
//! several workers. The page passes requests and lines on, a chunk at a time.

use js_sys::{Function, Promise, Uint8Array};
use std::collections::VecDeque;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::parts::{CAPTURE_CLOSED, Part, PartFile, Worker};
use crate::message::FromWorker;

/// Keeps the lines of those of these parts that the worker has, instead of earlier ones. Each part is given with the
/// number of bytes to keep. Returns true if the worker has the first part. All others have no findings; without parts,
/// findings are those in the lines.
pub(super) fn keep(worker: &Worker, parts: &[(usize, u64)]) -> bool {
    worker.with_state(|state| {
        let snapshot = |&(number, len): &(usize, u64)| {
            let part = state.parts.iter().find(|part| part.number == number)?;
            Some((number, part.loader.snapshot(len)))
        };
        state.kept = parts.iter().filter_map(snapshot).collect();
        state.is_analyzed = !parts.is_empty();
        let is_other = |part: &&mut Part| !parts.iter().any(|(number, _)| *number == part.number);
        for part in state.parts.iter_mut().filter(is_other) {
            match (state.is_analyzed, &part.file) {
                (_, PartFile::Blob(_)) => continue,
                (true, PartFile::Appended) => part.loader.set_findings(&[]),
                (false, PartFile::Appended) => part.loader.remove_findings(),
            }
            part.shard.reset(part.loader.columns());
        }
        let (first, kept) = (parts.first(), state.kept.first());
        first.zip(kept).is_some_and(|((first, _), (kept, _))| first == kept)
    })
}

/// Sends the next lines of a part to the worker with the first part, and keeps them no longer.
pub(super) fn send(worker: &Worker, part: usize, first: usize) {
    let (epoch, chunk) = worker.with_state(|state| {
        let kept = state.kept.iter_mut().find(|(number, _)| *number == part);
        (state.epoch, kept.map(|(_, chunks)| chunks.next()))
    });
    let message = FromWorker::KeptLines { epoch, first };
    match chunk {
        Some(chunk) => {
            let chunk = chunk.as_ref().map_or(&[][..], |chunk| &chunk[..]);
            worker.post_buffer(&message, &Uint8Array::from(chunk).buffer());
        }
        None => worker.post(&message, None),
    }
}

/// The other end of a promise of lines. Without an answer, it resolves to nothing.
pub(super) struct AwaitedLines(Function);

impl AwaitedLines {
    /// Resolves the promise to the bytes of lines.
    pub(super) fn resolve(self, lines: &JsValue) {
        // The promise ignores later values.
        let _ = self.0.call1(&JsValue::NULL, lines);
    }
}

impl Drop for AwaitedLines {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}

/// Reads the lines that are kept in some parts, in order, with a line feed after each part: parts may end within a
/// line.
pub(super) struct KeptReader {
    worker: Worker,
    epoch: u32,
    first: usize,
    /// The parts that have not been read to their end.
    parts: VecDeque<usize>,
    /// The next lines, which were requested.
    next: Promise,
}

impl KeptReader {
    /// Starts reading. The worker has the first part.
    pub(super) fn new(worker: &Worker, parts: impl Iterator<Item = usize>) -> Self {
        let parts: VecDeque<_> = parts.collect();
        let first = parts.front().copied().unwrap_or(0);
        let (worker, epoch) = (worker.clone(), worker.epoch());
        let next = request(&worker, epoch, first, first);
        Self { worker, epoch, first, parts, next }
    }

    /// Replaces `bytes` by the next lines; they are empty at the end of the last part.
    ///
    /// # Errors
    ///
    /// If a part is missing, or another capture was opened.
    pub(super) async fn next(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsValue> {
        bytes.clear();
        if self.parts.is_empty() {
            return Ok(());
        }
        let lines = JsFuture::from(self.next.clone()).await?;
        let lines: Uint8Array = lines.dyn_into().map_err(|_| CAPTURE_CLOSED)?;
        match lines.length() {
            0 => {
                bytes.push(b'\n');
                self.parts.pop_front();
            }
            len => {
                bytes.resize(len as usize, 0);
                lines.copy_to(bytes);
            }
        }
        // The next lines arrive while these are analyzed.
        if let Some(part) = self.parts.front() {
            self.next = request(&self.worker, self.epoch, *part, self.first);
        }
        Ok(())
    }
}

/// Requests the next lines of a part. The promise resolves to their bytes.
fn request(worker: &Worker, epoch: u32, part: usize, first: usize) -> Promise {
    worker.post(&FromWorker::ReadKept { epoch, part, first }, None);
    Promise::new(&mut |resolve, _| {
        worker.with_state(|state| state.awaited_lines = Some(AwaitedLines(resolve)));
    })
}
