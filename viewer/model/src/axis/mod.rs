//! Axes: which quantity they show, over which range of values, and how values map to positions.
//!
//! Counting, drawing, hit testing and text all use these definitions. Values are whole numbers;
//! positions are fractions of an axis, 0 at its start and 1 at its end. Pixels are unknown here.

mod bins;
mod quantity;

pub use bins::Bins;
pub use quantity::{MIN_VALUE, MISSING, QUANTITY_COUNT, Quantity};

use crate::wire::wire;

/// The whole numbers in `start..end`. Invariant: `start < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First value.
    pub start: i64,
    /// One past the last value.
    pub end: i64,
}

impl Span {
    /// The values in `start..end`, extended to at least one value.
    pub fn new(start: i64, end: i64) -> Self {
        let start = start.min(i64::MAX - 1);
        Self { start, end: end.max(start + 1) }
    }

    /// The values from `first` to `last`, both inclusive.
    pub fn closed((first, last): (i64, i64)) -> Self {
        Self::new(first, last.saturating_add(1))
    }

    /// Number of values, saturating at `i64::MAX`.
    pub fn len(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// Number of values, which may exceed `i64::MAX`.
    pub fn width(&self) -> f64 {
        self.end.abs_diff(self.start) as f64
    }

    /// The values in both spans; `None` if there are none.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Self { start, end })
    }

    /// Always false: a span holds at least one value.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether the span includes `value`.
    pub fn contains(&self, value: i64) -> bool {
        self.start <= value && value < self.end
    }
}

/// How an axis maps values to positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal distances for equal differences.
    #[default]
    Linear,
    /// `sign(x) * ln(1 + |x|)`, which unlike a plain logarithm includes 0 and negative values.
    Log,
}

/// One axis of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The quantity along the axis.
    pub quantity: Quantity,
    /// Mapping from values to positions.
    pub scale: Scale,
    /// Values that the axis covers.
    pub span: Span,
}

impl Axis {
    /// Position of a value: 0 at the start of the axis, 1 at its end.
    pub fn fraction(&self, value: i64) -> f64 {
        let Span { start, end } = self.span;
        match self.scale {
            // Subtracting before the conversion to f64 keeps nanosecond precision.
            Scale::Linear => {
                let distance = i128::from(value) - i128::from(start);
                distance as f64 / (i128::from(end) - i128::from(start)) as f64
            }
            Scale::Log => {
                let (from, to) = (symlog(start as f64), symlog(end as f64));
                (symlog(value as f64) - from) / (to - from)
            }
        }
    }

    /// Value at a position, which may lie outside 0 to 1.
    pub fn value_at(&self, fraction: f64) -> i64 {
        let Span { start, end } = self.span;
        match self.scale {
            Scale::Linear => offset(start, (fraction * self.span.width()).floor()),
            Scale::Log => {
                let (from, to) = (symlog(start as f64), symlog(end as f64));
                saturating_i64(symexp(from + fraction * (to - from)).round())
            }
        }
    }

    /// Values between two positions, which may lie outside 0 to 1.
    pub fn sub_span(&self, from: f64, to: f64) -> Span {
        match self.scale {
            Scale::Linear => {
                let len = self.span.width();
                let at = |fraction: f64| offset(self.span.start, fraction * len);
                let start = at((from * len).floor() / len);
                Span::new(start, at((to * len).ceil() / len))
            }
            Scale::Log => Span::new(self.value_at(from), self.value_at(to)),
        }
    }

    /// The span after zooming around a position; a `factor` below 1 zooms in.
    pub fn zoomed(&self, fraction: f64, factor: f64) -> Span {
        let fraction = fraction.clamp(0.0, 1.0);
        let span = self.span;
        let zoomed =
            self.sub_span(fraction - fraction * factor, fraction + (1.0 - fraction) * factor);
        // Rounding to whole units could otherwise stop a short span from shrinking.
        if factor < 1.0 && zoomed == span && 1 < span.len() {
            let is_right = 0.5 < fraction;
            return Span::new(span.start + i64::from(is_right), span.end - i64::from(!is_right));
        }
        zoomed
    }

    /// The span after panning by a fraction of its length, at most to the ends of `limits`, which include
    /// the span.
    pub fn panned(&self, by: f64, limits: Span) -> Span {
        // Not `clamp`, whose panic message would add the formatting of floats, 10 kB, to the page.
        let by = by
            .max(self.fraction(limits.start).min(0.0))
            .min((self.fraction(limits.end) - 1.0).max(0.0));
        match self.scale {
            Scale::Linear => {
                let distance = by * self.span.width();
                Span::new(offset(self.span.start, distance), offset(self.span.end, distance))
            }
            Scale::Log => self.sub_span(by, 1.0 + by),
        }
    }
}

/// Adds a distance, which may exceed the range of `i64`. The sum saturates.
#[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
fn offset(start: i64, distance: f64) -> i64 {
    let sum = i128::from(start).saturating_add(distance as i128);
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// Truncates towards zero; values out of range saturate, NaN becomes 0.
#[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
pub fn saturating_i64(value: f64) -> i64 {
    value as i64
}

fn symlog(value: f64) -> f64 {
    value.abs().ln_1p().copysign(value)
}

fn symexp(log: f64) -> f64 {
    log.abs().exp_m1().copysign(log)
}

wire!(struct Span { start, end });
wire!(enum Scale { 0 Linear, 1 Log });
wire!(struct Axis { quantity, scale, span });

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis(scale: Scale, span: Span) -> Axis {
        Axis { quantity: Quantity::Size, scale, span }
    }

    fn scales() -> impl Strategy<Value = Scale> {
        prop_oneof![Just(Scale::Linear), Just(Scale::Log)]
    }

    /// Timestamps span up to 584 years, twice what fits in `i64`.
    #[test]
    fn spans_may_be_longer_than_the_largest_integer() {
        let axis = axis(Scale::Linear, Span::new(i64::MIN, i64::MAX));
        assert_eq!((axis.value_at(0.0), axis.value_at(1.0)), (i64::MIN, i64::MAX));
        assert_eq!(axis.value_at(0.75), 1 << 62);
        assert_eq!(axis.sub_span(0.25, 1.0), Span::new(-(1 << 62), i64::MAX));
        assert_eq!(axis.zoomed(1.0, 0.5), Span::new(0, i64::MAX));
        let limits = axis.span;
        assert_eq!(axis.panned(0.5, limits), limits);
        let half = Axis { span: Span::new(i64::MIN, 0), ..axis };
        assert_eq!(half.panned(0.5, limits), Span::new(-(1 << 62), 1 << 62));
        assert_eq!(half.panned(7.0, limits), Span::new(0, i64::MAX));
    }

    proptest! {
        /// Positions and values are inverse up to rounding to whole numbers.
        #[test]
        fn fractions_and_values_are_inverse(scale in scales(), start in -1000i64..1000, len in 1i64..1_000_000, fraction in 0.0f64..1.0) {
            let axis = axis(scale, Span::new(start, start + len));
            let value = axis.value_at(fraction);
            let unit = axis.fraction(value + 1) - axis.fraction(value);
            prop_assert!(axis.fraction(value) <= fraction + unit + 1e-9);
            prop_assert!(fraction <= axis.fraction(value + 1) + unit + 1e-9);
        }

        /// Panning stays inside the limits and keeps the length, up to rounding.
        #[test]
        fn panning_stays_inside_the_limits(scale in scales(), start in 0i64..1000, len in 1i64..1_000_000, rest in 0i64..1_000_000, by in -3.0f64..3.0) {
            let axis = axis(scale, Span::new(start, start + len));
            let limits = Span::new(0, start + len + rest);
            let panned = axis.panned(by, limits);
            prop_assert!(limits.start - 1 <= panned.start && panned.end <= limits.end + 1, "{:?}", panned);
            prop_assert!(scale == Scale::Log || panned.len().abs_diff(len) <= 1);
        }

        /// Zooming in always shrinks a linear span and never leaves it.
        #[test]
        fn zooming_in_shrinks_the_span(scale in scales(), start in 0i64..1000, len in 2i64..1_000_000, fraction in 0.0f64..1.0) {
            let axis = axis(scale, Span::new(start, start + len));
            let zoomed = axis.zoomed(fraction, 0.5);
            prop_assert!(zoomed.len() < axis.span.len() || scale == Scale::Log);
            prop_assert!(axis.span.start <= zoomed.start && zoomed.end <= axis.span.end + 1);
        }
    }
}
