//! Tick positions and labels of numeric axes.

use crate::axis::Span;
use summary::grouped;

/// A labelled position on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick<V> {
    /// Value at the tick.
    pub value: V,
    /// Text of the label.
    pub label: String,
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten, about `target` of them.
pub fn integer_ticks(span: Span, target: usize) -> Vec<Tick<i64>> {
    let step = round_step(span.len(), target);
    multiples(span, step)
        .map(|value| {
            let sign = if value < 0 { "−" } else { "" };
            Tick { value, label: format!("{sign}{}", grouped(value.unsigned_abs())) }
        })
        .collect()
}

/// Ticks for counts on a linear axis from 0 to `max`.
pub fn count_ticks(max: u64, target: usize) -> Vec<Tick<u64>> {
    let end = i64::try_from(max).unwrap_or(i64::MAX - 1) + 1;
    integer_ticks(Span::new(0, end), target)
        .into_iter()
        .map(|Tick { value, label }| Tick { value: value.unsigned_abs(), label })
        .collect()
}

/// The smallest of 1, 2 or 5 times a power of ten that divides `len` into at most about `target`
/// steps.
pub fn round_step(len: i64, target: usize) -> i64 {
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

/// The multiples of `step` in the span.
pub fn multiples(span: Span, step: i64) -> impl Iterator<Item = i64> {
    // The next multiple after the start can exceed 64 bits.
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
        #[test]
        fn ticks_are_few_sorted_and_inside_the_span(start: i64, len in 1i64..i64::MAX, target in 1usize..20) {
            let span = Span::new(start, start.saturating_add(len));
            let ticks = integer_ticks(span, target);
            prop_assert!(ticks.len() <= target * 2 + 2, "{} ticks", ticks.len());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
            prop_assert!(ticks.iter().all(|tick| span.start <= tick.value && tick.value < span.end));
        }
    }
}
