//! The analysis in JavaScript, for the module of the workers (`viewer/worker/src/web/flows.rs`).

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::{Analysis, Analyze};

/// The analysis of one file.
#[wasm_bindgen]
pub struct FileAnalysis {
    inner: Analysis,
}

#[wasm_bindgen]
impl FileAnalysis {
    /// Takes the next packets.
    #[wasm_bindgen(js_name = addPackets)]
    pub fn add_packets(&mut self, bytes: &[u8]) {
        self.inner.add_packets(bytes);
    }

    /// Takes the next lines.
    #[wasm_bindgen(js_name = addLines)]
    pub fn add_lines(&mut self, batch: &[u8]) {
        self.inner.add_lines(batch);
    }

    /// Ends the analysis. Returns the findings in each part.
    pub fn finish(self) -> Vec<Uint8Array> {
        self.inner.finish().map(|bytes| Uint8Array::from(&bytes[..])).collect()
    }
}

/// Begins an analysis of a file, whose parts start at these offsets.
#[wasm_bindgen(js_name = beginAnalysis)]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn begin_analysis(starts: &[f64]) -> FileAnalysis {
    let starts: Vec<_> = starts.iter().map(|start| viewer_dom::whole(*start)).collect();
    FileAnalysis { inner: Analysis::new(&starts) }
}

/// The size of this module's memory, in bytes.
#[wasm_bindgen(js_name = memoryBytes)]
#[expect(unreachable_pub, reason = "called from JavaScript")]
pub fn memory_bytes() -> f64 {
    viewer_dom::memory_bytes() as f64
}
