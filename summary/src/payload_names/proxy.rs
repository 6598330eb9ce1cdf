//! The header that a proxy sends before the bytes of its client: the PROXY protocol, versions 1 and 2
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).

use super::{Bytes, Extent};
use memchr::memchr;

/// The first bytes of version 1.
const START_1: &[u8] = b"PROXY ";
/// The longest header of version 1, with its line end.
const MAX_LEN_1: usize = 107;
/// The first bytes of version 2.
const START_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Longest header of version 2 that is read. The addresses have up to 216 bytes.
const MAX_LEN_2: usize = 4 << 10;

/// So many bytes prove that the header begins.
pub(super) const MIN_START_LEN: usize = START_1.len();

/// Length of the complete header at the front of a stream; `None` if there is none.
pub(super) fn header_len(bytes: &[u8]) -> Option<usize> {
    match extent(bytes) {
        Extent::Complete(len) => Some(len),
        Extent::Incomplete | Extent::Unknown => None,
    }
}

/// How far the header at the front of a stream extends.
pub(super) fn extent(bytes: &[u8]) -> Extent {
    let is_start = |start: &[u8]| bytes.starts_with(start) || start.starts_with(bytes);
    if is_start(START_1) {
        let line = &bytes[..bytes.len().min(MAX_LEN_1)];
        return match memchr(b'\n', line) {
            Some(end) if is_line(&line[..end]) => Extent::Complete(end + 1),
            None if line.len() < MAX_LEN_1 => Extent::Incomplete,
            _ => Extent::Unknown,
        };
    }
    if is_start(START_2) {
        return version_2(bytes);
    }
    Extent::Unknown
}

/// Whether this is the line of version 1, without its line feed.
fn is_line(line: &[u8]) -> bool {
    let text = line.strip_suffix(b"\r").and_then(|line| str::from_utf8(line).ok());
    let parts: Vec<_> = text.unwrap_or_default().split(' ').collect();
    match parts[..] {
        ["PROXY", "UNKNOWN", ..] => true,
        ["PROXY", family @ ("TCP4" | "TCP6"), src, dst, sport, dport] => {
            [src, dst].into_iter().all(|address| is_address(address, family == "TCP6"))
                && [sport, dport].into_iter().all(is_port)
        }
        _ => false,
    }
}

/// Whether text has the characters of an address. The code for reading one would take much space in the page.
fn is_address(text: &str, is_v6: bool) -> bool {
    let is_char = |byte: u8| match byte {
        b'0'..=b'9' | b'.' => true,
        b'a'..=b'f' | b'A'..=b'F' | b':' => is_v6,
        _ => false,
    };
    !text.is_empty() && text.bytes().all(is_char)
}

fn is_port(text: &str) -> bool {
    let value = |sum: u32, digit: u8| sum * 10 + u32::from(digit - b'0');
    (1..=5).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().fold(0, value) <= 0xffff
}

/// Version and command, family and transport, length of the addresses and what follows them.
fn version_2(bytes: &[u8]) -> Extent {
    let mut rest = Bytes(bytes.get(START_2.len()..).unwrap_or_default());
    let (Some(command), Some(family), Some(len)) = (rest.u8(), rest.u8(), rest.u16()) else {
        return Extent::Incomplete;
    };
    let min_len = match family {
        0x11 | 0x12 => 12,  // IPv4
        0x21 | 0x22 => 36,  // IPv6
        0x31 | 0x32 => 216, // Unix
        _ => 0,
    };
    let is_valid = matches!(command, 0x20 | 0x21) && (command == 0x20 || min_len <= len);
    if !is_valid || MAX_LEN_2 < len {
        return Extent::Unknown;
    }
    match rest.take(len) {
        Some(_) => Extent::Complete(bytes.len() - rest.0.len()),
        None => Extent::Incomplete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_incomplete_up_to_their_last_byte() {
        let second = |command: u8, family: u8, len: u8| {
            [START_2, &[command, family, 0, len], &vec![7; len.into()]].concat()
        };
        for header in [
            b"PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n".to_vec(),
            b"PROXY TCP6 2001:db8::1 2001:db8::2 50000 443\r\n".to_vec(),
            b"PROXY UNKNOWN\r\n".to_vec(),
            second(0x21, 0x11, 12),
            second(0x21, 0x21, 50),
            second(0x20, 0, 0),
        ] {
            for len in 0..header.len() {
                assert_eq!(extent(&header[..len]), Extent::Incomplete, "{len}");
            }
            let stream = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(extent(&stream), Extent::Complete(header.len()));
        }
        for other in [
            &b"PROXY / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 192.0.2.1 198.51.100.2 50000\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 50000 65536\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\n",
            &[b'P'; 200],
            &second(0x11, 0x11, 12),
            &second(0x21, 0x11, 11),
        ] {
            assert_eq!(extent(other), Extent::Unknown, "{other:?}");
        }
        assert_eq!(extent(&[START_1, &[b'a'; 120]].concat()), Extent::Unknown);
    }
}
