//! The selected packets' lines, out of the workers and into one file.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::page::Page;
use crate::app::Event;
use crate::message::ToWorker;

/// What is being exported.
#[derive(Default)]
pub(super) struct Exports {
    next_id: u32,
    waiting: Vec<Export>,
}

struct Export {
    id: u32,
    /// What came so far, by the numbers of the parts.
    parts: Vec<JsValue>,
    /// How many workers have yet to answer.
    missing: usize,
    resolve: Function,
    reject: Function,
}

impl Exports {
    /// Nothing more will come: those who wait have to be told that.
    pub(super) fn give_up(&mut self) -> Vec<Function> {
        std::mem::take(&mut self.waiting).into_iter().map(|export| export.reject).collect()
    }
}

impl Page {
    /// A promise of the selected packets' lines, as one file.
    pub(super) fn export(&self) -> Promise {
        let (befores, selection) = self.with_app(|app| (app.befores(), app.selection().clone()));
        Promise::new(&mut |resolve, reject| {
            let mut state = self.state.borrow_mut();
            let id = state.exports.next_id;
            state.exports.next_id = id.wrapping_add(1);
            let missing = state.workers.len();
            let export = Export { id, parts: Vec::new(), missing, resolve, reject };
            state.exports.waiting.push(export);
            let (befores, selection) = (befores.clone(), selection.clone());
            state.post_all(&ToWorker::Export { id, befores, selection });
        })
    }

    /// Takes what a worker has; when all have answered, hands the file out.
    pub(super) fn collect(&self, id: u32, parts: &[usize], blobs: &Array) {
        let mut state = self.state.borrow_mut();
        let waiting = &mut state.exports.waiting;
        let Some(place) = waiting.iter().position(|export| export.id == id) else { return };
        let export = &mut waiting[place];
        for (part, blob) in parts.iter().zip(blobs.iter()) {
            if export.parts.len() <= *part {
                export.parts.resize(part + 1, JsValue::NULL);
            }
            export.parts[*part] = blob;
        }
        export.missing = export.missing.saturating_sub(1);
        if 0 < export.missing {
            return;
        }
        let export = waiting.remove(place);
        drop(state);
        let pieces: Array = export.parts.into_iter().collect();
        let is_whole = pieces.iter().all(|piece| !piece.is_null());
        // Who waited may be gone: nothing worse.
        let _ = match Blob::new_with_blob_sequence(&pieces) {
            Ok(blob) if is_whole => export.resolve.call1(&JsValue::NULL, &blob),
            _ => {
                let words = "The file cannot be read again.";
                self.send(Event::ShowError(words.into()));
                export.reject.call1(&JsValue::NULL, &words.into())
            }
        };
    }
}
