//! Formats numbers, durations and times for display. Hand-written: `std` has neither thousands separators,
//! unit prefixes nor a `Display` for durations.

use crate::axis::Span;
use crate::time::{NS_PER_DAY, Zone, duration, trim_zeros};
use summary::grouped;

const NS_PER_SECOND: u64 = 1_000_000_000;
/// Formats a number of bytes with a decimal unit and three significant digits: `12.3 MB`.
pub fn bytes(count: u64) -> String {
    if count < 1_000 {
        return format!("{count} B");
    }
    let (value, decimals, prefix) = scaled(count as f64);
    format!("{} {prefix}B", fixed(value, decimals))
}

/// Scales a number to its decimal prefix. Also returns the number of decimals that makes three
/// significant digits.
fn scaled(mut value: f64) -> (f64, usize, &'static str) {
    const PREFIXES: [&str; 5] = ["k", "M", "G", "T", "P"];
    let mut prefix = "";
    for next in PREFIXES {
        // 999.5 would be rounded to 1000 of the smaller unit.
        if value < 999.5 {
            break;
        }
        value /= 1_000.0;
        prefix = next;
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    (value, decimals, prefix)
}

/// Formats a number with exactly `decimals` decimals, at most 9: `{value:.decimals$}` for absolute values
/// below 2⁶⁴, except that halves are rounded away from zero. The formatting of floats in `std` would add
/// 8 kB to the page.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub fn fixed(value: f64, decimals: usize) -> String {
    let scale = 10u64.pow(u32::try_from(decimals.min(9)).unwrap_or(9));
    let absolute = value.abs();
    let mut whole = absolute as u64;
    let mut fraction = ((absolute - absolute.trunc()) * scale as f64).round() as u64;
    if fraction == scale {
        (whole, fraction) = (whole.saturating_add(1), 0);
    }
    let sign = if value < 0.0 && (0 < whole || 0 < fraction) { "-" } else { "" };
    if decimals == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction:0decimals$}")
}

/// Formats a number with at most `decimals` decimals, without trailing zeros.
pub fn decimal(value: f64, decimals: usize) -> String {
    trim_zeros(&fixed(value, decimals)).to_owned()
}

/// Formats an integer with thousands separators.
pub fn integer(number: i64) -> String {
    format!("{}{}", if number < 0 { "−" } else { "" }, grouped(number.unsigned_abs()))
}

/// Formats a number with a decimal prefix and at most three significant digits: `1.23 M`.
pub fn prefixed(value: f64) -> String {
    if 0.0 < value && value < 0.0995 {
        // Rates of captures that last for years. Two decimals would not tell them apart.
        let prefixes = [(1e3, "m"), (1e6, "µ"), (1e9, "n")];
        let fits = |(factor, _): &(f64, &str)| 1.0 <= value * factor;
        let (factor, prefix) = prefixes.into_iter().find(fits).unwrap_or(prefixes[2]);
        return format!("{} {prefix}", decimal(value * factor, 2));
    }
    let (value, decimals, prefix) = scaled(value);
    let digits = decimal(value, decimals);
    if prefix.is_empty() { digits } else { format!("{digits} {prefix}") }
}

/// Formats a duration with its two largest units, rounded down to tenths of a second above a second:
/// `22.1 ms`, `9 min 59.5 s`, `2 d 3 h`. From ten years on, the text has whole years: `50 years`.
pub fn rounded_duration(ns: u64) -> String {
    const TENTH_NS: u64 = NS_PER_SECOND / 10;
    /// A year of the Gregorian calendar, on average.
    const YEAR_SECONDS: u64 = 31_556_952;
    let (seconds, rest) = split_seconds(ns);
    if 10 * YEAR_SECONDS <= seconds {
        return format!("{} years", seconds / YEAR_SECONDS);
    }
    let rounded_ns = match seconds {
        // Three significant digits below a second.
        0 => rest - rest % 10u64.pow(rest.checked_ilog10().unwrap_or(0).saturating_sub(2)),
        1..3_600 => ns - ns % TENTH_NS,
        3_600..86_400 => (seconds - seconds % 60) * NS_PER_SECOND,
        _ => (seconds - seconds % 3_600) * NS_PER_SECOND,
    };
    duration(i64::try_from(rounded_ns).unwrap_or(i64::MAX))
}

/// Formats a time range to the second: `2025-10-09 08:53:20 – 09:03:20 UTC`. The date of the end is
/// left out if it is that of the start. Times of [`Zone::Relative`] are exact.
pub fn time_range(first_ns: i64, last_ns: i64, zone: &Zone) -> String {
    let texts = [first_ns, last_ns].map(|ns| zone.format(ns));
    joined_range(&texts.map(|text| match parts_of_time(&text) {
        Some((date, clock, suffix)) => {
            format!("{date} {} {suffix}", clock.split('.').next().unwrap_or(clock))
        }
        None => text,
    }))
}

/// Formats a time range with as many decimals as it needs: `2025-10-09 08:53:20.25 – 08:53:20.5 UTC`. The
/// end is that of the last nanosecond if its text is shorter.
pub fn exact_time_range(first_ns: i64, last_ns: i64, zone: &Zone) -> String {
    let text = |ns: i64| {
        let text = zone.format(ns);
        text.split(' ').map(trim_zeros).collect::<Vec<_>>().join(" ")
    };
    let (last, end) = (text(last_ns), text(last_ns.saturating_add(1)));
    joined_range(&[text(first_ns), if end.len() < last.len() { end } else { last }])
}

/// Joins two texts of [`Zone::format`], without the date and zone that are the same in both.
fn joined_range(texts: &[String; 2]) -> String {
    let [first, last] = [&texts[0], &texts[1]].map(|text| parts_of_time(text));
    let (Some((date, clock, suffix)), Some((last_date, last_clock, last_suffix))) = (first, last)
    else {
        return texts.join(" – ");
    };
    let first_suffix = if suffix == last_suffix { String::new() } else { format!(" {suffix}") };
    let last_date = if date == last_date { String::new() } else { format!("{last_date} ") };
    format!("{date} {clock}{first_suffix} – {last_date}{last_clock} {last_suffix}")
}

/// Formats a time on an axis of this width: without digits that differ between the times of one pixel, and
/// without the date if the axis is shorter than a day.
pub fn axis_time(ts_ns: i64, axis: Span, width_px: f64, zone: &Zone) -> String {
    let text = zone.format(ts_ns);
    let Some((whole, fraction)) = text.split_once('.') else { return text };
    let px_ns = axis.width() / width_px;
    let mut decimals = 0;
    let mut unit_ns = 1e9;
    while px_ns < unit_ns && decimals < 9 {
        decimals += 1;
        unit_ns /= 10.0;
    }
    let clock = match whole.split_once(' ') {
        Some((_, clock)) if axis.width() < NS_PER_DAY as f64 => clock,
        _ => whole,
    };
    let point = if decimals == 0 { "" } else { "." };
    let unit = if let Zone::Relative(_) = zone { " s" } else { "" };
    [clock, point, fraction.get(..decimals).unwrap_or_default(), unit].concat()
}

/// Splits the text of [`Zone::format`] into its date, its clock time and the name of its zone. Returns
/// `None` for a number of seconds.
fn parts_of_time(text: &str) -> Option<(&str, &str, &str)> {
    let (date, rest) = text.split_once(' ')?;
    let (clock, suffix) = rest.split_once(' ')?;
    Some((date, clock, suffix))
}

/// Splits nanoseconds into whole seconds and the remaining nanoseconds.
fn split_seconds(ns: u64) -> (u64, u64) {
    (ns / NS_PER_SECOND, ns % NS_PER_SECOND)
}

/// Formats a share as a percentage with one decimal: `95.1 %`.
pub fn percent(part: u64, whole: u64) -> String {
    match part as f64 * 100.0 / whole.max(1) as f64 {
        percent if percent < 0.05 && part > 0 => "<0.1 %".to_owned(),
        percent => format!("{} %", fixed(percent, 1)),
    }
}

/// A text of a file that is shown between others: right-to-left letters in it do not change the order of the
/// others. Characters that control the direction are replaced.
pub fn isolated(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let is_control = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    format!("\u{2068}{}\u{2069}", text.replace(is_control, "\u{fffd}"))
}

/// The name of a value, which can be empty.
pub fn named(text: &str) -> &str {
    if text.is_empty() { "(empty)" } else { text }
}

/// Formats a number of packets: `1 packet`, `2,000 packets`.
pub fn packets(count: u64) -> String {
    match count {
        1 => "1 packet".to_owned(),
        count => format!("{} packets", grouped(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_rounds_to_decimals() {
        for value in [0.0, 0.004, 0.006, 1.0, 1.25, 12.345_6, 999.96, 123_456.789, 8e12] {
            for decimals in [0, 1, 2, 3, 9] {
                // No value is a half of its last decimal, except 1.25.
                if (value, decimals) != (1.25, 1) {
                    assert_eq!(fixed(value, decimals), format!("{value:.decimals$}"));
                    assert_eq!(
                        fixed(-value, decimals).trim_start_matches('-'),
                        fixed(value, decimals)
                    );
                }
            }
        }
        assert_eq!((fixed(-0.001, 2), fixed(-1.5, 0)), ("0.00".to_owned(), "-2".to_owned()));
        assert_eq!(fixed(f64::INFINITY, 0), u64::MAX.to_string());
    }

    #[test]
    fn decimals_have_no_trailing_zeros() {
        let texts = [0.0, 88.8, 28.8 * 3.0, -14.5, 1e9, 0.000_000_4].map(|value| decimal(value, 6));
        assert_eq!(texts, ["0", "88.8", "86.4", "-14.5", "1000000000", "0"]);
    }

    #[test]
    fn numbers_are_readable() {
        let texts = [999, 1_000, 999_499, 999_500, 12_345_678, 1_000_000_000_000].map(bytes);
        assert_eq!(texts, ["999 B", "1.00 kB", "999 kB", "1.00 MB", "12.3 MB", "1.00 TB"]);
        let texts = [0.0, 0.5, 12.0, 999.4, 999.6, 1_234_567.0].map(prefixed);
        assert_eq!(texts, ["0", "0.5", "12", "999", "1 k", "1.23 M"]);
        let small = [0.1, 0.015, 0.005, 0.000_012_5, 4e-12].map(prefixed);
        assert_eq!(small, ["0.1", "15 m", "5 m", "12.5 µ", "0 n"]);
        assert_eq!(
            [percent(1, 100_000), percent(1, 3), percent(0, 0)],
            ["<0.1 %", "33.3 %", "0.0 %"]
        );
        assert_eq!([0, 1, 2_000].map(packets), ["0 packets", "1 packet", "2,000 packets"]);
    }

    #[test]
    fn durations_are_exact_or_rounded() {
        for (ns, exact, rounded) in [
            (0, "0 s", "0 s"),
            (999, "999 ns", "999 ns"),
            (-1_500, "−1.5 µs", "1.5 µs"),
            (1_000_000, "1 ms", "1 ms"),
            (22_123_456, "22.123456 ms", "22.1 ms"),
            (1_000_000_001, "1.000000001 s", "1 s"),
            (60_000_000_000, "1 min", "1 min"),
            (599_536_079_104, "9 min 59.536079104 s", "9 min 59.5 s"),
            (3_600_000_000_000, "1 h", "1 h"),
            (3_661_000_000_000, "1 h 1 min 1 s", "1 h 1 min"),
            (86_400_000_000_000, "1 d", "1 d"),
            (183_600_000_000_001, "2 d 3 h 0.000000001 s", "2 d 3 h"),
        ] {
            assert_eq!(duration(ns), exact);
            assert_eq!(rounded_duration(ns.unsigned_abs()), rounded);
        }
    }

    #[test]
    fn long_durations_are_in_years() {
        const DAY: u64 = 86_400_000_000_000;
        let texts = [3_652 * DAY, 3_653 * DAY, 18_263 * DAY, u64::MAX].map(rounded_duration);
        assert_eq!(texts, ["3,652 d", "10 years", "50 years", "584 years"]);
    }

    #[test]
    fn times_of_an_axis_have_as_many_digits_as_its_pixels() {
        const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z
        let time = |len_ns: i64, zone: &Zone| {
            axis_time(NOON + 1_234_567_891, Span::new(NOON, NOON + len_ns), 1_000.0, zone)
        };
        for (len_ns, expected) in [
            (1_000, "12:00:01.234567891"),
            (10_000_000, "12:00:01.23456"),
            (999_000_000_000, "12:00:01.2"),
            (1_000_000_000_000, "12:00:01"),
            (86_400_000_000_000, "2026-11-24 12:00:01"),
        ] {
            assert_eq!(time(len_ns, &Zone::Utc), expected);
        }
        assert_eq!(time(1_000_000_000, &Zone::Relative(NOON)), "1.234 s");
        assert_eq!(time(i64::MAX - NOON, &Zone::Relative(NOON)), "1 s");
    }

    #[test]
    fn texts_of_files_cannot_reorder_others() {
        assert_eq!(isolated("tcp"), "tcp");
        assert_eq!(isolated("\u{202e}pct\u{2069}"), "\u{2068}\u{fffd}pct\u{fffd}\u{2069}");
        assert_eq!([named(""), named("tcp")], ["(empty)", "tcp"]);
    }

    #[test]
    fn time_ranges_repeat_only_what_differs() {
        const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z
        const DAY: i64 = 86_400_000_000_000;
        let range = |len_ns: i64| time_range(NOON + 5, NOON + len_ns, &Zone::Utc);
        assert_eq!(range(600_500_000_000), "2026-11-24 12:00:00 – 12:10:00 UTC");
        assert_eq!(range(DAY), "2026-11-24 12:00:00 – 2026-11-25 12:00:00 UTC");
        let exact = |first, last| exact_time_range(NOON + first, NOON + last, &Zone::Utc);
        assert_eq!(exact(0, 999_999_999), "2026-11-24 12:00:00 – 12:00:01 UTC");
        assert_eq!(exact(500_000_000, 3_499_999_999), "2026-11-24 12:00:00.5 – 12:00:03.5 UTC");
        assert_eq!(exact(5, 7), "2026-11-24 12:00:00.000000005 – 12:00:00.000000007 UTC");
        assert_eq!(
            exact_time_range(NOON, NOON + 4_999_999_999, &Zone::Relative(NOON)),
            "0 s – 5 s"
        );
        let start = Zone::Relative(NOON);
        assert_eq!(time_range(NOON, NOON + 5, &start), "0.000000000 s – 0.000000005 s");
    }
}
