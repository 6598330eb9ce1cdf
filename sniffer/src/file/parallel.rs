//! Reading with several threads: this one reads files and writes lines, the others make lines of
//! packets. Batches go round among them and come back in the same order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use summary::record::Reason;
use summary::{LinkType, Timestamp};

use super::run::FileRun;
use crate::Error;
use crate::line_formatter::{CapturedPacket, FieldOptions, LineFormatter};

/// Bytes of packets in a batch, about.
const BATCH_LEN: usize = 256 << 10;

/// Batches on their way to or from a thread.
const QUEUE_DEPTH: usize = 2;

/// Packets, and what becomes of them.
#[derive(Default)]
struct PacketBatch {
    /// The captured bytes, one packet's behind the other's.
    bytes: Vec<u8>,
    packets: Vec<BatchPacket>,
    /// The lines behind their numbers.
    text: Vec<u8>,
    /// Where each packet's line ends in the text.
    ends: Vec<usize>,
}

struct BatchPacket {
    ts: Timestamp,
    link: LinkType,
    wire_len: u32,
    /// Where its bytes end.
    end: usize,
    /// Packets before it that the filter did not take.
    skipped: u64,
    interface: Option<Arc<str>>,
}

/// A thread that makes lines.
struct WorkerHandle {
    batches: SyncSender<PacketBatch>,
    formatted: Receiver<PacketBatch>,
}

/// Reads all files; `count` threads make lines of their packets.
pub(super) fn run(run: &mut FileRun<'_>, count: usize) -> Result<Reason, Error> {
    let details = run.config.stream.fields;
    let limit = run.config.stream.count;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .map(|_| {
                let (batches, input) = sync_channel(QUEUE_DEPTH);
                let (output, formatted) = sync_channel(QUEUE_DEPTH);
                scope.spawn(move || format_batches(&input, &output, details));
                WorkerHandle { batches, formatted }
            })
            .collect();
        let mut spares = Vec::new();
        let mut names = InterfaceNameCache::default();
        let (mut sent, mut written, mut taken) = (0, 0, 0);
        // Packets that the filter did not take since the last one that it took.
        let mut skipped = 0;
        loop {
            let mut batch: PacketBatch = spares.pop().unwrap_or_default();
            fill_batch(
                run,
                &mut batch,
                &mut names,
                limit.map(|limit| limit - taken),
                &mut skipped,
            )?;
            taken += batch.packets.len() as u64;
            if batch.packets.is_empty() {
                break;
            }
            // A worker takes as many before the first of them has come back.
            if sent - written == count * QUEUE_DEPTH {
                spares.push(write_batch(run, &workers[written % count])?);
                written += 1;
            }
            if workers[sent % count].batches.send(batch).is_err() {
                break; // the thread panicked, which the end of the scope passes on
            }
            sent += 1;
        }
        while written < sent {
            write_batch(run, &workers[written % count])?;
            written += 1;
        }
        if let Some(stream) = &mut run.stream {
            stream.count_skipped(0, skipped);
        }
        Ok(if limit == Some(taken) { Reason::Count } else { Reason::Eof })
    })
}

/// InterfaceNameCache of interfaces, by file and place in it: shared with the threads.
#[derive(Default)]
struct InterfaceNameCache(Vec<((usize, usize), Arc<str>)>);

impl InterfaceNameCache {
    fn of(&mut self, file: usize, interface: usize, name: &str) -> Arc<str> {
        let key = (file, interface);
        // Another section of a file may give a place to another interface.
        match self.0.iter().find(|(known, text)| *known == key && **text == *name) {
            Some((_, name)) => name.clone(),
            None => {
                let name: Arc<str> = name.into();
                self.0.push((key, name.clone()));
                name
            }
        }
    }
}

/// Takes packets out of the files until the batch is full or there are as many as wanted.
fn fill_batch(
    run: &mut FileRun<'_>,
    batch: &mut PacketBatch,
    names: &mut InterfaceNameCache,
    limit: Option<u64>,
    skipped: &mut u64,
) -> Result<(), Error> {
    batch.bytes.clear();
    batch.packets.clear();
    let limit = limit.unwrap_or(u64::MAX);
    if limit == 0 {
        return Ok(());
    }
    while let Some(next) = run.earliest() {
        let file = &run.files[next];
        let (Some(packet), Some(interface)) = (file.packet(), file.interface()) else { break };
        batch.bytes.extend_from_slice(packet.bytes);
        batch.packets.push(BatchPacket {
            ts: packet.ts,
            link: packet.link,
            wire_len: packet.wire_len,
            end: batch.bytes.len(),
            skipped: std::mem::take(skipped),
            interface: packet.interface.map(|name| names.of(next, interface, name)),
        });
        // Not looked for before it is wanted: a pipe may say nothing more.
        if limit == batch.packets.len() as u64 {
            break;
        }
        run.advance(next)?;
        *skipped += run.take_skipped();
        if BATCH_LEN <= batch.bytes.len() {
            break;
        }
    }
    Ok(())
}

/// Makes lines until there are no more batches.
fn format_batches(
    input: &Receiver<PacketBatch>,
    output: &SyncSender<PacketBatch>,
    details: FieldOptions,
) {
    let mut formatter = LineFormatter::new(details);
    while let Ok(mut batch) = input.recv() {
        batch.text.clear();
        batch.ends.clear();
        let mut start = 0;
        for stored in &batch.packets {
            let packet = CapturedPacket {
                ts: stored.ts,
                link: stored.link,
                bytes: &batch.bytes[start..stored.end],
                wire_len: stored.wire_len,
                interface: stored.interface.as_deref(),
                direction: None,
                gso: None,
            };
            formatter.format(&packet, None, &mut batch.text);
            batch.ends.push(batch.text.len());
            start = stored.end;
        }
        if output.send(batch).is_err() {
            return; // nobody wants the rest
        }
    }
}

/// Writes the next batch that a worker has formatted, and gives it back to be filled again.
fn write_batch(run: &mut FileRun<'_>, worker: &WorkerHandle) -> Result<PacketBatch, Error> {
    let batch = worker.formatted.recv().unwrap_or_default();
    let Some(stream) = &mut run.stream else { return Ok(batch) };
    let mut start = 0;
    for (packet, end) in batch.packets.iter().zip(&batch.ends) {
        stream.rotate_if_full()?;
        stream.count_skipped(0, packet.skipped);
        stream.write_formatted(0, packet.wire_len, &batch.text[start..*end])?;
        start = *end;
    }
    Ok(batch)
}
