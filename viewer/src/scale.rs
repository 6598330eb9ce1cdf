//! From values to pixels and back, and where the ticks of an axis stand.

use crate::density::Span;
use summary::{Timestamp, grouped};

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
        let share = (value - self.domain.0) / (self.domain.1 - self.domain.0);
        self.range_px.0 + share * (self.range_px.1 - self.range_px.0)
    }

    /// The value of a pixel.
    pub fn value_from_px(&self, px: f64) -> f64 {
        let share = (px - self.range_px.0) / (self.range_px.1 - self.range_px.0);
        self.domain.0 + share * (self.domain.1 - self.domain.0)
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

/// Round whole numbers from `min` to `max`: multiples of 1, 2 or 5 times a power of ten, about
/// `target` of them.
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

/// Counts on a logarithmic axis from 1 to `max`: powers of ten.
pub fn power_ticks(max: u64) -> Vec<Tick<u64>> {
    std::iter::successors(Some(1u64), |power| power.checked_mul(10))
        .take_while(|power| *power <= max.max(1))
        .map(|value| Tick { value, label: grouped(value) })
        .collect()
}

const NS_PER_SECOND: i64 = 1_000_000_000;
const NS_PER_DAY: i64 = 86_400 * NS_PER_SECOND;

/// Round times in UTC, about `target` of them, labelled as finely as their distance asks.
pub fn time_ticks(span: Span, target: usize) -> Vec<Tick<i64>> {
    let step = time_step(span.len(), target);
    multiples(span, step).map(|value| Tick { value, label: time_label(value, step) }).collect()
}

/// The least of the round steps that makes at most `target` ticks.
fn time_step(len_ns: i64, target: usize) -> i64 {
    const SECONDS: [i64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200];
    const HOURS: [i64; 4] = [3, 6, 12, 24];
    let least = len_ns / i64::try_from(target.max(1)).unwrap_or(1);
    if least < NS_PER_SECOND / 2 {
        return round_step(len_ns, target);
    }
    SECONDS
        .into_iter()
        .map(|seconds| seconds * NS_PER_SECOND)
        .chain(HOURS.into_iter().map(|hours| hours * 3_600 * NS_PER_SECOND))
        .find(|step| least <= *step)
        .unwrap_or_else(|| round_step(len_ns / NS_PER_DAY, target).saturating_mul(NS_PER_DAY))
}

fn time_label(ts_ns: i64, step_ns: i64) -> String {
    let text = Timestamp::from_ns(ts_ns).to_string();
    if NS_PER_DAY <= step_ns {
        return text[..10].to_owned();
    }
    let mut decimals = 0;
    let mut unit = NS_PER_SECOND;
    while step_ns % unit != 0 {
        decimals += 1;
        unit /= 10;
    }
    match decimals {
        0 => text[11..19].to_owned(),
        _ => text[11..20 + decimals].to_owned(),
    }
}

/// 1, 2 or 5 times a power of ten, so that at most about `target` steps fill `len`.
fn round_step(len: i64, target: usize) -> i64 {
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

fn multiples(span: Span, step: i64) -> impl Iterator<Item = i64> {
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
        assert_eq!(labels(power_ticks(1_500)), ["1", "10", "100", "1,000"]);
    }

    #[test]
    fn times_are_labelled_as_finely_as_needed() {
        let start = 1_795_402_418_123_456_789; // 2026-11-23T02:53:38.123456789Z
        for (len, expected) in [
            (6, "02:53:38.123456789"),
            (30_000, "02:53:38.123460"),
            (3_000_000_000, "02:53:39"),
            (600_000_000_000, "02:54:00"),
            (40 * 3_600 * NS_PER_SECOND, "12:00:00"),
            (6 * NS_PER_DAY, "2026-11-24"),
        ] {
            assert_eq!(time_ticks(Span::new(start, start + len), 6)[0].label, expected, "{len}");
        }
    }

    proptest! {
        #[test]
        fn pixels_and_values_are_inverse(a in -1e9f64..1e9, len in 1e-3f64..1e9, value in 0f64..1.0) {
            let scale = Linear::new((a, a + len), (40.0, 840.0));
            let value = a + value * len;
            prop_assert!((scale.value_from_px(scale.px_from_value(value)) - value).abs() <= len * 1e-9 + a.abs() * 1e-12);
        }

        /// Any span has few ticks, in order, inside.
        #[test]
        fn ticks_are_few_and_inside(start: i64, len in 1i64..i64::MAX, target in 1usize..20) {
            let span = Span::new(start, start.saturating_add(len));
            for ticks in [integer_ticks(span, target), time_ticks(span, target)] {
                prop_assert!(ticks.len() <= target * 2 + 2, "{} ticks", ticks.len());
                prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
                prop_assert!(ticks.iter().all(|tick| span.start <= tick.value && tick.value < span.end));
            }
        }
    }
}
