//! A worker: reads its parts of the files, keeps their columns, answers questions about them.

use js_sys::{Array, ArrayBuffer, Promise, Reflect, Uint8Array, WebAssembly};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageChannel, MessageEvent};

use super::chunks::Chunks;
use crate::columns::{Columns, Told};
use crate::flows::News;
use crate::load::Loader;
use crate::message::{FromWorker, ToWorker};
use crate::query::{Answer, Query};
use crate::selection::Selection;
use crate::shard::{Before, Shard};
use crate::wire::{decode, encode};

/// Bytes taken at once of what is no plain text: packed ones may become a thousand times as many.
const PIECE_LEN: usize = 64 << 10;

/// Bytes read for a line: most lines and records have fewer.
const LINE_LEN: usize = 4 << 10;

/// Time between two reports, in milliseconds.
const REPORT_INTERVAL_MS: f64 = 50.0;

/// How long messages may wait, in milliseconds.
const LISTEN_INTERVAL_MS: f64 = 10.0;

/// Flows that are told of at once.
const MAX_NEWS: usize = 10_000;

/// Bytes of lines that are handed to the browser at once.
const EXPORT_LEN: usize = 4 << 20;

#[derive(Default)]
struct State {
    epoch: u32,
    parts: Vec<Part>,
    is_reading: bool,
    /// Which line was asked for last, counted.
    line_count: u32,
}

/// A part of a file.
struct Part {
    number: usize,
    file: Blob,
    loader: Loader,
    shard: Shard,
    /// No more of it is wanted.
    is_cancelled: bool,
    is_read: bool,
    /// What the page knows of it.
    told: Told,
}

#[derive(Clone)]
struct Worker {
    port: DedicatedWorkerGlobalScope,
    state: Rc<RefCell<State>>,
}

pub(super) fn serve() {
    let port: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let worker = Worker { port: port.clone(), state: Rc::default() };
    let listener = worker.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let message: Array = event.data().unchecked_into();
        let bytes: Uint8Array = message.get(0).unchecked_into();
        if let Some(heard) = decode(&bytes.to_vec()) {
            listener.hear(heard, &message.get(1));
        }
    });
    port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    worker.post(&FromWorker::Ready, None);
}

/// Memory of this instance in bytes.
pub(super) fn memory_bytes() -> u64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: ArrayBuffer = memory.buffer().unchecked_into();
    u64::from(buffer.byte_length())
}

impl Worker {
    fn hear(&self, message: ToWorker, file: &JsValue) {
        match message {
            ToWorker::Load { epoch, part, file: name, start, end, is_whole, sampling } => {
                let loader = match is_whole {
                    true => Loader::whole(end, sampling),
                    false => Loader::new(start..end, sampling),
                };
                let mut state = self.state.borrow_mut();
                state.epoch = epoch;
                state.parts.push(Part {
                    number: part,
                    file: file.clone().unchecked_into(),
                    loader,
                    shard: Shard::new(part, name),
                    is_cancelled: false,
                    is_read: false,
                    told: Told::default(),
                });
                if !std::mem::replace(&mut state.is_reading, true) {
                    spawn_local(self.clone().load(epoch));
                }
            }
            ToWorker::Cancel => {
                let parts = &mut self.state.borrow_mut().parts;
                parts.iter_mut().for_each(|part| part.is_cancelled = true);
            }
            ToWorker::Reset { epoch } => {
                *self.state.borrow_mut() = State { epoch, ..State::default() };
            }
            ToWorker::RunQueries { befores, selection, queries } => {
                self.answer(&befores, &selection, &queries);
            }
            ToWorker::ReadLine { part, index } => self.read_line(part, index),
            ToWorker::Export { id, befores, selection } => {
                self.answer(&befores, &selection, &[]);
                spawn_local(self.clone().export(id));
            }
            ToWorker::ReadLines { rows } => spawn_local(self.clone().read_all(rows)),
            ToWorker::SimulateFailure => panic!("it was asked to"),
        }
    }

    fn answer(&self, befores: &[Before], selection: &Selection, queries: &[(u32, Query)]) {
        let mut state = self.state.borrow_mut();
        let State { epoch, parts, .. } = &mut *state;
        parts.iter_mut().for_each(|part| self.tell(*epoch, part));
        let (ids, queries): (Vec<_>, Vec<_>) = queries.iter().cloned().unzip();
        let of = |part: &mut Part| {
            let before = befores.get(part.number).copied().unwrap_or_default();
            part.loader.set_lines_before(before.lines);
            part.shard.answer(part.loader.columns(), before, selection, &queries)
        };
        let merged = parts.iter_mut().map(of).reduce(|all, more| {
            all.into_iter().zip(more).map(|(one, other)| one.merge(other)).collect()
        });
        // Of nothing there are answers too.
        let answers: Vec<Answer> = merged.unwrap_or_else(|| {
            let mut nothing = Shard::new(usize::MAX, String::new());
            nothing.answer(&Columns::default(), Before::default(), selection, &queries)
        });
        let answers: Vec<_> = ids.into_iter().zip(answers).collect();
        if answers.is_empty() {
            return;
        }
        self.post(&FromWorker::Answers { epoch: *epoch, answers }, None);
    }

    /// Tells of what the page does not know: answers speak of it by its places.
    fn tell(&self, epoch: u32, part: &mut Part) {
        loop {
            // Not too much at once: the page does other things too.
            let delta = part.loader.columns().news(&mut part.told, MAX_NEWS);
            if delta == News::default() {
                return;
            }
            self.post(&FromWorker::FlowDelta { epoch, part: part.number, delta }, None);
        }
    }

    /// Reads all parts that were not read.
    async fn load(self, epoch: u32) {
        loop {
            let next = {
                let state = self.state.borrow();
                let mut unread = state.parts.iter().filter(|part| !part.is_read);
                unread.next().filter(|_| state.epoch == epoch).map(|part| part.number)
            };
            let Some(number) = next else { break };
            let failure = self.read(epoch, number).await.err();
            let mut state = self.state.borrow_mut();
            if state.epoch != epoch {
                return;
            }
            let Some(part) = state.parts.iter_mut().find(|part| part.number == number) else {
                return;
            };
            part.is_read = true;
            let mut report = part.loader.report();
            report.memory_bytes = memory_bytes();
            report.is_done = true;
            report.failure =
                failure.map(|error| format!("The file cannot be read: {}", words(&error)));
            self.post(&FromWorker::Report { epoch, part: number, report }, None);
        }
        let mut state = self.state.borrow_mut();
        if state.epoch == epoch {
            state.is_reading = false;
        }
    }

    /// Feeds a part's loader until it has all, it is cancelled, or another load has begun.
    async fn read(&self, epoch: u32, number: usize) -> Result<(), JsValue> {
        let from = self.with_part(number, |part| (part.file.clone(), part.loader.position()));
        let Some((file, position)) = from else { return Ok(()) };
        let mut reader = Chunks::of(&file, position)?;
        let mut bytes = Vec::new();
        let mut turn = Turn::new()?;
        let mut reported_ms = now_ms();
        loop {
            if !self.with_part(number, |part| !part.is_cancelled).unwrap_or(false) {
                reader.cancel();
                return Ok(());
            }
            reader.next(&mut bytes).await?;
            let is_plain = self.with_part(number, |part| part.loader.is_uncompressed_text());
            for piece in pieces(&bytes, is_plain == Some(true)) {
                if !self.take(epoch, number, piece) {
                    reader.cancel();
                    return Ok(());
                }
                turn.end_if_due().await?;
            }
            if REPORT_INTERVAL_MS <= now_ms() - reported_ms {
                reported_ms = now_ms();
                if let Some(mut report) = self.with_part(number, |part| part.loader.report()) {
                    report.memory_bytes = memory_bytes();
                    self.post(&FromWorker::Report { epoch, part: number, report }, None);
                }
            }
        }
    }

    /// Feeds a part's loader; false where no more is wanted.
    fn take(&self, epoch: u32, number: usize, bytes: &[u8]) -> bool {
        let mut state = self.state.borrow_mut();
        if state.epoch != epoch {
            return false;
        }
        let Some(part) = state.parts.iter_mut().find(|part| part.number == number) else {
            return false;
        };
        if part.is_cancelled {
            return false;
        }
        part.loader.feed(bytes);
        !part.loader.is_done()
    }

    fn with_part<T>(&self, number: usize, read: impl FnOnce(&Part) -> T) -> Option<T> {
        let state = self.state.borrow();
        state.parts.iter().find(|part| part.number == number).map(read)
    }

    /// Gives the line of a packet, where this worker has it, and gives up on the one before.
    fn read_line(&self, number: usize, index: usize) {
        let (epoch, count) = {
            let mut state = self.state.borrow_mut();
            state.line_count = state.line_count.wrapping_add(1);
            (state.epoch, state.line_count)
        };
        if self.with_part(number, |_| ()).is_none() {
            return;
        }
        let worker = self.clone();
        spawn_local(async move {
            let line = match worker.line_of(number, index, count).await {
                Ok(line) => String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned(),
                Err(error) => format!("The line cannot be read: {}", words(&error)),
            };
            worker.post(&FromWorker::Line { epoch, part: number, index, line }, None);
        });
    }

    /// Gives the lines of those packets that this worker has.
    async fn read_all(self, rows: Vec<(usize, usize)>) {
        let epoch = self.state.borrow().epoch;
        let mut lines = Vec::new();
        for (part, index) in rows {
            if self.with_part(part, |_| ()).is_some() {
                let line = self.line_at(part, index).await.ok().flatten().unwrap_or_default();
                lines.push(((part, index), String::from_utf8_lossy(&line).into_owned()));
            }
        }
        if !lines.is_empty() {
            self.post(&FromWorker::Lines { epoch, lines }, None);
        }
    }

    /// The line of a packet; of a packed file by reading all of it again.
    async fn line_of(&self, number: usize, index: usize, count: u32) -> Result<Vec<u8>, JsValue> {
        if let Some(line) = self.line_at(number, index).await? {
            return Ok(line);
        }
        let mut line = Vec::new();
        let mut wants_more = |lines: &mut Vec<u8>| {
            line.append(lines);
            let is_latest = self.state.borrow().line_count == count;
            Ok(line.is_empty() && is_latest)
        };
        self.lines_of(number, &|row| row == index, &mut wants_more).await?;
        Ok(line)
    }

    /// The line of a packet by its place in the file; `None` where that is packed.
    async fn line_at(&self, number: usize, index: usize) -> Result<Option<Vec<u8>>, JsValue> {
        let known =
            self.with_part(number, |part| (part.file.clone(), part.loader.record_offset(index)));
        let (file, place) = known.ok_or("its part is gone")?;
        let mut len = LINE_LEN;
        while let Some(place) = place {
            let slice = file.slice_with_f64_and_f64(place as f64, (place + len as u64) as f64)?;
            let bytes = Uint8Array::new(&JsFuture::from(slice.array_buffer()).await?).to_vec();
            let line = self.with_part(number, |part| part.loader.line(index, &bytes));
            match line.ok_or("its part is gone")? {
                Ok(line) => return Ok(Some(line)),
                // There are no more.
                Err(Some(_)) if bytes.len() < len => return Ok(Some(bytes)),
                Err(Some(needed)) => len = needed.max(2 * len),
                Err(None) => break,
            }
        }
        Ok(None)
    }

    /// Reads a part again, and hands on the lines of some of its packets, many at a time, and none
    /// where there were none for long; until that says that no more are wanted.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or another load has begun meanwhile.
    async fn lines_of(
        &self,
        number: usize,
        is_wanted: &dyn Fn(usize) -> bool,
        wants_more: &mut dyn FnMut(&mut Vec<u8>) -> Result<bool, JsValue>,
    ) -> Result<(), JsValue> {
        let epoch = self.state.borrow().epoch;
        let from = self.with_part(number, |part| (part.file.clone(), part.loader.exporter()));
        let Some((file, mut exporter)) = from else { return Ok(()) };
        let mut reader = Chunks::of(&file, exporter.position())?;
        let (mut bytes, mut lines) = (Vec::new(), Vec::new());
        let mut turn = Turn::new()?;
        loop {
            reader.next(&mut bytes).await?;
            for piece in pieces(&bytes, false) {
                if self.state.borrow().epoch != epoch {
                    reader.cancel();
                    return Err("something else was opened".into());
                }
                let is_more = self.with_part(number, |part| {
                    exporter.feed(piece, part.loader.columns(), is_wanted, &mut lines)
                });
                if !wants_more(&mut lines)? || is_more != Some(true) {
                    reader.cancel();
                    return Ok(());
                }
                turn.end_if_due().await?;
            }
        }
    }

    /// Gives the lines of all packets that are selected now, whatever is selected while they are read.
    async fn export(self, id: u32) {
        let selected: Vec<_> = {
            let state = self.state.borrow();
            state.parts.iter().map(|part| (part.number, part.shard.selected())).collect()
        };
        let blobs = Array::new();
        for (number, selected) in &selected {
            let pieces = Array::new();
            let mut rest = Vec::new();
            let put = |rest: &mut Vec<u8>, pieces: &Array| -> Result<(), JsValue> {
                // A blob may go to disk, memory of this worker cannot.
                let piece = Array::of1(&Uint8Array::from(&rest[..]));
                pieces.push(&Blob::new_with_u8_array_sequence(&piece)?.into());
                rest.clear();
                Ok(())
            };
            let read = self
                .lines_of(*number, &|row| selected.has(row), &mut |lines| {
                    rest.append(lines);
                    if EXPORT_LEN <= rest.len() {
                        put(&mut rest, &pieces)?;
                    }
                    Ok(true)
                })
                .await;
            let done = read.and_then(|()| put(&mut rest, &pieces));
            match done.and_then(|()| Blob::new_with_blob_sequence(&pieces)) {
                Ok(blob) => blobs.push(&blob.into()),
                Err(_) => blobs.push(&JsValue::NULL),
            };
        }
        let parts = selected.into_iter().map(|(number, _)| number).collect();
        self.post(&FromWorker::Exported { id, parts }, Some(&blobs));
    }

    fn post(&self, message: &FromWorker, more: Option<&JsValue>) {
        let bytes = Uint8Array::from(&encode(message)[..]);
        let transferred = Array::of1(&bytes.buffer());
        let parts = Array::of1(&bytes.into());
        if let Some(more) = more {
            parts.push(more);
        }
        let sent = self.port.post_message_with_transfer(&parts, &transferred);
        debug_assert!(sent.is_ok());
    }
}

/// Lets the messages in that have come meanwhile: reading alone would keep them waiting.
struct Turn {
    channel: MessageChannel,
    began_ms: f64,
}

impl Turn {
    fn new() -> Result<Self, JsValue> {
        Ok(Self { channel: MessageChannel::new()?, began_ms: now_ms() })
    }

    /// Waits for what has come, where that was not done for a while.
    async fn end_if_due(&mut self) -> Result<(), JsValue> {
        if now_ms() - self.began_ms < LISTEN_INTERVAL_MS {
            return Ok(());
        }
        let next = Promise::new(&mut |resolve, _| {
            self.channel.port1().set_onmessage(Some(&resolve));
        });
        self.channel.port2().post_message(&JsValue::NULL)?;
        JsFuture::from(next).await?;
        self.began_ms = now_ms();
        Ok(())
    }
}

/// What is taken at once of some bytes; at a file's end one without any.
fn pieces(bytes: &[u8], is_plain: bool) -> impl Iterator<Item = &[u8]> {
    let len = if is_plain { bytes.len().max(1) } else { PIECE_LEN };
    bytes.chunks(len).chain(bytes.is_empty().then_some(&[][..]))
}

fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// What a thrown value says.
pub(super) fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| "no reason was given".to_owned())
}
