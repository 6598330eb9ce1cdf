//! Reads the header `Range` (RFC 9110, section 14.2).

/// The first byte of an open range, `bytes=N-`; `None` for ranges of any other form, which the page does not
/// request.
pub(super) fn parse(value: &[u8]) -> Option<u64> {
    let range = str::from_utf8(value).ok()?.strip_prefix("bytes=")?.strip_suffix('-')?;
    let is_number = !range.is_empty() && range.bytes().all(|byte| byte.is_ascii_digit());
    range.parse().ok().filter(|_| is_number)
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

    proptest! {
        #[test]
        fn open_ranges_have_a_start(start in any::<u64>()) {
            prop_assert_eq!(parse(format!("bytes={start}-").as_bytes()), Some(start));
        }
    }
}
