//! The server name in a TLS ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3).

use super::Bytes;

/// Content types of records (RFC 8446, section 5.1). A second ClientHello follows a change_cipher_spec
/// record (section 5).
const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER_SPEC: u8 = 20;
const CLIENT_HELLO: usize = 1;
const SERVER_NAME: usize = 0;
const HOST_NAME: usize = 0;

/// True if the payload can contain a ClientHello.
pub(super) fn is_record(payload: &[u8]) -> bool {
    matches!(payload, [CHANGE_CIPHER_SPEC | HANDSHAKE, 3, ..])
}

/// The server name, if the payload starts with a ClientHello and contains the extension completely.
pub(super) fn server_name(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = Bytes(payload);
    loop {
        let (kind, version, len) = (rest.u8()?, rest.u16()?, rest.u16()?);
        match kind {
            _ if version >> 8 != 3 => return None,
            kind if kind == usize::from(HANDSHAKE) => break,
            kind if kind == usize::from(CHANGE_CIPHER_SPEC) => rest.take(len)?,
            _ => return None,
        };
    }
    if rest.u8()? != CLIENT_HELLO {
        return None;
    }
    rest.take(3 + 2 + 32)?; // length, version, random
    let session_len = rest.u8()?;
    rest.take(session_len)?;
    let suites_len = rest.u16()?;
    rest.take(suites_len)?;
    let compressions_len = rest.u8()?;
    rest.take(compressions_len)?;
    let mut left = rest.u16()?;
    while 4 <= left {
        let (kind, len) = (rest.u16()?, rest.u16()?);
        if kind == SERVER_NAME {
            rest.u16()?; // length of the list; its first entry is the host name
            let (kind, len) = (rest.u8()?, rest.u16()?);
            return rest.take(len).filter(|name| kind == HOST_NAME && !name.is_empty());
        }
        rest.take(len)?;
        left = left.checked_sub(4 + len)?;
    }
    None
}
