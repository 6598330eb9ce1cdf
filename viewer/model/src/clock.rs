//! Times as people read and write them: in UTC, on the clock of this place, or since the start.

use crate::axis::Span;
use crate::scale::{Tick, multiples, round_step};
use summary::{Timestamp, grouped};

/// Nanoseconds in a second.
const NS_PER_SECOND: i64 = 1_000_000_000;
pub(crate) const NS_PER_DAY: i64 = 86_400 * NS_PER_SECOND;

/// By which clock times are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Zone {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// The clock of this place.
    Local(Offsets),
    /// Seconds since this time, in nanoseconds since the epoch.
    Start(i64),
}

/// How far a place's clock is ahead of UTC: from a time in nanoseconds on, so many seconds. The first
/// holds before its time too; none at all is UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offsets(pub Vec<(i64, i64)>);

impl Offsets {
    /// Those from the first to the last time, of a clock that is so many seconds ahead of UTC at a
    /// minute since the epoch. It is looked at some hundred times: changes closer to each other than
    /// that can be missed.
    pub fn find((first_ns, last_ns): (i64, i64), seconds_at: impl Fn(i64) -> i64) -> Self {
        const MINUTE_NS: i64 = 60 * NS_PER_SECOND;
        const STEPS: i64 = 400;
        let (first, last) = (first_ns.div_euclid(MINUTE_NS), last_ns.div_euclid(MINUTE_NS) + 1);
        let mut all = vec![(first_ns, seconds_at(first))];
        let step = (last - first) / STEPS + 1;
        let mut minute = first;
        while minute < last {
            let next = (minute + step).min(last);
            let (before, after) = (seconds_at(minute), seconds_at(next));
            if before != after {
                // The minute from which on it is another.
                let (mut low, mut high) = (minute, next);
                while 1 < high - low {
                    let middle = i64::midpoint(low, high);
                    if seconds_at(middle) == before { low = middle } else { high = middle }
                }
                all.push((high.saturating_mul(MINUTE_NS), after));
            }
            minute = next;
        }
        Self(all)
    }

    /// Seconds ahead of UTC at a time.
    fn at(&self, ts_ns: i64) -> i64 {
        let after = self.0.partition_point(|(from, _)| *from <= ts_ns);
        self.0.get(after.saturating_sub(1)).map_or(0, |(_, seconds)| *seconds)
    }
}

impl Zone {
    /// What an axis of times is called.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Utc => "Time (UTC)",
            Self::Local(_) => "Time (local)",
            Self::Start(_) => "Time since the start (s)",
        }
    }

    fn offset_ns(&self, ts_ns: i64) -> i64 {
        match self {
            Self::Local(offsets) => offsets.at(ts_ns) * NS_PER_SECOND,
            Self::Utc | Self::Start(_) => 0,
        }
    }

    /// A point in time to the nanosecond: `2026-11-23 02:53:38.123456789 UTC`, or with the distance
    /// to UTC, or in seconds since the start.
    pub fn time(&self, ts_ns: i64) -> String {
        if let Self::Start(start) = self {
            return format!("{} s", signed_seconds(i128::from(ts_ns) - i128::from(*start), 9));
        }
        let offset = self.offset_ns(ts_ns);
        let (date, clock) = date_and_clock(ts_ns.saturating_add(offset));
        let suffix = match self {
            Self::Local(_) => offset_words(offset / NS_PER_SECOND),
            _ => "UTC".to_owned(),
        };
        format!("{date} {clock} {suffix}")
    }

    /// The same as one word, which [`Zone::parse`] reads.
    pub fn word(&self, ts_ns: i64) -> String {
        if let Self::Start(start) = self {
            let text = signed_seconds(i128::from(ts_ns) - i128::from(*start), 9).replace(',', "");
            return trimmed(&text).to_owned();
        }
        let offset = self.offset_ns(ts_ns);
        let (date, clock) = date_and_clock(ts_ns.saturating_add(offset));
        let zone = match self {
            Self::Local(_) => offset_words(offset / NS_PER_SECOND),
            _ => "Z".to_owned(),
        };
        format!("{date}T{}{zone}", trimmed(&clock))
    }

    /// Reads a time: `10:15`, `10:15:00.5`, with a date and a `T` before it, with `Z` or `+01:00`
    /// behind it, or seconds where they are counted from the start. What is left out is of the day of
    /// `first_ns`, and of this zone.
    pub fn parse(&self, word: &str, first_ns: i64) -> Option<i64> {
        if let Self::Start(start) = self
            && let Some(seconds) = seconds(word)
        {
            return start.checked_add(seconds);
        }
        let (date, clock) = match word.split_once(['T', 't', ' ']) {
            Some((date, clock)) => (date.to_owned(), clock),
            None if word.len() == 10 && word.as_bytes()[4] == b'-' => (word.to_owned(), "00:00"),
            None => {
                let here = first_ns.saturating_add(self.offset_ns(first_ns));
                (date_and_clock(here).0, word)
            }
        };
        let (clock, zone) = cut(clock, |c| !matches!(c, 'Z' | 'z' | '+' | '-'));
        let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
        let ts = rfc3339(&format!("{date}T{clock}{}", if zone.is_empty() { "Z" } else { zone }))?;
        // The clock's distance from UTC is that of the time meant, which is near what was read.
        let guess = ts.checked_sub(self.offset_ns(ts))?;
        if zone.is_empty() { ts.checked_sub(self.offset_ns(guess)) } else { Some(ts) }
    }

    /// Round times, about `target` of them, labelled as finely as their distance asks.
    pub fn ticks(&self, span: Span, target: usize) -> Vec<Tick<i64>> {
        let step = time_step(span.len(), target);
        let mut ticks = Vec::new();
        for (span, shift) in self.clocks(span) {
            // Days and hours begin where the clock says.
            let at = |ts_ns: i64| ts_ns.saturating_add(shift);
            for shifted in multiples(Span::new(at(span.start), at(span.end)), step) {
                let label = match self {
                    Self::Start(_) => signed_seconds(i128::from(shifted), decimals(step)),
                    _ => clock_label(shifted, step),
                };
                let value = shifted.checked_sub(shift).filter(|value| span.contains(*value));
                ticks.extend(value.map(|value| Tick { value, label }));
            }
        }
        ticks
    }

    /// The parts of a span in which the clock is as far from UTC, with that distance in nanoseconds.
    fn clocks(&self, span: Span) -> Vec<(Span, i64)> {
        let mut starts = vec![span.start];
        if let Self::Local(Offsets(changes)) = self {
            let inside = |ts_ns: &i64| span.start < *ts_ns && *ts_ns < span.end;
            starts.extend(changes.iter().map(|(from, _)| *from).filter(inside));
        }
        let ends = starts.iter().skip(1).copied().chain([span.end]).collect::<Vec<_>>();
        let parts = starts.iter().zip(ends).map(|(start, end)| Span::new(*start, end));
        let shift = |span: Span| match self {
            Self::Start(start) => start.saturating_neg(),
            _ => self.offset_ns(span.start),
        };
        parts.map(|span| (span, shift(span))).collect()
    }
}

/// `+01:00`.
fn offset_words(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches('0').trim_end_matches('.')
}

/// A decimal number of seconds in nanoseconds.
fn seconds(word: &str) -> Option<i64> {
    let word = word.strip_suffix('s').unwrap_or(word);
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || 9 < fraction.len() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<9}").parse::<i64>().ok().map(|ns| sign * ns)
}

fn signed_seconds(ns: i128, decimals: usize) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = u64::try_from(ns.unsigned_abs()).unwrap_or(u64::MAX);
    let whole = grouped(ns / 1_000_000_000);
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => {
            let mut fraction = format!("{:09}", ns % 1_000_000_000);
            fraction.truncate(decimals);
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// How many digits behind the second tell multiples of a step apart.
fn decimals(step_ns: i64) -> usize {
    let mut decimals = 0;
    let mut unit = NS_PER_SECOND;
    while step_ns % unit != 0 {
        decimals += 1;
        unit /= 10;
    }
    decimals
}

fn clock_label(ts_ns: i64, step_ns: i64) -> String {
    let (date, mut clock) = date_and_clock(ts_ns);
    if NS_PER_DAY <= step_ns {
        return date;
    }
    // `02:53:38`, and a point where digits follow.
    clock.truncate(match decimals(step_ns) {
        0 => 8,
        decimals => 9 + decimals,
    });
    clock
}

/// `2026-11-23` and `02:53:38.123456789`, in UTC.
fn date_and_clock(ts_ns: i64) -> (String, String) {
    let text = Timestamp::from_ns(ts_ns).to_string();
    let (date, clock) = text.split_once('T').unwrap_or_default();
    (date.to_owned(), clock.trim_end_matches('Z').to_owned())
}

/// The least of the round steps of a clock that makes at most about `target` of them.
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

/// A text in two: what it begins with of these characters, and the rest.
pub(crate) fn cut(text: &str, is_of_first: impl Fn(char) -> bool) -> (&str, &str) {
    let rest = text.trim_start_matches(is_of_first);
    (text.strip_suffix(rest).unwrap_or_default(), rest)
}

/// Reads RFC 3339 with any number of fractional digits and any offset; beyond nanoseconds they are
/// cut. Nanoseconds since the epoch.
pub fn rfc3339(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_at_checked(19)?;
    let (digits, zone) = match rest.strip_prefix('.') {
        Some(rest) => cut(rest, |c| c.is_ascii_digit()),
        None => ("", rest),
    };
    let mut fraction = digits.to_owned();
    fraction.truncate(9);
    let mut canonical = format!("{whole}.{fraction:0<9}Z").into_bytes();
    // A space or a small letter instead of T is allowed (RFC 3339, 5.6).
    if matches!(canonical[10], b' ' | b't') {
        canonical[10] = b'T';
    }
    let utc = Timestamp::parse(&canonical)?.ns();
    let offset_minutes = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        &[sign @ (b'+' | b'-'), h, i, b':', m, n] => {
            let two = |a: u8, b: u8| {
                (a.is_ascii_digit() && b.is_ascii_digit())
                    .then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
            };
            let minutes = two(h, i)? * 60 + two(m, n)?;
            if sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    utc.checked_sub(offset_minutes * 60 * NS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z

    fn zones() -> [Zone; 4] {
        let summer = Offsets(vec![(i64::MIN, 7_200), (NOON, 3_600)]);
        let india = Offsets(vec![(0, 19_800)]);
        [Zone::Utc, Zone::Local(summer), Zone::Local(india), Zone::Start(NOON)]
    }

    #[test]
    fn times_are_told_by_each_clock() {
        let ts = NOON + 1_000_000_001;
        assert_eq!(
            zones().map(|zone| zone.time(ts)),
            [
                "2026-11-24 12:00:01.000000001 UTC",
                "2026-11-24 13:00:01.000000001 +01:00",
                "2026-11-24 17:30:01.000000001 +05:30",
                "1.000000001 s"
            ]
        );
        assert_eq!(zones()[1].time(NOON - 1), "2026-11-24 13:59:59.999999999 +02:00");
        assert_eq!(zones()[3].time(NOON - 1), "-0.000000001 s");
    }

    #[test]
    fn times_are_read_on_the_day_of_the_first_packet() {
        let parse = |zone: &Zone, word| zone.parse(word, NOON).map(|ts| ts - NOON);
        let hour = 3_600 * NS_PER_SECOND;
        let [utc, summer, _, start] = zones();
        assert_eq!(parse(&utc, "13:00"), Some(hour));
        assert_eq!(parse(&utc, "13:00:00.5"), Some(hour + NS_PER_SECOND / 2));
        assert_eq!(parse(&utc, "2026-11-25"), Some(12 * hour));
        assert_eq!(parse(&utc, "2026-11-24T14:00:00+01:00"), Some(hour));
        assert_eq!(parse(&summer, "14:00"), Some(hour));
        assert_eq!(parse(&summer, "13:00Z"), Some(hour));
        assert_eq!(parse(&start, "3600"), Some(hour));
        assert_eq!(parse(&start, "13:00"), Some(hour));
        for word in ["", "1", "25:00", "10:61", "noon", "2026-13-01", "12:00:00.5.5", "ä:ö"] {
            assert_eq!(parse(&utc, word), None, "{word}");
        }
    }

    #[test]
    fn changes_of_the_clock_are_found_and_ticks_are_round_on_both_sides() {
        // From summer to winter, an hour before noon.
        let change = NOON - 3_600 * NS_PER_SECOND;
        let seconds_at =
            |minute: i64| if minute * 60 * NS_PER_SECOND < change { 7_200 } else { 3_600 };
        for (before, after) in [(1, 1), (86_400, 7), (3_600 * 24 * 90, 3_600 * 24 * 90)] {
            let first_ns = change - before * NS_PER_SECOND;
            let found = Offsets::find((first_ns, change + after * NS_PER_SECOND), seconds_at);
            assert_eq!(found, Offsets(vec![(first_ns, 7_200), (change, 3_600)]));
        }
        let day = 43_200 * NS_PER_SECOND;
        let zone = Zone::Local(Offsets::find((change - day, change + day), seconds_at));
        let ticks = zone.ticks(Span::new(change - day, change + day), 8);
        assert!(ticks.iter().all(|tick| zone.time(tick.value).contains(&tick.label)), "{ticks:?}");
        let labels: Vec<_> = ticks.iter().map(|tick| &tick.label[..]).collect();
        // The clock goes back from one to noon: that is twice.
        assert_eq!(labels.iter().filter(|label| **label == "12:00:00").count(), 2, "{labels:?}");
        assert!(ticks.windows(2).all(|two| two[0].value < two[1].value));
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
            let ticks = Zone::Utc.ticks(Span::new(start, start + len), 6);
            assert_eq!(ticks[0].label, expected, "{len}");
        }
        let span = Span::new(NOON - NS_PER_SECOND, NOON + NS_PER_SECOND);
        let labels = |zone: &Zone| {
            zone.ticks(span, 5).into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(&zones()[3]), ["-1.0", "-0.5", "0.0", "0.5"]);
        assert_eq!(labels(&zones()[2])[2], "17:30:00.0");
    }

    proptest! {
        /// What is told as a word reads back.
        #[test]
        fn words_read_back(ns in -1_000_000_000_000_000i64..1_000_000_000_000_000, zone in 0usize..4) {
            let zone = &zones()[zone];
            let word = zone.word(NOON + ns);
            prop_assert_eq!(zone.parse(&word, 0), Some(NOON + ns), "{}", word);
        }

        /// Any span has few ticks, in order, inside.
        #[test]
        fn ticks_are_few_and_inside(start: i64, len in 1i64..i64::MAX, target in 1usize..20, zone in 0usize..4) {
            let span = Span::new(start, start.saturating_add(len));
            let ticks = zones()[zone].ticks(span, target);
            prop_assert!(ticks.len() <= target * 2 + 2, "{} ticks", ticks.len());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
            prop_assert!(ticks.iter().all(|tick| span.contains(tick.value)));
        }
    }
}
