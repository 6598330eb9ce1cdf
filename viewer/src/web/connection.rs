//! The view of a connection, which is in the module of the inspector.

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;

use super::dom::log_error;
use super::page::Page;
use crate::app::Event;
use crate::wire::{decode, encode};

type Notify = Closure<dyn Fn(String, JsValue)>;

/// Calls the view of a connection.
pub(super) struct ConnectionPanel {
    /// A function of `main.js` that calls a method of the view, once the module is loaded.
    connect: Function,
    /// `None` until it listens.
    notify: Option<Notify>,
}

impl ConnectionPanel {
    /// `connect` is a JavaScript function that calls a method of the view; see `main.js`.
    pub(super) fn new(connect: Function) -> Self {
        Self { connect, notify: None }
    }

    /// Passes on what the user does in the view.
    pub(super) fn listen(&mut self, page: &Page) {
        let page = page.clone();
        self.notify = Some(Closure::new(move |name: String, value: JsValue| {
            let bytes = value.unchecked_into::<Uint8Array>().to_vec();
            if name == "time" {
                if let Some((from, to)) = decode::<(i64, i64)>(&bytes) {
                    page.send(Event::SelectTime(from, to));
                }
            } else if let Some(packet) = decode(&bytes) {
                page.send(Event::ShowPacket(Box::new(packet)));
            }
        }));
    }

    /// Shows another connection, whose packets follow.
    pub(super) fn begin(&self) {
        if let Some(notify) = &self.notify {
            self.call("begin", &[notify.as_ref()]);
        }
    }

    /// Adds a batch of packets of a file.
    pub(super) fn add(&self, file: usize, name: &str, batch: &JsValue) {
        self.call("add", &[&JsValue::from_f64(file as f64), &name.into(), batch]);
    }

    /// Shows the packets that were added.
    pub(super) fn show(&self) {
        self.call("show", &[]);
    }

    /// Marks the packets in a time range, in nanoseconds since the epoch, or none.
    pub(super) fn mark_time(&self, time: Option<(i64, i64)>) {
        self.call("markTime", &[&Uint8Array::from(&encode(&time)[..])]);
    }

    fn call(&self, method: &str, args: &[&JsValue]) {
        let all: Array = std::iter::once(&method.into()).chain(args.iter().copied()).collect();
        log_error(self.connect.apply(&JsValue::NULL, &all));
    }
}
