//! The original lines of single packets: the one whose details are shown, and those in the table.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::parts::Worker;
use super::reread::{CAPTURE_CLOSED, reread};
use crate::message::FromWorker;
use crate::web::dom::error_message;

/// Bytes read for a line at first: most lines and records are shorter.
const LINE_LEN: usize = 4 << 10;

/// Sends the line of a packet to the page, if this worker has its part. Replaces the previous request.
pub(super) fn read_line(worker: &Worker, number: usize, index: usize) {
    let (epoch, request) = worker.with_state(|state| {
        state.line_requests = state.line_requests.wrapping_add(1);
        (state.epoch, state.line_requests)
    });
    if worker.with_part(epoch, number, |_| ()).is_none() {
        return;
    }
    let worker = worker.clone();
    spawn_local(async move {
        let line = match find_line(&worker, epoch, number, index, request).await {
            Ok(line) => String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned(),
            Err(error) => format!("This record could not be read ({}).", error_message(&error)),
        };
        worker.post(&FromWorker::Line { epoch, part: number, index, line }, None);
    });
}

/// Sends the lines of those packets that are in this worker's parts to the page. A line that takes
/// reading the whole file is empty.
pub(super) fn read_rows(worker: &Worker, rows: Vec<(usize, usize)>) {
    let (worker, epoch) = (worker.clone(), worker.epoch());
    spawn_local(async move {
        let mut lines = Vec::new();
        for (part, index) in rows {
            if worker.with_part(epoch, part, |_| ()).is_some() {
                let line = line_at_offset(&worker, epoch, part, index).await.ok().flatten();
                let line = String::from_utf8_lossy(&line.unwrap_or_default()).into_owned();
                lines.push(((part, index), line));
            }
        }
        if !lines.is_empty() {
            worker.post(&FromWorker::Lines { epoch, lines }, None);
        }
    });
}

/// The line of a packet, found by its offset, or in a compressed file by reading that from the start.
async fn find_line(
    worker: &Worker,
    epoch: u32,
    number: usize,
    index: usize,
    request: u32,
) -> Result<Vec<u8>, JsValue> {
    if let Some(line) = line_at_offset(worker, epoch, number, index).await? {
        return Ok(line);
    }
    let mut line = Vec::new();
    let mut on_lines = |lines: &mut Vec<u8>| {
        line.append(lines);
        let is_latest = worker.with_state(|state| state.line_requests == request);
        Ok(line.is_empty() && is_latest)
    };
    reread(worker, epoch, number, &|row| row == index, &mut on_lines).await?;
    Ok(line)
}

/// The line of a packet, read from its offset in the file; `None` in a compressed file.
async fn line_at_offset(
    worker: &Worker,
    epoch: u32,
    number: usize,
    index: usize,
) -> Result<Option<Vec<u8>>, JsValue> {
    let source = worker
        .with_part(epoch, number, |part| (part.file.clone(), part.loader.record_offset(index)));
    let (file, offset) = source.ok_or(CAPTURE_CLOSED)?;
    let Some(offset) = offset else { return Ok(None) };
    let mut len = LINE_LEN;
    loop {
        let slice = file.slice_with_f64_and_f64(offset as f64, (offset + len as u64) as f64)?;
        let bytes = Uint8Array::new(&JsFuture::from(slice.array_buffer()).await?).to_vec();
        let line = worker.with_part(epoch, number, |part| part.loader.line(index, &bytes));
        match line.ok_or(CAPTURE_CLOSED)? {
            Ok(line) => return Ok(Some(line)),
            // The last line of the file.
            Err(Some(_)) if bytes.len() < len => return Ok(Some(bytes)),
            Err(Some(needed)) => len = needed.max(2 * len),
            Err(None) => return Ok(None),
        }
    }
}
