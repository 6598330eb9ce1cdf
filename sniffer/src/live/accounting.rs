//! Accounts for every packet of a run: writes the stream, and in it `stats`, events and the end of
//! each file.

use std::time::Instant;
use summary::grouped;
use summary::record::{Event, EventKind, Reason};

use super::captured_interface::CapturedInterface;
use super::drops::DropTransition;
use super::link::nanoseconds;
use super::packet_event::PacketEvent;
use crate::Error;
use crate::capture::{Capture, Counters};
use crate::counts::Counts;
use crate::interfaces;
use crate::metrics::{self, InterfaceCounts, RunState};
use crate::output::{Output, Rotation};
use crate::packet_file::{Cause, Triggered};
use crate::progress::packets;
use crate::rotation_schedule::RotationSchedule;
use crate::stream::{self, Stream, new_event};
use crate::top::{Status, Top};

/// The stream of a run, and the interfaces whose packets it contains.
pub(super) struct Accounting {
    stream: Stream,
    pub(super) interfaces: Vec<CapturedInterface>,
    schedule: RotationSchedule,
    /// Why the run takes no more packets, once a limit is reached.
    stop_reason: Option<Reason>,
}

impl Accounting {
    pub(super) fn new(
        stream: Stream,
        interfaces: Vec<CapturedInterface>,
        rotation: Rotation,
    ) -> Self {
        let schedule = RotationSchedule::new(rotation);
        Self { stream, interfaces, schedule, stop_reason: None }
    }

    /// Why the run takes no more packets, once a limit is reached.
    pub(super) fn stop_reason(&self) -> Option<Reason> {
        self.stop_reason
    }

    /// When the next file is due.
    pub(super) fn rotation_due(&self) -> Option<Instant> {
        self.schedule.due()
    }

    /// Packets written so far.
    pub(super) fn packet_count(&self) -> u64 {
        self.stream.out()
    }

    /// Packets taken from the ring of an interface, or dropped before as last read.
    pub(super) fn accounted(&self, interface: usize) -> u64 {
        self.stream.processed(interface) + self.interfaces[interface].counters().drop
    }

    /// Packets that the kernel dropped on all interfaces, as last read.
    pub(super) fn dropped(&self) -> u64 {
        self.interfaces.iter().map(|interface| interface.counters().drop).sum()
    }

    /// Records a packet or a loss. False if the run takes no more packets.
    pub(super) fn record_packet(
        &mut self,
        interface: usize,
        event: PacketEvent<'_>,
    ) -> Result<bool, Error> {
        if self.stream.is_file_full() {
            self.rotate(Reason::Size)?;
        }
        match event {
            PacketEvent::Accepted(packet) => {
                self.interfaces[interface].on_packet(packet.ts);
                self.stream.write_packet(interface, &packet)?;
            }
            PacketEvent::Formatted(ts, packet) => {
                self.interfaces[interface].on_packet(ts);
                self.stream.write_formatted(interface, &packet)?;
            }
            PacketEvent::Rejected => {
                self.stream.count_skipped(interface, 1);
                return Ok(true);
            }
            PacketEvent::Losses => {
                self.read_counters(interface)?;
                return Ok(true);
            }
        }
        if self.stream.is_full() {
            self.stop_reason = Some(Reason::Count);
        } else if self.stream.is_file_full() && self.schedule.is_last_file() {
            self.stop_reason = Some(Reason::Size);
        }
        Ok(self.stop_reason.is_none())
    }

    /// Writes the flows that had no packets for a long time.
    pub(super) fn expire_flows(&mut self) -> Result<(), Error> {
        self.stream.expire_flows(stream::now())
    }

    /// The text for `--metrics`, with the counters as last read; `None` if nothing counts packets.
    pub(super) fn metrics(&self, state: RunState) -> Option<String> {
        let (traffic, flows) = self.stream.traffic()?;
        let flows = u64::try_from(flows).unwrap_or(u64::MAX);
        let state = RunState { flows, evicted_flows: self.evicted_flows(), ..state };
        let interfaces = self.interfaces.iter().enumerate().map(|(index, interface)| {
            let Counts { out, skip, bytes, .. } = self.stream.counts(index);
            let Counters { drop, freeze, .. } = interface.counters();
            InterfaceCounts { name: interface.name().to_owned(), out, skip, drop, freeze, bytes }
        });
        Some(metrics::write(&state, &interfaces.collect::<Vec<_>>(), traffic))
    }

    /// Shows the flows on the terminal.
    pub(super) fn show_flows(&mut self, top: &mut Top) {
        let (source, packets) = (self.names(), self.packet_count());
        let dropped = Some(self.dropped());
        let status = Status { source, packets, dropped, ..Status::default() };
        self.stream.show_flows(top, status);
    }

    /// Number of flows that were reported early because there were too many.
    pub(super) fn evicted_flows(&self) -> u64 {
        self.stream.evicted_flows()
    }

    /// Number of incomplete messages that were given up because there were too many.
    pub(super) fn evicted_names(&self) -> u64 {
        self.stream.evicted_names()
    }

    /// Records an event.
    pub(super) fn record_event(&mut self, event: Event) -> Result<(), Error> {
        self.stream.write_event(event)
    }

    /// Starts the next file if it is due, or stops after the last one.
    pub(super) fn rotate_if_due(&mut self, now: Instant) -> Result<(), Error> {
        let is_due = self.schedule.fires(now);
        if is_due && self.schedule.is_last_file() {
            self.stop_reason = Some(Reason::Duration);
        } else if is_due {
            self.rotate(Reason::Rotated)?;
        }
        Ok(())
    }

    /// Completes the file with `stats` of each interface, and starts the next one.
    pub(super) fn rotate(&mut self, reason: Reason) -> Result<(), Error> {
        self.read_all_counters()?;
        self.write_stats()?;
        self.schedule.complete_file();
        let interfaces = self.interfaces.iter().map(CapturedInterface::describe).collect();
        self.stream.rotate(reason, Some(interfaces))
    }

    pub(super) fn read_all_counters(&mut self) -> Result<(), Error> {
        (0..self.interfaces.len()).try_for_each(|interface| self.read_counters(interface))
    }

    /// Reads the kernel's counters of one interface, and records when drops start or end.
    pub(super) fn read_counters(&mut self, interface: usize) -> Result<(), Error> {
        let transition = self.interfaces[interface].read_counters()?;
        self.record_drops(interface, transition)
    }

    /// Records the start or the end of a burst of drops.
    fn record_drops(&mut self, interface: usize, transition: DropTransition) -> Result<(), Error> {
        let interface = &self.interfaces[interface];
        let event = match transition {
            DropTransition::None => return Ok(()),
            DropTransition::Started => new_event(interface.name(), EventKind::DropBegin),
            DropTransition::Ended(burst) => Event {
                gap_ns: Some(nanoseconds(burst.length)),
                drop: Some(burst.dropped),
                ts_before: burst.before,
                ts_after: burst.after,
                ..new_event(interface.name(), EventKind::DropEnd)
            },
        };
        self.stream.write_event(event)
    }

    /// Writes `stats` of each interface: what was counted since the previous ones.
    pub(super) fn write_stats(&mut self) -> Result<(), Error> {
        self.write_stats_with(|_| None)
    }

    fn write_stats_with(
        &mut self,
        recv: impl Fn(&CapturedInterface) -> Option<u64>,
    ) -> Result<(), Error> {
        // Without an answer, hardware losses stay unknown until the next time.
        let all = interfaces::all().unwrap_or_default();
        for (index, interface) in self.interfaces.iter_mut().enumerate() {
            let losses = interface.take_losses(&all);
            let recv = recv(interface);
            self.stream.write_stats(index, Some(interface.name()), losses, recv)?;
        }
        Ok(())
    }

    /// Reads the kernel's counters without recording events, for totals when the output is
    /// unusable.
    pub(super) fn refresh_counters(&mut self) {
        for interface in &mut self.interfaces {
            // The output's error is reported.
            let _ = interface.read_counters();
        }
    }

    /// Writes the packets around this moment that are in memory.
    pub(super) fn trigger(&mut self) -> Result<(), Error> {
        self.stream.trigger(Cause::Signal)
    }

    /// The triggers since the last call, as messages.
    pub(super) fn take_triggered(&mut self) -> Vec<Triggered> {
        self.stream.take_triggered()
    }

    /// The outputs, to watch them.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.stream.outputs()
    }

    /// Whether all outputs are unusable.
    pub(super) fn has_failed(&self) -> bool {
        self.stream.has_failed()
    }

    /// Fails if the reader of a pipe or socket has gone away.
    pub(super) fn check_readers(&mut self) -> Result<(), Error> {
        self.stream.check_readers()
    }

    /// Writes the buffered lines.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.stream.flush()
    }

    /// Writes all lines, also those that the encoder of a compressed output holds.
    pub(super) fn flush_all(&mut self) -> Result<(), Error> {
        self.stream.flush_all()
    }

    /// Rejects all further packets. Those in the rings can still be read.
    pub(super) fn reject_packets(&self) -> Result<(), Error> {
        let mut captures = self.interfaces.iter().flat_map(|interface| &interface.captures);
        captures.try_for_each(Capture::reject_all)
    }

    /// Completes the stream after the rings were drained.
    pub(super) fn finish(&mut self, reason: Reason) -> Result<(), Error> {
        for interface in 0..self.interfaces.len() {
            let transition = self.interfaces[interface].end_drops();
            self.record_drops(interface, transition)?;
        }
        // The kernel's count of received packets includes those left in the rings at a limit.
        let is_drained = self.stop_reason.is_none();
        let stats =
            self.write_stats_with(|interface| is_drained.then_some(interface.counters().recv));
        stats.and(self.stream.finish(reason))
    }

    /// Names of the interfaces: `eth0, lo`.
    fn names(&self) -> String {
        self.interfaces.iter().map(CapturedInterface::name).collect::<Vec<_>>().join(", ")
    }

    /// Packets that arrived during the run but were not read, as of the last reading of the
    /// counters.
    pub(super) fn unread(&self) -> u64 {
        let unread = self.interfaces.iter().enumerate().map(|(index, interface)| {
            interface.counters().recv.saturating_sub(self.accounted(index))
        });
        unread.sum()
    }

    /// The counters as text: totals, and one line per interface if there are several. `elapsed` is
    /// the time since the start, and `state` is empty at the end of the run.
    pub(super) fn summary(&self, state: &str, elapsed: &str) -> String {
        let mut text = format!(
            "{} captured{state} on {} in {elapsed}, {} dropped by the kernel",
            packets(self.stream.out()),
            self.names(),
            grouped(self.dropped())
        );
        if 1 < self.interfaces.len() {
            for (index, interface) in self.interfaces.iter().enumerate() {
                let out = packets(self.stream.counts(index).out);
                let drop = grouped(interface.counters().drop);
                text += &format!("\n  {}: {out}, {drop} dropped", interface.name());
            }
        }
        text
    }
}
