//! The analysis of the connections in a file, whose parts may belong to several workers: the worker with
//! the first part reads the whole file.

use js_sys::Date;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::chunks::ChunkReader;
use super::flows::Analysis;
use super::formats;
use super::load::REPORT_INTERVAL_MS;
use super::parts::{CAPTURE_CLOSED, PartFile, Worker};
use super::reread::read_pieces;
use crate::load::ContentReader;
use crate::message::FromWorker;
use viewer_dom::{error_message, whole};

/// Starts the analysis of a file. `parts` has the number of each of its parts and the offset of its first
/// byte. The worker has the first one.
pub(super) fn start(worker: &Worker, parts: Vec<(usize, u64)>) {
    let (worker, epoch) = (worker.clone(), worker.epoch());
    let Some(&(first, _)) = parts.first() else { return };
    spawn_local(async move {
        let analyzed = analyze(&worker, epoch, &parts).await;
        let error = analyzed.err().map(|error| error_message(&error));
        worker.post(&FromWorker::Analyzed { epoch, part: first, error }, None);
    });
}

/// Reads the file and posts the findings in each part.
async fn analyze(worker: &Worker, epoch: u32, parts: &[(usize, u64)]) -> Result<(), JsValue> {
    let first = parts.first().map_or(0, |(part, _)| *part);
    let starts: Vec<_> = parts.iter().map(|(_, start)| *start).collect();
    let mut analysis = Analysis::begin(&starts).await?;
    let source =
        worker.with_part(epoch, first, |part| (part.file.clone(), part.loader.is_uncompressed()));
    let (file, is_uncompressed) = source.ok_or(CAPTURE_CLOSED)?;
    let PartFile::Blob(file) = file else { return Err("the capture is followed".into()) };
    let mut content = ContentReader::new(whole(file.size()), formats::open);
    let mut reported_ms = Date::now();
    let chunks = ChunkReader::new(&file, 0)?;
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
