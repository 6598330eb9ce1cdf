//! Ticks of time axes, at round times of the chosen zone.

use super::{NS_PER_DAY, NS_PER_SECOND, UtcOffsets, Zone, date_and_time, duration, rfc3339};
use crate::axis::Span;
use crate::ticks::{Tick, multiples, round_step};

/// The shortest distance of ticks at the starts of months, in nanoseconds.
const MIN_MONTH_STEP_NS: i64 = 20 * NS_PER_DAY;
/// The mean length of a month, in nanoseconds.
const MONTH_NS: i64 = 2_629_746 * NS_PER_SECOND;
/// Round numbers of months.
const MONTH_STEPS: [i64; 11] = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 2_400];

impl Zone {
    /// Ticks at round times, about `target` of them. Labels have as many digits as the tick distance
    /// needs. The first one, and those at which a new day begins, have the date.
    pub fn ticks(&self, span: Span, target: usize) -> Vec<Tick<i64>> {
        let least = span.len() / i64::try_from(target.max(1)).unwrap_or(1);
        let months = MONTH_STEPS.into_iter().find(|months| least <= months * MONTH_NS);
        let months = months.filter(|_| !matches!(self, Self::Relative(_)));
        let months = months.filter(|_| MIN_MONTH_STEP_NS <= least);
        let step = time_step(span.len(), target);
        let mut ticks = Vec::new();
        let mut previous_date = String::new();
        for (span, shift) in self.shifts(span) {
            // Hours and days are round in the time of the zone, not in UTC.
            let at = |ts_ns: i64| ts_ns.saturating_add(shift);
            let shifted_span = Span::new(at(span.start), at(span.end));
            let values: Vec<i64> = match months {
                Some(months) => month_starts(shifted_span, months),
                None => multiples(shifted_span, step).collect(),
            };
            for shifted in values {
                let (date, time) = date_and_time(shifted);
                let label = match (self, months) {
                    (Self::Relative(_), _) => duration(shifted),
                    (_, Some(months)) => date[..if months < 12 { 7 } else { 4 }].to_owned(),
                    _ if NS_PER_DAY <= step => date,
                    _ => time_label(&date, &time, step, &mut previous_date),
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
        parts.map(|span| (span, self.shift_ns(span.start))).collect()
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

/// The time of day, without digits that all ticks have in common. A new date precedes it, or replaces
/// midnight.
fn time_label(date: &str, time: &str, step_ns: i64, previous_date: &mut String) -> String {
    let is_new = *previous_date != date;
    if is_new {
        date.clone_into(previous_date);
    }
    if is_new && time == "00:00:00.000000000" {
        return date.to_owned();
    }
    // `02:53:38`, followed by a point only if there are fractional digits.
    let len = match decimals(step_ns) {
        0 if step_ns % (60 * NS_PER_SECOND) == 0 => 5,
        0 => 8,
        decimals => 9 + decimals,
    };
    let time = &time[..len];
    if is_new { [date, " ", time].concat() } else { time.to_owned() }
}

/// The times in the span at which a month begins, every so many months from year 0.
fn month_starts(span: Span, step: i64) -> Vec<i64> {
    let month_of = |ts_ns: i64| {
        let (date, _) = date_and_time(ts_ns);
        let part = |range: std::ops::Range<usize>| date.get(range)?.parse::<i64>().ok();
        Some(part(0..4)? * 12 + part(5..7)? - 1)
    };
    let (Some(first), Some(last)) = (month_of(span.start), month_of(span.end)) else {
        return Vec::new();
    };
    let start_of = |month: i64| {
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        rfc3339(&format!("{year:04}-{month:02}-01T00:00:00Z"))
    };
    // The first month can begin before the times that a timestamp can have.
    let starts = (first / step..=last / step).filter_map(|index| start_of(index * step));
    starts.filter(|start| span.start <= *start && *start < span.end).collect()
}
