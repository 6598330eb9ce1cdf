//! Timestamps of RFC 3339.

use super::NS_PER_SECOND;
use summary::Timestamp;

/// Parses an RFC 3339 timestamp into nanoseconds since the epoch. Accepts any number of fractional
/// digits, truncating beyond nanoseconds, and any UTC offset.
pub fn rfc3339(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_at_checked(19)?;
    let (digits, zone) = match rest.strip_prefix('.') {
        Some(rest) => split_while(rest, |c| c.is_ascii_digit()),
        None => ("", rest),
    };
    let fraction = &digits[..digits.len().min(9)];
    let mut canonical = format!("{whole}.{fraction:0<9}Z").into_bytes();
    // RFC 3339, section 5.6 allows a space or a lowercase letter instead of T.
    if matches!(canonical[10], b' ' | b't') {
        canonical[10] = b'T';
    }
    let utc = Timestamp::parse(&canonical)?.ns();
    utc.checked_sub(offset_minutes(zone)? * 60 * NS_PER_SECOND)
}

/// Minutes ahead of UTC: `Z`, `+01:00`, `-02:30`.
fn offset_minutes(zone: &str) -> Option<i64> {
    let &[sign @ (b'+' | b'-'), h, i, b':', m, n] = zone.as_bytes() else {
        return matches!(zone, "Z" | "z").then_some(0);
    };
    let two = |a: u8, b: u8| {
        (a.is_ascii_digit() && b.is_ascii_digit())
            .then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
    };
    let minutes = two(h, i)? * 60 + two(m, n)?;
    Some(if sign == b'+' { minutes } else { -minutes })
}

/// Splits after the longest prefix of accepted characters.
pub(crate) fn split_while(text: &str, accepts: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !accepts(c)).unwrap_or(text.len()))
}
