//! Several threads that read the packets of one interface, and the one order of time that their
//! lines get.
//!
//! Each thread has a ring of its own; the kernel spreads packets over them by flow. A thread makes
//! batches of finished lines, all but their numbers. Lines leave in the order of their time stamps:
//! the earliest of all batches at hand may leave when no thread can have an earlier one any more,
//! which is when its ring was seen empty after that batch was taken. So the order depends on no
//! clock but the monotonic one, however the wall clock is set.

use nix::sys::eventfd::{EfdFlags, EventFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use summary::Timestamp;

use super::names::Names;
use crate::Error;
use crate::capture::Reader;
use crate::line_formatter::{CapturedPacket, FieldOptions, LineFormatter};
use crate::signals;

/// How often a thread without packets says so: as long may a line of another one wait for it.
pub(super) const IDLE_INTERVAL: Duration = Duration::from_millis(5);

/// A packet gets its time before its place in a ring; that is less than this apart.
const STAMP_SLACK: Duration = Duration::from_millis(1);

/// Batches that a thread may be ahead: then the ring is the queue.
const AHEAD: usize = 2;

/// The lines of one block.
#[derive(Debug)]
struct Batch {
    /// When the block was taken: all its packets are older.
    taken: Instant,
    packets: Vec<Line>,
    /// The lines one after the other, each without its beginning and number.
    text: Vec<u8>,
    has_losses: bool,
}

/// One packet of a batch.
#[derive(Clone, Copy, Debug)]
struct Line {
    ts: Timestamp,
    /// Where its text ends; it has none where the filter does not take the packet.
    end: usize,
    wire_len: u32,
}

/// The threads of one interface.
#[derive(Debug)]
pub(super) struct Fanout {
    lanes: Vec<Lane>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    /// Readable when there is a new batch.
    news: EventFd,
    is_stopped: AtomicBool,
}

/// One thread, as the thread that writes sees it.
#[derive(Debug)]
struct Lane {
    thread: Option<JoinHandle<Result<(), Error>>>,
    batches: Receiver<Batch>,
    /// Batches to be filled again.
    spares: Sender<Batch>,
    head: Option<Head>,
    /// When the ring was last seen empty, in nanoseconds since `Shared::start`.
    empty_at_ns: Arc<AtomicU64>,
}

/// A batch of which some lines have left.
#[derive(Debug)]
struct Head {
    batch: Batch,
    /// `next < batch.packets.len()`
    next: usize,
}

impl Head {
    fn ts(&self) -> Timestamp {
        self.batch.packets[self.next].ts
    }
}

impl Fanout {
    /// Starts a thread for each reader.
    pub(super) fn start(
        readers: Vec<Reader>,
        names: &Names,
        details: FieldOptions,
    ) -> Result<Self, Error> {
        let news = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)
            .map_err(|errno| Error::System { call: "eventfd", source: errno.into() })?;
        let start = Instant::now();
        let shared = Arc::new(Shared { start, news, is_stopped: AtomicBool::new(false) });
        let mut lanes = Vec::with_capacity(readers.len());
        for reader in readers {
            let (batch_sender, batches) = sync_channel(AHEAD);
            let (spares, spare_receiver) = channel();
            let empty_at_ns = Arc::new(AtomicU64::new(0));
            let worker = Worker {
                reader,
                names: names.clone(),
                formatter: LineFormatter::new(details),
                batches: batch_sender,
                spares: spare_receiver,
                shared: shared.clone(),
                empty_at_ns: empty_at_ns.clone(),
            };
            let thread = std::thread::Builder::new()
                .name("reader".to_owned())
                .spawn(move || worker.run())
                .map_err(|source| Error::System { call: "pthread_create", source })?;
            lanes.push(Lane { thread: Some(thread), batches, spares, head: None, empty_at_ns });
        }
        Ok(Self { lanes, shared })
    }

    /// Whether lines wait for a thread to say that it has no earlier ones.
    pub(super) fn is_waiting(&self) -> bool {
        self.lanes.iter().any(|lane| lane.head.is_some())
    }

    /// Hands the next lines that are in order to `visit`: the packet's length on the wire and the
    /// line's text behind its number. It says whether it wants more. False where there is none; and
    /// whether the kernel had dropped packets before one of them.
    pub(super) fn read(
        &mut self,
        mut visit: impl FnMut(u32, &[u8]) -> Result<bool, Error>,
    ) -> Result<Option<bool>, Error> {
        // What was written there before now is in the batches, which are looked at below.
        let _ = self.shared.news.read();
        let Some((first, limit)) = self.next_lane()? else { return Ok(None) };
        let Some(head) = &mut self.lanes[first].head else { return Ok(None) };
        let has_losses = std::mem::take(&mut head.batch.has_losses);
        let mut wants_more = true;
        while wants_more
            && let Some(line) = head.batch.packets.get(head.next)
            && limit.is_none_or(|limit| line.ts <= limit)
        {
            let start = head.next.checked_sub(1).map_or(0, |last| head.batch.packets[last].end);
            wants_more = visit(line.wire_len, &head.batch.text[start..line.end])?;
            head.next += 1;
        }
        if head.next == head.batch.packets.len() {
            let lane = &mut self.lanes[first];
            if let Some(head) = lane.head.take() {
                // Where the thread has ended nobody needs it.
                let _ = lane.spares.send(head.batch);
            }
        }
        Ok(Some(has_losses))
    }

    /// The lane with the earliest line, and the time up to which its lines come before the others'.
    fn next_lane(&mut self) -> Result<Option<(usize, Option<Timestamp>)>, Error> {
        let mut empty_since = None;
        for lane in &mut self.lanes {
            // In this order: a batch that is not there yet is younger than that.
            let empty_at_ns = lane.empty_at_ns.load(Ordering::Acquire);
            if lane.head.is_some() {
                continue;
            }
            match lane.batches.try_recv() {
                Ok(batch) => lane.head = Some(Head { batch, next: 0 }),
                Err(TryRecvError::Empty) => {
                    let empty_at = self.shared.start + Duration::from_nanos(empty_at_ns);
                    empty_since = [empty_since, Some(empty_at)].into_iter().flatten().min();
                }
                Err(TryRecvError::Disconnected) => {
                    let ended = lane.thread.take().map(JoinHandle::join);
                    if let Some(Ok(Err(error))) = ended {
                        return Err(error);
                    }
                }
            }
        }
        let heads = || {
            let heads = self.lanes.iter().enumerate();
            heads.filter_map(|(lane, state)| Some((lane, state.head.as_ref()?)))
        };
        let Some((first, head)) = heads().min_by_key(|(_, head)| head.ts()) else {
            return Ok(None);
        };
        if empty_since.is_some_and(|empty| empty < head.batch.taken + STAMP_SLACK) {
            return Ok(None);
        }
        let limit = heads().filter(|(lane, _)| *lane != first).map(|(_, head)| head.ts()).min();
        Ok(Some((first, limit)))
    }
}

impl AsFd for Fanout {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.news.as_fd()
    }
}

impl Drop for Fanout {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Release);
        for Lane { thread, batches, .. } in self.lanes.drain(..) {
            // A thread that waits to hand over a batch has nobody to give it to any more.
            drop(batches);
            // How it ends does not matter any more.
            let _ = thread.map(JoinHandle::join);
        }
    }
}

/// What a thread has.
struct Worker {
    reader: Reader,
    names: Names,
    formatter: LineFormatter,
    batches: SyncSender<Batch>,
    spares: Receiver<Batch>,
    shared: Arc<Shared>,
    empty_at_ns: Arc<AtomicU64>,
}

impl Worker {
    fn run(mut self) -> Result<(), Error> {
        while !self.shared.is_stopped.load(Ordering::Acquire) {
            if let Some(batch) = self.read_block() {
                if batch.packets.is_empty() {
                    continue;
                }
                if self.batches.send(batch).is_err() {
                    return Ok(());
                }
                // It fails where it was not read for very long: then it is readable.
                let _ = self.shared.news.write(1);
                continue;
            }
            // Before the look at the ring: what comes after it is not in there.
            let now = self.shared.start.elapsed();
            if self.reader.is_empty() {
                let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
                self.empty_at_ns.store(now_ns, Ordering::Release);
            }
            self.reader.take_error()?;
            signals::poll_readable(&[self.reader.as_fd()], IDLE_INTERVAL)?;
        }
        Ok(())
    }

    /// The lines of the next block.
    fn read_block(&mut self) -> Option<Batch> {
        let Self { reader, names, formatter, spares, .. } = self;
        reader.read_block(|frames| {
            let taken = Instant::now();
            let mut batch = spares.try_recv().unwrap_or_else(|_| Batch {
                taken,
                packets: Vec::new(),
                text: Vec::new(),
                has_losses: false,
            });
            batch.taken = taken;
            batch.packets.clear();
            batch.text.clear();
            while let Some(frame) = frames.next_frame() {
                let seen = CapturedPacket::from_frame(&frame, names.of(frame.interface_index));
                if frame.is_accepted {
                    formatter.format(&seen, None, &mut batch.text);
                }
                let (ts, wire_len) = (seen.ts, seen.len());
                batch.packets.push(Line { ts, end: batch.text.len(), wire_len });
            }
            batch.has_losses = frames.has_losses();
            batch
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The test's end of a lane.
    struct Feed {
        batches: SyncSender<Batch>,
        empty_at_ns: Arc<AtomicU64>,
    }

    fn fanout(lane_count: usize) -> (Fanout, Vec<Feed>) {
        let shared = Shared {
            start: Instant::now(),
            news: EventFd::from_flags(EfdFlags::EFD_NONBLOCK).unwrap(),
            is_stopped: AtomicBool::new(false),
        };
        let mut feeds = Vec::new();
        let mut lane = || {
            let (sender, batches) = sync_channel(1_000);
            let empty_at_ns = Arc::new(AtomicU64::new(0));
            feeds.push(Feed { batches: sender, empty_at_ns: empty_at_ns.clone() });
            Lane { thread: None, batches, spares: channel().0, head: None, empty_at_ns }
        };
        let lanes = (0..lane_count).map(|_| lane()).collect();
        (Fanout { lanes, shared: Arc::new(shared) }, feeds)
    }

    /// A batch taken that many milliseconds after the start; the text of a line is its time.
    fn batch(fanout: &Fanout, taken_ms: u64, times: &[i64]) -> Batch {
        let taken = fanout.shared.start + Duration::from_millis(taken_ms);
        let mut batch = Batch { taken, packets: Vec::new(), text: Vec::new(), has_losses: false };
        for &time in times {
            batch.text.extend(format!("{time},").into_bytes());
            let end = batch.text.len();
            batch.packets.push(Line { ts: Timestamp::from_ns(time), end, wire_len: 60 });
        }
        batch
    }

    /// All that leaves now.
    fn leaving(fanout: &mut Fanout) -> String {
        let mut text = String::new();
        let mut visit = |_: u32, line: &[u8]| {
            text += std::str::from_utf8(line).unwrap();
            Ok(true)
        };
        while fanout.read(&mut visit).unwrap().is_some() {}
        text
    }

    #[test]
    fn a_line_waits_until_no_thread_can_have_an_earlier_one() {
        let (mut fanout, feeds) = fanout(2);
        feeds[0].batches.send(batch(&fanout, 10, &[5, 7])).unwrap();
        assert_eq!(leaving(&mut fanout), "");
        assert!(fanout.is_waiting());
        // Seen empty before the batch was taken: an earlier packet may have come since.
        feeds[1].empty_at_ns.store(9_000_000, Ordering::Release);
        assert_eq!(leaving(&mut fanout), "");
        feeds[1].batches.send(batch(&fanout, 12, &[4, 6])).unwrap();
        assert_eq!(leaving(&mut fanout), "4,5,6,");
        feeds[1].empty_at_ns.store(20_000_000, Ordering::Release);
        assert_eq!(leaving(&mut fanout), "7,");
        assert!(!fanout.is_waiting());
    }

    #[test]
    fn a_clock_set_back_holds_nothing_up() {
        let (mut fanout, feeds) = fanout(2);
        feeds[0].batches.send(batch(&fanout, 10, &[5_000, 5_001])).unwrap();
        feeds[1].batches.send(batch(&fanout, 20, &[100, 101])).unwrap();
        feeds[0].empty_at_ns.store(30_000_000, Ordering::Release);
        feeds[1].empty_at_ns.store(30_000_000, Ordering::Release);
        assert_eq!(leaving(&mut fanout), "100,101,5000,5001,");
    }

    #[test]
    fn what_is_not_wanted_any_more_stays() {
        let (mut fanout, feeds) = fanout(1);
        feeds[0].batches.send(batch(&fanout, 10, &[1, 2])).unwrap();
        feeds[0].empty_at_ns.store(30_000_000, Ordering::Release);
        let mut seen = 0;
        let visit = |_: u32, _: &[u8]| {
            seen += 1;
            Ok(false)
        };
        assert_eq!(fanout.read(visit).unwrap(), Some(false));
        assert_eq!(seen, 1);
    }

    proptest! {
        /// However packets are spread over threads and batches: each leaves once, in order.
        #[test]
        fn all_lines_leave_in_order_of_time(
            lanes in proptest::collection::vec(
                proptest::collection::vec(0i64..1_000, 0..60), 1..5,
            ),
            batch_len in 1usize..20,
        ) {
            let (mut fanout, feeds) = fanout(lanes.len());
            let mut expected = Vec::new();
            for (lane, feed) in lanes.into_iter().zip(&feeds) {
                let mut lane = lane;
                lane.sort_unstable();
                for times in lane.chunks(batch_len) {
                    feed.batches.send(batch(&fanout, 1, times)).unwrap();
                }
                feed.empty_at_ns.store(30_000_000, Ordering::Release);
                expected.extend(lane);
            }
            expected.sort_unstable();
            let expected: String = expected.iter().map(|time| format!("{time},")).collect();
            prop_assert_eq!(leaving(&mut fanout), expected);
        }
    }
}
