//! Requests to a worker to probe files.

use js_sys::{Function, Promise};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::load::FileProbe;

/// A result that arrives later.
type Slot = Rc<RefCell<Option<Result<FileProbe, String>>>>;

/// The requests without an answer.
#[derive(Default)]
pub(super) struct Probes {
    next_id: u32,
    /// For each request, its number, the slot of its result, and the function that resolves its promise.
    pending: Vec<(u32, Slot, Function)>,
}

/// A request that waits for its answer.
pub(super) struct PendingProbe {
    slot: Slot,
    answered: Promise,
}

impl Probes {
    /// Adds a request and returns its number.
    pub(super) fn begin(&mut self) -> (u32, PendingProbe) {
        let (id, slot) = (self.next_id, Slot::default());
        self.next_id = id.wrapping_add(1);
        let answered = Promise::new(&mut |resolve, _| {
            self.pending.push((id, slot.clone(), resolve));
        });
        (id, PendingProbe { slot, answered })
    }

    /// Stores the answer to a request. Unknown numbers are ignored.
    pub(super) fn complete(&mut self, id: u32, result: Result<FileProbe, String>) {
        if let Some(index) = self.pending.iter().position(|(pending, ..)| *pending == id) {
            let (_, slot, resolve) = self.pending.swap_remove(index);
            *slot.borrow_mut() = Some(result);
            // The resolver of a promise does not throw. Its handler runs later.
            let _ = resolve.call0(&JsValue::NULL);
        }
    }

    /// Ends all requests without a result.
    pub(super) fn cancel_all(&mut self) {
        for (_, _, resolve) in self.pending.drain(..) {
            let _ = resolve.call0(&JsValue::NULL);
        }
    }
}

impl PendingProbe {
    /// The result.
    ///
    /// # Errors
    ///
    /// Why the file cannot be read.
    pub(super) async fn result(self) -> Result<FileProbe, String> {
        // The promise is never rejected.
        let _ = JsFuture::from(self.answered).await;
        self.slot.take().unwrap_or_else(|| Err("cancelled".to_owned()))
    }
}
