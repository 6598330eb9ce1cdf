//! What of a packet is measured, and how a range of it is cut into cells: one definition for
//! counting, drawing, pointing and words, all in whole numbers.

use crate::wire::wire;

/// What of a packet can be measured. Every value is a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Value {
    /// Its number in its run.
    #[default]
    Number,
    /// Its time in nanoseconds since the epoch.
    Time,
    /// Its bytes on the wire.
    Size,
    /// Its source port.
    SourcePort,
    /// Its destination port.
    DestinationPort,
    /// Its time to live or hop limit.
    Ttl,
    /// Nanoseconds since the packet before it in its file; below 0 where time went back.
    Gap,
}

/// How many values there are.
pub const VALUE_COUNT: usize = 7;

/// What a packet has where it has no such value.
pub const ABSENT: i64 = i64::MIN;

/// The least number that is a value.
pub const LEAST: i64 = ABSENT + 1;

impl Value {
    /// All of them.
    pub const ALL: [Self; VALUE_COUNT] = [
        Self::Number,
        Self::Time,
        Self::Size,
        Self::SourcePort,
        Self::DestinationPort,
        Self::Ttl,
        Self::Gap,
    ];

    /// Its name in filters and links: the stream's where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "n",
            Self::Time => "ts",
            Self::Size => "len",
            Self::SourcePort => "sport",
            Self::DestinationPort => "dport",
            Self::Ttl => "ttl",
            Self::Gap => "gap",
        }
    }

    /// The inverse of [`Value::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.name() == name)
    }

    /// Least and greatest number that a packet can have.
    pub const fn domain(self) -> (i64, i64) {
        match self {
            Self::Number | Self::Size => (0, i64::MAX - 1),
            Self::SourcePort | Self::DestinationPort => (0, 65_535),
            Self::Ttl => (0, 255),
            Self::Time | Self::Gap => (LEAST, i64::MAX - 1),
        }
    }

    /// Its name on an axis, with the unit.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Number => "Packet number",
            Self::Time => "Time",
            Self::Size => "Packet size (bytes)",
            Self::SourcePort => "Source port",
            Self::DestinationPort => "Destination port",
            Self::Ttl => "Time to live",
            Self::Gap => "Gap to the previous packet",
        }
    }
}

/// Whole numbers from `start` to below `end`: `start < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub start: i64,
    /// Behind the last.
    pub end: i64,
}

impl Span {
    /// From `start` to below `end`, at least one long.
    pub fn new(start: i64, end: i64) -> Self {
        let start = start.min(i64::MAX - 1);
        Self { start, end: end.max(start + 1) }
    }

    /// From the first to the last of both, both included.
    pub fn closed((first, last): (i64, i64)) -> Self {
        Self::new(first, last.saturating_add(1))
    }

    /// How many numbers there are; not more than fit.
    pub fn len(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// Never: a span holds one number at least.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// True where the number is one of them.
    pub fn contains(&self, value: i64) -> bool {
        self.start <= value && value < self.end
    }
}

/// How distances on an axis stand for values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal distances for equal differences.
    #[default]
    Linear,
    /// Equal distances for equal ratios, of the value and one more: so 0 has a place.
    Log,
}

/// A range of a value along a side of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What is measured.
    pub value: Value,
    /// How distances stand for values.
    pub scale: Scale,
    /// What is covered.
    pub span: Span,
}

impl Axis {
    /// Where a value stands on the axis: 0 is its beginning, 1 its end.
    pub fn share(&self, value: i64) -> f64 {
        let Span { start, end } = self.span;
        match self.scale {
            // From the start on: no nanosecond is rounded away.
            Scale::Linear => {
                let distance = i128::from(value) - i128::from(start);
                distance as f64 / (i128::from(end) - i128::from(start)) as f64
            }
            Scale::Log => {
                let (from, to) = (log(start as f64), log(end as f64));
                (log(value as f64) - from) / (to - from)
            }
        }
    }

    /// The value at a share of the axis, which may lie outside of 0 to 1.
    pub fn value_at(&self, share: f64) -> i64 {
        let Span { start, end } = self.span;
        match self.scale {
            Scale::Linear => start.saturating_add(whole((share * self.span.len() as f64).floor())),
            Scale::Log => {
                let (from, to) = (log(start as f64), log(end as f64));
                whole(exp(from + share * (to - from)).round())
            }
        }
    }

    /// The part of the span between two shares, which may lie outside of 0 to 1.
    pub fn part(&self, from: f64, to: f64) -> Span {
        match self.scale {
            Scale::Linear => {
                let len = self.span.len() as f64;
                let at = |share: f64| self.span.start.saturating_add(whole(share * len));
                let start = at((from * len).floor() / len);
                Span::new(start, at((to * len).ceil() / len))
            }
            Scale::Log => Span::new(self.value_at(from), self.value_at(to)),
        }
    }

    /// Zoomed around a share of it: `factor` below 1 shows less.
    pub fn zoomed(&self, share: f64, factor: f64) -> Span {
        let share = share.clamp(0.0, 1.0);
        let span = self.span;
        let zoomed = self.part(share - share * factor, share + (1.0 - share) * factor);
        // Rounded to whole units, a few of them might never become fewer.
        if factor < 1.0 && zoomed == span && 1 < span.len() {
            let is_right = 0.5 < share;
            return Span::new(span.start + i64::from(is_right), span.end - i64::from(!is_right));
        }
        zoomed
    }

    /// Moved by a share of its length.
    pub fn shifted(&self, by: f64) -> Span {
        match self.scale {
            Scale::Linear => {
                let start = self.span.start.saturating_add(whole(by * self.span.len() as f64));
                Span::new(start, start.saturating_add(self.span.len()))
            }
            Scale::Log => self.part(by, 1.0 + by),
        }
    }
}

/// The whole number nearest to 0 that a float holds; what is too large becomes the largest.
#[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
pub fn whole(value: f64) -> i64 {
    value as i64
}

fn log(value: f64) -> f64 {
    value.abs().ln_1p().copysign(value)
}

fn exp(log: f64) -> f64 {
    log.abs().exp_m1().copysign(log)
}

/// An axis cut into cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bins {
    /// What is cut.
    pub axis: Axis,
    /// Into how many, at least 1 and at most [`Bins::MAX_COUNT`].
    pub count: usize,
    /// The cells are those of `numpy.histogram` between the first and the last value: equal parts
    /// of that distance, of which the last has its upper border too.
    pub is_closed: bool,
}

impl Bins {
    /// Most cells of an axis.
    pub const MAX_COUNT: usize = 60_000;

    /// The first value of each cell, and what is behind the last: cell `i` holds the whole numbers
    /// from `edges[i]` to below `edges[i + 1]`, which may be none.
    pub fn edges(&self) -> Vec<i64> {
        let Span { start, end } = self.axis.span;
        let count = self.count.max(1);
        let inside = |index: usize| match (self.axis.scale, self.is_closed) {
            (Scale::Linear, false) => start + part(index, count, end.abs_diff(start)),
            (Scale::Linear, true) if end.abs_diff(start) == 1 => {
                start + i64::from(count < 2 * index)
            }
            (Scale::Linear, true) => start + part(index, count, end.abs_diff(start) - 1),
            (Scale::Log, _) => self.axis.value_at(index as f64 / count as f64),
        };
        let mut edges: Vec<_> = (0..=count).map(inside).collect();
        (edges[0], edges[count]) = (start, end);
        // Floating point may go a little astray at the ends of what it can tell apart.
        for index in 1..count {
            edges[index] = edges[index].clamp(edges[index - 1], end);
        }
        edges
    }

    /// First and last number in two cells and those between; `None` where they hold none: fine cells
    /// lie between whole numbers.
    pub fn range(&self, a: usize, b: usize) -> Option<(i64, i64)> {
        let (edges, last) = (self.edges(), self.count.max(1) - 1);
        let (from, to) = (a.min(b).min(last), a.max(b).min(last));
        (edges[from] < edges[to + 1]).then(|| (edges[from], edges[to + 1] - 1))
    }

    /// The borders as an axis has them, between whole numbers too.
    pub fn borders(&self) -> Vec<f64> {
        if self.axis.scale == Scale::Log || !self.is_closed {
            return self.edges().into_iter().map(|edge| edge as f64).collect();
        }
        let (first, count) = (self.axis.span.start as f64, self.count.max(1) as f64);
        let (first, width) = match self.axis.span.len() - 1 {
            0 => (first - 0.5, 1.0),
            width => (first, width as f64),
        };
        // One rounding only: whole borders are whole.
        (0..=self.count.max(1)).map(|i| (first * count + i as f64 * width) / count).collect()
    }
}

/// `index * len / count`, rounded up.
fn part(index: usize, count: usize, len: u64) -> i64 {
    let product = index as u128 * u128::from(len);
    i64::try_from(product.div_ceil(count as u128)).unwrap_or(i64::MAX)
}

wire!(enum Value { 0 Number, 1 Time, 2 Size, 3 SourcePort, 4 DestinationPort, 5 Ttl, 6 Gap });
wire!(struct Span { start, end });
wire!(enum Scale { 0 Linear, 1 Log });
wire!(struct Axis { value, scale, span });
wire!(struct Bins { axis, count, is_closed });

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis(scale: Scale, span: Span) -> Axis {
        Axis { value: Value::Size, scale, span }
    }

    #[test]
    fn closed_bins_are_those_of_numpy() {
        let bins = |first, last, count| Bins {
            axis: axis(Scale::Linear, Span::closed((first, last))),
            count,
            is_closed: true,
        };
        assert_eq!(bins(60, 60, 2).borders(), [59.5, 60.0, 60.5]);
        assert_eq!(bins(60, 60, 2).edges(), [60, 60, 61]);
        assert_eq!(bins(0, 10, 4).borders(), [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(bins(0, 10, 4).edges(), [0, 3, 5, 8, 11]);
        assert_eq!(bins(0, 10, 4).range(2, 1), Some((3, 7)));
        assert_eq!(bins(0, 10, 4).range(3, 9), Some((8, 10)));
        // Of ten cells between 0 and 2 most hold no whole number.
        let fine = bins(0, 2, 10);
        assert_eq!(
            [0, 1, 5, 8, 9].map(|bin| fine.range(bin, bin).map(|range| range.0)),
            [Some(0), None, Some(1), None, Some(2)]
        );
        assert_eq!((fine.range(1, 4), fine.range(1, 5)), (None, Some((1, 1))));
    }

    fn scales() -> impl Strategy<Value = Scale> {
        prop_oneof![Just(Scale::Linear), Just(Scale::Log)]
    }

    proptest! {
        /// Places and values are inverse, but for rounding to whole numbers.
        #[test]
        fn shares_and_values_are_inverse(scale in scales(), start in -1000i64..1000, len in 1i64..1_000_000, share in 0.0f64..1.0) {
            let axis = axis(scale, Span::new(start, start + len));
            let value = axis.value_at(share);
            prop_assert!(axis.share(value) <= share + axis.share(value + 1) - axis.share(value) + 1e-9);
            prop_assert!(share <= axis.share(value + 1) + axis.share(value + 1) - axis.share(value) + 1e-9);
        }

        /// Zooming in and out again goes back, and zooming in always shows less.
        #[test]
        fn zooming_in_shows_less(scale in scales(), start in 0i64..1000, len in 2i64..1_000_000, share in 0.0f64..1.0) {
            let axis = axis(scale, Span::new(start, start + len));
            let zoomed = axis.zoomed(share, 0.5);
            prop_assert!(zoomed.len() < axis.span.len() || scale == Scale::Log);
            prop_assert!(axis.span.start <= zoomed.start && zoomed.end <= axis.span.end + 1);
        }
    }
}
