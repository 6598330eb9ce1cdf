//! The flight recorder: packets stay in memory until a trigger selects those around it.

use std::fmt;
use std::time::Duration;
use summary::Timestamp;
use summary::record::{Event, EventKind};

use super::ring::PacketRing;
use super::selector::Selector;
use crate::Error;
use crate::line_formatter::CapturedPacket;
use crate::progress::packets;
use crate::timer::nanoseconds;

/// Which packets before and after a trigger are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingLimits {
    /// Bytes of pcapng blocks in memory. Without a time, also of those after a trigger.
    pub(crate) max_len: usize,
    /// Time before a trigger, and after it.
    pub(crate) span: Option<Duration>,
}

impl RingLimits {
    /// When packets that a trigger at `now` selects begin, in nanoseconds since 1970.
    pub(super) fn start(&self, now: i64) -> Option<i64> {
        self.span.map(|span| now.saturating_sub(nanoseconds(span)))
    }

    /// What is written after a trigger at `now`.
    fn after(&self, now: i64) -> After {
        match self.span {
            Some(span) => After::Until(now.saturating_add(nanoseconds(span))),
            None => After::Bytes(self.max_len),
        }
    }
}

/// The packets after a trigger that are still to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Those captured up to this time, in nanoseconds since 1970.
    Until(i64),
    /// As many as fit.
    Bytes(usize),
}

/// The reason why the recorder wrote packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// SIGUSR1.
    Signal,
    /// The packet with this number, which the expression of `--trigger` selects.
    Packet(u64),
}

/// A trigger that made the recorder write packets, as a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Triggered {
    cause: Cause,
    /// Time of the trigger.
    ts: Timestamp,
    /// Packets that were in memory.
    pub(super) packets: u64,
    /// Whether the time of the limits includes packets that were not in memory any more.
    pub(super) is_cut: bool,
    limits: RingLimits,
}

impl Triggered {
    /// The record of the trigger.
    pub(crate) fn event(&self) -> Event {
        let n = match self.cause {
            Cause::Signal => None,
            Cause::Packet(n) => Some(n),
        };
        Event { n, packets: Some(self.packets), ..Event::new(self.ts, EventKind::Trigger) }
    }
}

impl fmt::Display for Triggered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match self.cause {
            Cause::Signal => "SIGUSR1",
            Cause::Packet(_) => "--trigger",
        };
        write!(formatter, "{cause}: wrote {} from memory", packets(self.packets))?;
        if self.is_cut {
            write!(formatter, " (earlier ones exceeded its {} KiB)", self.limits.max_len >> 10)?;
        }
        match self.limits.span {
            Some(span) => write!(formatter, "; those of the next {span:?} follow"),
            None => write!(formatter, "; the next {} KiB follow", self.limits.max_len >> 10),
        }
    }
}

/// Keeps packets in memory.
#[derive(Debug)]
pub(super) struct Recorder {
    limits: RingLimits,
    pub(super) ring: PacketRing,
    /// Packets that are triggers.
    trigger: Option<Selector>,
    after: Option<After>,
    /// Triggers that were not reported yet.
    triggered: Vec<Triggered>,
}

impl Recorder {
    pub(super) fn new(limits: RingLimits, trigger: Option<Selector>) -> Self {
        let ring = PacketRing::new(limits);
        Self { limits, ring, trigger, after: None, triggered: Vec::new() }
    }

    /// Whether a packet is a trigger.
    pub(super) fn is_trigger(&mut self, packet: &CapturedPacket<'_>) -> Result<bool, Error> {
        self.trigger.as_mut().map_or(Ok(false), |trigger| trigger.selects(packet))
    }

    /// Whether a block of `len` bytes with a packet captured at `ts` is among those after a trigger.
    pub(super) fn takes(&mut self, ts: Timestamp, len: usize) -> bool {
        let takes = match &mut self.after {
            None => false,
            Some(After::Until(end)) => ts.ns() <= *end,
            Some(After::Bytes(left)) => match left.checked_sub(len) {
                Some(rest) => {
                    *left = rest;
                    true
                }
                None => false,
            },
        };
        if !takes {
            self.after = None;
        }
        takes
    }

    /// Whether packets after a trigger are being written.
    pub(super) fn is_writing(&self) -> bool {
        self.after.is_some()
    }

    /// Selects the packets after a trigger at `ts`.
    pub(super) fn extend(&mut self, ts: Timestamp) {
        let after = self.limits.after(ts.ns());
        self.after = Some(match (self.after, after) {
            (Some(After::Until(old)), After::Until(new)) => After::Until(old.max(new)),
            _ => after,
        });
    }

    /// Notes that a trigger wrote packets.
    pub(super) fn note(&mut self, cause: Cause, ts: Timestamp, packets: u64, is_cut: bool) {
        self.triggered.push(Triggered { cause, ts, packets, is_cut, limits: self.limits });
    }

    /// The triggers since the last call.
    pub(super) fn take_triggered(&mut self) -> Vec<Triggered> {
        std::mem::take(&mut self.triggered)
    }
}
