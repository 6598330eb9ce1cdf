//! UTC offsets of the browser's time zone over the time range of a capture.

use super::NS_PER_SECOND;

/// UTC offsets as pairs of start time in nanoseconds since the epoch and seconds ahead of UTC, sorted
/// by time. The first offset also applies to earlier times. An empty list means UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UtcOffsets(pub Vec<(i64, i64)>);

impl UtcOffsets {
    /// Finds the offsets between two times, in nanoseconds since the epoch. `seconds_at` returns the
    /// seconds ahead of UTC for a minute since the epoch.
    ///
    /// The range is sampled about 400 times, then each change is located by binary search: two
    /// changes between the same samples can be missed.
    pub fn find((first_ns, last_ns): (i64, i64), seconds_at: impl Fn(i64) -> i64) -> Self {
        const MINUTE_NS: i64 = 60 * NS_PER_SECOND;
        const SAMPLES: i64 = 400;
        let (first, last) = (first_ns.div_euclid(MINUTE_NS), last_ns.div_euclid(MINUTE_NS) + 1);
        let mut offsets = vec![(first_ns, seconds_at(first))];
        let step = (last - first) / SAMPLES + 1;
        let mut minute = first;
        while minute < last {
            let next = (minute + step).min(last);
            let (before, after) = (seconds_at(minute), seconds_at(next));
            if before != after {
                // Invariant: the offset is `before` at `low` and no longer at `high`.
                let (mut low, mut high) = (minute, next);
                while 1 < high - low {
                    let middle = i64::midpoint(low, high);
                    if seconds_at(middle) == before { low = middle } else { high = middle }
                }
                offsets.push((high.saturating_mul(MINUTE_NS), after));
            }
            minute = next;
        }
        Self(offsets)
    }

    /// Seconds ahead of UTC at a time.
    pub(super) fn seconds_at(&self, ts_ns: i64) -> i64 {
        let after = self.0.partition_point(|(from, _)| *from <= ts_ns);
        self.0.get(after.saturating_sub(1)).map_or(0, |(_, seconds)| *seconds)
    }
}
