//! Exports in progress: collects the selected packets' lines from all workers into one file.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::partial_sort::sort;

/// The exports that still wait for workers.
#[derive(Default)]
pub(super) struct Exports {
    next_id: u32,
    pending: Vec<Pending>,
}

struct Pending {
    id: u32,
    /// The parts received so far and their lines; null for a part that could not be read.
    parts: Vec<(usize, JsValue)>,
    /// The number of workers that have not answered yet.
    missing: usize,
    resolvers: Resolvers,
}

/// The functions that settle an export's promise.
pub(super) struct Resolvers {
    pub(super) resolve: Function,
    pub(super) reject: Function,
}

impl Resolvers {
    /// Fulfils or rejects the promise.
    pub(super) fn settle(&self, result: Result<Blob, &str>) {
        // A call fails only if the promise's handler was torn down, for example with its page.
        let _ = match result {
            Ok(blob) => self.resolve.call1(&JsValue::NULL, &blob),
            Err(reason) => self.reject.call1(&JsValue::NULL, &reason.into()),
        };
    }
}

impl Exports {
    /// Registers an export that `workers` workers will answer, and returns its id.
    pub(super) fn begin(&mut self, workers: usize, resolvers: Resolvers) -> u32 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        self.pending.push(Pending { id, parts: Vec::new(), missing: workers, resolvers });
        id
    }

    /// Adds the answer of a worker: a blob of lines for each of its parts. Once all workers have
    /// answered, returns the promise and the whole file, `None` if some part could not be read.
    pub(super) fn collect(
        &mut self,
        id: u32,
        parts: &[usize],
        blobs: &Array,
    ) -> Option<(Resolvers, Option<Blob>)> {
        let index = self.pending.iter().position(|export| export.id == id)?;
        let export = &mut self.pending[index];
        export.parts.extend(parts.iter().copied().zip(blobs.iter()));
        export.missing = export.missing.saturating_sub(1);
        if 0 < export.missing {
            return None;
        }
        let mut export = self.pending.remove(index);
        let is_complete = export.parts.iter().all(|(_, blob)| !blob.is_null());
        sort(&mut export.parts, |a, b| a.0.cmp(&b.0));
        let blobs: Array = export.parts.into_iter().map(|(_, blob)| blob).collect();
        let file = is_complete.then(|| Blob::new_with_blob_sequence(&blobs).ok()).flatten();
        Some((export.resolvers, file))
    }

    /// Drops all pending exports and returns their promises, to be rejected.
    pub(super) fn cancel_all(&mut self) -> Vec<Resolvers> {
        std::mem::take(&mut self.pending).into_iter().map(|export| export.resolvers).collect()
    }
}
