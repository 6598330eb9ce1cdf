//! The packets of one connection in a part, which is reread for them.

use js_sys::{Date, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::chunks::ChunkReader;
use super::load::REPORT_INTERVAL_MS;
use super::parts::{CAPTURE_CLOSED, Part, Worker};
use super::reread::read_pieces;
use crate::load::ConnectionRead;
use crate::message::FromWorker;
use crate::selection::Selection;
use crate::shard::{Preceding, Shard};
use viewer_connection::Limits;
use viewer_dom::error_message;

/// Bytes of packets that are posted at once.
const BATCH_LEN: usize = 1 << 20;

/// Sends the packets in a part that a selection of addresses and ports selects, if this worker has the part.
/// Replaces the previous request.
pub(super) fn start(worker: &Worker, id: u32, number: usize, selection: Selection, limits: Limits) {
    let epoch = worker.with_state(|state| {
        state.connection = id;
        state.epoch
    });
    if worker.with_part(epoch, number, |_| ()).is_none() {
        return;
    }
    let worker = worker.clone();
    spawn_local(async move {
        if let Err(error) = read(&worker, epoch, id, number, &selection, limits).await {
            let error = Some(error_message(&error));
            let read = ConnectionRead { is_done: true, error, ..ConnectionRead::default() };
            post(&worker, epoch, id, number, read, &mut Vec::new());
        }
    });
}

async fn read(
    worker: &Worker,
    epoch: u32,
    id: u32,
    number: usize,
    selection: &Selection,
    limits: Limits,
) -> Result<(), JsValue> {
    let reader = worker.with_part(epoch, number, |part| {
        // The selection of the charts stays as it is.
        let mut shard = Shard::new(number, String::new());
        shard.answer(part.loader.columns(), Preceding::default(), selection, &[]);
        part.loader.connection_reader(shard.selected(), limits)
    });
    let mut reader = reader.ok_or(CAPTURE_CLOSED)?;
    let (mut output, mut reported_ms) = (Vec::new(), Date::now());
    if !reader.is_done() {
        let chunks = ChunkReader::of_part(worker, epoch, number, reader.position())?;
        read_pieces(chunks, false, &mut |piece| {
            let has_more = worker.with_part(epoch, number, |Part { loader, shard, .. }| {
                let columns = loader.columns();
                let mut locate = |row| shard.locate(columns, row);
                reader.feed(piece, columns, &mut locate, &mut output)
            });
            let has_more = has_more.ok_or(CAPTURE_CLOSED)?;
            if BATCH_LEN <= output.len() || REPORT_INTERVAL_MS <= Date::now() - reported_ms {
                reported_ms = Date::now();
                post(worker, epoch, id, number, reader.read(), &mut output);
            }
            Ok(has_more && worker.with_state(|state| state.connection == id))
        })
        .await?;
    }
    let read = ConnectionRead { is_done: true, ..reader.read() };
    post(worker, epoch, id, number, read, &mut output);
    Ok(())
}

/// Posts what has been read, and the packets in `output`, which is empty then.
fn post(
    worker: &Worker,
    epoch: u32,
    id: u32,
    part: usize,
    read: ConnectionRead,
    output: &mut Vec<u8>,
) {
    let bytes = Uint8Array::from(&output[..]);
    output.clear();
    worker.post(&FromWorker::Connection { epoch, id, part, read }, Some(&bytes));
}
