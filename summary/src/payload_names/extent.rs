//! Where the first message of a TCP stream ends.

use super::{dns, http, is_dns_stream, proxy, socks, tls};
use crate::Summary;

/// How much of a message with names the bytes at a position of a TCP stream contain. To find the names
/// of messages that several segments contain, collect the bytes of the stream until the extent is
/// [`Extent::Complete`], and pass them to
/// [`PayloadNames::parse_assembled`](crate::PayloadNames::parse_assembled).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// They are not the start of such a message.
    Unknown,
    /// They are the start of one, as far as they go.
    Incomplete,
    /// They contain all names of one. The next message begins after this number of bytes.
    Complete(usize),
}

/// What is known about a position in a TCP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamStart {
    /// A message begins here, since the connection or the message before was seen. Otherwise, the bytes
    /// themselves must prove it.
    pub is_certain: bool,
    /// A port is that of DNS, whose messages begin with two bytes that may be anything.
    pub is_dns: bool,
    /// The connection may begin here: the header of a proxy protocol is a message, too.
    pub is_first: bool,
    /// A message of HTTP may begin here.
    pub may_be_http: bool,
}

impl StreamStart {
    /// A position in the stream of this packet.
    pub fn new(summary: &Summary<'_>, is_certain: bool) -> Self {
        let is_dns = is_dns_stream(summary);
        Self { is_certain, is_dns, is_first: false, may_be_http: true }
    }
}

impl Extent {
    /// The extent of the message at the front of `bytes`.
    ///
    /// ```
    /// use summary::{Extent, StreamStart};
    ///
    /// let start =
    ///     StreamStart { is_certain: true, is_dns: false, is_first: false, may_be_http: true };
    /// assert_eq!(Extent::of(b"GE", start), Extent::Incomplete);
    /// assert_eq!(Extent::of(b"GET / HTTP/1.1\r\n\r\nbody", start), Extent::Complete(18));
    /// assert_eq!(Extent::of(b"\0", start), Extent::Unknown);
    /// ```
    pub fn of(bytes: &[u8], start: StreamStart) -> Self {
        let StreamStart { is_certain, is_dns, may_be_http, .. } = start;
        let preamble = Self::of_preamble(bytes, start);
        if preamble != Self::Unknown {
            return preamble;
        }
        // A single byte tells the difference between TLS and HTTP; DNS may look like both.
        if is_dns {
            let extent = dns::extent(bytes);
            if extent != Self::Unknown && (is_certain || 2 <= bytes.len()) {
                return extent;
            }
        }
        match tls::extent(bytes, is_certain) {
            Self::Unknown if may_be_http => http::extent(bytes, is_certain),
            extent => extent,
        }
    }

    /// The extent of the header of a proxy protocol at the start of a connection: that of PROXY, or, if it
    /// is certain that the connection begins, the messages of SOCKS. The messages of a connection that is
    /// forwarded follow it.
    ///
    /// ```
    /// use summary::{Extent, StreamStart};
    ///
    /// let start =
    ///     StreamStart { is_certain: true, is_dns: false, is_first: true, may_be_http: true };
    /// let stream = b"PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\nGET / HTTP/1.1\r\n\r\n";
    /// assert_eq!(Extent::of_preamble(stream, start), Extent::Complete(45));
    /// assert_eq!(Extent::of_preamble(b"PROXY HTTP/1.1\r\n", start), Extent::Unknown);
    /// ```
    pub fn of_preamble(bytes: &[u8], start: StreamStart) -> Self {
        if !start.is_first || start.is_dns {
            return Self::Unknown;
        }
        let extent = proxy::extent(bytes);
        if extent != Self::Unknown && (start.is_certain || proxy::MIN_START_LEN <= bytes.len()) {
            return extent;
        }
        if start.is_certain { socks::extent(bytes) } else { Self::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload_names::tls::tests::{hello, records};

    fn check(message: &[u8], is_dns: bool, is_certain: bool, first: usize) {
        let start = StreamStart { is_certain, is_dns, is_first: false, may_be_http: true };
        for len in 0..message.len() {
            let expected = if len < first { Extent::Unknown } else { Extent::Incomplete };
            assert_eq!(Extent::of(&message[..len], start), expected, "{len}");
        }
        assert_eq!(Extent::of(message, start), Extent::Complete(message.len()));
    }

    #[test]
    fn messages_are_incomplete_up_to_their_last_byte() {
        let message = hello(b"www.example.com");
        let hello = records([&message[..50], &message[50..]]);
        let request = b"OPTIONS * HTTP/1.1\r\nAccept: */*\r\nHost: www.example.com\r\n\r\n";
        let response = b"HTTP/1.1 404 Not Found\r\n\r\n";
        let query = b"\0\x11\0\x01\x01\0\0\x01\0\0\0\0\0\0\0\0\x01\0\x01";
        for (message, is_dns, first) in
            [(&hello[..], false, 6), (request, false, 20), (response, false, 12), (query, true, 2)]
        {
            check(message, is_dns, true, 0);
            check(message, is_dns, false, first);
        }
    }

    #[test]
    fn next_message_begins_after_the_extent() {
        let start =
            StreamStart { is_certain: true, is_dns: true, is_first: false, may_be_http: true };
        let two = b"\0\x11\0\x01\x01\0\0\x01\0\0\0\0\0\0\0\0\x01\0\x01\0\x11".as_slice();
        assert_eq!(Extent::of(two, start), Extent::Complete(19));
        let hello = records([&hello(b"a.example")[..], b"rest"]);
        let expected = Extent::Complete(hello.len() - 9);
        assert_eq!(Extent::of(&hello, StreamStart { is_dns: false, ..start }), expected);
        let request = b"GET / HTTP/1.0\r\n\r\n";
        assert_eq!(
            Extent::of(request, StreamStart { is_dns: false, ..start }),
            Extent::Complete(18)
        );
    }

    #[test]
    fn other_streams_are_unknown() {
        for is_certain in [false, true] {
            for bytes in [
                &b"\x17\x03\x03"[..],
                b"SSH-2.0-a\r\n",
                b"\x16\x03\x03\0\x05\x02",
                b"\x16\x03\x03\0\0",
            ] {
                let start =
                    StreamStart { is_certain, is_dns: false, is_first: true, may_be_http: true };
                assert_eq!(Extent::of(bytes, start), Extent::Unknown, "{bytes:?}");
            }
        }
    }
}
