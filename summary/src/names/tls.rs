//! The server name of a TLS client's hello (RFC 8446, 4.1.2; RFC 6066, 3).

use super::Bytes;

/// Content type of the record that a hello is in (RFC 8446, 5.1).
pub(super) const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: usize = 1;
const SERVER_NAME: usize = 0;
const HOST_NAME: usize = 0;

/// The name, where the payload begins with a hello and has it whole.
pub(super) fn server_name(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = Bytes(payload);
    let record = rest.take(5)?;
    if record[0] != HANDSHAKE || record[1] != 3 || rest.u8()? != CLIENT_HELLO {
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
