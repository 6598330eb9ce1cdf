//! A static web server on 127.0.0.1.

use anyhow::{Result, anyhow};
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use tiny_http::{Header, Request, Response, StatusCode};

/// A running server. Dropping it stops it.
pub struct Server {
    http: Arc<tiny_http::Server>,
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
        let http = tiny_http::Server::http(("127.0.0.1", port)).map_err(|error| anyhow!(error))?;
        let http = Arc::new(http);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (server, root, log) = (http.clone(), root.to_owned(), requests.clone());
        let thread = thread::spawn(move || {
            for request in server.incoming_requests() {
                if let Ok(mut log) = log.lock() {
                    log.push(request.url().to_owned());
                }
                answer(request, &root);
            }
        });
        Ok(Self { http, thread: Some(thread), requests })
    }

    /// The port the server listens on.
    pub fn port(&self) -> u16 {
        self.http.server_addr().to_ip().map_or(0, |address| address.port())
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
        self.http.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(request: Request, root: &Path) {
    let file = resolve(request.url(), root);
    let opened = file.as_deref().map(File::open);
    // A client may disconnect at any time.
    let _ = match (opened, file) {
        (Some(Ok(content)), Some(path)) => {
            let kind = Header::from_bytes("Content-Type", media_type(&path));
            let mut response = Response::from_file(content);
            if let Ok(kind) = kind {
                response.add_header(kind);
            }
            request.respond(response)
        }
        _ => request.respond(Response::empty(StatusCode(404))),
    };
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

    #[test]
    fn files_outside_the_root_are_not_served() {
        let root = crate::build::root();
        assert_eq!(resolve("/Cargo.toml?x=1", &root), Some(root.join("Cargo.toml")));
        for url in ["/../etc/passwd", "//etc/passwd/..", "/xtask", "/", "/xtask/../Cargo.toml"] {
            assert_eq!(resolve(url, &root), None, "{url}");
        }
    }
}
