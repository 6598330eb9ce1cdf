//! The packets of a connection in a running capture: lines from the workers, and bytes from the sniffer that serves
//! this page.

use std::collections::VecDeque;
use std::iter::Peekable;
use viewer_connection::{ConnectionRecord, Limits};
use wasm_bindgen_futures::spawn_local;

use super::page::Page;
use super::served_packets;
use crate::app::{App, Event};
use crate::load::{ConnectionRead, RawFrame};
use crate::number_list::NumberList;
use crate::wire::Wire;

/// Lines that a worker has read.
pub(super) struct Batch {
    /// Number of the load.
    pub(super) epoch: u32,
    /// Number of the request.
    pub(super) id: u32,
    /// Index of the part.
    pub(super) part: usize,
    /// How much of the part has been read.
    pub(super) read: ConnectionRead,
    /// The packets.
    pub(super) records: Vec<u8>,
}

/// The batches that wait for their bytes, which are requested in order.
#[derive(Default)]
pub(super) struct ServedConnection {
    batches: VecDeque<Batch>,
    is_busy: bool,
    /// The request of the last batch.
    id: u32,
    /// Bytes of its frames.
    bytes: u64,
    /// The part of the last batch.
    part: usize,
    /// Packets in this part without bytes.
    without_bytes: u64,
}

impl ServedConnection {
    fn next(&mut self) -> Option<Batch> {
        let batch = self.batches.pop_front();
        self.is_busy = batch.is_some();
        batch
    }

    /// Counts the packets of a batch, and completes its report.
    fn count(&mut self, batch: &mut Batch, records: &[ConnectionRecord]) {
        if self.id != batch.id {
            (self.id, self.bytes) = (batch.id, 0);
            (self.part, self.without_bytes) = (batch.part, 0);
        }
        if self.part != batch.part {
            (self.part, self.without_bytes) = (batch.part, 0);
        }
        let frames = records.iter().filter_map(|record| record.frame.as_ref());
        self.bytes += frames.map(|frame| frame.bytes.len() as u64).sum::<u64>();
        self.without_bytes += records.iter().filter(|record| record.frame.is_none()).count() as u64;
        batch.read.without_bytes = self.without_bytes;
        if Limits::MAX.bytes < self.bytes {
            (batch.read.is_limited, batch.read.is_done) = (true, true);
        }
    }
}

/// Requests the bytes of a batch once those before it have theirs, and shows its packets.
pub(super) fn add(page: &Page, batch: Batch) {
    let is_first = page.with_served_connection(|connection| {
        connection.batches.push_back(batch);
        !std::mem::replace(&mut connection.is_busy, true)
    });
    if !is_first {
        return;
    }
    let page = page.clone();
    spawn_local(async move {
        while let Some(mut batch) = page.with_served_connection(ServedConnection::next) {
            let id = batch.id;
            let is_wanted = |page: &Page, epoch: u32| {
                page.epoch() == epoch && page.with_app(|app| app.is_reading_connection(id))
            };
            if !is_wanted(&page, batch.epoch) {
                continue;
            }
            let mut records: Vec<_> = ConnectionRecord::batch(&batch.records).collect();
            let number = |record: &ConnectionRecord| u64::try_from(record.packet.row.n).ok();
            let numbers = NumberList::of(records.iter().filter_map(number));
            // Packets whose bytes cannot be requested have none.
            let frames = match page.with_app(App::has_served_packets) {
                true => served_packets::frames(numbers).await.unwrap_or_default(),
                false => Vec::new(),
            };
            if !is_wanted(&page, batch.epoch) {
                continue;
            }
            add_frames(&mut records, frames.into_iter().peekable());
            page.with_served_connection(|connection| connection.count(&mut batch, &records));
            let mut bytes = Vec::new();
            records.iter().for_each(|record| record.put(&mut bytes));
            page.show_connection_records(batch.part, &bytes);
            let Batch { id, part, read, .. } = batch;
            page.send(Event::ConnectionRead { id, part, read });
        }
    });
}

/// Adds bytes to packets. Both are in ascending order of their numbers.
fn add_frames(
    records: &mut [ConnectionRecord],
    mut frames: Peekable<impl Iterator<Item = (u64, RawFrame)>>,
) {
    for record in records {
        let Ok(n) = u64::try_from(record.packet.row.n) else { continue };
        while frames.next_if(|(number, _)| *number < n).is_some() {}
        if let Some((_, frame)) = frames.next_if(|(number, _)| *number == n) {
            (record.line, record.frame) = (Vec::new(), Some(frame));
        }
    }
}
