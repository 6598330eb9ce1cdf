//! A static web server on 127.0.0.1.
//!
//! Files may grow while they are served: `Range: bytes=N-` requests the bytes from an offset on.
//!
//! A thread serves each connection and closes it after one response: connections that browsers open
//! in advance, and do not use, never delay another one.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longest request, in bytes: its line and its headers.
const MAX_REQUEST_LEN: usize = 16 << 10;
/// Largest number of headers of a request.
const MAX_HEADERS: usize = 64;
/// How long a connection may stay idle. Browsers keep unused ones open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server. Dropping it stops it.
pub struct Server {
    address: SocketAddr,
    is_stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub url: String,
    /// The first byte of the range that is requested.
    pub range_start: Option<u64>,
}

/// What a [`Handler`] does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The file with that name is served.
    File,
    /// Status, header `Content-Range` (empty if there is none) and body.
    Content(&'static str, String, Vec<u8>),
    /// The connection is closed without an answer.
    Disconnect,
}

/// Answers requests instead of files.
pub type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

impl Server {
    /// Serves the directory `root` on a port; 0 picks a free one.
    ///
    /// # Errors
    ///
    /// If the port is in use.
    pub fn start(root: &Path, port: u16) -> Result<Self> {
        Self::start_with(root, port, |_| Answer::File)
    }

    /// Same as [`Server::start`], with a handler of requests.
    ///
    /// # Errors
    ///
    /// If the port is in use.
    pub fn start_with(
        root: &Path,
        port: u16,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Result<Self> {
        let handler: Arc<Handler> = Arc::new(handler);
        let listener = TcpListener::bind(("127.0.0.1", port)).context("starting a web server")?;
        let address = listener.local_addr()?;
        let is_stopping = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (stop, root, log) = (is_stopping.clone(), root.to_owned(), requests.clone());
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (root, log, handler) = (root.clone(), log.clone(), handler.clone());
                // A client may disconnect at any time.
                thread::spawn(move || serve(&stream, &root, &log, &*handler));
            }
        });
        Ok(Self { address, is_stopping, thread: Some(thread), requests })
    }

    /// The port the server listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// URLs of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().map(|log| log.clone()).unwrap_or_default()
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // The thread runs as long as the server.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::Release);
        // Wakes the thread that waits for a connection.
        let woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take()
            && woken.is_ok()
        {
            let _ = thread.join();
        }
    }
}

/// Answers one request.
fn serve(
    mut stream: &TcpStream,
    root: &Path,
    log: &Mutex<Vec<String>>,
    handler: &Handler,
) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
    let Some(request) = read_request(stream)? else { return Ok(()) };
    let file = resolve(&request.url, root);
    if let Ok(mut log) = log.lock() {
        log.push(request.url.clone());
    }
    match handler(&request) {
        Answer::Disconnect => return Ok(()),
        Answer::Content(status, range, body) => {
            let head = head(status, body.len() as u64, &range, "application/x-ndjson");
            return stream.write_all(&[head.as_bytes(), &body].concat());
        }
        Answer::File => {}
    }
    let Some((mut file, path)) = file.and_then(|path| Some((File::open(&path).ok()?, path))) else {
        return stream.write_all(head("404 Not Found", 0, "", "text/plain").as_bytes());
    };
    let len = file.metadata()?.len();
    let (status, range, start) = match request.range_start {
        None => ("200 OK", String::new(), 0),
        Some(start) if start < len => {
            ("206 Partial Content", format!("bytes {start}-{}/{len}", len - 1), start)
        }
        Some(_) => ("416 Range Not Satisfiable", format!("bytes */{len}"), len),
    };
    stream.write_all(head(status, len - start, &range, media_type(&path)).as_bytes())?;
    if request.method != "HEAD" {
        file.seek(SeekFrom::Start(start))?;
        io::copy(&mut file.take(len - start), &mut stream)?;
    }
    Ok(())
}

/// Reads a request; `None` if the client closes the connection or sends something else.
fn read_request(mut stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut buf = Vec::new();
    let mut chunk = [0; 4096];
    while buf.len() < MAX_REQUEST_LEN {
        let len = stream.read(&mut chunk)?;
        if len == 0 {
            break;
        }
        buf.extend_from_slice(&chunk[..len]);
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&buf) {
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(_)) => {
                let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
                let range =
                    |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("range");
                let range = request.headers.iter().find(range);
                return Ok(Some(Request {
                    method: text(request.method),
                    url: text(request.path),
                    range_start: range.and_then(|range| range_start(range.value)),
                }));
            }
            Err(_) => break,
        }
    }
    Ok(None)
}

/// The offset N of `bytes=N-`. Other ranges are ignored, which HTTP permits.
fn range_start(range: &[u8]) -> Option<u64> {
    std::str::from_utf8(range).ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn head(status: &str, len: u64, range: &str, media_type: &str) -> String {
    let range =
        if range.is_empty() { String::new() } else { format!("Content-Range: {range}\r\n") };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len}\r\n{range}\
         Connection: close\r\n\r\n"
    )
}

/// The file below `root` that the path of a URL names; `None` outside `root`.
fn resolve(url: &str, root: &Path) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?;
    let is_directory = path.ends_with('/');
    let path = Path::new(path.trim_start_matches('/'));
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    let file = root.join(path);
    let file = if is_directory { file.join("index.html") } else { file };
    (is_inside && file.is_file()).then_some(file)
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("ndjson") => "application/x-ndjson",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a request and returns the whole answer.
    fn request(server: &Server, head: &str) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn idle_connections_do_not_delay_others() {
        let server = Server::start(&crate::build::root(), 0).unwrap();
        let idle: Vec<_> = (0..50).map(|_| TcpStream::connect(server.address).unwrap()).collect();
        let answer = request(&server, "GET /rustfmt.toml?x HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let content = std::fs::read_to_string(crate::build::root().join("rustfmt.toml")).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&content),
            "{answer}"
        );
        let answer = request(&server, "HEAD /rustfmt.toml HTTP/1.1\r\n\r\n");
        assert!(answer.ends_with("Connection: close\r\n\r\n"), "{answer}");
        let answer = request(&server, "GET /missing HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        assert_eq!(request(&server, "\u{1}\r\n\r\n"), "");
        drop(idle);
        assert_eq!(server.requests(), ["/rustfmt.toml?x", "/rustfmt.toml", "/missing"]);
    }

    #[test]
    fn ranges_of_files_are_served() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.ndjson"), "0123456789").unwrap();
        let server = Server::start(directory.path(), 0).unwrap();
        for (range, status, content_range, body) in [
            ("bytes=0-", "206", "bytes 0-9/10", "0123456789"),
            ("bytes=7-", "206", "bytes 7-9/10", "789"),
            ("bytes=10-", "416", "bytes */10", ""),
        ] {
            let head = format!("GET /a.ndjson HTTP/1.1\r\nRange: {range}\r\n\r\n");
            let answer = request(&server, &head);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(
                answer.contains(&format!("\r\nContent-Range: {content_range}\r\n")),
                "{answer}"
            );
            assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
        }
        for range in ["bytes=1-2", "bytes=-2", "lines=1-"] {
            let head = format!("GET /a.ndjson HTTP/1.1\r\nRange: {range}\r\n\r\n");
            assert!(request(&server, &head).starts_with("HTTP/1.1 200 "), "{range}");
        }
    }

    #[test]
    fn files_outside_the_root_are_not_served() {
        let root = crate::build::root();
        assert_eq!(resolve("/Cargo.toml?x=1", &root), Some(root.join("Cargo.toml")));
        for url in ["/../etc/passwd", "//etc/passwd/..", "/xtask", "/", "/xtask/../Cargo.toml"] {
            assert_eq!(resolve(url, &root), None, "{url}");
        }
    }
}
