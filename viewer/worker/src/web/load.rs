//! Loading: feeds the bytes of the parts to their loaders.

use js_sys::Date;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::chunks::{ChunkReader, pieces};
use super::formats;
use super::parts::{Part, PartFile, Worker, memory_bytes};
use super::yielder::Yielder;
use crate::load::{Failure, Limits, Report};
use crate::message::FromWorker;
use viewer_dom::error_message;

/// The time between two progress reports, in milliseconds.
pub(super) const REPORT_INTERVAL_MS: f64 = 50.0;

/// Memory of a worker without packets, in bytes: its code's data and the buffers for reading.
const OVERHEAD_BYTES: u64 = 32 << 20;

/// Starts loading the parts that are not loaded yet, one by one.
pub(super) fn start(worker: &Worker, epoch: u32) {
    let worker = worker.clone();
    spawn_local(async move {
        while let Some(number) = next_part(&worker, epoch) {
            let result = load_part(&worker, epoch, number).await;
            let report = worker.with_part(epoch, number, |part| {
                part.is_loaded = true;
                let mut report = part.loader.report();
                report.is_done = true;
                report
            });
            let Some(mut report) = report else { return };
            report.failure = match result {
                Ok(End::MemoryFull) => Some(Failure::MemoryFull),
                Ok(End::Done) => None,
                Err(error) => Some(Failure::Unreadable(error_message(&error))),
            };
            post_report(&worker, epoch, number, report);
        }
    });
}

/// The next part to load; without one, loading ends.
fn next_part(worker: &Worker, epoch: u32) -> Option<usize> {
    worker.with_state(|state| {
        if state.epoch != epoch {
            return None;
        }
        let next = state.parts.iter().find(|part| !part.is_loaded).map(|part| part.number);
        state.is_loading = next.is_some();
        next
    })
}

/// Why loading of a part ended.
enum End {
    /// The part is complete or was cancelled, or another load has begun.
    Done,
    MemoryFull,
}

/// Loads a part until it is complete or cancelled, memory is full, or another load begins.
async fn load_part(worker: &Worker, epoch: u32, number: usize) -> Result<End, JsValue> {
    let source = worker
        .with_part(epoch, number, |part| (part.file.clone(), part.loader.position(), part.limits));
    let Some((PartFile::Blob(file), offset, limits)) = source else { return Ok(End::Done) };
    let mut reader = ChunkReader::new(&file, offset)?;
    let mut bytes = Vec::new();
    let mut has_started = false;
    let mut yielder = Yielder::new()?;
    let mut reported_ms = Date::now();
    let max_bytes = max_memory_bytes(limits);
    loop {
        if worker.with_part(epoch, number, |part| part.is_cancelled) != Some(false) {
            reader.cancel();
            return Ok(End::Done);
        }
        reader.next(&mut bytes).await?;
        if !has_started {
            has_started = true;
            formats::prepare(&bytes).await?;
        }
        let is_uncompressed = worker.with_part(epoch, number, |part| part.loader.is_uncompressed());
        for piece in pieces(&bytes, is_uncompressed == Some(true)) {
            if !feed(worker, epoch, number, piece) {
                reader.cancel();
                return Ok(End::Done);
            }
            if max_bytes < memory_bytes() || limits.flows < flow_count(worker) {
                reader.cancel();
                return Ok(End::MemoryFull);
            }
            if REPORT_INTERVAL_MS <= Date::now() - reported_ms {
                reported_ms = Date::now();
                if let Some(report) = worker.with_part(epoch, number, |part| part.loader.report()) {
                    post_report(worker, epoch, number, report);
                }
            }
            yielder.yield_if_due().await?;
        }
    }
}

/// The size that this worker's memory may reach, in bytes. Memory never shrinks: what closed captures
/// occupied is free for the open one.
pub(super) fn max_memory_bytes(limits: Limits) -> u64 {
    (limits.bytes + OVERHEAD_BYTES).max(memory_bytes())
}

/// The number of flows of all parts.
fn flow_count(worker: &Worker) -> u64 {
    let flows = |part: &Part| part.loader.columns().flows().len() as u64;
    worker.with_state(|state| state.parts.iter().map(flows).sum())
}

/// Feeds bytes to the loader of a part. Returns false if it needs no more.
fn feed(worker: &Worker, epoch: u32, number: usize, bytes: &[u8]) -> bool {
    let needs_more = worker.with_part(epoch, number, |part| {
        if !part.is_cancelled {
            part.loader.feed(bytes);
        }
        !part.is_cancelled && !part.loader.is_done()
    });
    needs_more == Some(true)
}

/// Sends the progress of a part to the page.
fn post_report(worker: &Worker, epoch: u32, part: usize, report: Report) {
    worker.post(&report_message(epoch, part, report), None);
}

/// The message about the progress of a part, with the memory of this worker.
pub(super) fn report_message(epoch: u32, part: usize, report: Report) -> FromWorker {
    let report = Report { memory_bytes: memory_bytes(), ..report };
    FromWorker::Report { epoch, part, report }
}
