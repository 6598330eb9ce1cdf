//! The module's exports: a source, its connection and its line in the header of the page.

mod connection;
mod header;

use js_sys::{Array, Function};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use crate::Connection;
use connection::Source;
use header::Header;

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
    let header = Rc::new(Header::new(element));
    let source = Rc::new(Source::new(url, notify, header.clone())?);
    let follower = Follower { source: source.clone(), header };
    spawn_local(async move { source.run().await });
    Ok(follower)
}

#[wasm_bindgen]
impl Follower {
    /// Takes lines that are records about the run.
    pub fn records(&self, lines: &Array) {
        let lines = lines.iter().filter_map(|line| line.as_string());
        self.header.add_records(lines);
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
