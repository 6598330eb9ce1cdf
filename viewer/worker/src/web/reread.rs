//! Reads a part once more, for some of its packets.

use wasm_bindgen::JsValue;

use super::chunks::{ChunkReader, pieces};
use super::parts::{CAPTURE_CLOSED, Worker};
use super::yielder::Yielder;
use crate::load::{Exporter, Loader};

/// Receives the output of an exporter; returns false to end reading.
pub(super) type OnOutput<'a> = dyn FnMut(&mut Exporter, &mut Vec<u8>) -> Result<bool, JsValue> + 'a;

/// Reads a part from its start with an exporter. Passes the exporter and its output for the packets that
/// `is_wanted` accepts by their index to `on_output`, in batches that may be empty, until `on_output`
/// returns false.
///
/// # Errors
///
/// If the file cannot be read, another load began, or `on_output` fails.
pub(super) async fn reread(
    worker: &Worker,
    epoch: u32,
    number: usize,
    new_exporter: &dyn Fn(&Loader) -> Exporter,
    is_wanted: &dyn Fn(usize) -> bool,
    on_output: &mut OnOutput<'_>,
) -> Result<(), JsValue> {
    let exporter = worker.with_part(epoch, number, |part| new_exporter(&part.loader));
    let mut exporter = exporter.ok_or(CAPTURE_CLOSED)?;
    let mut output = Vec::new();
    let reader = ChunkReader::of_part(worker, epoch, number, exporter.position())?;
    read_pieces(reader, false, &mut |piece| {
        let has_more = worker.with_part(epoch, number, |part| {
            exporter.feed(piece, part.loader.columns(), is_wanted, &mut output)
        });
        let has_more = has_more.ok_or(CAPTURE_CLOSED)?;
        Ok(on_output(&mut exporter, &mut output)? && has_more)
    })
    .await
}

/// Passes the rest of a file on to `visit` in pieces, the last of which is empty, until it returns false.
/// Other tasks of the worker run in between. The pieces are short unless the file is known to be uncompressed.
///
/// # Errors
///
/// If the file cannot be read, or `visit` fails.
pub(super) async fn read_pieces(
    mut reader: ChunkReader,
    is_uncompressed: bool,
    visit: &mut dyn FnMut(&[u8]) -> Result<bool, JsValue>,
) -> Result<(), JsValue> {
    let mut bytes = Vec::new();
    let mut yielder = Yielder::new()?;
    loop {
        reader.next(&mut bytes).await?;
        for piece in pieces(&bytes, is_uncompressed) {
            match visit(piece) {
                Ok(true) => yielder.yield_if_due().await?,
                end => {
                    reader.cancel();
                    return end.map(drop);
                }
            }
        }
    }
}
