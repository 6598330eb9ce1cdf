//! One side of a connection in memory.

use summary::Tcp;

use crate::counts::RttStats;
use crate::halves::Low16;
use crate::observation::Segment;
use crate::rtt::{HighRtt, Rtt};
use crate::slab::{Entry, NONE};
use crate::times::PackedTime;

use super::{FAST_DUP_ACKS, MAX_WINDOW_SCALE, distance};

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
    /// From the highest bit: segments with RST, duplicates of `ack`, index of the sample.
    packed: u32,
    /// The low half of the number of round-trip times.
    rtt_samples: Low16,
}

/// A side with its round-trip times, which few segments change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SideEntry {
    pub(crate) side: Side,
    rtt: Rtt,
}

/// Bits of the index of a sample. A flow has at most two, and its own index has 24 bits.
const SAMPLE_BITS: u32 = 25;
const SAMPLE_MASK: u32 = (1 << SAMPLE_BITS) - 1;
/// Bits of the number of duplicate acknowledgments: [`FAST_DUP_ACKS`] is the last number that matters.
const DUP_ACK_BITS: u32 = 2;
const MAX_DUP_ACKS: u8 = (1 << DUP_ACK_BITS) - 1;
const RESET_SHIFT: u32 = SAMPLE_BITS + DUP_ACK_BITS;
/// So many resets are not counted in a [`Side`], but in the findings.
pub(super) const RESETS: u32 = 1 << (u32::BITS - RESET_SHIFT);

/// A segment whose acknowledgment is expected.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// The sequence number after the segment.
    pub(super) end: u32,
    pub(super) time: PackedTime,
    pub(super) ts_val: u32,
}

impl Entry for SideEntry {
    fn link(&mut self) -> &mut u32 {
        &mut self.side.next
    }
}

impl SideEntry {
    /// A side without round-trip times.
    pub(crate) fn new(side: Side) -> Self {
        Self { side, rtt: Rtt::default() }
    }

    /// Adds a round-trip time in microseconds. Returns what the high halves get.
    pub(crate) fn add_rtt(&mut self, us: u32) -> HighRtt {
        self.rtt.add(&mut self.side.rtt_samples, us)
    }

    pub(crate) fn rtt_stats(&self, high: HighRtt) -> RttStats {
        self.rtt.stats(self.side.rtt_samples, high)
    }

    /// Starts the next report.
    pub(crate) fn reset_counts(&mut self) {
        (self.rtt, self.side.rtt_samples) = (Rtt::default(), 0);
        self.side.clear_resets();
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
            packed: SAMPLE_MASK,
            rtt_samples: 0,
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

    /// Index of the segment whose acknowledgment is expected, or [`NONE`].
    pub(crate) fn sample(&self) -> u32 {
        match self.packed & SAMPLE_MASK {
            SAMPLE_MASK => NONE,
            index => index,
        }
    }

    pub(super) fn set_sample(&mut self, index: u32) {
        self.packed = self.packed & !SAMPLE_MASK | index & SAMPLE_MASK;
    }

    /// Whether enough duplicates of the last acknowledgment ask for data.
    pub(super) fn asks_for_data(&self) -> bool {
        FAST_DUP_ACKS <= self.dup_acks()
    }

    fn dup_acks(&self) -> u8 {
        (self.packed >> SAMPLE_BITS) as u8 & MAX_DUP_ACKS
    }

    fn set_dup_acks(&mut self, number: u8) {
        let mask = u32::from(MAX_DUP_ACKS) << SAMPLE_BITS;
        self.packed = self.packed & !mask | u32::from(number.min(MAX_DUP_ACKS)) << SAMPLE_BITS;
    }

    /// Counts a duplicate of the last acknowledgment.
    pub(super) fn add_dup_ack(&mut self) {
        self.set_dup_acks(self.dup_acks() + 1);
    }

    pub(super) fn clear_dup_acks(&mut self) {
        self.set_dup_acks(0);
    }

    /// Segments with RST. Most connections with one have no other finding.
    pub(crate) fn resets(&self) -> u32 {
        self.packed >> RESET_SHIFT
    }

    /// Counts a segment with RST. Whether [`RESETS`] of them have to be counted elsewhere.
    pub(super) fn add_reset(&mut self) -> bool {
        let (packed, has_carry) = self.packed.overflowing_add(1 << RESET_SHIFT);
        self.packed = packed;
        has_carry
    }

    fn clear_resets(&mut self) {
        self.packed &= (1 << RESET_SHIFT) - 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_values_are_independent() {
        const { assert!(FAST_DUP_ACKS <= MAX_DUP_ACKS) };
        let mut side = Side::default();
        let values = |side: &Side| (side.sample(), side.dup_acks(), side.resets());
        assert_eq!(values(&side), (NONE, 0, 0));
        for number in 1..=5 {
            side.add_dup_ack();
            assert_eq!(values(&side), (NONE, number.min(MAX_DUP_ACKS), 0));
        }
        side.set_sample(SAMPLE_MASK - 1);
        for number in 1..RESETS {
            assert!(!side.add_reset());
            assert_eq!(values(&side), (SAMPLE_MASK - 1, MAX_DUP_ACKS, number));
        }
        assert!(side.add_reset());
        assert_eq!(values(&side), (SAMPLE_MASK - 1, MAX_DUP_ACKS, 0));
        side.add_reset();
        side.set_sample(NONE);
        side.clear_dup_acks();
        assert_eq!(values(&side), (NONE, 0, 1));
        side.clear_resets();
        assert_eq!(values(&side), (NONE, 0, 0));
    }
}
