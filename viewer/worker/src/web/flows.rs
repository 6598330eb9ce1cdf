//! The analysis of connections, which is in a separate WebAssembly module: it runs only on request.

use js_sys::{Array, Uint8Array};
use std::cell::OnceCell;
use wasm_bindgen::prelude::*;

use super::modules;
use viewer_dom::whole;
use viewer_flows::Analyze;

#[wasm_bindgen]
extern "C" {
    /// The exports of the module (`viewer/flows/src/web.rs`).
    type Module;

    /// The analysis of one file.
    type FileAnalysis;

    #[wasm_bindgen(method, js_name = memoryBytes)]
    fn memory_bytes(this: &Module) -> f64;

    #[wasm_bindgen(method, catch, js_name = beginAnalysis)]
    fn begin(this: &Module, starts: &[f64]) -> Result<FileAnalysis, JsValue>;

    #[wasm_bindgen(method, catch, js_name = addPackets)]
    fn add_packets(this: &FileAnalysis, bytes: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = addLines)]
    fn add_lines(this: &FileAnalysis, batch: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn finish(this: &FileAnalysis) -> Result<Array, JsValue>;

    #[wasm_bindgen(method)]
    fn free(this: &FileAnalysis);
}

thread_local! {
    static MODULE: OnceCell<Module> = const { OnceCell::new() };
}

/// The size of the module's memory, in bytes; 0 if it is not loaded.
pub(super) fn memory_bytes() -> u64 {
    MODULE.with(|module| module.get().map_or(0, |module| whole(module.memory_bytes())))
}

/// The analysis of one file.
pub(super) struct Analysis {
    /// `None` once it has ended.
    inner: Option<FileAnalysis>,
    /// The error of an earlier call. Nothing more is called then.
    error: Option<JsValue>,
}

impl Analysis {
    /// Begins an analysis of a file, whose parts start at these offsets. Loads the module.
    ///
    /// # Errors
    ///
    /// If the module cannot be loaded.
    pub(super) async fn begin(starts: &[u64]) -> Result<Self, JsValue> {
        modules::load(&MODULE, "flows").await?;
        let starts: Vec<_> = starts.iter().map(|start| *start as f64).collect();
        let begun = MODULE.with(|module| module.get().map(|module| module.begin(&starts)));
        Ok(Self { inner: Some(begun.ok_or("no module")??), error: None })
    }

    /// Ends the analysis. Returns the findings in each part.
    ///
    /// # Errors
    ///
    /// If the module failed: its memory may be full.
    pub(super) fn finish(mut self) -> Result<Vec<Uint8Array>, JsValue> {
        self.check()?;
        // The module frees it.
        let inner = self.inner.take().ok_or("the analysis has ended")?;
        Ok(inner.finish()?.iter().map(JsCast::unchecked_into).collect())
    }

    /// Returns the error of an earlier call.
    pub(super) fn check(&mut self) -> Result<(), JsValue> {
        self.error.take().map_or(Ok(()), Err)
    }

    fn call(&mut self, add: impl FnOnce(&FileAnalysis) -> Result<(), JsValue>) {
        if let (Some(inner), None) = (&self.inner, &self.error) {
            self.error = add(inner).err();
        }
    }
}

impl Analyze for Analysis {
    fn add_packets(&mut self, bytes: &[u8]) {
        self.call(|inner| inner.add_packets(bytes));
    }

    fn add_lines(&mut self, batch: &[u8]) {
        self.call(|inner| inner.add_lines(batch));
    }
}

impl Drop for Analysis {
    fn drop(&mut self) {
        // After an error, the module may not be able to.
        if let (Some(inner), None) = (&self.inner, &self.error) {
            inner.free();
        }
    }
}
