//! The first line and the fields of an HTTP/1 message (RFC 9112).

use super::Extent;
use memchr::memchr;

/// Longest method that is recognized. The longest registered one has 17 bytes.
const MAX_METHOD_LEN: usize = 32;
/// Longest start of a first line in a stream that is kept until its end arrives.
const MAX_FIRST_LINE_LEN: usize = 8 << 10;
/// The version, without its last digit.
const VERSION: &[u8] = b"HTTP/1.";

/// Longest path that is a name, in bytes.
const MAX_PATH_LEN: usize = 1 << 10;

/// The start of an HTTP/1 message: its first line and its fields (RFC 9112).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpHead<'a> {
    /// The first line.
    pub start: HttpStart<'a>,
    /// How the head tells the length of the body.
    pub framing: HttpFraming,
    /// The value of the Host field, if it is not empty.
    pub(super) host: Option<&'a [u8]>,
    /// Length with the empty line; `None` if its end is missing.
    len: Option<usize>,
}

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpStart<'a> {
    /// `METHOD target HTTP/1.x`.
    Request {
        /// The method, a token.
        method: &'a [u8],
        /// What the request is about.
        target: &'a [u8],
    },
    /// `HTTP/1.x status reason`.
    Response {
        /// From 100 to 999.
        status: u16,
    },
}

/// What the fields of a message tell about the length of its body (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFraming {
    /// Neither field.
    Absent,
    /// Content-Length, in bytes.
    Length(u64),
    /// Transfer-Encoding, which ends with `chunked`.
    Chunked,
    /// They are invalid, contradict each other, or have another last coding.
    Unknown,
}

impl<'a> HttpHead<'a> {
    /// Parses a head at the front of `bytes`. The end of the head may be missing.
    #[inline(never)] // Inlined, `cargo bench -p summary --bench stages names` takes 10 % longer.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut lines = Lines(bytes);
        let start = HttpStart::parse(lines.next_non_empty()?)?;
        let mut head = Self { start, framing: HttpFraming::Absent, host: None, len: None };
        let mut host = Host::default();
        // Whether the last field is part of the framing.
        let mut is_framing = false;
        while let Some(line) = lines.next() {
            if line.is_empty() {
                head.len = Some(bytes.len() - lines.0.len());
                break;
            }
            // An old form of a field continues on lines that start with a space.
            if matches!(line, [b' ' | b'\t', ..]) {
                if is_framing {
                    head.framing = HttpFraming::Unknown;
                }
                host.is_clear &= !host.is_last;
                continue;
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let Some((name, value)) = colon
                .map(|colon| (&line[..colon], line[colon + 1..].trim_ascii()))
                .filter(|(name, _)| is_token(name))
            else {
                // Some servers ignore such a line. What follows it proves nothing.
                host.value?;
                (head.framing, head.len) = (HttpFraming::Unknown, Some(bytes.len()));
                break;
            };
            host.add(name, value);
            let framing = head.framing.with_field(name, value);
            is_framing = framing.is_some();
            head.framing = framing.unwrap_or(head.framing);
        }
        head.host = host.value.filter(|value| host.is_clear && is_host(value));
        Some(head)
    }

    /// Whether what follows the head in `bytes` can follow it: nothing, the body, or the body and the next
    /// message. A file that contains a head continues in another way.
    pub(super) fn is_proved_by(&self, bytes: &[u8]) -> bool {
        let Some(rest) = self.len.and_then(|len| bytes.get(len..)) else { return true };
        let body_len = match (self.framing, self.start) {
            (HttpFraming::Length(len), _) => len,
            (HttpFraming::Absent, HttpStart::Request { .. }) => 0,
            _ => return true,
        };
        let next = usize::try_from(body_len).ok().and_then(|len| rest.get(len..));
        next.is_none_or(|next| match self.start {
            HttpStart::Request { .. } => may_be_request(first_line(next)),
            HttpStart::Response { .. } => HttpStart::may_be_response(next),
        })
    }

    /// Host of a request.
    pub(super) fn host(&self) -> Option<&'a [u8]> {
        self.host.filter(|_| matches!(self.start, HttpStart::Request { .. }))
    }

    /// The path in the target of a request, without the query, up to a limit.
    pub(super) fn path(&self) -> Option<&'a [u8]> {
        let HttpStart::Request { target, .. } = self.start else { return None };
        let path = if target.starts_with(b"/") {
            target
        } else {
            // A request to a proxy has the whole URL.
            let colon = target.iter().position(|byte| *byte == b':')?;
            let (scheme, rest) = (&target[..colon], target[colon..].strip_prefix(b"://")?);
            let is_scheme = scheme.iter().all(u8::is_ascii_alphanumeric);
            let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
            let path = &rest[end.unwrap_or(rest.len())..];
            if !is_scheme || scheme.is_empty() {
                return None;
            }
            if path.starts_with(b"/") { path } else { b"/" }
        };
        let end = path.iter().position(|byte| *byte == b'?').unwrap_or(path.len());
        let limited = &path[..end.min(MAX_PATH_LEN)];
        match str::from_utf8(limited) {
            // The limit is within a character.
            Err(error) if MAX_PATH_LEN < end && error.error_len().is_none() => {
                Some(&limited[..error.valid_up_to()])
            }
            _ => Some(limited),
        }
    }
}

/// Whether the value of a Host field names a host. Servers end it at a control character, reject it, or replace
/// the character (RFC 9110, section 5.5).
fn is_host(value: &[u8]) -> bool {
    !value.is_empty() && !value.iter().any(u8::is_ascii_control)
}

/// The Host fields of a head. Servers that differ in what they make of several fields with different values,
/// or of a field on several lines, reach different hosts (RFC 9112, sections 3.2 and 5.2).
struct Host<'a> {
    /// The value of the first one.
    value: Option<&'a [u8]>,
    /// Whether all have one line, and the same value.
    is_clear: bool,
    /// Whether the last field of the head is one.
    is_last: bool,
}

impl Default for Host<'_> {
    fn default() -> Self {
        Self { value: None, is_clear: true, is_last: false }
    }
}

impl<'a> Host<'a> {
    /// Adds a field of the head.
    fn add(&mut self, name: &[u8], value: &'a [u8]) {
        self.is_last = name.eq_ignore_ascii_case(b"host");
        if self.is_last {
            self.is_clear &= self.value.is_none_or(|first| first == value);
            self.value.get_or_insert(value);
        }
    }
}

impl<'a> HttpStart<'a> {
    /// Whether bytes may be the start of a response: its version, or a part of it.
    pub fn may_be_response(bytes: &[u8]) -> bool {
        bytes.starts_with(VERSION) || VERSION.starts_with(bytes)
    }

    /// Servers accept targets with spaces, and attackers send them.
    fn parse(line: &'a [u8]) -> Option<Self> {
        if let Some(status) = status(line) {
            return Some(Self::Response { status });
        }
        let start = line.iter().position(|byte| *byte == b' ')?;
        let end = line.iter().rposition(|byte| *byte == b' ')?;
        let (method, version) = (&line[..start], &line[end + 1..]);
        let target = line.get(start + 1..end).unwrap_or_default().trim_ascii();
        let is_request = method.len() <= MAX_METHOD_LEN
            && is_token(method)
            && !target.is_empty()
            && !target.iter().any(u8::is_ascii_control)
            && version.strip_prefix(VERSION).is_some_and(|minor| matches!(minor, [b'0'..=b'9']));
        is_request.then_some(Self::Request { method, target })
    }
}

impl HttpFraming {
    /// Adds a field of the message. Returns `None` if it is not part of the framing.
    fn with_field(self, name: &[u8], value: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"content-length") {
            let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let text = str::from_utf8(value).ok().filter(|_| is_number);
            return Some(match (self, text.and_then(|text| text.parse().ok())) {
                (Self::Absent, Some(len)) => Self::Length(len),
                (Self::Length(len), Some(other)) if len == other => self,
                _ => Self::Unknown,
            });
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // The last coding counts (RFC 9112, section 6.3).
            let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            let is_chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            return Some(match self {
                Self::Absent if is_chunked => Self::Chunked,
                _ => Self::Unknown,
            });
        }
        None
    }
}

/// The status of the first line of a response (RFC 9112, section 4).
fn status(line: &[u8]) -> Option<u16> {
    let (minor, rest) = line.strip_prefix(VERSION)?.split_first()?;
    let (code, reason) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
    let is_valid = minor.is_ascii_digit()
        && matches!(code, [b'1'..=b'9', ..])
        && code.iter().all(u8::is_ascii_digit)
        && matches!(reason, [] | [b' ', ..])
        && !reason.iter().any(u8::is_ascii_control);
    let number = |code: &[u8]| code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    is_valid.then(|| number(code))
}

/// How far the head at the front of a stream extends.
pub(super) fn extent(bytes: &[u8], is_start: bool) -> Extent {
    if Lines(bytes).next_non_empty().is_none() {
        let is_possible = is_long_request(bytes)
            || status(bytes.strip_suffix(b"\r").unwrap_or(bytes)).is_some()
            || is_start && (may_be_request(bytes) || HttpStart::may_be_response(bytes));
        return match is_possible && bytes.len() <= MAX_FIRST_LINE_LEN {
            true => Extent::Incomplete,
            false => Extent::Unknown,
        };
    }
    match HttpHead::parse(bytes) {
        Some(head) if !is_start && !head.is_proved_by(bytes) => Extent::Unknown,
        Some(HttpHead { len: Some(len), .. }) => Extent::Complete(len),
        Some(_) => Extent::Incomplete,
        None => Extent::Unknown,
    }
}

/// The bytes up to the end of the first line that is not empty.
fn first_line(bytes: &[u8]) -> &[u8] {
    Lines(bytes).next_non_empty().unwrap_or(bytes)
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
        let found = |text: &'static str| {
            let head = HttpHead::parse(text.as_bytes())?;
            head.host().map(|host| str::from_utf8(host).unwrap())
        };
        for request in [
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET / HTTP/1.1\nHost:a.example\n\n",
            "\r\nGET / HTTP/1.0\r\nHost: a.example\r\n",
            "\nVERSION-CONTROL /doc HTTP/1.1\r\nAccept: a\r\n b\r\nhOST: \ta.example \r\n",
            "x!y * HTTP/1.1\r\nHost: a.example\r\n",
            "GET  /a;cat /b HTTP/1.1\r\nHost: a.example\r\n",
            "GET / HTTP/1.1\r\nHost: a.example\r\nA: b\r\n c\r\nHost:a.example\r\n",
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
            "GET / HTTP/1.1\r\nHost: a.example\r\n b\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n a.example\r\n",
            "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n",
            "GET / HTTP/1.1\r\nHost: a.example\r\nHost:\r\n",
            "GET / HTTP/1.1\r\nHost: a.example\0\r\n",
            "GET / HTTP/1.1\r\nHost: a.example\rb\r\n",
            "GET / HTTP/1.1\r\nHost: a.example\tb\r\n",
        ] {
            assert_eq!(found(other), None, "{other:?}");
        }
    }

    #[test]
    fn first_lines_are_requests_or_responses() {
        let request = |line: &'static str| match HttpStart::parse(line.as_bytes()) {
            Some(HttpStart::Request { method, target }) => {
                [method, target].map(|text| str::from_utf8(text).unwrap())
            }
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(request("GET / HTTP/1.1"), ["GET", "/"]);
        assert_eq!(request("x!y  /a b HTTP/1.0"), ["x!y", "/a b"]);
        for (line, expected) in [
            ("HTTP/1.1 200 OK", Some(200)),
            ("HTTP/1.0 999", Some(999)),
            ("HTTP/1.1 404 ", Some(404)),
            ("HTTP/1.1 099 OK", None),
            ("HTTP/1.1 20 OK", None),
            ("HTTP/1.1 2000 OK", None),
            ("HTTP/1.1  200 OK", None),
            ("HTTP/1.1 200OK", None),
            ("HTTP/1.1 200 O\0K", None),
            ("HTTP/2 200", None),
            ("HTTP/1.x 200 OK", None),
        ] {
            let expected = expected.map(|status| HttpStart::Response { status });
            assert_eq!(HttpStart::parse(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn path_ends_before_the_query() {
        let path = |target: &str| {
            let head = format!("GET {target} HTTP/1.1\r\n");
            let head = HttpHead::parse(head.as_bytes()).unwrap();
            head.path().map(|path| str::from_utf8(path).unwrap().to_owned())
        };
        for (target, expected) in [
            ("/", "/"),
            ("/a/b?c=/d?e", "/a/b"),
            ("/?", "/"),
            ("//a.example/b", "//a.example/b"),
            ("/a b", "/a b"),
            ("http://a.example:80/b/c?d", "/b/c"),
            ("http://a.example?b/c", "/"),
            ("HTTP://a.example", "/"),
        ] {
            assert_eq!(path(target).as_deref(), Some(expected), "{target}");
        }
        for target in ["*", "a.example:443", "a", "://a/b", "a b://c/d"] {
            assert_eq!(path(target), None, "{target}");
        }
        // The limit is within the last character.
        let long = format!("/{}", "ä".repeat(600));
        assert_eq!(path(&long).unwrap(), format!("/{}", "ä".repeat(511)));
    }

    #[test]
    fn framing_is_unknown_unless_it_is_clear() {
        let framing = |fields: &str| {
            let head = format!("POST / HTTP/1.1\r\n{fields}\r\n");
            HttpHead::parse(head.as_bytes()).unwrap().framing
        };
        for (fields, expected) in [
            ("", HttpFraming::Absent),
            ("Host: a\r\n", HttpFraming::Absent),
            ("content-length: 7\r\n", HttpFraming::Length(7)),
            ("Content-Length:7 \r\nContent-Length: 7\r\n", HttpFraming::Length(7)),
            ("Content-Length: 7\r\nContent-Length: 8\r\n", HttpFraming::Unknown),
            ("Content-Length: +7\r\n", HttpFraming::Unknown),
            ("Content-Length: \r\n", HttpFraming::Unknown),
            ("Content-Length: 99999999999999999999\r\n", HttpFraming::Unknown),
            ("Transfer-Encoding: CHUNKED\r\n", HttpFraming::Chunked),
            ("Transfer-Encoding: gzip\r\n", HttpFraming::Unknown),
            ("Transfer-Encoding: gzip, Chunked\r\n", HttpFraming::Chunked),
            ("Transfer-Encoding: chunked, gzip\r\n", HttpFraming::Unknown),
            ("Content-Length: 7\r\nA: b\r\n c\r\n", HttpFraming::Length(7)),
            ("Transfer-Encoding: chunked\r\nContent-Length: 7\r\n", HttpFraming::Unknown),
            ("Content-Length: 7\r\n 8\r\n", HttpFraming::Unknown),
            ("Host: a\r\nno field\r\n", HttpFraming::Unknown),
        ] {
            assert_eq!(framing(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn heads_end_with_an_empty_line() {
        let len = |text: &str| HttpHead::parse(text.as_bytes()).and_then(|head| head.len);
        assert_eq!(len("GET / HTTP/1.1\r\n\r\nbody"), Some(18));
        assert_eq!(len("\r\nHTTP/1.1 200 OK\nA: b\n\nbody"), Some(24));
        assert_eq!(len("GET / HTTP/1.1\r\nA: b\r\n\r"), None);
        assert_eq!(len("GET / HTTP/1.1\r\nHost: a\r\nno field\r\nB: c\r\n"), Some(41));
    }
}
