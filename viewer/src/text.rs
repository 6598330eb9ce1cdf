//! Numbers and times as people read them.

use summary::{Timestamp, grouped};

/// Bytes with a decimal unit and three significant digits.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut value = count as f64;
    let mut unit = "B";
    for next in UNITS {
        // 999.5 would round to 1000 of the smaller unit.
        if value < 999.5 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {unit}")
}

/// A point in time to the nanosecond: `2026-11-23 02:53:38.123456789 UTC`.
pub fn time(ts_ns: i64) -> String {
    let text = Timestamp::from_ns(ts_ns).to_string();
    format!("{} {} UTC", &text[..10], &text[11..29])
}

/// A length of time to the nanosecond, in seconds.
pub fn seconds(ns: u64) -> String {
    format!("{}.{:09} s", grouped(ns / 1_000_000_000), ns % 1_000_000_000)
}

/// A share of a whole in per cent.
pub fn percent(part: u64, whole: u64) -> String {
    match part as f64 * 100.0 / whole.max(1) as f64 {
        percent if percent < 0.05 && part > 0 => "<0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        let texts = [999, 1_000, 999_499, 999_500, 12_345_678, 1_000_000_000_000].map(bytes);
        assert_eq!(texts, ["999 B", "1.00 kB", "999 kB", "1.00 MB", "12.3 MB", "1.00 TB"]);
        assert_eq!(time(1_795_402_418_123_456_789), "2026-11-23 02:53:38.123456789 UTC");
        assert_eq!(seconds(61_000_000_001), "61.000000001 s");
        assert_eq!(
            [percent(1, 100_000), percent(1, 3), percent(0, 0)],
            ["<0.1 %", "33.3 %", "0.0 %"]
        );
    }
}
