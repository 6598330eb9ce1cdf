//! What a packet source delivers, before it is counted and numbered.

use crate::line_formatter::CapturedPacket;
use crate::stream::FormattedPacket;
use summary::Timestamp;

/// What a source delivers.
#[derive(Clone, Copy, Debug)]
pub(super) enum PacketEvent<'a> {
    /// The kernel has dropped packets, which its counters show. Usually they would have come before
    /// the next packet.
    Losses,
    /// A packet that the filter accepted.
    Accepted(CapturedPacket<'a>),
    /// The same with its capture time, formatted by a thread.
    Formatted(Timestamp, FormattedPacket<'a>),
    /// A packet that the filter rejected.
    Rejected,
}
