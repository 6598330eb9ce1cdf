//! The page's Web Workers: starts them, restarts them after a failure, posts messages to them.

use js_sys::{Array, Function, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{Event, MessageEvent, Worker};

use super::dom::{listen, log_error};
use crate::message::ToWorker;
use crate::wire::encode;

/// The workers. Each is addressed by its index, which survives a restart.
pub(super) struct WorkerPool {
    /// The page's script: returns a new worker. It owns the Trusted Types policy, without which a
    /// browser refuses a worker's URL.
    new_worker: Function,
    slots: Vec<Slot>,
}

struct Slot {
    worker: Worker,
    status: Status,
}

/// The state of a worker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Its script is being loaded.
    Starting,
    /// It has sent its first message.
    Ready,
    /// It has thrown an error, or its script could not be loaded.
    Failed,
}

impl WorkerPool {
    /// An empty pool. `new_worker` is a JavaScript function that returns a new `Worker`.
    pub(super) fn new(new_worker: Function) -> Self {
        Self { new_worker, slots: Vec::new() }
    }

    /// Starts the worker with that index, replacing the one that has it. An index equal to
    /// [`Self::len`] adds a worker.
    pub(super) fn start(
        &mut self,
        index: usize,
        on_message: impl Fn(MessageEvent) + 'static,
        on_error: impl Fn(Event) + 'static,
    ) -> Result<(), JsValue> {
        let worker: Worker = self.new_worker.call0(&JsValue::NULL)?.unchecked_into();
        listen(&worker, "message", on_message)?;
        listen(&worker, "error", on_error)?;
        let slot = Slot { worker, status: Status::Starting };
        match self.slots.get_mut(index) {
            Some(old) => std::mem::replace(old, slot).worker.terminate(),
            None => self.slots.push(slot),
        }
        Ok(())
    }

    /// The number of workers.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Sets the status of a worker and returns the previous one.
    pub(super) fn set_status(&mut self, index: usize, status: Status) -> Status {
        std::mem::replace(&mut self.slots[index].status, status)
    }

    /// The indices of the workers that failed and were not restarted.
    pub(super) fn failed(&self) -> Vec<usize> {
        let slots = self.slots.iter().enumerate();
        slots.filter(|(_, slot)| slot.status == Status::Failed).map(|(index, _)| index).collect()
    }

    /// Posts a message to one worker, with the file or the bytes that it refers to.
    pub(super) fn post(&self, index: usize, message: &ToWorker, attachment: Option<&JsValue>) {
        let Some(slot) = self.slots.get(index) else { return };
        let parts = Array::of1(&Uint8Array::from(&encode(message)[..]));
        if let Some(attachment) = attachment {
            parts.push(attachment);
        }
        log_error(slot.worker.post_message(&parts));
    }

    /// Posts a message with bytes, which are transferred.
    pub(super) fn post_bytes(&self, index: usize, message: &ToWorker, bytes: &Uint8Array) {
        let Some(slot) = self.slots.get(index) else { return };
        let parts = Array::of2(&Uint8Array::from(&encode(message)[..]), bytes);
        log_error(slot.worker.post_message_with_transfer(&parts, &Array::of1(&bytes.buffer())));
    }

    /// Posts a message to all workers.
    pub(super) fn post_all(&self, message: &ToWorker) {
        (0..self.slots.len()).for_each(|index| self.post(index, message, None));
    }
}

/// The server of a source that is followed did not send a worker's script.
pub(super) const SERVER_GONE: &str = "The server stopped before the page was loaded completely. If the \
                                      sniffer serves this page, the capture has ended.";

/// Describes the failure of a worker to the user, from its error event.
pub(super) fn failure_text(event: &Event) -> String {
    // The event has no message if the worker's script could not be loaded.
    match Reflect::get(event, &"message".into()).ok().and_then(|text| text.as_string()) {
        Some(message) => {
            let reason = message.trim_start_matches("Uncaught Error: ");
            format!("A background worker failed. Open the capture again. Details: {reason}")
        }
        None => "A background worker could not be loaded. Check the connection, then open the \
                 capture again."
            .to_owned(),
    }
}
