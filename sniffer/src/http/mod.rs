//! A small HTTP/1.1 server (RFC 9112) for `GET` and `HEAD`.
//!
//! ```text
//! Server -> Connection -> Request -> Service -> Response -> Connection
//! ```
//!
//! One thread serves all connections, without blocking on any. Libraries for HTTP servers start threads or
//! need a runtime, and set no limits to slow clients; `httparse` parses the requests.

mod connection;
mod request;
mod response;
mod server;
mod wakeup;

pub(crate) use request::Request;
pub(crate) use response::{Piece, Response};
pub(crate) use server::{Limits, Server, Service};
pub(crate) use wakeup::Wakeup;
