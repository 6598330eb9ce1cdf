//! Requests the bytes of a source for the page.

use js_sys::{ArrayBuffer, Function, Promise, Uint8Array};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use viewer_dom::{ByteReader, FileHandle, bytes_read, error_message, log_error, sleep};
use viewer_formats::{START_LEN, is_text};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStream, RequestCache, RequestInit, Response, Window,
};

use super::chunk::{CHUNK_LEN, Chunk};
use super::header::Header;
use super::local_file;
use crate::{Action, Answer, Backoff, Connection, Notice, SourceKind};

/// A read waits for this many bytes, where the browser supports that.
const MIN_READ_LEN: u32 = 64 << 10;
/// Buffers of chunks that are kept for further chunks: new memory costs more time than copying to it.
const MAX_BUFFERS: usize = 8;
/// After an answer with fewer bytes than this, the next request waits: many short answers would cost more
/// than a few longer ones. It is less than what servers return at once.
pub(super) const SHORT_LEN: u64 = 8 << 20;
/// Waiting time after a short answer, in milliseconds.
const PAUSE_MS: i32 = 50;
/// The time between two updates of the header, in milliseconds.
const HEADER_INTERVAL_MS: i32 = 1_000;
/// A server that sends nothing for this long is not reachable, in milliseconds.
const TIMEOUT_MS: i32 = 15_000;

/// Where the bytes come from.
pub(super) enum Origin {
    /// A web server.
    Url(String),
    /// A local file.
    File(FileHandle),
}

/// A source that is being followed.
pub(super) struct Source {
    window: Window,
    origin: Origin,
    /// Receives notices of the kind of [`Notice`].
    notify: Function,
    header: Rc<Header>,
    /// Aborts the request in flight.
    abort: RefCell<AbortController>,
    is_stopped: Cell<bool>,
    is_paused: Cell<bool>,
    kind: Cell<SourceKind>,
    /// The header `Retry-After` of the last answer.
    retry_after: RefCell<Option<String>>,
    /// Ends the wait of a paused source.
    resume: RefCell<Option<Function>>,
    /// Buffers for chunks.
    buffers: RefCell<Vec<ArrayBuffer>>,
}

impl Source {
    /// A source. [`Source::run`] follows it.
    pub(super) fn new(
        origin: Origin,
        notify: Function,
        header: Rc<Header>,
    ) -> Result<Self, JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        let (abort, is_stopped) = (RefCell::new(AbortController::new()?), Cell::new(false));
        Ok(Self {
            window,
            origin,
            notify,
            header,
            abort,
            is_stopped,
            is_paused: Cell::default(),
            kind: Cell::default(),
            retry_after: RefCell::default(),
            resume: RefCell::default(),
            buffers: RefCell::default(),
        })
    }

    /// Pauses or resumes.
    pub(super) fn toggle_pause(&self) {
        let is_paused = !self.is_paused.get();
        self.is_paused.set(is_paused);
        if is_paused {
            self.header.set_connection(Connection::Paused);
            self.abort.borrow().abort();
        } else {
            self.header.set_connection(Connection::Live);
            self.end_wait();
        }
    }

    /// Shows the latest packets, also if the source is paused.
    pub(super) fn jump(&self) {
        if self.is_paused.get() {
            self.toggle_pause();
        }
        self.notify(Notice::JumpToNow, 0, &JsValue::NULL);
    }

    fn end_wait(&self) {
        if let Some(resume) = self.resume.take() {
            log_error(resume.call0(&JsValue::NULL));
        }
    }

    /// Waits while the source is paused.
    async fn wait_while_paused(&self) -> Result<(), JsValue> {
        while self.is_paused.get() && !self.is_stopped.get() {
            let resumed = Promise::new(&mut |resolve, _| {
                self.resume.replace(Some(resolve));
            });
            JsFuture::from(resumed).await?;
        }
        Ok(())
    }

    /// Keeps the header up to date until the source ends or is stopped.
    pub(super) async fn refresh_header(&self) {
        while !self.is_stopped.get() && sleep(HEADER_INTERVAL_MS).await.is_ok() {
            if !self.is_stopped.get() {
                self.header.refresh();
            }
        }
    }

    /// Stops. There are no notices from now on.
    pub(super) fn stop(&self) {
        self.is_stopped.set(true);
        self.abort.borrow().abort();
        self.end_wait();
    }

    /// Calls the page, unless it has stopped the source.
    fn notify(&self, notice: Notice, offset: u64, value: &JsValue) -> JsValue {
        if self.is_stopped.get() {
            return JsValue::UNDEFINED;
        }
        let (notice, offset) = (JsValue::from(notice as u32), JsValue::from(offset as f64));
        self.notify.call3(&JsValue::NULL, &notice, &offset, value).unwrap_or_default()
    }

    /// There are no more bytes: the run has ended, or the source cannot be followed for a reason.
    fn finish(&self, offset: u64, reason: Option<String>) {
        let value = reason.as_ref().map_or(JsValue::UNDEFINED, JsValue::from);
        self.header.set_connection(reason.map_or(Connection::Ended, Connection::Stopped));
        self.notify(Notice::Over, offset, &value);
        self.is_stopped.set(true);
    }

    /// Like [`Self::finish`], once the page has read all bytes: they may contain the end of the run.
    async fn finish_when_read(&self, offset: u64, reason: Option<String>) {
        while !self.notify(Notice::NothingNew, offset, &JsValue::NULL).is_truthy() {
            if self.is_stopped.get() || sleep(PAUSE_MS).await.is_err() {
                return;
            }
        }
        self.finish(offset, reason.filter(|_| !self.header.has_run_ended()));
    }

    /// Follows the source until it ends or is stopped.
    pub(super) async fn run(&self) {
        let (mut offset, mut backoff) = (0, Backoff::default());
        while !self.is_stopped.get() {
            let start = offset;
            let result = self.request(&mut offset).await;
            if self.is_paused.get() {
                log_error(self.wait_while_paused().await);
                continue;
            }
            if start < offset || matches!(result, Ok(Action::Read(_) | Action::Wait(_))) {
                backoff = Backoff::default();
            }
            let action = match result {
                Ok(action) => action,
                // A connection that breaks after some bytes is opened again at once.
                Err(_) if start < offset => Action::Wait(0),
                Err(error) => Action::Retry(error_message(&error)),
            };
            let is_read = || self.notify(Notice::NothingNew, offset, &JsValue::NULL).is_truthy();
            self.header.set_caught_up(offset - start < SHORT_LEN);
            let wait_ms = match action {
                Action::Read(_) => match offset - start {
                    // In a hidden page, timers wait for seconds.
                    ..SHORT_LEN if !self.is_hidden() => PAUSE_MS,
                    _ => 0,
                },
                Action::Wait(_) | Action::Retry(_) if is_read() && self.header.has_run_ended() => {
                    return self.finish(offset, None);
                }
                Action::Wait(ms) => ms,
                Action::Retry(_) if self.is_stopped.get() => return,
                Action::Retry(reason) => {
                    self.header.set_connection(match self.origin {
                        Origin::Url(_) => Connection::Lost(reason),
                        Origin::File(_) => Connection::Unreadable(reason),
                    });
                    backoff.next_ms(self.retry_after.take().as_deref())
                }
                Action::End => return self.finish_when_read(offset, None).await,
                Action::Stop(reason) => {
                    return self.finish_when_read(offset, Some(reason)).await;
                }
            };
            if 0 < wait_ms && sleep(wait_ms).await.is_err() {
                return;
            }
        }
    }

    /// Requests the bytes from `offset` on, passes them to the page and advances `offset`. Returns what to
    /// do next.
    async fn request(&self, offset: &mut u64) -> Result<Action, JsValue> {
        match &self.origin {
            Origin::Url(url) => self.request_url(url, offset).await,
            Origin::File(handle) => {
                let (answer, bytes) = local_file::read(handle, *offset).await?;
                let action = answer.action(*offset, SourceKind::File);
                self.on_answer(&action, *offset);
                if let Some(bytes) = bytes.filter(|_| !self.is_paused.get())
                    && let Some(action) = self.pass(&bytes, offset).await?
                {
                    return Ok(action);
                }
                Ok(action)
            }
        }
    }

    /// Shows that the source answers, unless it refuses.
    fn on_answer(&self, action: &Action, offset: u64) {
        if !matches!(action, Action::Retry(_) | Action::Stop(_)) && !self.is_paused.get() {
            self.header.set_connection(Connection::Live);
            self.notify(Notice::Connected, offset, &JsValue::NULL);
        }
    }

    async fn request_url(&self, url: &str, offset: &mut u64) -> Result<Action, JsValue> {
        let abort = AbortController::new()?;
        self.abort.replace(abort.clone());
        let headers = Headers::new()?;
        headers.set("Range", &format!("bytes={offset}-"))?;
        let init = RequestInit::new();
        init.set_headers(&headers);
        init.set_cache(RequestCache::NoStore);
        init.set_signal(Some(&abort.signal()));
        let response = self.window.fetch_with_str_and_init(url, &init);
        let response: Response = self.in_time(response, &abort).await?.dyn_into()?;
        let range = response.headers().get("Content-Range")?;
        let answer = Answer::new(response.status(), range.as_deref(), *offset);
        let action = answer.action(*offset, self.kind.get());
        self.kind.set(answer.source(self.kind.get()));
        self.retry_after.replace(response.headers().get("Retry-After")?);
        self.on_answer(&action, *offset);
        match action {
            Action::Read(first) => {
                *offset = first;
                if let Some(body) = response.body() {
                    return self.read(&body, &abort, offset).await;
                }
            }
            // Frees the connection.
            _ => abort.abort(),
        }
        Ok(action)
    }

    /// Takes a buffer for further bytes.
    pub(super) fn recycle(&self, buffer: ArrayBuffer) {
        let mut buffers = self.buffers.borrow_mut();
        if buffer.byte_length() == CHUNK_LEN && buffers.len() < MAX_BUFFERS {
            buffers.push(buffer);
        }
    }

    /// Passes the bytes of an answer to the page. Returns what to do next.
    async fn read(
        &self,
        stream: &ReadableStream,
        abort: &AbortController,
        offset: &mut u64,
    ) -> Result<Action, JsValue> {
        let reader = ByteReader::new(stream, MIN_READ_LEN)?;
        let mut chunk = Chunk::new(self.buffers.borrow_mut().pop());
        loop {
            let read = self.in_time(chunk.read(&reader), abort).await;
            let bytes = read.as_ref().ok().and_then(bytes_read);
            let is_over = bytes.as_ref().is_none_or(|bytes| bytes.length() == 0);
            chunk.add(&reader, bytes);
            if chunk.is_due(is_over) {
                let next = Chunk::new(self.buffers.borrow_mut().pop());
                let bytes = std::mem::replace(&mut chunk, next).into_bytes();
                if let Some(action) = self.pass(&bytes, offset).await? {
                    return Ok(action);
                }
            }
            if is_over || self.is_stopped.get() {
                chunk.into_unused().into_iter().for_each(|buffer| self.recycle(buffer));
                return read.map(|_| Action::Read(*offset));
            }
        }
    }

    /// Passes bytes to the page, and waits until it takes more. Returns what to do if it cannot take them.
    async fn pass(&self, bytes: &Uint8Array, offset: &mut u64) -> Result<Option<Action>, JsValue> {
        let start_len = u32::try_from(START_LEN).unwrap_or(u32::MAX);
        if *offset == 0 && !is_text(&bytes.subarray(0, start_len).to_vec()) {
            return Ok(Some(Action::Stop("only NDJSON can be followed".to_owned())));
        }
        // The page transfers the bytes to a worker: they are empty then.
        let start = *offset;
        *offset += u64::from(bytes.length());
        let taken = self.notify(Notice::Bytes, start, bytes);
        if let Ok(promise) = taken.dyn_into::<Promise>() {
            JsFuture::from(promise).await?;
        }
        Ok(None)
    }

    /// The result of a promise. Aborts the request if that takes too long.
    async fn in_time(&self, promise: Promise, abort: &AbortController) -> Result<JsValue, JsValue> {
        let abort = abort.clone();
        let on_timeout = Closure::<dyn Fn()>::new(move || {
            abort.abort_with_reason(&"no answer".into());
        });
        let timer = self.window.set_timeout_with_callback_and_timeout_and_arguments_0(
            on_timeout.as_ref().unchecked_ref(),
            TIMEOUT_MS,
        )?;
        let result = JsFuture::from(promise).await;
        self.window.clear_timeout_with_handle(timer);
        result
    }

    fn is_hidden(&self) -> bool {
        self.window.document().is_some_and(|document| document.hidden())
    }
}
