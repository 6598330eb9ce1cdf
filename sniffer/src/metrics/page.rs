//! Answers `GET /metrics`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::http::{Limits, Piece, Request, Response, Service};

/// Longest time of each step of a connection.
const MAX_AGE: Duration = Duration::from_secs(5);

/// The text that is served. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Page(Arc<Mutex<Arc<Vec<u8>>>>);

impl Page {
    /// A page with this text.
    pub(crate) fn new(text: String) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(text.into_bytes()))))
    }

    /// Replaces the text.
    pub(crate) fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(text.into_bytes());
    }

    fn get(&self) -> Arc<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Service for Page {
    const LIMITS: Limits =
        Limits { connections: 16, request: MAX_AGE, wait: Duration::ZERO, response: MAX_AGE };
    const KEEPS_ALIVE: bool = false;

    fn respond(&self, request: &Request<'_>, _is_final: bool) -> Option<Response> {
        if request.path() != "/metrics" {
            return Some(Response::text("404 Not Found", "see /metrics\n"));
        }
        let text = self.get();
        let len = text.len();
        let response = Response::new("200 OK")
            .header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            .body([Piece::Shared(text, 0..len)]);
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_one_path() {
        let page = Page::new("a 0\n".into());
        page.set("a 1\n".into());
        let respond = |request: &str| {
            let request = format!("GET {request} HTTP/1.1\r\n\r\n");
            page.respond(&Request::parse(request.as_bytes()).unwrap().unwrap(), true).unwrap()
        };
        let expected = Response::new("200 OK")
            .header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            .body([Piece::Shared(Arc::new(b"a 1\n".to_vec()), 0..4)]);
        assert_eq!(respond("/metrics?x"), expected);
        for path in ["/", "/metrics/", "/../metrics"] {
            assert_eq!(respond(path).status(), "404 Not Found", "{path}");
        }
    }
}
