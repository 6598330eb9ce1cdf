//! The version of a QUIC packet with a long header (RFC 9000, section 17.2).

use super::Bytes;
use crate::inspect::payload as fields;
use crate::observer::Observer;

/// Bits of the first byte: the header form and the fixed bit.
const LONG_HEADER: usize = 0xc0;
/// Maximum length of a connection ID in the versions below.
const MAX_ID_LEN: usize = 20;
/// Minimum length of a packet's protected part: a packet number with what is needed to read it.
const MIN_PROTECTED_LEN: usize = 20;
/// Length of the integrity tag at the end of a Retry packet.
const RETRY_TAG_LEN: usize = 16;
/// A datagram with an Initial packet that is to be acknowledged has at least 1200 bytes (RFC 9000, section
/// 14.1). Some traffic generators count the UDP header.
const MIN_INITIAL_DATAGRAM_LEN: usize = 1192;

/// The version, if the datagram starts with a packet of a known one whose lengths are possible in a
/// datagram of `wire_len` bytes. Any other datagram could start with the same bits by chance.
pub(super) fn version(
    payload: &[u8],
    wire_len: usize,
    observer: &mut impl Observer,
) -> Option<u32> {
    let mut rest = Bytes(payload);
    let first = rest.u8()?;
    if first & LONG_HEADER != LONG_HEADER {
        return None;
    }
    let version = u32::from_be_bytes(*rest.take(4)?.first_chunk()?);
    if !is_known(version) {
        return None;
    }
    for _ in 0..2 {
        let len = rest.u8().filter(|len| *len <= MAX_ID_LEN)?;
        rest.take(len)?;
    }
    let kind = Kind::new(first, version);
    if let Kind::Initial = kind {
        let token_len = rest.variable_int()?;
        rest.take(token_len)?;
    }
    let header_len = |rest: &Bytes<'_>| payload.len() - rest.0.len();
    let is_valid = match kind {
        Kind::Retry => RETRY_TAG_LEN <= wire_len - header_len(&rest),
        Kind::Initial | Kind::Other => {
            let len = rest.variable_int()?;
            let left = wire_len - header_len(&rest);
            let is_padded = MIN_INITIAL_DATAGRAM_LEN <= wire_len || len == left;
            MIN_PROTECTED_LEN <= len
                && len <= wire_len
                && (is_padded || !matches!(kind, Kind::Initial))
        }
    };
    if !is_valid {
        return None;
    }
    observer.layer(payload, fields::quic);
    Some(version)
}

/// What the type of a packet says about its header.
enum Kind {
    Initial,
    Retry,
    /// 0-RTT and Handshake.
    Other,
}

impl Kind {
    fn new(first: usize, version: u32) -> Self {
        // Version 2 rotates the types (RFC 9369, section 3.2).
        let rotation = if version == VERSION_2 { 3 } else { 0 };
        match ((first >> 4 & 3) + rotation) % 4 {
            0 => Self::Initial,
            3 => Self::Retry,
            _ => Self::Other,
        }
    }
}

/// RFC 9369.
const VERSION_2: u32 = 0x6b33_43cf;

/// Version 1 (RFC 9000), version 2 (RFC 9369), drafts of version 1 with the same header, and the
/// versions of Google and Facebook.
fn is_known(version: u32) -> bool {
    match version.to_be_bytes() {
        [0, 0, 0, 1] | [0x6b, 0x33, 0x43, 0xcf] => true,
        [0xff, 0, 0, draft] => (22..=34).contains(&draft),
        [b'Q' | b'T', b'0', b'5', digit] => digit.is_ascii_digit(),
        [0xfa, 0xce, 0xb0, low] => low <= 0x0f, // Facebook
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A datagram of `len` bytes with one Initial packet of version 1.
    pub(crate) fn initial(len: usize) -> Vec<u8> {
        let header = b"\xc3\0\0\0\x01\x08abcdefgh\0\0";
        let left = u16::try_from(len - header.len() - 2).unwrap();
        let mut datagram = [&header[..], &(left | 0x4000).to_be_bytes()].concat();
        datagram.resize(len, 0xa5);
        datagram
    }

    #[test]
    fn lengths_must_agree() {
        let found = |datagram: &[u8]| version(datagram, datagram.len(), &mut ());
        let datagram = initial(1200);
        assert_eq!(found(&datagram), Some(1));
        assert_eq!(found(&initial(60)), Some(1));
        // The capture may omit the end, but not the length.
        assert_eq!(version(&datagram[..40], 1200, &mut ()), Some(1));
        assert_eq!(version(&datagram[..17], 1200, &mut ()), None);
        assert_eq!(found(&datagram[..1100]), None);
        // Form, fixed bit, version, lengths of the IDs, of the token, of the packet.
        for (at, value) in [(0, 0x43), (0, 0x83), (4, 2), (5, 21), (14, 21), (15, 0xff), (16, 0x7f)]
        {
            let mut wrong = datagram.clone();
            wrong[at] = value;
            assert_eq!(found(&wrong), None, "{at}");
        }
        let mut short = datagram.clone();
        short[16..18].copy_from_slice(&[0x40, 19]);
        assert_eq!(found(&short), None);
        // Followed by other packets, in a datagram that is too short for an Initial packet.
        let mut unpadded = initial(60);
        unpadded.push(0);
        assert_eq!(found(&unpadded), None);
        unpadded[0] = 0xe3;
        unpadded.remove(15);
        assert_eq!(found(&unpadded), Some(1), "a Handshake packet");
    }

    #[test]
    fn types_depend_on_the_version() {
        let retry = |first: u8, version: u32, len: usize| {
            let header = [&[first][..], &version.to_be_bytes(), &[0, 0]].concat();
            super::version(&[&header, &vec![0xff; len][..]].concat(), 7 + len, &mut ())
        };
        assert_eq!(retry(0xf0, 1, 16), Some(1));
        assert_eq!(retry(0xf0, 1, 15), None);
        assert_eq!(retry(0xc0, VERSION_2, 16), Some(VERSION_2));
        assert_eq!(retry(0xf0, VERSION_2, 16), None);
    }
}
