//! Promises that wait for the charts to be drawn.

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;

/// Condition that a promise waits for.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    /// The charts in the viewport are up to date.
    Visible,
    /// All charts are up to date.
    Settled,
}

/// The promises that are not resolved yet.
#[derive(Default)]
pub(super) struct Waiters {
    visible: Vec<Function>,
    settled: Vec<Function>,
}

impl Waiters {
    /// Creates a promise.
    pub(super) fn promise(&mut self, wait: Wait) -> Promise {
        Promise::new(&mut |resolve, _| match wait {
            Wait::Visible => self.visible.push(resolve),
            Wait::Settled => self.settled.push(resolve),
        })
    }

    /// Returns true if promises wait for all charts.
    pub(super) fn awaits_all(&self) -> bool {
        !self.settled.is_empty()
    }

    /// Resolves the promises whose condition is met. Their handlers run later.
    pub(super) fn resolve(&mut self, is_visible: bool, is_settled: bool) {
        let mut resolved = Vec::new();
        if is_visible {
            resolved.append(&mut self.visible);
        }
        if is_settled {
            resolved.append(&mut self.settled);
        }
        for resolve in resolved {
            // The resolver of a promise does not throw.
            let _ = resolve.call0(&JsValue::NULL);
        }
    }
}
