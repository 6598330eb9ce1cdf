//! The page: owns the app, the workers and the renderer. Events go into the app, effects to the
//! workers, their messages back into the app, and the result is drawn with the next frame.
//!
//! `controls` and `open` call this module, which does not depend on them.

mod effects;
mod frames;
mod workers;

use js_sys::{Array, Date, Function, Promise};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::Document;

use super::address::Visit;
use super::connection::ConnectionPanel;
use super::environment::{self, set_timeout};
use super::export::{Exports, Resolvers};
use super::follow::Following;
use super::probe_queue::ProbeQueue;
use super::probes::Probes;
use super::refresh::RefreshTimer;
use super::render::Renderer;
use super::served_connection::ServedConnection;
use super::visibility::VisibilityObserver;
use super::waiters::Waiters;
use super::worker_pool::WorkerPool;
use crate::app::{App, Event, FollowEvent, Memory};
use crate::load::ExportFormat;
use crate::message::ToWorker;

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
    served_connection: ServedConnection,
    following: Option<Following>,
    refresh: RefreshTimer,
    /// Counts the loads. Messages of earlier loads are ignored.
    epoch: u32,
    is_frame_scheduled: bool,
    /// When the last frame was drawn.
    drawn_ms: f64,
    /// A frame follows if the last one is outdated then.
    is_update_scheduled: bool,
    /// Something has changed since the last frame.
    is_outdated: bool,
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
            served_connection: ServedConnection::default(),
            following: None,
            refresh: RefreshTimer::default(),
            epoch: 0,
            is_frame_scheduled: false,
            drawn_ms: 0.0,
            is_update_scheduled: false,
            is_outdated: false,
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
        self.apply(event);
        self.schedule_frame();
    }

    /// Updates the app and carries out the effects, without a frame: nothing that is drawn changes.
    pub(super) fn apply(&self, event: Event) {
        if event.is_change() {
            self.note_interaction();
        }
        let mut state = self.state.borrow_mut();
        let effects = state.app.update(event);
        for effect in effects {
            state.run(effect);
        }
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
        let is_behind = self.with_app(App::is_behind);
        let delay_ms = self.state.borrow_mut().refresh.schedule(is_behind);
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
            page.apply(Event::Follow(FollowEvent::Refresh));
            page.apply_utc_offsets();
            // The frame waits for the answers that the charts in sight need.
            if page.with_app(App::is_current) {
                page.schedule_frame();
            }
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
}
