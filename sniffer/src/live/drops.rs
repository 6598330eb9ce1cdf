//! Detects when packet loss starts and ends, from readings of counters.

use std::time::{Duration, Instant};

/// A burst of drops has ended after this long without a drop.
const BURST_PAUSE: Duration = Duration::from_secs(1);

/// Bursts of packets that the kernel dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct DropTracker {
    last_reading: Instant,
    burst: Option<Burst>,
}

#[derive(Clone, Copy, Debug)]
struct Burst {
    /// The last reading before the first drop.
    start: Instant,
    /// The last reading with new drops.
    end: Instant,
}

/// What a reading of the counters showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DropTransition {
    /// No change.
    None,
    /// The kernel has started to drop packets.
    Started,
    /// The kernel has stopped dropping packets; contains the length of the burst.
    ///
    /// Counters do not say when a drop happened. The length therefore spans from the last reading
    /// before the first drop to the last reading with new drops, and is an upper bound.
    Ended(Duration),
}

impl DropTracker {
    /// A tracker for counters that are zero at `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self { last_reading: now, burst: None }
    }

    /// Evaluates a reading of the counters.
    pub(super) fn on_reading(&mut self, has_new_drops: bool, now: Instant) -> DropTransition {
        let start = std::mem::replace(&mut self.last_reading, now);
        match (&mut self.burst, has_new_drops) {
            (Some(burst), true) => {
                burst.end = now;
                DropTransition::None
            }
            (None, true) => {
                self.burst = Some(Burst { start, end: now });
                DropTransition::Started
            }
            (Some(burst), false) if BURST_PAUSE <= now - burst.end => {
                let length = burst.end - burst.start;
                self.burst = None;
                DropTransition::Ended(length)
            }
            (_, false) => DropTransition::None,
        }
    }
}

/// Packets that network hardware lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct HardwareLosses {
    /// Packets lost when last reported, since the interface exists.
    baseline: u64,
}

impl HardwareLosses {
    pub(super) fn new(baseline: u64) -> Self {
        Self { baseline }
    }

    /// Packets lost since the last call that knew the `total`, which counts from the creation of
    /// the interface. If the total is unknown, reports none and keeps the baseline.
    pub(super) fn take(&mut self, total: Option<u64>) -> u64 {
        let total = total.unwrap_or(self.baseline);
        let lost = total.saturating_sub(self.baseline);
        self.baseline = total;
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_lasts_from_the_previous_reading_to_its_last_drop() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut tracker = DropTracker::new(start);
        assert_eq!(tracker.on_reading(false, at(1_000)), DropTransition::None);
        assert_eq!(tracker.on_reading(true, at(1_500)), DropTransition::Started);
        assert_eq!(tracker.on_reading(true, at(1_600)), DropTransition::None);
        assert_eq!(tracker.on_reading(false, at(2_500)), DropTransition::None);
        let length = Duration::from_millis(600);
        assert_eq!(tracker.on_reading(false, at(2_600)), DropTransition::Ended(length));
        assert_eq!(tracker.on_reading(false, at(9_000)), DropTransition::None);
    }

    #[test]
    fn burst_within_one_reading_has_a_duration() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut tracker = DropTracker::new(start);
        assert_eq!(tracker.on_reading(true, at(300)), DropTransition::Started);
        let length = Duration::from_millis(300);
        assert_eq!(tracker.on_reading(false, at(1_300)), DropTransition::Ended(length));
    }

    #[test]
    fn unknown_total_keeps_the_baseline() {
        let mut losses = HardwareLosses::new(1_000);
        assert_eq!(losses.take(Some(1_003)), 3);
        assert_eq!(losses.take(None), 0);
        assert_eq!(losses.take(Some(1_004)), 1);
        assert_eq!(losses.take(Some(7)), 0, "reset by the driver");
        assert_eq!(losses.take(Some(9)), 2);
    }
}
