//! Points in time as integer nanoseconds, and their text in the output.
//!
//! Writing and parsing are our own code because they are on the path of every packet: a cache of the
//! last second leaves only the fraction to convert. No clock is read here.

use crate::digits::{leading_digits, put_digits};
use serde::{Deserialize, Serialize, de};
use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z (POSIX time: no leap seconds), from the year 1677 to 2262.
///
/// The text is RFC 3339 in UTC with nine fractional digits and `Z`. It always has 30 bytes, is exact,
/// and sorts like the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    ns: i64,
}

const NS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Length in bytes of the text of every timestamp.
pub(crate) const TEXT_LEN: usize = 30;
/// Length in bytes of the text up to the whole second: `2026-11-23T02:53:38`.
const SECOND_LEN: usize = 19;

impl Timestamp {
    /// The time `ns` nanoseconds after the epoch.
    pub const fn from_ns(ns: i64) -> Self {
        Self { ns }
    }

    /// The time `seconds` and `subsec_ns` after the epoch, clamped to the range of 64 bits.
    pub fn from_parts(seconds: i64, subsec_ns: u32) -> Self {
        let ns = i128::from(seconds) * i128::from(NS_PER_SECOND) + i128::from(subsec_ns);
        let limit = if seconds < 0 { i64::MIN } else { i64::MAX };
        Self { ns: i64::try_from(ns).unwrap_or(limit) }
    }

    /// Whether the time is the first or the last one of the range, to which [`Timestamp::from_parts`]
    /// clamps all times outside.
    pub const fn is_clamped(self) -> bool {
        matches!(self.ns, i64::MIN | i64::MAX)
    }

    /// Nanoseconds since the epoch, negative before 1970.
    pub const fn ns(self) -> i64 {
        self.ns
    }

    /// Parses the 30 bytes that `Display` writes; `None` for any other form of RFC 3339.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; TEXT_LEN] = text.try_into().ok()?;
        let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.')];
        if text[29] != b'Z' || punctuation.iter().any(|&(at, byte)| text[at] != byte) {
            return None;
        }
        let (year, month, day) =
            (digits(&text[0..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
        let (hour, minute, second) =
            (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
        if !(1..=12).contains(&month) || day == 0 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        if day > days_of_month(year, month) {
            return None;
        }
        let days = days_from_civil(year, month, day);
        let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
        let subsec_ns = digits(&text[20..29])?;
        // The seconds alone can be below the range of 64 bits where their sum with the fraction is not.
        let ns = i128::from(seconds) * i128::from(NS_PER_SECOND) + i128::from(subsec_ns);
        Some(Self { ns: i64::try_from(ns).ok()? })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buf = [0; TEXT_LEN];
        SecondCache::default().write(*self, &mut buf);
        formatter.write_str(&String::from_utf8_lossy(&buf))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Timestamp;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a time like 2026-11-23T02:53:38.123456789Z")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text.as_bytes())
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Writes and parses timestamps with a cache of the last second, which consecutive packets often
/// share.
#[derive(Debug)]
pub(crate) struct SecondCache {
    second: i64,
    /// Start of the second in nanoseconds; `None` if that is below the range of a timestamp.
    second_ns: Option<i64>,
    text: [u8; SECOND_LEN],
}

impl Default for SecondCache {
    fn default() -> Self {
        Self { second: 0, second_ns: Some(0), text: *b"1970-01-01T00:00:00" }
    }
}

impl SecondCache {
    /// Writes the text of a time; returns its length, which is constant.
    pub(crate) fn write(&mut self, time: Timestamp, buf: &mut [u8; TEXT_LEN]) -> usize {
        let second = time.ns.div_euclid(NS_PER_SECOND);
        if second != self.second {
            self.set(second, second_text(second));
        }
        buf[..SECOND_LEN].copy_from_slice(&self.text);
        buf[SECOND_LEN] = b'.';
        put_digits(&mut buf[20..29], time.ns.rem_euclid(NS_PER_SECOND).unsigned_abs());
        buf[29] = b'Z';
        TEXT_LEN
    }

    /// Parses the same texts as [`Timestamp::parse`].
    #[inline]
    pub(crate) fn parse(&mut self, text: &[u8]) -> Option<Timestamp> {
        let text: &[u8; TEXT_LEN] = text.try_into().ok()?;
        let (second, rest) = text.split_first_chunk::<SECOND_LEN>()?;
        let [b'.', fraction @ .., last, b'Z'] = rest else { return None };
        let (subsec_ns, len) = leading_digits(u64::from_le_bytes(fraction.try_into().ok()?));
        if !is_same(second, &self.text) || len < 8 || !last.is_ascii_digit() {
            return self.parse_uncached(text);
        }
        let subsec_ns = subsec_ns * 10 + u64::from(last - b'0');
        match self.second_ns.and_then(|ns| ns.checked_add_unsigned(subsec_ns)) {
            Some(ns) => Some(Timestamp { ns }),
            None => self.parse_uncached(text),
        }
    }

    #[cold]
    fn parse_uncached(&mut self, text: &[u8; TEXT_LEN]) -> Option<Timestamp> {
        let time = Timestamp::parse(text)?;
        let (second, _) = text.split_first_chunk()?;
        self.set(time.ns.div_euclid(NS_PER_SECOND), *second);
        Some(time)
    }

    fn set(&mut self, second: i64, text: [u8; SECOND_LEN]) {
        *self = Self { second, second_ns: second.checked_mul(NS_PER_SECOND), text };
    }
}

/// Like `==`, which is a function call in WebAssembly.
#[inline]
fn is_same(one: &[u8; SECOND_LEN], other: &[u8; SECOND_LEN]) -> bool {
    let word = |text: &[u8; SECOND_LEN], at: usize| {
        u64::from_le_bytes(text[at..].first_chunk().copied().unwrap_or_default())
    };
    let differs = |at| word(one, at) ^ word(other, at);
    // The last word overlaps the previous one.
    differs(0) | differs(8) | differs(SECOND_LEN - 8) == 0
}

fn second_text(second: i64) -> [u8; SECOND_LEN] {
    let (year, month, day) = civil_from_days(second.div_euclid(SECONDS_PER_DAY));
    let of_day = second.rem_euclid(SECONDS_PER_DAY);
    let mut text = *b"0000-00-00T00:00:00";
    put_digits(&mut text[0..4], year.unsigned_abs());
    put_digits(&mut text[5..7], month.unsigned_abs());
    put_digits(&mut text[8..10], day.unsigned_abs());
    put_digits(&mut text[11..13], (of_day / 3600).unsigned_abs());
    put_digits(&mut text[14..16], (of_day / 60 % 60).unsigned_abs());
    put_digits(&mut text[17..19], (of_day % 60).unsigned_abs());
    text
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// Number of days of a month from 1 to 12.
fn days_of_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
///
/// Years start on 1 March, so the leap day is the last day of a year, and the first day of a month is
/// a linear function of the month.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date (year, month, day) of a number of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn well_known_times_have_their_texts() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (951_782_400_000_000_007, "2000-02-29T00:00:00.000000007Z"),
            (1_795_402_418_123_456_789, "2026-11-23T02:53:38.123456789Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
        ] {
            assert_eq!(Timestamp::from_ns(ns).to_string(), text);
            assert_eq!(Timestamp::parse(text.as_bytes()), Some(Timestamp::from_ns(ns)));
        }
    }

    #[test]
    fn times_outside_the_range_are_clamped() {
        let (first, last) = (i64::MIN.div_euclid(NS_PER_SECOND), i64::MAX / NS_PER_SECOND);
        for (seconds, subsec_ns, ns) in [
            (last, 854_775_806, i64::MAX - 1),
            (last, 854_775_808, i64::MAX),
            (last + 1, 0, i64::MAX),
            (i64::MAX, 999_999_999, i64::MAX),
            (first, 145_224_193, i64::MIN + 1),
            (first, 145_224_191, i64::MIN),
            (i64::MIN, 999_999_999, i64::MIN),
        ] {
            let time = Timestamp::from_parts(seconds, subsec_ns);
            assert_eq!(time.ns(), ns, "{seconds}");
            assert_eq!(time.is_clamped(), matches!(ns, i64::MIN | i64::MAX), "{seconds}");
        }
    }

    proptest! {
        /// The cache never changes the result, whatever was parsed before.
        #[test]
        fn cache_parses_like_timestamp_parse(
            times in proptest::collection::vec(prop_oneof![any::<i64>(), 0i64..3_000_000_000, Just(i64::MIN)], 1..5),
            damage in proptest::option::of((0usize..31, any::<u8>())),
        ) {
            let mut cache = SecondCache::default();
            for ns in times {
                let mut text = Timestamp::from_ns(ns).to_string().into_bytes();
                if let Some((at, byte)) = damage {
                    text.resize(text.len().max(at + 1), byte);
                    text[at] = byte;
                }
                prop_assert_eq!(cache.parse(&text), Timestamp::parse(&text));
            }
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in [
            "",
            "2026-11-23T02:53:38Z",
            "2026-02-29T02:53:38.123456789Z",
            "2026-13-01T02:53:38.123456789Z",
            "2026-11-23T24:00:00.000000000Z",
            "2026-11-23 02:53:38.123456789Z",
            "2026-11-23T02:53:38.12345678xZ",
            "2263-01-01T00:00:00.000000000Z",
        ] {
            assert_eq!(Timestamp::parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_parses_back(ns: i64) {
            let text = Timestamp::from_ns(ns).to_string();
            prop_assert_eq!(Timestamp::parse(text.as_bytes()), Some(Timestamp::from_ns(ns)));
        }

        /// A date is valid if converting it to days and back does not change it.
        #[test]
        fn dates_outside_the_calendar_are_rejected(year in 1678i64..2262, month in 1i64..13, day in 1i64..32) {
            let text = format!("{year:04}-{month:02}-{day:02}T00:00:00.000000000Z");
            let is_date = civil_from_days(days_from_civil(year, month, day)) == (year, month, day);
            prop_assert_eq!(Timestamp::parse(text.as_bytes()).is_some(), is_date);
        }

        #[test]
        fn text_sorts_like_time(a: i64, b: i64) {
            let text = |ns| Timestamp::from_ns(ns).to_string();
            prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
        }
    }
}
