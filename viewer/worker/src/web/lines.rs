//! Single packets as in their files: the one whose details are shown, and those in the table, for their
//! fields without a column.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::parts::{CAPTURE_CLOSED, Part, PartFile, Worker};
use super::reread::reread;
use crate::load::{Exporter, FileRecord, Loader, other_fields};
use crate::message::FromWorker;
use viewer_dom::error_message;

/// Bytes read for a line at first: most lines and records are shorter.
const LINE_LEN: usize = 4 << 10;

/// Sends a packet to the page, if this worker has its part. Replaces the previous request.
pub(super) fn read_record(worker: &Worker, number: usize, index: usize) {
    let (epoch, request) = worker.with_state(|state| {
        state.record_requests = state.record_requests.wrapping_add(1);
        (state.epoch, state.record_requests)
    });
    if worker.with_part(epoch, number, |_| ()).is_none() {
        return;
    }
    let worker = worker.clone();
    spawn_local(async move {
        let (line, frame) = match find_record(&worker, epoch, number, index, request).await {
            Ok(FileRecord { line, frame }) => (text(&line), frame),
            Err(error) => {
                (format!("This record could not be read ({}).", error_message(&error)), None)
            }
        };
        worker.post(&FromWorker::Record { epoch, part: number, index, line, frame }, None);
    });
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

/// Sends the fields without a column of those packets that are in this worker's parts to the page. None
/// are sent of a packet that takes reading the whole file.
pub(super) fn read_other_fields(worker: &Worker, rows: Vec<(usize, usize)>) {
    let (worker, epoch) = (worker.clone(), worker.epoch());
    spawn_local(async move {
        let mut texts = Vec::new();
        for (part, index) in rows {
            if worker.with_part(epoch, part, |_| ()).is_some() {
                let record = record_at_offset(&worker, epoch, part, index).await.ok().flatten();
                let line = record.map(|record| text(&record.line)).unwrap_or_default();
                texts.push(((part, index), other_fields(&line)));
            }
        }
        if !texts.is_empty() {
            worker.post(&FromWorker::OtherFields { epoch, texts }, None);
        }
    });
}

/// A packet, found by its offset, or in a compressed file by reading that from the start.
async fn find_record(
    worker: &Worker,
    epoch: u32,
    number: usize,
    index: usize,
    request: u32,
) -> Result<FileRecord, JsValue> {
    if let Some(record) = record_at_offset(worker, epoch, number, index).await? {
        return Ok(record);
    }
    let mut found = None;
    let mut on_output = |exporter: &mut Exporter, _: &mut Vec<u8>| {
        found = exporter.take_record();
        let is_latest = worker.with_state(|state| state.record_requests == request);
        Ok(found.is_none() && is_latest)
    };
    let is_wanted = |row| row == index;
    reread(worker, epoch, number, &Loader::record_finder, &is_wanted, &mut on_output).await?;
    Ok(found.unwrap_or_default())
}

/// A packet, read from its offset in the file; `None` in a compressed file.
async fn record_at_offset(
    worker: &Worker,
    epoch: u32,
    number: usize,
    index: usize,
) -> Result<Option<FileRecord>, JsValue> {
    let source = worker
        .with_part(epoch, number, |part| (part.file.clone(), part.loader.record_offset(index)));
    let (file, offset) = source.ok_or(CAPTURE_CLOSED)?;
    let Some(offset) = offset else { return Ok(None) };
    let mut len = LINE_LEN;
    loop {
        let range = offset..offset + len as u64;
        let bytes = match &file {
            PartFile::Blob(file) => {
                let slice = file.slice_with_f64_and_f64(range.start as f64, range.end as f64)?;
                Uint8Array::new(&JsFuture::from(slice.array_buffer()).await?).to_vec()
            }
            PartFile::Appended => {
                let mut bytes = Vec::new();
                let copy = |part: &mut Part| part.loader.copy_appended(range, &mut bytes);
                worker.with_part(epoch, number, copy).ok_or(CAPTURE_CLOSED)?;
                bytes
            }
        };
        let record = worker.with_part(epoch, number, |part| part.loader.record(index, &bytes));
        match record.ok_or(CAPTURE_CLOSED)? {
            Ok(record) => return Ok(Some(record)),
            // The last line of the file.
            Err(Some(_)) if bytes.len() < len => {
                return Ok(Some(FileRecord { line: bytes, frame: None }));
            }
            Err(Some(needed)) => len = needed.max(2 * len),
            Err(None) => return Ok(None),
        }
    }
}
