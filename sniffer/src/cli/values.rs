//! What an option's word may be.

use std::path::PathBuf;
use std::time::Duration;

/// Longest interface name: `IFNAMSIZ` less its final zero (linux/if.h).
const MAX_INTERFACE_NAME_LEN: usize = 15;

pub(super) fn interface_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an interface has a name; sniffer -D lists them".into());
    }
    if MAX_INTERFACE_NAME_LEN < text.len() {
        return Err(format!("an interface's name has at most {MAX_INTERFACE_NAME_LEN} bytes"));
    }
    Ok(text.to_owned())
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("a file has a name".into()) } else { Ok(text.into()) }
}

/// A size as `tcpdump -C` has it.
pub(super) fn file_size(text: &str) -> Result<u64, String> {
    let (digits, unit) =
        match text.char_indices().last().map(|(at, last)| (at, last.to_ascii_lowercase())) {
            Some((at, 'k')) => (&text[..at], 1 << 10),
            Some((at, 'm')) => (&text[..at], 1 << 20),
            Some((at, 'g')) => (&text[..at], 1 << 30),
            _ => (text, 1_000_000),
        };
    let number: u64 =
        digits.parse().map_err(|_| "not a size such as 100, 64k, 10m, 1g".to_owned())?;
    number.checked_mul(unit).filter(|size| 0 < *size).ok_or_else(|| "no size of a file".to_owned())
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if MAX_SECONDS < seconds {
        return Err("longer than a lifetime".to_owned());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a length of time".to_owned())
}

/// No run is longer: about 95 years.
const MAX_SECONDS: f64 = 3e9;

pub(super) fn positive_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("has to be more than nothing".into()),
        duration => Ok(duration),
    }
}

/// A link type by the name that tcpdump has for it.
pub(super) fn link_type(text: &str) -> Result<filter::LinkType, String> {
    filter::LinkType::from_name(text).ok_or_else(|| {
        let names: Vec<_> = filter::LinkType::names().map(|(name, _)| name).collect();
        format!("no such link type; there are: {}", names.join(", "))
    })
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_files_are_tcpdumps() {
        let sizes = [("1", 1_000_000), ("3k", 3_072), ("2M", 2 << 20), ("1g", 1 << 30)];
        for (text, size) in sizes {
            assert_eq!(file_size(text), Ok(size), "{text}");
        }
    }
}
