//! Reads a part once more, for the original lines of some of its packets.

use wasm_bindgen::JsValue;

use super::parts::Worker;
use super::yielder::Yielder;
use crate::web::chunks::{ChunkReader, pieces};

/// Why reading ends early.
pub(super) const CAPTURE_CLOSED: &str = "another capture was opened";

/// Reads a part from its start and passes the lines of the packets that `is_wanted` accepts by their
/// index to `on_lines`, in batches that may be empty, until `on_lines` returns false.
///
/// # Errors
///
/// If the file cannot be read, another load began, or `on_lines` fails.
pub(super) async fn reread(
    worker: &Worker,
    epoch: u32,
    number: usize,
    is_wanted: &dyn Fn(usize) -> bool,
    on_lines: &mut dyn FnMut(&mut Vec<u8>) -> Result<bool, JsValue>,
) -> Result<(), JsValue> {
    let source =
        worker.with_part(epoch, number, |part| (part.file.clone(), part.loader.exporter()));
    let (file, mut exporter) = source.ok_or(CAPTURE_CLOSED)?;
    let mut reader = ChunkReader::new(&file, exporter.position())?;
    let (mut bytes, mut lines) = (Vec::new(), Vec::new());
    let mut yielder = Yielder::new()?;
    loop {
        reader.next(&mut bytes).await?;
        for piece in pieces(&bytes, false) {
            let has_more = worker.with_part(epoch, number, |part| {
                exporter.feed(piece, part.loader.columns(), is_wanted, &mut lines)
            });
            let Some(has_more) = has_more else {
                reader.cancel();
                return Err(CAPTURE_CLOSED.into());
            };
            if !on_lines(&mut lines)? || !has_more {
                reader.cancel();
                return Ok(());
            }
            yielder.yield_if_due().await?;
        }
    }
}
