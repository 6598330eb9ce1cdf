//! Reading with several threads: the main thread reads files and writes lines, workers format
//! packets. Batches circulate between them; their order is that of the workers, round-robin.

use flow::Observation;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use summary::record::Reason;
use summary::{Faults, LinkType, Timestamp};

use super::run::FileRun;
use crate::Error;
use crate::line_formatter::{CapturedPacket, Found, LineFormatter, NameFinder};
use crate::stream::FormattedPacket;

/// A batch is full when it holds this many bytes of packets.
const BATCH_LEN: usize = 256 << 10;

/// A batch is also full when it holds this many packets, which may be empty.
const MAX_BATCH_PACKETS: usize = 4096;

/// Batches queued for a worker, and batches queued on their way back.
const QUEUE_DEPTH: usize = 2;

/// Packets and their formatted lines.
#[derive(Default)]
struct PacketBatch {
    /// The captured bytes of all packets, one after another.
    bytes: Vec<u8>,
    packets: Vec<BatchPacket>,
    /// The lines, each without its start up to the packet number.
    text: Vec<u8>,
    /// For each packet, the end of its line in `text`.
    ends: Vec<usize>,
}

/// A packet of a batch.
struct BatchPacket {
    ts: Timestamp,
    link: LinkType,
    is_big_endian: bool,
    wire_len: u32,
    faults: Faults,
    /// End of its bytes in `PacketBatch::bytes`.
    end: usize,
    /// Packets directly before it that the filter rejected.
    skipped: u64,
    interface: Option<Arc<str>>,
    found: Option<Box<Found<'static>>>,
    /// Incomplete messages that were given up because of this packet.
    evicted_names: u32,
    /// What the worker found for the flow of the packet.
    observation: Option<Box<Observation>>,
}

impl BatchPacket {
    /// The packet with its bytes.
    fn captured<'a>(&'a self, bytes: &'a [u8]) -> CapturedPacket<'a> {
        CapturedPacket {
            ts: self.ts,
            link: self.link,
            is_big_endian: self.is_big_endian,
            bytes,
            wire_len: self.wire_len,
            faults: self.faults,
            interface: self.interface.as_deref(),
            direction: None,
            gso: None,
        }
    }
}

/// A worker thread, as the main thread sees it.
struct WorkerHandle {
    batches: SyncSender<PacketBatch>,
    /// Formatted batches, in the order in which they were sent.
    formatted: Receiver<PacketBatch>,
}

/// Reads all files, with `count` workers.
///
/// # Errors
///
/// If the system refuses to start the workers, or the output cannot be written.
pub(super) fn run(run: &mut FileRun<'_>, count: usize) -> Result<Reason, Error> {
    let limit = run.config.stream.count;
    thread::scope(|scope| {
        let start_worker = |_| {
            let (batches, input) = sync_channel(QUEUE_DEPTH);
            let (output, formatted) = sync_channel(QUEUE_DEPTH);
            let formatter = LineFormatter::without_names(run.config.stream.fields.clone());
            thread::Builder::new()
                .name("formatter".to_owned())
                .spawn_scoped(scope, move || format_batches(&input, &output, formatter))
                .map_err(|source| Error::Threads { count, source })?;
            Ok(WorkerHandle { batches, formatted })
        };
        // On an error, the workers started so far end when their handles are dropped.
        let workers = (0..count).map(start_worker).collect::<Result<Vec<_>, Error>>()?;
        let mut spares = Vec::new();
        let mut interfaces = InterfaceNameCache::default();
        let mut names = NameFinder::new(&run.config.stream.fields);
        let (mut sent, mut written, mut taken) = (0, 0, 0);
        // Packets that the filter rejected since the last match.
        let mut skipped = 0;
        // The file whose writer is slower than this run.
        let mut waiting_for = None;
        loop {
            if let Some(file) = waiting_for.take() {
                // All lines are written before the wait.
                while written < sent {
                    let (written_batch, end) = write_batch(run, &workers[written % count])?;
                    if let Some(reason) = end {
                        return Ok(reason);
                    }
                    spares.push(written_batch);
                    written += 1;
                }
                run.advance(file)?;
                skipped += run.take_skipped();
            }
            let mut batch: PacketBatch = spares.pop().unwrap_or_default();
            waiting_for = fill_batch(
                run,
                &mut batch,
                &mut interfaces,
                names.as_mut(),
                limit.map(|limit| limit - taken),
                &mut skipped,
            )?;
            taken += batch.packets.len() as u64;
            if batch.packets.is_empty() {
                break;
            }
            // Each worker has at most QUEUE_DEPTH batches that are not written yet.
            if sent - written == count * QUEUE_DEPTH {
                let (written_batch, end) = write_batch(run, &workers[written % count])?;
                if let Some(reason) = end {
                    return Ok(reason);
                }
                spares.push(written_batch);
                written += 1;
            }
            if workers[sent % count].batches.send(batch).is_err() {
                break; // the worker panicked; the end of the scope propagates that
            }
            sent += 1;
        }
        while written < sent {
            if let (_, Some(reason)) = write_batch(run, &workers[written % count])? {
                return Ok(reason);
            }
            written += 1;
        }
        if let Some(stream) = &mut run.stream {
            stream.count_skipped(0, skipped);
        }
        Ok(if limit == Some(taken) { Reason::Count } else { Reason::Eof })
    })
}

/// Names of interfaces by file and index, in a form that batches share.
#[derive(Default)]
struct InterfaceNameCache(Vec<((usize, usize), Arc<str>)>);

impl InterfaceNameCache {
    fn get(&mut self, file: usize, interface: usize, name: &str) -> Arc<str> {
        let key = (file, interface);
        // A later section of a pcapng file may reuse the index for another interface.
        match self.0.iter().find(|(cached, text)| *cached == key && **text == *name) {
            Some((_, name)) => name.clone(),
            None => {
                let name: Arc<str> = name.into();
                self.0.push((key, name.clone()));
                name
            }
        }
    }
}

/// Fills the batch from the files until it is full, has `limit` packets, or would have to wait for the
/// writer of a pipe. Returns the file to wait for.
fn fill_batch(
    run: &mut FileRun<'_>,
    batch: &mut PacketBatch,
    interfaces: &mut InterfaceNameCache,
    mut names: Option<&mut NameFinder>,
    limit: Option<u64>,
    skipped: &mut u64,
) -> Result<Option<usize>, Error> {
    batch.bytes.clear();
    batch.packets.clear();
    let limit = limit.unwrap_or(u64::MAX);
    if limit == 0 {
        return Ok(None);
    }
    while let Some(next) = run.earliest() {
        let file = &run.files[next];
        let (Some(packet), Some(interface)) = (file.packet(), file.interface()) else { break };
        batch.bytes.extend_from_slice(packet.bytes);
        batch.packets.push(BatchPacket {
            ts: packet.ts,
            link: packet.link,
            is_big_endian: packet.is_big_endian,
            wire_len: packet.wire_len,
            faults: packet.faults,
            end: batch.bytes.len(),
            skipped: std::mem::take(skipped),
            interface: packet.interface.map(|name| interfaces.get(next, interface, name)),
            found: names.as_deref_mut().and_then(|names| names.find_owned(&packet)),
            evicted_names: names.as_deref_mut().map_or(0, NameFinder::take_evicted),
            observation: None,
        });
        // Do not look for a packet beyond the limit: a pipe would block.
        if limit == batch.packets.len() as u64 {
            break;
        }
        let is_ready = run.advance_if_ready(next)?;
        *skipped += run.take_skipped();
        if !is_ready {
            return Ok(Some(next));
        }
        if BATCH_LEN <= batch.bytes.len() || MAX_BATCH_PACKETS <= batch.packets.len() {
            break;
        }
    }
    Ok(None)
}

/// The worker: formats batches until there are no more.
fn format_batches(
    input: &Receiver<PacketBatch>,
    output: &SyncSender<PacketBatch>,
    mut formatter: LineFormatter,
) {
    while let Ok(mut batch) = input.recv() {
        batch.text.clear();
        batch.ends.clear();
        let mut start = 0;
        for stored in &mut batch.packets {
            let found = stored.found.take().map(|found| *found).unwrap_or_default();
            let packet = stored.captured(&batch.bytes[start..stored.end]);
            let observation = formatter.format_with(&packet, None, found, Some(&mut batch.text));
            stored.observation = observation.map(Box::new);
            batch.ends.push(batch.text.len());
            start = stored.end;
        }
        if output.send(batch).is_err() {
            return; // the main thread stopped early
        }
    }
}

/// Writes the next batch of a worker, and returns it for reuse, with a reason to end the run if the
/// last file is complete.
fn write_batch(
    run: &mut FileRun<'_>,
    worker: &WorkerHandle,
) -> Result<(PacketBatch, Option<Reason>), Error> {
    let batch = worker.formatted.recv().unwrap_or_default();
    let keeps_bytes = run.config.stream.keeps_bytes;
    let (mut start, mut bytes_start) = (0, 0);
    for (packet, end) in batch.packets.iter().zip(&batch.ends) {
        let reason = run.rotate_if_due()?;
        if reason.is_some() {
            return Ok((batch, reason));
        }
        let Some(stream) = &mut run.stream else { break };
        stream.count_skipped(0, packet.skipped);
        let bytes = &batch.bytes[bytes_start..packet.end];
        let formatted = FormattedPacket {
            len: packet.wire_len,
            line: &batch.text[start..*end],
            observation: packet.observation.as_deref(),
            evicted_names: packet.evicted_names,
            captured: keeps_bytes.then(|| packet.captured(bytes)),
        };
        stream.write_formatted(0, &formatted)?;
        (start, bytes_start) = (*end, packet.end);
    }
    Ok((batch, None))
}
