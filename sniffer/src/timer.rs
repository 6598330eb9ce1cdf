//! A timer for something that is due at fixed intervals.

use std::time::{Duration, Instant};

/// A duration in nanoseconds, as times are in records.
pub(crate) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A periodic timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    due: Instant,
    interval: Duration,
}

impl Timer {
    /// A timer that is first due one `interval` after `start`.
    pub(crate) fn new(start: Instant, interval: Duration) -> Self {
        Self { due: start + interval, interval }
    }

    /// When it is due next.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Whether it is due. If so, moves it to its first multiple of the interval after `now`: missed
    /// ones do not pile up.
    pub(crate) fn fires(&mut self, now: Instant) -> bool {
        if now < self.due {
            return false;
        }
        let missed = (now - self.due).as_nanos() / self.interval.as_nanos().max(1);
        self.due += self.interval * u32::try_from(missed + 1).unwrap_or(u32::MAX);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_intervals_are_skipped() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timer = Timer::new(start, Duration::from_millis(10));
        assert!(!timer.fires(at(9)));
        assert!(timer.fires(at(10)));
        assert_eq!(timer.due(), at(20));
        assert!(timer.fires(at(45)) && !timer.fires(at(45)));
        assert_eq!(timer.due(), at(50));
    }
}
