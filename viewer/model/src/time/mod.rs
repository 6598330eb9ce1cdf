//! Time zones and formats: how timestamps are displayed and typed.
//!
//! Timestamps are nanoseconds since the epoch. The offsets of the local zone come from the browser;
//! no time zone database is used here.

mod duration;
mod offsets;
mod rfc3339;
mod ticks;

pub use duration::duration;
pub use offsets::UtcOffsets;
pub use rfc3339::rfc3339;
pub(crate) use rfc3339::split_while;
pub use ticks::time_step;

use summary::{Timestamp, grouped};

const NS_PER_SECOND: i64 = 1_000_000_000;
/// Nanoseconds per day.
pub const NS_PER_DAY: i64 = 86_400 * NS_PER_SECOND;

/// Time zone or reference point in which times are displayed and typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Zone {
    /// Coordinated Universal Time.
    #[default]
    Utc,
    /// The browser's local time.
    Local(UtcOffsets),
    /// Seconds since this time, in nanoseconds since the epoch.
    Relative(i64),
}

impl Zone {
    /// Label of a time axis.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Utc => "Time (UTC)",
            Self::Local(_) => "Time (local)",
            Self::Relative(_) => "Time since start",
        }
    }

    fn offset_ns(&self, ts_ns: i64) -> i64 {
        match self {
            Self::Local(offsets) => offsets.seconds_at(ts_ns) * NS_PER_SECOND,
            Self::Utc | Self::Relative(_) => 0,
        }
    }

    /// Nanoseconds to add to a timestamp to get the time of the zone, in which days and other units are
    /// round.
    pub fn shift_ns(&self, ts_ns: i64) -> i64 {
        match self {
            Self::Relative(start) => start.saturating_neg(),
            _ => self.offset_ns(ts_ns),
        }
    }

    /// Formats a timestamp with all nine fractional digits: `2026-11-23 02:53:38.123456789 UTC`, with
    /// a UTC offset for local time, or `1.000000001 s` for relative time.
    pub fn format(&self, ts_ns: i64) -> String {
        if let Self::Relative(start) = self {
            return format!("{} s", signed_seconds(i128::from(ts_ns) - i128::from(*start), 9));
        }
        let offset = self.offset_ns(ts_ns);
        let (date, time) = date_and_time(ts_ns.saturating_add(offset));
        let suffix = match self {
            Self::Local(_) if offset != 0 => format_offset(offset / NS_PER_SECOND),
            _ => "UTC".to_owned(),
        };
        format!("{date} {time} {suffix}")
    }

    /// Formats a timestamp without spaces or trailing zeros, as RFC 3339 or as relative seconds.
    /// [`Zone::parse`] reads it back.
    pub fn format_compact(&self, ts_ns: i64) -> String {
        if let Self::Relative(start) = self {
            let text = signed_seconds(i128::from(ts_ns) - i128::from(*start), 9).replace(',', "");
            return trim_zeros(&text).to_owned();
        }
        let offset = self.offset_ns(ts_ns);
        let (date, time) = date_and_time(ts_ns.saturating_add(offset));
        let zone = match self {
            Self::Local(_) => format_offset(offset / NS_PER_SECOND),
            _ => "Z".to_owned(),
        };
        format!("{date}T{}{zone}", trim_zeros(&time))
    }

    /// Parses a time: `10:15` or `10:15:00.5`, optionally with a date and `T` in front and `Z` or
    /// `+01:00` at the end; or seconds, in relative time. A missing date is that of `first_ns`, a
    /// missing offset that of this zone.
    pub fn parse(&self, text: &str, first_ns: i64) -> Option<i64> {
        if let Self::Relative(start) = self
            && let Some(seconds) = parse_seconds(text)
        {
            return start.checked_add(seconds);
        }
        let (date, time) = match text.split_once(['T', 't', ' ']) {
            Some((date, time)) => (date.to_owned(), time),
            None if text.len() == 10 && text.as_bytes()[4] == b'-' => (text.to_owned(), "00:00"),
            None => {
                let local_ns = first_ns.saturating_add(self.offset_ns(first_ns));
                (date_and_time(local_ns).0, text)
            }
        };
        let (time, zone) = split_while(time, |c| !matches!(c, 'Z' | 'z' | '+' | '-'));
        let time = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
        let ts = rfc3339(&format!("{date}T{time}{}", if zone.is_empty() { "Z" } else { zone }))?;
        // The offset depends on the result: a first guess that ignores the offset is close enough.
        let guess = ts.checked_sub(self.offset_ns(ts))?;
        if zone.is_empty() { ts.checked_sub(self.offset_ns(guess)) } else { Some(ts) }
    }
}

/// `+01:00`.
fn format_offset(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Removes trailing zeros of a decimal fraction, and the decimal point if nothing follows it.
pub fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Parses decimal seconds, optionally signed and with a trailing `s`, into nanoseconds.
pub(crate) fn parse_seconds(text: &str) -> Option<i64> {
    let text = text.strip_suffix('s').unwrap_or(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || 9 < fraction.len() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<9}").parse::<i64>().ok().map(|ns| sign * ns)
}

/// Formats nanoseconds as seconds with digit grouping, truncated to a number of decimals.
fn signed_seconds(ns: i128, decimals: usize) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = u64::try_from(ns.unsigned_abs()).unwrap_or(u64::MAX);
    let whole = grouped(ns / 1_000_000_000);
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => {
            let fraction = format!("{:09}", ns % 1_000_000_000);
            format!("{sign}{whole}.{}", &fraction[..decimals.min(9)])
        }
    }
}

/// `2026-11-23` and `02:53:38.123456789`, in UTC.
fn date_and_time(ts_ns: i64) -> (String, String) {
    let text = Timestamp::from_ns(ts_ns).to_string();
    let (date, time) = text.split_once('T').unwrap_or_default();
    (date.to_owned(), time.trim_end_matches('Z').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Span;
    use proptest::prelude::*;

    const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z

    fn zones() -> [Zone; 4] {
        let summer = UtcOffsets(vec![(i64::MIN, 7_200), (NOON, 3_600)]);
        let india = UtcOffsets(vec![(0, 19_800)]);
        [Zone::Utc, Zone::Local(summer), Zone::Local(india), Zone::Relative(NOON)]
    }

    #[test]
    fn each_zone_formats_a_timestamp() {
        let ts = NOON + 1_000_000_001;
        assert_eq!(
            zones().map(|zone| zone.format(ts)),
            [
                "2026-11-24 12:00:01.000000001 UTC",
                "2026-11-24 13:00:01.000000001 +01:00",
                "2026-11-24 17:30:01.000000001 +05:30",
                "1.000000001 s"
            ]
        );
        let utc = Zone::Local(UtcOffsets(vec![(0, 0)]));
        assert_eq!(utc.format(NOON), "2026-11-24 12:00:00.000000000 UTC");
        assert_eq!(zones()[1].format(NOON - 1), "2026-11-24 13:59:59.999999999 +02:00");
        assert_eq!(zones()[3].format(NOON - 1), "-0.000000001 s");
    }

    #[test]
    fn missing_date_is_that_of_the_first_packet() {
        let parse = |zone: &Zone, text| zone.parse(text, NOON).map(|ts| ts - NOON);
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
        for text in ["", "1", "25:00", "10:61", "noon", "2026-13-01", "12:00:00.5.5", "ä:ö"] {
            assert_eq!(parse(&utc, text), None, "{text}");
        }
    }

    #[test]
    fn offset_changes_are_found_and_ticks_are_round_on_both_sides() {
        // Daylight saving time ends an hour before noon.
        let change = NOON - 3_600 * NS_PER_SECOND;
        let seconds_at =
            |minute: i64| if minute * 60 * NS_PER_SECOND < change { 7_200 } else { 3_600 };
        for (before, after) in [(1, 1), (86_400, 7), (3_600 * 24 * 90, 3_600 * 24 * 90)] {
            let first_ns = change - before * NS_PER_SECOND;
            let found = UtcOffsets::find((first_ns, change + after * NS_PER_SECOND), seconds_at);
            assert_eq!(found, UtcOffsets(vec![(first_ns, 7_200), (change, 3_600)]));
        }
        let day = 43_200 * NS_PER_SECOND;
        let zone = Zone::Local(UtcOffsets::find((change - day, change + day), seconds_at));
        let ticks = zone.ticks(Span::new(change - day, change + day), 8);
        assert!(
            ticks.iter().all(|tick| zone.format(tick.value).contains(&tick.label)),
            "{ticks:?}"
        );
        let labels: Vec<_> = ticks.iter().map(|tick| &tick.label[..]).collect();
        // Clocks go back from 13:00 to 12:00, which therefore occurs twice.
        assert_eq!(labels.iter().filter(|label| **label == "12:00").count(), 2, "{labels:?}");
        assert!(ticks.windows(2).all(|two| two[0].value < two[1].value));
    }

    #[test]
    fn labels_have_as_many_digits_as_the_step_needs() {
        let start = 1_795_402_418_123_456_789; // 2026-11-23T02:53:38.123456789Z
        for (len, expected) in [
            (6, "2026-11-23 02:53:38.123456789"),
            (30_000, "2026-11-23 02:53:38.123460"),
            (3_000_000_000, "2026-11-23 02:53:39"),
            (600_000_000_000, "2026-11-23 02:54"),
            (40 * 3_600 * NS_PER_SECOND, "2026-11-23 12:00"),
            (6 * NS_PER_DAY, "2026-11-24"),
            (150 * NS_PER_DAY, "2026-12"),
            (900 * NS_PER_DAY, "2027-01"),
            (18_000 * NS_PER_DAY, "2030"),
        ] {
            let ticks = Zone::Utc.ticks(Span::new(start, start + len), 6);
            assert_eq!(ticks[0].label, expected, "{len}");
        }
        let span = Span::new(NOON - NS_PER_SECOND, NOON + NS_PER_SECOND);
        let labels = |zone: &Zone| {
            zone.ticks(span, 5).into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(&zones()[3]), ["−1 s", "−500 ms", "0 s", "500 ms"]);
        assert_eq!(labels(&zones()[2])[2], "17:30:00.0");
        // The date is shown once, and where it changes.
        let span = Span::new(NOON, NOON + NS_PER_DAY);
        let labels = |zone: &Zone| {
            zone.ticks(span, 4).into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(&zones()[0]), ["2026-11-24 12:00", "18:00", "2026-11-25", "06:00"]);
        // Years have different lengths, and ticks their first days.
        let span = Span::new(0, 50 * 365 * NS_PER_DAY);
        let years: Vec<_> = Zone::Utc.ticks(span, 6).into_iter().map(|tick| tick.label).collect();
        assert_eq!(years, ["1970", "1980", "1990", "2000", "2010"]);
        // All times that a timestamp can have: more nanoseconds than an `i64` can count.
        let ticks = Zone::Utc.ticks(Span::new(i64::MIN, i64::MAX), 6);
        assert_eq!((&*ticks[0].label, &*ticks[11].label, ticks.len()), ("1700", "2250", 12));
    }

    proptest! {
        #[test]
        fn compact_format_parses_back(ns in -1_000_000_000_000_000i64..1_000_000_000_000_000, zone in 0usize..4) {
            let zone = &zones()[zone];
            let text = zone.format_compact(NOON + ns);
            prop_assert_eq!(zone.parse(&text, 0), Some(NOON + ns), "{}", text);
        }

        #[test]
        fn ticks_are_few_sorted_and_inside_the_span(start: i64, len in 1i64..i64::MAX, target in 1usize..20, zone in 0usize..4) {
            let span = Span::new(start, start.saturating_add(len));
            let ticks = zones()[zone].ticks(span, target);
            prop_assert!(ticks.len() <= target * 2 + 2, "{} ticks", ticks.len());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
            prop_assert!(ticks.iter().all(|tick| span.contains(tick.value)));
        }
    }
}
