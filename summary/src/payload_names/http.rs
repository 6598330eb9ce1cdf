//! The host of an HTTP/1 request (RFC 9112, section 3.2; RFC 9110, section 7.2).

use memchr::memmem;

/// Methods of HTTP (RFC 9110, RFC 5789) and WebDAV (RFC 4918).
const METHODS: [&[u8]; 16] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
];

/// The value of the Host field, if the payload starts with a request and contains the complete field.
#[inline(never)] // Inlined, `cargo bench -p summary --bench stages names` takes 10 % longer.
pub(super) fn host(payload: &[u8]) -> Option<&[u8]> {
    let method = payload.split(|byte| *byte == b' ').next()?;
    if !METHODS.contains(&method) {
        return None;
    }
    let mut rest = payload;
    let mut is_first = true;
    loop {
        let end = memmem::find(rest, b"\r\n")?;
        let line = &rest[..end];
        rest = &rest[end + 2..];
        if is_first {
            let version = line.rsplit(|byte| *byte == b' ').next()?;
            if !version.starts_with(b"HTTP/1.") {
                return None;
            }
            is_first = false;
        } else if line.is_empty() {
            return None; // the end of the fields
        } else if let Some((name, value)) = line.split_at_checked(5)
            && name.eq_ignore_ascii_case(b"host:")
        {
            return Some(value.trim_ascii()).filter(|host| !host.is_empty());
        }
    }
}
