//! What is counted in a flow.

use summary::Timestamp;

use crate::observation::DnsMessage;

/// The packets of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of packets.
    pub packets: u64,
    /// Sum of their lengths on the wire.
    pub bytes: u64,
    /// Sum of their transport payloads.
    pub payload: u64,
    /// Number of packets that experienced congestion: CE (RFC 3168, section 5).
    pub ce: u32,
    /// Time of the first packet; meaningless without packets.
    pub first: Timestamp,
    /// Time of the last packet; meaningless without packets.
    pub last: Timestamp,
}

/// What the analysis of TCP found in the segments of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpCounts {
    /// Retransmissions that the receiver asked for.
    pub rtx_fast: u32,
    /// Retransmissions after a time-out.
    pub rtx_timeout: u32,
    /// Retransmissions of data that was acknowledged before.
    pub rtx_spurious: u32,
    /// Segments out of order.
    pub out_of_order: u32,
    /// Duplicate acknowledgments.
    pub dup_acks: u32,
    /// Segments that announce a window of zero.
    pub zero_windows: u32,
    /// How long the window was zero, in nanoseconds of packet time.
    pub zero_window_ns: u64,
    /// Segments that fill the receiver's window.
    pub window_full: u32,
    /// Keep-alive segments and probes of a zero window.
    pub keep_alives: u32,
    /// Segments with RST.
    pub resets: u32,
    /// Segments with ECE after the handshake: the network signalled congestion in the other direction
    /// (RFC 3168).
    pub ece: u32,
    /// Bytes that were acknowledged but not captured.
    pub unseen_bytes: u64,
    /// Time until the receiver acknowledged the data.
    pub rtt: RttStats,
}

impl TcpCounts {
    /// All retransmissions.
    pub fn rtx(&self) -> u64 {
        u64::from(self.rtx_fast) + u64::from(self.rtx_timeout) + u64::from(self.rtx_spurious)
    }
}

/// Round-trip times in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RttStats {
    /// Number of measurements.
    pub samples: u32,
    /// The shortest time; 0 without measurements.
    pub min_us: u32,
    /// The longest time.
    pub max_us: u32,
    /// Sum of all times.
    pub sum_us: u64,
}

impl RttStats {
    pub(crate) fn add(&mut self, us: u32) {
        self.min_us = if self.samples == 0 { us } else { self.min_us.min(us) };
        self.max_us = self.max_us.max(us);
        self.samples = self.samples.saturating_add(1);
        self.sum_us += u64::from(us);
    }

    /// The mean in microseconds, rounded down; `None` without measurements.
    pub fn mean_us(&self) -> Option<u64> {
        self.sum_us.checked_div(self.samples.into())
    }
}

/// The DNS messages of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Queries.
    pub questions: u32,
    /// Responses.
    pub responses: u32,
    /// Responses with another code than NOERROR.
    pub failures: u32,
    /// Times from a query to its response.
    pub time: RttStats,
}

impl Dns {
    pub(crate) fn add(&mut self, message: DnsMessage) {
        match message.code {
            None => self.questions = self.questions.saturating_add(1),
            Some(code) => {
                self.responses = self.responses.saturating_add(1);
                self.failures = self.failures.saturating_add((code.0 != 0).into());
            }
        }
        if let Some(us) = message.time_us {
            self.time.add(u32::try_from(us).unwrap_or(u32::MAX));
        }
    }
}
