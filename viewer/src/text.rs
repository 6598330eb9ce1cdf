//! Numbers and times as people read them.

use summary::grouped;

/// Bytes with a decimal unit and three significant digits.
pub fn bytes(count: u64) -> String {
    if count < 1_000 {
        return format!("{count} B");
    }
    let (digits, prefix) = scaled(count as f64);
    format!("{digits} {prefix}B")
}

/// Three significant digits of a number, and the decimal prefix that goes with them.
fn scaled(mut value: f64) -> (String, &'static str) {
    const PREFIXES: [&str; 5] = ["k", "M", "G", "T", "P"];
    let mut prefix = "";
    for next in PREFIXES {
        // 999.5 would round to 1000 of the smaller one.
        if value < 999.5 {
            break;
        }
        value /= 1_000.0;
        prefix = next;
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    (format!("{value:.decimals$}"), prefix)
}

/// A whole number with its thousands set apart.
pub fn integer(number: i64) -> String {
    format!("{}{}", if number < 0 { "−" } else { "" }, grouped(number.unsigned_abs()))
}

/// A length of time in the largest unit that tells it with few digits, exactly.
pub fn duration(ns: i64) -> String {
    const UNITS: [(&str, u64, usize); 4] =
        [("s", 1_000_000_000, 9), ("ms", 1_000_000, 6), ("µs", 1_000, 3), ("ns", 1, 0)];
    let sign = if ns < 0 { "−" } else { "" };
    let ns = ns.unsigned_abs();
    let (unit, per_unit, digits) =
        UNITS.into_iter().find(|(_, per_unit, _)| *per_unit <= ns).unwrap_or(("s", 1, 0));
    let fraction = format!("{:0digits$}", ns % per_unit);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{fraction} {unit}", grouped(ns / per_unit))
}

/// A number with a decimal prefix and at most three significant digits: 1.23 M.
pub fn prefixed(value: f64) -> String {
    let (digits, prefix) = scaled(value);
    let digits = match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => &digits,
    };
    if prefix.is_empty() { digits.to_owned() } else { format!("{digits} {prefix}") }
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
        assert_eq!(
            [0, 999, -1_500, 1_000_000, 3_600_000_000_000, 1_000_000_001].map(duration),
            ["0 s", "999 ns", "−1.5 µs", "1 ms", "3,600 s", "1.000000001 s"]
        );
        let texts = [0.0, 0.5, 12.0, 999.4, 999.6, 1_234_567.0].map(prefixed);
        assert_eq!(texts, ["0", "0.5", "12", "999", "1 k", "1.23 M"]);
        assert_eq!(seconds(61_000_000_001), "61.000000001 s");
        assert_eq!(
            [percent(1, 100_000), percent(1, 3), percent(0, 0)],
            ["<0.1 %", "33.3 %", "0.0 %"]
        );
    }
}
