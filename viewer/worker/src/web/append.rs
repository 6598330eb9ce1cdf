//! Parts that grow: their lines are read as they arrive.

use js_sys::Uint8Array;

use super::parts::{Part, Worker, memory_bytes};
use crate::load::Report;
use crate::message::FromWorker;

/// Reads bytes that were appended to a part, given by load and number, and reports its progress. The report
/// returns the buffer of the bytes.
pub(super) fn append(
    worker: &Worker,
    (epoch, number): (u32, usize),
    new_part: impl FnOnce() -> Part,
    bytes: &Uint8Array,
    is_last: bool,
) {
    let (lines, names, report) = worker.with_state(|state| {
        state.epoch = epoch;
        let index = state.parts.iter().position(|part| part.number == number);
        let index = index.unwrap_or_else(|| {
            state.parts.push(new_part());
            state.parts.len() - 1
        });
        let loader = &mut state.parts[index].loader;
        let mut start = 0;
        loader.append(bytes.length() as usize, &mut |piece| {
            #[expect(clippy::cast_possible_truncation, reason = "a part of the bytes")]
            let end = start + piece.len() as u32;
            bytes.subarray(start, end).copy_to(piece);
            start = end;
        });
        if is_last {
            loader.feed(&[]);
        }
        (loader.take_run_records(), loader.take_appended_names(), loader.report())
    });
    if !names.is_empty() {
        worker.post(&FromWorker::AppendedNames { epoch, names }, None);
    }
    if !lines.is_empty() {
        worker.post(&FromWorker::RunRecords { epoch, lines }, None);
    }
    // What has been appended so far is all that there is to read.
    let report =
        Report { is_done: true, is_complete: true, memory_bytes: memory_bytes(), ..report };
    let message = FromWorker::Report { epoch, part: number, report };
    worker.post_buffer(&message, &bytes.buffer());
}
