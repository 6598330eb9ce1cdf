//! A static web server on 127.0.0.1.
//!
//! A thread serves each connection and closes it after one response: connections that browsers open
//! in advance, and do not use, never delay another one.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{self, Read, Write};
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

impl Server {
    /// Serves the directory `root` on a port; 0 picks a free one.
    ///
    /// # Errors
    ///
    /// If the port is in use.
    pub fn start(root: &Path, port: u16) -> Result<Self> {
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
                let (root, log) = (root.clone(), log.clone());
                // A client may disconnect at any time.
                thread::spawn(move || serve(&stream, &root, &log));
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
fn serve(mut stream: &TcpStream, root: &Path, log: &Mutex<Vec<String>>) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
    let Some((method, url)) = read_request(stream)? else { return Ok(()) };
    let file = resolve(&url, root);
    if let Ok(mut log) = log.lock() {
        log.push(url);
    }
    let Some((file, path)) = file.and_then(|path| Some((File::open(&path).ok()?, path))) else {
        return stream.write_all(head("404 Not Found", 0, "text/plain").as_bytes());
    };
    let len = file.metadata()?.len();
    stream.write_all(head("200 OK", len, media_type(&path)).as_bytes())?;
    if method != "HEAD" {
        io::copy(&mut file.take(len), &mut stream)?;
    }
    Ok(())
}

/// The method and the URL of a request; `None` if the client closes the connection or sends something
/// else.
fn read_request(mut stream: &TcpStream) -> io::Result<Option<(String, String)>> {
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
                return Ok(Some((text(request.method), text(request.path))));
            }
            Err(_) => break,
        }
    }
    Ok(None)
}

fn head(status: &str, len: u64, media_type: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len}\r\n\
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
    fn files_outside_the_root_are_not_served() {
        let root = crate::build::root();
        assert_eq!(resolve("/Cargo.toml?x=1", &root), Some(root.join("Cargo.toml")));
        for url in ["/../etc/passwd", "//etc/passwd/..", "/xtask", "/", "/xtask/../Cargo.toml"] {
            assert_eq!(resolve(url, &root), None, "{url}");
        }
    }
}
