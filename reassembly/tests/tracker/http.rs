//! Messages of HTTP/1 connections.

use crate::packets::{ACK, RST, SYN, hello, names_in, reversed, tcp};
use proptest::prelude::*;
use reassembly::NameTracker;

const GET: &str = "GET /a?b HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// A connection with HTTP messages. The first sequence numbers are close to the largest one.
struct Connection {
    tracker: NameTracker,
    /// Sequence numbers of client and server.
    seq: [u32; 2],
    /// Maximum number of bytes of a packet that are captured.
    snaplen: usize,
}

impl Connection {
    /// A connection whose start was not captured.
    fn unknown() -> Self {
        let seq = [u32::MAX - 40, u32::MAX - 60];
        Self { tracker: NameTracker::default(), seq, snaplen: usize::MAX }
    }

    fn new() -> Self {
        let mut connection = Self::unknown();
        for index in 0..2 {
            let seq = connection.seq[index].wrapping_sub(1);
            connection.send_segment(index, SYN, seq, b"");
        }
        connection
    }

    /// The names in a segment.
    fn send_segment(&mut self, index: usize, flags: u8, seq: u32, bytes: &[u8]) -> String {
        let mut packet = tcp(1, 80, flags, seq, bytes);
        packet[28..32].copy_from_slice(&self.seq[1 - index].to_be_bytes());
        let packet = if index == 0 { packet } else { reversed(packet) };
        let names = names_in(&mut self.tracker, 0, &packet, self.snaplen);
        let status = names.http_status.map(|status| status.to_string().into());
        let texts = [names.http_method, names.http_path, names.http_host, status, names.sni];
        texts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn send(&mut self, index: usize, bytes: impl AsRef<[u8]>) -> String {
        let (seq, bytes) = (self.seq[index], bytes.as_ref());
        self.lose(index, bytes.len());
        self.send_segment(index, ACK, seq, bytes)
    }

    /// Bytes that were not captured.
    fn lose(&mut self, index: usize, len: usize) {
        self.seq[index] = self.seq[index].wrapping_add(u32::try_from(len).unwrap());
    }

    fn client(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.send(0, bytes)
    }

    fn server(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.send(1, bytes)
    }
}

#[test]
fn requests_and_responses_have_names_also_later_in_a_connection() {
    for mut connection in [Connection::new(), Connection::unknown()] {
        for _ in 0..3 {
            assert_eq!(connection.client(GET), "GET /a a.example");
            let response = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
            assert_eq!(connection.server(response), "200");
            let post = "POST /p HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nab";
            assert_eq!(connection.client(post), "POST /p b");
            assert_eq!(connection.server("HTTP/1.1 204 No Content\r\n\r\n"), "204");
        }
    }
}

#[test]
fn bodies_have_no_names() {
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let len = GET.len();
    let length = format!("Content-Length: {}\r\n\r\n", 2 * len + response.len());
    let chunk = format!("{len:x};x=y\r\n{GET}\r\n");
    for is_request in [true, false] {
        let mut connection = Connection::new();
        if !is_request {
            assert_eq!(connection.client(GET), "GET /a a.example");
        }
        let index = usize::from(!is_request);
        let (start, expected) = match is_request {
            true => ("PUT / HTTP/1.1\r\n", "PUT /"),
            false => ("HTTP/1.1 200 OK\r\n", "200"),
        };
        assert_eq!(connection.send(index, format!("{start}{length}")), expected);
        for body in [GET, response, GET] {
            assert_eq!(connection.send(index, body), "");
        }
        if !is_request {
            assert_eq!(connection.client(GET), "GET /a a.example");
        }
        assert_eq!(connection.send(index, format!("{start}{chunked}")), expected);
        for body in [&chunk[..6], &chunk[6..], &chunk, "1\r\na\r\n", "0\r\nA: b\r\n\r", "\n"] {
            assert_eq!(connection.send(index, body), "", "{body:?}");
        }
        // The rest of a body, and the next message.
        if !is_request {
            assert_eq!(connection.client(GET), "GET /a a.example");
        }
        assert_eq!(connection.send(index, format!("{start}Content-Length: 3\r\n\r\na")), expected);
        if !is_request {
            assert_eq!(connection.client(GET), "GET /a a.example");
        }
        assert_eq!(connection.send(index, format!("bc{start}\r\n")), expected);
        if !is_request {
            assert_eq!(connection.server(response), "", "the body extends to the end");
        }
    }
}

#[test]
fn responses_without_bodies_have_a_successor() {
    let mut connection = Connection::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    assert_eq!(connection.client("HEAD / HTTP/1.1\r\n\r\n"), "HEAD /");
    assert_eq!(connection.server(head), "200");
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server("HTTP/1.1 100 Continue\r\n\r\n"), "100");
    assert_eq!(connection.server("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), "304");
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server(head), "200");
    assert_eq!(connection.server(head), "");
    // Several requests precede their responses.
    let mut connection = Connection::new();
    let requests = format!("HEAD / HTTP/1.1\r\n\r\n{GET}HEAD / HTTP/1.1\r\n\r\n");
    assert_eq!(connection.client(requests), "HEAD /");
    assert_eq!(connection.server(head), "200");
    assert_eq!(connection.server("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), "200");
    assert_eq!(connection.server(head), "200");
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server(head), "200");
    assert_eq!(connection.server(head), "");
}

#[test]
fn bodies_without_a_known_end_extend_to_the_end_of_the_connection() {
    let put = "PUT / HTTP/1.1\r\nHost: a\r\n";
    for end in [
        "Transfer-Encoding: gzip\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        "Content-Length: 3\r\n 0\r\n\r\n",
        "Content-Length: 3\r\nA : b\r\n\r\n",
        // No size.
        "Transfer-Encoding: chunked\r\n\r\nx",
    ] {
        let mut connection = Connection::new();
        assert_eq!(connection.client(format!("{put}{end}")), "PUT / a", "{end}");
        assert_eq!(connection.client(GET), "", "{end}");
        assert_eq!(connection.client(GET), "", "{end}");
    }
    // A response whose request was not captured.
    let mut connection = Connection::unknown();
    assert_eq!(connection.server("HTTP/1.1 200 OK\r\n\r\n"), "200");
    assert_eq!(connection.server("HTTP/1.1 200 OK\r\n\r\n"), "");
    let mut connection = Connection::unknown();
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n";
    assert_eq!(connection.server(response), "200");
    assert_eq!(connection.server("HTTP/1.1 500 Error\r\n\r\n"), "");
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server(response), "200");
    // Another protocol.
    let mut connection = Connection::new();
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "101");
    assert_eq!(connection.server(response), "");
}

/// Without its request, a response may be one to HEAD: it has no body if another head follows.
#[test]
fn response_to_a_lost_head_request_may_have_no_body() {
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n";
    let body = "a".repeat(40);
    // The request to this response was lost.
    let mut connection = Connection::unknown();
    assert_eq!(connection.server(response), "200");
    assert_eq!(connection.server("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), "");
    assert_eq!(connection.server(format!("a{response}")), "", "a body that looks like a head");
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server(response), "200");
    // Other bytes prove a body, also in pieces.
    for pieces in [&[40][..], &[1, 39], &[20, 20]] {
        let mut connection = Connection::unknown();
        for _ in 0..3 {
            assert_eq!(connection.server(response), "200");
            let mut rest = &body[..];
            for len in pieces {
                let (piece, after) = rest.split_at(*len);
                assert_eq!(connection.server(piece), "");
                rest = after;
            }
        }
        assert_eq!(connection.server(format!("{response}{body}")), "200");
        connection.lose(1, response.len());
        assert_eq!(connection.server(&body), "", "the head of this body was lost");
    }
    // The first bytes of the body were lost.
    let mut connection = Connection::unknown();
    assert_eq!(connection.server(response), "200");
    connection.lose(1, 1);
    assert_eq!(connection.server(&body[1..]), "");
    assert_eq!(connection.server(response), "");
}

#[test]
fn tunnels_contain_other_messages() {
    let mut connection = Connection::new();
    let connect = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
    assert_eq!(connection.client(connect), "CONNECT a.example:443");
    assert_eq!(connection.server("HTTP/1.1 200 OK\r\n\r\n"), "200");
    let hello = hello("b.example", 100);
    assert_eq!(connection.client(&hello[..70]), "");
    assert_eq!(connection.client(&hello[70..]), "b.example");
    let mut connection = Connection::new();
    assert_eq!(connection.client(connect), "CONNECT a.example:443");
    assert_eq!(connection.server("HTTP/1.1 200 OK\r\n\r\n"), "200");
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server("HTTP/1.1 302 Found\r\n\r\n"), "302");
}

#[test]
fn missing_bytes_of_a_body_do_not_matter() {
    let mut connection = Connection::new();
    assert_eq!(connection.client(GET), "GET /a a.example");
    connection.server("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n");
    for _ in 0..4 {
        connection.lose(1, 1_000_000_000);
        assert_eq!(connection.server(GET), "");
    }
    connection.lose(1, 1_000_000_000 - 4 * GET.len());
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(
        connection.server("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n"),
        "201"
    );
    connection.lose(1, 90);
    assert_eq!(connection.server(GET), "", "a chunk with another size");
    // After missing bytes, only a new request tells where the next response begins.
    let mut connection = Connection::new();
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(
        connection.server("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n"),
        "201"
    );
    connection.lose(1, 900);
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server("HTTP/1.1 304 Not Modified\r\n\r\n"), "304");
    assert_eq!(connection.client(GET), "GET /a a.example");
    connection.lose(1, 90);
    assert_eq!(connection.server("HTTP/1.1 404 Not Found\r\n\r\n"), "");
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server("HTTP/1.1 404 Not Found\r\n\r\n"), "404");
}

/// The bytes after a lost head may be its body. A response to it tells where the next request begins.
#[test]
fn bytes_after_a_lost_head_have_no_names() {
    let mut connection = Connection::new();
    for lost in [50, 100_000] {
        assert_eq!(connection.client(GET), "GET /a a.example");
        assert_eq!(connection.server("HTTP/1.1 304 Not Modified\r\n\r\n"), "304");
        connection.lose(0, lost);
        assert_eq!(connection.client(GET), "");
        assert_eq!(connection.server("HTTP/1.1 100 Continue\r\n\r\n"), "100");
        assert_eq!(connection.client(GET), "");
        assert_eq!(connection.client(hello("b.example", 100)), "");
        assert_eq!(connection.server("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na"), "200");
        assert_eq!(connection.client(GET), "");
        assert_eq!(connection.server("bc"), "");
    }
    // The capture begins within a body.
    let mut connection = Connection::unknown();
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for body in ["abc", response] {
        assert_eq!(connection.server(body), "");
    }
    assert_eq!(connection.client(GET), "GET /a a.example");
    assert_eq!(connection.server(response), "200");
}

#[test]
fn omitted_bytes_are_counted() {
    let put = |len: usize| format!("PUT /p HTTP/1.1\r\nContent-Length: {len}\r\n\r\n");
    let request = format!("{GET}{}", " ".repeat(100));
    let mut connection = Connection::new();
    // Headers of 40 bytes.
    connection.snaplen = 40 + put(200).len() + 20;
    for _ in 0..3 {
        assert_eq!(connection.client(format!("{}{}", put(200), "a".repeat(200))), "PUT /p");
        let body = request.len();
        assert_eq!(connection.client(put(2 * body)), "PUT /p");
        assert_eq!(connection.client(&request), "");
        assert_eq!(connection.client(&request), "");
    }
    // The end of a head is omitted.
    let head = format!("GET /a HTTP/1.1\r\nHost: b\r\nA: {}\r\n\r\n", "a".repeat(100));
    assert_eq!(connection.client(&head), "GET /a b");
    assert_eq!(connection.client(GET), "");
    assert_eq!(connection.server("HTTP/1.1 304 Not Modified\r\n\r\n"), "304");
    assert_eq!(connection.client(&head), "GET /a b");
    // The capture contains no payload.
    connection.snaplen = 40;
    assert_eq!(connection.client(&head), "");
    connection.snaplen = 200;
    assert_eq!(connection.client(GET), "");
}

#[test]
fn segments_that_receivers_ignore_do_not_matter() {
    let put = format!("PUT /p HTTP/1.1\r\nContent-Length: {}\r\n\r\n", 9 * GET.len());
    for (flags, distance) in [(RST, 1_000u32), (RST, 0), (SYN, 1_000), (SYN, 1 << 30), (SYN, 0)] {
        let mut connection = Connection::new();
        assert_eq!(connection.client(&put), "PUT /p");
        for _ in 0..9 {
            let seq = connection.seq[0].wrapping_add(distance);
            assert_eq!(connection.send_segment(0, flags, seq, b""), "");
            assert_eq!(connection.client(GET), "", "{flags} {distance}");
        }
        assert_eq!(connection.client(GET), "GET /a a.example", "{flags} {distance}");
    }
    // Another connection with the same ports.
    let mut connection = Connection::new();
    assert_eq!(connection.client(&put), "PUT /p");
    connection.lose(0, 1 << 30);
    connection.send_segment(0, SYN, connection.seq[0].wrapping_sub(1), b"");
    assert_eq!(connection.client(GET), "GET /a a.example");
}

#[test]
fn last_message_has_names_each_time() {
    let mut connection = Connection::new();
    let post = "POST /p HTTP/1.1\r\nContent-Length: 20\r\n\r\nab";
    for _ in 0..3 {
        let seq = connection.seq[0];
        assert_eq!(connection.client(post), "POST /p");
        assert_eq!(connection.send_segment(0, ACK, seq, post.as_bytes()), "POST /p");
        let seq = connection.seq[0];
        assert_eq!(connection.client("GET / HTTP/1.1\r\n\r\n"), "");
        assert_eq!(connection.send_segment(0, ACK, seq, b"GET / HTTP/1.1\r\n\r\n"), "");
    }
}

#[test]
fn parts_of_heads_prove_nothing() {
    for start in ["HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nA: b\r\n", "GET / HTTP/1.1\r\nA: b\r\n"] {
        for mut connection in [Connection::new(), Connection::unknown()] {
            assert_eq!(connection.client(start), "", "{start:?}");
            assert_eq!(connection.client("\0\r\n\r\n\r\n"), "", "{start:?}");
        }
    }
}

proptest! {
    /// The segments of a connection may have any sizes, and arrive in any order if the messages fit the
    /// memory: the names are those of complete messages.
    #[test]
    fn cuts_do_not_matter(
        bodies in prop::collection::vec((0usize..60, any::<bool>()), 1..6),
        sizes in prop::collection::vec(1usize..90, 1..20),
    ) {
        let mut bytes = String::new();
        let mut ends = Vec::new();
        for (index, (len, is_chunked)) in bodies.iter().enumerate() {
            // The body looks like requests.
            let body: String = GET.chars().cycle().take(*len).collect();
            let start = format!("PUT /{index} HTTP/1.1\r\n");
            let (head, body) = match is_chunked {
                false => (format!("Content-Length: {len}\r\n\r\n"), body),
                true if *len == 0 => ("Transfer-Encoding: chunked\r\n\r\n".to_owned(), "0\r\n\r\n".to_owned()),
                true => ("Transfer-Encoding: chunked\r\n\r\n".to_owned(), format!("{len:x}\r\n{body}\r\n0\r\n\r\n")),
            };
            bytes += &format!("{start}{head}");
            ends.push(bytes.len());
            bytes += &body;
        }
        let mut connection = Connection::new();
        let (mut rest, mut position) = (bytes.as_str(), 0);
        for size in sizes.iter().cycle() {
            let (segment, after) = rest.split_at(rest.len().min(*size));
            let end = position + segment.len();
            let completed = ends.iter().position(|head| position < *head && *head <= end);
            let expected = completed.map(|index| format!("PUT /{index}")).unwrap_or_default();
            prop_assert_eq!(connection.client(segment), expected, "{:?}", segment);
            (rest, position) = (after, end);
            if rest.is_empty() {
                break;
            }
        }
    }

    #[test]
    fn any_segments_are_accepted(
        pieces in prop::collection::vec((0usize..9, 0usize..2, 0u32..100), 0..40),
    ) {
        let texts = [GET, "HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 9\r\n",
            "\r\n", "5\r\n", "0\r\n", "HEAD / HTTP/1.1\r\n", "CONNECT / HTTP/1.1\r\n\r\n"];
        let mut connection = Connection::new();
        for (text, index, lost) in pieces {
            connection.send(index, texts[text]);
            connection.lose(index, usize::try_from(lost.saturating_sub(90)).unwrap());
        }
    }
}
