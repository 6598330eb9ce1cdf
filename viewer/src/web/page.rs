//! The page: owns the app, the workers and the renderer. Events go into the app, effects to the
//! workers, their messages back into the app, and the result is drawn with the next frame.
//!
//! `controls` and `open` call this module, which does not depend on them.

use js_sys::{Array, Date, Function, Promise, Uint8Array};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, Document, HtmlCanvasElement, MessageEvent};

use super::address::Visit;
use super::connection::ConnectionPanel;
use super::dom::log_error;
use super::environment::{self, set_timeout};
use super::export::{Exports, Resolvers};
use super::follow::Following;
use super::probe_queue::ProbeQueue;
use super::probes::Probes;
use super::refresh::RefreshTimer;
use super::render::Renderer;
use super::served_packets;
use super::visibility::VisibilityObserver;
use super::waiters::{Wait, Waiters};
use super::worker_pool::{SERVER_GONE, Status, WorkerPool, failure_text};
use crate::app::{App, Append, Effect, Event, FollowEvent, Memory, Panel, PartAssignment, Phase};
use crate::load::{ExportFormat, FileProbe, Limits, RawFrame};
use crate::message::{FromWorker, ToWorker};
use crate::wire::decode;

/// Two changes within this time are part of an interaction, in milliseconds.
const INTERACTION_MS: f64 = 300.0;
/// An interaction ends this long after its last change, in milliseconds.
const DEBOUNCE_MS: i32 = 120;

/// A handle to the page; clones refer to the same page.
#[derive(Clone)]
pub(super) struct Page {
    state: Rc<RefCell<State>>,
}

struct State {
    app: App,
    document: Document,
    workers: WorkerPool,
    /// The number of workers that run once a file is opened.
    worker_count: usize,
    probes: Probes,
    renderer: Renderer,
    queue: ProbeQueue,
    exports: Exports,
    /// Returns a promise of the exports of `follow.js`.
    load_follow: Function,
    connection: ConnectionPanel,
    following: Option<Following>,
    refresh: RefreshTimer,
    /// Counts the loads. Messages of earlier loads are ignored.
    epoch: u32,
    is_frame_scheduled: bool,
    waiters: Waiters,
    /// `None` until observation starts.
    visibility: Option<VisibilityObserver>,
    memory: Memory,
    /// When the current load started; `None` if nothing is being read.
    load_started_ms: Option<f64>,
    /// When the user last changed something.
    changed_ms: f64,
}

impl Page {
    /// Takes over the document. The JavaScript function `new_worker` starts a worker, `inspect` shows a
    /// packet in the inspector, `connect` calls a method of the view of connections, and `load_follow` returns
    /// a promise of the exports of `follow.js`.
    pub(super) fn start(
        new_worker: Function,
        inspect: Function,
        connect: Function,
        load_follow: Function,
    ) -> Result<Self, JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        let document = window.document().ok_or("no document")?;
        let workers = environment::worker_count(&window);
        let state = State {
            app: App::new(workers),
            workers: WorkerPool::new(new_worker),
            worker_count: workers,
            probes: Probes::default(),
            renderer: Renderer::new(&document, inspect)?,
            queue: ProbeQueue::default(),
            exports: Exports::default(),
            load_follow,
            connection: ConnectionPanel::new(connect),
            following: None,
            refresh: RefreshTimer::default(),
            epoch: 0,
            is_frame_scheduled: false,
            waiters: Waiters::default(),
            visibility: None,
            memory: environment::memory(&window, workers),
            load_started_ms: None,
            changed_ms: 0.0,
            document,
        };
        let page = Self { state: Rc::new(RefCell::new(state)) };
        page.state.borrow_mut().connection.listen(&page);
        page.schedule_frame();
        Ok(page)
    }

    pub(super) fn document(&self) -> Document {
        self.state.borrow().document.clone()
    }

    /// Reads the app. `read` must not call the page.
    pub(super) fn with_app<T>(&self, read: impl FnOnce(&App) -> T) -> T {
        read(&self.state.borrow().app)
    }

    /// Uses the queue of files being opened. `use_queue` must not call the page.
    pub(super) fn with_queue<T>(&self, use_queue: impl FnOnce(&mut ProbeQueue) -> T) -> T {
        use_queue(&mut self.state.borrow_mut().queue)
    }

    /// Updates the app, carries out the effects and schedules a frame.
    pub(super) fn send(&self, event: Event) {
        if event.is_change() {
            self.note_interaction();
        }
        let mut state = self.state.borrow_mut();
        let effects = state.app.update(event);
        for effect in effects {
            state.run(effect);
        }
        drop(state);
        self.schedule_frame();
    }

    /// A promise of the exports of `follow.js`.
    pub(super) fn load_follow(&self) -> Result<JsValue, JsValue> {
        let load = self.state.borrow().load_follow.clone();
        load.call0(&JsValue::NULL)
    }

    /// Sets or removes the source that is being followed.
    pub(super) fn set_following(&self, following: Option<Following>) {
        let previous = std::mem::replace(&mut self.state.borrow_mut().following, following);
        drop(previous);
    }

    /// Uses the source that is being followed. `use_following` must not call the page.
    pub(super) fn with_following(&self, use_following: impl FnOnce(&mut Following)) {
        self.state.borrow_mut().following.as_mut().map(use_following);
    }

    /// The followed source was read further: lets the connection go on, and refreshes the charts in a while.
    fn on_growth(&self) {
        if self.with_app(App::wants_bytes) {
            self.with_following(Following::resume);
        }
        let delay_ms = self.state.borrow_mut().refresh.schedule();
        if let Some(delay_ms) = delay_ms {
            self.refresh_after(delay_ms);
        }
    }

    /// Shows the packets that were read, after this time and once no query is in flight.
    fn refresh_after(&self, delay_ms: i32) {
        let page = self.clone();
        set_timeout(delay_ms, move || {
            if !page.with_app(App::is_idle) {
                return page.refresh_after(RefreshTimer::postpone());
            }
            page.state.borrow_mut().refresh.begin();
            page.send(Event::Follow(FollowEvent::Refresh));
            page.update_utc_offsets();
            let state = &*page.state.borrow();
            state.following.iter().for_each(|following| following.show(&state.app));
        });
    }

    /// Follows the browser's history: undoes or redoes the steps up to the entry that it went to.
    pub(super) fn visit_entry(&self, hash: &str) {
        let visit = self.state.borrow_mut().renderer.visit();
        let depth = || self.with_app(App::history_depth);
        if let Visit::GoTo(target) = visit {
            while target < depth() {
                self.send(Event::Undo);
            }
            // At most as many steps as there are to redo.
            let mut before = usize::MAX;
            while depth() < target && depth() != before {
                before = depth();
                self.send(Event::Redo);
            }
        }
        if visit == Visit::Restore || matches!(visit, Visit::GoTo(target) if target != depth()) {
            self.send(Event::RestoreLink(hash.to_owned()));
            let depth = depth();
            self.state.borrow_mut().renderer.restored(depth);
        }
        self.schedule_frame();
    }

    /// Notes a change by the user. During a series of changes, panels out of sight are not updated.
    fn note_interaction(&self) {
        let now_ms = Date::now();
        let mut state = self.state.borrow_mut();
        let previous_ms = std::mem::replace(&mut state.changed_ms, now_ms);
        if state.app.is_interacting() || INTERACTION_MS <= now_ms - previous_ms {
            return;
        }
        drop(state);
        self.send(Event::Interacting(true));
        self.debounce();
    }

    /// Ends the interaction once there was no change for [`DEBOUNCE_MS`].
    fn debounce(&self) {
        let page = self.clone();
        set_timeout(DEBOUNCE_MS / 2, move || {
            let changed_ms = page.state.borrow().changed_ms;
            if Date::now() - changed_ms < f64::from(DEBOUNCE_MS) {
                return page.debounce();
            }
            page.send(Event::Interacting(false));
        });
    }

    /// The memory that packets may take.
    pub(super) fn memory(&self) -> Memory {
        self.state.borrow().memory
    }

    /// Limits the memory that packets may take, in bytes.
    pub(super) fn limit_memory(&self, bytes: u64) {
        self.state.borrow_mut().memory.bytes = bytes;
    }

    // Loads

    /// The number of the current load.
    pub(super) fn epoch(&self) -> u32 {
        self.state.borrow().epoch
    }

    /// Starts a new load and returns its number: everything of earlier ones is dropped.
    pub(super) fn begin_epoch(&self) -> u32 {
        let mut state = self.state.borrow_mut();
        let epoch = state.epoch.wrapping_add(1);
        state.epoch = epoch;
        state.queue = ProbeQueue::default();
        state.load_started_ms = None;
        state.following = None;
        state.workers.post_all(&ToWorker::Reset { epoch });
        state.probes.cancel_all();
        let cancelled = state.exports.cancel_all();
        drop(state);
        for promise in cancelled {
            promise.settle(Err("the capture was closed"));
        }
        epoch
    }

    pub(super) fn close(&self) {
        self.begin_epoch();
        self.send(Event::Close);
    }

    // Workers

    pub(super) fn worker_count(&self) -> usize {
        self.state.borrow().worker_count
    }

    fn start_worker(&self, index: usize) -> Result<(), JsValue> {
        let (on_message, on_error) = (self.clone(), self.clone());
        self.state.borrow_mut().workers.start(
            index,
            move |event| on_message.receive(index, &event),
            move |event| on_error.lose_worker(index, &event),
        )
    }

    /// Starts the workers that do not run: before the first file, all of them, and later those whose script
    /// could not be loaded.
    pub(super) fn start_workers(&self) {
        let stopped = {
            let state = self.state.borrow();
            let unused = state.workers.len()..state.worker_count;
            state.workers.failed().into_iter().chain(unused)
        };
        for index in stopped {
            log_error(self.start_worker(index));
        }
    }

    /// Lets a worker probe a file.
    ///
    /// # Errors
    ///
    /// Why the file cannot be read.
    pub(super) async fn probe(&self, file: &Blob) -> Result<FileProbe, String> {
        let pending = {
            let state = &mut *self.state.borrow_mut();
            let (id, pending) = state.probes.begin();
            state.workers.post(0, &ToWorker::Probe { id }, Some(file));
            pending
        };
        pending.result().await
    }

    fn on_probe(&self, id: u32, result: Result<FileProbe, String>) {
        self.state.borrow_mut().probes.complete(id, result);
    }

    /// Makes a worker panic, for tests.
    pub(super) fn fail_worker(&self) {
        self.state.borrow().workers.post(0, &ToWorker::SimulateFailure, None);
    }

    /// Reports that a worker failed, and with it the packets that it held.
    fn lose_worker(&self, index: usize, event: &web_sys::Event) {
        let previous = self.state.borrow_mut().workers.set_status(index, Status::Failed);
        if previous == Status::Starting && self.with_app(App::phase) == Phase::Error {
            // The scripts of all workers fail to load. The first error has the reason.
            return;
        }
        let is_incomplete = previous == Status::Starting && self.with_app(App::is_following);
        self.begin_epoch();
        let text = if is_incomplete { SERVER_GONE.to_owned() } else { failure_text(event) };
        self.send(Event::OpenFailed(text));
        // Restarting a worker whose script could not be loaded waits until the next file is opened.
        if previous == Status::Ready {
            log_error(self.start_worker(index));
        }
    }

    fn receive(&self, index: usize, event: &MessageEvent) {
        let message: Array = event.data().unchecked_into();
        let bytes: Uint8Array = message.get(0).unchecked_into();
        let current = self.epoch();
        match decode(&bytes.to_vec()) {
            Some(FromWorker::Ready) => {
                self.state.borrow_mut().workers.set_status(index, Status::Ready);
            }
            Some(FromWorker::Report { epoch, part, report }) if epoch == current => {
                let started_ms = self.state.borrow().load_started_ms;
                let elapsed_ms = started_ms.map_or(0.0, |started_ms| Date::now() - started_ms);
                self.send(Event::Report { part, report, elapsed_ms });
                if self.with_app(|app| app.phase() != Phase::Loading) {
                    self.state.borrow_mut().load_started_ms = None;
                }
                if self.with_app(App::is_following) {
                    self.on_growth();
                } else {
                    self.update_utc_offsets();
                }
            }
            Some(FromWorker::RunRecords { epoch, lines }) if epoch == current => {
                self.with_following(|following| following.add_records(lines));
            }
            Some(FromWorker::FlowDelta { epoch, part, delta }) if epoch == current => {
                self.send(Event::FlowDelta { part, delta });
            }
            Some(FromWorker::Answers { epoch, answers }) if epoch == current => {
                self.send(Event::Answers(answers));
                if self.with_app(App::is_idle) {
                    self.state.borrow_mut().refresh.finish();
                }
            }
            Some(FromWorker::Record { epoch, part, index, line, frame }) if epoch == current => {
                self.show_record((part, index), line, frame);
            }
            Some(FromWorker::OtherFields { epoch, texts }) if epoch == current => {
                self.send(Event::OtherFields(texts));
            }
            Some(FromWorker::Probed { id, probe }) => self.on_probe(id, Ok(probe)),
            Some(FromWorker::ProbeFailed { id, error }) => self.on_probe(id, Err(error)),
            Some(FromWorker::Names { epoch, names }) if epoch == current => {
                self.send(Event::Names(names));
            }
            Some(FromWorker::AppendedNames { epoch, names }) if epoch == current => {
                self.send(Event::AppendedNames(names));
            }
            Some(FromWorker::ExtraRead { epoch, part, progress }) if epoch == current => {
                self.send(Event::ExtraRead(part, progress));
            }
            Some(FromWorker::ExtraFailed { epoch, error }) if epoch == current => {
                self.send(Event::ExtraFailed(error));
            }
            Some(FromWorker::AnalysisRead { epoch, part, progress }) if epoch == current => {
                self.send(Event::AnalysisRead(part, progress));
            }
            Some(FromWorker::Findings { epoch, part }) if epoch == current => {
                let worker = self.with_app(|app| app.worker_of(part));
                let findings: JsValue = message.get(1);
                let message = ToWorker::SetFindings { epoch, part };
                self.state.borrow().workers.post(worker, &message, Some(&findings));
            }
            Some(FromWorker::Analyzed { epoch, part, error }) if epoch == current => {
                self.send(Event::Analyzed(part, error));
            }
            Some(FromWorker::Connection { epoch, id, part, read }) if epoch == current => {
                if self.with_app(|app| app.is_reading_connection(id)) {
                    let (file, name) = self.with_app(|app| app.file_of(part));
                    self.state.borrow().connection.add(file, &name, &message.get(1));
                }
                self.send(Event::ConnectionRead { id, part, read });
            }
            Some(FromWorker::Exported { id, parts }) => {
                self.collect_export(id, &parts, &message.get(1).unchecked_into());
            }
            _ => {}
        }
    }

    /// Shows a packet whose line was read, with its bytes if the sniffer that serves the page has them.
    fn show_record(&self, (part, index): (usize, usize), line: String, frame: Option<RawFrame>) {
        let has_packets = |state: &State| {
            state.app.is_following()
                && state.following.as_ref().is_some_and(|following| following.has_packets)
        };
        let number = self.with_app(|app| app.detail_number((part, index)));
        let Some(n) = number.filter(|_| frame.is_none() && has_packets(&self.state.borrow()))
        else {
            return self.send(Event::Record { part, index, line, frame });
        };
        let (page, epoch) = (self.clone(), self.epoch());
        spawn_local(async move {
            let frame = served_packets::read(n).await;
            if page.epoch() == epoch {
                page.send(Event::Record { part, index, line, frame });
            }
        });
    }

    /// Once the capture is loaded, looks up the UTC offsets for its time range.
    fn update_utc_offsets(&self) {
        let extent = self
            .with_app(|app| (app.phase() == Phase::Ready).then(|| app.totals().extent).flatten());
        if let Some(extent) = extent {
            self.send(Event::SetOffsets(environment::utc_offsets(extent.ts_ns)));
        }
    }

    // Export

    /// A promise of the selected packets, as a `Blob`.
    pub(super) fn export(&self, format: ExportFormat) -> Promise {
        self.start_workers();
        let (preceding, selection) =
            self.with_app(|app| (app.preceding(), app.selection().clone()));
        Promise::new(&mut |resolve, reject| {
            let state = &mut *self.state.borrow_mut();
            let id = state.exports.begin(state.workers.len(), Resolvers { resolve, reject });
            let (preceding, selection) = (preceding.clone(), selection.clone());
            state.workers.post_all(&ToWorker::Export { id, format, preceding, selection });
        })
    }

    fn collect_export(&self, id: u32, parts: &[usize], blobs: &Array) {
        let collected = self.state.borrow_mut().exports.collect(id, parts, blobs);
        let Some((promise, file)) = collected else { return };
        if file.is_none() {
            self.send(Event::ShowError("The export failed: a file can no longer be read.".into()));
        }
        promise.settle(file.ok_or("a file can no longer be read"));
    }

    // Drawing

    /// Starts observing which panels are in the viewport.
    pub(super) fn observe_visibility(&self) -> Result<(), JsValue> {
        let page = self.clone();
        let report = move |panels: Vec<(Panel, bool)>| {
            page.state.borrow_mut().visibility.iter_mut().for_each(VisibilityObserver::set_current);
            for (panel, is_visible) in panels {
                page.send(Event::VisibilityChanged(panel, is_visible));
            }
        };
        let observer = VisibilityObserver::new(&self.document(), report)?;
        self.state.borrow_mut().visibility = Some(observer);
        Ok(())
    }

    /// A promise that resolves once the visible charts are up to date.
    pub(super) fn drawn(&self) -> Promise {
        self.promise(Wait::Visible)
    }

    /// A promise that resolves once all charts are up to date.
    pub(super) fn settled(&self) -> Promise {
        self.promise(Wait::Settled)
    }

    fn promise(&self, wait: Wait) -> Promise {
        let promise = self.state.borrow_mut().waiters.promise(wait);
        self.schedule_frame();
        promise
    }

    /// Draws with the next frame, however many changes precede it.
    pub(super) fn schedule_frame(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().is_frame_scheduled, true) {
            return;
        }
        let page = self.clone();
        let frame = Closure::once_into_js(move || page.draw_frame());
        if let Some(window) = web_sys::window() {
            log_error(window.request_animation_frame(frame.unchecked_ref()));
        }
    }

    fn draw_frame(&self) {
        let mut state = self.state.borrow_mut();
        state.is_frame_scheduled = false;
        let State { app, renderer, queue, .. } = &mut *state;
        // An error would be the same with the next frame.
        let is_complete = log_error(renderer.draw(app)).unwrap_or(true);
        let is_current = app.is_current();
        let is_settled = app.is_settled() && !queue.is_opening();
        // The browser measures what has just been laid out after this frame.
        if renderer.take_layout_change() {
            state.visibility.iter_mut().for_each(VisibilityObserver::restart);
        }
        if !state.visibility.as_ref().is_some_and(VisibilityObserver::is_outdated) {
            state.waiters.resolve(is_current, is_settled && is_complete);
        }
        drop(state);
        if is_settled && !is_complete {
            self.schedule_frame();
        }
    }

    /// Puts the latest changes into the address, because the page is about to be left. While changes follow each
    /// other, it is not updated.
    pub(super) fn write_link(&self) {
        self.send(Event::Interacting(false));
        self.draw_frame();
    }

    /// Resets all form controls to the settings, including the one that is being edited.
    pub(super) fn reset_controls(&self) -> Result<(), JsValue> {
        let state = self.state.borrow();
        state.renderer.show_settings(state.app.settings(), true)
    }

    /// The canvas of a chart.
    pub(super) fn canvas(&self, chart: Panel) -> HtmlCanvasElement {
        self.state.borrow().renderer.canvas(chart)
    }

    /// The index of the first visible row of a long table, the number of its rows, and how many of them
    /// fit, as last drawn.
    pub(super) fn table_position(&self, table: Panel) -> (u64, u64, usize) {
        self.state.borrow().renderer.table_position(table)
    }
}

impl State {
    fn run(&mut self, effect: Effect) {
        match effect {
            Effect::RunQueries { queries, selection } => {
                let (preceding, selection) = (self.app.preceding(), *selection);
                self.workers.post_all(&ToWorker::RunQueries { preceding, selection, queries });
            }
            // Workers without this part give up on the previous packet.
            Effect::ReadRecord { part, index } => {
                self.workers.post_all(&ToWorker::ReadRecord { part, index });
            }
            Effect::ReadOtherFields(rows) => {
                self.workers.post_all(&ToWorker::ReadOtherFields { rows });
            }
            Effect::Analyze(parts) => {
                let worker = parts.first().map_or(0, |(part, _)| self.app.worker_of(*part));
                self.workers.post(worker, &ToWorker::Analyze { parts }, None);
            }
            Effect::BeginConnection => self.connection.begin(),
            // Workers without this part give up on the previous connection.
            Effect::ReadConnection { id, part, selection, limits } => {
                let selection = *selection;
                let message = ToWorker::ReadConnection { id, part, selection, limits };
                self.workers.post_all(&message);
            }
            Effect::ShowConnection => self.connection.show(),
            Effect::ReadNames(first) => self.workers.post_all(&ToWorker::ReadNames { first }),
            Effect::Load(assignments, limits) => self.load(assignments, limits),
            Effect::Cancel => self.workers.post_all(&ToWorker::Cancel),
            Effect::Append(append) => self.append(append),
            Effect::ResendFlows => self.workers.post_all(&ToWorker::ResendFlows),
            Effect::DropBefore(part) => self.workers.post_all(&ToWorker::DropBefore { part }),
            Effect::StopFollowing(_) if self.app.phase() == Phase::Error => self.following = None,
            Effect::StopFollowing(reason) => {
                self.following.iter().for_each(|following| following.stop(reason));
            }
        }
    }

    /// Sends bytes of the followed source to a worker.
    fn append(&mut self, Append { part, worker, file, range, is_last, limits }: Append) {
        let Some(following) = &mut self.following else { return };
        // An error means that there is no memory for the bytes.
        let Some((lines, bytes)) = log_error(following.append(part, &range)) else { return };
        let message = ToWorker::Append { epoch: self.epoch, part, file, is_last, limits };
        self.workers.post_append(worker, &message, &lines, &bytes);
    }

    /// Sends the parts of the probed files to the workers.
    fn load(&mut self, assignments: Vec<PartAssignment>, limits: Limits) {
        let files = self.queue.take_probed();
        self.load_started_ms.get_or_insert_with(Date::now);
        for PartAssignment { file, name, part, worker, range, is_whole, sampling } in assignments {
            let Some(blob) = files.get(file) else { continue };
            let message = ToWorker::Load {
                epoch: self.epoch,
                part,
                file: name,
                start: range.start,
                end: range.end,
                is_whole,
                sampling,
                limits,
            };
            self.workers.post(worker, &message, Some(blob));
        }
    }
}
