//! Detects when packet loss starts and ends, from readings of counters.

use std::time::{Duration, Instant};
use summary::Timestamp;

/// A burst of drops has ended after this long without a drop.
const BURST_PAUSE: Duration = Duration::from_secs(1);

/// Bursts of packets that the kernel dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct DropTracker {
    last_reading: Instant,
    /// Packets dropped in this run as of the last reading.
    dropped: u64,
    /// Capture time of the last packet that was read.
    last_packet: Option<Timestamp>,
    burst: Option<Burst>,
}

#[derive(Clone, Copy, Debug)]
struct Burst {
    /// The last reading before the first drop.
    start: Instant,
    /// The last reading with new drops, by both clocks.
    end: Reading,
    /// Packets dropped before the burst.
    dropped_before: u64,
    /// The last packet that was read before the first reading with new drops. The kernel marks the
    /// first block after a drop, and the counters are read before its packets.
    before: Option<Timestamp>,
    /// The first packet that was captured after `end`.
    after: Option<Timestamp>,
}

/// When the counters were read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) at: Instant,
    /// The same by the clock that stamps packets.
    pub(super) time: Timestamp,
}

/// What a reading of the counters showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DropTransition {
    /// No change.
    None,
    /// The kernel has started to drop packets.
    Started,
    /// The kernel has stopped dropping packets.
    Ended(EndedBurst),
}

/// A burst of drops. Counters do not say when a drop happened, so that times are bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndedBurst {
    /// From the last reading before the first drop to the last reading with new drops, or from `before` to
    /// `after` if that is shorter.
    pub(super) length: Duration,
    /// Number of packets dropped.
    pub(super) dropped: u64,
    /// No packet captured up to this time was dropped; `None` if none was read before the burst.
    pub(super) before: Option<Timestamp>,
    /// No packet captured from this time on was dropped; `None` if none was read since.
    pub(super) after: Option<Timestamp>,
}

impl DropTracker {
    /// A tracker for counters that are zero at `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self { last_reading: now, dropped: 0, last_packet: None, burst: None }
    }

    /// Notes a packet that was read.
    pub(super) fn on_packet(&mut self, ts: Timestamp) {
        self.last_packet = Some(ts);
        if let Some(burst) = &mut self.burst
            && burst.after.is_none()
            && burst.end.time < ts
        {
            burst.after = Some(ts);
        }
    }

    /// Evaluates a reading of the counters: `dropped` packets in this run.
    pub(super) fn on_reading(&mut self, dropped: u64, now: Reading) -> DropTransition {
        let start = std::mem::replace(&mut self.last_reading, now.at);
        let dropped_before = std::mem::replace(&mut self.dropped, dropped);
        let has_new_drops = dropped_before < dropped;
        match (&mut self.burst, has_new_drops) {
            (Some(burst), true) => {
                (burst.end, burst.after) = (now, None);
                DropTransition::None
            }
            (None, true) => {
                let before = self.last_packet;
                self.burst = Some(Burst { start, end: now, dropped_before, before, after: None });
                DropTransition::Started
            }
            (Some(burst), false) if BURST_PAUSE <= now.at - burst.end.at => self.end_burst(),
            (_, false) => DropTransition::None,
        }
    }

    /// Ends a burst, if there is one, because no more readings follow.
    pub(super) fn end_burst(&mut self) -> DropTransition {
        let Some(burst) = self.burst.take() else { return DropTransition::None };
        let Burst { start, end, dropped_before, before, after } = burst;
        let dropped = self.dropped - dropped_before;
        // The packets around the burst can be closer than the readings.
        let between =
            before.zip(after).and_then(|(before, after)| after.ns().checked_sub(before.ns()));
        let between = between.and_then(|ns| u64::try_from(ns).ok()).map(Duration::from_nanos);
        let length = (end.at - start).min(between.unwrap_or(Duration::MAX));
        DropTransition::Ended(EndedBurst { length, dropped, before, after })
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

    /// A tracker and its readings after some milliseconds.
    fn tracker() -> (DropTracker, impl Fn(u64) -> Reading) {
        let start = Instant::now();
        let at = move |ms| Reading { at: start + Duration::from_millis(ms), time: time(ms) };
        (DropTracker::new(start), at)
    }

    fn time(ms: u64) -> Timestamp {
        Timestamp::from_ns(i64::try_from(ms).unwrap() * 1_000_000)
    }

    #[test]
    fn burst_lasts_from_the_previous_reading_to_its_last_drop() {
        let (mut tracker, at) = tracker();
        assert_eq!(tracker.on_reading(0, at(1_000)), DropTransition::None);
        assert_eq!(tracker.on_reading(2, at(1_500)), DropTransition::Started);
        assert_eq!(tracker.on_reading(7, at(1_600)), DropTransition::None);
        assert_eq!(tracker.on_reading(7, at(2_500)), DropTransition::None);
        let DropTransition::Ended(burst) = tracker.on_reading(7, at(2_600)) else { panic!() };
        assert_eq!((burst.length, burst.dropped), (Duration::from_millis(600), 7));
        assert_eq!(tracker.on_reading(7, at(9_000)), DropTransition::None);
    }

    #[test]
    fn burst_within_one_reading_has_a_duration() {
        let (mut tracker, at) = tracker();
        assert_eq!(tracker.on_reading(1, at(300)), DropTransition::Started);
        let DropTransition::Ended(burst) = tracker.on_reading(1, at(1_300)) else { panic!() };
        let expected = (Duration::from_millis(300), 1, None, None);
        assert_eq!((burst.length, burst.dropped, burst.before, burst.after), expected);
    }

    #[test]
    fn burst_lies_between_two_packets() {
        let (mut tracker, at) = tracker();
        for burst in [0, 5_000] {
            let ms = |ms: u64| burst + ms;
            let packets = |tracker: &mut DropTracker, times: &[u64]| {
                times.iter().for_each(|ms| tracker.on_packet(time(burst + ms)));
            };
            packets(&mut tracker, &[10, 20]);
            let dropped = tracker.dropped;
            assert_eq!(tracker.on_reading(dropped + 3, at(ms(300))), DropTransition::Started);
            // From before the reading: later drops may have preceded them.
            packets(&mut tracker, &[250, 300, 350]);
            assert_eq!(tracker.on_reading(dropped + 4, at(ms(400))), DropTransition::None);
            packets(&mut tracker, &[360, 400, 410, 420]);
            let ended = tracker.on_reading(dropped + 4, at(ms(1_500)));
            assert_eq!(
                ended,
                DropTransition::Ended(EndedBurst {
                    length: Duration::from_millis(390),
                    dropped: 4,
                    before: Some(time(ms(20))),
                    after: Some(time(ms(410))),
                })
            );
        }
    }

    #[test]
    fn last_burst_ends_with_the_run() {
        let (mut tracker, at) = tracker();
        assert_eq!(tracker.end_burst(), DropTransition::None);
        tracker.on_packet(time(5));
        assert_eq!(tracker.on_reading(3, at(100)), DropTransition::Started);
        assert_eq!(tracker.on_reading(4, at(150)), DropTransition::None);
        let expected = EndedBurst {
            length: Duration::from_millis(150),
            dropped: 4,
            before: Some(time(5)),
            after: None,
        };
        assert_eq!(tracker.end_burst(), DropTransition::Ended(expected));
        assert_eq!(tracker.end_burst(), DropTransition::None);
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
