//! Answers `GET /metrics` (RFC 9112), one request per connection.
//!
//! A thread serves a few connections at a time, without blocking on any. Libraries for HTTP servers start
//! threads or need a runtime, and set no limits to slow clients; `httparse` parses the requests.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// Connections at a time; others wait in the kernel.
const MAX_CONNECTIONS: usize = 16;

/// A connection is closed after this time, whatever its state.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Maximum length of a request, and number of its headers.
const MAX_REQUEST_LEN: usize = 4096;
const MAX_HEADERS: usize = 64;

/// Time to wait before the next attempt after the system could not accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The text that is served. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page(Arc<Mutex<Arc<str>>>);

impl Page {
    /// Replaces the text.
    pub(crate) fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text.into();
    }

    fn get(&self) -> Arc<str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens on an address.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// The address with its port.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves the page from a thread until the process ends.
    pub(crate) fn start(self, page: Page) -> io::Result<()> {
        Builder::new().name("metrics".to_owned()).spawn(move || self.run(&page)).map(drop)
    }

    fn run(self, page: &Page) {
        let mut connections: Vec<Connection> = Vec::new();
        loop {
            let is_full = MAX_CONNECTIONS <= connections.len();
            let accepting =
                (!is_full).then(|| PollFd::new(self.listener.as_fd(), PollFlags::POLLIN));
            let polled = connections.iter().map(Connection::poll_fd);
            let mut fds: Vec<_> = accepting.into_iter().chain(polled).collect();
            let timeout = match connections.is_empty() {
                true => PollTimeout::NONE,
                false => PollTimeout::from(1_000u16),
            };
            // An interrupted wait does no harm.
            let _ = poll(&mut fds, timeout);
            let now = Instant::now();
            connections.retain_mut(|connection| {
                now < connection.deadline && connection.advance(page).is_ok_and(|is_open| is_open)
            });
            while connections.len() < MAX_CONNECTIONS {
                match self.listener.accept() {
                    Ok((stream, _)) => connections.extend(Connection::new(stream, now).ok()),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => {
                        thread::sleep(ACCEPT_PAUSE);
                        break;
                    }
                }
            }
        }
    }
}

/// One request and its response.
struct Connection {
    stream: TcpStream,
    deadline: Instant,
    request: Vec<u8>,
    /// The response, and how many of its bytes are written.
    response: Option<(Vec<u8>, usize)>,
}

impl Connection {
    fn new(stream: TcpStream, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let deadline = now + MAX_AGE;
        Ok(Self { stream, deadline, request: Vec::new(), response: None })
    }

    fn poll_fd(&self) -> PollFd<'_> {
        let flags = if self.response.is_some() { PollFlags::POLLOUT } else { PollFlags::POLLIN };
        PollFd::new(self.stream.as_fd(), flags)
    }

    /// Reads and writes what is possible now. False if the connection is over.
    fn advance(&mut self, page: &Page) -> io::Result<bool> {
        while self.response.is_none() {
            let mut buffer = [0; 1024];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(len) => self.request.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
            self.response = respond(&self.request, page).map(|response| (response, 0));
        }
        while let Some((response, written)) = &mut self.response
            && *written < response.len()
        {
            match self.stream.write(&response[*written..]) {
                Ok(len) => *written += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// The response to a request; `None` if the request is not complete.
fn respond(request: &[u8], page: &Page) -> Option<Vec<u8>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(request) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if request.len() < MAX_REQUEST_LEN => return None,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Some(response(
                "431 Request Header Fields Too Large",
                "",
                "request too large\n",
            ));
        }
        Err(_) => return Some(response("400 Bad Request", "", "not HTTP\n")),
    }
    let path = parsed.path.unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let response = match (parsed.method, path) {
        (Some("GET" | "HEAD"), "/metrics") => response("200 OK", "; version=0.0.4", &page.get()),
        (Some("GET" | "HEAD"), _) => response("404 Not Found", "", "see /metrics\n"),
        _ => response("405 Method Not Allowed\r\nAllow: GET, HEAD", "", "use GET\n"),
    };
    Some(if parsed.method == Some("HEAD") { without_body(response) } else { response })
}

fn response(status: &str, version: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain{version}; charset=utf-8\r\nContent-Length: \
         {}\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The status and the headers of a response.
fn without_body(mut response: Vec<u8>) -> Vec<u8> {
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    response.truncate(end.map_or(0, |end| end + 4));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &[u8]) -> Option<String> {
        let page = Page::default();
        page.set("a 1\n".into());
        respond(request, &page).map(|response| String::from_utf8(response).unwrap())
    }

    #[test]
    fn requests_are_answered_when_complete() {
        let request = b"GET /metrics?x HTTP/1.1\r\nHost: a\r\n\r\n";
        for len in 0..request.len() {
            assert_eq!(answer(&request[..len]), None);
        }
        let text = answer(request).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\na 1\n"));
        assert!(text.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        assert!(text.contains("Content-Length: 4\r\n"));
    }

    #[test]
    fn other_requests_are_refused() {
        for (request, status) in [
            (&b"HEAD /metrics HTTP/1.1\r\n\r\n"[..], "200"),
            (b"GET / HTTP/1.0\r\n\r\n", "404"),
            (b"POST /metrics HTTP/1.1\r\n\r\n", "405"),
            (b"\x16\x03\x01\0\x05\r\n\r\n", "400"),
            (&[b'a'; 4096], "431"),
            (&[&b"GET / HTTP/1.1\r\n"[..], &b"a: b\r\n".repeat(65), b"\r\n"].concat(), "431"),
        ] {
            let text = answer(request).unwrap();
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
            assert!(!request.starts_with(b"HEAD") || text.ends_with("\r\n\r\n"));
        }
    }

    /// Clients that send nothing, or read nothing, do not keep others from the page.
    #[test]
    fn idle_clients_delay_no_other() {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = server.address().unwrap();
        let page = Page::default();
        page.set("x".repeat(8 << 20));
        server.start(page.clone()).unwrap();
        let idle: Vec<_> = (0..7).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut unread: Vec<_> = (0..7).map(|_| TcpStream::connect(address).unwrap()).collect();
        for client in &mut unread {
            client.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
        }
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
        let mut text = Vec::new();
        client.read_to_end(&mut text).unwrap();
        assert!((8 << 20) < text.len() && text.starts_with(b"HTTP/1.1 200"));
        drop((idle, unread));
    }
}
