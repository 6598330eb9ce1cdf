//! From values to pixels, and where the ticks of an axis stand.

use crate::axis::Span;
use summary::grouped;

/// A linear map between values and pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    domain: (f64, f64),
    range_px: (f64, f64),
}

impl Linear {
    /// Maps `domain` to `range_px`; an empty domain becomes one unit wide.
    pub fn new(domain: (f64, f64), range_px: (f64, f64)) -> Self {
        let domain = if domain.0 == domain.1 { (domain.0, domain.0 + 1.0) } else { domain };
        Self { domain, range_px }
    }

    /// The pixel of a value.
    pub fn px_from_value(&self, value: f64) -> f64 {
        self.range_px.0 + self.share(value) * (self.range_px.1 - self.range_px.0)
    }

    /// Where a value stands in the domain: 0 is its beginning, 1 its end.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.domain.0) / (self.domain.1 - self.domain.0)
    }
}

/// A place on an axis, and what is written there.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick<V> {
    /// The value that it stands for.
    pub value: V,
    /// Its label.
    pub label: String,
}

/// Round whole numbers of a span: multiples of 1, 2 or 5 times a power of ten, about `target` of
/// them.
pub fn integer_ticks(span: Span, target: usize) -> Vec<Tick<i64>> {
    let step = round_step(span.len(), target);
    multiples(span, step)
        .map(|value| {
            let sign = if value < 0 { "−" } else { "" };
            Tick { value, label: format!("{sign}{}", grouped(value.unsigned_abs())) }
        })
        .collect()
}

/// Counts on a linear axis from 0 to `max`.
pub fn count_ticks(max: u64, target: usize) -> Vec<Tick<u64>> {
    let end = i64::try_from(max).unwrap_or(i64::MAX - 1) + 1;
    integer_ticks(Span::new(0, end), target)
        .into_iter()
        .map(|Tick { value, label }| Tick { value: value.unsigned_abs(), label })
        .collect()
}

/// 1, 2 or 5 times a power of ten, so that at most about `target` steps fill `len`.
pub(crate) fn round_step(len: i64, target: usize) -> i64 {
    let least = len / i64::try_from(target.max(1)).unwrap_or(1);
    let mut power = 1i64;
    loop {
        for step in [1, 2, 5].map(|factor| power.saturating_mul(factor)) {
            if least <= step {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

pub(crate) fn multiples(span: Span, step: i64) -> impl Iterator<Item = i64> {
    // The multiple before the start may lie below all that 64 bits hold.
    let start = i128::from(span.start);
    let first = start + (-start).rem_euclid(i128::from(step));
    std::iter::successors(i64::try_from(first).ok(), move |value| value.checked_add(step))
        .take_while(move |value| *value < span.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels<V>(ticks: Vec<Tick<V>>) -> Vec<String> {
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(integer_ticks(Span::new(60, 1515), 6)), ["500", "1,000", "1,500"]);
        assert_eq!(labels(integer_ticks(Span::new(-3, 3), 6)), ["−3", "−2", "−1", "0", "1", "2"]);
        assert_eq!(labels(count_ticks(9, 5)), ["0", "2", "4", "6", "8"]);
    }

    proptest! {
        /// Any span has few ticks, in order, inside.
        #[test]
        fn ticks_are_few_and_inside(start: i64, len in 1i64..i64::MAX, target in 1usize..20) {
            let span = Span::new(start, start.saturating_add(len));
            let ticks = integer_ticks(span, target);
            prop_assert!(ticks.len() <= target * 2 + 2, "{} ticks", ticks.len());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
            prop_assert!(ticks.iter().all(|tick| span.start <= tick.value && tick.value < span.end));
        }
    }
}
