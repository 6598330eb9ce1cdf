//! Ticks of time axes, at round times of the chosen zone.

use super::{NS_PER_DAY, NS_PER_SECOND, UtcOffsets, Zone, date_and_time, signed_seconds};
use crate::axis::Span;
use crate::ticks::{Tick, multiples, round_step};

impl Zone {
    /// Ticks at round times, about `target` of them. Labels have as many digits as the tick distance
    /// needs.
    pub fn ticks(&self, span: Span, target: usize) -> Vec<Tick<i64>> {
        let step = time_step(span.len(), target);
        let mut ticks = Vec::new();
        for (span, shift) in self.shifts(span) {
            // Hours and days are round in the time of the zone, not in UTC.
            let at = |ts_ns: i64| ts_ns.saturating_add(shift);
            for shifted in multiples(Span::new(at(span.start), at(span.end)), step) {
                let label = match self {
                    Self::Relative(_) => signed_seconds(i128::from(shifted), decimals(step)),
                    _ => label(shifted, step),
                };
                let value = shifted.checked_sub(shift).filter(|value| span.contains(*value));
                ticks.extend(value.map(|value| Tick { value, label }));
            }
        }
        ticks
    }

    /// Splits the span at changes of the UTC offset. Each part comes with the nanoseconds to add to
    /// get the time of the zone.
    fn shifts(&self, span: Span) -> Vec<(Span, i64)> {
        let mut starts = vec![span.start];
        if let Self::Local(UtcOffsets(changes)) = self {
            let is_inside = |ts_ns: &i64| span.start < *ts_ns && *ts_ns < span.end;
            starts.extend(changes.iter().map(|(from, _)| *from).filter(is_inside));
        }
        let ends = starts.iter().skip(1).copied().chain([span.end]).collect::<Vec<_>>();
        let parts = starts.iter().zip(ends).map(|(start, end)| Span::new(*start, end));
        let shift = |span: Span| match self {
            Self::Relative(start) => start.saturating_neg(),
            _ => self.offset_ns(span.start),
        };
        parts.map(|span| (span, shift(span))).collect()
    }
}

/// The smallest round step, in nanoseconds, that divides `len_ns` into at most about `target` steps.
pub fn time_step(len_ns: i64, target: usize) -> i64 {
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

/// Fractional digits of a second that distinguish multiples of a step.
fn decimals(step_ns: i64) -> usize {
    let mut decimals = 0;
    let mut unit = NS_PER_SECOND;
    while step_ns % unit != 0 {
        decimals += 1;
        unit /= 10;
    }
    decimals
}

/// The date for steps of whole days, otherwise the time of day.
fn label(ts_ns: i64, step_ns: i64) -> String {
    let (date, mut time) = date_and_time(ts_ns);
    if NS_PER_DAY <= step_ns {
        return date;
    }
    // `02:53:38`, followed by a point only if there are fractional digits.
    time.truncate(match decimals(step_ns) {
        0 => 8,
        decimals => 9 + decimals,
    });
    time
}
