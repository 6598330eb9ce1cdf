//! Lines of other programs: any JSON object with a time and a length.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use summary::{Address, LinkType, Packet, Proto, Summary, Timestamp};

/// What is looked for in a line; all else is passed over.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    ts: &'a RawValue,
    len: u32,
    n: Option<u64>,
    #[serde(borrow)]
    src: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dst: Option<Cow<'a, str>>,
    #[serde(borrow)]
    proto: Option<Cow<'a, str>>,
}

/// The packet of a line with `ts` and `len`; `None` where there is none. Without a number it gets
/// `n`.
///
/// `ts` is an RFC 3339 time, or a number since the epoch: seconds, or from 10¹¹ on milliseconds, from
/// 10¹⁴ on microseconds, from 10¹⁷ on nanoseconds.
pub(super) fn packet(line: &[u8], n: u64) -> Option<Packet<'_>> {
    let fields: Fields<'_> = serde_json::from_slice(line).ok()?;
    let mut summary = Summary::new(LinkType::ETHERNET, fields.len, fields.len);
    let address = |text: &Option<Cow<'_, str>>| Address::parse(text.as_ref()?.as_bytes());
    summary.src = address(&fields.src);
    summary.dst = address(&fields.dst);
    summary.proto = Proto::parse(fields.proto.unwrap_or_else(|| "unknown".into()));
    Some(Packet::new(fields.n.unwrap_or(n), time(fields.ts.get())?, summary))
}

/// The time of a JSON value.
fn time(value: &str) -> Option<Timestamp> {
    match value.strip_prefix('"') {
        Some(text) => date(text.strip_suffix('"')?),
        None => number(value),
    }
}

/// RFC 3339 with any number of fractional digits and any offset; beyond nanoseconds they are cut.
fn date(text: &str) -> Option<Timestamp> {
    let (whole, rest) = text.split_at_checked(19)?;
    let digits = rest.strip_prefix('.').map_or("", |rest| {
        let end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
        &rest[..end]
    });
    let zone = &rest[if rest.starts_with('.') { 1 + digits.len() } else { 0 }..];
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
    Some(Timestamp::from_ns(utc.checked_sub(offset_minutes * 60_000_000_000)?))
}

/// A number in the unit that its size tells, without going through floating point.
fn number(text: &str) -> Option<Timestamp> {
    if text.contains(['e', 'E']) {
        #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
        return Some(Timestamp::from_ns((text.parse::<f64>().ok()? * 1e9) as i64));
    }
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = match whole.len() {
        ..=11 => 9,
        12..=14 => 6,
        15..=17 => 3,
        _ => 0,
    };
    let mut fraction = fraction.to_owned();
    fraction.truncate(places);
    let ns: i64 = format!("{whole}{fraction:0<places$}").parse().ok()?;
    Some(Timestamp::from_ns(if is_negative { -ns } else { ns }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_other_programs_are_read() {
        const NS: i64 = 1_795_402_418_123_456_789; // 2026-11-23T02:53:38.123456789Z
        for (value, ns) in [
            (r#""2026-11-23T02:53:38.123456789Z""#, NS),
            (r#""2026-11-23T02:53:38.1234567891234Z""#, NS),
            (r#""2026-11-23 03:53:38.123456789+01:00""#, NS),
            (r#""2026-11-22T21:53:38.123-05:00""#, NS - 456_789),
            (r#""2026-11-23T02:53:38Z""#, NS - 123_456_789),
            ("1795402418.123456789", NS),
            ("1795402418", NS - 123_456_789),
            ("1795402418123", NS - 456_789),
            ("1795402418123.456789", NS),
            ("1795402418123456", NS - 789),
            ("1795402418123456789", NS),
            ("0.5", 500_000_000),
            ("-1.5", -1_500_000_000),
            ("1e3", 1_000_000_000_000),
        ] {
            assert_eq!(time(value).map(Timestamp::ns), Some(ns), "{value}");
        }
        for value in [r#""soon""#, r#""2026-11-23T02:53:38""#, "null", "[1]", "\"\"", "true"] {
            assert_eq!(time(value), None, "{value}");
        }
    }

    #[test]
    fn lines_with_time_and_length_are_packets() {
        let line = br#" {"a":[{"b":null}], "len": 60, "src":"10.0.0.1","proto":"dns", "ts" : 1.5}"#;
        let packet = packet(line, 7).unwrap();
        assert_eq!((packet.n, packet.ts.ns(), packet.summary.len), (7, 1_500_000_000, 60));
        assert_eq!(packet.summary.src, Some(Address::V4([10, 0, 0, 1])));
        for line in [&br#"{"ts":1}"#[..], br#"{"len":1}"#, b"[1,2]", br#"{"ts":1,"len":-1}"#] {
            assert!(super::packet(line, 1).is_none());
        }
    }
}
