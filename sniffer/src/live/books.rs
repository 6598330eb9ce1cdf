//! The stream of a live run and the interfaces that it accounts for: packets go in, and files,
//! `stats` and events are made when it is time.

use std::time::{Duration, Instant};
use summary::grouped;
use summary::record::{Event, EventKind, Reason};

use super::intake::Arrival;
use super::source::{Drops, Source};
use crate::Error;
use crate::interfaces;
use crate::output::Rotation;
use crate::progress::packets;
use crate::stream::{Stream, new_event};

/// The accounts of a run.
pub(super) struct Books {
    pub(super) stream: Stream,
    pub(super) sources: Vec<Source>,
    rotation: Rotation,
    /// When the next file begins.
    rotation_due: Option<Instant>,
    /// Files that were completed.
    file_count: u32,
    /// Why no more packets are wanted, once that is so.
    over: Option<Reason>,
}

impl Books {
    pub(super) fn new(stream: Stream, sources: Vec<Source>, rotation: Rotation) -> Self {
        let rotation_due = rotation.interval.map(|interval| Instant::now() + interval);
        Self { stream, sources, rotation, rotation_due, file_count: 0, over: None }
    }

    /// Why no more packets are wanted, where that is so.
    pub(super) fn over(&self) -> Option<Reason> {
        self.over
    }

    /// When the next file begins.
    pub(super) fn rotation_due(&self) -> Option<Instant> {
        self.rotation_due
    }

    /// Writes a packet; false where no more are wanted.
    pub(super) fn arrive(&mut self, source: usize, arrival: Arrival<'_>) -> Result<bool, Error> {
        if self.stream.is_file_full() {
            self.rotate(Reason::Size)?;
        }
        match arrival {
            Arrival::Skipped => {
                self.stream.count_skipped(source, 1);
                return Ok(true);
            }
            Arrival::Seen(seen) => self.stream.write_packet(source, &seen)?,
            Arrival::Line(len, text) => self.stream.write_formatted(source, len, text)?,
        }
        if self.stream.is_full() {
            self.over = Some(Reason::Count);
        } else if self.stream.is_file_full() && self.is_last_file() {
            self.over = Some(Reason::Size);
        }
        Ok(self.over.is_none())
    }

    /// Whether the run ends with this file.
    fn is_last_file(&self) -> bool {
        self.rotation.interval.is_some()
            && self.rotation.count.is_some_and(|count| count <= self.file_count + 1)
    }

    /// Begins the next file when its time has come, or ends the run.
    pub(super) fn rotate_when_due(&mut self, now: Instant) -> Result<(), Error> {
        let (Some(due), Some(interval)) = (self.rotation_due, self.rotation.interval) else {
            return Ok(());
        };
        if now < due {
            return Ok(());
        }
        self.rotation_due = Some(next_due(due, interval, now));
        if self.is_last_file() {
            self.over = Some(Reason::Duration);
            return Ok(());
        }
        self.rotate(Reason::Duration)
    }

    /// Ends the file with its accounts, and begins the next one.
    pub(super) fn rotate(&mut self, reason: Reason) -> Result<(), Error> {
        self.read_all_counters()?;
        self.stats()?;
        self.file_count += 1;
        let interfaces = self.sources.iter().map(Source::describe).collect();
        self.stream.rotate(reason, Some(interfaces))
    }

    pub(super) fn read_all_counters(&mut self) -> Result<(), Error> {
        (0..self.sources.len()).try_for_each(|source| self.read_counters(source))
    }

    /// Reads the kernel's counters of one interface, and tells when drops begin and end.
    pub(super) fn read_counters(&mut self, source: usize) -> Result<(), Error> {
        let drops = self.sources[source].read_counters()?;
        let name = self.sources[source].name();
        match drops {
            Drops::Same => Ok(()),
            Drops::Begin => self.stream.write_event(new_event(name, EventKind::DropBegin)),
            Drops::End(length) => self.stream.write_event(Event {
                gap_ns: Some(nanoseconds(length)),
                ..new_event(name, EventKind::DropEnd)
            }),
        }
    }

    /// Writes what was counted since the last time, of each interface.
    pub(super) fn stats(&mut self) -> Result<(), Error> {
        self.stats_with(|_| None)
    }

    /// Writes the last `stats`, with the kernel's own count of received packets where all of them
    /// were taken from its ring.
    pub(super) fn last_stats(&mut self) -> Result<(), Error> {
        let is_kernels_count_ours = self.over.is_none();
        self.stats_with(|source| is_kernels_count_ours.then_some(source.counters().recv))
    }

    fn stats_with(&mut self, recv: impl Fn(&Source) -> Option<u64>) -> Result<(), Error> {
        // Without an answer nothing is known of losses; the capture is none the worse.
        let interfaces = interfaces::all().unwrap_or_default();
        for (index, source) in self.sources.iter_mut().enumerate() {
            let losses = source.take_losses(&interfaces);
            let recv = recv(source);
            self.stream.write_stats(index, Some(source.name()), losses, recv)?;
        }
        Ok(())
    }

    /// Packets that the kernel dropped on all interfaces, as last read.
    pub(super) fn dropped(&self) -> u64 {
        self.sources.iter().map(|source| source.counters().drop).sum()
    }

    /// Names of the interfaces: `eth0, lo`.
    pub(super) fn names(&self) -> String {
        self.sources.iter().map(Source::name).collect::<Vec<_>>().join(", ")
    }

    /// The counters in words: all together, and of each where there are several.
    pub(super) fn sentence(&self, elapsed: &str) -> String {
        let mut text = format!(
            "{} captured on {} in {elapsed}, {} dropped by the kernel",
            packets(self.stream.out()),
            self.names(),
            grouped(self.dropped())
        );
        if 1 < self.sources.len() {
            for (index, source) in self.sources.iter().enumerate() {
                let out = packets(self.stream.counts(index).out);
                let drop = grouped(source.counters().drop);
                text += &format!("\n  {}: {out}, {drop} dropped", source.name());
            }
        }
        text
    }
}

/// The first full interval after `due` that is not over `now`: late ones do not pile up.
pub(super) fn next_due(due: Instant, interval: Duration, now: Instant) -> Instant {
    let behind = now.saturating_duration_since(due).as_nanos() / interval.as_nanos().max(1);
    let behind = u32::try_from(behind).unwrap_or(u32::MAX - 1);
    due + interval * (behind + 1)
}

/// A length of time as the stream tells it.
pub(super) fn nanoseconds(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
