//! Follows a source that grows: passes its bytes from the connection, a separate module, to the
//! workers.

use js_sys::{Array, ArrayBuffer, Function, Promise, Uint8Array};
use std::ops::Range;
use viewer_dom::FileHandle;
use viewer_follow::Notice;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Element;

use super::dom::{element, error_message, log_error, whole};
use super::open::same_origin;
use super::page::Page;
use super::served_packets::is_served;
use crate::app::{App, Chunk, Event, FileInfo, FollowEvent, Missing, Phase};

#[wasm_bindgen]
extern "C" {
    /// The exports of the module (`viewer/follow/src/web/mod.rs`).
    type Module;

    #[wasm_bindgen(method, catch)]
    fn follow(
        this: &Module,
        url: &str,
        element: &Element,
        notify: &Function,
    ) -> Result<Follower, JsValue>;

    #[wasm_bindgen(method, catch, js_name = followFile)]
    fn follow_file(
        this: &Module,
        handle: &FileHandle,
        element: &Element,
        notify: &Function,
    ) -> Result<Follower, JsValue>;

    /// A source in the module.
    type Follower;

    #[wasm_bindgen(method)]
    fn records(this: &Follower, lines: &Array);

    #[wasm_bindgen(method)]
    fn shown(
        this: &Follower,
        latest_ms: Option<f64>,
        is_complete: bool,
        removed_packets: u64,
        missed_packets: u64,
        missed_bytes: u64,
    );

    #[wasm_bindgen(method)]
    fn recycle(this: &Follower, buffer: &ArrayBuffer);

    #[wasm_bindgen(method)]
    fn stop(this: &Follower, reason: &str);

    #[wasm_bindgen(method)]
    fn close(this: &Follower);

    /// `Uint8Array`, with a method that the binding in js-sys lacks.
    type Bytes;

    #[wasm_bindgen(method, js_name = lastIndexOf)]
    fn last_index_of(this: &Bytes, byte: u8) -> i32;
}

type Notify = Closure<dyn Fn(u32, f64, JsValue) -> JsValue>;

/// A source that is being followed.
pub(super) struct Following {
    follower: Follower,
    _notify: Notify,
    /// The bytes that are being passed on.
    chunk: Uint8Array,
    /// Resolves the promise for which the connection waits.
    resume: Option<Function>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.follower.close();
    }
}

/// Where the bytes come from.
enum Origin {
    Url(String),
    File(FileHandle),
}

/// Follows a URL of the same origin, replacing the open capture.
pub(super) fn follow_url(page: &Page, url: &str) {
    follow(page, url.to_owned(), Origin::Url(url.to_owned()));
}

/// Follows a local file from its first byte on. It replaces the open capture, which is the same file.
pub(super) fn follow_file(page: &Page, name: String, handle: FileHandle) {
    page.send(Event::Follow(FollowEvent::Reopen));
    follow(page, name, Origin::File(handle));
}

fn follow(page: &Page, name: String, origin: Origin) {
    page.start_workers();
    let epoch = page.begin_epoch();
    page.send(Event::Open(vec![FileInfo::unprobed(name, 0)]));
    let has_packets = is_served(&page.document()) && matches!(origin, Origin::Url(_));
    page.send(Event::Follow(FollowEvent::Start { memory: page.memory(), has_packets }));
    let page = page.clone();
    spawn_local(async move {
        let started = start(&page, epoch, origin).await;
        if page.epoch() != epoch {
            return;
        }
        match started {
            Ok(following) => page.set_following(Some(following)),
            Err(error) => {
                page.send(Event::Follow(FollowEvent::Over(Some(error_message(&error)))));
            }
        }
    });
}

async fn start(page: &Page, epoch: u32, origin: Origin) -> Result<Following, JsValue> {
    let origin = match origin {
        Origin::Url(url) => Origin::Url(same_origin(&url)?),
        file @ Origin::File(_) => file,
    };
    let exports: Promise = page.load_follow()?.unchecked_into();
    let module: Module = JsFuture::from(exports).await?.unchecked_into();
    let notified = page.clone();
    let notify = Notify::new(move |notice, offset, value| {
        if notified.epoch() != epoch {
            return JsValue::UNDEFINED;
        }
        on_notice(&notified, notice, whole(offset), &value)
    });
    let element = element(&page.document(), "live")?;
    let callback = notify.as_ref().unchecked_ref();
    let follower = match &origin {
        Origin::Url(url) => module.follow(url, &element, callback)?,
        Origin::File(handle) => module.follow_file(handle, &element, callback)?,
    };
    Ok(Following { follower, _notify: notify, chunk: Uint8Array::new_with_length(0), resume: None })
}

fn on_notice(page: &Page, notice: u32, offset: u64, value: &JsValue) -> JsValue {
    let Some(notice) = Notice::from_number(notice) else { return JsValue::UNDEFINED };
    match notice {
        Notice::Bytes => return take(page, offset, value.unchecked_ref()),
        Notice::NothingNew => return page.with_app(App::has_read_all).into(),
        // A source answers many times a second, and each frame takes time from reading.
        Notice::Connected if page.with_app(App::phase) != Phase::Loading => {}
        Notice::Connected => page.send(Event::Follow(FollowEvent::Connected)),
        Notice::JumpToNow => page.send(Event::Follow(FollowEvent::JumpToNow)),
        Notice::Over => {
            page.send(Event::Follow(FollowEvent::Over(value.as_string())));
            close_after_error(page);
        }
    }
    JsValue::UNDEFINED
}

/// The line about a source that could not be loaded at all is replaced by an error.
fn close_after_error(page: &Page) {
    if page.with_app(App::phase) == Phase::Error {
        page.set_following(None);
    }
}

/// Passes bytes on to the workers. Returns a promise if the next bytes must wait.
fn take(page: &Page, start: u64, bytes: &Uint8Array) -> JsValue {
    let line_feed = bytes.unchecked_ref::<Bytes>().last_index_of(b'\n');
    let line_end = usize::try_from(line_feed).ok().map(|index| index + 1);
    let chunk = Chunk { start, len: bytes.length() as usize, line_end };
    page.with_following(|following| following.chunk = bytes.clone());
    page.apply(Event::Follow(FollowEvent::Bytes(chunk)));
    if page.with_app(App::wants_bytes) {
        return JsValue::UNDEFINED;
    }
    let promise = Promise::new(&mut |resolve, _| {
        page.with_following(|following| following.resume = Some(resolve));
    });
    promise.into()
}

impl Following {
    /// Passes lines about the run on.
    pub(super) fn add_records(&self, lines: Vec<String>) {
        self.follower.records(&lines.into_iter().map(JsValue::from).collect());
    }

    /// Says what the charts show now.
    pub(super) fn show(&self, app: &App) {
        let Missing { dropped_packets, lost_packets, lost_bytes } = app.missing();
        let latest_ms = app.totals().extent.map(|extent| extent.ts_ns.1 as f64 / 1e6);
        let is_complete = app.has_read_all() && !app.is_outdated();
        self.follower.shown(latest_ms, is_complete, dropped_packets, lost_packets, lost_bytes);
    }

    /// Ends the connection for this reason.
    pub(super) fn stop(&self, reason: &str) {
        self.follower.stop(reason);
    }

    /// Lets the connection go on.
    pub(super) fn resume(&mut self) {
        if let Some(resume) = self.resume.take() {
            log_error(resume.call0(&JsValue::NULL));
        }
    }

    /// A range of the current bytes, to be transferred to a worker. Only a part of them is copied.
    pub(super) fn bytes(&self, range: &Range<usize>) -> Uint8Array {
        let (start, end) = (js_len(range.start), js_len(range.end));
        if (start, end) == (0, self.chunk.length()) {
            return self.chunk.clone();
        }
        self.chunk.slice(start, end)
    }

    /// Takes the buffer of bytes that a worker has read, for other bytes.
    pub(super) fn recycle(&self, buffer: &ArrayBuffer) {
        self.follower.recycle(buffer);
    }
}

/// A length or an offset in bytes of JavaScript.
fn js_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
