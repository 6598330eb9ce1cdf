//! Names in messages that several packets contain.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

mod http;
mod packets;
mod tcp;
