//! Reads the header `Range` (RFC 9110, section 14.2), and lists of packet numbers.

use std::ops::RangeInclusive;

/// The first byte of an open range, `bytes=N-`; `None` for ranges of any other form, which the page does not
/// request.
pub(super) fn parse(value: &[u8]) -> Option<u64> {
    number(str::from_utf8(value).ok()?.strip_prefix("bytes=")?.strip_suffix('-')?)
}

/// The ranges of a list of packet numbers such as `1-5,7`; `None` for any other text.
pub(super) fn parse_list(text: &str) -> Option<Vec<RangeInclusive<u64>>> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = number(first)?..=number(last)?;
        (!range.is_empty()).then_some(range)
    };
    text.split(',').map(range).collect()
}

fn number(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_ranges_are_refused() {
        for value in [
            "",
            "bytes=",
            "bytes=-",
            "bytes=-5",
            "bytes=0-5",
            "bytes=0-,0-",
            "bytes=+1-",
            "bytes= 1-",
            "lines=1-",
            "bytes=18446744073709551616-",
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
        assert_eq!(parse(b"bytes=\xff-"), None);
    }

    #[test]
    fn lists_of_other_forms_are_refused() {
        for text in
            ["", "1,", ",1", "-", "1-", "-1", "2-1", "+1", "1-2-3", "1 ", "18446744073709551616"]
        {
            assert_eq!(parse_list(text), None, "{text}");
        }
        assert_eq!(parse_list("7"), Some(vec![7..=7]));
        assert_eq!(parse_list("1-5,7,9-9"), Some(vec![1..=5, 7..=7, 9..=9]));
    }

    proptest! {
        #[test]
        fn open_ranges_have_a_start(start in any::<u64>()) {
            prop_assert_eq!(parse(format!("bytes={start}-").as_bytes()), Some(start));
        }
    }
}
