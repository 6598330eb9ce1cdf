//! The state of a worker: the parts of files that it reads and keeps.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, DedicatedWorkerGlobalScope};

use super::extra::Reading;
use super::kept::AwaitedLines;
use super::{flows, formats};
use crate::flow::SyncCursor;
use crate::load::{Chunks, Limits, Loader};
use crate::message::FromWorker;
use crate::shard::Shard;
use crate::wire::encode;
use viewer_dom::log_error;

/// A handle to the worker; clones refer to the same worker.
#[derive(Clone)]
pub(super) struct Worker {
    scope: DedicatedWorkerGlobalScope,
    state: Rc<RefCell<State>>,
}

/// State of the worker.
#[derive(Default)]
pub(super) struct State {
    /// The number of the current load. Whatever was started in an earlier one has to stop.
    pub(super) epoch: u32,
    pub(super) parts: Vec<Part>,
    pub(super) is_loading: bool,
    /// Counts the requests for a single packet: only the latest one is carried out.
    pub(super) record_requests: u32,
    /// The latest request for the packets of a connection.
    pub(super) connection: u32,
    /// Fields that a selection refers to and that have no column.
    pub(super) reading: Reading,
    /// The number of exports that have not ended.
    pub(super) exports: u32,
    /// The lines of parts that are kept for the analysis, even if the parts are dropped.
    pub(super) kept: Vec<(usize, Chunks)>,
    /// An analysis of followed lines has started. Findings then come from it, not from the fields of the lines.
    pub(super) is_analyzed: bool,
    /// The lines for which the analysis waits.
    pub(super) awaited_lines: Option<AwaitedLines>,
}

impl State {
    /// Drops the parts before this one, once no export reads them.
    pub(super) fn drop_before(&mut self, part: usize) {
        let dropped = self.parts.iter_mut().filter(|dropped| dropped.number < part);
        dropped.for_each(|dropped| dropped.is_dropped = true);
        self.remove_dropped();
    }

    /// Removes the parts that were dropped, unless an export reads them.
    pub(super) fn remove_dropped(&mut self) {
        if self.exports == 0 {
            self.parts.retain(|part| !part.is_dropped);
        }
    }
}

/// Why reading ends early.
pub(super) const CAPTURE_CLOSED: &str = "another capture was opened";

/// Where the bytes of a part are.
#[derive(Clone)]
pub(super) enum PartFile {
    /// In a file of the browser.
    Blob(Blob),
    /// In the loader: they were appended to the part.
    Appended,
}

/// A part of a file.
pub(super) struct Part {
    pub(super) number: usize,
    pub(super) file: PartFile,
    pub(super) loader: Loader,
    pub(super) shard: Shard,
    /// Loading stops when the worker's packets take more than this.
    pub(super) limits: Limits,
    /// Whether reading stops before the end of the part.
    pub(super) is_cancelled: bool,
    pub(super) is_loaded: bool,
    /// Queries are not about this part any longer.
    pub(super) is_dropped: bool,
    /// How much of the part's flows the page has.
    pub(super) synced: SyncCursor,
}

impl Part {
    pub(super) fn new(
        number: usize,
        file: PartFile,
        loader: Loader,
        shard: Shard,
        limits: Limits,
    ) -> Self {
        Self {
            number,
            file,
            loader,
            shard,
            limits,
            is_cancelled: false,
            is_loaded: false,
            is_dropped: false,
            synced: SyncCursor::default(),
        }
    }
}

impl Worker {
    pub(super) fn new(scope: DedicatedWorkerGlobalScope) -> Self {
        Self { scope, state: Rc::default() }
    }

    /// Uses the state. `use_state` must not call the worker's methods other than [`Self::post`].
    pub(super) fn with_state<T>(&self, use_state: impl FnOnce(&mut State) -> T) -> T {
        use_state(&mut self.state.borrow_mut())
    }

    /// The number of the current load.
    pub(super) fn epoch(&self) -> u32 {
        self.state.borrow().epoch
    }

    /// Uses a part of that load; `None` if another load began or this worker does not have the part.
    ///
    /// Asynchronous work passes the epoch in which it started: after each `await`, a part with the same
    /// number may belong to another capture.
    pub(super) fn with_part<T>(
        &self,
        epoch: u32,
        number: usize,
        use_part: impl FnOnce(&mut Part) -> T,
    ) -> Option<T> {
        let state = &mut *self.state.borrow_mut();
        if state.epoch != epoch {
            return None;
        }
        state.parts.iter_mut().find(|part| part.number == number).map(use_part)
    }

    /// Posts a message to the page, with a second value that is not part of the message's bytes.
    pub(super) fn post(&self, message: &FromWorker, attachment: Option<&JsValue>) {
        self.post_with(message, attachment, &Array::new());
    }

    /// Posts a message to the page with a buffer, which is not copied: this worker cannot use it any longer.
    pub(super) fn post_buffer(&self, message: &FromWorker, buffer: &ArrayBuffer) {
        self.post_with(message, Some(buffer), &Array::of1(buffer));
    }

    fn post_with(&self, message: &FromWorker, attachment: Option<&JsValue>, transferred: &Array) {
        let bytes = Uint8Array::from(&encode(message)[..]);
        transferred.push(&bytes.buffer());
        let parts = Array::of1(&bytes.into());
        if let Some(attachment) = attachment {
            parts.push(attachment);
        }
        log_error(self.scope.post_message_with_transfer(&parts, transferred));
    }
}

/// The size of the WebAssembly memory of this instance and of its other modules, in bytes.
pub(super) fn memory_bytes() -> u64 {
    viewer_dom::memory_bytes() + formats::memory_bytes() + flows::memory_bytes()
}
