//! The messages of SOCKS, version 4 and 5 (RFC 1928), in one direction before the connection to the
//! destination: without authentication.

use super::{Bytes, Extent};

const VERSION_4: usize = 4;
const VERSION_5: usize = 5;
const CONNECT: usize = 1;
/// Code of a response of version 4: the connection exists.
const GRANTED: usize = 90;
/// Maximum number of methods of authentication that a client offers.
const MAX_METHODS: usize = 16;
/// Longest user name or host name.
const MAX_NAME_LEN: usize = 255;

/// How far the messages at the start of a connection extend. Each direction has other ones.
pub(super) fn extent(bytes: &[u8]) -> Extent {
    let mut rest = Bytes(bytes);
    match read(&mut rest) {
        Ok(true) => Extent::Complete(bytes.len() - rest.0.len()),
        Ok(false) => Extent::Unknown,
        Err(Missing) if bytes.is_empty() => Extent::Unknown,
        Err(Missing) => Extent::Incomplete,
    }
}

/// Bytes are missing.
struct Missing;

/// Returns false if the bytes are others.
fn read(rest: &mut Bytes<'_>) -> Result<bool, Missing> {
    match rest.u8().ok_or(Missing)? {
        VERSION_4 => request_4(rest),
        // A response, without an address: the length of a DNS message could begin with the same bytes.
        0 => {
            let is_granted = rest.u8().ok_or(Missing)? == GRANTED;
            Ok(is_granted && rest.take(6).ok_or(Missing)? == [0; 6])
        }
        VERSION_5 => {
            // A client sends the number of its methods, a server the method that it chose: none.
            let count = rest.u8().ok_or(Missing)?;
            if MAX_METHODS < count {
                return Ok(false);
            }
            rest.take(count).ok_or(Missing)?;
            let command = if count == 0 { 0 } else { CONNECT };
            message_5(rest, command)
        }
        _ => Ok(false),
    }
}

/// Command, port, address, user name; a host name instead of the address 0.0.0.x (SOCKS 4A).
fn request_4(rest: &mut Bytes<'_>) -> Result<bool, Missing> {
    if rest.u8().ok_or(Missing)? != CONNECT {
        return Ok(false);
    }
    rest.take(2).ok_or(Missing)?;
    let address = rest.take(4).ok_or(Missing)?;
    let has_host = matches!(address, [0, 0, 0, last] if *last != 0);
    Ok(name(rest)? && (!has_host || name(rest)?))
}

/// Skips text that ends with a zero.
fn name(rest: &mut Bytes<'_>) -> Result<bool, Missing> {
    let start = &rest.0[..rest.0.len().min(MAX_NAME_LEN + 1)];
    match start.iter().position(|byte| *byte == 0) {
        Some(end) => Ok(rest.take(end + 1).is_some()),
        None if start.len() <= MAX_NAME_LEN => Err(Missing),
        None => Ok(false),
    }
}

/// A request or a response: version, command or code, reserved, type of the address, address, port.
fn message_5(rest: &mut Bytes<'_>, command: usize) -> Result<bool, Missing> {
    for expected in [VERSION_5, command, 0] {
        if rest.u8().ok_or(Missing)? != expected {
            return Ok(false);
        }
    }
    let len = match rest.u8().ok_or(Missing)? {
        1 => 4,
        3 => rest.u8().ok_or(Missing)?,
        4 => 16,
        _ => return Ok(false),
    };
    rest.take(len + 2).ok_or(Missing)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_incomplete_up_to_their_last_byte() {
        for messages in [
            &b"\x05\x01\0\x05\x01\0\x03\x09a.example\0\x50"[..],
            b"\x05\x02\0\x02\x05\x01\0\x01\xc0\0\x02\x01\x01\xbb",
            b"\x05\0\x05\0\0\x01\xc0\0\x02\x01\x01\xbb",
            b"\x04\x01\0\x50\xc0\0\x02\x01user\0",
            b"\x04\x01\0\x50\0\0\0\x01\0a.example\0",
            b"\0\x5a\0\0\0\0\0\0",
        ] {
            for len in 1..messages.len() {
                assert_eq!(extent(&messages[..len]), Extent::Incomplete, "{messages:?} {len}");
            }
            let stream = [messages, b"GET /"].concat();
            assert_eq!(extent(&stream), Extent::Complete(messages.len()), "{messages:?}");
        }
    }

    #[test]
    fn other_bytes_are_unknown() {
        for bytes in [
            &b""[..],
            b"GET /",
            b"\x05\x11",
            b"\x05\x01\0\x05\x02",
            b"\x05\0\x05\x01",
            b"\x05\0\x05\0\0\x02",
            b"\x04\x02",
            b"\0\x5b",
            b"\0\x5a\x12\x34\x01\0\0\x01",
            &[&b"\x04\x01\0\x50\xc0\0\x02\x01"[..], &[b'a'; 300]].concat(),
        ] {
            assert_eq!(extent(bytes), Extent::Unknown, "{bytes:?}");
        }
    }
}
