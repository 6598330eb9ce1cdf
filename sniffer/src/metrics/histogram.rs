//! Times in buckets.

/// Upper bounds of the buckets in microseconds, and as text in seconds.
pub(super) const BOUNDS: [(u64, &str); 14] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (5_000_000, "5"),
];

/// How often times of a range occurred.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    /// Times up to each bound and above the one before.
    counts: [u64; BOUNDS.len()],
    /// All times, also those above the last bound.
    total: u64,
    sum_us: u64,
}

impl Histogram {
    /// Adds a time in microseconds.
    pub(super) fn add(&mut self, us: u64) {
        if let Some(bucket) = BOUNDS.iter().position(|(bound, _)| us <= *bound) {
            self.counts[bucket] += 1;
        }
        self.total += 1;
        self.sum_us = self.sum_us.saturating_add(us);
    }

    /// The bounds as text, and the number of times up to each.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let sums = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        BOUNDS.iter().map(|(_, text)| *text).zip(sums)
    }

    /// Number of all times.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The sum of all times in seconds.
    pub(super) fn sum_text(&self) -> String {
        format!("{}.{:06}", self.sum_us / 1_000_000, self.sum_us % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_contain_their_bounds() {
        let mut histogram = Histogram::default();
        for us in [0, 100, 101, 5_000_000, 5_000_001] {
            histogram.add(us);
        }
        let counts: Vec<_> = histogram.cumulative().map(|(_, count)| count).collect();
        assert_eq!((counts[0], counts[1], counts[12], counts[13]), (2, 3, 3, 4));
        assert_eq!((histogram.total(), histogram.sum_text()), (5, "10.000202".to_owned()));
    }

    #[test]
    fn texts_of_bounds_are_their_values() {
        for (us, text) in BOUNDS {
            assert_eq!(text.parse::<f64>().unwrap() * 1e6, us as f64);
        }
    }
}
