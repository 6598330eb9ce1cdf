//! Round-trip times of one side in memory.

use crate::counts::RttStats;
use crate::halves::{Low16, add, increment, join, join16};

/// Round-trip times of one side, in microseconds. Their number is stored elsewhere, to leave no gap.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rtt {
    min_us: u32,
    max_us: u32,
    /// The low half of the sum.
    sum_us: u32,
}

/// The high halves of the sum and the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HighRtt {
    sum_us: u32,
    samples: u32,
}

impl Rtt {
    /// Adds a time to `samples` others. Returns what the high halves get.
    pub(crate) fn add(&mut self, samples: &mut Low16, us: u32) -> HighRtt {
        self.min_us = if *samples == 0 { us } else { self.min_us.min(us) };
        self.max_us = self.max_us.max(us);
        HighRtt { sum_us: add(&mut self.sum_us, us).into(), samples: increment(samples).into() }
    }

    /// All times so far.
    pub(crate) fn stats(self, samples: Low16, high: HighRtt) -> RttStats {
        let samples = join16(high.samples, samples);
        RttStats {
            samples: u32::try_from(samples).unwrap_or(u32::MAX),
            min_us: self.min_us,
            max_us: self.max_us,
            sum_us: join(high.sum_us, self.sum_us),
        }
    }
}

impl HighRtt {
    pub(crate) fn add(&mut self, carry: Self) {
        self.sum_us = self.sum_us.saturating_add(carry.sum_us);
        self.samples = self.samples.saturating_add(carry.samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_exceed_their_low_halves() {
        let (mut rtt, mut samples, mut high) = (Rtt::default(), 0, HighRtt::default());
        let mut expected = RttStats::default();
        for us in (0..140_000).map(|number: u32| number.wrapping_mul(0x9e37_79b9) | 1) {
            high.add(rtt.add(&mut samples, us));
            expected.add(us);
        }
        assert_eq!(rtt.stats(samples, high), expected);
    }
}
