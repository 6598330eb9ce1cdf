//! The page: its state, its workers, and the files they read. `controls` sends it events, `show`
//! draws its frames.

use js_sys::{Array, Date, Function, Promise, Reflect, Uint8Array};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, AbortSignal, Blob, Document, File, MessageEvent, RequestInit, Response, Url,
    Worker, WorkerOptions, WorkerType,
};

use super::canvas::Canvas;
use super::dom::{element, listen};
use super::worker::words;
use crate::app::{
    App, CHART_COUNT, Choice, Effect, Event, FileInfo, PANEL_COUNT, Panel, Phase, View,
    VirtualTable,
};
use crate::clock::Offsets;
use crate::load::{self, Keep};
use crate::message::{FromWorker, ToWorker};
use crate::settings::Settings;
use crate::wire::{decode, encode};

/// More workers would share the same disk and memory.
const MAX_WORKERS: usize = 8;
/// A file below this is read by one worker, in bytes.
const MIN_SPLIT_LEN: u64 = 2 << 20;
/// First bytes of a file that tell what it is and how many packets it may have.
const START_LEN: f64 = 65_536.0;
/// A change that comes so soon after the one before is one of many, and so long after the last of them
/// nobody is in a hurry any more; in milliseconds.
const HURRY_MS: f64 = 300.0;
const REST_MS: i32 = 120;
/// Memory of a packet, and of a worker at most, in bytes.
const PACKET_BYTES: u64 = 32;
const WORKER_BYTES: u64 = 3 << 30;

/// The page; clones are the same page.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) state: Rc<RefCell<State>>,
}

pub(super) struct State {
    pub(super) app: App,
    pub(super) document: Document,
    workers: Vec<Worker>,
    /// How many parts are being read or were.
    part_count: usize,
    /// Counts the loads: what belongs to an earlier one is passed over.
    epoch: u32,
    pub(super) canvases: Vec<Canvas>,
    /// What was shown last.
    pub(super) shown: View,
    /// What the settings were when the controls were set.
    pub(super) shown_settings: Option<Settings>,
    is_frame_due: bool,
    /// The rows that the long tables have.
    pub(super) tables: [VirtualTable; PANEL_COUNT - CHART_COUNT],
    /// Who waits for the pictures in sight, and who for all of them to be final.
    waiting: [Vec<Function>; 2],
    /// Which workers have started.
    ready: Vec<bool>,
    worker_url: String,
    /// Stops what is being fetched.
    fetching: Option<AbortController>,
    /// Files that wait for a choice, and whether they come beside what is open.
    chosen: Option<(Vec<Opened>, bool)>,
    /// Bytes of memory that packets may take.
    pub(super) memory_limit: u64,
    began_ms: f64,
    /// When somebody last changed what is shown.
    changed_ms: f64,
    /// What the workers have exported so far, by part, and who waits for it.
    exported: BTreeMap<usize, JsValue>,
    export_missing: usize,
    export_waiting: Vec<Function>,
}

/// A file whose first bytes are known.
#[derive(Clone)]
struct Opened {
    file: Blob,
    info: FileInfo,
    is_whole: bool,
    packets: u64,
}

impl Page {
    pub(super) fn start(worker_url: &str) -> Result<Self, JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        let document = window.document().ok_or("no document")?;
        let mut canvases = Vec::with_capacity(CHART_COUNT);
        for panel in &Panel::ALL[..CHART_COUNT] {
            canvases.push(Canvas::new(element(&document, panel.name())?)?);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few cores")]
        let cores = window.navigator().hardware_concurrency() as usize;
        let workers = cores.clamp(1, MAX_WORKERS);
        let state = State {
            app: App::new(workers),
            workers: Vec::new(),
            part_count: 0,
            epoch: 0,
            canvases,
            shown: View::default(),
            shown_settings: None,
            is_frame_due: false,
            tables: Default::default(),
            waiting: Default::default(),
            ready: Vec::new(),
            worker_url: worker_url.to_owned(),
            fetching: None,
            chosen: None,
            memory_limit: memory_limit(&window, workers),
            began_ms: 0.0,
            changed_ms: 0.0,
            exported: BTreeMap::new(),
            export_missing: 0,
            export_waiting: Vec::new(),
            document,
        };
        let page = Self { state: Rc::new(RefCell::new(state)) };
        for worker in 0..workers {
            page.start_worker(worker)?;
        }
        page.listen(&window)?;
        page.restore();
        page.schedule_frame();
        Ok(page)
    }

    /// Changes the state, does what it needs, and draws soon.
    pub(super) fn send(&self, event: Event) {
        if event.is_change() {
            self.follow_hurry();
        }
        let effects = self.state.borrow_mut().app.update(event);
        let state = self.state.borrow();
        for effect in effects {
            match effect {
                Effect::Ask { queries, selection } => {
                    let befores = state.app.befores();
                    let ask = ToWorker::Ask { befores, selection, queries };
                    state.workers.iter().for_each(|worker| post(worker, &ask, None));
                }
                Effect::Read { part, index } => {
                    let worker = &state.workers[part % state.workers.len()];
                    post(worker, &ToWorker::Read { part, index }, None);
                }
            }
        }
        drop(state);
        self.schedule_frame();
    }

    /// Notes a change: where one follows the other, what is out of sight has to wait.
    fn follow_hurry(&self) {
        let now_ms = Date::now();
        let mut state = self.state.borrow_mut();
        let before_ms = std::mem::replace(&mut state.changed_ms, now_ms);
        if state.app.is_hurried() || HURRY_MS <= now_ms - before_ms {
            return;
        }
        drop(state);
        self.send(Event::Hurry(true));
        self.await_rest();
    }

    /// Ends the hurry when the last change is long enough ago.
    fn await_rest(&self) {
        let page = self.clone();
        let look = Closure::once_into_js(move || {
            let changed_ms = page.state.borrow().changed_ms;
            if Date::now() - changed_ms < f64::from(REST_MS) {
                return page.await_rest();
            }
            page.send(Event::Hurry(false));
        });
        if let Some(window) = web_sys::window() {
            let look = look.unchecked_ref();
            let set =
                window.set_timeout_with_callback_and_timeout_and_arguments_0(look, REST_MS / 2);
            debug_assert!(set.is_ok());
        }
    }

    pub(super) fn with_app<T>(&self, read: impl FnOnce(&App) -> T) -> T {
        read(&self.state.borrow().app)
    }

    /// Kept when the pictures in sight are what they are to be.
    pub(super) fn seen(&self) -> Promise {
        self.promise(0)
    }

    /// Kept when all pictures are final and drawn.
    pub(super) fn settled(&self) -> Promise {
        self.promise(1)
    }

    fn promise(&self, kind: usize) -> Promise {
        let promise = Promise::new(&mut |resolve, _| {
            self.state.borrow_mut().waiting[kind].push(resolve);
        });
        self.schedule_frame();
        promise
    }

    pub(super) fn cancel(&self) {
        self.send(Event::Cancel);
        let state = self.state.borrow();
        if let Some(fetching) = &state.fetching {
            fetching.abort();
        }
        state.workers.iter().for_each(|worker| post(worker, &ToWorker::Cancel, None));
    }

    pub(super) fn close(&self) {
        self.begin_epoch();
        self.send(Event::Close);
    }

    /// Opens a file or a list of them, in place of what is open or beside it.
    pub(super) fn open(&self, files: &JsValue, is_added: bool) {
        let files: Vec<File> = match files.dyn_ref::<File>() {
            Some(file) => vec![file.clone()],
            None if files.is_object() => {
                Array::from(files).iter().filter_map(|file| file.dyn_into().ok()).collect()
            }
            None => Vec::new(),
        };
        if files.is_empty() {
            return self.send(Event::Refuse("That is no file.".into()));
        }
        self.look(files.into_iter().map(|file| (file.name(), file.into())).collect(), is_added);
    }

    /// Opens a capture that the same server has.
    pub(super) fn open_url(&self, url: &str) {
        let epoch = self.begin_epoch();
        let (page, url) = (self.clone(), url.to_owned());
        let Ok(abort) = AbortController::new() else { return };
        let signal = abort.signal();
        self.state.borrow_mut().fetching = Some(abort);
        let info = FileInfo { name: url.clone(), len: 0, parts: 0 };
        self.send(Event::Open { files: vec![info], is_added: false });
        spawn_local(async move {
            let fetched = fetch(&url, &signal).await;
            if page.state.borrow().epoch != epoch {
                return;
            }
            match fetched {
                _ if page.with_app(App::is_cancelled) => {
                    page.send(Event::Fail(format!("“{url}” was cancelled.")));
                }
                Ok(blob) => page.look(vec![(url, blob)], false),
                Err(error) => {
                    page.send(Event::Fail(format!("“{url}” cannot be opened: {}", words(&error))));
                }
            }
        });
    }

    /// From now on, what belongs to earlier loads is passed over.
    fn begin_epoch(&self) -> u32 {
        let mut state = self.state.borrow_mut();
        state.epoch = state.epoch.wrapping_add(1);
        (state.part_count, state.chosen) = (0, None);
        if let Some(fetching) = state.fetching.take() {
            fetching.abort();
        }
        for worker in &state.workers {
            post(worker, &ToWorker::Forget { epoch: state.epoch }, None);
        }
        state.epoch
    }

    /// Looks at the first bytes of files: how many parts there will be, they tell.
    fn look(&self, files: Vec<(String, Blob)>, is_added: bool) {
        let is_added =
            is_added && self.with_app(|app| matches!(app.phase(), Phase::Loading | Phase::Ready));
        let epoch = if is_added { self.state.borrow().epoch } else { self.begin_epoch() };
        if !is_added {
            let info = |(name, file): &(String, Blob)| FileInfo {
                name: name.clone(),
                len: size(file),
                parts: 0,
            };
            self.send(Event::Open { files: files.iter().map(info).collect(), is_added: false });
        }
        let page = self.clone();
        spawn_local(async move {
            let workers = page.state.borrow().workers.len();
            let mut opened = Vec::new();
            let refuse = |words: String| {
                page.send(if is_added { Event::Refuse(words) } else { Event::Fail(words) });
            };
            for (name, file) in files {
                let start = first_bytes(&file).await;
                if page.state.borrow().epoch != epoch {
                    return;
                }
                match start {
                    Ok(_) if size(&file) == 0 => return refuse(format!("“{name}” is empty.")),
                    Ok(start) => {
                        let len = size(&file);
                        let is_whole = !load::is_lines(&start) || len < MIN_SPLIT_LEN;
                        let parts = if is_whole { 1 } else { workers };
                        let packets = load::estimate(&start, len);
                        let info = FileInfo { name, len, parts };
                        opened.push(Opened { file, info, is_whole, packets });
                    }
                    Err(error) => {
                        return refuse(format!("“{name}” cannot be read: {}", words(&error)));
                    }
                }
            }
            page.fit(opened, is_added);
        });
    }

    /// Loads what fits memory, and has the person choose where it does not.
    fn fit(&self, opened: Vec<Opened>, is_added: bool) {
        let packets: u64 = opened.iter().map(|opened| opened.packets).sum();
        let loaded = if is_added { self.with_app(|app| app.totals().packets) } else { 0 };
        let needed = (packets + loaded) * PACKET_BYTES;
        let limit = self.state.borrow().memory_limit;
        if needed <= limit {
            return self.load(opened, is_added, Keep::default());
        }
        self.state.borrow_mut().chosen = Some((opened, is_added));
        let every = needed.div_ceil(limit.max(1));
        self.send(Event::Choose(Some(Choice { packets, needed, limit, every })));
    }

    /// Loads the files that waited for a choice.
    pub(super) fn choose(&self, keep: Keep) {
        let chosen = self.state.borrow_mut().chosen.take();
        if let Some((opened, is_added)) = chosen {
            self.load(opened, is_added, keep);
        }
    }

    /// Has workers read files.
    fn load(&self, opened: Vec<Opened>, is_added: bool, keep: Keep) {
        let is_cancelled = self.with_app(App::is_cancelled);
        let files = opened.iter().map(|opened| opened.info.clone()).collect();
        self.send(Event::Choose(None));
        self.send(Event::Open { files, is_added });
        let mut state = self.state.borrow_mut();
        state.began_ms = Date::now();
        for Opened { file, info, is_whole, .. } in opened {
            for part in 0..info.parts {
                let border = |part: usize| {
                    // A part of the file's length, which is below 2⁵³.
                    info.len / info.parts as u64 * part as u64
                };
                let end = if part + 1 == info.parts { info.len } else { border(part + 1) };
                let number = state.part_count;
                let worker = &state.workers[number % state.workers.len()];
                let message = ToWorker::Load {
                    epoch: state.epoch,
                    part: number,
                    file: info.name.clone(),
                    start: border(part),
                    end,
                    is_whole,
                    keep,
                };
                post(worker, &message, Some(&file));
                state.part_count += 1;
            }
        }
        drop(state);
        // A cancellation before the load was heard by nobody: it is said again.
        if is_cancelled {
            self.cancel();
        }
    }

    /// Starts a worker, in place of the one before if there is one.
    fn start_worker(&self, place: usize) -> Result<(), JsValue> {
        let url = self.state.borrow().worker_url.clone();
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&url, &options)?;
        let page = self.clone();
        // Messages wait until the worker listens: it says so with its first word.
        listen(&worker, "message", move |event: MessageEvent| page.receive(place, &event))?;
        let page = self.clone();
        // A script that cannot be loaded says so without words.
        listen(&worker, "error", move |event: web_sys::Event| page.lose_worker(place, &event))?;
        let mut state = self.state.borrow_mut();
        match state.workers.get_mut(place) {
            Some(slot) => {
                slot.terminate();
                *slot = worker;
                state.ready[place] = false;
            }
            None => {
                state.workers.push(worker);
                state.ready.push(false);
            }
        }
        Ok(())
    }

    /// Makes a worker fail.
    pub(super) fn fail_worker(&self) {
        post(&self.state.borrow().workers[0], &ToWorker::Fail, None);
    }

    /// A worker has failed, and with it the packets that it held.
    fn lose_worker(&self, place: usize, event: &JsValue) {
        let message = Reflect::get(event, &"message".into()).ok().and_then(|text| text.as_string());
        let reason = message.unwrap_or_else(|| "its script cannot be loaded".to_owned());
        self.begin_epoch();
        self.send(Event::Fail(format!("A part of the viewer has failed: {reason}")));
        // One that never started would not start the next time.
        let was_ready = self.state.borrow().ready[place];
        if was_ready {
            let restarted = self.start_worker(place);
            debug_assert!(restarted.is_ok());
        }
    }

    fn receive(&self, place: usize, event: &MessageEvent) {
        let message: Array = event.data().unchecked_into();
        let bytes: Uint8Array = message.get(0).unchecked_into();
        let current = self.state.borrow().epoch;
        match decode(&bytes.to_vec()) {
            Some(FromWorker::Ready) => self.state.borrow_mut().ready[place] = true,
            Some(FromWorker::Report { epoch, part, report }) if epoch == current => {
                let elapsed_ms = Date::now() - self.state.borrow().began_ms;
                self.send(Event::Report { part, report, elapsed_ms });
                if self.with_app(App::is_hopeless) {
                    let state = self.state.borrow();
                    state.workers.iter().for_each(|worker| post(worker, &ToWorker::Cancel, None));
                }
                self.follow_offsets();
            }
            Some(FromWorker::Learn { epoch, part, news }) if epoch == current => {
                self.send(Event::Learn { part, news });
            }
            Some(FromWorker::Answers { epoch, answers }) if epoch == current => {
                self.send(Event::Answers(answers));
            }
            Some(FromWorker::Line { epoch, line }) if epoch == current => {
                self.send(Event::Line(line));
            }
            Some(FromWorker::Exported { epoch, parts }) if epoch == current => {
                self.collect(&parts, &message.get(1).unchecked_into());
            }
            _ => {}
        }
    }

    /// Once all is read, asks the browser how its clock stands to UTC.
    fn follow_offsets(&self) {
        let extent = self
            .with_app(|app| (app.phase() == Phase::Ready).then(|| app.totals().extent).flatten());
        if let Some(extent) = extent {
            self.send(Event::SetOffsets(offsets(extent.ts_ns)));
        }
    }

    /// A promise of the selected packets' lines, as one file.
    pub(super) fn export(&self) -> Promise {
        let promise =
            Promise::new(&mut |resolve, _| self.state.borrow_mut().export_waiting.push(resolve));
        let mut state = self.state.borrow_mut();
        if state.export_waiting.len() == 1 {
            state.exported.clear();
            state.export_missing = state.workers.len();
            state.workers.iter().for_each(|worker| post(worker, &ToWorker::Export, None));
        }
        promise
    }

    fn collect(&self, parts: &[usize], blobs: &Array) {
        let mut state = self.state.borrow_mut();
        state.exported.extend(parts.iter().copied().zip(blobs.iter()));
        state.export_missing = state.export_missing.saturating_sub(1);
        if 0 < state.export_missing {
            return;
        }
        let pieces: Array = std::mem::take(&mut state.exported).into_values().collect();
        let waiting = std::mem::take(&mut state.export_waiting);
        drop(state);
        let is_whole = pieces.iter().all(|piece| !piece.is_null());
        match Blob::new_with_blob_sequence(&pieces) {
            Ok(blob) if is_whole => {
                for resolve in waiting {
                    let _ = resolve.call1(&JsValue::NULL, &blob);
                }
            }
            _ => self.send(Event::Refuse("The file cannot be read again.".into())),
        }
    }

    pub(super) fn document(&self) -> Document {
        self.state.borrow().document.clone()
    }

    /// Draws with the next frame of the screen, however many changes there are until then.
    pub(super) fn schedule_frame(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().is_frame_due, true) {
            return;
        }
        let page = self.clone();
        let frame = Closure::once_into_js(move || {
            page.state.borrow_mut().is_frame_due = false;
            let drawn = page.state.borrow_mut().draw();
            debug_assert!(drawn.is_ok());
            let is_whole = drawn.unwrap_or(true);
            let waiting = {
                let mut state = page.state.borrow_mut();
                let [seen, settled] = [state.app.is_current(), state.app.is_settled()];
                let kept = [seen, settled && is_whole];
                let waiting = kept.into_iter().zip(&mut state.waiting).filter(|(kept, _)| *kept);
                let waiting: Vec<_> = waiting.flat_map(|(_, all)| std::mem::take(all)).collect();
                drop(state);
                if settled && !is_whole {
                    page.schedule_frame();
                }
                waiting
            };
            for resolve in waiting {
                let _ = resolve.call0(&JsValue::NULL);
            }
        });
        if let Some(window) = web_sys::window() {
            let _ = window.request_animation_frame(frame.unchecked_ref());
        }
    }
}

fn post(worker: &Worker, message: &ToWorker, file: Option<&Blob>) {
    let parts = Array::of1(&Uint8Array::from(&encode(message)[..]));
    if let Some(file) = file {
        parts.push(file);
    }
    let sent = worker.post_message(&parts);
    debug_assert!(sent.is_ok());
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a file's size")]
fn size(file: &Blob) -> u64 {
    file.size() as u64
}

/// Memory that packets may take: as much as the workers can have, of half of what the device has,
/// where the browser tells that.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few GiB")]
fn memory_limit(window: &web_sys::Window, workers: usize) -> u64 {
    let all = workers as u64 * WORKER_BYTES;
    // Told up to 8 GiB only, so that is no limit.
    let device = Reflect::get(&window.navigator(), &"deviceMemory".into());
    match device.ok().and_then(|gibibytes| gibibytes.as_f64()) {
        Some(gibibytes) if gibibytes < 8.0 => all.min((gibibytes * 536_870_912.0) as u64),
        _ => all,
    }
}

/// How far the clock of this place is ahead of UTC from the first to the last of these times.
fn offsets((first_ns, last_ns): (i64, i64)) -> Offsets {
    const MINUTE_NS: i64 = 60_000_000_000;
    const STEPS: i64 = 400;
    let at = |minute: i64| {
        let date = Date::new(&JsValue::from_f64(minute as f64 * 60e3));
        crate::axis::whole(-date.get_timezone_offset() * 60.0)
    };
    let (first, last) = (first_ns.div_euclid(MINUTE_NS), last_ns.div_euclid(MINUTE_NS) + 1);
    let mut all = vec![(first_ns, at(first))];
    let step = (last - first) / STEPS + 1;
    let mut minute = first;
    while minute < last {
        let next = (minute + step).min(last);
        if at(minute) != at(next) {
            // The minute from which on it is another.
            let (mut low, mut high) = (minute, next);
            while 1 < high - low {
                let middle = i64::midpoint(low, high);
                if at(middle) == at(minute) { low = middle } else { high = middle }
            }
            all.push((high * MINUTE_NS, at(high)));
        }
        minute = next;
    }
    Offsets(all)
}

async fn first_bytes(file: &Blob) -> Result<Vec<u8>, JsValue> {
    let start = file.slice_with_f64_and_f64(0.0, START_LEN)?;
    let bytes = JsFuture::from(start.array_buffer()).await?;
    Ok(Uint8Array::new(&bytes).to_vec())
}

async fn fetch(url: &str, signal: &AbortSignal) -> Result<Blob, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let page = Url::new(&window.location().href()?)?;
    let target = Url::new_with_base(url, &page.href())?;
    if target.origin() != page.origin() {
        return Err("it is of another origin".into());
    }
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    let response = window.fetch_with_str_and_init(&target.href(), &init);
    let response: Response = JsFuture::from(response).await?.dyn_into()?;
    if !response.ok() {
        return Err(format!("the server says {}", response.status()).into());
    }
    JsFuture::from(response.blob()?).await?.dyn_into()
}
