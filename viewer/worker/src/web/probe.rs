//! Probing: finds the properties of a file from its first bytes.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Blob;

use super::formats;
use super::parts::Worker;
use crate::load::FileProbe;
use crate::message::FromWorker;
use viewer_dom::{error_message, whole};

/// Bytes read from the start of a file to detect its format and estimate its number of packets.
const PROBE_LEN: f64 = 65_536.0;

/// Probes a file and posts the result.
pub(super) fn start(worker: &Worker, id: u32, file: Blob) {
    let worker = worker.clone();
    spawn_local(async move {
        let message = match probe(&file).await {
            Ok(probe) => FromWorker::Probed { id, probe },
            Err(error) => FromWorker::ProbeFailed { id, error: error_message(&error) },
        };
        worker.post(&message, None);
    });
}

/// Reads the first bytes and loads what reads their format.
async fn probe(file: &Blob) -> Result<FileProbe, JsValue> {
    let start = file.slice_with_f64_and_f64(0.0, PROBE_LEN)?;
    let bytes = JsFuture::from(start.array_buffer()).await?;
    let start = Uint8Array::new(&bytes).to_vec();
    formats::prepare(&start).await?;
    Ok(FileProbe::new(&start, whole(file.size()), formats::open))
}
