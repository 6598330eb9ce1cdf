//! How much of a followed source is kept: a number of packets, a time, or everything that fits.

use super::memory_plan::{MAX_FLOWS, Memory};
use crate::columns::Totals;
use crate::load::Report;
use crate::settings::Window;

/// The packets are kept in at most about this number of parts. The oldest part is dropped as a whole; each
/// part costs memory, and time when the charts are refreshed.
const PART_COUNT: u64 = 16;
/// Memory of a packet with what the charts need, but without its line, in bytes.
const PACKET_BYTES: u64 = 64;
/// The largest number of bytes of lines: more would not leave enough memory on many devices.
const MAX_LEN: u64 = 2 << 30;

/// The limits of what is kept. Each of them may be missing, as the largest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeptLimits {
    packets: u64,
    time_ns: u64,
    /// The largest number of bytes that packets and their lines may take.
    memory_bytes: u64,
}

/// The size of some packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) packets: u64,
    /// The number of bytes of their lines.
    pub(super) bytes: u64,
    /// The time from the first to the last one.
    pub(super) time_ns: u64,
    /// The number of flows.
    pub(super) flows: u64,
}

impl Amount {
    /// The packets of some parts.
    pub(super) fn of<'a>(parts: impl Iterator<Item = &'a Report>) -> Self {
        let (mut totals, mut amount) = (Totals::default(), Self::default());
        for part in parts {
            totals = totals.merge(part.totals);
            amount.bytes += part.read_bytes;
            amount.flows += part.distinct_flows;
        }
        let time_ns = totals.extent.map_or(0, |extent| extent.ts_ns.1.abs_diff(extent.ts_ns.0));
        Self { packets: totals.packets, time_ns, ..amount }
    }

    /// The memory that the packets and their lines take, in bytes.
    fn memory_bytes(self) -> u64 {
        self.packets.saturating_mul(PACKET_BYTES).saturating_add(self.bytes)
    }
}

impl KeptLimits {
    pub(super) fn new(window: Window, memory: Memory) -> Self {
        let (packets, time_ns) = match window {
            Window::All => (u64::MAX, u64::MAX),
            Window::Packets(packets) => (packets, u64::MAX),
            Window::Time(time_ns) => (u64::MAX, time_ns.unsigned_abs()),
        };
        Self { packets, time_ns, memory_bytes: memory.bytes }
    }

    /// Returns true if a part is complete.
    pub(super) fn is_part_full(&self, part: Amount) -> bool {
        self.packets <= part.packets.saturating_mul(PART_COUNT)
            || self.memory_bytes <= part.memory_bytes().saturating_mul(PART_COUNT)
            || MAX_LEN <= part.bytes.saturating_mul(PART_COUNT)
            || MAX_FLOWS <= part.flows.saturating_mul(PART_COUNT)
            || self.time_ns <= part.time_ns.saturating_mul(PART_COUNT)
    }

    /// Returns true if the oldest part can be dropped, because the others are enough, or must be dropped,
    /// because the packets do not fit.
    pub(super) fn allow_dropping(&self, all: Amount, without_oldest: Amount) -> bool {
        self.packets <= without_oldest.packets
            || self.time_ns <= without_oldest.time_ns
            || self.memory_bytes < all.memory_bytes()
            || MAX_LEN < all.bytes
            || MAX_FLOWS < all.flows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Memory = Memory { bytes: 64_000_000, worker_bytes: 64_000_000 };

    fn amount(packets: u64, bytes: u64, time_ns: u64) -> Amount {
        Amount { packets, bytes, time_ns, flows: 0 }
    }

    #[test]
    fn window_of_packets_or_time_is_kept() {
        for (window, enough, less) in [
            (Window::Packets(1_000), amount(1_000, 0, 0), amount(999, 0, 1 << 60)),
            (Window::Time(5_000), amount(0, 0, 5_000), amount(1_000_000, 0, 4_999)),
        ] {
            let limits = KeptLimits::new(window, MEMORY);
            assert!(limits.allow_dropping(Amount::default(), enough), "{window:?}");
            assert!(!limits.allow_dropping(Amount::default(), less), "{window:?}");
        }
        let limits = KeptLimits::new(Window::Packets(1_600), MEMORY);
        assert!(limits.is_part_full(amount(100, 0, 0)) && !limits.is_part_full(amount(99, 1, 1)));
        let limits = KeptLimits::new(Window::Time(1_600), MEMORY);
        assert!(limits.is_part_full(amount(1, 0, 100)) && !limits.is_part_full(amount(1, 1, 99)));
    }

    #[test]
    fn what_does_not_fit_is_dropped() {
        for window in [Window::All, Window::Packets(10_000_000), Window::Time(1 << 60)] {
            let limits = KeptLimits::new(window, MEMORY);
            let allows = |all| limits.allow_dropping(all, Amount::default());
            assert!(!allows(amount(500_000, 32_000_000, 9)));
            assert!(allows(amount(500_000, 32_000_001, 9)) && allows(amount(1_000_001, 0, 9)));
            assert!(allows(Amount { flows: MAX_FLOWS + 1, ..Amount::default() }));
            assert!(limits.is_part_full(amount(62_500, 0, 0)));
            assert!(limits.is_part_full(amount(31_250, 2_000_000, 0)));
            assert!(!limits.is_part_full(amount(31_250, 1_999_999, 9)));
            let limits = KeptLimits::new(window, Memory { bytes: 1 << 40, ..MEMORY });
            let allows = |all| limits.allow_dropping(all, Amount::default());
            assert!(!allows(amount(9, MAX_LEN, 9)) && allows(amount(9, MAX_LEN + 1, 9)));
            assert!(limits.is_part_full(amount(0, MAX_LEN / 16, 0)));
            assert!(!limits.is_part_full(amount(9, MAX_LEN / 16 - 1, 9)));
        }
    }
}
