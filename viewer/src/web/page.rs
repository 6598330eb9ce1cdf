//! The page: its state and its workers. `open` brings it files, `controls` sends it events, `show`
//! draws its frames.

use js_sys::{Array, Date, Function, Promise, Reflect, Uint8Array};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Document, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::canvas::Canvas;
use super::dom::{element, listen};
use super::export::Exports;
use super::open::Opening;
use crate::app::{
    App, CHART_COUNT, Effect, Event, Memory, PANEL_COUNT, Panel, Phase, View, VirtualTable,
};
use crate::clock::Offsets;
use crate::message::{FromWorker, ToWorker};
use crate::settings::Settings;
use crate::wire::{decode, encode};

/// More workers would share the same disk and memory.
const MAX_WORKERS: usize = 8;
/// A change that comes so soon after the one before is one of many, and so long after the last of them
/// nobody is in a hurry any more; in milliseconds.
const HURRY_MS: f64 = 300.0;
const REST_MS: i32 = 120;
/// Memory of a worker at most, in bytes: it cannot have more than 4 GiB, and doubles some of it.
const WORKER_BYTES: u64 = 3 << 30;

/// The page; clones are the same page.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) state: Rc<RefCell<State>>,
}

pub(super) struct State {
    pub(super) app: App,
    pub(super) document: Document,
    pub(super) workers: Vec<Worker>,
    /// Counts the loads: what belongs to an earlier one is passed over.
    pub(super) epoch: u32,
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
    /// How each worker is.
    healths: Vec<Health>,
    worker_url: String,
    pub(super) opening: Opening,
    /// What packets may take.
    pub(super) memory: Memory,
    /// When reading began of what is being read; 0 where nothing is.
    pub(super) began_ms: f64,
    /// When somebody last changed what is shown.
    changed_ms: f64,
    pub(super) exports: Exports,
}

/// How a worker is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Starting,
    Ready,
    /// It could not be started.
    Failed,
}

impl State {
    /// Says something to all workers.
    pub(super) fn post_all(&self, message: &ToWorker) {
        self.workers.iter().for_each(|worker| post(worker, message, None));
    }
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
            epoch: 0,
            canvases,
            shown: View::default(),
            shown_settings: None,
            is_frame_due: false,
            tables: Default::default(),
            waiting: Default::default(),
            healths: Vec::new(),
            worker_url: worker_url.to_owned(),
            opening: Opening::default(),
            memory: memory(&window, workers),
            began_ms: 0.0,
            changed_ms: 0.0,
            exports: Exports::default(),
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
        let mut state = self.state.borrow_mut();
        let effects = state.app.update(event);
        for effect in effects {
            match effect {
                Effect::RunQueries { queries, selection } => {
                    let befores = state.app.befores();
                    state.post_all(&ToWorker::RunQueries { befores, selection, queries });
                }
                // All of them hear it: another one may be looking for another line.
                Effect::ReadLine { part, index } => {
                    state.post_all(&ToWorker::ReadLine { part, index });
                }
                Effect::ReadLines(rows) => state.post_all(&ToWorker::ReadLines { rows }),
                Effect::Load(pieces) => state.load(pieces),
                Effect::Cancel => state.post_all(&ToWorker::Cancel),
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
        if state.app.is_interacting() || HURRY_MS <= now_ms - before_ms {
            return;
        }
        drop(state);
        self.send(Event::Interacting(true));
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
            page.send(Event::Interacting(false));
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

    pub(super) fn close(&self) {
        self.begin_epoch();
        self.send(Event::Close);
    }

    /// From now on, what belongs to earlier loads is passed over.
    pub(super) fn begin_epoch(&self) -> u32 {
        let mut state = self.state.borrow_mut();
        state.epoch = state.epoch.wrapping_add(1);
        state.opening = Opening::default();
        state.began_ms = 0.0;
        let given_up = state.exports.give_up();
        state.post_all(&ToWorker::Reset { epoch: state.epoch });
        let epoch = state.epoch;
        drop(state);
        for reject in given_up {
            // Who waited may be gone: nothing worse.
            let _ = reject.call1(&JsValue::NULL, &"something else was opened".into());
        }
        epoch
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
                state.healths[place] = Health::Starting;
            }
            None => {
                state.workers.push(worker);
                state.healths.push(Health::Starting);
            }
        }
        Ok(())
    }

    /// Makes a worker fail.
    pub(super) fn fail_worker(&self) {
        post(&self.state.borrow().workers[0], &ToWorker::SimulateFailure, None);
    }

    /// A worker has failed, and with it the packets that it held.
    fn lose_worker(&self, place: usize, event: &JsValue) {
        let message = Reflect::get(event, &"message".into()).ok().and_then(|text| text.as_string());
        let reason = message.unwrap_or_else(|| "its script cannot be loaded".to_owned());
        self.begin_epoch();
        self.send(Event::OpenFailed(format!("A part of the viewer has failed: {reason}")));
        // One that never started is tried again when something else is opened.
        let before = std::mem::replace(&mut self.state.borrow_mut().healths[place], Health::Failed);
        if before == Health::Ready {
            let restarted = self.start_worker(place);
            debug_assert!(restarted.is_ok());
        }
    }

    /// Starts those workers again that could not be started.
    pub(super) fn start_failed(&self) {
        let healths = self.state.borrow().healths.clone();
        for place in (0..healths.len()).filter(|place| healths[*place] == Health::Failed) {
            let restarted = self.start_worker(place);
            debug_assert!(restarted.is_ok());
        }
    }

    fn receive(&self, place: usize, event: &MessageEvent) {
        let message: Array = event.data().unchecked_into();
        let bytes: Uint8Array = message.get(0).unchecked_into();
        let current = self.state.borrow().epoch;
        match decode(&bytes.to_vec()) {
            Some(FromWorker::Ready) => {
                self.state.borrow_mut().healths[place] = Health::Ready;
            }
            Some(FromWorker::Report { epoch, part, report }) if epoch == current => {
                let elapsed_ms = Date::now() - self.state.borrow().began_ms;
                self.send(Event::Report { part, report, elapsed_ms });
                if self.with_app(|app| app.phase() != Phase::Loading) {
                    self.state.borrow_mut().began_ms = 0.0;
                }
                self.follow_offsets();
            }
            Some(FromWorker::FlowDelta { epoch, part, delta }) if epoch == current => {
                self.send(Event::FlowDelta { part, delta });
            }
            Some(FromWorker::Answers { epoch, answers }) if epoch == current => {
                self.send(Event::Answers(answers));
            }
            Some(FromWorker::Line { epoch, part, index, line }) if epoch == current => {
                self.send(Event::Line(part, index, line));
            }
            Some(FromWorker::Lines { epoch, lines }) if epoch == current => {
                self.send(Event::Lines(lines));
            }
            Some(FromWorker::Exported { id, parts }) => {
                self.collect(id, &parts, &message.get(1).unchecked_into());
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

pub(super) fn post(worker: &Worker, message: &ToWorker, file: Option<&Blob>) {
    let parts = Array::of1(&Uint8Array::from(&encode(message)[..]));
    if let Some(file) = file {
        parts.push(file);
    }
    let sent = worker.post_message(&parts);
    debug_assert!(sent.is_ok());
}

/// What packets may take: as much as the workers can have, of half of what the device has, where the
/// browser tells that.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few GiB")]
fn memory(window: &web_sys::Window, workers: usize) -> Memory {
    let all = workers as u64 * WORKER_BYTES;
    // Told up to 8 GiB only, so that is no limit.
    let device = Reflect::get(&window.navigator(), &"deviceMemory".into());
    let bytes = match device.ok().and_then(|gibibytes| gibibytes.as_f64()) {
        Some(gibibytes) if gibibytes < 8.0 => all.min((gibibytes * 536_870_912.0) as u64),
        _ => all,
    };
    Memory { bytes, worker_bytes: WORKER_BYTES }
}

/// How far the clock of this place is ahead of UTC in these times.
fn offsets(range_ns: (i64, i64)) -> Offsets {
    Offsets::find(range_ns, |minute| {
        let date = Date::new(&JsValue::from_f64(minute as f64 * 60e3));
        crate::axis::whole(-date.get_timezone_offset() * 60.0)
    })
}
