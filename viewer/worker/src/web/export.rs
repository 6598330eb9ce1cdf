//! Export of all selected packets.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::parts::{CAPTURE_CLOSED, Part, Worker};
use super::reread::reread;
use crate::load::{ExportFormat, Exporter, Loader};
use crate::message::FromWorker;

/// Bytes that are handed to the browser at once: it can move a blob to disk, whereas the
/// worker's own memory cannot shrink.
const BLOB_LEN: usize = 4 << 20;

/// Sends the packets that are selected now, a blob for each part; null for a part that
/// could not be read. Later changes of the selection do not matter.
pub(super) fn start(worker: &Worker, id: u32, format: ExportFormat) {
    let (epoch, selected) = worker.with_state(|state| {
        state.exports += 1;
        let parts = state.parts.iter().filter(|part| !part.is_dropped);
        let parts = parts.map(|part| (part.number, part.shard.selected()));
        (state.epoch, parts.collect::<Vec<_>>())
    });
    let worker = worker.clone();
    spawn_local(async move {
        let blobs = Array::new();
        for (number, selected) in &selected {
            let is_selected = |row| selected.contains(row);
            let blob = export_part(&worker, epoch, *number, format, &is_selected).await;
            blobs.push(&blob.map_or(JsValue::NULL, JsValue::from));
        }
        worker.with_state(|state| {
            // Another load starts with no exports.
            if state.epoch == epoch {
                state.exports -= 1;
                state.remove_dropped();
            }
        });
        let parts = selected.into_iter().map(|(number, _)| number).collect();
        worker.post(&FromWorker::Exported { id, parts }, Some(&blobs));
    });
}

async fn export_part(
    worker: &Worker,
    epoch: u32,
    number: usize,
    format: ExportFormat,
    is_selected: &dyn Fn(usize) -> bool,
) -> Result<Blob, JsValue> {
    if format == ExportFormat::Numbers {
        let numbers = |part: &mut Part| part.loader.numbers(is_selected);
        let numbers = worker.with_part(epoch, number, numbers).ok_or(CAPTURE_CLOSED)?;
        return Blob::new_with_str_sequence(&Array::of1(&numbers.into()));
    }
    let pieces = Array::new();
    let mut buf = Vec::new();
    let flush = |buf: &mut Vec<u8>| -> Result<(), JsValue> {
        let bytes = Array::of1(&Uint8Array::from(&buf[..]));
        pieces.push(&Blob::new_with_u8_array_sequence(&bytes)?.into());
        buf.clear();
        Ok(())
    };
    let mut on_output = |_: &mut Exporter, output: &mut Vec<u8>| {
        buf.append(output);
        if BLOB_LEN <= buf.len() {
            flush(&mut buf)?;
        }
        Ok(true)
    };
    let new_exporter = |loader: &Loader| loader.exporter(format);
    reread(worker, epoch, number, &new_exporter, is_selected, &mut on_output).await?;
    flush(&mut buf)?;
    Blob::new_with_blob_sequence(&pieces)
}
