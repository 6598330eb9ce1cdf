//! Durations as text.

use super::trim_zeros;
use summary::grouped;

const NS_PER_SECOND: u64 = 1_000_000_000;
/// Units of a duration above a second, largest first, in seconds.
const LONG_UNITS: [(&str, u64); 3] = [("d", 86_400), ("h", 3_600), ("min", 60)];

/// Formats a duration exactly: `1.5 µs`, `2 s`, `9 min 59.536079104 s`, `1 d`.
pub fn duration(ns: i64) -> String {
    let sign = if ns < 0 { "−" } else { "" };
    let (mut seconds, rest) = split_seconds(ns.unsigned_abs());
    if seconds == 0 {
        return format!("{sign}{}", subsecond(rest));
    }
    let mut parts = Vec::new();
    for (unit, len) in LONG_UNITS {
        if len <= seconds {
            parts.push(format!("{} {unit}", grouped(seconds / len)));
            seconds %= len;
        }
    }
    if 0 < seconds || 0 < rest {
        parts.push(format!("{} s", trim_zeros(&format!("{seconds}.{rest:09}"))));
    }
    format!("{sign}{}", parts.join(" "))
}

/// Splits nanoseconds into whole seconds and the remaining nanoseconds.
fn split_seconds(ns: u64) -> (u64, u64) {
    (ns / NS_PER_SECOND, ns % NS_PER_SECOND)
}

/// Formats less than a second exactly, in its largest unit.
fn subsecond(ns: u64) -> String {
    let (unit, per_unit, decimals) = match ns {
        0 => return "0 s".to_owned(),
        1..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => ("µs", 1_000, 3),
        _ => ("ms", 1_000_000, 6),
    };
    let text = format!("{}.{:0decimals$}", ns / per_unit, ns % per_unit);
    format!("{} {unit}", trim_zeros(&text))
}
