//! Responses, and how they are sent.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::ops::Range;
use std::sync::Arc;

/// Pieces that one system call sends.
const MAX_SLICES: usize = 64;

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Static(&'static [u8]),
    Owned(Vec<u8>),
    /// A range of bytes that others read, too.
    Shared(Arc<Vec<u8>>, Range<usize>),
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Static(bytes) => bytes,
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes, range) => &bytes[range.clone()],
        }
    }
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    status: &'static str,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Vec<Piece>,
}

impl Response {
    /// A response without a body. `status` is the code and its name, e.g. `200 OK`.
    pub(crate) fn new(status: &'static str) -> Self {
        let headers = vec![("X-Content-Type-Options", "nosniff".into())];
        Self { status, headers, body: Vec::new() }
    }

    /// A text for people.
    pub(crate) fn text(status: &'static str, text: &'static str) -> Self {
        let response = Self::new(status).header("Content-Type", "text/plain; charset=utf-8");
        response.body([Piece::Static(text.as_bytes())])
    }

    /// Adds a header. Name and value must not contain line ends.
    pub(crate) fn header(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds to the body.
    pub(crate) fn body(mut self, pieces: impl IntoIterator<Item = Piece>) -> Self {
        self.body.extend(pieces);
        self
    }

    /// The code and its name.
    #[cfg(test)]
    pub(crate) fn status(&self) -> &str {
        self.status
    }

    /// The response as bytes; for HEAD without the body.
    pub(super) fn into_bytes(self, is_head: bool, closes: bool) -> Outgoing {
        let Self { status, headers, body } = self;
        let mut head = format!("HTTP/1.1 {status}\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let len: usize = body.iter().map(|piece| piece.as_ref().len()).sum();
        // RFC 9110, section 8.6: not in a response without content.
        if !status.starts_with("204 ") {
            head += &format!("Content-Length: {len}\r\n");
        }
        head += if closes { "Connection: close\r\n\r\n" } else { "\r\n" };
        let body = body.into_iter().filter(|_| !is_head);
        let pieces = [Piece::Owned(head.into_bytes())].into_iter().chain(body).collect();
        Outgoing { pieces, written: 0, closes }
    }
}

/// A response that is being sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// What is left of it.
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that are written.
    written: usize,
    closes: bool,
}

impl Outgoing {
    /// Whether the connection ends after it.
    pub(super) fn closes(&self) -> bool {
        self.closes
    }

    /// Writes what is possible now. True if all is written.
    pub(super) fn write_to(&mut self, mut stream: impl Write) -> io::Result<bool> {
        loop {
            let mut skipped = self.written;
            let slices = self.pieces.iter().take(MAX_SLICES).map(|piece| {
                let bytes = &piece.as_ref()[std::mem::take(&mut skipped)..];
                IoSlice::new(bytes)
            });
            let slices: Vec<_> = slices.collect();
            if slices.is_empty() {
                return Ok(true);
            }
            match stream.write_vectored(&slices) {
                Ok(len) => self.remove(len),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes bytes that are written, and pieces without bytes.
    fn remove(&mut self, len: usize) {
        self.written += len;
        while let Some(first) = self.pieces.front() {
            let first_len = first.as_ref().len();
            if self.written < first_len {
                break;
            }
            self.written -= first_len;
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes at a time, and blocks in between.
    struct Slow {
        bytes: Vec<u8>,
        is_blocked: bool,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.is_blocked = !self.is_blocked;
            if self.is_blocked {
                return Err(ErrorKind::WouldBlock.into());
            }
            let len = bytes.len().min(7);
            self.bytes.extend_from_slice(&bytes[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn sent(response: Response, is_head: bool, closes: bool) -> String {
        let mut outgoing = response.into_bytes(is_head, closes);
        let mut stream = Slow { bytes: Vec::new(), is_blocked: false };
        while !outgoing.write_to(&mut stream).unwrap() {}
        String::from_utf8(stream.bytes).unwrap()
    }

    #[test]
    fn pieces_are_sent_in_order_whatever_the_stream_takes() {
        let shared = Arc::new(b"unseen middle unseen".to_vec());
        let pieces = [
            Piece::Static(b"start "),
            Piece::Owned(Vec::new()),
            Piece::Shared(shared, 7..14),
            Piece::Owned(b"end".to_vec()),
        ];
        let response = Response::new("200 OK").body(pieces);
        let text = sent(response.clone(), false, true);
        assert_eq!(
            text,
            "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 16\r\n\
             Connection: close\r\n\r\nstart middle end"
        );
        let text = sent(response, true, false);
        assert!(text.ends_with("\r\nContent-Length: 16\r\n\r\n"), "{text}");
    }

    #[test]
    fn responses_without_content_have_no_length() {
        let text = sent(Response::new("204 No Content").header("A", "b"), false, false);
        assert!(text.ends_with("\r\nA: b\r\n\r\n") && !text.contains("Length"), "{text}");
    }
}
