//! The page: its state, its workers, and the files they read. `controls` sends it events, `show`
//! draws its frames.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array, Uint32Array};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, AbortSignal, Blob, Document, File, HtmlCanvasElement, MessageEvent,
    RequestInit, Response, Url, Worker, WorkerOptions, WorkerType,
};

use super::canvas::Canvas;
use super::dom::{element, listen};
use super::worker::words;
use crate::app::{App, Ask, Chart, Event};
use crate::load;
use crate::message::{FromWorker, ToWorker};
use crate::query::Answer;

/// More workers would share the same disk and memory.
const MAX_WORKERS: usize = 8;
/// A file below this is read by one worker, in bytes.
const MIN_SPLIT_LEN: f64 = 2_097_152.0;
/// The page; clones are the same page.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) state: Rc<RefCell<State>>,
}

pub(super) struct State {
    pub(super) app: App,
    pub(super) document: Document,
    workers: Vec<Worker>,
    /// Workers of the load that is shown.
    part_count: usize,
    /// Counts the loads: what belongs to an earlier one is passed over.
    epoch: u32,
    pub(super) histogram: Canvas,
    pub(super) scatter: Canvas,
    is_frame_due: bool,
    /// Who waits for the pictures to be final.
    waiting: Vec<Function>,
    /// Which workers have started.
    ready: Vec<bool>,
    worker_url: String,
    /// Stops what is being fetched.
    fetching: Option<AbortController>,
    /// The gesture on the scatter, and where it began.
    pub(super) gesture: Option<(Gesture, (f64, f64))>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Gesture {
    Pan,
    /// From this corner.
    Box((f64, f64)),
}

impl Page {
    pub(super) fn start(worker_url: &str) -> Result<Self, JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        let document = window.document().ok_or("no document")?;
        let state = State {
            app: App::default(),
            workers: Vec::new(),
            part_count: 0,
            epoch: 0,
            histogram: Canvas::new(element(&document, "histogram")?)?,
            scatter: Canvas::new(element(&document, "scatter")?)?,
            is_frame_due: false,
            waiting: Vec::new(),
            ready: Vec::new(),
            worker_url: worker_url.to_owned(),
            fetching: None,
            gesture: None,
            document,
        };
        let page = Self { state: Rc::new(RefCell::new(state)) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few cores")]
        let cores = window.navigator().hardware_concurrency() as usize;
        for part in 0..cores.clamp(1, MAX_WORKERS) {
            page.start_worker(part)?;
        }
        page.listen_to_files()?;
        page.listen_to_controls()?;
        page.listen_to_scatter()?;
        page.follow_theme(&window)?;
        page.follow_sizes()?;
        page.schedule_frame();
        Ok(page)
    }

    /// Changes the state, asks the workers what it needs, and draws soon.
    pub(super) fn send(&self, event: Event) {
        let asks = self.state.borrow_mut().app.update(event);
        self.ask(&asks);
        self.schedule_frame();
    }

    pub(super) fn with_app<T>(&self, read: impl FnOnce(&App) -> T) -> T {
        read(&self.state.borrow().app)
    }

    /// Kept when the pictures are final and drawn.
    pub(super) fn settled(&self) -> Promise {
        let promise = Promise::new(&mut |resolve, _| self.state.borrow_mut().waiting.push(resolve));
        self.schedule_frame();
        promise
    }

    pub(super) fn cancel(&self) {
        self.send(Event::Cancel);
        let state = self.state.borrow();
        if let Some(fetching) = &state.fetching {
            fetching.abort();
        }
        for worker in &state.workers {
            post(worker, &ToWorker::Cancel, None);
        }
    }

    /// Opens a file or a list of one.
    pub(super) fn open(&self, files: &JsValue) {
        let files: Vec<File> = match files.dyn_ref::<File>() {
            Some(file) => vec![file.clone()],
            None if files.is_object() => {
                Array::from(files).iter().filter_map(|file| file.dyn_into().ok()).collect()
            }
            None => Vec::new(),
        };
        match &files[..] {
            [] => self.send(Event::Refuse("That is no file.".into())),
            [file] => self.load(file.clone().into(), file.name()),
            files => self.send(Event::Refuse(format!(
                "{} files at once: open one capture at a time.",
                files.len()
            ))),
        }
    }

    /// Opens a capture that the same server has.
    pub(super) fn open_url(&self, url: &str) {
        let epoch = self.begin_epoch();
        let (page, url) = (self.clone(), url.to_owned());
        let Ok(abort) = AbortController::new() else { return };
        let signal = abort.signal();
        self.state.borrow_mut().fetching = Some(abort);
        self.send(Event::Open { name: url.clone(), len: 0, parts: 0 });
        spawn_local(async move {
            let fetched = fetch(&url, &signal).await;
            if page.state.borrow().epoch != epoch {
                return;
            }
            match fetched {
                _ if page.with_app(App::is_cancelled) => {
                    page.send(Event::Fail(format!("“{url}” was cancelled.")));
                }
                Ok(blob) => page.load(blob, url),
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
        if let Some(fetching) = state.fetching.take() {
            fetching.abort();
        }
        for worker in &state.workers {
            post(worker, &ToWorker::Forget { epoch: state.epoch }, None);
        }
        state.epoch
    }

    fn load(&self, file: Blob, name: String) {
        let epoch = self.begin_epoch();
        let page = self.clone();
        let len = file.size();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a file's size"
        )]
        let bytes = len as u64;
        // How many parts there will be, its first bytes tell.
        self.send(Event::Open { name: name.clone(), len: bytes, parts: 0 });
        spawn_local(async move {
            let start = first_bytes(&file).await;
            if page.state.borrow().epoch != epoch {
                return;
            }
            match start {
                Ok(_) if bytes == 0 => page.send(Event::Fail(format!("“{name}” is empty."))),
                Ok(start) => page.load_parts(&file, name, bytes, load::is_lines(&start)),
                Err(error) => {
                    page.send(Event::Fail(format!("“{name}” cannot be read: {}", words(&error))));
                }
            }
        });
    }

    /// Has workers read a file: all of them one of lines, one of them any other.
    fn load_parts(&self, file: &Blob, name: String, bytes: u64, is_lines: bool) {
        let is_cancelled = self.with_app(App::is_cancelled);
        let is_whole = !is_lines || file.size() < MIN_SPLIT_LEN;
        let part_count = if is_whole { 1 } else { self.state.borrow().workers.len() };
        self.state.borrow_mut().part_count = part_count;
        self.send(Event::Open { name, len: bytes, parts: part_count });
        let state = self.state.borrow();
        for (part, worker) in state.workers.iter().enumerate().take(part_count) {
            let border = |part: usize| bytes * part as u64 / part_count as u64;
            let (start, end) = (border(part), border(part + 1));
            post(worker, &ToWorker::Load { epoch: state.epoch, start, end, is_whole }, Some(file));
        }
        drop(state);
        // A cancellation before the load was heard by nobody: it is said again.
        if is_cancelled {
            self.cancel();
        }
    }

    fn ask(&self, asks: &[Ask]) {
        let state = self.state.borrow();
        for Ask { id, query } in asks {
            for worker in state.workers.iter().take(state.part_count) {
                post(worker, &ToWorker::Ask { id: *id, query: *query }, None);
            }
        }
    }

    /// Starts the worker of that part, in place of the one before if there is one.
    fn start_worker(&self, part: usize) -> Result<(), JsValue> {
        let url = self.state.borrow().worker_url.clone();
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&url, &options)?;
        let page = self.clone();
        // Messages wait until the worker listens: it says so with its first word.
        listen(&worker, "message", move |event: MessageEvent| page.receive(part, &event))?;
        let page = self.clone();
        // A script that cannot be loaded says so without words.
        listen(&worker, "error", move |event: web_sys::Event| page.lose_worker(part, &event))?;
        let mut state = self.state.borrow_mut();
        match state.workers.get_mut(part) {
            Some(slot) => {
                slot.terminate();
                *slot = worker;
                state.ready[part] = false;
            }
            None => {
                state.workers.push(worker);
                state.ready.push(false);
            }
        }
        Ok(())
    }

    /// A worker has failed, and with it the packets that it held.
    fn lose_worker(&self, part: usize, event: &JsValue) {
        let message = Reflect::get(event, &"message".into()).ok().and_then(|text| text.as_string());
        let reason = message.unwrap_or_else(|| "its script cannot be loaded".to_owned());
        self.begin_epoch();
        self.send(Event::Fail(format!("A part of the viewer has failed: {reason}")));
        // One that never started would not start the next time.
        let was_ready = self.state.borrow().ready[part];
        if was_ready {
            let restarted = self.start_worker(part);
            debug_assert!(restarted.is_ok());
        }
    }

    fn receive(&self, part: usize, event: &MessageEvent) {
        let message: Array = event.data().unchecked_into();
        let text = message.get(0).as_string().unwrap_or_default();
        let current = self.state.borrow().epoch;
        match serde_json::from_str(&text) {
            Ok(FromWorker::Ready) => self.state.borrow_mut().ready[part] = true,
            Ok(FromWorker::Report { epoch, report }) if epoch == current => {
                self.send(Event::Report { part, report });
                let state = self.state.borrow();
                if state.app.is_hopeless() {
                    state.workers.iter().for_each(|worker| post(worker, &ToWorker::Cancel, None));
                }
            }
            Ok(FromWorker::Answer { epoch, id, answer }) if epoch == current => {
                let answer = match answer {
                    Answer::Density(_) => {
                        Answer::Density(message.get(1).unchecked_into::<Uint32Array>().to_vec())
                    }
                    answer => answer,
                };
                self.send(Event::Answer { id, part, answer });
            }
            _ => {}
        }
    }

    pub(super) fn document(&self) -> Document {
        self.state.borrow().document.clone()
    }

    pub(super) fn canvas(&self, chart: Chart) -> HtmlCanvasElement {
        let state = self.state.borrow();
        match chart {
            Chart::Histogram => state.histogram.element().clone(),
            Chart::Scatter => state.scatter.element().clone(),
        }
    }

    /// Draws with the next frame of the screen, however many changes there are until then.
    fn schedule_frame(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().is_frame_due, true) {
            return;
        }
        let page = self.clone();
        let frame = Closure::once_into_js(move || {
            page.state.borrow_mut().is_frame_due = false;
            let drawn = page.state.borrow().draw();
            debug_assert!(drawn.is_ok());
            let waiting = {
                let mut state = page.state.borrow_mut();
                let is_settled = state.app.is_settled();
                if is_settled { std::mem::take(&mut state.waiting) } else { Vec::new() }
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
    let Ok(text) = serde_json::to_string(message) else { return };
    let parts = Array::of1(&text.into());
    if let Some(file) = file {
        parts.push(file);
    }
    let sent = worker.post_message(&parts);
    debug_assert!(sent.is_ok());
}

async fn first_bytes(file: &Blob) -> Result<Vec<u8>, JsValue> {
    let start = file.slice_with_f64_and_f64(0.0, 8.0)?;
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
