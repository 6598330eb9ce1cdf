//! The page: its controls send events, its frames show what the app says.

use js_sys::{Array, Function, Promise, Uint8Array, Uint32Array};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, Document, DragEvent, Element, ErrorEvent, File, FileList, HtmlAnchorElement, HtmlElement,
    HtmlInputElement, HtmlProgressElement, HtmlSelectElement, KeyboardEvent, MediaQueryList,
    MessageEvent, MouseEvent, PointerEvent, ResizeObserver, Response, Url, WheelEvent, Worker,
    WorkerOptions, WorkerType,
};

use super::canvas::Canvas;
use super::dom::{element, listen, show, show_words};
use super::worker::words;
use crate::app::{App, Ask, Chart, Event, Phase};
use crate::chart::{Bars, Size};
use crate::density::XAxis;
use crate::load;
use crate::message::{FromWorker, ToWorker};
use crate::query::Answer;
use crate::scene::Theme;

/// More workers would share the same disk and memory.
const MAX_WORKERS: usize = 8;
/// A file below this is read by one worker, in bytes.
const MIN_SPLIT_LEN: f64 = 2_097_152.0;
/// How much a wheel's notch, a key or a button zooms.
const ZOOM_STEP: f64 = 1.25;
/// How far an arrow key moves, in pixels.
const PAN_STEP: f64 = 40.0;

/// The page; clones are the same page.
#[derive(Clone)]
pub(super) struct Page {
    state: Rc<RefCell<State>>,
}

struct State {
    app: App,
    document: Document,
    workers: Vec<Worker>,
    /// Workers of the load that is shown.
    part_count: usize,
    /// Counts the loads: what belongs to an earlier one is passed over.
    epoch: u32,
    histogram: Canvas,
    scatter: Canvas,
    is_frame_due: bool,
    /// Who waits for the pictures to be final.
    waiting: Vec<Function>,
    /// The gesture on the scatter, and where the pointer was last.
    gesture: Option<(Gesture, (f64, f64))>,
}

#[derive(Clone, Copy, PartialEq)]
enum Gesture {
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
            gesture: None,
            document,
        };
        let page = Self { state: Rc::new(RefCell::new(state)) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few cores")]
        let cores = window.navigator().hardware_concurrency() as usize;
        for part in 0..cores.clamp(1, MAX_WORKERS) {
            page.start_worker(worker_url, part)?;
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
            [] => self.send(Event::Fail("That is no file.".into())),
            [file] => self.load(file.clone().into(), file.name()),
            files => self.send(Event::Fail(format!(
                "{} files at once: open one capture at a time.",
                files.len()
            ))),
        }
    }

    /// Opens a capture that the same server has.
    pub(super) fn open_url(&self, url: &str) {
        let epoch = self.begin_epoch();
        let (page, url) = (self.clone(), url.to_owned());
        self.send(Event::Open { name: url.clone(), len: 0, parts: 0 });
        spawn_local(async move {
            let fetched = fetch(&url).await;
            if page.state.borrow().epoch != epoch {
                return;
            }
            match fetched {
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
        let worker_count = self.state.borrow().workers.len();
        let part_count = if len < MIN_SPLIT_LEN { 1 } else { worker_count };
        self.state.borrow_mut().part_count = part_count;
        self.send(Event::Open { name: name.clone(), len: bytes, parts: part_count });
        spawn_local(async move {
            let start = first_bytes(&file).await;
            if page.state.borrow().epoch != epoch {
                return;
            }
            let refused = match start {
                Ok(start) => load::refusal(&name, bytes, &start),
                Err(error) => Some(format!("“{name}” cannot be read: {}", words(&error))),
            };
            if let Some(reason) = refused {
                return page.send(Event::Fail(reason));
            }
            let state = page.state.borrow();
            for (part, worker) in state.workers.iter().enumerate().take(part_count) {
                let border = |part: usize| bytes * part as u64 / part_count as u64;
                let message = ToWorker::Load { epoch, start: border(part), end: border(part + 1) };
                post(worker, &message, Some(&file));
            }
        });
    }

    fn ask(&self, asks: &[Ask]) {
        let state = self.state.borrow();
        for Ask { id, query } in asks {
            for worker in state.workers.iter().take(state.part_count) {
                post(worker, &ToWorker::Ask { id: *id, query: *query }, None);
            }
        }
    }

    fn start_worker(&self, url: &str, part: usize) -> Result<(), JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(url, &options)?;
        let page = self.clone();
        // Messages wait until the worker listens: it says so with its first word.
        listen(&worker, "message", move |event: MessageEvent| page.receive(part, &event))?;
        let page = self.clone();
        listen(&worker, "error", move |event: ErrorEvent| {
            let reason = event.message();
            page.send(Event::Fail(format!("A worker has failed: {reason}. Reload the page.")));
        })?;
        self.state.borrow_mut().workers.push(worker);
        Ok(())
    }

    fn receive(&self, part: usize, event: &MessageEvent) {
        let message: Array = event.data().unchecked_into();
        let text = message.get(0).as_string().unwrap_or_default();
        let current = self.state.borrow().epoch;
        match serde_json::from_str(&text) {
            Ok(FromWorker::Report { epoch, report }) if epoch == current => {
                self.send(Event::Report { part, report });
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

    fn listen_to_files(&self) -> Result<(), JsValue> {
        let document = self.document();
        let body = document.body().ok_or("no body")?;
        listen(&body, "dragover", |event: DragEvent| event.prevent_default())?;
        let marked = body.clone();
        listen(&body, "dragenter", move |_: DragEvent| {
            let _ = marked.dataset().set("drag", "over");
        })?;
        let marked = body.clone();
        listen(&body, "dragleave", move |event: DragEvent| {
            if event.related_target().is_none() {
                marked.dataset().delete("drag");
            }
        })?;
        let (page, marked) = (self.clone(), body.clone());
        listen(&body, "drop", move |event: DragEvent| {
            event.prevent_default();
            marked.dataset().delete("drag");
            if let Some(files) = event.data_transfer().and_then(|data| data.files()) {
                page.open(&files);
            }
        })?;
        let input: HtmlInputElement = element(&document, "file")?;
        let (page, chosen) = (self.clone(), input.clone());
        listen(&input, "change", move |_: web_sys::Event| {
            let files: Option<FileList> = chosen.files();
            if let Some(files) = files.filter(|files| files.length() > 0) {
                page.open(&files);
                // The same file can be chosen again.
                chosen.set_value("");
            }
        })?;
        let button: HtmlElement = element(&document, "open")?;
        listen(&button, "click", move |_: MouseEvent| input.click())?;
        let page = self.clone();
        let sample: HtmlElement = element(&document, "sample")?;
        listen(&sample, "click", move |_: MouseEvent| page.open_url("sample.ndjson"))?;
        let page = self.clone();
        let cancel: HtmlElement = element(&document, "cancel")?;
        listen(&cancel, "click", move |_: MouseEvent| page.cancel())
    }

    fn listen_to_controls(&self) -> Result<(), JsValue> {
        let document = self.document();
        let number: HtmlInputElement = element(&document, "bins")?;
        let slider: HtmlInputElement = element(&document, "bins-slider")?;
        for (control, twin) in [(&number, &slider), (&slider, &number)] {
            let (page, control, twin) = (self.clone(), control.clone(), twin.clone());
            listen(&control.clone(), "input", move |_: web_sys::Event| {
                if let Ok(count) = control.value().parse() {
                    twin.set_value(&control.value());
                    page.send(Event::SetBins(count));
                }
            })?;
        }
        let (page, log) = (self.clone(), element::<HtmlInputElement>(&document, "log")?);
        listen(&log.clone(), "change", move |_: web_sys::Event| {
            page.send(Event::SetLog(log.checked()));
        })?;
        let (page, bars) = (self.clone(), element::<HtmlSelectElement>(&document, "bars")?);
        listen(&bars.clone(), "change", move |_: web_sys::Event| {
            let is_overlaid = bars.value() == "overlaid";
            page.send(Event::SetBars(if is_overlaid { Bars::Overlaid } else { Bars::Stacked }));
        })?;
        let (page, axis) = (self.clone(), element::<HtmlSelectElement>(&document, "axis")?);
        listen(&axis.clone(), "change", move |_: web_sys::Event| {
            let is_time = axis.value() == "time";
            page.send(Event::SetAxis(if is_time { XAxis::Time } else { XAxis::Number }));
        })?;
        for (id, event) in [
            ("zoom-in", Event::Zoom { at: None, factor: 1.0 / ZOOM_STEP }),
            ("zoom-out", Event::Zoom { at: None, factor: ZOOM_STEP }),
            ("reset", Event::Reset),
        ] {
            let (page, button) = (self.clone(), element::<HtmlElement>(&document, id)?);
            listen(&button, "click", move |_: MouseEvent| page.send(event.clone()))?;
        }
        for (id, chart, name) in [
            ("save-histogram", Chart::Histogram, "packet-size-distribution.png"),
            ("save-scatter", Chart::Scatter, "packet-sizes.png"),
        ] {
            let (page, button) = (self.clone(), element::<HtmlElement>(&document, id)?);
            listen(&button, "click", move |_: MouseEvent| {
                let saved = page.save(chart, name);
                debug_assert!(saved.is_ok());
            })?;
        }
        Ok(())
    }

    fn listen_to_scatter(&self) -> Result<(), JsValue> {
        let canvas = self.state.borrow().scatter.element().clone();
        let page = self.clone();
        listen(&canvas, "wheel", move |event: WheelEvent| {
            event.prevent_default();
            let at = (f64::from(event.offset_x()), f64::from(event.offset_y()));
            let factor = if event.delta_y() < 0.0 { 1.0 / ZOOM_STEP } else { ZOOM_STEP };
            page.send(Event::Zoom { at: Some(at), factor });
        })?;
        let (page, target) = (self.clone(), canvas.clone());
        listen(&canvas, "pointerdown", move |event: PointerEvent| {
            if event.button() != 0 {
                return;
            }
            // Without capture the gesture ends where the pointer leaves: nothing worse.
            let _ = target.set_pointer_capture(event.pointer_id());
            let gesture = if event.shift_key() { Gesture::Box(at(&event)) } else { Gesture::Pan };
            page.state.borrow_mut().gesture = Some((gesture, at(&event)));
        })?;
        let page = self.clone();
        listen(&canvas, "pointermove", move |event: PointerEvent| page.drag(at(&event)))?;
        let page = self.clone();
        listen(&canvas, "pointerup", move |_: PointerEvent| {
            let gesture = page.state.borrow_mut().gesture.take();
            if let Some((Gesture::Box(_), _)) = gesture {
                page.send(Event::ZoomToSelection);
            }
        })?;
        let page = self.clone();
        listen(&canvas, "pointercancel", move |_: PointerEvent| {
            page.state.borrow_mut().gesture = None;
            page.send(Event::Select(None));
        })?;
        let page = self.clone();
        listen(&canvas, "dblclick", move |_: MouseEvent| page.send(Event::Reset))?;
        let page = self.clone();
        listen(&canvas, "keydown", move |event: KeyboardEvent| {
            let action = match event.key().as_str() {
                "ArrowLeft" => Event::Pan((PAN_STEP, 0.0)),
                "ArrowRight" => Event::Pan((-PAN_STEP, 0.0)),
                "ArrowUp" => Event::Pan((0.0, PAN_STEP)),
                "ArrowDown" => Event::Pan((0.0, -PAN_STEP)),
                "+" | "=" => Event::Zoom { at: None, factor: 1.0 / ZOOM_STEP },
                "-" => Event::Zoom { at: None, factor: ZOOM_STEP },
                "0" | "Home" => Event::Reset,
                _ => return,
            };
            event.prevent_default();
            page.send(action);
        })?;
        let histogram = self.state.borrow().histogram.element().clone();
        let page = self.clone();
        listen(&histogram, "pointermove", move |event: PointerEvent| {
            page.send(Event::Hover(Chart::Histogram, Some(at(&event))));
        })?;
        for (canvas, chart) in [(&canvas, Chart::Scatter), (&histogram, Chart::Histogram)] {
            let page = self.clone();
            listen(canvas, "pointerleave", move |_: PointerEvent| {
                page.send(Event::Hover(chart, None));
            })?;
        }
        Ok(())
    }

    fn drag(&self, at: (f64, f64)) {
        let gesture = self.state.borrow_mut().gesture.take();
        match gesture {
            None => self.send(Event::Hover(Chart::Scatter, Some(at))),
            Some((gesture, last)) => {
                self.state.borrow_mut().gesture = Some((gesture, at));
                self.send(match gesture {
                    Gesture::Pan => Event::Pan((at.0 - last.0, at.1 - last.1)),
                    Gesture::Box(corner) => Event::Select(Some((corner, at))),
                });
            }
        }
    }

    fn follow_theme(&self, window: &web_sys::Window) -> Result<(), JsValue> {
        let Some(query) = window.match_media("(prefers-color-scheme: dark)")? else {
            return Ok(());
        };
        let page = self.clone();
        let set = move |query: &MediaQueryList| {
            page.send(Event::SetTheme(Theme { is_dark: query.matches() }));
        };
        set(&query);
        let followed = query.clone();
        listen(&query, "change", move |_: web_sys::Event| set(&followed))
    }

    fn follow_sizes(&self) -> Result<(), JsValue> {
        let page = self.clone();
        let measure = move || {
            for chart in [Chart::Histogram, Chart::Scatter] {
                let place = page.canvas(chart).get_bounding_client_rect();
                if place.width() > 0.0 {
                    let size = Size { width_px: place.width(), height_px: place.height() };
                    page.send(Event::Resize(chart, size));
                }
            }
        };
        let closure = Closure::<dyn FnMut()>::new(measure);
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref())?;
        closure.forget();
        observer.observe(&self.canvas(Chart::Histogram));
        observer.observe(&self.canvas(Chart::Scatter));
        Ok(())
    }

    /// Hands a chart's picture to the person as a file.
    fn save(&self, chart: Chart, name: &'static str) -> Result<(), JsValue> {
        let document = self.document();
        let closure = Closure::once_into_js(move |blob: Option<Blob>| -> Result<(), JsValue> {
            let Some(blob) = blob else { return Ok(()) };
            let url = Url::create_object_url_with_blob(&blob)?;
            let anchor: HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
            anchor.set_href(&url);
            anchor.set_download(name);
            anchor.click();
            Url::revoke_object_url(&url)
        });
        self.canvas(chart).to_blob(closure.unchecked_ref())
    }

    fn document(&self) -> Document {
        self.state.borrow().document.clone()
    }

    fn canvas(&self, chart: Chart) -> web_sys::HtmlCanvasElement {
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

impl State {
    /// Shows everything as the app says.
    fn draw(&self) -> Result<(), JsValue> {
        let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
        let view = self.app.view();
        for (canvas, chart, words) in [
            (&self.histogram, Chart::Histogram, &view.histogram_words),
            (&self.scatter, Chart::Scatter, &view.scatter_words),
        ] {
            match self.app.scene(chart) {
                Some(scene) => canvas.draw(&scene, ratio)?,
                None => canvas.clear(),
            }
            canvas.element().set_attribute("aria-label", words)?;
        }
        let root: HtmlElement =
            self.document.document_element().ok_or("no root element")?.dyn_into()?;
        root.dataset().set("phase", view.phase.name())?;
        let is_loading = view.phase == Phase::Loading;
        self.words("summary", &view.summary)?;
        self.words("error", &view.error)?;
        self.words("progress-words", &view.progress_words)?;
        self.words("skipped", &view.skipped)?;
        show(&self.element("loading")?, is_loading);
        show(&self.element("charts")?, self.app.size_counts().is_some());
        show(&self.element("problems")?, !view.skipped.is_empty());
        show(&self.element("empty")?, matches!(view.phase, Phase::Empty | Phase::Error));
        element::<HtmlProgressElement>(&self.document, "progress")?.set_value(view.progress);
        self.list("problem-list", &view.problems)?;
        self.tip(view.hover)
    }

    /// What is under the pointer, beside it.
    fn tip(&self, hover: Option<(Chart, (f64, f64), Vec<String>)>) -> Result<(), JsValue> {
        let tip: HtmlElement = element(&self.document, "tip")?;
        show(&tip, hover.is_some());
        let Some((chart, (x, y), lines)) = hover else { return Ok(()) };
        self.list("tip-lines", &lines)?;
        let canvas = match chart {
            Chart::Histogram => self.histogram.element(),
            Chart::Scatter => self.scatter.element(),
        };
        let place = canvas.get_bounding_client_rect();
        // On the side where there is room.
        let is_right = x < place.width() / 2.0;
        let left =
            place.left() + x + if is_right { 14.0 } else { -14.0 - f64::from(tip.offset_width()) };
        let style = tip.style();
        style.set_property("left", &format!("{left}px"))?;
        style.set_property("top", &format!("{}px", place.top() + y + 14.0))
    }

    fn element(&self, id: &str) -> Result<Element, JsValue> {
        element(&self.document, id)
    }

    fn words(&self, id: &str, words: &str) -> Result<(), JsValue> {
        show_words(&self.element(id)?, words);
        Ok(())
    }

    fn list(&self, id: &str, lines: &[String]) -> Result<(), JsValue> {
        let list = self.element(id)?;
        let children = list.children();
        let is_there = children.length() as usize == lines.len()
            && lines.iter().zip(0..).all(|(line, index)| {
                children.item(index).and_then(|child| child.text_content()).as_ref() == Some(line)
            });
        if is_there {
            return Ok(());
        }
        list.set_text_content(None);
        for line in lines {
            let item = self.document.create_element("li")?;
            item.set_text_content(Some(line));
            list.append_child(&item)?;
        }
        Ok(())
    }
}

fn at(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
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

async fn fetch(url: &str) -> Result<Blob, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let page = Url::new(&window.location().href()?)?;
    let target = Url::new_with_base(url, &page.href())?;
    if target.origin() != page.origin() {
        return Err("it is of another origin".into());
    }
    let response: Response =
        JsFuture::from(window.fetch_with_str(&target.href())).await?.dyn_into()?;
    if !response.ok() {
        return Err(format!("the server says {}", response.status()).into());
    }
    JsFuture::from(response.blob()?).await?.dyn_into()
}
