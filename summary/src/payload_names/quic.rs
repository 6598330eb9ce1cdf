//! The version of a QUIC packet with a long header (RFC 8999, section 5.1).

use super::Bytes;
use crate::inspect::payload as fields;
use crate::observer::Observer;

/// The header form bit. The fixed bit after it cannot be checked: it may be greased (RFC 9287).
const LONG_HEADER: usize = 0x80;
/// Maximum length of a connection ID in the versions below.
const MAX_ID_LEN: usize = 20;

/// The version, if it is a known one. Any other datagram could start with the same bits by chance.
pub(super) fn version(payload: &[u8], observer: &mut impl Observer) -> Option<u32> {
    let mut rest = Bytes(payload);
    if rest.u8()? & LONG_HEADER != LONG_HEADER {
        return None;
    }
    let version = u32::from_be_bytes(*rest.take(4)?.first_chunk()?);
    if !is_known(version) {
        return None;
    }
    for _ in 0..2 {
        let len = rest.u8()?;
        if MAX_ID_LEN < len {
            return None;
        }
        rest.take(len)?;
    }
    observer.layer(payload, fields::quic);
    Some(version)
}

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
