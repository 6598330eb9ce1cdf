//! What a packet source delivers, before it is counted and numbered.

use crate::line_formatter::CapturedPacket;
use flow::Observation;
use summary::Timestamp;

/// What a source delivers.
#[derive(Clone, Copy, Debug)]
pub(super) enum PacketEvent<'a> {
    /// The kernel has dropped packets, which its counters show. Usually they would have come before
    /// the next packet.
    Losses,
    /// A packet that the filter accepted.
    Accepted(CapturedPacket<'a>),
    /// The same, formatted by a thread.
    Formatted {
        /// Capture time.
        ts: Timestamp,
        /// Length on the wire in bytes.
        len: u32,
        /// Its line after the number.
        line: &'a [u8],
        /// What its flow needs, if flows are requested.
        observation: Option<&'a Observation>,
        /// Incomplete messages that were given up because of it.
        evicted_names: u32,
    },
    /// A packet that the filter rejected.
    Rejected,
}
