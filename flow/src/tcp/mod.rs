//! The analysis of a TCP connection, segment by segment.

mod connection;
mod holes;
mod reset;
mod side;
mod trouble;

pub(crate) use connection::{Connection, has_ecn, is_reused};
pub use reset::Reset;
pub(crate) use side::{Sample, Side, SideEntry};
pub(crate) use trouble::Trouble;

use summary::{DnsCode, Tcp};

use crate::observation::Segment;

/// Sequence numbers further away than this belong to another connection, or to a damaged packet.
const MAX_DISTANCE: i32 = 1 << 30;
/// The largest shift count of windows (RFC 7323, section 2.3).
const MAX_WINDOW_SCALE: u8 = 14;
/// Out of order without a known round-trip time: segments that come within this time, in nanoseconds.
const DEFAULT_RTT_NS: i64 = 3_000_000;
/// Duplicate acknowledgments that make a retransmission a fast one. The third triggers it (RFC 5681,
/// section 3.2); the capture may miss one.
const FAST_DUP_ACKS: u8 = 2;

/// Why a segment was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retransmission {
    /// Duplicate or selective acknowledgments asked for it.
    Fast,
    /// Nothing was acknowledged in time.
    Timeout,
    /// All its bytes were acknowledged before.
    Spurious,
}

impl Retransmission {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Timeout, Self::Spurious];

    /// The value of `rtx` in a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Timeout => "timeout",
            Self::Spurious => "spurious",
        }
    }
}

/// The findings of the analysis in one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The segment repeats data.
    pub rtx: Option<Retransmission>,
    /// The segment arrived after segments that follow it.
    pub is_out_of_order: bool,
    /// The segment only repeats an acknowledgment.
    pub is_dup_ack: bool,
    /// The sender's window is zero.
    pub is_zero_window: bool,
    /// The data fills the receiver's window.
    pub is_window_full: bool,
    /// The segment probes whether the other side is there, or whether its window is still zero.
    pub is_keep_alive: bool,
    /// The segment resets a connection without data.
    pub reset: Option<Reset>,
    /// The segment acknowledges bytes that were not captured: how many.
    pub unseen_bytes: Option<u32>,
    /// Microseconds since the segment that this one acknowledges.
    pub rtt_us: Option<u32>,
    /// The segment ends the handshake: microseconds since the SYN.
    pub handshake_us: Option<u32>,
    /// The packet is a DNS response: microseconds since its question. Whoever reads the message sets it;
    /// [`FlowTable`](crate::FlowTable) leaves it empty.
    pub dns_time_us: Option<u32>,
    /// The packet is a DNS response: its code. Set like `dns_time_us`.
    pub dns_code: Option<DnsCode>,
}

impl Marks {
    /// Whether there is a finding of the analysis of TCP.
    pub fn has_finding(&self) -> bool {
        Self { dns_time_us: None, dns_code: None, ..*self } != Self::default()
    }

    /// Whether the sender's counts change.
    fn is_counted(&self) -> bool {
        self.rtx.is_some()
            || self.is_out_of_order
            || self.is_dup_ack
            || self.is_zero_window
            || self.is_window_full
            || self.is_keep_alive
    }
}

impl Segment {
    /// Whether it has a control bit.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The sequence number of the first byte of its payload.
    pub fn payload_seq(&self) -> u32 {
        self.seq.wrapping_add(u32::from(self.has(Tcp::SYN)))
    }

    pub(crate) fn has_syn(&self) -> bool {
        self.has(Tcp::SYN)
    }

    /// Whether the segment answers a SYN.
    pub(crate) fn is_syn_ack(&self) -> bool {
        self.has(Tcp::SYN) && self.has(Tcp::ACK)
    }

    /// The sequence numbers that the segment takes.
    fn span(&self, payload: u32) -> u32 {
        payload.wrapping_add(u32::from(self.has(Tcp::SYN)) + u32::from(self.has(Tcp::FIN)))
    }
}

/// The distance from one sequence number to another, modulo 2³².
fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

/// Nanoseconds as microseconds, 0 if the time runs backwards.
fn micros(ns: i64) -> u32 {
    u32::try_from((ns / 1_000).max(0)).unwrap_or(u32::MAX)
}
