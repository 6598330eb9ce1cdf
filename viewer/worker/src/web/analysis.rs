//! The analysis of the connections in a file, or in the lines that the page keeps of a followed source. The parts may
//! belong to several workers; the worker with the first part reads them all.

use js_sys::Date;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::chunks::ChunkReader;
use super::flows::Analysis;
use super::formats;
use super::kept::{self, KeptReader};
use super::load::REPORT_INTERVAL_MS;
use super::parts::{CAPTURE_CLOSED, Part, PartFile, Worker};
use super::reread::read_pieces;
use crate::load::ContentReader;
use crate::message::FromWorker;
use viewer_dom::{error_message, whole};

/// Starts the analysis of a file. `parts` has the number of each of its parts and the offset of its first
/// byte. The worker has the first one.
pub(super) fn start(worker: &Worker, parts: Vec<(usize, u64)>) {
    run(worker, parts, None);
}

/// Starts the analysis of a followed source, if this worker has its first part. `parts` has the number of each part
/// and the number of its bytes to read.
pub(super) fn start_appended(worker: &Worker, parts: &[(usize, u64)]) {
    if !kept::keep(worker, parts) {
        return;
    }
    let mut len = 0;
    let starts = parts.iter().map(|&(part, part_len)| {
        let start = len;
        len += part_len + 1; // with a line feed
        (part, start)
    });
    let starts = starts.collect();
    run(worker, starts, Some(len));
}

/// Runs the analysis of a file, or of kept lines of that length. `parts` has the offsets of the parts in it.
fn run(worker: &Worker, parts: Vec<(usize, u64)>, kept_len: Option<u64>) {
    let (worker, epoch) = (worker.clone(), worker.epoch());
    let Some(&(first, _)) = parts.first() else { return };
    spawn_local(async move {
        let analyzed = analyze(&worker, epoch, &parts, kept_len).await;
        let error = analyzed.err().map(|error| error_message(&error));
        worker.post(&FromWorker::Analyzed { epoch, part: first, error }, None);
    });
}

/// Reads the file or the lines, and posts the findings in each part.
async fn analyze(
    worker: &Worker,
    epoch: u32,
    parts: &[(usize, u64)],
    kept_len: Option<u64>,
) -> Result<(), JsValue> {
    let first = parts.first().map_or(0, |(part, _)| *part);
    let starts: Vec<_> = parts.iter().map(|(_, start)| *start).collect();
    let mut analysis = Analysis::begin(&starts).await?;
    let (chunks, is_uncompressed, mut content) = match kept_len {
        Some(len) => {
            let reader = KeptReader::new(worker, parts.iter().map(|(part, _)| *part));
            (ChunkReader::Kept(reader), true, ContentReader::of_lines(len))
        }
        None => {
            let file = |part: &mut Part| (part.file.clone(), part.loader.is_uncompressed());
            let Some((PartFile::Blob(file), is_uncompressed)) =
                worker.with_part(epoch, first, file)
            else {
                return Err(CAPTURE_CLOSED.into());
            };
            let content = ContentReader::new(whole(file.size()), formats::open);
            (ChunkReader::new(&file, 0)?, is_uncompressed, content)
        }
    };
    let mut reported_ms = Date::now();
    read_pieces(chunks, is_uncompressed, &mut |piece| {
        if worker.epoch() != epoch {
            return Err(CAPTURE_CLOSED.into());
        }
        if REPORT_INTERVAL_MS <= Date::now() - reported_ms {
            reported_ms = Date::now();
            let (len, read) = content.progress();
            let message = FromWorker::AnalysisRead { epoch, part: first, progress: (read, len) };
            worker.post(&message, None);
        }
        let has_more = content.feed(piece, &mut analysis);
        analysis.check()?;
        Ok(has_more)
    })
    .await?;
    for ((part, _), findings) in parts.iter().zip(analysis.finish()?) {
        worker.post(&FromWorker::Findings { epoch, part: *part }, Some(&findings));
    }
    Ok(())
}
