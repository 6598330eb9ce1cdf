//! Reading with several threads: this one reads files and writes lines, the others make lines of
//! packets. Batches go round among them and come back in the same order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use summary::record::Reason;
use summary::{LinkType, Timestamp};

use super::run::Run;
use crate::Error;
use crate::describe::{Describer, Details, Seen};

/// Bytes of packets in a batch, about.
const BATCH_LEN: usize = 256 << 10;

/// Batches on their way to or from a thread.
const AHEAD: usize = 2;

/// Packets, and what becomes of them.
#[derive(Default)]
struct Batch {
    /// The captured bytes, one packet's behind the other's.
    bytes: Vec<u8>,
    packets: Vec<Packet>,
    /// The lines behind their numbers.
    text: Vec<u8>,
    /// Where each packet's line ends in the text.
    ends: Vec<usize>,
}

struct Packet {
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
struct Lane {
    batches: SyncSender<Batch>,
    done: Receiver<Batch>,
}

/// Reads all files; `count` threads make lines of their packets.
pub(super) fn run(run: &mut Run<'_>, count: usize) -> Result<Reason, Error> {
    let details = run.config.stream.fields;
    let limit = run.config.stream.count;
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..count)
            .map(|_| {
                let (batches, todo) = sync_channel(AHEAD);
                let (finished, done) = sync_channel(AHEAD);
                scope.spawn(move || work(&todo, &finished, details));
                Lane { batches, done }
            })
            .collect();
        let mut spares = Vec::new();
        let mut names = Names::default();
        let (mut sent, mut written, mut taken) = (0, 0, 0);
        // Packets that the filter did not take since the last one that it took.
        let mut skipped = 0;
        loop {
            let mut batch: Batch = spares.pop().unwrap_or_default();
            fill(run, &mut batch, &mut names, limit.map(|limit| limit - taken), &mut skipped)?;
            taken += batch.packets.len() as u64;
            if batch.packets.is_empty() {
                break;
            }
            // A lane takes as many before the first of them has come back.
            if sent - written == count * AHEAD {
                spares.push(write(run, &lanes[written % count])?);
                written += 1;
            }
            if lanes[sent % count].batches.send(batch).is_err() {
                break; // the thread panicked, which the end of the scope passes on
            }
            sent += 1;
        }
        while written < sent {
            write(run, &lanes[written % count])?;
            written += 1;
        }
        if let Some(stream) = &mut run.stream {
            stream.skip(0, skipped);
        }
        Ok(if limit == Some(taken) { Reason::Count } else { Reason::Eof })
    })
}

/// Names of interfaces, by file and place in it: shared with the threads.
#[derive(Default)]
struct Names(Vec<((usize, usize), Arc<str>)>);

impl Names {
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
fn fill(
    run: &mut Run<'_>,
    batch: &mut Batch,
    names: &mut Names,
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
        let (Some(seen), Some(interface)) = (file.seen(), file.interface()) else { break };
        batch.bytes.extend_from_slice(seen.bytes);
        batch.packets.push(Packet {
            ts: seen.ts,
            link: seen.link,
            wire_len: seen.wire_len,
            end: batch.bytes.len(),
            skipped: std::mem::take(skipped),
            interface: seen.interface.map(|name| names.of(next, interface, name)),
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
fn work(todo: &Receiver<Batch>, finished: &SyncSender<Batch>, details: Details) {
    let mut describer = Describer::new(details);
    while let Ok(mut batch) = todo.recv() {
        batch.text.clear();
        batch.ends.clear();
        let mut start = 0;
        for packet in &batch.packets {
            let seen = Seen {
                ts: packet.ts,
                link: packet.link,
                bytes: &batch.bytes[start..packet.end],
                wire_len: packet.wire_len,
                interface: packet.interface.as_deref(),
                direction: None,
                gso: None,
            };
            describer.describe(&seen, None, &mut batch.text);
            batch.ends.push(batch.text.len());
            start = packet.end;
        }
        if finished.send(batch).is_err() {
            return; // nobody wants the rest
        }
    }
}

/// Writes the next batch that a lane has finished, and gives it back to be filled again.
fn write(run: &mut Run<'_>, lane: &Lane) -> Result<Batch, Error> {
    let batch = lane.done.recv().unwrap_or_default();
    let Some(stream) = &mut run.stream else { return Ok(batch) };
    let mut start = 0;
    for (packet, end) in batch.packets.iter().zip(&batch.ends) {
        stream.rotate_when_full()?;
        stream.skip(0, packet.skipped);
        stream.line(0, packet.wire_len, &batch.text[start..*end])?;
        start = *end;
    }
    Ok(batch)
}
