//! A reader thread: turns the blocks of its ring into batches of lines, with the packets if their bytes
//! are to be written.

use flow::Observation;
use nix::sys::eventfd::EventFd;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};
use summary::{Direction, Faults, Gso, LinkType, Timestamp};

use crate::Error;
use crate::capture::Reader;
use crate::line_formatter::{CapturedPacket, LineFormatter};
use crate::live::interface_names::InterfaceNames;
use crate::signals;

/// How often a thread without packets checks its ring. Lines of other threads may wait this long.
pub(in crate::live) const IDLE_INTERVAL: Duration = Duration::from_millis(5);

/// The lines of one block.
#[derive(Debug)]
pub(super) struct Batch {
    /// When the block was read: all its packets were stamped before.
    pub(super) read_at: Instant,
    pub(super) lines: Vec<Line>,
    /// The text of all lines, each without the part up to its number.
    pub(super) text: Vec<u8>,
    /// The packets of all lines, if their bytes are to be written.
    frames: Vec<StoredFrame>,
    /// The bytes of `frames`.
    bytes: Vec<u8>,
    /// Whether the kernel had dropped packets when it handed over the block.
    pub(super) has_losses: bool,
}

/// One packet of a batch.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) ts: Timestamp,
    /// End of its text in `Batch::text`, which is where the next one starts. The text is empty if
    /// the filter rejected the packet.
    pub(super) end: usize,
    pub(super) wire_len: u32,
    pub(super) observation: Option<Box<Observation>>,
    /// Incomplete messages that were given up because of the packet.
    pub(super) evicted_names: u32,
}

/// A packet without its bytes. Its line has the rest.
#[derive(Debug)]
struct StoredFrame {
    link: LinkType,
    interface: Arc<str>,
    direction: Option<Direction>,
    gso: Option<Gso>,
    /// End of its bytes in `Batch::bytes`, which is where those of the next one start.
    end: usize,
}

impl Batch {
    pub(super) fn new(read_at: Instant) -> Self {
        Self {
            read_at,
            lines: Vec::new(),
            text: Vec::new(),
            frames: Vec::new(),
            bytes: Vec::new(),
            has_losses: false,
        }
    }

    /// Empties the batch for the packets of another block.
    fn reset(&mut self, read_at: Instant, has_losses: bool) {
        (self.read_at, self.has_losses) = (read_at, has_losses);
        self.lines.clear();
        self.text.clear();
        self.frames.clear();
        self.bytes.clear();
    }

    /// Stores the packet of the next line.
    fn store(&mut self, packet: &CapturedPacket<'_>) {
        let name = packet.interface.unwrap_or_default();
        let interface = match self.frames.last() {
            Some(last) if *last.interface == *name => last.interface.clone(),
            _ => name.into(),
        };
        self.bytes.extend_from_slice(packet.bytes);
        let CapturedPacket { link, direction, gso, .. } = *packet;
        let end = self.bytes.len();
        self.frames.push(StoredFrame { link, interface, direction, gso, end });
    }

    /// The packet of a line; `None` if packets are not stored.
    pub(super) fn captured(&self, line: usize) -> Option<CapturedPacket<'_>> {
        let frame = self.frames.get(line)?;
        let start = line.checked_sub(1).map_or(0, |previous| self.frames[previous].end);
        let Line { ts, wire_len, .. } = self.lines[line];
        Some(CapturedPacket {
            ts,
            link: frame.link,
            is_big_endian: cfg!(target_endian = "big"),
            bytes: &self.bytes[start..frame.end],
            wire_len,
            faults: Faults::default(),
            interface: Some(&frame.interface),
            direction: frame.direction,
            gso: frame.gso,
        })
    }

    /// The text of a line.
    pub(super) fn text_of(&self, line: usize) -> &[u8] {
        let start = line.checked_sub(1).map_or(0, |previous| self.lines[previous].end);
        &self.text[start..self.lines[line].end]
    }
}

/// What all threads of an interface share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) start: Instant,
    /// Readable after a batch was sent.
    pub(super) wakeup: EventFd,
    pub(super) is_stopped: AtomicBool,
}

/// The state of a thread.
pub(super) struct Worker {
    pub(super) reader: Reader,
    pub(super) names: InterfaceNames,
    pub(super) formatter: LineFormatter,
    /// Whether the bytes of packets are to be written.
    pub(super) keeps_bytes: bool,
    pub(super) batches: SyncSender<Batch>,
    /// Batches to reuse.
    pub(super) free: Receiver<Batch>,
    pub(super) shared: Arc<Shared>,
    pub(super) empty_at_ns: Arc<AtomicU64>,
}

impl Worker {
    pub(super) fn run(mut self) -> Result<(), Error> {
        while !self.shared.is_stopped.load(Ordering::Acquire) {
            if let Some(batch) = self.read_block() {
                if batch.lines.is_empty() {
                    continue;
                }
                if self.batches.send(batch).is_err() {
                    return Ok(());
                }
                // Fails only if the counter overflows; the descriptor is readable then anyway.
                let _ = self.shared.wakeup.write(1);
                continue;
            }
            // Take the time before checking the ring: later packets may be missed by the check.
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
        let Self { reader, names, formatter, keeps_bytes, free, .. } = self;
        reader.read_block(|frames| {
            let read_at = Instant::now();
            let mut batch = free.try_recv().unwrap_or_else(|_| Batch::new(read_at));
            batch.reset(read_at, frames.has_losses());
            while let Some(frame) = frames.next_frame() {
                let packet = CapturedPacket::from_frame(&frame, names.get(frame.interface_index));
                let (mut observation, mut evicted_names) = (None, 0);
                if frame.is_accepted {
                    let observed = formatter.format(&packet, None, &mut batch.text);
                    observation = observed.map(Box::new);
                    evicted_names = formatter.take_evicted();
                }
                if *keeps_bytes {
                    // A rejected packet keeps its index, but not its bytes.
                    let bytes = if frame.is_accepted { packet.bytes } else { &[] };
                    batch.store(&CapturedPacket { bytes, ..packet });
                }
                let (ts, wire_len) = (packet.ts, packet.wire_len);
                let end = batch.text.len();
                batch.lines.push(Line { ts, end, wire_len, observation, evicted_names });
            }
            batch
        })
    }
}
