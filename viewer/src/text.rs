//! Numbers and times as people read them.

use summary::grouped;

/// Bytes with a decimal unit and three significant digits.
pub fn bytes(count: u64) -> String {
    if count < 1_000 {
        return format!("{count} B");
    }
    let (value, decimals, prefix) = scaled(count as f64);
    format!("{} {prefix}B", fixed(value, decimals))
}

/// A number in the unit that its decimal prefix makes, and the digits behind the point that make
/// three with those before it.
fn scaled(mut value: f64) -> (f64, u32, &'static str) {
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
    let decimals = if value < 9.995 { 2 } else { u32::from(value < 99.95) };
    (value, decimals, prefix)
}

/// A number with so many digits behind the point, at most 9: what `{:.decimals$}` gives, without the
/// standard library's tables for numbers of any size, which are a tenth of the page's program.
/// Numbers from 2^64 on are cut to the largest below.
pub fn fixed(value: f64, decimals: u32) -> String {
    let unit = u128::from(10u64.pow(decimals.min(9)));
    let bits = value.to_bits();
    // The value is mantissa · 2^exponent (IEEE 754, binary64), and 83 bits are enough for the
    // mantissa times a thousand million.
    let (biased, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    let mantissa = if biased == 0 { fraction } else { fraction | 1 << 52 };
    let scaled = u128::from(mantissa) * unit;
    let rounded = match biased.max(1).checked_sub(1_075) {
        Some(exponent) => scaled << exponent.min(44),
        None => {
            let shift = (1_075 - biased.max(1)).min(100);
            let (whole, rest) = (scaled >> shift, scaled & ((1 << shift) - 1));
            let half = 1 << (shift - 1);
            whole + u128::from(half < rest || half == rest && whole & 1 == 1)
        }
    };
    let whole = u64::try_from(rounded / unit).unwrap_or(u64::MAX);
    let rest = u64::try_from(rounded % unit).unwrap_or_default();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{rest:0width$}", width = decimals.min(9) as usize),
    }
}

/// A number with at most so many digits behind the point: no more than it needs.
pub fn decimal(value: f64, decimals: u32) -> String {
    let mut text = fixed(value, decimals);
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
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
    let (value, decimals, prefix) = scaled(value);
    let digits = decimal(value, decimals);
    if prefix.is_empty() { digits } else { format!("{digits} {prefix}") }
}

/// A length of time to the nanosecond, in seconds.
pub fn seconds(ns: u64) -> String {
    format!("{}.{:09} s", grouped(ns / 1_000_000_000), ns % 1_000_000_000)
}

/// A share of a whole in per cent.
pub fn percent(part: u64, whole: u64) -> String {
    match part as f64 * 100.0 / whole.max(1) as f64 {
        percent if percent < 0.05 && part > 0 => "<0.1 %".to_owned(),
        percent => format!("{} %", fixed(percent, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(
            value in prop_oneof![
                -1e9f64..1e9,
                -10f64..10.0,
                (-100_000i32..100_000).prop_map(|eighths| f64::from(eighths) / 8.0),
                (-100_000i32..100_000).prop_map(|thousandths| f64::from(thousandths) / 1e3),
                -1e19f64..1e19,
                any::<f64>().prop_filter("in range", |value| value.abs() < 1.8e19),
            ],
            decimals in 0u32..=9,
        ) {
            prop_assert_eq!(fixed(value, decimals), format!("{value:.*}", decimals as usize));
        }
    }

    #[test]
    fn digits_are_no_more_than_needed_and_numbers_too_large_are_cut() {
        let texts = [0.0, 88.8, 28.8 * 3.0, -14.5, 1e9, 0.000_000_4].map(|value| decimal(value, 6));
        assert_eq!(texts, ["0", "88.8", "86.4", "-14.5", "1000000000", "0"]);
        let largest = "18446744073709551615";
        assert_eq!([1e300, f64::INFINITY, f64::NAN].map(|value| fixed(value, 0)), [largest; 3]);
        assert_eq!(fixed(1e18, 9), "1000000000000000000.000000000");
    }

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
