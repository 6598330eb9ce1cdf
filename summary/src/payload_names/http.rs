//! The host of an HTTP/1 request (RFC 9112, section 3.2; RFC 9110, section 7.2).

use super::Extent;
use memchr::memchr;

/// Longest method that is recognized. The longest registered one has 17 bytes.
const MAX_METHOD_LEN: usize = 32;
/// Longest start of a request line in a stream that is kept until its end arrives.
const MAX_REQUEST_LINE_LEN: usize = 8 << 10;

/// The value of the Host field, if the payload starts with a request and contains the complete field.
#[inline(never)] // Inlined, `cargo bench -p summary --bench stages names` takes 10 % longer.
pub(super) fn host(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = Lines(payload);
    if !is_request(rest.next_non_empty()?) {
        return None;
    }
    loop {
        let line = rest.next().filter(|line| !line.is_empty())?;
        // An old form of a field continues on lines that start with a space.
        if matches!(line, [b' ' | b'\t', ..]) {
            continue;
        }
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
        if !is_token(name) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"host") {
            return Some(value[1..].trim_ascii()).filter(|host| !host.is_empty());
        }
    }
}

/// How far the request at the front of a stream extends: to its end if it has no Host field, otherwise to
/// the end of the bytes.
pub(super) fn extent(bytes: &[u8], is_start: bool) -> Extent {
    let mut lines = Lines(bytes);
    let Some(first) = lines.next_non_empty() else {
        let is_possible = is_long_request(bytes) || is_start && may_be_request(bytes);
        return match is_possible && bytes.len() <= MAX_REQUEST_LINE_LEN {
            true => Extent::Incomplete,
            false => Extent::Unknown,
        };
    };
    if !is_request(first) {
        return Extent::Unknown;
    }
    let is_complete = host(bytes).is_some() || lines.any(<[u8]>::is_empty);
    if is_complete { Extent::Complete(bytes.len()) } else { Extent::Incomplete }
}

/// Whether bytes without a line end may be the start of a request.
fn may_be_request(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii_start();
    let method = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    method.len() <= MAX_METHOD_LEN && (is_token(method) || line.is_empty())
}

/// Whether bytes without a line end start with `METHOD /`, and the path continues to the end. The rest of
/// the request has to prove that it is one.
fn is_long_request(bytes: &[u8]) -> bool {
    let Some(end) = bytes.iter().position(|byte| *byte == b' ') else { return false };
    let (method, target) = (&bytes[..end], &bytes[end + 1..]);
    let is_method =
        (3..=MAX_METHOD_LEN).contains(&end) && method.iter().all(u8::is_ascii_uppercase);
    is_method && target.starts_with(b"/") && target.iter().all(u8::is_ascii_graphic)
}

/// Whether a line is `METHOD target HTTP/1.x`. Servers accept targets with spaces, and attackers send them.
fn is_request(line: &[u8]) -> bool {
    let space = |byte: &u8| *byte == b' ';
    let Some((start, end)) = line.iter().position(space).zip(line.iter().rposition(space)) else {
        return false;
    };
    let (method, version) = (&line[..start], &line[end + 1..]);
    let target = line.get(start + 1..end).unwrap_or_default().trim_ascii();
    method.len() <= MAX_METHOD_LEN
        && is_token(method)
        && !target.is_empty()
        && !target.iter().any(u8::is_ascii_control)
        && version.strip_prefix(b"HTTP/1.").is_some_and(|minor| matches!(minor, [b'0'..=b'9']))
}

/// A method or the name of a field (RFC 9110, section 5.6.2).
fn is_token(text: &[u8]) -> bool {
    let is_char = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_char)
}

/// Complete lines, without their ends: CR LF, or LF alone (RFC 9112, section 2.2).
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    /// The next line. A client may send an empty one before a request.
    fn next_non_empty(&mut self) -> Option<&'a [u8]> {
        self.next().and_then(|line| if line.is_empty() { self.next() } else { Some(line) })
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = memchr(b'\n', self.0)?;
        let line = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_have_hosts() {
        let found =
            |text: &'static str| host(text.as_bytes()).map(|host| str::from_utf8(host).unwrap());
        for request in [
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET / HTTP/1.1\nHost:a.example\n\n",
            "\r\nGET / HTTP/1.0\r\nHost: a.example\r\n",
            "\nVERSION-CONTROL /doc HTTP/1.1\r\nAccept: a\r\n b\r\nhOST: \ta.example \r\n",
            "x!y * HTTP/1.1\r\nHost: a.example\r\n",
            "GET  /a;cat /b HTTP/1.1\r\nHost: a.example\r\n",
        ] {
            assert_eq!(found(request), Some("a.example"), "{request:?}");
        }
        for other in [
            "GET / HTTP/1.1\r\nHost: a.example",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nAccept: a\r\n\r\nHost: a.example\r\n",
            "GET / HTTP/1.1\r\nno field\r\nHost: a.example\r\n",
            "GET / HTTP/1.1\r\nno field: \r\nHost: a.example\r\n",
            "GET  HTTP/1.1\r\nHost: a.example\r\n",
            "GET HTTP/1.1\r\nHost: a.example\r\n",
            "G(T / HTTP/1.1\r\nHost: a.example\r\n",
            "OPTIONS * RTSP/1.0\r\nHost: a.example\r\n",
            "GET / HTTP/1.x\r\nHost: a.example\r\n",
            "GET / HTTP/1.10\r\nHost: a.example\r\n",
            "GET /\r\nHost: a.example\r\n",
            "HTTP/1.1 200 OK\r\nHost: a.example\r\n",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n",
        ] {
            assert_eq!(found(other), None, "{other:?}");
        }
    }
}
