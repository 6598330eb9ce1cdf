//! Texts of the data of resource records.

use super::name;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// The data at `range` in a message as text, for types whose data are addresses, names or texts (RFC 1035,
/// RFC 3596, RFC 6672, RFC 2782). `None` for other types and for damaged data.
pub(super) fn text(message: &[u8], kind: u16, range: Range<usize>) -> Option<String> {
    let data = message.get(range.clone())?;
    let mut text = String::new();
    match kind {
        1 => return Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string()),
        28 => return Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string()),
        // NS, CNAME, PTR, DNAME; MX; SRV
        2 | 5 | 12 | 39 => push_name(message, range, 0, &mut text)?,
        15 => push_name(message, range, 1, &mut text)?,
        33 => push_name(message, range, 3, &mut text)?,
        16 => {
            let mut rest = data;
            while let Some((len, after)) = rest.split_first() {
                let (part, after) = after.split_at_checked(usize::from(*len))?;
                text.push_str(&String::from_utf8_lossy(part));
                rest = after;
            }
        }
        _ => return None,
    }
    Some(text)
}

/// Appends numbers of 16 bits, and the name after them, which ends the data.
fn push_name(message: &[u8], range: Range<usize>, count: usize, text: &mut String) -> Option<()> {
    let start = range.start + 2 * count;
    for number in message.get(range.start..start)?.chunks_exact(2) {
        let number = u16::from(number[0]) << 8 | u16::from(number[1]);
        let _ = write!(text, "{number} "); // to memory
    }
    let mut name = String::new();
    let end = name::push(message, start, &mut name)?;
    text.push_str(&name);
    (end == range.end).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_common_types_have_texts() {
        let check = |kind: u16, data: &[u8], expected: Option<&str>| {
            // A name that the data may point to precedes them.
            let message = [&[0; 12][..], b"\x04a.\\b\0", data].concat();
            let found = text(&message, kind, 18..message.len());
            assert_eq!(found.as_deref(), expected, "{kind} {data:?}");
        };
        check(1, &[192, 0, 2, 1], Some("192.0.2.1"));
        check(1, &[192, 0, 2], None);
        check(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Some("2001:db8::1"));
        check(5, &[0xc0, 12], Some("a\\.\\\\b"));
        check(2, b"\x02ns\xc0\x0c", Some("ns.a\\.\\\\b"));
        check(12, b"\x02ns\0\0", None);
        check(12, b"\xc0\x12", None);
        check(15, b"\0\x0a\xc0\x0c", Some("10 a\\.\\\\b"));
        check(33, b"\0\x01\0\x02\x01\xbb\0", Some("1 2 443 ."));
        check(16, b"\x03a\\b\0\x02\xffc", Some("a\\b\u{fffd}c"));
        check(16, b"\x03ab", None);
        check(46, &[0; 20], None);
    }
}
