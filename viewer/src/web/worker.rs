//! A worker: reads its part of the file, keeps the columns, answers questions about them.

use js_sys::{
    Array, ArrayBuffer, Function, Promise, Reflect, Uint8Array, Uint32Array, WebAssembly,
};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, ReadableStream,
    ReadableStreamByobReader, ReadableStreamDefaultReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode,
};

use crate::columns::Columns;
use crate::load::Loader;
use crate::message::{FromWorker, ToWorker};
use crate::query::{Answer, answer};

/// Bytes read at once: small enough to hear a cancellation soon.
const CHUNK_LEN: u32 = 1 << 20;

/// Time between two reports, in milliseconds.
const REPORT_INTERVAL_MS: f64 = 50.0;

/// How long messages may wait, in milliseconds.
const LISTEN_INTERVAL_MS: f64 = 15.0;

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
            Ok(ToWorker::Load { epoch, start, end, is_whole }) => {
                let loader = if is_whole { Loader::whole(end) } else { Loader::new(start..end) };
                let loader = Some(loader);
                *state.borrow_mut() = State { epoch, loader, is_cancelled: false };
                let file: Blob = message.get(1).unchecked_into();
                spawn_local(load(port.clone(), state.clone(), file, epoch));
            }
            Ok(ToWorker::Cancel) => state.borrow_mut().is_cancelled = true,
            Ok(ToWorker::Forget { epoch }) => {
                *state.borrow_mut() = State { epoch, ..State::default() };
            }
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
    let mut reader = Chunks::of(&rest.stream())?;
    let mut bytes = Vec::new();
    let turn = Turn::new()?;
    let (mut reported_ms, mut listened_ms) = (now_ms(), now_ms());
    loop {
        reader.next(&mut bytes).await?;
        if !take(&mut state.borrow_mut(), epoch, &bytes) {
            reader.cancel();
            return Ok(());
        }
        if REPORT_INTERVAL_MS <= now_ms() - reported_ms {
            reported_ms = now_ms();
            let report = state.borrow().loader.as_ref().map(Loader::report);
            if let Some(mut report) = report {
                report.memory_bytes = memory_bytes();
                post(port, &FromWorker::Report { epoch, report });
            }
        }
        if LISTEN_INTERVAL_MS <= now_ms() - listened_ms {
            turn.end().await?;
            listened_ms = now_ms();
        }
    }
}

/// Feeds the loader; false where no more is wanted.
fn take(state: &mut State, epoch: u32, bytes: &[u8]) -> bool {
    let State { epoch: current, loader: Some(loader), is_cancelled } = state else { return false };
    if *current != epoch {
        return false;
    }
    loader.feed(bytes);
    !loader.is_done() && !*is_cancelled
}

/// The bytes of a stream, a chunk at a time.
enum Chunks {
    /// Into memory that is used again and again: twice as fast.
    Byob(ReadableStreamByobReader, Uint8Array),
    /// For browsers whose files cannot do that.
    Plain(ReadableStreamDefaultReader),
}

impl Chunks {
    fn of(stream: &ReadableStream) -> Result<Self, JsValue> {
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        // Called by its name, for the binding takes no refusal.
        let get_reader: Function = Reflect::get(stream, &"getReader".into())?.dyn_into()?;
        match get_reader.call1(stream, &options) {
            Ok(reader) => {
                let room = Uint8Array::new_with_length(CHUNK_LEN);
                Ok(Self::Byob(reader.unchecked_into(), room))
            }
            Err(_) => Ok(Self::Plain(stream.get_reader().unchecked_into())),
        }
    }

    /// Puts the next chunk into `bytes`: none at the end.
    async fn next(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsValue> {
        let step = match self {
            Self::Byob(reader, room) => reader.read_with_array_buffer_view(room),
            Self::Plain(reader) => reader.read(),
        };
        let chunk = Reflect::get(&JsFuture::from(step).await?, &"value".into())?;
        bytes.clear();
        if let Some(chunk) = chunk.dyn_ref::<Uint8Array>() {
            bytes.resize(chunk.length() as usize, 0);
            chunk.copy_to(bytes);
            if let Self::Byob(_, room) = self {
                *room = Uint8Array::new(&chunk.buffer());
            }
        }
        Ok(())
    }

    /// Wants no more; whether that is heard does not matter.
    fn cancel(&self) {
        let _ = match self {
            Self::Byob(reader, _) => reader.cancel(),
            Self::Plain(reader) => reader.cancel(),
        };
    }
}

/// Lets the messages in that have come meanwhile: reading alone would keep them waiting.
struct Turn {
    channel: MessageChannel,
}

impl Turn {
    fn new() -> Result<Self, JsValue> {
        Ok(Self { channel: MessageChannel::new()? })
    }

    async fn end(&self) -> Result<(), JsValue> {
        let next = Promise::new(&mut |resolve, _| {
            self.channel.port1().set_onmessage(Some(&resolve));
        });
        self.channel.port2().post_message(&JsValue::NULL)?;
        JsFuture::from(next).await.map(drop)
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
