//! One side of a connection in memory.

use summary::Tcp;

use crate::observation::Segment;
use crate::slab::{Entry, NONE};
use crate::slot::PackedTime;

use super::{MAX_WINDOW_SCALE, distance};

/// The flags of a [`Side`].
pub(super) const HAS_ISN: u16 = 1;
pub(super) const HAS_NEXT: u16 = 1 << 1;
pub(super) const HAS_ACK: u16 = 1 << 2;
pub(super) const HAS_FIN: u16 = 1 << 3;
pub(super) const HAS_MSS: u16 = 1 << 4;
pub(super) const HAS_SCALE: u16 = 1 << 5;
pub(super) const PERMITS_SACK: u16 = 1 << 6;
/// The last segment was a keep-alive, whose answer repeats an acknowledgment.
pub(super) const WAS_KEEP_ALIVE: u16 = 1 << 7;
/// ECE and CWR in the SYN.
pub(super) const SYN_ECE: u16 = 1 << 8;
pub(super) const SYN_CWR: u16 = 1 << 9;
/// The sample has a timestamp.
pub(super) const SAMPLE_HAS_TS: u16 = 1 << 10;
/// A segment before the sample, or the sample itself, was sent again.
pub(super) const IS_AMBIGUOUS: u16 = 1 << 11;
/// The highest bits are the shift count of the window.
const SCALE_SHIFT: u32 = 12;

/// The sequence numbers that one side sent and acknowledged. A value without its flag is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    /// Sequence number of the SYN.
    isn: u32,
    /// The sequence number after all data that was sent. After a FIN, it is the one after the FIN.
    next: u32,
    /// The acknowledgment sent last.
    ack: u32,
    pub(super) win: u16,
    mss: u16,
    flags: u16,
    /// Duplicates of `ack`.
    pub(super) dup_acks: u8,
    /// Segments with RST. Most connections with one have no other finding.
    pub(crate) resets: u8,
    /// Index of the segment whose acknowledgment is expected.
    pub(crate) sample: u32,
    /// Index of the round-trip times.
    pub(crate) rtt: u32,
}

/// A segment whose acknowledgment is expected.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// The sequence number after the segment.
    pub(super) end: u32,
    pub(super) time: PackedTime,
    pub(super) ts_val: u32,
}

impl Entry for Side {
    fn link(&mut self) -> &mut u32 {
        &mut self.next
    }
}

impl Entry for Sample {
    fn link(&mut self) -> &mut u32 {
        &mut self.end
    }
}

impl Default for Side {
    fn default() -> Self {
        Self {
            isn: 0,
            next: 0,
            ack: 0,
            win: 0,
            mss: 0,
            flags: 0,
            dup_acks: 0,
            resets: 0,
            sample: NONE,
            rtt: NONE,
        }
    }
}

impl Side {
    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn set(&mut self, flag: u16, is_set: bool) {
        self.flags = if is_set { self.flags | flag } else { self.flags & !flag };
    }

    pub(super) fn isn(&self) -> Option<u32> {
        self.has(HAS_ISN).then_some(self.isn)
    }

    pub(super) fn next(&self) -> Option<u32> {
        self.has(HAS_NEXT).then_some(self.next)
    }

    pub(super) fn ack(&self) -> Option<u32> {
        self.has(HAS_ACK).then_some(self.ack)
    }

    pub(crate) fn mss(&self) -> Option<u16> {
        self.has(HAS_MSS).then_some(self.mss)
    }

    pub(crate) fn window_scale(&self) -> Option<u8> {
        self.has(HAS_SCALE).then_some((self.flags >> SCALE_SHIFT) as u8)
    }

    pub(crate) fn permits_sack(&self) -> bool {
        self.has(PERMITS_SACK)
    }

    pub(super) fn set_next(&mut self, next: u32) {
        self.next = next;
        self.flags |= HAS_NEXT;
    }

    pub(super) fn set_ack(&mut self, ack: u32) {
        self.ack = ack;
        self.flags |= HAS_ACK;
    }

    /// Keeps the values of a SYN.
    pub(super) fn set_syn(&mut self, segment: &Segment) {
        let Segment { seq, flags, options, .. } = *segment;
        self.isn = seq;
        self.mss = options.mss.unwrap_or(0);
        let scale = options.window_scale.map_or(0, |shift| shift.min(MAX_WINDOW_SCALE));
        self.flags = self.flags & ((1 << SCALE_SHIFT) - 1) | u16::from(scale) << SCALE_SHIFT;
        self.set(HAS_ISN, true);
        self.set(HAS_MSS, options.mss.is_some());
        self.set(HAS_SCALE, options.window_scale.is_some());
        self.set(PERMITS_SACK, options.is_sack_permitted);
        self.set(SYN_ECE, flags & Tcp::ECE != 0);
        self.set(SYN_CWR, flags & Tcp::CWR != 0);
    }

    /// Whether the side has values.
    pub(crate) fn is_used(&self) -> bool {
        self.flags != 0
    }

    /// Whether the side sent and acknowledged something.
    pub(crate) fn has_exchanged(&self) -> bool {
        self.has(HAS_NEXT) && self.has(HAS_ACK)
    }

    /// Whether the side sent nothing, or only SYN and FIN. Without its SYN, that is not known.
    pub(super) fn is_without_data(&self) -> bool {
        let after = self.isn().map(|isn| isn.wrapping_add(1 + u32::from(self.has(HAS_FIN))));
        self.next() == after
    }

    /// Whether the other side acknowledged the FIN of this one.
    pub(super) fn is_fin_acked_by(&self, other: &Self) -> bool {
        self.has(HAS_FIN) && other.ack().is_some_and(|ack| 0 <= distance(self.next, ack))
    }

    /// Whether data up to `end` fills the window that this side announced last.
    /// `is_scaled` says whether the other side scales windows, too: only then both do.
    pub(super) fn is_filled_by(&self, end: u32, is_scaled: bool) -> bool {
        let (Some(ack), true) = (self.ack(), self.has(HAS_ISN)) else { return false };
        let scale = self.window_scale().filter(|_| is_scaled).unwrap_or(0);
        ack.wrapping_add(u32::from(self.win) << scale) == end
    }
}
