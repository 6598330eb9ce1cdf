//! Filters by fields that have no column: their values are read from the files before queries are
//! answered. Until then, the queries wait.

use js_sys::{Array, Date};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::chunks::ChunkReader;
use super::load::{REPORT_INTERVAL_MS, max_memory_bytes};
use super::parts::{CAPTURE_CLOSED, Part, State, Worker, memory_bytes};
use super::reread::read_pieces;
use crate::columns::ExtraColumn;
use crate::filter::ExtraField;
use crate::message::{FromWorker, ToWorker};
use crate::selection::Selection;
use viewer_dom::error_message;

/// Fields being read, and the messages that wait for them.
#[derive(Default)]
pub(super) struct Reading {
    fields: Vec<ExtraField>,
    /// Incremented to cancel.
    id: u32,
    waiting: Vec<ToWorker>,
}

/// The message, if it can be handled now. Otherwise it is handled once the fields are read that its
/// selection refers to.
pub(super) fn ready(worker: &Worker, message: ToWorker, selection: &Selection) -> Option<ToWorker> {
    let fields = selection.extra_fields();
    let (is_reading, is_same, id, missing, stale) = worker.with_state(|state| {
        let State { reading, parts, .. } = state;
        let is_missing = |field: &ExtraField| parts.iter().any(|part| misses(part, *field));
        let missing: Vec<_> = fields.iter().copied().filter(is_missing).collect();
        let is_reading = !reading.fields.is_empty();
        let is_same = missing.iter().all(|field| reading.fields.contains(field));
        let mut stale = Vec::new();
        if missing.is_empty() || !is_same {
            // Nothing needs the fields being read any more.
            reading.id += u32::from(is_reading);
            reading.fields.clone_from(&missing);
            stale = std::mem::take(&mut reading.waiting);
        }
        (is_reading, is_same, reading.id, missing, stale)
    });
    // An export is of the selection that it was started with: it still needs its own fields.
    let is_export = |message: &ToWorker| matches!(message, ToWorker::Export { .. });
    let (exports, stale): (Vec<_>, Vec<_>) = stale.into_iter().partition(is_export);
    // The answers of the others are outdated, but the page waits for them.
    stale.into_iter().for_each(|message| super::handle_ready(worker, message));
    if missing.is_empty() {
        exports.into_iter().for_each(|export| super::handle(worker, export, &Array::new()));
        return Some(message);
    }
    worker.with_state(|state| {
        state.reading.waiting.push(message);
        state.reading.waiting.extend(exports);
    });
    if !is_reading || !is_same {
        start(worker, id, fields);
    }
    None
}

/// Parts that are being loaded do not have the fields yet; they are read afterwards.
fn misses(part: &Part, field: ExtraField) -> bool {
    part.is_loaded && !part.is_dropped && !part.loader.columns().has_extra(field)
}

/// Reads the fields of a filter that parts do not have.
fn start(worker: &Worker, id: u32, fields: Vec<ExtraField>) {
    let (worker, epoch) = (worker.clone(), worker.epoch());
    spawn_local(async move {
        let mut has_failed = false;
        while !has_failed {
            let is_current = |state: &mut State| state.epoch == epoch && state.reading.id == id;
            let next = worker.with_state(|state| {
                let is_next = |part: &&Part| fields.iter().any(|field| misses(part, *field));
                let current = is_current(state);
                let next = state.parts.iter().find(is_next).map(|part| part.number);
                next.filter(|_| current)
            });
            let Some(number) = next else { break };
            let read = read_part(&worker, epoch, id, number, &fields).await;
            // A part that was dropped meanwhile needs no fields.
            if let Err(error) = read
                && worker.with_part(epoch, number, |part| part.is_dropped) == Some(false)
            {
                let error = error_message(&error);
                worker.post(&FromWorker::ExtraFailed { epoch, error }, None);
                has_failed = true;
            }
            worker.post(&FromWorker::ExtraRead { epoch, part: number, progress: (1, 1) }, None);
        }
        let waiting = worker.with_state(|state| {
            if state.epoch != epoch || state.reading.id != id {
                return Vec::new();
            }
            state.reading.fields.clear();
            std::mem::take(&mut state.reading.waiting)
        });
        for message in waiting {
            match has_failed {
                // The page removes the selection; it still waits for the answers.
                true => super::handle_ready(&worker, message),
                false => super::handle(&worker, message, &Array::new()),
            }
        }
    });
}

/// Reads fields of a part and adds their columns, unless that is cancelled.
///
/// # Errors
///
/// As in [`read_fields`]. The part has no column of the fields then.
async fn read_part(
    worker: &Worker,
    epoch: u32,
    id: u32,
    number: usize,
    fields: &[ExtraField],
) -> Result<(), JsValue> {
    let missing = worker.with_part(epoch, number, |part| {
        let is_missing = |field: &ExtraField| !part.loader.columns().has_extra(*field);
        let missing: Vec<_> = fields.iter().copied().filter(is_missing).collect();
        part.loader.collect_appended(&missing);
        missing
    });
    let mut reported_ms = Date::now();
    let mut on_progress = |progress| {
        if REPORT_INTERVAL_MS <= Date::now() - reported_ms {
            reported_ms = Date::now();
            worker.post(&FromWorker::ExtraRead { epoch, part: number, progress }, None);
        }
        worker.with_state(|state| state.reading.id == id)
    };
    let missing = missing.ok_or(CAPTURE_CLOSED)?;
    let values = read_fields(worker, epoch, number, &missing, &mut on_progress).await?;
    if let Some(values) = values {
        worker.with_part(epoch, number, |part| {
            part.loader.add_extra(values, fields);
            part.shard.reset(part.loader.columns());
        });
    }
    Ok(())
}

/// Reads the values of fields of a part. Calls `on_progress` with the bytes read and to read, until it
/// returns false; the result is `None` then.
///
/// # Errors
///
/// If the file cannot be read to its end, or memory is full.
pub(super) async fn read_fields(
    worker: &Worker,
    epoch: u32,
    number: usize,
    fields: &[ExtraField],
    on_progress: &mut dyn FnMut((u64, u64)) -> bool,
) -> Result<Option<Vec<(ExtraField, ExtraColumn)>>, JsValue> {
    let source = worker.with_part(epoch, number, |part| {
        (part.loader.extra_reader(fields), max_memory_bytes(part.limits))
    });
    let (mut values, max_bytes) = source.ok_or(CAPTURE_CLOSED)?;
    let mut is_wanted = true;
    let chunks = ChunkReader::of_part(worker, epoch, number, values.position())?;
    read_pieces(chunks, false, &mut |piece| {
        let (len, read) = values.progress();
        is_wanted = on_progress((read, len));
        let has_more =
            worker.with_part(epoch, number, |part| values.feed(piece, part.loader.columns()));
        if !is_wanted || has_more != Some(true) {
            return Ok(false);
        }
        if max_bytes < memory_bytes() { Err("memory is full".into()) } else { Ok(true) }
    })
    .await?;
    Ok(is_wanted.then(|| values.finish()))
}
