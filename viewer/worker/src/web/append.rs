//! Parts that grow: their lines are read as they arrive.

use js_sys::Uint8Array;

use super::load::report_message;
use super::parts::{Part, Worker};
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
            let mut part = new_part();
            if state.is_analyzed {
                // Until the next analysis, it has no findings.
                part.loader.set_findings(&[]);
            }
            state.parts.push(part);
            state.parts.len() - 1
        });
        let loader = &mut state.parts[index].loader;
        loader.append(bytes.to_vec());
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
    let report = Report { is_done: true, is_complete: true, ..report };
    worker.post_buffer(&report_message(epoch, number, report), &bytes.buffer());
}
