//! Parsers for the values of options. Their errors are shown after clap's `invalid value …:`.

use clap::builder::{OsStringValueParser, TypedValueParser};
use std::fmt::Display;
use std::net::SocketAddr;
use std::num::{IntErrorKind, ParseIntError};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::capture::DEFAULT_SNAPLEN;
use crate::interfaces::NamespaceName;
use crate::packet_file::RingLimits;

/// Longest alternative name of an interface: `ALTIFNAMSIZ` without the terminating zero (linux/if.h).
const MAX_INTERFACE_NAME_LEN: usize = 127;

/// Longest duration in seconds: about 95 years, so that adding it to a clock cannot overflow.
const MAX_SECONDS: f64 = 3e9;

/// Memory of `--ring` without a size, in bytes.
const DEFAULT_RING_LEN: usize = 256 << 20;

/// Largest size of `--ring`, in bytes.
const MAX_RING_LEN: usize = 1 << 40;

/// Shortest interval between two files. Shorter ones fill a directory with files without packets.
const MIN_ROTATION_INTERVAL: Duration = Duration::from_millis(100);

/// A name or a number of an interface.
pub(super) fn interface_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("interface name is empty; list interfaces with sniffer -D".into());
    }
    if MAX_INTERFACE_NAME_LEN < text.len() {
        return Err(format!("interface names have at most {MAX_INTERFACE_NAME_LEN} bytes"));
    }
    Ok(text.to_owned())
}

/// A parser of addresses to listen on. The port is that of the example.
pub(super) fn socket_address(
    port: u16,
) -> impl Fn(&str) -> Result<SocketAddr, String> + Clone + Send + Sync + 'static {
    move |text| {
        let example = || format!("expected ADDRESS:PORT, e.g. 127.0.0.1:{port} or [::1]:{port}");
        text.parse().map_err(|_| example())
    }
}

pub(super) fn namespace(text: &str) -> Result<NamespaceName, String> {
    if text.is_empty() {
        return Err("name is empty; list namespaces with ip netns list".into());
    }
    Ok(NamespaceName(text.to_owned()))
}

/// A parser of file names, which are any bytes.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|name| match name.is_empty() {
        true => Err("file name is empty"),
        false => Ok(PathBuf::from(name)),
    })
}

/// A whole number greater than 0.
pub(super) fn positive<T>(text: &str) -> Result<T, String>
where
    T: FromStr<Err = ParseIntError> + Default + PartialEq,
{
    match text.parse() {
        Ok(number) if number == T::default() => Err("must be greater than 0".into()),
        Ok(number) => Ok(number),
        Err(_) if is_negative(text) => Err("must be greater than 0".into()),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err("too large".into()),
        Err(_) => Err("not a whole number".into()),
    }
}

fn is_negative(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|digits| digits.parse::<u64>().is_ok())
}

/// A parser of whole numbers in `range`.
pub(super) fn within<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr<Err = ParseIntError> + PartialOrd + Display + Clone,
{
    let (min, max) = range.into_inner();
    let out_of_range = format!("must be between {min} and {max}");
    move |text| match text.parse::<T>() {
        Ok(number) if min <= number && number <= max => Ok(number),
        Ok(_) => Err(out_of_range.clone()),
        Err(_) if is_negative(text) => Err(out_of_range.clone()),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err(out_of_range.clone()),
        Err(_) => Err("not a whole number".into()),
    }
}

/// A file size in bytes, as `tcpdump -C` takes it: millions of bytes, or with a suffix KiB, MiB
/// or GiB.
pub(super) fn file_size(text: &str) -> Result<u64, String> {
    let last = text.char_indices().last();
    let (digits, unit) = match last.map(|(index, last)| (index, last.to_ascii_lowercase())) {
        Some((index, 'k')) => (&text[..index], 1 << 10),
        Some((index, 'm')) => (&text[..index], 1 << 20),
        Some((index, 'g')) => (&text[..index], 1 << 30),
        _ => (text, 1_000_000),
    };
    match digits.parse::<u64>() {
        Ok(0) => Err("must be greater than 0".into()),
        Err(_) if is_negative(digits) => Err("must be greater than 0".into()),
        Ok(number) => number.checked_mul(unit).ok_or_else(|| "too large".into()),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err("too large".into()),
        Err(_) => Err("not a file size such as 100, 64k, 10m or 1g".into()),
    }
}

const INVALID_DURATION: &str = "not a duration such as 30, 0.5, 90s, 10m, 1h or 1d";

/// A duration in seconds, or with a suffix in milliseconds, seconds, minutes, hours or days.
/// Fractions are allowed.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_lowercase() && c != 'e') {
        Some(index) => text.split_at(index),
        None => (text, "s"),
    };
    let unit_seconds = match unit {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(INVALID_DURATION.into()),
    };
    let seconds = number.parse::<f64>().map_err(|_| INVALID_DURATION)? * unit_seconds;
    if seconds.is_nan() {
        return Err(INVALID_DURATION.into());
    }
    if MAX_SECONDS < seconds {
        return Err("too large".into());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| "must not be negative".into())
}

/// A duration longer than 0.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be greater than 0".into()),
        duration => Ok(duration),
    }
}

/// The limits of `--ring`: a time, a size with a suffix, or both separated by a comma.
pub(super) fn ring_limits(text: &str) -> Result<RingLimits, String> {
    const REPEATED: &str = "expected at most one time and one size, e.g. 30s,1GiB";
    let (mut max_len, mut span) = (None, None);
    for part in text.split(',') {
        let is_repeated = match memory_size(part)? {
            Some(size) => max_len.replace(size).is_some(),
            None => span.replace(ring_duration(part)?).is_some(),
        };
        if is_repeated {
            return Err(REPEATED.into());
        }
    }
    Ok(RingLimits { max_len: max_len.unwrap_or(DEFAULT_RING_LEN), span })
}

/// The time of `--ring`. The message for other text names sizes, too.
fn ring_duration(text: &str) -> Result<Duration, String> {
    positive_duration(text).map_err(|error| match &*error {
        INVALID_DURATION => "not a time such as 30s, nor a size such as 64MiB".into(),
        _ => error,
    })
}

/// A size in bytes with a suffix; `None` without one. The suffixes of [`file_size`] are those of times,
/// too.
fn memory_size(text: &str) -> Result<Option<usize>, String> {
    let units = [("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30)];
    let lower = text.to_ascii_lowercase();
    let Some((digits, unit)) =
        units.iter().find_map(|(suffix, unit)| Some((lower.strip_suffix(suffix)?, *unit)))
    else {
        return Ok(None);
    };
    let number = positive::<usize>(digits)?;
    let size = number.checked_mul(unit).filter(|size| *size <= MAX_RING_LEN);
    size.map(Some).ok_or_else(|| "too large".into())
}

/// An interval between two files: not shorter than [`MIN_ROTATION_INTERVAL`].
pub(super) fn rotation_interval(text: &str) -> Result<Duration, String> {
    match positive_duration(text)? {
        interval if interval < MIN_ROTATION_INTERVAL => Err("must be at least 0.1 s".into()),
        interval => Ok(interval),
    }
}

/// A snap length in bytes. As in tcpdump, 0 means the default, which is also the maximum.
pub(super) fn snaplen(text: &str) -> Result<u32, String> {
    match text {
        "0" => Ok(DEFAULT_SNAPLEN),
        text => within(1..=DEFAULT_SNAPLEN)(text),
    }
}

/// A link type by tcpdump's name for it.
pub(super) fn link_type(text: &str) -> Result<filter::LinkType, String> {
    filter::LinkType::from_name(text).ok_or_else(|| {
        let names: Vec<_> = filter::LinkType::names().map(|(name, _)| name).collect();
        format!("unknown link type; available: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_file_sizes_like_tcpdump() {
        let sizes = [("1", 1_000_000), ("3k", 3_072), ("2M", 2 << 20), ("1g", 1 << 30)];
        for (text, size) in sizes {
            assert_eq!(file_size(text), Ok(size), "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, ms) in [
            ("0", 0),
            ("0.5", 500),
            ("1e1", 10_000),
            ("250ms", 250),
            ("90s", 90_000),
            ("1.5m", 90_000),
            ("1h", 3_600_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn rings_have_a_time_or_a_size_or_both() {
        let limits = |max_len, seconds: Option<u64>| {
            Ok(RingLimits { max_len, span: seconds.map(Duration::from_secs) })
        };
        assert_eq!(ring_limits("30"), limits(256 << 20, Some(30)));
        assert_eq!(ring_limits("10m"), limits(256 << 20, Some(600)));
        assert_eq!(ring_limits("64MiB"), limits(64 << 20, None));
        assert_eq!(ring_limits("90s,1gib"), limits(1 << 30, Some(90)));
        assert_eq!(ring_limits("512KiB,1h"), limits(512 << 10, Some(3_600)));
        for text in ["", "0", "0MiB", "64MB", "1s,2s", "1MiB,1MiB", "9999999GiB", "-1", "1s,", "x"]
        {
            assert!(ring_limits(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rotation_intervals_have_a_minimum() {
        assert_eq!(rotation_interval("0.1"), Ok(MIN_ROTATION_INTERVAL));
        assert_eq!(rotation_interval("99ms"), Err("must be at least 0.1 s".into()));
        assert_eq!(rotation_interval("0"), Err("must be greater than 0".into()));
    }

    #[test]
    fn snap_length_0_is_the_default() {
        assert_eq!((snaplen("0"), snaplen("96")), (Ok(DEFAULT_SNAPLEN), Ok(96)));
        assert_eq!(snaplen("262145"), Err("must be between 1 and 262144".into()));
    }

    #[test]
    fn errors_name_the_reason() {
        let error = |result: Result<u64, String>| result.unwrap_err();
        for (text, reason) in [
            ("0", "must be between 1 and 100"),
            ("101", "must be between 1 and 100"),
            ("99999999999999999999", "must be between 1 and 100"),
            ("1.5", "not a whole number"),
            ("", "not a whole number"),
        ] {
            assert_eq!(error(within(1..=100)(text)), reason, "{text}");
        }
        for (text, reason) in [
            ("0", "must be greater than 0"),
            ("99999999999999999999", "too large"),
            ("none", "not a whole number"),
        ] {
            assert_eq!(error(positive(text)), reason, "{text}");
        }
        for (text, reason) in [
            ("0k", "must be greater than 0"),
            ("99999999999999999999g", "too large"),
            ("99999999999g", "too large"),
            ("1x", "not a file size such as 100, 64k, 10m or 1g"),
        ] {
            assert_eq!(error(file_size(text)), reason, "{text}");
        }
        for (text, reason) in [
            ("0", "must be greater than 0"),
            ("-1", "must not be negative"),
            ("1e19", "too large"),
            ("soon", "not a duration such as 30, 0.5, 90s, 10m, 1h or 1d"),
            ("1w", "not a duration such as 30, 0.5, 90s, 10m, 1h or 1d"),
            ("m", "not a duration such as 30, 0.5, 90s, 10m, 1h or 1d"),
            ("40000d", "too large"),
        ] {
            assert_eq!(positive_duration(text), Err(reason.to_owned()), "{text}");
        }
    }
}
