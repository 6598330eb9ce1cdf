//! The worker in the browser: reads its parts of the files, keeps their packets in columns, and answers
//! the page's queries about them.
//!
//! ```text
//! chunks -> loader -> shard -> answers
//! ```

mod analysis;
mod append;
mod chunks;
mod connection;
mod export;
mod extra;
mod flows;
mod formats;
mod kept;
mod lines;
mod load;
mod modules;
mod names;
mod parts;
mod probe;
mod reread;
mod yielder;

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::columns::Columns;
use crate::flow::SyncCursor;
use crate::load::{Loader, Sampling};
use crate::message::{FromWorker, ToWorker};
use crate::query::{Answer, Query, QueryKind};
use crate::selection::Selection;
use crate::shard::{Preceding, PrecedingParts, Shard};
use crate::wire::decode;
use parts::{Part, PartFile, State, Worker};

/// Maximum number of addresses and of flows per message, so that the page stays responsive.
const MAX_DELTA_LEN: usize = 10_000;

/// Handles messages of the page, for the lifetime of the worker. `www/start-worker.js` calls it once.
/// `load` returns a promise of the exports of a module, given by its name.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn serve(load: Function) {
    viewer_dom::install_panic_hook();
    modules::install(load);
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let worker = Worker::new(scope.clone());
    let receiver = worker.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let message: Array = event.data().unchecked_into();
        let bytes: Uint8Array = message.get(0).unchecked_into();
        if let Some(decoded) = decode(&bytes.to_vec()) {
            handle(&receiver, decoded, &message);
        }
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    worker.post(&FromWorker::Ready, None);
}

/// Handles a message; `attachments` follow the message's own bytes in the array.
fn handle(worker: &Worker, message: ToWorker, attachments: &Array) {
    match message {
        ToWorker::Load { epoch, part, file: name, start, end, is_whole, sampling, limits } => {
            let loader = match is_whole {
                true => Loader::whole(end, sampling, formats::open),
                false => Loader::new(start..end, sampling),
            };
            let file = PartFile::Blob(attachments.get(1).unchecked_into());
            let part = Part::new(part, file, loader, Shard::new(part, name), limits);
            let is_loading = worker.with_state(|state| {
                state.epoch = epoch;
                state.parts.push(part);
                std::mem::replace(&mut state.is_loading, true)
            });
            if !is_loading {
                load::start(worker, epoch);
            }
        }
        ToWorker::Probe { id } => probe::start(worker, id, attachments.get(1).unchecked_into()),
        ToWorker::Append { epoch, part, file: name, is_last, limits } => {
            let new_part = || {
                let loader = Loader::growing(Sampling::default());
                let shard = Shard::growing(part, name);
                let part = Part::new(part, PartFile::Appended, loader, shard, limits);
                Part { is_loaded: true, ..part }
            };
            let bytes = attachments.get(1).unchecked_into();
            append::append(worker, (epoch, part), new_part, &bytes, is_last);
        }
        ToWorker::DropBefore { part } => worker.with_state(|state| state.drop_before(part)),
        ToWorker::ResendFlows => worker.with_state(|state| {
            state.parts.iter_mut().for_each(|part| part.synced = SyncCursor::default());
        }),
        ToWorker::Cancel => worker.with_state(|state| {
            state.parts.iter_mut().for_each(|part| part.is_cancelled = true);
        }),
        ToWorker::Reset { epoch } => worker.with_state(|state| {
            *state = State { epoch, ..State::default() };
        }),
        ToWorker::RunQueries { ref selection, .. } | ToWorker::Export { ref selection, .. } => {
            let selection = selection.clone();
            if let Some(message) = extra::ready(worker, message, &selection) {
                handle_ready(worker, message);
            }
        }
        ToWorker::ReadRecord { part, index } => lines::read_record(worker, part, index),
        ToWorker::ReadOtherFields { rows } => lines::read_other_fields(worker, rows),
        ToWorker::ReadNames { first } => names::start(worker, first),
        ToWorker::ReadConnection { id, part, selection, limits } => {
            connection::start(worker, id, part, selection, limits);
        }
        ToWorker::Analyze { parts } => analysis::start(worker, parts),
        ToWorker::AnalyzeAppended { parts } => analysis::start_appended(worker, &parts),
        ToWorker::ReadKept { part, first } => kept::send(worker, part, first),
        ToWorker::KeptLines => {
            let awaited = worker.with_state(|state| state.awaited_lines.take());
            awaited.into_iter().for_each(|awaited| awaited.resolve(&attachments.get(1)));
        }
        ToWorker::SetFindings { epoch, part } => {
            let bytes: Uint8Array = attachments.get(1).unchecked_into();
            worker.with_part(epoch, part, |part| {
                part.loader.set_findings(&bytes.to_vec());
                part.shard.reset(part.loader.columns());
            });
        }
        ToWorker::SimulateFailure => panic!("a test requested this failure"),
    }
}

/// Handles a message whose selection refers to fields that have been read.
fn handle_ready(worker: &Worker, message: ToWorker) {
    match message {
        ToWorker::RunQueries { preceding, selection, queries } => {
            answer(worker, &preceding, &selection, &queries);
        }
        ToWorker::Export { id, format, preceding, selection } => {
            // Without queries this only applies the selection.
            answer(worker, &preceding, &selection, &[]);
            export::start(worker, id, format);
        }
        _ => {}
    }
}

/// Applies the selection to all parts, and answers queries about them.
fn answer(
    worker: &Worker,
    preceding: &PrecedingParts,
    selection: &Selection,
    queries: &[(u32, Query)],
) {
    let (epoch, answers) = worker.with_state(|state| {
        let State { epoch, parts, .. } = state;
        // Answers refer to addresses and flows by id, so the page must have these first. There can
        // be many flows, and only conversations refer to them.
        let refers_to_flows =
            |kind| matches!(kind, &QueryKind::Conversations | &QueryKind::Connections);
        let needs_flows = queries.iter().any(|(_, query)| refers_to_flows(&query.kind));
        let kept = |part: &&mut Part| !part.is_dropped;
        let parts_to_send = parts.iter_mut().filter(kept);
        parts_to_send.for_each(|part| send_delta(worker, *epoch, part, needs_flows));
        let (ids, queries): (Vec<_>, Vec<_>) = queries.iter().cloned().unzip();
        let answers_of = |part: &mut Part| {
            let before = preceding.of(part.number);
            part.loader.set_lines_before(before.lines);
            part.shard.answer(part.loader.columns(), before, selection, &queries)
        };
        let merged = parts.iter_mut().filter(kept).map(answers_of).reduce(|all, more| {
            all.into_iter().zip(more).map(|(one, other)| one.merge(other)).collect()
        });
        // Without parts the answers are those of an empty part.
        let answers: Vec<Answer> = merged.unwrap_or_else(|| {
            let mut empty = Shard::new(usize::MAX, String::new());
            empty.answer(&Columns::default(), Preceding::default(), selection, &queries)
        });
        (*epoch, ids.into_iter().zip(answers).collect::<Vec<_>>())
    });
    if !answers.is_empty() {
        worker.post(&FromWorker::Answers { epoch, answers }, None);
    }
    // The page draws the answers in the meantime.
    if queries.iter().any(|(_, query)| matches!(query.kind, QueryKind::Conversations)) {
        worker.with_state(|state| {
            let complete = state.parts.iter_mut().filter(|part| part.is_loaded && !part.is_dropped);
            complete.for_each(|part| part.shard.index_flows(part.loader.columns()));
        });
    }
}

/// Sends the addresses and protocols that the page does not have yet, and the flows if needed.
fn send_delta(worker: &Worker, epoch: u32, part: &mut Part, needs_flows: bool) {
    loop {
        let columns = part.loader.columns();
        let delta = match needs_flows {
            true => columns.flow_delta(&mut part.synced, MAX_DELTA_LEN),
            false => columns.address_delta(&mut part.synced, MAX_DELTA_LEN),
        };
        if delta == Default::default() {
            return;
        }
        worker.post(&FromWorker::FlowDelta { epoch, part: part.number, delta }, None);
    }
}
