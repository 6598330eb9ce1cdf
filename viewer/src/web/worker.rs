//! A worker: reads its part of the file, keeps the columns, answers questions about them.

use js_sys::{Array, ArrayBuffer, Reflect, Uint8Array, Uint32Array, WebAssembly};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, DedicatedWorkerGlobalScope, MessageEvent, ReadableStreamByobReader,
    ReadableStreamGetReaderOptions, ReadableStreamReaderMode,
};

use crate::columns::Columns;
use crate::load::Loader;
use crate::message::{FromWorker, ToWorker};
use crate::query::{Answer, answer};

/// Bytes read at once: small enough to hear a cancellation soon.
const CHUNK_LEN: u32 = 1 << 20;

/// Time between two reports, in milliseconds.
const REPORT_INTERVAL_MS: f64 = 50.0;

#[derive(Default)]
struct State {
    epoch: u32,
    loader: Option<Loader>,
    is_cancelled: bool,
}

pub(super) fn serve() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let state = Rc::new(RefCell::new(State::default()));
    let port = scope.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let message: Array = event.data().unchecked_into();
        let text = message.get(0).as_string().unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(ToWorker::Load { epoch, start, end }) => {
                let loader = Some(Loader::new(start..end));
                *state.borrow_mut() = State { epoch, loader, is_cancelled: false };
                let file: Blob = message.get(1).unchecked_into();
                spawn_local(load(port.clone(), state.clone(), file, epoch));
            }
            Ok(ToWorker::Cancel) => state.borrow_mut().is_cancelled = true,
            Ok(ToWorker::Ask { id, query }) => {
                let state = state.borrow();
                let nothing = Columns::default();
                let columns = state.loader.as_ref().map_or(&nothing, Loader::columns);
                let answer = answer(columns, query);
                post(&port, &FromWorker::Answer { epoch: state.epoch, id, answer });
            }
            Err(_) => {}
        }
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    post(&scope, &FromWorker::Ready);
}

/// Memory of this instance in bytes.
pub(super) fn memory_bytes() -> u64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: ArrayBuffer = memory.buffer().unchecked_into();
    u64::from(buffer.byte_length())
}

async fn load(port: DedicatedWorkerGlobalScope, state: Rc<RefCell<State>>, file: Blob, epoch: u32) {
    let failure = read(&port, &state, &file, epoch).await.err();
    let state = state.borrow();
    if state.epoch != epoch {
        return;
    }
    let Some(loader) = &state.loader else { return };
    let mut report = loader.report();
    report.memory_bytes = memory_bytes();
    report.is_done = true;
    report.failure = failure.map(|error| format!("The file cannot be read: {}", words(&error)));
    post(&port, &FromWorker::Report { epoch, report });
}

/// Feeds the loader until its part is read, it is cancelled, or another load has begun.
async fn read(
    port: &DedicatedWorkerGlobalScope,
    state: &RefCell<State>,
    file: &Blob,
    epoch: u32,
) -> Result<(), JsValue> {
    let position = state.borrow().loader.as_ref().map_or(0, Loader::position);
    let rest = file.slice_with_f64_and_f64(position as f64, file.size())?;
    let options = ReadableStreamGetReaderOptions::new();
    options.set_mode(ReadableStreamReaderMode::Byob);
    let reader: ReadableStreamByobReader =
        rest.stream().get_reader_with_options(&options).unchecked_into();
    let mut room = Uint8Array::new_with_length(CHUNK_LEN);
    let mut bytes = vec![0; CHUNK_LEN as usize];
    let mut reported_ms = now_ms();
    loop {
        let step = JsFuture::from(reader.read_with_array_buffer_view(&room)).await?;
        let chunk = Reflect::get(&step, &"value".into())?;
        let len = match chunk.dyn_ref::<Uint8Array>() {
            Some(chunk) => {
                let len = chunk.length() as usize;
                chunk.copy_to(&mut bytes[..len]);
                room = Uint8Array::new(&chunk.buffer());
                len
            }
            None => 0,
        };
        let mut state = state.borrow_mut();
        if state.epoch != epoch {
            let _ = reader.cancel();
            return Ok(());
        }
        let is_cancelled = state.is_cancelled;
        let Some(loader) = &mut state.loader else { return Ok(()) };
        loader.feed(&bytes[..len]);
        if loader.is_done() || loader.is_hopeless() || is_cancelled {
            let _ = reader.cancel();
            return Ok(());
        }
        if REPORT_INTERVAL_MS <= now_ms() - reported_ms {
            reported_ms = now_ms();
            let mut report = loader.report();
            report.memory_bytes = memory_bytes();
            post(port, &FromWorker::Report { epoch, report });
        }
    }
}

fn post(port: &DedicatedWorkerGlobalScope, message: &FromWorker) {
    let Ok(text) = serde_json::to_string(message) else { return };
    let sent = match message {
        FromWorker::Answer { answer: Answer::Density(counts), .. } => {
            let counts = Uint32Array::from(&counts[..]);
            let transferred = Array::of1(&counts.buffer());
            port.post_message_with_transfer(&Array::of2(&text.into(), &counts), &transferred)
        }
        _ => port.post_message(&Array::of1(&text.into())),
    };
    debug_assert!(sent.is_ok());
}

fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// What a thrown value says.
pub(super) fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| "no reason was given".to_owned())
}
