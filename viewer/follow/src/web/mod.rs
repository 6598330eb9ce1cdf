//! The module's exports: a source, its connection and its line in the header of the page.

mod chunk;
mod connection;
mod header;
mod local_file;

use js_sys::{Array, ArrayBuffer, Function};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use crate::{Connection, Shown};
use connection::{Origin, Source};
use header::Header;
use viewer_dom::FileHandle;

/// A source that is being followed.
#[wasm_bindgen]
pub struct Follower {
    source: Rc<Source>,
    header: Rc<Header>,
}

/// Follows a URL from its first byte on. Calls `notify(notice, offset, value)`, see [`crate::Notice`], and
/// shows the state in an element.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn follow(url: String, element: &Element, notify: Function) -> Result<Follower, JsValue> {
    start(Origin::Url(url), element, notify)
}

/// Follows a local file from its first byte on; otherwise like [`follow`].
#[wasm_bindgen(js_name = followFile)]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn follow_file(
    handle: FileHandle,
    element: &Element,
    notify: Function,
) -> Result<Follower, JsValue> {
    start(Origin::File(handle), element, notify)
}

fn start(origin: Origin, element: &Element, notify: Function) -> Result<Follower, JsValue> {
    let header = Rc::new(Header::new(element)?);
    let source = Rc::new(Source::new(origin, notify, header.clone())?);
    let (on_pause, on_jump) = (source.clone(), source.clone());
    header.listen(move || on_pause.toggle_pause(), move || on_jump.jump())?;
    let (running, ticking) = (source.clone(), source.clone());
    spawn_local(async move { running.run().await });
    spawn_local(async move { ticking.refresh_header().await });
    Ok(Follower { source, header })
}

#[wasm_bindgen]
impl Follower {
    /// Takes lines that are records about the run.
    pub fn records(&self, lines: &Array) {
        let lines = lines.iter().filter_map(|line| line.as_string());
        self.header.add_records(lines);
    }

    /// Takes the buffer of bytes that the page needs no longer.
    pub fn recycle(&self, buffer: ArrayBuffer) {
        self.source.recycle(buffer);
    }

    /// The charts were refreshed. `latest_ms` is the time of the latest packet, in milliseconds since the
    /// epoch; `is_complete` if they show everything that was received. The other values are those of
    /// [`Shown`].
    pub fn shown(
        &self,
        latest_ms: Option<f64>,
        is_complete: bool,
        removed_packets: u64,
        missed_packets: u64,
        missed_bytes: u64,
    ) {
        let shown = Shown { removed_packets, missed_packets, missed_bytes, behind_ms: None };
        self.header.show(shown, latest_ms, is_complete);
        self.header.refresh();
    }

    /// Stops for a reason, which is shown. There are no notices from now on.
    pub fn stop(&self, reason: &str) {
        self.source.stop();
        self.header.set_connection(Connection::Stopped(reason.to_owned()));
    }

    /// Stops, and shows nothing any longer.
    pub fn close(&self) {
        self.source.stop();
        self.header.clear();
    }
}
