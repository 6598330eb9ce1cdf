//! Reader threads of one interface, and the merge of their packets into one order.
//!
//! Each thread has its own ring; the kernel distributes packets over the rings by flow. A thread
//! turns each block into a batch of formatted lines, without their numbers. The main thread merges
//! the batches by timestamp.
//!
//! # Order
//!
//! A line of a batch read at time *t* may leave when every other thread either has a batch, whose
//! first line is not earlier, or has found its ring empty at *t* + [`MAX_STAMP_DELAY`] or later.
//! These times come from the monotonic clock. Lines then leave in the order of their timestamps if
//!
//! 1. the wall clock, which stamps packets, is not set back while they are on their way, and
//! 2. the kernel puts each packet into its ring less than [`MAX_STAMP_DELAY`] after stamping it.
//!
//! Proof: let line *a* leave, stamped at *s*. Its batch was read at *t*, so *s* < *t*. Let *b* be
//! an earlier packet of another thread without a batch, stamped at or before *s*. By (2) it was in
//! its ring before *s* + [`MAX_STAMP_DELAY`] < *t* + [`MAX_STAMP_DELAY`]. That thread found its ring
//! empty after that, so it had read *b*. A thread sends a batch before it publishes a later time at
//! which its ring was empty, and the merge reads that time before it receives: *b* has left.
//!
//! The kernel stamps a packet on arrival and normally fills the ring within microseconds, but
//! guarantees no limit: receive packet steering to a busy processor, or a virtual machine that is
//! not scheduled, can exceed it. Such a packet leaves late, after lines with later timestamps. No
//! packet is lost or duplicated, and numbers follow the order of the lines.

mod worker;

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use summary::Timestamp;

use super::interface_names::InterfaceNames;
use super::packet_event::PacketEvent;
use crate::Error;
use crate::capture::Reader;
use crate::line_formatter::LineFormatter;
use crate::signals::event_fd;
use crate::stream::{self, FormattedPacket};
use worker::{Batch, Shared, Worker};

pub(super) use worker::IDLE_INTERVAL;

/// Assumed limit of the time between the timestamp of a packet and its arrival in a ring.
const MAX_STAMP_DELAY: Duration = Duration::from_millis(1);

/// Batches that a thread may have finished in advance. Beyond that, its ring is the queue.
const QUEUE_DEPTH: usize = 2;

/// The reader threads of one interface.
#[derive(Debug)]
pub(super) struct Fanout {
    workers: Vec<WorkerHandle>,
    shared: Arc<Shared>,
}

/// The main thread's end of a reader thread.
#[derive(Debug)]
struct WorkerHandle {
    /// `None` after it was joined.
    thread: Option<JoinHandle<Result<(), Error>>>,
    batches: Receiver<Batch>,
    /// Returns batches for reuse.
    free: Sender<Batch>,
    /// The batch whose lines are leaving.
    pending: Option<Pending>,
    /// When the thread last found its ring empty, in nanoseconds since `Shared::start`.
    empty_at_ns: Arc<AtomicU64>,
}

/// A batch whose first lines have been written.
#[derive(Debug)]
struct Pending {
    batch: Batch,
    /// The next line: `next < batch.lines.len()`.
    next: usize,
}

impl Pending {
    fn ts(&self) -> Timestamp {
        self.batch.lines[self.next].ts
    }
}

impl Fanout {
    /// Starts a thread for each reader.
    ///
    /// # Errors
    ///
    /// If the system refuses to start one of them.
    pub(super) fn start(
        readers: Vec<Reader>,
        names: &InterfaceNames,
        options: &stream::Options,
    ) -> Result<Self, Error> {
        let wakeup =
            event_fd().map_err(|errno| Error::System { call: "eventfd", source: errno.into() })?;
        let count = readers.len();
        let start = Instant::now();
        let shared = Arc::new(Shared { start, wakeup, is_stopped: AtomicBool::new(false) });
        // Dropped on an early return, which stops the threads started so far.
        let mut fanout = Self { workers: Vec::with_capacity(readers.len()), shared };
        for reader in readers {
            let (batch_sender, batches) = sync_channel(QUEUE_DEPTH);
            let (free, free_receiver) = channel();
            let empty_at_ns = Arc::new(AtomicU64::new(0));
            let worker = Worker {
                reader,
                names: names.clone(),
                formatter: LineFormatter::new(options.fields.clone()),
                keeps_bytes: options.keeps_bytes,
                batches: batch_sender,
                free: free_receiver,
                shared: fanout.shared.clone(),
                empty_at_ns: empty_at_ns.clone(),
            };
            let thread = std::thread::Builder::new()
                .name("reader".to_owned())
                .spawn(move || worker.run())
                .map_err(|source| Error::Threads { count, source })?;
            fanout.workers.push(WorkerHandle {
                thread: Some(thread),
                batches,
                free,
                pending: None,
                empty_at_ns,
            });
        }
        Ok(fanout)
    }

    /// Whether lines wait until no thread can have an earlier one.
    pub(super) fn has_pending(&self) -> bool {
        self.workers.iter().any(|worker| worker.pending.is_some())
    }

    /// Passes the next lines in order to `visit`, until it returns false. False if none may leave.
    ///
    /// # Errors
    ///
    /// If a thread failed or panicked.
    pub(super) fn read(
        &mut self,
        mut visit: impl FnMut(PacketEvent<'_>) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        // Resets the wakeup. Batches announced before are received below.
        let _ = self.shared.wakeup.read();
        let Some((first, limit)) = self.next_worker()? else { return Ok(false) };
        let worker = &mut self.workers[first];
        let Some(pending) = &mut worker.pending else { return Ok(false) };
        let mut wants_more = true;
        if std::mem::take(&mut pending.batch.has_losses) {
            wants_more = visit(PacketEvent::Losses)?;
        }
        while wants_more
            && let Some(line) = pending.batch.lines.get(pending.next)
            && limit.is_none_or(|limit| line.ts <= limit)
        {
            let text = pending.batch.text_of(pending.next);
            wants_more = visit(match text {
                [] => PacketEvent::Rejected,
                _ => PacketEvent::Formatted(
                    line.ts,
                    FormattedPacket {
                        len: line.wire_len,
                        line: text,
                        observation: line.observation.as_deref(),
                        evicted_names: line.evicted_names,
                        captured: pending.batch.captured(pending.next),
                    },
                ),
            })?;
            pending.next += 1;
        }
        if pending.next == pending.batch.lines.len()
            && let Some(pending) = worker.pending.take()
        {
            // Fails if the thread has ended and needs no more batches.
            let _ = worker.free.send(pending.batch);
        }
        Ok(true)
    }

    /// The worker with the earliest line, and the timestamp up to which its lines precede those of
    /// the others. `None` if no line may leave.
    fn next_worker(&mut self) -> Result<Option<(usize, Option<Timestamp>)>, Error> {
        let mut all_empty_at: Option<Instant> = None;
        for worker in &mut self.workers {
            // Load before receiving: a batch that is not received was read after that time.
            let empty_at_ns = worker.empty_at_ns.load(Ordering::Acquire);
            if worker.pending.is_some() {
                continue;
            }
            match worker.batches.try_recv() {
                Ok(batch) => worker.pending = Some(Pending { batch, next: 0 }),
                Err(TryRecvError::Empty) => {
                    let empty_at = self.shared.start + Duration::from_nanos(empty_at_ns);
                    all_empty_at = Some(all_empty_at.map_or(empty_at, |at| at.min(empty_at)));
                }
                Err(TryRecvError::Disconnected) => {
                    match worker.thread.take().map(JoinHandle::join) {
                        None | Some(Ok(Ok(()))) => {}
                        Some(Ok(Err(error))) => return Err(error),
                        Some(Err(_panic)) => return Err(Error::ReaderPanicked),
                    }
                }
            }
        }
        let pending = || {
            let workers = self.workers.iter().enumerate();
            workers.filter_map(|(index, worker)| Some((index, worker.pending.as_ref()?)))
        };
        let Some((first, earliest)) = pending().min_by_key(|(_, pending)| pending.ts()) else {
            return Ok(None);
        };
        let safe_at = earliest.batch.read_at + MAX_STAMP_DELAY;
        if all_empty_at.is_some_and(|empty_at| empty_at < safe_at) {
            return Ok(None);
        }
        let others = pending().filter(|(index, _)| *index != first);
        let limit = others.map(|(_, pending)| pending.ts()).min();
        Ok(Some((first, limit)))
    }
}

impl AsFd for Fanout {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.wakeup.as_fd()
    }
}

impl Drop for Fanout {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Release);
        for WorkerHandle { thread, batches, .. } in self.workers.drain(..) {
            // Unblocks a thread that waits to send a batch.
            drop(batches);
            // The run is over: errors of the thread no longer matter.
            let _ = thread.map(JoinHandle::join);
        }
    }
}

#[cfg(test)]
mod tests;
