//! Parses requests.

use super::response::Response;

/// Maximum length of a request in bytes, and number of its headers.
const MAX_LEN: usize = 4096;
const MAX_HEADERS: usize = 64;

/// A request for a resource: its method is GET or HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    is_head: bool,
    path: &'a str,
    headers: Vec<(&'a str, &'a [u8])>,
    is_last: bool,
    len: usize,
}

impl<'a> Request<'a> {
    /// Parses the bytes that a client has sent; `None` if the request is not complete.
    ///
    /// # Errors
    ///
    /// The response to a request that no service answers.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Response> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let len = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(len)) if len <= MAX_LEN => len,
            Ok(httparse::Status::Partial) if bytes.len() < MAX_LEN => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => {
                let status = "431 Request Header Fields Too Large";
                return Err(Response::text(status, "request too large\n"));
            }
            Err(_) => return Err(Response::text("400 Bad Request", "not HTTP\n")),
        };
        let is_head = match parsed.method {
            Some("GET") => false,
            Some("HEAD") => true,
            _ => {
                let response = Response::text("405 Method Not Allowed", "use GET\n");
                return Err(response.header("Allow", "GET, HEAD"));
            }
        };
        let target = parsed.path.unwrap_or_default();
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let headers: Vec<_> =
            parsed.headers.iter().map(|header| (header.name, header.value)).collect();
        let mut request = Self { is_head, path, headers, is_last: false, len };
        request.is_last = parsed.version != Some(1) || request.has_body() || request.closes();
        Ok(Some(request))
    }

    /// The path of the target, without the query.
    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// The values of all headers with a name, in the order of the request.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value)
    }

    /// Whether the response has no body.
    pub(super) fn is_head(&self) -> bool {
        self.is_head
    }

    /// Whether the connection ends after the response.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Length of the request in bytes, without a body.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether a body follows, which nothing reads.
    fn has_body(&self) -> bool {
        ["Content-Length", "Transfer-Encoding"]
            .iter()
            .any(|name| self.headers(name).next().is_some())
    }

    /// Whether the client closes the connection after the response.
    fn closes(&self) -> bool {
        let mut options =
            self.headers("Connection").flat_map(|value| value.split(|byte| *byte == b','));
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Request<'_> {
        Request::parse(bytes).unwrap().unwrap()
    }

    #[test]
    fn requests_are_complete_with_their_empty_line() {
        let bytes = b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nhost:b \r\n\r\nrest";
        let len = bytes.len() - 4;
        for len in 0..len {
            assert_eq!(Request::parse(&bytes[..len]), Ok(None));
        }
        let request = parse(bytes);
        assert_eq!((request.path(), request.len()), ("/a", len));
        assert_eq!(request.headers("HOST").collect::<Vec<_>>(), [b"a", b"b"]);
        assert!(!request.is_head() && !request.is_last());
        assert!(parse(b"HEAD / HTTP/1.1\r\n\r\n").is_head());
    }

    #[test]
    fn bodies_old_versions_and_clients_end_connections() {
        for (head, is_last) in [
            ("GET / HTTP/1.1\r\nConnection: keep-alive", false),
            ("GET / HTTP/1.1\r\nConnection: keep-alive, Close", true),
            ("GET / HTTP/1.1\r\ncontent-length: 5", true),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked", true),
            ("GET / HTTP/1.0\r\nHost: a", true),
        ] {
            assert_eq!(parse(format!("{head}\r\n\r\n").as_bytes()).is_last(), is_last, "{head}");
        }
    }

    #[test]
    fn other_requests_are_refused() {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(MAX_LEN));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_HEADERS + 1));
        for (bytes, status) in [
            (&b"POST / HTTP/1.1\r\n\r\n"[..], "405 "),
            (b"get / HTTP/1.1\r\n\r\n", "405 "),
            (b"\x16\x03\x01\0\x05\r\n\r\n", "400 "),
            (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 "),
            (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "400 "),
            (&[b'a'; MAX_LEN], "431 "),
            (long.as_bytes(), "431 "),
            (many.as_bytes(), "431 "),
        ] {
            let response = Request::parse(bytes).unwrap_err();
            assert!(response.status().starts_with(status), "{}: {status}", response.status());
        }
    }

    proptest! {
        /// No bytes make the parser panic, and more bytes do not change a complete request.
        #[test]
        fn any_bytes_are_a_request_or_refused(
            start in prop::sample::select(vec!["", "GET ", "GET / HTTP/1.1\r\n", "HEAD /?"]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut bytes = [start.as_bytes(), &rest].concat();
            if let Ok(Some(request)) = Request::parse(&bytes) {
                let (len, path) = (request.len(), request.path().to_owned());
                prop_assert!(len <= bytes.len());
                bytes.extend_from_slice(b"\r\n\r\n");
                let same = parse(&bytes);
                prop_assert_eq!((same.len(), same.path()), (len, path.as_str()));
            }
        }
    }
}
