//! The analysis of a TCP connection, segment by segment.

mod holes;
mod rtt;
mod side;

use crate::counts::TcpCounts;
use crate::flow::EndReason;
use crate::observation::Segment;
use side::Side;

/// Control bits (RFC 9293, section 3.1; RFC 3168, section 6.1).
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const ECE: u8 = 64;
const CWR: u8 = 128;

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
    /// The value of `rtx` in a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Timeout => "timeout",
            Self::Spurious => "spurious",
        }
    }
}

/// What the analysis found in one packet.
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
    /// The segment acknowledges bytes that were not captured: how many.
    pub unseen_bytes: Option<u32>,
    /// Microseconds since the segment that this one acknowledges.
    pub rtt_us: Option<u32>,
}

/// The state of a connection. Side 0 is the source of the flow.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    sides: [Side; 2],
    /// Time of the SYN, until the handshake is over or ambiguous.
    syn_at: Option<i64>,
    handshake_us: Option<u32>,
    is_reset: bool,
}

impl Segment {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether the segment answers a SYN.
    pub(crate) fn is_syn_ack(&self) -> bool {
        self.has(SYN) && self.has(ACK)
    }

    /// The sequence numbers that the segment takes.
    fn span(&self, payload: u32) -> u32 {
        payload.wrapping_add(u32::from(self.has(SYN)) + u32::from(self.has(FIN)))
    }
}

/// The distance from one sequence number to another, modulo 2³².
fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

impl Connection {
    /// Adds a segment of side `from`.
    pub(crate) fn add(&mut self, from: usize, ns: i64, payload: u32, segment: &Segment) -> Marks {
        let mut marks = Marks::default();
        let [first, second] = &mut self.sides;
        let (sender, receiver) = if from == 0 { (first, second) } else { (second, first) };
        if segment.has(RST) {
            sender.counts.resets = sender.counts.resets.saturating_add(1);
            self.is_reset = true;
            return marks;
        }
        if segment.has(SYN) {
            let is_repeated = sender.isn == Some(segment.seq);
            match (is_repeated, segment.has(ACK)) {
                (true, _) => self.syn_at = None,
                (false, false) => self.syn_at = Some(ns),
                (false, true) => {}
            }
            sender.on_syn(segment);
        } else {
            let isn = receiver.isn.filter(|_| from == 0).map(|isn| isn.wrapping_add(1));
            if segment.ack.is_some() && segment.ack == isn {
                let start = self.syn_at.take();
                self.handshake_us =
                    self.handshake_us.or(start.map(|start| micros(ns.saturating_sub(start))));
            }
            sender.counts.ece = sender.counts.ece.saturating_add(segment.has(ECE).into());
        }
        let rtt_ns = self.handshake_us.map_or(DEFAULT_RTT_NS, |us| i64::from(us) * 1_000);
        sender.on_data(receiver, ns, payload, segment, rtt_ns, &mut marks);
        sender.on_ack(receiver, ns, payload, segment, &mut marks);
        sender.on_window(ns, segment, &mut marks);
        sender.count(&marks);
        if let Some(us) = marks.rtt_us {
            receiver.counts.rtt.add(us);
        }
        if let Some(bytes) = marks.unseen_bytes {
            receiver.counts.unseen_bytes =
                receiver.counts.unseen_bytes.saturating_add(bytes.into());
        }
        marks
    }

    /// Whether a segment begins another connection: its SYN has another number.
    pub(crate) fn is_reused_by(&self, from: usize, segment: &Segment) -> bool {
        let is_client_syn = segment.has(SYN) && !segment.has(ACK);
        let [sender, receiver] = [&self.sides[from], &self.sides[1 - from]];
        // Both sides of a simultaneous open send a SYN.
        let is_simultaneous = sender.isn.is_none() && !sender.has_sent() && receiver.isn.is_some();
        is_client_syn && sender.isn != Some(segment.seq) && !is_simultaneous
    }

    /// Why the connection is closed; `None` if it is not.
    pub(crate) fn close_reason(&self) -> Option<EndReason> {
        let [first, second] = &self.sides;
        if self.is_reset {
            Some(EndReason::Rst)
        } else {
            let is_closed = first.is_fin_acked_by(second) && second.is_fin_acked_by(first);
            is_closed.then_some(EndReason::Fin)
        }
    }

    pub(crate) fn reset_counts(&mut self) {
        self.sides.iter_mut().for_each(|side| side.counts = TcpCounts::default());
    }

    pub(crate) fn counts(&self) -> [&TcpCounts; 2] {
        self.sides.each_ref().map(|side| &side.counts)
    }

    pub(crate) fn handshake_us(&self) -> Option<u32> {
        self.handshake_us
    }

    pub(crate) fn mss(&self) -> [Option<u16>; 2] {
        self.sides.each_ref().map(|side| side.mss)
    }

    pub(crate) fn window_scale(&self) -> [Option<u8>; 2] {
        self.sides.each_ref().map(|side| side.window_scale)
    }

    pub(crate) fn has_sack(&self) -> bool {
        self.sides.iter().all(|side| side.permits_sack)
    }

    /// The client asks with ECE and CWR, the server agrees with ECE (RFC 3168, section 6.1.1).
    pub(crate) fn has_ecn(&self) -> bool {
        self.sides[0].syn_flags & (ECE | CWR) == ECE | CWR
            && self.sides[1].syn_flags & (ECE | CWR) == ECE
    }
}

/// Nanoseconds as microseconds, 0 if the time runs backwards.
fn micros(ns: i64) -> u32 {
    u32::try_from((ns / 1_000).max(0)).unwrap_or(u32::MAX)
}
