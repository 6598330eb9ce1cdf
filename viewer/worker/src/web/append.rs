//! Parts that grow: their lines are read as they arrive.

use js_sys::Uint8Array;
use web_sys::Blob;

use super::load::post_report;
use super::parts::{Part, Worker};
use crate::load::Report;
use crate::message::FromWorker;

/// Reads bytes that were appended to a part, given by load and number, and reports its progress. `appended`
/// is all of the part so far, which replaces its file, and the new bytes.
pub(super) fn append(
    worker: &Worker,
    (epoch, number): (u32, usize),
    new_part: impl FnOnce(Blob) -> Part,
    (file, bytes): (Blob, &Uint8Array),
    is_last: bool,
) {
    let (lines, names, report) = worker.with_state(|state| {
        state.epoch = epoch;
        let index = match state.parts.iter().position(|part| part.number == number) {
            Some(index) => {
                state.parts[index].file = file;
                index
            }
            None => {
                state.parts.push(Part { is_loaded: true, ..new_part(file) });
                state.parts.len() - 1
            }
        };
        let loader = &mut state.parts[index].loader;
        if 0 < bytes.length() {
            loader.feed(&bytes.to_vec());
        }
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
    post_report(worker, epoch, number, report);
}
