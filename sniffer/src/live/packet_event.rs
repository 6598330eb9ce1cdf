//! What a packet source delivers, before it is counted and numbered.

use crate::line_formatter::CapturedPacket;

/// What a source delivers.
#[derive(Clone, Copy, Debug)]
pub(super) enum PacketEvent<'a> {
    /// The kernel has dropped packets, which its counters show. Usually they would have come before
    /// the next packet.
    Losses,
    /// A packet that the filter accepted.
    Accepted(CapturedPacket<'a>),
    /// The same, formatted by a thread: its length on the wire, and its line after the number.
    Formatted(u32, &'a [u8]),
    /// A packet that the filter rejected.
    Rejected,
}
