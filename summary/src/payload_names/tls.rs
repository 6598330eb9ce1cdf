//! The server name of a TLS client's hello (RFC 8446, 4.1.2; RFC 6066, 3).

use super::Bytes;

/// Content types of records (RFC 8446, 5.1): a client that is asked to say hello again changes its
/// cipher before.
const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER_SPEC: u8 = 20;
const CLIENT_HELLO: usize = 1;
const SERVER_NAME: usize = 0;
const HOST_NAME: usize = 0;

/// True where a payload may have a hello.
pub(super) fn is_record(payload: &[u8]) -> bool {
    matches!(payload, [CHANGE_CIPHER_SPEC | HANDSHAKE, 3, ..])
}

/// The name, where the payload begins with a hello and has it whole.
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
            rest.u16()?; // length of the list, whose first name is a host's
            let (kind, len) = (rest.u8()?, rest.u16()?);
            return rest.take(len).filter(|name| kind == HOST_NAME && !name.is_empty());
        }
        rest.take(len)?;
        left = left.checked_sub(4 + len)?;
    }
    None
}
